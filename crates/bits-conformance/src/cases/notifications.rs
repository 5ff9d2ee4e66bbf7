//! Callbacks: who is told of what, when, and how often.

use std::sync::{Condvar, Mutex};

use bits_api::{Callback, Callback2, JobError, callback2_object};
use bits_origin::{Content, GateAt};

use super::prelude::*;

cases![
    job_transferred_tells_of_a_finished_job,
    job_error_tells_of_a_failed_job,
    a_transient_error_is_not_told,
    job_modification_tells_of_every_change,
    job_modification_tells_of_moved_bytes,
    job_modification_does_not_tell_of_the_ends,
    job_modification_is_not_repeated,
    each_flag_asks_for_its_method,
    no_flags_at_all_silence_everything,
    disable_silences_all_flags,
    flags_without_an_object_reach_nobody,
    a_cleared_object_is_not_called,
    the_last_object_wins,
    the_service_keeps_the_object,
    job_transferred_comes_again_until_s_ok,
    job_error_comes_again_until_s_ok,
    a_job_may_be_completed_inside_the_callback,
    a_job_is_not_completed_by_itself,
    a_job_may_be_changed_and_resumed_inside_the_callback,
    an_event_before_the_registration_is_delivered,
    progress_before_the_registration_is_not_replayed,
    an_event_is_delivered_again_when_the_client_died,
    a_client_that_ended_is_not_called,
    a_registration_does_not_outlive_a_restart,
    a_valid_object_is_called_for_every_event,
    four_callbacks_of_a_user_run_at_a_time,
    expiry_of_the_timeout_is_told,
    another_program_may_clear_the_object,
    four_file_callbacks_of_a_user_run_at_a_time,
    notifications_of_ranges_can_be_asked_for_in_vain,
];

/// A job with one served file and a registered recorder.
fn watched(
    c: &Bench,
    recorder: &Arc<Recorder>,
    flags: NotifyFlags,
) -> Result<(Arc<dyn Job>, crate::bench::Remote), Stop> {
    let (job, file) = c.job_with_file(1_000)?;
    job.set_notify_interface(Some(recorder.object()))?;
    job.set_notify_flags(flags)?;
    c.settle()?;
    Ok((job, file))
}

const ENDS: NotifyFlags = NotifyFlags::JOB_TRANSFERRED.union(NotifyFlags::JOB_ERROR);

fn job_transferred_tells_of_a_finished_job(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, _) = watched(c, &recorder, ENDS)?;
    c.advance(MINUTE)?;
    job.resume()?;
    c.settle()?;
    let completed = c.now()?;
    let progress = JobProgress { bytes_total: 1_000, bytes_transferred: 1_000, files_total: 1, files_transferred: 1 };
    c.holds(
        ["callback.job_transferred.when", "callback.job_transferred.job_info", "notify.interface"],
        "JobTransferred comes when the job is TRANSFERRED, with its final progress and time",
        recorder.told() == [Told::Transferred { state: JobState::TRANSFERRED, progress, completed }],
    )?;
    c.advance(DAY)?;
    c.is(
        ["callback.job_transferred.ok", "callback.interface.at_least_once"],
        recorder.methods(),
        vec!["JobTransferred"],
    )
}

fn job_error_tells_of_a_failed_job(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, file) = watched(c, &recorder, ENDS)?;
    c.trouble(&file, Trouble::Refuses(400))?;
    job.resume()?;
    c.settle()?;
    let expected = Told::Error {
        context: ErrorContext::REMOTE_FILE,
        code: Hresult::BG_E_HTTP_ERROR_403,
        text: c.manager()?.error_description(Hresult::BG_E_HTTP_ERROR_403, LanguageId::ENGLISH_US)?,
        file: Some(file.url),
        progress: JobProgress { bytes_total: 1_000, bytes_transferred: 400, files_total: 1, files_transferred: 0 },
    };
    c.holds(
        ["callback.job_error.when", "callback.job_error.error_info", "error.interface.obtain", "notify.interface"],
        "JobError comes with the error, its text, the file, and the progress before it",
        recorder.told() == [expected],
    )?;
    c.advance(DAY)?;
    c.is(["callback.job_error.ok", "callback.interface.at_least_once"], recorder.methods(), vec!["JobError"])
}

