//! The exchanges against the server half of the library, and against servers that lie.

use std::io;
use std::sync::{Arc, Mutex};

use bits_world::Kdcs;
use sspi::ntlm::NtlmConfig;
use sspi::{
    AuthIdentity, CredentialUse, Credentials, DataRepresentation, NegotiateConfig, SecurityStatus, ServerRequestFlags,
    Sspi, SspiImpl, Username,
};

use crate::negotiate::{Negotiate, Turn};
use crate::ntlm::Ntlm;
use crate::package::{Token, holding, room, taken};

const USER: &str = r"CORP\alice";
const PASSWORD: &str = "correct horse";

/// Who the servers know.
fn alice() -> AuthIdentity {
    AuthIdentity { username: Username::parse(USER).unwrap(), password: PASSWORD.to_owned().into() }
}

/// What the server half says to a message.
fn accept<S: SspiImpl + Sspi>(
    server: &mut S,
    credentials: &mut S::CredentialsHandle,
    said: &[u8],
) -> sspi::Result<(SecurityStatus, Token)> {
    let (mut input, mut output) = (holding(said), room());
    let builder = server
        .accept_security_context()
        .with_credentials_handle(credentials)
        .with_context_requirements(ServerRequestFlags::empty())
        .with_target_data_representation(DataRepresentation::Native)
        .with_input(&mut input)
        .with_output(&mut output);
    let result = server.accept_security_context_impl(builder)?.resolve_to_result()?;
    Ok((result.status, taken(output)))
}

/// The server's half of NTLM.
struct Server {
    ntlm: sspi::Ntlm,
    credentials: Option<sspi::AuthIdentityBuffers>,
}

impl Server {
    fn new() -> Self {
        let mut ntlm = sspi::Ntlm::new();
        let acquired = ntlm.acquire_credentials_handle().with_credential_use(CredentialUse::Inbound);
        let credentials = acquired.with_auth_data(&alice()).execute(&mut ntlm).unwrap().credentials_handle;
        Self { ntlm, credentials }
    }

    fn challenge(&mut self, said: &[u8]) -> Token {
        accept(&mut self.ntlm, &mut self.credentials, said).unwrap().1
    }

    fn lets_in(&mut self, said: &[u8]) -> bool {
        accept(&mut self.ntlm, &mut self.credentials, said).unwrap();
        self.ntlm.complete_auth_token(&mut []).is_ok()
    }
}

fn ntlm_lets_in(user: &str, password: &str) -> bool {
    let (mut client, mut server) = (Ntlm::new(user, password, None).unwrap(), Server::new());
    let challenge = server.challenge(&client.begin().unwrap());
    server.lets_in(&client.answer(&challenge).unwrap())
}

#[test]
fn ntlm_proves_the_password() {
    assert!(ntlm_lets_in(USER, PASSWORD));
    assert!(!ntlm_lets_in(USER, "wrong"));
}

#[test]
fn the_first_message_of_ntlm_tells_a_version_and_nothing_of_the_login() {
    const NEGOTIATE_VERSION: u32 = 0x0200_0000;

    let message = Ntlm::new(USER, PASSWORD, None).unwrap().begin().unwrap();

    let flags = u32::from_le_bytes(message[12..16].try_into().unwrap());
    assert_eq!((message.len(), flags & NEGOTIATE_VERSION), (40, NEGOTIATE_VERSION));
    assert_eq!(*message, *Ntlm::new("somebody", "else", None).unwrap().begin().unwrap());
}

#[test]
fn a_challenge_of_ntlm_that_lies_breaks_the_exchange() {
    let begun = || {
        let mut client = Ntlm::new(USER, PASSWORD, None).unwrap();
        let challenge = Server::new().challenge(&client.begin().unwrap());
        (client, challenge)
    };
    // The offsets and lengths of the target's name and of what is told of the target.
    for place in [12, 14, 16, 40, 42, 44] {
        let (mut client, mut challenge) = begun();
        challenge[place..place + 2].fill(0xFF);
        let whole = client.answer(&challenge);
        // Nobody looks at the room that is said to be there, nor for a name that is empty.
        assert_eq!(whole.is_ok(), [14, 16, 42].contains(&place), "{place}");
    }
    let length = begun().1.len();
    for end in 0..length {
        let (mut client, challenge) = begun();
        assert!(client.answer(&challenge[..end]).is_err(), "{end}");
    }
}

#[test]
fn ntlm_answers_once_and_never_before_it_has_begun() {
    let (mut client, mut server) = (Ntlm::new(USER, PASSWORD, None).unwrap(), Server::new());
    let challenge = server.challenge(&client.begin().unwrap());

    assert!(Ntlm::new(USER, PASSWORD, None).unwrap().answer(&challenge).is_err());
    assert!(client.answer(&challenge).is_ok());
    assert!(client.answer(&challenge).is_err());
}

