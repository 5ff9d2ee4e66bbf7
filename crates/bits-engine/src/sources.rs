//! Remote names that lead to files instead of to the web: which jobs take them, where they lead
//! to, and what becomes of a job whose source or destination goes away (clauses
//! `struct.file_info.remote_smb_*`, `files.volume_changed`).

use bits_api::{FileAclFlags, FileInfo, Hresult, JobType, Setting};
use bits_wire::attempt::{Failure, Identities, SourceFile};
use bits_world::{FileName, Profile, ShareError, Volume};

use crate::access::may_use;
use crate::job::{File, Job};
use crate::jobs::Shelf;
use crate::{Cx, Engine, JobKey, names};

/// HRESULT_FROM_WIN32(ERROR_BAD_NETPATH).
const ERROR_BAD_NETPATH: Hresult = Hresult::from_win32(53);
/// HRESULT_FROM_WIN32(ERROR_NETNAME_DELETED).
const ERROR_NETNAME_DELETED: Hresult = Hresult::from_win32(64);
/// HRESULT_FROM_WIN32(ERROR_BAD_NET_NAME).
const ERROR_BAD_NET_NAME: Hresult = Hresult::from_win32(67);
/// HRESULT_FROM_WIN32(ERROR_LOGON_FAILURE).
const ERROR_LOGON_FAILURE: Hresult = Hresult::from_win32(1326);

/// The code when a file cannot be had (decision `smb.failures`).
fn code_of(error: ShareError) -> Hresult {
    match error {
        ShareError::NoSuchShare => ERROR_BAD_NET_NAME,
        ShareError::UnknownUser => ERROR_LOGON_FAILURE,
        ShareError::Denied => Hresult::ERROR_ACCESS_DENIED,
        ShareError::NoSuchDrive => Hresult::ERROR_PATH_NOT_FOUND,
        _ => ERROR_BAD_NETPATH,
    }
}

impl Job {
    /// Whether remote names of this job may lead to files: downloads do, but for those that need
    /// HTTP (clause `job5.on_demand.req_http`).
    pub(crate) fn takes_files(&self, profile: Profile) -> bool {
        self.kind == JobType::DOWNLOAD && profile >= Profile::V2_0 && !self.is_on_demand()
    }

    /// Whether the file at this place may get such a name.
    pub(crate) fn takes_file_at(&self, profile: Profile, place: usize) -> bool {
        let is_whole = |file: &File| file.access.is_none() && (file.ranges.is_none() || profile < Profile::V3_0);
        self.takes_files(profile) && self.files.get(place).is_none_or(is_whole)
    }

    /// The file that the remote name at this place leads to, if it is one. A server cannot make a
    /// reply of such a file.
    pub(crate) fn file_name(&self, place: usize) -> Option<FileName<'_>> {
        let file = self.files.get(place).filter(|_| self.kind == JobType::DOWNLOAD)?;
        FileName::parse(&file.remote_name)
    }
}

impl Engine {
    /// Whether ranges can be asked of the file (clauses `job3.add_file_with_ranges.smb_old`,
    /// `job3.add_file_with_ranges.smb_new`).
    pub(crate) fn check_source_of_ranges(&self, file: &FileInfo<'_>) -> Result<(), Hresult> {
        names::check_remote(file.remote_name, self.config.profile < Profile::V3_0)
    }

    /// The file that is copied, or `None` for one of the web.
    pub(crate) fn source_of(
        &self,
        cx: Cx<'_>,
        key: JobKey,
        place: usize,
        identities: &Identities,
    ) -> Result<Option<SourceFile>, Failure> {
        let job = &self.jobs[key];
        let Some(name) = job.file_name(place) else { return Ok(None) };
        let found = name.resolve(&identities.network, &cx.world.shares, &cx.world.drives);
        let path = found.map_err(|error| Failure::of_remote_file(code_of(error)))?;
        may_use(cx, &identities.network, &path).map_err(Failure::of_remote_file)?;
        let kept = FileAclFlags::from_bits_retain(job.later.number(Setting::FileAclFlags).unwrap_or_default());
        Ok(Some(SourceFile { path, kept }))
    }

    /// A drive or a share has gone, or another volume has come in the place of one: jobs that read
    /// or write there feel it.
    pub(crate) fn places_changed(&mut self, cx: Cx<'_>) {
        for key in self.on_shelves(&[Shelf::Active], None) {
            let place = self.jobs[key].place_in_work();
            if let Some(failure) = self.lost_place(cx, key, place) {
                self.attempt_failed(cx, key, failure);
            }
        }
    }

    /// What has gone of the two places that a running transfer uses.
    fn lost_place(&self, cx: Cx<'_>, key: JobKey, place: usize) -> Option<Failure> {
        let file = self.jobs[key].files.get(place)?;
        if let Err(code) = same_volume(cx, file) {
            return Some(Failure::of_local_file(code));
        }
        let identities = self.identities(key).ok()?;
        let failure = self.source_of(cx, key, place, &identities).err()?;
        Some(match failure.code {
            // It was there a moment ago.
            ERROR_BAD_NETPATH | ERROR_BAD_NET_NAME => Failure::of_remote_file(ERROR_NETNAME_DELETED),
            _ => failure,
        })
    }
}

/// Whether the volume of a file is the one on which its temporary file was made.
///
/// # Errors
/// `ERROR_PATH_NOT_FOUND` when there is none, `BG_E_VOLUME_CHANGED` when it is another one.
pub(crate) fn same_volume(cx: Cx<'_>, file: &File) -> Result<(), Hresult> {
    let Some(before) = file.volume else { return Ok(()) };
    match volume_of(cx, file) {
        None => Err(Hresult::ERROR_PATH_NOT_FOUND),
        Some(serial) if serial != before => Err(Hresult::BG_E_VOLUME_CHANGED),
        Some(_) => Ok(()),
    }
}

/// The serial number of the volume that the file goes to, where the world knows it.
pub(crate) fn volume_of(cx: Cx<'_>, file: &File) -> Option<u32> {
    cx.world.drives.serial(Volume::of(&file.local_name)?)
}

#[cfg(test)]
mod tests {
    use bits_api::ErrorContext;

    use super::*;

    #[test]
    fn a_server_that_does_not_answer_may_come_back_and_nothing_else_does() {
        let all = [
            ShareError::NoSuchServer,
            ShareError::NoSuchShare,
            ShareError::UnknownUser,
            ShareError::Denied,
            ShareError::NoSuchDrive,
        ];
        for error in all {
            let failure = Failure::of_remote_file(code_of(error));
            assert_eq!(failure.context, ErrorContext::REMOTE_FILE);
            assert_eq!(failure.transient, error == ShareError::NoSuchServer, "{error:?}");
        }
    }
}
