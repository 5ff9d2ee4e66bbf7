//! IBackgroundCopyJob: the first interface of every job.

use std::sync::{Arc, Weak};

use bits_api::{
    EnumFiles, FileInfo, Guid, Hresult, HttpOptions, HttpOptions2, HttpOptions3, Job, Job2, Job3, Job4, Job5, JobError,
    JobProgress, JobState, JobTimes, JobType, ProxySettings, ProxyUsage, Success, TokenOptions, Unknown,
};
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::Interface;

use crate::call::{file_time, guid, success};
use crate::callback::{self, ClientObject};
use crate::enumerator::Walk;
use crate::error::ErrorHandle;
use crate::memory::{ObjectOut, Text, TextOut};
use crate::proxy::{Late, Proxy};

/// A job, from whichever of its interfaces it is seen.
#[derive(Debug)]
pub(crate) struct JobHandle {
    pub(crate) job: Proxy<bits::IBackgroundCopyJob>,
    later: Later,
    this: Weak<Self>,
}

/// The interfaces that came after the first. Each is queried for once: access is that of whoever has
/// asked first, as with the proxies of COM itself, which keep what they were given.
#[derive(Debug, Default)]
struct Later {
    job2: Late<bits::IBackgroundCopyJob2>,
    job3: Late<bits::IBackgroundCopyJob3>,
    job4: Late<bits::IBackgroundCopyJob4>,
    job5: Late<bits::IBackgroundCopyJob5>,
    http_options: Late<bits::IBackgroundCopyJobHttpOptions>,
    http_options2: Late<bits::IBackgroundCopyJobHttpOptions2>,
    http_options3: Late<bits::IBackgroundCopyJobHttpOptions3>,
    token_options: Late<bits::IBitsTokenOptions>,
}

/// The later interfaces of the object, each `E_NOINTERFACE` where BITS does not have it.
macro_rules! later {
    ($($name:ident as $known:ident: $interface:ty;)*) => {
        impl JobHandle { $(
            pub(crate) fn $name(&self) -> Result<&Proxy<$interface>, Hresult> {
                self.later.$known.of(&self.job)
            }
        )* }
    };
}

later! {
    as_job2 as job2: bits::IBackgroundCopyJob2;
    as_job3 as job3: bits::IBackgroundCopyJob3;
    as_job4 as job4: bits::IBackgroundCopyJob4;
    as_job5 as job5: bits::IBackgroundCopyJob5;
    as_http_options as http_options: bits::IBackgroundCopyJobHttpOptions;
    as_http_options2 as http_options2: bits::IBackgroundCopyJobHttpOptions2;
    as_http_options3 as http_options3: bits::IBackgroundCopyJobHttpOptions3;
    as_token_options as token_options: bits::IBitsTokenOptions;
}

impl JobHandle {
    pub(crate) fn arc(job: Proxy<bits::IBackgroundCopyJob>) -> Arc<dyn Job> {
        Arc::new_cyclic(|this| Self { job, later: Later::default(), this: Weak::clone(this) })
    }

    /// # Errors
    /// `E_UNEXPECTED` for a call that has handed out nothing.
    pub(crate) fn of(handed_out: Option<Proxy<bits::IBackgroundCopyJob>>) -> Result<Arc<dyn Job>, Hresult> {
        handed_out.map(Self::arc).ok_or(Hresult::E_UNEXPECTED)
    }

    /// The interface of BITS.
    pub(crate) fn interface(&self) -> &Proxy<bits::IBackgroundCopyJob> {
        &self.job
    }

    /// This job, if it has the interface that was queried for.
    fn if_it_has<I: Interface>(&self, queried: Result<&Proxy<I>, Hresult>) -> Result<Arc<Self>, Hresult> {
        queried?;
        self.this.upgrade().ok_or(Hresult::E_UNEXPECTED)
    }
}

impl Job for JobHandle {
    fn job2(&self) -> Result<Arc<dyn Job2>, Hresult> {
        Ok(self.if_it_has(self.as_job2())?)
    }

    fn job3(&self) -> Result<Arc<dyn Job3>, Hresult> {
        Ok(self.if_it_has(self.as_job3())?)
    }

    fn job4(&self) -> Result<Arc<dyn Job4>, Hresult> {
        Ok(self.if_it_has(self.as_job4())?)
    }

    fn job5(&self) -> Result<Arc<dyn Job5>, Hresult> {
        Ok(self.if_it_has(self.as_job5())?)
    }

    fn http_options(&self) -> Result<Arc<dyn HttpOptions>, Hresult> {
        Ok(self.if_it_has(self.as_http_options())?)
    }

    fn http_options2(&self) -> Result<Arc<dyn HttpOptions2>, Hresult> {
        Ok(self.if_it_has(self.as_http_options2())?)
    }

    fn http_options3(&self) -> Result<Arc<dyn HttpOptions3>, Hresult> {
        Ok(self.if_it_has(self.as_http_options3())?)
    }

    fn token_options(&self) -> Result<Arc<dyn TokenOptions>, Hresult> {
        Ok(self.if_it_has(self.as_token_options())?)
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
            let infos: Vec<_> = names.iter().map(|(remote, local)| info(remote, local)).collect();
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

fn info(remote_name: &Text, local_name: &Text) -> bits::BG_FILE_INFO {
    bits::BG_FILE_INFO { RemoteName: remote_name.writable(), LocalName: local_name.writable() }
}
