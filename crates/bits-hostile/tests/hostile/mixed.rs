//! Hostile servers after each other, and answers with mistakes that nobody has thought of.
//!
//! Whatever comes: a job stands still in a documented state within bounded time, nothing panics,
//! nobody touches the destination before Complete, and once the server behaves the file comes,
//! byte for byte.

use std::time::Duration;

use bits_api::{Hresult, JobState};
use bits_hostile::house::House;
use bits_origin::{Fault, Rule, Script, Step};
use bits_servers::{At, FILE, Server};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

const PATH: &str = "/file";

/// Good answers, but for a HEAD that lies about the size: no change of one byte makes that 0, which
/// would be the truth for all that a client can know.
const ANSWERS: [(&str, &str); 4] = [
    ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 77\r\nLast-Modified: Wed, 01 Jan 2025 00:00:00 GMT\r\n\r\n"),
    ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nLast-Modified: Wed, 01 Jan 2025 00:00:00 GMT\r\n\r\n0123456789"),
    ("GET", "HTTP/1.1 206 Partial\r\nContent-Length: 10\r\nContent-Range: bytes 0-9/10\r\n\r\n0123456789"),
    ("GET", "HTTP/1.1 301 Moved\r\nLocation: /elsewhere/file\r\nContent-Length: 0\r\n\r\n"),
];

/// What the server does until the job stands still.
#[derive(Clone, Debug)]
enum Round {
    /// What one of the table does.
    Table(Index),
    /// It sends an answer with mistakes in its head.
    Broken { answer: Index, mistakes: Vec<Mistake>, interim: bool, last: Step },
}

#[derive(Clone, Debug)]
enum Mistake {
    Flip(Index, u8),
    Insert(Index, &'static str),
    Leave(Index, u8),
    Repeat(Index, u8),
}

impl Mistake {
    /// Makes the mistake somewhere in `head`.
    fn make(&self, head: &mut Vec<u8>) {
        let end = head.len();
        let (Self::Flip(at, _) | Self::Insert(at, _) | Self::Leave(at, _) | Self::Repeat(at, _)) = self;
        if end == 0 {
            return;
        }
        let at = at.index(end);
        let upto = |length: &u8| (at + usize::from(*length)).min(end);
        match self {
            Self::Flip(_, bit) => head[at] ^= 1 << (bit % 8),
            Self::Insert(_, text) => drop(head.splice(at..at, text.bytes())),
            Self::Leave(_, length) => drop(head.drain(at..upto(length))),
            Self::Repeat(_, length) => {
                let again = head[at..upto(length)].to_vec();
                head.splice(at..at, again);
            }
        }
    }
}

/// A head with mistakes. One that ends early is left as it was: its rest would be a body, of which
/// nobody can tell that it is not the file.
fn broken(head: &str, mistakes: &[Mistake]) -> Vec<u8> {
    let mut broken = head.as_bytes().to_vec();
    for mistake in mistakes {
        mistake.make(&mut broken);
    }
    let lines = broken.split(|byte| *byte == b'\n');
    let ends_early = lines.into_iter().any(|line| matches!(line, [] | b"\r"));
    if ends_early { head.into() } else { broken }
}

fn mistake() -> impl Strategy<Value = Mistake> {
    let odd = vec!["\0", "\r", "\n", "\r\n", ":", " ", "\t", ",", "\u{fffd}", "-", "%"];
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, bit)| Mistake::Flip(at, bit)),
        (any::<Index>(), select(odd)).prop_map(|(at, text)| Mistake::Insert(at, text)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, length)| Mistake::Leave(at, length)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, length)| Mistake::Repeat(at, length)),
    ]
}

fn round() -> impl Strategy<Value = Round> {
    let last = select(vec![Step::Hang, Step::Close, Step::Leave, Step::Reset]);
    prop_oneof![
        any::<Index>().prop_map(Round::Table),
        (any::<Index>(), vec(mistake(), 1..4), any::<bool>(), last)
            .prop_map(|(answer, mistakes, interim, last)| Round::Broken { answer, mistakes, interim, last }),
    ]
}

impl Round {
    fn script(&self, table: &[Server]) -> Script {
        match self {
            Self::Table(server) => server.get(table).script(),
            Self::Broken { answer, mistakes, interim, last } => {
                let (method, answer) = answer.get(&ANSWERS);
                let (head, body) = answer.split_once("\r\n\r\n").unwrap();
                let mut answer = broken(head, mistakes);
                if *interim {
                    answer.splice(0..0, *b"HTTP/1.1 102 Processing\r\n\r\n");
                }
                answer.extend_from_slice(b"\r\n\r\n");
                answer.extend_from_slice(body.as_bytes());
                let play = Fault::Play(vec![Step::Send(answer.into()), last.clone()]);
                Script::new().rule(Rule::on(PATH).method(method).fault(play))
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_server_does_the_job_ends_well_once_it_behaves(
        rounds in vec(round(), 1..6),
        background in any::<bool>(),
        secure in any::<bool>(),
    ) {
        let mut table = Server::all();
        table.retain(|server| (server.at == At::Http || (secure && server.at == At::Https)) && !server.dynamic);
        table.retain(|server| server.days.is_none() && server.ranges.is_empty());
        let house = House::new();
        let at = if secure { At::Https } else { At::Http };
        let job = house.job(&Server::good().spoken_to(at).for_background(background), PATH);

        for round in &rounds {
            house.origin.behave();
            house.origin.script(round.script(&table));
            let (state, error) = house.run(&job, PATH, Duration::from_hours(2));
            match (state, error) {
                (JobState::TRANSFERRED, None) => break,
                (JobState::TRANSIENT_ERROR | JobState::ERROR, Some((_, code))) => {
                    prop_assert!(code.0 >> 16 == 0x8019 || code.name().is_some(), "no code of BITS: {}", code);
                    prop_assert_ne!(code, Hresult::E_UNEXPECTED);
                }
                other => prop_assert!(false, "the job does not stand still: {:?}", other),
            }
        }

        house.mend(&job, PATH, FILE);
        prop_assert_eq!(house.files(), ["file"]);
    }
}
