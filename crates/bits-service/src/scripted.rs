//! A client's callback for the author of a test: does as it is told, and writes down what it was
//! told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bits_api::{
    Callback, Callback2, Callback3, ErrorContext, File, FileRange, Guid, Hresult, Job, JobError, Success, Unknown,
    callback3_object,
};

use crate::running::Latch;

/// A callback that follows a script: one step for each call, of whatever method. Without a step it
/// returns `S_OK`. Clones are one callback.
///
/// ```
/// use bits_service::{Emulator, ScriptedCallback, Simulation};
/// # use bits_api::{Hresult, JobType};
/// let remote = Simulation::new();
/// remote.serve("http://example.org/a", 1_000);
/// let emulator = Emulator::builder().simulated(&remote).world(|world| world.drives.mount('C', "/c")).start()?;
/// let job = emulator.client("updater.exe").manager()?.create_job(Some("an update"), JobType::DOWNLOAD)?.job;
/// job.add_file(Some("http://example.org/a"), Some(r"C:\a"))?;
///
/// let callback = ScriptedCallback::new();
/// callback.fail(2, Hresult::E_FAIL);
/// callback.act(|job| job.complete());
/// job.set_notify_interface(Some(callback.object()))?;
/// job.resume()?;
/// emulator.advance(std::time::Duration::from_secs(600))?;
///
/// assert_eq!(callback.calls().len(), 3);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct ScriptedCallback(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    calls: Vec<CallbackCall>,
    script: VecDeque<Step>,
}

/// A call of a callback.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CallbackCall {
    /// JobTransferred.
    JobTransferred {
        /// The job.
        job: Guid,
    },
    /// JobError.
    JobError {
        /// The job.
        job: Guid,
        /// Where the error arose.
        context: ErrorContext,
        /// The error.
        code: Hresult,
    },
    /// JobModification.
    JobModification {
        /// The job.
        job: Guid,
    },
    /// FileTransferred.
    FileTransferred {
        /// The job.
        job: Guid,
        /// The remote name of the file.
        url: String,
    },
    /// FileRangesTransferred.
    FileRangesTransferred {
        /// The job.
        job: Guid,
        /// The remote name of the file.
        url: String,
        /// What has arrived.
        ranges: Vec<FileRange>,
    },
}

type Act = Box<dyn FnOnce(&Arc<dyn Job>) -> Result<Success, Hresult> + Send>;

/// What one call does.
enum Step {
    Return(Result<Success, Hresult>),
    Panic,
    Wait(Latch),
    Act(Act),
}

impl ScriptedCallback {
    /// A callback without a script.
    pub fn new() -> Self {
        Self::default()
    }

    /// The object to register: an IBackgroundCopyCallback3, and so every older one.
    pub fn object(&self) -> Arc<dyn Unknown> {
        callback3_object(Arc::new(self.clone()))
    }

    /// Lets the next `times` calls without a step fail with `code`.
    pub fn fail(&self, times: usize, code: Hresult) {
        self.lock().script.extend((0..times).map(|_| Step::Return(Err(code))));
    }

    /// Lets the next call without a step return this.
    pub fn answer(&self, answer: Result<Success, Hresult>) {
        self.lock().script.push_back(Step::Return(answer));
    }

    /// Lets the next call without a step panic.
    pub fn panic(&self) {
        self.lock().script.push_back(Step::Panic);
    }

    /// Lets the next call without a step hang until the latch is opened, and then return `S_OK`.
    pub fn hang(&self) -> Latch {
        let latch = Latch::new();
        self.lock().script.push_back(Step::Wait(latch.clone()));
        latch
    }

    /// Lets the next call without a step do this, which may call BITS, and return what it gives.
    pub fn act(&self, act: impl FnOnce(&Arc<dyn Job>) -> Result<Success, Hresult> + Send + 'static) {
        self.lock().script.push_back(Step::Act(Box::new(act)));
    }

    /// The calls so far, oldest first.
    pub fn calls(&self) -> Vec<CallbackCall> {
        self.lock().calls.clone()
    }

    fn follow(&self, call: CallbackCall, job: &Arc<dyn Job>) -> Result<Success, Hresult> {
        let step = {
            let mut state = self.lock();
            state.calls.push(call);
            state.script.pop_front()
        };
        match step {
            None => Ok(Success::OK),
            Some(Step::Return(answer)) => answer,
            Some(Step::Panic) => panic!("the callback panics, as its script says"),
            Some(Step::Wait(latch)) => {
                latch.wait();
                Ok(Success::OK)
            }
            Some(Step::Act(act)) => act(job),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Callback for ScriptedCallback {
    fn job_transferred(&self, job: Arc<dyn Job>) -> Result<Success, Hresult> {
        self.follow(CallbackCall::JobTransferred { job: job.id()? }, &job)
    }

    fn job_error(&self, job: Arc<dyn Job>, error: Arc<dyn JobError>) -> Result<Success, Hresult> {
        let (context, code) = error.error()?;
        self.follow(CallbackCall::JobError { job: job.id()?, context, code }, &job)
    }

    fn job_modification(&self, job: Arc<dyn Job>) -> Result<Success, Hresult> {
        self.follow(CallbackCall::JobModification { job: job.id()? }, &job)
    }
}

impl Callback2 for ScriptedCallback {
    fn file_transferred(&self, job: Arc<dyn Job>, file: Arc<dyn File>) -> Result<Success, Hresult> {
        self.follow(CallbackCall::FileTransferred { job: job.id()?, url: file.remote_name()? }, &job)
    }
}

impl Callback3 for ScriptedCallback {
    fn file_ranges_transferred(
        &self,
        job: Arc<dyn Job>,
        file: Arc<dyn File>,
        ranges: &[FileRange],
    ) -> Result<Success, Hresult> {
        let (url, ranges) = (file.remote_name()?, ranges.to_vec());
        self.follow(CallbackCall::FileRangesTransferred { job: job.id()?, url, ranges }, &job)
    }
}
