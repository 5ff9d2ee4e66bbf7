//! Proxies: what users have set, and what detection would find.
//!
//! Lists and answers are texts, as on a real machine: what is wrong with them shows when a job
//! transfers. A script is a table of answers, not a program.

use std::collections::BTreeMap;

use crate::Sid;

/// The proxies of the emulated machine; by default nobody has set one and none is found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Proxies {
    /// What automatic detection (WPAD) finds; `None` where nobody answers it.
    pub detected: Option<ProxyScript>,
    /// What the users have who have set nothing. Service accounts have none of it.
    pub everybody: InternetSettings,
    /// What single users have set, service accounts too (by bitsadmin's SetIEProxy).
    pub users: BTreeMap<Sid, InternetSettings>,
}

impl Proxies {
    /// The Internet settings of a user. A service account that was given none can only detect
    /// (clause `svcacct.ie_proxy`).
    pub fn of(&self, user: &Sid) -> InternetSettings {
        match self.users.get(user) {
            Some(settings) => settings.clone(),
            None if user.is_service_account() => InternetSettings::default(),
            None => self.everybody.clone(),
        }
    }
}

/// What a user has set of proxies (Internet Options): whatever of it gives an answer first, in the
/// order of the fields, counts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InternetSettings {
    /// Settings are detected automatically; Windows begins with that.
    pub detect: bool,
    /// What the automatic configuration script answers.
    pub script: Option<ProxyScript>,
    /// The proxies, such as `proxy:8080` or `http=one:80;https=two:443`.
    pub list: Option<String>,
    /// The hosts that are reached without them, such as `*.example.org;<local>`.
    pub bypass_list: Option<String>,
}

impl Default for InternetSettings {
    fn default() -> Self {
        Self { detect: true, script: None, list: None, bypass_list: None }
    }
}

impl InternetSettings {
    /// Straight to every server.
    pub fn direct() -> Self {
        Self { detect: false, ..Self::default() }
    }

    /// Through these proxies.
    pub fn proxies(list: impl Into<String>) -> Self {
        Self { list: Some(list.into()), ..Self::direct() }
    }

    /// As this script says.
    pub fn script(script: ProxyScript) -> Self {
        Self { script: Some(script), ..Self::direct() }
    }

    /// The same, but for these hosts.
    #[must_use]
    pub fn bypassing(self, bypass_list: impl Into<String>) -> Self {
        Self { bypass_list: Some(bypass_list.into()), ..self }
    }
}

/// What a proxy auto-configuration (PAC) script answers.
///
/// ```
/// use bits_world::ProxyScript;
///
/// let script = ProxyScript::answering("PROXY proxy:8080; DIRECT").for_hosts("*.corp.example", "DIRECT");
/// assert_eq!(script.answer("www.corp.example"), "DIRECT");
/// assert_eq!(script.answer("elsewhere.example"), "PROXY proxy:8080; DIRECT");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProxyScript {
    /// The answer for all other hosts.
    answer: String,
    /// Patterns of hosts with their answers; the first that matches counts.
    hosts: Vec<(String, String)>,
}

impl ProxyScript {
    /// A script that gives this answer, such as `PROXY one:8080; PROXY two:8080; DIRECT`.
    pub fn answering(answer: impl Into<String>) -> Self {
        Self { answer: answer.into(), hosts: Vec::new() }
    }

    /// The same, with another answer for hosts of this pattern, in which `*` stands for anything;
    /// earlier patterns go first.
    #[must_use]
    pub fn for_hosts(mut self, pattern: impl Into<String>, answer: impl Into<String>) -> Self {
        self.hosts.push((pattern.into(), answer.into()));
        self
    }

    /// The answer for a host.
    pub fn answer(&self, host: &str) -> &str {
        let found = self.hosts.iter().find(|(pattern, _)| host_matches(pattern, host));
        found.map_or(&self.answer, |(_, answer)| answer)
    }
}

/// Whether a host is of this pattern, in which `*` stands for anything; case does not count.
pub fn host_matches(pattern: &str, host: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = strip_prefix(host, first) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        match find(rest, piece) {
            Some(end) => rest = &rest[end..],
            None => return false,
        }
    }
    rest.len() >= last.len() && strip_prefix(rest.get(rest.len() - last.len()..).unwrap_or_default(), last).is_some()
}

fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let begin = text.get(..prefix.len())?;
    begin.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// Where the first `piece` in `text` ends.
fn find(text: &str, piece: &str) -> Option<usize> {
    let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    starts.into_iter().find(|at| strip_prefix(&text[*at..], piece).is_some()).map(|at| at + piece.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        let matching = [
            ("*", ""),
            ("*", "a"),
            ("host", "HOST"),
            ("*.example.org", "a.b.example.org"),
            ("192.168.*", "192.168.0.1"),
            ("a*b*c", "abc"),
            ("a*b*c", "a.bb.xc"),
            ("*é*", "café.example"),
        ];
        let others = [
            ("", "a"),
            ("host", "hosts"),
            ("*.example.org", "example.org"),
            ("a*a", "a"),
            ("a*b*c", "acb"),
            ("*.org", "örg"),
        ];
        for (pattern, host) in matching {
            assert!(host_matches(pattern, host), "{pattern} {host}");
        }
        for (pattern, host) in others {
            assert!(!host_matches(pattern, host), "{pattern} {host}");
        }
    }

    #[test]
    fn service_accounts_have_what_was_set_for_them_alone() {
        let mut proxies = Proxies { everybody: InternetSettings::proxies("proxy:8080"), ..Proxies::default() };
        let (user, system) = (Sid::of_account(1), Sid::new(Sid::LOCAL_SYSTEM));

        assert_eq!(proxies.of(&user), InternetSettings::proxies("proxy:8080"));
        assert_eq!(proxies.of(&system), InternetSettings::default());

        proxies.users.insert(system.clone(), InternetSettings::proxies("other:80"));
        proxies.users.insert(user.clone(), InternetSettings::direct());
        assert_eq!(proxies.of(&system), InternetSettings::proxies("other:80"));
        assert_eq!(proxies.of(&user), InternetSettings::direct());
    }
}
