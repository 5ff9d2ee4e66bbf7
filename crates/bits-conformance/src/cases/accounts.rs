//! Accounts on the wire: what of a job's credentials reaches whom, and what is told of it.

use bits_api::{AuthCredentials, AuthScheme, AuthTarget, ProxyUsage, SecurityFlags};
use bits_origin::{Fault, Guard, Journal, Origin, Rule, Scheme};
use bits_service::{Judged, LogEvent};
use bits_world::Profile;

use super::authentication::behind;
use super::http::{bytes, content};
use super::prelude::*;

cases![
    basic_shows_name_and_password_to_whoever_listens,
    an_account_may_be_of_a_domain_or_of_the_server,
    the_service_keeps_its_own_copy,
    a_job_needs_what_is_asked_for,
    which_scheme_failed_is_not_told,
    a_server_that_never_asks_is_told_nothing,
    the_credentials_of_a_url_answer_its_server,
    the_credentials_of_a_job_go_before_those_of_the_url,
    the_credentials_of_a_url_can_be_switched_off,
    credentials_stay_with_the_server_that_was_named,
    credentials_stay_with_the_server_also_where_the_name_moves,
    credentials_can_be_let_go_along_with_redirects,
    credentials_accepted_and_refused_are_events,
    credentials_refused_by_a_proxy_are_events,
    removed_credentials_are_not_used_any_more,
    a_null_that_a_server_wants_is_transient,
];

const NAME: &str = r"EXAMPLE\alice";
const PASSWORD: &str = "correct horse";
/// Both as Basic sends them.
const AS_BASIC: &str = "Basic RVhBTVBMRVxhbGljZTpjb3JyZWN0IGhvcnNl";

/// A server with a file that only Alice gets.
fn guarded(c: &mut Bench) -> Result<Arc<Origin>, Stop> {
    let origin = c.origin()?;
    c.trust_origin()?;
    origin.put("/file", content());
    origin.guard("/file", guard());
    Ok(origin)
}

fn guard() -> Guard {
    Guard::new("vault").offers(Scheme::Basic).knows(NAME, PASSWORD)
}

fn set(job: &Arc<dyn Job>, target: AuthTarget, login: (&str, &str)) -> Outcome {
    let (user_name, password) = (Some(login.0), Some(login.1));
    job.job2()?.set_credentials(&AuthCredentials { target, scheme: AuthScheme::BASIC, user_name, password })?;
    Ok(())
}

fn job_for_alice(c: &Bench, url: &str) -> Result<Arc<dyn Job>, Stop> {
    let job = c.job_for(url, JobPriority::NORMAL)?;
    set(&job, AuthTarget::SERVER, (NAME, PASSWORD))?;
    Ok(job)
}

/// Whom the requests came from, as far as they were let through, and whether they said so at all.
fn accounts(journal: &Journal) -> Vec<Option<String>> {
    journal.iter().map(|request| request.account.clone()).collect()
}

fn said_who(journal: &Journal) -> usize {
    journal.iter().filter(|request| request.header("Authorization").is_some()).count()
}

const UNKNOWN: (ErrorContext, Hresult) = (ErrorContext::REMOTE_FILE, Hresult::BG_E_HTTP_ERROR_401);

