//! Guards: who may have what is behind them, and how they prove who they are.

mod basic;

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
}

/// How somebody proves who he is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Scheme {
    /// Name and password as they are (RFC 7617).
    Basic,
}

impl Scheme {
    /// Its name on the wire.
    fn name(self) -> &'static str {
        match self {
            Self::Basic => "Basic",
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

/// What a guard makes of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Ruling {
    /// It passes, in the name of this account.
    Pass(String),
    /// It does not; the answer tells how it could.
    Stop(Vec<String>),
}

impl Guard {
    /// A guard that knows nobody and offers nothing.
    pub fn new(realm: &str) -> Self {
        Self { realm: realm.to_owned(), schemes: Vec::new(), accounts: Vec::new() }
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

    /// Looks at the value of Authorization or Proxy-Authorization, if there is one.
    pub(crate) fn look_at(&self, shown: Option<&str>) -> Ruling {
        match shown.and_then(|shown| self.recognize(shown)) {
            Some(account) => Ruling::Pass(account.user_name.clone()),
            None => Ruling::Stop(self.schemes.iter().map(|scheme| self.challenge(*scheme)).collect()),
        }
    }

    fn recognize(&self, shown: &str) -> Option<&Account> {
        let (name, proof) = shown.split_once(' ').unwrap_or((shown, ""));
        let scheme = self.schemes.iter().find(|scheme| scheme.name().eq_ignore_ascii_case(name))?;
        match scheme {
            Scheme::Basic => basic::recognize(proof, &self.accounts),
        }
    }

    fn challenge(&self, scheme: Scheme) -> String {
        match scheme {
            Scheme::Basic => format!("Basic realm=\"{}\"", self.realm),
        }
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
    pub(crate) fn look_at(&self, post: Post, head: &Head) -> Option<Ruling> {
        let guard = match post {
            Post::Proxy => self.proxys.as_ref(),
            Post::Server => self.servers.iter().find(|(at, _)| guards(at, head.path())).map(|(_, guard)| guard),
        }?;
        Some(guard.look_at(head.header(post.proof_header())))
    }
}

fn guards(at: &str, path: &str) -> bool {
    match at.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => head::is_to(at, path),
    }
}
