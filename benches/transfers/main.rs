//! `bitsd get` against what people would use instead: curl, wget2 and aria2, all from one nginx on
//! loopback.
//!
//! `cargo bench -p bits-cli --bench transfers` measures every case; a word behind `--` only those
//! whose name has it in it; `-- --write-readme` puts the table into README.md as well. Nothing is
//! installed: a peer that is not on the PATH is named and left out. The programs take turns, round by
//! round; ratios within a round count, absolute times are the machine's. Server and clients have a
//! core each.
//!
//! `BITS_BENCH_ROUNDS` (10) and `BITS_BENCH_MIB` (1024, the size of the large file) make a quick try
//! possible. Needs 3 GiB of memory or disk for what is served, and as much for what arrives.

mod cases;
mod measure;
mod programs;
mod readme;
mod resume;
mod server;

use std::path::{Path, PathBuf};

use cases::Case;
use measure::Measured;
use programs::Program;
use readme::Row;
use server::Server;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (options, wanted): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|argument| argument.starts_with('-'));
    let is_to_write = match options.iter().map(|option| option.as_str()).collect::<Vec<_>>()[..] {
        [] => false,
        ["--write-readme"] if wanted.is_empty() => true,
        ["--write-readme"] => return Err("the table in README.md has every case: --write-readme takes no words".into()),
        _ => return Err("behind -- come words of the cases that are wanted, or --write-readme".into()),
    };
    let names = || cases::all().iter().map(|case| case.name).chain([resume::NAME]).collect::<Vec<_>>();
    if !names().into_iter().any(|name| is_wanted(&wanted, name)) {
        return Err(format!("there is no such case; those that there are: {}", names().join("; ")).into());
    }
    let rounds = number("BITS_BENCH_ROUNDS", 10)?;
    let Some(nginx) = programs::version("nginx", "-v") else {
        println!("nginx is not on the PATH: nothing was measured");
        return Ok(());
    };
    let peers = programs::there();
    let mut versions = vec![nginx];
    versions.extend(peers.iter().filter_map(|peer| programs::version(peer.command(), "--version")));
    println!("{}", versions.join("\n"));

    let server = measure::on_the_core_of_servers(|| Server::start(number("BITS_BENCH_MIB", 1024)?))?;
    measure::stay_on_the_core_of_clients();
    let mut rows = Vec::new();
    for (medium, place) in media() {
        let folder = tempfile::tempdir_in(&place)?;
        println!("\nto {medium} ({}), {rounds} rounds in turn; min / median / max", place.display());
        for case in cases::all().iter().filter(|case| is_wanted(&wanted, case.name)) {
            rows.push(Row { medium, case: *case, measured: compare(&server, case, &peers, folder.path(), rounds)? });
        }
    }
    let again = if is_wanted(&wanted, resume::NAME) { Some(resume::measure(&server, rounds)?) } else { None };
    let table = readme::table(&rows, again.as_ref(), &versions, rounds);
    println!("\n{table}");
    if is_to_write {
        readme::write(&table)?;
    }
    Ok(())
}

fn is_wanted(wanted: &[&String], name: &str) -> bool {
    wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str()))
}

fn number(name: &str, default: u64) -> Result<u64> {
    match std::env::var(name) {
        Ok(text) => text.parse().map_err(|_| format!("{name} is {text:?}, not a number").into()),
        Err(_) => Ok(default),
    }
}

/// Where downloads go to: memory, where there is some to write to, and the disk.
fn media() -> Vec<(&'static str, PathBuf)> {
    let shm = Path::new("/dev/shm");
    let memory = shm.is_dir().then(|| ("tmpfs", shm.to_owned()));
    memory.into_iter().chain([("disk", PathBuf::from(env!("CARGO_TARGET_TMPDIR")))]).collect()
}

/// Lets all programs that can do a case do it in turns.
fn compare(
    server: &Server,
    case: &Case,
    peers: &[Program],
    folder: &Path,
    rounds: u64,
) -> Result<Vec<(Program, Measured)>> {
    let mut runs = Vec::new();
    for program in std::iter::once(&Program::Bitsd).chain(peers) {
        if let Some(command) = programs::command(*program, case, server, folder)? {
            println!("  {}", command.line());
            runs.push((*program, command, Measured::default()));
        }
    }
    // A first round that does not count warms caches up, and looks at every byte.
    for round in 0..=rounds {
        for (_, command, measured) in &mut runs {
            let used = measure::run(command)?;
            if round == 0 {
                server.compare(case, folder)?;
            } else {
                server.look(case, folder)?;
                measured.add(&used);
            }
            measure::empty(folder)?;
        }
    }
    println!("{:<32} {:>20} {:>20} {:>14}", case.name, "wall s", "CPU s", "peak MiB");
    for (program, _, measured) in &runs {
        let [wall, cpu, memory] = measured.spreads();
        println!("  {:<30} {wall:>20} {cpu:>20} {memory:>14}", program.command());
    }
    Ok(runs.into_iter().map(|(program, _, measured)| (program, measured)).collect())
}
