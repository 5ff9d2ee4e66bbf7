//! File servers, and what lies on them.

use std::path::PathBuf;

use bits_world::FileServer;

use super::{Bench, Outside, Remote};
use crate::claims::{Outcome, Stop, failed};
use crate::provider::Capability;

const SERVER: &str = "files";
const SHARE: &str = "public";
const THIS_MACHINE: &str = "127.0.0.1";

impl Bench {
    /// A file server, whose only share everybody may read.
    pub(crate) fn file_server(&self) -> Outcome {
        self.can(Capability::World)?;
        let folder = self.shared("");
        self.emulator()?.change_world(|world| world.shares.share(SERVER, SHARE, folder));
        Ok(())
    }

    /// Changes the file server.
    pub(crate) fn change_server(&self, change: impl FnOnce(&mut FileServer)) -> Outcome {
        self.can(Capability::World)?;
        self.emulator()?.change_world(|world| change(world.shares.server(SERVER)));
        Ok(())
    }

    /// A file of the share, without bytes; each time it is another version.
    pub(crate) fn share_file(&self, name: &str, size: u64) -> Result<Remote, Stop> {
        self.simulation()?.write(self.shared(name), size);
        Ok(self.remote_of(name))
    }

    /// A file of the share with these bytes.
    pub(crate) fn share_bytes(&self, name: &str, bytes: &[u8]) -> Result<Remote, Stop> {
        let Outside::Real(real) = &self.outside else { return failed("this bench has no files with bytes") };
        real.make_folders()?;
        let impossible = |error: std::io::Error| Stop::Failed(format!("the share cannot be written to: {error}"));
        std::fs::write(self.shared(name), bytes).map_err(impossible)?;
        Ok(self.remote_of(name))
    }

    /// Where the share has the file.
    pub(crate) fn shared(&self, name: &str) -> PathBuf {
        match &self.outside {
            Outside::Simulated(_) => PathBuf::from("/simulated-share").join(name),
            Outside::Real(real) => real.shared().join(name),
        }
    }

    /// The name of a file of the share, and the local name that jobs give it.
    pub(crate) fn remote_of(&self, name: &str) -> Remote {
        Remote { url: format!(r"\\{SERVER}\{SHARE}\{name}"), local: self.local(name) }
    }

    /// The name of a file of a share that this machine's own file server does not have: nobody beyond it is
    /// asked.
    pub(crate) fn on_no_share(&self) -> Result<String, Stop> {
        if !self.is_windows() {
            let folder = self.shared("");
            self.emulator()?.change_world(|world| world.shares.share(THIS_MACHINE, SHARE, folder));
        }
        Ok(format!(r"\\{THIS_MACHINE}\bits-conformance-no-share\a.bin"))
    }

    /// Another volume takes the place of the one that all local names lead to, or that one comes
    /// back.
    pub(crate) fn exchange_volume(&self, serial: u32) -> Outcome {
        self.can(Capability::World)?;
        let folder = self.data_folder();
        self.emulator()?.change_world(|world| world.drives.exchange('C', folder, serial));
        Ok(())
    }
}
