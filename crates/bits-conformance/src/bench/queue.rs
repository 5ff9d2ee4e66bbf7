//! What lies on the disk of the machine, and what is told of what happened.

use super::Bench;
use crate::claims::{Outcome, Stop, failed};
use crate::provider::Capability;

impl Bench {
    /// Lets the queue lie in a folder of its own, where it can be looked into. Comes before the
    /// first call.
    pub(crate) fn queue_on_disk(&mut self) -> Outcome {
        self.can(Capability::Faults)?;
        self.before_start("the folder of the queue")?;
        self.queue = Some(tempfile::tempdir().map_err(|error| Stop::Failed(format!("no folder: {error}")))?);
        Ok(())
    }

    /// Whether a file of the queue has this text in it, in the bytes of UTF-8 or UTF-16.
    pub(crate) fn queue_shows(&self, text: &str) -> Result<bool, Stop> {
        let Some(folder) = &self.queue else { return failed("the queue lies in no folder") };
        let unreadable = |error: std::io::Error| Stop::Failed(format!("the queue cannot be looked into: {error}"));
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for file in std::fs::read_dir(folder.path()).map_err(unreadable)? {
            let bytes = std::fs::read(file.map_err(unreadable)?.path()).map_err(unreadable)?;
            if [text.as_bytes(), &wide].iter().any(|part| bytes.windows(part.len()).any(|window| window == *part)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Everything that is told of what happened so far.
    pub(crate) fn told_so_far(&self) -> Result<String, Stop> {
        self.can(Capability::Timeline)?;
        Ok(format!("{:?}", self.emulator()?.timeline().entries()))
    }
}
