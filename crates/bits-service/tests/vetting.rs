//! Clients that look at a server, and take their time.

use std::sync::Arc;
use std::time::Duration;

use bits_api::{
    File, Hresult, Job, JobState, ServerCertificate, ServerCertificateValidationCallback, Success,
    server_certificate_validation_object,
};
use bits_origin::{Content, Origin};
use bits_service::{Emulator, Latch, Seed, SeedFile};
use bits_world::clock::{Clock, VirtualClock};

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

#[test]
fn time_may_be_moved_while_a_client_looks_at_a_server() {
    let (clock, folder) = (Clock::Virtual(VirtualClock::new()), tempfile::tempdir().unwrap());
    let server = Origin::start(clock.clone()).unwrap();
    server.put("/a", Content::bytes("the file"));
    let builder = Emulator::builder().clock(clock).trust(server.ca_pem());
    let emulator = builder.world(|world| world.drives.mount('C', folder.path())).start().unwrap();
    let seed = Seed::new(JobState::SUSPENDED).file(SeedFile::new(&server.https_url("/a"), r"C:\a"));
    let job = emulator.client("test").seed_job(seed).unwrap().job;
    let latch = Latch::new();
    let object = server_certificate_validation_object(Arc::new(Thoughtful(latch.clone())));
    let options = job.http_options3().unwrap();
    options.set_server_certificate_validation_interface(Some(object)).unwrap();

    job.resume().unwrap();
    emulator.advance(Duration::from_mins(1)).unwrap();
    assert_eq!((latch.waiting(), job.state()), (1, Ok(JobState::CONNECTING)));
    latch.open();
    emulator.settle().unwrap();

    assert_eq!(job.state(), Ok(JobState::TRANSFERRED));
}
