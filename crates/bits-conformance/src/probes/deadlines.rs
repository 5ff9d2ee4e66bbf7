//! How long a job may be at it, and how long a server may be silent.

use std::time::Duration;

use bits_origin::{Content, GateAt};

use super::prelude::*;
use super::rest::{Rest, held, rest};

probes![
    "job4.set_maximum_download_time.used_up" => a_time_that_is_over,
    "http.stall_timeout" => a_server_falls_silent,
];

fn a_time_that_is_over(c: &mut Bench) -> Answer {
    let origin = c.origin()?;
    origin.put("/file", Content::synthetic(50_000, 1));
    let gate = origin.gate_method("GET", "/file", GateAt::Byte(20_000));
    let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
    job.resume()?;
    held(&gate)?;
    // Two seconds that count.
    c.until(|| false, Duration::from_secs(2))?;
    let set = job.job4()?.set_maximum_download_time(1);
    let at_once = Rest::of(&job)?;
    let then = rest(c, &job)?;
    gate.open();
    job.cancel()?;

    let before = origin.journal().len();
    let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
    let zero = job.job4()?.set_maximum_download_time(0);
    job.resume()?;
    let end = rest(c, &job)?;
    Ok(Seen::new()
        .and("SetMaximumDownloadTime(1) after two seconds of a transfer", set)
        .and("at once", at_once)
        .and("then", then)
        .and("SetMaximumDownloadTime(0) before Resume", zero)
        .and("then", end)
        .and("requests", origin.journal().len() - before))
}

fn a_server_falls_silent(c: &mut Bench) -> Answer {
    let origin = c.origin()?;
    origin.put("/file", Content::synthetic(10, 1));
    let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
    let gate = origin.gate_method("HEAD", "/file", GateAt::RequestSeen);
    job.resume()?;
    let given_up = || job.state().is_ok_and(|state| [JobState::TRANSIENT_ERROR, JobState::ERROR].contains(&state));
    let early = c.until(given_up, Duration::from_secs(299))?;
    let then = c.until(given_up, Duration::from_secs(2))?;
    let end = Rest::of(&job)?;
    drop(gate);
    Ok(Seen::new().and("given up before five minutes", early).and("after them", then).and("the job", end))
}
