//! `kill -9` at any moment: a real child process, killed at seeded instants.
//!
//! The child runs an emulator over a state folder and downloads from the parent's origin; each
//! call that returned is told on its standard output. After the kill the parent opens the folder:
//! what was told is there, what moved goes on by itself, and no byte on disk is fetched again.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bits_api::{CreatedJob, FileRange, Guid, Hresult, Job, JobPriority, JobState, JobType, Manager};
use bits_origin::{Content, Origin, Request};
use bits_service::Emulator;
use bits_world::clock::Clock;

/// Under Wine, starting and killing a process takes a second.
const INSTANTS: u64 = if cfg!(windows) { 20 } else { 200 };
const FILES: [&str; 5] = ["/a.bin", "/b.bin", "/c.bin", "/d.bin", IN_PARTS];
const SIZE: u64 = 3 * 1024 * 1024;
/// The file of which only parts are fetched: the second lies before the first.
const IN_PARTS: &str = "/e.bin";
const PARTS: [FileRange; 3] =
    [part(1024 * 1024, 1024 * 1024), part(256 * 1024, 256 * 1024), part(2560 * 1024, 512 * 1024)];

const fn part(initial_offset: u64, length: u64) -> FileRange {
    FileRange { initial_offset, length }
}
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_killed_service_loses_no_job_and_fetches_no_byte_twice() {
    let origin = Origin::start(Clock::system()).unwrap();
    for (seed, path) in FILES.into_iter().enumerate() {
        origin.put(path, content(seed));
    }
    for instant in 0..INSTANTS {
        let told = kill_at(&origin, instant);
        told.check(&origin, instant);
    }
}

/// The part of the child; a plain test run passes it by.
#[test]
#[ignore = "runs in a child process of the test above"]
fn child() {
    let (Ok(state), Ok(urls)) = (std::env::var("BITS_KILL_STATE"), std::env::var("BITS_KILL_URLS")) else { return };
    let emulator = Emulator::builder().clock(Clock::system()).state_folder(&state).start().unwrap();
    let manager = emulator.client("child").manager().unwrap();
    let urls: Vec<&str> = urls.split_whitespace().collect();
    let folder = Path::new(&state).join("files");
    loop {
        run_jobs(&emulator, &manager, &urls, &folder);
    }
}

/// A job of two files that runs, one of parts of a file, one that is suspended, one that is
/// cancelled; those that run are completed; then again, until the kill comes.
fn run_jobs(emulator: &Emulator, manager: &Arc<dyn Manager>, urls: &[&str], folder: &Path) {
    let started = |name: &str, urls: &[&str]| {
        let created = manager.create_job(Some(name), JobType::DOWNLOAD).unwrap();
        tell("created", created.id, "");
        for url in urls {
            let local = local(folder, created.id, name_of(url));
            if url.ends_with(IN_PARTS) {
                created.job.clone().job3().unwrap().add_file_with_ranges(Some(url), local.to_str(), &PARTS).unwrap();
            } else {
                created.job.add_file(Some(url), local.to_str()).unwrap();
            }
            tell("added", created.id, url);
        }
        created.job.set_priority(JobPriority::FOREGROUND).unwrap();
        created.job.resume().unwrap();
        tell("resumed", created.id, "");
        created
    };
    let running = started("running", &urls[..2]);
    let parts = started("parts", &urls[4..]);
    let suspended = started("suspended", &urls[2..3]);
    suspended.job.suspend().unwrap();
    tell("suspended", suspended.id, "");
    let cancelled = started("cancelled", &urls[3..4]);
    cancelled.job.cancel().unwrap();
    tell("cancelled", cancelled.id, "");
    for CreatedJob { job, id } in [parts, running] {
        emulator.wait_state(&job, JobState::TRANSFERRED, PATIENCE).unwrap();
        tell("transferred", id, "");
        job.complete().unwrap();
        tell("completed", id, "");
    }
    suspended.job.cancel().unwrap();
    tell("cancelled", suspended.id, "");
}

fn name_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}

/// Where a job puts a file; one of parts has a folder of its own, so that its temporary file can be
/// told from others.
fn local(folder: &Path, job: Guid, name: &str) -> PathBuf {
    let folder = if name == &IN_PARTS[1..] { folder.join("parts") } else { folder.to_owned() };
    folder.join(format!("{job}-{name}"))
}

fn tell(what: &str, job: Guid, detail: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "told {what} {job} {detail}").unwrap();
    out.flush().unwrap();
}

