//! Redirects under the policies that a job can choose (3.0): followed silently, followed and told,
//! or refused; and from HTTPS to HTTP.

use bits_api::SecurityFlags;
use bits_origin::{Content, GateAt, Origin};
use bits_world::Profile;

use super::prelude::*;

cases![
    every_redirect_is_followed_and_told,
    the_remote_name_tells_the_final_url_while_the_transfer_runs,
    a_reported_name_is_asked_from_then_on,
    a_reported_name_outlives_the_service,
    a_reported_name_is_no_more_what_the_prefix_was,
    a_name_that_the_client_gives_meanwhile_stands,
    a_policy_is_for_all_files_of_the_job,
    a_redirect_under_disallow_is_an_error_that_tells_its_target,
    resume_after_a_refused_redirect_asks_its_target,
    from_https_to_http_a_redirect_needs_its_flag,
    redirect_policies_have_no_effect_on_uploads,
    the_peer_cache_knows_a_file_by_the_url_it_came_from,
];

const BYTES: &[u8] = b"somewhere else";
const STATUSES: [u16; 6] = [300, 301, 302, 303, 307, 308];
const REPORT: SecurityFlags = SecurityFlags::REDIRECT_POLICY_ALLOW_REPORT;
const DISALLOW: SecurityFlags = SecurityFlags::REDIRECT_POLICY_DISALLOW;
const TO_HTTP: SecurityFlags = SecurityFlags::REDIRECT_POLICY_ALLOW_HTTPS_TO_HTTP;

fn served(c: &mut Bench) -> Result<Arc<Origin>, Stop> {
    let origin = c.origin()?;
    c.trust_origin()?;
    origin.put("/file", Content::bytes(BYTES));
    Ok(origin)
}

/// A job under these flags for that URL, which has been resumed.
fn resumed(c: &Bench, url: &str, flags: SecurityFlags) -> Result<Arc<dyn Job>, Stop> {
    let job = c.job_for(url, JobPriority::NORMAL)?;
    job.http_options()?.set_security_flags(flags)?;
    job.resume()?;
    Ok(job)
}

fn every_redirect_is_followed_and_told(c: &mut Bench) -> Outcome {
    for status in STATUSES {
        c.start_over();
        let origin = served(c)?;
        // Over two hops, with what a URL has that is not sent.
        c.redirect("/short", status, "/hop?by=1")?;
        c.redirect("/hop", status, &format!("{}#part", origin.https_url("/file")))?;
        let job = resumed(c, &origin.url("/short"), REPORT)?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        c.is("http_options.security_flags.redirect_allow_report", urls(&job)?, vec![origin.https_url("/file")])?;
        let flags = job.http_options()?.security_flags()?;
        c.value("http_options.security_flags.redirect_allow_report", flags)?;
        job.complete()?;
        c.holds("http.redirects", "the file is there", c.downloaded()? == BYTES)?;
    }
    Ok(())
}

fn the_remote_name_tells_the_final_url_while_the_transfer_runs(c: &mut Bench) -> Outcome {
    let table = [(SecurityFlags::empty(), "/short"), (REPORT, "/file")];
    for (flags, path) in table {
        c.start_over();
        let origin = served(c)?;
        c.redirect("/short", 302, "/file")?;
        let gate = origin.gate_method("GET", "/file", GateAt::Byte(5));
        let job = resumed(c, &origin.url("/short"), flags)?;
        c.wait(&job, JobState::TRANSFERRING, SOON)?;
        c.settle()?;
        c.is(
            "file.get_remote_name.changed",
            (job.state()?, urls(&job)?),
            (JobState::TRANSFERRING, vec![origin.url(path)]),
        )?;
        c.is("http_options.security_flags.redirect_allow_report", urls(&job)?, vec![origin.url(path)])?;
        gate.open();
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
    }
    Ok(())
}

/// The paths that were asked for.
fn paths(origin: &Origin) -> Vec<String> {
    origin.journal().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
}

fn a_reported_name_is_asked_from_then_on(c: &mut Bench) -> Outcome {
    let table = [
        (SecurityFlags::empty(), vec!["HEAD /short", "HEAD /file", "GET /short", "GET /file"]),
        (REPORT, vec!["HEAD /short", "HEAD /file", "GET /file"]),
    ];
    for (flags, expected) in table {
        c.start_over();
        let origin = served(c)?;
        c.redirect("/short", 302, "/file")?;
        let job = resumed(c, &origin.url("/short"), flags)?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        let expected = expected.into_iter().map(str::to_owned).collect();
        c.is("http_options.security_flags.redirect_allow_report", paths(&origin), expected)?;
    }
    Ok(())
}

