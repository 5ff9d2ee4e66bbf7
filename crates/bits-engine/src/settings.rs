//! The plain settings of a job, as a table.

use std::collections::BTreeMap;

use bits_api::{
    AuthTarget, FileAclFlags, Guid, Hresult, JobPriority, JobState, JobType, NotifyFlags, PeerCachingFlags,
    SIZE_UNKNOWN, SecurityFlags, Setting, Value, text,
};
use bits_world::Profile;
use serde::{Deserialize, Serialize};

/// What may be stored in a setting.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rule {
    /// A string of at most `max` UTF-16 units; a longer one gives `BG_E_STRING_TOO_LONG`.
    Text {
        max: usize,
    },
    /// The name of an HTTP method; anything else gives `E_INVALIDARG`.
    Method,
    /// A member of BG_JOB_PRIORITY; anything else gives `E_NOTIMPL`.
    Priority,
    /// Bits that the profile knows; others give `refusal`.
    Bits {
        known: fn(Profile) -> u32,
        refusal: Hresult,
    },
    /// BG_SSL_* and BG_HTTP_REDIRECT_POLICY_* bits.
    Security,
    /// Seconds; fewer than `min` are raised to it.
    Seconds {
        min: u32,
    },
    /// Any number.
    Number,
    /// Any size but BG_SIZE_UNKNOWN and 0.
    Size,
    /// BG_AUTH_TARGET_PROXY, or 0 for none.
    ProxyTarget,
    Guid,
    Enable,
}

/// When a setting may be set, beside the rule that no job in a final state is changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum When {
    Always,
    /// Until the job is TRANSFERRED.
    NotTransferred,
    /// Until the job has a file.
    BeforeFirstFile,
    /// Until Resume was called.
    BeforeFirstResume,
}

/// The value of a job that never set it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unset {
    /// Given to CreateJob.
    AtCreation,
    Number(u32),
    Long(u64),
    Off,
    NoText,
    NoClass,
    /// By the type of the job.
    Method,
    /// What the policy says.
    DownloadTime,
    /// By the priority.
    Cost,
}

/// One setting.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) setting: Setting,
    /// Since which BITS; earlier ones do not know it.
    pub(crate) since: Profile,
    pub(crate) rule: Rule,
    pub(crate) unset: Unset,
    pub(crate) when: When,
    /// Which types of job have it.
    pub(crate) only_downloads: bool,
}

/// The longest display name in UTF-16 units, which CreateJob refuses with another code than
/// SetDisplayName.
pub(crate) const MAX_DISPLAY_NAME: usize = 256;

const ALL_JOBS: bool = false;
const DOWNLOADS: bool = true;
const ACL_FLAGS: Rule = Rule::Bits { known: |_| FileAclFlags::all().bits(), refusal: Hresult::E_INVALIDARG };
const NOTIFY_FLAGS: Rule = Rule::Bits { known: known_notify_flags, refusal: Hresult::E_NOTIMPL };
const PEER_FLAGS: Rule = Rule::Bits { known: known_peer_flags, refusal: Hresult::E_NOTIMPL };
const COST_FLAGS: Rule = Rule::Bits { known: |_| u32::MAX, refusal: Hresult::E_INVALIDARG };
const FOURTEEN_DAYS: u32 = 14 * 24 * 60 * 60;

