//! What is for a job's owner alone.

use std::fs;
use std::path::Path;

use bits_api::{AuthScheme, AuthTarget, CertStoreLocation};
use bits_engine::{Change, ChosenCertificate, JobKey, JobRecord, JobVetting, Login, Saved, Secrets};
use bits_wire::Secret;

use super::{added, job};
use crate::keys;
use crate::{Store, StoreError};

const PASSWORD: &str = "correct horse battery staple";
const TOKEN: &str = "X-Token: 0a1b2c3d4e5f\r\n";

fn certificate() -> ChosenCertificate {
    ChosenCertificate {
        location: CertStoreLocation::LOCAL_MACHINE,
        store_name: "MY".into(),
        hash: [7; 20],
        subject: "Example, alice".into(),
    }
}

pub(super) fn secrets() -> Secrets {
    let login = Login { user_name: Some(Secret::new("EXAMPLE\\alice")), password: Some(Secret::new(PASSWORD)) };
    let credentials = [((AuthTarget::SERVER, AuthScheme::BASIC), login)].into_iter().collect();
    Secrets {
        credentials,
        custom_headers: Some(Secret::new(TOKEN)),
        certificate: Some(certificate()),
        vetting: Some(JobVetting::default()),
    }
}

/// Keeps a job with secrets in `folder`, and one without.
fn keep(folder: &Path) {
    let mut store = Store::open(folder).unwrap();
    let record = JobRecord { secrets: Some(Box::new(secrets())), ..job(1, "with secrets") };
    store.commit(&[Change::Job(Box::new(record))]).unwrap();
    store.commit(&added(2, "without", 1)).unwrap();
}

fn load(folder: &Path) -> Vec<Saved> {
    Store::open(folder).unwrap().load().unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn secrets_come_back_to_their_job() {
    let folder = tempfile::tempdir().unwrap();
    keep(folder.path());

    let saved = load(folder.path());

    assert_eq!(saved[0].job.secrets.as_deref(), Some(&secrets()));
    assert_eq!(saved[1].job.secrets, None);
    assert!(saved.iter().all(|saved| !saved.lost_secrets));
}

#[test]
fn no_file_of_the_folder_shows_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    keep(folder.path());

    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();

    assert!(files.iter().any(|file| file.ends_with("queue.keys")), "{files:?}");
    for file in files {
        let bytes = fs::read(&file).unwrap();
        for part in [PASSWORD, "alice", "0a1b2c3d4e5f"] {
            let wide: Vec<u8> = part.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let shows = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
            assert!(!shows(part.as_bytes()) && !shows(&wide), "{} shows {part:?}", file.display());
        }
    }
}

#[test]
fn a_key_is_made_only_when_there_is_something_to_seal() {
    let folder = tempfile::tempdir().unwrap();

    Store::open(folder.path()).unwrap().commit(&added(1, "without", 1)).unwrap();

    assert!(!folder.path().join("queue.keys").exists());
}

#[cfg(unix)]
#[test]
fn only_their_owner_may_read_the_key_and_the_queue() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    keep(folder.path());

    for file in ["queue.keys", "queue.redb"] {
        let mode = fs::metadata(folder.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn without_its_key_a_job_comes_back_without_its_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("queue.keys");
    keep(folder.path());
    let lost = || -> Vec<_> {
        load(folder.path()).iter().map(|saved| (saved.job.secrets.is_none(), saved.lost_secrets)).collect()
    };

    fs::remove_file(&key).unwrap();
    assert_eq!(lost(), [(true, true), (true, false)]);

    let another = tempfile::tempdir().unwrap();
    keep(another.path());
    fs::copy(another.path().join("queue.keys"), &key).unwrap();
    assert_eq!(lost(), [(true, true), (true, false)]);
}

#[test]
fn a_file_that_holds_no_keys_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("queue.keys");
    let mut newer = keys::header();
    newer[b"bits-emulator queue keys ".len()] += 1;
    for wrong in [&b""[..], b"short", &[7; 128], &newer] {
        fs::write(&key, wrong).unwrap();

        let error = Store::open(folder.path()).map(drop).unwrap_err();

        assert!(matches!(error, StoreError::Key { .. }), "{error}");
        assert!(error.to_string().contains(key.to_str().unwrap()), "{error}");
    }
}

#[test]
fn secrets_sealed_for_one_job_are_not_opened_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut sealer = crate::seal::Sealer::of(folder.path()).unwrap();

    let first = sealer.seal(JobKey(1), &secrets(), None).unwrap();

    assert_eq!(sealer.open(JobKey(1), &first), Some(secrets()));
    assert_eq!(sealer.open(JobKey(2), &first), None);
    let again = sealer.seal(JobKey(1), &secrets(), None).unwrap();
    assert_ne!((again.place, &again.bytes), (first.place, &first.bytes), "each sealing has a key of its own");
}
