//! Digest where bytes move: how a password is proven, and what becomes of the job when it is not.

use bits_api::{AuthScheme, AuthTarget, ProxyUsage};
use bits_origin::{Digest, Fault, Guard, Journal, Origin, Request, Scheme};
use bits_world::Profile;

use super::authentication::{NAME, PASSWORD, exchange, guard, guarded, set};
use super::http::{SIZE, bytes, content};
use super::prelude::*;

cases![
    digest_proves_a_password_to_a_server,
    digest_proves_a_password_to_a_proxy,
    a_proof_with_a_wrong_password_is_refused,
    each_request_on_a_connection_is_counted,
    a_nonce_that_has_grown_old_is_replaced,
    the_next_nonce_may_come_with_an_answer,
    a_new_connection_waits_for_a_challenge,
    digest_is_spoken_in_all_its_forms,
    digest_with_sha_256_is_for_the_newest_bits,
    among_several_challenges_digest_is_found,
    digest_that_nobody_can_answer_is_not_replaced_by_basic,
];

/// What the proxy knows Alice by, where the server knows her by the other one.
const PROXYS: &str = "another horse";

/// What clients said to prove who they are, where they said it.
fn proofs(journal: &Journal) -> Vec<String> {
    let proof = |request: &Request| {
        request.header("Authorization").or_else(|| request.header("Proxy-Authorization")).map(str::to_owned)
    };
    journal.iter().filter_map(proof).collect()
}

/// The value of a parameter in each of `proofs`.
fn values(proofs: &[String], name: &str) -> Vec<String> {
    let value = |proof: &String| {
        let (_, rest) = proof.split_once(&format!(" {name}="))?;
        Some(rest.trim_start_matches('"').split(['"', ',']).next().unwrap_or_default().to_owned())
    };
    proofs.iter().filter_map(value).collect()
}

/// A server that asks for Digest in this way, and tells what it was told.
fn guarded_by(c: &mut Bench, digest: Digest) -> Result<Arc<Origin>, Stop> {
    let origin = guarded(c, Scheme::Digest(digest))?;
    origin.journal_credentials();
    Ok(origin)
}

/// A job for the file at `url`, with an account for Digest, under way.
fn resumed(c: &Bench, url: &str, target: AuthTarget, password: &str) -> Result<Arc<dyn Job>, Stop> {
    let job = c.job_for(url, JobPriority::NORMAL)?;
    set(&job, target, AuthScheme::DIGEST, password)?;
    job.resume()?;
    Ok(job)
}

fn digest_proves_a_password_to_a_server(c: &mut Bench) -> Outcome {
    let clauses = ["auth.scheme.digest", "service:auth.schemes", "auth.scheme.supported_set"];
    for is_https in [false, true] {
        c.start_over();
        let origin = guarded_by(c, Digest::new().opaque("kept"))?;
        let url = if is_https { origin.https_url("/file?a=b") } else { origin.url("/file?a=b") };
        let job = resumed(c, &url, AuthTarget::SERVER, PASSWORD)?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        job.complete()?;
        c.holds(clauses, "the file has the bytes of the server's", c.downloaded()? == bytes())?;
        c.is("auth.only_on_challenge", exchange(&origin.journal()), vec![(401, false), (200, true), (206, true)])?;
        let proofs = proofs(&origin.journal());
        c.is(clauses, values(&proofs, "uri"), vec!["/file?a=b".to_owned(); 2])?;
        c.holds(clauses, "no password is shown", !proofs.concat().contains(PASSWORD))?;
    }
    Ok(())
}

