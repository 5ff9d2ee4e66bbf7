//! Passport: the way to the servers beside the one that asks for it, and back with a token.
//!
//! The client does not see these requests. They take the job's way through its proxies, with what
//! those are told, but they are none of its own: the faults of certificates that the job excuses, its
//! own certificate, its say about servers and its headers are for the server of its files (a decision,
//! `passport.hidden`).

use std::sync::Arc;

use bits_api::{AuthScheme, AuthTarget, Hresult};
use bits_auth::Verdict;
use bits_auth::passport::{self, Configuration, SignIn, SignInStep};
use bits_wire::Secret;
use bits_wire::attempt::{AttemptReport, Failure, ResponseHead};
use bits_wire::auth::{Login, Logins};
use bits_wire::download::{Ask, CertificateFaults, Cookies, Fault, Origin, Request, Target, status_failure};
use bits_world::{Passport, Switch};
use http::header::AUTHORIZATION;
use http::response::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use hyper::body::Incoming;

use super::ask::{Line, Talk};
use crate::link::{Aim, Counsel, Link};

/// What a chain of attempts knows of Passport.
#[derive(Debug)]
pub(crate) struct Visitor {
    /// Whose knowledge it is.
    logins: Arc<Logins>,
    configuration: Option<Configuration>,
    /// Those of partners, which stand for a token, and of login servers.
    cookies: Cookies,
}

/// How far one request is.
#[derive(Default)]
pub(super) struct Entry {
    /// What is shown next.
    token: Option<Secret>,
    /// The servers that have been shown one.
    shown: Vec<Origin>,
}

impl Visitor {
    /// Whoever was known before is nobody to those who may be told something else now.
    pub(super) fn new(logins: &Arc<Logins>, earlier: Option<Box<Self>>) -> Box<Self> {
        earlier.filter(|earlier| earlier.logins == *logins).unwrap_or_else(|| {
            Box::new(Self { logins: Arc::clone(logins), configuration: None, cookies: Cookies::default() })
        })
    }

    /// What there is to be left to the next attempt.
    pub(super) fn if_of_use(self: Box<Self>) -> Option<Box<Self>> {
        Some(self).filter(|visitor| visitor.configuration.is_some() || !visitor.cookies.is_empty())
    }
}

impl Entry {
    /// Adds what a partner is shown: a token, once, or the cookies that stand for one.
    pub(super) fn show(&mut self, visitor: &Visitor, target: &Target, request: &mut Request) {
        visitor.cookies.add_to(target, &mut request.headers);
        if let Some(token) = self.token.take() {
            show(&token, &mut request.headers);
            self.shown.push(target.origin().clone());
        }
    }

    /// Whether this partner was shown a token: asking once more leads nowhere (a decision,
    /// `passport.challenged_again`).
    pub(super) fn is_over(&self, partner: &Target) -> bool {
        self.shown.contains(partner.origin())
    }
}

