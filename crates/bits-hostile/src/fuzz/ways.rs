//! Where requests go: redirects, lists of proxies, and what scripts answer.

use bits_api::{ProxySettings, ProxyUsage};
use bits_wire::attempt::Failure;
use bits_wire::download::{Follow, RedirectPolicy, Redirects, Scheme, Target};
use bits_wire::proxy::{Hop, Proxying};
use bits_world::{Decisions, Proxies, ProxyScript, Sid};

use super::first_line;

/// The remote name in the first line; then a line for each redirect: the status and the Location.
///
/// # Panics
/// When a request would go where none may go, or carry what is no line of HTTP.
pub fn redirects(data: &[u8]) {
    let (url, places) = first_line(data);
    let Ok(url) = std::str::from_utf8(url) else { return };
    let Ok(start) = Target::parse(url) else { return };
    assert_is_clean(&start);
    for follow in [Follow::Silently, Follow::Reporting, Follow::Never] {
        walk(Redirects::new(start.clone(), RedirectPolicy { follow, to_plain: false }), places);
    }
}

fn walk(mut redirects: Redirects, mut places: &[u8]) {
    let mut followed = 0;
    while !places.is_empty() {
        let before = redirects.target().origin().scheme;
        let (line, next) = first_line(places);
        places = next;
        let status = line.get(..3).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()).unwrap_or(302);
        match redirects.follow("GET", status, line.get(4..)) {
            Ok(true) => {
                followed += 1;
                let is_downgrade = before == Scheme::Https && redirects.target().origin().scheme == Scheme::Http;
                assert!(!is_downgrade, "from HTTPS to HTTP: {}", redirects.target());
            }
            Ok(false) => followed = 0,
            Err(Failure { code, .. }) => {
                assert!(code.is_failure());
                break;
            }
        }
        assert!(followed <= 10);
        assert_is_clean(redirects.target());
    }
    if let Some(moved) = redirects.take_moved() {
        assert!(Target::parse(&moved).is_ok(), "{moved}");
    }
}

/// What a request line and a Host header can hold.
pub(super) fn assert_is_clean(target: &Target) {
    let path = target.path_and_query().as_str();
    assert!(path.starts_with('/'), "{path}");
    assert!(path.bytes().all(|byte| byte > b' ' && byte != 0x7f), "{path:?}");
    let host = target.host_header();
    assert!(!host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic()), "{host:?}");
}

/// A list of proxies in the first line and a bypass list in the second; then what a script answers.
///
/// # Panics
/// When a way has no host, or one that cannot be asked for.
pub fn proxies(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.splitn(3, '\n');
    let mut next = || lines.next().map(str::to_owned);
    let (list, bypass_list, answer) = (next(), next(), next().unwrap_or_default());
    let user = Sid::of_account(1);
    let world = Proxies { detected: Some(ProxyScript::answering(answer)), ..Proxies::default() };
    let decisions = Decisions::default();
    for (usage, list, bypass_list) in [(ProxyUsage::OVERRIDE, list, bypass_list), (ProxyUsage::AUTODETECT, None, None)]
    {
        let settings = ProxySettings { usage, list, bypass_list };
        let Ok(proxying) = Proxying::of_job(&settings, &world, &user, &decisions) else { continue };
        for url in ["http://host/", "https://host.example:8443/", "http://127.0.0.1/", "http://[::1]:8080/"] {
            let target = Target::parse(url).expect("a URL");
            let Ok(route) = proxying.route(target.origin()) else { continue };
            assert!(!route.hops().is_empty());
            for hop in route.hops() {
                let Hop::Proxy(proxy) = hop else { continue };
                let is_odd = |c: char| c.is_control() || c == ' ' || c == '/';
                assert!(!proxy.host.is_empty() && !proxy.host.contains(is_odd) && proxy.port != 0, "{hop}");
            }
        }
    }
}
