//! The queue after a restart (clauses `lifecycle.restart.*`, `lifecycle.persist.*`).
//!
//! Jobs come back as they were on record; what was active waits for its turn. Timers are armed
//! from the wall times on record, and the temporary files tell how far their files have come.

use std::collections::BTreeSet;
use std::time::Duration;

use bits_api::{JobPriority, JobState, NotifyFlags, SIZE_UNKNOWN, Setting, TokenFlags};
use bits_wire::attempt::{Begin, ResponseHead};
use bits_world::Sid;

use crate::heads::Heads;
use crate::hold::Hold;
use crate::job::{Failing, File, Job, State, Sums, Wait};
use crate::jobs::Jobs;
use crate::ranges::Fetching;
use crate::secrets::Readers;
use crate::sources::volume_of;
use crate::temporary::{Temporary, code_of};
use crate::upload::Upload;
use crate::users::{UserNo, Users};
use crate::visits::Counted;
use crate::{Config, Cx, Engine, FileRecord, FileStage, JobKey, JobRecord, Saved};
use bits_api::Hresult;

impl Engine {
    /// An engine with the queue that `saved` tells of. Callbacks are not on record: clients set
    /// them again.
    pub fn restore(config: Config, saved: impl IntoIterator<Item = Saved>, cx: Cx<'_>) -> Self {
        let mut engine = Self::new(config);
        engine.facts = engine.facts.seen(cx, engine.config.profile);
        engine.sessions_seen = cx.world.session_changes();
        let mut users = Users::default();
        let mut jobs = Vec::new();
        let mut news = Vec::new();
        let slice = engine.config.decisions.time_slice();
        for saved in saved {
            let owner = users
                .number(&Sid::new(saved.job.owner.as_str()), |sid| cx.world.lets_jobs_run(sid, engine.config.profile));
            let (job, others) = come_back(saved, owner, jobs.len() as u64, slice, cx);
            news.extend(others.into_iter().map(|place| (job.key, place)));
            jobs.push(Box::new(job));
        }
        let waiting: Vec<JobKey> =
            jobs.iter().filter(|job| matches!(job.state, State::TransientError(_))).map(|job| job.key).collect();
        let untold: Vec<JobKey> = jobs.iter().filter(|job| is_untold(job)).map(|job| job.key).collect();
        let giving_up: Vec<JobKey> =
            jobs.iter().filter(|job| matches!(job.state, State::GivingUp { .. })).map(|job| job.key).collect();
        let (held, ready): (Vec<_>, Vec<_>) = jobs
            .iter()
            .filter_map(|job| match job.state {
                State::Queued { turn, .. } => Some((job, turn)),
                _ => None,
            })
            .partition(|(job, _)| engine.is_held(job));
        let held: Vec<JobKey> = held.into_iter().map(|(job, _)| job.key).collect();
        engine.ready = ready
            .into_iter()
            .filter(|(job, _)| users.get(job.owner).logged_on)
            .map(|(job, turn)| (job.priority, turn, job.key))
            .collect();
        engine.numbers.job = jobs.iter().map(|job| job.key.0 + 1).max().unwrap_or(0);
        engine.numbers.turn = jobs.len() as u64;
        engine.temporaries =
            jobs.iter().flat_map(|job| &job.files).filter_map(|file| file.temporary.clone().map(Counted)).collect();
        engine.jobs = Jobs::load(jobs, users);
        // Else a second restart would judge by what was on record before the first.
        let mut last = None;
        for (key, place) in news {
            if last.replace(key) != Some(key) {
                engine.persist_job(key);
            }
            engine.persist_file(key, place);
        }
        for key in waiting.into_iter().chain(held) {
            engine.go_on_waiting(cx, key);
        }
        for key in untold {
            engine.notify_of_end(key);
        }
        for key in giving_up {
            engine.give_up_session(cx, key);
        }
        engine.schedule(cx);
        engine
    }

