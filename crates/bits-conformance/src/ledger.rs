//! The jobs that a run has made in a queue that outlives it.
//!
//! What is not in here, and not called as the run calls its jobs, belongs to somebody else, and is never touched.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bits_api::{CreatedJob, EnumJobs, EnumJobsFlags, Guid, Hresult, Job, JobType, LanguageId, Manager};
use bits_api::{PeerCacheAdministration, Success};

use crate::bench::GivenUp;

/// The jobs of each bench, by its number.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    jobs: BTreeMap<u64, Vec<Entry>>,
    /// Where each id is written down too, for the run after one that was killed.
    record: Option<File>,
}

#[derive(Clone, Debug)]
struct Entry {
    id: Guid,
    /// Why it could not be cancelled, once that was tried.
    why: Option<String>,
}

impl Ledger {
    /// A ledger of jobs whose names begin with `name`; it is written down in `record`.
    ///
    /// # Errors
    /// Those of writing.
    pub(crate) fn in_file(mut record: File, name: &str) -> io::Result<Self> {
        writeln!(record, "{name}")?;
        Ok(Self(Mutex::new(Entries { jobs: BTreeMap::new(), record: Some(record) })))
    }

    /// Lets go of the file.
    pub(crate) fn close(&self) {
        self.lock().record = None;
    }

    /// The jobs of that bench, oldest first.
    pub(crate) fn of(&self, bench: u64) -> Vec<Guid> {
        self.lock().jobs.get(&bench).into_iter().flatten().map(|entry| entry.id).collect()
    }

    /// Cancels the jobs of that bench, as far as they are still there. What cannot be cancelled stays
    /// in here.
    pub(crate) fn clear(&self, bench: u64, manager: &dyn Manager) {
        for id in self.of(bench) {
            let cancelled = cancel_by_id(manager, id);
            if let Some(why) = self.settle(bench, id, cancelled) {
                eprintln!("bits-conformance: {why}");
            }
        }
    }

    /// Cancels all jobs that are left.
    pub(crate) fn clear_all(&self, manager: &dyn Manager) {
        let benches: Vec<u64> = self.lock().jobs.keys().copied().collect();
        for bench in benches {
            self.clear(bench, manager);
        }
    }

    /// Whether every job that was made is gone.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().jobs.values().all(Vec::is_empty)
    }

    /// A line for each job that could not be cancelled.
    pub(crate) fn left_behind(&self) -> Vec<String> {
        self.lock().jobs.values().flatten().filter_map(|entry| entry.why.clone()).collect()
    }

    /// Enters what came of cancelling; a line, if there is something new to tell.
    fn settle(&self, bench: u64, id: Guid, cancelled: Result<(), String>) -> Option<String> {
        let mut entries = self.lock();
        let jobs = entries.jobs.get_mut(&bench)?;
        let place = jobs.iter().position(|entry| entry.id == id)?;
        match cancelled {
            Ok(()) => {
                jobs.remove(place);
                None
            }
            Err(why) => {
                let told = jobs[place].why.replace(why.clone());
                (told.as_ref() != Some(&why)).then_some(why)
            }
        }
    }

    fn note(&self, bench: u64, id: Guid) {
        let mut entries = self.lock();
        entries.jobs.entry(bench).or_default().push(Entry { id, why: None });
        let written = entries.record.as_mut().map_or(Ok(()), |record| writeln!(record, "{id}"));
        if let Err(error) = written {
            eprintln!("bits-conformance: the job {id} cannot be written down: {error}");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How the names of all that a run makes begin: its folder, and its jobs.
pub(crate) const PREFIX: &str = "bits-conformance-";

/// What a run has written down of its jobs.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Recorded {
    /// How their names begin.
    name: Option<String>,
    /// Those that it has known of.
    ids: Vec<Guid>,
}

impl Recorded {
    /// Reads a record.
    ///
    /// # Errors
    /// Those of reading.
    pub(crate) fn read(record: &mut File) -> io::Result<Self> {
        let mut text = String::new();
        record.rewind()?;
        record.read_to_string(&mut text)?;
        // The last line may be half a one, and half a name would be that of other runs too.
        let lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        let mut left = Self::default();
        for line in lines {
            match line.parse() {
                Ok(id) => left.ids.push(id),
                Err(_) => left.name = Some(line.to_owned()).filter(|name| name.starts_with(PREFIX)),
            }
        }
        Ok(left)
    }

    /// Cancels those that are still there, and tells of each that stays.
    pub(crate) fn cancel(self, manager: &dyn Manager) -> Vec<String> {
        let mut stays = Vec::new();
        let mut ids = self.ids;
        match self.name.map_or(Ok(Vec::new()), |name| named(manager, &name)) {
            Ok(others) => ids.extend(others),
            Err(code) => stays.push(format!("jobs may stay behind, EnumJobs gives {code}")),
        }
        stays.extend(ids.into_iter().filter_map(|id| cancel_by_id(manager, id).err()));
        stays
    }
}

/// The jobs of this user whose name begins so.
fn named(manager: &dyn Manager, name: &str) -> Result<Vec<Guid>, Hresult> {
    let jobs = manager.enum_jobs(EnumJobsFlags::empty())?.next(u32::MAX)?.items;
    let is_named = |job: &&Arc<dyn Job>| job.display_name().is_ok_and(|told| told.starts_with(name));
    jobs.iter().filter(is_named).map(|job| job.id()).collect()
}

/// Cancels a job; one that is gone is as good.
///
/// # Errors
/// In one line, why it stays.
fn cancel_by_id(manager: &dyn Manager, id: Guid) -> Result<(), String> {
    let stays = |call: &str, code: Hresult| format!("the job {id} stays behind, {call} gives {code}");
    match manager.job(id) {
        Err(Hresult::BG_E_NOT_FOUND) => Ok(()),
        Err(code) => Err(stays("GetJob", code)),
        Ok(job) => cancel(&*job).map(drop).map_err(|code| stays("Cancel", code)),
    }
}

/// Cancels a job; one that has come to its end already is as good.
fn cancel(job: &dyn Job) -> Result<Success, Hresult> {
    match job.cancel() {
        Err(Hresult::BG_E_INVALID_STATE) => Ok(Success::OK),
        ended => ended,
    }
}

/// A manager that enters what is created through it for one bench.
#[derive(Debug)]
pub(crate) struct Noting {
    pub(crate) manager: Arc<dyn Manager>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) bench: u64,
    /// Nothing more is created when this is set.
    pub(crate) given_up: GivenUp,
}

