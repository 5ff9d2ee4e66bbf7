//! Attempts that a test lets fail or holds, before they come to whoever moves the bytes.
//!
//! Works the same over real and simulated transfers, and needs no server: an attempt that is to
//! fail in the connection, or is held, never leaves this layer.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bits_api::{ErrorContext, Guid, Hresult};
use bits_wire::attempt::{
    AttemptEnd, AttemptId, AttemptPlan, AttemptReport, ChainId, Failure, Mover, Reports, Validators,
};

/// A failure that an attempt is to have: see [`Emulator::fail_next`](crate::Emulator::fail_next).
#[derive(Clone, Debug)]
#[must_use]
pub struct Fault {
    failure: Failure,
    at: Option<u64>,
    url: Option<String>,
    job: Option<Guid>,
}

impl Fault {
    /// The next attempt of any job fails with `code` in `context` before it connects, and trying
    /// again is of no use: the job goes to ERROR.
    ///
    /// # Panics
    /// For a success code, which no attempt fails with.
    pub fn new(code: Hresult, context: ErrorContext) -> Self {
        assert!(code.is_failure(), "an attempt cannot fail with {code}");
        Self { failure: Failure { code, context, transient: false }, at: None, url: None, job: None }
    }

    /// Trying again may help: the job goes to TRANSIENT_ERROR.
    pub fn transient(mut self) -> Self {
        self.failure.transient = true;
        self
    }

    /// The attempt fails as soon as so many bytes of the file are there, at the latest when all
    /// are.
    pub fn at(mut self, bytes: u64) -> Self {
        self.at = Some(bytes);
        self
    }

    /// Only an attempt at this remote name fails.
    pub fn of_url(mut self, url: &str) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Only an attempt of this job fails.
    pub fn of_job(mut self, job: Guid) -> Self {
        self.job = Some(job);
        self
    }

    fn meets(&self, job: Option<Guid>, plan: &AttemptPlan) -> bool {
        self.url.as_ref().is_none_or(|url| *url == plan.url) && (self.job.is_none() || self.job == job)
    }
}

/// Where the attempts of a job are held.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hold {
    /// Nobody has answered.
    Connecting,
    /// The server has told of the file; so many bytes of it are there.
    Transferring { validators: Validators, have: u64 },
}

/// What a test has ordered; outlives restarts of the service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Arc<Mutex<Orders>>);

#[derive(Debug, Default)]
struct Orders {
    /// In the order in which they are used up.
    faults: Vec<Fault>,
    holds: HashMap<Guid, Hold>,
}

impl Faults {
    pub(crate) fn add(&self, fault: Fault) {
        lock(&self.0).faults.push(fault);
    }

    pub(crate) fn hold(&self, job: Guid, hold: Hold) {
        lock(&self.0).holds.insert(job, hold);
    }

    /// Holds the job no more.
    pub(crate) fn let_go(&self, job: Guid) -> Option<Hold> {
        lock(&self.0).holds.remove(&job)
    }

    fn take(&self, job: Option<Guid>, plan: &AttemptPlan) -> Option<Fault> {
        let faults = &mut lock(&self.0).faults;
        faults.iter().position(|fault| fault.meets(job, plan)).map(|place| faults.remove(place))
    }

    fn put_back(&self, fault: Fault) {
        lock(&self.0).faults.insert(0, fault);
    }

    fn hold_of(&self, job: Option<Guid>) -> Option<Hold> {
        job.and_then(|job| lock(&self.0).holds.get(&job).copied())
    }
}

/// The mover of one run of the service: whatever is not ordered otherwise goes on to `inner`.
pub(crate) struct FaultLayer {
    inner: Arc<dyn Mover>,
    faults: Faults,
    held: Mutex<BTreeMap<AttemptId, Held>>,
    /// Of the attempts that are to fail later, and of some that have ended.
    due: Mutex<Vec<Arc<Mutex<Due>>>>,
}

