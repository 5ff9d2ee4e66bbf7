//! What an attempt takes before the others of its worker have their turn.
//!
//! A server that is quicker than we are would keep the worker for itself: there are always more
//! bytes to read.

/// So many bytes are taken at once: some milliseconds of work.
const SHARE: usize = 4 * 1024 * 1024;

/// A piece costs no less than so many bytes, however small the server makes it.
const PIECE: usize = 32 * 1024;

/// What is left of an attempt's share.
pub(super) struct Share(usize);

impl Share {
    pub(super) fn new() -> Self {
        Self(SHARE)
    }

    /// Takes a piece of so many bytes off; whether that was all, and the others are to have their
    /// turn.
    pub(super) fn spend(&mut self, bytes: usize) -> bool {
        let left = self.0.checked_sub(bytes.max(PIECE)).filter(|left| *left > 0);
        self.0 = left.unwrap_or(SHARE);
        left.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_each_share_the_others_have_their_turn() {
        let mut share = Share::new();
        let turns = |share: &mut Share, bytes: usize, times: usize| (0..times).filter(|_| share.spend(bytes)).count();

        assert_eq!(turns(&mut share, SHARE / 4, 16), 4);
        assert_eq!(turns(&mut share, 1, SHARE / PIECE * 3), 3);
        assert_eq!(turns(&mut share, 3 * SHARE, 2), 2);
    }
}
