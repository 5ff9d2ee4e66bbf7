//! Which parts of the files have arrived since the client was last told.

use std::collections::BTreeMap;

use bits_api::FileRange;
use bits_wire::spans::{Span, Spans};

use crate::FileIndex;

/// What FileRangesTransferred is to tell, by file.
#[derive(Debug, Default)]
pub(super) struct Arrived(BTreeMap<FileIndex, Spans>);

impl Arrived {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These bytes have arrived.
    pub(super) fn add(&mut self, file: FileIndex, new: Span) {
        if new.length() > 0 {
            self.0.entry(file).or_default().add(new);
        }
    }

    /// A new window begins for a file: what arrived before is not told.
    pub(super) fn forget(&mut self, file: FileIndex) {
        self.0.remove(&file);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What is to be told of the first file.
    pub(super) fn take_first(&mut self) -> Option<(FileIndex, Vec<FileRange>)> {
        let (file, spans) = self.0.pop_first()?;
        Some((file, spans.iter().map(Span::range).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: FileIndex = FileIndex(0);

    /// First and last bounds of what is told when these arrive.
    fn told(spans: &[(u64, u64)]) -> Vec<(u64, u64)> {
        let mut arrived = Arrived::default();
        for (start, end) in spans {
            arrived.add(FILE, Span::new(*start, *end));
        }
        let first = arrived.take_first().into_iter().flat_map(|(_, ranges)| ranges);
        first.map(|range| (range.initial_offset, range.initial_offset + range.length)).collect()
    }

    #[test]
    fn spans_that_touch_or_overlap_become_one() {
        assert_eq!(told(&[(0, 10), (10, 20)]), [(0, 20)]);
        assert_eq!(told(&[(10, 20), (0, 10)]), [(0, 20)]);
        assert_eq!(told(&[(0, 5), (8, 10), (4, 9)]), [(0, 10)]);
        assert_eq!(told(&[(0, 100), (20, 30)]), [(0, 100)]);
    }

    #[test]
    fn spans_apart_stay_apart_and_in_order() {
        assert_eq!(told(&[(50, 60), (0, 10), (20, 30)]), [(0, 10), (20, 30), (50, 60)]);
        assert_eq!(told(&[(7, 7)]), []);
    }

    #[test]
    fn a_new_window_of_one_file_leaves_the_others() {
        let mut arrived = Arrived::default();
        arrived.add(FileIndex(0), Span::new(0, 1));
        arrived.add(FileIndex(1), Span::new(0, 1));
        arrived.forget(FileIndex(0));
        assert_eq!(arrived.take_first().map(|(file, _)| file), Some(FileIndex(1)));
        assert!(arrived.is_empty());
    }
}
