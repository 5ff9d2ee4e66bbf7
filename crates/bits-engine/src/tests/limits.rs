//! Limits on jobs and files, and what AddFile refuses.

use bits_api::{FileInfo, Hresult, JobType, Setting, Success, Value};
use bits_world::{Profile, Sid, Token};

use super::house::{House, administrator, alice, bob, config};
use bits_api::Guid;

#[test]
fn a_user_may_have_sixty_jobs_and_a_machine_three_hundred() {
    let mut house = House::new();
    for _ in 0..60 {
        house.empty_job(&alice());
    }
    assert_eq!(house.create(&alice()), Err(Hresult::BG_E_TOO_MANY_JOBS_PER_USER));
    for user in 2..6 {
        for _ in 0..60 {
            house.empty_job(&Token::standard(Sid::of_account(user)));
        }
    }
    assert_eq!(house.create(&Token::standard(Sid::of_account(6))), Err(Hresult::BG_E_TOO_MANY_JOBS_PER_MACHINE));
    assert!(house.create(&administrator()).is_ok());
    assert!(house.create(&Token::standard(Sid::new(Sid::LOCAL_SERVICE))).is_ok());
}

#[test]
fn a_job_that_has_ended_makes_room() {
    let mut house = House::new();
    let first = house.empty_job(&alice());
    for _ in 1..60 {
        house.empty_job(&alice());
    }
    assert_eq!(house.cancel(first), Ok(Success::OK));
    assert!(house.create(&alice()).is_ok());
}

#[test]
fn before_bits_three_nothing_is_limited() {
    let mut house = House::with(config(Profile::V2_5));
    let jobs: Vec<_> = (0..400).map(|_| house.empty_job(&alice())).collect();
    for _ in 0..300 {
        assert_eq!(house.add_file(jobs[0]), Ok(Success::OK));
    }
}

#[test]
fn a_job_may_have_two_hundred_files_unless_an_administrator_adds_them() {
    let mut house = House::new();
    let job = house.job(199);
    let files = [
        FileInfo { remote_name: "http://example.org/a", local_name: r"C:\a" },
        FileInfo { remote_name: "http://example.org/b", local_name: r"C:\b" },
    ];
    assert_eq!(house.add(job, &files), Err(Hresult::BG_E_TOO_MANY_FILES_IN_JOB));
    assert_eq!(house.engine.file_count(&alice(), job), Ok(199));
    assert_eq!(house.now_result(|engine, cx| engine.add_files(cx, &administrator(), job, &files)), Ok(Success::OK));
    assert_eq!(house.engine.file_count(&alice(), job), Ok(201));
}

#[test]
fn a_set_with_one_bad_file_adds_none() {
    let mut house = House::new();
    house.disk.missing_folders.insert("/c/missing".into());
    let job = house.empty_job(&alice());
    let good = FileInfo { remote_name: "http://example.org/a", local_name: r"C:\a" };
    for (bad, code) in [
        (FileInfo { remote_name: "ftp://example.org/a", ..good }, Hresult::E_INVALIDARG),
        (FileInfo { local_name: "a", ..good }, Hresult::E_INVALIDARG),
        (FileInfo { local_name: r"C:\missing\a", ..good }, Hresult::ERROR_DIRECTORY),
    ] {
        assert_eq!(house.add(job, &[good, bad]), Err(code));
    }
    assert_eq!(house.add(job, &[]), Err(Hresult::E_INVALIDARG));
    assert_eq!(house.engine.file_count(&alice(), job), Ok(0));
    assert!(house.store[&job].1.is_empty());
}

#[test]
fn a_user_without_a_logon_can_create_a_job_but_add_no_file() {
    let mut house = House::new();
    house.log_off(&bob());
    let job = house.empty_job(&bob());
    assert_eq!(house.add_file(job), Err(Hresult::ERROR_NOT_LOGGED_ON));
}

#[test]
fn create_job_refuses_bad_names_and_types() {
    let mut house = House::new();
    let mut create = |name: Option<&str>, job_type| {
        house.act(|engine, cx| engine.create_job(cx, &alice(), Guid::from_u128(9), name, job_type)).err()
    };
    let long = "x".repeat(257);
    assert_eq!(create(None, JobType::DOWNLOAD), Some(Hresult::E_INVALIDARG));
    assert_eq!(create(Some(&long), JobType::DOWNLOAD), Some(Hresult::E_INVALIDARG));
    assert_eq!(create(Some("a\0b"), JobType::DOWNLOAD), Some(Hresult::E_INVALIDARG));
    assert_eq!(create(Some("a"), JobType(3)), Some(Hresult::E_NOTIMPL));
    assert_eq!(create(Some("a"), JobType(7)), Some(Hresult::E_NOTIMPL));
    assert_eq!(create(Some(&long[1..]), JobType::DOWNLOAD), None);
    assert!(house.in_queue().len() == 1);
}

#[test]
fn a_refused_setting_changes_nothing() {
    let mut house = House::new();
    let job = house.job(1);
    assert_eq!(house.set(job, Setting::Priority, 4), Err(Hresult::E_NOTIMPL));
    assert_eq!(house.engine.get(&alice(), job, Setting::Priority), Ok(Value::Number(2)));
    assert_eq!(house.set(job, Setting::MinimumRetryDelay, 1), Ok(Success::OK));
    assert_eq!(house.engine.get(&alice(), job, Setting::MinimumRetryDelay), Ok(Value::Number(5)));
}
