//! Files that are copied from shares: what goes wrong, and what mends it, with real files and with
//! simulated ones alike.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bits_api::{ErrorContext, FileTime, Hresult, Job, JobPriority, JobState, JobType, Success};
use bits_service::{Client, Emulator, Fault, SimHold, Simulation};
use bits_world::{InternetBandwidth, Sid, StorageFault, World};
use tempfile::TempDir;

const SIZE: usize = 3_000_000;
const NAME: &str = r"\\files\public\setup.exe";
const SOON: Duration = Duration::from_secs(30);

const BAD_NETPATH: Hresult = Hresult(0x8007_0035);
const NETNAME_DELETED: Hresult = Hresult(0x8007_0040);
const BAD_NET_NAME: Hresult = Hresult(0x8007_0043);
const LOGON_FAILURE: Hresult = Hresult(0x8007_052E);

/// An emulator whose file server has a file, and a job for it.
struct Office {
    emulator: Emulator,
    _client: Client,
    job: Arc<dyn Job>,
    shared: PathBuf,
    local: PathBuf,
    simulation: Option<Simulation>,
    _folders: Option<[TempDir; 2]>,
}

impl Office {
    fn simulated() -> Self {
        let simulation = Simulation::new();
        simulation.write("/shared/setup.exe", SIZE as u64);
        let (local, shared) = (PathBuf::from("/drive-c"), PathBuf::from("/shared"));
        Self::new(local, shared, Some(simulation), None)
    }

    fn real() -> Self {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [local, shared] = folders.each_ref().map(|folder| folder.path().to_owned());
        std::fs::write(shared.join("setup.exe"), content(1)).unwrap();
        Self::new(local, shared, None, Some(folders))
    }

    fn new(local: PathBuf, shared: PathBuf, simulation: Option<Simulation>, folders: Option<[TempDir; 2]>) -> Self {
        let builder = Emulator::builder();
        let builder = simulation.iter().fold(builder, bits_service::Builder::simulated);
        let emulator = builder
            .world(|world| {
                world.drives.mount('C', &local);
                world.shares.share("files", "public", &shared);
            })
            .start()
            .unwrap();
        let client = emulator.client("updater.exe");
        let job = client.manager().unwrap().create_job(Some("update"), JobType::DOWNLOAD).unwrap().job;
        job.add_file(Some(NAME), Some(r"C:\setup.exe")).unwrap();
        Self { emulator, _client: client, job, shared, local, simulation, _folders: folders }
    }

    fn both() -> [Self; 2] {
        [Self::simulated(), Self::real()]
    }

    fn change(&self, change: impl FnOnce(&mut World)) {
        self.emulator.change_world(change);
    }

    fn wait(&self, state: JobState) {
        self.emulator.wait_state(&self.job, state, SOON).unwrap();
    }

    fn error(&self) -> (ErrorContext, Hresult) {
        self.job.error().unwrap().error().unwrap()
    }

    fn bytes_transferred(&self) -> u64 {
        self.job.progress().unwrap().bytes_transferred
    }

    /// The source keeps its size and its time.
    fn change_first_byte_unnoticed(&self) {
        if self.simulation.is_none() {
            let path = self.shared.join("setup.exe");
            let time = std::fs::metadata(&path).unwrap().modified().unwrap();
            let mut changed = content(1);
            changed[0] ^= 0xFF;
            std::fs::write(&path, changed).unwrap();
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        }
    }

    /// Completes the job; its file is the one of the share.
    fn complete(&self, seed: u8) {
        assert_eq!(self.job.complete(), Ok(Success::OK));
        let path = self.local.join("setup.exe");
        match &self.simulation {
            Some(simulation) => assert_eq!(simulation.local_length(&path), Some(SIZE as u64)),
            None => assert!(std::fs::read(path).unwrap() == content(seed), "other bytes than the share's"),
        }
    }
}

fn content(seed: u8) -> Vec<u8> {
    (0..=250_u8).cycle().take(SIZE).map(|byte| byte ^ seed).collect()
}

type Change = fn(&mut World);

