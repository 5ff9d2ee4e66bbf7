//! NTLM as a server speaks it (MS-NLMP), version 2 alone: the challenge, and whether what comes back
//! proves the password.

use std::ops::Range;

use bits_api::FileTime;
use md4::{Digest, Md4};

use super::Account;

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";

/// The flags of MS-NLMP 2.2.2.5 that a server looks at.
mod flag {
    pub(super) const UNICODE: u32 = 0x0000_0001;
    pub(super) const OEM: u32 = 0x0000_0002;
    pub(super) const REQUEST_TARGET: u32 = 0x0000_0004;
    pub(super) const NTLM: u32 = 0x0000_0200;
    pub(super) const ALWAYS_SIGN: u32 = 0x0000_8000;
    pub(super) const TARGET_TYPE_SERVER: u32 = 0x0002_0000;
    pub(super) const EXTENDED_SESSION_SECURITY: u32 = 0x0008_0000;
    pub(super) const TARGET_INFO: u32 = 0x0080_0000;
    pub(super) const VERSION: u32 = 0x0200_0000;
    /// What the client may ask for and gets; sealed keys are not among it.
    pub(super) const GRANTED: u32 = REQUEST_TARGET | NTLM | ALWAYS_SIGN | EXTENDED_SESSION_SECURITY | VERSION;
}

/// The pairs of MS-NLMP 2.2.2.1.
mod pair {
    pub(super) const END: u16 = 0;
    pub(super) const COMPUTER: u16 = 1;
    pub(super) const DOMAIN: u16 = 2;
    pub(super) const FLAGS: u16 = 6;
    pub(super) const TIMESTAMP: u16 = 7;
    pub(super) const CHANNEL_BINDINGS: u16 = 10;
    /// In the value of `FLAGS`: the message has a code that vouches for all three.
    pub(super) const HAS_CODE: u32 = 2;
}

/// Where the last message has its code of integrity.
const CODE: Range<usize> = 72..88;

/// Why a message is not taken.
pub(crate) type Refusal = &'static str;

/// Whom a server lets in, and with which proofs.
pub(crate) struct Terms<'a> {
    /// Everybody; a name without a domain is of any.
    pub(crate) accounts: &'a [Account],
    /// What the client has to have bound its proof to, if it has bound it to anything: the channel.
    pub(crate) binding: Option<&'a [u8]>,
    /// Whether it has to.
    pub(crate) wants_binding: bool,
}

/// An exchange that waits for its last message.
#[derive(Clone, Debug)]
pub(crate) struct Challenged {
    first: Vec<u8>,
    challenge: Vec<u8>,
    nonce: [u8; 8],
}

/// What the last message has proved.
#[derive(Debug)]
pub(crate) struct Proven {
    /// Whose account it is.
    pub(crate) account: String,
    /// The key that both ends now share.
    pub(crate) key: [u8; 16],
}

impl Challenged {
    /// The challenge to the first message of a client, from a server of this name.
    pub(crate) fn new(first: &[u8], name: &str, nonce: [u8; 8], now: FileTime) -> Result<Self, Refusal> {
        if !Self::begins(first) {
            return Err("no first message");
        }
        let asked = number(first, 12)?;
        // Who knows only the letters of his machine is answered in those.
        let is_wide = asked & flag::UNICODE != 0 || asked & flag::OEM == 0;
        let (letters, target) = if is_wide { (flag::UNICODE, wide(name)) } else { (flag::OEM, name.into()) };
        let told = info(name, now);
        let flags = asked & flag::GRANTED | letters | flag::TARGET_TYPE_SERVER | flag::TARGET_INFO;
        let mut challenge = SIGNATURE.to_vec();
        challenge.extend(2_u32.to_le_bytes());
        let target_at = 56;
        challenge.extend(field(target.len(), target_at));
        challenge.extend(flags.to_le_bytes());
        challenge.extend(nonce);
        challenge.extend([0; 8]);
        challenge.extend(field(told.len(), target_at + target.len()));
        // Windows 10, NTLM revision 15.
        challenge.extend([10, 0, 0x61, 0x4A, 0, 0, 0, 15]);
        challenge.extend(target);
        challenge.extend(told);
        Ok(Self { first: first.to_vec(), challenge, nonce })
    }

