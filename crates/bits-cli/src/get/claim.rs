//! Whose a job is in a queue that several runs share: the run's that holds the file of its id. A run
//! that ends, however it does, holds nothing any more, and another one may take its job up.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::PathBuf;

use bits_api::Guid;

/// The claim of this process to a job, for as long as it is kept.
#[derive(Debug)]
pub(super) struct Claim {
    path: PathBuf,
    _held: File,
}

impl Claim {
    /// Claims the job `id`; `None` while another run has it.
    pub(super) fn to(id: Guid) -> io::Result<Option<Self>> {
        let path = std::env::temp_dir().join(format!("bitsd-get-{id}.lock"));
        let held = File::options().create(true).truncate(false).write(true).open(&path)?;
        match held.try_lock() {
            Ok(()) => Ok(Some(Self { path, _held: held })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // One that stays is in nobody's way.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_one_runs_until_that_ends() {
        let id = Guid::from_u128(0x6b1d_0000_0000_0000_0000_0000_0000_0000 | u128::from(std::process::id()));
        let first = Claim::to(id).unwrap();

        assert!(first.is_some());
        assert!(Claim::to(id).unwrap().is_none());
        drop(first);
        assert!(Claim::to(id).unwrap().is_some());
    }
}
