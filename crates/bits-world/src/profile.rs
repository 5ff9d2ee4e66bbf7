//! Which BITS is played.

/// A version of BITS: later interfaces and flags are absent from it (clauses `version.*`,
/// `service.features_*`).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Profile {
    /// Windows XP.
    V1_0,
    /// Windows XP SP1.
    V1_2,
    /// Windows XP SP2.
    V1_5,
    /// Windows Server 2003 SP1.
    V2_0,
    /// Windows XP SP3.
    V2_5,
    /// Windows Vista.
    V3_0,
    /// Windows 7.
    V4_0,
    /// Windows 8 to Windows 10 1511.
    V5_0,
    /// Windows 10 1607.
    V10_1,
    /// Windows 10 1809.
    V10_2,
    /// Windows 10 2004 and later.
    #[default]
    V10_3,
}
