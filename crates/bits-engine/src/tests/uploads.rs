//! Upload jobs: their session, their one file, and their reply.

use std::path::Path;

use bits_api::{
    ErrorContext, FileInfo, FileTime, Hresult, JobState, JobType, SIZE_UNKNOWN, SecurityFlags, Setting, Success,
};
use bits_wire::attempt::{AttemptEnd, AttemptReport, Failure, UploadSession, Validators, Work};
use bits_world::{Profile, Volume};

use super::house::{House, NOT_FOUND, SERVER_BUSY, administrator, alice, config, seconds};
use crate::{Config, FileStage, JobKey};

const SOURCE: &str = "/c/up.bin";
const REPLY_URL: &str = "http://example.org/replies/1";

const CHANGED: Failure =
    Failure { code: Hresult::BG_E_LOCAL_FILE_CHANGED, context: ErrorContext::LOCAL_FILE, transient: false };

fn session() -> UploadSession {
    UploadSession { id: "{1}".into() }
}

fn source(size: u64) -> Validators {
    Validators { size, last_modified: Some(FileTime::from_unix_seconds(1_500_000_000)) }
}

/// A job of that type with one file of 100 bytes.
fn upload(house: &mut House, job_type: JobType) -> JobKey {
    house.disk.files.get_mut().insert(SOURCE.into(), 100);
    let job = house.create_typed(&alice(), job_type).expect("a job");
    assert_eq!(add(house, job, r"C:\up.bin"), Ok(Success::OK));
    job
}

fn add(house: &mut House, job: JobKey, local_name: &str) -> Result<Success, Hresult> {
    house.add(job, &[FileInfo { remote_name: "https://example.org/up", local_name }])
}

/// A job of that type whose server has so many bytes.
fn uploading(house: &mut House, job_type: JobType, have: u64) -> JobKey {
    let job = upload(house, job_type);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.report(job, AttemptReport::SessionOpen { session: session(), source: source(100), have });
    job
}

fn uploaded(house: &mut House, job: JobKey, reply: Option<&str>) {
    let reply = reply.map(str::to_owned);
    house.report(job, AttemptReport::Ended(AttemptEnd::Uploaded { reply }));
}

/// An upload-reply job whose server has told where the reply is.
fn awaiting_reply(house: &mut House) -> JobKey {
    let job = uploading(house, JobType::UPLOAD_REPLY, 0);
    uploaded(house, job, Some(REPLY_URL));
    job
}

fn reply_sizes(house: &House, job: JobKey) -> (u64, u64) {
    let progress = house.engine.reply_progress(&administrator(), job).expect("an upload-reply job");
    (progress.bytes_total, progress.bytes_transferred)
}

#[test]
fn upload_types_need_bits_1_5_and_somebody_who_can_upload() {
    let type_of = |config: Config| House::with(config).create_typed(&alice(), JobType::UPLOAD).err();
    assert_eq!(type_of(config(Profile::V1_2)), Some(Hresult::E_NOTIMPL));
    assert_eq!(type_of(config(Profile::V1_5)), None);
    assert_eq!(type_of(Config { uploads: false, ..config(Profile::V10_3) }), Some(Hresult::E_NOTIMPL));
}

#[test]
fn the_source_must_be_there_when_it_is_added() {
    let mut house = House::new();
    let job = house.create_typed(&alice(), JobType::UPLOAD).expect("a job");

    assert_eq!(add(&mut house, job, r"C:\gone.bin"), Err(Hresult::ERROR_FILE_NOT_FOUND));
    assert_eq!(house.engine.file_count(&alice(), job), Ok(0));
}

#[test]
fn an_upload_reads_its_source_and_makes_no_temporary_file() {
    let mut house = House::new();
    let job = upload(&mut house, JobType::UPLOAD);
    house.resume(job).unwrap();

    let plan = house.plan(job);
    assert_eq!(plan.work, Work::Upload { session: None, wants_reply: false });
    assert_eq!((plan.local.as_path(), plan.known), (Path::new(SOURCE), None));
    assert_eq!(house.store[&job].1[&0].temporary, None);
}

#[test]
fn a_session_is_on_record_before_a_byte_is_sent_and_comes_back_after_a_restart() {
    let mut house = House::new();
    let job = uploading(&mut house, JobType::UPLOAD, 0);
    let on_record = house.store[&job].0.upload.clone().and_then(|upload| upload.session);
    assert_eq!((on_record, house.proceeded.len()), (Some(session()), 1));

    house.restart(seconds(1));

    let plan = house.plan(job);
    assert_eq!(plan.work, Work::Upload { session: Some(session()), wants_reply: false });
    assert_eq!(plan.known, Some(source(100)));
}