fn basic_shows_name_and_password_to_whoever_listens(c: &mut Bench) -> Outcome {
    for is_https in [false, true] {
        c.start_over();
        let origin = guarded(c)?;
        origin.journal_credentials();
        let url = if is_https { origin.https_url("/file") } else { origin.url("/file") };
        let job = job_for_alice(c, &url)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        // Whoever reads plain HTTP reads just this; HTTPS is advice, not a rule.
        let journal = origin.journal();
        let shown: Vec<_> =
            journal.iter().filter_map(|request| request.header("Authorization").map(str::to_owned)).collect();
        let clauses = [
            "auth.scheme.basic.clear_text",
            "auth.scheme.basic.https_advice",
            "auth.basic_https",
            "auth.basic_credentials.password.plain",
        ];
        let as_it_is = vec![AS_BASIC.to_owned(); 2];
        c.is(clauses, shown.clone(), as_it_is.clone())?;
        if !is_https {
            c.is("job2.set_credentials.no_channel_protection", shown, as_it_is)?;
        }
    }
    // A proxy that asks is shown the same; the server behind it is not.
    c.start_over();
    let (origin, proxy) = (c.origin()?, c.proxy()?);
    origin.put("/file", content());
    origin.journal_credentials();
    proxy.journal_credentials();
    proxy.guard_proxy(guard());
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&proxy.address().to_string()), None)?;
    set(&job, AuthTarget::PROXY, (NAME, PASSWORD))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let shown = |journal: Journal| -> Vec<String> {
        journal.iter().filter_map(|request| request.header("Proxy-Authorization").map(str::to_owned)).collect()
    };
    let as_it_is = vec![AS_BASIC.to_owned(); 2];
    c.is("auth.scheme.basic.clear_text", (shown(proxy.journal()), shown(origin.journal())), (as_it_is, vec![]))?;
    // Nobody has proved to be the server that is meant: whoever answers at its address is told.
    c.start_over();
    let other = guarded(c)?;
    let job = job_for_alice(c, &other.url("/file").replace("127.0.0.1", "localhost"))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("job2.set_credentials.no_channel_protection", said_who(&other.journal()), 2)
}

fn an_account_may_be_of_a_domain_or_of_the_server(c: &mut Bench) -> Outcome {
    let forms = [
        ("auth.basic_credentials.user_name.domain_form", r"EXAMPLE\alice"),
        ("auth.basic_credentials.user_name.server_form", r"WEBSERVER\alice"),
    ];
    // Basic sends the name as it is; with the others the server looks at what stands before the name.
    let schemes = [
        (Scheme::Basic, AuthScheme::BASIC),
        (Scheme::Ntlm, AuthScheme::NTLM),
        (Scheme::Negotiate, AuthScheme::NEGOTIATE),
    ];
    for ((clause, name), (offered, scheme)) in forms.into_iter().flat_map(|form| schemes.map(|scheme| (form, scheme))) {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", content());
        origin.guard("*", Guard::new("vault").offers(offered).knows(name, PASSWORD));
        let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
        let (target, user_name, password) = (AuthTarget::SERVER, Some(name), Some(PASSWORD));
        job.clone().job2()?.set_credentials(&AuthCredentials { target, scheme, user_name, password })?;
        job.resume()?;
        c.settle()?;
        let last = accounts(&origin.journal()).last().cloned().flatten();
        c.is(clause, (job.state()?, last), (JobState::TRANSFERRED, Some(name.to_owned())))?;
    }
    Ok(())
}

fn the_service_keeps_its_own_copy(c: &mut Bench) -> Outcome {
    let origin = guarded(c)?;
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    let buffers = [NAME, PASSWORD].map(str::to_owned);
    set(&job, AuthTarget::SERVER, (&buffers[0], &buffers[1]))?;
    // The very buffers that the call was given.
    for buffer in buffers {
        buffer.into_bytes().fill(0);
    }
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let alice = Some(NAME.to_owned());
    c.is("auth.basic_credentials.caller_may_clear", accounts(&origin.journal()), vec![None, alice.clone(), alice])
}

fn a_job_needs_what_is_asked_for(c: &mut Bench) -> Outcome {
    let origin = guarded(c)?;
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.is("auth.set_by_set_credentials", error_of(&job)?, UNKNOWN)?;
    set(&job, AuthTarget::SERVER, (NAME, PASSWORD))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("auth.set_by_set_credentials", accounts(&origin.journal()).last().cloned(), Some(Some(NAME.to_owned())))
}