    /// A job that waits goes on waiting, unless what it waited for came in the meantime or it waits
    /// for the wrong thing.
    pub(crate) fn go_on_waiting(&mut self, cx: Cx<'_>, key: JobKey) {
        match self.jobs[key].state {
            State::Queued { .. } => self.settle_queued(cx, key),
            State::TransientError(Wait::Held(hold)) => self.hold_again(cx, key, hold),
            State::TransientError(Wait::Retry { at, .. }) => {
                self.timers.arm(key, crate::timers::Timer::RetryDelay, at);
                self.arm_no_progress(cx, key);
            }
            _ => {}
        }
    }
}

/// A job of `owner` as it comes back, and the places of its files that are not what the record
/// says any more.
pub(crate) fn come_back(saved: Saved, owner: UserNo, turn: u64, slice: Duration, cx: Cx<'_>) -> (Job, Vec<usize>) {
    let Saved { job: record, files, .. } = saved;
    let mut job = Job {
        owner,
        state: state_of(&record, turn, slice, cx),
        failing: failing_of(&record, cx),
        ..without_history(record)
    };
    let mut others = Vec::new();
    for (place, record) in files.iter().enumerate() {
        let file = file_of(record, job.is_direct(), cx);
        let is_lost = file.stage == FileStage::Pending && record.stage != FileStage::Pending;
        if file.stage != record.stage {
            others.push(place);
        }
        job.add_file(file);
        if is_lost && matches!(job.state, State::Transferred) {
            // What was transferred is gone: it is fetched again.
            job.state = State::Queued { turn, slice };
        }
    }
    (job, others)
}

/// Whether what outlives clients, a program or an object of a class, may have to be told of the
/// job's end.
fn is_untold(job: &Job) -> bool {
    let may_hear = job.notify_command.is_some() || job.later.get(Setting::NotificationClsid).is_some();
    may_hear && !job.end_told && matches!(job.state, State::Transferred | State::Error)
}

/// The state of a job on record.
fn state_of(record: &JobRecord, turn: u64, slice: Duration, cx: Cx<'_>) -> State {
    match record.state {
        JobState::SUSPENDED => State::Suspended,
        JobState::ERROR => State::Error,
        JobState::TRANSFERRED => State::Transferred,
        JobState::CANCELLED => State::GivingUp { attempt: None },
        JobState::TRANSIENT_ERROR => State::TransientError(match (record.retry_at, record.error) {
            (Some(wall), _) => Wait::Retry { at: cx.now.monotonic.plus(wall.since(cx.now.wall)), wall },
            (None, error) => Wait::Held(error.and_then(|error| Hold::of_code(error.code)).unwrap_or(Hold::Network)),
        }),
        // An active job is on record as QUEUED, and one that has ended is not on record.
        _ => State::Queued { turn, slice },
    }
}

/// Since when a job on record has been failing: one in TRANSIENT_ERROR always has.
fn failing_of(record: &JobRecord, cx: Cx<'_>) -> Option<Failing> {
    let unknown = || (record.state == JobState::TRANSIENT_ERROR).then(|| Failing::starting(cx.now));
    record.failing_since.map(|first| Failing::since(first, cx.now)).or_else(unknown)
}

/// A job as it is on record, without its files and what depends on the time.
fn without_history(record: JobRecord) -> Job {
    Job {
        key: record.key,
        id: record.id,
        kind: record.job_type,
        owner: UserNo::FIRST,
        rights: record.rights,
        helper: None,
        helper_flags: TokenFlags::from_bits_retain(record.helper_flags),
        state: State::Suspended,
        display_name: record.display_name.into(),
        description: record.description.into(),
        priority: JobPriority(record.priority),
        notify_flags: NotifyFlags::from_bits_retain(record.notify_flags),
        minimum_retry_delay: record.minimum_retry_delay,
        no_progress_timeout: record.no_progress_timeout,
        later: record.later,
        proxy: record.proxy.map(Box::new),
        secrets: record.secrets,
        header_readers: if record.write_only_headers { Readers::Nobody } else { Readers::Owner },
        was_resumed: record.was_resumed,
        error_count: record.error_count,
        error: record.error,
        created: record.created,
        modified: record.modified,
        last_activity: record.last_activity,
        transfer_completed: record.transfer_completed,
        failing: None,
        active: Duration::from_millis(record.active_ms),
        files: Vec::new(),
        next: 0,
        work: None,
        fetching: Fetching::default(),
        changes: 0,
        heads: Heads::default(),
        unsaved: BTreeSet::new(),
        sums: Sums::default(),
        stopping: None,
        notices: None,
        notify_command: record.notify_command.map(Box::new),
        end_told: record.end_told,
        ended_by: None,
        handles: 0,
        idle_since: record.last_activity,
        filed: None,
        upload: record.upload.map(Upload::restored).map(Box::new).or_else(|| Upload::of(record.job_type)),
    }
}