#[test]
fn a_login_that_is_none_begins_nothing() {
    for (user, password) in [("", "x"), (r"CORP\", "x"), (r"a\b\c", "x"), (USER, "$NTLM$:00")] {
        assert!(Ntlm::new(user, password, None).is_err(), "{user}");
        assert!(Negotiate::new(user, password, "www.example", &Kdcs::default(), None).is_err(), "{user}");
    }
}

/// A message of Negotiate for the server.
fn sent(turn: Turn) -> Token {
    match turn {
        Turn::Send(token) => token,
        Turn::Ask(request) => panic!("asks {}", request.kdc),
    }
}

/// Whether a server of Negotiate that has no Kerberos lets somebody in; each KDC that is asked does not answer.
fn negotiate_lets_in(user: &str, password: &str, kdcs: &Kdcs) -> (bool, usize) {
    let config = NegotiateConfig::new(Box::new(NtlmConfig::default()), Some("ntlm".to_owned()), String::new());
    let mut server = sspi::Negotiate::new_server(config, vec![alice()]).unwrap();
    let mut credentials = Some(Credentials::from(alice()).try_into().unwrap());
    let mut client = Negotiate::new(user, password, "www.example", kdcs, None).unwrap();
    let mut asked = 0;
    let mut turn = client.answer(&[]).unwrap();
    while let Turn::Ask(_) = turn {
        asked += 1;
        turn = client.heard(None).unwrap();
    }
    let (_, challenge) = accept(&mut server, &mut credentials, &sent(turn)).unwrap();
    let last = sent(client.answer(&challenge).unwrap());
    let told = accept(&mut server, &mut credentials, &last);
    let lets_in = told.is_ok_and(|(_, told)| client.confirm(&told).is_ok());
    (lets_in, asked)
}

#[test]
fn negotiate_speaks_ntlm_where_no_kdc_is_known() {
    assert_eq!(negotiate_lets_in(USER, PASSWORD, &Kdcs::default()), (true, 0));
    assert_eq!(negotiate_lets_in(USER, "wrong", &Kdcs::default()), (false, 0));
}

#[test]
fn negotiate_speaks_ntlm_where_the_kdc_does_not_answer() {
    let mut kdcs = Kdcs::default();
    kdcs.set("corp", "kdc.corp.example".parse().unwrap());

    assert_eq!(negotiate_lets_in(USER, PASSWORD, &kdcs), (true, 1));
}

#[test]
fn a_host_without_a_name_has_no_ticket() {
    let mut kdcs = Kdcs::default();
    kdcs.set("corp", "127.0.0.1".parse().unwrap());

    for host in ["127.0.0.1", "::1"] {
        let mut client = Negotiate::new(USER, PASSWORD, host, &kdcs, None).unwrap();
        assert!(!sent(client.answer(&[]).unwrap()).is_empty());
    }
}

#[test]
fn spnego_that_is_none_breaks_the_exchange() {
    let bomb: Vec<u8> = std::iter::repeat_n([0xA1, 0x84, 0x7F, 0xFF, 0xFF, 0xFF], 5000).flatten().collect();
    for said in [&b"garbage"[..], &[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], &bomb, &[0xA1, 0x00], &[]] {
        let mut client = Negotiate::new(USER, PASSWORD, "www.example", &Kdcs::default(), None).unwrap();
        client.answer(&[]).unwrap();

        assert!(client.answer(said).is_err());
        assert!(client.answer(said).is_err(), "it is over");
    }
}

#[test]
fn exchanges_are_not_heard_even_by_who_listens_to_everything() {
    #[derive(Clone, Default)]
    struct Ear(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Ear {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let ear = Ear::default();
    let writer = ear.clone();
    let listener = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(listener, || {
        let mut client = Ntlm::new(USER, PASSWORD, None).unwrap();
        let message = client.begin().unwrap();
        let challenge = tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), || {
            Server::new().challenge(&message)
        });
        client.answer(&challenge).unwrap();
        let mut client = Negotiate::new(USER, PASSWORD, "www.example", &Kdcs::default(), None).unwrap();
        sent(client.answer(&[]).unwrap());
        client.answer(b"garbage").map(sent).unwrap_err();
        tracing::info!("heard");
    });

    let heard = String::from_utf8(ear.0.lock().unwrap().clone()).unwrap();
    assert_eq!(heard.lines().count(), 1, "{heard}");
    assert!(heard.contains("heard"));
}