fn which_scheme_failed_is_not_told(c: &mut Bench) -> Outcome {
    let origin = guarded(c)?;
    let mut told = Vec::new();
    for wrong in [vec![AuthScheme::BASIC], vec![AuthScheme::DIGEST], vec![AuthScheme::BASIC, AuthScheme::DIGEST]] {
        let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
        for scheme in wrong {
            let (target, user_name, password) = (AuthTarget::SERVER, Some(NAME), Some("wrong"));
            job.job2()?.set_credentials(&AuthCredentials { target, scheme, user_name, password })?;
        }
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        let error = job.error()?;
        told.push((error.error()?, error.description(LanguageId(0x0409))?));
        job.cancel()?;
    }
    let first = told[0].clone();
    c.is("job2.set_credentials.failed_scheme_unknown", first.0, UNKNOWN)?;
    c.is("job2.set_credentials.failed_scheme_unknown", told, vec![first; 3])
}

fn a_server_that_never_asks_is_told_nothing(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/file", content());
    // Anonymous users may come in, and this one file is not for them.
    c.follow(Rule::on("/file").fault(Fault::Status { code: 403, retry_after: None }))?;
    let job = job_for_alice(c, &origin.url("/file"))?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let denied = (ErrorContext::REMOTE_FILE, Hresult::BG_E_HTTP_ERROR_403);
    c.is(["auth.anonymous_wins", "auth.anonymous_acl"], error_of(&job)?, denied)?;
    c.is(["auth.anonymous_wins", "auth.anonymous_acl"], (origin.journal().len(), said_who(&origin.journal())), (1, 0))
}

/// The URL with name and password in it.
fn with_account(url: &str, account: &str) -> String {
    url.replacen("://", &format!("://{account}@"), 1)
}

fn the_credentials_of_a_url_answer_its_server(c: &mut Bench) -> Outcome {
    let origin = guarded(c)?;
    origin.put("/open", content());
    let job = c.new_job()?;
    for (path, name) in [("/open", "open.bin"), ("/file", "file.bin")] {
        job.add_file(Some(&with_account(&origin.url(path), "EXAMPLE%5Calice:correct%20horse")), Some(&c.local(name)))?;
    }
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let clauses = ["auth.url_embedded", "auth.url_userinfo"];
    c.is(clauses, said_who(&origin.journal().requests_to("/open")), 0)?;
    let alice = Some(NAME.to_owned());
    c.is(clauses, accounts(&origin.journal().requests_to("/file")), vec![None, alice.clone(), alice])
}

fn the_credentials_of_a_job_go_before_those_of_the_url(c: &mut Bench) -> Outcome {
    let clauses = ["auth.url_embedded", "auth.url_userinfo"];
    for (in_url, in_job, passes) in [("wrong", PASSWORD, true), ("correct%20horse", "wrong", false)] {
        c.start_over();
        let origin = guarded(c)?;
        let url = with_account(&origin.url("/file"), &format!("EXAMPLE%5Calice:{in_url}"));
        let job = c.job_for(&url, JobPriority::NORMAL)?;
        set(&job, AuthTarget::SERVER, (NAME, in_job))?;
        job.resume()?;
        c.wait(&job, if passes { JobState::TRANSFERRED } else { JobState::ERROR }, SOON)?;
        c.is(clauses, accounts(&origin.journal()).get(1).cloned(), Some(passes.then(|| NAME.to_owned())))?;
    }
    Ok(())
}

fn the_credentials_of_a_url_can_be_switched_off(c: &mut Bench) -> Outcome {
    c.decide("http.url_credentials", "ignored")?;
    let origin = guarded(c)?;
    let url = with_account(&origin.url("/file"), "EXAMPLE%5Calice:correct%20horse");
    let job = c.job_for(&url, JobPriority::NORMAL)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.is("auth.url_embedded", (error_of(&job)?, said_who(&origin.journal())), (UNKNOWN, 0))
}

/// A job of Alice's for `/short` of one server, which sends to `/file` of another that asks.
fn redirected_job(c: &mut Bench) -> Result<(Arc<dyn Job>, Arc<Origin>), Stop> {
    let origin = c.origin()?;
    let other = c.proxy()?;
    other.put("/file", content());
    other.guard("*", guard());
    c.redirect("/short", 302, &other.url("/file"))?;
    Ok((job_for_alice(c, &origin.url("/short"))?, other))
}