fn a_transient_error_is_not_told(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, file) = watched(c, &recorder, ENDS)?;
    c.trouble(&file, Trouble::Unavailable)?;
    job.resume()?;
    c.settle()?;
    c.is("callback.job_error.not_transient", (job.state()?, recorder.methods()), (JobState::TRANSIENT_ERROR, vec![]))?;
    c.advance(MINUTE * 11)?;
    c.is("callback.job_error.not_transient", recorder.methods(), vec!["JobTransferred"])
}

fn job_modification_tells_of_every_change(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, file) = watched(c, &recorder, NotifyFlags::JOB_MODIFICATION)?;
    let told_after = |c: &Bench, change: &dyn Fn() -> Result<(), Stop>| -> Result<bool, Stop> {
        let before = recorder.count("JobModification");
        change()?;
        c.advance(SECOND)?;
        Ok(recorder.count("JobModification") > before)
    };
    let named = told_after(c, &|| Ok(job.set_display_name(Some("n")).map(|_| ())?))?;
    let more = c.serve("more.bin", 10)?;
    let added = told_after(c, &|| more.add_to(&job))?;
    let info = FileInfo { remote_name: "http://files.example/x", local_name: &c.local("x.bin") };
    let set_added = told_after(c, &|| Ok(job.add_file_set(&[info]).map(|_| ())?))?;
    c.hold_connecting(&file)?;
    let resumed = told_after(c, &|| Ok(job.resume().map(|_| ())?))?;
    let suspended = told_after(c, &|| Ok(job.suspend().map(|_| ())?))?;
    c.is("callback.job_modification.when", vec![named, added, set_added, resumed, suspended], vec![true; 5])?;
    c.is("job.set_notify_flags.modification", (named, resumed), (true, true))?;
    c.is(["job.add_file.modification_event", "job.add_file_set.modification_event"], (added, set_added), (true, true))?;
    c.is("job.resume.modification", resumed, true)?;
    c.is("job.suspend.modification", suspended, true)
}

fn job_modification_tells_of_moved_bytes(c: &mut Bench) -> Outcome {
    const FIRST: u64 = 2_000_000;
    const LAST: u64 = 6_000_000;
    let origin = c.origin()?;
    let first = origin.gate_method("GET", "/file", GateAt::Byte(FIRST));
    let _last = origin.gate_method("GET", "/file", GateAt::Byte(LAST));
    origin.put("/file", Content::synthetic(8_000_000, 1));
    let recorder = Recorder::new();
    let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
    job.set_notify_flags(NotifyFlags::JOB_MODIFICATION)?;
    job.set_notify_interface(Some(recorder.object()))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.settle()?;
    let states = c.states_of(&job)?;
    let (moved, told) = (job.progress()?.bytes_transferred, recorder.count("JobModification"));
    first.open();
    c.advance(SECOND)?;
    c.is(
        "callback.job_modification.when",
        (vec![moved, job.progress()?.bytes_transferred], c.states_of(&job)?),
        (vec![FIRST, LAST], states),
    )?;
    c.holds(
        ["callback.job_modification.when", "job.set_notify_flags.modification"],
        "JobModification is called while bytes move and nothing else happens",
        recorder.count("JobModification") > told,
    )
}

fn job_modification_does_not_tell_of_the_ends(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, file) = watched(c, &recorder, ENDS | NotifyFlags::JOB_MODIFICATION)?;
    c.hold_at(&file, 1_000)?;
    job.resume()?;
    c.settle()?;
    let before = recorder.count("JobModification");
    c.holds("callback.job_modification.not_for_end_states", "there were modifications before", before > 0)?;
    c.let_go(&file)?;
    c.settle()?;
    c.is(
        "callback.job_modification.not_for_end_states",
        vec![recorder.count("JobModification"), recorder.count("JobTransferred")],
        vec![before, 1],
    )
}

