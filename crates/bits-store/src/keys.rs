//! Keys that can be destroyed: a file of small places, each of which holds one key or nothing.
//!
//! The queue's own file is written beside what it replaces, and what was removed lies on in its free
//! pages until something else comes there. So each sealing has a key of its own, and a key is
//! destroyed where it lies: its place is overwritten with zeros, and the disk has them before
//! anybody is told that the secret is gone. That costs one write, however many keys there are; and
//! no older version of the file is left behind, as one that is written anew and renamed would leave.
//!
//! The file is `queue.keys` beside the queue, which only its owner may read. It is made with the
//! first key, begins with a header, and grows by whole pages. No place reaches from one sector into
//! the next. This room never knows what a key is for beyond the job that it belongs to.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use bits_engine::JobKey;
use redb::StorageBackend;
use redb::backends::FileBackend;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

pub(crate) const KEY_LEN: usize = 32;

/// How long a place is: the job, little end first, its key, and zeros. The header has one, too.
const PLACE: usize = 64;
const HEADER: &[u8] = b"bits-emulator queue keys 1\n";
/// By so much the file grows.
const PAGE: usize = 4096;

/// A key; nobody sees it, and memory forgets it.
#[derive(Clone)]
pub(crate) struct Key(Zeroizing<[u8; KEY_LEN]>);

impl Key {
    fn new() -> io::Result<Self> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        SystemRandom::new().fill(&mut *bytes).map_err(|_| io::Error::other("the system gives no random numbers"))?;
        Ok(Self(bytes))
    }

    pub(crate) fn expose(&self) -> &[u8] {
        &*self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// Which place a key has.
pub(crate) type Place = u32;

/// The keys of one queue.
#[derive(Debug)]
pub(crate) struct Keys {
    home: Home,
    /// What is in each place of the file.
    places: Vec<Option<(JobKey, Key)>>,
    /// The empty ones.
    free: BTreeSet<Place>,
}

/// Where keys lie.
#[derive(Debug)]
enum Home {
    /// In memory alone: they end with the store.
    Nowhere,
    /// In this file, once there is one.
    Unmade(PathBuf),
    Made(Box<dyn StorageBackend>),
}

impl Keys {
    /// Of a queue that lies in no folder.
    pub(crate) fn in_memory() -> Self {
        Self { home: Home::Nowhere, places: Vec::new(), free: BTreeSet::new() }
    }

    /// Those that lie in `file`, if it is there.
    pub(crate) fn of(file: PathBuf) -> io::Result<Self> {
        match OpenOptions::new().read(true).write(true).open(&file) {
            Ok(opened) => Self::on(Box::new(backend(opened)?)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok(Self { home: Home::Unmade(file), ..Self::in_memory() })
            }
            Err(error) => Err(error),
        }
    }

    /// Those that lie in `medium`, which begins here if it is empty.
    pub(crate) fn begun_on(medium: Box<dyn StorageBackend>) -> io::Result<Self> {
        if medium.len()? == 0 {
            medium.set_len(PLACE as u64)?;
            medium.write(0, &header())?;
            medium.sync_data()?;
        }
        Self::on(medium)
    }

    /// Those that lie in `medium`.
    pub(crate) fn on(medium: Box<dyn StorageBackend>) -> io::Result<Self> {
        let length = usize::try_from(medium.len()?).map_err(io::Error::other)?;
        let mut bytes = Zeroizing::new(vec![0; length - length % PLACE]);
        medium.read(0, &mut bytes)?;
        let mut places = bytes.chunks_exact(PLACE);
        if places.next() != Some(&header()[..]) {
            return Err(io::Error::new(ErrorKind::InvalidData, "it is no file of keys, or one of a newer version"));
        }
        let places: Vec<_> = places.map(read).collect();
        let free = (0..).zip(&places).filter(|(_, held)| held.is_none()).map(|(place, _)| place).collect();
        Ok(Self { home: Home::Made(medium), places, free })
    }

    /// All that there are.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Place, JobKey)> {
        (0..).zip(&self.places).filter_map(|(place, held)| Some((place, held.as_ref()?.0)))
    }

    /// The key in `place`, if it is `job`'s.
    pub(crate) fn get(&self, place: Place, job: JobKey) -> Option<&Key> {
        let (owner, key) = self.places.get(usize::try_from(place).ok()?)?.as_ref()?;
        (*owner == job).then_some(key)
    }

    /// A new key for `job`, which outlives the process from now on.
    pub(crate) fn add(&mut self, job: JobKey) -> io::Result<(Place, Key)> {
        let key = Key::new()?;
        if self.free.is_empty() {
            self.grow()?;
        }
        let place = *self.free.first().ok_or_else(|| io::Error::other("the file of keys is full"))?;
        if let Home::Made(medium) = &self.home {
            let mut bytes = Zeroizing::new([0; PLACE]);
            bytes[..8].copy_from_slice(&job.0.to_le_bytes());
            bytes[8..8 + KEY_LEN].copy_from_slice(key.expose());
            medium.write(offset(place), &*bytes)?;
        }
        self.free.remove(&place);
        self.places[place as usize] = Some((job, key.clone()));
        Ok((place, key))
    }

    /// Destroys the keys in `places`; the disk has done so when this returns.
    pub(crate) fn destroy(&mut self, places: &[Place]) -> io::Result<()> {
        if let Home::Made(medium) = &self.home {
            for place in places {
                medium.write(offset(*place), &[0; PLACE])?;
            }
            if !places.is_empty() {
                medium.sync_data()?;
            }
        }
        for place in places {
            self.places[*place as usize] = None;
            self.free.insert(*place);
        }
        Ok(())
    }

    /// Waits until the disk has all keys.
    pub(crate) fn sync(&self) -> io::Result<()> {
        match &self.home {
            Home::Made(medium) => medium.sync_data(),
            Home::Nowhere | Home::Unmade(_) => Ok(()),
        }
    }

    /// Makes more places.
    fn grow(&mut self) -> io::Result<()> {
        if let Home::Unmade(file) = &self.home {
            self.home = Home::Made(Box::new(make(file)?));
        }
        let before = self.places.len();
        let after = (1 + before) * PLACE / PAGE * PAGE + PAGE;
        if let Home::Made(medium) = &self.home {
            medium.set_len(after as u64)?;
        }
        self.places.resize(after / PLACE - 1, None);
        self.free.extend((0..).zip(&self.places).skip(before).map(|(place, _)| place));
        Ok(())
    }
}

