//! A place in the cases or the bench, for a person who reads a report, perhaps on a machine without the
//! sources: of a case, and of what all cases use to make jobs, the words that stand there are told too.

use std::fmt;
use std::panic::Location;

use crate::cases::MODULES;

/// Where some call begins.
pub(crate) struct Place {
    /// The line, where its text is known.
    text: Option<&'static str>,
    /// The last parts of the file's name.
    file: String,
    number: u32,
}

impl Place {
    pub(crate) fn of(location: &Location<'_>) -> Self {
        let path = location.file().replace('\\', "/");
        let file = path.rsplit_once("src/").map_or(&*path, |(_, file)| file);
        Self { text: line_of(file, location.line()), file: file.to_owned(), number: location.line() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, file, number } = self;
        match text {
            Some(text) => write!(f, "{text} ({file}:{number})"),
            None => write!(f, "{file}:{number}"),
        }
    }
}

/// What calls BITS for many cases.
const SHARED: [(&str, &str); 4] = [
    ("bench/files.rs", include_str!("bench/files.rs")),
    ("bench/mod.rs", include_str!("bench/mod.rs")),
    ("bench/parts.rs", include_str!("bench/parts.rs")),
    ("cases/prelude.rs", include_str!("cases/prelude.rs")),
];

fn source_of(file: &str) -> Option<&'static str> {
    if let Some((_, source)) = SHARED.iter().find(|(name, _)| *name == file) {
        return Some(source);
    }
    let name = file.strip_prefix("cases/")?.strip_suffix(".rs")?;
    MODULES.iter().find(|module| module.name == name).map(|module| module.source)
}

/// A line of a file that is called as below `src/`.
fn line_of(file: &str, number: u32) -> Option<&'static str> {
    let source = source_of(file)?;
    let place = usize::try_from(number).ok()?.checked_sub(1)?;
    source.lines().nth(place).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_case_is_told_as_it_is_written() {
        let module = &MODULES[0];
        let first = module.source.lines().next();

        assert_eq!(line_of(&format!("cases/{}.rs", module.name), 1), first);
    }

    #[test]
    fn a_line_that_many_cases_use_is_told_too() {
        for (file, source) in SHARED {
            assert_eq!(line_of(file, 1), source.lines().next());
        }
    }

    #[test]
    fn of_other_files_and_lines_that_are_not_there_nothing_is_told() {
        let case = format!("cases/{}.rs", MODULES[0].name);

        assert_eq!([line_of(&case, 0), line_of(&case, u32::MAX), line_of("claims.rs", 1)], [None; 3]);
    }
}
