//! `bitsd demo`: emulator and origin in one process, on a virtual clock.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bits_api::{Guid, Job, JobState, JobType, Manager};
use bits_origin::{Content, GateAt, Origin, Script};
use bits_service::{Client, Emulator, What};
use bits_world::clock::{Clock, VirtualClock};
use sha2::{Digest, Sha256};

use crate::{Doing, Failure};

const DAY: Duration = Duration::from_hours(24);
const MIB: u64 = 1024 * 1024;

pub(crate) fn run() -> Result<(), Failure> {
    let folder = tempfile::tempdir().doing("no temporary folder")?;
    let clock = Clock::Virtual(VirtualClock::new());
    let origin = Origin::start(clock.clone()).doing("the origin does not start")?;
    let emulator = Emulator::builder()
        .clock(clock)
        .trust(origin.ca_pem())
        .state_folder(folder.path().join("queue"))
        .world(|world| world.drives.mount('C', folder.path()))
        .start()
        .doing("the emulator does not start")?;
    let demo = Demo { client: emulator.client("demo.exe"), emulator, origin, folder: folder.path() };
    demo.plain()?;
    demo.retried()?;
    demo.interrupted()?;
    say(&format!(
        "Three jobs, {} of BITS' time; every byte is what the server has.",
        demo.emulator.clock().now().monotonic
    ))
}

/// Prints a line; a reader that has gone away is an error and no panic.
fn say(line: &str) -> Result<(), Failure> {
    writeln!(std::io::stdout(), "{line}").doing("cannot print")
}

struct Demo<'a> {
    origin: Origin,
    emulator: Emulator,
    client: Client,
    folder: &'a Path,
}

impl Demo<'_> {
    fn plain(&self) -> Result<(), Failure> {
        let content = Content::synthetic(3 * MIB, 1);
        self.origin.put("/plain.bin", content.clone());
        let (id, job) = self.job("a plain file", &self.origin.url("/plain.bin"), "plain.bin")?;
        job.resume().doing("Resume")?;
        self.finish("A plain file over HTTP", id, &job, &content, "plain.bin")
    }

    fn retried(&self) -> Result<(), Failure> {
        let content = Content::synthetic(2 * MIB, 2);
        self.origin.put("/flaky.bin", content.clone());
        let script = Script::parse("demo", "first 2 requests of /flaky.bin: status 503").doing("the script")?;
        self.origin.script(script);
        let (id, job) = self.job("a busy server", &self.origin.https_url("/flaky.bin"), "flaky.bin")?;
        job.resume().doing("Resume")?;
        self.finish(
            "HTTPS from a server that fails twice; BITS waits ten minutes each",
            id,
            &job,
            &content,
            "flaky.bin",
        )
    }

    fn interrupted(&self) -> Result<(), Failure> {
        let content = Content::synthetic(8 * MIB, 3);
        self.origin.put("/long.bin", content.clone());
        let gate = self.origin.gate_method("GET", "/long.bin", GateAt::Byte(5 * MIB));
        let (id, job) = self.job("a restart", &self.origin.url("/long.bin"), "long.bin")?;
        job.resume().doing("Resume")?;
        self.emulator.settle().doing("the first half")?;
        self.emulator.restart().doing("the service does not restart")?;
        gate.open();
        let job = self.manager()?.job(id).doing("the job is gone after the restart")?;
        self.finish("The service is restarted in the middle of a file", id, &job, &content, "long.bin")?;
        self.check_resumed()
    }

    /// What came before the restart must not have been asked for again.
    fn check_resumed(&self) -> Result<(), Failure> {
        let journal = self.origin.journal().requests_to("/long.bin").with_method("GET");
        let asked: Vec<_> = journal.iter().map(|request| request.header("range").unwrap_or("the whole file")).collect();
        say(&format!("The server was asked for: {}\n", asked.join(", then ")))?;
        match asked.as_slice() {
            [_, second] if second.starts_with("bytes=") => Ok(()),
            _ => Err(Failure::Failed(format!("the download was not resumed by a range: {asked:?}"))),
        }
    }

    fn manager(&self) -> Result<Arc<dyn Manager>, Failure> {
        self.client.manager().doing("cannot connect")
    }

    fn job(&self, name: &str, url: &str, file: &str) -> Result<(Guid, Arc<dyn Job>), Failure> {
        let created = self.manager()?.create_job(Some(name), JobType::DOWNLOAD).doing("CreateJob")?;
        created.job.add_file(Some(url), Some(&format!(r"C:\{file}"))).doing("AddFile")?;
        Ok((created.id, created.job))
    }

    /// Waits for the end of the job, completes it, prints its story and compares the bytes.
    fn finish(&self, title: &str, id: Guid, job: &Arc<dyn Job>, content: &Content, file: &str) -> Result<(), Failure> {
        self.emulator.wait_state(job, JobState::TRANSFERRED, DAY).doing("the job does not finish")?;
        job.complete().doing("Complete")?;
        self.print(title, id)?;
        let bytes = std::fs::read(self.folder.join(file)).doing("the file is not there")?;
        let got = Sha256::digest(&bytes).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let expected = content.sha256().doing("the content")?;
        if got != expected {
            return Err(Failure::Failed(format!("{file} has SHA-256 {got}, the server's file {expected}")));
        }
        say(&format!("{} bytes, SHA-256 {got}: as on the server\n", bytes.len()))
    }

    /// The job's states since it was made, and what happened to the service meanwhile.
    fn print(&self, title: &str, id: Guid) -> Result<(), Failure> {
        say(&format!("{title}\n  {:<14} {:<16} why", "virtual time", "state"))?;
        let entries = self.emulator.timeline().entries();
        for entry in entries.iter().skip_while(|entry| entry.job != Some(id)) {
            let (state, why) = match &entry.what {
                What::Transition { to, cause, .. } if entry.job == Some(id) => {
                    (to.name().unwrap_or("?").trim_start_matches("BG_JOB_STATE_"), cause.to_string())
                }
                What::Service(text) => ("", text.clone()),
                _ => continue,
            };
            say(&format!("  {:<14} {state:<16} {why}", entry.at.monotonic))?;
        }
        Ok(())
    }
}
