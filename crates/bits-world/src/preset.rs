//! Releases of Windows, as `fixtures/worlds/` tells of them.

use std::fmt;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::Profile;

/// A release of Windows.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Preset {
    /// The name by which it is asked for, such as `win10-22h2`.
    pub name: &'static str,
    /// Microsoft's name.
    pub windows: String,
    /// The build number.
    pub build: u32,
    /// Which BITS it has.
    pub profile: Profile,
    /// The file version of BITS' library, which requests tell.
    pub library: String,
}

/// There is no preset of that name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnknownPreset(String);

impl fmt::Display for UnknownPreset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<_> = Preset::all().iter().map(|preset| preset.name).collect();
        write!(f, "there is no preset {:?}; those that there are: {}", self.0, known.join(", "))
    }
}

impl std::error::Error for UnknownPreset {}

/// A file of `fixtures/worlds/`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    windows: String,
    build: u32,
    bits: String,
    library: String,
}

/// The first build whose BITS takes PowerShell remote sessions for logons (1607).
const REMOTE_SESSIONS: u32 = 14_393;

impl Preset {
    /// Every preset, from the oldest BITS to the newest.
    pub fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<Preset>> = LazyLock::new(|| {
            let read = |(name, text): &(&'static str, &str)| {
                Preset::read(name, text).unwrap_or_else(|wrong| panic!("fixtures/worlds/{name}.toml: {wrong}"))
            };
            FILES.iter().map(read).collect()
        });
        &ALL
    }

    /// The preset of that name.
    ///
    /// # Errors
    /// [`UnknownPreset`], which names those that there are.
    pub fn named(name: &str) -> Result<&'static Self, UnknownPreset> {
        Self::all().iter().find(|preset| preset.name == name).ok_or_else(|| UnknownPreset(name.to_owned()))
    }

    fn read(name: &'static str, text: &str) -> Result<Self, String> {
        let Release { windows, build, bits, library } = toml::from_str(text).map_err(|error| error.to_string())?;
        let profile = match bits.parse()? {
            Profile::V5_0 if build >= REMOTE_SESSIONS => Profile::V5_0_1607,
            profile => profile,
        };
        Ok(Self { name, windows, build, profile, library })
    }
}

macro_rules! files {
    ($($name:literal,)*) => {
        const FILES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../fixtures/worlds/", $name, ".toml")))),*];
    };
}

files![
    "xp",
    "xp-sp1",
    "server2003",
    "xp-sp2",
    "server2003-sp1",
    "xp-sp3",
    "vista",
    "server2008",
    "win7",
    "server2008r2",
    "win8",
    "server2012",
    "win8.1",
    "server2012r2",
    "win10-1511",
    "win10-1607",
    "server2016",
    "win10-1703",
    "win10-1809",
    "server2019",
    "win10-1903",
    "win10-22h2",
    "server2022",
    "win11-24h2",
    "server2025",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_a_preset() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/worlds");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut files: Vec<_> = files.filter_map(|file| file.strip_suffix(".toml").map(str::to_owned)).collect();
        let mut presets: Vec<_> = Preset::all().iter().map(|preset| preset.name).collect();
        files.sort();
        presets.sort_unstable();

        assert_eq!(files, presets);
    }

    #[test]
    fn presets_go_from_the_oldest_bits_to_the_newest() {
        assert!(Preset::all().is_sorted_by_key(|preset| preset.profile));
    }

    #[test]
    fn every_bits_has_a_preset() {
        for profile in Profile::ALL {
            assert!(Preset::all().iter().any(|preset| preset.profile == *profile), "{profile:?}");
        }
    }

    #[test]
    fn a_name_that_is_none_is_answered_with_those_that_are() {
        let error = Preset::named("win95").unwrap_err().to_string();

        for part in ["win95", "xp-sp2", "win10-22h2", "server2012r2"] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_file_that_says_nonsense_is_refused() {
        let text = "windows = \"Windows 12\"\nbuild = 1\nbits = \"11.0\"\nlibrary = \"8.0\"";

        let wrong = Preset::read("win12", text).unwrap_err();

        assert!(wrong.contains("11.0"), "{wrong}");
    }
}
