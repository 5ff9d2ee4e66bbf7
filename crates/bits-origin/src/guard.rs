//! Guards: who may have what is behind them, and how they prove who they are.

mod basic;
mod digest;
mod passport;

pub use digest::Digest;
pub use passport::{Passport, PassportOddity};

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
}

/// How somebody proves who he is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Scheme {
    /// Name and password as they are (RFC 7617).
    Basic,
    /// A password that is proven without being shown (RFC 7616).
    Digest(Digest),
}

impl Scheme {
    /// Its name on the wire.
    fn name(self) -> &'static str {
        match self {
            Self::Basic => "Basic",
            Self::Digest(_) => "Digest",
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
        Self { realm: realm.to_owned(), schemes: Vec::new(), accounts: Vec::new(), ledger: Ledger::default() }
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

    /// Looks at the value of Authorization or Proxy-Authorization, if there is one, of a request of
    /// `method` for `target`.
    fn look_at(&mut self, shown: Option<&str>, asked: (&str, &str)) -> Ruling {
        let Self { realm, schemes, accounts, ledger } = self;
        let (name, proof) = shown.map(|shown| shown.split_once(' ').unwrap_or((shown, ""))).unwrap_or_default();
        // Digest may be offered in several ways.
        let asked_for = schemes.iter().filter(|scheme| scheme.name().eq_ignore_ascii_case(name));
        let verdicts = asked_for.map(|scheme| match scheme {
            Scheme::Basic => {
                basic::recognize(proof, accounts).map_or(Verdict::Wrong, |account| Verdict::Right(account, None))
            }
            Scheme::Digest(digest) => digest.judge(proof, asked, realm, accounts, ledger),
        });
        let verdict = verdicts.reduce(|best, next| if matches!(best, Verdict::Wrong) { next } else { best });
        let verdict = verdict.unwrap_or(Verdict::Wrong);
        match verdict {
            Verdict::Right(account, said) => Ruling::Pass(account.user_name.clone(), said),
            Verdict::Stale => self.stop(true),
            Verdict::Wrong => self.stop(false),
        }
    }

    fn stop(&mut self, is_stale: bool) -> Ruling {
        let Self { realm, schemes, ledger, .. } = self;
        let challenge = |scheme: &Scheme| match scheme {
            Scheme::Basic => format!("Basic realm=\"{}\"", digest::escaped(realm)),
            Scheme::Digest(digest) => digest.challenge(realm, is_stale, ledger),
        };
        Ruling::Stop(schemes.iter().map(challenge).collect())
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
    pub(crate) fn look_at(&mut self, post: Post, head: &Head) -> Option<Ruling> {
        let guard = match post {
            Post::Proxy => self.proxys.as_mut(),
            Post::Server => self.servers.iter_mut().find(|(at, _)| guards(at, head.path())).map(|(_, guard)| guard),
        }?;
        Some(guard.look_at(head.header(post.proof_header()), (&head.method, &head.target)))
    }
}

fn guards(at: &str, path: &str) -> bool {
    match at.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => head::is_to(at, path),
    }
}
