//! Our side towards one server or proxy: which exchange is under way, and how far it is.

use std::sync::Arc;

use bits_api::{AuthScheme, AuthTarget};
use bits_wire::Secret;
use bits_wire::auth::{Login, Logins};
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, WWW_AUTHENTICATE};

use crate::basic;
use crate::bound::{Bound, Circumstances};
use crate::challenge::{self, Challenge};
use crate::choice;
use crate::digest::Digest;
use crate::negotiate::KdcRequest;

/// What is asked for, as schemes bind their proof to it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The method.
    pub method: &'a str,
    /// What the request line asks for.
    pub target: &'a str,
    /// The name of the server, or of the proxy.
    pub host: &'a str,
}

/// How parties go about it.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Where the nonces of Digest come from: each other than those before, and nobody's guess. Of
    /// letters and digits alone.
    pub nonce: fn() -> String,
    /// Whether Digest is answered with SHA-256 (a decision, `auth.digest.sha256`).
    pub knows_sha256: bool,
}

/// What to do about an answer.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub enum Step {
    /// The request is sent again, with what the party then says.
    Again,
    /// The answer stands: nobody has asked, or there is nothing more to say.
    Stand,
    /// A KDC is asked this; [`Party::heard`] goes on with its answer.
    Ask(KdcRequest),
    /// The answer is worth nothing: the other end is not who it should be.
    Doubt,
}

/// Our side towards one server or proxy, on one connection.
#[derive(Debug)]
pub struct Party {
    target: AuthTarget,
    logins: Arc<Logins>,
    manner: Manner,
    state: State,
    /// What they make of what we have said, until somebody takes it.
    verdict: Option<Verdict>,
    /// Whom we speak to.
    host: String,
    /// What ties exchanges to the connection, where it has something of the kind.
    binding: Option<Vec<u8>>,
    /// How often an exchange was broken off: its connection has ended, or a proxy was in the way.
    breaks: u32,
}

/// What somebody makes of who we say we are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It is enough.
    Accepted,
    /// It is not.
    Refused,
}

/// How far we are.
#[derive(Debug)]
enum State {
    /// Nobody has asked.
    Silent,
    /// We were asked, and have not been told yet what they make of our words.
    Speaking(Exchange),
    /// They know who we are.
    Accepted(Exchange),
    /// They do not want us.
    Refused,
}

/// What we say of ourselves.
#[derive(Debug)]
enum Exchange {
    Basic(Secret),
    Digest(Box<Digest>),
    Bound(Bound),
}

impl Exchange {
    fn scheme(&self) -> AuthScheme {
        match self {
            Self::Basic(_) => AuthScheme::BASIC,
            Self::Digest(_) => AuthScheme::DIGEST,
            Self::Bound(bound) => bound.scheme(),
        }
    }

