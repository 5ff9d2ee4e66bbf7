//! A file of a job as its client wants it: its name, its parts, and what was asked for first.

use bits_api::{FileRange, SIZE_UNKNOWN};
use bits_engine::{FileRecord, FileStage};
use bits_wire::layout::Layout;
use bits_wire::spans::{Span, Spans};

use crate::origin::server_of;
use crate::watch::Turn;

/// A file as the simulation knows it.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// When it was added.
    pub(crate) added: Turn,
    /// The names that it has had, and since when, from the last that is known to be on record.
    names: Vec<(Turn, String)>,
    /// The server that the client has named.
    pub(crate) server: String,
    /// The parts of it that were added alone; none for all of it.
    pub(crate) parts: Vec<FileRange>,
    /// What was asked for first, and when.
    asked: Vec<(Turn, FileRange)>,
}

impl Wanted {
    pub(crate) fn new(added: Turn, url: &str, parts: &[FileRange]) -> Self {
        let (names, server) = (vec![(added, url.to_owned())], server_of(url).to_owned());
        Self { added, names, server, parts: parts.to_vec(), asked: Vec::new() }
    }

    /// Its remote name.
    pub(crate) fn name(&self) -> &str {
        let (_, name) = self.names.last().expect("a file has a name");
        name
    }

    /// A redirect has given it another name; whether it is another.
    pub(crate) fn moved(&mut self, turn: Turn, url: &str) -> bool {
        let is_another = self.name() != url;
        if is_another {
            self.names.push((turn, url.to_owned()));
        }
        is_another
    }

    /// The server that the client has named, where its name tells of another by now.
    pub(crate) fn server_elsewhere(&self) -> Option<&str> {
        Some(&*self.server).filter(|server| *server != server_of(self.name()))
    }

    /// Ranges are asked for.
    pub(crate) fn ask_for(&mut self, turn: Turn, ranges: impl Iterator<Item = FileRange>) {
        self.asked.extend(ranges.map(|range| (turn, range)));
    }

    /// All of it is there; or what was asked for lay outside the file, and is forgotten.
    pub(crate) fn forget_asked(&mut self) {
        self.asked.clear();
    }

    /// After a crash at which `done` actions were carried out, it has one of the names that it had then
    /// or later, and what was asked for by then is on record.
    pub(crate) fn restart(&mut self, record: &FileRecord, done: Turn) {
        let first = self.names.iter().rposition(|(turn, _)| *turn <= done).unwrap_or(0);
        let names = &self.names[first..];
        assert!(names.iter().any(|(_, name)| *name == record.remote_name), "{} of {names:?}", record.remote_name);
        self.names = vec![(0, record.remote_name.clone())];
        self.asked.retain(|(turn, _)| *turn <= done);
        self.added = 0;
        self.see_asked(record);
    }

    /// What was asked for of a file is there or still to come, whatever has become of it meanwhile.
    pub(crate) fn see_asked(&self, record: &FileRecord) {
        if record.stage != FileStage::Pending || self.asked.is_empty() {
            return;
        }
        let access = record.details.access.as_ref().expect("what was asked for is on record");
        let requested = access.requested.iter().filter_map(|range| Span::of(*range, u64::MAX));
        let kept: Spans = access.filled.iter().chain(requested).collect();
        let size = record.validators.map_or(SIZE_UNKNOWN, |known| known.size);
        for (_, range) in &self.asked {
            if let Some(span) = Span::of(*range, size) {
                assert!(kept.has_all(span), "{}: {range:?} was asked for, {access:?} is on record", record.remote_name);
            }
        }
    }

    /// What an attempt is told to fetch is what the client wants, and what was asked for comes first.
    pub(crate) fn see_layout(&self, layout: &Layout) {
        match layout {
            Layout::Whole => assert!(self.parts.is_empty(), "all of a file of which parts are wanted"),
            Layout::Parts(parts) => assert_eq!(*parts, self.parts),
            Layout::Scattered { held, wanted, rest_from } => {
                assert!(self.parts.is_empty() && rest_from.is_some(), "all of the file is wanted in the end");
                let wanted = wanted.iter().filter_map(|range| Span::of(*range, u64::MAX));
                let first: Spans = held.iter().chain(wanted).collect();
                for (_, range) in &self.asked {
                    let span = Span::of(*range, u64::MAX).expect("a range");
                    assert!(first.has_all(span), "{}: {range:?} comes first, not {layout:?}", self.name());
                }
            }
        }
    }
}
