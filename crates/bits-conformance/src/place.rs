//! A place in the cases, the probes or the bench, in the words that stand there: a person who reads a
//! report, perhaps on a machine without the sources, is told which call it was.

use std::fmt;
use std::panic::Location;

use crate::cases::MODULES;
use crate::{bench, probes};

/// What stands before some place, and where that is.
pub(crate) struct Place {
    /// The calls that end there, one on another's object; empty where the source is not known.
    calls: String,
    /// The last parts of the file's name.
    file: String,
    line: u32,
}

impl Place {
    pub(crate) fn of(location: &Location<'_>) -> Self {
        let path = location.file().replace('\\', "/");
        let file = path.rsplit_once("src/").map_or(&*path, |(_, file)| file);
        let calls = source_of(file).map(|source| calls_before(source, location.line(), location.column()));
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

/// The calls that end before that place, on a line.
fn calls_before(source: &str, line: u32, column: u32) -> String {
    let [line, column] = [line, column].map(|number| usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1));
    let start: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = &source[start..];
    let end = start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at);
    let (mut open, mut begin, mut right) = (0_usize, end, '.');
    for (at, c) in source[..end].char_indices().rev() {
        match c {
            ')' | ']' => open += 1,
            '(' | '[' if open == 0 => break,
            '(' | '[' => open -= 1,
            // Between calls on lines of their own.
            c if c.is_whitespace() && (open > 0 || right == '.') => continue,
            c if open == 0 && !(c.is_alphanumeric() || "_.:?".contains(c)) => break,
            _ => {}
        }
        (begin, right) = (at, c);
    }
    if open > 0 {
        // A bracket in a string: nobody knows where they begin.
        return String::new();
    }
    let words: Vec<_> = source[begin..end].split_whitespace().collect();
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
    // Then (it goes on).
    job.resume()?;
    match job.state()? {
";

    /// What stands before the question mark of that number, from 0 on.
    fn before(number: usize) -> String {
        let (at, _) = SOURCE.match_indices('?').nth(number).unwrap();
        let line = SOURCE[..at].matches('\n').count();
        let column = SOURCE[..at].chars().rev().take_while(|c| *c != '\n').count();
        calls_before(SOURCE, u32::try_from(line).unwrap() + 1, u32::try_from(column).unwrap() + 1)
    }

    #[test]
    fn calls_are_told_as_they_are_written() {
        let told: Vec<_> = (0..SOURCE.matches('?').count()).map(before).collect();

        assert_eq!(
            told,
            [
                "b.new_job()",
                "job.enum_files()",
                "job.enum_files()?.next(1, &[2])",
                "manager.create_job(Some(name), kind)",
                "job.resume()",
                "job.state()",
            ]
        );
    }

    #[test]
    fn where_nobody_knows_where_the_calls_begin_none_are_told() {
        assert_eq!(calls_before("job.add(\")\")?", 1, 13), "");
        assert_eq!(calls_before("", 9, 9), "");
    }

    #[test]
    fn the_sources_of_cases_probes_and_bench_are_known() {
        for file in ["cases/manager.rs", "probes/manager.rs", "bench/mod.rs", "bench/live.rs"] {
            assert!(source_of(file).is_some(), "{file}");
        }
        assert_eq!(source_of("claims.rs"), None);
    }
}