impl Line<'_> {
    /// Whether an answer asks for a sign-in that the job can try; takes in what stands for one.
    pub(super) fn is_asked_for_passport(&mut self, entry: &Entry, head: &Parts) -> bool {
        if self.logins.get(AuthTarget::SERVER, AuthScheme::PASSPORT).is_none() || !self.is_trusted() {
            return false;
        }
        let target = self.redirects.target();
        if entry.is_over(target) || passport::sets_token(&head.headers) {
            self.visitor.cookies.take_in_credentials(target, &head.headers);
        }
        passport::wanted(head.status.as_u16(), &head.headers, &self.logins).is_some()
    }

    /// Signs in, so that the same can be asked again.
    ///
    /// # Errors
    /// `BG_E_HTTP_ERROR_401` where no sign-in leads on; of a server on the way what a job shows of any.
    pub(super) async fn sign_in(&mut self, entry: &mut Entry, method: &str, head: &Parts) -> Result<(), Failure> {
        let logins = Arc::clone(&self.logins);
        let target = self.redirects.target().clone();
        if let Some((challenge, login)) = passport::wanted(head.status.as_u16(), &head.headers, &logins) {
            entry.token = Some(self.token(login, challenge, (method, &target)).await?);
        }
        Ok(())
    }

    /// The token for a request by `asked`, which was challenged like that.
    async fn token(&mut self, login: &Login, challenge: &str, asked: (&str, &Target)) -> Result<Secret, Failure> {
        let configuration = self.configuration().await?;
        let most = self.network.decisions.count(Switch::MostRedirects);
        let mut sign_in = SignIn::new(&configuration, login, challenge, asked, most).ok_or_else(|| self.no_login())?;
        let mut used = None;
        loop {
            let at = sign_in.at().clone();
            let (link, (head, body), text) = self.ask_beside(&at, Some(&sign_in.authorization()), used.take()).await?;
            self.visitor.cookies.take_in_credentials(&at, &head.headers);
            if configuration.is_outdated_by(&head.headers) {
                self.visitor.configuration = None;
            }
            let has_told = sign_in.has_told();
            let step = sign_in.hear(head.status.as_u16(), &head.headers);
            if has_told && let SignInStep::Granted(_) | SignInStep::Refused = step {
                let is_refused = matches!(step, SignInStep::Refused);
                self.judged(&at.origin().host, if is_refused { Verdict::Refused } else { Verdict::Accepted });
            }
            match step {
                SignInStep::Ask => used = self.drained(link, body).await.ok(),
                SignInStep::Granted(token) => {
                    if let Some(elsewhere) = token.elsewhere {
                        self.go_back(asked.0, &elsewhere)?;
                    }
                    return Ok(token.authorization);
                }
                SignInStep::Refused => {
                    // It is all that the client sees of these servers, as if it came from its own.
                    self.control.report(AttemptReport::Answered(text));
                    return Err(status_failure(StatusCode::UNAUTHORIZED));
                }
                SignInStep::Unusable(_) if is_of_a_server_in_trouble(head.status) => {
                    return Err(status_failure(head.status));
                }
                SignInStep::Unusable(why) => {
                    tracing::debug!(host = at.origin().host, %why, "no sign-in by Passport");
                    return Err(self.no_login());
                }
            }
        }
    }

    /// The token goes to the server that asked for it, and not from there by HTTP if that is not
    /// where it came from; on that server it may lead to another file, like a redirect.
    fn go_back(&mut self, method: &str, elsewhere: &Target) -> Result<(), Failure> {
        if elsewhere.origin() != self.redirects.target().origin() {
            tracing::debug!(host = elsewhere.origin().host, "a token of Passport is for another server");
            return Err(self.no_login());
        }
        let followed = self.redirects.follow(method, 302, Some(elsewhere.to_string().as_bytes()));
        if let Some(url) = self.redirects.take_moved() {
            self.control.report(AttemptReport::Redirected { url });
        }
        followed.map(drop)
    }

    /// Which login server there is: known already, set by hand, or told by the nexus.
    async fn configuration(&mut self) -> Result<Configuration, Failure> {
        if let Some(known) = &self.visitor.configuration {
            return Ok(known.clone());
        }
        let servers = self.logins.passport().clone();
        let configuration = match &servers {
            Passport::Nexus { url } => {
                let nexus = Target::parse(url)?;
                let (link, (head, body), _) = self.ask_beside(&nexus, None, None).await?;
                drop((link, body));
                match Configuration::read(&head.headers, &nexus) {
                    None if is_of_a_server_in_trouble(head.status) => return Err(status_failure(head.status)),
                    configuration => configuration,
                }
            }
            servers => Configuration::preset(servers),
        };
        let configuration = configuration.ok_or_else(|| {
            tracing::debug!(?servers, "no login server of Passport is known");
            self.no_login()
        })?;
        Ok(self.visitor.configuration.insert(configuration).clone())
    }

    /// Asks a server of Passport.
    async fn ask_beside(
        &self,
        target: &Target,
        authorization: Option<&Secret>,
        used: Option<Link>,
    ) -> Result<(Link, (Parts, Incoming), ResponseHead), Failure> {
        let mut request = Request::new(&Ask::Whole, target, &self.network.library);
        self.visitor.cookies.add_to(target, &mut request.headers);
        if let Some(authorization) = authorization {
            show(authorization, &mut request.headers);
        }
        let aim = Aim {
            origin: target.origin().clone(),
            route: self.proxying.route(target.origin())?,
            excused: CertificateFaults::empty(),
            checks_revocation: self.certificates.checks_revocation,
            chosen: None,
            logins: Arc::new(self.logins.of(AuthTarget::PROXY)),
            is_trusted: false,
            is_personal: true,
        };
        let counsel = Counsel { stores: self.certificates.stores.clone(), ..Counsel::default() };
        let talk = Talk { request: &request, target, aim: &aim, counsel: &counsel };
        let (link, answer, text) = self.talk(talk, used).await.map_err(Fault::failure)?;
        Ok((link, answer.into_parts(), text))
    }

    /// The end of a sign-in that leads nowhere.
    pub(super) fn no_login(&self) -> Failure {
        let refused = status_failure(StatusCode::UNAUTHORIZED);
        if self.network.decisions.is_other(Switch::PassportFailure) {
            return Failure { code: Hresult::ERROR_WINHTTP_LOGIN_FAILURE, ..refused };
        }
        refused
    }
}

/// Whether trying again can help: a proxy that refuses, too, has the last word itself.
fn is_of_a_server_in_trouble(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
}

fn show(authorization: &Secret, headers: &mut HeaderMap) {
    // Nothing in it but what has come in a header, and what is escaped.
    if let Ok(mut value) = HeaderValue::from_str(authorization.expose()) {
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
}
