//! Local disks that fail as the world says, with real files and with simulated ones alike.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bits_api::{ErrorContext, Hresult, Job, JobState, JobType, Success};
use bits_origin::{Content, Origin};
use bits_service::{Client, Emulator, Simulation};
use bits_world::StorageFault;
use tempfile::TempDir;

const SIZE: u64 = 1_000;
const SOON: Duration = Duration::from_secs(30);
const WRITE_PROTECT: Hresult = Hresult(0x8007_0013);

/// An emulator with a drive C: and a file to download to it.
struct Machine {
    emulator: Emulator,
    client: Client,
    url: String,
    folder: PathBuf,
    files: Files,
}

/// Where local files are.
enum Files {
    Simulated(Simulation),
    Real { _folder: TempDir, _origin: Arc<Origin> },
}

impl Machine {
    fn simulated() -> Self {
        let simulation = Simulation::new();
        let url = "http://updates.example/setup.exe".to_owned();
        simulation.serve(&url, SIZE);
        let builder = Emulator::builder().simulated(&simulation);
        Self::new(builder, url, "/drive-c".into(), Files::Simulated(simulation))
    }

    fn real() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let emulator = Emulator::builder();
        let clock = bits_world::clock::VirtualClock::new();
        let clock = bits_world::clock::Clock::Virtual(clock);
        let origin = Arc::new(Origin::start(clock.clone()).unwrap());
        origin.put("/setup.exe", Content::synthetic(SIZE, 1));
        let (url, path) = (origin.url("/setup.exe"), folder.path().to_owned());
        Self::new(emulator.clock(clock), url, path, Files::Real { _folder: folder, _origin: origin })
    }

    fn new(builder: bits_service::Builder, url: String, folder: PathBuf, files: Files) -> Self {
        let emulator = builder.world(|world| world.drives.mount('C', &folder)).start().unwrap();
        let client = emulator.client("updater.exe");
        Self { emulator, client, url, folder, files }
    }

    fn both() -> [Self; 2] {
        [Self::simulated(), Self::real()]
    }

    fn job(&self) -> Arc<dyn Job> {
        let job = self.client.manager().unwrap().create_job(Some("update"), JobType::DOWNLOAD).unwrap().job;
        job.add_file(Some(&self.url), Some(r"C:\setup.exe")).unwrap();
        job
    }

    fn harm(&self, path: &Path, fault: StorageFault) {
        self.emulator.change_world(|world| world.storage.set(path, fault));
    }

    fn mend(&self, path: &Path) {
        self.emulator.change_world(|world| world.storage.mend(path));
    }

    fn wait(&self, job: &Arc<dyn Job>, state: JobState) {
        self.emulator.wait_state(job, state, SOON).unwrap();
    }

    /// The lengths of all local files.
    fn lengths(&self) -> Vec<u64> {
        match &self.files {
            Files::Simulated(simulation) => {
                simulation.local_files().iter().filter_map(|path| simulation.local_length(path)).collect()
            }
            Files::Real { .. } => {
                std::fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).collect()
            }
        }
    }

    fn put(&self, name: &str) {
        match &self.files {
            Files::Simulated(simulation) => simulation.put_file(&self.folder.join(name), 1),
            Files::Real { .. } => {
                let path = self.folder.join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, "x").unwrap();
            }
        }
    }

    fn is_there(&self, name: &str) -> bool {
        match &self.files {
            Files::Simulated(simulation) => simulation.local_length(&self.folder.join(name)).is_some(),
            Files::Real { .. } => self.folder.join(name).exists(),
        }
    }
}

fn error_of(job: &Arc<dyn Job>) -> (ErrorContext, Hresult) {
    job.error().unwrap().error().unwrap()
}

#[test]
fn a_disk_that_refuses_the_file_is_an_error_until_it_is_mended_and_the_job_resumed() {
    let table = [
        (StorageFault::Missing, Hresult::ERROR_PATH_NOT_FOUND),
        (StorageFault::Denied, Hresult::ERROR_ACCESS_DENIED),
        (StorageFault::ReadOnly, WRITE_PROTECT),
        (StorageFault::Full(400), Hresult::ERROR_DISK_FULL),
    ];
    for (fault, code) in table {
        for machine in Machine::both() {
            let job = machine.job();
            machine.harm(&machine.folder, fault);

            job.resume().unwrap();
            machine.wait(&job, JobState::ERROR);
            assert_eq!(error_of(&job), (ErrorContext::LOCAL_FILE, code), "{fault:?}");
            machine.emulator.advance(Duration::from_hours(1)).unwrap();
            assert_eq!(job.state(), Ok(JobState::ERROR));

            machine.mend(&machine.folder);
            job.resume().unwrap();
            machine.wait(&job, JobState::TRANSFERRED);
            assert_eq!(job.complete(), Ok(Success::OK));
            assert_eq!(machine.lengths(), [SIZE], "{fault:?}");
        }
    }
}

