//! What a job of the queue has been promised, and what it must keep to.
//!
//! A short second opinion on the life cycle and its timers, told by the transitions that the
//! engine reports and by the clock alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use bits_api::{AuthScheme, FileTime, Guid, JobPriority, JobState, NotifyFlags, Setting, Value};
use bits_engine::{CallbackId, Cause, JobRecord, Login, Transition};
use bits_world::clock::{Monotonic, Now};

use crate::view::{Values, place_of};
use crate::wanted::Wanted;

/// A number of an action in the order of all actions: what came before it is on record when that
/// many were carried out.
pub(crate) type Turn = u64;

/// The passwords that a job has for servers, by their schemes.
pub(crate) type Passwords = BTreeMap<AuthScheme, String>;

/// A job as the simulation knows it.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Job {
    pub(crate) id: Guid,
    /// Which of the users.
    pub(crate) owner: usize,
    /// Since when.
    pub(crate) owned: Turn,
    /// When it was made.
    pub(crate) made: Turn,
    pub(crate) state: JobState,
    /// The values that calls have set, and when, from the last that is known to be on record.
    pub(crate) values: Vec<(Turn, Values)>,
    /// Whether it is an upload.
    pub(crate) sends: bool,
    pub(crate) files: Vec<Wanted>,
    /// What it may tell servers, and since when, from the last that is known to be on record.
    pub(crate) credentials: Vec<(Turn, Passwords)>,
    /// Whether Complete or Cancel has begun.
    pub(crate) is_ending: bool,
    /// Whether the policy may have begun to cancel it.
    pub(crate) was_idle: bool,
    pub(crate) callback: Option<CallbackId>,
    /// Whether the callback has taken JobTransferred since the job is TRANSFERRED.
    pub(crate) was_told: bool,
    /// Every temporary file that an attempt was given.
    pub(crate) temporaries: BTreeSet<PathBuf>,
    /// When a client last changed it, or its bytes moved.
    pub(crate) touched: FileTime,
    /// Which user's token it has to help it.
    pub(crate) helper: Option<usize>,
    pub(crate) retry: Option<Retry>,
    pub(crate) failing: Option<Failing>,
    /// Time spent CONNECTING and TRANSFERRING before the present run, and when that began.
    pub(crate) active: Duration,
    pub(crate) active_since: Option<Monotonic>,
}

/// When the next attempt is due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    pub(crate) due: Monotonic,
    pub(crate) wall: FileTime,
}

/// Since when there was no progress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failing {
    pub(crate) first: FileTime,
    from: Monotonic,
    before: Duration,
}

impl Failing {
    pub(crate) fn from(now: Now) -> Self {
        Self { first: now.wall, from: now.monotonic, before: Duration::ZERO }
    }

    pub(crate) fn lasted(&self, now: Now) -> Duration {
        self.before + now.monotonic.since(self.from)
    }
}

impl Job {
    pub(crate) fn new(id: Guid, owner: usize, made: Turn, now: Now) -> Self {
        Self {
            id,
            owner,
            owned: made,
            made,
            state: JobState::SUSPENDED,
            values: Vec::new(),
            sends: false,
            files: Vec::new(),
            credentials: vec![(made, Passwords::new())],
            is_ending: false,
            was_idle: false,
            callback: None,
            was_told: false,
            temporaries: BTreeSet::new(),
            touched: now.wall,
            helper: None,
            retry: None,
            failing: None,
            active: Duration::ZERO,
            active_since: None,
        }
    }

    /// The job as a service finds it that has just started.
    pub(crate) fn restart(&mut self, record: &JobRecord, has_lost_files: bool, now: Now) {
        self.is_ending = false;
        self.was_idle = false;
        self.callback = None;
        self.was_told = false;
        self.helper = None;
        self.active = Duration::from_millis(record.active_ms);
        self.active_since = None;
        self.touched = record.last_activity;
        self.state = match record.state {
            JobState::TRANSFERRED if has_lost_files => JobState::QUEUED,
            state => state,
        };
        self.failing =
            record.failing_since.map(|first| Failing { first, from: now.monotonic, before: now.wall.since(first) });
        self.retry = record.retry_at.map(|wall| Retry { due: now.monotonic.plus(wall.since(now.wall)), wall });
    }

