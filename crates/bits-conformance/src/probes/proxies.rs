//! Proxies: what SetProxySettings takes, and which way a download then goes.

use bits_api::{FilePropertyId, FilePropertyValue, ProxyUsage};
use bits_origin::{Fault, Origin, Request, Rule, Script};

use super::prelude::*;
use super::words::{Notes, asked, each, job_for, list, named, origin, run, trusting, yes};

probes! {
    "job.set_proxy_settings.lists" => lists_beside_other_usages,
    "job.set_proxy_settings.list_max" => long_lists,
    "job.set_proxy_settings.commas" => a_comma_between_two_proxies,
    "job.set_proxy_settings.malformed" => malformed_lists,
    "proxy.fall_over" => proxies_that_are_not_there_or_refuse,
    "proxy.no_entry" => https_beside_a_proxy_of_http,
    "proxy.loopback" => loopback_behind_a_proxy,
    "proxy.on_the_wire" => what_a_proxy_is_asked,
}

const SIZE: usize = 1_000;

fn address(proxy: &Origin) -> String {
    proxy.address().to_string()
}

fn lists_beside_other_usages(c: &mut Bench) -> Answer {
    let job = c.new_job()?;
    let mut seen = Notes::default();
    let usages = [
        ("PRECONFIG", ProxyUsage::PRECONFIG),
        ("NO_PROXY", ProxyUsage::NO_PROXY),
        ("AUTODETECT", ProxyUsage::AUTODETECT),
    ];
    for (name, usage) in usages {
        seen.add(format!("{name} with a list"), named(job.set_proxy_settings(usage, Some("proxy:80"), None)));
        seen.add(format!("{name} with a bypass list"), named(job.set_proxy_settings(usage, None, Some("<local>"))));
    }
    seen.add("OVERRIDE without a list", named(job.set_proxy_settings(ProxyUsage::OVERRIDE, None, None)));
    Ok(seen.told())
}

fn long_lists(c: &mut Bench) -> Answer {
    let job = c.new_job()?;
    let mut seen = Notes::default();
    for length in [4_000, 4_001, 16_384, 16_385, 32_768, 32_769] {
        let long = "p".repeat(length);
        let as_list = named(job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&long), None));
        let as_bypass = named(job.set_proxy_settings(ProxyUsage::OVERRIDE, Some("proxy"), Some(&long)));
        seen.add(format!("{length} characters"), format!("{as_list}, as bypass list {as_bypass}"));
    }
    Ok(seen.told())
}

/// The end of a download by these lists, and whether its server was reached, and how.
fn way(c: &Bench, origin: &Origin, url: &str, list: &str, bypass: Option<&str>) -> Result<String, Stop> {
    let job = job_for(c, url, "through")?;
    trusting(&job)?;
    let set = job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(list), bypass);
    if set.is_err() {
        return Ok(format!("SetProxySettings: {}", named(set)));
    }
    let before = origin.journal().len();
    let ended = run(c, &job)?;
    let journal = origin.journal();
    let way = match journal.iter().nth(before) {
        None => "nobody was asked",
        Some(request) if request.header("Via").is_some() => "through a proxy",
        Some(_) => "straight",
    };
    job.cancel()?;
    Ok(format!("{ended}, {way}"))
}

fn a_comma_between_two_proxies(c: &mut Bench) -> Answer {
    let origin = origin(c, SIZE)?;
    let (first, second) = (c.proxy()?, c.proxy()?);
    let url = origin.url("/file");
    let mut seen = Notes::default();
    for between in [",", ";", " "] {
        let list = format!("{}{between}{}", address(&first), address(&second));
        seen.add(format!("{between:?}"), way(c, &origin, &url, &list, None)?);
    }
    Ok(seen.told())
}

fn malformed_lists(c: &mut Bench) -> Answer {
    let origin = origin(c, SIZE)?;
    let proxy = c.proxy()?;
    let (url, good) = (origin.url("/file"), address(&proxy));
    let lists = [
        ("no entry", String::new(), None),
        ("ftp= alone", format!("ftp={good}"), None),
        ("a name that is none", "p|q:80".to_owned(), None),
        ("a port above 65535", "127.0.0.1:99999".to_owned(), None),
        ("a port that is none", "127.0.0.1:x".to_owned(), None),
        ("a path behind the port", format!("{good}/path"), None),
        ("a bad entry behind a good one", format!("{good} 127.0.0.1:99999"), None),
        ("a bypass entry with a port that is none", good.clone(), Some("elsewhere.example:x")),
        ("a wildcard at the right of a bypass entry", good.clone(), Some("127.*")),
        ("a malformed list that the host does not need", "127.0.0.1:99999".to_owned(), Some("127.0.0.1")),
    ];
    let mut seen = Notes::default();
    for (what, list, bypass) in lists {
        seen.add(what, way(c, &origin, &url, &list, bypass)?);
    }
    Ok(seen.told())
}

