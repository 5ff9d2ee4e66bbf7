//! `bitsd demo`: emulator and origin in one process, on a virtual clock.

mod certificates;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bits_api::{AuthCredentials, AuthScheme, AuthTarget, Guid, Job, JobState, JobType, Manager};
use bits_origin::{Content, GateAt, Guard, Origin, Script};
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
    for asking in ASKING {
        demo.guarded(&asking)?;
    }
    demo.client_certificate()?;
    demo.validation()?;
    say(&format!(
        "Every job is done, {} of BITS' time; every byte is what the server has.",
        demo.emulator.clock().now().monotonic
    ))
}

/// A server that wants to know who asks.
struct Asking {
    title: &'static str,
    file: &'static str,
    guards: bits_origin::Scheme,
    scheme: AuthScheme,
    user: &'static str,
    /// What it answers, the whole file at last.
    answers: &'static [u16],
}

const ASKING: [Asking; 2] = [
    Asking {
        title: "A server that asks for Digest: the password does not go over the wire",
        file: "digest.bin",
        guards: bits_origin::Scheme::Digest(bits_origin::Digest::new()),
        scheme: AuthScheme::DIGEST,
        user: "joe",
        answers: &[401, 200, 206],
    },
    Asking {
        title: "A server that asks for NTLM: it knows the connection from then on",
        file: "ntlm.bin",
        guards: bits_origin::Scheme::Ntlm,
        scheme: AuthScheme::NTLM,
        user: r"CORP\joe",
        answers: &[401, 401, 200, 206],
    },
];

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

    fn guarded(&self, asking: &Asking) -> Result<(), Failure> {
        const PASSWORD: &str = "open sesame";
        let content = Content::synthetic(MIB, 4);
        let path = format!("/{}", asking.file);
        self.origin.put(&path, content.clone());
        self.origin.guard(&path, Guard::new("the demonstration").offers(asking.guards).knows(asking.user, PASSWORD));
        let (id, job) = self.job("a guarded file", &self.origin.url(&path), asking.file)?;
        let credentials = AuthCredentials {
            target: AuthTarget::SERVER,
            scheme: asking.scheme,
            user_name: Some(asking.user),
            password: Some(PASSWORD),
        };
        Arc::clone(&job).job2().and_then(|job| job.set_credentials(&credentials)).doing("SetCredentials")?;
        job.resume().doing("Resume")?;
        self.finish(asking.title, id, &job, &content, asking.file)?;
        self.check_asked(asking, &path)
    }

    /// Nobody must have been told more, or less, than he has asked for.
    fn check_asked(&self, asking: &Asking, path: &str) -> Result<(), Failure> {
        let journal = self.origin.journal().requests_to(path);
        let answers: Vec<_> = journal.iter().filter_map(|request| request.status).collect();
        let connections: BTreeSet<_> = journal.iter().map(|request| request.connection).collect();
        let shown: Vec<_> = answers.iter().map(u16::to_string).collect();
        say(&format!("The server answered: {}; connections: {}\n", shown.join(", then "), connections.len()))?;
        if answers != asking.answers || connections.len() != 1 {
            return Err(Failure::Failed(format!("{} should have been answered by {:?}", asking.file, asking.answers)));
        }
        Ok(())
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