fn job_modification_is_not_repeated(c: &mut Bench) -> Outcome {
    let recorder = Recorder::answering(vec![Err(Hresult::E_FAIL); 100]);
    let job = c.new_job()?;
    job.set_notify_flags(NotifyFlags::JOB_MODIFICATION)?;
    job.set_notify_interface(Some(recorder.object()))?;
    c.settle()?;
    let before = recorder.count("JobModification");
    job.set_display_name(Some("n"))?;
    c.advance(DAY)?;
    c.is("callback.job_modification.return", recorder.count("JobModification"), before + 1)
}

/// The methods that are called on a job which fails once, is resumed and finishes.
fn methods_for(c: &mut Bench, flags: u32) -> Result<Vec<&'static str>, Stop> {
    c.start_over();
    let recorder = Recorder::new();
    let (job, file) = c.job_with_file(1_000)?;
    job.set_notify_interface(Some(recorder.object2()))?;
    job.set_notify_flags(NotifyFlags::from_bits_retain(flags))?;
    c.advance(SECOND)?;
    let before = recorder.told().len();
    c.trouble(&file, Trouble::NotFound)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.settle()?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.settle()?;
    let mut methods = recorder.methods().split_off(before);
    methods.dedup();
    Ok(methods)
}

fn each_flag_asks_for_its_method(c: &mut Bench) -> Outcome {
    let transferred = methods_for(c, 0x1)?;
    c.is("job.set_notify_flags.transferred", transferred.clone(), vec!["JobTransferred"])?;
    let error = methods_for(c, 0x2)?;
    c.is("job.set_notify_flags.error", error.clone(), vec!["JobError"])?;
    let modification = methods_for(c, 0x8)?;
    c.is("job.set_notify_flags.modification", modification.clone(), vec!["JobModification"])?;
    let file = methods_for(c, 0x10)?;
    c.is(["job.set_notify_flags.file_transferred", "callback2.flag.file_transferred"], file, vec!["FileTransferred"])?;
    let both = methods_for(c, 0x3)?;
    c.is(
        [
            "notify.flags",
            "job.set_notify_interface.with_flags",
            "callback.interface.methods",
            "job.set_notify_flags.needs_target",
        ],
        (both, modification),
        (vec!["JobError", "JobTransferred"], vec!["JobModification"]),
    )
}

fn no_flags_at_all_silence_everything(c: &mut Bench) -> Outcome {
    let silent = methods_for(c, 0)?;
    c.is("job.set_notify_flags.zero", silent, vec![])
}

fn disable_silences_all_flags(c: &mut Bench) -> Outcome {
    let silent = methods_for(c, 0x4 | 0x1 | 0x2 | 0x8 | 0x10)?;
    c.is("job.set_notify_flags.disable", silent, vec![])
}

fn flags_without_an_object_reach_nobody(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, _) = watched(c, &recorder, ENDS)?;
    job.set_notify_interface(None)?;
    job.resume()?;
    c.settle()?;
    c.is("job.set_notify_flags.needs_target", (job.state()?, recorder.methods()), (JobState::TRANSFERRED, vec![]))?;
    job.set_notify_interface(Some(recorder.object()))?;
    c.settle()?;
    c.is("job.set_notify_flags.needs_target", recorder.methods(), vec!["JobTransferred"])
}

fn a_cleared_object_is_not_called(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, _) = watched(c, &recorder, ENDS)?;
    c.returns("job.set_notify_interface.clear", job.set_notify_interface(None))?;
    job.resume()?;
    c.settle()?;
    c.is(
        ["job.set_notify_interface.clear", "notify.clear"],
        (job.state()?, recorder.methods()),
        (JobState::TRANSFERRED, vec![]),
    )
}

fn the_last_object_wins(c: &mut Bench) -> Outcome {
    let (first, last) = (Recorder::new(), Recorder::new());
    let (job, _) = watched(c, &first, ENDS)?;
    let other = c.another_client()?.manager()?.job(job.id()?)?;
    other.set_notify_interface(Some(last.object()))?;
    job.resume()?;
    c.settle()?;
    c.is(
        ["job.set_notify_interface.last_wins", "notify.last_wins"],
        (first.methods(), last.methods()),
        (vec![], vec!["JobTransferred"]),
    )
}