fn digest_proves_a_password_to_a_proxy(c: &mut Bench) -> Outcome {
    let clauses = ["auth.scheme.digest", "auth.target.proxy"];
    for is_https in [false, true] {
        c.start_over();
        let (origin, proxy) = (guarded_by(c, Digest::new())?, c.proxy()?);
        proxy.journal_credentials();
        proxy.guard_proxy(Guard::new("way out").offers(Scheme::Digest(Digest::new())).knows(NAME, PROXYS));
        let url = if is_https { origin.https_url("/file") } else { origin.url("/file") };
        let job = c.job_for(&url, JobPriority::NORMAL)?;
        job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&proxy.address().to_string()), None)?;
        // Neither knows what the other one is told.
        for (target, password) in [(AuthTarget::PROXY, PROXYS), (AuthTarget::SERVER, PASSWORD)] {
            set(&job, target, AuthScheme::DIGEST, password)?;
        }
        job.resume()?;
        c.settle()?;
        c.is(clauses, job.state()?, JobState::TRANSFERRED)?;
        job.complete()?;
        c.holds(clauses, "the file has the bytes of the server's", c.downloaded()? == bytes())?;
        let to_proxy =
            proxy.journal().select("for the proxy", |request| request.header("Proxy-Authorization").is_some());
        let uris = to_proxy.iter().map(|request| request.header("Proxy-Authorization").unwrap_or_default());
        let uris = values(&uris.into_iter().map(str::to_owned).collect::<Vec<_>>(), "uri");
        let asked = if is_https { vec![origin.https_address().to_string()] } else { vec![url; 3] };
        c.is(clauses, uris, asked)?;
        c.is(clauses, values(&proofs(&origin.journal()), "uri"), vec!["/file".to_owned(); 2])?;
        let leaks = origin.journal().iter().any(|request| request.header("Proxy-Authorization").is_some());
        c.holds(clauses, "the server is not told what the proxy is", !leaks)?;
    }
    Ok(())
}

fn a_proof_with_a_wrong_password_is_refused(c: &mut Bench) -> Outcome {
    let refusals = [
        (AuthTarget::SERVER, "job2.set_credentials.error_server", Hresult::BG_E_HTTP_ERROR_401),
        (AuthTarget::PROXY, "job2.set_credentials.error_proxy", Hresult::BG_E_HTTP_ERROR_407),
    ];
    for (target, clause, code) in refusals {
        c.start_over();
        let (origin, proxy) = (c.origin()?, c.proxy()?);
        origin.put("/file", content());
        let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
        let guarding = guard(Scheme::Digest(Digest::new()));
        let asking = if target == AuthTarget::PROXY {
            job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&proxy.address().to_string()), None)?;
            proxy.guard_proxy(guarding);
            proxy
        } else {
            origin.guard("*", guarding);
            origin
        };
        set(&job, target, AuthScheme::DIGEST, "wrong")?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        let clauses = ["job2.set_credentials.rejected", clause];
        c.is(clauses, error_of(&job)?, (ErrorContext::REMOTE_FILE, code))?;
        let refused = if target == AuthTarget::PROXY { 407 } else { 401 };
        c.is(clauses, exchange(&asking.journal()), vec![(refused, false), (refused, true)])?;
        set(&job, target, AuthScheme::DIGEST, PASSWORD)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        c.is("job2.set_credentials.retry", job.state()?, JobState::TRANSFERRED)?;
    }
    Ok(())
}

fn each_request_on_a_connection_is_counted(c: &mut Bench) -> Outcome {
    let origin = guarded_by(c, Digest::new())?;
    origin.put("/second", content());
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    job.add_file(Some(&origin.url("/second")), Some(&c.local("second.bin")))?;
    set(&job, AuthTarget::SERVER, AuthScheme::DIGEST, PASSWORD)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let statuses: Vec<u16> = exchange(&origin.journal()).into_iter().map(|(status, _)| status).collect();
    c.is("auth.only_on_challenge", statuses, vec![401, 200, 206, 200, 206])?;
    let counts = values(&proofs(&origin.journal()), "nc");
    c.is("auth.only_on_challenge", counts, ["00000001", "00000002", "00000003", "00000004"].map(str::to_owned).into())
}

fn a_nonce_that_has_grown_old_is_replaced(c: &mut Bench) -> Outcome {
    let origin = guarded_by(c, Digest::new().good_for(1))?;
    let job = resumed(c, &origin.url("/file"), AuthTarget::SERVER, PASSWORD)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    c.holds("auth.scheme.digest", "the file has the bytes of the server's", c.downloaded()? == bytes())?;
    let seen = exchange(&origin.journal());
    c.is("auth.scheme.digest", seen, vec![(401, false), (200, true), (401, true), (206, true)])
}

fn the_next_nonce_may_come_with_an_answer(c: &mut Bench) -> Outcome {
    let origin = guarded_by(c, Digest::new().good_for(1).renewing())?;
    let job = resumed(c, &origin.url("/file"), AuthTarget::SERVER, PASSWORD)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("auth.scheme.digest", exchange(&origin.journal()), vec![(401, false), (200, true), (206, true)])
}

