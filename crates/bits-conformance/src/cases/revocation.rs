//! Servers whose certificate is revoked, as far as a job wants to know.

use bits_api::SecurityFlags;
use bits_origin::{Content, Flaw, GateAt, Handshake, ListFlaw, Origin};

use super::prelude::*;
use crate::bench::{shake_hands, told};

cases![
    a_revoked_certificate_is_an_error,
    what_cannot_be_looked_up_is_an_error,
    nothing_excuses_what_was_not_looked_up,
    every_https_file_is_looked_up_before_it_begins,
    a_file_under_way_starts_again_and_a_finished_one_is_left_alone,
    every_chain_under_every_set_of_flags,
    the_clock_of_the_machine_tells_whether_a_certificate_is_valid,
];

const SIZE: u64 = 50_000;
const CHECK: SecurityFlags = SecurityFlags::ENABLE_CRL_CHECK;

/// A trusted origin with three files.
fn origin(c: &mut Bench) -> Result<Arc<Origin>, Stop> {
    let origin = c.origin()?;
    c.trust_origin()?;
    for path in ["/file", "/other", "/third"] {
        origin.put(path, Content::synthetic(SIZE, 1));
    }
    Ok(origin)
}

/// A suspended job for these files whose servers are looked up among the revoked.
fn checked(c: &Bench, urls: &[String]) -> Result<Arc<dyn Job>, Stop> {
    let job = c.job_for(&urls[0], JobPriority::NORMAL)?;
    for (number, url) in urls.iter().enumerate().skip(1) {
        job.add_file(Some(url), Some(&c.local(&format!("more{number}.bin"))))?;
    }
    job.http_options()?.set_security_flags(CHECK)?;
    Ok(job)
}

/// The codes of job errors, in the one context that they come in.
fn code_of(job: &Arc<dyn Job>) -> Result<Hresult, Stop> {
    match error_of(job)? {
        (ErrorContext::REMOTE_FILE, code) => Ok(code),
        other => failed(format!("{other:?}")),
    }
}

fn a_revoked_certificate_is_an_error(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    let flaws = [(Flaw::Revoked, false), (Flaw::Revoked, true), (Flaw::RevokedBetween, true)];
    for (flaw, between) in flaws {
        shake_hands(&origin, &Handshake { flaws: vec![flaw], between, ..Handshake::default() })?;
        c.publish(&origin.revocation_lists(None).map_err(told)?)?;
        let (before, job) = (origin.journal().len(), checked(c, &[origin.https_url("/file")])?);
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        let code = code_of(&job)?;
        c.returns("http_options.set_security_flags.crl_revoked", Err::<Success, _>(code))?;
        c.advance(DAY)?;
        let stands = (job.state()?, origin.journal().len() - before);
        c.is("http_options.set_security_flags.crl_revoked", stands, (JobState::ERROR, 0))?;
        // A job that does not want to know is served.
        job.http_options()?.set_security_flags(SecurityFlags::empty())?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        c.is("http_options.security_flags.ssl_enable_crl_check", job.state()?, JobState::TRANSFERRED)?;
        job.cancel()?;
    }
    Ok(())
}

fn what_cannot_be_looked_up_is_an_error(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    shake_hands(&origin, &Handshake { between: true, ..Handshake::default() })?;
    let lists = |flaw| origin.revocation_lists(flaw).map_err(told);
    let good = lists(None)?;
    let useless = [
        ("there is none", Vec::new()),
        ("that of the authority in between is missing", good[..2].to_vec()),
        ("expired", lists(Some(ListFlaw::Expired))?),
        ("forged", lists(Some(ListFlaw::Forged))?),
        ("of somebody else", lists(Some(ListFlaw::OtherIssuer))?),
        ("no list at all", vec![b"not a list".to_vec()]),
    ];
    for (what, lists) in useless {
        c.publish(&lists)?;
        let (before, job) = (origin.journal().len(), checked(c, &[origin.https_url("/file")])?);
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        let code = code_of(&job)?;
        c.returns("http_options.set_security_flags.crl_unavailable", Err::<Success, _>(code))?;
        let asked = origin.journal().len() - before;
        c.is("http_options.set_security_flags.crl_unavailable", (what, asked), (what, 0))?;
        // Once it can be had, Resume mends the job.
        c.publish(&good)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        c.is("http_options.set_security_flags.crl_unavailable", job.state()?, JobState::TRANSFERRED)?;
        job.cancel()?;
    }
    Ok(())
}

