//! What a clause says a call returns, and which value it fixes.

use std::collections::HashMap;
use std::time::Duration;

use bits_api::{
    AuthScheme, AuthTarget, CostFlags, FileAclFlags, Guid, Hresult, JobPriority, JobPropertyId, JobState, JobType,
    NotifyFlags, PeerCacheFlags, PeerCachingFlags, ProxyUsage, SIZE_UNKNOWN, SecurityFlags, TokenFlags,
};
use serde::Deserialize;

/// The result codes of `hresults.toml`, by name and by alias.
pub(crate) struct Codes(HashMap<String, Hresult>);

#[derive(Deserialize)]
struct CodeFile {
    hresult: Vec<Row>,
    alias: Vec<Alias>,
}

#[derive(Deserialize)]
struct Row {
    name: String,
    code: u32,
}

#[derive(Deserialize)]
struct Alias {
    name: String,
    means: String,
}

impl Codes {
    pub(crate) fn load(text: &str) -> Result<Self, String> {
        let file: CodeFile = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut codes: HashMap<_, _> = file.hresult.into_iter().map(|row| (row.name, Hresult(row.code))).collect();
        for alias in file.alias {
            let meant = codes.get(&alias.means).copied();
            codes.insert(alias.name.clone(), meant.ok_or_else(|| format!("alias {} means nothing", alias.name))?);
        }
        Ok(Self(codes))
    }

    /// The code called `name`.
    pub(crate) fn named(&self, name: &str) -> Result<Hresult, String> {
        self.0.get(name).copied().ok_or_else(|| format!("no result code is called {name:?}"))
    }

    /// Every code with its name, aliases included.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Hresult)> {
        self.0.iter().map(|(name, code)| (name.as_str(), *code))
    }
}

/// What a clause's `hresult` allows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Expected {
    /// This code.
    Code(Hresult),
    /// The first code, until the last call of a walk gives the second.
    Then(Hresult, Hresult),
    /// Any code but this.
    AnyBut(Hresult),
}

impl Expected {
    /// Reads `S_OK`, `S_OK 0x00000000`, `S_OK 0x00000000 then S_FALSE 0x00000001` and
    /// `any but S_OK`.
    pub(crate) fn parse(text: &str, codes: &Codes) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("any but ") {
            return Ok(Self::AnyBut(codes.named(name)?));
        }
        match text.split_once(" then ") {
            Some((first, last)) => Ok(Self::Then(code(first, codes)?, code(last, codes)?)),
            None => Ok(Self::Code(code(text, codes)?)),
        }
    }

    /// Whether the code of one call is the expected one.
    pub(crate) fn allows(&self, got: Hresult) -> Result<bool, String> {
        match self {
            Self::Code(code) => Ok(got == *code),
            Self::AnyBut(code) => Ok(got != *code),
            Self::Then(..) => Err("it names two codes: claim it with returns_in_turn".to_owned()),
        }
    }

    /// Whether a walk ended as expected: the first code throughout, the second at the end.
    pub(crate) fn allows_walk(&self, got: &[Hresult]) -> Result<bool, String> {
        match (self, got) {
            (Self::Then(first, last), [walk @ .., end]) => {
                Ok(!walk.is_empty() && walk.iter().all(|code| code == first) && end == last)
            }
            (Self::Then(..), []) => Ok(false),
            _ => Err("it names one code: claim it with returns".to_owned()),
        }
    }

    /// An expectation that a call which meets this one cannot meet.
    pub(crate) fn falsified(&self) -> Self {
        match self {
            Self::Code(code) => Self::AnyBut(*code),
            Self::AnyBut(code) => Self::Code(*code),
            Self::Then(first, last) => Self::Then(*last, *first),
        }
    }
}

/// Reads a name, with or without its number behind it.
fn code(text: &str, codes: &Codes) -> Result<Hresult, String> {
    let (name, number) = text.split_once(' ').map_or((text, None), |(name, number)| (name, Some(number)));
    let named = codes.named(name)?;
    match number.map(parse_number) {
        None => Ok(named),
        Some(Some(number)) if number == u64::from(named.0) => Ok(named),
        Some(_) => Err(format!("{text:?} is not the number of {named}")),
    }
}

/// Something that a clause's `value` can fix.
pub(crate) trait Measured: std::fmt::Debug {
    /// Whether this is the value that `text` writes.
    ///
    /// # Errors
    /// Why `text` cannot be read as such a value.
    fn is_written(&self, text: &str) -> Result<bool, String>;
}

/// Reads `12`, `0x1F`, `12 (0xC)`, `180 bytes`, `32 KB`, `1 MB`, `A|B = 0x3` and the names of special numbers.
fn number(text: &str) -> Result<u64, String> {
    if text == "BG_SIZE_UNKNOWN" {
        return Ok(SIZE_UNKNOWN);
    }
    let text = text.rsplit_once(" = ").map_or(text, |(_, number)| number);
    let text = text.split_once(" (").map_or(text, |(number, _)| number);
    let (count, unit) = match text.split_once(' ') {
        Some((count, "bytes")) => (count, 1),
        Some((count, "KB")) => (count, 1 << 10),
        Some((count, "MB")) => (count, 1 << 20),
        _ => (text, 1),
    };
    parse_number(count).map(|count| count * unit).ok_or_else(|| format!("value {text:?} is not a plain number"))
}

fn parse_number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

