//! Proxies where bytes move: what they see of a download, and what they can do to it.

use bits_api::ProxyUsage;
use bits_origin::{Fault, GateAt, Journal, Origin, Rule, Script};
use bits_world::{InternetSettings, ProxyScript};

use super::http::{SIZE, asked, bytes, content};
use super::prelude::*;

cases![
    an_http_url_goes_whole_to_the_proxy,
    https_goes_through_a_tunnel,
    a_refused_tunnel_is_the_error_of_the_job,
    a_proxy_that_wants_credentials_is_an_error,
    a_proxy_that_strips_ranges_is_like_a_server_without,
    a_proxy_of_http_1_0_will_do_if_it_leaves_lengths_and_ranges,
    the_files_of_a_job_share_the_connection_to_their_proxy,
    a_proxy_that_is_not_there_gives_way_to_the_next,
    a_proxy_without_an_address_is_transient,
    a_redirect_is_routed_anew,
    a_download_goes_on_through_another_proxy,
];

/// A server with a file, which the machine trusts.
fn server(c: &mut Bench) -> Result<Arc<Origin>, Stop> {
    let origin = c.origin()?;
    c.trust_origin()?;
    origin.put("/file", content());
    Ok(origin)
}

/// A job for that file through these proxies.
fn job_through(c: &Bench, url: &str, list: &str, bypass: Option<&str>) -> Result<Arc<dyn Job>, Stop> {
    let job = c.job_for(url, JobPriority::NORMAL)?;
    job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(list), bypass)?;
    job.resume()?;
    Ok(job)
}

fn address(proxy: &Origin) -> String {
    proxy.address().to_string()
}

/// What was asked for, as it was asked for.
fn targets(journal: &Journal) -> Vec<String> {
    journal.iter().map(|request| format!("{} {}", request.method, request.target)).collect()
}

/// Which of the requests to a server have come through a proxy.
fn passed_on(journal: &Journal) -> Vec<bool> {
    journal.iter().map(|request| request.header("Via").is_some()).collect()
}

fn an_http_url_goes_whole_to_the_proxy(c: &mut Bench) -> Outcome {
    let usages = [
        ("proxy.default", ProxyUsage::PRECONFIG),
        ("proxy.override", ProxyUsage::OVERRIDE),
        ("enum.proxy_usage.autodetect", ProxyUsage::AUTODETECT),
    ];
    for (clause, usage) in usages {
        c.start_over();
        let (origin, proxy) = (server(c)?, c.proxy()?);
        let url = origin.url("/file");
        let job = c.job_for(&url, JobPriority::NORMAL)?;
        match usage {
            ProxyUsage::PRECONFIG => c.set_own_proxies(InternetSettings::proxies(address(&proxy)))?,
            ProxyUsage::OVERRIDE => _ = job.set_proxy_settings(usage, Some(&address(&proxy)), None)?,
            _ => {
                c.detect(&format!("PROXY {}; DIRECT", address(&proxy)))?;
                job.set_proxy_settings(usage, None, None)?;
            }
        }
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        job.complete()?;
        c.is(clause, targets(&proxy.journal()), vec![format!("HEAD {url}"), format!("GET {url}")])?;
        c.is(clause, passed_on(&origin.journal()), vec![true; 2])?;
        c.holds(clause, "the file has the bytes of the server's", c.downloaded()? == bytes())?;
    }
    Ok(())
}

fn https_goes_through_a_tunnel(c: &mut Bench) -> Outcome {
    let (origin, proxy) = (server(c)?, c.proxy()?);
    let list = format!("http=nobody.invalid https={}", address(&proxy));
    let job = job_through(c, &origin.https_url("/file"), &list, None)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    let clauses = ["proxy.override", "job.set_proxy_settings.list_format"];
    c.is(clauses, targets(&proxy.journal()), vec![format!("CONNECT {}", origin.https_address())])?;
    let range = format!("GET bytes=0-{}", SIZE - 1);
    c.is(clauses, asked(&origin.journal()), vec!["HEAD -".to_owned(), range])?;
    c.is(clauses, passed_on(&origin.journal()), vec![false; 2])?;
    c.holds(clauses, "the file has the bytes of the server's", c.downloaded()? == bytes())
}

