//! The plain settings of a job, as a table.

use bits_api::{Hresult, JobPriority, NotifyFlags, Setting, Value, text};
use bits_world::Profile;

/// What may be stored in a setting.
pub(crate) enum Rule {
    /// A string of at most `max` UTF-16 units; a longer one gives `BG_E_STRING_TOO_LONG`.
    Text { max: usize },
    /// A member of BG_JOB_PRIORITY; anything else gives `E_NOTIMPL`.
    Priority,
    /// BG_NOTIFY_* bits that the profile knows; others give `E_NOTIMPL`.
    NotifyFlags,
    /// Seconds; fewer than `min` are raised to it.
    Seconds { min: u32 },
}

/// The longest display name in UTF-16 units, which CreateJob refuses with another code than
/// SetDisplayName.
pub(crate) const MAX_DISPLAY_NAME: usize = 256;

/// One setting.
pub(crate) struct Row {
    pub(crate) setting: Setting,
    pub(crate) rule: Rule,
    /// The value of a new job; a display name is given to CreateJob.
    pub(crate) default: u32,
}

/// All settings; each may be set in every state that is not final, and is on record.
#[rustfmt::skip]
pub(crate) const TABLE: &[Row] = &[
    row(Setting::DisplayName,       Rule::Text { max: MAX_DISPLAY_NAME }, 0),
    row(Setting::Description,       Rule::Text { max: 1_024 },            0),
    row(Setting::Priority,          Rule::Priority,                       JobPriority::NORMAL.0),
    // job.notifyflags.default of observed.toml
    row(Setting::NotifyFlags,       Rule::NotifyFlags,                    3),
    row(Setting::MinimumRetryDelay, Rule::Seconds { min: 5 },             600),
    row(Setting::NoProgressTimeout, Rule::Seconds { min: 0 },             14 * 24 * 60 * 60),
];

const fn row(setting: Setting, rule: Rule, default: u32) -> Row {
    Row { setting, rule, default }
}

/// A value that may be stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Checked {
    Text(Box<str>),
    Number(u32),
}

/// The BG_NOTIFY_* bits that `profile` knows.
fn known_notify_flags(profile: Profile) -> NotifyFlags {
    let mut known =
        NotifyFlags::JOB_TRANSFERRED | NotifyFlags::JOB_ERROR | NotifyFlags::DISABLE | NotifyFlags::JOB_MODIFICATION;
    known.set(NotifyFlags::FILE_TRANSFERRED, profile >= Profile::V3_0);
    known.set(NotifyFlags::FILE_RANGES_TRANSFERRED, profile >= Profile::V10_1);
    known
}

/// What becomes of `value` in `setting`.
///
/// # Errors
/// `E_INVALIDARG` for a value of the wrong type, an absent string and one with NUL; otherwise the
/// code of the setting's rule.
pub(crate) fn check(profile: Profile, setting: Setting, value: &Value) -> Result<Checked, Hresult> {
    let row = TABLE.iter().find(|row| row.setting == setting).ok_or(Hresult::E_NOTIMPL)?;
    match (&row.rule, value) {
        (Rule::Text { max }, Value::Text(given)) => {
            let given = text::required(given.as_deref())?;
            if text::utf16_len(given) > *max {
                return Err(Hresult::BG_E_STRING_TOO_LONG);
            }
            Ok(Checked::Text(given.into()))
        }
        (Rule::Priority, Value::Number(given)) => match JobPriority(*given).name() {
            Some(_) => Ok(Checked::Number(*given)),
            None => Err(Hresult::E_NOTIMPL),
        },
        (Rule::NotifyFlags, Value::Number(given)) => match given & !known_notify_flags(profile).bits() {
            0 => Ok(Checked::Number(*given)),
            _ => Err(Hresult::E_NOTIMPL),
        },
        (Rule::Seconds { min }, Value::Number(given)) => Ok(Checked::Number(*given.max(min))),
        _ => Err(Hresult::E_INVALIDARG),
    }
}

/// The value that a numeric setting has in a new job.
pub(crate) fn default_of(setting: Setting) -> u32 {
    TABLE.iter().find(|row| row.setting == setting).map_or(0, |row| row.default)
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
        assert_eq!(check(0), Ok(Checked::Number(5)));
        assert_eq!(check(6), Ok(Checked::Number(6)));
    }
}
