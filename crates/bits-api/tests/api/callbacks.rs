//! What an object of the client answers when it is asked for its callbacks.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bits_api::{
    Callback, Callback2, CreatedJob, Fetched, File, FileProgress, Guid, Hresult, Job, JobError, Success, Unknown,
    callback_object, callback2_object,
};

use super::settings::PlainJob;

/// Counts what it is told.
#[derive(Default)]
struct Counting {
    transferred: AtomicU32,
    files: AtomicU32,
}

impl Callback for Counting {
    fn job_transferred(&self, _: Arc<dyn Job>) -> Result<Success, Hresult> {
        self.transferred.fetch_add(1, Ordering::SeqCst);
        Ok(Success::OK)
    }

    fn job_error(&self, _: Arc<dyn Job>, _: Arc<dyn JobError>) -> Result<Success, Hresult> {
        Err(Hresult::E_FAIL)
    }

    fn job_modification(&self, _: Arc<dyn Job>) -> Result<Success, Hresult> {
        Err(Hresult::E_FAIL)
    }
}

impl Callback2 for Counting {
    fn file_transferred(&self, _: Arc<dyn Job>, file: Arc<dyn File>) -> Result<Success, Hresult> {
        file.progress()?;
        self.files.fetch_add(1, Ordering::SeqCst);
        Ok(Success::OK)
    }
}

#[derive(Debug)]
struct EmptyFile;

impl File for EmptyFile {
    fn remote_name(&self) -> Result<String, Hresult> {
        Ok("http://example.com/empty".into())
    }

    fn local_name(&self) -> Result<String, Hresult> {
        Ok(r"C:\empty".into())
    }

    fn progress(&self) -> Result<FileProgress, Hresult> {
        Ok(FileProgress { bytes_total: 0, bytes_transferred: 0, completed: false })
    }
}

struct NoCallback;

impl Unknown for NoCallback {}

#[test]
fn an_object_of_another_kind_has_no_callback() {
    let object: Arc<dyn Unknown> = Arc::new(NoCallback);

    assert!(object.callback().is_none());
    assert!(object.callback2().is_none());
}

#[test]
fn a_callback_of_the_first_version_is_not_one_of_the_second() {
    let counting = Arc::new(Counting::default());
    let object = callback_object(counting.clone());

    let callback = object.callback().expect("the first version");
    assert_eq!(callback.job_transferred(Arc::new(PlainJob::default())), Ok(Success::OK));

    assert_eq!(counting.transferred.load(Ordering::SeqCst), 1);
    assert!(object.callback2().is_none());
}

#[test]
fn a_callback_of_the_second_version_is_one_of_the_first_too() {
    let counting = Arc::new(Counting::default());
    let object = callback2_object(counting.clone());
    let job: Arc<dyn Job> = Arc::new(PlainJob::default());

    let first = object.callback().expect("the first version");
    assert_eq!(first.job_transferred(Arc::clone(&job)), Ok(Success::OK));
    let second = object.callback2().expect("the second version");
    assert_eq!(second.file_transferred(job, Arc::new(EmptyFile)), Ok(Success::OK));

    assert_eq!(counting.transferred.load(Ordering::SeqCst), 1);
    assert_eq!(counting.files.load(Ordering::SeqCst), 1);
}

#[test]
fn a_provider_finds_its_own_objects_again() {
    let job: Arc<dyn Job> = Arc::new(PlainJob::default());
    let object: Arc<dyn Unknown> = Arc::new(NoCallback);

    let (job, object): (&dyn Any, &dyn Any) = (&*job, &*object);

    assert!(job.is::<PlainJob>() && !job.is::<EmptyFile>());
    assert!(object.is::<NoCallback>() && !object.is::<PlainJob>());
}

#[test]
fn results_that_hold_objects_can_be_unwrapped_either_way() {
    let job: Arc<dyn Job> = Arc::new(PlainJob::default());
    let created: Result<CreatedJob, Hresult> = Ok(CreatedJob { id: Guid::nil(), job: Arc::clone(&job) });
    let fetched: Result<Fetched<dyn Job>, Hresult> = Ok(Fetched { success: Success::OK, items: vec![job] });

    assert!(format!("{created:?}").contains("PlainJob"));
    assert!(format!("{fetched:?}").contains("PlainJob"));
    assert_eq!(PlainJob::default().enum_files().unwrap_err(), Hresult::E_NOTIMPL);
}