fn a_refused_tunnel_is_the_error_of_the_job(c: &mut Bench) -> Outcome {
    let refusals = [
        (403, JobState::ERROR, Hresult::BG_E_HTTP_ERROR_403),
        (502, JobState::TRANSIENT_ERROR, Hresult::BG_E_HTTP_ERROR_502),
    ];
    for (code, state, expected) in refusals {
        c.start_over();
        let (origin, proxy) = (server(c)?, c.proxy()?);
        proxy.script(Script::new().rule(Rule::on("*").fault(Fault::Status { code, retry_after: None })));
        let job = job_through(c, &origin.https_url("/file"), &address(&proxy), None)?;
        c.wait(&job, state, SOON)?;
        c.is("proxy.override", error_of(&job)?, (ErrorContext::REMOTE_FILE, expected))?;
        c.is("proxy.override", (proxy.journal().len(), origin.journal().len()), (1, 0))?;
    }
    Ok(())
}

fn a_proxy_that_wants_credentials_is_an_error(c: &mut Bench) -> Outcome {
    for is_https in [false, true] {
        c.start_over();
        let (origin, proxy) = (server(c)?, c.proxy()?);
        let challenge = Fault::Header("Proxy-Authenticate".to_owned(), "Basic realm=\"proxy\"".to_owned());
        let refusal = Rule::on("*").fault(Fault::Status { code: 407, retry_after: None }).fault(challenge);
        proxy.script(Script::new().rule(refusal));
        let url = if is_https { origin.https_url("/file") } else { origin.url("/file") };
        let job = job_through(c, &url, &address(&proxy), None)?;
        c.wait(&job, JobState::ERROR, SOON)?;
        c.returns("job2.set_credentials.error_proxy", error_of(&job)?.1)?;
        c.is("job2.set_credentials.error_proxy", origin.journal().len(), 0)?;
    }
    Ok(())
}

fn a_proxy_that_strips_ranges_is_like_a_server_without(c: &mut Bench) -> Outcome {
    for stripped in [Fault::IgnoreRange, Fault::Without("Content-Range".to_owned())] {
        c.start_over();
        let (origin, proxy) = (server(c)?, c.proxy()?);
        proxy.script(Script::new().rule(Rule::on("/file").method("GET").fault(stripped)));
        let job = job_through(c, &origin.url("/file"), &address(&proxy), None)?;
        c.wait(&job, JobState::ERROR, SOON)?;
        let clauses =
            ["http.proxy_strips", "failure.full_file_for_range", "callback2.example.error_insufficient_range"];
        let (context, code) = error_of(&job)?;
        c.returns(clauses, code)?;
        c.is(clauses, context, ErrorContext::REMOTE_FILE)?;
        job.set_priority(JobPriority::FOREGROUND)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        job.complete()?;
        c.holds("http.foreground_no_range", "the file is whole", c.downloaded()? == bytes())?;
    }
    Ok(())
}

fn a_proxy_of_http_1_0_will_do_if_it_leaves_lengths_and_ranges(c: &mut Bench) -> Outcome {
    let (origin, proxy) = (server(c)?, c.proxy()?);
    proxy.script(Script::new().rule(Rule::on("*").fault(Fault::Http10)));
    let job = job_through(c, &origin.url("/file"), &address(&proxy), None)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    c.holds("http.version10", "the file has the bytes of the server's", c.downloaded()? == bytes())?;
    c.start_over();
    let (origin, proxy) = (server(c)?, c.proxy()?);
    let old = Rule::on("*").fault(Fault::Http10).fault(Fault::Without("Content-Range".to_owned()));
    proxy.script(Script::new().rule(old));
    let job = job_through(c, &origin.url("/file"), &address(&proxy), None)?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.returns("http.version", error_of(&job)?.1)
}

