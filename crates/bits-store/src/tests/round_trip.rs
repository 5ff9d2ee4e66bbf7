//! What goes in comes out, whatever it is.

use std::collections::BTreeMap;

use bits_api::{ErrorContext, FileTime, Guid, Hresult, JobState, JobType};
use bits_engine::{
    Change, CommandLine, ErrorRecord, FileDetails, FileIndex, FileRecord, FileStage, JobKey, JobRecord, LaterSettings,
    OwnerRights,
};
use bits_wire::attempt::Validators;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Queue, added, details, job, later, proxy, queue_of, upload};
use crate::record::{Found, JobIn, JobOut};
use crate::seal::Sealed;
use crate::{Store, record};

/// What a store must hold after some changes.
#[derive(Default)]
struct Model(BTreeMap<JobKey, (JobRecord, Vec<FileRecord>)>);

impl Model {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Job(job) => {
                self.0.entry(job.key).or_insert_with(|| (JobRecord::clone(job), Vec::new())).0 = JobRecord::clone(job);
            }
            Change::File(file) => {
                let files = &mut self.0.get_mut(&file.job).expect("a file follows its job").1;
                match files.get_mut(file.index.0 as usize) {
                    Some(known) => *known = FileRecord::clone(file),
                    None => files.push(FileRecord::clone(file)),
                }
            }
            Change::Remove(job) => _ = self.0.remove(job),
            // The peer cache has a test of its own.
            Change::Cached(_) | Change::Uncached(_) | Change::CachePreferences(_) => {}
        }
    }

    /// `wanted` as the engine could make it: files follow their job, without gaps.
    fn possible(&self, wanted: Wanted) -> Change {
        match wanted {
            Wanted::Job(job) => Change::Job(job),
            Wanted::Remove(job) => Change::Remove(job),
            Wanted::File(mut file, job) => match self.0.get(&file.job) {
                None => Change::Job(Box::new(JobRecord { key: file.job, ..*job })),
                Some((_, files)) => {
                    file.index = FileIndex(file.index.0 % u32::try_from(files.len() + 1).unwrap());
                    Change::File(file)
                }
            },
        }
    }

    fn queue(&self) -> Queue {
        self.0.values().cloned().collect()
    }
}

#[derive(Clone, Debug)]
enum Wanted {
    Job(Box<JobRecord>),
    File(Box<FileRecord>, Box<JobRecord>),
    Remove(JobKey),
}

fn wanted() -> impl Strategy<Value = Wanted> {
    prop_oneof![
        2 => any_job().prop_map(|job| Wanted::Job(Box::new(job))),
        4 => (any_file(), any_job()).prop_map(|(file, job)| Wanted::File(Box::new(file), Box::new(job))),
        1 => any_key().prop_map(Wanted::Remove),
    ]
}

/// Few keys, so that they meet; the ends of the scale among them.
fn any_key() -> impl Strategy<Value = JobKey> {
    prop_oneof![0..5_u64, Just(u64::MAX)].prop_map(JobKey)
}

fn any_time() -> impl Strategy<Value = FileTime> {
    any::<u64>().prop_map(FileTime)
}

fn any_command() -> impl Strategy<Value = CommandLine> {
    (any::<String>(), option::of(any::<String>())).prop_map(|(program, parameters)| CommandLine { program, parameters })
}

fn any_error() -> impl Strategy<Value = ErrorRecord> {
    (any::<u32>(), any::<u32>(), option::of(any::<u32>())).prop_map(|(code, context, file)| ErrorRecord {
        code: Hresult(code),
        context: ErrorContext(context),
        file: file.map(FileIndex),
    })
}

