//! The file as the server tells of it: HEAD, length, time stamp, coding, and who stands in between.

use bits_wire::download::{Ask, Fault};
use http::Version;

use super::super::evidence::Evidence;
use super::super::mend::Cure;
use super::super::play::{Exchange, Play};
use super::{Said, parts};
use bits_transfer::Rest;

/// Whether one byte can be had by GET where HEAD is refused.
pub(super) fn works_by_get(evidence: &Evidence) -> bool {
    evidence.get_instead.as_ref().is_some_and(|exchange| matches!(exchange.status(), Some(200 | 206)))
}

pub(super) fn head(evidence: &Evidence, blamed: &[&Play]) -> Said {
    if let Some(refused) = evidence.refused_head().filter(|_| !blamed.is_empty()) {
        let by_get = evidence.get_instead.as_ref().and_then(Exchange::status).unwrap_or_default();
        let text = format!(
            "{} for HEAD, but {by_get} for GET: the URL may be signed for GET only",
            refused.status().unwrap_or_default()
        );
        return Said::failure(text, Cure::Head);
    }
    match evidence.exchanges().filter(|exchange| exchange.ask == Ask::Size).filter_map(Exchange::status).last() {
        Some(200) => Said::fine("200"),
        _ => Said::not_asked("no answer of the file's own"),
    }
}

/// Whether the answer that a download fails at contradicts an earlier one about the size of the
/// file, or itself about the length of its body.
pub(super) fn has_wrong_size(play: &Play, last: &Exchange) -> bool {
    if last.header("content-length").is_some() && last.header("transfer-encoding").is_some() {
        return true;
    }
    let told = |exchange: &Exchange| match exchange.header("content-range") {
        Some(range) => range.rsplit_once('/').map(|(_, size)| size.to_owned()),
        None => exchange.header("content-length"),
    };
    let head = play.exchanges.iter().rfind(|exchange| exchange.ask == Ask::Size).and_then(told);
    matches!((head, told(last)), (Some(head), Some(now)) if now != "*" && head != now)
}

/// Whether Content-Length is there and no number.
pub(super) fn has_malformed_length(last: &Exchange) -> bool {
    last.header("content-length").is_some_and(|length| length.parse::<u64>().is_err())
}

pub(super) fn size(evidence: &Evidence, blamed: &[&Play]) -> Said {
    let Some(last) = blamed.first().and_then(|play| play.exchanges.last()) else {
        let is_there = |exchange: &Exchange| {
            exchange.reply.as_ref().is_ok_and(|reply| reply.status.is_success() && !reply.body.is_empty())
        };
        return match evidence.known() {
            Some(_) if evidence.nothing.as_ref().is_some_and(is_there) => {
                Said::failure("HEAD says 0 bytes, and GET has some: jobs end well, with an empty file", Cure::Sizes)
            }
            Some(known) => Said::fine(format!("{} bytes", known.size)),
            None => Said::not_asked("no answer of the file's own"),
        };
    };
    let question = last.question();
    let framing = last.header("transfer-encoding").map(|coding| format!(" (Transfer-Encoding: {coding})"));
    let framing = framing.unwrap_or_default();
    let coding = last.header("content-encoding").map(|coding| format!("; the body is {coding}, made as it is sent"));
    let coding = coding.unwrap_or_default();
    match last.header("content-length") {
        None => Said::failure(format!("no Content-Length for {question}{framing}{coding}"), Cure::Length),
        Some(length) if has_malformed_length(last) => {
            Said::failure(format!("Content-Length of {question} is no length: {length}"), Cure::Length)
        }
        Some(_) if !framing.is_empty() => {
            Said::failure(format!("{question} gets both Content-Length and Transfer-Encoding"), Cure::Length)
        }
        Some(length) => {
            let range = last.header("content-range").map_or_else(String::new, |range| format!(", {range}"));
            Said::failure(
                format!("{question} tells another size than HEAD: {length} bytes{range}{coding}"),
                Cure::Sizes,
            )
        }
    }
}

pub(super) fn body(evidence: &Evidence, blamed: &[&Play]) -> Said {
    let Some(last) = blamed.first().and_then(|play| play.exchanges.last()) else {
        let read = evidence.deciding().filter(|play| play.end.is_ok()).flat_map(|play| &play.exchanges);
        let bodies = read.filter(|exchange| exchange.ask != Ask::Size).count();
        return match bodies {
            0 => Said::not_asked("nothing to fetch"),
            _ => Said::fine("comes as announced, as far as it was read"),
        };
    };
    let (Ok(reply), question) = (&last.reply, last.question()) else { return Said::failure("no body", Cure::Body) };
    let read = reply.body.len();
    let length = last.header("content-length").unwrap_or_else(|| "?".into());
    match reply.rest {
        Rest::Broken(Fault::Timeout) => {
            Said::failure(format!("{question}: silence after {read} of {length} bytes"), Cure::Silence)
        }
        _ => Said::failure(format!("{question}: the connection ends after {read} of {length} bytes"), Cure::Body),
    }
}

