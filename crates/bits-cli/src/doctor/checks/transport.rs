//! Below and around the file: connection, TLS, redirects, credentials, and answers that are none.

use bits_transfer::Handshake;
use bits_wire::download::{CertificateFault, Fault, Origin};

use super::super::auth;
use super::super::evidence::{Evidence, Shaken};
use super::super::mend::Cure;
use super::super::play::{Exchange, Play};
use super::Said;
use crate::date;

fn host(origin: &Origin) -> String {
    let host = if origin.host.contains(':') { format!("[{}]", origin.host) } else { origin.host.clone() };
    format!("{host}:{}", origin.port)
}

fn last<'a>(blamed: &[&'a Play]) -> Option<&'a Exchange> {
    blamed.first().and_then(|play| play.exchanges.last())
}

pub(super) fn connection(evidence: &Evidence, blamed: &[&Play]) -> Said {
    let Some(last) = last(blamed) else {
        let found = evidence.plays[0].exchanges.first().map(|first| host(first.target.origin()));
        return Said::fine(found.unwrap_or_default());
    };
    let server = host(last.target.origin());
    let Some(unreached) = &evidence.unreached else { return Said::failure(server, None) };
    let tried = match &unreached.tried {
        Err(why) => return Said::failure(format!("{} has no address: {why}", unreached.origin.host), Cure::Name),
        Ok(tried) => tried,
    };
    let refusals: Vec<_> =
        tried.iter().filter_map(|tried| Some(format!("{}: {}", tried.address, tried.refusal.as_ref()?))).collect();
    match last.reply {
        Err(Fault::Timeout) if refusals.is_empty() => {
            Said::failure(format!("{server} takes the connection, and then is silent"), Cure::Silence)
        }
        _ => Said::failure(format!("no connection to {server} ({})", refusals.join("; ")), Cure::Listening),
    }
}

pub(super) fn tls(evidence: &Evidence, blamed: &[&Play]) -> Said {
    if !blamed.is_empty() {
        let fault = last(blamed).and_then(|last| Some((last.target.origin(), *last.reply.as_ref().err()?)));
        let Some((origin, fault)) = fault else { return Said::failure("the handshake fails", Cure::Tls) };
        let shaken = evidence.shaken.iter().find(|shaken| shaken.origin == *origin);
        return refused(origin, fault, shaken);
    }
    let Some(shaken) = evidence.shaken.first() else { return Said::not_asked("not used") };
    let told = evidence.shaken.iter().map(described).collect::<Vec<_>>().join("; ");
    match evidence.shaken.iter().find(|shaken| !shaken.speaks_tls12) {
        Some(new) => Said::warning(
            format!("{} speaks TLS 1.3 only, which Windows knows from 11 and Server 2022 on", host(&new.origin)),
            Cure::OldTls,
        ),
        None if shaken.shown.is_ok() => Said::fine(told),
        None => Said::warning(told, Cure::Tls),
    }
}

/// A server whose handshake went well, as far as the downloads are concerned.
fn described(shaken: &Shaken) -> String {
    match &shaken.shown {
        Ok(shown) => {
            let version = if shown.is_tls13 { "TLS 1.3" } else { "TLS 1.2" };
            let plural = if shown.certificates == 1 { "" } else { "s" };
            let old = if shown.is_tls13 && shaken.speaks_tls12 { " and 1.2" } else { "" };
            format!("{}: {version}{old}, {} certificate{plural}", host(&shaken.origin), shown.certificates)
        }
        Err((_, why)) => format!("{}: the handshake fails now and then: {why}", host(&shaken.origin)),
    }
}

fn refused(origin: &Origin, fault: Fault, shaken: Option<&Shaken>) -> Said {
    let server = host(origin);
    let shown = shaken.map(|shaken| &shaken.shown);
    let why = match shown {
        Some(Ok(shown)) => faults(shown, &origin.host),
        Some(Err((_, words))) => words.clone(),
        None => String::new(),
    };
    let why = if why.is_empty() { why } else { format!(": {why}") };
    match fault {
        Fault::Certificate(fault) => {
            Said::failure(format!("the certificate of {server} is refused{why}"), Cure::Certificate(fault))
        }
        Fault::ClientCertificateNeeded => {
            Said::failure(format!("{server} wants a certificate of the client{why}"), Cure::ClientCertificate)
        }
        _ => Said::failure(format!("no handshake with {server}{why}"), Cure::Tls),
    }
}