    /// The challenge as it is sent.
    pub(crate) fn message(&self) -> &[u8] {
        &self.challenge
    }

    /// Whether a message is a first one.
    pub(crate) fn begins(said: &[u8]) -> bool {
        said.get(..8) == Some(SIGNATURE) && number(said, 8) == Ok(1)
    }

    /// Lets the challenge tell of what is not in it.
    pub(crate) fn lie(&mut self) {
        self.challenge[44..48].fill(0x7F);
    }

    /// Whether the last message proves one of the accounts.
    pub(crate) fn check(&self, last: &[u8], terms: &Terms<'_>) -> Result<Proven, Refusal> {
        if last.get(..8) != Some(SIGNATURE) || number(last, 8)? != 3 {
            return Err("no last message");
        }
        let response = part(last, 20)?;
        let flags = number(last, 60)?;
        let text = |at| part(last, at).and_then(|bytes| text(bytes, flags & flag::UNICODE != 0));
        let (domain, user) = (text(28)?, text(36)?);
        let is_meant = |account: &&Account| is_name(&account.user_name, &domain, &user);
        let account = terms.accounts.iter().find(is_meant).ok_or("nobody known")?;
        let (proof, blob) = response.split_at_checked(16).ok_or("no NTLMv2")?;
        if blob.len() < 28 || blob[..2] != [1, 1] {
            return Err("no NTLMv2");
        }
        let owner = owner(&user, &domain, &account.password);
        if code(&owner, &[&self.nonce, blob]) != proof {
            return Err("another password");
        }
        let key = code(&owner, &[proof]);
        let pairs = pairs(&blob[28..])?;
        if find(&pairs, pair::FLAGS)
            .is_some_and(|flags| flags.first().is_some_and(|low| u32::from(*low) & pair::HAS_CODE != 0))
        {
            self.check_code(last, &key)?;
        }
        check_binding(find(&pairs, pair::CHANNEL_BINDINGS), terms)?;
        Ok(Proven { account: account.user_name.clone(), key })
    }

    /// Whether nobody has changed the messages on their way.
    fn check_code(&self, last: &[u8], key: &[u8; 16]) -> Result<(), Refusal> {
        let mut bare = last.to_vec();
        let sent = bare.get_mut(CODE).ok_or("no room for the code")?;
        let was = sent.to_vec();
        sent.fill(0);
        if code(key, &[&self.first, &self.challenge, &bare]) == *was {
            Ok(())
        } else {
            Err("the messages were changed")
        }
    }
}

impl Proven {
    /// The signature of a first message of one side (MS-NLMP 3.4.4.2), where no key is sealed.
    pub(crate) fn signature(&self, side: Side, message: &[u8]) -> [u8; 16] {
        let number = 0_u32.to_le_bytes();
        let magic = format!("session key to {} signing key magic constant\0", side.path());
        let key = md5::compute([&self.key, magic.as_bytes()].concat()).0;
        let mut signature = [0; 16];
        signature[..4].copy_from_slice(&1_u32.to_le_bytes());
        signature[4..12].copy_from_slice(&code(&key, &[&number, message])[..8]);
        signature
    }
}

/// Who signs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    Client,
    Server,
}

impl Side {
    fn path(self) -> &'static str {
        match self {
            Self::Client => "client-to-server",
            Self::Server => "server-to-client",
        }
    }
}

/// What a client ties its proof to (RFC 5929, tls-server-end-point), by the hash of a certificate.
pub(crate) fn end_point(certificate_hash: &[u8]) -> Vec<u8> {
    [b"tls-server-end-point:", certificate_hash].concat()
}

/// By whose authority the proof is: `MD4` of the password, then of name and domain.
fn owner(user: &str, domain: &str, password: &str) -> [u8; 16] {
    let key: [u8; 16] = Md4::digest(wide(password)).into();
    code(&key, &[&wide(&(user.to_uppercase() + domain))])
}

