//! Which way jobs go: whose proxies count, what their lists say, and what is wrong with them.

use bits_api::{Manager, ProxyUsage, SecurityFlags, TokenFlags};
use bits_world::{InternetSettings, Profile, ProxyScript, Sid, Token};

use super::prelude::*;
use crate::bench::Remote;

cases![
    a_new_job_goes_through_the_proxies_of_its_owner,
    a_job_without_proxies_goes_straight,
    an_override_takes_the_place_of_the_users_settings,
    proxies_are_detected_anew_for_each_file,
    a_machine_without_detection_is_no_obstacle,
    a_script_answers_by_host,
    jobs_side_by_side_have_ways_of_their_own,
    each_protocol_has_the_proxies_of_its_entries,
    an_entry_without_a_port_has_that_of_its_protocol,
    a_proxy_that_cannot_be_reached_gives_way_to_the_next,
    some_hosts_are_reached_straight,
    another_server_has_another_way,
    a_malformed_list_is_an_error_of_the_job_that_can_be_mended,
    a_mistyped_proxy_of_the_user_is_transient,
    a_service_account_only_detects_until_somebody_sets_proxies_for_it,
    a_helpers_proxies_count_since_10_2,
];

const HTTP: &str = "http://files.example/a.bin";
const HTTPS: &str = "https://files.example/a.bin";

/// A job for `url` through these proxies, which has begun.
fn begun(
    c: &Bench,
    manager: &Arc<dyn Manager>,
    url: &str,
    (usage, list, bypass): (ProxyUsage, Option<&str>, Option<&str>),
) -> Result<Arc<dyn Job>, Stop> {
    let job = new_job(manager)?;
    job.set_proxy_settings(usage, list, bypass)?;
    c.file_at(url)?.add_to(&job)?;
    job.resume()?;
    Ok(job)
}

/// The way of a job of the main client's user.
fn way(c: &Bench, url: &str, proxies: (ProxyUsage, Option<&str>, Option<&str>)) -> Result<String, Stop> {
    way_of(c, &c.manager()?, url, proxies)
}

fn way_of(
    c: &Bench,
    manager: &Arc<dyn Manager>,
    url: &str,
    proxies: (ProxyUsage, Option<&str>, Option<&str>),
) -> Result<String, Stop> {
    let job = begun(c, manager, url, proxies)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.cancel()?;
    match c.ways()?.pop() {
        Some(way) => Ok(way),
        None => failed("nobody was reached"),
    }
}

/// The way by lists of the job's own.
fn listed(c: &Bench, list: &str, bypass: &str, url: &str) -> Result<String, Stop> {
    way(c, url, (ProxyUsage::OVERRIDE, Some(list), Some(bypass)))
}

const PRECONFIG: (ProxyUsage, Option<&str>, Option<&str>) = (ProxyUsage::PRECONFIG, None, None);
const NO_PROXY: (ProxyUsage, Option<&str>, Option<&str>) = (ProxyUsage::NO_PROXY, None, None);
const AUTODETECT: (ProxyUsage, Option<&str>, Option<&str>) = (ProxyUsage::AUTODETECT, None, None);

fn a_new_job_goes_through_the_proxies_of_its_owner(c: &mut Bench) -> Outcome {
    let clauses = [
        "proxy.default",
        "job.set_proxy_settings.default",
        "manager.create_job.initial_proxy",
        "enum.proxy_usage.preconfig",
    ];
    c.set_own_proxies(InternetSettings::proxies("mine:8080").bypassing("*.intern.example;<local>"))?;
    let other = c.other_token()?;
    c.set_proxies_of(&other, InternetSettings::proxies("theirs:8080"))?;
    let mut ways = Vec::new();
    for (manager, url) in [
        (c.manager()?, HTTP),
        (c.manager_as(other.clone())?, HTTP),
        (c.manager()?, "http://a.intern.example/a"),
        (c.manager()?, "http://intranet/a"),
    ] {
        let job = new_job(&manager)?;
        c.value(clauses, job.proxy_settings()?.usage)?;
        c.file_at(url)?.add_to(&job)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        job.cancel()?;
        ways.extend(c.ways()?.pop());
    }
    let expected = ["PROXY mine:8080", "PROXY theirs:8080", "DIRECT", "DIRECT"].map(str::to_owned).to_vec();
    c.is(clauses, ways, expected)?;
    c.set_own_proxies(InternetSettings::proxies("new:80"))?;
    c.is(clauses, way(c, HTTP, PRECONFIG)?, "PROXY new:80".to_owned())
}