    /// What a call has set last.
    pub(crate) fn value(&self, setting: Setting) -> &Value {
        let (_, values) = self.values.last().expect("a job has settings from its beginning");
        &values[place_of(setting)]
    }

    /// What it may tell servers.
    pub(crate) fn passwords(&self) -> &Passwords {
        let (_, passwords) = self.credentials.last().expect("a job has credentials, if none");
        passwords
    }

    pub(crate) fn number(&self, setting: Setting) -> u32 {
        match self.value(setting) {
            Value::Number(number) => *number,
            other => panic!("{setting:?} is {other:?}, not a number"),
        }
    }

    pub(crate) fn is_background(&self) -> bool {
        self.number(Setting::Priority) != JobPriority::FOREGROUND.0
    }

    pub(crate) fn wants(&self, flag: NotifyFlags) -> bool {
        let flags = NotifyFlags::from_bits_retain(self.number(Setting::NotifyFlags));
        flags.contains(flag) && !flags.contains(NotifyFlags::DISABLE)
    }

    pub(crate) fn is_active(&self) -> bool {
        [JobState::CONNECTING, JobState::TRANSFERRING].contains(&self.state)
    }

    fn download_time(&self) -> Duration {
        Duration::from_secs(self.number(Setting::MaximumDownloadTime).into())
    }

    /// Whether it waits for its next turn alone to be told that its download time is used up.
    pub(crate) fn is_used_up(&self) -> bool {
        self.active >= self.download_time()
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(self.number(Setting::NoProgressTimeout).into())
    }

    /// Takes down a transition, which happens at the moment at which it must.
    pub(crate) fn follow(&mut self, now: Now, transition: Transition) {
        let Transition { from, to, cause, .. } = transition;
        assert_eq!(from, Some(self.state), "a transition begins where the last one ended: {transition:?}");
        self.judge(now, transition);
        let was_active = self.is_active();
        self.state = to;
        match (was_active, self.is_active()) {
            (false, true) => self.active_since = Some(now.monotonic),
            (true, false) => self.stop_counting(now),
            _ => {}
        }
        self.retry = None;
        self.was_told = false;
        if cause == Cause::Resumed {
            self.active = Duration::ZERO;
            if matches!(from, Some(JobState::SUSPENDED | JobState::ERROR)) {
                self.failing = None;
            }
        }
        if to == JobState::TRANSIENT_ERROR {
            self.failing.get_or_insert(Failing::from(now));
            if matches!(cause, Cause::Failed(_)) {
                let delay = Duration::from_secs(self.number(Setting::MinimumRetryDelay).into());
                self.retry = Some(Retry { due: now.monotonic.plus(delay), wall: now.wall.plus(delay) });
            }
        }
    }

    fn judge(&self, now: Now, transition: Transition) {
        match transition.cause {
            Cause::RetryDelayOver => {
                let due = self.retry.expect("a retry was due").due;
                assert_eq!(now.monotonic, due, "the retry comes when its delay is over");
            }
            Cause::NoProgress => {
                let lasted = self.failing.expect("a job without progress").lasted(now);
                assert!(lasted >= self.timeout(), "given up after {lasted:?} of {:?}", self.timeout());
            }
            Cause::Failed(failure) => {
                let delay = self.number(Setting::MinimumRetryDelay);
                let timeout = self.number(Setting::NoProgressTimeout);
                let is_retried = failure.transient && timeout > 0 && delay <= timeout;
                let expected = if is_retried { JobState::TRANSIENT_ERROR } else { JobState::ERROR };
                assert_eq!(transition.to, expected, "{failure:?} with delay {delay} and timeout {timeout}");
            }
            Cause::DownloadTimeUsedUp => {
                let since = self.active_since.expect("an active job");
                let active = self.active + now.monotonic.since(since);
                assert!(active >= self.download_time(), "given up after {active:?} of {:?}", self.download_time());
            }
            Cause::Inactive => assert!(self.was_idle, "{}: not idle since {:?}", self.id, self.touched),
            _ => {}
        }
    }

