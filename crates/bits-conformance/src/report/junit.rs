//! JUnit's XML for build servers.

use std::fmt::Write;

use crate::runner::{Ended, Report};

/// A run: a suite for each module, and one for sabotage.
pub(super) fn run(report: &Report) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for group in report.cases.chunk_by(|a, b| a.entry.module.name == b.entry.module.name) {
        let count = |ended: fn(&Ended) -> bool| group.iter().filter(|case| ended(&case.ended)).count();
        let failed = count(|ended| matches!(ended, Ended::Failed(_)));
        // JUnit knows no expected failures.
        let skipped = count(|ended| matches!(ended, Ended::Skipped(_) | Ended::Expected { .. }));
        let name = group[0].entry.module.name;
        text += &suite(name, group.len(), failed, skipped);
        for case in group {
            let (name, seconds) = (case.entry.case.name, case.took.as_secs_f64());
            _ = write!(
                text,
                "    <testcase classname=\"{}\" name=\"{name}\" time=\"{seconds:.3}\"",
                case.entry.module.name
            );
            _ = match &case.ended {
                Ended::Passed => writeln!(text, "/>"),
                Ended::Failed(why) => writeln!(text, "><failure message=\"{}\"/></testcase>", escaped(why)),
                Ended::Expected { reason, .. } => {
                    writeln!(text, "><skipped message=\"fails as expected: {}\"/></testcase>", escaped(reason))
                }
                Ended::Skipped(why) => writeln!(text, "><skipped message=\"{}\"/></testcase>", escaped(why)),
            };
        }
        text += "  </testsuite>\n";
    }
    if let Some((falsified, survivors)) = &report.sabotage {
        text += &suite("sabotage", *falsified, survivors.len(), 0);
        for survivor in survivors {
            let (case, clause) = (escaped(&survivor.case), escaped(&survivor.clause));
            _ = write!(text, "    <testcase classname=\"sabotage\" name=\"{case}: {clause}\">");
            text += "<failure message=\"it passes with a falsified expectation\"/></testcase>\n";
        }
        text += "  </testsuite>\n";
    }
    text + "</testsuites>\n"
}

fn suite(name: &str, tests: usize, failed: usize, skipped: usize) -> String {
    format!("  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\" skipped=\"{skipped}\">\n")
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\n' => out += "&#10;",
            c if c.is_control() => out.push('\u{FFFD}'),
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_break_out_of_an_attribute() {
        assert_eq!(escaped("a\"<b>&\n\u{1}"), "a&quot;&lt;b&gt;&amp;&#10;\u{FFFD}");
    }
}
