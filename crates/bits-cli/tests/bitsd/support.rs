//! A folder to download into, a server, and runs of `bitsd`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use bits_origin::{Content, Gate, GateAt, Origin, Script};
use bits_world::clock::Clock;
use tempfile::TempDir;

pub(crate) const MIB: u64 = 1024 * 1024;

/// Real time after which a test gives up; nothing depends on how long something takes.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Where `bitsd` runs.
pub(crate) struct Place {
    pub(crate) origin: Origin,
    folder: TempDir,
    /// What is not to lie where the downloads go: the queue, certificates.
    aside: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            origin: Origin::start(Clock::system()).unwrap(),
            folder: TempDir::new().unwrap(),
            aside: TempDir::new().unwrap(),
        }
    }

    /// Serves a synthetic file; returns its URL.
    pub(crate) fn serve(&self, path: &str, length: u64) -> String {
        self.origin.put(path, Content::synthetic(length, length));
        self.origin.url(path)
    }

    pub(crate) fn script(&self, rules: &str) {
        self.origin.script(Script::parse("test", rules).unwrap());
    }

    /// Holds the body of `path` after `at` bytes.
    pub(crate) fn hold(&self, path: &str, at: u64) -> Gate {
        self.origin.gate_method("GET", path, GateAt::Byte(at))
    }

    /// The folder that the downloads go to, and in which `bitsd` is started.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn aside(&self, name: &str) -> PathBuf {
        self.aside.path().join(name)
    }

    /// A file with the certificate of the server's authority.
    pub(crate) fn ca(&self) -> PathBuf {
        let path = self.aside("ca.pem");
        std::fs::write(&path, self.origin.ca_pem()).unwrap();
        path
    }

    /// The names of the files that are there, temporary ones included.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder().join(name)).unwrap()
    }

    /// Runs `bitsd get` to its end.
    pub(crate) fn get<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ended {
        self.start(arguments).end()
    }

    pub(crate) fn start<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Run {
        Run(Some(self.command(arguments).spawn().unwrap()))
    }

    /// `bitsd get`, to be changed before it is run.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = bitsd();
        command.arg("get").args(arguments).current_dir(self.folder());
        command
    }

    /// How many bytes there are in the temporary files of downloads.
    pub(crate) fn partials(&self) -> Vec<u64> {
        let entries = std::fs::read_dir(self.folder()).unwrap().map(Result::unwrap);
        let partials = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("BIT"));
        partials.filter_map(|entry| entry.metadata().ok()).map(|found| found.len()).collect()
    }

    /// Waits until `length` bytes of a download are in its temporary file.
    pub(crate) fn wait_for_partial(&self, length: u64) {
        self.wait_for_partials(length, |found| found == length);
    }

    /// Waits until a temporary file is as long as it should be; `length` is told of it.
    pub(crate) fn wait_for_partials(&self, length: u64, is_long_enough: impl Fn(u64) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !self.partials().into_iter().any(&is_long_enough) {
            assert!(
                Instant::now() < end,
                "{length} bytes do not arrive: {:?}\n{}",
                self.files(),
                self.origin.journal()
            );
            std::thread::yield_now();
        }
    }
}

/// The program, without the surroundings of the tests.
pub(crate) fn bitsd() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bitsd"));
    command.env_remove("RUST_LOG").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A run of `bitsd`, killed when its test fails before its end.
pub(crate) struct Run(Option<Child>);

impl Run {
    pub(crate) fn end(mut self) -> Ended {
        Ended::new(self.0.take().unwrap().wait_with_output().unwrap())
    }

    /// Waits for the next line on stderr.
    #[cfg(unix)]
    #[expect(clippy::unbuffered_bytes, reason = "what comes after the line is left for the end")]
    pub(crate) fn next_line(&mut self) -> String {
        use std::io::Read;

        let stderr = self.0.as_mut().unwrap().stderr.as_mut().unwrap();
        let bytes = stderr.bytes().map(Result::unwrap).take_while(|byte| *byte != b'\n');
        String::from_utf8(bytes.collect()).unwrap()
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(mut self) {
        let mut child = self.0.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let id = self.0.as_ref().unwrap().id();
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What a run has come to.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// It has done what it was asked for, and had nothing to say.
    #[track_caller]
    pub(crate) fn is_quiet_success(&self) {
        assert_eq!((self.code, self.stdout.as_str(), self.stderr.as_str()), (Some(0), "", ""));
    }

    /// It has failed with one line that looks like `pattern`, in which `[..]` is anything.
    #[track_caller]
    pub(crate) fn fails(&self, pattern: &str) {
        assert_eq!((self.code, self.stdout.as_str()), (Some(1), ""), "{}", self.stderr);
        self.says(pattern);
    }

    /// It was wrong usage, told in one line that looks like `pattern`.
    #[track_caller]
    pub(crate) fn is_misused(&self, pattern: &str) {
        assert_eq!((self.code, self.stdout.as_str()), (Some(2), ""), "{}", self.stderr);
        self.says(pattern);
    }

    #[track_caller]
    pub(crate) fn says(&self, pattern: &str) {
        snapbox::assert_data_eq!(&self.stderr, snapbox::Data::text(format!("{pattern}\n")));
    }
}