fn credentials_stay_with_the_server_that_was_named(c: &mut Bench) -> Outcome {
    // Another port is another server.
    let (job, other) = redirected_job(c)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.is("auth.target.server", (error_of(&job)?, said_who(&other.journal())), (UNKNOWN, 0))?;
    // And so is another scheme; back at the server that was named they are told again.
    c.start_over();
    let origin = guarded(c)?;
    c.redirect("/short", 302, &origin.https_url("/file"))?;
    let job = job_for_alice(c, &origin.url("/short"))?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.is("auth.target.server", (error_of(&job)?, said_who(&origin.journal())), (UNKNOWN, 0))?;
    c.start_over();
    let (origin, other) = (guarded(c)?, c.proxy()?);
    c.redirect("/short", 302, &other.url("/back"))?;
    let back = Fault::Header("Location".to_owned(), origin.url("/file"));
    let status = Fault::Status { code: 302, retry_after: None };
    other.script(bits_origin::Script::new().rule(Rule::on("/back").fault(status).fault(back)));
    let job = job_for_alice(c, &origin.url("/short"))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("auth.target.server", (said_who(&other.journal()), said_who(&origin.journal()) > 0), (0, true))
}

fn credentials_can_be_let_go_along_with_redirects(c: &mut Bench) -> Outcome {
    c.decide("http_options.redirect_with_credentials", "sent")?;
    let (job, other) = redirected_job(c)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("auth.target.server", accounts(&other.journal()).last().cloned(), Some(Some(NAME.to_owned())))?;
    // But never over HTTP where HTTPS was meant.
    c.start_over();
    c.decide("http_options.redirect_with_credentials", "sent")?;
    let origin = guarded(c)?;
    c.redirect("/short", 302, &origin.url("/file"))?;
    let job = job_for_alice(c, &origin.https_url("/short"))?;
    job.http_options()?.set_security_flags(SecurityFlags::REDIRECT_POLICY_ALLOW_HTTPS_TO_HTTP)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.is("auth.target.server", (error_of(&job)?, said_who(&origin.journal())), (UNKNOWN, 0))
}

/// The events about credentials.
fn judgements(c: &Bench) -> Result<Vec<LogEvent>, Stop> {
    Ok(c.events()?.into_iter().filter(|event| [203, 204].contains(&event.id())).collect())
}

fn credentials_accepted_and_refused_are_events(c: &mut Bench) -> Outcome {
    let cases = [
        ("event.credentials_accepted", PASSWORD, JobState::TRANSFERRED, 203),
        ("event.credentials_refused", "wrong", JobState::ERROR, 204),
    ];
    for (clause, password, state, number) in cases {
        c.start_over();
        let origin = guarded(c)?;
        let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
        set(&job, AuthTarget::SERVER, (NAME, password))?;
        job.resume()?;
        c.wait(&job, state, SOON)?;
        let judged = Judged { server: "127.0.0.1".into(), name: job_name().into(), url: origin.url("/file") };
        let is_accepted = password == PASSWORD;
        let expected =
            if is_accepted { LogEvent::CredentialsAccepted(judged) } else { LogEvent::CredentialsRefused(judged) };
        let found = judgements(c)?;
        c.value(clause, found.first().map_or(0, |event| u32::from(event.id())))?;
        c.is(clause, found.iter().map(LogEvent::id).collect(), vec![number])?;
        c.holds(clause, &format!("the event is {expected:?}, not {found:?}"), found == [expected])?;
    }
    // Whoever was not asked, or had nothing to say, is not judged; older versions tell nothing.
    c.start_over();
    let origin = guarded(c)?;
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.holds("event.credentials_refused", "nobody was refused", judgements(c)?.is_empty())?;
    c.start_over();
    c.play(Profile::V2_5)?;
    let origin = guarded(c)?;
    let job = job_for_alice(c, &origin.url("/file"))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.holds("event.credentials_accepted", "nothing is told before 3.0", judgements(c)?.is_empty())
}