fn a_reported_name_outlives_the_service(c: &mut Bench) -> Outcome {
    let origin = served(c)?;
    c.redirect("/short", 302, "/file")?;
    let gate = origin.gate_method("GET", "/file", GateAt::Byte(5));
    let job = resumed(c, &origin.url("/short"), REPORT)?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    let id = job.id()?;
    c.restart_service()?;
    let job = c.find(id)?;
    c.is("http_options.security_flags.redirect_allow_report", urls(&job)?, vec![origin.url("/file")])?;
    gate.open();
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let asked = paths(&origin).pop();
    c.is("http_options.security_flags.redirect_allow_report", asked, Some("GET /file".to_owned()))
}

fn a_reported_name_is_no_more_what_the_prefix_was(c: &mut Bench) -> Outcome {
    let origin = served(c)?;
    c.redirect("/old/short", 302, &origin.https_url("/file"))?;
    let job = resumed(c, &origin.url("/old/short"), REPORT)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let replaced = job.job3()?.replace_remote_prefix(Some(&origin.url("/old/")), Some(&origin.url("/new/")));
    c.is(
        ["http_options.set_security_flags.report_replace_prefix", "job3.replace_remote_prefix.after_redirect_report"],
        (replaced, urls(&job)?),
        (Ok(Success::FALSE), vec![origin.https_url("/file")]),
    )
}

fn a_name_that_the_client_gives_meanwhile_stands(c: &mut Bench) -> Outcome {
    let origin = served(c)?;
    c.redirect("/short", 302, "/file")?;
    origin.put("/other", Content::bytes(&b"a third place!"[..]));
    let gate = origin.gate_method("HEAD", "/file", GateAt::RequestSeen);
    let job = resumed(c, &origin.url("/short"), REPORT)?;
    c.settle()?;
    first_file(&job)?.file2()?.set_remote_name(Some(&origin.url("/other")))?;
    gate.open();
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("file2.set_remote_name.other_states", urls(&job)?, vec![origin.url("/other")])?;
    job.complete()?;
    c.holds("file.get_remote_name.changed", "the file is the other one", c.downloaded()? == b"a third place!")
}

fn a_policy_is_for_all_files_of_the_job(c: &mut Bench) -> Outcome {
    let origin = served(c)?;
    let job = c.new_job()?;
    for name in ["one", "two"] {
        origin.put(&format!("/file/{name}"), Content::bytes(BYTES));
        c.redirect(&format!("/{name}"), 302, &format!("/file/{name}"))?;
        job.add_file(Some(&origin.url(&format!("/{name}"))), Some(&c.local(name)))?;
    }
    job.http_options()?.set_security_flags(REPORT)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let names = vec![origin.url("/file/one"), origin.url("/file/two")];
    c.is("http_options.set_security_flags.redirect_scope", urls(&job)?, names)?;
    // What comes after it was forbidden is refused, in the same job.
    c.redirect("/three", 302, "/file/one")?;
    job.http_options()?.set_security_flags(DISALLOW)?;
    job.add_file(Some(&origin.url("/three")), Some(&c.local("three")))?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.is("http_options.set_security_flags.redirect_scope", error_of(&job)?.1, Hresult::BG_E_HTTP_ERROR_302)
}

fn a_redirect_under_disallow_is_an_error_that_tells_its_target(c: &mut Bench) -> Outcome {
    let clauses = [
        "http_options.set_security_flags.disallow_error_300",
        "http_options.set_security_flags.disallow_error_301",
        "http_options.set_security_flags.disallow_error_302",
        "http_options.set_security_flags.disallow_error_303",
        "http_options.set_security_flags.disallow_error_307",
        "http_options.set_security_flags.disallow_308",
    ];
    for (status, clause) in STATUSES.into_iter().zip(clauses) {
        c.start_over();
        let origin = served(c)?;
        c.redirect("/short", status, "/file")?;
        let job = resumed(c, &origin.url("/short"), DISALLOW)?;
        c.wait(&job, JobState::ERROR, SOON)?;
        let (context, code) = error_of(&job)?;
        if status == 308 {
            c.is(clause, (context, code.0), (ErrorContext::REMOTE_FILE, 0x8019_0134))?;
        } else {
            c.returns(clause, code)?;
            c.value(clause, code.0 & 0xFFFF)?;
        }
        let flags = job.http_options()?.security_flags()?;
        c.value("http_options.security_flags.redirect_disallow", flags)?;
        c.is(
            ["http_options.security_flags.redirect_disallow", "http.redirects"],
            (paths(&origin), urls(&job)?),
            (vec!["HEAD /short".to_owned()], vec![origin.url("/file")]),
        )?;
        c.advance(DAY)?;
        c.is(clause, job.state()?, JobState::ERROR)?;
    }
    Ok(())
}

