//! The named getters and setters over a job that only stores.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bits_api::{
    EnumFiles, FileInfo, Guid, Hresult, HttpOptions, HttpOptions2, HttpOptions3, Job, Job2, Job3, Job4, Job5, JobError,
    JobPriority, JobProgress, JobState, JobTimes, JobType, NotifyFlags, ProxySettings, ProxyUsage, Setting, Settings,
    Success, TokenOptions, Unknown, Value,
};

/// Stores settings, and has nothing else of a job.
#[derive(Debug, Default)]
pub(crate) struct PlainJob(Mutex<BTreeMap<Setting, Value>>);

const ABSENT: Hresult = Hresult::E_NOTIMPL;

impl Settings for PlainJob {
    fn get(&self, setting: Setting) -> Result<Value, Hresult> {
        self.0.lock().unwrap().get(&setting).cloned().ok_or(Hresult::E_PENDING)
    }

    fn set(&self, setting: Setting, value: Value) -> Result<Success, Hresult> {
        let before = self.0.lock().unwrap().insert(setting, value);
        Ok(if before.is_some() { Success::OK } else { Success::FALSE })
    }
}

impl Job for PlainJob {
    fn job2(&self) -> Result<Arc<dyn Job2>, Hresult> {
        Err(ABSENT)
    }

    fn job3(&self) -> Result<Arc<dyn Job3>, Hresult> {
        Err(ABSENT)
    }

    fn job4(&self) -> Result<Arc<dyn Job4>, Hresult> {
        Err(ABSENT)
    }

    fn job5(&self) -> Result<Arc<dyn Job5>, Hresult> {
        Err(ABSENT)
    }

    fn http_options(&self) -> Result<Arc<dyn HttpOptions>, Hresult> {
        Err(ABSENT)
    }

    fn http_options2(&self) -> Result<Arc<dyn HttpOptions2>, Hresult> {
        Err(ABSENT)
    }

    fn http_options3(&self) -> Result<Arc<dyn HttpOptions3>, Hresult> {
        Err(ABSENT)
    }

    fn token_options(&self) -> Result<Arc<dyn TokenOptions>, Hresult> {
        Err(ABSENT)
    }

    fn take_ownership(&self) -> Result<Success, Hresult> {
        Err(ABSENT)
    }

    fn add_file(&self, _: Option<&str>, _: Option<&str>) -> Result<Success, Hresult> {
        Err(ABSENT)
    }

