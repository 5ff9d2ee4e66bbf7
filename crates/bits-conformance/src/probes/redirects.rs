//! Redirects: which are followed, under which policy, and what goes along.

use bits_api::{AuthCredentials, AuthScheme, AuthTarget, SecurityFlags};
use bits_origin::{Content, Fault, GateAt, Guard, Origin, Rule, Scheme};

use super::prelude::*;
use super::rest::{Asked, Rest, Texts, ending, held, rest, rest_in};

probes![
    "http.cookies" => a_cookie_with_a_redirect,
    "http.redirects" => followed_by_default,
    "http.redirects_kept" => asked_again_for_each_request,
    "http.redirects_followed" => how_far,
    "http.redirected_method" => the_method_after_each_status,
    "http.redirects_refused" => where_none_leads,
    "http_options.redirect_reported" => what_is_reported,
    "http_options.redirect_with_custom_headers" => custom_headers_to_another_server,
    "http_options.redirect_with_credentials" => credentials_to_another_server,
    "http.url_credentials" => credentials_in_a_url,
    "http_options.set_security_flags.disallow_error_300" => |c| disallowed(c, 300),
    "http_options.set_security_flags.disallow_error_301" => |c| disallowed(c, 301),
    "http_options.set_security_flags.disallow_error_302" => |c| disallowed(c, 302),
    "http_options.set_security_flags.disallow_error_303" => |c| disallowed(c, 303),
    "http_options.set_security_flags.disallow_error_307" => |c| disallowed(c, 307),
    "http_options.set_security_flags.disallow_308" => the_rest_disallowed,
    "http_options.security_flags.disallow_to_plain" => disallowed_and_allowed_to_plain,
];

const BYTES: &[u8] = b"somewhere else";
const STATUSES: [u16; 6] = [300, 301, 302, 303, 307, 308];
const REPORT: SecurityFlags = SecurityFlags::REDIRECT_POLICY_ALLOW_REPORT;
const DISALLOW: SecurityFlags = SecurityFlags::REDIRECT_POLICY_DISALLOW;
const TO_HTTP: SecurityFlags = SecurityFlags::REDIRECT_POLICY_ALLOW_HTTPS_TO_HTTP;
/// The origin's certificate is from an authority of its own.
const TRUSTING: SecurityFlags = SecurityFlags::IGNORE_UNKNOWN_CA;

fn served(c: &mut Bench) -> Result<Arc<Origin>, Stop> {
    let origin = c.origin()?;
    origin.put("/file", Content::bytes(BYTES));
    Ok(origin)
}

/// A suspended foreground job for that URL under these flags.
fn job_under(c: &Bench, url: &str, flags: SecurityFlags) -> Result<Arc<dyn Job>, Stop> {
    let job = c.job_for(url, JobPriority::FOREGROUND)?;
    if flags != SecurityFlags::empty() {
        job.http_options()?.set_security_flags(flags)?;
    }
    Ok(job)
}

/// The path of the job's remote name: its port is different each time.
fn path(job: &Arc<dyn Job>) -> Result<Texts, Stop> {
    let name = first_file(job)?.remote_name()?;
    let (scheme, rest) = name.split_once("://").unwrap_or(("", &name));
    Ok(Texts::one(format!("{scheme} {}", rest.find('/').map_or("", |at| &rest[at..]))))
}

/// How the job ends, and its remote name then.
fn end_and_name(c: &Bench, job: &Arc<dyn Job>) -> Result<(Rest, Texts), Stop> {
    job.resume()?;
    let end = rest(c, job)?;
    let name = path(job)?;
    job.cancel()?;
    Ok((end, name))
}

