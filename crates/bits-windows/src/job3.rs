//! IBackgroundCopyJob3 and IBackgroundCopyJob4: ranges, other remote names, whom the owner is.

use bits_api::{FileRange, Hresult, Job3, Job4, Success};
use windows::core::BOOL;

use crate::job::JobHandle;
use crate::memory::Text;
use crate::ranges::Ranges;

impl Job3 for JobHandle {
    fn add_file_with_ranges(
        &self,
        remote_name: Option<&str>,
        local_name: Option<&str>,
        ranges: &[FileRange],
    ) -> Result<Success, Hresult> {
        let (remote_name, local_name, ranges) = (Text::new(remote_name)?, Text::new(local_name)?, Ranges::new(ranges)?);
        self.as_job3()?.call(|table| table.AddFileWithRanges, (&remote_name, &local_name, &ranges))
    }

    fn replace_remote_prefix(&self, old: Option<&str>, new: Option<&str>) -> Result<Success, Hresult> {
        self.as_job3()?.call(|table| table.ReplaceRemotePrefix, (&Text::new(old)?, &Text::new(new)?))
    }
}

impl Job4 for JobHandle {
    fn owner_integrity_level(&self) -> Result<u32, Hresult> {
        self.as_job4()?.read(|table| table.GetOwnerIntegrityLevel)
    }

    fn owner_elevation_state(&self) -> Result<bool, Hresult> {
        self.as_job4()?.read(|table| table.GetOwnerElevationState).map(BOOL::as_bool)
    }
}