fn a_job_without_proxies_goes_straight(c: &mut Bench) -> Outcome {
    c.set_own_proxies(InternetSettings::proxies("mine:8080"))?;
    c.detect("PROXY found:8080")?;
    c.is("enum.proxy_usage.no_proxy", way(c, HTTP, NO_PROXY)?, "DIRECT".to_owned())?;
    c.is("enum.proxy_usage.no_proxy", way(c, HTTPS, NO_PROXY)?, "DIRECT".to_owned())
}

fn an_override_takes_the_place_of_the_users_settings(c: &mut Bench) -> Outcome {
    c.set_own_proxies(InternetSettings::proxies("mine:8080").bypassing("files.example"))?;
    c.detect("PROXY found:8080")?;
    let job = begun(c, &c.manager()?, HTTP, (ProxyUsage::OVERRIDE, Some("given:81"), None))?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.value(["proxy.override", "enum.proxy_usage.override"], job.proxy_settings()?.usage)?;
    c.is(["proxy.override", "enum.proxy_usage.override"], c.ways()?, vec!["PROXY given:81".to_owned()])
}

fn proxies_are_detected_anew_for_each_file(c: &mut Bench) -> Outcome {
    c.detect("PROXY first:8080")?;
    let job = c.new_job()?;
    job.set_proxy_settings(ProxyUsage::AUTODETECT, None, None)?;
    let files = [c.serve("one.bin", 1_000)?, c.serve("two.bin", 1_000)?, c.serve("three.bin", 1_000)?];
    for file in &files {
        file.add_to(&job)?;
    }
    c.hold_at(&files[0], 400)?;
    c.hold_at(&files[1], 400)?;
    job.resume()?;
    c.settle()?;
    c.detect("PROXY second:8080")?;
    c.let_go(&files[0])?;
    c.settle()?;
    c.set_proxies(|proxies| proxies.detected = None)?;
    c.let_go(&files[1])?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let expected = ["PROXY first:8080", "PROXY second:8080", "DIRECT"].map(str::to_owned).to_vec();
    c.is("enum.proxy_usage.autodetect", c.ways()?, expected)
}

fn a_machine_without_detection_is_no_obstacle(c: &mut Bench) -> Outcome {
    c.set_own_proxies(InternetSettings::proxies("mine:8080"))?;
    c.is("enum.proxy_usage.autodetect", way(c, HTTP, AUTODETECT)?, "DIRECT".to_owned())
}

fn a_script_answers_by_host(c: &mut Bench) -> Outcome {
    let script = ProxyScript::answering("PROXY found:8080; DIRECT").for_hosts("*.intern.example", "DIRECT");
    c.set_own_proxies(InternetSettings::script(script))?;
    let ways = vec![way(c, HTTP, PRECONFIG)?, way(c, "http://a.intern.example/a", PRECONFIG)?];
    c.is("enum.proxy_usage.preconfig", ways, vec!["PROXY found:8080".to_owned(), "DIRECT".to_owned()])?;
    c.sink_proxy("found", 8080)?;
    c.is("enum.proxy_usage.preconfig", way(c, HTTP, PRECONFIG)?, "DIRECT".to_owned())
}

fn jobs_side_by_side_have_ways_of_their_own(c: &mut Bench) -> Outcome {
    c.needs(Capability::Servers)?;
    let manager = c.manager()?;
    for (name, list) in [("one", Some("one")), ("two", Some("two")), ("three", None)] {
        let usage = if list.is_some() { ProxyUsage::OVERRIDE } else { ProxyUsage::NO_PROXY };
        let job = new_job(&manager)?;
        job.set_proxy_settings(usage, list, None)?;
        c.serve(name, 1_000)?.add_to(&job)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
    }
    let expected = ["PROXY one:80", "PROXY two:80", "DIRECT"].map(str::to_owned).to_vec();
    c.is("enum.proxy_usage.per_job", c.ways()?, expected)
}

