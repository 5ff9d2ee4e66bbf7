//! What the engine alone costs: whole lives of jobs, and single calls in a queue of a million.
//!
//! `cargo bench -p bits-engine` prints, for each length of the queue, how long a call takes, then
//! the lives by divan. With `--features visits` it prints how many keys of ordered indexes a call
//! compares instead: counting costs time.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark has a clock and arguments")]

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use bits_api::{EnumJobsFlags, FileInfo, FileTime, Guid, Hresult, JobPriority, JobState, JobType, Setting, Value};
use bits_engine::{
    Action, Config, Cx, Engine, Event, FileDetails, FileIndex, FileRecord, FileStage, JobKey, JobRecord, LaterSettings,
    OwnerRights, Reply, Saved,
};
use bits_wire::attempt::{AttemptEnd, AttemptId, AttemptReport, Probe, Validators};
use bits_world::clock::{Monotonic, Now};
use bits_world::{Decisions, PriorityRates, Profile, Sid, Token, Weekday, WeeklyHours, WorkLimits, World};
use divan::Bencher;
use divan::counter::ItemsCount;

/// A disk where every folder is there and no file.
struct EmptyDisk;

impl Probe for EmptyDisk {
    fn destination(&self, _: &Path) -> Result<(), Hresult> {
        Ok(())
    }

    fn source(&self, _: &Path) -> Result<(), Hresult> {
        Ok(())
    }

    fn length(&self, _: &Path) -> Result<Option<u64>, Hresult> {
        Ok(None)
    }
}

/// The surroundings of an engine, and a caller whom no limit stops.
struct Surroundings {
    world: World,
    caller: Token,
    /// Seconds since the engine began.
    passed: u64,
}

/// When the engine began.
const WALL: FileTime = FileTime::from_unix_seconds(1_700_000_000);

impl Surroundings {
    fn new() -> Self {
        let caller = Token::administrator(Sid::of_account(1));
        let mut world = World::default();
        world.log_on(caller.user.clone());
        world.drives.mount('c', "/c");
        Self { world, caller, passed: 0 }
    }

    fn cx(&self) -> Cx<'_> {
        let passed = Duration::from_secs(self.passed);
        let now = Now { monotonic: Monotonic(Duration::from_secs(1_000) + passed), wall: WALL.plus(passed) };
        Cx { now, world: &self.world, probe: &EmptyDisk }
    }
}

const CONFIG_SEED: u64 = 0;

fn config() -> Config {
    Config {
        profile: Profile::default(),
        decisions: Decisions::default(),
        seed: CONFIG_SEED,
        scramble: None,
        uploads: false,
    }
}

fn id_of(job: u64) -> Guid {
    // Spread, as real identifiers are.
    Guid::from_u128(u128::from(job).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835))
}

/// Creates a job with one file.
fn create(engine: &mut Engine, at: &Surroundings, number: u64) -> JobKey {
    let key = engine
        .create_job(at.cx(), &at.caller, id_of(number), Some("a job of the benchmark"), JobType::DOWNLOAD)
        .expect("a job");
    engine.retain(key);
    let local_name = format!(r"C:\folder\file{number}.bin");
    let file = FileInfo { remote_name: "http://server.example/folder/file.bin", local_name: &local_name };
    expect_ok(engine.add_files(at.cx(), &at.caller, key, &[file]));
    key
}

fn expect_ok(reply: Reply) {
    assert!(matches!(reply, Reply::Now(Ok(_))), "{reply:?}");
}

/// Throws away what the engine wants done, but for the attempt it begins.
fn started(engine: &mut Engine) -> Option<AttemptId> {
    let mut attempt = None;
    while let Some(action) = engine.poll() {
        if let Action::Start(plan) = black_box(action) {
            attempt = Some(plan.attempt);
        }
    }
    attempt
}

/// Carries out renames and deletions.
fn settle(engine: &mut Engine, at: &Surroundings) {
    while let Some(action) = engine.poll() {
        match black_box(action) {
            Action::Publish { ticket, .. } => engine.handle(at.cx(), Event::Published(ticket, Ok(()))),
            Action::Delete { ticket, .. } => engine.handle(at.cx(), Event::Deleted(ticket, Ok(()))),
            _ => {}
        }
    }
}

/// Whole lives: create, add a file, resume, transfer events, complete.
#[divan::bench(args = [1_000])]
fn whole_lives(bencher: Bencher<'_, '_>, jobs: u64) {
    let at = Surroundings::new();
    bencher.counter(ItemsCount::new(jobs)).bench_local(|| live(&at, jobs));
}