fn the_service_keeps_the_object(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, _) = c.job_with_file(10)?;
    let object = recorder.object();
    let watch = Arc::downgrade(&object);
    job.set_notify_interface(Some(object))?;
    c.is("job.set_notify_interface.keeps_reference", watch.upgrade().is_some(), true)?;
    job.resume()?;
    c.settle()?;
    c.is("job.set_notify_interface.keeps_reference", recorder.methods(), vec!["JobTransferred"])
}

const RELUCTANT: [Result<Success, Hresult>; 3] = [Err(Hresult::E_FAIL), Ok(Success::FALSE), Err(Hresult::E_NOTIMPL)];

fn job_transferred_comes_again_until_s_ok(c: &mut Bench) -> Outcome {
    let recorder = Recorder::answering(RELUCTANT);
    let (job, _) = watched(c, &recorder, ENDS)?;
    job.resume()?;
    c.settle()?;
    c.is("callback.job_transferred.retry", recorder.count("JobTransferred"), 1)?;
    c.advance(DAY)?;
    c.is(["callback.job_transferred.retry", "callback.job_transferred.ok"], recorder.count("JobTransferred"), 4)
}

fn job_error_comes_again_until_s_ok(c: &mut Bench) -> Outcome {
    let recorder = Recorder::answering(RELUCTANT);
    let (job, file) = watched(c, &recorder, ENDS)?;
    c.trouble(&file, Trouble::NotFound)?;
    job.resume()?;
    c.settle()?;
    c.is("callback.job_error.retry", recorder.count("JobError"), 1)?;
    c.advance(DAY)?;
    c.is(["callback.job_error.retry", "callback.job_error.ok"], recorder.count("JobError"), 4)
}

fn a_job_may_be_completed_inside_the_callback(c: &mut Bench) -> Outcome {
    let recorder = Recorder::acting(|job| job.complete());
    let (job, _) = watched(c, &recorder, ENDS)?;
    job.resume()?;
    c.settle()?;
    c.is(
        "callback.job_transferred.complete_inside",
        (job.state()?, c.local_length("a.bin")?),
        (JobState::ACKNOWLEDGED, Some(1_000)),
    )
}

fn a_job_is_not_completed_by_itself(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, _) = watched(c, &recorder, ENDS)?;
    job.resume()?;
    c.advance(DAY)?;
    c.is("callback.job_transferred.no_auto_complete", recorder.methods(), vec!["JobTransferred"])?;
    c.is(
        "callback.job_transferred.no_auto_complete",
        (job.state()?, c.local_length("a.bin")?),
        (JobState::TRANSFERRED, None),
    )
}

fn a_job_may_be_changed_and_resumed_inside_the_callback(c: &mut Bench) -> Outcome {
    let recorder = Recorder::acting(|job| {
        if job.state()? == JobState::ERROR {
            job.set_priority(JobPriority::FOREGROUND)?;
            return job.resume();
        }
        Ok(Success::OK)
    });
    let (job, file) = watched(c, &recorder, ENDS)?;
    c.trouble(&file, Trouble::NotFound)?;
    job.resume()?;
    c.settle()?;
    c.is(
        "callback.job_error.act_inside",
        (job.state()?, job.priority()?),
        (JobState::TRANSFERRED, JobPriority::FOREGROUND),
    )?;
    c.is("callback.job_error.act_inside", recorder.methods(), vec!["JobError", "JobTransferred"])
}

fn an_event_before_the_registration_is_delivered(c: &mut Bench) -> Outcome {
    for (state, method) in [(JobState::TRANSFERRED, "JobTransferred"), (JobState::ERROR, "JobError")] {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        let recorder = Recorder::new();
        job.set_notify_interface(Some(recorder.object()))?;
        job.set_notify_flags(ENDS)?;
        c.settle()?;
        c.holds(
            ["job.set_notify_interface.after_event", "callback.interface.at_least_once", "notify.missed_events"],
            "the event that had happened is told",
            recorder.methods().first() == Some(&method),
        )?;
        if state == JobState::TRANSFERRED {
            c.holds("callback.interface.late_registration", "JobTransferred is called", recorder.count(method) >= 1)?;
        }
    }
    Ok(())
}

