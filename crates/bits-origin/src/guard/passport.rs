//! Passport as its servers see it: a partner, a nexus and a login server on one origin, written from
//! the description of the protocol alone.

use std::collections::{BTreeMap, BTreeSet};

use super::Account;
use crate::head::{self, Head};

/// Lets nobody pass who has not signed in by Passport 1.4, and signs people in.
///
/// The same origin is the nexus ([`Passport::NEXUS`]) and the login server, by HTTP and by HTTPS;
/// each names the others as it was spoken to itself.
///
/// ```
/// use bits_origin::{Content, Origin, Passport};
/// use bits_world::clock::Clock;
///
/// let origin = Origin::start(Clock::system())?;
/// origin.put("/members/a.bin", Content::bytes(vec![7; 100]));
/// origin.guard_by_passport("/members/*", Passport::new("Test.Net").knows("user@example.com", "password"));
/// let nexus = origin.https_url(Passport::NEXUS);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Passport {
    realm: String,
    accounts: Vec<Account>,
    oddities: Vec<PassportOddity>,
}

/// What a server of Passport does otherwise than it should, or than it usually does.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PassportOddity {
    /// The partner challenges by 401, in place of 302.
    ChallengesBy401,
    /// The partner's 401 has this challenge too.
    OffersToo(String),
    /// The partner challenges whoever shows a token.
    TakesNoToken,
    /// The partner sets no cookies.
    SetsNoCookie,
    /// A cookie of the partner is good for one request.
    CookiesWearOut,
    /// The nexus names a login server of plain HTTP.
    NamesPlainLogin,
    /// The nexus answers with this in place of its header.
    NexusSays(String),
    /// The login server is of another realm than the nexus says.
    OtherRealm,
    /// The login server answers a good sign-in by sending it on to its next door, so many times.
    SendsOn(u32),
    /// The login server sends everybody on to this place.
    SendsTo(String),
    /// The login server sends everybody on, to ever another place.
    SendsAbout,
    /// The login server sends a sign-in to plain HTTP.
    SendsToPlain,
    /// The login server asks for a name and tells not to try again.
    NeverAgain,
    /// The login server tells of this version of what the nexus knows.
    TellsVersion(u32),
    /// The login server answers a sign-in with this in Authentication-Info.
    SaysInstead(String),
    /// The login server sends back to this URL with the token.
    SendsBackTo(String),
}

/// The desks of Passport: what they have given out so far.
#[derive(Debug)]
pub(crate) struct Desks {
    path: String,
    passport: Passport,
    number: u64,
    /// Whether the nexus was asked before.
    is_known: bool,
    challenges: BTreeSet<String>,
    /// Tokens and the partner's cookies, each with the name that it stands for.
    tokens: BTreeMap<String, String>,
    cookies: BTreeMap<String, String>,
    /// Cookies of the login server.
    known: BTreeMap<String, String>,
    failures: u32,
}