fn proxies_that_are_not_there_or_refuse(c: &mut Bench) -> Answer {
    let origin = origin(c, SIZE)?;
    let (gone, refusing, good) = (c.proxy()?, c.proxy()?, c.proxy()?);
    let nobody = address(&gone);
    drop(gone);
    refusing.script(Script::new().rule(Rule::on("*").fault(Fault::Status { code: 502, retry_after: None })));
    let url = origin.url("/file");
    let mut seen = Notes::default();
    seen.add("nobody, then a good one", way(c, &origin, &url, &format!("{nobody} {}", address(&good)), None)?);
    seen.add("nobody", way(c, &origin, &url, &nobody, None)?);
    let asked = good.journal().len();
    let both = format!("{} {}", address(&refusing), address(&good));
    seen.add("one that answers 502, then a good one", way(c, &origin, &url, &both, None)?);
    seen.add("the good one was asked then", yes(good.journal().len() > asked));
    Ok(seen.told())
}

fn https_beside_a_proxy_of_http(c: &mut Bench) -> Answer {
    let origin = origin(c, SIZE)?;
    let proxy = c.proxy()?;
    let mut seen = Notes::default();
    seen.add(
        "https under http=proxy",
        way(c, &origin, &origin.https_url("/file"), &format!("http={}", address(&proxy)), None)?,
    );
    seen.add(
        "http under https=proxy",
        way(c, &origin, &origin.url("/file"), &format!("https={}", address(&proxy)), None)?,
    );
    seen.add("the proxy was asked", asked(&proxy.journal()));
    Ok(seen.told())
}

fn loopback_behind_a_proxy(c: &mut Bench) -> Answer {
    let origin = origin(c, SIZE)?;
    let proxy = c.proxy()?;
    let mut seen = Notes::default();
    for (what, bypass) in [("no bypass list", None), ("<local>", Some("<local>")), ("<-loopback>", Some("<-loopback>"))]
    {
        seen.add(format!("127.0.0.1, {what}"), way(c, &origin, &origin.url("/file"), &address(&proxy), bypass)?);
    }
    Ok(seen.told())
}

fn what_a_proxy_is_asked(c: &mut Bench) -> Answer {
    let origin = origin(c, SIZE)?;
    let (proxy, refusing) = (c.proxy()?, c.proxy()?);
    let mut seen = Notes::default();
    seen.add("http", way(c, &origin, &origin.url("/file"), &address(&proxy), None)?);
    let places = [(origin.url("/file"), "URL"), (origin.https_address().to_string(), "host:port")];
    let target = |request: &Request| {
        let place = places.iter().find(|(target, _)| *target == request.target).map_or("path", |(_, name)| name);
        let names = ["Connection", "Proxy-Connection"].into_iter().filter(|name| request.header(name).is_some());
        format!("{} {place} with {}", request.method, list(names.map(str::to_owned)))
    };
    seen.add("asked", each(&proxy.journal(), target));
    let marked = Fault::Header("X-Proxy".to_owned(), "told".to_owned());
    proxy.script(Script::new().rule(Rule::on("*").method("CONNECT").fault(marked)));
    let before = proxy.journal().len();
    let job = job_for(c, &origin.https_url("/file"), "tunnel")?;
    trusting(&job)?;
    job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&address(&proxy)), None)?;
    seen.add("https", run(c, &job)?);
    seen.add("asked", list(proxy.journal().iter().skip(before).map(target)));
    let kept = match first_file(&job)?.file5()?.property(FilePropertyId::HTTP_RESPONSE_HEADERS) {
        Ok(bits_api::Answer { value: FilePropertyValue::String(headers), .. }) => {
            yes(headers.unwrap_or_default().contains("X-Proxy")).to_owned()
        }
        Ok(_) => "no text".to_owned(),
        refused => named(refused),
    };
    seen.add("the proxy's answer is in the response headers", kept);
    for status in [302, 403, 502] {
        refusing.behave();
        let refusal = Rule::on("*").fault(Fault::Status { code: status, retry_after: None });
        let location = Fault::Header("Location".to_owned(), origin.https_url("/file"));
        refusing.script(Script::new().rule(refusal.fault(location)));
        let ended = way(c, &origin, &origin.https_url("/file"), &address(&refusing), None)?;
        seen.add(format!("CONNECT answered with {status}"), ended);
    }
    Ok(seen.told())
}
