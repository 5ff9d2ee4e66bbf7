//! Redirects, under the default policy.

use bits_origin::{Content, Origin};

use super::prelude::*;

cases![
    redirects_are_followed_silently,
    a_redirect_within_a_server_is_followed_too,
    ten_redirects_are_followed_and_no_more,
    a_redirect_from_https_to_http_is_refused,
    a_redirect_away_from_http_is_refused,
];

const BYTES: &[u8] = b"somewhere else";

fn served(c: &mut Bench) -> Result<Arc<Origin>, Stop> {
    let origin = c.origin()?;
    c.trust_origin()?;
    origin.put("/file", Content::bytes(BYTES));
    Ok(origin)
}

fn redirects_are_followed_silently(c: &mut Bench) -> Outcome {
    let origin = served(c)?;
    c.redirect("/one", 302, &origin.https_url("/file"))?;
    c.redirect("/two", 302, &origin.https_url("/file"))?;
    let job = c.new_job()?;
    let short = vec![origin.url("/one"), origin.url("/two")];
    for (url, name) in short.iter().zip(["one.bin", "two.bin"]) {
        job.add_file(Some(url), Some(&c.local(name)))?;
    }
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(
        ["http_options.security_flags.redirect_allow_silent", "http_options.set_security_flags.default_redirect"],
        urls(&job)?,
        short,
    )?;
    job.complete()?;
    let lengths = vec![c.local_length("one.bin")?, c.local_length("two.bin")?];
    c.is(
        [
            "http_options.set_security_flags.default_redirect",
            "http_options.set_security_flags.redirect_scope",
            "http_options.security_flags.redirect_allow_silent",
        ],
        lengths,
        vec![Some(BYTES.len() as u64); 2],
    )
}

fn a_redirect_within_a_server_is_followed_too(c: &mut Bench) -> Outcome {
    let origin = served(c)?;
    c.redirect("/short", 302, "/file")?;
    let job = c.job_for(&origin.url("/short"), JobPriority::NORMAL)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    c.holds("http_options.set_security_flags.redirect_same_server", "the file is there", c.downloaded()? == BYTES)
}

fn ten_redirects_are_followed_and_no_more(c: &mut Bench) -> Outcome {
    let origin = served(c)?;
    for hop in 1..=11 {
        let next = if hop == 1 { "/file".to_owned() } else { format!("/{}", hop - 1) };
        c.redirect(&format!("/{hop}"), 302, &next)?;
    }
    let mut ends = Vec::new();
    for (hops, state) in [(10, JobState::TRANSFERRED), (11, JobState::TRANSIENT_ERROR)] {
        let job = c.new_job()?;
        job.add_file(Some(&origin.url(&format!("/{hops}"))), Some(&c.local(&format!("{hops}.bin"))))?;
        job.resume()?;
        c.wait(&job, state, SOON)?;
        ends.push(error_of(&job).ok().map(|(_, code)| code));
    }
    let expected = vec![None, Some(Hresult::ERROR_WINHTTP_REDIRECT_FAILED)];
    c.is("http_options.set_security_flags.redirect_same_server", ends, expected)
}

/// The code with which a job for `/short` of that URL fails.
fn refusal(c: &Bench, url: &str) -> Result<Hresult, Stop> {
    let job = c.job_for(url, JobPriority::NORMAL)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    Ok(error_of(&job)?.1)
}

fn a_redirect_from_https_to_http_is_refused(c: &mut Bench) -> Outcome {
    let origin = served(c)?;
    c.redirect("/short", 302, &origin.url("/file"))?;
    let code = refusal(c, &origin.https_url("/short"))?;
    c.is("http_options.set_security_flags.https_to_http_default", code, Hresult::BG_E_HTTP_ERROR_302)?;
    let asked = origin.journal().requests_to("/file").len();
    c.is("http_options.set_security_flags.https_to_http_default", asked, 0)
}

fn a_redirect_away_from_http_is_refused(c: &mut Bench) -> Outcome {
    let origin = served(c)?;
    c.redirect("/short", 302, "file://server/share/file")?;
    let code = refusal(c, &origin.url("/short"))?;
    c.is("http_options.set_security_flags.no_http_to_smb", code, Hresult::BG_E_HTTP_ERROR_302)
}
