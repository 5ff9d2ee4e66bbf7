//! A queue in a state folder.
//!
//! `queue.redb` holds tables: `meta` says whose file it is and in which format, `jobs` and
//! `files` hold a record for each key; `peer cache` and `preferences` come with the first entry.
//! Only the owner of a new file may read it. `queue.keys` is what secrets are sealed with.
//! `queue.lock` is held while a store is open. A new file is made beside its place and moved there
//! when it is whole, so a process that dies in between leaves none behind.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::iter::Peekable;
use std::path::{Path, PathBuf};

use bits_engine::{Change, FileIndex, FileRecord, JobKey, JobRecord, Saved, SavedCache};
use redb::backends::FileBackend;
use redb::{
    AccessGuard, Database, Range, ReadableDatabase, ReadableTable, StorageBackend, StorageError, Table,
    TableDefinition, TableError, WriteTransaction,
};

use crate::StoreError;
use crate::buffered::Buffered;
use crate::keys::for_the_owner;
use crate::record::{self, Found, JobIn, JobOut};
use crate::seal::{OnRecord, Sealed, Sealer};
use crate::v4::OneForAll;

const META: TableDefinition<&str, u32> = TableDefinition::new("meta");
const JOBS: TableDefinition<u64, &[u8]> = TableDefinition::new("jobs");
const FILES: TableDefinition<(u64, u32), &[u8]> = TableDefinition::new("files");

/// Came with version 2 of the records: an older file has neither.
const CACHED: TableDefinition<u128, &[u8]> = TableDefinition::new("peer cache");
const PREFERENCES: TableDefinition<&str, &[u8]> = TableDefinition::new("preferences");
const PEER_CACHE_KEY: &str = "peer cache";

const FORMAT_KEY: &str = "bits-emulator queue format";

/// The format that this program writes: which tables there are, and how their keys are made.
pub(crate) const FORMAT: u32 = 1;

const CACHE_BYTES: usize = 16 << 20;

/// An open queue.
#[derive(Debug)]
pub(crate) struct Disk {
    // Closed before the lock is given up: fields are dropped in order.
    database: Database,
    _lock: Option<File>,
    file: PathBuf,
    buffer: Vec<u8>,
    sealer: Sealer,
}

impl Disk {
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        let unusable = |source| StoreError::Folder { folder: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(unusable)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("queue.lock"));
        let lock = lock.map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { folder: folder.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        let file = folder.join("queue.redb");
        if !file.try_exists().map_err(unusable)? {
            create(folder, &file)?;
        }
        let backend = Buffered(open_file(&file)?);
        let mut disk = Self { _lock: Some(lock), ..Self::on(backend, file)? };
        disk.take_up(Sealer::of(folder)?)?;
        if let Some(old) = OneForAll::of(folder)? {
            disk.seal_anew(&old, folder)?;
            old.destroy()?;
        }
        Ok(disk)
    }

    /// Opens the whole queue that `backend` holds; errors call it `file`.
    pub(crate) fn on(backend: impl StorageBackend, file: PathBuf) -> Result<Self, StoreError> {
        check_kind(&backend, &file)?;
        let database = database(backend, &file)?;
        check_format(&database, &file)?;
        Ok(Self { database, _lock: None, file, buffer: Vec::new(), sealer: Sealer::without_folder() })
    }