fn the_files_of_a_job_share_the_connection_to_their_proxy(c: &mut Bench) -> Outcome {
    let (origin, proxy) = (server(c)?, c.proxy()?);
    proxy.reach("one.example:80", origin.address());
    proxy.reach("two.example:80", origin.address());
    let job = c.new_job()?;
    job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&address(&proxy)), None)?;
    let urls = ["http://one.example/file", "http://two.example/file"];
    for (url, name) in urls.into_iter().zip(["one.bin", "two.bin"]) {
        job.add_file(Some(url), Some(&c.local(name)))?;
    }
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let expected = urls.iter().flat_map(|url| [format!("HEAD {url}"), format!("GET {url}")]).collect();
    c.is("proxy.override", targets(&proxy.journal()), expected)?;
    let mut connections: Vec<u64> = proxy.journal().iter().map(|request| request.connection).collect();
    connections.dedup();
    c.is("proxy.override", connections.len(), 1)
}

fn a_proxy_that_is_not_there_gives_way_to_the_next(c: &mut Bench) -> Outcome {
    let (origin, proxy, gone) = (server(c)?, c.proxy()?, c.proxy()?);
    let nobody = address(&gone);
    drop(gone);
    let job = job_through(c, &origin.url("/file"), &format!("{nobody} {}", address(&proxy)), None)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("job.set_proxy_settings.list_format", proxy.journal().len(), 2)?;
    job.cancel()?;
    let job = job_through(c, &origin.url("/file"), &nobody, None)?;
    c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
    let expected = (ErrorContext::REMOTE_FILE, Hresult::ERROR_WINHTTP_CANNOT_CONNECT);
    c.is("proxy.override", error_of(&job)?, expected)
}

fn a_proxy_without_an_address_is_transient(c: &mut Bench) -> Outcome {
    let origin = server(c)?;
    // A label this long is no name, so that no name server needs to be asked.
    let proxy = format!("{}.invalid:8080", "n".repeat(64));
    let job = job_through(c, &origin.url("/file"), &proxy, None)?;
    c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
    c.returns("failure.name_not_resolved", error_of(&job)?.1)?;
    c.is("failure.name_not_resolved", (job.state()?, origin.journal().len()), (JobState::TRANSIENT_ERROR, 0))
}

fn a_redirect_is_routed_anew(c: &mut Bench) -> Outcome {
    let (origin, proxy) = (server(c)?, c.proxy()?);
    let here = origin.url("/short").replace("127.0.0.1", "localhost");
    let location = Fault::Header("Location".to_owned(), origin.url("/file"));
    c.follow(Rule::on("/short").fault(Fault::Status { code: 302, retry_after: None }).fault(location))?;
    let job = job_through(c, &here, &address(&proxy), Some("127.0.0.1"))?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let to_file = origin.journal().requests_to("/file");
    let ways =
        (passed_on(&to_file).contains(&true), passed_on(&origin.journal().requests_to("/short")).contains(&false));
    c.is("job.set_proxy_settings.bypass_format", ways, (false, false))?;
    c.is("job.set_proxy_settings.bypass_format", proxy.journal().requests_to("/file").len(), 0)
}

fn a_download_goes_on_through_another_proxy(c: &mut Bench) -> Outcome {
    let (origin, first, second) = (server(c)?, c.proxy()?, c.proxy()?);
    c.set_own_proxies(InternetSettings::script(ProxyScript::answering(format!("PROXY {}", address(&first)))))?;
    let gate = origin.gate_method("GET", "/file", GateAt::Byte(10_000));
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.settle()?;
    c.is("enum.proxy_usage.preconfig", job.progress()?.bytes_transferred, 10_000)?;
    c.set_own_proxies(InternetSettings::script(ProxyScript::answering(format!("PROXY {}", address(&second)))))?;
    c.disconnect()?;
    c.settle()?;
    gate.open();
    c.connect()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    let rest = format!("GET bytes=10000-{}", SIZE - 1);
    c.is(["http.resume_range", "enum.proxy_usage.preconfig"], asked(&second.journal()), vec![rest])?;
    c.is("enum.proxy_usage.preconfig", first.journal().len(), 2)?;
    c.holds("http.resume_range", "the file has the bytes of the server's", c.downloaded()? == bytes())
}
