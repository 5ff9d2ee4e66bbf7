//! The engine as a whole: what it holds, what it is told, what it wants done.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bits_wire::attempt::AttemptId;
use bits_world::clock::Monotonic;

use crate::jobs::Jobs;
use crate::peer_cache::PeerCache;
use crate::schedule::Ready;
use crate::scramble::Scramble;
use crate::temporary::Temporary;
use crate::timers::{Timer, Timers};
use crate::users::UserNo;
use crate::visits::Counted;
use crate::world::Facts;
use crate::{Action, Change, Config, Cx, Event, FileIndex, JobKey, Ticket};

/// The queue of jobs and everything that decides about it.
///
/// Four kinds of doors: calls of clients (the methods that take a caller), [`Engine::handle`] for
/// what happens outside, [`Engine::poll`] for what is to be done, [`Engine::next_deadline`] for
/// when to look again. The module documentation of the crate tells the rules between them.
#[derive(Debug)]
pub struct Engine {
    pub(crate) config: Config,
    pub(crate) scramble: Option<Scramble>,
    pub(crate) jobs: Jobs,
    pub(crate) timers: Timers,
    pub(crate) ready: Ready,
    /// The job that holds the one place for jobs that run one at a time.
    pub(crate) slot: Option<JobKey>,
    /// The world as of the last look at it.
    pub(crate) facts: Facts,
    /// How many changes of the world's sessions were looked after.
    pub(crate) sessions_seen: u64,
    /// Attempts that have not ended.
    pub(crate) attempts: BTreeMap<Counted<AttemptId>, JobKey>,
    /// Actions whose outcome is awaited.
    pub(crate) tickets: BTreeMap<Counted<Ticket>, Awaited>,
    /// Temporary files of all jobs in the queue.
    pub(crate) temporaries: BTreeSet<Counted<Temporary>>,
    pub(crate) peer_cache: PeerCache,
    pub(crate) numbers: Numbers,
    actions: VecDeque<Action>,
}

/// What an outcome belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Awaited {
    Publish(JobKey, FileIndex),
    Delete(JobKey, FileIndex),
    /// A callback, or an object to be made for one.
    Notify {
        job: JobKey,
        user: UserNo,
    },
    Command(JobKey),
}

/// The next number of each kind; none is given twice.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    pub(crate) job: u64,
    pub(crate) attempt: u64,
    pub(crate) chain: u64,
    pub(crate) ticket: u64,
    pub(crate) call: u64,
    pub(crate) turn: u64,
}

/// Takes a number.
pub(crate) fn take(next: &mut u64) -> u64 {
    let number = *next;
    *next += 1;
    number
}

impl Engine {
    /// An engine with an empty queue.
    pub fn new(config: Config) -> Self {
        Self {
            scramble: config.scramble.map(Scramble::new),
            config,
            jobs: Jobs::default(),
            timers: Timers::default(),
            ready: Ready::default(),
            slot: None,
            facts: Facts::default(),
            sessions_seen: 0,
            attempts: BTreeMap::new(),
            tickets: BTreeMap::new(),
            temporaries: BTreeSet::new(),
            peer_cache: PeerCache::default(),
            numbers: Numbers::default(),
            actions: VecDeque::new(),
        }
    }

    /// Takes in what happened outside. Reports of attempts that are no longer theirs and outcomes
    /// of actions that nobody waits for are ignored.
    pub fn handle(&mut self, cx: Cx<'_>, event: Event) {
        self.observe(cx);
        match event {
            Event::Attempt(attempt, report) => self.attempt_reports(cx, attempt, report),
            // It was looked at above, like before every event.
            Event::WorldChanged => {}
            Event::Deadline => self.deadline(cx),
            Event::Stopping => self.keep_all_scattered(),
            Event::Published(ticket, outcome) => {
                if let Some(Awaited::Publish(job, file)) = self.tickets.remove(&Counted(ticket)) {
                    self.published(cx, job, file, outcome);
                }
            }
            Event::Deleted(ticket, outcome) => {
                if let Some(Awaited::Delete(job, file)) = self.tickets.remove(&Counted(ticket)) {
                    self.deleted(cx, job, file, outcome);
                }
            }
            Event::Notified(ticket, outcome) => {
                if let Some(Awaited::Notify { job, user }) = self.tickets.remove(&Counted(ticket)) {
                    self.notified(cx, job, user, ticket, outcome);
                }
            }
            Event::Activated(ticket, made) => {
                if let Some(Awaited::Notify { job, user }) = self.tickets.remove(&Counted(ticket)) {
                    self.activated(cx, job, user, ticket, made);
                }
            }
            Event::CommandEnded(ticket, outcome) => {
                if let Some(Awaited::Command(job)) = self.tickets.remove(&Counted(ticket)) {
                    self.command_ended(cx, job, ticket, outcome);
                }
            }
        }
        self.schedule(cx);
    }

    /// The next thing to be done, in the order in which it has to happen; `None` when everything
    /// was handed out.
    pub fn poll(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Event::Deadline`] is due. Never before the last moment that the engine was told; it
    /// may have passed already.
    pub fn next_deadline(&self) -> Option<Monotonic> {
        [self.timers.next(), self.idle_deadline(), self.facts.limits_end(), self.cache_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    fn deadline(&mut self, cx: Cx<'_>) {
        while let Some((job, timer)) = self.timers.pop_due(cx.now.monotonic) {
            match timer {
                Timer::RetryDelay => self.retry_delay_over(cx, job),
                Timer::NoProgress => self.judge_progress(cx, job),
                Timer::SliceEnd => self.slice_end(cx, job),
                Timer::DownloadTime => self.download_time_over(cx, job),
                Timer::NotifyRetry => self.notify_retry(job),
                Timer::GivingUp => self.give_up_due(cx, job),
                Timer::NotifyInterval => self.pump_notices(job),
            }
        }
        self.cancel_inactive(cx);
        self.remove_aged(cx);
    }

    pub(crate) fn push(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    /// Puts a job on record as it is now.
    pub(crate) fn persist_job(&mut self, key: JobKey) {
        let job = &self.jobs[key];
        let owner = self.jobs.users.get(job.owner).sid.as_str();
        let record = Box::new(job.record(owner));
        self.push(Action::Persist(Change::Job(record)));
    }

    /// Puts a file on record as it is now.
    pub(crate) fn persist_file(&mut self, key: JobKey, place: usize) {
        let job = &self.jobs[key];
        let mut record = Box::new(job.files[place].record(key, place));
        if job.is_direct() && !job.has_all_files() {
            record.forget_progress();
        }
        self.push(Action::Persist(Change::File(record)));
    }

    /// A ticket for an action whose outcome is awaited.
    pub(crate) fn ticket(&mut self, awaited: Awaited) -> Ticket {
        let ticket = Ticket(take(&mut self.numbers.ticket));
        self.tickets.insert(Counted(ticket), awaited);
        ticket
    }
}