fn progress_before_the_registration_is_not_replayed(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    for name in ["1.bin", "2.bin", "3.bin", "4.bin"] {
        let file = c.serve(name, 100)?;
        file.add_to(&job)?;
    }
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let recorder = Recorder::new();
    job.set_notify_flags(NotifyFlags::JOB_MODIFICATION)?;
    job.set_notify_interface(Some(recorder.object()))?;
    c.advance(DAY)?;
    c.holds(
        ["job.set_notify_interface.missed_progress", "notify.missed_events"],
        "at most the registration itself is told, none of the progress before it",
        recorder.methods().len() <= 1,
    )
}

fn an_event_is_delivered_again_when_the_client_died(c: &mut Bench) -> Outcome {
    let first = Recorder::new();
    let program = c.another_client()?;
    let (job, _) = c.job_with_file(10)?;
    program.manager()?.job(job.id()?)?.set_notify_interface(Some(first.object()))?;
    job.resume()?;
    c.settle()?;
    let told_once = first.methods();
    program.exit();
    let second = Recorder::new();
    job.set_notify_interface(Some(second.object()))?;
    c.settle()?;
    c.is(
        ["job.set_notify_interface.again_after_dead_pointer", "callback.interface.redelivery"],
        (told_once, second.methods()),
        (vec!["JobTransferred"], vec!["JobTransferred"]),
    )
}

fn a_client_that_ended_is_not_called(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let program = c.another_client()?;
    let (job, _) = c.job_with_file(10)?;
    program.manager()?.job(job.id()?)?.set_notify_interface(Some(recorder.object()))?;
    program.exit();
    job.resume()?;
    c.settle()?;
    c.is(
        [
            "callback.interface.not_persisted",
            "job.set_notify_interface.not_persisted",
            "notify.object_not_persisted",
            "notify.clear",
        ],
        (job.state()?, recorder.methods()),
        (JobState::TRANSFERRED, vec![]),
    )?;
    c.is("notify.clear", job.notify_interface()?.is_some(), false)
}

fn a_registration_does_not_outlive_a_restart(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, _) = watched(c, &recorder, ENDS)?;
    let id = job.id()?;
    c.restart_service()?;
    let job = c.find(id)?;
    c.is(
        ["job.set_notify_interface.not_persisted", "notify.object_not_persisted"],
        job.notify_interface()?.is_some(),
        false,
    )?;
    job.resume()?;
    c.settle()?;
    c.is(
        "job.set_notify_interface.not_persisted",
        (job.state()?, recorder.methods()),
        (JobState::TRANSFERRED, vec![]),
    )?;
    job.set_notify_interface(Some(recorder.object()))?;
    c.settle()?;
    c.is("job.set_notify_interface.not_persisted", recorder.methods(), vec!["JobTransferred"])
}

fn a_valid_object_is_called_for_every_event(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, file) = watched(c, &recorder, ENDS)?;
    for _ in 0..3 {
        c.trouble(&file, Trouble::NotFound)?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        c.settle()?;
    }
    job.resume()?;
    c.settle()?;
    c.is(
        ["callback.interface.valid_pointer", "notify.interface"],
        recorder.methods(),
        vec!["JobError", "JobError", "JobError", "JobTransferred"],
    )
}

/// A callback that stays inside for a while, unless more are inside than may be.
#[derive(Default)]
struct Crowd {
    counts: Mutex<Counts>,
    changed: Condvar,
}

#[derive(Default)]
struct Counts {
    inside: usize,
    peak: usize,
    total: usize,
}

impl Crowd {
    const LIMIT: usize = 4;
    const STAY: Duration = Duration::from_millis(100);

