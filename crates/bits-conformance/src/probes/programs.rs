//! Notification programs: the suite itself is the one that BITS starts, and writes down that it was.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bits_api::{Callback, JobError, callback_object};
use bits_origin::Content;

use super::prelude::*;
use super::rest::Texts;
use crate::claims::Outcome;
use crate::notified;

probes![
    "job2.set_notify_cmd_line.null_program_with_parameters" => parameters_without_a_program,
    "job2.set_notify_cmd_line.parameters.first_is_program" => the_first_parameter,
    "job2.set_notify_cmd_line.program.full_path" => a_program_without_its_path,
    "job2.set_notify_cmd_line.exit_zero" => a_program_that_leaves_its_job,
    "job2.set_notify_cmd_line.registering_page_or" => a_program_beside_a_callback,
];

/// Longer than it takes to start a program.
const STARTED: Duration = Duration::from_secs(10);

fn parameters_without_a_program(c: &mut Bench) -> Answer {
    seen(c.new_job()?.job2()?.set_notify_cmd_line(None, Some("told.exe 1")))
}

/// The full path of this program.
fn program() -> Result<String, Stop> {
    let path = std::env::current_exe().map_err(|error| Stop::Failed(format!("the suite has no path: {error}")))?;
    Ok(path.to_string_lossy().into_owned())
}

/// A suspended job with a small file, on a bench where programs are really started; and a folder
/// for what they write.
fn job(c: &mut Bench) -> Result<(Arc<dyn Job>, PathBuf), Stop> {
    c.start_over();
    c.start_programs()?;
    let origin = c.origin()?;
    origin.put("/file", Content::bytes(&b"0123456789"[..]));
    let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
    let folder = PathBuf::from(c.local("runs"));
    done(std::fs::create_dir(&folder))?;
    Ok((job, folder))
}

/// Waits until the program has run so often; how often it has.
fn runs(c: &Bench, folder: &Path, at_least: usize, within: Duration) -> Result<usize, Stop> {
    let count = || notified::runs(folder).map_or(0, |runs| runs.len());
    c.until(|| count() >= at_least, within)?;
    Ok(count())
}

/// Makes sure that BITS starts this program here at all. Where something else keeps it from that, what does not
/// run is no answer.
fn control(c: &mut Bench) -> Outcome {
    let (job, folder) = job(c)?;
    job.job2()?.set_notify_cmd_line(Some(&program()?), Some(&notified::parameters(&folder, 0)))?;
    job.resume()?;
    started(runs(c, &folder, 1, STARTED)?)
}

fn started(runs: usize) -> Outcome {
    if runs > 0 {
        return Ok(());
    }
    failed("the job's notification program has not run: something on this machine may keep BITS from starting it")
}

fn the_first_parameter(c: &mut Bench) -> Answer {
    let (job, folder) = job(c)?;
    let set = job.job2()?.set_notify_cmd_line(Some(&program()?), Some(&notified::parameters(&folder, 0)));
    if set.is_err() {
        return Ok(Seen::new().and("SetNotifyCmdLine", set));
    }
    job.resume()?;
    started(runs(c, &folder, 1, STARTED)?)?;
    let told = Texts::new(done(notified::runs(&folder))?);
    Ok(Seen::new().and("SetNotifyCmdLine", set).and("the first of the parameters comes to the program as", told))
}

fn a_program_without_its_path(c: &mut Bench) -> Answer {
    let (job, folder) = job(c)?;
    // One that a search would find.
    let told = folder.join("told");
    let set = job
        .job2()?
        .set_notify_cmd_line(Some("cmd.exe"), Some(&format!("cmd.exe /c echo told> \"{}\"", told.display())));
    if set.is_err() {
        return Ok(Seen::new().and("SetNotifyCmdLine", set));
    }
    job.resume()?;
    let has_run = runs(c, &folder, 1, STARTED)? > 0;
    if !has_run {
        shell_runs(c)?;
    }
    Ok(Seen::new().and("SetNotifyCmdLine", set).and("the program runs", has_run))
}

/// Makes sure that the shell of Windows does here what it is asked for: a policy can forbid it to a user.
fn shell_runs(c: &mut Bench) -> Outcome {
    if !cfg!(windows) {
        return Ok(());
    }
    let (job, folder) = job(c)?;
    let told = folder.join("told");
    let shell = std::env::var("ComSpec").unwrap_or_else(|_| r"C:\Windows\System32\cmd.exe".to_owned());
    let parameters = format!("cmd.exe /c echo told> \"{}\"", told.display());
    job.job2()?.set_notify_cmd_line(Some(&shell), Some(&parameters))?;
    job.resume()?;
    started(runs(c, &folder, 1, STARTED)?)
}

fn a_program_that_leaves_its_job(c: &mut Bench) -> Answer {
    let (job, folder) = job(c)?;
    let set = |job: &Arc<dyn Job>| -> Result<(), Stop> {
        job.job2()?.set_notify_cmd_line(Some(&program()?), Some(&notified::parameters(&folder, 0)))?;
        Ok(())
    };
    job.set_minimum_retry_delay(60)?;
    set(&job)?;
    job.resume()?;
    let at_first = runs(c, &folder, 1, STARTED)?;
    started(at_first)?;
    let later = runs(c, &folder, at_first + 1, Duration::from_secs(75))?;
    job.set_notify_flags(NotifyFlags::JOB_TRANSFERRED | NotifyFlags::JOB_ERROR)?;
    let after_flags = runs(c, &folder, later + 1, STARTED)?;
    set(&job)?;
    let after_program = runs(c, &folder, after_flags + 1, STARTED)?;
    Ok(Seen::new()
        .and("runs at first", at_first)
        .and("more within 75 seconds", later - at_first)
        .and("more when the flags are set again", after_flags - later)
        .and("more when the program is", after_program - after_flags))
}

/// Always answers the same.
struct Answering {
    answer: Result<Success, Hresult>,
    calls: AtomicUsize,
}

impl Answering {
    fn note(&self) -> Result<Success, Hresult> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.answer
    }
}

impl Callback for Answering {
    fn job_transferred(&self, _: Arc<dyn Job>) -> Result<Success, Hresult> {
        self.note()
    }

    fn job_error(&self, _: Arc<dyn Job>, _: Arc<dyn JobError>) -> Result<Success, Hresult> {
        self.note()
    }

    fn job_modification(&self, _: Arc<dyn Job>) -> Result<Success, Hresult> {
        self.note()
    }
}

fn a_program_beside_a_callback(c: &mut Bench) -> Answer {
    let (mut seen, mut has_run) = (Seen::new(), false);
    for answer in [Ok(Success::OK), Err(Hresult::E_FAIL), Ok(Success::FALSE)] {
        let (job, folder) = job(c)?;
        let callback = Arc::new(Answering { answer, calls: AtomicUsize::new(0) });
        job.job2()?.set_notify_cmd_line(Some(&program()?), Some(&notified::parameters(&folder, 0)))?;
        job.set_notify_interface(Some(callback_object(Arc::clone(&callback) as Arc<dyn Callback>)))?;
        job.resume()?;
        let calls = || callback.calls.load(Ordering::SeqCst);
        c.until(|| calls() > 0, SOON)?;
        let program_runs = runs(c, &folder, 1, STARTED)? > 0;
        has_run |= program_runs;
        seen = seen.and(&format!("{}, the program runs", answer.tell()), program_runs);
        if answer == Ok(Success::FALSE) {
            seen = seen.and("the callback comes again", c.until(|| calls() > 1, Duration::from_secs(75))?);
        }
    }
    if !has_run {
        control(c)?;
    }
    Ok(seen)
}