#[test]
fn a_full_disk_keeps_what_had_room_and_the_job_goes_on_from_there() {
    for machine in Machine::both() {
        let job = machine.job();
        machine.harm(&machine.folder, StorageFault::Full(400));
        job.resume().unwrap();
        machine.wait(&job, JobState::ERROR);
        assert_eq!(machine.lengths(), [400]);

        machine.harm(&machine.folder, StorageFault::Full(600));
        job.resume().unwrap();

        machine.wait(&job, JobState::TRANSFERRED);
        assert_eq!(machine.lengths(), [SIZE]);
    }
}

#[test]
fn what_another_job_gives_back_makes_room() {
    for machine in Machine::both() {
        machine.harm(&machine.folder, StorageFault::Full(SIZE));
        let (first, second) = (machine.job(), machine.job());
        first.resume().unwrap();
        machine.wait(&first, JobState::TRANSFERRED);
        second.resume().unwrap();
        machine.wait(&second, JobState::ERROR);

        first.cancel().unwrap();
        second.resume().unwrap();

        machine.wait(&second, JobState::TRANSFERRED);
    }
}

#[test]
fn a_file_that_another_program_has_opened_is_tried_again_by_itself() {
    for machine in Machine::both() {
        let job = machine.job();
        machine.harm(&machine.folder, StorageFault::InUse);

        job.resume().unwrap();
        machine.wait(&job, JobState::TRANSIENT_ERROR);
        assert_eq!(error_of(&job), (ErrorContext::LOCAL_FILE, Hresult::ERROR_SHARING_VIOLATION));

        machine.mend(&machine.folder);
        machine.emulator.advance(Duration::from_mins(10)).unwrap();
        machine.wait(&job, JobState::TRANSFERRED);
    }
}

#[test]
fn a_rename_that_fails_leaves_the_job_transferred_until_it_can_be_made() {
    let table = [
        (StorageFault::Missing, Hresult::ERROR_PATH_NOT_FOUND),
        (StorageFault::Denied, Hresult::ERROR_ACCESS_DENIED),
        (StorageFault::ReadOnly, WRITE_PROTECT),
        (StorageFault::InUse, Hresult::ERROR_SHARING_VIOLATION),
        (StorageFault::Pinned, Hresult::ERROR_SHARING_VIOLATION),
    ];
    for (fault, code) in table {
        for machine in Machine::both() {
            let job = machine.job();
            job.resume().unwrap();
            machine.wait(&job, JobState::TRANSFERRED);
            machine.harm(&machine.folder, fault);

            for _ in 0..2 {
                assert_eq!(job.complete(), Err(code), "{fault:?}");
                assert_eq!(job.state(), Ok(JobState::TRANSFERRED));
                assert!(!machine.is_there("setup.exe"));
            }

            machine.mend(&machine.folder);
            assert_eq!(job.complete(), Ok(Success::OK), "{fault:?}");
            assert!(machine.is_there("setup.exe"));
        }
    }
}

#[test]
fn a_temporary_file_that_cannot_be_deleted_is_told_of() {
    for fault in [StorageFault::Denied, StorageFault::ReadOnly, StorageFault::InUse, StorageFault::Pinned] {
        for machine in Machine::both() {
            let job = machine.job();
            job.resume().unwrap();
            machine.wait(&job, JobState::TRANSFERRED);
            machine.harm(&machine.folder, fault);

            assert_eq!(job.cancel(), Ok(Success::UNABLE_TO_DELETE_FILES), "{fault:?}");
            assert_eq!((job.state(), machine.lengths()), (Ok(JobState::CANCELLED), vec![SIZE]));
        }
    }
}