/// Whether an account of this name is meant; one without a domain is of any.
fn is_name(name: &str, domain: &str, user: &str) -> bool {
    match name.split_once('\\') {
        Some((own, account)) => own.eq_ignore_ascii_case(domain) && account.eq_ignore_ascii_case(user),
        None => name.eq_ignore_ascii_case(user),
    }
}

/// A proof that is bound to another channel has come through somebody's hands.
fn check_binding(bound: Option<&[u8]>, terms: &Terms<'_>) -> Result<(), Refusal> {
    let Some(binding) = terms.binding else { return Ok(()) };
    // A gss_channel_bindings_struct with nothing but the application's data (RFC 2743, 1.1.6).
    let length = u32::try_from(binding.len()).map_err(|_| "a long binding")?.to_le_bytes();
    let wanted = md5::compute([&[0; 16], &length[..], binding].concat()).0;
    match bound.filter(|bound| bound.iter().any(|byte| *byte != 0)) {
        Some(bound) if bound == wanted.as_slice() => Ok(()),
        None if !terms.wants_binding => Ok(()),
        Some(_) => Err("bound to another channel"),
        None => Err("bound to no channel"),
    }
}

/// HMAC-MD5 (RFC 2104).
fn code(key: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = md5::compute([&pad(0x36)[..], &parts.concat()].concat());
    md5::compute([&pad(0x5C)[..], &inner.0].concat()).0
}

/// What the challenge tells of the server.
fn info(name: &str, now: FileTime) -> Vec<u8> {
    let pairs = [
        (pair::DOMAIN, wide(name)),
        (pair::COMPUTER, wide(name)),
        (pair::TIMESTAMP, now.0.to_le_bytes().to_vec()),
        (pair::END, Vec::new()),
    ];
    let mut bytes = Vec::new();
    for (kind, value) in pairs {
        bytes.extend(kind.to_le_bytes());
        bytes.extend(u16::try_from(value.len()).unwrap_or_default().to_le_bytes());
        bytes.extend(value);
    }
    bytes
}

fn pairs(mut bytes: &[u8]) -> Result<Vec<(u16, &[u8])>, Refusal> {
    let mut pairs = Vec::new();
    loop {
        let ([a, b, c, d], rest) = bytes.split_first_chunk().ok_or("pairs without an end")?;
        let (kind, length) = (u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d]));
        if kind == pair::END {
            return Ok(pairs);
        }
        let (value, rest) = rest.split_at_checked(length.into()).ok_or("a pair beyond the end")?;
        pairs.push((kind, value));
        bytes = rest;
    }
}

fn find<'a>(pairs: &[(u16, &'a [u8])], kind: u16) -> Option<&'a [u8]> {
    pairs.iter().rev().find(|pair| pair.0 == kind).map(|pair| pair.1)
}

/// Length, room and offset.
fn field(length: usize, offset: usize) -> [u8; 8] {
    let (length, offset) = (u16::try_from(length).unwrap_or_default(), u32::try_from(offset).unwrap_or_default());
    let mut field = [0; 8];
    field[..2].copy_from_slice(&length.to_le_bytes());
    field[2..4].copy_from_slice(&length.to_le_bytes());
    field[4..].copy_from_slice(&offset.to_le_bytes());
    field
}

/// What a field at this place points to.
fn part(message: &[u8], at: usize) -> Result<&[u8], Refusal> {
    let length = (number(message, at)? & 0xFFFF) as usize;
    let offset = number(message, at + 4)? as usize;
    let from = message.get(offset..).ok_or("a part beyond the end")?;
    from.get(..length).ok_or("a part beyond the end")
}

