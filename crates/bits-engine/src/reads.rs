//! What clients can read. Nothing here changes anything, a time stamp included.

use std::time::Duration;

use bits_api::{
    FileInfo, FileProgress, Guid, Hresult, JobProgress, JobState, JobTimes, JobType, SIZE_UNKNOWN, Setting, Value,
};
use bits_wire::attempt::AttemptId;
use bits_world::{Profile, Sid, Token};

use crate::job::{File, Job, file_index};
use crate::method;
use crate::notify;
use crate::settings::{self, Unset};
use crate::visits::Counted;
use crate::{CallbackId, CommandLine, Engine, ErrorRecord, FileIndex, FileStage, JobKey};

/// All of them fail with `E_ACCESSDENIED` when the caller is neither owner nor administrator, and
/// with `BG_E_NOT_FOUND` for a job that has ended and has no handle.
impl Engine {
    /// The job of the queue with this identifier, for the service itself: nobody's access is
    /// checked.
    pub fn key(&self, id: Guid) -> Option<JobKey> {
        self.jobs.find(id)
    }

    /// The identifier of a job that is in the queue or has a handle, for the service itself.
    pub fn guid(&self, job: JobKey) -> Option<Guid> {
        self.jobs.get(job).map(|job| job.id)
    }

    /// Whose attempt it is, until it has ended.
    pub fn job_of(&self, attempt: AttemptId) -> Option<JobKey> {
        self.attempts.get(&Counted(attempt)).copied()
    }

    /// The file in work of a job.
    pub fn file_in_work(&self, job: JobKey) -> Option<FileIndex> {
        self.jobs.get(job)?.file_in_work()
    }

    /// The display name of a job, whoever asks.
    pub fn name(&self, key: JobKey) -> Option<&str> {
        self.jobs.get(key).map(|job| &*job.display_name)
    }

    /// Which BITS is played.
    pub fn profile(&self) -> Profile {
        self.config.profile
    }

    /// Whether the BITS that is played has this setting (clauses `job5.id.old_system`).
    pub fn knows(&self, setting: Setting) -> bool {
        settings::row_of(self.config.profile, setting).is_ok()
    }

    /// Reads a setting. Since 1.0; clauses `job.get_*`.
    ///
    /// # Errors
    /// `E_NOTIMPL` for a setting that this engine does not have.
    pub fn get(&self, caller: &Token, job: JobKey, setting: Setting) -> Result<Value, Hresult> {
        let job = self.readable(caller, job)?;
        Ok(match setting {
            Setting::DisplayName => Value::Text(Some(job.display_name.to_string())),
            Setting::Description => Value::Text(Some(job.description.to_string())),
            Setting::Priority => Value::Number(job.priority.0),
            Setting::NotifyFlags => Value::Number(job.notify_flags.bits()),
            Setting::MinimumRetryDelay => Value::Number(job.minimum_retry_delay),
            Setting::NoProgressTimeout => Value::Number(job.no_progress_timeout),
            _ => self.later(job, setting)?,
        })
    }

    /// A setting that most jobs never set.
    fn later(&self, job: &Job, setting: Setting) -> Result<Value, Hresult> {
        let row = settings::row_of(self.config.profile, setting)?;
        if let Some(stored) = job.later.get(setting) {
            return Ok(stored.clone().into());
        }
        Ok(match row.unset {
            Unset::AtCreation | Unset::NoText => Value::Text(Some(String::new())),
            Unset::Number(number) => Value::Number(number),
            Unset::Long(number) => Value::Long(number),
            Unset::Off => Value::Enable(false),
            Unset::NoClass => Value::Guid(Guid::nil()),
            Unset::Method => Value::Text(Some(method::default_of(job.kind).into())),
            Unset::DownloadTime => {
                Value::Number(self.maximum_download_time(job).as_secs().try_into().unwrap_or(u32::MAX))
            }
            Unset::Cost => Value::Number(job.default_cost_flags().bits()),
        })
    }

    /// How long the job may be CONNECTING and TRANSFERRING: its own time, else the policy's.
    pub(crate) fn maximum_download_time(&self, job: &Job) -> Duration {
        let own = job.later.number(Setting::MaximumDownloadTime);
        own.map_or_else(|| self.facts.max_download_time(), |seconds| Duration::from_secs(seconds.into()))
    }

    /// GetNotifyInterface: the registered callback. Since 1.0; clauses
    /// `job.get_notify_interface.*`.
    pub fn callback(&self, caller: &Token, job: JobKey) -> Result<Option<CallbackId>, Hresult> {
        Ok(notify::registered(self.readable(caller, job)?))
    }