    pub(crate) fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.transact(|tables| changes.iter().try_for_each(|change| tables.apply(change)))
    }

    /// Changes the tables, all that `change` does or nothing; keys of what is gone are destroyed.
    fn transact(
        &mut self,
        change: impl FnOnce(&mut Tables<'_, '_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let file = &self.file;
        let transaction = self.database.begin_write().map_err(|error| failed(file, error))?;
        let changed = {
            let mut tables = Tables {
                jobs: transaction.open_table(JOBS).map_err(|error| failed(file, error))?,
                files: transaction.open_table(FILES).map_err(|error| failed(file, error))?,
                transaction: &transaction,
                buffer: &mut self.buffer,
                sealer: &mut self.sealer,
                file,
            };
            change(&mut tables)
        };
        if let Err(error) = changed {
            drop(transaction);
            self.sealer.undone()?;
            return Err(error);
        }
        // Whether a commit that fails is on record shows at the next start, which looks after the keys.
        transaction.commit().map_err(|error| failed(file, error))?;
        self.sealer.done()
    }

    /// Opens secrets with the keys of `sealer`.
    pub(crate) fn take_up(&mut self, mut sealer: Sealer) -> Result<(), StoreError> {
        let file = &self.file;
        let transaction = self.database.begin_read().map_err(|error| failed(file, error))?;
        let jobs = transaction.open_table(JOBS).map_err(|error| failed(file, error))?;
        sealer.take_up(|JobKey(job)| {
            let Some(record) = jobs.get(job).map_err(|error| failed(file, error))? else {
                return Ok(OnRecord::Nothing);
            };
            Ok(match record::decode::<JobIn>(record.value()) {
                Ok(JobIn { sealed: Some(Found::ByItsOwn(Sealed { place, .. })), .. }) => OnRecord::SealedWith(place),
                Ok(_) => OnRecord::Nothing,
                Err(_) => OnRecord::Unreadable,
            })
        })?;
        drop(jobs);
        self.sealer = sealer;
        Ok(())
    }

    /// Gives every job whose secrets `old` opens a key of its own; the disk has all of it when this
    /// returns.
    fn seal_anew(&mut self, old: &OneForAll, folder: &Path) -> Result<(), StoreError> {
        let file = self.file.clone();
        let mut opened = Vec::new();
        for saved in self.load()?.records() {
            let JobIn { mut job, sealed } = saved?;
            let Some(Found::ByOneForAll(sealed)) = sealed else { continue };
            if let Some(secrets) = old.open(job.key, &sealed) {
                job.secrets = Some(Box::new(secrets));
                opened.push(job);
            }
        }
        self.transact(|tables| opened.iter().try_for_each(|job| tables.keep(job)))?;
        self.sealer.sync()?;
        open_file(&file)?.sync_data().map_err(|error| storage(&file, error))?;
        // The names of both, too, whichever run has made them.
        sync_folder(folder).map_err(|source| StoreError::Folder { folder: folder.to_owned(), source })
    }

    pub(crate) fn load(&self) -> Result<Loading<'_>, StoreError> {
        let file = &self.file;
        let transaction = self.database.begin_read().map_err(|error| failed(file, error))?;
        let jobs = transaction.open_table(JOBS).map_err(|error| failed(file, error))?;
        let files = transaction.open_table(FILES).map_err(|error| failed(file, error))?;
        Ok(Loading {
            jobs: jobs.range::<u64>(..).map_err(|error| failed(file, error))?,
            files: files.range::<(u64, u32)>(..).map_err(|error| failed(file, error))?.peekable(),
            sealer: &self.sealer,
            file,
        })
    }

    pub(crate) fn load_cache(&self) -> Result<SavedCache, StoreError> {
        let file = &self.file;
        let mut saved = SavedCache::default();
        let transaction = self.database.begin_read().map_err(|error| failed(file, error))?;
        if let Some(cached) = if_there(transaction.open_table(CACHED), file)? {
            for row in cached.iter().map_err(|error| failed(file, error))? {
                let (id, bytes) = row.map_err(|error| failed(file, error))?;
                let what = |what| damaged(file, format!("the record of cached file {:x}: {what}", id.value()));
                saved.records.push(record::decode(bytes.value()).map_err(what)?);
            }
        }
        if let Some(table) = if_there(transaction.open_table(PREFERENCES), file)?
            && let Some(bytes) = table.get(PEER_CACHE_KEY).map_err(|error| failed(file, error))?
        {
            let what = |what| damaged(file, format!("the preferences of the peer cache: {what}"));
            saved.preferences = record::decode(bytes.value()).map_err(what)?;
        }
        Ok(saved)
    }
}

/// What a table that older files lack gives.
fn if_there<T>(opened: Result<T, TableError>, file: &Path) -> Result<Option<T>, StoreError> {
    match opened {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(failed(file, error)),
    }
}

/// Makes the empty queue `file`, whole or not at all.
fn create(folder: &Path, file: &Path) -> Result<(), StoreError> {
    let unfinished = folder.join("queue.redb.new");
    // URLs may be secrets too: many carry a signature.
    let made = for_the_owner().create(true).truncate(true).read(true).write(true).open(&unfinished);
    let made = made.map_err(|source| StoreError::Folder { folder: folder.to_owned(), source })?;
    initialise(FileBackend::new(made).map_err(|error| failed(file, error))?, file)?;
    fs::rename(&unfinished, file).map_err(|error| storage(file, error))
}

/// Makes an empty queue in `backend`, which is empty.
pub(crate) fn initialise(backend: impl StorageBackend, file: &Path) -> Result<(), StoreError> {
    let database = database(backend, file)?;
    let transaction = database.begin_write().map_err(|error| failed(file, error))?;
    transaction
        .open_table(META)
        .and_then(|mut meta| Ok(meta.insert(FORMAT_KEY, FORMAT).map(drop)?))
        .map_err(|error| failed(file, error))?;
    transaction.open_table(JOBS).map_err(|error| failed(file, error))?;
    transaction.open_table(FILES).map_err(|error| failed(file, error))?;
    transaction.commit().map_err(|error| failed(file, error))
}

