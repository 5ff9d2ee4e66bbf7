//! The servers, while a test runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// nginx, Apache and Caddy, started; they end with this, or with the process.
pub(crate) struct Servers {
    folder: TempDir,
    /// Ports by the names that the scripts give them.
    ports: BTreeMap<String, String>,
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers").join(name)
}

impl Servers {
    pub(crate) fn start() -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("bits-peers-").tempdir().map_err(|error| error.to_string())?;
        let mut servers = Self { folder, ports: BTreeMap::new() };
        for name in ["nginx.sh", "apache.sh", "caddy.sh"] {
            let mut command = Command::new(script(name));
            command.arg(servers.folder.path()).env("PEERS_OWNER", std::process::id().to_string());
            let output = command.output().map_err(|error| format!("{name}: {error}"))?;
            if !output.status.success() {
                return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)));
            }
            let lines = String::from_utf8_lossy(&output.stdout).into_owned();
            let ports = lines.lines().filter_map(|line| line.split_once('='));
            servers.ports.extend(ports.map(|(name, port)| (name.to_owned(), port.to_owned())));
        }
        Ok(servers)
    }

    /// The authority that the good servers' certificates are from.
    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.path().join("certs/ca.pem")
    }

    /// Where the port of that name is.
    pub(crate) fn host(&self, name: &str) -> String {
        format!("127.0.0.1:{}", self.ports[name])
    }

    /// The URL of `NAME_OF_PORT/path`.
    pub(crate) fn url(&self, place: &str) -> String {
        let (name, path) = place.split_once('/').expect("a port and a path");
        let scheme = if name.ends_with("_HTTP") { "http" } else { "https" };
        format!("{scheme}://{}/{path}", self.host(name))
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        match Command::new(script("stop.sh")).arg(self.folder.path()).output() {
            Ok(output) if output.status.success() => {}
            other => println!("the servers may not have ended: {other:?}"),
        }
    }
}
