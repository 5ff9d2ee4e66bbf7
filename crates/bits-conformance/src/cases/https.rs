//! HTTPS without any setting: who is trusted.

use bits_origin::{Content, Origin, Synthetic};

use super::prelude::*;

cases![a_trusted_https_server_is_used, an_untrusted_https_server_is_refused, a_certificate_of_another_host_is_refused,];

const SIZE: u64 = 50_000;

/// A background job for a file that is served over HTTPS, resumed.
fn job_over_tls(c: &Bench, origin: &Origin) -> Result<Arc<dyn Job>, Stop> {
    origin.put("/file", Content::synthetic(SIZE, 1));
    let job = c.job_for(&origin.https_url("/file"), JobPriority::NORMAL)?;
    job.resume()?;
    Ok(job)
}

fn a_trusted_https_server_is_used(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    c.trust_origin()?;
    let job = job_over_tls(c, &origin)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    c.holds(
        ["security.cert.always_checked", "job4.owner.https_default_validation", "auth.server_certificate_automatic"],
        "a server with a trusted certificate is used",
        c.downloaded()? == Synthetic::new(SIZE, 1).bytes(0..SIZE),
    )
}

fn a_certificate_of_another_host_is_refused(c: &mut Bench) -> Outcome {
    if cfg!(windows) {
        return Err(Stop::Skipped("0.0.0.0 leads nowhere on Windows".to_owned()));
    }
    let origin = c.origin()?;
    c.trust_origin()?;
    origin.put("/file", Content::synthetic(SIZE, 1));
    // It leads to this machine, but the certificate is for 127.0.0.1 and localhost only.
    let url = origin.https_url("/file").replace("127.0.0.1", "0.0.0.0");
    let job = c.job_for(&url, JobPriority::NORMAL)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let clauses = ["security.cert.always_checked", "http_options.set_security_flags.cert_error_outcome"];
    c.is(clauses, error_of(&job)?, (ErrorContext::REMOTE_FILE, Hresult::ERROR_WINHTTP_SECURE_CERT_CN_INVALID))?;
    c.is(clauses, origin.journal().len(), 0)
}

fn an_untrusted_https_server_is_refused(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let job = job_over_tls(c, &origin)?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let clauses = [
        "security.cert.always_checked",
        "job4.owner.https_default_validation",
        "auth.server_certificate_automatic",
        "http_options.set_security_flags.cert_error_outcome",
    ];
    c.is(clauses, error_of(&job)?, (ErrorContext::REMOTE_FILE, Hresult::ERROR_WINHTTP_SECURE_INVALID_CA))?;
    c.advance(DAY)?;
    c.is(clauses, (job.state()?, origin.journal().len()), (JobState::ERROR, 0))
}
