//! The servers, while a test runs.

#![allow(dead_code, reason = "each test uses its own part")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Servers, started by their scripts; they end with this, or with the process.
pub(crate) struct Servers {
    folder: TempDir,
    /// Ports by the names that the scripts give them.
    ports: BTreeMap<String, u16>,
}

fn script(name: &str) -> PathBuf {
    let places = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("tests/peers").join(name));
    places.into_iter().find(|script| script.exists()).unwrap_or_else(|| panic!("no script {name}"))
}

/// What the port of that name speaks.
pub(crate) fn protocol(port: &str) -> &'static str {
    if port.ends_with("_HTTP") { "http" } else { "https" }
}

impl Servers {
    /// Starts these, in this order.
    pub(crate) fn start(names: &[&str]) -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("bits-peers-").tempdir().map_err(|error| error.to_string())?;
        let mut servers = Self { folder, ports: BTreeMap::new() };
        for name in names {
            let mut command = Command::new(script(&format!("{name}.sh")));
            command.arg(servers.folder.path()).env("PEERS_OWNER", std::process::id().to_string());
            let output = command.output().map_err(|error| format!("{name}: {error}"))?;
            if !output.status.success() {
                return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)));
            }
            let lines = String::from_utf8_lossy(&output.stdout).into_owned();
            let ports = lines.lines().filter_map(|line| line.split_once('='));
            servers.ports.extend(ports.filter_map(|(name, port)| Some((name.to_owned(), port.parse().ok()?))));
        }
        Ok(servers)
    }

    /// The authority that the good servers' certificates are from.
    pub(crate) fn ca(&self) -> PathBuf {
        self.file("certs/ca.pem")
    }

    /// A file of theirs.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The port of that name.
    pub(crate) fn port(&self, name: &str) -> u16 {
        self.ports[name]
    }

    /// Where the port of that name is.
    pub(crate) fn host(&self, name: &str) -> String {
        format!("127.0.0.1:{}", self.port(name))
    }

    /// The URL of `NAME_OF_PORT/path`.
    pub(crate) fn url(&self, place: &str) -> String {
        let (name, path) = place.split_once('/').expect("a port and a path");
        format!("{}://{}/{path}", protocol(name), self.host(name))
    }

    /// Ends them; what they log is whole then.
    pub(crate) fn stop(&self) -> Result<(), String> {
        match Command::new(script("stop.sh")).arg(self.folder.path()).output() {
            Ok(output) if output.status.success() => Ok(()),
            other => Err(format!("the servers may not have ended: {other:?}")),
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        if let Err(why) = self.stop() {
            println!("{why}");
        }
    }
}
