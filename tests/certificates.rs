//! Certificates of a world: whom its stores trust, and what they hold.

use std::time::Duration;

use bits_emulator::api::{CertStoreLocation, Hresult, JobState, JobType};
use bits_emulator::certificates;
use bits_emulator::origin::{ClientCertificates, Content, Handshake, Origin};
use bits_emulator::world::clock::{Clock, VirtualClock};
use bits_emulator::world::{Certificate, CertificateStores, Sid};
use bits_emulator::{Builder, Emulator};

/// An emulator beside an origin with a file.
struct Scene {
    folder: tempfile::TempDir,
    origin: Origin,
    emulator: Emulator,
}

impl Scene {
    fn new(set_up: impl FnOnce(Builder, &Origin) -> Builder) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::Virtual(VirtualClock::new());
        let origin = Origin::start(clock.clone()).unwrap();
        origin.put("/file", Content::bytes("what the server has"));
        let builder = Emulator::builder().clock(clock).world(|w| w.drives.mount('C', folder.path()));
        let emulator = set_up(builder, &origin).start().unwrap();
        Self { folder, origin, emulator }
    }

    /// The code with which a download of the user over HTTPS ends, if it is one.
    fn end_for(&self, user: &str) -> Option<Hresult> {
        let client = self.emulator.client_as("test.exe", self.emulator.user(user));
        let job = client.manager().unwrap().create_job(Some("test"), JobType::DOWNLOAD).unwrap().job;
        let file = format!("{user}.txt");
        job.add_file(Some(&self.origin.https_url("/file")), Some(&format!(r"C:\{file}"))).unwrap();
        job.resume().unwrap();
        let is_over = || matches!(job.state(), Ok(JobState::TRANSFERRED | JobState::ERROR));
        self.emulator.run_until(is_over, Duration::from_hours(1)).unwrap();
        if job.state() == Ok(JobState::ERROR) {
            let (_, code) = job.error().unwrap().error().unwrap();
            job.cancel().unwrap();
            return Some(code);
        }
        job.complete().unwrap();
        assert_eq!(std::fs::read_to_string(self.folder.path().join(file)).unwrap(), "what the server has");
        None
    }

    fn change_stores(&self, change: impl FnOnce(&mut CertificateStores)) {
        self.emulator.change_world(|world| change(&mut world.certificates));
    }
}

fn authority_of(origin: &Origin) -> Certificate {
    certificates::from_pem(origin.ca_pem()).unwrap()
}

const UNTRUSTED: Option<Hresult> = Some(Hresult::ERROR_WINHTTP_SECURE_INVALID_CA);

#[test]
fn a_root_store_vouches_for_servers_until_the_authority_leaves_it() {
    let scene = Scene::new(|builder, _| builder);
    let (alice, authority) = (Sid::of_name("alice"), authority_of(&scene.origin));
    let hash = authority.hash;

    assert_eq!(scene.end_for("alice"), UNTRUSTED);
    scene.change_stores(|stores| stores.add(CertStoreLocation::CURRENT_USER, "ROOT", &alice, authority.clone()));
    assert_eq!((scene.end_for("alice"), scene.end_for("bob")), (None, UNTRUSTED));
    scene.change_stores(|stores| {
        stores.remove(CertStoreLocation::CURRENT_USER, "ROOT", &alice, &hash);
        stores.add(CertStoreLocation::LOCAL_MACHINE, "CA", &alice, authority.clone());
    });
    assert_eq!((scene.end_for("alice"), scene.end_for("bob")), (UNTRUSTED, UNTRUSTED));
    scene.change_stores(|stores| stores.add(CertStoreLocation::LOCAL_MACHINE, "ROOT", &alice, authority));
    assert_eq!((scene.end_for("alice"), scene.end_for("bob")), (None, None));
}

#[test]
fn a_world_may_trust_nobody_but_its_own_root_stores() {
    let scene = Scene::new(|builder, origin| {
        builder.trust(origin.ca_pem()).world(|world| world.certificates.trust_only_these())
    });

    assert_eq!(scene.end_for("alice"), UNTRUSTED);
    let authority = authority_of(&scene.origin);
    scene.change_stores(|stores| {
        stores.add(CertStoreLocation::LOCAL_MACHINE, "ROOT", &Sid::of_name("alice"), authority);
    });
    assert_eq!(scene.end_for("alice"), None);
}

#[test]
fn the_stores_of_a_world_may_be_a_folder() {
    let stores = tempfile::tempdir().unwrap();
    let alice = Sid::of_name("alice");
    let scene = Scene::new(|builder, origin| {
        let handshake = Handshake { clients: ClientCertificates::Required, ..Handshake::default() };
        origin.shake_hands(&handshake).unwrap();
        let client = origin.client_certificate(&["Example", "Clients", "alice"], &[]).unwrap();
        for (store, file, content) in
            [("CURRENT_USER/MY", "alice.pem", client.as_str()), ("LOCAL_MACHINE/ROOT", "ca.pem", origin.ca_pem())]
        {
            std::fs::create_dir_all(stores.path().join(store)).unwrap();
            std::fs::write(stores.path().join(store).join(file), content).unwrap();
        }
        let folder = certificates::StoreFolder::new(stores.path());
        builder.world(|world| folder.load_into(&mut world.certificates, &alice).unwrap())
    });

    assert_eq!(scene.end_for("alice"), Some(Hresult::ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED));
    let client = scene.emulator.client_as("test.exe", scene.emulator.user("alice"));
    let job = client.manager().unwrap().create_job(Some("test"), JobType::DOWNLOAD).unwrap().job;
    job.add_file(Some(&scene.origin.https_url("/file")), Some(r"C:\own.txt")).unwrap();
    let options = job.http_options().unwrap();
    options
        .set_client_certificate_by_name(CertStoreLocation::CURRENT_USER, Some("My"), Some("clients, ALICE"))
        .unwrap();
    job.resume().unwrap();
    scene.emulator.wait_state(&job, JobState::TRANSFERRED, Duration::from_hours(1)).unwrap();
}
