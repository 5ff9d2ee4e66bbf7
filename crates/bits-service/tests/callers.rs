//! On whose behalf a call is made.

mod support;

use bits_api::{Hresult, JobType};
use bits_service::impersonate;
use bits_world::Profile;
use support::Setup;

#[test]
fn impersonation_ends_with_its_guard_and_nests() {
    let setup = Setup::new();
    let (alice, bob) = (setup.emulator.user("alice"), setup.emulator.user("bob"));
    let manager = setup.manager();
    let owner = || manager.create_job(Some("whose"), JobType::DOWNLOAD).unwrap().job.owner().unwrap();
    let own = owner();

    let as_alice = impersonate(alice.clone());
    let as_bob = impersonate(bob.clone());
    assert_eq!(owner(), bob.user.to_string());
    drop(as_bob);
    assert_eq!(owner(), alice.user.to_string());
    drop(as_alice);

    assert_eq!(owner(), own);
}

#[test]
fn one_thread_impersonates_and_the_others_do_not() {
    let setup = Setup::with(|builder| builder.profile(Profile::V3_0));
    let job = setup.job();
    let stranger = impersonate(setup.emulator.user("alice"));

    let of_another_thread = std::thread::scope(|scope| scope.spawn(|| job.state()).join().unwrap());

    assert!(of_another_thread.is_ok());
    assert_eq!(job.state(), Err(Hresult::E_ACCESSDENIED));
    drop(stranger);
}

#[test]
fn a_handle_keeps_the_rights_with_which_it_was_asked_for() {
    let setup = Setup::new();
    let job = setup.job();
    let administrator = impersonate(setup.emulator.administrator("root"));
    let asked_as_administrator = job.job2().unwrap();
    drop(administrator);

    assert_eq!(asked_as_administrator.take_ownership(), Err(Hresult::E_ACCESSDENIED), "the thread is who would own it");
    let administrator = impersonate(setup.emulator.administrator("root"));
    asked_as_administrator.take_ownership().unwrap();
    drop(administrator);

    assert!(asked_as_administrator.state().is_ok());
    assert_eq!(job.state(), Err(Hresult::E_ACCESSDENIED), "a decision, users.access_after_ownership");
    assert!(job.job2().is_err());
}
