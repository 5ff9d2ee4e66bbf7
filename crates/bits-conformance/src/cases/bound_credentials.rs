//! NTLM and Negotiate: several messages, by which one connection becomes known.

use bits_api::{AuthCredentials, AuthScheme, AuthTarget, ProxyUsage};
use bits_origin::{Guard, Journal, Origin, Scheme, Slip};

use super::authentication::behind;
use super::http::{bytes, content};
use super::prelude::*;

cases![
    a_connection_is_known_once_its_user_is,
    a_connection_through_a_proxy_is_known_too,
    a_proxy_and_a_server_may_both_ask,
    a_wrong_password_is_refused_once,
    an_exchange_whose_connection_ends_begins_anew,
    an_exchange_that_never_ends_is_given_up,
    a_challenge_that_makes_no_sense_is_refused,
    a_server_that_does_not_know_the_password_is_not_believed,
];

const NAME: &str = r"EXAMPLE\alice";
const PASSWORD: &str = "correct horse";

const BOTH: [(Scheme, AuthScheme); 2] = [(Scheme::Ntlm, AuthScheme::NTLM), (Scheme::Negotiate, AuthScheme::NEGOTIATE)];

/// What lets Alice pass, and over HTTPS only where she means this very server.
fn guard(scheme: Scheme) -> Guard {
    Guard::new("vault").offers(scheme).knows(NAME, PASSWORD).wants_binding()
}

fn guarded(c: &mut Bench, guard: Guard) -> Result<Arc<Origin>, Stop> {
    let origin = c.origin()?;
    c.trust_origin()?;
    origin.put("/file", content());
    origin.put("/other", content());
    origin.guard("*", guard);
    Ok(origin)
}

fn set(job: &Arc<dyn Job>, target: AuthTarget, scheme: AuthScheme, password: &str) -> Outcome {
    let (user_name, password) = (Some(NAME), Some(password));
    job.job2()?.set_credentials(&AuthCredentials { target, scheme, user_name, password })?;
    Ok(())
}

fn url(origin: &Origin, path: &str, is_https: bool) -> String {
    if is_https { origin.https_url(path) } else { origin.url(path) }
}

/// Status, whether the client said who it is, and the number of the connection, counted from the
/// first one.
fn exchange(journal: &Journal) -> Vec<(u16, bool, u64)> {
    let first = journal.iter().map(|request| request.connection).min().unwrap_or_default();
    let has = |request: &bits_origin::Request| {
        request.header("Authorization").or_else(|| request.header("Proxy-Authorization")).is_some()
    };
    journal.iter().map(|one| (one.status.unwrap_or_default(), has(one), one.connection - first)).collect()
}

/// The exchange that lets one in.
fn let_in(refusal: u16) -> Vec<(u16, bool, u64)> {
    vec![(refusal, false, 0), (refusal, true, 0), (200, true, 0)]
}

fn a_connection_is_known_once_its_user_is(c: &mut Bench) -> Outcome {
    for (scheme, record) in BOTH {
        for is_https in [false, true] {
            c.start_over();
            let origin = guarded(c, guard(scheme))?;
            let job = c.job_for(&url(&origin, "/file", is_https), JobPriority::NORMAL)?;
            job.add_file(Some(&url(&origin, "/other", is_https)), Some(&c.local("other.bin")))?;
            set(&job, AuthTarget::SERVER, record, PASSWORD)?;
            job.resume()?;
            c.wait(&job, JobState::TRANSFERRED, SOON)?;
            job.complete()?;
            let claims = ["auth.schemes", "auth.scheme.supported_set", "auth.basic_credentials.user_name.domain_form"];
            c.holds(claims, "the file has the bytes of the server's", c.downloaded()? == bytes())?;
            // HEAD, three times; then GET, and all of the next file, in the name of the connection.
            let rest = [(206, false, 0), (200, false, 0), (206, false, 0)];
            let expected = [let_in(401), rest.to_vec()].concat();
            c.is("auth.only_on_challenge", exchange(&origin.journal()), expected)?;
        }
    }
    Ok(())
}

fn a_connection_through_a_proxy_is_known_too(c: &mut Bench) -> Outcome {
    for (scheme, record) in BOTH {
        for is_https in [false, true] {
            c.start_over();
            let (job, _, proxy) = behind(c, guard(scheme), is_https)?;
            set(&job, AuthTarget::PROXY, record, PASSWORD)?;
            job.resume()?;
            c.wait(&job, JobState::TRANSFERRED, SOON)?;
            job.complete()?;
            c.holds("auth.schemes", "the file has the bytes of the server's", c.downloaded()? == bytes())?;
            // What goes through a tunnel is not seen; without one, GET goes to the proxy as HEAD did.
            let rest = if is_https { vec![] } else { vec![(206, false, 0)] };
            c.is("auth.only_on_challenge", exchange(&proxy.journal()), [let_in(407), rest].concat())?;
        }
    }
    Ok(())
}

fn a_proxy_and_a_server_may_both_ask(c: &mut Bench) -> Outcome {
    let origin = guarded(c, guard(Scheme::Negotiate))?;
    let proxy = c.proxy()?;
    proxy.guard_proxy(guard(Scheme::Ntlm));
    let job = c.job_for(&origin.https_url("/file"), JobPriority::NORMAL)?;
    job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&proxy.address().to_string()), None)?;
    set(&job, AuthTarget::PROXY, AuthScheme::NTLM, PASSWORD)?;
    set(&job, AuthTarget::SERVER, AuthScheme::NEGOTIATE, PASSWORD)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("auth.only_on_challenge", exchange(&proxy.journal()), let_in(407))?;
    let expected = [let_in(401), vec![(206, false, 0)]].concat();
    c.is("auth.only_on_challenge", exchange(&origin.journal()), expected)
}

