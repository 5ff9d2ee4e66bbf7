//! Callbacks: which come, which come again, and what is told of each file.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use bits_api::{
    Callback, Callback2, Callback3, FileRange, JobError, JobPropertyId, JobPropertyValue, callback_object,
    callback2_object, callback3_object,
};
use bits_origin::{Content, GateAt, Origin};

use super::prelude::*;
use super::rest::{Texts, held, rest, rest_in};

probes![
    "notify.missed_events" => what_was_missed,
    "notify.completing_the_pair" => interface_and_flags,
    "callback.job_transferred.retry" => a_callback_that_fails,
    "callback.job_modification.return" => a_modification_that_fails,
    "callback.job_modification.volume" => how_many_modifications,
    "job5.min_notification_interval.not_others" => what_keeps_no_distance,
    "job5.min_notification_interval.range" => intervals_of_unusual_length,
    "callback3.file_ranges_transferred.return_failure" => ranges_that_are_refused,
    "callback2.interface.discovery" => an_object_of_version_1,
    "callback2.file_transferred.return_positive" => another_success_for_a_file,
    "callback2.file_transferred.not_serialized_across_jobs" => two_slow_callbacks,
    "callback2.file_transferred.again_after_resume" => a_file_that_arrives_again,
    "callback2.file_transferred.zero_length" => an_empty_file,
];

const TRANSFERRED: &str = "JobTransferred";
const MODIFICATION: &str = "JobModification";
const FILE: &str = "FileTransferred";
const RANGES: &str = "FileRangesTransferred";

const ENDS: NotifyFlags = NotifyFlags::JOB_TRANSFERRED.union(NotifyFlags::JOB_ERROR);
const FILES_AND_ENDS: NotifyFlags = ENDS.union(NotifyFlags::FILE_TRANSFERRED);

/// Longer than what comes at once takes.
const A_MOMENT: Duration = Duration::from_secs(3);
/// Longer than the minute after which a callback is said to come again.
const A_MINUTE_AND_MORE: Duration = Duration::from_secs(75);