/// Everything that is wrong with a certificate, for the owner of the server.
fn faults(shown: &Handshake, host: &str) -> String {
    let Some(own) = &shown.own else { return "it cannot be read".into() };
    let told = shown.faults.iter().map(|fault| match fault {
        CertificateFault::Date => format!("valid from {} to {}", date(own.not_before), date(own.not_after)),
        CertificateFault::Name if own.names.is_empty() => format!("made out to no name, not to {host}"),
        CertificateFault::Name => format!("made out to {}, not to {host}", own.names.join(", ")),
        CertificateFault::Issuer if own.is_self_issued => "issued by itself, and not trusted".to_owned(),
        CertificateFault::Issuer if shown.certificates == 1 => {
            format!("issued by {}, which is not trusted, and sent without other certificates", own.issuer)
        }
        CertificateFault::Issuer => format!("issued by {}, for which nobody trusted vouches", own.issuer),
        CertificateFault::Usage => "not made for servers".to_owned(),
        CertificateFault::Revoked => "revoked".to_owned(),
        CertificateFault::RevocationUnknown => "nobody tells whether it is revoked".to_owned(),
        _ => "not well-formed, or with a wrong signature".to_owned(),
    });
    let flags = shown.faults.iter().filter_map(excuse).collect::<Vec<_>>().join(" | ");
    let flags = if flags.is_empty() { flags } else { format!(" (excused by {flags})") };
    format!("{}{flags}", told.collect::<Vec<_>>().join("; "))
}

/// The security flag by which a client excuses a fault.
fn excuse(fault: CertificateFault) -> Option<&'static str> {
    match fault {
        CertificateFault::Issuer => Some("BG_SSL_IGNORE_UNKNOWN_CA"),
        CertificateFault::Date => Some("BG_SSL_IGNORE_CERT_DATE_INVALID"),
        CertificateFault::Name => Some("BG_SSL_IGNORE_CERT_CN_INVALID"),
        CertificateFault::Usage => Some("BG_SSL_IGNORE_CERT_WRONG_USAGE"),
        _ => None,
    }
}

pub(super) fn authentication(evidence: &Evidence, blamed: &[&Play]) -> Said {
    let Some(last) = last(blamed) else {
        return match evidence.plays[0].exchanges.last().and_then(Exchange::status) {
            Some(_) => Said::fine("none asked for"),
            None => Said::not_asked("not asked"),
        };
    };
    let is_proxy = last.status() == Some(407);
    let header = if is_proxy { "proxy-authenticate" } else { "www-authenticate" };
    let headers = last.reply.iter().flat_map(|reply| reply.headers.get_all(header));
    let schemes = auth::schemes(headers.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let who = if is_proxy { "a proxy" } else { "the server" };
    if schemes.is_empty() {
        return Said::failure(format!("{who} wants credentials, and does not say how to give them"), Cure::Challenge);
    }
    let fitting: Vec<_> = schemes.iter().filter_map(|scheme| auth::fitting(scheme)).collect();
    let text = format!("{who} wants credentials by {}", schemes.join(", "));
    if fitting.is_empty() {
        return Said::failure(format!("{text}: BITS knows none of them"), Cure::OtherScheme);
    }
    Said::failure(format!("{text}; for BITS: {}", fitting.join(", ")), Cure::Credentials)
}

/// Answers that say nothing about a file.
pub(super) fn answer(evidence: &Evidence, blamed: &[&Play]) -> Said {
    let Some(last) = last(blamed) else {
        return match evidence.plays[0].exchanges.last().and_then(Exchange::status) {
            Some(status @ 200..=299) => Said::fine(status.to_string()),
            _ => Said::not_asked("no answer to a request for the file"),
        };
    };
    let (question, url) = (last.question(), last.url());
    match &last.reply {
        Err(Fault::ConnectionEnded) => {
            Said::failure(format!("{question}: the server ends the connection without an answer"), Cure::NoAnswer)
        }
        Err(_) => {
            Said::failure(format!("{question}: what comes back is no HTTP, or its head has no end"), Cure::NoHttp)
        }
        Ok(reply) => {
            let also = evidence.get_instead.as_ref().and_then(Exchange::status);
            let also = also.map_or_else(String::new, |status| format!(", and {status} for GET"));
            Said::failure(format!("{} for {question} of {url}{also}", reply.status), Cure::of_status(reply.status))
        }
    }
}