struct Held {
    job: Option<Guid>,
    plan: AttemptPlan,
    reports: Reports,
}

impl FaultLayer {
    pub(crate) fn new(inner: Arc<dyn Mover>, faults: Faults) -> Self {
        Self { inner, faults, held: Mutex::default(), due: Mutex::default() }
    }

    /// Begins an attempt of `job`.
    pub(crate) fn start(&self, job: Option<Guid>, plan: AttemptPlan, reports: Reports) {
        let attempt = plan.attempt;
        // Under the lock: whoever lets go either finds the attempt here or has taken the hold away.
        let mut held = lock(&self.held);
        if let Some(hold) = self.faults.hold_of(job) {
            held.insert(attempt, Held { job, plan, reports: Arc::clone(&reports) });
            // Still under it: what goes on for real reports later than this.
            if let Hold::Transferring { validators, have } = hold {
                reports(attempt, AttemptReport::Connected { validators, have });
            }
            return;
        }
        drop(held);
        match self.faults.take(job, &plan) {
            None => self.inner.start(plan, reports),
            Some(Fault { failure, at: None, .. }) => {
                reports(attempt, AttemptReport::Ended(AttemptEnd::Failed(failure)));
            }
            Some(fault @ Fault { at: Some(at), .. }) => self.start_to_fail(fault, at, plan, reports),
        }
    }

    /// Begins an attempt that is stopped and fails once `at` bytes are there.
    fn start_to_fail(&self, fault: Fault, at: u64, plan: AttemptPlan, reports: Reports) {
        let (inner, faults) = (Arc::downgrade(&self.inner), self.faults.clone());
        let due = Arc::new(Mutex::new(Due::Waiting(fault)));
        let mut all = lock(&self.due);
        all.retain(|due| !matches!(*lock(due), Due::Over));
        all.push(Arc::clone(&due));
        drop(all);
        let watched: Reports = Arc::new(move |attempt, report| {
            let come_to = match &report {
                AttemptReport::Connected { have, .. }
                | AttemptReport::SessionOpen { have, .. }
                | AttemptReport::Progress { have } => *have >= at,
                AttemptReport::Answered(_)
                | AttemptReport::Redirected { .. }
                | AttemptReport::CredentialsJudged { .. }
                | AttemptReport::Ended(_) => false,
            };
            let strikes = come_to && lock(&due).strike();
            match report {
                AttemptReport::Ended(end) => {
                    let end = lock(&due).end(end, &faults);
                    reports(attempt, AttemptReport::Ended(end));
                }
                report => reports(attempt, report),
            }
            if strikes && let Some(inner) = inner.upgrade() {
                inner.stop(attempt);
            }
        });
        self.inner.start(plan, watched);
    }

    pub(crate) fn proceed(&self, attempt: AttemptId) {
        if !lock(&self.held).contains_key(&attempt) {
            self.inner.proceed(attempt);
        }
    }

    pub(crate) fn stop(&self, attempt: AttemptId) {
        let held = lock(&self.held).remove(&attempt);
        match held {
            Some(Held { reports, .. }) => reports(attempt, AttemptReport::Ended(AttemptEnd::Stopped)),
            None => self.inner.stop(attempt),
        }
    }

    pub(crate) fn limit(&self, attempt: AttemptId, limit: Option<u32>) {
        if let Some(held) = lock(&self.held).get_mut(&attempt) {
            held.plan.limit = limit;
        } else {
            self.inner.limit(attempt, limit);
        }
    }

    pub(crate) fn release(&self, chain: ChainId) {
        self.inner.release(chain);
    }

    pub(crate) fn shut_down(&self) {
        lock(&self.held).clear();
        self.inner.shut_down();
        // Nobody reports any more that those attempts have ended.
        for due in std::mem::take(&mut *lock(&self.due)).iter().rev() {
            lock(due).give_up(&self.faults);
        }
    }

    /// What moves by itself; a held attempt does not.
    pub(crate) fn running(&self) -> Option<String> {
        self.inner.running()
    }

