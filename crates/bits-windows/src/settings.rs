//! The plain settings of a job, each by the methods of the interface that it came with.

use bits_api::{AuthTarget, Hresult, Job5, JobPropertyId, JobPropertyValue, Setting, Settings, Success, Value};
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;

use crate::job::JobHandle;
use crate::memory::Text;

impl Settings for JobHandle {
    fn get(&self, setting: Setting) -> Result<Value, Hresult> {
        match setting {
            Setting::DisplayName => self.job.text(|table| table.GetDisplayName).map(Value::Text),
            Setting::Description => self.job.text(|table| table.GetDescription).map(Value::Text),
            Setting::Priority => {
                let priority: bits::BG_JOB_PRIORITY = self.job.read(|table| table.GetPriority)?;
                Ok(Value::Number(priority.0.cast_unsigned()))
            }
            Setting::NotifyFlags => self.job.read(|table| table.GetNotifyFlags).map(Value::Number),
            Setting::MinimumRetryDelay => self.job.read(|table| table.GetMinimumRetryDelay).map(Value::Number),
            Setting::NoProgressTimeout => self.job.read(|table| table.GetNoProgressTimeout).map(Value::Number),
            Setting::FileAclFlags => known(self.as_job3())?.read(|table| table.GetFileACLFlags).map(Value::Number),
            Setting::SecurityFlags => {
                known(self.as_http_options())?.read(|table| table.GetSecurityFlags).map(Value::Number)
            }
            Setting::PeerCachingFlags => {
                known(self.as_job4())?.read(|table| table.GetPeerCachingFlags).map(Value::Number)
            }
            Setting::MaximumDownloadTime => {
                known(self.as_job4())?.read(|table| table.GetMaximumDownloadTime).map(Value::Number)
            }
            Setting::HttpMethod => known(self.as_http_options2())?.text(|table| table.GetHttpMethod).map(Value::Text),
            _ => {
                let id = property_of(setting)?;
                known(self.as_job5())?;
                self.property(id).and_then(setting_value)
            }
        }
    }

    fn set(&self, setting: Setting, value: Value) -> Result<Success, Hresult> {
        match value {
            Value::Text(text) => self.set_text(setting, &Text::new(text.as_deref())?),
            Value::Number(number) => self.set_number(setting, number),
            Value::Enable(on) => self.set_by_id(setting, JobPropertyValue::Enable(on)),
            Value::Long(number) => self.set_by_id(setting, JobPropertyValue::Uint64(number)),
            Value::Guid(class) => self.set_by_id(setting, JobPropertyValue::ClsId(class)),
            _ => Err(Hresult::E_INVALIDARG),
        }
    }
}

impl JobHandle {
    fn set_text(&self, setting: Setting, text: &Text) -> Result<Success, Hresult> {
        match setting {
            Setting::DisplayName => self.job.call(|table| table.SetDisplayName, (text,)),
            Setting::Description => self.job.call(|table| table.SetDescription, (text,)),
            Setting::HttpMethod => known(self.as_http_options2())?.call(|table| table.SetHttpMethod, (text,)),
            _ => Err(Hresult::E_INVALIDARG),
        }
    }

    fn set_number(&self, setting: Setting, number: u32) -> Result<Success, Hresult> {
        match setting {
            Setting::Priority => {
                self.job.call(|table| table.SetPriority, (bits::BG_JOB_PRIORITY(number.cast_signed()),))
            }
            Setting::NotifyFlags => self.job.call(|table| table.SetNotifyFlags, (number,)),
            Setting::MinimumRetryDelay => self.job.call(|table| table.SetMinimumRetryDelay, (number,)),
            Setting::NoProgressTimeout => self.job.call(|table| table.SetNoProgressTimeout, (number,)),
            Setting::FileAclFlags => known(self.as_job3())?.call(|table| table.SetFileACLFlags, (number,)),
            Setting::SecurityFlags => known(self.as_http_options())?.call(|table| table.SetSecurityFlags, (number,)),
            Setting::PeerCachingFlags => known(self.as_job4())?.call(|table| table.SetPeerCachingFlags, (number,)),
            Setting::MaximumDownloadTime => {
                known(self.as_job4())?.call(|table| table.SetMaximumDownloadTime, (number,))
            }
            Setting::UseStoredCredentials => self.set_by_id(setting, JobPropertyValue::Target(AuthTarget(number))),
            _ => self.set_by_id(setting, JobPropertyValue::Dword(number)),
        }
    }

    fn set_by_id(&self, setting: Setting, value: JobPropertyValue) -> Result<Success, Hresult> {
        let id = property_of(setting).map_err(|_| Hresult::E_INVALIDARG)?;
        known(self.as_job5())?;
        self.set_property(id, value)
    }
}

/// A setting of an interface that is not there is one that this BITS does not have.
fn known<T>(interface: Result<T, Hresult>) -> Result<T, Hresult> {
    interface.map_err(|code| if code == Hresult::E_NOINTERFACE { Hresult::E_NOTIMPL } else { code })
}

/// The id of a setting that has no methods of its own (clauses `job5.id.*`).
fn property_of(setting: Setting) -> Result<JobPropertyId, Hresult> {
    Ok(match setting {
        Setting::CostFlags => JobPropertyId::COST_FLAGS,
        Setting::NotificationClsid => JobPropertyId::NOTIFICATION_CLSID,
        Setting::DynamicContent => JobPropertyId::DYNAMIC_CONTENT,
        Setting::HighPerformance => JobPropertyId::HIGH_PERFORMANCE,
        Setting::MaxDownloadSize => JobPropertyId::MAX_DOWNLOAD_SIZE,
        Setting::UseStoredCredentials => JobPropertyId::USE_STORED_CREDENTIALS,
        Setting::MinimumNotificationInterval => JobPropertyId::MINIMUM_NOTIFICATION_INTERVAL_MS,
        Setting::OnDemandMode => JobPropertyId::ON_DEMAND_MODE,
        _ => return Err(Hresult::E_NOTIMPL),
    })
}

fn setting_value(value: JobPropertyValue) -> Result<Value, Hresult> {
    match value {
        JobPropertyValue::Dword(number) => Ok(Value::Number(number)),
        JobPropertyValue::ClsId(class) => Ok(Value::Guid(class)),
        JobPropertyValue::Enable(on) => Ok(Value::Enable(on)),
        JobPropertyValue::Uint64(number) => Ok(Value::Long(number)),
        JobPropertyValue::Target(target) => Ok(Value::Number(target.0)),
        _ => Err(Hresult::E_UNEXPECTED),
    }
}
