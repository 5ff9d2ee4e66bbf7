//! Which requests meet which faults: counted and seeded, so that each run is the same.

use std::ops::RangeInclusive;
use std::path::Path;

use crate::fault::Fault;
use crate::head;
use crate::script_text;
use crate::synthetic::mix;

/// What goes wrong at an origin, and for which requests.
///
/// A script is a list of rules. Each request is taken by the first rule that applies to it, and
/// by no other; requests that none takes are answered well. As text, a rule is a line:
///
/// ```text
/// # Two refusals, then a break, then it behaves.
/// first 2 requests of /a: status 503 retry-after 10 min
/// GET /a: reset after 1 MiB once
/// ```
///
/// Before the colon stand the requests: `/path`, or `/folder/*` for all that begins so, with a
/// method before it if only that one is meant; and which of them: `first N requests of`,
/// `request N of`, `requests N to M of`, `requests from N of`, `N% of requests of` (chosen by the
/// script's seed, which a line `seed N` sets). All requests that match are counted, also those
/// that an earlier rule took. After the colon stand the faults, separated by commas, and at the
/// end how often the rule applies at most: `once`, `twice`, `N times`. The faults:
///
/// | text | see |
/// |---|---|
/// | `status 503`, `status 503 retry-after 30 s` | [`Fault::Status`] |
/// | `reset`, `reset after 1 MiB` | [`Fault::Reset`] |
/// | `close`, `close after 10 bytes` | [`Fault::Close`] |
/// | `slow 64 KiB/s` | [`Fault::Slow`] |
/// | `delay 250 ms` | [`Fault::Delay`] |
/// | `header content-range "bytes 0-1/2"` | [`Fault::Header`] |
/// | `without content-length` | [`Fault::Without`] |
/// | `wrong content-range` | [`Fault::WrongContentRange`] |
/// | `ignore range` | [`Fault::IgnoreRange`] |
/// | `parts merged`, `parts reversed`, `parts repeated`, `parts dropped`, `parts first`, `parts lines 3`, `parts header x "y"` | [`Fault::Parts`] |
/// | `http/1.0` | [`Fault::Http10`] |
/// | `chunked` | [`Fault::Chunked`] |
/// | `change to 2 MiB`, `change after 1 MiB to 2 MiB seed 7` | [`Fault::Change`] |
/// | `garbage` | [`Fault::Garbage`] |
/// | `endless headers`, `endless interim` | [`Fault::EndlessHeaders`], [`Fault::EndlessInterim`] |
/// | `play send "HTTP/1.1 200 OK\r\n" then hang` | [`Fault::Play`] |
/// | `behave` | none: the request is taken from the rules below |
///
/// A tunnel through this origin as a proxy is named by method and server: `CONNECT host:443: status 407`.
///
/// What befalls a connection before its first request, and before TLS, stands after
/// `connections:`, `connection N:`, `first N connections:` and so on; it is one of `play`, `delay`,
/// `close`, `reset`. Over HTTPS nothing follows it.
///
/// The steps of a play, with `then` between them: `send "…"`, `below "…"`, `drip "…" every 1 min`,
/// `repeat "…"` with `100 times` or `every 1 s` or both, `wait 1 min`, `hang`, `close`, `leave`,
/// `reset`; see [`Step`](crate::Step). In their texts `\r`, `\n`, `\t`, `\0`, `\\` and `\xff` stand
/// for bytes.
///
/// Sizes are in bytes, KiB, MiB, GiB or TiB; times in ms, s, min or h. A rule with a fault that
/// shows only in a body (`… after N bytes`, `slow`) leaves HEAD requests alone.
///
/// The same from Rust:
///
/// ```
/// use bits_origin::{Fault, Rule, Script};
/// use std::time::Duration;
///
/// let text = "first 2 requests of /a: status 503 retry-after 10 min\nGET /a: reset after 1 MiB once";
/// let refusal = Fault::Status { code: 503, retry_after: Some(Duration::from_secs(600)) };
/// let script = Script::new()
///     .rule(Rule::on("/a").numbers(1..=2).fault(refusal))
///     .rule(Rule::on("/a").method("GET").times(1).fault(Fault::Reset(Some(1 << 20))));
/// assert_eq!(Script::parse("flaky", text).unwrap(), script);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Script {
    rules: Vec<Rule>,
    seed: u64,
}

/// A script's text is wrong, or cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The text is wrong.
    #[error("{name}:{line}:{column}: {message}")]
    Syntax {
        /// The file, or whatever the text was called.
        name: String,
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
        /// What was expected, and what was found.
        message: String,
    },
}

impl Script {
    /// A script without rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a script from text; `name` stands in errors.
    ///
    /// # Errors
    /// [`ScriptError::Syntax`] with line and column of the first mistake.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScriptError> {
        script_text::parse(name, text)
    }

    /// Reads a script from a file.
    ///
    /// # Errors
    /// Those of [`Script::parse`], and [`ScriptError::Read`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ScriptError> {
        let name = path.as_ref().display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&name, &text),
            Err(source) => Err(ScriptError::Read { path: name, source }),
        }
    }

    /// Adds a rule after those that are there.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Sets the seed that chooses where a rule speaks of per cent.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }
}

/// Faults, and the requests that meet them; see [`Script`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    whom: Whom,
    which: Which,
    times: Option<u64>,
    faults: Vec<Fault>,
}