#[test]
fn an_upload_goes_on_where_it_stopped() {
    let mut house = House::new();
    let job = uploading(&mut house, JobType::UPLOAD, 0);
    house.report(job, AttemptReport::Progress { have: 60 });
    house.fail(job, SERVER_BUSY);
    house.resume(job).unwrap();
    assert_eq!(house.plan(job).work, Work::Upload { session: Some(session()), wants_reply: false });

    house.report(job, AttemptReport::SessionOpen { session: session(), source: source(100), have: 60 });

    let progress = house.engine.progress(&alice(), job).unwrap();
    assert_eq!((progress.bytes_transferred, progress.bytes_total), (60, 100));
}

#[test]
fn a_file_that_the_server_has_is_complete_and_its_session_over() {
    let mut house = House::new();
    let job = uploading(&mut house, JobType::UPLOAD, 100);
    uploaded(&mut house, job, None);

    assert_eq!(house.state(job), JobState::TRANSFERRED);
    assert_eq!(house.store[&job].1[&0].stage, FileStage::Completed);
    assert_eq!(house.store[&job].0.upload.clone().unwrap().session, None);
    assert_eq!(house.complete(job), Ok(Success::OK));
    assert!(house.disk.files.borrow().contains_key(Path::new(SOURCE)));
}

#[test]
fn a_reply_is_a_download_that_the_job_does_not_count() {
    let mut house = House::new();
    let job = awaiting_reply(&mut house);
    let plan = house.plan(job);
    assert_eq!((plan.work, plan.url.as_str()), (Work::Reply { session: Some(session()) }, REPLY_URL));
    assert_eq!(reply_sizes(&house, job), (SIZE_UNKNOWN, 0));

    house.connected(job, 40);
    house.progress(job, 10);

    assert_eq!(reply_sizes(&house, job), (40, 10));
    let progress = house.engine.progress(&alice(), job).unwrap();
    assert_eq!((progress.bytes_total, progress.bytes_transferred), (100, 100));
    assert_eq!((progress.files_total, progress.files_transferred), (1, 1));
    assert_eq!(house.engine.file_count(&alice(), job), Ok(1));
}

#[test]
fn a_reply_comes_back_after_a_restart_with_what_is_there_of_it() {
    let mut house = House::new();
    let job = awaiting_reply(&mut house);
    house.connected(job, 40);
    house.progress(job, 10);
    let temporary = house.plan(job).local;

    house.restart(seconds(1));

    let plan = house.plan(job);
    assert_eq!((plan.work, plan.local), (Work::Reply { session: Some(session()) }, temporary));
    assert_eq!(reply_sizes(&house, job), (40, 10));
    let progress = house.engine.progress(&alice(), job).unwrap();
    assert_eq!((progress.bytes_total, progress.bytes_transferred), (100, 100));
}

#[test]
fn a_reply_that_was_on_record_before_its_source_stays_the_only_one() {
    const ELSEWHERE: &str = "https://example.org/elsewhere";
    let mut house = House::new();
    let job = uploading(&mut house, JobType::UPLOAD_REPLY, 0);
    let source_in_work = house.store[&job].1[&0].clone();
    uploaded(&mut house, job, Some(REPLY_URL));
    house.store.get_mut(&job).expect("on record").1.insert(0, source_in_work);
    house.restart(seconds(1));

    house.report(job, AttemptReport::SessionOpen { session: session(), source: source(100), have: 100 });
    uploaded(&mut house, job, Some(ELSEWHERE));

    assert_eq!(house.plan(job).url, ELSEWHERE);
    assert_eq!(house.store[&job].1.len(), 2);
    house.transfer_file(job);
    assert_eq!(house.state(job), JobState::TRANSFERRED);
}

