//! Servers and proxies that ask who somebody is, and what they are told.

use bits_api::{AuthCredentials, AuthScheme, AuthTarget, JobPropertyId, JobPropertyValue, ProxyUsage};
use bits_origin::{Digest, Fault, Guard, Origin, Passport, Rule, Scheme, Slip};

use super::prelude::*;
use super::words::{Notes, bytes, connections, each, exchange, job_for, list, origin, run, since, status, trusting};
use crate::claims::Outcome;

probes! {
    "job5.use_stored_credentials.vs_set_credentials" => stored_credentials_beside_explicit_ones,
    "auth.anonymous_acl" => refusals_without_a_question,
    "auth.only_on_challenge" => two_files_behind_a_question,
    "job2.set_credentials.choose" => two_schemes_at_a_time,
    "auth.digest.unanswerable" => digest_that_cannot_be_answered,
    "auth.digest.sha256" => digest_by_sha_256,
    "auth.digest.stale" => nonces_that_grow_old,
    "auth.digest.text" => names_beyond_ascii,
    "auth.digest.uri" => proofs_behind_a_proxy,
    "auth.negotiate.mechanism" => negotiate_by_every_name,
    "auth.negotiate.mutual" => the_last_word_of_negotiate,
    "auth.bound_exchanges" => exchanges_bound_to_a_connection,
    "http.sent_once" => a_second_request_that_is_not_answered,
    "passport.use" => a_question_of_passport_without_a_record,
}

const NAME: &str = "alice";
const PASSWORD: &str = "correct horse";

const SCHEMES: [(AuthScheme, Scheme); 4] = [
    (AuthScheme::BASIC, Scheme::Basic),
    (AuthScheme::DIGEST, Scheme::Digest(Digest::new())),
    (AuthScheme::NTLM, Scheme::Ntlm),
    (AuthScheme::NEGOTIATE, Scheme::Negotiate),
];

fn guard(schemes: &[Scheme]) -> Guard {
    let guard = Guard::new("vault").knows(NAME, PASSWORD);
    schemes.iter().fold(guard, |guard, scheme| guard.offers(*scheme))
}

fn set_as(job: &Arc<dyn Job>, target: AuthTarget, scheme: AuthScheme, name: &str) -> Outcome {
    let record = AuthCredentials { target, scheme, user_name: Some(name), password: Some(PASSWORD) };
    job.clone().job2()?.set_credentials(&record)?;
    Ok(())
}

fn set(job: &Arc<dyn Job>, scheme: AuthScheme) -> Outcome {
    set_as(job, AuthTarget::SERVER, scheme, NAME)
}

/// The end of a download with credentials for these schemes, and what was said on the way.
fn told(c: &Bench, origin: &Origin, url: &str, schemes: &[AuthScheme]) -> Result<String, Stop> {
    let job = job_for(c, url, "told")?;
    trusting(&job)?;
    for scheme in schemes {
        set(&job, *scheme)?;
    }
    let before = origin.journal().iter().last().map_or(0, |request| request.number);
    let ended = run(c, &job)?;
    job.cancel()?;
    let said = exchange(&since(origin, before));
    Ok(format!("{ended} after {said}"))
}

/// A word for each scheme.
fn name(scheme: AuthScheme) -> String {
    scheme.to_string().trim_start_matches("BG_AUTH_SCHEME_").to_owned()
}

fn stored_credentials_beside_explicit_ones(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let mut seen = Notes::default();
    for (what, schemes, is_explicit) in [
        ("a proxy of Basic and NTLM", &[Scheme::Basic, Scheme::Ntlm][..], true),
        ("a proxy of NTLM", &[Scheme::Ntlm], true),
        ("a proxy of NTLM, without SetCredentials", &[Scheme::Ntlm], false),
    ] {
        let proxy = c.proxy()?;
        proxy.guard_proxy(guard(schemes));
        let job = job_for(c, &origin.url("/file"), "stored")?;
        job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&proxy.address().to_string()), None)?;
        let stored = JobPropertyValue::Target(AuthTarget::PROXY);
        job.clone().job5()?.set_property(JobPropertyId::USE_STORED_CREDENTIALS, stored)?;
        if is_explicit {
            set_as(&job, AuthTarget::PROXY, AuthScheme::BASIC, NAME)?;
        }
        let ended = run(c, &job)?;
        seen.add(what, format!("{ended} after {}", exchange(&proxy.journal())));
        job.cancel()?;
    }
    Ok(seen.told())
}

