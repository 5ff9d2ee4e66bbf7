//! IBackgroundCopyJob: the first interface of every job.

use std::sync::Arc;

use bits_api::{
    EnumFiles, FileInfo, Guid, Hresult, HttpOptions, HttpOptions2, HttpOptions3, Job, Job2, Job3, Job4, Job5, JobError,
    JobProgress, JobState, JobTimes, JobType, ProxySettings, ProxyUsage, Setting, Settings, Success, TokenOptions,
    Unknown, Value,
};
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::{Interface, PCWSTR};

use crate::call::{file_time, guid, success};
use crate::callback::{self, ClientObject};
use crate::enumerator::Walk;
use crate::error::ErrorHandle;
use crate::memory::{ObjectOut, Text, TextOut};
use crate::proxy::Proxy;

/// A job, from whichever of its interfaces it is seen.
#[derive(Debug)]
pub(crate) struct JobHandle {
    job: Proxy<bits::IBackgroundCopyJob>,
}

impl JobHandle {
    pub(crate) fn arc(job: Proxy<bits::IBackgroundCopyJob>) -> Arc<dyn Job> {
        Arc::new(Self { job })
    }

    /// # Errors
    /// `E_UNEXPECTED` for a call that has handed out nothing.
    pub(crate) fn of(handed_out: Option<Proxy<bits::IBackgroundCopyJob>>) -> Result<Arc<dyn Job>, Hresult> {
        handed_out.map(Self::arc).ok_or(Hresult::E_UNEXPECTED)
    }
}

impl JobHandle {
    /// The interface of BITS.
    pub(crate) fn interface(&self) -> &Proxy<bits::IBackgroundCopyJob> {
        &self.job
    }
}

impl Settings for JobHandle {
    fn get(&self, setting: Setting) -> Result<Value, Hresult> {
        let text = |text: Option<String>| Value::Text(text);
        match setting {
            Setting::DisplayName => self.job.text(|table| table.GetDisplayName).map(text),
            Setting::Description => self.job.text(|table| table.GetDescription).map(text),
            Setting::Priority => {
                let priority: bits::BG_JOB_PRIORITY = self.job.read(|table| table.GetPriority)?;
                Ok(Value::Number(priority.0.cast_unsigned()))
            }
            Setting::NotifyFlags => self.job.read(|table| table.GetNotifyFlags).map(Value::Number),
            Setting::MinimumRetryDelay => self.job.read(|table| table.GetMinimumRetryDelay).map(Value::Number),
            Setting::NoProgressTimeout => self.job.read(|table| table.GetNoProgressTimeout).map(Value::Number),
            _ => Err(Hresult::E_NOINTERFACE),
        }
    }

    fn set(&self, setting: Setting, value: Value) -> Result<Success, Hresult> {
        match (setting, value) {
            (Setting::DisplayName, Value::Text(name)) => {
                self.job.call(|table| table.SetDisplayName, (&Text::new(name.as_deref())?,))
            }
            (Setting::Description, Value::Text(text)) => {
                self.job.call(|table| table.SetDescription, (&Text::new(text.as_deref())?,))
            }
            (Setting::Priority, Value::Number(priority)) => {
                self.job.call(|table| table.SetPriority, (bits::BG_JOB_PRIORITY(priority.cast_signed()),))
            }
            (Setting::NotifyFlags, Value::Number(flags)) => self.job.call(|table| table.SetNotifyFlags, (flags,)),
            (Setting::MinimumRetryDelay, Value::Number(seconds)) => {
                self.job.call(|table| table.SetMinimumRetryDelay, (seconds,))
            }
            (Setting::NoProgressTimeout, Value::Number(seconds)) => {
                self.job.call(|table| table.SetNoProgressTimeout, (seconds,))
            }
            _ => Err(Hresult::E_NOINTERFACE),
        }
    }
}

impl Job for JobHandle {
    fn job2(&self) -> Result<Arc<dyn Job2>, Hresult> {
        Err(Hresult::E_NOINTERFACE)
    }

    fn job3(&self) -> Result<Arc<dyn Job3>, Hresult> {
        Err(Hresult::E_NOINTERFACE)
    }

    fn job4(&self) -> Result<Arc<dyn Job4>, Hresult> {
        Err(Hresult::E_NOINTERFACE)
    }

    fn job5(&self) -> Result<Arc<dyn Job5>, Hresult> {
        Err(Hresult::E_NOINTERFACE)
    }

    fn http_options(&self) -> Result<Arc<dyn HttpOptions>, Hresult> {
        Err(Hresult::E_NOINTERFACE)
    }

    fn http_options2(&self) -> Result<Arc<dyn HttpOptions2>, Hresult> {
        Err(Hresult::E_NOINTERFACE)
    }

    fn http_options3(&self) -> Result<Arc<dyn HttpOptions3>, Hresult> {
        Err(Hresult::E_NOINTERFACE)
    }

    fn token_options(&self) -> Result<Arc<dyn TokenOptions>, Hresult> {
        Err(Hresult::E_NOINTERFACE)
    }

    fn add_file(&self, remote_name: Option<&str>, local_name: Option<&str>) -> Result<Success, Hresult> {
        self.job.call(|table| table.AddFile, (&Text::new(remote_name)?, &Text::new(local_name)?))
    }

