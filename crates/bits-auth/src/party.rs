//! Our side towards one server or proxy: which exchange is under way, and how far it is.

use std::sync::Arc;

use bits_api::{AuthScheme, AuthTarget};
use bits_wire::Secret;
use bits_wire::auth::{Login, Logins};
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, WWW_AUTHENTICATE};

use crate::basic;
use crate::challenge::{self, Challenge};
use crate::choice;
use crate::digest::Digest;

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
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Step {
    /// The request is sent again, with what the party then says.
    Again,
    /// The answer stands: nobody has asked, or there is nothing more to say.
    Stand,
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
}

impl Exchange {
    /// Answers a challenge with an account; `None` where it cannot be answered.
    fn begin(scheme: AuthScheme, login: &Login, challenges: &[Challenge<'_>], manner: Manner) -> Option<Self> {
        match scheme {
            AuthScheme::BASIC => basic::credentials(login).map(Self::Basic),
            AuthScheme::DIGEST => Digest::begin(challenges, login, manner).map(Box::new).map(Self::Digest),
            _ => None,
        }
    }

    /// What goes along with the next request.
    fn say(&mut self, asked: &Asked<'_>) -> Option<Secret> {
        match self {
            Self::Basic(value) => Some(value.clone()),
            Self::Digest(digest) => digest.answer(asked),
        }
    }

    /// Takes in what they answer to what we have said; `false` where all was said.
    fn go_on(&mut self, challenges: &[Challenge<'_>]) -> bool {
        match self {
            Self::Basic(_) => false,
            Self::Digest(digest) => digest.renew(challenges),
        }
    }

    /// Takes in that they are content, and what they say to that.
    fn accepted(&mut self, info: Option<&str>) {
        match self {
            Self::Basic(_) => {}
            Self::Digest(digest) => digest.accepted(info.unwrap_or_default()),
        }
    }

    /// Whether they want to hear this again with a request for something else.
    fn covers(&self, asked: &Asked<'_>) -> bool {
        match self {
            Self::Basic(_) => true,
            Self::Digest(digest) => digest.covers(asked),
        }
    }

    /// Whether it is worth nothing on another connection.
    fn is_bound(&self) -> bool {
        match self {
            Self::Basic(_) | Self::Digest(_) => false,
        }
    }
}

impl Party {
    /// A party that nobody has asked yet, with what it may answer.
    pub fn new(target: AuthTarget, logins: &Arc<Logins>, manner: Manner) -> Self {
        Self { target, logins: Arc::clone(logins), manner, state: State::Silent, verdict: None }
    }

    /// What goes along with a request, and in which header. Whoever was asked on this connection says
    /// from then on who it is; before that nobody does (clause `auth.only_on_challenge`).
    pub fn say(&mut self, asked: &Asked<'_>) -> Option<(HeaderName, Secret)> {
        let header = if self.target == AuthTarget::PROXY { PROXY_AUTHORIZATION } else { AUTHORIZATION };
        match &mut self.state {
            State::Speaking(exchange) => Some((header, exchange.say(asked)?)),
            State::Accepted(exchange) if exchange.covers(asked) => Some((header, exchange.say(asked)?)),
            State::Accepted(_) | State::Silent | State::Refused => None,
        }
    }

    /// Takes in the head of an answer.
    pub fn hear(&mut self, status: u16, headers: &HeaderMap) -> Step {
        let (ours, header) = self.challenge();
        if status == ours {
            return self.challenged(&challenge::all(headers, &header));
        }
        // What a proxy refuses has never been at the server.
        if status != 407 {
            self.state = match std::mem::replace(&mut self.state, State::Silent) {
                State::Speaking(mut exchange) => {
                    exchange.accepted(self.info(headers));
                    self.verdict = Some(Verdict::Accepted);
                    State::Accepted(exchange)
                }
                State::Accepted(mut exchange) => {
                    exchange.accepted(self.info(headers));
                    State::Accepted(exchange)
                }
                state => state,
            };
        }
        Step::Stand
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

    /// What they tell of themselves to whom they have accepted.
    fn info<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let name = if self.target == AuthTarget::PROXY { "proxy-authentication-info" } else { "authentication-info" };
        headers.get(name).and_then(|info| info.to_str().ok())
    }

    /// The status and the header by which they ask.
    fn challenge(&self) -> (u16, HeaderName) {
        if self.target == AuthTarget::PROXY { (407, PROXY_AUTHENTICATE) } else { (401, WWW_AUTHENTICATE) }
    }

    fn challenged(&mut self, challenges: &[Challenge<'_>]) -> Step {
        self.state = match std::mem::replace(&mut self.state, State::Refused) {
            // What was good enough for one request need not be so for the next.
            State::Silent | State::Accepted(_) => self.begin(challenges),
            State::Speaking(mut exchange) => {
                if exchange.go_on(challenges) {
                    State::Speaking(exchange)
                } else {
                    self.verdict = Some(Verdict::Refused);
                    State::Refused
                }
            }
            State::Refused => State::Refused,
        };
        if matches!(self.state, State::Speaking(_)) { Step::Again } else { Step::Stand }
    }

    fn begin(&self, challenges: &[Challenge<'_>]) -> State {
        let target = self.target;
        let Some((scheme, login)) = choice::choose(challenges, target, &self.logins) else {
            tracing::debug!(?target, "asked for credentials that the job does not have");
            return State::Silent;
        };
        match Exchange::begin(scheme, login, challenges, self.manner) {
            Some(exchange) => {
                tracing::debug!(?target, ?scheme, "answers a challenge");
                State::Speaking(exchange)
            }
            None => {
                tracing::debug!(?target, ?scheme, "a challenge that cannot be answered");
                State::Silent
            }
        }
    }

    /// The same party on another connection: what is bound to the old one is forgotten, and the
    /// exchange begins anew.
    #[must_use]
    pub fn moved(self) -> Self {
        match &self.state {
            State::Speaking(exchange) | State::Accepted(exchange) if exchange.is_bound() => {
                Self { state: State::Silent, ..self }
            }
            _ => self,
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
    fn who_was_accepted_says_who_it_is_with_each_request() {
        let mut party = party(&[AuthScheme::BASIC]);

        assert_eq!(party.hear(401, &challenging("Basic realm=x")), Step::Again);
        assert!(party.say(&ASKED).is_some());
        assert_eq!(party.hear(200, &HeaderMap::new()), Step::Stand);

        assert!(party.say(&ASKED).is_some());
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