/// All settings; none may be set in a final state, and all are on record.
#[rustfmt::skip]
pub(crate) const TABLE: &[Row] = &[
    row(Setting::DisplayName,         Profile::V1_0,  Rule::Text { max: MAX_DISPLAY_NAME }, Unset::AtCreation,            When::Always,            ALL_JOBS),
    row(Setting::Description,         Profile::V1_0,  Rule::Text { max: 1_024 },            Unset::NoText,                When::Always,            ALL_JOBS),
    row(Setting::Priority,            Profile::V1_0,  Rule::Priority,                       Unset::Number(JobPriority::NORMAL.0), When::Always,    ALL_JOBS),
    // job.notifyflags.default of observed.toml
    row(Setting::NotifyFlags,         Profile::V1_0,  NOTIFY_FLAGS,                         Unset::Number(3),             When::Always,            ALL_JOBS),
    row(Setting::MinimumRetryDelay,   Profile::V1_0,  Rule::Seconds { min: 5 },             Unset::Number(600),           When::Always,            ALL_JOBS),
    row(Setting::NoProgressTimeout,   Profile::V1_0,  Rule::Seconds { min: 0 },             Unset::Number(FOURTEEN_DAYS), When::Always,            ALL_JOBS),
    row(Setting::FileAclFlags,        Profile::V2_0,  ACL_FLAGS,                            Unset::Number(0),             When::NotTransferred,    ALL_JOBS),
    row(Setting::SecurityFlags,       Profile::V2_5,  Rule::Security,                       Unset::Number(0),             When::Always,            ALL_JOBS),
    row(Setting::PeerCachingFlags,    Profile::V3_0,  PEER_FLAGS,                           Unset::Number(0),             When::Always,            ALL_JOBS),
    row(Setting::MaximumDownloadTime, Profile::V3_0,  Rule::Seconds { min: 0 },             Unset::DownloadTime,          When::Always,            ALL_JOBS),
    row(Setting::CostFlags,           Profile::V5_0,  COST_FLAGS,                           Unset::Cost,                  When::Always,            ALL_JOBS),
    row(Setting::NotificationClsid,   Profile::V5_0,  Rule::Guid,                           Unset::NoClass,               When::Always,            ALL_JOBS),
    row(Setting::DynamicContent,      Profile::V5_0,  Rule::Enable,                         Unset::Off,                   When::BeforeFirstResume, DOWNLOADS),
    row(Setting::HighPerformance,     Profile::V5_0,  Rule::Enable,                         Unset::Off,                   When::BeforeFirstFile,   DOWNLOADS),
    row(Setting::MaxDownloadSize,     Profile::V5_0,  Rule::Size,                           Unset::Long(SIZE_UNKNOWN),    When::BeforeFirstResume, DOWNLOADS),
    row(Setting::UseStoredCredentials, Profile::V5_0, Rule::ProxyTarget,                    Unset::Number(0),             When::Always,            ALL_JOBS),
    row(Setting::MinimumNotificationInterval, Profile::V10_1, Rule::Number,                 Unset::Number(500),           When::Always,            ALL_JOBS),
    row(Setting::OnDemandMode,        Profile::V10_1, Rule::Enable,                         Unset::Off,                   When::Always,            DOWNLOADS),
    row(Setting::HttpMethod,          Profile::V10_2, Rule::Method,                         Unset::Method,                When::BeforeFirstResume, DOWNLOADS),
];

const fn row(setting: Setting, since: Profile, rule: Rule, unset: Unset, when: When, only_downloads: bool) -> Row {
    Row { setting, since, rule, unset, when, only_downloads }
}

/// A value that may be stored. Its shape is on record.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub enum Stored {
    /// A string.
    Text(Box<str>),
    /// A number, flags or a time.
    Number(u32),
    /// A switch.
    Enable(bool),
    /// A size.
    Long(u64),
    /// A class.
    Guid(Guid),
}

impl From<Stored> for Value {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Text(text) => Self::Text(Some(text.into())),
            Stored::Number(number) => Self::Number(number),
            Stored::Enable(on) => Self::Enable(on),
            Stored::Long(number) => Self::Long(number),
            Stored::Guid(class) => Self::Guid(class),
        }
    }
}

/// The settings that a job has set, of those that most jobs never set.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct LaterSettings(BTreeMap<Setting, Stored>);

impl FromIterator<(Setting, Stored)> for LaterSettings {
    fn from_iter<I: IntoIterator<Item = (Setting, Stored)>>(set: I) -> Self {
        Self(set.into_iter().collect())
    }
}

impl LaterSettings {
    pub(crate) fn set(&mut self, setting: Setting, value: Stored) {
        self.0.insert(setting, value);
    }

    pub(crate) fn get(&self, setting: Setting) -> Option<&Stored> {
        self.0.get(&setting)
    }