    fn add_file_set(&self, files: &[FileInfo<'_>]) -> Result<Success, Hresult> {
        let count = u32::try_from(files.len()).map_err(|_| Hresult::E_INVALIDARG)?;
        let names =
            files.iter().map(|file| Ok((Text::new(Some(file.remote_name))?, Text::new(Some(file.local_name))?)));
        let names = names.collect::<Result<Vec<_>, Hresult>>()?;
        self.job.within(|job| {
            let infos: Vec<_> = names.iter().map(|(remote, local)| info(remote.pointer(), local.pointer())).collect();
            // SAFETY: the array has `count` elements, whose strings live until the end of this call.
            success(unsafe { (job.vtable().AddFileSet)(job.as_raw(), count, infos.as_ptr()) })
        })
    }

    fn enum_files(&self) -> Result<Arc<EnumFiles>, Hresult> {
        Walk::<bits::IEnumBackgroundCopyFiles>::of(self.job.object(|table| table.EnumFiles).map(Some)?)
    }

    fn suspend(&self) -> Result<Success, Hresult> {
        self.job.call(|table| table.Suspend, ())
    }

    fn resume(&self) -> Result<Success, Hresult> {
        self.job.call(|table| table.Resume, ())
    }

    fn cancel(&self) -> Result<Success, Hresult> {
        self.job.call(|table| table.Cancel, ())
    }

    fn complete(&self) -> Result<Success, Hresult> {
        self.job.call(|table| table.Complete, ())
    }

    fn id(&self) -> Result<Guid, Hresult> {
        self.job.read(|table| table.GetId).map(guid)
    }

    fn job_type(&self) -> Result<JobType, Hresult> {
        let kind: bits::BG_JOB_TYPE = self.job.read(|table| table.GetType)?;
        Ok(JobType(kind.0.cast_unsigned()))
    }

    fn progress(&self) -> Result<JobProgress, Hresult> {
        let progress: bits::BG_JOB_PROGRESS = self.job.read(|table| table.GetProgress)?;
        Ok(JobProgress {
            bytes_total: progress.BytesTotal,
            bytes_transferred: progress.BytesTransferred,
            files_total: progress.FilesTotal,
            files_transferred: progress.FilesTransferred,
        })
    }

    fn times(&self) -> Result<JobTimes, Hresult> {
        let times: bits::BG_JOB_TIMES = self.job.read(|table| table.GetTimes)?;
        Ok(JobTimes {
            creation: file_time(times.CreationTime),
            modification: file_time(times.ModificationTime),
            transfer_completion: file_time(times.TransferCompletionTime),
        })
    }

    fn state(&self) -> Result<JobState, Hresult> {
        let state: bits::BG_JOB_STATE = self.job.read(|table| table.GetState)?;
        Ok(JobState(state.0.cast_unsigned()))
    }

    fn set_proxy_settings(
        &self,
        usage: ProxyUsage,
        list: Option<&str>,
        bypass_list: Option<&str>,
    ) -> Result<Success, Hresult> {
        let usage = bits::BG_JOB_PROXY_USAGE(usage.0.cast_signed());
        self.job.call(|table| table.SetProxySettings, (usage, &Text::new(list)?, &Text::new(bypass_list)?))
    }

    fn proxy_settings(&self) -> Result<ProxySettings, Hresult> {
        let (mut usage, mut list, mut bypass) = (bits::BG_JOB_PROXY_USAGE::default(), TextOut::new(), TextOut::new());
        self.job.call(|table| table.GetProxySettings, (&mut usage, &mut list, &mut bypass))?;
        let usage = ProxyUsage(usage.0.cast_unsigned());
        Ok(ProxySettings { usage, list: list.text(), bypass_list: bypass.text() })
    }

    fn error(&self) -> Result<Arc<dyn JobError>, Hresult> {
        Ok(Arc::new(ErrorHandle(self.job.object(|table| table.GetError)?)))
    }

    fn error_count(&self) -> Result<u32, Hresult> {
        self.job.read(|table| table.GetErrorCount)
    }

    fn take_ownership(&self) -> Result<Success, Hresult> {
        self.job.call(|table| table.TakeOwnership, ())
    }

    fn owner(&self) -> Result<String, Hresult> {
        self.job.text(|table| table.GetOwner).map(Option::unwrap_or_default)
    }

    fn set_notify_interface(&self, object: Option<Arc<dyn Unknown>>) -> Result<Success, Hresult> {
        self.job.call(|table| table.SetNotifyInterface, (&ClientObject::new(object)?,))
    }

    fn notify_interface(&self) -> Result<Option<Arc<dyn Unknown>>, Hresult> {
        let mut object = ObjectOut::new();
        self.job.call(|table| table.GetNotifyInterface, (&mut object,))?;
        callback::registered(object)
    }
}

fn info(remote_name: PCWSTR, local_name: PCWSTR) -> bits::BG_FILE_INFO {
    let writable = |name: PCWSTR| windows::core::PWSTR(name.0.cast_mut());
    bits::BG_FILE_INFO { RemoteName: writable(remote_name), LocalName: writable(local_name) }
}
