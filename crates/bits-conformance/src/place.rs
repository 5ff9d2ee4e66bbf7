//! A place in the cases, the probes or the bench, in the words that stand there: a person who reads a
//! report, perhaps on a machine without the sources, is told which call it was.

use std::fmt;
use std::panic::Location;

use crate::cases::MODULES;
use crate::{bench, probes};

/// What stands at some place, and where that is.
pub(crate) struct Place {
    /// The calls that begin there, one on another's object; empty where the source is not known.
    calls: String,
    /// The last parts of the file's name.
    file: String,
    line: u32,
}

impl Place {
    pub(crate) fn of(location: &Location<'_>) -> Self {
        let path = location.file().replace('\\', "/");
        let file = path.rsplit_once("src/").map_or(&*path, |(_, file)| file);
        let calls = source_of(file).map(|source| calls_at(source, location.line(), location.column()));
        Self { calls: calls.unwrap_or_default(), file: file.to_owned(), line: location.line() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, file, line } = self;
        if calls.is_empty() { write!(f, "{file}:{line}") } else { write!(f, "{calls} ({file}:{line})") }
    }
}

/// The text of a file, which is called as below `src/`.
fn source_of(file: &str) -> Option<&'static str> {
    let (folder, name) = file.strip_suffix(".rs")?.split_once('/')?;
    let sources = match folder {
        "bench" => bench::SOURCES,
        "probes" => probes::SOURCES,
        "cases" => return MODULES.iter().find(|module| module.name == name).map(|module| module.source),
        _ => return None,
    };
    sources.iter().find(|(of, _)| *of == name).map(|(_, source)| *source)
}

/// The calls that begin at that place, up to the last of them that may end the function, on a line.
/// Which one it was of several the compiler does not tell.
fn calls_at(source: &str, line: u32, column: u32) -> String {
    let [line, column] = [line, column].map(|number| usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1));
    let start: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = &source[start..];
    let rest = &rest[rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)..];
    let (mut open, mut end) = (0_usize, 0);
    for (at, c) in rest.char_indices() {
        match c {
            '(' | '[' => open += 1,
            ')' | ']' if open == 0 => break,
            ')' | ']' => open -= 1,
            '?' if open == 0 => end = at,
            // Between calls on lines of their own.
            c if c.is_whitespace() && open == 0 && !rest[at..].trim_start().starts_with('.') => break,
            ';' | ',' | '{' | '}' if open == 0 => break,
            _ => {}
        }
    }
    let words: Vec<_> = rest[..end].split_whitespace().collect();
    words.join(" ").replace(" .", ".").replace("( ", "(").replace(", )", ")")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "
    let job = b.new_job()?;
    let file = job.enum_files()?.next(1, &[2])?;
    let one = manager
        .create_job(
            Some(name),
            kind,
        )?;
    match job.state()? {
    told(job.id()?, 1)?;
    job.error()
";

    /// What begins with `text`, whose first letter is where a call begins.
    fn at(text: &str) -> String {
        let (at, _) = SOURCE.match_indices(text).next().unwrap();
        let line = SOURCE[..at].matches('\n').count();
        let column = SOURCE[..at].chars().rev().take_while(|c| *c != '\n').count();
        calls_at(SOURCE, u32::try_from(line).unwrap() + 1, u32::try_from(column).unwrap() + 1)
    }

    #[test]
    fn calls_are_told_as_they_are_written() {
        let table = [
            ("b.new", "b.new_job()"),
            ("job.enum", "job.enum_files()?.next(1, &[2])"),
            ("manager", "manager.create_job(Some(name), kind)"),
            ("job.state", "job.state()"),
            ("told", "told(job.id()?, 1)"),
            ("job.id", "job.id()"),
            ("job.error", ""),
        ];
        for (text, told) in table {
            assert_eq!(at(text), told);
        }
    }

    #[test]
    fn a_place_that_is_not_there_has_no_calls() {
        assert_eq!(calls_at("", 9, 9), "");
    }

    #[test]
    fn the_compiler_tells_where_the_calls_begin() {
        #[track_caller]
        fn here() -> (u32, u32) {
            let place = Location::caller();
            (place.line(), place.column())
        }
        struct Told((u32, u32));
        impl From<()> for Told {
            #[track_caller]
            fn from((): ()) -> Self {
                Self(here())
            }
        }
        fn refused() -> Result<u8, ()> {
            Err(())
        }
        fn call() -> Result<u8, Told> {
            let number = [refused].first().map_or(Ok(7), |call| call())?;
            Ok(number + 1)
        }

        let Err(Told((line, column))) = call() else { panic!("it goes on") };

        assert_eq!(calls_at(include_str!("place.rs"), line, column), "[refused].first().map_or(Ok(7), |call| call())");
    }

    #[test]
    fn the_sources_of_cases_probes_and_bench_are_known() {
        for file in ["cases/manager.rs", "probes/manager.rs", "bench/mod.rs", "bench/live.rs"] {
            assert!(source_of(file).is_some(), "{file}");
        }
        assert_eq!(source_of("claims.rs"), None);
    }
}
