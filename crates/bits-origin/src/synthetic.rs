//! Files of any size that nobody holds in memory.

use std::fmt::Write as _;
use std::ops::Range;

use sha2::{Digest, Sha256};

/// A file whose bytes are a pure function of a seed and the offset.
///
/// ```
/// use bits_origin::Synthetic;
///
/// let file = Synthetic::new(4 << 40, 7);
/// assert_eq!(file.bytes(1_000_000_000_000..1_000_000_000_010), file.bytes(1_000_000_000_000..1_000_000_000_010));
/// assert_eq!(file.bytes(0..100)[10..20], file.bytes(10..20));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Synthetic {
    length: u64,
    seed: u64,
}

impl Synthetic {
    const WORD: usize = size_of::<u64>();
    const CHUNK: usize = 1 << 16;

    /// A file of `length` bytes; another `seed` gives other bytes.
    pub fn new(length: u64, seed: u64) -> Self {
        Self { length, seed }
    }

    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The bytes of `range`, as far as it lies within the file.
    pub fn bytes(&self, range: Range<u64>) -> Vec<u8> {
        let end = range.end.min(self.length);
        let length = end.saturating_sub(range.start);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        self.fill(range.start, &mut bytes);
        bytes
    }

    /// The SHA-256 of the whole file in lower-case hexadecimal; takes time in proportion to the
    /// length.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        let mut chunk = vec![0; Self::CHUNK];
        let mut offset = 0;
        while offset < self.length {
            let take = usize::try_from(self.length - offset).unwrap_or(usize::MAX).min(Self::CHUNK);
            self.fill(offset, &mut chunk[..take]);
            hash.update(&chunk[..take]);
            offset += take as u64;
        }
        hex(&hash.finalize())
    }

    /// Fills `target` with the bytes from `offset` on.
    pub(crate) fn fill(&self, offset: u64, target: &mut [u8]) {
        let word = Self::WORD as u64;
        let skip = usize::try_from(offset % word).unwrap_or(0);
        let mut index = offset / word;
        let head = target.len().min((Self::WORD - skip) % Self::WORD);
        let (head, rest) = target.split_at_mut(head);
        if !head.is_empty() {
            head.copy_from_slice(&self.word(index)[skip..skip + head.len()]);
            index += 1;
        }
        let mut words = rest.chunks_exact_mut(Self::WORD);
        for chunk in &mut words {
            chunk.copy_from_slice(&self.word(index));
            index += 1;
        }
        let tail = words.into_remainder();
        tail.copy_from_slice(&self.word(index)[..tail.len()]);
    }

    fn word(&self, index: u64) -> [u8; Self::WORD] {
        mix(self.seed ^ index.wrapping_mul(0x9E37_79B9_7F4A_7C15)).to_le_bytes()
    }
}

/// The SHA-256 of `bytes` in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The finalizer of SplitMix64: spreads every bit of `value` over all of the result.
pub(crate) fn mix(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn another_seed_gives_other_bytes() {
        assert_ne!(Synthetic::new(64, 1).bytes(0..64), Synthetic::new(64, 2).bytes(0..64));
    }

    #[test]
    fn the_hash_of_a_file_is_the_hash_of_its_bytes() {
        let file = Synthetic::new(200_003, 5);
        assert_eq!(file.sha256(), sha256(&file.bytes(0..u64::MAX)));
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    proptest! {
        #[test]
        fn any_part_equals_the_same_part_of_the_whole(length in 0_u64..300, from in 0_u64..320, to in 0_u64..320) {
            let file = Synthetic::new(length, 3);
            let whole = file.bytes(0..length);
            let start = from.min(to);
            let end = from.max(to);
            let clip = |at: u64| usize::try_from(at.min(length)).unwrap();
            prop_assert_eq!(file.bytes(start..end), &whole[clip(start)..clip(end)]);
        }
    }
}