fn a_new_connection_waits_for_a_challenge(c: &mut Bench) -> Outcome {
    let origin = guarded_by(c, Digest::new())?;
    c.fault_times("GET", "/file", Fault::Close(Some(1_000)), 1)?;
    let job = resumed(c, &origin.url("/file"), AuthTarget::SERVER, PASSWORD)?;
    c.wait(&job, JobState::TRANSFERRED, Duration::from_hours(1))?;
    job.complete()?;
    c.holds("auth.scheme.digest", "the file has the bytes of the server's", c.downloaded()? == bytes())?;
    let seen = exchange(&origin.journal());
    let (first, then) = (vec![(401, false), (200, true), (206, true)], vec![(401, false), (206, true)]);
    c.is("auth.only_on_challenge", seen, [first, then].concat())?;
    let rest = origin.journal().iter().last().and_then(|request| request.header("Range").map(str::to_owned));
    c.is("auth.scheme.digest", rest, Some(format!("bytes=1000-{}", SIZE - 1)))
}

fn digest_is_spoken_in_all_its_forms(c: &mut Bench) -> Outcome {
    let forms = [
        Digest::new().algorithm("MD5"),
        Digest::new().algorithm("MD5-sess").qop("auth-int, auth"),
        Digest::new().without_qop(),
        Digest::new().utf8().hiding_users(),
        Digest::new().algorithm("SHA-256-sess"),
        Digest::new().opaque("\"quoted\" and \\ kept").domain("/elsewhere /file"),
    ];
    for form in forms {
        c.start_over();
        let origin = guarded_by(c, form)?;
        let job = resumed(c, &origin.url("/file"), AuthTarget::SERVER, PASSWORD)?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        c.is("auth.scheme.digest", exchange(&origin.journal()), vec![(401, false), (200, true), (206, true)])?;
    }
    Ok(())
}

fn digest_with_sha_256_is_for_the_newest_bits(c: &mut Bench) -> Outcome {
    let refused = |c: &mut Bench| {
        let origin = guarded_by(c, Digest::new().algorithm("SHA-256"))?;
        let job = resumed(c, &origin.url("/file"), AuthTarget::SERVER, PASSWORD)?;
        c.wait(&job, JobState::ERROR, SOON)?;
        c.returns("job2.set_credentials.error_server", error_of(&job)?.1)?;
        c.is("auth.scheme.digest", exchange(&origin.journal()), vec![(401, false)])
    };
    let origin = guarded_by(c, Digest::new().algorithm("SHA-256"))?;
    let job = resumed(c, &origin.url("/file"), AuthTarget::SERVER, PASSWORD)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("auth.scheme.digest", exchange(&origin.journal()), vec![(401, false), (200, true), (206, true)])?;
    c.start_over();
    c.play(Profile::V10_2)?;
    refused(c)?;
    c.start_over();
    c.decide("auth.digest.sha256", "never")?;
    refused(c)
}

fn among_several_challenges_digest_is_found(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.journal_credentials();
    origin.put("/file", content());
    let digest = Digest::new();
    let several = Guard::new("vault, \"open\"")
        .offers(Scheme::Basic)
        .offers(Scheme::Digest(digest.algorithm("SHA-512-256")))
        .offers(Scheme::Digest(digest));
    origin.guard("*", several.knows(NAME, PASSWORD));
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    for scheme in [AuthScheme::BASIC, AuthScheme::DIGEST] {
        set(&job, AuthTarget::SERVER, scheme, PASSWORD)?;
    }
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let clauses = ["auth.scheme.digest", "job2.set_credentials.per_pair"];
    c.is(clauses, exchange(&origin.journal()), vec![(401, false), (200, true), (206, true)])?;
    let schemes: Vec<_> = proofs(&origin.journal()).iter().map(|proof| proof[..6].to_owned()).collect();
    c.is(clauses, schemes, vec!["Digest".to_owned(); 2])
}

fn digest_that_nobody_can_answer_is_not_replaced_by_basic(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/file", content());
    let unknown = Scheme::Digest(Digest::new().qop("auth-int"));
    origin.guard("*", guard(unknown).offers(Scheme::Basic));
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    for scheme in [AuthScheme::BASIC, AuthScheme::DIGEST] {
        set(&job, AuthTarget::SERVER, scheme, PASSWORD)?;
    }
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.returns("job2.set_credentials.error_server", error_of(&job)?.1)?;
    c.is("auth.scheme.digest", exchange(&origin.journal()), vec![(401, false)])
}