    /// A deadline is reached: the policy may cancel the job if it has been idle for so long. After
    /// the clock was set back it may do so later.
    pub(crate) fn see_idleness(&mut self, now: Now, inactivity: Duration) {
        self.was_idle |= now.wall >= self.touched.plus(inactivity);
    }

    /// Its files are renamed or deleted: whoever wanted that, it is ending.
    pub(crate) fn see_end_begin(&mut self, now: Now) {
        assert!(self.is_ending || self.was_idle, "{}: nobody ends it", self.id);
        self.is_ending = true;
        self.stop_counting(now);
    }

    /// A client has changed it, or its bytes have moved.
    pub(crate) fn touch(&mut self, now: Now) {
        self.touched = now.wall;
        self.was_idle = false;
    }

    /// The run ends, though the state may still be shown.
    pub(crate) fn stop_counting(&mut self, now: Now) {
        if let Some(since) = self.active_since.take() {
            self.active += now.monotonic.since(since);
        }
    }

    /// Bytes have moved.
    pub(crate) fn made_progress(&mut self, now: Now) {
        self.failing = (self.state == JobState::TRANSIENT_ERROR).then(|| Failing::from(now));
    }

    /// Nothing that was due by now has been missed.
    pub(crate) fn see_timers(&self, now: Now) {
        if self.is_ending || self.was_idle {
            return;
        }
        if self.state == JobState::TRANSIENT_ERROR {
            if let Some(retry) = self.retry {
                assert!(retry.due > now.monotonic, "{}: a retry was due at {}", self.id, retry.due);
            }
            let lasted = self.failing.expect("a job in TRANSIENT_ERROR makes no progress").lasted(now);
            assert!(lasted < self.timeout(), "{}: no progress for {lasted:?} of {:?}", self.id, self.timeout());
        }
        if let Some(since) = self.active_since {
            let active = self.active + now.monotonic.since(since);
            let download_time = self.download_time();
            assert!(active < download_time, "{}: active for {active:?} of {download_time:?}", self.id);
        }
    }

    /// What a service finds that has just started of a job's secrets is what the last acknowledged call
    /// has left, or one after it; or they are lost, and nobody is told anything.
    pub(crate) fn see_credentials(&mut self, done: Turn, record: &JobRecord, are_lost: bool) {
        let found = record.secrets.as_ref().map(|secrets| &secrets.credentials).into_iter().flatten();
        let password = |login: &Login| login.password.as_ref().expect("a password").expose().to_owned();
        let found: Passwords = found.map(|((_, scheme), login)| (*scheme, password(login))).collect();
        let first = self.credentials.iter().rposition(|(turn, _)| *turn <= done).unwrap_or(0);
        let may_be = &self.credentials[first..];
        let is_known = may_be.iter().any(|(_, known)| *known == found) || (are_lost && found.is_empty());
        assert!(is_known, "{}: {found:?} is on record, not one of {may_be:?}", self.id);
        self.credentials = vec![(0, found)];
    }

    /// After a crash at which `done` actions were carried out, one of the values is on record that
    /// the last acknowledged call has set, or one after it.
    pub(crate) fn see_values(&self, done: Turn, found: &Values) {
        let first = self.values.iter().rposition(|(turn, _)| *turn <= done).unwrap_or(0);
        assert!(
            self.values[first..].iter().any(|(_, values)| values == found),
            "{}: {found:?} is not what the last calls have set: {:#?}",
            self.id,
            &self.values[first..]
        );
    }
}