#[test]
fn what_keeps_a_share_from_being_read_has_a_code_and_can_be_mended() {
    let table: [(Change, Change, Hresult, JobState); 5] = [
        (
            |world| world.shares.server("files").online = false,
            |world| world.shares.server("files").online = true,
            BAD_NETPATH,
            JobState::TRANSIENT_ERROR,
        ),
        (|world| world.shares = bits_world::Shares::default(), |_| (), BAD_NETPATH, JobState::TRANSIENT_ERROR),
        (
            |world| {
                world.shares = bits_world::Shares::default();
                world.shares.share("files", "other", "/other");
            },
            |_| (),
            BAD_NET_NAME,
            JobState::ERROR,
        ),
        (
            |world| world.shares.server("files").accounts = Some([Sid::of_name("stranger")].into()),
            |world| world.shares.server("files").accounts = None,
            LOGON_FAILURE,
            JobState::ERROR,
        ),
        (
            |world| world.shares.server("files").allow_only("public", [Sid::of_name("stranger")]),
            |_| (),
            Hresult::E_ACCESSDENIED,
            JobState::ERROR,
        ),
    ];
    for (break_it, mend_it, code, state) in table {
        for office in Office::both() {
            office.change(break_it);
            office.job.resume().unwrap();
            office.wait(state);
            assert_eq!(office.error(), (ErrorContext::REMOTE_FILE, code));
            assert_eq!(office.job.error().unwrap().protocol(), Ok("file".to_owned()));

            office.change(mend_it);
            let shared = office.shared.clone();
            office.change(|world| world.shares.share("files", "public", shared));
            office.job.resume().unwrap();
            office.wait(JobState::TRANSFERRED);
            office.complete(1);
        }
    }
}

#[test]
fn faults_of_the_disk_that_is_shared_are_those_of_the_remote_file() {
    let table = [
        (StorageFault::Missing, Hresult::ERROR_PATH_NOT_FOUND, JobState::ERROR),
        (StorageFault::Denied, Hresult::ERROR_ACCESS_DENIED, JobState::ERROR),
        (StorageFault::InUse, Hresult::ERROR_SHARING_VIOLATION, JobState::TRANSIENT_ERROR),
    ];
    for (fault, code, state) in table {
        for office in Office::both() {
            let shared = office.shared.clone();
            office.change(|world| world.storage.set(shared, fault));
            office.job.resume().unwrap();
            office.wait(state);
            assert_eq!(office.error(), (ErrorContext::REMOTE_FILE, code), "{fault:?}");
        }
    }
}

#[test]
fn a_copy_goes_on_from_where_its_temporary_file_ends() {
    for office in Office::both() {
        let broken = Fault::new(NETNAME_DELETED, ErrorContext::REMOTE_FILE).transient().at(1_000_000);
        office.emulator.fail_next(broken);
        office.job.resume().unwrap();
        office.wait(JobState::TRANSIENT_ERROR);
        assert!(office.bytes_transferred() >= 1_000_000);
        office.change_first_byte_unnoticed();

        office.job.resume().unwrap();
        office.wait(JobState::TRANSFERRED);

        // The first byte was not read again.
        office.complete(1);
        if let Some(simulation) = &office.simulation {
            assert_eq!(simulation.fetched(NAME).len(), 1);
        }
    }
}

#[test]
fn a_source_that_was_replaced_meanwhile_is_copied_anew() {
    let office = Office::real();
    office.emulator.fail_next(Fault::new(NETNAME_DELETED, ErrorContext::REMOTE_FILE).transient().at(1_000_000));
    office.job.resume().unwrap();
    office.wait(JobState::TRANSIENT_ERROR);

    std::fs::write(office.shared.join("setup.exe"), content(2)).unwrap();
    let later = std::time::SystemTime::now() + Duration::from_hours(1);
    let file = std::fs::File::options().write(true).open(office.shared.join("setup.exe")).unwrap();
    file.set_modified(later).unwrap();
    office.job.resume().unwrap();

    office.wait(JobState::TRANSFERRED);
    office.complete(2);
}

#[test]
fn a_server_that_goes_away_stops_the_copy_until_it_is_back() {
    let office = Office::simulated();
    let simulation = office.simulation.clone().unwrap();
    simulation.hold(NAME, SimHold::Transferring(1_000));
    office.job.resume().unwrap();
    office.wait(JobState::TRANSFERRING);
    office.emulator.settle().unwrap();

    office.change(|world| world.shares.server("files").online = false);
    office.wait(JobState::TRANSIENT_ERROR);
    assert_eq!(office.error(), (ErrorContext::REMOTE_FILE, NETNAME_DELETED));

    simulation.let_go(NAME);
    office.emulator.advance(Duration::from_mins(10)).unwrap();
    assert_eq!(office.error(), (ErrorContext::REMOTE_FILE, BAD_NETPATH));
    office.change(|world| world.shares.server("files").online = true);
    office.emulator.advance(Duration::from_mins(10)).unwrap();
    office.wait(JobState::TRANSFERRED);
    office.complete(1);
}

