//! Remote names that redirects have changed.

use bits_api::{Hresult, JobState, JobType, NotifyFlags, SecurityFlags, Setting, Success};
use bits_wire::attempt::{AttemptReport, Begin, Failure};
use bits_wire::download::{Follow, RedirectPolicy, Target};

use super::house::{House, NOT_FOUND, alice, seconds};
use crate::{FileIndex, JobKey, Notification};

const OTHER: &str = "https://other.example/a";

/// A job under these flags whose first attempt runs.
fn job_under(flags: SecurityFlags) -> (House, JobKey) {
    let mut house = House::new();
    let job = house.job(1);
    assert_eq!(house.set(job, Setting::SecurityFlags, flags.bits()), Ok(Success::OK));
    assert_eq!(house.resume(job), Ok(Success::OK));
    (house, job)
}

fn redirect(house: &mut House, job: JobKey, url: &str) {
    house.report(job, AttemptReport::Redirected { url: url.to_owned() });
}

fn name(house: &House, job: JobKey) -> String {
    house.engine.file(&alice(), job, FileIndex(0)).map(|file| file.remote_name.to_string()).unwrap()
}

#[test]
fn an_attempt_is_told_the_policy_of_its_job() {
    let (house, job) =
        job_under(SecurityFlags::REDIRECT_POLICY_ALLOW_REPORT | SecurityFlags::REDIRECT_POLICY_ALLOW_HTTPS_TO_HTTP);

    assert_eq!(house.plan(job).fetch.redirects, RedirectPolicy { follow: Follow::Reporting, to_plain: true });
}

#[test]
fn a_reported_name_is_told_at_once_and_on_record() {
    let (mut house, job) = job_under(SecurityFlags::REDIRECT_POLICY_ALLOW_REPORT);
    house.listen(job, NotifyFlags::JOB_MODIFICATION);
    house.advance(seconds(1));
    for told in std::mem::take(&mut house.told) {
        house.returns(&told, Hresult::S_OK);
    }
    house.advance(seconds(1));

    redirect(&mut house, job, OTHER);

    assert_eq!((name(&house, job).as_str(), house.state(job)), (OTHER, JobState::CONNECTING));
    assert_eq!(house.store[&job].1[&0].remote_name, OTHER);
    house.advance(seconds(1));
    assert_eq!(house.take_told().what, Notification::JobModification);
}

#[test]
fn a_url_that_add_file_would_refuse_leaves_the_name() {
    let (mut house, job) = job_under(SecurityFlags::REDIRECT_POLICY_ALLOW_REPORT);
    let before = name(&house, job);

    redirect(&mut house, job, &format!("{OTHER}?{}", "x".repeat(2_200)));

    assert_eq!(name(&house, job), before);
}

#[test]
fn a_name_that_the_client_has_given_meanwhile_stands() {
    let (mut house, job) = job_under(SecurityFlags::REDIRECT_POLICY_ALLOW_REPORT);
    house.holds_stops = true;
    let renamed = house
        .now_result(|engine, cx| engine.set_remote_name(cx, &alice(), job, FileIndex(0), Some("http://own.example/a")));
    assert_eq!(renamed, Ok(Success::OK));

    redirect(&mut house, job, OTHER);

    assert_eq!(name(&house, job), "http://own.example/a");
}

#[test]
fn after_a_refused_redirect_resume_asks_its_target_from_anew_where_it_must() {
    let (mut house, job) = job_under(SecurityFlags::REDIRECT_POLICY_DISALLOW);
    house.connected(job, 100);
    house.progress(job, 40);

    redirect(&mut house, job, OTHER);
    house.fail(job, Failure { code: Hresult::BG_E_HTTP_ERROR_302, ..NOT_FOUND });
    assert_eq!(house.error(job).map(|error| error.code), Ok(Hresult::BG_E_HTTP_ERROR_302));
    assert_eq!(house.resume(job), Ok(Success::OK));

    let plan = house.plan(job);
    assert_eq!((plan.url.as_str(), plan.fetch.begin), (OTHER, Begin::Elsewhere));
}

#[test]
fn the_policy_of_an_upload_has_no_effect() {
    let mut house = House::new();
    let job = house.create_typed(&alice(), JobType::UPLOAD).unwrap();
    house.set(job, Setting::SecurityFlags, SecurityFlags::REDIRECT_POLICY_DISALLOW.bits()).unwrap();

    assert_eq!(house.engine.jobs[job].redirect_policy(), RedirectPolicy::default());
}

#[test]
fn which_server_the_client_has_named_is_known_until_it_names_another() {
    let (mut house, job) = job_under(SecurityFlags::REDIRECT_POLICY_ALLOW_REPORT);
    let first = name(&house, job);
    let named = |house: &House| house.store[&job].1[&0].details.named_server.clone();

    redirect(&mut house, job, OTHER);
    redirect(&mut house, job, "http://third.example/a");

    let server = Target::server_of(&first);
    assert!(server.is_some());
    assert_eq!(named(&house), server);
    house.fail(job, NOT_FOUND);
    house.restart(seconds(1));
    house.resume(job).unwrap();
    assert_eq!(house.plan(job).fetch.named_server, server);

    redirect(&mut house, job, &first);
    assert_eq!(named(&house), None);

    redirect(&mut house, job, OTHER);
    house.fail(job, NOT_FOUND);
    house.now_result(|engine, cx| engine.set_remote_name(cx, &alice(), job, FileIndex(0), Some(OTHER))).unwrap();
    house.resume(job).unwrap();
    assert_eq!((house.plan(job).fetch.named_server, named(&house)), (None, None));
}
