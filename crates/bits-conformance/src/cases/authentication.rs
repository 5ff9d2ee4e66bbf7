//! Credentials where bytes move: who asks, who is told, and what becomes of the job.

use bits_api::{AuthCredentials, AuthScheme, AuthTarget, ProxyUsage};
use bits_origin::{Guard, Journal, Origin, Scheme};

use super::http::{bytes, content};
use super::prelude::*;

cases![
    a_server_that_asks_is_told,
    a_proxy_that_asks_is_told,
    nobody_is_told_who_does_not_ask,
    a_job_without_what_is_asked_for_fails_until_it_is_set,
    what_is_refused_is_the_error_of_the_job,
];

pub(super) const NAME: &str = r"EXAMPLE\alice";
pub(super) const PASSWORD: &str = "correct horse";

/// A server with a file that only Alice gets.
pub(super) fn guarded(c: &mut Bench, scheme: Scheme) -> Result<Arc<Origin>, Stop> {
    let origin = c.origin()?;
    c.trust_origin()?;
    origin.put("/file", content());
    origin.guard("*", guard(scheme));
    Ok(origin)
}

pub(super) fn guard(scheme: Scheme) -> Guard {
    Guard::new("vault").offers(scheme).knows(NAME, PASSWORD)
}

pub(super) fn set(job: &Arc<dyn Job>, target: AuthTarget, scheme: AuthScheme, password: &str) -> Outcome {
    let (user_name, password) = (Some(NAME), Some(password));
    job.job2()?.set_credentials(&AuthCredentials { target, scheme, user_name, password })?;
    Ok(())
}

/// A job, the open server that it is for, and the proxy that it goes through.
pub(super) type Behind = (Arc<dyn Job>, Arc<Origin>, Arc<Origin>);

/// A job for a file of an open server, by HTTP or HTTPS, behind a proxy with this guard.
pub(super) fn behind(c: &mut Bench, guard: Guard, is_https: bool) -> Result<Behind, Stop> {
    let origin = c.origin()?;
    c.trust_origin()?;
    origin.put("/file", content());
    let proxy = c.proxy()?;
    proxy.guard_proxy(guard);
    let url = if is_https { origin.https_url("/file") } else { origin.url("/file") };
    let job = c.job_for(&url, JobPriority::NORMAL)?;
    job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&proxy.address().to_string()), None)?;
    Ok((job, origin, proxy))
}

/// Status, and whether the client said who it is, of each request.
pub(super) fn exchange(journal: &Journal) -> Vec<(u16, bool)> {
    let has = |request: &bits_origin::Request| {
        request.header("Authorization").or_else(|| request.header("Proxy-Authorization")).is_some()
    };
    journal.iter().map(|request| (request.status.unwrap_or_default(), has(request))).collect()
}

fn a_server_that_asks_is_told(c: &mut Bench) -> Outcome {
    for is_https in [false, true] {
        c.start_over();
        let origin = guarded(c, Scheme::Basic)?;
        let url = if is_https { origin.https_url("/file") } else { origin.url("/file") };
        let job = c.job_for(&url, JobPriority::NORMAL)?;
        set(&job, AuthTarget::SERVER, AuthScheme::BASIC, PASSWORD)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        job.complete()?;
        c.holds("auth.schemes", "the file has the bytes of the server's", c.downloaded()? == bytes())?;
        // HEAD, and again; then GET at once, on the same connection.
        let seen = exchange(&origin.journal());
        c.is("auth.only_on_challenge", seen, vec![(401, false), (200, true), (206, true)])?;
    }
    Ok(())
}

fn a_proxy_that_asks_is_told(c: &mut Bench) -> Outcome {
    for is_https in [false, true] {
        c.start_over();
        let (job, origin, proxy) = behind(c, guard(Scheme::Basic), is_https)?;
        set(&job, AuthTarget::PROXY, AuthScheme::BASIC, PASSWORD)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        job.complete()?;
        c.holds("auth.schemes", "the file has the bytes of the server's", c.downloaded()? == bytes())?;
        let seen = exchange(&proxy.journal());
        let expected =
            if is_https { vec![(407, false), (200, true)] } else { vec![(407, false), (200, true), (206, true)] };
        c.is("auth.only_on_challenge", seen, expected)?;
        c.is("auth.only_on_challenge", exchange(&origin.journal()), vec![(200, false), (206, false)])?;
    }
    Ok(())
}

fn nobody_is_told_who_does_not_ask(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/file", content());
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    set(&job, AuthTarget::SERVER, AuthScheme::BASIC, PASSWORD)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("auth.no_challenge", exchange(&origin.journal()), vec![(200, false), (206, false)])
}

fn a_job_without_what_is_asked_for_fails_until_it_is_set(c: &mut Bench) -> Outcome {
    let records = [
        ("job2.set_credentials.missing", None),
        ("job2.set_credentials.scheme_mismatch", Some((AuthTarget::SERVER, AuthScheme::DIGEST))),
        ("job2.set_credentials.target_mismatch", Some((AuthTarget::PROXY, AuthScheme::BASIC))),
    ];
    for (clause, record) in records {
        c.start_over();
        let origin = guarded(c, Scheme::Basic)?;
        let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
        if let Some((target, scheme)) = record {
            set(&job, target, scheme, PASSWORD)?;
        }
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        c.is(clause, error_of(&job)?, (ErrorContext::REMOTE_FILE, Hresult::BG_E_HTTP_ERROR_401))?;
        c.is(clause, exchange(&origin.journal()), vec![(401, false)])?;
        set(&job, AuthTarget::SERVER, AuthScheme::BASIC, PASSWORD)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        c.is("job2.set_credentials.retry", job.state()?, JobState::TRANSFERRED)?;
    }
    Ok(())
}

fn what_is_refused_is_the_error_of_the_job(c: &mut Bench) -> Outcome {
    let origin = guarded(c, Scheme::Basic)?;
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    set(&job, AuthTarget::SERVER, AuthScheme::BASIC, "wrong")?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let clauses = ["job2.set_credentials.rejected", "job2.set_credentials.error_server"];
    c.is(clauses, error_of(&job)?.1, Hresult::BG_E_HTTP_ERROR_401)?;
    c.is(clauses, exchange(&origin.journal()), vec![(401, false), (401, true)])
}
