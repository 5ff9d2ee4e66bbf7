//! What a challenge of Digest demands.

use std::borrow::Cow;

use bits_api::AuthScheme;

use super::hash::Hash;
use crate::challenge::{self, Challenge};

type Text<'a> = Cow<'a, str>;

/// A challenge that can be answered, and what its answer repeats.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Demand {
    pub(super) realm: String,
    pub(super) nonce: String,
    pub(super) opaque: Option<String>,
    /// The algorithm as the server has written it, if it has.
    pub(super) named: Option<String>,
    pub(super) hash: Hash,
    /// Whether the hash of the password takes in both nonces (`-sess`).
    pub(super) is_session: bool,
    /// Whether the answer has a count and a nonce of the client: quality of protection `auth`. An old
    /// server offers none.
    pub(super) is_counted: bool,
    /// Whether the answer before was right, but to an old nonce.
    pub(super) is_stale: bool,
    pub(super) naming: Naming,
    /// The places that share the password; all of the server without any.
    pub(super) places: Vec<String>,
}

/// How a server wants the name of the user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Naming {
    /// As it is.
    Plain,
    /// Percent-encoded, where it is beyond ASCII: the server takes it for UTF-8.
    Utf8,
    /// As a hash.
    Hash,
}

impl Demand {
    /// The most bytes of a challenge that are repeated in an answer: servers take no larger one.
    const MOST: usize = 8 * 1024;

    /// The first challenge of Digest that can be answered.
    pub(super) fn first(challenges: &[Challenge<'_>], knows_sha256: bool) -> Option<Self> {
        let mut ours = challenges.iter().filter(|challenge| challenge.scheme == AuthScheme::DIGEST);
        ours.find_map(|challenge| Self::read(challenge.rest, knows_sha256))
    }

    /// Reads the parameters of a challenge; `None` for one that cannot be answered (a decision,
    /// `auth.digest.unanswerable`): without realm, nonce or any quality of protection that we know, of
    /// an algorithm that we do not, with a parameter that stands there twice, or too large.
    fn read(rest: &str, knows_sha256: bool) -> Option<Self> {
        let mut found = Found::default();
        for (name, value) in challenge::parameters(rest) {
            if let Some(place) = found.place(name)
                && place.replace(value).is_some()
            {
                return None;
            }
        }
        let (hash, is_session) = algorithm(found.algorithm.as_deref().unwrap_or("MD5"), knows_sha256)?;
        let is_counted = match &found.qop {
            None => false,
            Some(offered) if offered.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth")) => true,
            Some(_) => return None,
        };
        // Without a count there is no nonce of ours, which a session is made of.
        if is_session && !is_counted {
            return None;
        }
        let (realm, nonce) = (found.realm?, found.nonce.filter(|nonce| Self::may_be_nonce(nonce))?);
        if realm.len() + nonce.len() + found.opaque.as_ref().map_or(0, |opaque| opaque.len()) > Self::MOST {
            return None;
        }
        let says = |value: Option<Text<'_>>, word: &str| value.is_some_and(|value| value.eq_ignore_ascii_case(word));
        let places = found.domain.iter().flat_map(|places| places.split_ascii_whitespace());
        Some(Self {
            places: places.map(str::to_owned).collect(),
            realm: realm.into_owned(),
            nonce: nonce.into_owned(),
            opaque: found.opaque.map(Text::into_owned),
            named: found.algorithm.map(Text::into_owned),
            hash,
            is_session,
            is_counted,
            is_stale: says(found.stale, "true"),
            naming: match (says(found.userhash, "true"), says(found.charset, "utf-8")) {
                (true, _) => Naming::Hash,
                (false, true) => Naming::Utf8,
                (false, false) => Naming::Plain,
            },
        })
    }

    /// Whether this can be answered to.
    pub(super) fn may_be_nonce(text: &str) -> bool {
        !text.is_empty() && text.len() <= Self::MOST
    }
}

/// The parameters that mean something; RFC 7616 has all others ignored.
#[derive(Default)]
struct Found<'a> {
    realm: Option<Text<'a>>,
    nonce: Option<Text<'a>>,
    opaque: Option<Text<'a>>,
    algorithm: Option<Text<'a>>,
    qop: Option<Text<'a>>,
    stale: Option<Text<'a>>,
    userhash: Option<Text<'a>>,
    charset: Option<Text<'a>>,
    domain: Option<Text<'a>>,
}

impl<'a> Found<'a> {
    fn place(&mut self, name: &str) -> Option<&mut Option<Text<'a>>> {
        let places = [
            ("realm", &mut self.realm),
            ("nonce", &mut self.nonce),
            ("opaque", &mut self.opaque),
            ("algorithm", &mut self.algorithm),
            ("qop", &mut self.qop),
            ("stale", &mut self.stale),
            ("userhash", &mut self.userhash),
            ("charset", &mut self.charset),
            ("domain", &mut self.domain),
        ];
        places.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, place)| place)
    }
}

/// The hash that an algorithm stands for, and whether it is one of sessions.
fn algorithm(name: &str, knows_sha256: bool) -> Option<(Hash, bool)> {
    let known = [
        ("MD5", Hash::Md5, false),
        ("MD5-sess", Hash::Md5, true),
        ("SHA-256", Hash::Sha256, false),
        ("SHA-256-sess", Hash::Sha256, true),
    ];
    let (_, hash, is_session) = known.into_iter().find(|(known, ..)| known.eq_ignore_ascii_case(name))?;
    (hash == Hash::Md5 || knows_sha256).then_some((hash, is_session))
}
