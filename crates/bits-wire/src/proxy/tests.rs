use proptest::prelude::*;

use super::*;
use crate::download::{Scheme, Target};

/// The way to `url` by the lists of a job, in words.
fn way(list: &str, bypass: &str, url: &str) -> Result<String, Hresult> {
    by(&overriding(list, bypass), &Proxies::default(), url)
}

fn overriding(list: &str, bypass: &str) -> ProxySettings {
    ProxySettings { usage: ProxyUsage::OVERRIDE, list: Some(list.into()), bypass_list: Some(bypass.into()) }
}

fn using(usage: ProxyUsage) -> ProxySettings {
    ProxySettings { usage, ..ProxySettings::default() }
}

fn user() -> Sid {
    Sid::of_account(1)
}

fn by(settings: &ProxySettings, proxies: &Proxies, url: &str) -> Result<String, Hresult> {
    let target = Target::parse(url).unwrap();
    let proxying = Proxying::of_job(settings, proxies, &user(), &Decisions::default());
    let route = proxying.and_then(|proxying| proxying.route(target.origin())).map_err(|failure| failure.code)?;
    Ok(route.hops().iter().map(Hop::to_string).collect::<Vec<_>>().join("; "))
}

/// The way of a user with these settings.
fn preconfigured(settings: InternetSettings, detected: Option<ProxyScript>, url: &str) -> Result<String, Hresult> {
    let mut proxies = Proxies { detected, ..Proxies::default() };
    proxies.users.insert(user(), settings);
    by(&using(ProxyUsage::PRECONFIG), &proxies, url)
}

#[test]
fn each_protocol_has_the_proxies_of_its_own_entries_or_else_those_of_none() {
    let cases = [
        ("http=http://a b", "PROXY a:80", "PROXY b:80"),
        ("a", "PROXY a:80", "PROXY a:80"),
        ("a b:8080;c", "PROXY a:80; PROXY b:8080; PROXY c:80", "PROXY a:80; PROXY b:8080; PROXY c:80"),
        ("http=a http=b https=c", "PROXY a:80; PROXY b:80", "PROXY c:443"),
        ("HTTPS=http://a:1", "DIRECT", "PROXY a:1"),
        ("https://a", "PROXY a:443", "PROXY a:443"),
        (" \t http=[::1]:8080 ; ::2 ", "PROXY [::1]:8080", "PROXY [::2]:80"),
        ("BÜCHER.example:3128", "PROXY xn--bcher-kva.example:3128", "PROXY xn--bcher-kva.example:3128"),
    ];
    for (list, http, https) in cases {
        assert_eq!(way(list, "", "http://host/").as_deref(), Ok(http), "{list}");
        assert_eq!(way(list, "", "https://host/").as_deref(), Ok(https), "{list}");
    }
}

#[test]
fn a_malformed_list_is_found_as_soon_as_somebody_connects() {
    let lists = [
        "",
        " ",
        "ftp=a",
        "socks=a",
        "a=b=c",
        "ftp://a",
        "http=",
        "http://",
        "a:0",
        "a:65536",
        "a:x",
        "a:",
        ":80",
        "a:+80",
        "a,b",
        "a|b",
        "a/b",
        "http://a/",
        "[::1",
        "[a]",
        "::g",
        "a b:c",
        "http=a =b",
        "user@a",
    ];
    for list in lists {
        assert_eq!(way(list, "", "http://host/"), Err(Hresult::BG_E_INVALID_PROXY_INFO), "{list:?}");
        assert_eq!(way(list, "host", "http://host/"), Err(Hresult::BG_E_INVALID_PROXY_INFO), "{list:?}");
    }
    for bypass in ["aaa.*", "a*b", "**", "*.a.*", "ftp://a", "a:0", "<remote>", "a,b", "a/b"] {
        assert_eq!(way("p", bypass, "http://host/"), Err(Hresult::BG_E_INVALID_PROXY_INFO), "{bypass:?}");
    }
}

#[test]
fn commas_separate_where_that_was_chosen() {
    let mut decisions = Decisions::default();
    decisions.set("job.set_proxy_settings.commas", "separate").unwrap();
    let settings = overriding("a,b:81", "");

    let proxying = Proxying::of_job(&settings, &Proxies::default(), &user(), &decisions).unwrap();

    let hops = [("a", 80), ("b", 81)].map(|(host, port)| Hop::Proxy(ProxyServer { host: host.into(), port }));
    assert_eq!(decisions.touched(), ["job.set_proxy_settings.commas"]);
    assert_eq!(proxying.route(Target::parse("http://host/").unwrap().origin()).unwrap().hops(), hops);
}

#[test]
fn some_hosts_are_reached_without_a_proxy() {
    let spared = [
        ("host", "http://host/"),
        ("HOST", "https://host:8443/"),
        ("other;host", "http://host/"),
        ("*", "http://host.example/"),
        ("*.example.org", "http://www.example.org/"),
        ("*le.org", "http://example.org/"),
        ("<local>", "http://intranet/"),
        ("<LOCAL> 10.0.0.1", "http://10.0.0.1/"),
        ("::1", "http://[0:0:0:0:0:0:0:1]/"),
        ("[::1]", "http://[::1]:81/"),
        ("host:81", "http://host:81/"),
        ("https://host", "https://host/"),
    ];
    for (bypass, url) in spared {
        assert_eq!(way("p", bypass, url).as_deref(), Ok("DIRECT"), "{bypass} {url}");
    }
    let others = [
        ("", "http://host/"),
        ("host", "http://host.example/"),
        ("*.example.org", "http://example.org/"),
        ("<local>", "http://www.example/"),
        ("<local>", "http://127.0.0.1/"),
        ("<local>", "http://[::1]/"),
        ("host:81", "http://host/"),
        ("https://host", "http://host/"),
    ];
    for (bypass, url) in others {
        assert_eq!(way("p", bypass, url).as_deref(), Ok("PROXY p:80"), "{bypass} {url}");
    }
}