/// A file without keys, as it begins.
pub(crate) fn header() -> [u8; PLACE] {
    let mut header = [0; PLACE];
    header[..HEADER.len()].copy_from_slice(HEADER);
    header
}

fn offset(place: Place) -> u64 {
    (1 + u64::from(place)) * PLACE as u64
}

/// What a place holds. One in which a key was not written or destroyed whole is as good as one with
/// a key that nothing was sealed with.
fn read(place: &[u8]) -> Option<(JobKey, Key)> {
    let (job, rest) = place.split_first_chunk()?;
    let (key, _) = rest.split_first_chunk::<KEY_LEN>()?;
    let is_empty = place.iter().all(|byte| *byte == 0);
    (!is_empty).then(|| (JobKey(u64::from_le_bytes(*job)), Key(Zeroizing::new(*key))))
}

/// Makes `file`, whole or not at all.
fn make(file: &Path) -> io::Result<FileBackend> {
    let unfinished = file.with_extension("keys.new");
    let made = for_the_owner().create(true).truncate(true).read(true).write(true).open(&unfinished)?;
    let made = backend(made)?;
    made.write(0, &header())?;
    made.sync_data()?;
    fs::rename(&unfinished, file)?;
    Ok(made)
}

fn backend(file: File) -> io::Result<FileBackend> {
    FileBackend::new(file).map_err(io::Error::other)
}

/// Makes files that nobody else may read, from their first moment on. Where there are no modes, the
/// folder's access list holds.
pub(crate) fn for_the_owner() -> OpenOptions {
    #[cfg_attr(not(unix), allow(unused_mut))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
