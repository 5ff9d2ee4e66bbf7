//! Opening a state folder: the good one, and every bad one.

use std::fs;
use std::path::Path;

use bits_engine::{Change, FileIndex, JobKey};
use redb::{Database, TableDefinition};

use super::{added, file, job, queue_of};
use crate::disk::FORMAT;
use crate::{Store, StoreError};

const META: TableDefinition<&str, u32> = TableDefinition::new("meta");

/// The error of opening `folder`, and its text.
fn refusal(folder: &Path) -> (StoreError, String) {
    let error = Store::open(folder).map(drop).expect_err("a refusal");
    let text = error.to_string();
    assert!(text.contains(folder.to_str().unwrap()), "the text names the place: {text}");
    (error, text)
}

/// A folder with an empty queue, and the path of its file.
fn folder_with_queue() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(folder.path()).unwrap());
    let queue = folder.path().join("queue.redb");
    (folder, queue)
}

#[test]
fn a_missing_folder_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b");

    let store = Store::open(&deep).unwrap();

    assert_eq!(queue_of(&store), []);
    assert!(deep.is_dir());
}

#[test]
fn what_was_committed_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    store.commit(&added(1, "first", 2)).unwrap();
    store.commit(&added(2, "second", 1)).unwrap();
    store.commit(&[Change::Remove(JobKey(1))]).unwrap();
    drop(store);

    let store = Store::open(folder.path()).unwrap();

    assert_eq!(queue_of(&store), [(job(2, "second"), vec![file(2, 0)])]);
}

#[test]
fn a_file_without_its_job_is_refused_and_nothing_of_its_commit_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    for mut store in [Store::memory(), Store::open(folder.path()).unwrap()] {
        store.commit(&added(1, "kept", 1)).unwrap();
        let mut changes = added(2, "of the refused commit", 0);
        changes.push(Change::Remove(JobKey(1)));
        changes.push(Change::File(Box::new(file(1, 1))));

        let error = store.commit(&changes).unwrap_err();

        assert!(matches!(error, StoreError::FileWithoutJob { job: JobKey(1), file: FileIndex(1) }), "{error}");
        assert_eq!(queue_of(&store), [(job(1, "kept"), vec![file(1, 0)])]);
        store.commit(&added(3, "later", 0)).unwrap();
    }
}

#[test]
fn a_folder_is_held_until_its_store_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let first = Store::open(folder.path()).unwrap();

    let (error, text) = refusal(folder.path());
    assert!(matches!(error, StoreError::InUse { .. }), "{text}");

    drop(first);
    Store::open(folder.path()).unwrap();
}

#[test]
fn a_file_in_place_of_the_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    fs::write(&path, "a file").unwrap();

    let (error, text) = refusal(&path);

    assert!(matches!(error, StoreError::Folder { .. }), "{text}");
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let (folder, queue) = folder_with_queue();
    let database = Database::open(&queue).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(META).unwrap().insert("bits-emulator queue format", FORMAT + 1).unwrap();
    transaction.commit().unwrap();
    drop(database);

    for _ in 0..2 {
        let (error, text) = refusal(folder.path());
        assert!(matches!(error, StoreError::Newer { found, known: FORMAT, .. } if found == FORMAT + 1), "{text}");
        assert!(text.contains("use the newer one or name another state folder"), "{text}");
    }
}

#[test]
fn a_database_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::create(folder.path().join("queue.redb")).unwrap();
    let other: TableDefinition<u64, u64> = TableDefinition::new("meta");
    for with_table in [false, true] {
        if with_table {
            let transaction = database.begin_write().unwrap();
            transaction.open_table(other).unwrap();
            transaction.commit().unwrap();
        }
    }
    drop(database);

    let (error, text) = refusal(folder.path());

    assert!(matches!(error, StoreError::NotAStore { .. }), "{text}");
}

#[test]
fn a_database_without_tables_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(Database::create(folder.path().join("queue.redb")).unwrap());

    let (error, text) = refusal(folder.path());

    assert!(matches!(error, StoreError::NotAStore { .. }), "{text}");
}

#[test]
fn an_empty_file_is_refused_and_stays_empty() {
    let (folder, queue) = folder_with_queue();
    fs::write(&queue, "").unwrap();

    let (error, text) = refusal(folder.path());

    assert!(matches!(error, StoreError::NotAStore { .. }), "{text}");
    assert_eq!(fs::metadata(&queue).unwrap().len(), 0);
}

#[test]
fn files_of_another_kind_are_refused() {
    let (folder, queue) = folder_with_queue();
    for content in [vec![0], b"[queue]\njobs = 1\n".to_vec(), vec![0; 1 << 16], b"x".repeat(1 << 20)] {
        fs::write(&queue, &content).unwrap();

        let (error, text) = refusal(folder.path());

        assert!(matches!(error, StoreError::NotAStore { .. } | StoreError::Damaged { .. }), "{text}");
        assert_eq!(fs::read(&queue).unwrap(), content, "a refused file is left as it was");
    }
}

#[test]
fn a_queue_whose_making_was_broken_off_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("queue.redb.new"), "half").unwrap();

    let store = Store::open(folder.path()).unwrap();

    assert_eq!(queue_of(&store), []);
}
