//! The hashes of Digest.

use std::fmt::Write as _;

use md5::Md5;
use sha2::{Digest as _, Sha256};

/// A hash function that answers are made with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Hash {
    Md5,
    Sha256,
}

impl Hash {
    /// The hash of `parts` with colons between them, in lower-case hexadecimal digits.
    pub(super) fn of(self, parts: &[&str]) -> String {
        match self {
            Self::Md5 => hex(&fed(Md5::new(), parts).finalize()),
            Self::Sha256 => hex(&fed(Sha256::new(), parts).finalize()),
        }
    }
}

fn fed<D: sha2::Digest>(mut hash: D, parts: &[&str]) -> D {
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            hash.update(b":");
        }
        hash.update(part.as_bytes());
    }
    hash
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
