//! What a job is told in confidence: nobody reads it in a log, nor on the disk.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bits_api::{AuthCredentials, AuthScheme, AuthTarget, Hresult, Job, JobState, JobType};
use bits_origin::{Content, Digest, Guard, Origin, Scheme};
use bits_service::Emulator;
use bits_world::Account;
use bits_world::clock::{Clock, VirtualClock};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

const NAME: &str = r"EXAMPLE\wilhelmina";
const PASSWORD: &str = "correct horse 9";
/// `EXAMPLE\wilhelmina:correct horse 9` in Base64.
const AS_BASIC: &str = "RVhBTVBMRVx3aWxoZWxtaW5hOmNvcnJlY3QgaG9yc2UgOQ";

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// A job of Wilhelmina's for `url`, suspended.
fn job(emulator: &Emulator, url: &str, folder: &Path, password: &str) -> Result<Arc<dyn Job>, Hresult> {
    let job = emulator.client("updater.exe").manager()?.create_job(Some("in confidence"), JobType::DOWNLOAD)?.job;
    for target in [AuthTarget::SERVER, AuthTarget::PROXY] {
        for scheme in
            [AuthScheme::BASIC, AuthScheme::DIGEST, AuthScheme::NTLM, AuthScheme::NEGOTIATE, AuthScheme::PASSPORT]
        {
            let (user_name, password) = (Some(NAME), Some(password));
            job.clone().job2()?.set_credentials(&AuthCredentials { target, scheme, user_name, password })?;
        }
    }
    job.add_file(Some(url), folder.join("file.bin").to_str())?;
    Ok(job)
}

/// In which of its forms a password can be found in `bytes`.
fn found(bytes: &[u8]) -> Vec<&'static str> {
    let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let forms = [
        ("UTF-8", PASSWORD.as_bytes().to_vec()),
        ("UTF-16", wide(PASSWORD)),
        ("Base64", AS_BASIC.as_bytes().to_vec()),
        ("a list of bytes", format!("{:?}", PASSWORD.as_bytes()).trim_matches(['[', ']']).as_bytes().to_vec()),
        ("the name", b"wilhelmina".to_vec()),
        ("the name in UTF-16", wide("wilhelmina")),
    ];
    let is_there = |form: &[u8]| bytes.windows(form.len()).any(|window| window == form);
    forms.into_iter().filter(|(_, form)| is_there(form)).map(|(what, _)| what).collect()
}

#[test]
fn no_log_of_any_level_shows_who_a_job_is() -> Result<(), Hresult> {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("trace"))
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    // Threads of the service log too.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    for scheme in [Scheme::Basic, Scheme::Digest(Digest::new()), Scheme::Ntlm, Scheme::Negotiate] {
        for password in [PASSWORD, "wrong"] {
            let folder = tempfile::tempdir().unwrap();
            let clock = Clock::Virtual(VirtualClock::new());
            let origin = Origin::start(clock.clone()).unwrap();
            origin.put("/file", Content::synthetic(10_000, 1));
            origin.guard("*", Guard::new("vault").offers(scheme).knows(NAME, PASSWORD));
            let world = |world: &mut bits_world::World| {
                let account = Account::new("EXAMPLE", "wilhelmina", PASSWORD).unwrap();
                world.accounts.log_on_as(bits_world::Sid::of_name(Emulator::DEFAULT_USER), account);
            };
            let emulator = Emulator::builder()
                .clock(clock)
                .world(world)
                .state_folder(folder.path().join("state"))
                .start()
                .unwrap();
            let job = job(&emulator, &origin.url("/file"), folder.path(), password)?;
            job.resume()?;
            let ends = |state| [JobState::TRANSFERRED, JobState::ERROR].contains(&state);
            emulator.run_until(|| job.state().is_ok_and(ends), Duration::from_mins(1)).unwrap();
            let expected = if password == PASSWORD { JobState::TRANSFERRED } else { JobState::ERROR };
            assert_eq!(job.state()?, expected, "{scheme:?}");

            let mut shown = log.text();
            write!(shown, "{job:?} {}", emulator.timeline()).unwrap();
            write!(shown, "{:?}", emulator.timeline().entries()).unwrap();
            write!(shown, "{}", emulator.explain(job.id()?)).unwrap();
            emulator.change_world(|world| write!(shown, "{world:?}").unwrap());
            assert!(shown.contains("answers a challenge"), "{scheme:?} is logged at all");
            assert_eq!(found(shown.as_bytes()), [] as [&str; 0], "{scheme:?}");
            // Whom it has let in is what a journal is for.
            let journal = format!("{:?}", origin.journal());
            assert!(found(journal.as_bytes()).into_iter().all(|what| what == "the name"), "{scheme:?}");
        }
    }
    Ok(())
}

/// Every byte in the folder of a queue.
fn bytes_in(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    files.flatten().collect()
}

#[test]
fn no_byte_on_the_disk_tells_who_a_job_is() -> Result<(), Hresult> {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let emulator =
        Emulator::builder().simulated(&bits_service::Simulation::new()).state_folder(&state).start().unwrap();
    let job = job(&emulator, "http://server/file", folder.path(), PASSWORD)?;
    job.set_description(Some("what anybody may read"))?;
    let id = job.id()?;

    for step in ["set", "restarted", "removed", "cancelled"] {
        match step {
            "restarted" => emulator.restart().unwrap(),
            "removed" => {
                let job = emulator.client("updater.exe").manager()?.job(id)?;
                job.job2()?.remove_credentials(AuthTarget::SERVER, AuthScheme::BASIC)?;
            }
            "cancelled" => drop(emulator.client("updater.exe").manager()?.job(id)?.cancel()?),
            _ => {}
        }
        let bytes = bytes_in(&state);
        assert!(step == "cancelled" || bytes.windows(21).any(|window| window == b"what anybody may read"));
        assert_eq!(found(&bytes), [] as [&str; 0], "{step}");
    }
    Ok(())
}