fn resume_after_a_refused_redirect_asks_its_target(c: &mut Bench) -> Outcome {
    let origin = served(c)?;
    c.redirect("/short", 302, "/file")?;
    let job = resumed(c, &origin.url("/short"), DISALLOW)?;
    c.wait(&job, JobState::ERROR, SOON)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let asked = ["HEAD /short", "HEAD /file", "GET /file"].map(str::to_owned).to_vec();
    c.is("http_options.security_flags.redirect_disallow", paths(&origin), asked)
}

fn from_https_to_http_a_redirect_needs_its_flag(c: &mut Bench) -> Outcome {
    let clause = "http_options.security_flags.redirect_allow_https_to_http";
    let table = [
        (SecurityFlags::empty(), JobState::ERROR, false),
        (REPORT, JobState::ERROR, false),
        (TO_HTTP, JobState::TRANSFERRED, false),
        (REPORT | TO_HTTP, JobState::TRANSFERRED, true),
        (DISALLOW | TO_HTTP, JobState::ERROR, true),
    ];
    for (flags, state, is_renamed) in table {
        c.start_over();
        let origin = served(c)?;
        c.redirect("/short", 302, &origin.url("/file"))?;
        let job = resumed(c, &origin.https_url("/short"), flags)?;
        c.wait(&job, state, SOON)?;
        let name = if is_renamed { origin.url("/file") } else { origin.https_url("/short") };
        c.is(clause, (job.state()?, urls(&job)?), (state, vec![name]))?;
        if state == JobState::ERROR {
            let clause = "http_options.set_security_flags.https_to_http_default";
            c.is(clause, origin.journal().requests_to("/file").len(), 0)?;
        }
    }
    c.start_over();
    let options = c.new_job()?.http_options()?;
    options.set_security_flags(TO_HTTP)?;
    c.value(clause, options.security_flags()?)
}

fn redirect_policies_have_no_effect_on_uploads(c: &mut Bench) -> Outcome {
    let clause = "http_options.set_security_flags.redirect_not_uploads";
    for flags in [SecurityFlags::empty(), REPORT, DISALLOW] {
        c.start_over();
        let (job, file) = c.upload_job(JobType::UPLOAD, 1_000)?;
        c.redirect_simulated(&file, 302, "/elsewhere")?;
        job.http_options()?.set_security_flags(flags)?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        let context = ErrorContext::REMOTE_APPLICATION;
        c.is(clause, (error_of(&job)?, urls(&job)?), ((context, Hresult::BG_E_HTTP_ERROR_302), vec![file.url]))?;

        c.start_over();
        let (job, file) = c.upload_job(JobType::UPLOAD_REPLY, 1_000)?;
        c.reply_with(&file, &[7; 200])?;
        c.redirect_simulated(&file.reply(), 302, "http://replies.example/1")?;
        c.serve_at("http://replies.example/1", 200)?;
        job.http_options()?.set_security_flags(flags)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        c.is(clause, job.job2()?.reply_progress()?.bytes_transferred, 200)?;
    }
    Ok(())
}

fn the_peer_cache_knows_a_file_by_the_url_it_came_from(c: &mut Bench) -> Outcome {
    let table = [(SecurityFlags::empty(), false), (REPORT, true), (DISALLOW, true)];
    for (flags, differs) in table {
        c.start_over();
        c.play(Profile::V3_0)?;
        c.serve_peers()?;
        let job = c.new_job()?;
        job.job4()?.set_peer_caching_flags(bits_api::PeerCachingFlags::ENABLE_SERVER)?;
        job.http_options()?.set_security_flags(flags)?;
        let file = c.serve("a.bin", 100)?;
        c.serve_at("http://mirror.example/a.bin", 100)?;
        c.redirect_simulated(&file, 302, "http://mirror.example/a.bin")?;
        file.add_to(&job)?;
        // Refused at first where redirects are; then the new name is asked for.
        for _ in 0..2 {
            job.resume()?;
            c.settle()?;
        }
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        job.complete()?;
        let url = if differs { "http://mirror.example/a.bin" } else { &file.url };
        c.is("peer_cache.record.get_origin_url.redirect", c.cached_urls()?, vec![url.to_owned()])?;
    }
    Ok(())
}
