//! Where a server sends its clients, and what each policy makes of that.

use bits_api::SecurityFlags;
use bits_wire::attempt::Failure;
use bits_wire::download::{RedirectPolicy, Redirects, Scheme, Target};
use http::HeaderValue;
use http::header::LOCATION;

use super::super::evidence::Evidence;
use super::super::mend::Cure;
use super::super::play::{Exchange, Part, Play};
use super::Said;

/// What becomes of a job under a policy: the remote name that it has afterwards, or its failure.
pub(crate) struct Outcome {
    pub(crate) policy: &'static str,
    pub(crate) end: Result<String, Failure>,
}

/// The policies of SetSecurityFlags, each of which may be joined by ALLOW_HTTPS_TO_HTTP.
#[rustfmt::skip]
const POLICIES: [(&str, SecurityFlags); 4] = [
    ("ALLOW_SILENT",                        SecurityFlags::empty()),
    ("ALLOW_REPORT",                        SecurityFlags::REDIRECT_POLICY_ALLOW_REPORT),
    ("DISALLOW",                            SecurityFlags::REDIRECT_POLICY_DISALLOW),
    ("ALLOW_SILENT | ALLOW_HTTPS_TO_HTTP",  SecurityFlags::REDIRECT_POLICY_ALLOW_HTTPS_TO_HTTP),
];

/// What each policy makes of the way to the file; nothing where there are no redirects.
pub(crate) fn policies(evidence: &Evidence) -> Vec<Outcome> {
    let Some(way) = way(evidence).filter(|way| way[0].is_redirect()) else { return Vec::new() };
    let outcomes = POLICIES.iter().filter_map(|(policy, flags)| {
        Some(Outcome { policy, end: walked(&way, &way[0].target, RedirectPolicy::from(*flags))? })
    });
    outcomes.collect()
}

/// The first request of a download with its redirects, as far as it was followed at all.
fn way(evidence: &Evidence) -> Option<Vec<&Exchange>> {
    let longest = evidence.plays.iter().find(|play| play.part == Part::ToPlain).or(evidence.plays.first())?;
    let hops = longest.exchanges.iter().take_while(|exchange| exchange.is_redirect()).count();
    let way: Vec<_> = longest.exchanges.iter().take(hops + 1).collect();
    (!way.is_empty()).then_some(way)
}

/// Goes the way under a policy; `None` when it is not known so far.
fn walked(way: &[&Exchange], start: &Target, policy: RedirectPolicy) -> Option<Result<String, Failure>> {
    let mut redirects = Redirects::new(start.clone(), policy);
    let mut name = start.to_string();
    for hop in way {
        let reply = hop.reply.as_ref().ok()?;
        let location = reply.headers.get(LOCATION).map(HeaderValue::as_bytes);
        let followed = redirects.follow(hop.request.method.as_str(), reply.status.as_u16(), location);
        name = redirects.take_moved().unwrap_or(name);
        match followed {
            Err(failure) => return Some(Err(failure)),
            Ok(false) => return Some(Ok(name)),
            Ok(true) => {}
        }
    }
    None
}

pub(super) fn redirects(evidence: &Evidence, blamed: &[&Play]) -> Said {
    let Some(play) = blamed.first().copied().or(evidence.plays.first()) else { return Said::not_asked("not asked") };
    let hops: Vec<_> = play.exchanges.iter().skip_while(|exchange| !exchange.is_redirect()).collect();
    let hops: Vec<_> = hops.into_iter().take_while(|exchange| exchange.is_redirect()).collect();
    if hops.is_empty() {
        let is_answered = play.exchanges.iter().any(|exchange| exchange.status().is_some());
        return if is_answered { Said::fine("none") } else { Said::not_asked("no answer") };
    }
    let hop = |hop: &&Exchange| {
        let to = hop.header("location").unwrap_or_else(|| "nowhere".into());
        format!("{} to {to}", hop.status().unwrap_or_default())
    };
    let chain = hops.iter().map(hop).collect::<Vec<_>>().join(", ");
    if let Some(last) = hops.last().filter(|_| !blamed.is_empty()) {
        let (why, cure) = refusal(last);
        return Said::failure(format!("{chain}: {why}"), cure);
    }
    let strict = policies(evidence).into_iter().find_map(|outcome| Some((outcome.policy, outcome.end.err()?.code)));
    let strict = strict.map_or_else(String::new, |(policy, code)| format!("; with {policy}: {code}"));
    Said::fine(format!("{chain}, followed{strict}"))
}

/// Why a redirect is not followed.
fn refusal(last: &Exchange) -> (&'static str, Cure) {
    let next = last.header("location").and_then(|location| last.target.join(&location));
    match (next, last.target.origin().scheme) {
        _ if last.header("location").is_none() => ("there is no Location", Cure::Redirects),
        (None, _) => ("this leads to no HTTP server", Cure::Redirects),
        (Some(next), Scheme::Https) if next.origin().scheme == Scheme::Http => {
            ("from HTTPS to HTTP no job goes by default", Cure::Downgrade)
        }
        (Some(_), _) => ("a circle, or more redirects than are followed", Cure::Redirects),
    }
}
