//! What is fuzzed: everything that reads bytes of a server, text of a client that goes on the wire,
//! and names of certificate stores.
//!
//! A target is a function of bytes that panics when something is wrong. Its seeds, and whatever it
//! has ever found, lie in `fixtures/fuzz/<target>/` and are run as an ordinary test; the programs in
//! `fuzz/` run the same functions under libFuzzer.

mod answers;
mod certificates;
mod client_text;
mod credentials;
mod exchange;
mod multipart;
mod passport;
mod stores;
mod ways;

use std::path::PathBuf;
use std::sync::Arc;

use bits_wire::attempt::{
    AttemptId, AttemptPlan, Begin, ChainId, Fetch, Identities, Urgency, Validators, Vetting, Work,
};
use bits_wire::certificates::Certificates;
use bits_wire::layout::Layout;
use bits_world::Sid;

pub use answers::answers;
pub use certificates::certificates;
pub use client_text::{custom_headers, remote_names, scripts};
pub use credentials::{challenges, parties, tokens};
pub use exchange::exchanges;
pub use multipart::multipart;
pub use passport::passport;
pub use stores::certificate_stores;
pub use ways::{proxies, redirects};

/// The name of a target, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// The targets.
pub const TARGETS: &[Target] = &[
    ("answers", answers),
    ("certificate_stores", certificate_stores),
    ("certificates", certificates),
    ("challenges", challenges),
    ("custom_headers", custom_headers),
    ("exchanges", exchanges),
    ("multipart", multipart),
    ("parties", parties),
    ("passport", passport),
    ("proxies", proxies),
    ("redirects", redirects),
    ("remote_names", remote_names),
    ("scripts", scripts),
    ("tokens", tokens),
];

/// The first line of an input, and the rest.
fn first_line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &[]),
    }
}

/// The plan that the letters of a line stand for; a known file has 100 bytes.
fn plan(letters: &[u8], url: &str, local: PathBuf) -> AttemptPlan {
    let has = |letter| letters.contains(&letter);
    let range = |initial_offset, length| bits_api::FileRange { initial_offset, length };
    let ranges = vec![range(3, 5), range(20, 40), range(90, bits_api::LENGTH_TO_EOF)];
    // Dynamic content has no parts: the engine takes no such job.
    let layout = if has(b'd') {
        Layout::Whole
    } else if has(b'p') {
        Layout::Parts(ranges)
    } else if has(b's') {
        let held = [bits_wire::spans::Span::new(22, 30)].into_iter().collect();
        Layout::Scattered { held, wanted: ranges, rest_from: has(b'r').then_some(50) }
    } else {
        Layout::Whole
    };
    let user = || Sid::of_account(1);
    let begin = if has(b'e') { Begin::Elsewhere } else { Begin::GoOn };
    AttemptPlan {
        attempt: AttemptId(1),
        chain: ChainId(1),
        work: Work::Download,
        url: url.to_owned(),
        local,
        identities: Identities { local: user(), network: user() },
        fetch: Fetch { layout, begin, dynamic: has(b'd'), most: has(b'm').then_some(1000), ..Fetch::default() },
        proxying: bits_wire::proxy::Proxying::default(),
        urgency: if has(b'b') { Urgency::Background } else { Urgency::Foreground },
        limit: None,
        custom_headers: None,
        vetting: Vetting::Unwanted,
        logins: Arc::default(),
        certificates: Certificates::default(),
        known: has(b'k').then_some(Validators {
            size: 100,
            last_modified: Some(bits_api::FileTime::from_unix_seconds(784_111_777)),
        }),
    }
}
