//! The doctor says what the emulator does: real jobs of the emulator, and the doctor, at the same
//! servers.

use std::sync::Arc;
use std::time::Duration;

use bits_api::{
    FileRange, Job, JobPriority, JobPropertyId, JobPropertyValue, JobState, JobType, Manager, SecurityFlags,
};
use bits_origin::{Content, GateAt, Origin, Script};
use bits_servers::{At, FILE, Server};
use bits_service::Emulator;
use bits_world::clock::{Clock, VirtualClock};
use serde_json::Value;
use tempfile::TempDir;

use crate::doctor::{doctor, patient_doctor, told};

const SIZE: u64 = 5000;
const PATIENCE: Duration = Duration::from_hours(1);

/// A server at which both are tried.
struct Case {
    name: &'static str,
    content: fn() -> Content,
    script: &'static str,
    https: bool,
    trusted: bool,
}

fn file() -> Content {
    Content::synthetic(SIZE, 1)
}

const fn case(name: &'static str, content: fn() -> Content, script: &'static str) -> Case {
    Case { name, content, script, https: false, trusted: true }
}

const fn https(name: &'static str, script: &'static str) -> Case {
    Case { name, content: file, script, https: true, trusted: true }
}

/// Servers good and bad; `/file` is asked for.
#[rustfmt::skip]
const CASES: &[Case] = &[
    case("good", file, ""),
    case("empty", || Content::bytes(""), ""),
    case("of one byte", || Content::bytes("a"), ""),
    case("larger than 4 GB", || Content::synthetic(5 << 30, 1), "GET /file: behave"),
    case("without ranges", || file().without_ranges(), ""),
    case("without Last-Modified", || file().without_last_modified(), ""),
    case("without both", || file().without_ranges().without_last_modified(), ""),
    case("chunked", || file().chunked(), ""),
    case("until close", || file().until_close(), ""),
    case("HTTP/1.0", || file().http10(), ""),
    case("HTTP/1.0 without ranges", || file().http10().without_ranges(), ""),
    case("HEAD forbidden", || file().refuse_head(403), ""),
    case("HEAD not allowed", || file().refuse_head(405), ""),
    case("HEAD not implemented", || file().refuse_head(501), ""),
    case("not there", file, "/file: status 404"),
    case("busy", file, "/file: status 503"),
    case("too many requests", file, "/file: status 429"),
    case("credentials", file, "/file: status 401"),
    case("credentials for a proxy", file, "/file: status 407"),
    case("HEAD fine, GET forbidden", file, "GET /file: status 403"),
    case("always 412", file, "GET /file: status 412"),
    case("always 416", file, "GET /file: status 416"),
    case("wrong Content-Range", file, "GET /file: wrong content-range"),
    case("no Content-Range", file, "GET /file: without content-range"),
    case("another size in Content-Range", file, "GET /file: header content-range \"bytes 0-4999/6000\""),
    case("HEAD of another size", file, "HEAD /file: header content-length \"4000\""),
    case("length that is none", file, "/file: header content-length \"many\""),
    case("length and chunks", file, "/file: header transfer-encoding \"chunked\""),
    case("date that is none", file, "/file: header last-modified \"yesterday\""),
    case("GET of another date", file, "GET /file: header last-modified \"Sun, 06 Nov 1994 08:49:37 GMT\""),
    case("compressed by name", file, "/file: header content-encoding \"gzip\""),
    case("breaks", file, "GET /file: close after 100 bytes"),
    case("resets before an answer", file, "/file: reset"),
    case("closes before an answer", file, "/file: close"),
    case("garbage", file, "/file: garbage"),
    case("endless headers", file, "/file: endless headers"),
    case("endless interim", file, "/file: endless interim"),
    case("several ranges merged", file, "GET /file: parts merged"),
    case("several ranges: only one", file, "GET /file: parts first"),
    case("redirect in a circle", file, "/file: play send \"HTTP/1.1 302 Found\\r\\nLocation: /file\\r\\nContent-Length: 0\\r\\n\\r\\n\" then close"),
    case("redirect to nowhere", file, "/file: play send \"HTTP/1.1 302 Found\\r\\nContent-Length: 0\\r\\n\\r\\n\" then close"),
    case("redirect", file, "/file: play send \"HTTP/1.1 301 Moved\\r\\nLocation: /other\\r\\nContent-Length: 0\\r\\n\\r\\n\" then close"),
    https("good over TLS", ""),
    https("without ranges over TLS", "/file: ignore range"),
    Case { name: "not trusted", content: file, script: "", https: true, trusted: false },
];

