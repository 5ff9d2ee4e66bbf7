//! The temporary file of a transfer: written from front to back, so that its length is the
//! progress, unless somebody moves it to where the next bytes belong.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bits_api::Hresult;
use bits_wire::attempt::Failure;
use bits_world::{LocalStorage, Touch};

use crate::disk::{LocalDisk, failure, length_at};
use crate::spelling::find_on_drive;

/// Holds every touch of a file until it is shut; after that none comes.
#[derive(Debug, Default)]
pub(crate) struct Gate(Mutex<bool>);

impl Gate {
    /// Waits for a touch that is under way; afterwards there are no more.
    pub(crate) fn shut(&self) {
        *self.lock() = true;
    }

    pub(crate) fn is_shut(&self) -> bool {
        *self.lock()
    }

    fn pass(&self) -> io::Result<MutexGuard<'_, bool>> {
        let shut = self.lock();
        if *shut { Err(io::Error::other("the service has shut down")) } else { Ok(shut) }
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of a file that has arrived.
#[derive(Debug)]
pub(crate) struct Partial {
    path: PathBuf,
    /// Whether the file is there and ours: found, or made by this attempt.
    is_there: bool,
    length: u64,
    /// Where the next bytes go.
    position: u64,
    file: Option<File>,
    gate: Arc<Gate>,
    storage: LocalStorage,
}

impl Partial {
    pub(crate) fn new(path: PathBuf, gate: Arc<Gate>, storage: LocalStorage) -> Self {
        let path = find_on_drive(&LocalDisk, &storage, path);
        Self { path, is_there: false, length: 0, position: 0, file: None, gate, storage }
    }

    /// Looks how much is there; nothing when there is no file. One that is there although we have
    /// not `begun` is somebody else's.
    pub(crate) fn measure(&mut self, begun: bool) -> Result<u64, Failure> {
        self.may(Touch::Look)?;
        (self.is_there, self.length) = match fs::metadata(&self.path) {
            Ok(_) if !begun => return Err(failure(&self.path, &ErrorKind::AlreadyExists.into())),
            Ok(found) => (true, found.len()),
            Err(error) if error.kind() == ErrorKind::NotFound => (false, 0),
            Err(error) => return Err(failure(&self.path, &error)),
        };
        self.position = self.length;
        Ok(self.length)
    }

    /// Lets the next bytes go to `position`.
    pub(crate) fn go_to(&mut self, position: u64) {
        if position != self.position {
            (self.position, self.file) = (position, None);
        }
    }

    /// Cuts off everything beyond `length`.
    pub(crate) fn truncate(&mut self, length: u64) -> Result<(), Failure> {
        if length < self.length {
            self.may(Touch::Write)?;
            self.try_truncate(length).map_err(|error| failure(&self.path, &error))?;
            self.storage.give_back(&self.path, self.length - length);
            self.length = length;
            self.position = length;
        }
        Ok(())
    }

    /// Puts `data` behind what was put before.
    pub(crate) fn append(&mut self, data: &[u8]) -> Result<(), Failure> {
        self.may(if self.is_there { Touch::Write } else { Touch::Make })?;
        let room = self.storage.take(&self.path, data.len() as u64).map_err(Failure::of_local_file)?;
        let fits = usize::try_from(room).unwrap_or(usize::MAX).min(data.len());
        self.try_append(&data[..fits]).map_err(|error| failure(&self.path, &error))?;
        if fits < data.len() { Err(Failure::of_local_file(Hresult::ERROR_DISK_FULL)) } else { Ok(()) }
    }

    /// Makes sure that the file is there and holds what was written, and lets go of it.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        self.append(&[])?;
        self.file = None;
        // Where an open file can be removed or replaced, writing to it told nothing.
        let found = length_at(&self.path).map_err(|error| failure(&self.path, &error))?;
        if found == self.length { Ok(()) } else { Err(failure(&self.path, &ErrorKind::NotFound.into())) }
    }

    fn may(&self, touch: Touch) -> Result<(), Failure> {
        self.storage.may(&self.path, touch).map_err(Failure::of_local_file)
    }

    fn try_truncate(&mut self, length: u64) -> io::Result<()> {
        let gate = Arc::clone(&self.gate);
        let _open = gate.pass()?;
        self.file = None;
        let file = match OpenOptions::new().write(true).open(&self.path) {
            // A finished copy keeps that its source is protected; what is thrown away need not.
            Err(error) if error.kind() == ErrorKind::PermissionDenied && length == 0 => {
                fs::remove_file(&self.path)?;
                File::create_new(&self.path)?
            }
            opened => opened?,
        };
        file.set_len(length)
    }

    fn try_append(&mut self, mut data: &[u8]) -> io::Result<()> {
        let gate = Arc::clone(&self.gate);
        let _open = gate.pass()?;
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(open_at(&self.path, self.position, self.is_there)?),
        };
        self.is_there = true;
        while !data.is_empty() {
            match file.write(data) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => {
                    data = &data[count..];
                    self.position += count as u64;
                    self.length = self.length.max(self.position);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Opens a file to go on at `position`.
///
/// One that was there is never made: if it has vanished, it would come back with a hole. One that
/// was not there is never taken over: whoever has made it meanwhile writes it.
fn open_at(path: &Path, position: u64, is_there: bool) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).create_new(!is_there).open(path)?;
    if position > 0 {
        file.seek(SeekFrom::Start(position))?;
    }
    Ok(file)
}