type Reply = Result<Success, Hresult>;
/// What a callback does: it is told the method, the how-manieth call of it that is, and the file.
type React = dyn Fn(&Arc<dyn Job>, &'static str, usize, Option<&Arc<dyn File>>) -> Reply + Send + Sync;

/// Writes down which methods are called, and reacts.
struct Listener {
    called: Mutex<Vec<&'static str>>,
    react: Box<React>,
}

impl Listener {
    fn new(
        react: impl Fn(&Arc<dyn Job>, &'static str, usize, Option<&Arc<dyn File>>) -> Reply + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { called: Mutex::default(), react: Box::new(react) })
    }

    /// Answers the first call of `method` like that, and all others with `S_OK`.
    fn answering(method: &'static str, first: Reply) -> Arc<Self> {
        Self::new(move |_, called, nth, _| if called == method && nth == 1 { first } else { Ok(Success::OK) })
    }

    fn called(&self) -> Texts {
        Texts::new(self.lock().iter().copied())
    }

    fn count(&self, method: &str) -> usize {
        self.lock().iter().filter(|called| **called == method).count()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<&'static str>> {
        self.called.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, job: &Arc<dyn Job>, method: &'static str, file: Option<&Arc<dyn File>>) -> Reply {
        let nth = {
            let mut called = self.lock();
            called.push(method);
            called.iter().filter(|earlier| **earlier == method).count()
        };
        (self.react)(job, method, nth, file)
    }

    /// Asks to be told of these events of the job, as an object of version 2.
    fn listen(self: &Arc<Self>, job: &Arc<dyn Job>, flags: NotifyFlags) -> Result<(), Stop> {
        job.set_notify_flags(flags)?;
        job.set_notify_interface(Some(callback2_object(Arc::clone(self) as Arc<dyn Callback2>)))?;
        Ok(())
    }
}

impl Callback for Listener {
    fn job_transferred(&self, job: Arc<dyn Job>) -> Reply {
        self.note(&job, TRANSFERRED, None)
    }

    fn job_error(&self, job: Arc<dyn Job>, _: Arc<dyn JobError>) -> Reply {
        self.note(&job, "JobError", None)
    }

    fn job_modification(&self, job: Arc<dyn Job>) -> Reply {
        self.note(&job, MODIFICATION, None)
    }
}

impl Callback2 for Listener {
    fn file_transferred(&self, job: Arc<dyn Job>, file: Arc<dyn File>) -> Reply {
        self.note(&job, FILE, Some(&file))
    }
}

impl Callback3 for Listener {
    fn file_ranges_transferred(&self, job: Arc<dyn Job>, file: Arc<dyn File>, _: &[FileRange]) -> Reply {
        self.note(&job, RANGES, Some(&file))
    }
}

/// An origin with a file, and a suspended foreground job for so many copies of it.
fn job_of(c: &mut Bench, copies: usize, content: Content) -> Result<(Arc<Origin>, Arc<dyn Job>), Stop> {
    c.start_over();
    let origin = c.origin()?;
    origin.put("/file", content);
    let job = c.new_job()?;
    job.set_priority(JobPriority::FOREGROUND)?;
    for copy in 0..copies {
        job.add_file(Some(&origin.url("/file")), Some(&c.local(&format!("{copy}.bin"))))?;
    }
    Ok((origin, job))
}

fn small() -> Content {
    Content::synthetic(1_000, 1)
}

/// A TRANSFERRED job that nobody was told of.
fn finished(c: &mut Bench) -> Result<Arc<dyn Job>, Stop> {
    let (_, job) = job_of(c, 1, small())?;
    job.resume()?;
    rest_in(c, &job, &[JobState::TRANSFERRED])?;
    Ok(job)
}

/// Whether more calls of `method` come than `before`, within that time.
fn more(c: &Bench, listener: &Listener, method: &str, before: usize, within: Duration) -> Result<bool, Stop> {
    c.until(|| listener.count(method) > before, within)
}

/// Waits for the first calls of `method`, without which there is no answer.
fn comes(c: &Bench, listener: &Listener, method: &str, times: usize) -> Result<(), Stop> {
    if more(c, listener, method, times - 1, SOON)? { Ok(()) } else { failed(format!("{method} has not come")) }
}

fn what_was_missed(c: &mut Bench) -> Answer {
    let job = finished(c)?;
    let listener = Listener::answering("", Ok(Success::OK));
    listener.listen(&job, FILES_AND_ENDS | NotifyFlags::JOB_MODIFICATION)?;
    more(c, &listener, TRANSFERRED, 0, SOON)?;
    c.until(|| false, A_MOMENT)?;
    let (ends, files) = (listener.count(TRANSFERRED), listener.count(FILE));
    Ok(Seen::new()
        .and(TRANSFERRED, ends)
        .and(FILE, files)
        .and("JobModification more than once", listener.count(MODIFICATION) > 1))
}

fn interface_and_flags(c: &mut Bench) -> Answer {
    let job = finished(c)?;
    let listener = Listener::answering("", Ok(Success::OK));
    let mut seen = Seen::new();
    listener.listen(&job, NotifyFlags::DISABLE)?;
    seen = seen.and("the interface without flags: comes", more(c, &listener, TRANSFERRED, 0, A_MOMENT)?);
    for step in ["then the flags", "the flags again", "no flags and the flags", "the interface again"] {
        let before = listener.count(TRANSFERRED);
        match step {
            "the interface again" => listener.listen(&job, ENDS)?,
            "no flags and the flags" => {
                job.set_notify_flags(NotifyFlags::DISABLE)?;
                job.set_notify_flags(ENDS)?;
            }
            _ => drop(job.set_notify_flags(ENDS)?),
        }
        seen = seen.and(&format!("{step}: comes"), more(c, &listener, TRANSFERRED, before, A_MOMENT)?);
    }
    Ok(seen)
}

fn a_callback_that_fails(c: &mut Bench) -> Answer {
    let (_, job) = job_of(c, 1, small())?;
    let listener = Listener::new(|_, _, _, _| Err(Hresult::E_FAIL));
    listener.listen(&job, ENDS)?;
    job.resume()?;
    comes(c, &listener, TRANSFERRED, 1)?;
    let early = more(c, &listener, TRANSFERRED, 1, Duration::from_secs(50))?;
    let then = more(c, &listener, TRANSFERRED, 1, Duration::from_secs(25))?;
    Ok(Seen::new().and("again within 50 seconds", early).and("within 75", then))
}

fn a_modification_that_fails(c: &mut Bench) -> Answer {
    let job = c.new_job()?;
    let listener = Listener::new(|_, _, _, _| Err(Hresult::E_FAIL));
    listener.listen(&job, NotifyFlags::JOB_MODIFICATION)?;
    c.until(|| false, A_MOMENT)?;
    let before = listener.count(MODIFICATION);
    job.set_display_name(Some(job_name()))?;
    comes(c, &listener, MODIFICATION, before + 1)?;
    let told = listener.count(MODIFICATION);
    Ok(Seen::new().and("again within 75 seconds", more(c, &listener, MODIFICATION, told, A_MINUTE_AND_MORE)?))
}

/// A word for a number that is not the same each time.
fn about(count: usize) -> Texts {
    Texts::one(match count {
        0 => "none",
        1 => "one",
        2..=9 => "a few",
        _ => "ten or more",
    })
}

fn how_many_modifications(c: &mut Bench) -> Answer {
    let job = c.new_job()?;
    let listener = Listener::answering("", Ok(Success::OK));
    listener.listen(&job, NotifyFlags::JOB_MODIFICATION)?;
    c.until(|| false, A_MOMENT)?;
    let before = listener.count(MODIFICATION);
    job.set_description(Some("another"))?;
    c.until(|| false, A_MOMENT)?;
    let of_a_property = listener.count(MODIFICATION) - before;

    // One at a time: while the first is being delivered, the job changes fifty times.
    let job = c.new_job()?;
    let is_busy = Arc::new(AtomicBool::new(false));
    let begins = Arc::clone(&is_busy);
    let busy = Listener::new(move |job, _, _, _| {
        if begins.swap(false, Ordering::SeqCst) {
            (1..=50).try_for_each(|n| job.set_description(Some(&format!("change {n}"))).map(drop))?;
        }
        Ok(Success::OK)
    });
    busy.listen(&job, NotifyFlags::JOB_MODIFICATION)?;
    c.until(|| false, A_MOMENT)?;
    let before = busy.count(MODIFICATION);
    is_busy.store(true, Ordering::SeqCst);
    job.set_display_name(Some(job_name()))?;
    c.until(|| false, A_MOMENT)?;
    let while_busy = busy.count(MODIFICATION) - before;

    let (origin, job) = job_of(c, 1, Content::synthetic(32_000_000, 1))?;
    let gate = origin.gate_method("GET", "/file", GateAt::Byte(1));
    let listener = Listener::answering("", Ok(Success::OK));
    listener.listen(&job, NotifyFlags::JOB_MODIFICATION)?;
    job.job5()?.set_property(JobPropertyId::MINIMUM_NOTIFICATION_INTERVAL_MS, JobPropertyValue::Dword(0))?;
    job.resume()?;
    held(&gate)?;
    c.until(|| false, A_MOMENT)?;
    let before = listener.count(MODIFICATION);
    gate.open();
    rest(c, &job)?;
    c.until(|| false, A_MOMENT)?;
    Ok(Seen::new()
        .and("for a new description", about(of_a_property))
        .and("for fifty while one is being delivered", about(while_busy.saturating_sub(1)))
        .and("for 32 MB without an interval", about(listener.count(MODIFICATION) - before)))
}

fn interval(job: &Arc<dyn Job>, milliseconds: u32) -> Result<Reply, Stop> {
    let id = JobPropertyId::MINIMUM_NOTIFICATION_INTERVAL_MS;
    Ok(job.job5()?.set_property(id, JobPropertyValue::Dword(milliseconds)))
}

fn what_keeps_no_distance(c: &mut Bench) -> Answer {
    let (_, job) = job_of(c, 3, small())?;
    let listener = Listener::answering("", Ok(Success::OK));
    interval(&job, 60_000)??;
    let all = FILES_AND_ENDS | NotifyFlags::JOB_MODIFICATION | NotifyFlags::FILE_RANGES_TRANSFERRED;
    job.set_notify_flags(all)?;
    job.set_notify_interface(Some(callback3_object(Arc::clone(&listener) as Arc<dyn Callback3>)))?;
    job.resume()?;
    more(c, &listener, TRANSFERRED, 0, SOON)?;
    c.until(|| false, A_MOMENT)?;
    let counts = [FILE, TRANSFERRED, MODIFICATION, RANGES].map(|method| listener.count(method));
    Ok(Seen::new()
        .and("within seconds FileTransferred", counts[0])
        .and(TRANSFERRED, counts[1])
        .and(MODIFICATION, about(counts[2]))
        .and(RANGES, about(counts[3])))
}

fn intervals_of_unusual_length(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    for milliseconds in [0, 1, u32::MAX] {
        let job = c.new_job()?;
        let set = interval(&job, milliseconds)?;
        let read = job.job5()?.property(JobPropertyId::MINIMUM_NOTIFICATION_INTERVAL_MS);
        seen = seen.and(&milliseconds.to_string(), set).and("then", read);
    }
    Ok(seen)
}

fn ranges_that_are_refused(c: &mut Bench) -> Answer {
    let (origin, job) = job_of(c, 1, Content::synthetic(50_000, 1))?;
    let gate = origin.gate_method("GET", "/file", GateAt::Byte(20_000));
    let recorder = Recorder::answering(vec![Err(Hresult::E_FAIL); 100]);
    job.set_notify_flags(NotifyFlags::FILE_RANGES_TRANSFERRED)?;
    job.set_notify_interface(Some(recorder.object3()))?;
    job.resume()?;
    held(&gate)?;
    let is_told = c.until(|| recorder.count(RANGES) > 0, SOON)?;
    c.until(|| false, A_MINUTE_AND_MORE)?;
    let mut ranges = Vec::new();
    for told in recorder.told() {
        if let Told::Ranges { ranges: of_call, .. } = told {
            ranges.extend(pairs(&of_call));
        }
    }
    ranges.sort_unstable();
    let is_repeated = ranges.windows(2).any(|pair| pair[0].0 + pair[0].1 > pair[1].0);
    Ok(Seen::new().and("FileRangesTransferred comes", is_told).and("the same bytes are told again", is_repeated))
}

fn an_object_of_version_1(c: &mut Bench) -> Answer {
    let (_, job) = job_of(c, 2, small())?;
    let listener = Listener::answering("", Ok(Success::OK));
    let flags = job.set_notify_flags(FILES_AND_ENDS);
    let set = job.set_notify_interface(Some(callback_object(Arc::clone(&listener) as Arc<dyn Callback>)));
    job.resume()?;
    more(c, &listener, TRANSFERRED, 0, SOON)?;
    c.until(|| false, A_MOMENT)?;
    Ok(Seen::new().and("SetNotifyFlags", flags).and("SetNotifyInterface", set).and("called", listener.called()))
}

fn another_success_for_a_file(c: &mut Bench) -> Answer {
    let (_, job) = job_of(c, 2, small())?;
    let listener = Listener::answering(FILE, Ok(Success::FALSE));
    listener.listen(&job, FILES_AND_ENDS)?;
    job.resume()?;
    more(c, &listener, TRANSFERRED, 0, A_MINUTE_AND_MORE)?;
    c.until(|| false, A_MOMENT)?;
    seen(listener.called())
}

/// Counts who is inside, and keeps each for a while to see whether another comes.
#[derive(Default)]
struct Room {
    inside: Mutex<(usize, usize)>,
    entered: Condvar,
}

impl Room {
    fn visit(&self) {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.0 += 1;
        inside.1 = inside.1.max(inside.0);
        self.entered.notify_all();
        let alone = |inside: &mut (usize, usize)| inside.1 < 2;
        let (mut inside, _) =
            self.entered.wait_timeout_while(inside, A_MOMENT, alone).unwrap_or_else(PoisonError::into_inner);
        inside.0 -= 1;
    }

    fn most(&self) -> usize {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

fn two_slow_callbacks(c: &mut Bench) -> Answer {
    let (origin, first) = job_of(c, 1, small())?;
    let second = c.new_job()?;
    second.set_priority(JobPriority::FOREGROUND)?;
    second.add_file(Some(&origin.url("/file")), Some(&c.local("second.bin")))?;
    let room = Arc::new(Room::default());
    let visited = Arc::clone(&room);
    let listener = Listener::new(move |_, method, _, _| {
        if method == FILE {
            visited.visit();
        }
        Ok(Success::OK)
    });
    for job in [&first, &second] {
        listener.listen(job, FILES_AND_ENDS)?;
        job.resume()?;
    }
    comes(c, &listener, TRANSFERRED, 2)?;
    Ok(Seen::new().and("FileTransferred of two jobs at once", room.most() > 1))
}

fn a_file_that_arrives_again(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    for (name, resumes) in [("and Resume inside", true), ("and Resume afterwards", false)] {
        let (_, job) = job_of(c, 1, small())?;
        let listener = Listener::new(move |job, method, nth, file| {
            if let Some(file) = file.filter(|_| method == FILE && nth == 1) {
                file.file3()?.set_validation_state(false)?;
                if resumes {
                    job.resume()?;
                }
            }
            Ok(Success::OK)
        });
        listener.listen(&job, FILES_AND_ENDS)?;
        job.resume()?;
        if !resumes {
            more(c, &listener, "JobError", 0, SOON)?;
            job.resume()?;
        }
        more(c, &listener, TRANSFERRED, 0, SOON)?;
        c.until(|| false, A_MOMENT)?;
        seen = seen.and(&format!("SetValidationState(FALSE) {name}"), listener.called());
    }
    Ok(seen)
}

fn an_empty_file(c: &mut Bench) -> Answer {
    let (_, job) = job_of(c, 1, Content::bytes(&b""[..]))?;
    let listener = Listener::answering("", Ok(Success::OK));
    listener.listen(&job, FILES_AND_ENDS)?;
    job.resume()?;
    more(c, &listener, TRANSFERRED, 0, SOON)?;
    c.until(|| false, A_MOMENT)?;
    seen(listener.called())
}
