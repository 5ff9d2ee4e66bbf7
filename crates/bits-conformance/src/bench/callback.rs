//! A client's callback that writes down what it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bits_api::{
    Callback, Callback2, Callback3, ErrorContext, File, FileRange, FileTime, Hresult, Job, JobError, JobProgress,
    JobState, LanguageId, Success, Unknown, callback_object, callback2_object, callback3_object,
};

/// One call of a callback, with what the job said of itself meanwhile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Told {
    Transferred { state: JobState, progress: JobProgress, completed: FileTime },
    Error { context: ErrorContext, code: Hresult, text: String, file: Option<String>, progress: JobProgress },
    Modification,
    File { url: String },
    Ranges { url: String, ranges: Vec<FileRange> },
}

impl Told {
    /// The method.
    pub(crate) fn method(&self) -> &'static str {
        match self {
            Self::Transferred { .. } => "JobTransferred",
            Self::Error { .. } => "JobError",
            Self::Modification => "JobModification",
            Self::File { .. } => "FileTransferred",
            Self::Ranges { .. } => "FileRangesTransferred",
        }
    }
}

type Act = Box<dyn Fn(&Arc<dyn Job>) -> Result<Success, Hresult> + Send + Sync>;

/// Writes down each call, and answers as it was told to: with `S_OK` in the end.
#[derive(Default)]
pub(crate) struct Recorder {
    told: Mutex<Vec<Told>>,
    answers: Mutex<VecDeque<Result<Success, Hresult>>>,
    act: Option<Act>,
    /// Whether each file is declared invalid as soon as it is told of.
    judges: bool,
    temporary_names: Mutex<Vec<String>>,
}

impl Recorder {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Gives these answers first.
    pub(crate) fn answering(answers: impl IntoIterator<Item = Result<Success, Hresult>>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.into_iter().collect()), ..Self::default() })
    }

    /// Does this inside JobTransferred and JobError, and answers with what it gives.
    pub(crate) fn acting(act: impl Fn(&Arc<dyn Job>) -> Result<Success, Hresult> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { act: Some(Box::new(act)), ..Self::default() })
    }

    /// Declares every file invalid inside FileTransferred.
    pub(crate) fn judging() -> Arc<Self> {
        Arc::new(Self { judges: true, ..Self::default() })
    }

    /// The temporary names that the files had inside FileTransferred.
    pub(crate) fn temporary_names(&self) -> Vec<String> {
        lock(&self.temporary_names).clone()
    }

    /// The object to register, which knows IBackgroundCopyCallback only.
    pub(crate) fn object(self: &Arc<Self>) -> Arc<dyn Unknown> {
        callback_object(Arc::clone(self) as Arc<dyn Callback>)
    }

    /// The object to register, which knows IBackgroundCopyCallback2 too.
    pub(crate) fn object2(self: &Arc<Self>) -> Arc<dyn Unknown> {
        callback2_object(Arc::clone(self) as Arc<dyn Callback2>)
    }

    /// The object to register, which knows IBackgroundCopyCallback3 too.
    pub(crate) fn object3(self: &Arc<Self>) -> Arc<dyn Unknown> {
        callback3_object(Arc::clone(self) as Arc<dyn Callback3>)
    }

    /// The calls so far.
    pub(crate) fn told(&self) -> Vec<Told> {
        lock(&self.told).clone()
    }

    /// The methods called so far.
    pub(crate) fn methods(&self) -> Vec<&'static str> {
        lock(&self.told).iter().map(Told::method).collect()
    }

    /// How often that method was called.
    pub(crate) fn count(&self, method: &str) -> usize {
        self.methods().into_iter().filter(|called| *called == method).count()
    }

    fn note(&self, told: Told, job: &Arc<dyn Job>) -> Result<Success, Hresult> {
        let ends = matches!(told, Told::Transferred { .. } | Told::Error { .. });
        lock(&self.told).push(told);
        if let Some(act) = self.act.as_ref().filter(|_| ends) {
            return act(job);
        }
        lock(&self.answers).pop_front().unwrap_or(Ok(Success::OK))
    }
}

impl Callback for Recorder {
    fn job_transferred(&self, job: Arc<dyn Job>) -> Result<Success, Hresult> {
        let completed = job.times()?.transfer_completion;
        self.note(Told::Transferred { state: job.state()?, progress: job.progress()?, completed }, &job)
    }

    fn job_error(&self, job: Arc<dyn Job>, error: Arc<dyn JobError>) -> Result<Success, Hresult> {
        let (context, code) = error.error()?;
        let file = error.file().and_then(|file| file.remote_name()).ok();
        let text = error.description(LanguageId::ENGLISH_US)?;
        self.note(Told::Error { context, code, text, file, progress: job.progress()? }, &job)
    }

    fn job_modification(&self, job: Arc<dyn Job>) -> Result<Success, Hresult> {
        self.note(Told::Modification, &job)
    }
}

impl Callback2 for Recorder {
    fn file_transferred(&self, job: Arc<dyn Job>, file: Arc<dyn File>) -> Result<Success, Hresult> {
        if self.judges {
            let file = file.file3()?;
            lock(&self.temporary_names).push(file.temporary_name()?);
            file.set_validation_state(false)?;
        }
        self.note(Told::File { url: file.remote_name()? }, &job)
    }
}

impl Callback3 for Recorder {
    fn file_ranges_transferred(
        &self,
        job: Arc<dyn Job>,
        file: Arc<dyn File>,
        ranges: &[FileRange],
    ) -> Result<Success, Hresult> {
        self.note(Told::Ranges { url: file.remote_name()?, ranges: ranges.to_vec() }, &job)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
