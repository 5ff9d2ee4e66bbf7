//! The checks: what is looked at, and which of them a failed download is put down to.
//!
//! Whether BITS is content is for the downloads that were played to say; a check explains. Each
//! failed download is put down to exactly one check, so that no report can contradict itself.

mod content;
mod ranges;
mod redirects;
mod transport;

use bits_api::Hresult;
use bits_wire::attempt::Failure;
use bits_wire::download::{Ask, Fault};

use super::evidence::Evidence;
use super::mend::Cure;
use super::play::{Part, Play};
pub(crate) use redirects::{Outcome, policies};

/// How bad something is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Severity {
    /// There is nothing to look at.
    NotAsked,
    Fine,
    /// Downloads work, but not as well as they could.
    Warning,
    /// Downloads fail.
    Failure,
}

impl Severity {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NotAsked => "-",
            Self::Fine => "ok",
            Self::Warning => "warn",
            Self::Failure => "FAIL",
        }
    }
}

/// What a check has to say.
pub(crate) struct Said {
    severity: Severity,
    text: String,
    cure: Option<Cure>,
}

impl Said {
    fn not_asked(text: impl Into<String>) -> Self {
        Self { severity: Severity::NotAsked, text: text.into(), cure: None }
    }

    fn fine(text: impl Into<String>) -> Self {
        Self { severity: Severity::Fine, text: text.into(), cure: None }
    }

    fn warning(text: impl Into<String>, cure: Cure) -> Self {
        Self { severity: Severity::Warning, text: text.into(), cure: Some(cure) }
    }

    fn failure(text: impl Into<String>, cure: impl Into<Option<Cure>>) -> Self {
        Self { severity: Severity::Failure, text: text.into(), cure: cure.into() }
    }
}

/// What a check has found.
pub(crate) struct Finding {
    pub(crate) topic: Topic,
    pub(crate) severity: Severity,
    pub(crate) text: String,
    /// What fails because of it, and how.
    pub(crate) failures: Vec<(Part, Failure)>,
    pub(crate) cure: Option<Cure>,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Topic {
    Connection,
    Tls,
    Redirects,
    Authentication,
    Answer,
    Head,
    Size,
    Body,
    Ranges,
    LastByte,
    Multipart,
    TimeStamp,
    Condition,
    Compression,
    Version,
    Proxy,
}

/// Looks at a topic; `blamed` are the downloads that fail because of it.
type Look = fn(&Evidence, blamed: &[&Play]) -> Said;

struct Check {
    topic: Topic,
    name: &'static str,
    look: Look,
}

/// Every check, in the order of [`Topic`] and of reports.
#[rustfmt::skip]
const CHECKS: &[Check] = &[
    check(Topic::Connection,     "connection",      transport::connection),
    check(Topic::Tls,            "TLS",             transport::tls),
    check(Topic::Redirects,      "redirects",       redirects::redirects),
    check(Topic::Authentication, "authentication",  transport::authentication),
    check(Topic::Answer,         "answer",          transport::answer),
    check(Topic::Head,           "HEAD",            content::head),
    check(Topic::Size,           "size",            content::size),
    check(Topic::Body,           "body",            content::body),
    check(Topic::Ranges,         "ranges",          ranges::ranges),
    check(Topic::LastByte,       "last byte",       ranges::last_byte),
    check(Topic::Multipart,      "several ranges",  ranges::multipart),
    check(Topic::TimeStamp,      "time stamp",      content::time_stamp),
    check(Topic::Condition,      "condition",       content::condition),
    check(Topic::Compression,    "compression",     content::compression),
    check(Topic::Version,        "HTTP version",    content::version),
    check(Topic::Proxy,          "proxies",         content::proxy),
];

const fn check(topic: Topic, name: &'static str, look: Look) -> Check {
    Check { topic, name, look }
}

impl Topic {
    pub(crate) fn name(self) -> &'static str {
        CHECKS[self as usize].name
    }
}

/// Looks at everything.
pub(crate) fn examine(evidence: &Evidence) -> Vec<Finding> {
    let causes: Vec<_> = evidence.deciding().filter_map(|play| Some((cause(evidence, play)?, play))).collect();
    CHECKS
        .iter()
        .map(|Check { topic, look, .. }| {
            let blamed: Vec<_> = causes.iter().filter(|(cause, _)| cause == topic).map(|(_, play)| *play).collect();
            let said = look(evidence, &blamed);
            let severity = if blamed.is_empty() { said.severity } else { Severity::Failure };
            let failures = blamed.iter().filter_map(|play| Some((play.part, play.end.err()?))).collect();
            Finding { topic: *topic, severity, text: said.text, failures, cure: said.cure }
        })
        .collect()
}

/// What a download fails because of; `None` when it does not fail.
fn cause(evidence: &Evidence, play: &Play) -> Option<Topic> {
    let failure = play.end.err()?;
    let Some(last) = play.exchanges.last() else { return Some(Topic::Answer) };
    let reply = match &last.reply {
        Err(Fault::NameNotResolved | Fault::CannotConnect | Fault::Timeout) => return Some(Topic::Connection),
        Err(Fault::Tls | Fault::ClientCertificateNeeded | Fault::Certificate(_)) => return Some(Topic::Tls),
        Err(_) => return Some(Topic::Answer),
        Ok(reply) => reply,
    };
    Some(match (reply.status.as_u16(), failure.code) {
        _ if last.is_redirect() => Topic::Redirects,
        (401 | 407, _) => Topic::Authentication,
        (_, Hresult::BG_E_INSUFFICIENT_HTTP_SUPPORT) => Topic::Version,
        (_, Hresult::BG_E_REMOTE_FILE_CHANGED) if play.exchanges.iter().any(|one| one.status() == Some(412)) => {
            Topic::Condition
        }
        (412, _) => Topic::Condition,
        (_, Hresult::BG_E_REMOTE_FILE_CHANGED) => Topic::TimeStamp,
        (_, Hresult::BG_E_MISSING_FILE_SIZE) => Topic::Size,
        (200 | 206, Hresult::BG_E_INVALID_SERVER_RESPONSE) if content::has_wrong_size(play, last) => Topic::Size,
        (_, Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT) | (416, _) | (206, Hresult::BG_E_INVALID_SERVER_RESPONSE) => {
            Topic::Ranges
        }
        (200, Hresult::BG_E_INVALID_SERVER_RESPONSE) => Topic::Size,
        (200 | 206, Hresult::ERROR_WINHTTP_INVALID_SERVER_RESPONSE) if content::has_malformed_length(last) => {
            Topic::Size
        }
        (200 | 206, _) if last.ask != Ask::Size => Topic::Body,
        _ if last.ask == Ask::Size && content::works_by_get(evidence) => Topic::Head,
        _ => Topic::Answer,
    })
}

/// "foreground, background": what these downloads are.
fn parts(plays: &[&Play]) -> String {
    plays.iter().map(|play| play.part.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_topics() {
        for (place, check) in CHECKS.iter().enumerate() {
            assert_eq!(check.topic as usize, place, "{}", check.name);
        }
    }
}
