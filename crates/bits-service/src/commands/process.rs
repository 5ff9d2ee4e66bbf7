//! Notification programs as processes of this machine: bounded in number and time, and none
//! outlives the service.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bits_api::Hresult;
use bits_engine::CommandOutcome;

/// How many notification programs run at a time, and for how long.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct CommandLimits {
    /// A program that runs for longer is killed, and counts as one that failed.
    pub time: Duration,
    /// More programs wait.
    pub at_once: usize,
}

impl Default for CommandLimits {
    fn default() -> Self {
        Self { time: Duration::from_mins(1), at_once: 4 }
    }
}

/// The exit code of a program that was killed: ERROR_TIMEOUT of Windows.
const KILLED: u32 = 1_460;

/// The processes that run.
pub(super) struct Processes {
    limits: CommandLimits,
    state: Mutex<State>,
    /// Told when there may be room for another one, or none is started any more.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// By the order in which they began. Tickets would not do: each run of the service counts its
    /// own.
    children: BTreeMap<u64, Child>,
    begun: u64,
    /// Counts the stops of the service.
    stops: u64,
}

impl Processes {
    pub(super) fn new(limits: CommandLimits) -> Self {
        Self { limits, state: Mutex::default(), changed: Condvar::new() }
    }

    /// How often the service was stopped so far: whoever begins after that is not stopped by it.
    pub(super) fn stops(&self) -> u64 {
        self.lock().stops
    }

    /// Runs a program to its end; `None` when the service has been stopped since `stops`.
    pub(super) fn run(&self, stops: u64, program: &Path, arguments: &[String]) -> Option<CommandOutcome> {
        let mut state = self.lock();
        while state.stops == stops && state.children.len() >= self.limits.at_once.max(1) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stops != stops {
            return None;
        }
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // What the program starts in its turn is killed with it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Some(CommandOutcome::NotStarted(code_of(&error))),
        };
        let place = state.begun;
        state.begun += 1;
        state.children.insert(place, child);
        drop(state);
        let ended = self.wait(place);
        self.changed.notify_all();
        ended
    }

    /// Waits until the program has ended, or its time is over.
    fn wait(&self, place: u64) -> Option<CommandOutcome> {
        const LOOK: Duration = Duration::from_millis(10);
        // A time that goes beyond the calendar has no end.
        let end = Instant::now().checked_add(self.limits.time);
        loop {
            let mut state = self.lock();
            // Else it was killed with the service.
            let child = state.children.get_mut(&place)?;
            let outcome = match child.try_wait() {
                Ok(None) if end.is_none_or(|end| Instant::now() < end) => None,
                Ok(None) | Err(_) => {
                    kill(child);
                    Some(KILLED)
                }
                // Without a code, a signal has ended it.
                Ok(Some(status)) => Some(status.code().map_or(KILLED, i32::cast_unsigned)),
            };
            if let Some(code) = outcome {
                state.children.remove(&place);
                return Some(CommandOutcome::Exited(code));
            }
            drop(self.changed.wait_timeout(state, LOOK));
        }
    }

    /// Kills whatever runs, and lets nothing begin that waits.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stops += 1;
        for (_, mut child) in std::mem::take(&mut state.children) {
            kill(&mut child);
        }
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn kill(child: &mut Child) {
    let ended = kill_group(child).and_then(|()| child.wait());
    if let Err(error) = ended {
        tracing::warn!(%error, "a notification program cannot be killed");
    }
}

/// Kills a program that was not waited for yet, with what it has started.
#[cfg(unix)]
fn kill_group(child: &mut Child) -> std::io::Result<()> {
    let group = rustix::process::Pid::from_child(child);
    Ok(rustix::process::kill_process_group(group, rustix::process::Signal::KILL)?)
}

/// Kills a program.
#[cfg(not(unix))]
fn kill_group(child: &mut Child) -> std::io::Result<()> {
    child.kill()
}

fn code_of(error: &std::io::Error) -> Hresult {
    match error.kind() {
        std::io::ErrorKind::NotFound => Hresult::ERROR_FILE_NOT_FOUND,
        std::io::ErrorKind::PermissionDenied => Hresult::E_ACCESSDENIED,
        _ => Hresult::E_FAIL,
    }
}

/// The arguments of a command line after the program's name, by the rules of Windows: quotes hold
/// spaces together, and backslashes mean something in front of a quote only.
pub(super) fn arguments(line: &str) -> Vec<String> {
    let rest = match line.trim_start().strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').map_or("", |(_, rest)| rest),
        None => line.trim_start().split_once([' ', '\t']).map_or("", |(_, rest)| rest),
    };
    let mut arguments = Vec::new();
    let mut chars = rest.trim_start().chars().peekable();
    while chars.peek().is_some() {
        let mut argument = String::new();
        let mut is_quoted = false;
        let mut backslashes = 0;
        while let Some(c) = chars.next_if(|c| is_quoted || ![' ', '\t'].contains(c)) {
            match c {
                '\\' => backslashes += 1,
                '"' => {
                    argument.push_str(&r"\".repeat(backslashes / 2));
                    if backslashes % 2 == 1 || (is_quoted && chars.next_if_eq(&'"').is_some()) {
                        argument.push('"');
                    } else {
                        is_quoted = !is_quoted;
                    }
                    backslashes = 0;
                }
                c => {
                    argument.push_str(&r"\".repeat(backslashes));
                    backslashes = 0;
                    argument.push(c);
                }
            }
        }
        argument.push_str(&r"\".repeat(backslashes));
        arguments.push(argument);
        while chars.next_if(|c| [' ', '\t'].contains(c)).is_some() {}
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn sh(processes: &Processes, script: &str) -> Option<CommandOutcome> {
        processes.run(processes.stops(), Path::new("/bin/sh"), &["-c".into(), script.into()])
    }

    #[cfg(unix)]
    #[test]
    fn a_program_may_be_given_all_the_time_there_is() {
        let processes = Processes::new(CommandLimits { time: Duration::MAX, at_once: 1 });
        assert_eq!(sh(&processes, "exit 3"), Some(CommandOutcome::Exited(3)));
    }

    #[cfg(unix)]
    #[test]
    fn a_program_of_the_next_run_of_the_service_is_not_taken_for_one_that_was_killed() {
        let processes = Processes::new(CommandLimits::default());
        for _ in 0..20 {
            std::thread::scope(|scope| {
                let killed = scope.spawn(|| sh(&processes, "exec sleep 60"));
                while processes.lock().children.is_empty() {
                    std::thread::yield_now();
                }
                processes.stop();
                assert_eq!(sh(&processes, "exit 3"), Some(CommandOutcome::Exited(3)));
                assert_eq!(killed.join().unwrap(), None);
            });
        }
    }

    #[test]
    fn a_command_line_is_taken_apart_as_windows_does() {
        let cases: [(&str, &[&str]); 9] = [
            ("", &[]),
            ("told.exe", &[]),
            ("told.exe 1  two", &["1", "two"]),
            (r#""C:\long names\told.exe" 1"#, &["1"]),
            (r#"told.exe "C:\long names\a b.txt" 7"#, &[r"C:\long names\a b.txt", "7"]),
            (r"told.exe C:\folder\", &[r"C:\folder\"]),
            (r#"told.exe a\\"b c" d\"e"#, &[r"a\b c", r#"d"e"#]),
            (r#"told.exe "" x"#, &["", "x"]),
            (r#"told.exe "say ""hello"" now""#, &[r#"say "hello" now"#]),
        ];
        for (line, expected) in cases {
            assert_eq!(arguments(line), expected, "{line}");
        }
    }
}