fn live(at: &Surroundings, jobs: u64) {
    let mut engine = Engine::new(config());
    let keys: Vec<JobKey> = (0..jobs).map(|number| create(&mut engine, at, number)).collect();
    started(&mut engine);
    let mut attempt = None;
    for key in &keys {
        expect_ok(engine.resume(at.cx(), &at.caller, *key));
        attempt = attempt.or(started(&mut engine));
    }
    while let Some(running) = attempt {
        let validators = Validators { size: 1_000, last_modified: None };
        for report in [
            AttemptReport::Connected { validators, have: 0 },
            AttemptReport::Progress { have: 500 },
            AttemptReport::Progress { have: 1_000 },
        ] {
            engine.handle(at.cx(), Event::Attempt(running, report));
            assert_eq!(started(&mut engine), None);
        }
        engine.handle(at.cx(), Event::Attempt(running, AttemptReport::Ended(AttemptEnd::Done)));
        attempt = started(&mut engine);
    }
    for key in keys {
        let reply = engine.complete(at.cx(), &at.caller, key);
        assert!(matches!(reply, Reply::Later(_)), "{reply:?}");
        settle(&mut engine, at);
        assert_eq!(engine.state(&at.caller, key), Ok(JobState::ACKNOWLEDGED));
        engine.release(key);
    }
}

/// How many calls of each kind are measured.
const CALLS: u64 = 500;

/// The `n`-th of the jobs that are called: they lie all over the queue.
fn called(jobs: u64, n: u64) -> u64 {
    n * (jobs / CALLS)
}

/// A job as the store gives it back.
fn saved(number: u64, owner: &Sid, state: JobState) -> Saved {
    Saved {
        job: JobRecord {
            key: JobKey(number),
            id: id_of(number),
            job_type: JobType::DOWNLOAD,
            owner: owner.to_string(),
            rights: OwnerRights::default(),
            helper_flags: 0,
            state,
            display_name: "a job of the benchmark".to_owned(),
            description: String::new(),
            priority: JobPriority::NORMAL.0,
            notify_flags: 3,
            minimum_retry_delay: 600,
            no_progress_timeout: 1_209_600,
            later: LaterSettings::default(),
            proxy: None,
            write_only_headers: false,
            secrets: None,
            was_resumed: false,
            notify_command: None,
            end_told: false,
            error_count: 0,
            error: None,
            created: WALL,
            modified: WALL,
            last_activity: WALL,
            transfer_completed: FileTime::ZERO,
            failing_since: None,
            retry_at: None,
            active_ms: 0,
            upload: None,
        },
        files: vec![FileRecord {
            job: JobKey(number),
            index: FileIndex(0),
            remote_name: "http://server.example/folder/file.bin".to_owned(),
            local_name: format!(r"C:\folder\file{number}.bin"),
            temporary: None,
            validators: None,
            stage: FileStage::Pending,
            details: FileDetails::default(),
        }],
        lost_secrets: false,
    }
}

/// A queue as the store gives it back: the jobs that will be called are suspended, one of the
/// others runs, the rest waits.
fn restored(at: &Surroundings, jobs: u64) -> Engine {
    let state_of = |number| if number % (jobs / CALLS) == 0 { JobState::SUSPENDED } else { JobState::QUEUED };
    let saved = (0..jobs).map(|number| saved(number, &at.caller.user, state_of(number)));
    let mut engine = Engine::restore(config(), saved, at.cx());
    started(&mut engine);
    engine
}

/// How long a call takes in queues of four lengths, and how far it looks.
fn print_calls() {
    println!("calls in a queue of n jobs, the mean of {CALLS} calls each: {}", unit());
    println!(
        "{:>9} {:>9} {:>14} {:>14} {:>14} {:>14} {:>14} {:>14}",
        "n", "restore", "create+add", "resume", "set priority", "find", "state", "cancel"
    );
    for jobs in [1_000, 10_000, 100_000, 1_000_000] {
        let at = Surroundings::new();
        let begin = Instant::now();
        let mut engine = restored(&at, jobs);
        let restore = begin.elapsed();
        let mut cells = vec![measure(CALLS, |n| _ = create(&mut engine, &at, jobs + n))];
        started(&mut engine);
        let mut each = |call: &mut dyn FnMut(&mut Engine, JobKey, u64)| {
            let cell = measure(CALLS, |n| call(&mut engine, JobKey(called(jobs, n)), n));
            started(&mut engine);
            cell
        };
        cells.push(each(&mut |engine, key, _| expect_ok(engine.resume(at.cx(), &at.caller, key))));
        cells.push(each(&mut |engine, key, n| {
            let priority = Value::Number(2 + u32::from(n % 2 == 0));
            expect_ok(engine.set(at.cx(), &at.caller, key, Setting::Priority, &priority));
        }));
        cells.push(each(&mut |engine, _, n| {
            _ = black_box(engine.find_job(at.cx(), &at.caller, id_of(called(jobs, n))));
        }));
        cells.push(each(&mut |engine, key, _| _ = black_box(engine.state(&at.caller, key))));
        cells.push(each(&mut |engine, key, _| expect_ok(engine.cancel(at.cx(), &at.caller, key))));
        print!("{jobs:>9} {:>7.2} s", restore.as_secs_f64());
        for cell in cells {
            print!(" {cell:>14}");
        }
        println!();
        assert_eq!(
            engine.enum_jobs(at.cx(), &at.caller, EnumJobsFlags::empty()).map(|keys| keys.len() as u64),
            Ok(jobs)
        );
    }
}

