//! Negotiate (RFC 4559): Kerberos where a KDC knows us, NTLM where none does, both in SPNEGO.
//!
//! Nothing in here opens a socket. A step that needs a KDC says what to send it, and goes on with
//! what has come back. KDCs come from the world alone: what this process' own machine knows of
//! realms counts for nothing.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bits_world::{Kdc, Kdcs};
use sspi::generator::GeneratorState;
use sspi::negotiate::ProtocolConfig;
use sspi::ntlm::NtlmConfig;
use sspi::{
    BufferType, ClientRequestFlags, CredentialsBuffers, DataRepresentation, ErrorKind, KdcResolution, KerberosConfig,
    NegotiateConfig, NetworkRequest, SecurityBuffer, Sspi, SspiImpl, Username,
};
use url::Url;

use crate::package::{Broken, Token, identity, room, taken, unheard};

/// Our side of one exchange.
pub(crate) struct Negotiate {
    state: State,
    /// The KDC of the user's realm, and how the library calls it.
    kdc: Option<(Kdc, Url)>,
    desk: Arc<Mutex<Desk>>,
}

enum State {
    Idle(Box<Session>),
    /// In the middle of a step, which waits for a KDC. Nobody else looks at it meanwhile, but those
    /// who carry it have to be looked at.
    Waiting(Mutex<Step>),
    /// After something that cannot be gone on from.
    Over,
}

type Step = Pin<Box<dyn Future<Output = (Box<Session>, Result<Token, Broken>)> + Send>>;

/// What a step comes to.
pub(crate) enum Turn {
    /// A message for the server; an empty one when there is nothing more to say.
    Send(Token),
    /// A question for a KDC; the step goes on with [`Negotiate::heard`].
    Ask(KdcRequest),
}

/// What a KDC is to be sent over TCP.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KdcRequest {
    /// Whom.
    pub kdc: Kdc,
    /// The message, with its length in front; the answer is wanted alike.
    pub message: Vec<u8>,
}

/// Between a step that waits for a KDC and whoever speaks with one.
#[derive(Default)]
struct Desk {
    question: Option<NetworkRequest>,
    answer: Option<sspi::Result<Vec<u8>>>,
}

/// What the library keeps of the exchange.
struct Session {
    negotiate: sspi::Negotiate,
    credentials: Option<CredentialsBuffers>,
    /// The name of the service, such as `HTTP/www.example`.
    service: String,
    /// What ties the exchange to its channel.
    binding: Option<SecurityBuffer>,
}

impl Negotiate {
    /// The exchange of `DOMAIN\user`, `user@REALM` or `user` with the HTTP service on `host`. A
    /// `binding` ties it to the channel that it runs through (RFC 5929), where no KDC is known. An
    /// address in place of a host's name has no ticket, and neither has a user without a realm.
    ///
    /// # Errors
    /// [`Broken`] for a login that Negotiate cannot use.
    pub(crate) fn new(
        user: &str,
        password: &str,
        host: &str,
        kdcs: &Kdcs,
        binding: Option<&[u8]>,
    ) -> Result<Self, Broken> {
        let (account, realm) = split(user);
        let has_name = host.parse::<IpAddr>().is_err();
        let kdc = kdcs
            .of(realm)
            .filter(|_| has_name)
            .and_then(|kdc| Some((kdc.clone(), Url::parse(&format!("tcp://{kdc}")).ok()?)));
        let name = match kdc {
            // A name with a realm in it would be one that only Active Directory knows.
            Some(_) => Username::new(account, Some(realm)),
            None => Username::parse(user),
        };
        let name = name.map_err(|_| Broken::new("the name of the user is none"))?;
        let credentials = CredentialsBuffers::AuthIdentity(identity(name, password)?.into());
        // The names of machines that a server could be told stay empty: the emulated one has none.
        let (protocol, packages): (Box<dyn ProtocolConfig>, _) = match kdc.clone() {
            Some((_, url)) => {
                let kdc_resolution = KdcResolution::KdcUrl(Some(url));
                (Box::new(KerberosConfig { kdc_resolution, client_computer_name: String::new() }), "kerberos,ntlm")
            }
            None => (Box::new(NtlmConfig::default()), "ntlm"),
        };
        let config = NegotiateConfig::new(protocol, Some(packages.to_owned()), String::new());
        let negotiate = unheard(|| sspi::Negotiate::new_client(config))?;
        let session = Session {
            negotiate,
            credentials: Some(credentials),
            service: format!("HTTP/{host}"),
            // A ticket goes without: the library tells the server of the binding in two bytes where
            // MS-KILE (3.1.1.4, KERB_AP_OPTIONS_CBT) has four, and MIT's servers refuse the message.
            binding: binding.filter(|_| kdc.is_none()).map(channel),
        };
        Ok(Self { state: State::Idle(Box::new(session)), kdc, desk: Arc::default() })
    }