    /// The attempts of `job` are held no more: those that were go on for real.
    pub(crate) fn let_go(&self, job: Guid) {
        let hold = self.faults.let_go(job);
        let released: Vec<Held> =
            lock(&self.held).extract_if(.., |_, held| held.job == Some(job)).map(|(_, held)| held).collect();
        for Held { mut plan, reports, .. } in released {
            if let Some(Hold::Transferring { validators, .. }) = hold {
                plan.known = Some(validators);
            }
            self.inner.start(plan, reports);
        }
    }
}

/// Whether an ordered failure has happened.
enum Due {
    Waiting(Fault),
    /// The bytes are there: the attempt is being stopped.
    Struck(Failure),
    Over,
}

impl Due {
    /// The bytes are there; whether they were not before.
    fn strike(&mut self) -> bool {
        match std::mem::replace(self, Self::Over) {
            Self::Waiting(fault) => {
                *self = Self::Struck(fault.failure);
                true
            }
            other => {
                *self = other;
                false
            }
        }
    }

    /// The attempt is no more: what it has not come to, the next one may.
    fn give_up(&mut self, faults: &Faults) {
        if let Self::Waiting(fault) = std::mem::replace(self, Self::Over) {
            faults.put_back(fault);
        }
    }

    /// What the end of the attempt is told as.
    fn end(&mut self, end: AttemptEnd, faults: &Faults) -> AttemptEnd {
        match (std::mem::replace(self, Self::Over), end) {
            (Self::Struck(failure), _)
            | (Self::Waiting(Fault { failure, .. }), AttemptEnd::Done | AttemptEnd::Uploaded { .. }) => {
                AttemptEnd::Failed(failure)
            }
            // It did not come so far: the next one may.
            (Self::Waiting(fault), end) => {
                faults.put_back(fault);
                end
            }
            (Self::Over, end) => end,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use bits_wire::attempt::{Fetch, Identities, Urgency, Vetting, Work};
    use bits_wire::certificates::Certificates;
    use bits_wire::proxy::Proxying;
    use bits_world::Sid;

    use super::*;

    /// Writes down the limits that attempts begin with.
    #[derive(Default)]
    struct Limits(Mutex<Vec<Option<u32>>>);

    impl Mover for Limits {
        fn start(&self, plan: AttemptPlan, _reports: Reports) {
            lock(&self.0).push(plan.limit);
        }

        fn proceed(&self, _attempt: AttemptId) {}

        fn limit(&self, _attempt: AttemptId, _limit: Option<u32>) {}

        fn stop(&self, _attempt: AttemptId) {}

        fn release(&self, _chain: ChainId) {}

        fn shut_down(&self) {}

        fn running(&self) -> Option<String> {
            None
        }
    }

    fn plan() -> AttemptPlan {
        AttemptPlan {
            attempt: AttemptId(1),
            chain: ChainId(1),
            work: Work::Download,
            url: "http://host/a".to_owned(),
            local: "/a".into(),
            identities: Identities { local: Sid::of_account(1), network: Sid::of_account(1) },
            fetch: Fetch::default(),
            proxying: Proxying::default(),
            urgency: Urgency::Background,
            limit: None,
            custom_headers: None,
            logins: Arc::default(),
            certificates: Certificates::default(),
            vetting: Vetting::Unwanted,
            known: None,
        }
    }

    #[test]
    fn an_attempt_that_was_held_goes_on_at_the_speed_that_it_may_have_by_then() {
        let (inner, faults, job) = (Arc::new(Limits::default()), Faults::default(), Guid::default());
        let layer = FaultLayer::new(Arc::<Limits>::clone(&inner), faults.clone());
        faults.hold(job, Hold::Connecting);
        layer.start(Some(job), plan(), Arc::new(|_, _| ()));

        layer.limit(AttemptId(1), Some(8));
        layer.let_go(job);

        assert_eq!(*lock(&inner.0), [Some(8)]);
    }
}
