//! IBackgroundCopyJob over a running service.

use std::fmt;
use std::sync::{Arc, Weak};

use bits_api::{
    EnumFiles, File, FileInfo, Guid, Hresult, HttpOptions, HttpOptions2, HttpOptions3, Job, Job2, Job3, Job4, Job5,
    JobError, JobProgress, JobState, JobTimes, JobType, ProxySettings, ProxyUsage, Setting, Settings, Success,
    TokenOptions, Unknown, Value, text,
};
use bits_engine::{Cx, Engine, FileIndex, JobKey, Reply};
use bits_world::Profile;

use crate::answers::Answers;
use crate::callbacks;
use crate::client::Caller;
use crate::error::ErrorHandle;
use crate::file::FileHandle;
use crate::service::Service;
use crate::snapshot::Snapshot;

/// A job in somebody's hands: the engine keeps it readable for as long.
pub(crate) struct JobHandle {
    service: Weak<Service>,
    caller: Caller,
    key: JobKey,
    id: Guid,
    this: Weak<Self>,
}

impl JobHandle {
    /// A handle of its own for `key`.
    pub(crate) fn open(service: &Service, caller: Caller, key: JobKey) -> Result<Arc<Self>, Hresult> {
        let id = service.step(|engine, _| {
            let id = engine.guid(key).ok_or(Hresult::BG_E_NOT_FOUND)?;
            engine.retain(key);
            Ok(id)
        })?;
        Ok(Self::adopt(service, caller, key, id))
    }

    /// A handle of its own for a callback of `caller`. Where access is checked when an interface is
    /// asked for, it is good although `caller` may have lost the job to another owner.
    pub(crate) fn hand_over(service: &Service, caller: &Caller, key: JobKey) -> Result<Arc<Self>, Hresult> {
        let holder = match service.profile {
            profile if profile < Profile::V4_0 => None,
            _ => Some(service.read(|engine| engine.pass(&caller.thread(), key))?),
        };
        Self::open(service, caller.holding(holder), key)
    }

    /// A handle for `key`, which was retained for it.
    pub(crate) fn adopt(service: &Service, caller: Caller, key: JobKey, id: Guid) -> Arc<Self> {
        Arc::new_cyclic(|this| Self { service: service.weak(), caller, key, id, this: Weak::clone(this) })
    }

    pub(crate) fn guid(&self) -> Guid {
        self.id
    }

    pub(crate) fn key(&self) -> JobKey {
        self.key
    }

    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    pub(crate) fn service(&self) -> Result<Arc<Service>, Hresult> {
        self.caller.check()?;
        Service::of(&self.service)
    }

    /// QueryInterface for an interface that came with `since`; `E_NOINTERFACE` from an older BITS
    /// (clause `version.detect`). Since BITS 4.0 access is checked here: a stranger gets nothing.
    pub(crate) fn query(&self, since: Profile) -> Result<Arc<Self>, Hresult> {
        let service = self.service()?;
        if service.profile < since {
            return Err(Hresult::E_NOINTERFACE);
        }
        if service.profile < Profile::V4_0 {
            return self.this();
        }
        let asks = self.caller.thread();
        service.read(|engine| engine.job_type(&asks, self.key).map(drop))?;
        if asks == self.caller.token() {
            return self.this();
        }
        Self::open(&service, self.caller.asking(service.profile), self.key)
    }

    fn this(&self) -> Result<Arc<Self>, Hresult> {
        self.this.upgrade().ok_or(Hresult::E_UNEXPECTED)
    }

    fn add(&self, method: &'static str, files: &[FileInfo<'_>]) -> Result<Success, Hresult> {
        let token = &self.caller.token();
        self.add_with(method, files, |engine, cx| engine.add_files(cx, token, self.key, files))
    }

    /// Adds files by `add`, which asks for what the disk knows of them.
    pub(crate) fn add_with(
        &self,
        method: &'static str,
        files: &[FileInfo<'_>],
        add: impl FnMut(&mut Engine, Cx<'_>) -> Reply,
    ) -> Result<Success, Hresult> {
        let service = self.service()?;
        // Who may not ask is refused by the call itself.
        let asked = service.read(|engine| engine.job_type(&self.caller.token(), self.key));
        let answers = Answers::about(files, asked.unwrap_or(JobType::DOWNLOAD), &service.world(), &*service.disk);
        service.mutate_probed(&self.caller, method, self.key, &answers, add)
    }

    /// Runs a method that changes the job.
    pub(crate) fn mutate(
        &self,
        method: &'static str,
        change: impl FnMut(&mut Engine, Cx<'_>) -> Reply,
    ) -> Result<Success, Hresult> {
        self.service()?.mutate(&self.caller, method, self.key, change)
    }

    pub(crate) fn refuse(&self, method: &'static str, code: Hresult) -> Result<Success, Hresult> {
        self.service()?.log_call(&self.caller, method, Some(self.id), code);
        Err(code)
    }
}

impl Drop for JobHandle {
    fn drop(&mut self) {
        if let Some(service) = self.service.upgrade() {
            service.with_core(|core| core.engine.release(self.key));
        }
    }
}

impl fmt::Debug for JobHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Job({})", self.id)
    }
}

