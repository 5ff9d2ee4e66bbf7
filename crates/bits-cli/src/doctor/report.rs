//! What was found, for a person: a line for each job, a line for each check, and what to mend.

use std::fmt::Write;

use bits_api::SIZE_UNKNOWN;
use bits_wire::attempt::Failure;

use super::Report;
use super::checks::{Finding, Severity};
use super::play::{Exchange, Part, Play};
use crate::{one_line, told};

/// The text that goes to stdout.
pub(super) fn render(report: &Report, with_requests: bool) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write(report, with_requests, &mut out);
    out
}

fn write(report: &Report, with_requests: bool, out: &mut String) -> std::fmt::Result {
    let server = report.evidence.server();
    let server = server.as_deref().map_or_else(String::new, |server| format!("; the server is {}", one_line(server)));
    writeln!(out, "{}\nasked as Microsoft BITS/{}{server}\n", one_line(&report.url), report.library)?;
    for play in &report.evidence.plays {
        writeln!(out, "{:<15}  {}", play.part.name(), course(play))?;
    }
    writeln!(out)?;
    let (idle, asked): (Vec<_>, Vec<_>) =
        report.findings.iter().partition(|finding| finding.severity == Severity::NotAsked);
    for Finding { topic, severity, text, .. } in asked {
        writeln!(out, "{:<4}  {:<14}  {}", severity.name(), topic.name(), one_line(text))?;
    }
    if !idle.is_empty() {
        let names: Vec<_> = idle.iter().map(|finding| finding.topic.name()).collect();
        writeln!(out, "-     not looked at   {}", names.join(", "))?;
    }
    let bad: Vec<_> = report.findings.iter().filter(|finding| finding.severity >= Severity::Warning).collect();
    if !bad.is_empty() {
        writeln!(out, "\nto mend")?;
    }
    for finding in bad {
        mend(finding, report, out)?;
    }
    if with_requests {
        for play in &report.evidence.plays {
            requests(play.part.name(), play.exchanges.iter(), out)?;
        }
        requests("further questions", report.evidence.further(), out)?;
    }
    Ok(())
}

fn requests<'a>(title: &str, exchanges: impl Iterator<Item = &'a Exchange>, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\nrequests: {title}")?;
    exchanges.into_iter().try_for_each(|exchange| writeln!(out, "  {}", one_line(&exchanged(exchange))))
}

/// How a job would fare.
fn course(play: &Play) -> String {
    match play.end {
        Ok(known) => {
            let size = known.map(|known| known.size).filter(|size| *size != SIZE_UNKNOWN);
            let size = size.map_or_else(|| "a file of unknown size".to_owned(), |size| format!("{size} bytes"));
            match play.part {
                Part::AfterBreak if !play.goes_on => format!("TRANSFERRED, {size}, from the first byte again"),
                Part::Ranges => "TRANSFERRED, 2 bytes in 2 ranges".to_owned(),
                _ => format!("TRANSFERRED, {size}"),
            }
        }
        Err(failure) if failure.transient => format!("TRANSIENT_ERROR, {}", failure.code),
        Err(failure) => format!("ERROR, {}", failure.code),
    }
}

fn mend(finding: &Finding, report: &Report, out: &mut String) -> std::fmt::Result {
    let mut name = finding.topic.name();
    let mut line = |text: &str| writeln!(out, "  {:<14}  {}", std::mem::take(&mut name), one_line(text));
    let mut codes: Vec<Failure> = Vec::new();
    for (_, failure) in &finding.failures {
        if !codes.contains(failure) {
            codes.push(*failure);
        }
    }
    for failure in codes {
        let of = finding.failures.iter().filter(|(_, other)| *other == failure);
        let parts: Vec<_> = of.map(|(part, _)| part.name()).collect();
        line(&format!("{} in {}: {}", failure.code, failure.context, parts.join(", ")))?;
    }
    let Some(cure) = finding.cure else { return Ok(()) };
    let (server, client) = cure.told(report.evidence.server().as_deref());
    line(&format!("server: {server}"))?;
    if client.is_empty() { Ok(()) } else { line(&format!("client: {client}")) }
}

/// One request and its answer on a line.
fn exchanged(exchange: &Exchange) -> String {
    let mut line = format!("{} {}", exchange.request.method, exchange.url());
    for name in ["range", "if-unmodified-since"] {
        if let Some(value) = exchange.request.headers.get(name) {
            let _ = write!(line, " [{name}: {}]", String::from_utf8_lossy(value.as_bytes()));
        }
    }
    match &exchange.reply {
        Ok(reply) => {
            let _ = write!(line, " → {:?} {}", reply.version, reply.status.as_u16());
            for name in ["content-length", "content-range", "last-modified", "location"] {
                if let Some(value) = exchange.header(name) {
                    let _ = write!(line, " [{name}: {value}]");
                }
            }
        }
        Err(fault) => _ = write!(line, " → {}", told(fault.failure().code)),
    }
    line
}
