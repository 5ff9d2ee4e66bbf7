//! The sample that sets server credentials, call by call: scheme, name and password given by name, a
//! callback that completes the job, and the job gone from the queue.

use std::sync::{Mutex, PoisonError};

use bits_api::{AuthCredentials, AuthScheme, AuthTarget};
use bits_origin::{Digest, GateAt, Guard, Origin, Passport, Scheme};
use bits_world::Account;

use super::http::{bytes, content};
use super::prelude::*;

cases![
    a_named_scheme_brings_the_file_and_the_job_leaves_the_queue,
    a_member_signs_in_and_the_job_leaves_the_queue,
    the_word_null_is_whoever_runs_the_sample,
    a_scheme_of_no_name_reaches_nobody,
    a_call_that_fails_leaves_no_job_behind,
    refused_credentials_leave_the_job_in_error,
    a_proxy_that_asks_is_told_nothing,
    a_complete_that_fails_leaves_the_job_in_the_queue,
    a_job_that_takes_too_long_is_cancelled,
];

const NAME: &str = r"EXAMPLE\alice";
const PASSWORD: &str = "correct horse";

/// The sample's table.
const SCHEME_NAMES: [(&str, AuthScheme); 5] = [
    ("basic", AuthScheme::BASIC),
    ("digest", AuthScheme::DIGEST),
    ("ntlm", AuthScheme::NTLM),
    ("negotiate", AuthScheme::NEGOTIATE),
    ("passport", AuthScheme::PASSPORT),
];

/// The sample's GetScheme.
fn scheme_of(name: &str) -> Option<AuthScheme> {
    SCHEME_NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, scheme)| *scheme)
}

/// What the sample is given: scheme, user name and password.
type Given<'a> = (&'a str, &'a str, &'a str);

/// The job that the sample has resumed, or what stopped it before.
type Begun = Result<Arc<dyn Job>, Hresult>;

/// The sample up to its wait, with this callback; `None` for a scheme that has no such name.
fn sample(
    c: &Bench,
    url: &str,
    (scheme, user_name, password): Given<'_>,
    callback: &Arc<Recorder>,
) -> Result<Option<Begun>, Stop> {
    let Some(scheme) = scheme_of(scheme) else { return Ok(None) };
    let word = |word| Some(word).filter(|word: &&str| !word.eq_ignore_ascii_case("NULL"));
    let credentials =
        AuthCredentials { target: AuthTarget::SERVER, scheme, user_name: word(user_name), password: word(password) };
    let CreatedJob { job, .. } = c.manager()?.create_job(Some(job_name()), JobType::DOWNLOAD)?;
    let set_up = || {
        job.set_notify_interface(Some(callback.object()))?;
        job.set_notify_flags(NotifyFlags::JOB_TRANSFERRED | NotifyFlags::JOB_ERROR)?;
        job.clone().job2()?.set_credentials(&credentials)?;
        job.add_file(Some(url), Some(&c.local("download.bin")))?;
        job.resume()
    };
    Ok(Some(match set_up() {
        Ok(_) => Ok(job),
        Err(code) => {
            job.cancel()?;
            Err(code)
        }
    }))
}

/// The sample's callback: completes what is transferred, looks at what has failed, and succeeds
/// whatever comes of it.
fn callback() -> Arc<Recorder> {
    callback_that_names(Arc::default())
}

/// The same; it writes down the names of jobs that have failed.
fn callback_that_names(names: Arc<Mutex<Vec<String>>>) -> Arc<Recorder> {
    Recorder::acting(move |job| {
        if job.state()? == JobState::TRANSFERRED {
            _ = job.complete();
        } else {
            names.lock().unwrap_or_else(PoisonError::into_inner).push(job.display_name()?);
        }
        Ok(Success::OK)
    })
}

fn started(c: &Bench, url: &str, given: Given<'_>, callback: &Arc<Recorder>) -> Result<Arc<dyn Job>, Stop> {
    match sample(c, url, given, callback)? {
        Some(job) => Ok(job?),
        None => failed("the sample does not know the scheme"),
    }
}

