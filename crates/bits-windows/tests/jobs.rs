//! Jobs of the BITS of this machine, over COM. They are cancelled again, and transfer nothing.
#![cfg(windows)]

mod support;

use bits_api::{EnumJobsFlags, Guid, Hresult, JobState, Success};

use support::{NAME, OwnJob, manager};

#[test]
fn a_job_is_created_and_found_again() {
    let manager = manager();

    let own = OwnJob::new(&manager);

    assert_eq!(own.job.id(), Ok(own.id));
    assert_eq!(own.job.state(), Ok(JobState::SUSPENDED));
    assert_eq!(manager.job(own.id).unwrap().display_name().as_deref(), Ok(NAME));
}

#[test]
fn an_unknown_job_is_not_found() {
    let job = manager().job(Guid::from_u128(7));

    assert_eq!(job.unwrap_err(), Hresult::BG_E_NOT_FOUND);
}

#[test]
fn success_codes_come_through() {
    let manager = manager();
    let _own = OwnJob::new(&manager);
    let jobs = manager.enum_jobs(EnumJobsFlags::empty()).unwrap();

    let all = jobs.next(u32::MAX).unwrap();

    assert_eq!(all.success, Success::FALSE);
    assert!(!all.items.is_empty());
    assert_eq!(jobs.skip(1), Ok(Success::FALSE));
}

#[test]
fn a_description_is_kept_in_unicode() {
    let own = OwnJob::new(&manager());

    own.job.set_description(Some("Grüße 𝄞")).unwrap();

    assert_eq!(own.job.description().as_deref(), Ok("Grüße 𝄞"));
}

#[test]
fn a_string_with_a_nul_inside_is_refused_before_com() {
    let own = OwnJob::new(&manager());

    assert_eq!(own.job.set_description(Some("a\0b")), Err(Hresult::E_INVALIDARG));
}