fn nothing_excuses_what_was_not_looked_up(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    let job = checked(c, &[origin.https_url("/file")])?;
    job.http_options()?.set_security_flags(CHECK | EXCUSES.into_iter().collect())?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.returns("http_options.set_security_flags.crl_unavailable", Err::<Success, _>(code_of(&job)?))
}

fn every_https_file_is_looked_up_before_it_begins(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    c.publish(&origin.revocation_lists(None).map_err(told)?)?;
    // Two files that follow each other on one connection, if nobody looks; and one without a certificate.
    let urls = [origin.url("/third"), origin.https_url("/file"), origin.https_url("/other")];
    let job = checked(c, &urls)?;
    let gate = origin.gate_method("GET", "/file", GateAt::Byte(SIZE / 2));
    job.resume()?;
    c.settle()?;
    // The server is revoked in the middle of its first file.
    origin.revoke();
    c.publish(&origin.revocation_lists(None).map_err(told)?)?;
    gate.open();
    c.wait(&job, JobState::ERROR, SOON)?;
    let done = job.progress()?.files_transferred;
    let asked = origin.journal().requests_to("/other").len();
    c.is(
        ["http_options.set_security_flags.crl_scope", "http_options.set_security_flags.crl_when"],
        (code_of(&job)?, done, asked),
        (Hresult::ERROR_WINHTTP_SECURE_CERT_REVOKED, 2, 0),
    )
}

fn a_file_under_way_starts_again_and_a_finished_one_is_left_alone(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    c.publish(&origin.revocation_lists(None).map_err(told)?)?;
    let job = checked(c, &[origin.https_url("/file"), origin.https_url("/other")])?;
    job.http_options()?.set_security_flags(SecurityFlags::empty())?;
    let gate = origin.gate_method("GET", "/other", GateAt::Byte(SIZE / 2));
    job.resume()?;
    c.settle()?;
    // Whose turn it is next.
    let waiting = c.job_for(&origin.url("/third"), JobPriority::NORMAL)?;
    let gate_of_waiting = origin.gate("/third", GateAt::RequestSeen);
    waiting.resume()?;
    c.settle()?;
    let bytes = |job: &Arc<dyn Job>| -> Result<Vec<u64>, Stop> {
        files(job)?.iter().map(|file| Ok(file.progress()?.bytes_transferred)).collect()
    };
    let before = bytes(&job)?;
    c.holds("http_options.set_security_flags.crl_set_midway", "a part of the second file is there", {
        before[0] == SIZE && before[1] > 0 && before[1] < SIZE
    })?;
    job.http_options()?.set_security_flags(CHECK)?;
    c.settle()?;
    c.is(
        "http_options.set_security_flags.crl_set_midway",
        (job.state()?, waiting.state()?, bytes(&job)?[1]),
        (JobState::QUEUED, JobState::CONNECTING, 0),
    )?;
    c.is("http_options.set_security_flags.crl_done_files", bytes(&job)?[0], SIZE)?;
    gate.open();
    gate_of_waiting.open();
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let gets = |path: &str| origin.journal().requests_to(path).with_method("GET");
    let first = |path: &str| gets(path).iter().last().and_then(|request| request.served.first().map(|span| span.start));
    c.is("http_options.set_security_flags.crl_set_midway", first("/other"), Some(0))?;
    c.is("http_options.set_security_flags.crl_done_files", gets("/file").len(), 1)
}

/// What a flaw is told by, in the order in which one of several is told, and the flag that excuses it.
const TOLD: [(Flaw, Hresult); 4] = [
    (Flaw::UnknownAuthority, Hresult::ERROR_WINHTTP_SECURE_INVALID_CA),
    (Flaw::Expired, Hresult::ERROR_WINHTTP_SECURE_CERT_DATE_INVALID),
    (Flaw::OtherName, Hresult::ERROR_WINHTTP_SECURE_CERT_CN_INVALID),
    (Flaw::OtherUsage, Hresult::ERROR_WINHTTP_SECURE_CERT_WRONG_USAGE),
];

/// The flags that excuse them, in the same order.
const EXCUSES: [SecurityFlags; 4] = [
    SecurityFlags::IGNORE_UNKNOWN_CA,
    SecurityFlags::IGNORE_CERT_DATE_INVALID,
    SecurityFlags::IGNORE_CERT_CN_INVALID,
    SecurityFlags::IGNORE_CERT_WRONG_USAGE,
];

