//! Which subjects may have a text in them.
//!
//! BITS looks for a part of a subject anywhere in it. A store of a hundred thousand certificates is
//! not read through for that: three bytes in a row of what is looked for must be in the subject too.

use std::collections::BTreeMap;

/// The places of subjects, by every three bytes in a row of their small letters.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct NameIndex(BTreeMap<[u8; 3], Vec<u64>>);

impl NameIndex {
    pub(super) fn add(&mut self, subject: &str, place: u64) {
        for three in threes(subject) {
            let places = self.0.entry(three).or_default();
            if let Err(at) = places.binary_search(&place) {
                places.insert(at, place);
            }
        }
    }

    pub(super) fn remove(&mut self, subject: &str, place: u64) {
        for three in threes(subject) {
            let Some(places) = self.0.get_mut(&three) else { continue };
            if let Ok(at) = places.binary_search(&place) {
                places.remove(at);
            }
            if places.is_empty() {
                self.0.remove(&three);
            }
        }
    }

    /// The places of subjects that may have `part` in them, in order; `None` when it is too short to
    /// tell.
    pub(super) fn places_of(&self, part: &str) -> Option<impl Iterator<Item = u64>> {
        let mut lists: Vec<&[u64]> =
            threes(part).into_iter().map(|three| self.0.get(&three).map_or(&[][..], Vec::as_slice)).collect();
        lists.sort_by_key(|list| list.len());
        let (fewest, others) = lists.split_first()?;
        let others = others.to_vec();
        Some(fewest.iter().copied().filter(move |place| others.iter().all(|list| list.binary_search(place).is_ok())))
    }
}

fn threes(text: &str) -> Vec<[u8; 3]> {
    let small = text.to_lowercase();
    small.as_bytes().windows(3).filter_map(|three| three.try_into().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(index: &NameIndex, part: &str) -> Option<Vec<u64>> {
        index.places_of(part).map(Iterator::collect)
    }

    #[test]
    fn every_subject_with_a_text_in_it_is_among_the_places_in_order() {
        let mut index = NameIndex::default();
        for (place, subject) in [(7, "Org, ÄPFEL one"), (3, "org, birnen"), (5, "Org, äpfel two")] {
            index.add(subject, place);
        }

        assert_eq!(found(&index, "Äpfel"), Some(vec![5, 7]));
        assert_eq!(found(&index, "ORG"), Some(vec![3, 5, 7]));
        assert_eq!(found(&index, "pfel t"), Some(vec![5]));
        assert_eq!(found(&index, "nobody"), Some(vec![]));
        assert_eq!(found(&index, "or"), None);
    }

    #[test]
    fn what_was_removed_leaves_nothing_behind() {
        let mut index = NameIndex::default();
        index.add("banana", 1);
        index.remove("banana", 1);

        assert_eq!(index, NameIndex::default());
    }
}