fn each_protocol_has_the_proxies_of_its_entries(c: &mut Bench) -> Outcome {
    let lists = [
        ("http=http://a b", "PROXY a:80", "PROXY b:80"),
        ("HTTPS=a:1 http=b:2", "PROXY b:2", "PROXY a:1"),
        ("a:3128", "PROXY a:3128", "PROXY a:3128"),
        ("http=[::1]:8080 https=http://10.0.0.1:9", "PROXY [::1]:8080", "PROXY 10.0.0.1:9"),
    ];
    for (list, http, https) in lists {
        let ways = (listed(c, list, "", HTTP)?, listed(c, list, "", HTTPS)?);
        let clauses = ["job.set_proxy_settings.list_format", "job.set_proxy_settings.list_default_entry"];
        c.is(clauses, ways, (http.to_owned(), https.to_owned()))?;
    }
    // One that is for another protocol alone is for nobody else.
    let straight = listed(c, "https=a", "", HTTP)?;
    c.is("job.set_proxy_settings.list_default_entry", straight, "DIRECT".to_owned())
}

fn an_entry_without_a_port_has_that_of_its_protocol(c: &mut Bench) -> Outcome {
    for (list, url, expected) in [
        ("http=a", HTTP, "PROXY a:80"),
        ("https=a", HTTPS, "PROXY a:443"),
        ("http://a", HTTP, "PROXY a:80"),
        ("https://a", HTTPS, "PROXY a:443"),
        ("https=http://a", HTTPS, "PROXY a:80"),
    ] {
        c.is("job.set_proxy_settings.list_port", listed(c, list, "", url)?, expected.to_owned())?;
    }
    Ok(())
}

fn a_proxy_that_cannot_be_reached_gives_way_to_the_next(c: &mut Bench) -> Outcome {
    c.sink_proxy("a", 80)?;
    c.is("proxy.override", listed(c, "a b:81 c", "", HTTP)?, "PROXY b:81".to_owned())?;
    c.sink_proxy("b", 81)?;
    let job = begun(c, &c.manager()?, HTTP, (ProxyUsage::OVERRIDE, Some("a b:81"), None))?;
    c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
    let unreachable = (ErrorContext::REMOTE_FILE, Hresult::ERROR_WINHTTP_CANNOT_CONNECT);
    c.is("proxy.override", error_of(&job)?, unreachable)
}

fn some_hosts_are_reached_straight(c: &mut Bench) -> Outcome {
    let format = "job.set_proxy_settings.bypass_format";
    let wildcard = "job.set_proxy_settings.bypass_wildcard";
    let local = "job.set_proxy_settings.bypass_local";
    let table = [
        (format, "files.example other", "http://files.example/a", true),
        (format, "files.example other", "http://OTHER/a", true),
        (format, "10.0.0.1 [::1]", "https://10.0.0.1/a", true),
        (format, "10.0.0.1 [::1]", "http://[::1]/a", true),
        (format, "files.example", "http://www.files.example/a", false),
        (format, "10.0.0.1", "http://10.0.0.11/a", false),
        (wildcard, "*.example.org", "http://a.b.example.org/a", true),
        (wildcard, "*.example.org", "http://example.org/a", false),
        (wildcard, "*example.org", "http://example.org/a", true),
        (local, "<local>", "http://intranet/a", true),
        (local, "<local>", "http://intranet.example/a", false),
        (local, "other", "http://intranet/a", false),
    ];
    for (clause, bypass, url, is_spared) in table {
        let expected = if is_spared { "DIRECT" } else { "PROXY p:80" };
        c.is(clause, listed(c, "p", bypass, url)?, expected.to_owned())?;
    }
    // A wildcard behind something is not supported.
    let job = begun(c, &c.manager()?, "http://aaa.example/a", (ProxyUsage::OVERRIDE, Some("p"), Some("aaa.*")))?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.is(wildcard, error_of(&job)?.1, Hresult::BG_E_INVALID_PROXY_INFO)
}

fn another_server_has_another_way(c: &mut Bench) -> Outcome {
    let short = Remote { url: "http://short.example/a".to_owned(), local: c.local("a.bin") };
    c.file_at(HTTP)?;
    c.redirect_simulated(&short, 302, HTTP)?;
    let job = c.new_job()?;
    job.set_proxy_settings(ProxyUsage::OVERRIDE, Some("p"), Some("files.example"))?;
    job.http_options()?.set_security_flags(SecurityFlags::REDIRECT_POLICY_ALLOW_REPORT)?;
    short.add_to(&job)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let expected = vec!["PROXY p:80".to_owned(), "DIRECT".to_owned()];
    c.is("job.set_proxy_settings.bypass_format", c.ways()?, expected)
}