/// What each of them says that it excuses, in the same order.
const EXCUSED: [&str; 4] = [
    "http_options.security_flags.ssl_ignore_unknown_ca",
    "http_options.security_flags.ssl_ignore_cert_date_invalid",
    "http_options.security_flags.ssl_ignore_cert_cn_invalid",
    "http_options.security_flags.ssl_ignore_cert_wrong_usage",
];

const CHAINS: [&[Flaw]; 8] = [
    &[],
    &[Flaw::UnknownAuthority],
    &[Flaw::Expired],
    &[Flaw::OtherName],
    &[Flaw::OtherUsage],
    &[Flaw::Revoked],
    &[Flaw::Expired, Flaw::OtherName, Flaw::OtherUsage, Flaw::Revoked],
    &[Flaw::UnknownAuthority, Flaw::Expired, Flaw::OtherName, Flaw::OtherUsage, Flaw::Revoked],
];

/// What Windows would say: the first that is wrong and not excused; then, if it is to look, who is
/// revoked. Of a certificate whose authority is unknown nobody can say that.
fn verdict(flaws: &[Flaw], set: SecurityFlags) -> Option<Hresult> {
    let wrong = (0..4).find(|place| flaws.contains(&TOLD[*place].0) && !set.contains(EXCUSES[*place]));
    let unknown = flaws.contains(&Flaw::UnknownAuthority).then_some(Hresult::ERROR_WINHTTP_SECURE_CERT_REV_FAILED);
    let revoked = flaws.contains(&Flaw::Revoked).then_some(Hresult::ERROR_WINHTTP_SECURE_CERT_REVOKED);
    wrong.map(|place| TOLD[place].1).or(unknown.or(revoked).filter(|_| set.contains(CHECK)))
}

fn every_chain_under_every_set_of_flags(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    let (mut seen, mut expected) = (Vec::new(), Vec::new());
    for flaws in CHAINS {
        shake_hands(&origin, &Handshake { flaws: flaws.to_vec(), ..Handshake::default() })?;
        c.publish(&origin.revocation_lists(None).map_err(told)?)?;
        for number in 0..32u32 {
            let chosen = EXCUSES.into_iter().chain([CHECK]).enumerate().filter(|(place, _)| number & (1 << place) != 0);
            let flags: SecurityFlags = chosen.map(|(_, flag)| flag).collect();
            let job = c.job_for(&origin.https_url("/file"), JobPriority::FOREGROUND)?;
            job.http_options()?.set_security_flags(flags)?;
            job.resume()?;
            c.settle()?;
            let code = match job.state()? {
                JobState::TRANSFERRED => None,
                JobState::ERROR => Some(code_of(&job)?),
                state => return failed(format!("{flaws:?} with {flags:?}: {state}")),
            };
            job.cancel()?;
            // One thing that is wrong, under one flag.
            if let ([flaw], Some(place)) = (flaws, EXCUSES.iter().position(|excuse| flags == *excuse))
                && let Some((_, told)) = TOLD.iter().find(|(of, _)| of == flaw)
            {
                c.is(EXCUSED[place], code, (TOLD[place].0 != *flaw).then_some(*told))?;
            }
            seen.push(format!("{flaws:?} under {flags:?}: {code:?}"));
            expected.push(format!("{flaws:?} under {flags:?}: {:?}", verdict(flaws, flags)));
        }
    }
    c.is("http_options.set_security_flags.os_validation", seen.join("\n"), expected.join("\n"))
}

fn the_clock_of_the_machine_tells_whether_a_certificate_is_valid(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    let begin = c.now()?;
    let valid = Some((begin, begin.plus(DAY)));
    shake_hands(&origin, &Handshake { valid, ..Handshake::default() })?;
    let end = |c: &Bench| -> Result<Option<Hresult>, Stop> {
        let job = c.job_for(&origin.https_url("/file"), JobPriority::FOREGROUND)?;
        job.resume()?;
        c.settle()?;
        let code = if job.state()? == JobState::ERROR { Some(code_of(&job)?) } else { None };
        job.cancel()?;
        Ok(code)
    };
    let within = end(c)?;
    c.advance(2 * DAY)?;
    let late = end(c)?;
    c.set_wall_clock(begin)?;
    let again = end(c)?;
    let invalid = Some(Hresult::ERROR_WINHTTP_SECURE_CERT_DATE_INVALID);
    c.is("http_options.set_security_flags.os_validation", (within, late, again), (None, invalid, None))
}