    /// The next message, in answer to what the server has said; at first that is nothing.
    ///
    /// # Errors
    /// [`Broken`] for what belongs to no exchange, for a login that the KDC refuses, and in the
    /// middle of a step.
    pub(crate) fn answer(&mut self, said: &[u8]) -> Result<Turn, Broken> {
        let State::Idle(session) = std::mem::replace(&mut self.state, State::Over) else {
            return Err(Broken::new("the exchange is over"));
        };
        let step = session.step(said.to_vec(), Arc::clone(&self.desk));
        self.go_on(Box::pin(step))
    }

    /// Goes on with the answer of a KDC; `None` when it gave none.
    ///
    /// # Errors
    /// As [`Negotiate::answer`], and when nobody was to be asked.
    pub(crate) fn heard(&mut self, answer: Option<Vec<u8>>) -> Result<Turn, Broken> {
        let State::Waiting(step) = std::mem::replace(&mut self.state, State::Over) else {
            return Err(Broken::new("no KDC was asked"));
        };
        lock(&self.desk).answer = Some(answer.ok_or_else(no_kdc));
        self.go_on(step.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the server is who it should be, by what it has said last: with Kerberos it proves that
    /// it can read our ticket.
    ///
    /// # Errors
    /// [`Broken`] when it is not.
    pub(crate) fn confirm(&mut self, said: &[u8]) -> Result<(), Broken> {
        match self.answer(said)? {
            Turn::Send(_) => Ok(()),
            Turn::Ask(_) => Err(Broken::new("a KDC cannot vouch for a server")),
        }
    }

    fn go_on(&mut self, mut step: Step) -> Result<Turn, Broken> {
        loop {
            match unheard(|| step.as_mut().poll(&mut Context::from_waker(Waker::noop()))) {
                Poll::Ready((session, token)) => {
                    let token = token?;
                    self.state = State::Idle(session);
                    return Ok(Turn::Send(token));
                }
                Poll::Pending => {}
            }
            let mut desk = lock(&self.desk);
            let question = desk.question.take().ok_or_else(|| Broken::new("the step waits for nobody"))?;
            match &self.kdc {
                Some((kdc, url)) if question.url == *url => {
                    drop(desk);
                    self.state = State::Waiting(Mutex::new(step));
                    return Ok(Turn::Ask(KdcRequest { kdc: kdc.clone(), message: question.data }));
                }
                // One of which the world does not know.
                _ => desk.answer = Some(Err(no_kdc())),
            }
        }
    }
}

impl Session {
    /// One step of the library. It owns what it works on, so that it can wait.
    async fn step(mut self: Box<Self>, said: Vec<u8>, desk: Arc<Mutex<Desk>>) -> (Box<Self>, Result<Token, Broken>) {
        let token = self.advance(said, &desk).await;
        (self, token)
    }

    async fn advance(&mut self, said: Vec<u8>, desk: &Mutex<Desk>) -> Result<Token, Broken> {
        let mut output = room();
        let mut input: Vec<_> = self.binding.clone().into_iter().collect();
        input.push(SecurityBuffer::new(said, BufferType::Token));
        let Self { negotiate, credentials, service, .. } = self;
        let mut builder = negotiate
            .initialize_security_context()
            .with_credentials_handle(credentials)
            .with_context_requirements(ClientRequestFlags::MUTUAL_AUTH)
            .with_target_data_representation(DataRepresentation::Native)
            .with_target_name(service)
            .with_input(&mut input)
            .with_output(&mut output);
        let mut generator = SspiImpl::initialize_security_context_impl(negotiate, &mut builder)?;
        let mut state = generator.start();
        loop {
            match state {
                GeneratorState::Suspended(question) => {
                    lock(desk).question = Some(question);
                    let answer = std::future::poll_fn(|_| match lock(desk).answer.take() {
                        Some(answer) => Poll::Ready(answer),
                        None => Poll::Pending,
                    });
                    state = generator.resume(answer.await);
                }
                GeneratorState::Completed(result) => {
                    result?;
                    break;
                }
            }
        }
        drop(generator);
        Ok(taken(output))
    }
}

/// The account and its realm, which may be empty.
fn split(user: &str) -> (&str, &str) {
    match (user.split_once('\\'), user.rsplit_once('@')) {
        (Some((domain, account)), _) => (account, domain),
        (None, Some((account, realm))) => (account, realm),
        (None, None) => (user, ""),
    }
}

fn no_kdc() -> sspi::Error {
    sspi::Error::new(ErrorKind::NoAuthenticatingAuthority, "no KDC answers")
}

/// A binding as the library reads it: SEC_CHANNEL_BINDINGS with nothing but the application's data.
fn channel(binding: &[u8]) -> SecurityBuffer {
    const HEAD: u8 = 32;
    let mut bytes = vec![0; HEAD.into()];
    bytes[24..28].copy_from_slice(&u32::try_from(binding.len()).unwrap_or_default().to_le_bytes());
    bytes[28] = HEAD;
    bytes.extend_from_slice(binding);
    SecurityBuffer::new(bytes, BufferType::ChannelBindings)
}

fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}
