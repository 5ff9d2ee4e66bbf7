//! Queues that each version wrote.
//!
//! `fixtures/stores/v1/` holds what records of the first version look like. When a version is new,
//! its sample is written by `BITS_WRITE_SAMPLE=1 cargo test -p bits-store sample`. A sample that is
//! there is never written again: a shape that has changed is another version, with a number of its
//! own.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use bits_api::JobState;
use bits_engine::{Change, FileDetails, JobKey, JobRecord, LaterSettings, OwnerRights};

use super::secrets::secrets;
use super::{Queue, added, file, job, queue_of};
use crate::Store;
use crate::record::VERSION;

/// The folder of a version.
fn sample(version: u8) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../fixtures/stores/v{version}"))
}

/// What the sample of a version holds: what came later is as if it had never been set.
fn content(version: u8) -> Queue {
    let mut content = newest();
    if version < 5 {
        // Those of version 4 are in a sample of their own.
        for (job, _) in &mut content {
            job.secrets = None;
        }
    }
    if version < 4 {
        content.iter_mut().flat_map(|(_, files)| files).for_each(|file| file.details.named_server = None);
    }
    if version == 1 {
        for (job, files) in &mut content {
            for file in files {
                file.details = FileDetails::default();
            }
            job.later = LaterSettings::default();
            job.proxy = None;
            job.write_only_headers = false;
            job.rights = OwnerRights::default();
            job.notify_command = None;
            job.end_told = false;
            job.upload = None;
            job.helper_flags = 0;
        }
    }
    content
}

fn newest() -> Queue {
    let fresh = JobRecord {
        state: JobState::SUSPENDED,
        error: None,
        error_count: 0,
        failing_since: None,
        retry_at: None,
        ..job(7, "nouvelle tâche, 新しい仕事")
    };
    let waits = JobRecord { secrets: Some(Box::new(secrets())), ..job(3, "waits for its retry") };
    vec![(waits, vec![file(3, 0), file(3, 1)]), (fresh, vec![])]
}

/// Writes the sample of this version, unless there is one.
fn write_sample(sample: &Path) -> io::Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    for (job, files) in newest() {
        let files = files.into_iter().map(|file| Change::File(Box::new(file)));
        let changes: Vec<_> = std::iter::once(Change::Job(Box::new(job))).chain(files).collect();
        store.commit(&changes).unwrap();
    }
    store.commit(&added(9, "removed again", 1)).unwrap();
    store.commit(&[Change::Remove(JobKey(9))]).unwrap();
    drop(store);
    fs::create_dir_all(sample)?;
    for file in ["queue.redb", "queue.keys"] {
        io::copy(&mut File::open(folder.path().join(file))?, &mut File::create_new(sample.join(file))?)?;
    }
    Ok(())
}

#[test]
fn a_sample_is_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let sample = folder.path().join("v9");

    write_sample(&sample).unwrap();
    let written = fs::read(sample.join("queue.redb")).unwrap();

    assert_eq!(write_sample(&sample).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(sample.join("queue.redb")).unwrap(), written);
}

#[test]
fn the_sample_of_every_version_is_read() {
    if std::env::var_os("BITS_WRITE_SAMPLE").is_some() {
        let sample = sample(VERSION);
        write_sample(&sample).unwrap_or_else(|error| panic!("{}: {error}", sample.display()));
    }
    for version in 1..=VERSION {
        let folder = tempfile::tempdir().unwrap();
        for file in fs::read_dir(sample(version)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }

        let store = Store::open(folder.path()).unwrap();

        assert_eq!(queue_of(&store), content(version), "version {version}");
    }
}