pub(super) fn time_stamp(evidence: &Evidence, blamed: &[&Play]) -> Said {
    let stamps: Vec<_> = answers_of_the_file(evidence).map(|exchange| exchange.header("last-modified")).collect();
    let mut told: Vec<_> = stamps.iter().flatten().collect();
    told.dedup();
    let over = evidence.deciding().filter(|play| play.start_overs > 0).collect::<Vec<_>>();
    match told.as_slice() {
        [first, .., last] if first != last || !blamed.is_empty() => Said {
            severity: super::Severity::Warning,
            text: format!(
                "Last-Modified is {first} in one answer and {last} in another: the file seems to change all the \
                 time, and starts over ({})",
                parts(if blamed.is_empty() { &over } else { blamed })
            ),
            cure: Some(Cure::StableStamp),
        },
        _ if !blamed.is_empty() => Said::failure("the file is another one in each answer", Cure::StableStamp),
        [] if stamps.is_empty() => Said::not_asked("no answer of the file's own"),
        [] => Said::warning("no Last-Modified: after a break, a download begins anew", Cure::Stamp),
        [stamp, ..] if evidence.known().is_some_and(|known| known.last_modified.is_none()) => {
            Said::warning(format!("Last-Modified is no date: {stamp}"), Cure::Stamp)
        }
        [..] if stamps.iter().any(Option::is_none) => {
            Said::warning("Last-Modified is missing in some answers: changes may go unnoticed", Cure::Stamp)
        }
        [stamp, ..] => Said::fine(stamp.as_str()),
    }
}

fn answers_of_the_file(evidence: &Evidence) -> impl Iterator<Item = &Exchange> {
    evidence.exchanges().filter(|exchange| matches!(exchange.status(), Some(200 | 206)))
}

pub(super) fn condition(evidence: &Evidence, blamed: &[&Play]) -> Said {
    if !blamed.is_empty() {
        return Said::failure(
            "412 for If-Unmodified-Since with the very Last-Modified that the server has given",
            Cure::Condition,
        );
    }
    match evidence.condition.as_ref().map(Exchange::status) {
        Some(Some(412)) => Said::fine("If-Unmodified-Since is heeded"),
        Some(Some(status)) => Said::warning(
            format!("{status} for If-Unmodified-Since 1994: a change is noticed only by Last-Modified and size"),
            Cure::Condition,
        ),
        Some(None) => Said::warning("no answer to If-Unmodified-Since", Cure::Condition),
        None => Said::not_asked("no time stamp to ask by"),
    }
}

pub(super) fn compression(evidence: &Evidence, _: &[&Play]) -> Said {
    let mut codings = answers_of_the_file(evidence).filter_map(|exchange| exchange.header("content-encoding"));
    match codings.find(|coding| !coding.eq_ignore_ascii_case("identity")) {
        Some(coding) => Said::warning(
            format!("Content-Encoding: {coding}, though only identity was asked for: the client's file is compressed"),
            Cure::Compression,
        ),
        None if answers_of_the_file(evidence).next().is_none() => Said::not_asked("no answer of the file's own"),
        None => Said::fine("none"),
    }
}

pub(super) fn version(evidence: &Evidence, blamed: &[&Play]) -> Said {
    let replies = evidence.exchanges().filter_map(|exchange| exchange.reply.as_ref().ok());
    let Some(oldest) = replies.map(|reply| reply.version).min() else { return Said::not_asked("no answer") };
    match oldest {
        _ if !blamed.is_empty() => Said::failure(
            format!("{oldest:?}, and without the length or the ranges that would make up for it"),
            Cure::Version,
        ),
        Version::HTTP_09 | Version::HTTP_10 => Said::warning(
            format!(
                "{oldest:?}: BITS asks for 1.1, and gets along with 1.0 as long as ranges and \
                lengths are right"
            ),
            Cure::Version,
        ),
        _ => Said::fine(format!("{oldest:?}")),
    }
}

/// The headers by which caches and proxies show themselves.
const BETWEEN: [&str; 5] = ["via", "x-cache", "cf-cache-status", "age", "x-amz-cf-pop"];

pub(super) fn proxy(evidence: &Evidence, _: &[&Play]) -> Said {
    let mut shown: Vec<String> = Vec::new();
    for exchange in evidence.exchanges() {
        for name in BETWEEN {
            let line = exchange.header(name).map(|value| format!("{name}: {value}"));
            if let Some(line) = line.filter(|_| !shown.iter().any(|line| line.starts_with(name))) {
                shown.push(line);
            }
        }
    }
    let announced = evidence
        .exchanges()
        .any(|exchange| exchange.header("accept-ranges").is_some_and(|unit| unit.eq_ignore_ascii_case("bytes")));
    let ignored = evidence
        .exchanges()
        .any(|exchange| matches!(exchange.ask, Ask::Range { .. }) && exchange.status() == Some(200));
    let who = if shown.is_empty() { "none shows itself".to_owned() } else { shown.join(", ") };
    if announced && ignored {
        let text = format!("ranges are announced and then not given: something in between may drop Range ({who})");
        return Said::warning(text, Cure::Proxy);
    }
    if evidence.exchanges().all(|exchange| exchange.reply.is_err()) {
        return Said::not_asked("no answer");
    }
    Said::fine(who)
}
