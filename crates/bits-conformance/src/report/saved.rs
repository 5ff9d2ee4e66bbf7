//! Reports of runs, read back from files.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ended::{CaseEnded, ProbeEnded};
use super::json::FORMAT;
use crate::provider::About;

/// The report of a run, as `run --format json` has written it.
#[derive(Deserialize)]
pub(super) struct Saved {
    #[serde(default = "whole")]
    pub(super) complete: bool,
    pub(super) about: About,
    pub(super) cases: Vec<SavedCase>,
    #[serde(default)]
    pub(super) probes: Vec<SavedProbe>,
}

/// What came of asking about a decision.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct SavedProbe {
    pub(super) decision: String,
    pub(super) chose: String,
    pub(super) ended: ProbeEnded,
    pub(super) seen: Option<String>,
    pub(super) why: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct SavedCase {
    pub(super) case: String,
    pub(super) ended: CaseEnded,
    pub(super) why: Option<String>,
    pub(super) claims: Vec<SavedClaim>,
}

#[derive(Deserialize)]
pub(super) struct SavedClaim {
    pub(super) clause: String,
    pub(super) held: bool,
}

/// Before there were others, each report was.
fn whole() -> bool {
    true
}

/// What tells which format a file has.
#[derive(Deserialize)]
struct Envelope {
    format: u64,
}

/// Reads a report.
///
/// # Errors
/// In one line, what is wrong with the file.
pub(super) fn load(path: &Path) -> Result<Saved, String> {
    let name = path.display();
    let bytes = std::fs::read(path).map_err(|error| format!("{name}: {error}"))?;
    let text = text_of(&bytes).ok_or_else(|| format!("{name}: this is no text"))?;
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| format!("{name}: no JSON: {error}"))?;
    let envelope = Envelope::deserialize(&value)
        .map_err(|_| format!("{name}: this is no report of `bits-conformance run --report`"))?;
    if envelope.format != FORMAT {
        return Err(format!("{name}: its format is {}, and this suite reads {FORMAT}", envelope.format));
    }
    Saved::deserialize(&value).map_err(|error| format!("{name}: this is no whole report: {error}"))
}

/// The text of a file in UTF-8, or in the UTF-16 that the shell of Windows writes into files.
fn text_of(bytes: &[u8]) -> Option<String> {
    if let Some(wide) = bytes.strip_prefix(&[0xff, 0xfe]) {
        let units: Vec<u16> = wide.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
        return String::from_utf16(&units).ok();
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    String::from_utf8(bytes.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_be_as_the_shell_of_windows_writes_it() {
        let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain("{}".encode_utf16().flat_map(u16::to_le_bytes)).collect();

        assert_eq!(text_of(&wide).as_deref(), Some("{}"));
        assert_eq!(text_of(b"\xef\xbb\xbf{}").as_deref(), Some("{}"));
        assert_eq!(text_of(b"\xff"), None);
    }
}