    /// A number that was set.
    pub(crate) fn number(&self, setting: Setting) -> Option<u32> {
        match self.get(setting) {
            Some(Stored::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// The security flags, none unless they were set.
    pub(crate) fn security_flags(&self) -> SecurityFlags {
        SecurityFlags::from_bits_retain(self.number(Setting::SecurityFlags).unwrap_or_default())
    }

    /// A size that was set.
    pub(crate) fn long(&self, setting: Setting) -> Option<u64> {
        match self.get(setting) {
            Some(Stored::Long(number)) => Some(*number),
            _ => None,
        }
    }

    /// Whether a switch was set.
    pub(crate) fn is_on(&self, setting: Setting) -> bool {
        self.get(setting) == Some(&Stored::Enable(true))
    }
}

/// The BG_NOTIFY_* bits that `profile` knows.
fn known_notify_flags(profile: Profile) -> u32 {
    let mut known =
        NotifyFlags::JOB_TRANSFERRED | NotifyFlags::JOB_ERROR | NotifyFlags::DISABLE | NotifyFlags::JOB_MODIFICATION;
    known.set(NotifyFlags::FILE_TRANSFERRED, profile >= Profile::V3_0);
    known.set(NotifyFlags::FILE_RANGES_TRANSFERRED, profile >= Profile::V10_1);
    known.bits()
}

/// The peer-caching bits that `profile` knows.
fn known_peer_flags(profile: Profile) -> u32 {
    let mut known = PeerCachingFlags::ENABLE_CLIENT | PeerCachingFlags::ENABLE_SERVER;
    known.set(PeerCachingFlags::DISABLE_BRANCH_CACHE, profile >= Profile::V4_0);
    known.bits()
}

/// Whether `profile` knows these bits, and at most one redirect policy is among them.
fn is_security(profile: Profile, bits: u32) -> bool {
    let redirects = SecurityFlags::REDIRECT_POLICY_MASK | SecurityFlags::REDIRECT_POLICY_ALLOW_HTTPS_TO_HTTP;
    let known = if profile >= Profile::V3_0 { SecurityFlags::all() } else { SecurityFlags::all() - redirects };
    let policies =
        [SecurityFlags::empty(), SecurityFlags::REDIRECT_POLICY_ALLOW_REPORT, SecurityFlags::REDIRECT_POLICY_DISALLOW];
    let flags = SecurityFlags::from_bits_retain(bits);
    known.contains(flags) && policies.contains(&(flags & SecurityFlags::REDIRECT_POLICY_MASK))
}

/// RFC 9110: a method is a token.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// The row of a setting that `profile` knows.
pub(crate) fn row_of(profile: Profile, setting: Setting) -> Result<&'static Row, Hresult> {
    TABLE.iter().find(|row| row.setting == setting && row.since <= profile).ok_or(Hresult::E_NOTIMPL)
}

/// What becomes of `value` in `setting`.
///
/// # Errors
/// `E_INVALIDARG` for a value of the wrong type, an absent string and one with NUL; otherwise the
/// code of the setting's rule.
pub(crate) fn check(profile: Profile, setting: Setting, value: &Value) -> Result<Stored, Hresult> {
    let row = row_of(profile, setting)?;
    match (row.rule, value) {
        (Rule::Text { max }, Value::Text(given)) => {
            let given = text::required(given.as_deref())?;
            if text::utf16_len(given) > max {
                return Err(Hresult::BG_E_STRING_TOO_LONG);
            }
            Ok(Stored::Text(given.into()))
        }
        (Rule::Method, Value::Text(given)) => match text::required(given.as_deref())? {
            given if is_token(given) => Ok(Stored::Text(given.into())),
            _ => Err(Hresult::E_INVALIDARG),
        },
        (Rule::Priority, Value::Number(given)) => match JobPriority(*given).name() {
            Some(_) => Ok(Stored::Number(*given)),
            None => Err(Hresult::E_NOTIMPL),
        },
        (Rule::Bits { known, refusal }, Value::Number(given)) => match given & !known(profile) {
            0 => Ok(Stored::Number(*given)),
            _ => Err(refusal),
        },
        (Rule::Security, Value::Number(given)) if is_security(profile, *given) => Ok(Stored::Number(*given)),
        (Rule::Security, Value::Number(_)) => Err(Hresult::E_NOTIMPL),
        (Rule::Seconds { min }, Value::Number(given)) => Ok(Stored::Number(*given.max(&min))),
        (Rule::Number, Value::Number(given)) => Ok(Stored::Number(*given)),
        (Rule::ProxyTarget, Value::Number(given)) => match AuthTarget(*given) {
            AuthTarget(0) | AuthTarget::PROXY => Ok(Stored::Number(*given)),
            AuthTarget::SERVER => Err(Hresult::BG_E_USE_STORED_CREDENTIALS_NOT_SUPPORTED),
            _ => Err(Hresult::E_INVALIDARG),
        },
        (Rule::Size, Value::Long(0 | SIZE_UNKNOWN)) => Err(Hresult::BG_E_MAX_DOWNLOAD_SIZE_INVALID_VALUE),
        (Rule::Size, Value::Long(given)) => Ok(Stored::Long(*given)),
        (Rule::Guid, Value::Guid(given)) => Ok(Stored::Guid(*given)),
        (Rule::Enable, Value::Enable(given)) => Ok(Stored::Enable(*given)),
        _ => Err(Hresult::E_INVALIDARG),
    }
}

/// What of a job decides when a setting may be set.
pub(crate) struct Moment {
    pub(crate) job_type: JobType,
    pub(crate) state: JobState,
    pub(crate) has_files: bool,
    pub(crate) was_resumed: bool,
}

impl Row {
    /// Whether a job may set this now.
    pub(crate) fn admits(&self, job: &Moment) -> Result<(), Hresult> {
        if self.only_downloads && job.job_type != JobType::DOWNLOAD {
            return Err(Hresult::BG_E_PROPERTY_SUPPORTED_FOR_DOWNLOAD_JOBS_ONLY);
        }
        match self.when {
            When::NotTransferred if job.state == JobState::TRANSFERRED => Err(Hresult::BG_E_INVALID_STATE),
            When::BeforeFirstFile if job.has_files => Err(Hresult::BG_E_READ_ONLY_PROPERTY_AFTER_ADDFILE),
            When::BeforeFirstResume if job.was_resumed => Err(Hresult::BG_E_READ_ONLY_PROPERTY_AFTER_RESUME),
            _ => Ok(()),
        }
    }
}

/// The value that a numeric setting has in a new job.
pub(crate) fn default_of(setting: Setting) -> u32 {
    match TABLE.iter().find(|row| row.setting == setting).map(|row| row.unset) {
        Some(Unset::Number(number)) => number,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_of_the_wrong_length_or_kind_is_refused() {
        let check = |value| check(Profile::default(), Setting::Description, &value);
        assert!(check(Value::Text(Some("x".repeat(1_024)))).is_ok());
        assert_eq!(check(Value::Text(Some("x".repeat(1_025)))), Err(Hresult::BG_E_STRING_TOO_LONG));
        assert_eq!(check(Value::Text(None)), Err(Hresult::E_INVALIDARG));
        assert_eq!(check(Value::Text(Some("a\0b".into()))), Err(Hresult::E_INVALIDARG));
        assert_eq!(check(Value::Number(1)), Err(Hresult::E_INVALIDARG));
    }

    #[test]
    fn notify_flags_are_those_of_the_profile() {
        let check = |profile, bits| check(profile, Setting::NotifyFlags, &Value::Number(bits));
        assert!(check(Profile::V2_5, 0x0F).is_ok());
        assert_eq!(check(Profile::V2_5, 0x10), Err(Hresult::E_NOTIMPL));
        assert!(check(Profile::V3_0, 0x1F).is_ok());
        assert_eq!(check(Profile::V5_0, 0x20), Err(Hresult::E_NOTIMPL));
        assert!(check(Profile::V10_1, 0x3F).is_ok());
        assert_eq!(check(Profile::V10_3, 0x40), Err(Hresult::E_NOTIMPL));
    }

    #[test]
    fn a_retry_delay_below_five_seconds_is_raised() {
        let check = |seconds| check(Profile::default(), Setting::MinimumRetryDelay, &Value::Number(seconds));
        assert_eq!(check(0), Ok(Stored::Number(5)));
        assert_eq!(check(6), Ok(Stored::Number(6)));
    }

    #[test]
    fn an_older_bits_does_not_know_a_later_setting() {
        let check = |profile| check(profile, Setting::HttpMethod, &Value::Text(Some("POST".into())));
        assert_eq!(check(Profile::V10_1), Err(Hresult::E_NOTIMPL));
        assert_eq!(check(Profile::V10_2), Ok(Stored::Text("POST".into())));
    }

    #[test]
    fn two_redirect_policies_at_once_are_refused() {
        let check = |profile, bits| check(profile, Setting::SecurityFlags, &Value::Number(bits));
        assert!(check(Profile::V10_3, 0x091F).is_ok());
        assert_eq!(check(Profile::V10_3, 0x0300), Err(Hresult::E_NOTIMPL));
        assert_eq!(check(Profile::V2_5, 0x0100), Err(Hresult::E_NOTIMPL));
    }
}
