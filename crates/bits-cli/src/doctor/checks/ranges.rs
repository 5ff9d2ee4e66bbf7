//! Parts of the file: one, the last byte, several at once.

use bits_api::Hresult;
use bits_wire::download::Ask;

use super::super::evidence::Evidence;
use super::super::mend::Cure;
use super::super::play::{Exchange, Part, Play};
use super::Said;

pub(super) fn ranges(evidence: &Evidence, blamed: &[&Play]) -> Said {
    if let Some(last) = blamed.first().and_then(|play| play.exchanges.last()) {
        return Said::failure(wrong(last), Cure::Ranges);
    }
    let asked = evidence.deciding().filter(|play| play.part != Part::Foreground && play.end.is_ok());
    let asked = asked.flat_map(|play| &play.exchanges).find(|exchange| matches!(exchange.ask, Ask::Range { .. }));
    match asked {
        Some(exchange) => Said::fine(format!("{} for {}", exchange.status().unwrap_or_default(), exchange.question())),
        None if evidence.known().is_some_and(|known| known.size == 0) => Said::not_asked("the file is empty"),
        None => Said::not_asked("no download came so far"),
    }
}

/// What is wrong with the answer to a range.
fn wrong(exchange: &Exchange) -> String {
    let (question, status) = (exchange.question(), exchange.status().unwrap_or_default());
    match (status, exchange.header("content-range")) {
        (200, _) => format!("200 and the whole file for {question}"),
        (206, None) => format!("206 without Content-Range for {question}"),
        (206, Some(range)) => {
            let length = exchange.header("content-length").unwrap_or_else(|| "no".into());
            format!("Content-Range {range} ({length} bytes) for {question}")
        }
        _ => format!("{status} for {question}"),
    }
}

/// Whether no range was given at all: then nothing more is to be said of the last byte or of several.
fn gives_none(evidence: &Evidence) -> bool {
    let code = Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT;
    evidence.deciding().any(|play| play.end.is_err_and(|failure| failure.code == code))
}

pub(super) fn last_byte(evidence: &Evidence, _: &[&Play]) -> Said {
    if gives_none(evidence) {
        return Said::not_asked("no ranges at all");
    }
    let Some(exchange) = &evidence.last_byte else { return Said::not_asked("no size to ask by") };
    let size = evidence.known().map_or(0, |known| known.size);
    let end = size.saturating_sub(1);
    let range = exchange.header("content-range").unwrap_or_default();
    let is_right = exchange.status() == Some(206)
        && range.eq_ignore_ascii_case(&format!("bytes {end}-{end}/{size}"))
        && exchange.reply.as_ref().is_ok_and(|reply| reply.body.len() == 1);
    if is_right { Said::fine(range) } else { Said::warning(wrong(exchange), Cure::Ranges) }
}

pub(super) fn multipart(evidence: &Evidence, _: &[&Play]) -> Said {
    if gives_none(evidence) {
        return Said::not_asked("no ranges at all");
    }
    let Some(play) = evidence.plays.iter().find(|play| play.part == Part::Ranges) else {
        return Said::not_asked("no size to ask by");
    };
    let Err(failure) = play.end else {
        return Said::fine("a part for each");
    };
    let asked = play.exchanges.last().map_or_else(String::new, wrong);
    Said::warning(format!("{asked}: a job with several ranges fails with {}", failure.code), Cure::Multipart)
}