/// A server with a file that only Alice gets, by this scheme.
fn guarded(c: &mut Bench, scheme: Scheme) -> Result<Arc<Origin>, Stop> {
    let origin = c.origin()?;
    origin.put("/file", content());
    origin.guard("/file", Guard::new("vault").offers(scheme).knows(NAME, PASSWORD));
    Ok(origin)
}

fn in_queue(c: &Bench) -> Result<u32, Stop> {
    Ok(c.queue()?.enum_jobs(EnumJobsFlags::empty())?.count()?)
}

fn a_named_scheme_brings_the_file_and_the_job_leaves_the_queue(c: &mut Bench) -> Outcome {
    let schemes = [
        (Scheme::Basic, ["basic", "BASIC"]),
        (Scheme::Digest(Digest::new()), ["digest", "DiGeSt"]),
        (Scheme::Ntlm, ["ntlm", "NTLM"]),
        (Scheme::Negotiate, ["negotiate", "Negotiate"]),
    ];
    for (scheme, names) in schemes {
        for name in names {
            c.start_over();
            let origin = guarded(c, scheme)?;
            let callback = callback();
            let job = started(c, &origin.url("/file"), (name, NAME, PASSWORD), &callback)?;
            c.wait(&job, JobState::ACKNOWLEDGED, SOON)?;
            c.settle()?;
            let clauses = ["auth.sample.scheme_names", "auth.sample.success_sequence", "auth.sample.complete_removes"];
            c.is(clauses, callback.methods(), vec!["JobTransferred"])?;
            c.is(clauses, in_queue(c)?, 0)?;
            c.holds(clauses, "the file has the bytes of the server's", c.downloaded()? == bytes())?;
            let by = origin.journal().iter().filter_map(|request| request.account.clone()).collect::<Vec<_>>();
            c.is("auth.sample.scheme_names", by.last().cloned(), Some(NAME.to_owned()))?;
        }
    }
    Ok(())
}

fn a_member_signs_in_and_the_job_leaves_the_queue(c: &mut Bench) -> Outcome {
    const MEMBER: &str = "user1@example.com";
    for name in ["passport", "PassPort"] {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", content());
        origin.guard_by_passport("/file*", Passport::new("Test.Net").knows(MEMBER, PASSWORD));
        let nexus = bits_world::Passport::nexus(&origin.url(Passport::NEXUS));
        c.set_passport(nexus.map_err(|error| Stop::Failed(error.to_string()))?)?;
        let callback = callback();
        let job = started(c, &origin.url("/file"), (name, MEMBER, PASSWORD), &callback)?;
        c.wait(&job, JobState::ACKNOWLEDGED, SOON)?;
        c.settle()?;
        let clauses = [
            "auth.sample.scheme_names",
            "auth.sample.success_sequence",
            "auth.basic_credentials.user_name.passport_form",
        ];
        c.is(clauses, (callback.methods(), in_queue(c)?), (vec!["JobTransferred"], 0))?;
        c.holds(clauses, "the file has the bytes of the server's", c.downloaded()? == bytes())?;
    }
    Ok(())
}

fn the_word_null_is_whoever_runs_the_sample(c: &mut Bench) -> Outcome {
    for word in ["NULL", "null", "Null"] {
        c.start_over();
        let origin = guarded(c, Scheme::Ntlm)?;
        let account = Account::new("EXAMPLE", "alice", PASSWORD).map_err(|error| Stop::Failed(error.to_string()))?;
        let user = c.own_token()?.user;
        c.change_accounts(|accounts| accounts.log_on_as(user, account))?;
        let job = started(c, &origin.url("/file"), ("ntlm", word, word), &callback())?;
        c.wait(&job, JobState::ACKNOWLEDGED, SOON)?;
        let by = origin.journal().iter().filter_map(|request| request.account.clone()).collect::<Vec<_>>();
        c.is("auth.sample.null_literal", by.last().cloned(), Some(NAME.to_owned()))?;
    }
    Ok(())
}

fn a_scheme_of_no_name_reaches_nobody(c: &mut Bench) -> Outcome {
    for name in ["kerberos", "", "basic ", "1"] {
        let refused = sample(c, "http://nowhere.invalid/file", (name, NAME, PASSWORD), &callback())?;
        c.is("auth.sample.scheme_names", (refused.is_none(), in_queue(c)?), (true, 0))?;
    }
    Ok(())
}

