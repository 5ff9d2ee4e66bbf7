//! Which bytes of a remote file go where in the local one, and in which order.

use bits_api::{FileRange, Hresult};

use crate::attempt::Failure;
use crate::download::fatal;
use crate::spans::{Span, Spans};

/// What an attempt fetches of a file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Layout {
    /// All of it, from front to back.
    #[default]
    Whole,
    /// These parts of it, one behind the other in the local file (clause
    /// `job3.add_file_with_ranges.local_layout`).
    Parts(Vec<FileRange>),
    /// What is missing of it, each byte at the place that it has in the remote file (clauses
    /// `file6.*`).
    Scattered {
        /// What is there: it is not fetched again.
        held: Spans,
        /// What was asked for, in this order.
        wanted: Vec<FileRange>,
        /// The rest follows, from here to the end and then from the front; without it, nothing.
        rest_from: Option<u64>,
    },
}

/// A stretch that is fetched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Piece {
    /// Where it lies in the remote file.
    pub remote: Span,
    /// Where its first byte goes to in the local file.
    pub local: u64,
}

impl Layout {
    /// Whether the length of the temporary file tells how much is there.
    pub fn is_sequential(&self) -> bool {
        !matches!(self, Self::Scattered { .. })
    }

    /// Whether nothing is there of a scattered file: what its temporary file holds is no part of it.
    pub fn is_fresh(&self) -> bool {
        matches!(self, Self::Scattered { held, .. } if held.is_empty())
    }

    /// What is fetched of a file of `size` bytes, in order. Empty stretches are left out.
    ///
    /// # Errors
    /// `BG_E_INVALID_RANGE` for a range that is not wholly inside the file (clause
    /// `job3.file_range.must_exist`).
    pub fn pieces(&self, size: u64) -> Result<Vec<Piece>, Failure> {
        let inside = |range: &FileRange| Span::of(*range, size).ok_or(fatal(Hresult::BG_E_INVALID_RANGE));
        let mut pieces = Vec::new();
        match self {
            Self::Whole => pieces.push(Piece { remote: Span::new(0, size), local: 0 }),
            Self::Parts(ranges) => {
                let mut local = 0;
                for range in ranges {
                    let remote = inside(range)?;
                    pieces.push(Piece { remote, local });
                    local += remote.length();
                }
            }
            Self::Scattered { held, wanted, rest_from } => {
                let mut taken = held.clone();
                let wanted = wanted.iter().map(inside).collect::<Result<Vec<_>, _>>()?;
                let rest = rest_from.map(|from| [Span::new(from.min(size), size), Span::new(0, from.min(size))]);
                for span in wanted.into_iter().chain(rest.into_iter().flatten()) {
                    pieces.extend(taken.gaps(span).into_iter().map(|gap| Piece { remote: gap, local: gap.start }));
                    taken.add(span);
                }
            }
        }
        pieces.retain(|piece| piece.remote.length() > 0);
        Ok(pieces)
    }

    /// How many bytes the local file gets of a remote one of `size` bytes; `None` when a range does
    /// not lie inside it.
    pub fn total(&self, size: u64) -> Option<u64> {
        match self {
            Self::Whole | Self::Scattered { .. } => Some(size),
            Self::Parts(_) => self.pieces(size).ok().map(|pieces| length(&pieces)),
        }
    }
}

/// How many bytes these are.
pub fn length(pieces: &[Piece]) -> u64 {
    pieces.iter().map(|piece| piece.remote.length()).sum()
}

/// What follows of `pieces` when so many bytes of them are there.
pub fn from(pieces: &[Piece], have: u64) -> impl Iterator<Item = Piece> + '_ {
    let mut before = 0;
    pieces.iter().filter_map(move |Piece { remote, local }| {
        let done = have.saturating_sub(before).min(remote.length());
        before += remote.length();
        let rest = Piece { remote: Span::new(remote.start + done, remote.end), local: local + done };
        (rest.remote.length() > 0).then_some(rest)
    })
}

/// The stretches of the remote file that the bytes `from..to` of `pieces`, counted one behind the
/// other, come from.
pub fn stretch(pieces: &[Piece], from: u64, to: u64) -> Vec<Span> {
    let mut before = 0;
    let mut spans = Vec::new();
    for Piece { remote, .. } in pieces {
        let (first, last) = (from.max(before), to.min(before + remote.length()));
        if first < last {
            spans.push(Span::new(remote.start + first - before, remote.start + last - before));
        }
        before += remote.length();
    }
    spans
}

#[cfg(test)]
mod tests {
    use bits_api::LENGTH_TO_EOF;

    use super::*;

    fn ranges(ranges: &[(u64, u64)]) -> Vec<FileRange> {
        ranges
            .iter()
            .map(|(initial_offset, length)| FileRange { initial_offset: *initial_offset, length: *length })
            .collect()
    }

    fn remotes(layout: &Layout, size: u64) -> Vec<(u64, u64)> {
        layout.pieces(size).unwrap().iter().map(|piece| (piece.remote.start, piece.remote.end)).collect()
    }

    #[test]
    fn parts_follow_each_other_in_the_local_file_in_the_order_given() {
        let layout = Layout::Parts(ranges(&[(24, 17), (111, LENGTH_TO_EOF), (83, 7)]));

        let pieces = layout.pieces(200).unwrap();

        let expected = [(24, 41, 0), (111, 200, 17), (83, 90, 106)];
        assert_eq!(pieces.iter().map(|p| (p.remote.start, p.remote.end, p.local)).collect::<Vec<_>>(), expected);
        assert_eq!(layout.total(200), Some(200 - 87));
        assert_eq!(layout.pieces(100).unwrap_err().code, Hresult::BG_E_INVALID_RANGE);
        assert_eq!(layout.total(100), None);
    }

    #[test]
    fn scattered_pieces_leave_out_what_is_there_or_was_asked_for_before() {
        let held: Spans = [Span::new(10, 20)].into_iter().collect();
        let wanted = ranges(&[(50, 10), (5, 20), (55, 10)]);
        let only = Layout::Scattered { held: held.clone(), wanted: wanted.clone(), rest_from: None };
        let all = Layout::Scattered { held, wanted, rest_from: Some(70) };

        assert_eq!(remotes(&only, 100), [(50, 60), (5, 10), (20, 25), (60, 65)]);
        assert_eq!(remotes(&all, 100)[4..], [(70, 100), (0, 5), (25, 50), (65, 70)]);
    }

    #[test]
    fn a_stretch_of_pieces_is_told_in_bytes_of_the_remote_file() {
        let pieces = Layout::Parts(ranges(&[(100, 10), (20, 5), (50, 10)])).pieces(200).unwrap();

        assert_eq!(stretch(&pieces, 0, 10), [Span::new(100, 110)]);
        assert_eq!(stretch(&pieces, 8, 17), [Span::new(108, 110), Span::new(20, 25), Span::new(50, 52)]);
        assert_eq!(stretch(&pieces, 25, 30), []);
        assert_eq!(length(&pieces), 25);
    }
}