fn refusals_without_a_question(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let mut seen = Notes::default();
    for status in [403, 401] {
        c.follow(Rule::on("/file").times(1).fault(Fault::Status { code: status, retry_after: None }))?;
        let said = told(c, &origin, &origin.url("/file"), &[AuthScheme::BASIC, AuthScheme::NTLM])?;
        seen.add(format!("{status} without WWW-Authenticate"), said);
    }
    Ok(seen.told())
}

fn two_files_behind_a_question(c: &mut Bench) -> Answer {
    let origin = c.origin()?;
    let mut seen = Notes::default();
    for (scheme, offered) in SCHEMES.into_iter().take(2) {
        let folder = name(scheme);
        for file in ["1", "2"] {
            origin.put(&format!("/{folder}/{file}"), bytes(1_000));
        }
        origin.guard(&format!("/{folder}/*"), guard(&[offered]));
        let job = job_for(c, &origin.url(&format!("/{folder}/1")), "first")?;
        job.add_file(Some(&origin.url(&format!("/{folder}/2"))), Some(&c.local("second.bin")))?;
        set(&job, scheme)?;
        let ended = run(c, &job)?;
        job.cancel()?;
        let prefix = format!("/{folder}/");
        let journal = origin.journal().select("of the job", |request| request.path.starts_with(&prefix));
        seen.add(&folder, format!("{ended} after {} on {} connection(s)", exchange(&journal), connections(&journal)));
    }
    Ok(seen.told())
}

fn two_schemes_at_a_time(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    origin.guard("*", guard(&SCHEMES.map(|(_, offered)| offered)));
    let mut seen = Notes::default();
    for (place, (first, _)) in SCHEMES.into_iter().enumerate() {
        for (second, _) in SCHEMES.into_iter().skip(place + 1) {
            let said = told(c, &origin, &origin.url("/file"), &[first, second])?;
            seen.add(format!("{} and {}", name(first), name(second)), said);
        }
    }
    let job = job_for(c, &origin.url("/file"), "refused")?;
    set(&job, AuthScheme::BASIC)?;
    set_as(&job, AuthTarget::SERVER, AuthScheme::DIGEST, "mallory")?;
    let before = origin.journal().len();
    let ended = run(c, &job)?;
    job.cancel()?;
    let said = exchange(&since(&origin, before));
    seen.add("BASIC, and DIGEST with a wrong name", format!("{ended} after {said}"));
    Ok(seen.told())
}

fn digest_that_cannot_be_answered(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let both = [AuthScheme::BASIC, AuthScheme::DIGEST];
    let mut seen = Notes::default();
    for (what, digest) in
        [("auth-int alone", Digest::new().qop("auth-int")), ("an unknown algorithm", Digest::new().algorithm("MD6"))]
    {
        origin.guard("*", guard(&[Scheme::Digest(digest)]));
        seen.add(what, told(c, &origin, &origin.url("/file"), &both)?);
        origin.guard("*", guard(&[Scheme::Digest(digest), Scheme::Basic]));
        seen.add(format!("{what}, beside Basic"), told(c, &origin, &origin.url("/file"), &both)?);
    }
    origin.dismiss_guards();
    let challenge = Fault::Header("WWW-Authenticate".to_owned(), "Digest realm=\"vault\"".to_owned());
    c.follow(Rule::on("/file").fault(Fault::Status { code: 401, retry_after: None }).fault(challenge))?;
    seen.add("no nonce", told(c, &origin, &origin.url("/file"), &both)?);
    Ok(seen.told())
}

fn digest_by_sha_256(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let mut seen = Notes::default();
    for algorithm in ["SHA-256", "SHA-256-sess"] {
        origin.guard("*", guard(&[Scheme::Digest(Digest::new().algorithm(algorithm))]));
        seen.add(algorithm, told(c, &origin, &origin.url("/file"), &[AuthScheme::DIGEST])?);
    }
    Ok(seen.told())
}