/// How a job ends that is once sent from `/short` to `place` with a cookie, and who is told of it.
fn with_a_cookie(c: &mut Bench, place: &str) -> Result<Texts, Stop> {
    c.start_over();
    let origin = c.origin()?;
    for path in ["/short", "/file"] {
        origin.put(path, Content::bytes(BYTES));
    }
    let rule = Rule::on("/short").method("HEAD").times(1).fault(Fault::Status { code: 302, retry_after: None });
    let rule = rule.fault(Fault::Header("Location".to_owned(), place.to_owned()));
    c.follow(rule.fault(Fault::Header("Set-Cookie".to_owned(), "id=7; Path=/".to_owned())))?;
    let end = ending(c, &c.job_for(&origin.url("/short"), JobPriority::FOREGROUND)?)?;
    let journal = origin.journal();
    let told = journal.iter().filter_map(|request| request.header("Cookie").map(|_| request.method.clone()));
    Ok(Texts::one(format!("{}, told in {}", end.tell(), Texts::new(told).tell())))
}

fn a_cookie_with_a_redirect(c: &mut Bench) -> Answer {
    let (to_itself, elsewhere) = (with_a_cookie(c, "/short")?, with_a_cookie(c, "/file")?);
    Ok(Seen::new().and("a redirect to itself with a cookie", to_itself).and("to another path", elsewhere))
}

fn followed_by_default(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    for status in STATUSES {
        c.start_over();
        let (origin, other) = (served(c)?, c.proxy()?);
        other.put("/there", Content::bytes(BYTES));
        c.redirect("/short", status, &other.url("/there"))?;
        let job = job_under(c, &origin.url("/short"), SecurityFlags::empty())?;
        let (end, name) = end_and_name(c, &job)?;
        seen = seen.and(&status.to_string(), end).and("remote name", name);
    }
    Ok(seen)
}

fn asked_again_for_each_request(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    for (name, flags) in [("by default", SecurityFlags::empty()), ("ALLOW_REPORT", REPORT)] {
        c.start_over();
        let origin = served(c)?;
        c.redirect("/short", 302, "/file")?;
        let job = c.job_for(&origin.url("/short"), JobPriority::NORMAL)?;
        job.http_options()?.set_security_flags(flags)?;
        ending(c, &job)?;
        seen = seen.and(name, Asked::of(&origin.journal()));
    }
    Ok(seen)
}

/// Lets `/1` lead to `/file`, and each further number to the one before.
fn chain(c: &Bench, hops: usize) -> Result<(), Stop> {
    for hop in 1..=hops {
        let next = if hop == 1 { "/file".to_owned() } else { format!("/{}", hop - 1) };
        c.redirect(&format!("/{hop}"), 302, &next)?;
    }
    Ok(())
}

fn how_far(c: &mut Bench) -> Answer {
    let origin = served(c)?;
    chain(c, 21)?;
    let mut most = 0_usize;
    let mut beyond = None;
    for hops in [1_usize, 5, 9, 10, 11, 15, 20, 21] {
        let end = ending(c, &c.job_for(&origin.url(&format!("/{hops}")), JobPriority::FOREGROUND)?)?;
        if end.state != JobState::TRANSFERRED {
            beyond = Some(end);
            break;
        }
        most = hops;
    }
    c.start_over();
    let origin = served(c)?;
    c.redirect("/circle", 302, "/circle")?;
    let circle = ending(c, &c.job_for(&origin.url("/circle"), JobPriority::FOREGROUND)?)?;
    c.redirect("/short", 302, "/file")?;
    let (within, name) = end_and_name(c, &job_under(c, &origin.url("/short"), DISALLOW)?)?;
    Ok(Seen::new()
        .and("redirects that are followed, of 1, 5, 9, 10, 11, 15, 20, 21", most)
        .and("one more", beyond)
        .and("a circle", circle)
        .and("within a server under DISALLOW", within)
        .and("remote name", name))
}

fn the_method_after_each_status(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    for status in STATUSES {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::bytes(BYTES).also_by("POST"));
        c.redirect("/short", status, "/file")?;
        let job = c.job_for(&origin.url("/short"), JobPriority::FOREGROUND)?;
        job.http_options2()?.set_http_method(Some("POST"))?;
        let end = ending(c, &job)?;
        seen = seen.and(&format!("POST and {status}"), Asked::of(&origin.journal())).and("the job", end);
    }
    Ok(seen)
}