fn a_wrong_password_is_refused_once(c: &mut Bench) -> Outcome {
    for (scheme, record) in BOTH {
        c.start_over();
        let origin = guarded(c, guard(scheme))?;
        let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
        set(&job, AuthTarget::SERVER, record, "wrong")?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        let claims = ["job2.set_credentials.rejected", "job2.set_credentials.error_server"];
        c.is(claims, error_of(&job)?.1, Hresult::BG_E_HTTP_ERROR_401)?;
        let expected = vec![(401, false, 0), (401, true, 0), (401, true, 0)];
        c.is("job2.set_credentials.rejected", exchange(&origin.journal()), expected)?;
        set(&job, AuthTarget::SERVER, record, PASSWORD)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        c.is("job2.set_credentials.retry", job.state()?, JobState::TRANSFERRED)?;
    }
    Ok(())
}

/// The exchange with a server that ends its first connection after so many answers.
fn broken_after(answers: usize) -> Vec<(u16, bool, u64)> {
    let anew = let_in(401).into_iter().map(|(status, said, _)| (status, said, 1));
    let_in(401).into_iter().take(answers).chain(anew).chain([(206, false, 1)]).collect()
}

fn an_exchange_whose_connection_ends_begins_anew(c: &mut Bench) -> Outcome {
    // Who was asked, and has said nothing yet, says it on the next connection at once.
    let closed_when_asking = vec![(401, false, 0), (401, true, 1), (200, true, 1), (206, false, 1)];
    let slips = [
        (Slip::ClosesWhenAsking, closed_when_asking),
        (Slip::ClosesAfterChallenge, broken_after(2)),
        (Slip::HangsUp, broken_after(2)),
    ];
    for (scheme, record) in BOTH {
        for (slip, expected) in &slips {
            c.start_over();
            let origin = guarded(c, guard(scheme).slips(*slip, 1))?;
            let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
            set(&job, AuthTarget::SERVER, record, PASSWORD)?;
            job.resume()?;
            c.wait(&job, JobState::TRANSFERRED, SOON)?;
            c.is("auth.only_on_challenge", exchange(&origin.journal()), expected.clone())?;
        }
    }
    Ok(())
}

fn an_exchange_that_never_ends_is_given_up(c: &mut Bench) -> Outcome {
    for slip in [Slip::ClosesAfterChallenge, Slip::HangsUp] {
        for is_proxys in [false, true] {
            c.start_over();
            let bad = guard(Scheme::Ntlm).slips(slip, u32::MAX);
            let (origin, proxy) = (c.origin()?, c.proxy()?);
            c.trust_origin()?;
            origin.put("/file", content());
            let (asks, target, code) = if is_proxys {
                proxy.guard_proxy(bad);
                (&proxy, AuthTarget::PROXY, Hresult::BG_E_HTTP_ERROR_407)
            } else {
                origin.guard("*", bad);
                (&origin, AuthTarget::SERVER, Hresult::BG_E_HTTP_ERROR_401)
            };
            let job = c.job_for(&origin.https_url("/file"), JobPriority::NORMAL)?;
            job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&proxy.address().to_string()), None)?;
            set(&job, target, AuthScheme::NTLM, PASSWORD)?;
            job.resume()?;
            c.wait(&job, JobState::ERROR, SOON)?;
            let claim =
                if is_proxys { "job2.set_credentials.error_proxy" } else { "job2.set_credentials.error_server" };
            c.is(claim, error_of(&job)?.1, code)?;
            // Four times two requests, and a last one that says nothing.
            let seen = exchange(&asks.journal()).into_iter().filter(|(status, ..)| *status != 200).count();
            c.is("job2.set_credentials.rejected", seen, 9)?;
        }
    }
    Ok(())
}

fn a_challenge_that_makes_no_sense_is_refused(c: &mut Bench) -> Outcome {
    for (slip, expected) in [
        (Slip::Lies, vec![(401, false, 0), (401, true, 0)]),
        (Slip::Forgets, vec![(401, false, 0), (401, true, 0), (401, true, 0)]),
    ] {
        c.start_over();
        let origin = guarded(c, guard(Scheme::Ntlm).slips(slip, u32::MAX))?;
        let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
        set(&job, AuthTarget::SERVER, AuthScheme::NTLM, PASSWORD)?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        c.is("job2.set_credentials.rejected", error_of(&job)?.1, Hresult::BG_E_HTTP_ERROR_401)?;
        c.is("job2.set_credentials.rejected", exchange(&origin.journal()), expected)?;
    }
    Ok(())
}

fn a_server_that_does_not_know_the_password_is_not_believed(c: &mut Bench) -> Outcome {
    let origin = guarded(c, guard(Scheme::Negotiate).slips(Slip::SignsWrongly, u32::MAX))?;
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    set(&job, AuthTarget::SERVER, AuthScheme::NEGOTIATE, PASSWORD)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.is("job2.set_credentials.rejected", error_of(&job)?.1, Hresult::ERROR_WINHTTP_LOGIN_FAILURE)
}
