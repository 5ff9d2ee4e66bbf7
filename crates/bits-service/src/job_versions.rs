//! The later interfaces of a job: one object has them all.

use std::sync::Arc;

use bits_api::{
    Answer, AuthTarget, CertStoreLocation, ClientCertificate, FileInfo, FileRange, Hresult, HttpOptions, HttpOptions2,
    HttpOptions3, Job3, Job4, Job5, JobPropertyId, JobPropertyValue, Setting, Settings, Success, Unknown, Value, text,
};

use crate::callbacks;
use crate::job::JobHandle;

impl Job3 for JobHandle {
    fn add_file_with_ranges(
        &self,
        remote_name: Option<&str>,
        local_name: Option<&str>,
        ranges: &[FileRange],
    ) -> Result<Success, Hresult> {
        const METHOD: &str = "AddFileWithRanges";
        let file = match (text::required(remote_name), text::required(local_name)) {
            (Ok(remote_name), Ok(local_name)) => FileInfo { remote_name, local_name },
            (Err(code), _) | (_, Err(code)) => return self.refuse(METHOD, code),
        };
        let token = &self.caller().token();
        self.add_with(METHOD, &[file], |engine, cx| engine.add_file_with_ranges(cx, token, self.key(), &file, ranges))
    }

    fn replace_remote_prefix(&self, old: Option<&str>, new: Option<&str>) -> Result<Success, Hresult> {
        let token = &self.caller().token();
        self.mutate("ReplaceRemotePrefix", |engine, cx| engine.replace_remote_prefix(cx, token, self.key(), old, new))
    }
}

impl Job4 for JobHandle {
    fn owner_integrity_level(&self) -> Result<u32, Hresult> {
        self.service()?.read(|engine| engine.owner_integrity_level(&self.caller().token(), self.key()))
    }

    fn owner_elevation_state(&self) -> Result<bool, Hresult> {
        self.service()?.read(|engine| engine.owner_elevation_state(&self.caller().token(), self.key()))
    }
}

impl HttpOptions for JobHandle {
    fn set_client_certificate_by_id(
        &self,
        location: CertStoreLocation,
        store_name: Option<&str>,
        hash: Option<&[u8]>,
    ) -> Result<Success, Hresult> {
        let (token, store) = (&self.caller().token(), (location, store_name));
        self.mutate("SetClientCertificateByID", |engine, cx| {
            engine.set_client_certificate_by_id(cx, token, self.key(), store, hash)
        })
    }

    fn set_client_certificate_by_name(
        &self,
        location: CertStoreLocation,
        store_name: Option<&str>,
        subject: Option<&str>,
    ) -> Result<Success, Hresult> {
        let (token, store) = (&self.caller().token(), (location, store_name));
        self.mutate("SetClientCertificateByName", |engine, cx| {
            engine.set_client_certificate_by_name(cx, token, self.key(), store, subject)
        })
    }

    fn remove_client_certificate(&self) -> Result<Success, Hresult> {
        let token = &self.caller().token();
        self.mutate("RemoveClientCertificate", |engine, cx| engine.remove_client_certificate(cx, token, self.key()))
    }

    fn client_certificate(&self) -> Result<ClientCertificate, Hresult> {
        let token = &self.caller().token();
        self.service()?.call(|engine, cx| engine.client_certificate(cx, token, self.key()))
    }

    fn set_custom_headers(&self, headers: Option<&str>) -> Result<Success, Hresult> {
        let token = &self.caller().token();
        self.service()?.mutate(self.caller(), "SetCustomHeaders", self.key(), |engine, cx| {
            engine.set_custom_headers(cx, token, self.key(), headers)
        })
    }

    fn custom_headers(&self) -> Result<Answer<Option<String>>, Hresult> {
        self.service()?.read(|engine| engine.custom_headers(&self.caller().token(), self.key()))
    }
}

impl HttpOptions2 for JobHandle {}