#[test]
fn a_job_without_proxies_asks_nobody() {
    let proxies = Proxies {
        detected: Some(ProxyScript::answering("PROXY p:80")),
        everybody: InternetSettings::proxies("q"),
        ..Proxies::default()
    };

    assert_eq!(by(&using(ProxyUsage::NO_PROXY), &proxies, "http://host/").as_deref(), Ok("DIRECT"));
}

#[test]
fn detection_answers_by_host_or_not_at_all() {
    let script = ProxyScript::answering("PROXY p:8080; http q ; DIRECT").for_hosts("*.corp.example", "DIRECT");
    let found = Proxies { detected: Some(script), ..Proxies::default() };
    let none = Proxies { everybody: InternetSettings::proxies("q"), ..Proxies::default() };
    let detecting = using(ProxyUsage::AUTODETECT);

    assert_eq!(by(&detecting, &found, "http://host/").as_deref(), Ok("PROXY p:8080; PROXY q:80; DIRECT"));
    assert_eq!(by(&detecting, &found, "https://a.corp.example/").as_deref(), Ok("DIRECT"));
    assert_eq!(by(&detecting, &none, "http://host/").as_deref(), Ok("DIRECT"));
}

#[test]
fn a_script_may_answer_nothing_but_not_nonsense() {
    let answered = |answer: &str| {
        let proxies = Proxies { detected: Some(ProxyScript::answering(answer)), ..Proxies::default() };
        by(&using(ProxyUsage::AUTODETECT), &proxies, "http://host/")
    };
    assert_eq!(answered("").as_deref(), Ok("DIRECT"));
    assert_eq!(answered("SOCKS s:1080; PROXY p:1").as_deref(), Ok("PROXY p:1"));
    for nonsense in ["SOCKS5 s:1080", "PROXY", "PROXY a|b:80", "p:80", "DIRECT p"] {
        assert_eq!(answered(nonsense), Err(Hresult::E_INVALIDARG), "{nonsense}");
    }
}

#[test]
fn a_user_has_what_is_detected_or_a_script_or_lists() {
    let lists = InternetSettings::proxies("http=a:81;ftp=b;socks=:::").bypassing("192.168.*;<local>;<-loopback>");
    let script = Some(ProxyScript::answering("PROXY s:1"));
    let detected = Some(ProxyScript::answering("PROXY d:1"));
    let all = InternetSettings { detect: true, script: script.clone(), ..lists.clone() };
    let undetected = InternetSettings { detect: false, ..all.clone() };

    assert_eq!(preconfigured(all.clone(), detected.clone(), "http://host.example/").as_deref(), Ok("PROXY d:1"));
    assert_eq!(preconfigured(all, None, "http://host.example/").as_deref(), Ok("PROXY s:1"));
    assert_eq!(preconfigured(undetected, detected, "http://host.example/").as_deref(), Ok("PROXY s:1"));
    assert_eq!(preconfigured(lists.clone(), None, "http://host.example/").as_deref(), Ok("PROXY a:81"));
    assert_eq!(preconfigured(lists.clone(), None, "https://host.example/").as_deref(), Ok("DIRECT"));
    assert_eq!(preconfigured(lists, None, "http://192.168.3.4/").as_deref(), Ok("DIRECT"));
    assert_eq!(preconfigured(InternetSettings::default(), None, "http://host.example/").as_deref(), Ok("DIRECT"));
}

#[test]
fn a_name_that_a_user_has_mistyped_may_be_mended() {
    let mut proxies = Proxies::default();
    proxies.users.insert(user(), InternetSettings::proxies("http://pro|xy:8080"));
    let settings = using(ProxyUsage::PRECONFIG);

    let failure = Proxying::of_job(&settings, &proxies, &user(), &Decisions::default()).unwrap_err();

    assert_eq!(failure, INVALID_NAME);
}

proptest! {
    #[test]
    fn whatever_a_list_says_there_is_a_way_or_a_documented_failure(list in "\\PC{0,40}", bypass in "[a-z*.:<>\\[\\]/; ]{0,20}") {
        let origin = Origin { scheme: Scheme::Http, host: "host".into(), port: 80 };
        let proxying = Proxying::of_job(&overriding(&list, &bypass), &Proxies::default(), &user(), &Decisions::default());
        match proxying {
            Ok(proxying) => prop_assert!(!proxying.route(&origin).unwrap().hops().is_empty()),
            Err(failure) => prop_assert_eq!(failure, INVALID_LISTS),
        }
        let detected = Some(ProxyScript::answering(list));
        let proxies = Proxies { detected, ..Proxies::default() };
        let proxying = Proxying::of_job(&using(ProxyUsage::AUTODETECT), &proxies, &user(), &Decisions::default());
        match proxying.unwrap().route(&origin) {
            Ok(route) => prop_assert!(!route.hops().is_empty()),
            Err(failure) => prop_assert_eq!(failure, INVALID_NAME),
        }
    }
}
