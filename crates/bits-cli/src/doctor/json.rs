//! What was found, for a program: one JSON object.

use bits_api::SIZE_UNKNOWN;
use bits_wire::attempt::Failure;
use serde::Serialize;

use super::Report;
use super::checks::{Finding, Outcome, Severity, policies};
use super::evidence::Evidence;
use super::play::{Exchange, Play};
use crate::Doing;

#[derive(Serialize)]
struct Object<'a> {
    url: &'a str,
    library: &'a str,
    server: Option<String>,
    /// Whether every job that counts would download the file.
    content: bool,
    jobs: Vec<Job>,
    checks: Vec<Check<'a>>,
    /// Empty where there are none.
    redirect_policies: Vec<Policy>,
    requests: Vec<Request>,
}

#[derive(Serialize)]
struct Job {
    #[serde(rename = "job")]
    name: &'static str,
    /// Whether `content` depends on it.
    counts: bool,
    state: &'static str,
    size: Option<u64>,
    /// For a job after a break: whether it goes on where it was.
    goes_on: bool,
    error: Option<Error>,
}

#[derive(Serialize)]
struct Error {
    hresult: String,
    name: Option<String>,
    text: Option<String>,
    context: String,
    transient: bool,
}

#[derive(Serialize)]
struct Check<'a> {
    #[serde(rename = "check")]
    name: &'static str,
    result: &'static str,
    text: &'a str,
    failures: Vec<Failed>,
    mend_server: Option<&'static str>,
    mend_client: Option<&'static str>,
}

#[derive(Serialize)]
struct Failed {
    job: &'static str,
    #[serde(flatten)]
    error: Error,
}

#[derive(Serialize)]
struct Policy {
    #[serde(rename = "policy")]
    name: &'static str,
    remote_name: Option<String>,
    error: Option<Error>,
}

#[derive(Serialize)]
struct Request {
    /// The job that it is part of; a further question where there is none.
    job: Option<&'static str>,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    status: Option<u16>,
    version: Option<String>,
    answer: Vec<(String, String)>,
    fault: Option<Error>,
}

/// Headers of an answer that are told; the others may hold secrets, and decide nothing.
const TOLD: [&str; 19] = [
    "accept-ranges",
    "age",
    "cf-cache-status",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "etag",
    "last-modified",
    "location",
    "proxy-authenticate",
    "retry-after",
    "server",
    "transfer-encoding",
    "via",
    "www-authenticate",
    "x-cache",
];

/// The text that goes to stdout.
///
/// # Errors
/// Those of serde, which cannot happen here.
pub(super) fn render(report: &Report) -> Result<String, crate::Failure> {
    let server = report.evidence.server();
    let object = Object {
        url: &report.url,
        library: report.library,
        content: report.is_content(),
        jobs: report.evidence.plays.iter().map(job).collect(),
        checks: report.findings.iter().map(|finding| check(finding, server.as_deref())).collect(),
        redirect_policies: policies(&report.evidence).into_iter().map(policy).collect(),
        requests: requests(&report.evidence),
        server,
    };
    let mut text = serde_json::to_string_pretty(&object).doing("cannot write JSON")?;
    text.push('\n');
    Ok(text)
}

fn job(play: &Play) -> Job {
    Job {
        name: play.part.name(),
        counts: play.part.counts(),
        state: match play.end {
            Ok(_) => "TRANSFERRED",
            Err(failure) if failure.transient => "TRANSIENT_ERROR",
            Err(_) => "ERROR",
        },
        size: play.end.ok().flatten().map(|known| known.size).filter(|size| *size != SIZE_UNKNOWN),
        goes_on: play.goes_on,
        error: play.end.err().map(error),
    }
}

fn error(failure: Failure) -> Error {
    Error {
        hresult: format!("0x{:08X}", failure.code.0),
        name: failure.code.name().map(Into::into),
        text: failure.code.text().map(Into::into),
        context: failure.context.to_string(),
        transient: failure.transient,
    }
}

fn check<'a>(finding: &'a Finding, server: Option<&str>) -> Check<'a> {
    let mend = finding.cure.map(|cure| cure.told(server));
    Check {
        name: finding.topic.name(),
        result: match finding.severity {
            Severity::NotAsked => "not asked",
            Severity::Fine => "ok",
            Severity::Warning => "warning",
            Severity::Failure => "failure",
        },
        text: &finding.text,
        failures: finding
            .failures
            .iter()
            .map(|(part, failure)| Failed { job: part.name(), error: error(*failure) })
            .collect(),
        mend_server: mend.map(|(server, _)| server),
        mend_client: mend.map(|(_, client)| client).filter(|client| !client.is_empty()),
    }
}

fn policy(outcome: Outcome) -> Policy {
    let Outcome { policy, end } = outcome;
    Policy { name: policy, error: end.as_ref().err().copied().map(error), remote_name: end.ok() }
}

fn requests(evidence: &Evidence) -> Vec<Request> {
    let of_jobs = evidence.plays.iter().flat_map(|play| {
        let job = Some(play.part.name());
        play.exchanges.iter().map(move |exchange| request(job, exchange))
    });
    of_jobs.chain(evidence.further().map(|exchange| request(None, exchange))).collect()
}

fn request(job: Option<&'static str>, exchange: &Exchange) -> Request {
    let sent = exchange.request.headers.iter();
    Request {
        job,
        method: exchange.request.method.to_string(),
        url: exchange.url(),
        headers: sent
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        status: exchange.status(),
        version: exchange.reply.as_ref().ok().map(|reply| format!("{:?}", reply.version)),
        answer: TOLD.iter().filter_map(|name| Some(((*name).to_owned(), exchange.header(name)?))).collect(),
        fault: exchange.reply.as_ref().err().map(|fault| error(fault.failure())),
    }
}
