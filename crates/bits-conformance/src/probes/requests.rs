//! What clients put into requests beside what BITS sends by itself, and by which connections they go.

use bits_origin::{Content, Journal};

use super::prelude::*;
use super::rest::{Texts, ending};

probes![
    "http_options.custom_headers.own" => a_clients_own_word,
    "http_options.custom_headers.reserved" => what_is_bits_own_affair,
    "http.spare_connections" => connections_of_one_job_after_another,
];

/// The lines of GET that have one of these names, as they were sent and in their order.
fn lines(journal: &Journal, names: &[&str]) -> Texts {
    let is_one = |name: &str| names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name));
    let sent = journal.iter().filter(|request| request.method == "GET").flat_map(|request| &request.headers);
    Texts::new(sent.filter(|(name, _)| is_one(name)).map(|(name, value)| format!("{name}: {value}")))
}

fn a_clients_own_word(c: &mut Bench) -> Answer {
    let origin = c.origin()?;
    origin.put("/file", Content::bytes(&b"0123456789"[..]));
    let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
    let headers = "User-Agent: mine/1\r\nAccept: text/plain\r\nAccept-Encoding: br\r\n\
                   x-lower_case: 1\r\nX-SAME: 1\r\nX-SAME: 2\r\n";
    let set = job.http_options()?.set_custom_headers(Some(headers));
    let end = ending(c, &job)?;
    let names = ["User-Agent", "Accept", "Accept-Encoding", "x-lower_case", "X-Same"];
    Ok(Seen::new().and("SetCustomHeaders", set).and("sent", lines(&origin.journal(), &names)).and("the job", end))
}

/// Headers that are BITS' own affair, each with a value that BITS would not send.
const RESERVED: [(&str, &str); 13] = [
    ("Host", "elsewhere"),
    ("Connection", "close"),
    ("Keep-Alive", "timeout=7"),
    ("Proxy-Connection", "close"),
    ("Content-Length", "0"),
    ("Transfer-Encoding", "identity"),
    ("TE", "trailers"),
    ("Trailer", "X-After"),
    ("Upgrade", "h2c"),
    ("Expect", "100-continue"),
    ("Range", "bytes=3-4"),
    ("If-Range", "\"x\""),
    ("If-Unmodified-Since", "Mon, 01 Jan 2001 00:00:00 GMT"),
];

fn what_is_bits_own_affair(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    for (name, value) in RESERVED {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::bytes(&b"0123456789"[..]));
        let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
        let line = format!("{name}: {value}\r\n");
        let set = job.http_options()?.set_custom_headers(Some(&line));
        let is_kept = job.http_options()?.custom_headers().is_ok_and(|headers| headers.value == Some(line));
        let end = ending(c, &job)?;
        let is_sent = origin
            .journal()
            .iter()
            .any(|request| request.headers.iter().any(|(sent, with)| sent.eq_ignore_ascii_case(name) && with == value));
        let word = |yes: bool, word: &str| if yes { word.to_owned() } else { format!("not {word}") };
        let told = [set.tell(), word(is_kept, "given back"), word(is_sent, "sent"), end.tell()];
        seen = seen.and(name, Texts(told.to_vec()));
    }
    Ok(seen)
}

fn connections_of_one_job_after_another(c: &mut Bench) -> Answer {
    c.start_over_in_real_time()?;
    let origin = c.origin()?;
    for job in ["first", "second", "third"] {
        let path = format!("/{job}");
        origin.put(&path, Content::bytes(&b"0123456789"[..]));
        let job = c.job_for(&origin.url(&path), JobPriority::FOREGROUND)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        job.complete()?;
    }
    let journal = origin.journal();
    let mut connections: Vec<u64> = Vec::new();
    let requests = journal.iter().map(|request| {
        let known = connections.iter().position(|connection| *connection == request.connection);
        let number = known.unwrap_or_else(|| {
            connections.push(request.connection);
            connections.len() - 1
        });
        format!("{} {} by connection {}", request.method, request.path, number + 1)
    });
    seen(Texts::new(requests))
}