/// What a rule is for.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Whom {
    Requests { method: Option<String>, path: String },
    Connections,
}

/// What a rule may take.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Coming<'a> {
    Request { method: &'a str, path: &'a str },
    Connection,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Which {
    All,
    Numbers(RangeInclusive<u64>),
    Percent(u8),
}

impl Rule {
    /// A rule for all requests to `path`; a `*` at its end stands for anything.
    pub fn on(path: &str) -> Self {
        let whom = Whom::Requests { method: None, path: path.into() };
        Self { whom, which: Which::All, times: None, faults: Vec::new() }
    }

    /// A rule for all connections, before anything is read from them and before TLS. Only
    /// [`Fault::Play`], [`Fault::Delay`], and [`Fault::Close`] and [`Fault::Reset`] without a number
    /// of bytes can befall them.
    pub fn connections() -> Self {
        Self { whom: Whom::Connections, which: Which::All, times: None, faults: Vec::new() }
    }

    /// Only requests with this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        if let Whom::Requests { method: only, .. } = &mut self.whom {
            *only = Some(method.into());
        }
        self
    }

    /// Only these of the matching requests, counted from 1.
    #[must_use]
    pub fn numbers(self, numbers: RangeInclusive<u64>) -> Self {
        Self { which: Which::Numbers(numbers), ..self }
    }

    /// Each matching request with this probability, chosen by the script's seed.
    #[must_use]
    pub fn percent(self, percent: u8) -> Self {
        Self { which: Which::Percent(percent), ..self }
    }

    /// At most so many times.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Adds a fault.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    fn matches(&self, coming: Coming<'_>) -> bool {
        match (&self.whom, coming) {
            (Whom::Connections, Coming::Connection) => true,
            (Whom::Requests { method: wanted, path: at }, Coming::Request { method, path }) => {
                let by_method = match wanted {
                    Some(wanted) => wanted == method,
                    None => method != "HEAD" || !self.faults.iter().any(Fault::needs_body),
                };
                by_method
                    && match at.strip_suffix('*') {
                        Some(prefix) => path.starts_with(prefix),
                        None => head::is_to(at, path),
                    }
            }
            _ => false,
        }
    }
}

/// A script while an origin plays it.
pub(crate) struct Performance {
    script: Script,
    /// For each rule, how many requests matched it and how many it took.
    counts: Vec<(u64, u64)>,
}

impl Performance {
    pub(crate) fn new(script: Script) -> Self {
        let counts = vec![(0, 0); script.rules.len()];
        Self { script, counts }
    }

    /// The faults of the next request or connection; `None` when no rule takes it.
    pub(crate) fn next(&mut self, coming: Coming<'_>) -> Option<Vec<Fault>> {
        let mut taken = None;
        for (index, (rule, (seen, took))) in self.script.rules.iter().zip(&mut self.counts).enumerate() {
            if !rule.matches(coming) {
                continue;
            }
            *seen += 1;
            let applies = match &rule.which {
                Which::All => true,
                Which::Numbers(numbers) => numbers.contains(seen),
                Which::Percent(percent) => {
                    mix(mix(self.script.seed ^ index as u64) ^ *seen) % 100 < u64::from(*percent)
                }
            };
            if taken.is_none() && applies && rule.times.is_none_or(|times| *took < times) {
                *took += 1;
                taken = Some(rule.faults.clone());
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses(text: &str, requests: &[(&str, &str)]) -> Vec<Option<u16>> {
        let mut performance = Performance::new(Script::parse("test", text).unwrap());
        let status = |faults: Option<Vec<Fault>>| match faults?[..] {
            [Fault::Status { code, .. }] => Some(code),
            _ => None,
        };
        requests.iter().map(|(method, path)| status(performance.next(Coming::Request { method, path }))).collect()
    }

    #[test]
    fn numbers_count_all_matching_requests_and_times_count_those_taken() {
        let text = "first 2 requests of /a: status 501\nrequest 3 of /a: status 502\n/a: status 503 twice";
        let seen = statuses(text, &[("GET", "/a"); 7]);
        assert_eq!(seen, [Some(501), Some(501), Some(502), Some(503), Some(503), None, None]);
    }

    #[test]
    fn a_rule_is_for_its_method_and_path_alone() {
        let text = "GET /a: status 501\n/b/*: status 502";
        let seen = statuses(text, &[("HEAD", "/a"), ("GET", "/a?q"), ("GET", "/b/c"), ("GET", "/b"), ("GET", "/aa")]);
        assert_eq!(seen, [None, Some(501), Some(502), None, None]);
    }

    #[test]
    fn a_fault_of_the_body_leaves_head_alone() {
        let mut performance = Performance::new(Script::parse("test", "/a: reset after 10 bytes once").unwrap());
        assert_eq!(performance.next(Coming::Request { method: "HEAD", path: "/a" }), None);
        assert_eq!(performance.next(Coming::Request { method: "GET", path: "/a" }), Some(vec![Fault::Reset(Some(10))]));
    }

    #[test]
    fn chance_is_the_same_for_the_same_seed_and_about_as_large_as_was_said() {
        let run =
            |seed| statuses(&format!("seed {seed}\n30% of requests of /a: status 500"), &vec![("GET", "/a"); 1000]);
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        let hits = run(1).iter().flatten().count();
        assert!((200..400).contains(&hits), "{hits}");
    }
}