/// What becomes of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum PassportRuling {
    /// It passes, in the name of this account; the answer has these headers too.
    Pass(String, Vec<(&'static str, String)>),
    /// This is the answer: status and headers.
    Answer(u16, Vec<(&'static str, String)>),
}

use PassportRuling::{Answer, Pass};

/// The host and the port that were spoken to, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Here<'a> {
    pub(crate) authority: &'a str,
    pub(crate) is_https: bool,
}

/// Where the login server listens, and its further doors.
const LOGIN: &str = "/login2.srf";
const DOORS: &str = "/login3.srf";

impl Passport {
    /// The path of the nexus.
    pub const NEXUS: &str = "/rdr/pprdr.asp";

    /// A realm that knows nobody.
    pub fn new(realm: &str) -> Self {
        Self { realm: realm.to_owned(), accounts: Vec::new(), oddities: Vec::new() }
    }

    /// Lets somebody sign in who has this name and this password.
    #[must_use]
    pub fn knows(mut self, user_name: &str, password: &str) -> Self {
        self.accounts.push(Account { user_name: user_name.to_owned(), password: password.to_owned() });
        self
    }

    /// Does something otherwise.
    #[must_use]
    pub fn oddly(mut self, oddity: PassportOddity) -> Self {
        self.oddities.push(oddity);
        self
    }

    fn knows_both(&self, user_name: &str, password: &str) -> bool {
        self.accounts.iter().any(|account| account.user_name == user_name && account.password == password)
    }

    fn is(&self, oddity: &PassportOddity) -> bool {
        self.oddities.contains(oddity)
    }

    /// What the first oddity says that this picks.
    fn says<'a, T>(&'a self, pick: impl Fn(&'a PassportOddity) -> Option<T>) -> Option<T> {
        self.oddities.iter().find_map(pick)
    }
}

impl Desks {
    pub(crate) fn new(path: &str, passport: Passport) -> Self {
        Self {
            path: path.to_owned(),
            passport,
            number: 0,
            is_known: false,
            challenges: BTreeSet::new(),
            tokens: BTreeMap::new(),
            cookies: BTreeMap::new(),
            known: BTreeMap::new(),
            failures: 0,
        }
    }

    /// What becomes of a request, if it is any of ours.
    pub(crate) fn look_at(&mut self, head: &Head, here: Here<'_>) -> Option<PassportRuling> {
        match head::bare(head.path()) {
            Passport::NEXUS => Some(self.nexus(here)),
            LOGIN => Some(self.login(head, here)),
            door if door.starts_with(DOORS) => Some(self.login(head, here)),
            _ if super::guards(&self.path, head.path()) => Some(self.partner(head)),
            _ => None,
        }
    }

    fn nexus(&mut self, here: Here<'_>) -> PassportRuling {
        if let Some(text) = self.passport.says(|oddity| match oddity {
            PassportOddity::NexusSays(text) => Some(text.clone()),
            _ => None,
        }) {
            return Answer(200, vec![("PassportURLs", text)]);
        }
        let plain = if self.passport.is(&PassportOddity::NamesPlainLogin) { "http://" } else { "" };
        // It learns late of what it knows.
        let version = if std::mem::replace(&mut self.is_known, true) { self.version().unwrap_or(1) } else { 1 };
        let (realm, authority) = (&self.passport.realm, here.authority);
        let urls = format!("DARealm={realm},DALogin={plain}{authority}{LOGIN},ConfigVersion={version}");
        Answer(200, vec![("PassportURLs", urls)])
    }

    /// The partner: a cookie, else a token, else a challenge.
    fn partner(&mut self, head: &Head) -> PassportRuling {
        if let Some(name) = cookie(head, "MSPAuth").and_then(|cookie| self.cookies.get(cookie)).cloned() {
            if self.passport.is(&PassportOddity::CookiesWearOut) {
                self.cookies.clear();
            }
            return Pass(name, Vec::new());
        }
        let token = head.header("authorization").and_then(|proof| proof.strip_prefix("Passport1.4 from-PP="));
        match token.and_then(|token| self.tokens.remove(token)) {
            Some(name) if !self.passport.is(&PassportOddity::TakesNoToken) => self.welcome(name),
            _ => self.challenge(),
        }
    }

    fn welcome(&mut self, name: String) -> PassportRuling {
        if self.passport.is(&PassportOddity::SetsNoCookie) {
            return Pass(name, Vec::new());
        }
        let cookie = self.fresh("cookie");
        self.cookies.insert(cookie.clone(), name.clone());
        let headers = vec![
            ("Authentication-Info", "Passport1.4 tname=MSPAuth,tname=MSPProf".to_owned()),
            ("Set-Cookie", format!("MSPAuth={cookie}; path=/; HttpOnly")),
            ("Set-Cookie", "MSPProf=none; path=/".to_owned()),
        ];
        Pass(name, headers)
    }

    fn challenge(&mut self) -> PassportRuling {
        let number = self.fresh("");
        let challenge = format!("lc=1033,id=507,tw=40,ct={number},ver=2.1.6000.1,rn={number},tpf=0{number}f");
        self.challenges.insert(challenge.clone());
        let mut headers = vec![("WWW-Authenticate", format!("Passport1.4 {challenge}"))];
        if !self.passport.is(&PassportOddity::ChallengesBy401) {
            headers.push(("Location", "/signin.html".to_owned()));
            return Answer(302, headers);
        }
        let others = self.passport.oddities.iter().filter_map(|oddity| match oddity {
            PassportOddity::OffersToo(challenge) => Some(("WWW-Authenticate", challenge.clone())),
            _ => None,
        });
        headers.extend(others);
        Answer(401, headers)
    }

    /// The login server.
    fn login(&mut self, head: &Head, here: Here<'_>) -> PassportRuling {
        let mut ruling = self.login_answer(head, here);
        if let (Some(version), Answer(_, headers)) = (self.version(), &mut ruling) {
            headers.push(("PassportConfig", format!("ConfigVersion={version}")));
        }
        ruling
    }

    fn login_answer(&mut self, head: &Head, here: Here<'_>) -> PassportRuling {
        if let Some(elsewhere) = self.passport.says(|oddity| match oddity {
            PassportOddity::SendsTo(elsewhere) => Some(elsewhere.clone()),
            _ => None,
        }) {
            return Answer(302, vec![("Location", elsewhere)]);
        }
        if self.passport.is(&PassportOddity::SendsAbout) {
            return Answer(302, vec![("Location", format!("{DOORS}?{}", self.fresh("")))]);
        }
        let told = head.header("authorization").and_then(|proof| proof.strip_prefix("Passport1.4 "));
        let Some(told) = told else { return self.refuse("failed") };
        match self.request(told) {
            Some(list) => self.sign_in(head, here, &list),
            None => Answer(400, Vec::new()),
        }
    }

    /// What the login server is told: parameters, and at the end of the list the partner's challenge
    /// as it was given out.
    fn request(&self, told: &str) -> Option<BTreeMap<String, String>> {
        let own = self.challenges.iter().find_map(|challenge| told.strip_suffix(challenge.as_str()))?;
        let mut list: BTreeMap<_, _> = own.split(',').filter_map(parameter).collect();
        let url = list.get_mut("orgurl")?;
        if !url.contains("://") {
            *url = unescaped(url)?;
        }
        list.contains_key("orgverb").then_some(list)
    }

    fn sign_in(&mut self, head: &Head, here: Here<'_>, list: &BTreeMap<String, String>) -> PassportRuling {
        let url = &list["orgurl"];
        let known = cookie(head, "PPAuth").and_then(|cookie| self.known.get(cookie)).cloned();
        if let Some(name) = known.filter(|_| list.contains_key("tname")) {
            return self.grant(&name, url);
        }
        let plain = |name: &str| list.get(name).and_then(|value| unescaped(value));
        let Some(name) = plain("sign-in") else {
            let is_last = self.passport.is(&PassportOddity::NeverAgain);
            return self.refuse(if is_last { "failed-noretry" } else { "failed" });
        };
        let password = plain("pwd").unwrap_or_default();
        let is_known = self.passport.knows_both(&name, &password);
        let says = |name: &str, value: &str| list.get(name).is_some_and(|said| said == value);
        if !is_known || !says("ts", "-2") || !says("elapsed-time", "0") {
            self.failures += 1;
            return self.refuse(if self.failures < 3 { "failed" } else { "failed-noretry" });
        }
        match self.sent_on(head, here) {
            Some(location) => Answer(302, vec![("Location", location)]),
            None => self.grant(&name, url),
        }
    }

    /// Where a good sign-in is sent, if it is not over at this door.
    fn sent_on(&self, head: &Head, here: Here<'_>) -> Option<String> {
        if self.passport.is(&PassportOddity::SendsToPlain) {
            return Some(format!("http://{}{DOORS}", here.authority));
        }
        let doors = self.passport.says(|oddity| match oddity {
            PassportOddity::SendsOn(doors) => Some(*doors),
            _ => None,
        })?;
        let door: u32 = head.path().split_once('?').and_then(|(_, door)| door.parse().ok()).unwrap_or(0);
        let scheme = if here.is_https { "https" } else { "http" };
        (door < doors).then(|| format!("{scheme}://{}{DOORS}?{}", here.authority, door + 1))
    }

    fn refuse(&self, status: &str) -> PassportRuling {
        let other = self.passport.is(&PassportOddity::OtherRealm);
        let realm = if other { "Other.Net".to_owned() } else { self.passport.realm.to_uppercase() };
        let challenge = format!("Passport1.4 da-status={status},srealm={realm},ts=-2,prompt,cbtxt=Sign in");
        Answer(401, vec![("WWW-Authenticate", challenge)])
    }

    fn grant(&mut self, name: &str, url: &str) -> PassportRuling {
        let (number, known) = (self.fresh(""), self.fresh("known"));
        let token = format!("'t={number},{number}&p='");
        self.tokens.insert(token.clone(), name.to_owned());
        self.known.insert(known.clone(), name.to_owned());
        let back = self.passport.says(|oddity| match oddity {
            PassportOddity::SendsBackTo(url) => Some(url.as_str()),
            _ => None,
        });
        let back = back.unwrap_or(url);
        let info = format!("da-status=success,tname=MSPAuth,tname=MSPProf,tname=MSPSec,from-PP={token},ru={back}");
        let instead = self.passport.says(|oddity| match oddity {
            PassportOddity::SaysInstead(info) => Some(info.clone()),
            _ => None,
        });
        let info = instead.unwrap_or(info);
        let headers = vec![
            ("Authentication-Info", format!("Passport1.4 {info}")),
            ("Set-Cookie", format!("PPAuth={known}; path=/")),
        ];
        Answer(200, headers)
    }

    fn version(&self) -> Option<u32> {
        self.passport.says(|oddity| match oddity {
            PassportOddity::TellsVersion(version) => Some(*version),
            _ => None,
        })
    }

    fn fresh(&mut self, what: &str) -> String {
        self.number += 1;
        format!("{what}{}", 1_128_154_104 + self.number)
    }
}

/// The value of a cookie that a client shows.
fn cookie<'a>(head: &'a Head, name: &str) -> Option<&'a str> {
    let pairs = head.header("cookie")?.split("; ");
    pairs.filter_map(|pair| pair.split_once('=')).find_map(|(found, value)| (found == name).then_some(value))
}

