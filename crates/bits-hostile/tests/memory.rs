//! What a job costs while its server does its worst.

use std::time::Duration;

use bits_api::{Hresult, JobState};
use bits_hostile::house::House;
use bits_origin::{Fault, Handshake, Rule, Script, Step};
use bits_servers::{At, Server};
use peak_alloc::PeakAlloc;

/// Counts what is alive in this process: client and server.
#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

const MIB: usize = 1024 * 1024;

/// The most that a single job may take.
const MOST: usize = 64 * MIB;

const PATH: &str = "/file";

/// The most that was alive at a time while `work` ran, beyond what was before.
fn peak(work: impl FnOnce()) -> usize {
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    work();
    ALLOCATED.peak_usage().saturating_sub(before)
}

/// Runs a job at a server that follows `script`, up to where it stands still.
fn meet(server: &Server, script: Script) -> (JobState, Option<Hresult>) {
    let house = House::new();
    house.origin.script(script);
    let job = house.job(server, PATH);
    let (state, error) = house.run(&job, PATH, server.patience());
    job.cancel().unwrap();
    (state, error.map(|(_, code)| code))
}

/// Runs a job at a server that shows this in place of its certificates.
fn meet_showing(chain: Vec<Vec<u8>>) -> JobState {
    let house = House::new();
    house.origin.shake_hands(&Handshake { shown_instead: Some(chain), ..Handshake::default() }).unwrap();
    let job = house.job(&Server::good().spoken_to(At::Https), PATH);
    house.run(&job, PATH, Duration::from_hours(1)).0
}

/// A server that sends `head` in answer to `method`, and then `part` again and again.
fn flood(method: &str, head: &str, part: Vec<u8>) -> Script {
    let repeat = Step::Repeat { bytes: part.into(), times: None, every: None };
    let play = Fault::Play(vec![Step::Send(head.to_owned().into()), repeat]);
    Script::new().rule(Rule::on(PATH).method(method).fault(play))
}

/// Threads of this process.
fn threads() -> Option<usize> {
    std::fs::read_dir("/proc/self/task").ok().map(Iterator::count)
}

#[test]
fn no_server_makes_a_job_take_more_than_64_mib_or_leave_a_thread() {
    let mut costs = Vec::new();
    for server in Server::all() {
        costs.push((peak(|| _ = meet(&server, server.script())), server.name.clone()));
    }
    let before = threads();

    // More bytes than the bound, so that none of them can have been kept.
    let beyond = 96 * MIB as u64;
    let dynamic = || Server::good().of_dynamic_content(beyond);
    let large = "HTTP/1.1 200 OK\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = [format!("{:x}\r\n", 256 * 1024).into_bytes(), vec![0; 256 * 1024], b"\r\n".to_vec()].concat();
    let gzip = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n";
    let limit = Some(Hresult::BG_E_MAX_DOWNLOAD_SIZE_LIMIT_REACHED);
    for (name, script) in [
        ("a body without end", flood("GET", large, vec![0; 256 * 1024])),
        ("chunks without end", flood("GET", chunked, chunk)),
        ("a bomb without end", flood("GET", gzip, vec![0; 256 * 1024])),
    ] {
        let cost = peak(|| assert_eq!(meet(&dynamic(), script), (JobState::ERROR, limit), "{name}"));
        costs.push((cost, name.to_owned()));
    }
    let small = flood("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n".repeat(10_000));
    let cost = peak(|| assert_eq!(meet(&Server::good().of_dynamic_content(MIB as u64), small).1, limit));
    costs.push((cost, "a million chunks".to_owned()));

    for (name, chain) in
        [("a certificate of a mebibyte", vec![vec![0x30; MIB]]), ("a hundred certificates", vec![vec![0x30; 600]; 100])]
    {
        costs.push((peak(|| assert_eq!(meet_showing(chain), JobState::ERROR, "{name}")), name.to_owned()));
    }

    costs.sort();
    let (most, name) = costs.last().unwrap();
    assert!(*most < MOST, "{most} bytes for {name}");
    let after = house_threads_are_over(before);
    assert!(after <= before, "{before:?} threads before, {after:?} after");
}

/// The threads of the process once those of the last house have ended, or cannot.
fn house_threads_are_over(before: Option<usize>) -> Option<usize> {
    let waiting = std::time::Instant::now();
    while threads() > before && waiting.elapsed() < Duration::from_secs(20) {
        std::thread::yield_now();
    }
    threads()
}
