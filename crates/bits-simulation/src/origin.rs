//! The servers: files that change, redirects, those who want to know who asks, and moods.

use std::collections::BTreeMap;

use bits_api::{AuthScheme, FileRange, FileTime};
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
    /// How many bytes each has at least: whoever has asked for parts of it asks within them.
    least: u64,
    /// How its server asks who wants it, if it does.
    guard: Option<AuthScheme>,
}

/// What a redirect says.
pub(crate) type Redirect = (u16, String);

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
    redirects: BTreeMap<String, Redirect>,
    /// What Alice's password is by now, the only account that they know.
    password: u64,
    versions_made: u64,
    urls_made: u64,
}

impl Origin {
    pub(crate) fn new(servers: usize) -> Self {
        Self {
            moods: vec![Mood::Good; servers],
            files: BTreeMap::new(),
            redirects: BTreeMap::new(),
            password: 0,
            versions_made: 0,
            urls_made: 0,
        }
    }

    /// Puts a new file of at least so many bytes on one of the servers; a URL that leads to it.
    pub(crate) fn serve(&mut self, least: u64, chance: &mut Chance) -> String {
        let url = self.some_url(chance);
        let mut url = self.serve_at(url, least, chance);
        if chance.one_in(5) {
            let scheme = chance.pick(&[AuthScheme::BASIC, AuthScheme::DIGEST, AuthScheme::NTLM]);
            self.files.get_mut(&url).expect("a file").guard = Some(scheme);
        }
        for _ in 0..2 {
            if chance.one_in(4) {
                let from = self.some_url(chance);
                self.redirects.insert(from.clone(), (chance.pick(&[300, 301, 302, 303, 307, 308]), url));
                url = from;
            }
        }
        url
    }

    /// What the server of `url` says in place of a file.
    pub(crate) fn redirect_at(&self, url: &str) -> Option<&Redirect> {
        self.redirects.get(url)
    }

    /// Where `url` leads in the end.
    fn end_of<'a>(&'a self, mut url: &'a str) -> &'a str {
        while let Some((_, to)) = self.redirects.get(url) {
            url = to;
        }
        url
    }

    /// How the server of the file to which `url` leads asks who wants it, if it does.
    pub(crate) fn guard_at(&self, url: &str) -> Option<AuthScheme> {
        self.files.get(self.end_of(url))?.guard
    }

    /// Alice's password.
    pub(crate) fn password(&self) -> String {
        format!("password {}", self.password)
    }

    /// Alice chooses another password.
    pub(crate) fn change_password(&mut self) {
        self.password += 1;
    }

    /// Where another server redirects to, nobody is asked who he is any more: who is named by no client is
    /// told nothing.
    pub(crate) fn dismiss_guards_elsewhere(&mut self) {
        let elsewhere = |(from, (_, to)): (&String, &Redirect)| (server_of(from) != server_of(to)).then(|| to.clone());
        let hops: Vec<String> = self.redirects.iter().filter_map(elsewhere).collect();
        for hop in hops {
            let end = self.end_of(&hop).to_owned();
            if let Some(file) = self.files.get_mut(&end) {
                file.guard = None;
            }
        }
    }

    /// A URL without a file.
    pub(crate) fn some_url(&mut self, chance: &mut Chance) -> String {
        self.urls_made += 1;
        format!("http://server{}.example/{}", chance.below(self.moods.len()), self.urls_made)
    }

    /// Puts a new file on the server of `url`; its URL.
    pub(crate) fn serve_beside(&mut self, url: &str, chance: &mut Chance) -> String {
        self.urls_made += 1;
        self.serve_at(format!("{url}/reply{}", self.urls_made), 0, chance)
    }

    fn serve_at(&mut self, url: String, least: u64, chance: &mut Chance) -> String {
        let version = self.version(least, chance);
        self.files.insert(url.clone(), Remote { versions: vec![version], least, guard: None });
        url
    }

    /// Replaces some file by another of its name.
    pub(crate) fn change_some(&mut self, chance: &mut Chance) -> Option<String> {
        let place = if self.files.is_empty() { return None } else { chance.below(self.files.len()) };
        let least = self.files.values().nth(place)?.least;
        let version = self.version(least, chance);
        let (url, file) = self.files.iter_mut().nth(place)?;
        file.versions.push(version);
        Some(url.clone())
    }

    fn version(&mut self, least: u64, chance: &mut Chance) -> Version {
        self.versions_made += 1;
        let size = if chance.one_in(8) { least } else { chance.between(least.max(1), LONGEST) };
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

    /// The file to which `url` leads as it is now.
    pub(crate) fn now_at(&self, url: &str) -> Option<(Validators, &[u8])> {
        let version = self.versions_at(url).last()?;
        Some((version.validators, &version.content))
    }

    /// Whether `content` is that of a whole version of the file to which `url` leads, or these parts
    /// of one.
    pub(crate) fn ever_was(&self, url: &str, parts: &[FileRange], content: &[u8]) -> bool {
        self.versions_at(url).iter().any(|version| match parts {
            [] => version.content == content,
            parts => parts.iter().flat_map(|part| version.part(*part)).eq(content),
        })
    }

    /// Whether `content` is what a version of the file to which `url` leads has in this place.
    pub(crate) fn had(&self, url: &str, known: Validators, part: FileRange, content: &[u8]) -> bool {
        let version = self.versions_at(url).iter().find(|version| version.validators == known);
        version.is_some_and(|version| version.part(part) == content)
    }

    fn versions_at(&self, url: &str) -> &[Version] {
        self.files.get(self.end_of(url)).map_or(&[], |file| &file.versions)
    }
}

impl Version {
    fn part(&self, FileRange { initial_offset, length }: FileRange) -> &[u8] {
        let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(self.content.len());
        &self.content[at(initial_offset)..at(initial_offset + length)]
    }
}

/// The server of a URL, as a URL.
pub(crate) fn server_of(url: &str) -> &str {
    url.match_indices('/').nth(2).map_or(url, |(end, _)| &url[..end])
}