impl Measured for u64 {
    fn is_written(&self, text: &str) -> Result<bool, String> {
        number(text).map(|number| number == *self)
    }
}

impl Measured for u32 {
    fn is_written(&self, text: &str) -> Result<bool, String> {
        u64::from(*self).is_written(text)
    }
}

impl Measured for usize {
    fn is_written(&self, text: &str) -> Result<bool, String> {
        (*self as u64).is_written(text)
    }
}

macro_rules! measured_by_bits {
    ($($flags:ty),*) => {
        $(impl Measured for $flags {
            fn is_written(&self, text: &str) -> Result<bool, String> {
                self.bits().is_written(text)
            }
        })*
    };
}

measured_by_bits!(NotifyFlags, FileAclFlags, SecurityFlags, PeerCachingFlags, PeerCacheFlags, CostFlags, TokenFlags);

/// `TRUE` and `FALSE`.
impl Measured for bool {
    fn is_written(&self, text: &str) -> Result<bool, String> {
        match text {
            "TRUE" => Ok(*self),
            "FALSE" => Ok(!*self),
            _ => Err(format!("value {text:?} is no BOOL")),
        }
    }
}

impl Measured for Guid {
    fn is_written(&self, text: &str) -> Result<bool, String> {
        let written: Self = text.parse().map_err(|error| format!("value {text:?}: {error}"))?;
        Ok(written == *self)
    }
}

impl Measured for &str {
    fn is_written(&self, text: &str) -> Result<bool, String> {
        Ok(*self == text)
    }
}

impl Measured for String {
    fn is_written(&self, text: &str) -> Result<bool, String> {
        Ok(self == text)
    }
}

/// `90 days`, `24 hours`, `600 s`, `600 seconds`; `90 days (7776000 s)` says it twice.
impl Measured for Duration {
    fn is_written(&self, text: &str) -> Result<bool, String> {
        let unreadable = || format!("value {text:?} is not a time");
        let short = text.split_once(" (").map_or(text, |(short, _)| short);
        let (count, unit) = short.split_once(' ').unwrap_or((short, "s"));
        let seconds = match unit {
            "s" | "seconds" => 1,
            "hours" => 3_600,
            "days" => 86_400,
            _ => return Err(unreadable()),
        };
        let count = parse_number(count).ok_or_else(unreadable)?;
        Ok(*self == Duration::from_secs(count * seconds))
    }
}

/// A named value may be written by name or by number.
fn named_or_number(name: Option<&str>, got: u32, text: &str) -> bool {
    let short = text.split_once(" (").map_or(text, |(short, _)| short);
    match parse_number(short) {
        Some(number) => number == u64::from(got),
        None => name == Some(short),
    }
}

macro_rules! measured_by_name {
    ($($named:ty),*) => {
        $(impl Measured for $named {
            fn is_written(&self, text: &str) -> Result<bool, String> {
                Ok(named_or_number(self.name(), self.0, text))
            }
        })*
    };
}

measured_by_name!(
    bits_api::FilePropertyId,
    JobState,
    JobPriority,
    JobType,
    JobPropertyId,
    AuthTarget,
    AuthScheme,
    ProxyUsage,
    bits_api::ErrorContext
);

impl Measured for Hresult {
    fn is_written(&self, text: &str) -> Result<bool, String> {
        self.0.is_written(&text.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spec;

    fn parse(text: &str) -> Result<Expected, String> {
        Expected::parse(text, &Spec::get().codes)
    }

    #[test]
    fn a_code_may_carry_its_number() {
        assert_eq!(parse("S_FALSE 0x00000001"), Ok(Expected::Code(Hresult::S_FALSE)));
        assert!(parse("S_FALSE 0x00000002").is_err());
        assert!(parse("BG_E_NOSUCH").is_err());
    }

    #[test]
    fn a_walk_gives_its_last_code_at_the_end_only() {
        let walk = parse("S_OK 0x00000000 then S_FALSE 0x00000001").unwrap();
        let (ok, end) = (Hresult::S_OK, Hresult::S_FALSE);
        assert_eq!(walk.allows_walk(&[ok, ok, end]), Ok(true));
        for wrong in [&[ok, ok][..], &[end], &[end, ok], &[ok, end, end], &[]] {
            assert_eq!(walk.allows_walk(wrong), Ok(false), "{wrong:?}");
        }
    }

    #[test]
    fn an_alias_means_its_code() {
        assert_eq!(parse("BG_E_FILE_CHANGED"), Ok(Expected::Code(Hresult::BG_E_LOCAL_FILE_CHANGED)));
    }

    #[test]
    fn values_are_read_in_their_units() {
        assert_eq!(Duration::from_hours(24 * 90).is_written("90 days (7776000 s)"), Ok(true));
        assert_eq!(Duration::from_secs(5).is_written("5 s"), Ok(true));
        assert_eq!(3_u32.is_written("BG_NOTIFY_JOB_TRANSFERRED|BG_NOTIFY_JOB_ERROR = 0x3"), Ok(true));
        assert_eq!(JobPriority::NORMAL.is_written("BG_JOB_PRIORITY_NORMAL (2)"), Ok(true));
        assert_eq!(JobState::ERROR.is_written("5 (0x5)"), Ok(false));
        assert_eq!(1_048_576_u32.is_written("1 MB"), Ok(true));
        assert_eq!(1_000_u32.is_written("1 KB"), Ok(false));
        assert!(5_u32.is_written("kbit/s").is_err());
    }
}