impl Job for JobHandle {
    fn job2(&self) -> Result<Arc<dyn Job2>, Hresult> {
        Ok(self.query(Profile::V1_5)?)
    }

    fn job3(&self) -> Result<Arc<dyn Job3>, Hresult> {
        Ok(self.query(Profile::V2_0)?)
    }

    fn job4(&self) -> Result<Arc<dyn Job4>, Hresult> {
        Ok(self.query(Profile::V3_0)?)
    }

    fn job5(&self) -> Result<Arc<dyn Job5>, Hresult> {
        Ok(self.query(Profile::V5_0)?)
    }

    fn http_options(&self) -> Result<Arc<dyn HttpOptions>, Hresult> {
        Ok(self.query(Profile::V2_5)?)
    }

    fn http_options2(&self) -> Result<Arc<dyn HttpOptions2>, Hresult> {
        Ok(self.query(Profile::V10_2)?)
    }

    fn http_options3(&self) -> Result<Arc<dyn HttpOptions3>, Hresult> {
        Ok(self.query(Profile::V10_3)?)
    }

    fn token_options(&self) -> Result<Arc<dyn TokenOptions>, Hresult> {
        Ok(self.query(Profile::V4_0)?)
    }

    fn add_file(&self, remote_name: Option<&str>, local_name: Option<&str>) -> Result<Success, Hresult> {
        match (text::required(remote_name), text::required(local_name)) {
            (Ok(remote_name), Ok(local_name)) => self.add("AddFile", &[FileInfo { remote_name, local_name }]),
            (Err(code), _) | (_, Err(code)) => self.refuse("AddFile", code),
        }
    }

