use bits_world::StoreRefusal;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use tempfile::TempDir;

use super::*;

const HERE: CertStoreLocation = CertStoreLocation::CURRENT_USER;

/// A certificate of this name and its key, as PEM.
fn made(name: &str) -> (String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn identity_of(name: &str) -> Certificate {
    let (certificate, key) = made(name);
    identity::from_pem(&format!("{certificate}{key}")).unwrap()
}

struct Scene(TempDir);

impl Scene {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let file = self.0.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, content).unwrap();
        file
    }

    fn folder(&self) -> StoreFolder<'static> {
        StoreFolder::new(self.0.path())
    }

    /// The stores as alice has them.
    fn load(&self) -> Result<CertificateStores, FolderError> {
        let mut stores = CertificateStores::default();
        self.folder().load_into(&mut stores, &alice()).map(|()| stores)
    }

    /// The subjects of a store, as alice sees it.
    fn subjects(&self, location: CertStoreLocation, name: &str) -> Result<Vec<String>, StoreRefusal> {
        let store = self.load().unwrap().open(location, name, &alice())?;
        Ok(store.iter().map(|certificate| certificate.subject.clone()).collect())
    }
}

fn alice() -> Sid {
    Sid::of_name("alice")
}

fn pkcs12(name: &str) -> Vec<u8> {
    fs::read(format!("{}/../../fixtures/pkcs12/{name}.p12", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn folders_are_stores_and_files_their_certificates_in_the_order_of_the_names() {
    let scene = Scene::new();
    let (two, three) = (made("two"), made("three"));
    scene.write("CURRENT_USER/MY/3.pem", format!("{}{}", three.0, three.1));
    scene.write("CURRENT_USER/MY/2.crt", &two.0);
    scene.write("CURRENT_USER/MY/2.key", &two.1);
    scene.write("CURRENT_USER/MY/1.p12", pkcs12("no-password"));
    scene.write("CURRENT_USER/MY/README.txt", "not looked at");
    scene.write("CURRENT_USER/MY/.4.pem", "nor this");
    scene.write("LOCAL_MACHINE/Root/all.pem", format!("{}{}", two.0, three.0));

    assert_eq!(scene.subjects(HERE, "My"), Ok(vec!["Example, Clients, alice".into(), "two".into(), "three".into()]));
    assert_eq!(scene.subjects(CertStoreLocation::LOCAL_MACHINE, "ROOT"), Ok(vec!["two".into(), "three".into()]));
    let store = scene.load().unwrap().open(HERE, "MY", &alice()).unwrap();
    assert!(store.iter().all(|certificate| certificate.key.is_some()));
}

#[test]
fn stores_of_services_users_and_other_computers_have_folders_in_between() {
    let scene = Scene::new();
    let bob = Sid::of_name("bob");
    for path in ["SERVICES/BITS/App/a.pem", "USERS/bob/App/b.pem", "REMOTE/lab/LOCAL_MACHINE/App/c.pem"] {
        scene.write(path, made(path).0);
    }

    let one = |path: &str| Ok(vec![path.to_owned()]);
    assert_eq!(scene.subjects(CertStoreLocation::CURRENT_SERVICE, "App"), one("SERVICES/BITS/App/a.pem"));
    assert_eq!(scene.subjects(CertStoreLocation::USERS, &format!(r"{bob}\App")), one("USERS/bob/App/b.pem"));
    let remote = scene.subjects(CertStoreLocation::LOCAL_MACHINE, r"\\LAB\app");
    assert_eq!(remote, one("REMOTE/lab/LOCAL_MACHINE/App/c.pem"));
    let folder = scene.folder();
    let added = folder.add(CertStoreLocation::USERS, &format!(r"{bob}\app"), &identity_of("new")).unwrap();
    assert_eq!((added, scene.0.path().join("USERS/bob/App").read_dir().unwrap().count()), (Put::New, 2));
}

#[test]
fn a_list_says_who_may_use_a_store() {
    let scene = Scene::new();
    scene.write("LOCAL_MACHINE/App/a.pem", made("a").0);
    scene.write("LOCAL_MACHINE/App/access.txt", "# those\nbob\n\nS-1-5-18\n");
    let stores = scene.load().unwrap();

    let open = |user: &Sid| stores.open(CertStoreLocation::LOCAL_MACHINE, "App", user).map(|_| ());
    assert_eq!(open(&alice()), Err(StoreRefusal::Denied));
    assert_eq!((open(&Sid::of_name("bob")), open(&Sid::new(Sid::LOCAL_SYSTEM))), (Ok(()), Ok(())));
}

#[test]
fn passwords_of_files_are_asked_for() {
    let scene = Scene::new();
    let file = scene.write("CURRENT_USER/MY/alice.pfx", pkcs12("modern"));
    let password = |asked: &Path| (asked == file).then(|| Zeroizing::new("sésame".to_owned()));

    let store = StoreFolder::with_passwords(scene.0.path(), &password).store(HERE, "MY").unwrap().unwrap();
    assert_eq!(store.certificates.len(), 1);
    let error = scene.load().unwrap_err();
    assert_eq!((error.path, error.what), (file, identity::Unreadable::PasswordMissing.to_string()));
}

#[test]
fn what_is_wrong_names_the_file_and_the_fault_in_one_line() {
    let (certificate, key) = made("a");
    let other_key = made("b").1;
    let broken = pkcs12("modern")[..300].to_vec();
    let table: Vec<(&str, Vec<u8>, &str)> = vec![
        ("CURRENT_USER/MY/a.pem", format!("{certificate}{other_key}").into(), "does not go with the certificate"),
        ("CURRENT_USER/MY/a.pem", "text".into(), "there is no certificate"),
        ("CURRENT_USER/MY/a.p12", broken, "no PKCS#12 file"),
        ("CURRENT_USER/MY/a.cer", vec![0x30, 3, 0x30, 1, 2], "no X.509 certificate"),
        ("CURRENT_USER/MY/a.pem", vec![b'x'; TOO_MANY], "1 MiB"),
        ("CURRENT_USER/MY/a.key", key.into(), "ending in .crt"),
        ("CURRENT_USER/a.pem", certificate.clone().into(), "is in no store"),
        ("MY/a/b.pem", certificate.into(), "is no location"),
        ("LOCAL_MACHINE/MY/access.txt", vec![0xFF], "not UTF-8"),
    ];
    for (path, content, says) in table {
        let scene = Scene::new();
        let file = scene.write(path, content);

        let error = scene.load().unwrap_err();

        assert!(error.what.contains(says) && error.to_string().lines().count() == 1, "{error}");
        assert!(file.starts_with(&error.path), "{error}");
    }
    assert_eq!(Scene::new().load(), Ok(CertificateStores::default()));
}

#[test]
fn what_is_added_is_there_until_it_is_removed_and_nobody_else_may_read_it() {
    let scene = Scene::new();
    let (folder, certificate) = (scene.folder(), identity_of("one"));
    let keyless = Certificate { key: None, ..certificate.clone() };
    let found = || folder.store(HERE, "MY").unwrap().map(|store| store.certificates).unwrap_or_default();

    assert_eq!(folder.add(HERE, "MY", &keyless), Ok(Put::New));
    assert_eq!(folder.add(HERE, "my", &certificate), Ok(Put::New));
    assert_eq!(folder.add(HERE, "MY", &keyless), Ok(Put::Known));
    let [(file, there)] = &found()[..] else { panic!("not one") };
    assert_eq!(there, &certificate);
    assert_eq!(file, &scene.0.path().join(format!("CURRENT_USER/MY/{}.pem", thumbprint(&certificate.hash))));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(folder.remove(HERE, "MY", &certificate.hash), Ok(true));
    assert_eq!(folder.remove(HERE, "MY", &certificate.hash), Ok(false));
    assert_eq!(folder.remove(HERE, "Other", &certificate.hash), Ok(false));
    assert_eq!(scene.0.path().join("CURRENT_USER/MY").read_dir().unwrap().count(), 0);
}

#[test]
fn a_key_goes_with_its_certificate_and_one_of_several_is_not_taken_out_of_a_file() {
    let scene = Scene::new();
    let (one, two) = (made("one"), made("two"));
    scene.write("CURRENT_USER/MY/one.crt", &one.0);
    let key = scene.write("CURRENT_USER/MY/one.key", &one.1);
    let several = scene.write("CURRENT_USER/Root/several.pem", format!("{}{}", one.0, two.0));
    let hash = identity::from_pem(&one.0).unwrap().hash;

    assert_eq!(scene.folder().remove(HERE, "MY", &hash), Ok(true));
    assert!(!key.exists());
    let error = scene.folder().remove(HERE, "Root", &hash).unwrap_err();
    assert_eq!(error.path, several);
}

#[test]
fn names_that_would_lead_elsewhere_are_no_stores() {
    let scene = Scene::new();
    for name in ["", ".", "..", "a/b", r"a\b", "a\0", "C:", r"\\..\MY", r"\\computer\"] {
        let error = scene.folder().add(HERE, name, &identity_of("one")).unwrap_err();
        assert!(error.what.contains("no store"), "{name}: {error}");
    }
    assert!(scene.folder().store(CertStoreLocation::USERS, "MY").unwrap_err().what.contains(r"OWNER\MY"));
    assert_eq!(scene.0.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_thumbprint_is_forty_digits_however_they_are_written() {
    let hash = [0xAB; 20];
    assert_eq!(thumbprint(&hash), "AB".repeat(20));
    for text in ["ab".repeat(20), "AB:".repeat(19) + "AB", "ab ".repeat(20)] {
        assert_eq!(hash_of(&text), Some(hash), "{text}");
    }
    for text in ["", "ab", &"ab".repeat(21), &("g".to_owned() + &"a".repeat(39))] {
        assert_eq!(hash_of(text), None, "{text}");
    }
}
