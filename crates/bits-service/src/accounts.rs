//! The accounts of the emulated machine, by name.

use std::collections::BTreeSet;

use bits_world::Sid;

/// Who was spoken of so far. A name's SID depends on the name alone, so that a queue on disk
/// belongs to the same users in every process.
#[derive(Default)]
pub(crate) struct Accounts(BTreeSet<Sid>);

impl Accounts {
    /// The account of that name, and whether it is spoken of for the first time.
    pub(crate) fn sid(&mut self, name: &str) -> (Sid, bool) {
        let sid = Sid::of_name(name);
        let is_new = self.0.insert(sid.clone());
        (sid, is_new)
    }
}
