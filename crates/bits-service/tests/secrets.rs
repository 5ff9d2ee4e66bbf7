//! Secrets whose key is gone.

use bits_api::{Hresult, JobType, Success};
use bits_service::{Emulator, Simulation};

#[test]
fn a_job_whose_key_is_gone_goes_on_without_its_secrets_and_that_is_told() -> Result<(), Hresult> {
    let folder = tempfile::tempdir().unwrap();
    let builder = Emulator::builder().simulated(&Simulation::new()).state_folder(folder.path());
    let emulator = builder.start().unwrap();
    let client = emulator.client("updater.exe");
    let created = client.manager()?.create_job(Some("with a token"), JobType::DOWNLOAD)?;
    created.job.http_options()?.set_custom_headers(Some("X-Token: hunter2\r\n"))?;
    emulator.stop();
    std::fs::remove_file(folder.path().join("queue.keys")).unwrap();

    emulator.start().unwrap();

    let job = client.manager()?.job(created.id)?;
    assert_eq!(job.http_options()?.custom_headers()?.code, Success::FALSE);
    assert_eq!(job.display_name()?, "with a token");
    let told = format!("{:?}", emulator.timeline().of_job(created.id));
    assert!(told.contains("custom headers are lost"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
    job.cancel()?;
    Ok(())
}

#[test]
fn a_preset_that_is_none_is_refused_with_those_that_are() {
    let refused = Emulator::builder().simulated(&Simulation::new()).preset("win95").start();

    let told = refused.map(drop).unwrap_err().to_string();

    assert!(told.contains("win95") && told.contains("win10-22h2"), "{told}");
}
