//! A person at a terminal, who is asked for a password.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::support::{PATIENCE, Place};

/// The end of a terminal at which the person sits.
struct Terminal {
    person: File,
    screen: String,
}

impl Terminal {
    /// A terminal, and `program` running at it.
    fn run(program: &Command) -> (Self, Child) {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap();
        let terminal = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let end = |terminal: &OwnedFd| Stdio::from(terminal.try_clone().unwrap());
        let child = Command::new("setsid")
            .arg("-c")
            .arg(program.get_program())
            .args(program.get_args())
            .current_dir(program.get_current_dir().unwrap())
            .env_remove("RUST_LOG")
            .stdin(end(&terminal))
            .stdout(end(&terminal))
            .stderr(end(&terminal))
            .spawn()
            .unwrap();
        (Self { person: person.into(), screen: String::new() }, child)
    }

    /// Reads on until `text` is on the screen.
    fn wait_for(&mut self, text: &str) {
        let mut bytes = [0; 1024];
        while !self.screen.contains(text) {
            let read = self.person.read(&mut bytes).unwrap_or_default();
            assert!(read > 0, "{text} does not come: {}", self.screen);
            self.screen.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    }

    /// Types, once what is typed is not shown.
    fn type_unseen(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while tcgetattr(&self.person).unwrap().local_modes.contains(LocalModes::ECHO) {
            assert!(Instant::now() < end, "what is typed would be shown: {}", self.screen);
            std::thread::yield_now();
        }
        self.person.write_all(text.as_bytes()).unwrap();
    }

    /// All that is on the screen once nobody writes there any more, and the exit code.
    fn end(mut self, mut child: Child) -> (String, Option<i32>) {
        let code = child.wait().unwrap().code();
        // A terminal that nobody has open any more ends in an error.
        let mut bytes = Vec::new();
        let _ = self.person.read_to_end(&mut bytes);
        (self.screen + &String::from_utf8_lossy(&bytes), code)
    }
}

impl Place {
    fn get_at_terminal(&self, arguments: &[&str]) -> (Terminal, Child) {
        Terminal::run(&self.command(arguments))
    }
}

#[test]
fn a_password_is_asked_for_and_not_shown() {
    let place = Place::new();
    let url = place.serve("/a", 10);

    let (mut terminal, child) = place.get_at_terminal(&[&url, "a", "--server-auth", "digest:joe"]);
    terminal.wait_for("Password of joe: ");
    terminal.type_unseen("hunter2\n");
    let (screen, code) = terminal.end(child);

    assert_eq!(code, Some(0), "{screen}");
    assert!(!screen.contains("hunter2"), "{screen}");
    assert_eq!(place.files(), ["a"]);
}

#[test]
fn a_user_of_several_schemes_is_asked_once_and_the_proxys_apart() {
    let place = Place::new();
    let url = place.serve("/a", 10);
    let logins = ["--server-auth", "digest:joe", "--server-auth", "basic:joe", "--proxy-auth", "basic:joe"];

    let (mut terminal, child) = place.get_at_terminal(&[&[&*url, "a"], &logins[..]].concat());
    terminal.wait_for("Password of joe: ");
    terminal.type_unseen("hunter2\n");
    terminal.wait_for("Password of joe at the proxy: ");
    terminal.type_unseen("hunter3\n");
    let (screen, code) = terminal.end(child);

    assert_eq!(code, Some(0), "{screen}");
    assert_eq!(screen.matches("Password").count(), 2, "{screen}");
}

#[test]
fn without_a_password_nothing_is_asked_of_the_server() {
    const END_OF_FILE: &str = "\u{4}";
    const INTERRUPT: &str = "\u{3}";
    let table = [
        ("\n", 1, "bitsd: no password was given for joe"),
        (END_OF_FILE, 1, "no password was given"),
        (INTERRUPT, 130, "bitsd: interrupted"),
    ];
    for (typed, expected, said) in table {
        let place = Place::new();
        let url = place.serve("/a", 10);

        let (mut terminal, child) = place.get_at_terminal(&[&url, "a", "--server-auth", "digest:joe"]);
        terminal.wait_for("Password of joe: ");
        terminal.type_unseen(typed);
        let (screen, code) = terminal.end(child);

        assert_eq!(code, Some(expected), "{screen}");
        assert!(screen.contains(said), "{screen}");
        assert!(place.origin.journal().is_empty());
    }
}

#[test]
fn a_password_that_others_may_read_is_told_of() {
    let place = Place::new();
    let url = place.serve("/a", 10);
    let file = place.aside("password");
    std::fs::write(&file, "hunter2\n").unwrap();
    let get = |mode: u32| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let login = ["--server-auth", "basic:joe", "--server-password-file", file.to_str().unwrap()];
        let (terminal, child) = place.get_at_terminal(&[&[&*url, "a"], &login[..]].concat());
        let (screen, code) = terminal.end(child);
        assert_eq!(code, Some(0), "{screen}");
        screen
    };

    let (open, closed) = (get(0o644), get(0o600));

    assert!(open.contains("password; chmod 600 would keep it to yourself"), "{open}");
    assert!(!closed.contains("chmod"), "{closed}");
}
