//! Secrets that were removed: nobody opens them any more, whatever lies on in the files.

use std::fs;
use std::path::{Path, PathBuf};

use bits_api::{AuthScheme, AuthTarget};
use bits_engine::{Change, JobKey, JobRecord, Login, Saved, Secrets};
use bits_wire::Secret;
use ring::aead::quic::{AES_256, HeaderProtectionKey};

use super::faults::{Fault, MemoryDisk};
use super::secrets::secrets;
use super::{added, job};
use crate::disk::Disk;
use crate::keys::{self, Keys};
use crate::record::{self, JobIn};
use crate::seal::{self, Sealer};
use crate::{Kind, Store, StoreError};

/// Secrets that tell themselves apart.
fn password(text: &str) -> Secrets {
    let login = Login { user_name: Some(Secret::new("alice")), password: Some(Secret::new(text)) };
    Secrets { credentials: [((AuthTarget::SERVER, AuthScheme::DIGEST), login)].into(), ..Secrets::default() }
}

fn with(key: u64, secrets: Option<Secrets>) -> Change {
    Change::Job(Box::new(JobRecord { secrets: secrets.map(Box::new), ..job(key, "with secrets or without") }))
}

fn removed(key: u64) -> Change {
    Change::Remove(JobKey(key))
}

/// Which secrets of jobs up to 9 whoever has `queue` and `keys` can open, wherever they lie: those
/// with credentials.
fn opened(queue: &[u8], keys: &[u8]) -> Vec<(u64, Secrets)> {
    let keys = keys.windows(keys::KEY_LEN).step_by(8).filter(|key| key.iter().any(|byte| *byte != 0));
    let keys: Vec<_> = keys.map(|key| (key, HeaderProtectionKey::new(&AES_256, key).unwrap())).collect();
    let mut opened = Vec::new();
    for at in 0..queue.len() {
        // As postcard writes bytes: their number first.
        let Ok((sealed, _)) = postcard::take_from_bytes::<&[u8]>(&queue[at..]) else { continue };
        let Some((nonce, text)) = sealed.split_first_chunk::<12>().filter(|(_, text)| text.len() > 16) else {
            continue;
        };
        // How the first block is encrypted: a look at it tells whether the rest is worth a try.
        let block = [&nonce[..], &[0, 0, 0, 2]].concat();
        for (key, cipher) in &keys {
            let stream = cipher.new_mask(&block).unwrap();
            let [credentials, target, scheme] = [0, 1, 2].map(|at| text[at] ^ stream[at]);
            if (1..=10).contains(&credentials) && (1..=2).contains(&target) && (1..=5).contains(&scheme) {
                let tries = (0..10).filter_map(|job| Some((job, seal::open(JobKey(job), sealed, key)?)));
                opened.extend(tries);
            }
        }
    }
    opened.sort_by_key(|(job, _)| *job);
    opened.dedup();
    opened
}

fn opened_in(folder: &Path) -> Vec<(u64, Secrets)> {
    let read = |name| fs::read(folder.join(name)).unwrap_or_default();
    opened(&read("queue.redb"), &[read("queue.keys"), read("queue.key")].concat())
}

#[test]
fn what_was_removed_or_replaced_opens_for_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let first = |key: u64| password(&format!("the first of {key}"));
    for key in 1..=9 {
        store.commit(&[with(key, Some(first(key)))]).unwrap();
    }
    let keys = fs::read(folder.path().join("queue.keys")).unwrap();
    assert_eq!(opened_in(folder.path()), (1..=9).map(|key| (key, first(key))).collect::<Vec<_>>());

    store.commit(&[with(1, Some(password("another")))]).unwrap();
    for key in 2..=5 {
        store.commit(&[with(key, None)]).unwrap();
    }
    for key in 6..=8 {
        store.commit(&[removed(key)]).unwrap();
    }

    assert_eq!(opened_in(folder.path()), [(1, password("another")), (9, first(9))]);
    let queue = fs::read(folder.path().join("queue.redb")).unwrap();
    let lies_on = opened(&queue, &keys).iter().filter(|(key, _)| (2..=8).contains(key)).count();
    assert!(lies_on > 0, "some of it lies on in free pages, and only the key is missing");
}

