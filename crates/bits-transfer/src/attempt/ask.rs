//! The line of an attempt: requests that go out on its connection, and the heads that come back.

use std::sync::Arc;

use bits_auth::Verdict;
use bits_wire::CustomHeaders;
use bits_wire::attempt::{AttemptId, AttemptPlan, AttemptReport, Failure, ResponseHead, Vetter, Vetting};
use bits_wire::auth::Logins;
use bits_wire::certificates::Certificates;
use bits_wire::download::{Ask, Cookies, Fault, Redirects, Request, Target};
use bits_wire::proxy::{Proxying, Route};
use bits_world::Switch;
use http::header::LOCATION;
use http::response::Parts;
use http::{HeaderValue, Method, Response};
use hyper::body::Incoming;

use super::Left;
use super::passport::{Entry, Visitor};
use crate::link::{Aim, Counsel, Link, Network};
use crate::mover::{Control, Standing};
use crate::parties::Parties;
use crate::vetted::Nobody;
use crate::watchdog::within;

/// A request, and whom it is for.
#[derive(Clone, Copy)]
pub(super) struct Talk<'t> {
    pub(super) request: &'t Request,
    pub(super) target: &'t Target,
    pub(super) aim: &'t Aim,
    /// Who is asked about a server of HTTPS.
    pub(super) counsel: &'t Counsel,
}

/// Asks servers, one after the other where they redirect.
pub(super) struct Line<'a> {
    pub(super) network: &'a Network,
    pub(super) control: &'a Control,
    attempt: AttemptId,
    pub(super) proxying: Proxying,
    pub(super) redirects: Redirects,
    /// The method that asks for content in place of GET.
    method: Option<String>,
    /// What every request carries beside BITS' own headers.
    custom: CustomHeaders,
    cookies: Cookies,
    /// What those who ask are told.
    pub(super) logins: Arc<Logins>,
    /// What is known of Passport.
    pub(super) visitor: Box<Visitor>,
    /// By what servers of HTTPS are judged, and what they are shown.
    pub(super) certificates: Certificates,
    /// Who is asked about them.
    counsel: Counsel,
    /// The connection of the chain, while it can be asked again.
    pub(super) link: Option<Link>,
}

impl<'a> Line<'a> {
    /// The line of an attempt, with what an earlier one of the chain has left.
    ///
    /// # Errors
    /// `E_INVALIDARG` for a remote name that leads to no HTTP server.
    pub(super) fn new(
        network: &'a Network,
        plan: &AttemptPlan,
        control: &'a Control,
        left: Left,
    ) -> Result<Self, Failure> {
        let named = plan.fetch.named_server.as_deref().map(Target::parse).transpose()?;
        Ok(Self {
            network,
            control,
            attempt: plan.attempt,
            proxying: plan.proxying.clone(),
            redirects: Redirects::new(Target::parse(&plan.url)?, plan.fetch.redirects)
                .named_on(named.as_ref())
                .by(&network.decisions),
            method: plan.fetch.method.clone(),
            // The engine takes no others.
            custom: plan
                .custom_headers
                .as_ref()
                .and_then(|text| CustomHeaders::parse(text.expose()))
                .unwrap_or_default(),
            cookies: Cookies::default(),
            logins: Arc::clone(&plan.logins),
            visitor: Visitor::new(&plan.logins, left.visitor),
            counsel: Counsel {
                vetter: vetter(&plan.vetting),
                turn: Arc::clone(&control.turn),
                stores: plan.certificates.stores.clone(),
            },
            certificates: plan.certificates.clone(),
            // Servers are looked up among the revoked for each file (clause
            // `http_options.set_security_flags.crl_when`), and that is done on a new connection.
            link: left.link.filter(|_| !plan.certificates.checks_revocation),
        })
    }

    /// Asks, and follows where the server sends us, until there is an answer to be judged.
    ///
    /// # Errors
    /// What becomes of a redirect that is not followed, of a server to which no way is known, and of
    /// one that does not answer.
    pub(super) async fn ask(&mut self, ask: &Ask) -> Result<(Parts, Incoming), Failure> {
        let mut entry = Entry::default();
        loop {
            let mut request = self.request(ask);
            entry.show(&self.visitor, self.redirects.target(), &mut request);
            let route = self.proxying.route(self.redirects.target().origin())?;
            let (answer, text) = self.exchange(&request, route).await.map_err(Fault::failure)?;
            let (head, body) = answer.into_parts();
            let is_challenge = self.is_asked_for_passport(&entry, &head);
            if is_challenge && !entry.is_over(self.redirects.target()) {
                self.skip(body).await;
                // Few attempts need room for it.
                Box::pin(self.sign_in(&mut entry, request.method.as_str(), &head)).await?;
                continue;
            }
            self.control.report(AttemptReport::Answered(text));
            if is_challenge {
                return Err(self.no_login());
            }
            if Cookies::are_set_by(&head.headers) && self.network.decisions.is_other(Switch::Cookies) {
                self.cookies.take_in(self.redirects.target(), &head.headers);
            }
            let location = head.headers.get(LOCATION).map(HeaderValue::as_bytes);
            let followed = self.redirects.follow(request.method.as_str(), head.status.as_u16(), location);
            if let Some(url) = self.redirects.take_moved() {
                self.control.report(AttemptReport::Redirected { url });
            }
            if !followed? {
                return Ok((head, body));
            }
            self.skip(body).await;
        }
    }

