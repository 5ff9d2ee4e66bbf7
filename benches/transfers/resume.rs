//! A download that is killed in the middle: how much of it is fetched twice.

use std::fs;
use std::path::Path;

use crate::measure::{self, spread};
use crate::programs;
use crate::server::{LARGE, Server};
use crate::{Result, media};

pub(crate) const NAME: &str = "resume at 50 % after kill -9";

/// At most so many MiB are fetched again.
pub(crate) const TARGET: f64 = 1.0;

/// What was fetched again, in MiB, round by round.
pub(crate) struct Again {
    /// Of what the temporary file held.
    pub(crate) written: Vec<f64>,
    /// Of what the server had sent, what was on its way included.
    pub(crate) sent: Vec<f64>,
}

pub(crate) fn measure(server: &Server, rounds: u64) -> Result<Again> {
    let mut again = Again { written: Vec::new(), sent: Vec::new() };
    let (medium, place) = media().swap_remove(0);
    for _ in 0..rounds {
        let (folder, state) = (tempfile::tempdir_in(&place)?, tempfile::tempdir_in(&place)?);
        round(server, folder.path(), state.path(), &mut again)?;
    }
    println!("\n{NAME}, to {medium}: MiB fetched again, min / median / max");
    println!("  of what the temporary file held:  {}", spread(&again.written, 2));
    println!("  of what the server had sent:      {}", spread(&again.sent, 2));
    Ok(again)
}

fn round(server: &Server, folder: &Path, state: &Path, again: &mut Again) -> Result<()> {
    let before = server.log()?.len();
    let mut command = programs::kept(server, folder, state)?;
    let mut run = command.process()?.spawn()?;
    while arrived(folder)? < server.large_size / 2 {
        if run.try_wait()?.is_some() {
            return Err("a download was over before it could be killed".into());
        }
    }
    run.kill()?;
    run.wait()?;
    let held = arrived(folder)?;
    measure::run(&mut command)?;
    if fs::metadata(folder.join(LARGE))?.len() != server.large_size {
        return Err("a download that was taken up is not whole".into());
    }
    let log = server.log()?.split_off(before);
    let lines = log.iter().map(|line| line.split(' ').collect::<Vec<_>>());
    let gets: Vec<_> = lines.filter(|line| line.len() > 2 && line[0] == "GET").collect();
    let [first, second] = gets.as_slice() else { return Err(format!("not two answers, but {log:?}").into()) };
    let range = second[2].strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let from: u64 = range.ok_or("the second request is not for a range")?.0.parse()?;
    let sent = first[1].parse::<u64>()? + second[1].parse::<u64>()?;
    again.written.push(mebibytes(held - from));
    again.sent.push(mebibytes(sent - server.large_size));
    Ok(())
}

/// How long the temporary file is.
fn arrived(folder: &Path) -> Result<u64> {
    let mut longest = 0;
    for entry in fs::read_dir(folder)? {
        longest = longest.max(entry?.metadata()?.len());
    }
    Ok(longest)
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}
