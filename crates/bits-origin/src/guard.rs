//! Guards: who may have what is behind them, and how they prove who they are.

mod basic;
mod digest;
mod ntlm;
mod passport;
mod spnego;
mod talk;

pub use digest::Digest;
pub(crate) use ntlm::end_point;
pub use passport::{Passport, PassportOddity};
pub use talk::Slip;
pub(crate) use talk::{Memory, Parting, Place};

use digest::Ledger;
pub(crate) use passport::{Desks, Here, PassportRuling};

use crate::head::{self, Head};

/// Lets nobody pass who has not proved who he is.
///
/// ```
/// use bits_origin::{Content, Guard, Origin, Scheme};
/// use bits_world::clock::Clock;
///
/// let origin = Origin::start(Clock::system())?;
/// origin.put("/secret/a.bin", Content::bytes(vec![7; 100]));
/// origin.guard("/secret/*", Guard::new("vault").offers(Scheme::Basic).knows("name", "password"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Guard {
    realm: String,
    schemes: Vec<Scheme>,
    accounts: Vec<Account>,
    /// The nonces of Digest.
    ledger: Ledger,
    /// What it does wrong, and how often still.
    slips: Vec<(Slip, u32)>,
    wants_binding: bool,
}

/// How somebody proves who he is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Scheme {
    /// Name and password as they are (RFC 7617).
    Basic,
    /// A password that is proven without being shown (RFC 7616).
    Digest(Digest),
    /// Three messages on one connection, which is known afterwards (MS-NLMP, version 2 alone).
    Ntlm,
    /// The same inside of SPNEGO (RFC 4559, RFC 4178). Nobody is let in by Kerberos.
    Negotiate,
}

impl Scheme {
    /// Its name on the wire.
    fn name(self) -> &'static str {
        match self {
            Self::Basic => "Basic",
            Self::Digest(_) => "Digest",
            Self::Ntlm => "NTLM",
            Self::Negotiate => "Negotiate",
        }
    }
}

/// Somebody whom a guard knows. Debug shows no password.
#[derive(Clone)]
struct Account {
    user_name: String,
    password: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.user_name)
    }
}

/// What a proof is worth.
#[derive(Debug)]
enum Verdict<'a> {
    /// It is this account's; and the answer tells that, perhaps.
    Right(&'a Account, Option<String>),
    /// It would be right, but for an old nonce.
    Stale,
    Wrong,
}

/// What a guard makes of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Ruling {
    /// It passes, in the name of this account; the answer tells that too, perhaps.
    Pass(String, Option<String>),
    /// It does not; the answer tells how it could.
    Stop(Vec<String>),
}

impl Guard {
    /// A guard that knows nobody and offers nothing.
    pub fn new(realm: &str) -> Self {
        let (realm, wants_binding) = (realm.to_owned(), false);
        let (schemes, accounts, ledger, slips) = (Vec::new(), Vec::new(), Ledger::default(), Vec::new());
        Self { realm, schemes, accounts, ledger, slips, wants_binding }
    }

    /// Offers a scheme, after those that it offers already; each has a header line of its own.
    #[must_use]
    pub fn offers(mut self, scheme: Scheme) -> Self {
        self.schemes.push(scheme);
        self
    }

    /// Lets somebody pass who has this name and this password.
    #[must_use]
    pub fn knows(mut self, user_name: &str, password: &str) -> Self {
        self.accounts.push(Account { user_name: user_name.to_owned(), password: password.to_owned() });
        self
    }

    /// Lets nobody pass by NTLM or Negotiate over HTTPS who has not bound his proof to the
    /// certificate of this origin. Who has bound it to another one never passes.
    #[must_use]
    pub fn wants_binding(mut self) -> Self {
        self.wants_binding = true;
        self
    }

    /// Does something wrong, the next so many times.
    #[must_use]
    pub fn slips(mut self, slip: Slip, times: u32) -> Self {
        self.slips.push((slip, times));
        self
    }