/// Where a redirect of that origin leads, if it says so.
type Place = fn(&Origin) -> Option<String>;

fn where_none_leads(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    let places: [(&str, bool, Place); 4] = [
        ("from HTTPS to HTTP", true, |origin| Some(origin.url("/file"))),
        ("to a file of a share", false, |_| Some("file://localhost/share/file".to_owned())),
        ("to another protocol", false, |_| Some("ftp://localhost/file".to_owned())),
        ("without a Location", false, |_| None),
    ];
    for (name, from_https, place) in places {
        c.start_over();
        let origin = served(c)?;
        match place(&origin) {
            Some(place) => c.redirect("/short", 302, &place)?,
            None => c.follow(Rule::on("/short").fault(Fault::Status { code: 302, retry_after: None }))?,
        }
        let url = if from_https { origin.https_url("/short") } else { origin.url("/short") };
        let (end, remote) = end_and_name(c, &job_under(c, &url, TRUSTING)?)?;
        seen = seen.and(name, end).and("remote name", remote);
    }
    Ok(seen)
}

fn what_is_reported(c: &mut Bench) -> Answer {
    let origin = served(c)?;
    c.redirect("/short", 302, "/file?by=1#part")?;
    let gate = origin.gate_method("GET", "/file", GateAt::Byte(5));
    let job = job_under(c, &origin.url("/short"), REPORT)?;
    job.resume()?;
    held(&gate)?;
    let meanwhile = path(&job)?;
    gate.open();
    rest_in(c, &job, &[JobState::TRANSFERRED])?;
    let in_the_end = path(&job)?;
    job.cancel()?;

    c.redirect("/failing", 302, "/nothing")?;
    let (failed_end, failed_name) = end_and_name(c, &job_under(c, &origin.url("/failing"), REPORT)?)?;

    // Longer than a name may be that AddFile takes.
    c.redirect("/long", 302, &format!("/file?{}", "x".repeat(3_000)))?;
    let job = job_under(c, &origin.url("/long"), REPORT)?;
    job.resume()?;
    let long_end = rest(c, &job)?;
    let is_kept = first_file(&job)?.remote_name()?.len() < 1_000;
    job.cancel()?;
    Ok(Seen::new()
        .and("while it is transferred", meanwhile)
        .and("in the end", in_the_end)
        .and("to a missing file", failed_end)
        .and("remote name", failed_name)
        .and("to a URL of 3,000 characters", long_end)
        .and("remote name", Texts::one(if is_kept { "as it was" } else { "the long one" })))
}

fn custom_headers_to_another_server(c: &mut Bench) -> Answer {
    let (origin, other) = (served(c)?, c.proxy()?);
    other.put("/there", Content::bytes(BYTES));
    c.redirect("/short", 302, &other.url("/there"))?;
    let job = c.job_for(&origin.url("/short"), JobPriority::FOREGROUND)?;
    job.http_options()?.set_custom_headers(Some("X-Token: t\r\n"))?;
    let end = ending(c, &job)?;
    let told = |origin: &Origin| origin.journal().iter().filter(|request| request.header("X-Token").is_some()).count();
    let of = |origin: &Origin| format!("{} of {} requests", told(origin), origin.journal().len());
    Ok(Seen::new()
        .and("the first server gets them in", Texts::one(of(&origin)))
        .and("the other in", Texts::one(of(&other)))
        .and("the job", end))
}

const NAME: &str = "alice";
const PASSWORD: &str = "correct horse";

/// Asks for Alice.
fn guard(scheme: Scheme) -> Guard {
    Guard::new("vault").offers(scheme).knows(NAME, PASSWORD)
}

/// How many requests tell who somebody is.
fn said_who(origin: &Origin) -> usize {
    origin.journal().iter().filter(|request| request.header("Authorization").is_some()).count()
}

