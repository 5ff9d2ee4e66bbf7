//! The names of temporary files (clauses `files.temp.*`).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bits_api::{Guid, Hresult};
use bits_world::LocalPathError;

use crate::job::file_index;
use crate::sources::{same_volume, volume_of};
use crate::visits::Counted;
use crate::{Cx, Engine, FileIndex, JobKey};

/// How many names of four digits are tried before longer ones.
const SHORT_TRIES: u64 = 8;

/// How many names in a row may be lost to somebody else before the job fails.
const NAMES_TO_LOSE: u32 = 5;

/// The path of a temporary file. It is compared as text, which is far quicker than part by part,
/// so it is kept in its plainest form.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Temporary(Arc<OsStr>);

impl Temporary {
    /// A file of this name beside `destination`.
    pub(crate) fn beside(destination: &Path, name: &str) -> Self {
        let folder: PathBuf = destination.parent().unwrap_or(destination).components().collect();
        Self(folder.join(name).into_os_string().into())
    }

    pub(crate) fn path(&self) -> &Path {
        Path::new(&self.0)
    }
}

impl Engine {
    /// The temporary file of a job's file: the one it has, or a new one beside the destination,
    /// which goes on record.
    ///
    /// # Errors
    /// The code of a local name that leads nowhere any more.
    pub(crate) fn temporary_file(&mut self, cx: Cx<'_>, key: JobKey, place: usize) -> Result<PathBuf, Hresult> {
        if let Some(path) = self.placed_temporary(cx, key, place)? {
            return Ok(path);
        }
        let job = &self.jobs[key];
        let destination = cx.world.drives.resolve(&job.files[place].local_name).map_err(code_of)?;
        if job.is_direct() {
            return Ok(destination);
        }
        let temporary = self.free_name(cx, &destination, job.id, file_index(place), job.files[place].lost_names);
        let path = temporary.path().to_owned();
        self.temporaries.insert(Counted(temporary.clone()));
        let file = &mut self.jobs[key].files[place];
        file.temporary = Some(temporary);
        file.volume = volume_of(cx, file);
        self.persist_file(key, place);
        Ok(path)
    }

    /// The temporary file that a job's file has, if any.
    ///
    /// # Errors
    /// The code of a local name whose drive is not there: its temporary file may be. The same for
    /// one whose drive has another volume.
    pub(crate) fn placed_temporary(
        &mut self,
        cx: Cx<'_>,
        key: JobKey,
        place: usize,
    ) -> Result<Option<PathBuf>, Hresult> {
        let file = &mut self.jobs[key].files[place];
        if let Some(name) = &file.unplaced {
            let destination = cx.world.drives.resolve(&file.local_name).map_err(code_of)?;
            let temporary = Temporary::beside(&destination, name);
            // Nobody could see that the name was taken.
            let is_own = self.temporaries.insert(Counted(temporary.clone()));
            (file.temporary, file.unplaced) = (is_own.then_some(temporary), None);
            file.volume = volume_of(cx, file);
        }
        if file.temporary.is_some() {
            same_volume(cx, file)?;
        }
        Ok(file.temporary.as_ref().map(|temporary| temporary.path().to_owned()))
    }

    /// Somebody else has made a file of the name that was drawn for the file that an attempt was at:
    /// the name and the file are theirs. Whether another one is worth a try.
    pub(crate) fn lose_name(&mut self, key: JobKey) -> bool {
        let place = self.jobs[key].fetching.place;
        self.forget_temporary(key, place);
        let job = &mut self.jobs[key];
        // On record it would say that the file of the next name is ours.
        job.begin_anew(place);
        let file = &mut job.files[place];
        file.lost_names += 1;
        let is_worth_a_try = !file.lost_names.is_multiple_of(NAMES_TO_LOSE);
        self.persist_file(key, place);
        is_worth_a_try
    }

    /// A name that neither the disk nor another job has, as far as can be told. After each of
    /// `lost` names that somebody else had nevertheless, others are drawn.
    fn free_name(&self, cx: Cx<'_>, destination: &Path, job: Guid, file: FileIndex, lost: u32) -> Temporary {
        let mut attempt = u64::from(lost) * SHORT_TRIES;
        loop {
            let drawn = Counted(Temporary::beside(destination, &name(job, file, attempt)));
            if !self.temporaries.contains(&drawn) && !cx.probe.is_there(drawn.0.path()) {
                return drawn.0;
            }
            // Each try draws another of 2^64 names.
            attempt += 1;
        }
    }
}

/// The HRESULT for a local name that leads nowhere.
pub(crate) fn code_of(error: LocalPathError) -> Hresult {
    match error {
        LocalPathError::NoSuchDrive => Hresult::ERROR_PATH_NOT_FOUND,
        _ => Hresult::E_INVALIDARG,
    }
}

/// `BITxxxx.tmp`, with more digits when the short names are taken.
fn name(job: Guid, file: FileIndex, attempt: u64) -> String {
    let (high, low) = job.as_u64_pair();
    let drawn = mix(high ^ mix(low ^ mix(u64::from(file.0) << 32 | attempt)));
    if attempt < SHORT_TRIES { format!("BIT{:04X}.tmp", drawn & 0xFFFF) } else { format!("BIT{drawn:016X}.tmp") }
}

/// Spreads the bits of `x` (the finalizer of SplitMix64).
pub(crate) fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ x >> 31
}