    fn add_file_set(&self, _: &[FileInfo<'_>]) -> Result<Success, Hresult> {
        Err(ABSENT)
    }

    fn enum_files(&self) -> Result<Arc<EnumFiles>, Hresult> {
        Err(ABSENT)
    }

    fn suspend(&self) -> Result<Success, Hresult> {
        Err(ABSENT)
    }

    fn resume(&self) -> Result<Success, Hresult> {
        Err(ABSENT)
    }

    fn cancel(&self) -> Result<Success, Hresult> {
        Err(ABSENT)
    }

    fn complete(&self) -> Result<Success, Hresult> {
        Err(ABSENT)
    }

    fn id(&self) -> Result<Guid, Hresult> {
        Err(ABSENT)
    }

    fn job_type(&self) -> Result<JobType, Hresult> {
        Err(ABSENT)
    }

    fn progress(&self) -> Result<JobProgress, Hresult> {
        Err(ABSENT)
    }

    fn times(&self) -> Result<JobTimes, Hresult> {
        Err(ABSENT)
    }

    fn state(&self) -> Result<JobState, Hresult> {
        Err(ABSENT)
    }

    fn set_proxy_settings(&self, _: ProxyUsage, _: Option<&str>, _: Option<&str>) -> Result<Success, Hresult> {
        Err(ABSENT)
    }

    fn proxy_settings(&self) -> Result<ProxySettings, Hresult> {
        Err(ABSENT)
    }

    fn error(&self) -> Result<Arc<dyn JobError>, Hresult> {
        Err(ABSENT)
    }

    fn error_count(&self) -> Result<u32, Hresult> {
        Err(ABSENT)
    }

    fn owner(&self) -> Result<String, Hresult> {
        Err(ABSENT)
    }

    fn set_notify_interface(&self, _: Option<Arc<dyn Unknown>>) -> Result<Success, Hresult> {
        Err(ABSENT)
    }

    fn notify_interface(&self) -> Result<Option<Arc<dyn Unknown>>, Hresult> {
        Err(ABSENT)
    }
}

fn plain_job() -> Arc<dyn Job> {
    Arc::new(PlainJob::default())
}

#[test]
fn a_named_setter_stores_what_its_getter_reads() {
    let job = plain_job();

    job.set_display_name(Some("name")).unwrap();
    job.set_description(Some("description")).unwrap();
    job.set_priority(JobPriority::HIGH).unwrap();
    job.set_notify_flags(NotifyFlags::JOB_ERROR).unwrap();
    job.set_minimum_retry_delay(5).unwrap();
    job.set_no_progress_timeout(6).unwrap();

    assert_eq!(job.display_name().as_deref(), Ok("name"));
    assert_eq!(job.description().as_deref(), Ok("description"));
    assert_eq!(job.priority(), Ok(JobPriority::HIGH));
    assert_eq!(job.notify_flags(), Ok(NotifyFlags::JOB_ERROR));
    assert_eq!(job.minimum_retry_delay(), Ok(5));
    assert_eq!(job.no_progress_timeout(), Ok(6));
}

#[test]
fn a_named_setter_stores_under_its_own_setting() {
    type Set = fn(&dyn Job) -> Result<Success, Hresult>;
    let text = |text: &str| Value::Text(Some(text.into()));
    let table: [(Setting, Set, Value); 6] = [
        (Setting::DisplayName, |job| job.set_display_name(Some("n")), text("n")),
        (Setting::Description, |job| job.set_description(Some("d")), text("d")),
        (Setting::Priority, |job| job.set_priority(JobPriority::LOW), Value::Number(3)),
        (Setting::NotifyFlags, |job| job.set_notify_flags(NotifyFlags::DISABLE), Value::Number(4)),
        (Setting::MinimumRetryDelay, |job| job.set_minimum_retry_delay(7), Value::Number(7)),
        (Setting::NoProgressTimeout, |job| job.set_no_progress_timeout(8), Value::Number(8)),
    ];
    for (setting, set, value) in table {
        let job = plain_job();
        set(&*job).unwrap();
        assert_eq!(job.get(setting), Ok(value), "{setting:?}");
    }
}

#[test]
fn the_answer_of_the_provider_comes_through() {
    let job = plain_job();

    assert_eq!(job.priority(), Err(Hresult::E_PENDING));
    assert_eq!(job.display_name(), Err(Hresult::E_PENDING));
    assert_eq!(job.set_priority(JobPriority::LOW), Ok(Success::FALSE));
    assert_eq!(job.set_priority(JobPriority::LOW), Ok(Success::OK));
}

#[test]
fn null_reaches_the_provider_as_null_and_undefined_values_unchanged() {
    let job = plain_job();

    job.set_display_name(None).unwrap();
    job.set_priority(JobPriority(99)).unwrap();
    job.set_notify_flags(NotifyFlags::from_bits_retain(0x8000_0000)).unwrap();

    assert_eq!(job.get(Setting::DisplayName), Ok(Value::Text(None)));
    assert_eq!(job.priority(), Ok(JobPriority(99)));
    assert_eq!(job.notify_flags().map(|flags| flags.bits()), Ok(0x8000_0000));
}

#[test]
fn a_provider_that_mixes_up_types_is_an_unexpected_failure() {
    let job = plain_job();
    job.set(Setting::DisplayName, Value::Number(1)).unwrap();
    job.set(Setting::Priority, Value::Text(None)).unwrap();

    assert_eq!(job.display_name(), Err(Hresult::E_UNEXPECTED));
    assert_eq!(job.priority(), Err(Hresult::E_UNEXPECTED));
}
