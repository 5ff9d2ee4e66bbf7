//! Who downloads, and how each is told to.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};

use crate::Result;
use crate::cases::{Case, Files, What};
use crate::server::{LARGE, Server};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Program {
    Bitsd,
    Curl,
    Wget2,
    Aria2,
}

impl Program {
    pub(crate) const PEERS: [Self; 3] = [Self::Curl, Self::Wget2, Self::Aria2];

    pub(crate) fn command(self) -> &'static str {
        match self {
            Self::Bitsd => "bitsd",
            Self::Curl => "curl",
            Self::Wget2 => "wget2",
            Self::Aria2 => "aria2c",
        }
    }
}

/// The peers that are on the PATH; the others are named.
pub(crate) fn there() -> Vec<Program> {
    let is_there = |peer: &Program| version(peer.command(), "--version").is_some();
    let (there, missing): (Vec<_>, Vec<_>) = Program::PEERS.into_iter().partition(is_there);
    for peer in missing {
        println!("{} is not on the PATH and is left out", peer.command());
    }
    there
}

/// The first line that a program tells of itself; `None` when it is not there.
pub(crate) fn version(program: &str, argument: &str) -> Option<String> {
    let output = process::Command::new(program).arg(argument).output().ok()?;
    // nginx tells its version on stderr.
    let text = [output.stdout, output.stderr].concat();
    Some(String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned())
}

/// A command line, to be run again and again.
pub(crate) struct Command {
    program: PathBuf,
    arguments: Vec<String>,
    /// The file that its output goes to.
    output: Option<PathBuf>,
}

impl Command {
    fn new(program: Program, arguments: &[&str]) -> Self {
        let path = match program {
            Program::Bitsd => env!("CARGO_BIN_EXE_bitsd"),
            peer => peer.command(),
        };
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { program: path.into(), arguments, output: None }
    }

    pub(crate) fn process(&self) -> Result<process::Command> {
        let mut process = process::Command::new(&self.program);
        process.args(&self.arguments).env_remove("RUST_LOG").stdin(Stdio::null()).stdout(Stdio::null());
        if let Some(output) = &self.output {
            process.stdout(File::create(output)?);
        }
        Ok(process)
    }

    /// As a shell would be told, cut short.
    pub(crate) fn line(&self) -> String {
        const SHOWN: usize = 12;
        let name = self.program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let rest = if self.arguments.len() > SHOWN { " …" } else { "" };
        let short = |argument: &String| argument.chars().take(120).collect::<String>();
        let shown: Vec<String> = self.arguments.iter().take(SHOWN).map(short).collect();
        let output = self.output.as_ref().map(|output| format!(" > {}", output.display())).unwrap_or_default();
        format!("{name} {}{rest}{output}", shown.join(" "))
    }
}

/// How `program` does `case`; `None` when it cannot.
pub(crate) fn command(program: Program, case: &Case, server: &Server, folder: &Path) -> Result<Option<Command>> {
    let ca = text(&server.ca())?;
    let target = folder.join(LARGE);
    let (to, into) = (text(&target)?, text(folder)?);
    Ok(match (program, case.what) {
        (_, What::Large { encrypted }) => {
            let url = if encrypted { server.https_url(LARGE) } else { server.url(LARGE) };
            Some(Command::new(program, &one_file(program, &url, &to, &into, &ca)))
        }
        (_, What::Many { files, at_once }) => {
            let list = text(&list(program, files, server, folder)?)?;
            Some(Command::new(program, &many_files(program, &list, &into, &at_once.to_string())))
        }
        (Program::Bitsd, What::Ranges(count)) => {
            let ranges = ranges(server.large_size, count).join(",");
            Some(Command::new(program, &["get", &server.url(LARGE), &to, "--ranges", &ranges]))
        }
        (Program::Curl, What::Ranges(count)) => {
            let url = server.url(LARGE);
            let ranges = ranges(server.large_size, count);
            let mut arguments = Vec::new();
            for range in &ranges {
                arguments.extend((!arguments.is_empty()).then_some("--next"));
                arguments.extend(["--silent", "--show-error", "--fail", "--range", range, &url]);
            }
            Some(Command { output: Some(target), ..Command::new(program, &arguments) })
        }
        // They have no such thing.
        (Program::Wget2 | Program::Aria2, What::Ranges(_)) => None,
    })
}

fn one_file<'a>(program: Program, url: &'a str, to: &'a str, into: &'a str, ca: &'a str) -> Vec<&'a str> {
    match program {
        Program::Bitsd => vec!["get", url, to, "--ca", ca],
        Program::Curl => vec!["--silent", "--show-error", "--fail", "--cacert", ca, "--output", to, url],
        Program::Wget2 => vec!["--quiet", "--ca-certificate", ca, "--output-document", to, url],
        Program::Aria2 => vec![
            "--quiet",
            "--ca-certificate",
            ca,
            "--file-allocation=none",
            "--split=1",
            "--dir",
            into,
            "--out",
            LARGE,
            url,
        ],
    }
}

fn many_files<'a>(program: Program, list: &'a str, into: &'a str, at_once: &'a str) -> Vec<&'a str> {
    match (program, at_once) {
        (Program::Bitsd, _) => vec!["get", "--input", list, "--jobs", at_once],
        (Program::Curl, "1") => vec!["--silent", "--show-error", "--fail", "--config", list],
        (Program::Curl, _) => vec![
            "--no-progress-meter",
            "--fail",
            "--parallel",
            "--parallel-immediate",
            "--parallel-max",
            at_once,
            "--config",
            list,
        ],
        (Program::Wget2, _) => {
            vec!["--quiet", "--directory-prefix", into, "--max-threads", at_once, "--input-file", list]
        }
        (Program::Aria2, _) => vec![
            "--quiet",
            "--file-allocation=none",
            "--split=1",
            "--dir",
            into,
            "--max-concurrent-downloads",
            at_once,
            "--input-file",
            list,
        ],
    }
}

/// Writes down what is to be downloaded, as the program wants to read it.
fn list(program: Program, files: Files, server: &Server, folder: &Path) -> Result<PathBuf> {
    let mut lines = String::new();
    for number in 0..files.count {
        let url = server.url(&format!("{}/{number}", files.folder));
        let to = text(&folder.join(number.to_string()))?;
        let line = match program {
            Program::Bitsd => format!("{url} {to}\n"),
            Program::Curl => format!("url = \"{url}\"\noutput = \"{to}\"\n"),
            Program::Wget2 => format!("{url}\n"),
            Program::Aria2 => format!("{url}\n  out={number}\n"),
        };
        lines.push_str(&line);
    }
    let list = server.aside(&format!("{}-{}.list", program.command(), files.folder));
    fs::write(&list, lines)?;
    Ok(list)
}

/// `count` equal parts of `size` bytes, as `FIRST-LAST`.
fn ranges(size: u64, count: u64) -> Vec<String> {
    let part = size.div_ceil(count);
    (0..count).map(|number| format!("{}-{}", number * part, ((number + 1) * part).min(size) - 1)).collect()
}

fn text(path: &Path) -> Result<String> {
    let text = path.to_str().ok_or_else(|| std::io::Error::new(ErrorKind::InvalidInput, "a folder is not Unicode"))?;
    Ok(text.to_owned())
}

/// `bitsd get` of the large file with a queue that outlives it.
pub(crate) fn kept(server: &Server, folder: &Path, state: &Path) -> Result<Command> {
    let (to, state) = (text(&folder.join(LARGE))?, text(state)?);
    Ok(Command::new(Program::Bitsd, &["get", &server.logged_url(LARGE), &to, "--state", &state]))
}