fn login(job: &Arc<dyn Job>) -> Result<(), Stop> {
    let (target, scheme) = (AuthTarget::SERVER, AuthScheme::BASIC);
    job.job2()?.set_credentials(&AuthCredentials {
        target,
        scheme,
        user_name: Some(NAME),
        password: Some(PASSWORD),
    })?;
    Ok(())
}

fn credentials_to_another_server(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    for name in ["another port", "the same server over HTTPS"] {
        c.start_over();
        let (origin, other) = (served(c)?, c.proxy()?);
        other.put("/there", Content::bytes(BYTES));
        other.guard("*", guard(Scheme::Basic));
        origin.guard("/file", guard(Scheme::Basic));
        let (asking, place) =
            if name == "another port" { (&other, other.url("/there")) } else { (&origin, origin.https_url("/file")) };
        c.redirect("/short", 302, &place)?;
        let job = job_under(c, &origin.url("/short"), TRUSTING)?;
        login(&job)?;
        let end = ending(c, &job)?;
        let told = Texts::one(if said_who(asking) > 0 { "told" } else { "not told" });
        seen = seen.and(&format!("to {name}, credentials"), told).and("the job", end);
    }
    Ok(seen)
}

fn credentials_in_a_url(c: &mut Bench) -> Answer {
    let schemes = [("Basic", Scheme::Basic), ("Digest", Scheme::Digest(bits_origin::Digest::new()))];
    let mut seen = Seen::new();
    for (name, scheme) in schemes.into_iter().chain([("NTLM", Scheme::Ntlm), ("Negotiate", Scheme::Negotiate)]) {
        c.start_over();
        let origin = served(c)?;
        origin.guard("/file", guard(scheme));
        let url = origin.url("/file").replacen("://", "://alice:correct%20horse@", 1);
        seen = seen.and(name, ending(c, &c.job_for(&url, JobPriority::FOREGROUND)?)?);
    }
    c.start_over();
    let origin = served(c)?;
    let url = origin.url("/file").replacen("://", "://alice:correct%20horse@", 1);
    let job = c.job_for(&url, JobPriority::FOREGROUND)?;
    let remote = first_file(&job)?.remote_name()?;
    ending(c, &job)?;
    let told = Texts::one(if said_who(&origin) > 0 { "told" } else { "not told" });
    c.start_over();
    let origin = served(c)?;
    origin.guard("/file", guard(Scheme::Basic));
    let job = c.job_for(&origin.url("/file").replacen("://", "://alice:wrong@", 1), JobPriority::FOREGROUND)?;
    login(&job)?;
    let beside = ending(c, &job)?;
    let shown = Texts::one(if remote.contains("correct") { "with the password" } else { "without the password" });
    Ok(seen
        .and("to a server that does not ask", told)
        .and("the remote name is", shown)
        .and("wrong ones beside SetCredentials", beside))
}

/// How a redirect by that status ends under DISALLOW.
fn disallowed(c: &mut Bench, status: u16) -> Answer {
    let (origin, other) = (served(c)?, c.proxy()?);
    other.put("/there", Content::bytes(BYTES));
    c.redirect("/short", status, &other.url("/there"))?;
    let (end, name) = end_and_name(c, &job_under(c, &origin.url("/short"), DISALLOW)?)?;
    Ok(Seen::new().and(&status.to_string(), end).and("remote name", name))
}

fn the_rest_disallowed(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    for status in [305, 306, 308] {
        c.start_over();
        seen = seen.and_all(&disallowed(c, status)?);
    }
    Ok(seen)
}

fn disallowed_and_allowed_to_plain(c: &mut Bench) -> Answer {
    let origin = served(c)?;
    c.redirect("/short", 302, &origin.url("/file"))?;
    let job = c.job_for(&origin.https_url("/short"), JobPriority::FOREGROUND)?;
    let set = job.http_options()?.set_security_flags(DISALLOW | TO_HTTP | TRUSTING);
    let (end, name) = end_and_name(c, &job)?;
    Ok(Seen::new().and("SetSecurityFlags", set).and("the job", end).and("remote name", name))
}
