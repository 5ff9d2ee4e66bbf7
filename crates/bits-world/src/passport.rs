//! Where Passport signs in: the servers beside the one that asks for it.

use std::fmt;

use url::Url;

/// Whom a client of Passport turns to when a server asks for it. Nobody, unless something is set:
/// the emulated machine has no way to the servers that Passport once had on the internet.
///
/// These are the settings that WinHTTP reads under
/// `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\WinHttp\Passport Test`, where
/// they stand in place of the servers that are built in: `NexusHost` and `NexusObj` are the URL of
/// the nexus, `LoginServerUrl`, `LoginServerRealm` and `ConfigVersion` are a login server. The
/// servers are spoken to by HTTPS, unless a URL says `http`.
///
/// ```
/// use bits_world::Passport;
///
/// let passport = Passport::nexus("https://nexus.example/rdr/pprdr.asp")?;
/// assert_ne!(passport, Passport::default());
/// assert!(Passport::nexus("nexus.example").is_err());
/// # Ok::<(), bits_world::PassportError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Passport {
    /// Nobody can be reached.
    #[default]
    Nobody,
    /// A server that tells the realm and its login server.
    Nexus {
        /// Its URL.
        url: String,
    },
    /// A login server that is known without being told.
    LoginServer {
        /// Its URL.
        url: String,
        /// The realm that it is the login server of.
        realm: String,
        /// The version of that knowledge; a login server may tell of a later one.
        config_version: u32,
    },
}

/// What is wrong with a setting of Passport.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PassportError(String);

impl Passport {
    /// The nexus that Passport had on the internet: documented, and gone.
    pub const DOCUMENTED_NEXUS: &str = "https://nexus.passport.com/rdr/pprdr.asp";

    /// The nexus at this URL.
    ///
    /// # Errors
    /// [`PassportError`] for what is no URL of HTTP or HTTPS.
    pub fn nexus(url: &str) -> Result<Self, PassportError> {
        Ok(Self::Nexus { url: checked(url)? })
    }

    /// The login server at this URL, of this realm: no nexus is asked.
    ///
    /// # Errors
    /// [`PassportError`] for what is no URL of HTTP or HTTPS, and for a realm without a name.
    pub fn login_server(url: &str, realm: &str, config_version: u32) -> Result<Self, PassportError> {
        if realm.trim().is_empty() {
            return Err(PassportError("the realm of a login server of Passport has a name".to_owned()));
        }
        Ok(Self::LoginServer { url: checked(url)?, realm: realm.to_owned(), config_version })
    }
}

fn checked(url: &str) -> Result<String, PassportError> {
    let wrong = |why: &str| PassportError(format!("a server of Passport at {url:?}: {why}"));
    let parsed = Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(wrong("neither http nor https"));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(PassportError("the URL of a server of Passport has no place for a name or password".to_owned()));
    }
    Ok(parsed.into())
}

impl fmt::Display for PassportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PassportError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_turned_to_unless_somebody_is_named() {
        assert_eq!(Passport::default(), Passport::Nobody);
        assert!(Passport::nexus(Passport::DOCUMENTED_NEXUS).is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused_by_name_but_for_a_password() {
        for url in ["", "nexus.example", "ftp://nexus.example/", "https://", "/rdr/pprdr.asp"] {
            let error = Passport::nexus(url).unwrap_err().to_string();
            assert!(error.contains(&format!("{url:?}")), "{error}");
        }
        let error = Passport::nexus("https://user:hunter2@nexus.example/").unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_login_server_has_a_realm() {
        assert!(Passport::login_server("http://127.0.0.1:81/login2.srf", "Test.Net", 1).is_ok());
        assert!(Passport::login_server("http://127.0.0.1:81/login2.srf", " ", 1).is_err());
        assert!(Passport::login_server("login2.srf", "Test.Net", 1).is_err());
    }
}
