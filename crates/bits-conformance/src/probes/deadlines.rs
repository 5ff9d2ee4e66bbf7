//! How long a job may be at it.

use std::time::Duration;

use bits_origin::{Content, GateAt};

use super::prelude::*;
use super::rest::{Rest, held, rest};

probes![
    "job4.set_maximum_download_time.used_up" => a_time_that_is_over,
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