/// A parameter by its name, whose case does not count.
fn parameter(item: &str) -> Option<(String, String)> {
    let (name, value) = item.split_once('=')?;
    Some((name.to_ascii_lowercase(), value.to_owned()))
}

/// What a client has escaped.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        bytes.push(u8::from_str_radix(escape.get(..2)?, 16).ok()?);
        rest = &escape[2..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Here<'static> = Here { authority: "127.0.0.1:81", is_https: false };

    fn desks(oddities: &[PassportOddity]) -> Desks {
        let passport = Passport::new("Test.Net").knows("user@example.com", "a,b");
        Desks::new("/file", oddities.iter().cloned().fold(passport, Passport::oddly))
    }

    fn answer(desks: &mut Desks, path: &str, headers: &[(&str, &str)]) -> (u16, Vec<(&'static str, String)>) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let head = Head { method: "GET".into(), target: path.into(), version: "HTTP/1.1".into(), headers };
        match desks.look_at(&head, HERE) {
            Some(Answer(status, headers)) => (status, headers),
            Some(Pass(_, headers)) => (200, headers),
            None => (404, Vec::new()),
        }
    }

    fn header<'a>(answer: &'a (u16, Vec<(&'static str, String)>), name: &str) -> &'a str {
        answer.1.iter().find(|(header, _)| *header == name).map_or("", |(_, value)| value)
    }

    /// The answer to a sign-in in this form, where `CHALLENGE` stands for the partner's.
    fn signed_in(desks: &mut Desks, form: &str) -> (u16, Vec<(&'static str, String)>) {
        let challenge = answer(desks, "/file", &[]);
        let challenge = header(&challenge, "WWW-Authenticate").strip_prefix("Passport1.4 ").unwrap().to_owned();
        answer(desks, LOGIN, &[("Authorization", &form.replace("CHALLENGE", &challenge))])
    }

    #[test]
    fn the_nexus_names_the_login_server_where_it_was_found() {
        let answer = answer(&mut desks(&[]), Passport::NEXUS, &[]);

        let urls = "DARealm=Test.Net,DALogin=127.0.0.1:81/login2.srf,ConfigVersion=1";
        assert_eq!((answer.0, header(&answer, "PassportURLs")), (200, urls));
    }

    #[test]
    fn a_sign_in_is_understood_in_whatever_order_it_comes() {
        let forms = [
            "Passport1.4 sign-in=user%40example.com,pwd=a%2Cb,elapsed-time=0,OrgVerb=GET,OrgUrl=http://h/file,ts=-2,CHALLENGE",
            "Passport1.4 OrgVerb=GET,OrgURL=http%3A%2F%2Fh%2Ffile,ts=-2,elapsed-time=0,sign-in=user%40example.com,pwd=a%2cb,CHALLENGE",
        ];
        for form in forms {
            let mut desks = desks(&[]);
            let answer = signed_in(&mut desks, form);
            assert!(header(&answer, "Authentication-Info").ends_with(",ru=http://h/file"), "{answer:?}");
        }
    }

    #[test]
    fn the_third_wrong_password_is_the_last() {
        let form =
            "Passport1.4 sign-in=user%40example.com,pwd=x,elapsed-time=0,OrgVerb=GET,OrgUrl=http://h/,ts=-2,CHALLENGE";
        let mut desks = desks(&[]);
        let statuses: Vec<_> = (0..3).map(|_| signed_in(&mut desks, form)).collect();

        let last = |n: usize| header(&statuses[n], "WWW-Authenticate").contains("failed-noretry");
        assert_eq!([last(0), last(1), last(2)], [false, false, true]);
    }

    #[test]
    fn who_does_not_tell_the_challenge_as_it_was_is_turned_away() {
        let mut desks = desks(&[]);

        let answer = signed_in(&mut desks, "Passport1.4 tname=,OrgVerb=GET,OrgUrl=http://h/,CHALLENGE,");

        assert_eq!(answer.0, 400);
    }

    #[test]
    fn a_token_lets_pass_once_and_its_cookie_ever_after() {
        let mut desks = desks(&[]);
        let form = "Passport1.4 sign-in=user%40example.com,pwd=a%2Cb,elapsed-time=0,OrgVerb=GET,OrgUrl=http://h/,ts=-2,CHALLENGE";
        let granted = signed_in(&mut desks, form);
        let info = header(&granted, "Authentication-Info");
        let token = &info[info.find("from-PP=").unwrap()..info.find(",ru=").unwrap()];
        let shown = format!("Passport1.4 {token}");

        let first = answer(&mut desks, "/file", &[("Authorization", &shown)]);
        let again = answer(&mut desks, "/file", &[("Authorization", &shown)]);
        let cookie = header(&first, "Set-Cookie").split(';').next().unwrap();
        let later = answer(&mut desks, "/file", &[("Cookie", cookie)]);

        assert_eq!([first.0, again.0, later.0], [200, 302, 200]);
    }
}
