//! SPNEGO as a server speaks it (RFC 4178) that knows NTLM and nothing else.

use bits_api::FileTime;

use super::ntlm::{Challenged, Refusal, Side, Terms};

/// 1.3.6.1.5.5.2, and 1.3.6.1.4.1.311.2.2.10, as DER.
const SPNEGO: &[u8] = &[0x06, 0x06, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x02];
const NTLM: &[u8] = &[0x06, 0x0A, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0A];

/// The states of a negotiation.
const COMPLETED: u8 = 0;
const INCOMPLETE: u8 = 1;

const SEQUENCE: u8 = 0x30;
const OCTETS: u8 = 0x04;
const ENUMERATED: u8 = 0x0A;
pub(super) const APPLICATION: u8 = 0x60;

/// Where an exchange stands.
#[derive(Clone, Debug)]
pub(crate) enum Spnego {
    /// NTLM is agreed upon; its first message is awaited.
    Agreed { mechanisms: Vec<u8> },
    /// Its last one is.
    Challenged { mechanisms: Vec<u8>, challenged: Challenged },
}

/// What a server needs for a challenge.
pub(crate) struct Own<'a> {
    pub(crate) name: &'a str,
    pub(crate) nonce: [u8; 8],
    pub(crate) now: FileTime,
}

impl Spnego {
    /// What is said to the first message of a client.
    pub(crate) fn begin(said: &[u8], own: &Own<'_>) -> Result<(Self, Vec<u8>), Refusal> {
        let (mechanisms, token) = offer(said)?;
        let offered = all(inside(&mechanisms, SEQUENCE)?)?;
        let place = offered.iter().position(|mechanism| *mechanism == NTLM).ok_or("NTLM is not offered")?;
        match token.filter(|_| place == 0) {
            Some(token) => Self::challenge(mechanisms, &token, own),
            // What was sent on the chance is for another mechanism.
            None => Ok((Self::Agreed { mechanisms }, reply(INCOMPLETE, None, None))),
        }
    }

    /// What is said to the first message of NTLM.
    pub(crate) fn challenge(mechanisms: Vec<u8>, token: &[u8], own: &Own<'_>) -> Result<(Self, Vec<u8>), Refusal> {
        let challenged = Challenged::new(token, own.name, own.nonce, own.now)?;
        let said = reply(INCOMPLETE, Some(challenged.message()), None);
        Ok((Self::Challenged { mechanisms, challenged }, said))
    }

    /// Whose account the last message proves, and what is said to it.
    pub(crate) fn end(
        mechanisms: &[u8],
        challenged: &Challenged,
        token: &[u8],
        signature: Option<&[u8]>,
        terms: &Terms<'_>,
    ) -> Result<(String, Vec<u8>), Refusal> {
        let proven = challenged.check(token, terms)?;
        match signature {
            Some(signature) if signature != proven.signature(Side::Client, mechanisms) => {
                Err("the list of mechanisms was changed")
            }
            Some(_) => {
                let own = proven.signature(Side::Server, mechanisms);
                Ok((proven.account, reply(COMPLETED, None, Some(&own))))
            }
            None => Ok((proven.account, reply(COMPLETED, None, None))),
        }
    }
}

/// The list of mechanisms, as it is signed, and the message for the first of them.
fn offer(said: &[u8]) -> Result<(Vec<u8>, Option<Vec<u8>>), Refusal> {
    let body = inside(said, APPLICATION)?.strip_prefix(SPNEGO).ok_or("no SPNEGO")?;
    let fields = all(inside(inside(body, 0xA0)?, SEQUENCE)?)?;
    let mechanisms = tagged(&fields, 0xA0)?.ok_or("no mechanisms")?.to_vec();
    let token = tagged(&fields, 0xA2)?.map(|token| inside(token, OCTETS)).transpose()?;
    Ok((mechanisms, token.map(<[u8]>::to_vec)))
}

/// The message and the signature of a later answer.
pub(crate) fn answer(said: &[u8]) -> Result<(Vec<u8>, Option<Vec<u8>>), Refusal> {
    let fields = all(inside(inside(said, 0xA1)?, SEQUENCE)?)?;
    let octets = |tag| tagged(&fields, tag)?.map(|token| inside(token, OCTETS).map(<[u8]>::to_vec)).transpose();
    Ok((octets(0xA2)?.ok_or("no message")?, octets(0xA3)?))
}

/// What a server says: that NTLM it is, and what NTLM has to say.
fn reply(state: u8, message: Option<&[u8]>, signature: Option<&[u8]>) -> Vec<u8> {
    let mut fields = wrap(0xA0, &wrap(ENUMERATED, &[state]));
    if state == INCOMPLETE {
        fields.extend(wrap(0xA1, NTLM));
    }
    for (tag, octets) in [(0xA2, message), (0xA3, signature)] {
        fields.extend(octets.map(|octets| wrap(tag, &wrap(OCTETS, octets))).unwrap_or_default());
    }
    wrap(0xA1, &wrap(SEQUENCE, &fields))
}

fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let digits = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut bytes = vec![tag];
    match digits {
        [] => bytes.push(0),
        [short @ 0..=0x7F] => bytes.push(*short),
        _ => {
            bytes.push(0x80 | u8::try_from(digits.len()).unwrap_or_default());
            bytes.extend(digits);
        }
    }
    bytes.extend(content);
    bytes
}

/// An element of DER.
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    /// With its tag and its length.
    whole: &'a [u8],
    /// What follows it.
    after: &'a [u8],
}

/// The first element.
fn element(bytes: &[u8]) -> Result<Element<'_>, Refusal> {
    const SHORT: Refusal = "DER that is cut off";
    let [tag, first, rest @ ..] = bytes else { return Err(SHORT) };
    let (length, rest) = match first {
        0..=0x7F => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F)).ok_or(SHORT)?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return Err("a length that is none"),
    };
    let (content, after) = rest.split_at_checked(length).ok_or(SHORT)?;
    Ok(Element { tag: *tag, content, whole: &bytes[..bytes.len() - after.len()], after })
}

/// The content of the one element that is there.
fn inside(bytes: &[u8], tag: u8) -> Result<&[u8], Refusal> {
    let found = element(bytes)?;
    if found.tag == tag && found.after.is_empty() { Ok(found.content) } else { Err("another element of DER") }
}

/// The elements one after the other, each as a whole.
fn all(mut bytes: &[u8]) -> Result<Vec<&[u8]>, Refusal> {
    let mut elements = Vec::new();
    while !bytes.is_empty() {
        let first = element(bytes)?;
        elements.push(first.whole);
        bytes = first.after;
    }
    Ok(elements)
}

/// The content of the field with this tag.
fn tagged<'a>(fields: &[&'a [u8]], tag: u8) -> Result<Option<&'a [u8]>, Refusal> {
    fields.iter().find(|field| field.first() == Some(&tag)).map(|field| inside(field, tag)).transpose()
}