#[test]
fn add_file_looks_at_the_folder() {
    let table = [
        (StorageFault::Missing, Err(Hresult::ERROR_DIRECTORY)),
        (StorageFault::Denied, Err(Hresult::E_ACCESSDENIED)),
        (StorageFault::ReadOnly, Err(Hresult::E_ACCESSDENIED)),
        (StorageFault::Full(0), Ok(Success::OK)),
        (StorageFault::InUse, Ok(Success::OK)),
    ];
    for (fault, result) in table {
        for machine in Machine::both() {
            let job = machine.job();
            machine.harm(&machine.folder, fault);

            assert_eq!(job.add_file(Some(&machine.url), Some(r"C:\second.exe")), result, "{fault:?}");
        }
    }
}

#[test]
fn a_fault_stays_over_a_restart_of_the_service() {
    for machine in Machine::both() {
        let id = machine.job().id().unwrap();
        machine.harm(&machine.folder, StorageFault::Denied);
        machine.emulator.restart().unwrap();

        let job = machine.client.manager().unwrap().job(id).unwrap();
        job.resume().unwrap();

        machine.wait(&job, JobState::ERROR);
    }
}

#[test]
fn on_a_drive_names_are_found_in_any_case() {
    for machine in Machine::both() {
        machine.put("Program Files/OLD.exe");
        let job = machine.client.manager().unwrap().create_job(Some("update"), JobType::DOWNLOAD).unwrap().job;
        job.add_file(Some(&machine.url), Some(r"C:\program FILES\old.EXE")).unwrap();

        job.resume().unwrap();
        machine.wait(&job, JobState::TRANSFERRED);
        assert!(machine.is_there("Program Files/OLD.exe"));
        assert_eq!(job.complete(), Ok(Success::OK));

        assert!(machine.is_there("Program Files/old.EXE"));
        if !cfg!(any(windows, target_os = "macos")) {
            assert!(!machine.is_there("Program Files/OLD.exe"));
        }
    }
}

#[test]
fn two_spellings_of_one_local_name_are_the_same_where_names_may_not_be_given_twice() {
    for (choice, result) in [("accepted", Ok(Success::OK)), ("refused", Err(Hresult::E_INVALIDARG))] {
        let builder =
            Emulator::builder().simulated(&Simulation::new()).decision("job.add_file.duplicate_local", choice);
        let files = Files::Simulated(Simulation::new());
        let machine = Machine::new(builder, "http://updates.example/setup.exe".into(), "/drive-c".into(), files);
        let job = machine.job();

        assert_eq!(job.add_file(Some(&machine.url), Some("c:/SETUP.EXE.")), result);
        assert_eq!(job.add_file(Some(&machine.url), Some(r"C:\other.exe")), Ok(Success::OK));
    }
}

#[test]
fn the_source_of_an_upload_that_cannot_be_read_is_an_error_of_the_local_file() {
    let machine = Machine::simulated();
    machine.put("report.txt");
    let job = machine.client.manager().unwrap().create_job(Some("report"), JobType::UPLOAD).unwrap().job;
    job.add_file(Some("http://updates.example/in/report.txt"), Some(r"C:\report.txt")).unwrap();
    let report = machine.folder.join("report.txt");
    machine.harm(&report, StorageFault::InUse);

    job.resume().unwrap();
    machine.wait(&job, JobState::TRANSIENT_ERROR);
    assert_eq!(error_of(&job), (ErrorContext::LOCAL_FILE, Hresult::ERROR_SHARING_VIOLATION));

    machine.mend(&report);
    machine.emulator.advance(Duration::from_mins(10)).unwrap();
    machine.wait(&job, JobState::TRANSFERRED);
}

#[test]
fn a_file_that_vanishes_is_missed_at_complete() {
    for machine in Machine::both() {
        let job = machine.job();
        job.resume().unwrap();
        machine.wait(&job, JobState::TRANSFERRED);
        match &machine.files {
            Files::Simulated(simulation) => simulation.lose_file(&simulation.local_files()[0]),
            Files::Real { .. } => {
                let entry = std::fs::read_dir(&machine.folder).unwrap().next().unwrap().unwrap();
                std::fs::remove_file(entry.path()).unwrap();
            }
        }

        assert_eq!(job.complete(), Err(Hresult::ERROR_FILE_NOT_FOUND));
        assert_eq!(job.state(), Ok(JobState::TRANSFERRED));
    }
}