    /// Answers a challenge with an account; `None` where it cannot be answered.
    fn begin(
        scheme: AuthScheme,
        login: &Login,
        challenges: &[Challenge<'_>],
        manner: Manner,
        about: &Circumstances<'_>,
    ) -> Option<(Self, Step)> {
        let exchange = match scheme {
            AuthScheme::BASIC => Self::Basic(basic::credentials(login)?),
            AuthScheme::DIGEST => Self::Digest(Box::new(Digest::begin(challenges, login, manner)?)),
            _ => return Bound::begin(scheme, login, about).map(|(bound, step)| (Self::Bound(bound), step)),
        };
        Some((exchange, Step::Again))
    }

    /// What goes along with the next request.
    fn say(&mut self, asked: &Asked<'_>) -> Option<Secret> {
        match self {
            Self::Basic(value) => Some(value.clone()),
            Self::Digest(digest) => digest.answer(asked),
            Self::Bound(bound) => bound.say(),
        }
    }

    /// Takes in what they answer to what we have said.
    fn go_on(&mut self, challenges: &[Challenge<'_>]) -> Step {
        match self {
            Self::Basic(_) => Step::Stand,
            Self::Digest(digest) => {
                if digest.renew(challenges) {
                    Step::Again
                } else {
                    Step::Stand
                }
            }
            Self::Bound(bound) => bound.go_on(said_to(bound.scheme(), challenges)),
        }
    }

    /// Whether they are who they should be, by what they say once they know who we are.
    fn is_confirmed(&mut self, last: &[Challenge<'_>]) -> bool {
        match self {
            Self::Basic(_) | Self::Digest(_) => true,
            Self::Bound(bound) => bound.is_confirmed(said_to(bound.scheme(), last)),
        }
    }

    /// Takes in that they are content, and what they say to that.
    fn accepted(&mut self, info: Option<&str>) {
        match self {
            Self::Basic(_) | Self::Bound(_) => {}
            Self::Digest(digest) => digest.accepted(info.unwrap_or_default()),
        }
    }

    /// Whether they want to hear this again with a request for something else.
    fn covers(&self, asked: &Asked<'_>) -> bool {
        match self {
            Self::Basic(_) | Self::Bound(_) => true,
            Self::Digest(digest) => digest.covers(asked),
        }
    }

    /// Whether it is worth nothing on another connection.
    fn is_bound(&self) -> bool {
        match self {
            Self::Basic(_) | Self::Digest(_) => false,
            Self::Bound(bound) => !bound.is_unsaid(),
        }
    }
}

/// The token of the challenge of this scheme.
fn said_to<'a>(scheme: AuthScheme, challenges: &[Challenge<'a>]) -> Option<&'a str> {
    challenges.iter().find(|challenge| challenge.scheme == scheme).and_then(|own| challenge::token(own.rest))
}

impl Party {
    /// How often an exchange begins anew that was broken off.
    const MOST_BREAKS: u32 = 3;

    /// A party that nobody has asked yet, with what it may answer.
    pub fn new(target: AuthTarget, logins: &Arc<Logins>, manner: Manner) -> Self {
        let (logins, host) = (Arc::clone(logins), String::new());
        Self { target, logins, manner, state: State::Silent, verdict: None, host, binding: None, breaks: 0 }
    }

    /// Ties what is said from now on to the channel that it goes through (RFC 5929); `None` where
    /// there is nothing of the kind.
    pub fn bind(&mut self, binding: Option<Vec<u8>>) {
        self.binding = binding;
    }

    /// What goes along with a request, and in which header. Whoever was asked on this connection says
    /// from then on who it is; before that nobody does (clause `auth.only_on_challenge`).
    pub fn say(&mut self, asked: &Asked<'_>) -> Option<(HeaderName, Secret)> {
        let header = if self.target == AuthTarget::PROXY { PROXY_AUTHORIZATION } else { AUTHORIZATION };
        asked.host.clone_into(&mut self.host);
        match &mut self.state {
            State::Speaking(exchange) => Some((header, exchange.say(asked)?)),
            // A proxy wants the same for whatever it is asked (RFC 7616, 3.3).
            State::Accepted(exchange) if self.target == AuthTarget::PROXY || exchange.covers(asked) => {
                Some((header, exchange.say(asked)?))
            }
            State::Accepted(_) | State::Silent | State::Refused => None,
        }
    }

    /// Takes in the head of an answer.
    pub fn hear(&mut self, status: u16, headers: &HeaderMap) -> Step {
        let (ours, header) = self.challenge();
        if status == ours {
            return self.challenged(&challenge::all(headers, &header));
        }
        // What a proxy refuses has never been at the server, which has to hear all of an exchange.
        if status == 407 {
            if matches!(&self.state, State::Speaking(exchange) if exchange.is_bound()) {
                self.turn();
            }
            return Step::Stand;
        }
        let info = self.info();
        let last = [challenge::all(headers, &header), challenge::all(headers, &info)].concat();
        let (mut exchange, is_new) = match std::mem::replace(&mut self.state, State::Refused) {
            State::Speaking(exchange) => (exchange, true),
            State::Accepted(exchange) => (exchange, false),
            state @ (State::Silent | State::Refused) => {
                self.state = state;
                return Step::Stand;
            }
        };
        if is_new {
            if !exchange.is_confirmed(&last) {
                return Step::Doubt;
            }
            self.verdict = Some(Verdict::Accepted);
        }
        exchange.accepted(headers.get(info).and_then(|info| info.to_str().ok()));
        self.state = State::Accepted(exchange);
        self.breaks = 0;
        Step::Stand
    }