impl Manager for Noting {
    fn create_job(&self, display_name: Option<&str>, job_type: JobType) -> Result<CreatedJob, Hresult> {
        if self.given_up.is_set() {
            return Err(Hresult::E_ABORT);
        }
        let created = self.manager.create_job(display_name, job_type)?;
        self.ledger.note(self.bench, created.id);
        // The ledger may have been cleared in between.
        if self.given_up.is_set() {
            self.ledger.clear(self.bench, &*self.manager);
            return Err(Hresult::E_ABORT);
        }
        Ok(created)
    }

    fn job(&self, id: Guid) -> Result<Arc<dyn Job>, Hresult> {
        self.manager.job(id)
    }

    fn enum_jobs(&self, flags: EnumJobsFlags) -> Result<Arc<EnumJobs>, Hresult> {
        self.manager.enum_jobs(flags)
    }

    fn peer_cache_administration(&self) -> Result<Arc<dyn PeerCacheAdministration>, Hresult> {
        self.manager.peer_cache_administration()
    }

    fn error_description(&self, code: Hresult, language: LanguageId) -> Result<String, Hresult> {
        self.manager.error_description(code, language)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A manager that has no job: it gives that code to whoever asks for one.
    #[derive(Debug)]
    pub(crate) struct Jobless {
        pub(crate) code: Hresult,
        pub(crate) asked: Mutex<Vec<Guid>>,
    }

    impl Jobless {
        pub(crate) fn with(code: Hresult) -> Self {
            Self { code, asked: Mutex::default() }
        }
    }

    impl Manager for Jobless {
        fn create_job(&self, _: Option<&str>, _: JobType) -> Result<CreatedJob, Hresult> {
            Err(self.code)
        }

        fn job(&self, id: Guid) -> Result<Arc<dyn Job>, Hresult> {
            self.asked.lock().expect("one asks").push(id);
            Err(self.code)
        }

        fn enum_jobs(&self, _: EnumJobsFlags) -> Result<Arc<EnumJobs>, Hresult> {
            Err(self.code)
        }

        fn peer_cache_administration(&self) -> Result<Arc<dyn PeerCacheAdministration>, Hresult> {
            Err(self.code)
        }

        fn error_description(&self, _: Hresult, _: LanguageId) -> Result<String, Hresult> {
            Err(self.code)
        }
    }

    #[test]
    fn a_job_that_is_gone_is_forgotten_and_one_that_cannot_be_had_is_kept_and_told() {
        let id = Guid::from_u128(7);
        let ledger = Ledger::default();
        ledger.note(1, id);

        ledger.clear_all(&Jobless::with(Hresult::E_ACCESSDENIED));
        let told = ledger.left_behind();
        ledger.clear_all(&Jobless::with(Hresult::BG_E_NOT_FOUND));

        assert!(matches!(&told[..], [line] if line.contains(&id.to_string()) && line.contains("E_ACCESSDENIED")));
        assert!(ledger.of(1).is_empty() && ledger.left_behind().is_empty());
    }

    #[test]
    fn the_record_tells_the_name_and_each_job_and_half_a_line_is_none() {
        let mut file = tempfile::tempfile().expect("a file");
        let name = format!("{PREFIX}7");
        let ledger = Ledger::in_file(file.try_clone().expect("the same file"), &name).expect("a record");
        let ids = [Guid::from_u128(7), Guid::from_u128(8)];
        for id in ids {
            ledger.note(1, id);
        }
        write!(file, "0000").expect("half a line");

        let recorded = Recorded::read(&mut file).expect("a record");
        assert_eq!(recorded, Recorded { name: Some(name), ids: ids.to_vec() });
    }

    #[test]
    fn a_name_that_jobs_of_others_may_have_is_none() {
        for text in [PREFIX, "\n", "update\n", "bits\n"] {
            let mut file = tempfile::tempfile().expect("a file");
            write!(file, "{text}").expect("a line");

            assert_eq!(Recorded::read(&mut file).expect("a record"), Recorded::default(), "{text:?}");
        }
    }
}
