//! The machine that a run is made on: what it is, and whose.

use std::fmt;
use std::process::Command;
use std::sync::Arc;

use bits_api::Job;
use bits_world::Sid;
use serde::{Deserialize, Serialize};

use crate::provider::Kind;

/// What may change what BITS does on a machine, as far as it can be told. `None` where it cannot.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub(crate) struct Conditions {
    /// Whether the jobs of whoever runs the suite are those of an elevated administrator.
    pub(crate) elevated: Option<bool>,
    /// The integrity level of these jobs, as Windows counts it: 8192 is that of most programs.
    pub(crate) integrity: Option<u32>,
    /// Whether it is a service account.
    pub(crate) service_account: bool,
    /// What Windows calls the session, where it has a name: a service or a remote shell is in none.
    pub(crate) session: Option<String>,
    /// What the user's programs go to the network by: `none`, `a proxy`, `a script` or both.
    pub(crate) proxy: Option<String>,
    /// What the administrator has set of BITS, as `name=value`.
    pub(crate) policies: Vec<String>,
}

impl Conditions {
    /// Whether BITS holds whoever runs the suite to what standard users are held to. Where nobody tells, it does.
    pub(crate) fn is_standard_user(&self) -> bool {
        self.elevated != Some(true) && !self.service_account
    }

    /// Those of whoever runs the suite, whose job that is, and, for real BITS, of this machine.
    pub(crate) fn of(job: &Arc<dyn Job>, kind: Kind) -> Self {
        let owner = job.job4().ok();
        let caller = Self {
            elevated: owner.as_ref().and_then(|owner| owner.owner_elevation_state().ok()),
            integrity: owner.as_ref().and_then(|owner| owner.owner_integrity_level().ok()),
            ..Self::default()
        };
        if kind != Kind::Windows {
            return caller;
        }
        Self {
            service_account: own_sid().is_some_and(|sid| SERVICES.contains(&&*sid)),
            session: std::env::var("SESSIONNAME").ok(),
            proxy: registry(&["query", PROXIES]).map(|values| proxy(&values).to_owned()),
            policies: registry(&["query", POLICIES, "/s"]).unwrap_or_default().iter().map(Value::to_string).collect(),
            ..caller
        }
    }
}

/// What was found, in a few words; nothing where nothing was.
impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let elevated = self.elevated.map(|elevated| if elevated { "elevated" } else { "not elevated" }.to_owned());
        let policies = (!self.policies.is_empty()).then(|| format!("policies {}", self.policies.join(" ")));
        let told = [
            elevated,
            self.integrity.map(|level| format!("integrity {level}")),
            self.service_account.then(|| "a service account".to_owned()),
            self.session.as_ref().map(|name| format!("session {name}")),
            self.proxy.as_ref().map(|proxy| format!("proxy: {proxy}")),
            policies,
        ];
        f.write_str(&told.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// A value of the registry.
struct Value {
    name: String,
    data: String,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.data)
    }
}

/// The values that `reg` tells with these arguments; none where it fails, as for a key that is not there.
fn registry(arguments: &[&str]) -> Option<Vec<Value>> {
    spoken("reg", arguments).map(|text| values(&text))
}

/// The values in what `reg query` prints: a line for each, with its name, its type and its data.
fn values(text: &str) -> Vec<Value> {
    let value = |line: &str| {
        let (name, rest) = line.trim().split_once("    ")?;
        let (kind, data) = rest.trim().split_once("    ").unwrap_or((rest.trim(), ""));
        let is_value = kind.starts_with("REG_");
        is_value.then(|| Value { name: name.to_owned(), data: data.trim().to_owned() })
    };
    text.lines().filter_map(value).collect()
}

/// What the user's programs go to the network by. Names of servers are nobody's business.
fn proxy(values: &[Value]) -> &'static str {
    let data = |name: &str| values.iter().find(|value| value.name == name).map(|value| value.data.as_str());
    let is_set = data("ProxyEnable").is_some_and(|data| data != "0x0");
    match (is_set, data("AutoConfigURL").is_some_and(|url| !url.is_empty())) {
        (false, false) => "none",
        (true, false) => "a proxy",
        (false, true) => "a script",
        (true, true) => "a proxy and a script",
    }
}

/// The SIDs of service accounts.
const SERVICES: [&str; 3] = [Sid::LOCAL_SYSTEM, Sid::LOCAL_SERVICE, Sid::NETWORK_SERVICE];

/// Where an administrator's policies for BITS are.
const POLICIES: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\BITS";

/// Where the proxies of a user are.
const PROXIES: &str = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Internet Settings";

/// The operating system and its version, in words.
pub(crate) fn system() -> String {
    let (program, arguments): (_, &[&str]) = if cfg!(windows) { ("cmd", &["/c", "ver"]) } else { ("uname", &["-srm"]) };
    spoken(program, arguments).unwrap_or_else(|| std::env::consts::OS.to_owned())
}

/// The SID of whoever runs the suite, as Windows writes it.
pub(crate) fn own_sid() -> Option<String> {
    let line = spoken("whoami", &["/user", "/fo", "csv", "/nh"])?;
    let sid = line.rsplit(',').next()?.trim_matches('"');
    sid.starts_with("S-1-").then(|| sid.to_owned())
}

/// What a program has to say, in one line.
fn spoken(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "\r\nHKEY_CURRENT_USER\\Software\\Internet Settings\r\n    ProxyEnable    REG_DWORD    0x1\r\n    \
        ProxyOverride    REG_SZ    <local>;10.*\r\n    AutoConfigURL    REG_SZ\r\n\r\nHKEY_CURRENT_USER\\Software\\A    B\r\n";

    #[test]
    fn values_are_told_by_name_and_data_and_keys_are_none() {
        let told: Vec<_> = values(TOLD).iter().map(Value::to_string).collect();

        assert_eq!(told, ["ProxyEnable=0x1", "ProxyOverride=<local>;10.*", "AutoConfigURL="]);
    }

    #[test]
    fn of_a_proxy_only_the_kind_is_told() {
        let with = |line: &str| proxy(&values(line));

        assert_eq!(proxy(&values(TOLD)), "a proxy");
        assert_eq!(with("    ProxyEnable    REG_DWORD    0x0\n    ProxyServer    REG_SZ    mine:80"), "none");
        assert_eq!(with("    AutoConfigURL    REG_SZ    http://mine/wpad.dat"), "a script");
    }

    #[test]
    fn administrators_and_services_are_no_standard_users_and_who_is_not_known_is_one() {
        let with = |elevated, service_account| Conditions { elevated, service_account, ..Conditions::default() };

        assert!(with(None, false).is_standard_user() && with(Some(false), false).is_standard_user());
        assert!(!with(Some(true), false).is_standard_user() && !with(Some(false), true).is_standard_user());
    }
}
