//! Identifiers for jobs: by chance, or reproducible by seed.

use std::sync::Mutex;

use bits_api::Guid;

/// Makes identifiers; outlives restarts of the service, so that none comes twice.
pub(crate) enum Guids {
    Random,
    Seeded(Mutex<u64>),
}

impl Guids {
    pub(crate) fn new(seed: Option<u64>) -> Self {
        seed.map_or(Self::Random, |seed| Self::Seeded(Mutex::new(seed)))
    }

    pub(crate) fn next(&self) -> Guid {
        match self {
            Self::Random => Guid::new_v4(),
            Self::Seeded(state) => {
                let mut state = state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let (high, low) = (split_mix(&mut state), split_mix(&mut state));
                uuid::Builder::from_random_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes()).into_uuid()
            }
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
