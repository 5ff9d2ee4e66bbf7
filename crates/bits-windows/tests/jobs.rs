//! Jobs of the BITS of this machine, over COM. They are cancelled again, and transfer nothing.
#![cfg(windows)]

use std::sync::Arc;

use bits_api::{EnumJobsFlags, Guid, Hresult, Job, JobState, JobType, Manager, Success};

const NAME: &str = "bits-windows test";

fn manager() -> Arc<dyn Manager> {
    bits_windows::connect().expect("BITS is there").manager
}

/// A job that is gone when the test has ended.
struct OwnJob(Arc<dyn Job>);

impl OwnJob {
    fn new(manager: &Arc<dyn Manager>) -> (Self, Guid) {
        let created = manager.create_job(Some(NAME), JobType::DOWNLOAD).expect("a job");
        (Self(created.job), created.id)
    }
}

impl Drop for OwnJob {
    fn drop(&mut self) {
        // A test may have cancelled it.
        _ = self.0.cancel();
    }
}

#[test]
fn a_job_is_created_and_found_again() {
    let manager = manager();

    let (job, id) = OwnJob::new(&manager);

    assert_eq!(job.0.id(), Ok(id));
    assert_eq!(job.0.state(), Ok(JobState::SUSPENDED));
    assert_eq!(manager.job(id).unwrap().display_name().as_deref(), Ok(NAME));
}

#[test]
fn an_unknown_job_is_not_found() {
    let job = manager().job(Guid::from_u128(7));

    assert_eq!(job.unwrap_err(), Hresult::BG_E_NOT_FOUND);
}

#[test]
fn success_codes_come_through() {
    let manager = manager();
    let (_job, _) = OwnJob::new(&manager);
    let jobs = manager.enum_jobs(EnumJobsFlags::empty()).unwrap();

    let all = jobs.next(u32::MAX).unwrap();

    assert_eq!(all.success, Success::FALSE);
    assert!(!all.items.is_empty());
    assert_eq!(jobs.skip(1), Ok(Success::FALSE));
}

#[test]
fn a_description_is_kept_in_unicode() {
    let (job, _) = OwnJob::new(&manager());

    job.0.set_description(Some("Grüße 𝄞")).unwrap();

    assert_eq!(job.0.description().as_deref(), Ok("Grüße 𝄞"));
}

#[test]
fn a_string_with_a_nul_inside_is_refused_before_com() {
    let (job, _) = OwnJob::new(&manager());

    assert_eq!(job.0.set_description(Some("a\0b")), Err(Hresult::E_INVALIDARG));
}
