//! What the machine can know of revoked certificates.

use std::sync::Arc;

/// The lists of revoked certificates (CRLs) that can be had, as DER: what the machine holds, or
/// would find where an authority puts them. One that is not here cannot be had.
///
/// Whatever is in them is judged when a job looks at them: one that cannot be read, has expired or
/// is signed by somebody else is as good as none. Clones share the lists.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RevocationLists(Arc<Vec<Arc<[u8]>>>);

impl RevocationLists {
    /// Another list can be had, of the same authority or another: of several, each counts.
    pub fn add(&mut self, der: impl Into<Arc<[u8]>>) {
        Arc::make_mut(&mut self.0).push(der.into());
    }

    /// None can be had any more: the authorities cannot be reached.
    pub fn clear(&mut self) {
        self.0 = Arc::default();
    }

    /// Each of them, as DER.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|der| &**der)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_that_were_given_away_stay_as_they_were() {
        let mut lists = RevocationLists::default();
        lists.add([1]);
        let held = lists.clone();
        assert_eq!(lists, held);

        lists.add([2]);

        assert_ne!(lists, held);
        assert_eq!(lists.iter().collect::<Vec<_>>(), [[1], [2]]);
        lists.clear();
        assert_eq!((lists.iter().count(), held.iter().count()), (0, 1));
    }
}