    /// GetNotifyCmdLine: the program and the parameters, if a program is set. Since 1.5; clauses
    /// `job2.get_notify_cmd_line.*`.
    pub fn command(&self, caller: &Token, job: JobKey) -> Result<Option<&CommandLine>, Hresult> {
        Ok(self.readable(caller, job)?.notify_command.as_deref())
    }

    /// GetState. Since 1.0; clauses `job.get_state.*`, `enum.job_state.*`.
    pub fn state(&self, caller: &Token, job: JobKey) -> Result<JobState, Hresult> {
        Ok(self.readable(caller, job)?.shown())
    }

    /// GetId. Since 1.0; clauses `job.get_id.*`.
    pub fn id(&self, caller: &Token, job: JobKey) -> Result<Guid, Hresult> {
        Ok(self.readable(caller, job)?.id)
    }

    /// GetType. Since 1.0; clauses `job.get_type.*`.
    pub fn job_type(&self, caller: &Token, job: JobKey) -> Result<JobType, Hresult> {
        Ok(self.readable(caller, job)?.kind)
    }

    /// GetProgress, in bytes. Since 1.0; clauses `struct.job_progress.*`.
    pub fn progress(&self, caller: &Token, job: JobKey) -> Result<JobProgress, Hresult> {
        let job = self.readable(caller, job)?;
        Ok(JobProgress {
            bytes_total: if job.sums.unknown_files == 0 { job.sums.known_bytes } else { SIZE_UNKNOWN },
            bytes_transferred: job.sums.bytes_transferred,
            files_total: file_index(job.client_files()).0,
            files_transferred: job.sums.transferred_files,
        })
    }

    /// GetTimes. Since 1.0; clauses `struct.job_times.*`.
    pub fn times(&self, caller: &Token, job: JobKey) -> Result<JobTimes, Hresult> {
        let job = self.readable(caller, job)?;
        Ok(JobTimes { creation: job.created, modification: job.modified, transfer_completion: job.transfer_completed })
    }

    /// GetError: why the job stopped, until data moves again. Since 1.0; clauses
    /// `job.get_error.*`.
    ///
    /// # Errors
    /// `BG_E_ERROR_INFORMATION_UNAVAILABLE` when there is none.
    pub fn error(&self, caller: &Token, job: JobKey) -> Result<ErrorRecord, Hresult> {
        self.readable(caller, job)?.error.ok_or(Hresult::BG_E_ERROR_INFORMATION_UNAVAILABLE)
    }

    /// GetErrorCount. Since 1.0; clauses `job.get_error_count.*`.
    pub fn error_count(&self, caller: &Token, job: JobKey) -> Result<u32, Hresult> {
        Ok(self.readable(caller, job)?.error_count)
    }

    /// GetOwner. Since 1.0; clauses `job.get_owner.*`.
    pub fn owner(&self, caller: &Token, job: JobKey) -> Result<Sid, Hresult> {
        let owner = self.readable(caller, job)?.owner;
        Ok(self.jobs.users.get(owner).sid.clone())
    }

    /// How many files the job has. Since 1.0; clauses `job.enum_files.*`.
    pub fn file_count(&self, caller: &Token, job: JobKey) -> Result<u32, Hresult> {
        Ok(file_index(self.readable(caller, job)?.client_files()).0)
    }

    /// The names of a file, exactly as they were given. Since 1.0; clauses
    /// `file.get_remote_name.*`, `file.get_local_name.*`.
    ///
    /// # Errors
    /// `BG_E_FILE_NOT_AVAILABLE` for a file that the job does not have.
    pub fn file_names(&self, caller: &Token, job: JobKey, file: FileIndex) -> Result<FileInfo<'_>, Hresult> {
        let file = self.file(caller, job, file)?;
        Ok(FileInfo { remote_name: &file.remote_name, local_name: &file.local_name })
    }

    /// How far a file has come, in bytes. Since 1.0; clauses `struct.file_progress.*`.
    ///
    /// # Errors
    /// `BG_E_FILE_NOT_AVAILABLE` for a file that the job does not have.
    pub fn file_progress(&self, caller: &Token, job: JobKey, file: FileIndex) -> Result<FileProgress, Hresult> {
        let file = self.file(caller, job, file)?;
        Ok(FileProgress {
            bytes_total: file.size(),
            bytes_transferred: file.have,
            completed: file.stage == FileStage::Completed,
        })
    }

    pub(crate) fn file(&self, caller: &Token, job: JobKey, file: FileIndex) -> Result<&File, Hresult> {
        self.readable(caller, job)?.files.get(file.0 as usize).ok_or(Hresult::BG_E_FILE_NOT_AVAILABLE)
    }
}