    /// Looks at the value of Authorization or Proxy-Authorization, if there is one, of a request of
    /// `method` for `target`, and at what is known of the connection.
    fn look_at(&mut self, shown: Option<&str>, asked: (&str, &str), place: &Place<'_>, memory: &mut Memory) -> Ruling {
        let (name, proof) = shown.map(|shown| shown.split_once(' ').unwrap_or((shown, ""))).unwrap_or_default();
        if let Some(scheme) = self.talks_by(name) {
            return self.talk(scheme, proof, place, memory);
        }
        if let Some(account) = memory.known_to(&self.realm).filter(|_| shown.is_none()) {
            return Ruling::Pass(account.to_owned(), None);
        }
        let Self { realm, schemes, accounts, ledger, .. } = self;
        // Digest may be offered in several ways.
        let asked_for = schemes.iter().filter(|scheme| scheme.name().eq_ignore_ascii_case(name));
        let verdicts = asked_for.map(|scheme| match scheme {
            Scheme::Basic => {
                basic::recognize(proof, accounts).map_or(Verdict::Wrong, |account| Verdict::Right(account, None))
            }
            Scheme::Digest(digest) => digest.judge(proof, asked, realm, accounts, ledger),
            Scheme::Ntlm | Scheme::Negotiate => Verdict::Wrong,
        });
        let verdict = verdicts.reduce(|best, next| if matches!(best, Verdict::Wrong) { next } else { best });
        let verdict = verdict.unwrap_or(Verdict::Wrong);
        match verdict {
            Verdict::Right(account, said) => Ruling::Pass(account.user_name.clone(), said),
            Verdict::Stale => self.stop(true, memory),
            Verdict::Wrong => self.stop(false, memory),
        }
    }

    fn stop(&mut self, is_stale: bool, memory: &mut Memory) -> Ruling {
        if self.has_slipped(Slip::ClosesWhenAsking) {
            memory.parting = Parting::Announced;
        }
        let Self { realm, schemes, ledger, .. } = self;
        let challenge = |scheme: &Scheme| match scheme {
            Scheme::Basic => format!("Basic realm=\"{}\"", digest::escaped(realm)),
            Scheme::Digest(digest) => digest.challenge(realm, is_stale, ledger),
            Scheme::Ntlm | Scheme::Negotiate => scheme.name().to_owned(),
        };
        Ruling::Stop(schemes.iter().map(challenge).collect())
    }

    /// The scheme of several messages that has this name, if it is offered.
    fn talks_by(&self, name: &str) -> Option<Scheme> {
        let talks = self.schemes.iter().filter(|scheme| matches!(scheme, Scheme::Ntlm | Scheme::Negotiate));
        talks.copied().find(|scheme| scheme.name().eq_ignore_ascii_case(name))
    }

    /// Whether something goes wrong this time.
    fn has_slipped(&mut self, slip: Slip) -> bool {
        let due = self.slips.iter_mut().find(|(own, times)| *own == slip && *times > 0);
        due.is_some_and(|(_, times)| {
            *times -= 1;
            true
        })
    }
}

/// The guards of an origin.
#[derive(Default)]
pub(crate) struct Guards {
    /// By path; a `*` at its end stands for anything.
    servers: Vec<(String, Guard)>,
    proxys: Option<Guard>,
}

/// Where a guard stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Post {
    Server,
    Proxy,
}

impl Post {
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::Server => 401,
            Self::Proxy => 407,
        }
    }

    pub(crate) fn challenge_header(self) -> &'static str {
        match self {
            Self::Server => "WWW-Authenticate",
            Self::Proxy => "Proxy-Authenticate",
        }
    }

    /// Where the answer tells that a proof was good.
    pub(crate) fn info_header(self) -> &'static str {
        match self {
            Self::Server => "Authentication-Info",
            Self::Proxy => "Proxy-Authentication-Info",
        }
    }

    pub(crate) fn proof_header(self) -> &'static str {
        match self {
            Self::Server => "Authorization",
            Self::Proxy => "Proxy-Authorization",
        }
    }
}

impl Guards {
    pub(crate) fn post_at(&mut self, path: &str, guard: Guard) {
        self.servers.insert(0, (path.to_owned(), guard));
    }

    pub(crate) fn post_at_proxy(&mut self, guard: Guard) {
        self.proxys = Some(guard);
    }

    pub(crate) fn dismiss(&mut self) {
        *self = Self::default();
    }

    /// What becomes of a request, if anybody guards what it asks for.
    pub(crate) fn look_at(
        &mut self,
        post: Post,
        head: &Head,
        place: &Place<'_>,
        memory: &mut Memory,
    ) -> Option<Ruling> {
        let guard = match post {
            Post::Proxy => self.proxys.as_mut(),
            Post::Server => self.servers.iter_mut().find(|(at, _)| guards(at, head.path())).map(|(_, guard)| guard),
        }?;
        Some(guard.look_at(head.header(post.proof_header()), (&head.method, &head.target), place, memory))
    }
}

fn guards(at: &str, path: &str) -> bool {
    match at.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => head::is_to(at, path),
    }
}