fn a_malformed_list_is_an_error_of_the_job_that_can_be_mended(c: &mut Bench) -> Outcome {
    let clauses = ["job.set_proxy_settings.validated_late", "proxy.invalid"];
    for (list, bypass) in [("ftp=p", None), ("p:99999", None), ("p|q", None), ("", None), ("p", Some("p:x"))] {
        c.start_over();
        let job = c.new_job()?;
        let set = job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(list), bypass);
        c.is(clauses, set, Ok(Success::OK))?;
        c.file_at(HTTP)?.add_to(&job)?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        let (context, code) = error_of(&job)?;
        c.returns(clauses, code)?;
        c.is(clauses, (context, c.ways()?.len()), (ErrorContext::GENERAL_TRANSPORT, 0))?;
        job.set_proxy_settings(ProxyUsage::OVERRIDE, Some("p"), None)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        c.is(clauses, c.ways()?, vec!["PROXY p:80".to_owned()])?;
    }
    Ok(())
}

fn a_mistyped_proxy_of_the_user_is_transient(c: &mut Bench) -> Outcome {
    c.set_own_proxies(InternetSettings::proxies("http://pro xy|:8080"))?;
    let job = begun(c, &c.manager()?, HTTP, PRECONFIG)?;
    c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
    let (context, code) = error_of(&job)?;
    c.returns("failure.proxy_name_invalid", code)?;
    c.is(
        "failure.proxy_name_invalid",
        (job.state()?, context),
        (JobState::TRANSIENT_ERROR, ErrorContext::GENERAL_TRANSPORT),
    )?;
    c.set_own_proxies(InternetSettings::proxies("proxy:8080"))?;
    c.wait(&job, JobState::TRANSFERRED, DAY)?;
    c.is("failure.proxy_name_invalid", c.ways()?, vec!["PROXY proxy:8080".to_owned()])
}

fn a_service_account_only_detects_until_somebody_sets_proxies_for_it(c: &mut Bench) -> Outcome {
    let clauses = ["svcacct.ie_proxy", "token.service_account.ie_proxy", "job.set_proxy_settings.local_system"];
    for account in [Sid::LOCAL_SYSTEM, Sid::LOCAL_SERVICE, Sid::NETWORK_SERVICE] {
        c.start_over();
        c.set_proxies(|proxies| proxies.everybody = InternetSettings::proxies("everybodys:8080"))?;
        let service = c.service_account(account)?;
        let mut ways = vec![way(c, HTTP, PRECONFIG)?, way_of(c, &service, HTTP, PRECONFIG)?];
        c.detect("PROXY found:8080")?;
        ways.push(way_of(c, &service, HTTP, PRECONFIG)?);
        c.is(clauses, ways, ["PROXY everybodys:8080", "DIRECT", "PROXY found:8080"].map(str::to_owned).to_vec())?;
        let overridden = way_of(c, &service, HTTP, (ProxyUsage::OVERRIDE, Some("given"), None))?;
        c.set_proxies_of(&Token::service_account(account), InternetSettings::proxies("services:8080"))?;
        let set = way_of(c, &service, HTTP, PRECONFIG)?;
        let remedied = ("PROXY given:80".to_owned(), "PROXY services:8080".to_owned());
        c.is(["svcacct.proxy_remedies", "token.service_account.ie_proxy"], (overridden, set), remedied)?;
    }
    Ok(())
}

fn a_helpers_proxies_count_since_10_2(c: &mut Bench) -> Outcome {
    let versions = [
        (Profile::V10_1, "PROXY owners:1", "token.proxy.preconfig_before_1809"),
        (Profile::V10_2, "PROXY helpers:1", "token.proxy.preconfig_since_1809"),
    ];
    for (profile, expected, clause) in versions {
        c.start_over();
        c.play(profile)?;
        let helper = c.other_token()?;
        c.set_own_proxies(InternetSettings::proxies("owners:1"))?;
        c.set_proxies_of(&helper, InternetSettings::proxies("helpers:1"))?;
        let job = c.new_job()?;
        c.file_at(HTTP)?.add_to(&job)?;
        let options = job.token_options()?;
        {
            let _helping = c.impersonate(&helper)?;
            options.set_helper_token()?;
        }
        options.set_helper_token_flags(TokenFlags::NETWORK)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        c.is(["proxy.helper_preconfig", clause], c.ways()?, vec![expected.to_owned()])?;
    }
    Ok(())
}
