//! A restart with a long queue: opens the store, reads every job and restores the engine.
//!
//! Run with `cargo bench -p bits-service --bench restart`; `BITS_BENCH_JOBS` changes how many jobs
//! there are.

use std::path::Path;
use std::time::Instant;

use bits_api::{FileTime, Hresult, JobState, JobType};
use bits_engine::{
    Change, Config, Cx, Engine, FileDetails, FileIndex, FileRecord, FileStage, JobKey, JobRecord, LaterSettings,
    OwnerRights,
};
use bits_store::Store;
use bits_wire::attempt::Probe;
use bits_world::clock::VirtualClock;
use bits_world::{Decisions, Profile, Sid, World};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const ROUNDS: usize = 5;
const USERS: u64 = 1000;

fn main() -> Result<()> {
    let jobs = match std::env::var("BITS_BENCH_JOBS") {
        Ok(text) => text.parse().map_err(|_| format!("BITS_BENCH_JOBS is {text:?}, not a number"))?,
        Err(_) => 1_000_000,
    };
    let folder = tempfile::tempdir()?;
    fill(folder.path(), jobs)?;
    let mut seconds = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let engine = restart(folder.path())?;
        seconds.push(begun.elapsed().as_secs_f64());
        drop(engine);
    }
    seconds.sort_by(f64::total_cmp);
    println!(
        "restart with {jobs} queued jobs of {USERS} users, one file each: {:.2} / {:.2} / {:.2} s (min / median / max of {ROUNDS})",
        seconds[0],
        seconds[ROUNDS / 2],
        seconds[ROUNDS - 1]
    );
    Ok(())
}

fn fill(folder: &Path, jobs: u64) -> Result<()> {
    let mut store = Store::open(folder)?;
    let keys: Vec<u64> = (0..jobs).collect();
    for chunk in keys.chunks(10_000) {
        let changes: Vec<Change> = chunk.iter().flat_map(|key| [job(*key), file(*key)]).collect();
        store.commit(&changes)?;
    }
    Ok(())
}

fn restart(folder: &Path) -> Result<Engine> {
    let store = Store::open(folder)?;
    let mut world = World::default();
    world.log_on(Sid::of_account(1));
    let cx = Cx { now: VirtualClock::new().now(), world: &world, probe: &NoFiles };
    let mut unreadable = None;
    let saved = store.load()?.map_while(|saved| saved.map_err(|error| unreadable = Some(error)).ok());
    let config = Config {
        profile: Profile::default(),
        decisions: Decisions::default(),
        seed: 0,
        scramble: None,
        uploads: false,
    };
    let engine = Engine::restore(config, saved, cx);
    unreadable.map_or(Ok(engine), |error| Err(error.into()))
}

fn job(key: u64) -> Change {
    let made = FileTime(VirtualClock::START.0 + key);
    Change::Job(Box::new(JobRecord {
        key: JobKey(key),
        id: uuid::Uuid::from_u128(u128::from(key).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)),
        job_type: JobType::DOWNLOAD,
        owner: Sid::of_account(u32::try_from(key % USERS).unwrap_or_default()).to_string(),
        rights: OwnerRights::default(),
        helper_flags: 0,
        state: JobState::QUEUED,
        display_name: format!("update {key}"),
        description: String::new(),
        priority: 2,
        notify_flags: 3,
        minimum_retry_delay: 600,
        no_progress_timeout: 1_209_600,
        later: LaterSettings::default(),
        proxy: None,
        write_only_headers: false,
        secrets: None,
        was_resumed: true,
        notify_command: None,
        end_told: false,
        error_count: 0,
        error: None,
        created: made,
        modified: made,
        transfer_completed: FileTime::ZERO,
        failing_since: None,
        retry_at: None,
        active_ms: 0,
        upload: None,
        last_activity: made,
    }))
}

fn file(key: u64) -> Change {
    Change::File(Box::new(FileRecord {
        job: JobKey(key),
        index: FileIndex(0),
        remote_name: format!("http://updates.example/packages/{key}.bin"),
        local_name: format!("/var/downloads/{key}.bin"),
        temporary: None,
        validators: None,
        stage: FileStage::Pending,
        details: FileDetails::default(),
    }))
}

/// A disk without files.
struct NoFiles;

impl Probe for NoFiles {
    fn destination(&self, _path: &Path) -> std::result::Result<(), Hresult> {
        Ok(())
    }

    fn source(&self, _: &Path) -> std::result::Result<(), Hresult> {
        Ok(())
    }

    fn length(&self, _path: &Path) -> std::result::Result<Option<u64>, Hresult> {
        Ok(None)
    }
}