fn number(message: &[u8], at: usize) -> Result<u32, Refusal> {
    let bytes = message.get(at..).and_then(<[u8]>::first_chunk).ok_or("a short message")?;
    Ok(u32::from_le_bytes(*bytes))
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn text(bytes: &[u8], is_wide: bool) -> Result<String, Refusal> {
    if !is_wide {
        return Ok(bytes.iter().map(|byte| char::from(*byte)).collect());
    }
    let units: Vec<_> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).map_err(|_| "no text")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of MS-NLMP 4.2.4.
    fn blob() -> Vec<u8> {
        let mut blob = vec![1, 1, 0, 0, 0, 0, 0, 0];
        blob.extend([0; 8]);
        blob.extend([0xAA; 8]);
        blob.extend([0; 4]);
        for (kind, value) in [(pair::DOMAIN, "Domain"), (pair::COMPUTER, "Server"), (pair::END, "")] {
            blob.extend(kind.to_le_bytes());
            blob.extend(u16::try_from(value.len() * 2).unwrap().to_le_bytes());
            blob.extend(wide(value));
        }
        blob.extend([0; 4]);
        blob
    }

    const NONCE: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF];

    #[test]
    fn keys_and_proof_are_those_of_the_specification() {
        let owner = owner("User", "Domain", "Password");
        let proof = code(&owner, &[&NONCE, &blob()]);
        let key = code(&owner, &[&proof]);

        assert_eq!(u128::from_be_bytes(owner), 0x0c86_8a40_3bfd_7a93_a300_1ef2_2ef0_2e3f);
        assert_eq!(u128::from_be_bytes(proof), 0x68cd_0ab8_51e5_1c96_aabc_927b_ebef_6a1c);
        assert_eq!(u128::from_be_bytes(key), 0x8de4_0cca_dbc1_4a82_f15c_b0ad_0de9_5ca3);
    }

    /// The last message of the example, without a code.
    fn last(user: &str, password: &str) -> Vec<u8> {
        let blob = blob();
        let response = [&code(&owner(user, "Domain", password), &[&NONCE, &blob])[..], &blob].concat();
        let (domain, user) = (wide("Domain"), wide(user));
        let mut message = SIGNATURE.to_vec();
        message.extend(3_u32.to_le_bytes());
        message.extend(field(0, 64));
        message.extend(field(response.len(), 64 + domain.len() + user.len()));
        message.extend(field(domain.len(), 64));
        message.extend(field(user.len(), 64 + domain.len()));
        message.extend([0; 16]);
        message.extend(flag::UNICODE.to_le_bytes());
        [message, domain, user, response].concat()
    }

    fn first(flags: u32) -> Vec<u8> {
        [&SIGNATURE[..], &1_u32.to_le_bytes(), &flags.to_le_bytes(), &[0; 16]].concat()
    }

    fn checked(last: &[u8]) -> Result<(), Refusal> {
        let accounts = [Account { user_name: r"domain\user".into(), password: "Password".into() }];
        let terms = Terms { accounts: &accounts, binding: None, wants_binding: false };
        let challenged = Challenged::new(&first(flag::UNICODE), "Server", NONCE, FileTime::ZERO).unwrap();
        challenged.check(last, &terms).map(|_| ())
    }

    #[test]
    fn a_proof_is_of_one_name_and_one_password() {
        assert_eq!(checked(&last("User", "Password")), Ok(()));
        assert_eq!(checked(&last("User", "password")), Err("another password"));
        assert_eq!(checked(&last("Somebody", "Password")), Err("nobody known"));
    }

    #[test]
    fn a_message_that_is_cut_short_is_refused() {
        let whole = last("User", "Password");
        for end in 0..whole.len() {
            assert!(checked(&whole[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn a_challenge_is_in_the_letters_that_the_client_knows() {
        let challenge = |flags| Challenged::new(&first(flags), "srv", NONCE, FileTime::ZERO).unwrap().challenge;

        assert_eq!(part(&challenge(flag::UNICODE | flag::OEM), 12), Ok(&wide("srv")[..]));
        assert_eq!(part(&challenge(flag::OEM), 12), Ok(&b"srv"[..]));
        assert_eq!(challenge(flag::OEM)[24..32], NONCE);
        assert!(Challenged::new(b"NTLMSSP\0\x03\0\0\0", "srv", NONCE, FileTime::ZERO).is_err());
    }
}