/// How many users a mixed queue has.
const USERS: u64 = 1_000;

/// How many jobs of a mixed queue a limit for LOW jobs concerns.
const LOW_JOBS: u64 = 100;

/// A queue of jobs of many users in all the states that go on record; some of the queued ones are
/// LOW.
fn mixed(at: &mut Surroundings, jobs: u64) -> Engine {
    let users: Vec<Sid> = (0..USERS).map(|user| Sid::of_account(u32::try_from(2 + user).unwrap_or(2))).collect();
    for user in &users {
        at.world.log_on(user.clone());
    }
    let saved = (0..jobs).map(|number| {
        let (user, place) = (number % USERS, number / USERS);
        let state = match place % 10 {
            0 => JobState::SUSPENDED,
            7 => JobState::TRANSIENT_ERROR,
            8 => JobState::ERROR,
            9 => JobState::TRANSFERRED,
            _ => JobState::QUEUED,
        };
        let mut saved = saved(number, &users[usize::try_from(user).unwrap_or(0)], state);
        saved.job.retry_at = (state == JobState::TRANSIENT_ERROR).then(|| WALL.plus(Duration::from_hours(100)));
        if place == 1 && user < LOW_JOBS {
            saved.job.priority = JobPriority::LOW.0;
        }
        saved
    });
    let mut engine = Engine::restore(config(), saved, at.cx());
    started(&mut engine);
    engine
}

/// What a mixed queue costs whoever asks for one user's jobs, gives turns, or changes the world.
fn print_events() {
    println!("a mixed queue of n jobs of {USERS} users, the mean of many: {}", unit());
    println!(
        "{:>9} {:>14} {:>14} {:>14} {:>14} {:>14}",
        "n", "a user's jobs", "(how many)", "next turn", "logoff, logon", "limit of 100"
    );
    for jobs in [10_000, 100_000, 1_000_000] {
        let mut at = Surroundings::new();
        let mut engine = mixed(&mut at, jobs);
        let users: Vec<Token> = (0..100).map(|user| Token::standard(Sid::of_account(2 + user * 9))).collect();
        let user = |n: u64| &users[usize::try_from(n).unwrap_or(0)];
        let mut found = 0;
        let listed = measure(100, |n| {
            found = engine.enum_jobs(at.cx(), user(n), EnumJobsFlags::empty()).map_or(0, |keys| keys.len());
        });
        let turn = measure(100, |_| {
            at.passed += 300;
            engine.handle(at.cx(), Event::Deadline);
            _ = started(&mut engine);
        });
        let session = measure(100, |n| {
            at.world.log_off(&user(n).user);
            engine.handle(at.cx(), Event::WorldChanged);
            at.world.log_on(user(n).user.clone());
            engine.handle(at.cx(), Event::WorldChanged);
            _ = started(&mut engine);
        });
        let hours = WeeklyHours { first: Weekday::Sunday, last: Weekday::Saturday, from: 0, to: 0 };
        let rates = PriorityRates { low: Some(0), ..PriorityRates::default() };
        let limited = measure(10, |_| {
            for limits in [Some(WorkLimits { hours, work: rates, other: rates }), None] {
                at.world.policies.bandwidth_limits = limits;
                engine.handle(at.cx(), Event::WorldChanged);
                _ = started(&mut engine);
            }
        });
        println!("{jobs:>9} {listed:>14} {found:>14} {turn:>14} {session:>14} {limited:>14}");
    }
}

#[cfg(feature = "visits")]
fn unit() -> &'static str {
    "compared keys"
}

#[cfg(not(feature = "visits"))]
fn unit() -> &'static str {
    "nanoseconds"
}

/// What a call costs in the mean.
#[cfg(feature = "visits")]
fn measure(calls: u64, call: impl FnMut(u64)) -> u128 {
    let before = bits_engine::visits();
    (0..calls).for_each(call);
    u128::from((bits_engine::visits() - before) / calls)
}

/// What a call costs in the mean.
#[cfg(not(feature = "visits"))]
fn measure(calls: u64, call: impl FnMut(u64)) -> u128 {
    let begin = Instant::now();
    (0..calls).for_each(call);
    begin.elapsed().as_nanos() / u128::from(calls)
}

fn main() {
    // Divan's own arguments: a plain one is a filter.
    let is_asked_for = std::env::args().skip(1).all(|argument| argument == "--bench" || argument == "calls");
    if is_asked_for {
        print_calls();
        print_events();
    }
    divan::main();
}