fn nonces_that_grow_old(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let mut seen = Notes::default();
    for (what, digest) in [
        ("good for one request", Digest::new().good_for(1)),
        ("good for none", Digest::new().good_for(0)),
        ("renewed with each answer", Digest::new().good_for(1).renewing()),
    ] {
        origin.guard("*", guard(&[Scheme::Digest(digest)]));
        seen.add(what, told(c, &origin, &origin.url("/file"), &[AuthScheme::DIGEST])?);
    }
    Ok(seen.told())
}

/// The parameters of these names in what clients of Digest have said last, as they were written.
fn parameters(origin: &Origin, header: &str, names: &[&str]) -> String {
    let journal = origin.journal();
    let Some(proof) = journal.iter().filter_map(|request| request.header(header)).last() else {
        return "nothing".to_owned();
    };
    let parameters = proof.trim_start_matches("Digest ").split(", ").map(str::trim);
    let wanted = parameters.filter(|one| names.iter().any(|name| one.split('=').next() == Some(name)));
    // The journal has a byte a character.
    let byte = |byte: char| if byte.is_ascii() { byte.to_string() } else { format!("\\x{:02x}", u32::from(byte)) };
    list(wanted.map(|one| one.chars().map(byte).collect()))
}

fn names_beyond_ascii(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    origin.journal_credentials();
    let mut seen = Notes::default();
    for (what, digest) in [("plain", Digest::new()), ("charset=UTF-8", Digest::new().utf8())] {
        for user in ["j\u{fc}rgen", r"EXAMPLE\alice", "ali\"ce"] {
            origin.guard("*", Guard::new("vault").offers(Scheme::Digest(digest)).knows(user, PASSWORD));
            let job = job_for(c, &origin.url("/file"), "named")?;
            set_as(&job, AuthTarget::SERVER, AuthScheme::DIGEST, user)?;
            let ended = run(c, &job)?;
            job.cancel()?;
            let written = parameters(&origin, "Authorization", &["username", "username*", "userhash"]);
            seen.add(format!("{user:?}, {what}"), format!("{ended} with {written}"));
        }
    }
    Ok(seen.told())
}

fn proofs_behind_a_proxy(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    origin.journal_credentials();
    let digest = [Scheme::Digest(Digest::new())];
    origin.guard("*", guard(&digest));
    let mut seen = Notes::default();
    for (what, url) in [("http", origin.url("/file?a=b")), ("https", origin.https_url("/file?a=b"))] {
        let proxy = c.proxy()?;
        proxy.journal_credentials();
        proxy.guard_proxy(guard(&digest));
        let job = job_for(c, &url, "proven")?;
        trusting(&job)?;
        job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&proxy.address().to_string()), None)?;
        for target in [AuthTarget::SERVER, AuthTarget::PROXY] {
            set_as(&job, target, AuthScheme::DIGEST, NAME)?;
        }
        let ended = run(c, &job)?;
        job.cancel()?;
        let ports = [(origin.address(), "HTTP"), (origin.https_address(), "HTTPS")];
        let named = |text: String| {
            ports
                .iter()
                .fold(text, |text, (address, port)| text.replace(&address.to_string(), &format!("server:{port}")))
        };
        let to_proxy = named(parameters(&proxy, "Proxy-Authorization", &["uri"]));
        let to_server = named(parameters(&origin, "Authorization", &["uri"]));
        seen.add(what, format!("{ended}, to the proxy {to_proxy}, to the server {to_server}"));
    }
    Ok(seen.told())
}

fn negotiate_by_every_name(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let mut seen = Notes::default();
    let by_name = origin.url("/file").replace("127.0.0.1", "localhost");
    for (host, url) in [("127.0.0.1", origin.url("/file")), ("localhost", by_name)] {
        for user in [NAME, r"EXAMPLE\alice", "alice@example.com"] {
            // NTLM alone can let anybody in.
            origin.guard("*", Guard::new("vault").offers(Scheme::Negotiate).knows(user, PASSWORD));
            let job = job_for(c, &url, "negotiated")?;
            set_as(&job, AuthTarget::SERVER, AuthScheme::NEGOTIATE, user)?;
            let before = origin.journal().len();
            let ended = run(c, &job)?;
            job.cancel()?;
            let said = exchange(&since(&origin, before));
            seen.add(format!("{user} to {host}"), format!("{ended} after {said}"));
        }
    }
    Ok(seen.told())
}

