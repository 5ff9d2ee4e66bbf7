//! What the tests of the service share: an emulator over a simulated network, and callbacks that
//! record.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bits_api::{Callback, Hresult, Job, JobError, JobType, Manager, Success, callback_object};
use bits_service::{Builder, Client, Emulator, Simulation};

pub(crate) const URL: &str = "http://updates.example/setup.exe";
pub(crate) const HOUR: Duration = Duration::from_hours(1);

/// An emulator with one program and one file on a simulated server.
pub(crate) struct Setup {
    pub(crate) network: Simulation,
    pub(crate) emulator: Emulator,
    pub(crate) client: Client,
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        let network = Simulation::new();
        network.serve(URL, 4096);
        let builder = Emulator::builder().simulated(&network).world(|world| world.drives.mount('C', "/drive-c"));
        let emulator = change(builder).start().unwrap();
        let client = emulator.client("updater.exe");
        Self { network, emulator, client }
    }

    pub(crate) fn manager(&self) -> Arc<dyn Manager> {
        self.client.manager().unwrap()
    }

    /// A suspended job with the one file.
    pub(crate) fn job(&self) -> Arc<dyn Job> {
        let job = self.manager().create_job(Some("update"), JobType::DOWNLOAD).unwrap().job;
        job.add_file(Some(URL), Some(r"C:\setup.exe")).unwrap();
        job
    }

    /// The same, and somebody is told of it.
    pub(crate) fn job_told_to(&self, callback: &Arc<Recorder>) -> Arc<dyn Job> {
        let job = self.job();
        job.set_notify_interface(Some(callback.object())).unwrap();
        job
    }
}

type Act = Box<dyn Fn(&str, &Arc<dyn Job>) -> Result<Success, Hresult> + Send + Sync>;

/// A callback that records which methods were called and then does what it was told.
pub(crate) struct Recorder {
    calls: Mutex<Vec<String>>,
    act: Act,
}

impl Recorder {
    pub(crate) fn new(
        act: impl Fn(&str, &Arc<dyn Job>) -> Result<Success, Hresult> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { calls: Mutex::default(), act: Box::new(act) })
    }

    pub(crate) fn content() -> Arc<Self> {
        Self::new(|_, _| Ok(Success::OK))
    }

    pub(crate) fn object(self: &Arc<Self>) -> Arc<dyn bits_api::Unknown> {
        callback_object(Arc::clone(self) as _)
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    fn called(&self, method: &str, job: &Arc<dyn Job>) -> Result<Success, Hresult> {
        self.calls.lock().unwrap().push(method.into());
        (self.act)(method, job)
    }
}

impl Callback for Recorder {
    fn job_transferred(&self, job: Arc<dyn Job>) -> Result<Success, Hresult> {
        self.called("JobTransferred", &job)
    }

    fn job_error(&self, job: Arc<dyn Job>, _error: Arc<dyn JobError>) -> Result<Success, Hresult> {
        self.called("JobError", &job)
    }

    fn job_modification(&self, job: Arc<dyn Job>) -> Result<Success, Hresult> {
        self.called("JobModification", &job)
    }
}
