//! The disk below the store, with two files: it forgets at a loss of power what was not synced, and can die in the
//! middle of a write.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bits_store::{StorageBackend, Store, StoreError};

use crate::chance::Chance;

/// What a loss of power tears apart.
const SECTOR: usize = 512;

/// The disk with the queue and the keys of its secrets. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    queue: Medium,
    keys: Medium,
}

/// A file of it. Clones are the same one.
#[derive(Clone, Debug, Default)]
struct Medium {
    content: Arc<Mutex<Content>>,
    fuse: Fuse,
}

/// How many more writes arrive, at whichever file; the process dies at the next.
type Fuse = Arc<Mutex<Option<u64>>>;

#[derive(Debug, Default)]
struct Content {
    /// What is read.
    seen: Vec<u8>,
    /// What a loss of power leaves for certain.
    safe: Vec<u8>,
    /// What was done since the last sync.
    unsynced: Vec<Done>,
}

#[derive(Clone, Debug)]
enum Done {
    Write { at: usize, data: Vec<u8> },
    Resize(usize),
}

impl Done {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Resize(length) => to.resize(*length, 0),
            Self::Write { at, data } => {
                // The file may not have become longer for it.
                if to.len() < at + data.len() {
                    to.resize(at + data.len(), 0);
                }
                to[*at..at + data.len()].copy_from_slice(data);
            }
        }
    }
}

impl Disk {
    pub(crate) fn empty() -> Self {
        Self::holding(&Medium::default(), &Medium::default(), |_| Vec::new())
    }

    /// The store that lies there.
    pub(crate) fn open(&self) -> Result<Store, StoreError> {
        Store::on(self.queue.clone())?.with_keys_on(self.keys.clone())
    }

    /// Lets the process die after this many more writes.
    pub(crate) fn die_after(&self, writes: u64) {
        *lock(&self.queue.fuse) = Some(writes);
    }

    /// The disk as the next process finds it, when this one was killed.
    pub(crate) fn after_kill(&self) -> Self {
        Self::holding(&self.queue, &self.keys, |content| content.seen.clone())
    }

    /// The disk after a loss of power.
    pub(crate) fn after_power_loss(&self, chance: &mut Chance) -> Self {
        Self::holding(&self.queue, &self.keys, |content| content.after_power_loss(chance))
    }

    fn holding(queue: &Medium, keys: &Medium, mut found: impl FnMut(&Content) -> Vec<u8>) -> Self {
        let fuse = Fuse::default();
        let mut of = |medium: &Medium| {
            let bytes = found(&lock(&medium.content));
            let content = Content { safe: bytes.clone(), seen: bytes, unsynced: Vec::new() };
            Medium { content: Arc::new(Mutex::new(content)), fuse: Arc::clone(&fuse) }
        };
        Self { queue: of(queue), keys: of(keys) }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Medium {
    fn content(&self) -> MutexGuard<'_, Content> {
        lock(&self.content)
    }

    fn admit(&self) -> io::Result<()> {
        match &mut *lock(&self.fuse) {
            None => Ok(()),
            Some(0) => Err(io::Error::other("the process died")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }
}

impl Content {
    /// Each write since the last sync arrived, or not, or a part of it.
    fn after_power_loss(&self, chance: &mut Chance) -> Vec<u8> {
        let mut found = self.safe.clone();
        for done in &self.unsynced {
            match (chance.below(3), done) {
                (0, _) => {}
                (1, Done::Write { at, data }) => {
                    let kept = chance.below(data.len() / SECTOR + 1) * SECTOR;
                    Done::Write { at: *at, data: data[..kept].to_vec() }.apply(&mut found);
                }
                _ => done.apply(&mut found),
            }
        }
        found
    }

    fn make(&mut self, done: Done) {
        done.apply(&mut self.seen);
        self.unsynced.push(done);
    }
}

impl StorageBackend for Medium {
    fn len(&self) -> io::Result<u64> {
        Ok(self.content().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let content = self.content();
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let found = content.seen.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(found);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.admit()?;
        let mut content = self.content();
        content.make(Done::Resize(usize::try_from(len).map_err(io::Error::other)?));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.admit()?;
        let mut content = self.content();
        let Content { safe, unsynced, .. } = &mut *content;
        unsynced.drain(..).for_each(|done| done.apply(safe));
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut content = self.content();
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        let died = self.admit();
        // The write in which the process dies arrives in part.
        let arrives = if died.is_ok() { data.len() } else { data.len() / 2 };
        content.make(Done::Write { at, data: data[..arrives].to_vec() });
        died
    }
}