fn the_last_word_of_negotiate(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let mut seen = Notes::default();
    for (what, slip) in [("signed rightly", None), ("signed wrongly", Some(Slip::SignsWrongly))] {
        let guard = guard(&[Scheme::Negotiate]);
        origin.guard("*", slip.into_iter().fold(guard, |guard, slip| guard.slips(slip, 9)));
        seen.add(what, told(c, &origin, &origin.url("/file"), &[AuthScheme::NEGOTIATE])?);
    }
    // The third answer is the one that lets somebody in.
    origin.guard("*", guard(&[Scheme::Negotiate]));
    let header = "WWW-Authenticate".to_owned();
    c.follow(
        Rule::on("/file").numbers(3..=3).fault(Fault::Header(header.clone(), "Negotiate Z2FyYmFnZQ==".to_owned())),
    )?;
    seen.add("garbage", told(c, &origin, &origin.url("/file"), &[AuthScheme::NEGOTIATE])?);
    origin.behave();
    c.follow(Rule::on("/file").numbers(3..=3).fault(Fault::Without(header)))?;
    seen.add("not said", told(c, &origin, &origin.url("/file"), &[AuthScheme::NEGOTIATE])?);
    Ok(seen.told())
}

fn exchanges_bound_to_a_connection(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let mut seen = Notes::default();
    for (scheme, offered) in SCHEMES.into_iter().skip(2) {
        origin.guard("*", guard(&[offered]).wants_binding());
        let bound = told(c, &origin, &origin.https_url("/file"), &[scheme])?;
        seen.add(format!("{} over HTTPS, which wants a binding", name(scheme)), bound);
        origin.guard("*", guard(&[offered]).slips(Slip::HangsUp, u32::MAX));
        let before = origin.journal().len();
        let ended = told(c, &origin, &origin.url("/file"), &[scheme])?;
        let journal = since(&origin, before);
        let count = connections(&journal);
        seen.add(format!("{} where the server hangs up", name(scheme)), format!("{ended} on {count} connection(s)"));
    }
    Ok(seen.told())
}

fn a_second_request_that_is_not_answered(c: &mut Bench) -> Answer {
    let origin = c.origin()?;
    let mut seen = Notes::default();
    for method in ["GET", "POST"] {
        let paths = ["1", "2"].map(|file| format!("/{method}/{file}"));
        for path in &paths {
            origin.put(path, bytes(1_000).also_by("POST"));
        }
        c.follow(Rule::on(&paths[1]).method(method).times(1).fault(Fault::Close(None)))?;
        let job = job_for(c, &origin.url(&paths[0]), "first")?;
        job.add_file(Some(&origin.url(&paths[1])), Some(&c.local("second.bin")))?;
        job.http_options2()?.set_http_method(Some(method))?;
        let before = origin.journal().len();
        let ended = run(c, &job)?;
        job.cancel()?;
        let journal = since(&origin, before);
        let requests = each(&journal, |request| format!("{} {} {}", request.method, request.path, status(request)));
        seen.add(method, format!("{ended} after {requests} on {} connection(s)", connections(&journal)));
    }
    Ok(seen.told())
}

fn a_question_of_passport_without_a_record(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    origin.guard_by_passport("/file", Passport::new("Test.Net").knows("user@example.com", PASSWORD));
    let mut seen = Notes::default();
    for (what, schemes) in [("no credentials", &[][..]), ("credentials for BASIC", &[AuthScheme::BASIC])] {
        let job = job_for(c, &origin.url("/file"), "passport")?;
        for scheme in schemes {
            set(&job, *scheme)?;
        }
        let before = origin.journal().len();
        let ended = run(c, &job)?;
        job.cancel()?;
        let journal = since(&origin, before);
        let path = |path: &str| path.split('?').next().unwrap_or_default().to_owned();
        let requests = each(&journal, |request| format!("{} {}", request.method, path(&request.path)));
        seen.add(what, format!("{ended} after {requests}"));
    }
    Ok(seen.told())
}