/// What the child was known to have done, and where.
struct Told {
    state: tempfile::TempDir,
    jobs: BTreeMap<Guid, Vec<String>>,
    /// How long the temporary files were, by name.
    on_disk: BTreeMap<PathBuf, u64>,
    /// The same of the file in parts.
    parts_on_disk: BTreeMap<PathBuf, u64>,
}

/// Starts a child, kills it at the instant that the number stands for, and gathers what it told.
fn kill_at(origin: &Origin, instant: u64) -> Told {
    let state = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(state.path().join("files/parts")).unwrap();
    let mut child = spawn(origin, state.path());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut told = Told { state, jobs: BTreeMap::new(), on_disk: BTreeMap::new(), parts_on_disk: BTreeMap::new() };
    // Even numbers count what the child tells, odd ones what the origin sends.
    let chosen = scatter(instant);
    if instant.is_multiple_of(2) {
        let enough = 1 + chosen % 24;
        (0..enough).for_each(|_| told.hear(&lines.next().unwrap().unwrap()));
    } else {
        let sent_before = origin.journal().body_bytes_sent();
        let enough = sent_before + 1 + chosen % (4 * SIZE);
        origin.wait_until(PATIENCE, |journal| journal.body_bytes_sent() >= enough).unwrap();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What was written before the kill is still in the pipe; the last line may be cut.
    lines.map_while(Result::ok).for_each(|line| told.hear(&line));
    told.on_disk = files_in(&told.folder());
    told.parts_on_disk = files_in(&told.folder().join("parts"));
    told
}

fn spawn(origin: &Origin, state: &Path) -> Child {
    let urls: Vec<String> = FILES.iter().map(|path| origin.url(path)).collect();
    Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env("BITS_KILL_STATE", state)
        .env("BITS_KILL_URLS", urls.join(" "))
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

impl Told {
    fn folder(&self) -> PathBuf {
        self.state.path().join("files")
    }

    fn hear(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        if words.next() != Some("told") {
            return;
        }
        if let (Some(what), Some(Ok(job))) = (words.next(), words.next().map(Guid::parse_str)) {
            let detail = words.next().map(|word| format!(" {word}")).unwrap_or_default();
            self.jobs.entry(job).or_default().push(format!("{what}{detail}"));
        }
    }

    fn check(&self, origin: &Origin, instant: u64) {
        let child = last_connection(origin);
        let emulator = Emulator::builder().state_folder(self.state.path()).start().unwrap();
        let manager = emulator.client("parent").manager().unwrap();
        for (id, told) in &self.jobs {
            self.check_job(&emulator, &manager, *id, told, instant);
        }
        emulator.settle().unwrap();
        let by_parent: Vec<_> = origin.journal().iter().filter(|asked| asked.connection > child).cloned().collect();
        self.check_ranges(&by_parent, instant);
        self.check_parts(&by_parent, instant);
    }

    fn check_job(&self, emulator: &Emulator, manager: &Arc<dyn Manager>, id: Guid, told: &[String], instant: u64) {
        let found = manager.job(id);
        let at = format!("instant {instant}, job {id}, told {told:?}");
        let gone = found.as_ref().err() == Some(&Hresult::BG_E_NOT_FOUND);
        match told.last().map(String::as_str) {
            Some("cancelled") => assert!(gone, "a cancelled job is still there: {at}"),
            Some("completed") => {
                assert!(gone, "a completed job is still there: {at}");
                self.compare_files(id, told, &at);
            }
            // A call that was made but had not returned may have come into force.
            Some("transferred") if gone => self.compare_files(id, told, &at),
            Some("suspended" | "resumed") if gone => {}
            _ => self.finish(emulator, &found.unwrap_or_else(|code| panic!("{code}: {at}")), told, &at),
        }
    }

    /// Lets a job that was left come to its end; everything that it tells must be true.
    fn finish(&self, emulator: &Emulator, job: &Arc<dyn Job>, told: &[String], at: &str) {
        let state = job.state().unwrap();
        let last = told.last().map_or("", String::as_str);
        match last {
            "suspended" => assert_eq!(state, JobState::SUSPENDED, "{at}"),
            // A getter does not wait until what it tells is on record.
            "resumed" | "transferred" => assert_ne!(state, JobState::ERROR, "{at}"),
            _ => {}
        }
        let files = job.enum_files().unwrap().count().unwrap();
        let added = told.iter().filter(|what| what.starts_with("added")).count();
        assert!(files as usize >= added, "{files} files: {at}");
        if files == 0 {
            job.cancel().unwrap();
            return;
        }
        if state == JobState::SUSPENDED {
            job.resume().unwrap();
        }
        emulator.wait_state(job, JobState::TRANSFERRED, PATIENCE).unwrap_or_else(|error| panic!("{error}: {at}"));
        job.complete().unwrap();
        self.compare_files(job.id().unwrap(), told, at);
    }

    fn compare_files(&self, id: Guid, told: &[String], at: &str) {
        for url in told.iter().filter_map(|what| what.strip_prefix("added ")) {
            let name = name_of(url);
            let seed = FILES.iter().position(|path| path[1..] == *name).unwrap();
            let bytes = std::fs::read(local(&self.folder(), id, name)).unwrap();
            assert!(bytes == expected(seed), "{name} differs: {at}");
        }
    }

    /// The parent has asked for the rest of each file that had begun, and for nothing before it.
    fn check_ranges(&self, by_parent: &[Request], instant: u64) {
        let mut left_off: Vec<u64> =
            self.on_disk.iter().filter(|(_, length)| (1..SIZE).contains(*length)).map(|(_, length)| *length).collect();
        let asked = by_parent.iter().filter(|request| request.path != IN_PARTS);
        let asked = asked.filter_map(|request| request.header("range"));
        let mut resumed_at: Vec<u64> = asked
            .map(|range| first_byte(range).unwrap_or_else(|| panic!("range {range:?}")))
            .filter(|at| *at > 0)
            .collect();
        left_off.sort_unstable();
        resumed_at.sort_unstable();
        assert_eq!(resumed_at, left_off, "instant {instant}: {:?}", self.jobs);
    }

    /// Of the file in parts just what was missing was asked for, from the middle of a part on.
    fn check_parts(&self, by_parent: &[Request], instant: u64) {
        let temporary = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "tmp");
        let left_off = self.parts_on_disk.keys().find(temporary).map(|path| self.parts_on_disk[path]);
        // An empty one may be of a child that tried the folder, for a file that it never came to add.
        let left_off = left_off.filter(|have| *have > 0);
        let asked = by_parent.iter().filter(|request| request.path == IN_PARTS);
        let asked: Vec<_> = asked.filter_map(|request| request.header("range").map(str::to_owned)).collect();
        match left_off {
            Some(have) => assert_eq!(asked, missing_parts(have), "instant {instant}, {have} bytes: {:?}", self.jobs),
            None => assert!(asked.is_empty() || asked == missing_parts(0), "instant {instant}: {asked:?}"),
        }
    }
}

/// The number of a connection that came after all those of a child that has ended: what it has asked
/// may be read, and its connections accepted, after its end.
fn last_connection(origin: &Origin) -> u64 {
    let mut connection = TcpStream::connect(origin.address()).unwrap();
    connection.write_all(b"GET /end HTTP/1.1\r\nHost: origin\r\nConnection: close\r\n\r\n").unwrap();
    connection.read_to_end(&mut Vec::new()).unwrap();
    origin.journal().requests_to("/end").iter().map(|request| request.connection).max().unwrap()
}

/// What is asked for of the file in parts when so many bytes are there.
fn missing_parts(have: u64) -> Vec<String> {
    let mut before = 0;
    let rest = PARTS.map(|FileRange { initial_offset, length }| {
        let done = have.saturating_sub(before).min(length);
        before += length;
        (done < length).then(|| format!("{}-{}", initial_offset + done, initial_offset + length - 1))
    });
    // The second lies before the first, and begins another request.
    let requests =
        [rest[..1].to_vec(), rest[1..].to_vec()].map(|parts| parts.into_iter().flatten().collect::<Vec<_>>());
    requests.iter().filter(|parts| !parts.is_empty()).map(|parts| format!("bytes={}", parts.join(","))).collect()
}

fn first_byte(range: &str) -> Option<u64> {
    range.strip_prefix("bytes=")?.split('-').next()?.parse().ok()
}

fn files_in(folder: &Path) -> BTreeMap<PathBuf, u64> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    files.map(|entry| (entry.path(), entry.metadata().unwrap().len())).collect()
}

fn content(seed: usize) -> Content {
    Content::synthetic(SIZE, seed as u64)
}

/// What a job makes of the file with that seed.
fn expected(seed: usize) -> Vec<u8> {
    let bytes = |range| bits_origin::Synthetic::new(SIZE, seed as u64).bytes(range);
    if FILES[seed] == IN_PARTS {
        PARTS.iter().flat_map(|part| bytes(part.initial_offset..part.initial_offset + part.length)).collect()
    } else {
        bytes(0..SIZE)
    }
}

/// Numbers without a pattern, the same in every run.
fn scatter(number: u64) -> u64 {
    let mixed = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 16
}