#[test]
fn a_copy_is_as_fast_as_its_limit_and_stops_when_it_is_told_to() {
    for office in Office::both() {
        // 100,000 bytes a second.
        let limit = Some(InternetBandwidth::all_day(800));
        office.change(|world| world.policies.max_internet_bandwidth = limit);
        office.job.resume().unwrap();
        office.emulator.advance(Duration::from_secs(10)).unwrap();
        assert_eq!(office.job.state(), Ok(JobState::TRANSFERRING));
        let there = office.bytes_transferred();
        assert!((950_000..=1_050_000).contains(&there), "{there}");

        office.job.suspend().unwrap();
        office.emulator.advance(Duration::from_secs(10)).unwrap();
        assert_eq!(office.bytes_transferred(), there);

        office.job.set_priority(JobPriority::FOREGROUND).unwrap();
        office.job.resume().unwrap();
        office.wait(JobState::TRANSFERRED);
        office.complete(1);
    }
}

#[test]
fn an_empty_file_is_copied_too() {
    let office = Office::real();
    std::fs::write(office.shared.join("setup.exe"), "").unwrap();

    office.job.resume().unwrap();
    office.wait(JobState::TRANSFERRED);

    assert_eq!(office.job.complete(), Ok(Success::OK));
    assert_eq!(std::fs::read(office.local.join("setup.exe")).unwrap(), b"");
}

#[test]
fn a_folder_is_no_source() {
    let office = Office::real();
    std::fs::remove_file(office.shared.join("setup.exe")).unwrap();
    std::fs::create_dir(office.shared.join("setup.exe")).unwrap();

    office.job.resume().unwrap();
    office.wait(JobState::ERROR);

    assert_eq!(office.error(), (ErrorContext::REMOTE_FILE, Hresult::E_ACCESSDENIED));
}

#[test]
fn a_drive_that_is_taken_away_in_the_middle_is_an_error_until_it_is_back() {
    let office = Office::simulated();
    let simulation = office.simulation.clone().unwrap();
    simulation.hold(NAME, SimHold::Transferring(1_000));
    office.job.resume().unwrap();
    office.wait(JobState::TRANSFERRING);
    office.emulator.settle().unwrap();

    office.change(|world| world.drives.unmount('C'));
    office.wait(JobState::ERROR);
    assert_eq!(office.error(), (ErrorContext::LOCAL_FILE, Hresult::ERROR_PATH_NOT_FOUND));

    simulation.let_go(NAME);
    let folder = office.local.clone();
    office.change(|world| world.drives.mount('C', folder));
    office.job.resume().unwrap();
    office.wait(JobState::TRANSFERRED);
    office.complete(1);
}

#[test]
fn a_copy_keeps_that_its_source_is_protected_and_can_be_made_again() {
    let office = Office::real();
    let source = office.shared.join("setup.exe");
    let mut permissions = std::fs::metadata(&source).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&source, permissions).unwrap();
    let stamp = FileTime::from(std::fs::metadata(&source).unwrap().modified().unwrap());
    office.job.resume().unwrap();
    office.wait(JobState::TRANSFERRED);

    let file = office.job.enum_files().unwrap().next(1).unwrap().items.remove(0).file3().unwrap();
    file.set_validation_state(false).unwrap();
    office.wait(JobState::ERROR);
    office.job.resume().unwrap();
    office.wait(JobState::TRANSFERRED);
    office.complete(1);

    let copy = std::fs::metadata(office.local.join("setup.exe")).unwrap();
    assert_eq!((copy.permissions().readonly(), FileTime::from(copy.modified().unwrap())), (true, stamp));
}

/// A pipe that nobody writes to would be waited for.
#[cfg(unix)]
#[test]
fn a_pipe_is_no_source() {
    let office = Office::real();
    let source = office.shared.join("setup.exe");
    std::fs::remove_file(&source).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&source).status();
    assert!(made.unwrap().success());

    office.job.resume().unwrap();
    office.wait(JobState::ERROR);

    assert_eq!(office.error(), (ErrorContext::REMOTE_FILE, Hresult::E_ACCESSDENIED));
}
