//! The table of README.md.

use std::fmt::Write;
use std::fs;

use crate::Result;
use crate::cases::{Case, Target};
use crate::measure::{Measured, median, ratios};
use crate::programs::Program;
use crate::resume::{self, Again};

const BEGIN: &str = "<!-- transfers: begin -->\n";
const END: &str = "<!-- transfers: end -->\n";
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");

/// A case that was measured.
pub(crate) struct Row {
    pub(crate) medium: &'static str,
    pub(crate) case: Case,
    pub(crate) measured: Vec<(Program, Measured)>,
}

/// The medians, with what we want to reach.
pub(crate) fn table(rows: &[Row], again: Option<&Again>, versions: &[String], rounds: u64) -> String {
    let mut text = format!(
        "Medians of {rounds} rounds in turn: wall s · CPU s · peak MiB of the client; ratios to curl are medians of the \
         rounds.\nnginx on another core; {}.\n\n",
        versions.join(", ")
    );
    text += "| case | to | bitsd | curl | wget2 | aria2 | bitsd / curl | wanted |\n|---|---|---|---|---|---|---|---|\n";
    for row in rows {
        let cells = [Program::Bitsd, Program::Curl, Program::Wget2, Program::Aria2].map(|program| row.cell(program));
        let [wall, cpu, memory] = row.reached();
        let ratio = |value: Option<f64>| value.map_or("–".into(), |value| format!("{value:.2}"));
        let _ = writeln!(
            text,
            "| {} | {} | {} | wall {}, CPU {} | {} |",
            row.case.name,
            row.medium,
            cells.join(" | "),
            ratio(wall),
            ratio(cpu),
            wanted(&row.case.target, wall, cpu, memory)
        );
    }
    if let Some(Again { written, sent }) = again {
        let (written, sent) = (median(written), median(sent));
        let _ = writeln!(
            text,
            "| {} | tmpfs | {written:.2} MiB again ({sent:.2} with what was on its way) | | | | | ≤ {:.0} MiB: {} |",
            resume::NAME,
            resume::TARGET,
            verdict(written <= resume::TARGET)
        );
    }
    for row in rows {
        let [wall, cpu, memory] = row.reached();
        if let Some(reason) = row.case.reason
            && wanted(&row.case.target, wall, cpu, memory).contains(verdict(false))
        {
            let _ = writeln!(text, "\nMissed, {} to {}: {reason}.", row.case.name, row.medium);
        }
    }
    text
}

impl Row {
    fn of(&self, program: Program) -> Option<&Measured> {
        self.measured.iter().find(|(measured, _)| *measured == program).map(|(_, measured)| measured)
    }

    fn cell(&self, program: Program) -> String {
        self.of(program).map_or("–".into(), |runs| {
            format!("{:.2} · {:.2} · {:.0}", median(&runs.wall), median(&runs.cpu), median(&runs.memory))
        })
    }

    /// Wall and processor time as parts of curl's, and the memory.
    fn reached(&self) -> [Option<f64>; 3] {
        let (Some(ours), curls) = (self.of(Program::Bitsd), self.of(Program::Curl)) else { return [None; 3] };
        let to_curl = |of: fn(&Measured) -> &Vec<f64>| Some(median(&ratios(of(ours), of(curls?))));
        [to_curl(|runs| &runs.wall), to_curl(|runs| &runs.cpu), Some(median(&ours.memory))]
    }
}

fn wanted(target: &Target, wall: Option<f64>, cpu: Option<f64>, memory: Option<f64>) -> String {
    let line = |name: &str, most: Option<f64>, reached: Option<f64>, unit: &str| {
        most.zip(reached).map(|(most, reached)| format!("{name} ≤ {most}{unit}: {}", verdict(reached <= most)))
    };
    let lines = [
        line("wall", target.wall, wall, ""),
        line("CPU", target.cpu, cpu, ""),
        line("peak", target.memory, memory, " MiB"),
    ];
    lines.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn verdict(reached: bool) -> &'static str {
    if reached { "yes" } else { "**no**" }
}

/// Replaces the table of README.md.
pub(crate) fn write(table: &str) -> Result<()> {
    let text = fs::read_to_string(FILE)?;
    let (before, rest) = text.split_once(BEGIN).ok_or("README.md has no place where the table begins")?;
    let (_, after) = rest.split_once(END).ok_or("README.md has no place where the table ends")?;
    Ok(fs::write(FILE, format!("{before}{BEGIN}\n{table}\n{END}{after}"))?)
}