    fn enter(&self) {
        let mut counts = self.counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        counts.inside += 1;
        counts.total += 1;
        counts.peak = counts.peak.max(counts.inside);
        self.changed.notify_all();
        let waited = self.changed.wait_timeout_while(counts, Self::STAY, |counts| counts.peak <= Self::LIMIT);
        let (mut counts, _) = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        counts.inside -= 1;
    }
}

impl Callback for Crowd {
    fn job_transferred(&self, _: Arc<dyn Job>) -> Result<Success, Hresult> {
        self.enter();
        Ok(Success::OK)
    }

    fn job_error(&self, _: Arc<dyn Job>, _: Arc<dyn JobError>) -> Result<Success, Hresult> {
        Ok(Success::OK)
    }

    fn job_modification(&self, _: Arc<dyn Job>) -> Result<Success, Hresult> {
        Ok(Success::OK)
    }
}

impl Callback2 for Crowd {
    fn file_transferred(&self, _: Arc<dyn Job>, _: Arc<dyn File>) -> Result<Success, Hresult> {
        self.enter();
        Ok(Success::OK)
    }
}

/// Finishes eight jobs at once whose callback stays inside; gives how many were inside at most,
/// and how many calls there were.
fn crowd_at(c: &Bench, flag: NotifyFlags) -> Result<(usize, usize), Stop> {
    let crowd = Arc::new(Crowd::default());
    for name in ["1", "2", "3", "4", "5", "6", "7", "8"] {
        let job = c.new_job()?;
        let file = c.serve(name, 10)?;
        file.add_to(&job)?;
        job.set_notify_flags(flag)?;
        job.set_notify_interface(Some(callback2_object(Arc::clone(&crowd) as Arc<dyn Callback2>)))?;
        job.resume()?;
    }
    c.settle()?;
    let counts = crowd.counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok((counts.peak, counts.total))
}

fn four_callbacks_of_a_user_run_at_a_time(c: &mut Bench) -> Outcome {
    let (peak, total) = crowd_at(c, NotifyFlags::JOB_TRANSFERRED)?;
    c.value("callback.interface.concurrency", peak)?;
    c.is(["callback.interface.concurrency", "notify.slow_callback"], (peak, total), (4, 8))
}

fn four_file_callbacks_of_a_user_run_at_a_time(c: &mut Bench) -> Outcome {
    let (peak, total) = crowd_at(c, NotifyFlags::FILE_TRANSFERRED)?;
    c.value("callback2.file_transferred.high_volume_limit", peak)?;
    c.is("callback2.file_transferred.high_volume_limit", total, 8)?;
    c.holds("callback2.file_transferred.not_serialized_across_jobs", "callbacks of several jobs overlap", peak > 1)
}

fn notifications_of_ranges_can_be_asked_for_in_vain(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, _) = c.job_with_file(1_000)?;
    job.set_notify_interface(Some(recorder.object2()))?;
    let accepted = job.set_notify_flags(NotifyFlags::FILE_RANGES_TRANSFERRED);
    c.returns("job.set_notify_flags.ranges_any_job", accepted)?;
    c.settle()?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.settle()?;
    c.is("job.set_notify_flags.ranges_any_job", recorder.methods(), vec![])
}

fn expiry_of_the_timeout_is_told(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, file) = watched(c, &recorder, ENDS)?;
    job.set_no_progress_timeout(1_000)?;
    for _ in 0..10 {
        c.trouble(&file, Trouble::Unavailable)?;
    }
    job.resume()?;
    c.wait(&job, JobState::ERROR, MINUTE * 20)?;
    c.settle()?;
    c.is(["job.set_no_progress_timeout.expiry_notify", "retry.timeout.notify"], recorder.methods(), vec!["JobError"])
}

fn another_program_may_clear_the_object(c: &mut Bench) -> Outcome {
    let mine = Recorder::new();
    let (job, _) = watched(c, &mine, ENDS)?;
    let silent = c.another_client()?.manager()?.job(job.id()?)?;
    silent.set_notify_interface(None)?;
    job.resume()?;
    c.settle()?;
    c.is("job.set_notify_interface.clear", mine.methods(), vec![])
}