/// Waits until the disk has the names in `folder`; where folders cannot be synced, a name is on record
/// with its file.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn open_file(file: &Path) -> Result<FileBackend, StoreError> {
    let opened = OpenOptions::new().read(true).write(true).open(file).map_err(|error| storage(file, error))?;
    FileBackend::new(opened).map_err(|error| failed(file, error))
}

fn database(backend: impl StorageBackend, file: &Path) -> Result<Database, StoreError> {
    Database::builder()
        .set_cache_size(CACHE_BYTES)
        .set_check_integrity_on_open(true)
        .create_with_backend(backend)
        .map_err(|error| failed(file, error))
}

/// Looks at the first bytes, since redb would make a database of an empty file.
fn check_kind(backend: &impl StorageBackend, file: &Path) -> Result<(), StoreError> {
    const MAGIC: [u8; 9] = *b"redb\x1A\x0A\xA9\x0D\x0A";
    let not_a_store = |what: &str| Err(StoreError::NotAStore { file: file.to_owned(), what: what.into() });
    let mut start = [0; MAGIC.len()];
    match backend.len().map_err(|error| storage(file, error))? {
        0 => return not_a_store("it is empty"),
        1..=8 => return not_a_store("it is too short"),
        _ => backend.read(0, &mut start).map_err(|error| storage(file, error))?,
    }
    if start == MAGIC { Ok(()) } else { not_a_store("it is no database") }
}

fn check_format(database: &Database, file: &Path) -> Result<(), StoreError> {
    let not_a_store = |what: String| StoreError::NotAStore { file: file.to_owned(), what };
    let transaction = database.begin_read().map_err(|error| failed(file, error))?;
    let meta = match transaction.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::Storage(error)) => return Err(failed(file, error)),
        Err(error) => return Err(not_a_store(error.to_string())),
    };
    match meta.get(FORMAT_KEY).map_err(|error| failed(file, error))?.map(|found| found.value()) {
        None => Err(not_a_store("it does not say its format".into())),
        Some(FORMAT) => Ok(()),
        Some(found) if found > FORMAT => Err(StoreError::Newer { file: file.to_owned(), found, known: FORMAT }),
        Some(found) => Err(damaged(file, format!("no version wrote a format {found}"))),
    }
}

/// The tables of one transaction.
struct Tables<'txn, 'a> {
    transaction: &'txn WriteTransaction,
    jobs: Table<'txn, u64, &'static [u8]>,
    files: Table<'txn, (u64, u32), &'static [u8]>,
    buffer: &'a mut Vec<u8>,
    sealer: &'a mut Sealer,
    file: &'a Path,
}

impl Tables<'_, '_> {
    fn apply(&mut self, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::Job(job) => self.keep(job)?,
            Change::File(file) => {
                if self.jobs.get(file.job.0).map_err(|error| failed(self.file, error))?.is_none() {
                    return Err(StoreError::FileWithoutJob { job: file.job, file: file.index });
                }
                record::encode(&**file, self.buffer).map_err(|error| storage(self.file, error))?;
                let key = (file.job.0, file.index.0);
                self.files.insert(key, &**self.buffer).map_err(|error| failed(self.file, error))?;
            }
            Change::Remove(key @ JobKey(job)) => {
                self.sealer.remove(*key);
                self.jobs.remove(*job).map_err(|error| failed(self.file, error))?;
                let files = (*job, 0)..=(*job, u32::MAX);
                self.files.retain_in(files, |_, _| false).map_err(|error| failed(self.file, error))?;
            }
            Change::Cached(record) => {
                record::encode(&**record, self.buffer).map_err(|error| storage(self.file, error))?;
                let mut cached = self.transaction.open_table(CACHED).map_err(|error| failed(self.file, error))?;
                cached.insert(record.id.as_u128(), &**self.buffer).map_err(|error| failed(self.file, error))?;
            }
            Change::Uncached(id) => {
                let mut cached = self.transaction.open_table(CACHED).map_err(|error| failed(self.file, error))?;
                cached.remove(id.as_u128()).map_err(|error| failed(self.file, error))?;
            }
            Change::CachePreferences(preferences) => {
                record::encode(preferences, self.buffer).map_err(|error| storage(self.file, error))?;
                let mut table = self.transaction.open_table(PREFERENCES).map_err(|error| failed(self.file, error))?;
                table.insert(PEER_CACHE_KEY, &**self.buffer).map_err(|error| failed(self.file, error))?;
            }
        }
        Ok(())
    }

    fn keep(&mut self, job: &JobRecord) -> Result<(), StoreError> {
        let sealed = if let Some(secrets) = &job.secrets {
            Some(self.sealer.seal(job.key, secrets, self.sealed(job.key)?)?)
        } else {
            self.sealer.remove(job.key);
            None
        };
        record::encode(&JobOut { job, sealed }, self.buffer).map_err(|error| storage(self.file, error))?;
        self.jobs.insert(job.key.0, &**self.buffer).map_err(|error| failed(self.file, error))?;
        Ok(())
    }

    /// The secrets that are on record of `job`.
    fn sealed(&self, job: JobKey) -> Result<Option<Sealed>, StoreError> {
        if !self.sealer.knows(job) {
            return Ok(None);
        }
        let record = self.jobs.get(job.0).map_err(|error| failed(self.file, error))?;
        let read = record.and_then(|record| record::decode::<JobIn>(record.value()).ok());
        Ok(match read.and_then(|read| read.sealed) {
            Some(Found::ByItsOwn(sealed)) => Some(sealed),
            _ => None,
        })
    }
}