#[test]
fn the_reply_gets_its_name_with_complete_and_its_temporary_file_goes_with_cancel() {
    for is_completed in [true, false] {
        let mut house = House::new();
        let job = awaiting_reply(&mut house);
        let name = house.engine.reply_file_name(&alice(), job).unwrap().expect("a name");
        house.connected(job, 40);
        house.progress(job, 40);
        house.report(job, AttemptReport::Ended(AttemptEnd::Done));
        assert_eq!(house.state(job), JobState::TRANSFERRED);

        let ended = if is_completed { house.complete(job) } else { house.cancel(job) };

        assert_eq!(ended, Ok(Success::OK));
        let reply = Path::new("/c").join(name.trim_start_matches(r"C:\"));
        assert_eq!(house.disk.files.borrow().contains_key(&reply), is_completed);
        assert_eq!(house.disk.files.borrow().len(), 1 + usize::from(is_completed));
    }
}

#[test]
fn an_upload_without_word_of_its_reply_fails_and_is_asked_for_again() {
    let mut house = House::new();
    let job = uploading(&mut house, JobType::UPLOAD_REPLY, 100);
    uploaded(&mut house, job, None);
    assert_eq!(house.state(job), JobState::ERROR);

    house.resume(job).unwrap();

    assert_eq!(house.plan(job).work, Work::Upload { session: Some(session()), wants_reply: true });
}

#[test]
fn an_upload_that_was_quicker_than_the_order_to_stop_is_taken() {
    let mut house = House::new();
    house.holds_stops = true;
    let job = uploading(&mut house, JobType::UPLOAD_REPLY, 0);
    house.suspend(job).unwrap();
    house.let_stop(&AttemptEnd::Uploaded { reply: Some(REPLY_URL.into()) });

    house.resume(job).unwrap();

    assert_eq!(house.plan(job).work, Work::Reply { session: Some(session()) });
}

#[test]
fn a_session_that_opens_after_the_order_to_stop_is_given_up_by_cancel() {
    let mut house = House::new();
    house.holds_stops = true;
    let job = upload(&mut house, JobType::UPLOAD);
    house.resume(job).unwrap();
    let attempt = house.plan(job).attempt;
    let owner = alice();
    house.act(|engine, cx| _ = engine.cancel(cx, &owner, job));
    let opened = AttemptReport::SessionOpen { session: session(), source: source(100), have: 0 };
    house.tell(crate::Event::Attempt(attempt, opened));
    assert!(house.proceeded.is_empty());

    house.let_stop(&AttemptEnd::Stopped);

    let works: Vec<Work> = house.running.values().map(|plan| plan.work.clone()).collect();
    assert_eq!(works, [Work::GiveUp { session: session() }]);
}

#[test]
fn resume_after_a_changed_source_forgets_the_version_but_not_the_session() {
    let mut house = House::new();
    let job = uploading(&mut house, JobType::UPLOAD, 40);
    house.fail(job, CHANGED);
    assert_eq!(house.state(job), JobState::ERROR);

    house.resume(job).unwrap();

    let plan = house.plan(job);
    assert_eq!((plan.known, plan.work), (None, Work::Upload { session: Some(session()), wants_reply: false }));
    assert_eq!(house.engine.progress(&alice(), job).unwrap().bytes_transferred, 0);
}

#[test]
fn a_reply_can_be_named_between_two_attempts_but_not_during_one() {
    let mut house = House::new();
    let job = awaiting_reply(&mut house);
    let owner = alice();
    let name = |house: &mut House, name: &str| {
        house.now_result(|engine, cx| engine.set_reply_file_name(cx, &owner, job, Some(name)))
    };
    assert_eq!(name(&mut house, r"C:\a.xml"), Err(Hresult::BG_E_INVALID_STATE));
    house.fail(job, NOT_FOUND);

    assert_eq!(name(&mut house, r"C:\replies\a.xml"), Ok(Success::OK));

    house.resume(job).unwrap();
    assert_eq!(house.plan(job).local.parent(), Some(Path::new("/c/replies")));
    house.connected(job, 40);
    house.fail(job, NOT_FOUND);
    assert_eq!(name(&mut house, r"C:\b.xml"), Err(Hresult::BG_E_INVALID_STATE));
}

#[test]
fn a_reply_in_work_is_no_file_of_the_job() {
    let mut house = House::new();
    let job = uploading(&mut house, JobType::UPLOAD_REPLY, 0);
    let now = house.now;
    assert!(house.engine.explain(now, job).to_string().contains("file 1 of 1"));

    uploaded(&mut house, job, Some(REPLY_URL));

    let explained = house.engine.explain(now, job);
    assert_eq!(explained.reason, crate::Reason::MovingReply { url: REPLY_URL.into() });
    assert!(explained.to_string().contains("the reply to its upload"));
}

#[test]
fn another_reply_file_on_a_free_volume_lets_a_held_job_go_on() {
    let mut house = House::new();
    house.world.drives.mount('d', "/d");
    let job = awaiting_reply(&mut house);
    house.fail(job, SERVER_BUSY);
    house.change_world(|world| world.drives.set_locked(Volume::new('C'), true));
    assert_eq!(house.resume(job), Ok(Success::OK));
    assert_eq!(house.error(job).map(|error| error.code), Ok(Hresult::BG_E_DESTINATION_LOCKED));

    let named = house.now_result(|engine, cx| engine.set_reply_file_name(cx, &alice(), job, Some(r"D:\reply.bin")));

    assert_eq!((named, house.state(job)), (Ok(Success::OK), JobState::CONNECTING));
    house.change_world(|world| world.drives.set_locked(Volume::new('D'), true));
    assert_eq!(house.state(job), JobState::TRANSIENT_ERROR);
}

#[test]
fn an_upload_goes_on_when_its_server_is_to_be_looked_up_among_the_revoked() {
    let mut house = House::new();
    let job = uploading(&mut house, JobType::UPLOAD, 50);
    let attempt = house.plan(job).attempt;

    house.set(job, Setting::SecurityFlags, SecurityFlags::ENABLE_CRL_CHECK.bits()).unwrap();

    assert_eq!((house.state(job), house.plan(job).attempt), (JobState::TRANSFERRING, attempt));
}