/// An emulator and a server.
struct Bench {
    origin: Origin,
    emulator: Emulator,
    manager: Arc<dyn Manager>,
    folder: TempDir,
    url: String,
}

impl Bench {
    fn new(case: &Case) -> Self {
        let clock = Clock::Virtual(VirtualClock::new());
        let origin = Origin::start(clock.clone()).unwrap();
        origin.put("/file", (case.content)());
        origin.put("/other", file());
        origin.script(Script::parse(case.name, case.script).unwrap());
        let url = if case.https { origin.https_url("/file") } else { origin.url("/file") };
        let builder = Emulator::builder().clock(clock);
        let builder = if case.trusted { builder.trust(origin.ca_pem()) } else { builder };
        let emulator = builder.start().unwrap();
        let manager = emulator.client("client").manager().unwrap();
        Self { origin, emulator, manager, folder: tempfile::tempdir().unwrap(), url }
    }

    fn local(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn job(&self, name: &str, priority: JobPriority) -> Arc<dyn Job> {
        let job = self.manager.create_job(Some(name), JobType::DOWNLOAD).unwrap().job;
        job.set_priority(priority).unwrap();
        job
    }

    /// How a job ends: its state, and its error where it has one.
    fn end(&self, job: &Arc<dyn Job>) -> String {
        let stands = [JobState::TRANSFERRED, JobState::ERROR, JobState::TRANSIENT_ERROR];
        job.resume().unwrap();
        self.emulator.run_until(|| stands.contains(&job.state().unwrap()), PATIENCE).unwrap();
        state(job)
    }

    fn plain(&self, name: &str, priority: JobPriority) -> String {
        let job = self.job(name, priority);
        job.add_file(Some(&self.url), Some(&self.local(name))).unwrap();
        self.end(&job)
    }

    fn dynamic(&self) -> String {
        let job = self.job("dynamic", JobPriority::FOREGROUND);
        let set = JobPropertyValue::Enable(true);
        job.clone().job5().unwrap().set_property(JobPropertyId::DYNAMIC_CONTENT, set).unwrap();
        job.add_file(Some(&self.url), Some(&self.local("dynamic"))).unwrap();
        self.end(&job)
    }

    fn ranges(&self, size: u64) -> String {
        let job = self.job("ranges", JobPriority::NORMAL);
        let byte = |initial_offset| FileRange { initial_offset, length: 1 };
        let ranges = [byte(0), byte(size - 1)];
        let local = self.local("ranges");
        job.clone().job3().unwrap().add_file_with_ranges(Some(&self.url), Some(&local), &ranges).unwrap();
        self.end(&job)
    }

    /// A foreground job whose service is restarted in the middle of the file.
    fn after_break(&self, size: u64) -> String {
        let gate = self.origin.gate_method("GET", "/file", GateAt::Byte(size / 2));
        let created = self.manager.create_job(Some("break"), JobType::DOWNLOAD).unwrap();
        created.job.set_priority(JobPriority::FOREGROUND).unwrap();
        created.job.add_file(Some(&self.url), Some(&self.local("break"))).unwrap();
        created.job.resume().unwrap();
        self.emulator.settle().unwrap();
        assert_eq!(created.job.state(), Ok(JobState::TRANSFERRING), "the gate holds it");
        self.emulator.restart().unwrap();
        gate.open();
        let job = self.emulator.client("client").manager().unwrap().job(created.id).unwrap();
        let stands = [JobState::TRANSFERRED, JobState::ERROR, JobState::TRANSIENT_ERROR];
        self.emulator.run_until(|| stands.contains(&job.state().unwrap()), PATIENCE).unwrap();
        state(&job)
    }
}

fn state(job: &Arc<dyn Job>) -> String {
    let state = job.state().unwrap();
    let name = state.name().unwrap().trim_start_matches("BG_JOB_STATE_").to_owned();
    match job.error() {
        Ok(error) => {
            let (context, code) = error.error().unwrap();
            format!("{name} 0x{:08X} {context}", code.0)
        }
        Err(_) => name,
    }
}

/// What the doctor says of each kind of job.
fn said(report: &Value, job: &str) -> Option<String> {
    let found = report["jobs"].as_array().unwrap().iter().find(|one| one["job"] == job)?;
    let state = found["state"].as_str().unwrap();
    Some(match &found["error"] {
        Value::Null => state.to_owned(),
        error => format!("{state} {} {}", error["hresult"].as_str().unwrap(), error["context"].as_str().unwrap()),
    })
}

/// The requests for `/file` that a server has seen, without their order of headers.
fn seen(bench: &Bench) -> Vec<String> {
    let line = |request: &bits_origin::Request| {
        let headers = request.headers.iter().map(|(name, value)| format!("{}: {value}", name.to_lowercase()));
        written(&request.method, headers, bench.origin.address())
    };
    bench.origin.journal().iter().map(line).collect()
}

/// The requests that the doctor has made in the name of a job.
fn made(report: &Value, job: &str, bench: &Bench) -> Vec<String> {
    let requests = report["requests"].as_array().unwrap().iter().filter(|request| request["job"] == job);
    let line = |request: &Value| {
        let headers = request["headers"].as_array().unwrap().iter();
        let headers = headers.map(|header| format!("{}: {}", told(&header[0]), told(&header[1])));
        written(told(&request["method"]), headers, bench.origin.address())
    };
    requests.map(line).collect()
}

fn written(method: &str, headers: impl Iterator<Item = String>, host: std::net::SocketAddr) -> String {
    let mut headers: Vec<_> = headers.map(|line| line.replace(&host.to_string(), "origin")).collect();
    headers.sort();
    format!("{method} {}", headers.join(", "))
}

#[test]
fn the_doctor_makes_the_very_requests_of_a_job() {
    for case in CASES.iter().filter(|case| !case.https) {
        let asked = Bench::new(case);
        let report = doctor(&asked.url, None).json();
        if report["jobs"][0]["size"].as_u64().is_some_and(|size| size > 1 << 20) {
            continue;
        }
        for (name, priority) in [("foreground", JobPriority::FOREGROUND), ("background", JobPriority::NORMAL)] {
            let bench = Bench::new(case);
            bench.plain(name, priority);

            assert_eq!(made(&report, name, &asked), seen(&bench), "{}, {name}", case.name);
        }
    }
}

/// A job that fails before any of the file has come cannot break off in the middle.
fn can_break(bench: &Bench, report: &Value) -> bool {
    said(report, "after a break").is_some()
        && said(report, "foreground").as_deref() == Some("TRANSFERRED")
        && bench.origin.journal().requests_to("/other").is_empty()
}

#[test]
fn the_doctor_foretells_how_the_jobs_of_the_emulator_end() {
    let mut wrong = Vec::new();
    for case in CASES {
        // Not the same: what the doctor asks is not to count among what a job asks.
        let asked = Bench::new(case);
        let report = doctor(&asked.url, case.trusted.then(|| asked.origin.ca_pem())).json();
        let size = report["jobs"][0]["size"].as_u64().unwrap_or(SIZE);
        let is_small = size < 1 << 20;
        let mut check = |job: &str, end: String| {
            let said = said(&report, job);
            if said.as_ref() != Some(&end) {
                wrong.push(format!("{}, {job}: the doctor says {said:?}, the job comes to {end}", case.name));
            }
        };
        if is_small {
            check("foreground", Bench::new(case).plain("foreground", JobPriority::FOREGROUND));
            check("background", Bench::new(case).plain("background", JobPriority::NORMAL));
        }
        if said(&report, "dynamic content").is_some() {
            check("dynamic content", Bench::new(case).dynamic());
        }
        if said(&report, "several ranges").is_some() {
            check("several ranges", Bench::new(case).ranges(size));
        }
        if is_small && can_break(&asked, &report) {
            check("after a break", Bench::new(case).after_break(size));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Of each job that fails, exactly one check says why, and no other check says that something fails.
#[test]
fn what_fails_is_put_down_to_one_check() {
    for case in CASES {
        let bench = Bench::new(case);
        let ended = doctor(&bench.url, case.trusted.then(|| bench.origin.ca_pem()));
        let report = ended.json();

        let failing: Vec<_> = ["foreground", "background", "after a break"]
            .into_iter()
            .filter(|job| said(&report, job).is_some_and(|said| said != "TRANSFERRED"))
            .collect();
        let checks = report["checks"].as_array().unwrap();
        let blamed: Vec<_> = checks
            .iter()
            .flat_map(|check| check["failures"].as_array().unwrap())
            .map(|one| told(&one["job"]))
            .collect();
        let is_failure = |check: &&Value| check["result"] == "failure";
        let empty = |check: &Value| check["failures"].as_array().unwrap().is_empty();

        let mut sorted = blamed.clone();
        sorted.sort_by_key(|job| ["foreground", "background", "after a break"].iter().position(|name| name == job));
        assert_eq!(sorted, failing, "{}", case.name);
        assert!(checks.iter().filter(is_failure).all(|check| !empty(check)), "{}", case.name);
        assert_eq!(report["content"], failing.is_empty(), "{}", case.name);
        assert_eq!(ended.code, Some(i32::from(!failing.is_empty())), "{}", case.name);
    }
}

/// So many servers are asked at a time.
const ASIDE: usize = 16;

/// The doctor at the servers of the table of hostile ones.
#[test]
fn the_doctor_foretells_what_hostile_servers_come_to() {
    let mut wrong = Vec::new();
    let servers: Vec<_> = Server::all().into_iter().filter(is_for_the_doctor).collect();
    // They take their time, nearly all of it waited for; those that hang stand side by side.
    let results: Vec<_> = std::thread::scope(|scope| {
        let every_so_many = |first| servers.iter().skip(first).step_by(ASIDE);
        let start = |first| scope.spawn(move || every_so_many(first).map(hostile).collect::<Vec<_>>());
        let threads: Vec<_> = (0..ASIDE).map(start).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    wrong.extend(results.into_iter().flatten());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), servers.len(), wrong.join("\n"));
}

/// Those that a job of the doctor's can meet, which has no account; he does not wait for minutes.
fn is_for_the_doctor(server: &Server) -> bool {
    const SLOW: &str = "sends a byte of the body each four minutes";
    server.name != SLOW
        && server.logins.is_empty()
        && !server.dynamic
        && server.ranges.is_empty()
        && server.most.is_none()
        && server.days.is_none()
}

/// What is wrong with what the doctor says of a server, if anything. One that hangs is given up soon;
/// where that may have been too soon on a busy machine, more patience has the last word.
fn hostile(server: &Server) -> Option<String> {
    let (state, error) = server.ending();
    let state = state.name().unwrap().trim_start_matches("BG_JOB_STATE_").to_owned();
    let ending = error.map_or(state.clone(), |(context, code)| format!("{state} 0x{:08X} {context}", code.0));
    let mut said = None;
    for seconds in [2, 60] {
        said = said_of(server, seconds);
        if said.as_ref() == Some(&ending) {
            return None;
        }
    }
    Some(format!("a server that {}: the doctor says {said:?}, the table {ending}", server.name))
}

fn said_of(server: &Server, seconds: u32) -> Option<String> {
    let origin = Origin::start(Clock::Virtual(VirtualClock::new())).unwrap();
    origin.put("/file", Content::bytes(FILE));
    origin.script(server.script());
    let url = match server.at {
        At::Proxy | At::Tunnel => panic!("the doctor goes through no proxy"),
        _ => server.url(&origin, "/file"),
    };
    let report = patient_doctor(&url, Some(origin.ca_pem()), seconds).json();
    said(&report, if server.background { "background" } else { "foreground" })
}

#[test]
fn redirect_policies_are_foretold() {
    let case = CASES.iter().find(|case| case.name == "redirect").unwrap();
    let asked = Bench::new(case);
    let report = doctor(&asked.url, None).json();
    let policies = [
        ("ALLOW_SILENT", SecurityFlags::empty()),
        ("ALLOW_REPORT", SecurityFlags::REDIRECT_POLICY_ALLOW_REPORT),
        ("DISALLOW", SecurityFlags::REDIRECT_POLICY_DISALLOW),
    ];
    for (name, flags) in policies {
        let bench = Bench::new(case);
        let job = bench.job(name, JobPriority::FOREGROUND);
        job.clone().http_options().unwrap().set_security_flags(flags).unwrap();
        job.add_file(Some(&bench.url), Some(&bench.local(name))).unwrap();
        let end = bench.end(&job);

        let all = report["redirect_policies"].as_array().unwrap();
        let said = all.iter().find(|policy| policy["policy"] == name).unwrap();
        match &said["error"] {
            Value::Null => {
                assert_eq!(end, "TRANSFERRED", "{name}");
                let remote = job.enum_files().unwrap().next(1).unwrap().items[0].remote_name().unwrap();
                let path = |url: &str| url.rsplit('/').next().unwrap().to_owned();
                assert_eq!(path(&remote), path(said["remote_name"].as_str().unwrap()), "{name}");
            }
            error => assert!(end.contains(error["hresult"].as_str().unwrap()), "{name}: {end}"),
        }
    }
}