fn a_call_that_fails_leaves_no_job_behind(c: &mut Bench) -> Outcome {
    let failing = [
        ("http://server/file", ("basic", "NULL", PASSWORD), Hresult::E_INVALIDARG),
        ("http://server/file", ("digest", NAME, "null"), Hresult::E_INVALIDARG),
        ("no url at all", ("basic", NAME, PASSWORD), Hresult::E_INVALIDARG),
    ];
    for (url, given, code) in failing {
        let refused = sample(c, url, given, &callback())?.map(|job| job.map(drop));
        let code_given = refused.and_then(Result::err);
        c.is("auth.sample.cancel_on_failure", (code_given, in_queue(c)?), (Some(code), 0))?;
    }
    Ok(())
}

fn refused_credentials_leave_the_job_in_error(c: &mut Bench) -> Outcome {
    let origin = guarded(c, Scheme::Basic)?;
    let names: Arc<Mutex<Vec<String>>> = Arc::default();
    let callback = callback_that_names(Arc::clone(&names));
    let job = started(c, &origin.url("/file"), ("basic", NAME, "wrong"), &callback)?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.settle()?;
    c.is("auth.sample.error_leaves_job", callback.methods(), vec!["JobError"])?;
    let text = job.error()?.description(LanguageId::ENGLISH_US)?;
    let told = callback.told().into_iter().map(|told| match told {
        Told::Error { text, .. } => text,
        told => format!("{told:?}"),
    });
    c.is("auth.sample.error_report", told.collect(), vec![text])?;
    let names = names.lock().unwrap_or_else(PoisonError::into_inner).clone();
    c.is("auth.sample.error_report", names, vec![job_name().to_owned()])?;
    let id = job.id()?;
    c.end_client()?;
    c.advance(MINUTE * 15)?;
    let found = c.another_client()?.manager()?.job(id)?.state()?;
    c.is("auth.sample.error_leaves_job", found, JobState::ERROR)
}

fn a_proxy_that_asks_is_told_nothing(c: &mut Bench) -> Outcome {
    let origin = guarded(c, Scheme::Basic)?;
    let proxy = c.proxy()?;
    proxy.guard_proxy(Guard::new("way out").offers(Scheme::Basic).knows(NAME, PASSWORD));
    c.set_own_proxies(bits_world::InternetSettings::proxies(proxy.address().to_string()))?;
    let job = started(c, &origin.url("/file"), ("basic", NAME, PASSWORD), &callback())?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.returns("auth.sample.server_target_only", error_of(&job)?.1)?;
    let told = proxy.journal().iter().filter(|request| request.header("Proxy-Authorization").is_some()).count();
    c.is("auth.sample.server_target_only", told, 0)
}

fn a_complete_that_fails_leaves_the_job_in_the_queue(c: &mut Bench) -> Outcome {
    let origin = guarded(c, Scheme::Basic)?;
    let callback = callback();
    let job = started(c, &origin.url("/file"), ("basic", NAME, PASSWORD), &callback)?;
    c.harm("download.bin", StorageFault::InUse)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.settle()?;
    c.is(
        "auth.sample.complete_failure",
        (callback.methods(), job.state()?),
        (vec!["JobTransferred"], JobState::TRANSFERRED),
    )?;
    c.is("auth.sample.complete_failure", in_queue(c)?, 1)
}

fn a_job_that_takes_too_long_is_cancelled(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/file", content());
    let gate = origin.gate("/file", GateAt::RequestSeen);
    let callback = callback();
    let job = started(c, &origin.url("/file"), ("basic", NAME, PASSWORD), &callback)?;
    c.advance(Duration::from_mins(15))?;
    c.is("auth.sample.wait_limit", (callback.methods(), in_queue(c)?), (vec![], 1))?;
    job.cancel()?;
    drop(gate);
    c.is("auth.sample.wait_limit", (job.state()?, in_queue(c)?), (JobState::CANCELLED, 0))
}
