//! The names of temporary files (clauses `files.temp.*`).

use std::path::{Path, PathBuf};

use bits_api::{Guid, Hresult};
use bits_world::LocalPathError;

use crate::job::file_index;
use crate::visits::Counted;
use crate::{Cx, Engine, FileIndex, JobKey};

/// How many names of four digits are tried before longer ones.
const SHORT_TRIES: u64 = 8;

impl Engine {
    /// The temporary file of a job's file: the one it has, or a new one beside the destination,
    /// which goes on record.
    ///
    /// # Errors
    /// The code of a local name that leads nowhere any more.
    pub(crate) fn temporary_file(&mut self, cx: Cx<'_>, key: JobKey, place: usize) -> Result<PathBuf, Hresult> {
        let job = &self.jobs[key];
        if let Some(temporary) = &job.files[place].temporary {
            return Ok(temporary.to_path_buf());
        }
        let destination = cx.world.drives.resolve(&job.files[place].local_name).map_err(code_of)?;
        let id = job.id;
        let mut temporary = destination;
        // Each try draws another of 2^64 names.
        for attempt in 0.. {
            temporary.set_file_name(name(id, file_index(place), attempt));
            if self.is_free(cx, &temporary) {
                break;
            }
        }
        self.temporaries.insert(Counted(temporary.clone().into_boxed_path()));
        self.jobs[key].files[place].temporary = Some(temporary.clone().into_boxed_path());
        self.persist_file(key, place);
        Ok(temporary)
    }

    fn is_free(&self, cx: Cx<'_>, path: &Path) -> bool {
        !self.temporaries.contains(&Counted(path.into())) && cx.probe.length(path).is_none()
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
