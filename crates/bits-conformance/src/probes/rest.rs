//! What probes share that let a job run: how it comes to rest, and what its server was asked.

use bits_origin::{Content, Gate, Journal, Origin, Request};

use super::prelude::*;
use crate::claims::Outcome;
use crate::control;

/// Where a job has come to rest: its state, and its error in an error state.
pub(super) struct Rest {
    pub(super) state: JobState,
    error: Option<(ErrorContext, Hresult)>,
}

impl Rest {
    /// Where a job is.
    pub(super) fn of(job: &Arc<dyn Job>) -> Result<Self, Stop> {
        let state = job.state()?;
        Ok(Self { state, error: if IN_TROUBLE.contains(&state) { error_of(job).ok() } else { None } })
    }

    /// Whether a machine on which no job gets its turn shows the same.
    fn may_be_the_machine(&self) -> bool {
        let tells_of_it = |(_, code): (_, Hresult)| control::advice(code).is_some();
        self.state == JobState::QUEUED || self.error.is_some_and(tells_of_it)
    }
}

/// The context only where it is not that of the remote file.
impl Tell for Rest {
    fn tell(&self) -> String {
        let state = state_name(self.state);
        match self.error {
            None => state,
            Some((ErrorContext::REMOTE_FILE, code)) => format!("{state} {}", code.tell()),
            Some((context, code)) => format!("{state} {} in {}", code.tell(), short_context(context)),
        }
    }
}

/// A state without what all have in common.
pub(super) fn state_name(state: JobState) -> String {
    state.to_string().trim_start_matches("BG_JOB_STATE_").to_owned()
}

fn short_context(context: ErrorContext) -> String {
    context.to_string().trim_start_matches("BG_ERROR_CONTEXT_").to_owned()
}

/// Lets the job come to rest. One that is still under way after a while is told as it is then, but not one
/// that waits where every job would: that is this machine, and no answer.
pub(super) fn rest(c: &Bench, job: &Arc<dyn Job>) -> Result<Rest, Stop> {
    c.rest(job)?;
    let rest = Rest::of(job)?;
    if rest.may_be_the_machine() {
        c.transfers(job.priority().unwrap_or(JobPriority::NORMAL))?;
    }
    Ok(rest)
}

/// Lets the job come to rest in one of `states`: what is asked after that needs it to be there.
pub(super) fn rest_in(c: &Bench, job: &Arc<dyn Job>, states: &[JobState]) -> Outcome {
    let rest = rest(c, job)?;
    if states.contains(&rest.state) { Ok(()) } else { failed(format!("the job came to rest in {}", rest.tell())) }
}

/// Where a job is whose transfer did not work.
pub(super) const IN_TROUBLE: [JobState; 2] = [JobState::ERROR, JobState::TRANSIENT_ERROR];

/// Resumes the job, lets it come to rest, and cancels it.
pub(super) fn ending(c: &Bench, job: &Arc<dyn Job>) -> Result<Rest, Stop> {
    job.resume()?;
    let rest = rest(c, job)?;
    // Whatever else it would do is not asked for.
    job.cancel()?;
    Ok(rest)
}

/// Serves `content` at `/file`, and downloads it at that priority.
pub(super) fn fetched(c: &Bench, origin: &Origin, content: Content, priority: JobPriority) -> Result<Rest, Stop> {
    origin.put("/file", content);
    ending(c, &c.job_for(&origin.url("/file"), priority)?)
}

/// A request in a word or three: the method, the path, and the range if one was asked for.
pub(super) fn in_words(request: &Request) -> String {
    let range = request.header("Range").map(|range| format!(" {range}")).unwrap_or_default();
    format!("{} {}{range}", request.method, request.path)
}

/// The requests, in order.
pub(super) struct Asked(Vec<String>);

impl Asked {
    pub(super) fn of(journal: &Journal) -> Self {
        Self(journal.iter().map(in_words).collect())
    }
}

impl Tell for Asked {
    fn tell(&self) -> String {
        if self.0.is_empty() { "nothing".to_owned() } else { self.0.join(", ") }
    }
}

/// Words that are told as they are.
pub(super) struct Texts(pub(super) Vec<String>);

impl Texts {
    /// A text of its own.
    pub(super) fn one(word: impl Into<String>) -> Self {
        Self(vec![word.into()])
    }

    pub(super) fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(words.into_iter().map(Into::into).collect())
    }
}

impl Tell for Texts {
    fn tell(&self) -> String {
        if self.0.is_empty() { "none".to_owned() } else { self.0.join(", ") }
    }
}

/// What a job asks for from the `first`-th request on, to go on after a break.
pub(super) fn goes_on(journal: &Journal, first: usize) -> Texts {
    let parts = journal.iter().skip(first).map(|request| match (request.method.as_str(), request.header("Range")) {
        ("GET", Some(range)) if !range.starts_with("bytes=0-") => "GET of the rest".to_owned(),
        ("GET", _) => "GET from the beginning".to_owned(),
        (method, _) => method.to_owned(),
    });
    let mut parts: Vec<_> = parts.collect();
    parts.dedup();
    Texts::new(if parts.is_empty() { vec!["no request".to_owned()] } else { parts })
}

/// Waits until a request is held at the gate.
pub(super) fn held(gate: &Gate) -> Outcome {
    gate.wait_reached(SOON).map(drop).map_err(|error| Stop::Failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use bits_api::{CostFlags, JobPropertyId, JobPropertyValue};
    use bits_service::Emulator;
    use bits_world::clock::Clock;
    use bits_world::{Network, World};

    use super::*;
    use crate::bench::Limits;
    use crate::provider::Provider;

    /// What is told of a job with these cost flags on such a machine.
    fn told(flags: CostFlags, change: impl FnOnce(&mut World)) -> Result<String, Stop> {
        let emulator = Emulator::builder().clock(Clock::system()).start().expect("the emulator");
        let manager = emulator.client("suite.exe").manager().expect("a manager");
        let bench = Bench::new(Limits::of(Arc::new(Provider::of_manager(manager))), None);
        let (job, _) = bench.job_with_file(10)?;
        job.job5()?.set_property(JobPropertyId::COST_FLAGS, JobPropertyValue::Dword(flags.bits()))?;
        emulator.change_world(change);
        Ok(ending(&bench, &job)?.tell())
    }

    #[test]
    fn what_only_that_job_meets_is_an_answer() {
        let told = told(CostFlags::ROAMING, |_| {});

        assert!(told.as_ref().is_ok_and(|told| told.contains("BG_E_BLOCKED_BY_COST_TRANSFER_POLICY")), "{told:?}");
    }

    #[test]
    fn what_every_job_on_this_machine_meets_is_none() {
        let told = told(CostFlags::all(), |world| world.network = Network::Disconnected);

        assert!(matches!(&told, Err(Stop::Failed(why)) if why.contains("a plain download")), "{told:?}");
    }
}
