//! Clients that look at a server, and take their time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bits_api::{
    File, Hresult, Job, JobPriority, JobState, ServerCertificate, ServerCertificateValidationCallback, Success,
    server_certificate_validation_object,
};
use bits_origin::{Content, Origin};
use bits_service::{Emulator, Latch, Seed, SeedFile};
use bits_world::clock::{Clock, VirtualClock};
use tempfile::TempDir;

/// A client that takes every server, once the latch is open.
struct Thoughtful(Latch);

impl ServerCertificateValidationCallback for Thoughtful {
    fn validate_server_certificate(
        &self,
        _job: Arc<dyn Job>,
        _file: Arc<dyn File>,
        _server: &ServerCertificate<'_>,
    ) -> Result<Success, Hresult> {
        self.0.wait();
        Ok(Success::OK)
    }
}

/// An emulator with a server that it trusts, and a folder for files.
struct House {
    emulator: Emulator,
    server: Origin,
    _folder: TempDir,
}

impl House {
    fn new() -> Self {
        let (clock, folder) = (Clock::Virtual(VirtualClock::new()), tempfile::tempdir().unwrap());
        let server = Origin::start(clock.clone()).unwrap();
        server.put("/a", Content::bytes("the file"));
        let builder = Emulator::builder().clock(clock).trust(server.ca_pem());
        let emulator = builder.world(|world| world.drives.mount('C', folder.path())).start().unwrap();
        Self { emulator, server, _folder: folder }
    }

    /// A suspended foreground job; `application` looks at its servers.
    fn job(&self, name: &str, application: Option<Arc<dyn ServerCertificateValidationCallback>>) -> Arc<dyn Job> {
        let local = format!(r"C:\{name}");
        let seed = Seed::new(JobState::SUSPENDED).file(SeedFile::new(&self.server.https_url("/a"), &local));
        let job = self.emulator.client("test").seed_job(seed).unwrap().job;
        job.set_priority(JobPriority::FOREGROUND).unwrap();
        let object = application.map(server_certificate_validation_object);
        job.http_options3().unwrap().set_server_certificate_validation_interface(object).unwrap();
        job
    }
}

#[test]
fn a_client_that_takes_its_time_holds_up_neither_the_clock_nor_another_job() {
    let house = House::new();
    let latch = Latch::new();
    let slow = house.job("slow", Some(Arc::new(Thoughtful(latch.clone()))));
    let quick = house.job("quick", None);

    slow.resume().unwrap();
    house.emulator.advance(Duration::from_secs(15)).unwrap();
    quick.resume().unwrap();
    house.emulator.advance(Duration::from_secs(15)).unwrap();
    assert_eq!(
        (latch.waiting(), slow.state(), quick.state()),
        (1, Ok(JobState::CONNECTING), Ok(JobState::TRANSFERRED))
    );
    latch.open();
    house.emulator.settle().unwrap();

    assert_eq!(slow.state(), Ok(JobState::TRANSFERRED));
}

/// A client that calls back into BITS while it is asked: the first time it even suspends the job.
#[derive(Default)]
struct Busy(Mutex<Vec<Result<Success, Hresult>>>);

impl ServerCertificateValidationCallback for Busy {
    fn validate_server_certificate(
        &self,
        job: Arc<dyn Job>,
        file: Arc<dyn File>,
        _server: &ServerCertificate<'_>,
    ) -> Result<Success, Hresult> {
        let mut said = self.0.lock().unwrap();
        let options = Arc::clone(&job).http_options3()?;
        said.push(options.set_server_certificate_validation_interface(None));
        said.push(job.set_description(Some(&file.remote_name()?)));
        if said.len() == 2 {
            said.push(job.suspend());
        }
        Ok(Success::OK)
    }
}

#[test]
fn a_client_may_call_back_while_it_looks_at_a_server() {
    let house = House::new();
    let busy = Arc::new(Busy::default());
    let job = house.job("a", Some(Arc::<Busy>::clone(&busy)));

    job.resume().unwrap();
    house.emulator.settle().unwrap();

    let active = Err(Hresult::BG_E_READ_ONLY_WHEN_JOB_ACTIVE);
    assert_eq!(*busy.0.lock().unwrap(), [active, Ok(Success::OK), Ok(Success::OK)]);
    assert_eq!((job.state(), job.description()), (Ok(JobState::SUSPENDED), Ok(house.server.https_url("/a"))));
    job.resume().unwrap();
    house.emulator.settle().unwrap();
    assert_eq!(job.state(), Ok(JobState::TRANSFERRED));
    // What it accepted the first time counts, though nobody waited for it any more.
    assert_eq!(busy.0.lock().unwrap().len(), 3);
}
