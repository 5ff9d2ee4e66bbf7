//! The servers: files that change, and moods.

use std::collections::BTreeMap;

use bits_api::FileTime;
use bits_wire::attempt::Validators;

use crate::chance::{Chance, mix};

/// The longest file, in bytes.
const LONGEST: u64 = 400;

/// What a server does to those who ask it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mood {
    Good,
    /// One in three steps of an attempt fails for now.
    Flaky,
    /// Every attempt fails for now.
    Busy,
    /// Every attempt fails for good.
    Gone,
    /// Nobody answers.
    Silent,
}

/// A file of a server, with all its versions so far.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    versions: Vec<Version>,
}

#[derive(Clone, Debug)]
struct Version {
    validators: Validators,
    content: Vec<u8>,
}

/// Some servers.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) moods: Vec<Mood>,
    files: BTreeMap<String, Remote>,
    versions_made: u64,
    urls_made: u64,
}

impl Origin {
    pub(crate) fn new(servers: usize) -> Self {
        Self { moods: vec![Mood::Good; servers], files: BTreeMap::new(), versions_made: 0, urls_made: 0 }
    }

    /// Puts a new file on one of the servers; its URL.
    pub(crate) fn serve(&mut self, chance: &mut Chance) -> String {
        let url = self.some_url(chance);
        self.serve_at(url, chance)
    }

    /// A URL without a file.
    pub(crate) fn some_url(&mut self, chance: &mut Chance) -> String {
        self.urls_made += 1;
        format!("http://server{}.example/{}", chance.below(self.moods.len()), self.urls_made)
    }

    /// Puts a new file on the server of `url`; its URL.
    pub(crate) fn serve_beside(&mut self, url: &str, chance: &mut Chance) -> String {
        self.urls_made += 1;
        self.serve_at(format!("{url}/reply{}", self.urls_made), chance)
    }

    fn serve_at(&mut self, url: String, chance: &mut Chance) -> String {
        let version = self.version(chance);
        self.files.insert(url.clone(), Remote { versions: vec![version] });
        url
    }

    /// Replaces some file by another of its name.
    pub(crate) fn change_some(&mut self, chance: &mut Chance) -> Option<String> {
        let place = if self.files.is_empty() { return None } else { chance.below(self.files.len()) };
        let version = self.version(chance);
        let (url, file) = self.files.iter_mut().nth(place)?;
        file.versions.push(version);
        Some(url.clone())
    }

    fn version(&mut self, chance: &mut Chance) -> Version {
        self.versions_made += 1;
        let size = if chance.one_in(8) { 0 } else { chance.between(1, LONGEST) };
        // Each version has another time stamp, or the pages promise nothing.
        let last_modified = FileTime::from_unix_seconds(1_500_000_000 + self.versions_made);
        let salt = mix(self.versions_made);
        Version {
            validators: Validators { size, last_modified: Some(last_modified) },
            content: (0..size).map(|at| mix(salt ^ at).to_le_bytes()[0]).collect(),
        }
    }

    /// How the server of `url` feels.
    pub(crate) fn mood(&self, url: &str) -> Mood {
        let server = url.trim_start_matches("http://server").split('.').next().and_then(|number| number.parse().ok());
        server.and_then(|server: usize| self.moods.get(server)).copied().unwrap_or(Mood::Gone)
    }

    /// The file at `url` as it is now.
    pub(crate) fn now_at(&self, url: &str) -> Option<(Validators, &[u8])> {
        let version = self.files.get(url)?.versions.last()?;
        Some((version.validators, &version.content))
    }

    /// Whether `content` is that of a whole version of the file at `url`.
    pub(crate) fn ever_was(&self, url: &str, content: &[u8]) -> bool {
        self.files.get(url).is_some_and(|file| file.versions.iter().any(|version| version.content == content))
    }
}