fn credentials_refused_by_a_proxy_are_events(c: &mut Bench) -> Outcome {
    for is_https in [false, true] {
        for (password, number) in [(PASSWORD, 203), ("wrong", 204)] {
            c.start_over();
            let (job, _, _proxy) = behind(c, guard(), is_https)?;
            set(&job, AuthTarget::PROXY, (NAME, password))?;
            job.resume()?;
            c.wait(&job, if number == 203 { JobState::TRANSFERRED } else { JobState::ERROR }, SOON)?;
            let clause = if number == 203 { "event.credentials_accepted" } else { "event.credentials_refused" };
            c.is(clause, judgements(c)?.iter().map(LogEvent::id).collect(), vec![number])?;
            if number == 204 {
                c.returns("job2.set_credentials.error_proxy", error_of(&job)?.1)?;
            }
        }
    }
    Ok(())
}

fn removed_credentials_are_not_used_any_more(c: &mut Bench) -> Outcome {
    let origin = guarded(c)?;
    let job = job_for_alice(c, &origin.url("/file"))?;
    let removed = job.job2()?.remove_credentials(AuthTarget::SERVER, AuthScheme::BASIC);
    c.returns("job2.remove_credentials.ok", removed)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.is("job2.remove_credentials.ok", (error_of(&job)?, said_who(&origin.journal())), (UNKNOWN, 0))?;
    set(&job, AuthTarget::SERVER, (NAME, PASSWORD))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    c.holds("job2.set_credentials.retry", "the file has the bytes of the server's", c.downloaded()? == bytes())
}

fn a_null_that_a_server_wants_is_transient(c: &mut Bench) -> Outcome {
    let asks = |c: &Bench| {
        let challenge = Fault::Header("WWW-Authenticate".to_owned(), "Passport1.4 ct=1,ver=2.1".to_owned());
        c.follow(Rule::on("/file").fault(Fault::Status { code: 401, retry_after: None }).fault(challenge))
    };
    for (profile, state) in [(Profile::V3_0, JobState::TRANSIENT_ERROR), (Profile::V2_5, JobState::ERROR)] {
        c.start_over();
        c.play(profile)?;
        c.decide("job2.set_credentials.missing_members", "stored")?;
        let origin = c.origin()?;
        origin.put("/file", content());
        asks(c)?;
        let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
        let (target, scheme) = (AuthTarget::SERVER, AuthScheme::PASSPORT);
        job.job2()?.set_credentials(&AuthCredentials { target, scheme, user_name: Some(NAME), password: None })?;
        job.resume()?;
        c.wait(&job, state, SOON)?;
        let code = error_of(&job)?.1;
        if state == JobState::TRANSIENT_ERROR {
            c.returns("failure.null_credentials_wrong_scheme", code)?;
        } else {
            c.is("failure.null_credentials_wrong_scheme", code, Hresult::BG_E_HTTP_ERROR_401)?;
        }
    }
    // Where nobody asks they are not needed.
    c.start_over();
    c.decide("job2.set_credentials.missing_members", "stored")?;
    let origin = c.origin()?;
    origin.put("/file", content());
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    let (target, scheme) = (AuthTarget::SERVER, AuthScheme::PASSPORT);
    job.job2()?.set_credentials(&AuthCredentials { target, scheme, user_name: None, password: None })?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("failure.null_credentials_wrong_scheme", job.state()?, JobState::TRANSFERRED)
}
fn credentials_stay_with_the_server_also_where_the_name_moves(c: &mut Bench) -> Outcome {
    let (job, other) = redirected_job(c)?;
    job.http_options()?.set_security_flags(SecurityFlags::REDIRECT_POLICY_ALLOW_REPORT)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.is("auth.target.server", urls(&job)?, vec![other.url("/file")])?;
    let id = job.id()?;
    // The next attempt goes straight there, where the client has never sent it.
    for restart in [false, true] {
        if restart {
            c.restart_service()?;
        }
        let job = c.find(id)?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        c.is("auth.target.server", (error_of(&job)?, said_who(&other.journal())), (UNKNOWN, 0))?;
    }
    // Until it does.
    let job = c.find(id)?;
    first_file(&job)?.file2()?.set_remote_name(Some(&other.url("/file")))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("auth.target.server", said_who(&other.journal()) > 0, true)
}
