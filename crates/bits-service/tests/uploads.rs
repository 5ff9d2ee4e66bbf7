//! Upload jobs over the simulation, and none over HTTP.

use std::time::Duration;

use bits_api::{AuthCredentials, AuthScheme, AuthTarget, ErrorContext, Hresult, JobState, JobType};
use bits_service::{Emulator, Fault, SimGuard, SimReply, SimScheme, SimUploadStage, Simulation};

const URL: &str = "http://uploads.example/report";
/// A full path, wherever the test runs.
const SOURCE: &str = if cfg!(windows) { r"C:\out\report.bin" } else { "/out/report.bin" };

#[test]
fn an_emulator_over_http_has_no_upload_jobs() {
    let emulator = Emulator::builder().start().unwrap();
    let manager = emulator.client("client").manager().unwrap();

    for job_type in [JobType::UPLOAD, JobType::UPLOAD_REPLY] {
        assert_eq!(manager.create_job(Some("up"), job_type).err(), Some(Hresult::E_NOTIMPL));
    }
}

#[test]
fn a_simulated_server_tells_what_it_has_of_an_upload() {
    let simulation = Simulation::new();
    simulation.write(SOURCE, 5_000);
    simulation.reply(URL, SimReply::Bytes(b"thanks".to_vec()));
    let emulator = Emulator::builder().simulated(&simulation).start().unwrap();
    let created = emulator.client("client").manager().unwrap().create_job(Some("up"), JobType::UPLOAD_REPLY).unwrap();
    created.job.add_file(Some(URL), Some(SOURCE)).unwrap();

    created.job.resume().unwrap();
    emulator.wait_state(&created.job, JobState::TRANSFERRED, Duration::from_mins(1)).unwrap();

    let uploads = simulation.uploads();
    assert_eq!(uploads.len(), 1);
    assert_eq!((uploads[0].url.as_str(), uploads[0].received), (URL, 5_000));
    assert_eq!((uploads[0].stage, uploads[0].keeps_reply), (SimUploadStage::Stored, false));
    assert_eq!(created.job.job2().unwrap().reply_data(), Ok(Some(b"thanks".to_vec())));
}

#[test]
fn a_simulated_server_that_wants_to_know_who_sends_is_told() {
    let simulation = Simulation::new();
    simulation.write(SOURCE, 5_000);
    simulation.guard(URL, SimGuard::new().offers(SimScheme::Basic).knows("alice", "correct horse"));
    let emulator = Emulator::builder().simulated(&simulation).start().unwrap();
    let job = emulator.client("client").manager().unwrap().create_job(Some("up"), JobType::UPLOAD).unwrap().job;
    job.add_file(Some(URL), Some(SOURCE)).unwrap();

    job.resume().unwrap();
    emulator.wait_state(&job, JobState::ERROR, Duration::from_mins(1)).unwrap();
    let refused = (ErrorContext::REMOTE_FILE, Hresult::BG_E_HTTP_ERROR_401);
    assert_eq!(job.error().unwrap().error(), Ok(refused));
    assert_eq!(simulation.uploads(), []);

    let (target, scheme) = (AuthTarget::SERVER, AuthScheme::BASIC);
    let (user_name, password) = (Some("alice"), Some("correct horse"));
    job.job2().unwrap().set_credentials(&AuthCredentials { target, scheme, user_name, password }).unwrap();
    job.resume().unwrap();
    emulator.wait_state(&job, JobState::TRANSFERRED, Duration::from_mins(1)).unwrap();

    assert_eq!(simulation.uploads()[0].stage, SimUploadStage::Stored);
}

#[test]
fn another_version_of_a_source_is_told_by_its_time_alone() {
    let simulation = Simulation::new();
    simulation.write(SOURCE, 5_000);
    simulation.hold(URL, bits_service::SimHold::Transferring(100));
    let emulator = Emulator::builder().simulated(&simulation).start().unwrap();
    let job = emulator.client("client").manager().unwrap().create_job(Some("up"), JobType::UPLOAD).unwrap().job;
    job.add_file(Some(URL), Some(SOURCE)).unwrap();
    job.resume().unwrap();
    emulator.settle().unwrap();

    simulation.write(SOURCE, 5_000);
    simulation.let_go(URL);
    emulator.settle().unwrap();

    assert_eq!(job.error().unwrap().error().unwrap().1, Hresult::BG_E_LOCAL_FILE_CHANGED);
}

#[test]
fn an_ordered_failure_beyond_the_end_of_an_upload_strikes_at_its_end() {
    let simulation = Simulation::new();
    simulation.write(SOURCE, 5_000);
    let emulator = Emulator::builder().simulated(&simulation).start().unwrap();
    let job = emulator.client("client").manager().unwrap().create_job(Some("up"), JobType::UPLOAD).unwrap().job;
    job.add_file(Some(URL), Some(SOURCE)).unwrap();
    emulator.fail_next(Fault::new(Hresult::E_FAIL, ErrorContext::REMOTE_FILE).at(1_000_000));

    job.resume().unwrap();
    emulator.wait_state(&job, JobState::ERROR, Duration::from_mins(1)).unwrap();

    assert_eq!(job.error().unwrap().error().unwrap(), (ErrorContext::REMOTE_FILE, Hresult::E_FAIL));
}
