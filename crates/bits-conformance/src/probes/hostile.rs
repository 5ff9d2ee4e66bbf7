//! Servers that misbehave: those of the table of hostile servers that belong to a decision, each met
//! by a job of its own.

use bits_api::SecurityFlags;
use bits_origin::Content;
use bits_servers::{At, FILE, Server};

use super::prelude::*;
use super::rest::{ending, rest};

probes![
    "http.transport_failures" => transport_failures,
    "http.lengths_disagree" => |c| servers(c, "http.lengths_disagree"),
    "http.range_answers" => |c| servers(c, "http.range_answers"),
    "http.multipart_answers" => |c| servers(c, "http.multipart_answers"),
    "http.framing" => |c| servers(c, "http.framing"),
    "http.head_limits" => |c| servers(c, "http.head_limits"),
    "http.tls_failures" => |c| servers(c, "http.tls_failures"),
    "http.status_lines" => |c| servers(c, "http.status_lines"),
    "http.header_bytes" => |c| servers(c, "http.header_bytes"),
    "http.endless_change" => |c| servers(c, "http.endless_change"),
];

/// The servers of a decision that a job without an account meets, and that do not make it wait for minutes.
fn asked_by(decision: &str) -> impl Iterator<Item = Server> {
    let is_asked = move |server: &Server| {
        server.decision.as_deref() == Some(decision) && server.logins.is_empty() && !server.takes_time()
    };
    Server::all().into_iter().filter(is_asked)
}

/// How a job ends that meets each server of the table for this decision.
fn servers(c: &mut Bench, decision: &str) -> Answer {
    let mut seen = Seen::new();
    for server in asked_by(decision) {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::bytes(FILE));
        origin.script(server.script());
        let job = c.new_job()?;
        server.meet(&job, &origin, "/file", &c.local("download.bin"))?;
        if matches!(server.at, At::Https | At::TlsToPlain | At::Tunnel) {
            job.http_options()?.set_security_flags(SecurityFlags::IGNORE_UNKNOWN_CA)?;
        }
        job.resume()?;
        seen = seen.and(&server.name, rest(c, &job)?);
        // Wine's Cancel does not come back while an answer without end is being read.
        c.end_origin(origin);
        job.cancel()?;
    }
    Ok(seen)
}

fn transport_failures(c: &mut Bench) -> Answer {
    let seen = servers(c, "http.transport_failures")?;
    c.start_over();
    let origin = c.origin()?;
    let nobody = origin.url("/file").replace(&origin.address().port().to_string(), "1");
    let refused = ending(c, &c.job_for(&nobody, JobPriority::FOREGROUND)?)?;
    // A label this long is no name, so that no name server needs to be asked.
    let nameless = format!("http://{}.invalid/file", "n".repeat(64));
    let unresolved = ending(c, &c.job_for(&nameless, JobPriority::FOREGROUND)?)?;
    Ok(seen.and("nobody listens", refused).and("the name cannot be resolved", unresolved))
}