/// A file as it is on record, and as the disk tells. What the disk cannot tell now is told when
/// the file is needed; until then the record is believed.
fn file_of(record: &FileRecord, is_direct: bool, cx: Cx<'_>) -> File {
    let name = record.temporary.as_deref();
    let (temporary, unplaced, length) = match (name, cx.world.drives.resolve(&record.local_name)) {
        (None, Ok(destination)) if is_direct => (None, None, cx.probe.length(&destination)),
        (None, Err(error)) if is_direct => (None, None, Err(code_of(error))),
        (Some(name), Ok(destination)) => {
            let temporary = Temporary::beside(&destination, name);
            let length = cx.probe.length(temporary.path());
            (Some(temporary), None, length)
        }
        (Some(name), Err(error)) => (None, Some(name.into()), Err(code_of(error))),
        (None, _) => (None, None, Ok(None)),
    };
    let mut file = untouched(record);
    let size = Some(file.size()).filter(|size| *size != SIZE_UNKNOWN && record.validators.is_some());
    let stage = stage_of(record.stage, length, size);
    let have = match (stage, length) {
        (FileStage::Pending, _) if record.details.begin == Begin::Anew => 0,
        // What should be there of a scattered file is, if the file is long enough.
        (FileStage::Pending, length) if file.access.is_some() => file.still_filled(length),
        // Without validators, or with too much of it, an attempt begins anew.
        (FileStage::Pending, Ok(Some(found))) if size.is_some_and(|size| found <= size) => found,
        (FileStage::Pending, _) => 0,
        (_, length) => size.or(length.ok().flatten()).unwrap_or(0),
    };
    if let Some(access) = &mut file.access
        && stage == FileStage::Pending
        && have == 0
    {
        access.lose();
    }
    file.volume = volume_of(cx, &file).filter(|_| temporary.is_some());
    File { temporary: temporary.filter(|_| stage != FileStage::Completed), unplaced, have, stage, ..file }
}

/// A file as it is on record, before anybody has looked at the disk.
fn untouched(record: &FileRecord) -> File {
    File {
        validators: record.validators,
        ranges: (!record.details.ranges.is_empty()).then(|| record.details.ranges.clone().into()),
        begin: record.details.begin,
        access: record.details.access.clone().map(Box::new),
        validation: record.details.validation,
        head: record.details.head.as_deref().map(|head| ResponseHead(head.into())),
        named_server: record.details.named_server.as_deref().map(Into::into),
        ..File::new(&record.remote_name, &record.local_name)
    }
}

/// How far a file has come whose temporary file has this length.
fn stage_of(on_record: FileStage, length: Result<Option<u64>, Hresult>, size: Option<u64>) -> FileStage {
    match (on_record, length) {
        // The service ended between the rename and its record.
        (FileStage::Renaming, Ok(None)) => FileStage::Completed,
        // Deleted in the middle of a Cancel, or by somebody else.
        (FileStage::Transferred, Ok(None)) => FileStage::Pending,
        // Deleted and begun again, or cut off: its name tells nothing of what it holds.
        (FileStage::Transferred | FileStage::Renaming, Ok(Some(found))) if size.is_some_and(|size| size != found) => {
            FileStage::Pending
        }
        (FileStage::Renaming, Ok(Some(_))) => FileStage::Transferred,
        (stage, _) => stage,
    }
}
