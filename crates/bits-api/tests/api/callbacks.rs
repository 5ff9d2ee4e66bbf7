//! What an object of the client answers when it is asked for its callbacks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bits_api::{
    Callback, Callback2, File, FileProgress, Hresult, Job, JobError, Success, Unknown, callback_object,
    callback2_object,
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