#[test]
fn what_was_replaced_within_a_commit_opens_for_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();

    let changes = ["first", "second", "third"].map(|text| with(1, Some(password(text))));
    store.commit(&[&changes[..], &[with(2, Some(password("gone"))), removed(2)]].concat()).unwrap();

    assert_eq!(opened_in(folder.path()), [(1, password("third"))]);
    assert_eq!(Keys::of(folder.path().join("queue.keys")).unwrap().iter().count(), 1);
}

#[test]
fn a_refused_commit_leaves_no_key_and_destroys_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    store.commit(&[with(1, Some(password("kept"))), with(2, Some(password("kept too")))]).unwrap();
    let before = fs::read(folder.path().join("queue.keys")).unwrap();

    let orphan = Change::File(Box::new(super::file(9, 0)));
    let refused = store.commit(&[with(1, Some(password("refused"))), removed(2), orphan]);

    assert!(matches!(refused, Err(StoreError::FileWithoutJob { .. })));
    assert_eq!(fs::read(folder.path().join("queue.keys")).unwrap(), before);
    store.commit(&[with(1, Some(password("taken")))]).unwrap();
    assert_eq!(opened_in(folder.path()), [(1, password("taken")), (2, password("kept too"))]);
}

#[test]
fn secrets_that_stay_keep_their_sealing_and_their_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    store.commit(&[with(1, Some(secrets()))]).unwrap();
    let keys = || fs::read(folder.path().join("queue.keys")).unwrap();
    let before = keys();

    for _ in 0..100 {
        store.commit(&[with(1, Some(secrets()))]).unwrap();
    }
    drop(store);
    Store::open(folder.path()).unwrap().commit(&[with(1, Some(secrets()))]).unwrap();

    assert_eq!(keys(), before);
}

#[test]
fn places_are_taken_again_and_the_file_grows_when_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let of = |keys: std::ops::Range<u64>| -> Vec<_> { keys.map(|key| with(key, Some(password("many")))).collect() };
    let length = || fs::metadata(folder.path().join("queue.keys")).unwrap().len();
    store.commit(&of(0..1000)).unwrap();
    let grown = length();

    store.commit(&(0..500).map(removed).collect::<Vec<_>>()).unwrap();
    store.commit(&of(2000..2500)).unwrap();
    assert_eq!(length(), grown);
    drop(store);

    let saved: Vec<Saved> = Store::open(folder.path()).unwrap().load().unwrap().map(Result::unwrap).collect();
    assert_eq!(saved.len(), 1000);
    assert!(saved.iter().all(|saved| saved.job.secrets.as_deref() == Some(&password("many"))));
}

/// A queue and its keys on disks that fail together.
struct Disks {
    queue: MemoryDisk,
    keys: MemoryDisk,
}

impl Disks {
    fn holding(queue: Vec<u8>, keys: Vec<u8>) -> Self {
        let queue = MemoryDisk::holding(queue);
        Self { keys: queue.beside(keys), queue }
    }

    fn open(&self) -> Result<Disk, StoreError> {
        let mut disk = self.queue.disk()?;
        disk.take_up(Sealer::on(Box::new(self.keys.clone()))?)?;
        Ok(disk)
    }

    /// What another process finds.
    fn again(&self) -> Self {
        Self::holding(self.queue.bytes(), self.keys.bytes())
    }
}

/// Secrets by job.
type Kept = Vec<(u64, Option<Secrets>)>;

fn kept_in(store: Disk) -> Kept {
    let saved = Store(Kind::Disk(Box::new(store))).load().unwrap().map(Result::unwrap).collect::<Vec<_>>();
    assert!(saved.iter().all(|saved| !saved.lost_secrets), "secrets on record open: {saved:#?}");
    saved.into_iter().map(|saved| (saved.job.key.0, saved.job.secrets.map(|secrets| *secrets))).collect()
}

