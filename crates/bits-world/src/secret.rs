//! What must be kept from sight.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// A string that no log, error or trace may show: a password, custom headers.
///
/// Copies share one string, which is overwritten when the last of them goes. Whoever serialises
/// one has the text before him, and sees to it himself.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Keeps `text` from sight.
    pub fn new(text: &str) -> Self {
        Self(Arc::new(Zeroizing::new(text.to_owned())))
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Arc::new(Zeroizing::new(text))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_itself() {
        let shown = format!("{:?}", Some(Secret::new("hunter2")));

        assert_eq!(shown, "Some([secret])");
    }
}