    fn add_file_set(&self, files: &[FileInfo<'_>]) -> Result<Success, Hresult> {
        let names = files.iter().flat_map(|file| [file.remote_name, file.local_name]);
        match names.map(|name| text::required(Some(name))).find_map(Result::err) {
            Some(code) => self.refuse("AddFileSet", code),
            None => self.add("AddFileSet", files),
        }
    }

    fn enum_files(&self) -> Result<Arc<EnumFiles>, Hresult> {
        let service = self.service()?;
        let count = service.read(|engine| engine.file_count(&self.caller.token(), self.key))?;
        let this = self.this()?;
        let files: Vec<Arc<dyn File>> =
            (0..count).map(|index| FileHandle::new(&this, FileIndex(index)) as Arc<dyn File>).collect();
        Ok(Snapshot::new(service.weak(), files))
    }

    fn suspend(&self) -> Result<Success, Hresult> {
        let token = &self.caller.token();
        self.service()?.mutate(&self.caller, "Suspend", self.key, |engine, cx| engine.suspend(cx, token, self.key))
    }

    fn resume(&self) -> Result<Success, Hresult> {
        let token = &self.caller.token();
        self.service()?.mutate(&self.caller, "Resume", self.key, |engine, cx| engine.resume(cx, token, self.key))
    }

    fn cancel(&self) -> Result<Success, Hresult> {
        let token = &self.caller.token();
        self.service()?.mutate(&self.caller, "Cancel", self.key, |engine, cx| engine.cancel(cx, token, self.key))
    }

    fn complete(&self) -> Result<Success, Hresult> {
        let token = &self.caller.token();
        self.service()?.mutate(&self.caller, "Complete", self.key, |engine, cx| engine.complete(cx, token, self.key))
    }

    fn id(&self) -> Result<Guid, Hresult> {
        self.service()?.read(|engine| engine.id(&self.caller.token(), self.key))
    }

    fn job_type(&self) -> Result<JobType, Hresult> {
        self.service()?.read(|engine| engine.job_type(&self.caller.token(), self.key))
    }

    fn progress(&self) -> Result<JobProgress, Hresult> {
        self.service()?.read(|engine| engine.progress(&self.caller.token(), self.key))
    }

    fn times(&self) -> Result<JobTimes, Hresult> {
        self.service()?.read(|engine| engine.times(&self.caller.token(), self.key))
    }

    fn state(&self) -> Result<JobState, Hresult> {
        self.service()?.read(|engine| engine.state(&self.caller.token(), self.key))
    }

    fn set_proxy_settings(
        &self,
        usage: ProxyUsage,
        list: Option<&str>,
        bypass_list: Option<&str>,
    ) -> Result<Success, Hresult> {
        let token = &self.caller.token();
        let settings =
            ProxySettings { usage, list: list.map(str::to_owned), bypass_list: bypass_list.map(str::to_owned) };
        self.service()?.mutate(&self.caller, "SetProxySettings", self.key, |engine, cx| {
            engine.set_proxy_settings(cx, token, self.key, &settings)
        })
    }

    fn proxy_settings(&self) -> Result<ProxySettings, Hresult> {
        self.service()?.read(|engine| engine.proxy_settings(&self.caller.token(), self.key))
    }

    fn error(&self) -> Result<Arc<dyn JobError>, Hresult> {
        let error = self.service()?.read(|engine| engine.error(&self.caller.token(), self.key))?;
        Ok(ErrorHandle::new(&self.this()?, error))
    }

    fn error_count(&self) -> Result<u32, Hresult> {
        self.service()?.read(|engine| engine.error_count(&self.caller.token(), self.key))
    }

    fn take_ownership(&self) -> Result<Success, Hresult> {
        let token = &self.caller.thread();
        self.service()?
            .mutate(&self.caller, "TakeOwnership", self.key, |engine, cx| engine.take_ownership(cx, token, self.key))
    }

    fn owner(&self) -> Result<String, Hresult> {
        self.service()?.read(|engine| engine.owner(&self.caller.token(), self.key).map(|owner| owner.to_string()))
    }

    fn set_notify_interface(&self, object: Option<Arc<dyn Unknown>>) -> Result<Success, Hresult> {
        let service = self.service()?;
        let token = &self.caller.token();
        let Some(object) = object else {
            return service.mutate(&self.caller, "SetNotifyInterface", self.key, |engine, cx| {
                engine.set_callback(cx, token, self.key, None)
            });
        };
        let Some(interface) = callbacks::interface(&*object) else {
            return self.refuse("SetNotifyInterface", Hresult::E_NOINTERFACE);
        };
        let id = service.register(&self.caller, object)?;
        let result = service.mutate(&self.caller, "SetNotifyInterface", self.key, |engine, cx| {
            engine.set_callback(cx, token, self.key, Some((id, interface)))
        });
        if result.is_err() {
            callbacks::drop_elsewhere(service.unregister(id));
        }
        result
    }

    fn notify_interface(&self) -> Result<Option<Arc<dyn Unknown>>, Hresult> {
        let service = self.service()?;
        let id = service.read(|engine| engine.callback(&self.caller.token(), self.key))?;
        Ok(id.and_then(|id| service.registered(id)).map(|registration| registration.object))
    }
}

impl Settings for JobHandle {
    fn get(&self, setting: Setting) -> Result<Value, Hresult> {
        self.service()?.read(|engine| engine.get(&self.caller.token(), self.key, setting))
    }

    fn set(&self, setting: Setting, value: Value) -> Result<Success, Hresult> {
        let method = setter(setting);
        if let Value::Text(text) = &value
            && let Err(code) = text::required(text.as_deref())
        {
            return self.refuse(method, code);
        }
        let token = &self.caller.token();
        self.service()?
            .mutate(&self.caller, method, self.key, |engine, cx| engine.set(cx, token, self.key, setting, &value))
    }
}

/// Windows' name of the method that sets it.
fn setter(setting: Setting) -> &'static str {
    match setting {
        Setting::DisplayName => "SetDisplayName",
        Setting::Description => "SetDescription",
        Setting::Priority => "SetPriority",
        Setting::NotifyFlags => "SetNotifyFlags",
        Setting::MinimumRetryDelay => "SetMinimumRetryDelay",
        Setting::NoProgressTimeout => "SetNoProgressTimeout",
        Setting::FileAclFlags => "SetFileACLFlags",
        Setting::SecurityFlags => "SetSecurityFlags",
        Setting::PeerCachingFlags => "SetPeerCachingFlags",
        Setting::MaximumDownloadTime => "SetMaximumDownloadTime",
        Setting::HttpMethod => "SetHttpMethod",
        _ => "SetProperty",
    }
}