impl HttpOptions3 for JobHandle {
    fn make_custom_headers_write_only(&self) -> Result<Success, Hresult> {
        let token = &self.caller().token();
        self.service()?.mutate(self.caller(), "MakeCustomHeadersWriteOnly", self.key(), |engine, cx| {
            engine.make_custom_headers_write_only(cx, token, self.key())
        })
    }

    fn set_server_certificate_validation_interface(
        &self,
        object: Option<Arc<dyn Unknown>>,
    ) -> Result<Success, Hresult> {
        const METHOD: &str = "SetServerCertificateValidationInterface";
        let (service, token) = (self.service()?, &self.caller().token());
        let Some(object) = object else {
            return self.mutate(METHOD, |engine, cx| engine.set_vetting(cx, token, self.key(), None));
        };
        if object.server_certificate_validation().is_none() {
            return self.refuse(METHOD, Hresult::E_NOINTERFACE);
        }
        let id = service.register(self.caller(), object)?;
        let result = self.mutate(METHOD, |engine, cx| engine.set_vetting(cx, token, self.key(), Some(id)));
        if result.is_err() {
            callbacks::drop_elsewhere(service.unregister(id));
        }
        result
    }
}

impl Job5 for JobHandle {
    fn set_property(&self, id: JobPropertyId, value: JobPropertyValue) -> Result<Success, Hresult> {
        match self.setting_of(id) {
            Ok(setting) => self.set(setting, value_of(value)),
            Err(code) => self.refuse("SetProperty", code),
        }
    }

    fn property(&self, id: JobPropertyId) -> Result<JobPropertyValue, Hresult> {
        let setting = self.setting_of(id)?;
        match self.get(setting)? {
            Value::Number(number) if setting == Setting::UseStoredCredentials => {
                Ok(JobPropertyValue::Target(AuthTarget(number)))
            }
            Value::Number(number) => Ok(JobPropertyValue::Dword(number)),
            Value::Enable(on) => Ok(JobPropertyValue::Enable(on)),
            Value::Long(number) => Ok(JobPropertyValue::Uint64(number)),
            Value::Guid(class) => Ok(JobPropertyValue::ClsId(class)),
            _ => Err(Hresult::E_UNEXPECTED),
        }
    }
}

impl JobHandle {
    /// The setting that is known by this id to the BITS that is played (clauses `job5.id.*`).
    fn setting_of(&self, id: JobPropertyId) -> Result<Setting, Hresult> {
        let setting = match id {
            JobPropertyId::COST_FLAGS => Setting::CostFlags,
            JobPropertyId::NOTIFICATION_CLSID => Setting::NotificationClsid,
            JobPropertyId::DYNAMIC_CONTENT => Setting::DynamicContent,
            JobPropertyId::HIGH_PERFORMANCE => Setting::HighPerformance,
            JobPropertyId::MAX_DOWNLOAD_SIZE => Setting::MaxDownloadSize,
            JobPropertyId::USE_STORED_CREDENTIALS => Setting::UseStoredCredentials,
            JobPropertyId::MINIMUM_NOTIFICATION_INTERVAL_MS => Setting::MinimumNotificationInterval,
            JobPropertyId::ON_DEMAND_MODE => Setting::OnDemandMode,
            _ => return Err(Hresult::BG_E_UNKNOWN_PROPERTY_ID),
        };
        if self.service()?.read(|engine| Ok(engine.knows(setting)))? {
            Ok(setting)
        } else {
            Err(Hresult::BG_E_UNKNOWN_PROPERTY_ID)
        }
    }
}

fn value_of(value: JobPropertyValue) -> Value {
    match value {
        JobPropertyValue::Dword(number) => Value::Number(number),
        JobPropertyValue::ClsId(class) => Value::Guid(class),
        JobPropertyValue::Enable(on) => Value::Enable(on),
        JobPropertyValue::Uint64(number) => Value::Long(number),
        JobPropertyValue::Target(target) => Value::Number(target.0),
        // A union that the future may widen: no setting takes a string by number.
        _ => Value::Text(None),
    }
}