/// Every way in which secrets come and go, a commit each, and what is kept after it.
fn life() -> Vec<(Vec<Change>, Kept)> {
    let (one, two, new) = (password("of one"), password("of two"), password("new"));
    vec![
        (vec![with(1, Some(one.clone()))], vec![(1, Some(one.clone()))]),
        (vec![with(2, Some(two.clone()))], vec![(1, Some(one)), (2, Some(two.clone()))]),
        (vec![with(1, Some(new.clone()))], vec![(1, Some(new.clone())), (2, Some(two))]),
        (
            vec![with(2, None), with(3, Some(new.clone()))],
            vec![(1, Some(new.clone())), (2, None), (3, Some(new.clone()))],
        ),
        (vec![removed(3)], vec![(1, Some(new.clone())), (2, None)]),
        (vec![removed(1), removed(2), with(4, Some(new.clone()))], vec![(4, Some(new))]),
    ]
}

/// Makes the commits until one fails; how many succeeded. Writes down what lies sealed after each.
fn live(disks: &Disks, sealed: &mut Vec<(JobKey, Vec<u8>)>) -> Result<usize, usize> {
    let mut disk = disks.open().map_err(|_| 0_usize)?;
    for (done, (changes, _)) in life().iter().enumerate() {
        disk.commit(changes).map_err(|_| done)?;
        sealed.extend(disk.sealed());
    }
    Ok(life().len())
}

fn survive_each(fault: Fault) {
    let fresh = || {
        let queue = MemoryDisk::default();
        queue.initialise().unwrap();
        (queue.bytes(), keys::header().to_vec())
    };
    let (queue, keys) = fresh();
    let healthy = Disks::holding(queue.clone(), keys.clone());
    assert_eq!(live(&healthy, &mut Vec::new()), Ok(life().len()));
    let stages: Vec<Kept> = std::iter::once(Vec::new()).chain(life().into_iter().map(|(_, kept)| kept)).collect();

    for write in 1..=healthy.queue.writes() {
        let disks = Disks::holding(queue.clone(), keys.clone());
        disks.queue.fail(fault, write);
        let mut sealed = Vec::new();
        let (done, most) = match live(&disks, &mut sealed) {
            Ok(done) => (done, done),
            Err(done) => (done, done + 1),
        };

        let disks = disks.again();
        let disk = disks.open().unwrap_or_else(|error| panic!("{fault:?} {write}: {error}"));
        let living: Vec<_> = disk.sealed().collect();
        let found = kept_in(disk);

        assert!(stages[done..=most].contains(&found), "{fault:?} {write}: {done} commits succeeded, found {found:#?}");
        let keys = Keys::on(Box::new(disks.keys.clone())).unwrap();
        let left: Vec<_> = keys.iter().map(|(place, job)| keys.get(place, job).unwrap()).collect();
        assert_eq!(left.len(), living.len(), "{fault:?} {write}: a key for each sealing and no more");
        for (job, bytes) in sealed.iter().filter(|old| !living.contains(old)) {
            let opens = left.iter().any(|key| seal::open(*job, bytes, key.expose()).is_some());
            assert!(!opens, "{fault:?} {write}: what was removed from {job:?} opens");
        }
    }
}

#[test]
fn a_write_that_fails_once_keeps_the_living_and_buries_the_removed() {
    survive_each(Fault::Once);
}

#[test]
fn a_process_that_dies_at_any_write_keeps_the_living_and_buries_the_removed() {
    survive_each(Fault::Dead);
}

#[test]
fn a_torn_write_keeps_the_living_and_buries_the_removed() {
    survive_each(Fault::Torn);
}

