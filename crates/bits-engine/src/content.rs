//! What clients learn of a file's content and say about it: its temporary name, whether it is
//! valid, the server's answer, where its bytes came from (clauses `file3.*`, `file4.*`, `file5.*`).

use bits_api::{ErrorContext, Hresult, JobState, JobType, PeerDownloadStats, Success};
use bits_world::{Profile, Token};

use crate::job::State;
use crate::{Cause, Cx, Engine, ErrorRecord, FileIndex, FileStage, JobKey, Reply};

impl Engine {
    /// GetTemporaryName: where the bytes of the file are until Complete, in the form of its local
    /// name. Since 3.0; clauses `file3.get_temporary_name.*`.
    ///
    /// # Errors
    /// `E_PENDING` before a transfer has begun, `E_NOTIMPL` for what is no download,
    /// `BG_E_INVALID_STATE` in a final state and once the file has its name (decisions).
    pub fn temporary_name(&self, caller: &Token, job: JobKey, file: FileIndex) -> Result<String, Hresult> {
        let file = self.file(caller, job, file)?;
        let job = &self.jobs[job];
        if job.kind != JobType::DOWNLOAD {
            return Err(Hresult::E_NOTIMPL);
        }
        if job.is_final() || file.stage == FileStage::Completed {
            return Err(Hresult::BG_E_INVALID_STATE);
        }
        if job.is_direct() {
            return Ok(file.local_name.to_string());
        }
        let placed = file.temporary.as_ref().and_then(|temporary| temporary.path().file_name());
        let name = placed.map(|name| name.to_string_lossy()).or(file.unplaced.as_deref().map(Into::into));
        let name = name.ok_or(Hresult::E_PENDING)?;
        let folder = file.local_name.rfind(['\\', '/']).map_or("", |end| &file.local_name[..=end]);
        Ok(format!("{folder}{name}"))
    }

    /// SetValidationState: what the client thinks of a file that has been transferred. One that is
    /// not valid is worth nothing, and puts the job into ERROR. Since 3.0; clauses
    /// `file3.set_validation_state.*`.
    ///
    /// # Errors
    /// `E_PENDING` before the file is all there; `E_NOTIMPL` for what is no download (a decision);
    /// `BG_E_RECORD_DELETED` for one whose record in the peer cache was deleted (3.0);
    /// `BG_E_INVALID_STATE` in a final state.
    pub fn set_validation_state(
        &mut self,
        cx: Cx<'_>,
        caller: &Token,
        key: JobKey,
        file: FileIndex,
        valid: bool,
    ) -> Reply {
        let place = file.0 as usize;
        self.change(cx, caller, key, |engine| {
            let job = &mut engine.jobs[key];
            if job.kind != JobType::DOWNLOAD {
                return Err(Hresult::E_NOTIMPL);
            }
            let judged = job.files.get_mut(place).ok_or(Hresult::BG_E_FILE_NOT_AVAILABLE)?;
            if judged.stage == FileStage::Pending {
                return Err(Hresult::E_PENDING);
            }
            engine.cache_validated(key, place, valid)?;
            let judged = &mut engine.jobs[key].files[place];
            judged.validation = Some(valid);
            // One with its final name is beyond recall.
            if valid || judged.stage == FileStage::Completed {
                engine.persist_file(key, place);
                engine.changed(cx, key);
            } else {
                engine.refuse_content(cx, key, file);
            }
            Ok(Success::OK)
        })
    }

    fn refuse_content(&mut self, cx: Cx<'_>, key: JobKey, file: FileIndex) {
        let place = file.0 as usize;
        self.throw_away(key, place);
        let job = &mut self.jobs[key];
        job.file_refused(place);
        job.error_count = job.error_count.saturating_add(1);
        job.error = Some(ErrorRecord {
            code: Hresult::BG_E_VALIDATION_FAILED,
            context: ErrorContext::REMOTE_FILE,
            file: Some(file),
        });
        self.jobs.refile(key);
        self.touch(cx, key);
        self.persist_file(key, place);
        if self.jobs[key].shown() == JobState::ERROR {
            // Another error than the one that was told.
            self.jobs[key].end_told = false;
            self.changed(cx, key);
            self.notify_of_state(key);
        } else {
            self.transition(cx, key, State::Error, Cause::ValidationFailed);
        }
    }

    /// Whether Resume may not be used: before 4.0 a job whose content was refused can only be ended
    /// (clause `file3.set_validation_state.resume_3_0`).
    pub(crate) fn may_only_end(&self, key: JobKey) -> bool {
        let refused = |error: ErrorRecord| error.code == Hresult::BG_E_VALIDATION_FAILED;
        self.config.profile < Profile::V4_0 && self.jobs[key].error.is_some_and(refused)
    }

    /// GetValidationState: whether the file was declared valid, or the job completed. Since 3.0;
    /// clauses `file3.get_validation_state.*`.
    ///
    /// # Errors
    /// `BG_E_FILE_NOT_AVAILABLE` for a file that the job does not have.
    pub fn validation_state(&self, caller: &Token, job: JobKey, file: FileIndex) -> Result<bool, Hresult> {
        Ok(self.file(caller, job, file)?.validation == Some(true))
    }

    /// GetPeerDownloadStats, in bytes: no peer serves us. Since 4.0; clauses
    /// `file4.get_peer_download_stats.*`.
    ///
    /// # Errors
    /// `BG_E_FILE_NOT_AVAILABLE` for a file that the job does not have.
    pub fn peer_download_stats(
        &self,
        caller: &Token,
        job: JobKey,
        file: FileIndex,
    ) -> Result<PeerDownloadStats, Hresult> {
        Ok(PeerDownloadStats { from_origin: self.file(caller, job, file)?.have, from_peers: 0 })
    }

    /// The head of the server's last answer about the file, if one has come. Since 5.0; clauses
    /// `file5.get_property.*`.
    ///
    /// # Errors
    /// `BG_E_FILE_NOT_AVAILABLE` for a file that the job does not have.
    pub fn response_head(&self, caller: &Token, job: JobKey, file: FileIndex) -> Result<Option<&str>, Hresult> {
        Ok(self.file(caller, job, file)?.head.as_ref().map(|head| &*head.0))
    }
}
