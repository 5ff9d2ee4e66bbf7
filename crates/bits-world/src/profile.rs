//! Which BITS is played.

use std::str::FromStr;

/// A version of BITS: later interfaces and flags are absent from it (clauses `version.*`,
/// `service.features_*`).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Profile {
    /// Windows XP.
    V1_0,
    /// Windows XP SP1.
    V1_2,
    /// Windows Server 2003.
    V1_5,
    /// Windows XP SP2, Windows Server 2003 SP1.
    V2_0,
    /// Windows XP SP3.
    V2_5,
    /// Windows Vista, Windows Server 2008.
    V3_0,
    /// Windows 7, Windows Server 2008 R2.
    V4_0,
    /// Windows 8 to Windows 10 1511, Windows Server 2012 and 2012 R2.
    V5_0,
    /// Windows 10 1607, Windows Server 2016: still BITS 5.0, but PowerShell remote sessions count as
    /// logons, and helper tokens are for everybody (clauses `version.1607.*`).
    V5_0_1607,
    /// Windows 10 1703.
    V10_1,
    /// Windows 10 1809, Windows Server 2019.
    V10_2,
    /// Windows 10 1903 and later, Windows 11, Windows Server 2022 and later.
    #[default]
    V10_3,
}

impl Profile {
    /// Every profile, from the oldest to the newest.
    pub const ALL: &[Self] = &[
        Self::V1_0,
        Self::V1_2,
        Self::V1_5,
        Self::V2_0,
        Self::V2_5,
        Self::V3_0,
        Self::V4_0,
        Self::V5_0,
        Self::V5_0_1607,
        Self::V10_1,
        Self::V10_2,
        Self::V10_3,
    ];

    /// The version of BITS, such as `10.3`.
    pub const fn version(self) -> &'static str {
        match self {
            Self::V1_0 => "1.0",
            Self::V1_2 => "1.2",
            Self::V1_5 => "1.5",
            Self::V2_0 => "2.0",
            Self::V2_5 => "2.5",
            Self::V3_0 => "3.0",
            Self::V4_0 => "4.0",
            Self::V5_0 | Self::V5_0_1607 => "5.0",
            Self::V10_1 => "10.1",
            Self::V10_2 => "10.2",
            Self::V10_3 => "10.3",
        }
    }

    /// The file version of BITS' library, in the first Windows that had it (clause
    /// `version.dll_versions`). The table of the documentation ends at 10.1; the number has not
    /// changed since (a decision, `version.later_releases`).
    pub const fn library(self) -> &'static str {
        match self {
            Self::V1_0 => "6.0",
            Self::V1_2 => "6.2",
            Self::V1_5 => "6.5",
            Self::V2_0 => "6.6",
            Self::V2_5 => "6.7",
            Self::V3_0 => "7.0",
            Self::V4_0 => "7.5",
            Self::V5_0 => "7.7",
            Self::V5_0_1607 | Self::V10_1 | Self::V10_2 | Self::V10_3 => "7.8",
        }
    }
}

/// Reads a version of BITS, such as `10.3`.
impl FromStr for Profile {
    type Err = String;

    fn from_str(version: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|profile| profile.version() == version);
        found.copied().ok_or_else(|| format!("there is no BITS {version:?}"))
    }
}