impl Disk {
    /// What lies sealed of each job.
    fn sealed(&self) -> impl Iterator<Item = (JobKey, Vec<u8>)> {
        let records = self.load().unwrap().records().map(Result::unwrap);
        records.filter_map(|JobIn { job, sealed }| match sealed? {
            record::Found::ByItsOwn(sealed) => Some((job.key, sealed.bytes)),
            record::Found::ByOneForAll(_) => None,
        })
    }
}

/// A folder as version 4 left it: job 1 with secrets, 2 without, and seven whose secrets were removed.
fn folder_of_version_4() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let sample = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/stores/v4-secrets");
    for file in ["queue.redb", "queue.key"] {
        fs::copy(sample.join(file), folder.path().join(file)).unwrap();
    }
    folder
}

/// Opens the queue that was one of version 4, and sees that nothing is lost and what was removed is.
fn see_taken_over(folder: &Path) {
    let store = Store::open(folder).unwrap();
    let saved: Vec<Saved> = store.load().unwrap().map(Result::unwrap).collect();

    let found: Vec<_> = saved.iter().map(|saved| (saved.job.secrets.as_deref(), saved.lost_secrets)).collect();
    assert_eq!(found[0], (Some(&secrets()), false));
    assert_eq!(found[1..], [(None, false); 8]);
    assert!(!folder.join("queue.key").exists());
    assert_eq!(opened_in(folder), [(1, secrets())]);
    assert_eq!(Keys::of(folder.join("queue.keys")).unwrap().iter().count(), 1);
}

#[test]
fn the_secrets_of_version_4_get_keys_of_their_own_and_what_was_removed_is_gone() {
    let folder = folder_of_version_4();
    let open: Vec<_> = opened_in(folder.path()).into_iter().map(|(job, _)| job).collect();
    assert_eq!(open, [1, 8], "what was removed last opens for whoever has the folder");

    see_taken_over(folder.path());
    see_taken_over(folder.path());

    let mut store = Store::open(folder.path()).unwrap();
    store.commit(&added(2, "goes on", 1)).unwrap();
}

#[test]
fn a_process_that_dies_while_it_takes_version_4_over_begins_again() {
    let done = folder_of_version_4();
    see_taken_over(done.path());
    let copy = |name: &str, to: &tempfile::TempDir| fs::copy(done.path().join(name), to.path().join(name)).unwrap();

    // The new keys are there, and nothing is on record.
    let early = folder_of_version_4();
    copy("queue.keys", &early);
    see_taken_over(early.path());
    // All is on record, and the old key is still there.
    let late = folder_of_version_4();
    copy("queue.keys", &late);
    copy("queue.redb", &late);
    see_taken_over(late.path());
    // It is overwritten, and still there.
    let last = folder_of_version_4();
    copy("queue.keys", &last);
    copy("queue.redb", &last);
    fs::write(last.path().join("queue.key"), [0; keys::KEY_LEN]).unwrap();
    see_taken_over(last.path());
}

#[test]
fn without_its_key_a_queue_of_version_4_has_lost_its_secrets_and_goes_on() {
    let folder = folder_of_version_4();
    fs::remove_file(folder.path().join("queue.key")).unwrap();

    let saved: Vec<Saved> = Store::open(folder.path()).unwrap().load().unwrap().map(Result::unwrap).collect();

    let lost: Vec<_> = saved.iter().map(|saved| (saved.job.secrets.is_some(), saved.lost_secrets)).collect();
    assert_eq!(lost[0], (false, true));
    assert_eq!(lost[1..], [(false, false); 8]);
}

#[test]
fn a_key_of_version_4_that_is_none_is_refused_and_left_alone() {
    let folder = folder_of_version_4();
    let key = folder.path().join("queue.key");
    for wrong in [&b"short"[..], &[7; 33]] {
        fs::write(&key, wrong).unwrap();

        let error = Store::open(folder.path()).map(drop).unwrap_err();

        assert!(matches!(error, StoreError::Key { .. }), "{error}");
        assert!(error.to_string().contains(key.to_str().unwrap()), "{error}");
        assert_eq!(fs::read(&key).unwrap(), wrong);
    }
}