/// Both tables in one pass: they are ordered by job.
pub(crate) struct Loading<'a> {
    jobs: Range<'static, u64, &'static [u8]>,
    files: Peekable<Range<'static, (u64, u32), &'static [u8]>>,
    sealer: &'a Sealer,
    file: &'a Path,
}

type Row<K> = Result<(AccessGuard<'static, K>, AccessGuard<'static, &'static [u8]>), StorageError>;

impl Iterator for Loading<'_> {
    type Item = Result<Saved, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.jobs.next()?;
        Some(self.saved(row))
    }
}

impl<'a> Loading<'a> {
    /// The jobs without their files, as the file has them.
    pub(crate) fn records(self) -> impl Iterator<Item = Result<JobIn, StoreError>> + use<'a> {
        self.jobs.map(move |row| record_of(row, self.file))
    }

    fn saved(&mut self, row: Row<u64>) -> Result<Saved, StoreError> {
        let JobIn { mut job, sealed } = record_of(row, self.file)?;
        let secrets = sealed.as_ref().and_then(|found| match found {
            Found::ByItsOwn(sealed) => self.sealer.open(job.key, sealed),
            // The old key was not there, or another one, when the queue was taken over.
            Found::ByOneForAll(_) => None,
        });
        job.secrets = secrets.map(Box::new);
        let lost_secrets = sealed.is_some() && job.secrets.is_none();
        Ok(Saved { files: self.files_of(job.key)?, job, lost_secrets })
    }

    fn files_of(&mut self, job: JobKey) -> Result<Vec<FileRecord>, StoreError> {
        let mut files = Vec::new();
        let is_next = |row: &Row<(u64, u32)>| row.as_ref().map_or(true, |(key, _)| key.value().0 <= job.0);
        while let Some(row) = self.files.next_if(is_next) {
            let (key, bytes) = row.map_err(|error| failed(self.file, error))?;
            let (key, index) = key.value();
            let broken = |what: String| damaged(self.file, format!("the record of file {index} of job {key}: {what}"));
            let file: FileRecord = record::decode(bytes.value()).map_err(broken)?;
            let expected = (job, FileIndex(u32::try_from(files.len()).unwrap_or(u32::MAX)));
            if (file.job, file.index) != (JobKey(key), FileIndex(index)) || (file.job, file.index) != expected {
                return Err(broken(format!("file {} of job {} was to follow", expected.1.0, expected.0.0)));
            }
            if files.is_empty() {
                // Most jobs have one file, and room for more would double what a long queue takes.
                files.reserve_exact(1);
            }
            files.push(file);
        }
        Ok(files)
    }
}

fn record_of(row: Row<u64>, file: &Path) -> Result<JobIn, StoreError> {
    let (key, bytes) = row.map_err(|error| failed(file, error))?;
    let key = JobKey(key.value());
    let read: JobIn =
        record::decode(bytes.value()).map_err(|what| damaged(file, format!("the record of job {}: {what}", key.0)))?;
    if read.job.key != key {
        return Err(damaged(file, format!("the record of job {} is that of job {}", key.0, read.job.key.0)));
    }
    Ok(read)
}

/// Sorts an error of redb: the file's own fault, or the system's.
fn failed(file: &Path, error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::Corrupted(what) => damaged(file, what),
        // What redb says of bytes that make no sense, and of a file that ends too early.
        redb::Error::Io(error) if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) => {
            damaged(file, error.to_string())
        }
        error @ (redb::Error::UpgradeRequired(_) | redb::Error::TableTypeMismatch { .. }) => {
            damaged(file, error.to_string())
        }
        redb::Error::DatabaseAlreadyOpen => StoreError::InUse { folder: file.parent().unwrap_or(file).to_owned() },
        error => storage(file, error),
    }
}

fn damaged(file: &Path, what: String) -> StoreError {
    StoreError::Damaged { file: file.to_owned(), what }
}

fn storage(file: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Storage { file: file.to_owned(), source: source.into() }
}