    /// By which scheme we say that we are whom, and as whom we are known where nobody asks again.
    pub fn account(&self) -> Option<(AuthScheme, &Login)> {
        let (State::Speaking(exchange) | State::Accepted(exchange)) = &self.state else { return None };
        let scheme = exchange.scheme();
        Some((scheme, self.logins.get(self.target, scheme)?))
    }

    /// What they make of what we have said, once for each time that we were asked.
    pub fn take_verdict(&mut self) -> Option<Verdict> {
        self.verdict.take()
    }

    /// Whether they ask for what the job has a record of that cannot be used, and for nothing that it
    /// has more of (clause `failure.null_credentials_wrong_scheme`).
    pub fn lacks(&self, status: u16, headers: &HeaderMap) -> bool {
        let (ours, header) = self.challenge();
        let challenges = if status == ours { challenge::all(headers, &header) } else { Vec::new() };
        choice::choose(&challenges, self.target, &self.logins).is_none()
            && challenges.iter().any(|challenge| self.logins.is_incomplete(self.target, challenge.scheme))
    }

    /// The header in which they tell of themselves to whom they have accepted.
    fn info(&self) -> HeaderName {
        let is_proxy = self.target == AuthTarget::PROXY;
        HeaderName::from_static(if is_proxy { "proxy-authentication-info" } else { "authentication-info" })
    }

    /// The status and the header by which they ask.
    fn challenge(&self) -> (u16, HeaderName) {
        if self.target == AuthTarget::PROXY { (407, PROXY_AUTHENTICATE) } else { (401, WWW_AUTHENTICATE) }
    }

    /// Goes on with the answer of a KDC, which may have none.
    pub fn heard(&mut self, answer: Option<Vec<u8>>) -> Step {
        match &mut self.state {
            State::Speaking(Exchange::Bound(bound)) => {
                let step = bound.heard(answer);
                self.after(step)
            }
            _ => Step::Stand,
        }
    }

    fn challenged(&mut self, challenges: &[Challenge<'_>]) -> Step {
        match &mut self.state {
            // What was good enough for one request need not be so for the next.
            State::Silent | State::Accepted(_) => self.begin(challenges),
            State::Speaking(exchange) => {
                let step = exchange.go_on(challenges);
                self.after(step)
            }
            State::Refused => Step::Stand,
        }
    }

    /// Who has nothing to say in the middle of an exchange was refused.
    fn after(&mut self, step: Step) -> Step {
        if step == Step::Stand {
            self.state = State::Refused;
            self.verdict = Some(Verdict::Refused);
        }
        step
    }

    fn begin(&mut self, challenges: &[Challenge<'_>]) -> Step {
        let target = self.target;
        self.state = State::Silent;
        let Some((scheme, login)) = choice::choose(challenges, target, &self.logins) else {
            tracing::debug!(?target, "asked for credentials that the job does not have");
            return Step::Stand;
        };
        let about = Circumstances { host: &self.host, kdcs: self.logins.kdcs(), binding: self.binding.as_deref() };
        let Some((exchange, step)) = Exchange::begin(scheme, login, challenges, self.manner, &about) else {
            tracing::debug!(?target, ?scheme, "a challenge that cannot be answered");
            return Step::Stand;
        };
        tracing::debug!(?target, ?scheme, "answers a challenge");
        self.state = State::Speaking(exchange);
        step
    }

    /// The same party on another connection, where whoever was content has to ask again. What is
    /// bound to the old one is forgotten, and the exchange begins anew; but not for ever, when
    /// connections end in the middle of it.
    #[must_use]
    pub fn moved(mut self) -> Self {
        let goes_on = matches!(&self.state, State::Speaking(exchange) if !exchange.is_bound());
        if !goes_on {
            self.turn();
        }
        self
    }

    /// Turns to another proxy or server in the place of the first, which has not asked yet: nothing of
    /// what the first was told is for it. Also that is not done for ever.
    pub fn turn(&mut self) {
        match &self.state {
            State::Speaking(_) if self.breaks == Self::MOST_BREAKS => {
                tracing::debug!(target = ?self.target, "the exchange is broken off again and again");
                self.state = State::Refused;
                self.verdict = Some(Verdict::Refused);
            }
            State::Speaking(_) => {
                self.state = State::Silent;
                self.breaks += 1;
            }
            State::Accepted(_) => self.state = State::Silent,
            State::Silent | State::Refused => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const MANNER: Manner = Manner { nonce: || "c".to_owned(), knows_sha256: true };
    const ASKED: Asked<'_> = Asked { method: "GET", target: "/a", host: "server" };

    fn party(schemes: &[AuthScheme]) -> Party {
        let login = Login { user_name: Secret::new("name"), password: Secret::new("password") };
        let logins = schemes.iter().map(|scheme| ((AuthTarget::SERVER, *scheme), login.clone())).collect();
        Party::new(AuthTarget::SERVER, &Arc::new(logins), MANNER)
    }

    fn challenging(challenge: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))])
    }