    /// The request that asks this where the redirects so far have led.
    fn request(&self, ask: &Ask) -> Request {
        let method = self.method.as_deref().filter(|_| !self.redirects.asks_by_get());
        let target = self.redirects.target();
        let mut request = Request::new(ask, target, &self.network.library).by(method);
        let is_elsewhere = self.redirects.is_elsewhere() && !self.custom.spelled().is_empty();
        if !is_elsewhere || !self.network.decisions.is_other(Switch::RedirectedHeaders) {
            request = request.with_custom(&self.custom, &self.network.decisions);
        }
        self.cookies.add_to(target, &mut request.headers);
        request
    }

    /// Asks the server to which the redirects so far have led.
    async fn exchange(&mut self, request: &Request, route: Route) -> Result<(Response<Incoming>, ResponseHead), Fault> {
        let aim = Aim {
            origin: self.redirects.target().origin().clone(),
            route,
            logins: Arc::clone(&self.logins),
            is_trusted: self.is_trusted(),
            is_personal: !self.custom.spelled().is_empty(),
            excused: self.certificates.excused,
            checks_revocation: self.certificates.checks_revocation,
            chosen: self.certificates.chosen,
        };
        let used = self.link.take();
        let talk = Talk { request, target: self.redirects.target(), aim: &aim, counsel: &self.counsel };
        let (link, answer, text) = self.talk(talk, used).await?;
        self.link = Some(link);
        Ok((answer, text))
    }

    /// Whether the server to which the redirects so far have led is told who we are.
    pub(super) fn is_trusted(&self) -> bool {
        self.redirects.is_trusted()
    }

    /// Asks, and says who we are as often as that leads on, until there is an answer that stands.
    pub(super) async fn talk(
        &self,
        talk: Talk<'_>,
        used: Option<Link>,
    ) -> Result<(Link, Response<Incoming>, ResponseHead), Fault> {
        let mut used = used.filter(|link| link.is_open() && link.leads_to(talk.aim)).or_else(|| self.spare(talk));
        let mut parties = None;
        loop {
            let (mut link, answer) = self.send(talk, used.take(), parties.take()).await?;
            let text = link.meter().take_head();
            // Perhaps with somebody else's help, who does not hold a virtual clock up.
            self.control.stand(Standing::Connecting);
            let judged = |by: &str, verdict| self.judged(by, verdict);
            let is_again = link.hear(answer.status().as_u16(), answer.headers(), &judged).await?;
            self.control.stand(Standing::Talking(Arc::clone(link.meter())));
            if !is_again {
                return Ok((link, answer, text));
            }
            match self.drained(link, answer.into_body()).await {
                Ok(link) => used = Some(link),
                Err(moved) => parties = Some(moved),
            }
        }
    }

    /// A connection that another job has left. It may have died meanwhile, and what is asked on it may be
    /// asked twice: so that is HEAD, which a server answers at once and without harm.
    fn spare(&self, talk: Talk<'_>) -> Option<Link> {
        let spares = self.network.spares.as_ref().filter(|_| talk.request.method == Method::HEAD)?;
        spares.take(talk.aim)
    }

    /// Sends a request and waits for the head of its answer. A connection that has died since its last
    /// answer is replaced once.
    async fn send(
        &self,
        Talk { request, target, aim, counsel }: Talk<'_>,
        mut used: Option<Link>,
        mut parties: Option<Parties>,
    ) -> Result<(Link, Response<Incoming>), Fault> {
        let network = self.network;
        loop {
            let mut link = if let Some(mut link) = used.take() {
                link.turn_to(aim);
                link
            } else {
                self.control.stand(Standing::Connecting);
                let talks = |meter| self.control.stand(Standing::Talking(meter));
                let judged = |by: &str, verdict| self.judged(by, verdict);
                let parties = parties.take().unwrap_or_else(|| Parties::new(aim, network.manner));
                // Most of what an attempt needs room for, and only while it connects.
                Box::pin(Link::open(network, aim, parties, counsel, talks, &judged)).await?
            };
            self.control.stand(Standing::Talking(Arc::clone(link.meter())));
            match link.ask(network, request, target).await {
                Ok(response) => {
                    tracing::debug!(attempt = self.attempt.0, method = %request.method, status = %response.status(), "answer");
                    return Ok((link, response));
                }
                Err(none) if none.repeatable => parties = Some(link.into_parties()),
                Err(none) => return Err(none.fault),
            }
        }
    }

    /// Tells what somebody makes of the credentials of the job.
    pub(super) fn judged(&self, by: &str, verdict: Verdict) {
        let (by, accepted) = (by.to_owned(), verdict == Verdict::Accepted);
        self.control.report(AttemptReport::CredentialsJudged { by, accepted });
    }

    /// Reads a body that is not part of the file, so that the connection can be asked again; where it
    /// cannot, what is left is who we were on it.
    pub(super) async fn drained(&self, mut link: Link, body: Incoming) -> Result<Link, Parties> {
        let drained = within(&self.network.clock, self.network.stall, async { Ok(link.drain(body).await) }).await;
        if drained == Ok(true) && link.is_open() { Ok(link) } else { Err(link.into_parties()) }
    }

    /// Reads a body that is not part of the file.
    pub(super) async fn skip(&mut self, body: Incoming) {
        if let Some(link) = self.link.take() {
            self.link = self.drained(link, body).await.ok();
        }
    }
}

/// Who has a say about servers of HTTPS.
fn vetter(vetting: &Vetting) -> Option<Arc<dyn Vetter>> {
    match vetting {
        Vetting::By(vetter) => Some(Arc::clone(vetter)),
        Vetting::Unwanted => None,
        // Nobody is there to be asked.
        Vetting::Wanted => Some(Arc::new(Nobody)),
    }
}
