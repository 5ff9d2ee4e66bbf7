//! What the nexus knows: the realm, and its login server.

use bits_wire::download::{Scheme, Target};
use bits_world::Passport;
use http::HeaderMap;
use http::header::HeaderName;

use super::words::{self, LONGEST};

const URLS: HeaderName = HeaderName::from_static("passporturls");
const CONFIG: HeaderName = HeaderName::from_static("passportconfig");

/// Which login server there is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Configuration {
    /// The realm, which the login server must be of.
    pub realm: String,
    /// The login server.
    pub login: Target,
    /// The version of this knowledge, unless nobody will ever tell a later one.
    version: Option<u64>,
}

impl Configuration {
    /// What was set by hand, where no nexus is to be asked.
    pub fn preset(passport: &Passport) -> Option<Self> {
        match passport {
            Passport::LoginServer { url, realm, .. } => {
                Some(Self { realm: realm.clone(), login: Target::parse(url).ok()?, version: None })
            }
            _ => None,
        }
    }

    /// What the nexus says, which was asked there: the header PassportURLs, whatever the status.
    /// A login server without a scheme is spoken to like the nexus; from HTTPS no way leads to HTTP.
    ///
    /// `None` for an answer that names no realm, or no login server that may be turned to.
    pub fn read(headers: &HeaderMap, nexus: &Target) -> Option<Self> {
        let list = headers.get(URLS)?.to_str().ok().filter(|list| list.len() <= LONGEST)?;
        let value = |name| words::value(list, name).map(words::plain).filter(|value| !value.is_empty());
        let (realm, login) = (value("DARealm")?, value("DALogin")?);
        let login = if login.contains("://") {
            Target::parse(login)
        } else {
            let scheme = if nexus.origin().scheme == Scheme::Https { "https" } else { "http" };
            Target::parse(&format!("{scheme}://{login}"))
        };
        let login = login.ok().filter(|login| may_lead(nexus, login))?;
        let version = value("ConfigVersion").and_then(|version| version.parse().ok()).unwrap_or(0);
        Some(Self { realm: realm.to_owned(), login, version: Some(version) })
    }

    /// Whether a login server's answer tells of a later one.
    pub fn is_outdated_by(&self, headers: &HeaderMap) -> bool {
        let told = headers.get(CONFIG).and_then(|list| list.to_str().ok());
        let told = told.and_then(|list| words::value(list, "ConfigVersion")?.parse::<u64>().ok());
        matches!((told, self.version), (Some(told), Some(known)) if told > known)
    }
}

/// Whether a server of Passport may be turned to where another one says so: not if it listens more
/// openly.
pub(super) fn may_lead(from: &Target, to: &Target) -> bool {
    from.origin().scheme == Scheme::Http || to.origin().scheme == Scheme::Https
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        [(name, HeaderValue::from_str(value).unwrap())].into_iter().collect()
    }

    fn read(nexus: &str, urls: &str) -> Option<(String, String)> {
        let read = Configuration::read(&headers(URLS, urls), &Target::parse(nexus).unwrap())?;
        Some((read.realm, read.login.to_string()))
    }

    const HTTPS: &str = "https://nexus.passport.com/rdr/pprdr.asp";
    const HTTP: &str = "http://127.0.0.1:81/rdr/pprdr.asp";

    #[test]
    fn the_documented_answer_is_understood() {
        let urls = "DARealm=Passport.Net,DALogin=login.passport.com/login2.srf,DAReg=http://register.passport.net/,\
                    Properties=https://register.passport.net/editprof.srf,Privacy=http://www.passport.com/,\
                    GeneralRedir=http://nexusrdr.passport.com/redir.asp,ConfigVersion=15";

        let found = Some(("Passport.Net".to_owned(), "https://login.passport.com/login2.srf".to_owned()));
        assert_eq!(read(HTTPS, urls), found);
    }

    #[test]
    fn the_login_server_is_spoken_to_like_the_nexus_or_better() {
        let login = |nexus, login: &str| read(nexus, &format!("DARealm=R,DALogin={login}")).map(|(_, login)| login);

        assert_eq!(login(HTTP, "host:82/login2.srf").as_deref(), Some("http://host:82/login2.srf"));
        assert_eq!(login(HTTP, "https://host/login2.srf").as_deref(), Some("https://host/login2.srf"));
        assert_eq!(login(HTTPS, "https://host/login2.srf").as_deref(), Some("https://host/login2.srf"));
        assert_eq!(login(HTTPS, "http://host/login2.srf"), None);
        assert_eq!(login(HTTPS, "ftp://host/login2.srf"), None);
    }

    #[test]
    fn an_answer_without_realm_or_login_server_is_none() {
        for urls in ["", "DARealm=R", "DALogin=host/login", "DARealm=,DALogin=host", "DARealm=R,DALogin=", "garbage"] {
            assert_eq!(read(HTTPS, urls), None, "{urls}");
        }
        let long = format!("DARealm=R,DALogin=host,Help={}", "x".repeat(LONGEST));
        assert_eq!(read(HTTPS, &long), None);
    }

    #[test]
    fn a_later_version_outdates_what_the_nexus_said() {
        let nexus = Target::parse(HTTPS).unwrap();
        let known = Configuration::read(&headers(URLS, "DARealm=R,DALogin=h,ConfigVersion=14"), &nexus).unwrap();
        let outdated = |value| known.is_outdated_by(&headers(CONFIG, value));

        assert!(outdated("ConfigVersion=15"));
        assert!(!outdated("ConfigVersion=14") && !outdated("ConfigVersion=x") && !outdated(""));
        let by_hand = Passport::login_server("https://host/", "R", 1).unwrap();
        assert!(!Configuration::preset(&by_hand).unwrap().is_outdated_by(&headers(CONFIG, "ConfigVersion=15")));
    }
}