    #[test]
    fn nothing_is_sent_before_a_challenge() {
        let mut party = party(&[AuthScheme::BASIC]);

        assert!(party.say(&ASKED).is_none());
        assert_eq!(party.hear(200, &HeaderMap::new()), Step::Stand);
        assert!(party.say(&ASKED).is_none());
    }

    #[test]
    fn another_one_in_the_same_place_has_to_ask_for_itself_but_not_for_ever() {
        let mut party = party(&[AuthScheme::BASIC]);
        let basic = challenging("Basic realm=x");

        for _ in 0..3 {
            assert_eq!(party.hear(401, &basic), Step::Again);
            party.turn();
            assert!(party.say(&ASKED).is_none());
        }
        assert_eq!(party.hear(401, &basic), Step::Again);
        party.turn();
        assert_eq!((party.hear(401, &basic), party.take_verdict()), (Step::Stand, Some(Verdict::Refused)));
    }

    #[test]
    fn what_a_proxy_has_kept_from_the_server_is_said_anew_but_not_for_ever() {
        let mut party = party(&[AuthScheme::NTLM]);
        let ntlm = challenging("NTLM");

        for _ in 0..4 {
            assert_eq!(party.hear(401, &ntlm), Step::Again);
            assert!(party.say(&ASKED).is_some());
            assert_eq!(party.hear(407, &HeaderMap::new()), Step::Stand);
            assert!(party.say(&ASKED).is_none());
        }
        assert_eq!(party.hear(401, &ntlm), Step::Stand);
    }

    #[test]
    fn the_places_of_a_challenge_mean_nothing_to_a_proxy() {
        let login = Login { user_name: Secret::new("name"), password: Secret::new("password") };
        let says_unasked = |target: AuthTarget, status, header| {
            let logins: Logins = [((target, AuthScheme::DIGEST), login.clone())].into_iter().collect();
            let mut party = Party::new(target, &Arc::new(logins), MANNER);
            let challenge = HeaderValue::from_static("Digest realm=x, nonce=y, domain=\"/elsewhere\"");
            assert_eq!(party.hear(status, &[(header, challenge)].into_iter().collect()), Step::Again);
            assert!(party.say(&ASKED).is_some());
            assert_eq!(party.hear(200, &HeaderMap::new()), Step::Stand);
            party.say(&ASKED).is_some()
        };

        assert!(!says_unasked(AuthTarget::SERVER, 401, WWW_AUTHENTICATE));
        assert!(says_unasked(AuthTarget::PROXY, 407, PROXY_AUTHENTICATE));
    }

    #[test]
    fn on_another_connection_whoever_is_content_has_to_ask_again() {
        for (scheme, challenge) in [
            (AuthScheme::BASIC, "Basic realm=x"),
            (AuthScheme::DIGEST, "Digest realm=x, nonce=y"),
            (AuthScheme::NTLM, "NTLM"),
        ] {
            let mut party = party(&[scheme]);
            assert_eq!(party.hear(401, &challenging(challenge)), Step::Again);
            let mut asked = party.moved();
            assert!(asked.say(&ASKED).is_some(), "{challenge}");
            assert_eq!(asked.hear(200, &HeaderMap::new()), Step::Stand);

            assert!(asked.moved().say(&ASKED).is_none(), "{challenge}");
        }
    }

