//! IBackgroundCopyManager over a running service.

use std::fmt;
use std::sync::{Arc, Weak};

use bits_api::{
    CreatedJob, EnumJobs, EnumJobsFlags, Guid, Hresult, Job, JobType, LanguageId, Manager, PeerCacheAdministration,
    text as api_text,
};

use bits_world::Profile;

use crate::client::Caller;
use crate::job::JobHandle;
use crate::peer_cache::Administration;
use crate::service::Service;
use crate::snapshot::Snapshot;
use crate::text;

pub(crate) struct ManagerHandle {
    service: Weak<Service>,
    caller: Caller,
}

impl ManagerHandle {
    pub(crate) fn new(service: Weak<Service>, caller: Caller) -> Self {
        Self { service, caller }
    }

    fn service(&self) -> Result<Arc<Service>, Hresult> {
        self.caller.check()?;
        Service::of(&self.service)
    }

    fn logged<T>(
        &self,
        service: &Service,
        method: &'static str,
        result: Result<T, Hresult>,
        job: impl FnOnce(&T) -> Option<Guid>,
    ) -> Result<T, Hresult> {
        let (job, code) = match &result {
            Ok(value) => (job(value), Hresult::S_OK),
            Err(code) => (None, *code),
        };
        service.log_call(&self.caller, method, job, code);
        result
    }

    fn create(&self, service: &Service, name: Option<&str>, job_type: JobType) -> Result<CreatedJob, Hresult> {
        let name = api_text::required(name)?;
        let id = service.new_guid();
        let key = service.call(|engine, cx| {
            let key = engine.create_job(cx, &self.caller.thread(), id, Some(name), job_type)?;
            engine.retain(key);
            Ok(key)
        })?;
        Ok(CreatedJob { id, job: JobHandle::adopt(service, self.caller.asking(service.profile), key, id) })
    }
}

impl fmt::Debug for ManagerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Manager({})", self.caller.client)
    }
}

impl Manager for ManagerHandle {
    fn create_job(&self, display_name: Option<&str>, job_type: JobType) -> Result<CreatedJob, Hresult> {
        let service = self.service()?;
        let created = self.create(&service, display_name, job_type);
        self.logged(&service, "CreateJob", created, |created| Some(created.id))
    }

    fn job(&self, id: Guid) -> Result<Arc<dyn Job>, Hresult> {
        let service = self.service()?;
        let found = service.call(|engine, cx| {
            let key = engine.find_job(cx, &self.caller.thread(), id)?;
            engine.retain(key);
            Ok(key)
        });
        let key = self.logged(&service, "GetJob", found, |_| Some(id))?;
        Ok(JobHandle::adopt(&service, self.caller.asking(service.profile), key, id))
    }

    fn enum_jobs(&self, flags: EnumJobsFlags) -> Result<Arc<EnumJobs>, Hresult> {
        let service = self.service()?;
        let listed = service.call(|engine, cx| {
            let keys = engine.enum_jobs(cx, &self.caller.thread(), flags)?;
            Ok(keys
                .into_iter()
                .filter_map(|key| {
                    engine.retain(key);
                    engine.guid(key).map(|id| (key, id))
                })
                .collect::<Vec<_>>())
        });
        let listed = self.logged(&service, "EnumJobs", listed, |_| None)?;
        let caller = self.caller.asking(service.profile);
        let jobs: Vec<Arc<dyn Job>> = listed
            .into_iter()
            .map(|(key, id)| JobHandle::adopt(&service, caller.clone(), key, id) as Arc<dyn Job>)
            .collect();
        Ok(Snapshot::new(service.weak(), jobs))
    }

    fn peer_cache_administration(&self) -> Result<Arc<dyn PeerCacheAdministration>, Hresult> {
        let profile = self.service()?.read(|engine| Ok(engine.profile()))?;
        if profile < Profile::V3_0 {
            return Err(Hresult::E_NOINTERFACE);
        }
        Ok(Administration::new(Weak::clone(&self.service), self.caller.clone()))
    }

    fn error_description(&self, code: Hresult, language: LanguageId) -> Result<String, Hresult> {
        self.service()?;
        text::of_code(code, language)
    }
}
