//! Why a job is not further.

mod support;

use std::time::Duration;

use bits_api::{ErrorContext, Hresult, JobPriority, JobState};
use bits_service::{Cause, Fault, Hold, Reason, Seed, SeedFile, SimHold, Suspender};
use bits_world::{Network, StorageFault};
use support::{HOUR, Setup, URL};

/// The reason that a job is where it is, and the sentence.
fn explained(setup: &Setup, job: &std::sync::Arc<dyn bits_api::Job>) -> (Reason, String) {
    let told = setup.emulator.explain(job.id().unwrap());
    (told.reason.clone(), told.to_string())
}

#[test]
fn a_suspended_job_says_by_whom() {
    let setup = Setup::new();
    let job = setup.job();
    assert_eq!(explained(&setup, &job).0, Reason::Suspended { by: Suspender::Nobody });

    setup.network.hold(URL, SimHold::Connecting);
    job.resume().unwrap();
    let helper = setup.emulator.client("helper.exe").manager().unwrap();
    helper.job(job.id().unwrap()).unwrap().suspend().unwrap();

    let (reason, told) = explained(&setup, &job);
    assert_eq!(reason, Reason::Suspended { by: Suspender::Client("helper.exe".into()) });
    assert_eq!(told, "the job is suspended by helper.exe and waits for Resume");
}

#[test]
fn a_job_that_bits_has_suspended_itself_says_why() {
    let setup = Setup::new();
    setup.network.serve("http://updates.example/second", 10);
    setup.network.hold("http://updates.example/second", SimHold::Connecting);
    let job = setup.job();
    job.add_file(Some("http://updates.example/second"), Some(r"C:\second")).unwrap();
    job.resume().unwrap();
    setup.emulator.settle().unwrap();
    setup.emulator.change_world(|world| world.storage.set("/drive-c/setup.exe", StorageFault::Denied));
    assert_eq!(job.complete(), Err(Hresult::E_ACCESSDENIED));

    assert_eq!(explained(&setup, &job).0, Reason::Suspended { by: Suspender::Service(Cause::RenameFailed) });
}

#[test]
fn a_queued_job_knows_its_place() {
    let setup = Setup::new();
    setup.network.hold(URL, SimHold::Connecting);
    let jobs: Vec<_> = (0..3).map(|_| setup.job()).collect();
    for job in &jobs {
        job.resume().unwrap();
    }

    let Reason::InLine { ahead, behind, priority, .. } = explained(&setup, &jobs[2]).0 else { panic!("not in line") };
    assert_eq!((ahead, behind, priority), (2, jobs[1].id().unwrap(), JobPriority::NORMAL));
    let Reason::InLine { ahead, behind, .. } = explained(&setup, &jobs[1]).0 else { panic!("not in line") };
    assert_eq!((ahead, behind), (1, jobs[0].id().unwrap()));
    assert!(explained(&setup, &jobs[2]).1.contains("behind 2 jobs"));
}

#[test]
fn a_job_waits_for_its_retry_its_owner_or_the_network() {
    let setup = Setup::new();
    let job = setup.job();
    let unavailable = Fault::new(Hresult::BG_E_HTTP_ERROR_503, ErrorContext::REMOTE_FILE).transient();
    setup.emulator.fail_next(unavailable);
    job.resume().unwrap();
    setup.emulator.advance(Duration::from_secs(100)).unwrap();
    let Reason::Retry { at, within, given_up_in } = explained(&setup, &job).0 else { panic!("no retry") };
    assert_eq!(within, Duration::from_secs(500));
    assert_eq!(at.since(setup.emulator.clock().now().wall), within);
    assert_eq!(given_up_in + Duration::from_secs(100), HOUR * 24 * 14);

    setup.emulator.change_world(|world| world.network = Network::Disconnected);
    job.resume().unwrap();
    let told = setup.emulator.explain(job.id().unwrap());
    assert!(matches!(told.reason, Reason::Held { by: Hold::Network, .. }), "{told:?}");
    assert_eq!(told.error.map(|(code, _)| code), Some(Hresult::BG_E_NETWORK_DISCONNECTED));

    let owner = setup.emulator.user("user").user;
    setup.emulator.change_world(|world| {
        world.log_off(&owner);
        world.network = Network::Connected;
    });
    assert_eq!(explained(&setup, &job).0, Reason::OwnerAway { owner });
}

#[test]
fn a_job_that_has_ended_says_how() {
    let setup = Setup::new();
    let seed = Seed::new(JobState::TRANSFERRED).file(SeedFile::new(URL, r"C:\a").whole("a"));
    let job = setup.client.seed_job(seed).unwrap().job;
    assert_eq!(explained(&setup, &job).0, Reason::AwaitsComplete);

    job.complete().unwrap();

    let told = setup.emulator.explain(job.id().unwrap());
    assert_eq!(
        (told.state, told.reason),
        (Some(JobState::ACKNOWLEDGED), Reason::Ended { cause: Some(Cause::Completed) })
    );
}

#[test]
fn without_a_service_or_a_job_there_is_an_answer_too() {
    let setup = Setup::new();
    let id = setup.job().id().unwrap();
    assert_eq!(setup.emulator.explain(bits_api::Guid::from_u128(1)).reason, Reason::Unknown);

    setup.emulator.stop();

    assert_eq!(setup.emulator.explain(id).reason, Reason::ServiceStopped);
}