    #[test]
    fn who_was_accepted_says_who_it_is_with_each_request() {
        let mut party = party(&[AuthScheme::BASIC]);

        assert_eq!(party.hear(401, &challenging("Basic realm=x")), Step::Again);
        assert!(party.say(&ASKED).is_some());
        assert_eq!(party.hear(200, &HeaderMap::new()), Step::Stand);

        assert!(party.say(&ASKED).is_some());
    }

    #[test]
    fn an_account_is_told_from_the_challenge_on_until_it_is_refused() {
        let mut party = party(&[AuthScheme::BASIC, AuthScheme::DIGEST]);
        let basic = challenging("Basic realm=x");
        let account =
            |party: &Party| party.account().map(|(scheme, login)| (scheme, login.user_name.expose().to_owned()));

        assert_eq!(account(&party), None);
        assert_eq!(party.hear(401, &basic), Step::Again);
        assert_eq!(account(&party), Some((AuthScheme::BASIC, "name".to_owned())));
        assert_eq!(party.hear(401, &basic), Step::Stand);
        assert_eq!(account(&party), None);
    }

    #[test]
    fn what_was_refused_is_not_sent_again_nor_in_another_way() {
        let mut party = party(&[AuthScheme::BASIC, AuthScheme::DIGEST]);
        let basic = challenging("Basic realm=x");

        assert_eq!(party.hear(401, &basic), Step::Again);
        assert_eq!(party.hear(401, &basic), Step::Stand);
        assert_eq!(party.hear(401, &challenging("Digest realm=x, nonce=y")), Step::Stand);
        assert!(party.say(&ASKED).is_none());
    }

    #[test]
    fn each_answer_to_a_challenge_has_one_verdict() {
        let mut party = party(&[AuthScheme::BASIC]);
        let basic = challenging("Basic realm=x");

        assert_eq!((party.hear(401, &basic), party.take_verdict()), (Step::Again, None));
        assert_eq!((party.hear(404, &HeaderMap::new()), party.take_verdict()), (Step::Stand, Some(Verdict::Accepted)));
        assert_eq!((party.hear(200, &HeaderMap::new()), party.take_verdict()), (Step::Stand, None));
        assert_eq!((party.hear(401, &basic), party.take_verdict()), (Step::Again, None));
        assert_eq!((party.hear(401, &basic), party.take_verdict()), (Step::Stand, Some(Verdict::Refused)));
        assert_eq!((party.hear(401, &basic), party.take_verdict()), (Step::Stand, None));
    }

    #[test]
    fn a_record_that_cannot_be_used_is_lacked_where_nothing_else_fits() {
        let server = |scheme| (AuthTarget::SERVER, scheme);
        let login = Login { user_name: Secret::new("name"), password: Secret::new("password") };
        let logins: Logins = [(server(AuthScheme::BASIC), login)].into_iter().collect();
        let logins = logins.with_incomplete([server(AuthScheme::PASSPORT)]);
        let party = Party::new(AuthTarget::SERVER, &Arc::new(logins), MANNER);

        assert!(party.lacks(401, &challenging("Passport1.4 ct=1")));
        assert!(!party.lacks(407, &challenging("Passport1.4 ct=1")));
        assert!(!party.lacks(401, &challenging("Basic realm=x, Passport1.4 ct=1")));
        assert!(!party.lacks(401, &challenging("Digest realm=x, nonce=y")));
    }

    #[test]
    fn whoever_is_asked_for_what_it_does_not_have_says_nothing() {
        let mut party = party(&[AuthScheme::BASIC]);

        assert_eq!(party.hear(401, &challenging("Digest realm=x, nonce=y")), Step::Stand);
        assert_eq!(party.hear(407, &challenging("Basic realm=x")), Step::Stand);
        assert!(party.say(&ASKED).is_none());
    }
}
