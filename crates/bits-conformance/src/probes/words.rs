//! What probes share that write down several things, a job at a time: the names of codes, where
//! jobs end, and what their server was asked.

use std::fmt::Display;

use bits_api::{HttpOptions, JobPriority, SecurityFlags};
use bits_origin::{Content, Gate, Journal, Origin, Request};

use super::prelude::*;
use super::rest::{Texts, held, rest};
use super::seen::Tell;
use crate::claims::{CallResult, Outcome};

/// What was seen, in the order in which it was.
#[derive(Default)]
pub(super) struct Notes(Seen);

impl Notes {
    /// Writes down what came of `what`.
    pub(super) fn add(&mut self, what: impl Display, came: impl Display) {
        self.0 = std::mem::take(&mut self.0).and(&what.to_string(), Texts::one(came.to_string()));
    }

    pub(super) fn told(self) -> Seen {
        self.0
    }
}

/// The whole answer of a probe that asks for one thing.
pub(super) fn only(came: String) -> Answer {
    seen(Texts::one(came))
}

/// The name of the code that a call gave.
pub(super) fn named(result: impl CallResult) -> String {
    result.code().tell()
}

/// Lets the job come to rest; gives its state and its error, whose context is named where it is not
/// the remote file.
pub(super) fn end(c: &Bench, job: &Arc<dyn Job>) -> Result<String, Stop> {
    Ok(rest(c, job)?.tell())
}

/// Resumes the job and lets it come to rest.
pub(super) fn run(c: &Bench, job: &Arc<dyn Job>) -> Result<String, Stop> {
    match job.resume() {
        Ok(_) => end(c, job),
        refused => Ok(format!("Resume {}", named(refused))),
    }
}

/// Resumes the job, and waits until its transfer is held at the gate.
pub(super) fn reach(c: &Bench, job: &Arc<dyn Job>, gate: &Gate) -> Outcome {
    job.resume()?;
    c.wait(job, JobState::TRANSFERRING, SOON)?;
    held(gate)
}

/// A suspended foreground job for one file, with this local name.
pub(super) fn job_for(c: &Bench, url: &str, name: &str) -> Result<Arc<dyn Job>, Stop> {
    let job = c.new_job()?;
    job.set_priority(JobPriority::FOREGROUND)?;
    job.add_file(Some(url), Some(&c.local(&format!("{name}.bin"))))?;
    Ok(job)
}

/// Lets a job take the certificate of an origin, which nobody trusts.
pub(super) fn trusting(job: &Arc<dyn Job>) -> Result<Arc<dyn HttpOptions>, Stop> {
    let options = job.http_options()?;
    options.set_security_flags(SecurityFlags::IGNORE_UNKNOWN_CA)?;
    Ok(options)
}

/// An origin with a file of so many bytes at `/file`.
pub(super) fn origin(c: &mut Bench, size: usize) -> Result<Arc<Origin>, Stop> {
    let origin = c.origin()?;
    origin.put("/file", bytes(size));
    Ok(origin)
}

pub(super) fn bytes(size: usize) -> Content {
    Content::bytes(vec![7; size])
}

/// A job whose only file is there, after Complete.
pub(super) fn completed(c: &mut Bench) -> Result<Arc<dyn Job>, Stop> {
    let origin = c.origin()?;
    let job = c.download(&origin, bytes(1_000), JobPriority::FOREGROUND, JobState::TRANSFERRED)?;
    job.complete()?;
    Ok(job)
}

/// A job after Cancel.
pub(super) fn cancelled(c: &Bench) -> Result<Arc<dyn Job>, Stop> {
    let job = c.new_job()?;
    job.cancel()?;
    Ok(job)
}

/// Each request in words of its own.
pub(super) fn each(journal: &Journal, words: impl Fn(&Request) -> String) -> String {
    list(journal.iter().map(words))
}

/// The requests after the first so many.
pub(super) fn since(origin: &Origin, before: usize) -> Journal {
    origin.journal().select("since then", |request| request.number > before)
}

/// Method and range of each request.
pub(super) fn asked(journal: &Journal) -> String {
    each(journal, |request| match request.header("Range") {
        Some(range) => format!("{} {range}", request.method),
        None => request.method.clone(),
    })
}

/// Of each request the method, the scheme by which the client said who it is, and the status.
pub(super) fn exchange(journal: &Journal) -> String {
    each(journal, |request| {
        let shown = request.header("Authorization").or_else(|| request.header("Proxy-Authorization"));
        let scheme = shown.and_then(|shown| shown.split(' ').next()).map(|scheme| format!(" with {scheme}"));
        format!("{}{} {}", request.method, scheme.unwrap_or_default(), status(request))
    })
}

/// The status of the answer to a request.
pub(super) fn status(request: &Request) -> String {
    request.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string())
}

/// How many connections the requests came on.
pub(super) fn connections(journal: &Journal) -> usize {
    journal.iter().map(|request| request.connection).collect::<std::collections::BTreeSet<_>>().len()
}

/// With commas between them.
pub(super) fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.collect();
    if items.is_empty() { "nothing".to_owned() } else { items.join(", ") }
}

/// A text between quotes, or NULL.
pub(super) fn quoted(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), |text| format!("{text:?}"))
}

pub(super) fn yes(it_is: bool) -> &'static str {
    if it_is { "yes" } else { "no" }
}