prop_compose! {
    fn any_job()(
        key in any_key(),
        id in any::<u128>(),
        (job_type, state) in any::<(u32, u32)>(),
        [owner, display_name, description] in [any::<String>(), any::<String>(), any::<String>()],
        [priority, notify_flags, minimum_retry_delay, no_progress_timeout, error_count] in any::<[u32; 5]>(),
        error in option::of(any_error()),
        [created, modified, last_activity, transfer_completed] in [any_time(), any_time(), any_time(), any_time()],
        [failing_since, retry_at] in [option::of(any_time()), option::of(any_time())],
        active_ms in any::<u64>(),
        [was_resumed, end_told] in any::<[bool; 2]>(),
        notify_command in option::of(any_command()),
        (administrator, elevated, integrity, helper_flags) in any::<(bool, bool, u32, u32)>(),
        upload in prop_oneof![Just(None), Just(Some(upload()))],
        later in prop_oneof![Just(LaterSettings::default()), Just(later())],
        proxy in prop_oneof![Just(None), Just(Some(proxy()))],
        write_only_headers in any::<bool>(),
    ) -> JobRecord {
        JobRecord {
            key, id: Guid::from_u128(id), job_type: JobType(job_type), owner,
            rights: OwnerRights { administrator, elevated, integrity }, helper_flags, state: JobState(state), display_name,
            description, priority, notify_flags, minimum_retry_delay, no_progress_timeout, later,
            proxy, write_only_headers, secrets: None,
            was_resumed, notify_command, end_told, error_count, error, created, modified, last_activity,
            transfer_completed, failing_since, retry_at, active_ms, upload,
        }
    }
}

prop_compose! {
    fn any_file()(
        job in any_key(),
        index in any::<u32>(),
        [remote_name, local_name] in [any::<String>(), any::<String>()],
        temporary in option::of(any::<String>()),
        validators in option::of((any::<u64>(), option::of(any_time()))),
        stage in select(vec![FileStage::Pending, FileStage::Transferred, FileStage::Renaming, FileStage::Completed]),
        details in prop_oneof![Just(FileDetails::default()), Just(details())],
    ) -> FileRecord {
        let validators = validators.map(|(size, last_modified)| Validators { size, last_modified });
        FileRecord {
            job, index: FileIndex(index), remote_name, local_name, temporary, validators, stage, details,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_commits_come_back_from_both_stores(commits in vec(vec(wanted(), 0..8), 0..6)) {
        let folder = tempfile::tempdir().unwrap();
        let mut disk = Store::open(folder.path()).unwrap();
        let mut memory = Store::memory();
        let mut model = Model::default();

        for commit in commits {
            let mut changes = Vec::new();
            for wanted in commit {
                let change = model.possible(wanted);
                model.apply(&change);
                changes.push(change);
            }
            disk.commit(&changes).unwrap();
            memory.commit(&changes).unwrap();
            prop_assert_eq!(queue_of(&memory), model.queue());
            prop_assert_eq!(queue_of(&disk), model.queue());
        }
        drop(disk);

        prop_assert_eq!(queue_of(&Store::open(folder.path()).unwrap()), model.queue());
    }

    #[test]
    fn a_record_of_any_bytes_is_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        if let Ok(read) = record::decode::<JobIn>(&bytes) {
            let mut again = Vec::new();
            let sealed = match &read.sealed {
                Some(Found::ByItsOwn(sealed)) => Some(sealed.clone()),
                // Is never written again.
                Some(Found::ByOneForAll(_)) => return Ok(()),
                None => None,
            };
            record::encode(&JobOut { job: &read.job, sealed }, &mut again).unwrap();
            prop_assert_eq!(record::decode::<JobIn>(&again), Ok(read));
        }
    }
}

fn sealed() -> Sealed {
    Sealed { place: 300, bytes: vec![7; 9] }
}

#[test]
fn a_record_of_another_version_is_refused_by_its_number() {
    let mut bytes = Vec::new();
    record::encode(&JobOut { job: &job(1, "of the future"), sealed: Some(sealed()) }, &mut bytes).unwrap();
    bytes[0] = 99;

    assert_eq!(record::decode::<JobIn>(&bytes), Err("it has version 99, and 5 is the last one known".into()));
}

#[test]
fn a_record_that_is_too_long_or_too_short_is_refused() {
    let mut bytes = Vec::new();
    record::encode(&JobOut { job: &job(1, "cut"), sealed: Some(sealed()) }, &mut bytes).unwrap();

    for length in 0..bytes.len() {
        assert!(record::decode::<JobIn>(&bytes[..length]).is_err(), "{length} bytes");
    }
    bytes.push(0);
    assert_eq!(record::decode::<JobIn>(&bytes), Err("1 bytes too long".into()));
}

#[test]
fn jobs_come_back_in_order_of_creation() {
    let mut store = Store::memory();
    for key in [3, 1, u64::MAX, 2] {
        store.commit(&added(key, "in any order", 1)).unwrap();
    }

    let keys: Vec<_> = queue_of(&store).into_iter().map(|(job, _)| job.key.0).collect();

    assert_eq!(keys, [1, 2, 3, u64::MAX]);
}
