//! Where a Manager comes from, and what can be done around it.
//!
//! A case asks for what it does; where the provider cannot do it, the case is skipped with that
//! reason. Today there is one provider, the emulator, which can do all of it.

use crate::claims::Stop;

/// Something that not every provider can do.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Capability {
    /// Time can be moved.
    VirtualTime,
    /// Several cases may run at once.
    Parallel,
    /// There is a second standard user.
    SecondUser,
    /// There is an administrator.
    Administrator,
    /// A service account can call.
    ServiceAccount,
    /// Programs can call with any token.
    Tokens,
    /// Users log off and on, the network goes away, policies change.
    World,
    /// The service can be restarted.
    Restart,
    /// Clients can be ended.
    Clients,
    /// An older BITS can be played.
    Versions,
    /// Disks that refuse to delete or to rename.
    Faults,
    /// Every state that a job goes through is on record, however short.
    Timeline,
    /// A server certificate can be made a trusted one.
    TrustedRoot,
    /// Notification programs are played, and classes are made by the suite.
    ClientCode,
}

impl Capability {
    /// The reason for skipping a case.
    pub(crate) fn missing(self) -> Stop {
        let what = match self {
            Self::VirtualTime => "time cannot be moved",
            Self::Parallel => "cases cannot run at once",
            Self::SecondUser => "there is no second user",
            Self::Administrator => "there is no administrator",
            Self::ServiceAccount => "no service account can call",
            Self::Tokens => "tokens cannot be made up",
            Self::World => "users, network and policies cannot be changed",
            Self::Restart => "the service cannot be restarted",
            Self::Clients => "clients cannot be ended",
            Self::Versions => "there is one version of BITS only",
            Self::Faults => "disks have no faults",
            Self::Timeline => "short states are not on record",
            Self::TrustedRoot => "no certificate can be made a trusted one",
            Self::ClientCode => "notification programs and classes cannot be played",
        };
        Stop::Skipped(what.to_owned())
    }
}
