//! Every method of the manager.

use bits_api::{EnumJobsFlags, Guid, Hresult, JobType, LanguageId, Manager};

use super::{Row, failures_come_back, results_come_back, seen, text};
use crate::fakes::{FakeManager, FakeService};

const ID: Guid = Guid::from_u128(0x0102_0304_0506_0708_090A_0B0C_0D0E_0F10);

const MANAGER: &[Row<dyn Manager>] = &[
    (
        |m| seen(m.create_job(Some("new"), JobType(9)).map(|created| created.id)),
        r#"CreateJob("new", 9)"#,
        "88887777-6666-5555-4444-333322221111",
    ),
    (|m| text(m.create_job(None, JobType::UPLOAD)?.job.display_name()), "CreateJob(null, 1)", "a name"),
    (|m| text(m.job(ID)?.display_name()), "GetJob(01020304-0506-0708-090A-0B0C0D0E0F10)", "a name"),
    (|m| seen(m.enum_jobs(EnumJobsFlags::ALL_USERS)?.count()), "EnumJobs(0x1)", "7"),
    (
        |m| text(m.error_description(Hresult::BG_E_NOT_FOUND, LanguageId(0x0407))),
        "GetErrorDescription(0x80200001, 0x407)",
        "a text",
    ),
];

#[test]
fn arguments_go_through_and_results_come_back() {
    results_come_back(MANAGER, FakeManager::of);
}

#[test]
fn failures_come_through_and_what_came_with_them_is_freed() {
    failures_come_back(MANAGER, FakeManager::of);
}

#[test]
fn success_without_an_object_is_no_object() {
    let manager = FakeManager::of(&FakeService::answering(Hresult::S_FALSE));

    assert_eq!(manager.create_job(Some("new"), JobType::DOWNLOAD).unwrap_err(), Hresult::E_UNEXPECTED);
    assert_eq!(manager.job(ID).unwrap_err(), Hresult::E_UNEXPECTED);
    assert_eq!(manager.enum_jobs(EnumJobsFlags::empty()).unwrap_err(), Hresult::E_UNEXPECTED);
}

#[test]
fn a_bits_without_a_peer_cache_does_not_have_its_interface() {
    let manager = FakeManager::of_older(&FakeService::answering(Hresult::S_OK));

    assert_eq!(manager.peer_cache_administration().unwrap_err(), Hresult::E_NOINTERFACE);
}

#[test]
fn a_name_with_a_nul_inside_is_refused_before_com() {
    let service = FakeService::answering(Hresult::S_OK);

    let created = FakeManager::of(&service).create_job(Some("a\0b"), JobType::DOWNLOAD);

    assert_eq!(created.unwrap_err(), Hresult::E_INVALIDARG);
    assert_eq!(service.heard(), [""; 0]);
}
