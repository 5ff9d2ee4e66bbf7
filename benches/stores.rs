//! What it costs to find a certificate in a large store.
//!
//! Run with `cargo bench -p bits-world --bench stores`; `BITS_BENCH_CERTIFICATES` changes how many
//! there are.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use bits_api::CertStoreLocation;
use bits_world::{Certificate, CertificateStore, CertificateStores, Sid};

const ROUNDS: usize = 9;
const LOOKUPS: u32 = 1000;

fn main() -> Result<(), String> {
    let count = match std::env::var("BITS_BENCH_CERTIFICATES") {
        Ok(text) => text.parse().map_err(|_| format!("BITS_BENCH_CERTIFICATES is {text:?}, not a number"))?,
        Err(_) => 100_000,
    };
    let begun = Instant::now();
    let stores = filled(count);
    println!("{count} certificates put into a store: {:.2} s", begun.elapsed().as_secs_f64());
    let open = || stores.open(CertStoreLocation::CURRENT_USER, "MY", &user()).map_err(|refusal| format!("{refusal:?}"));
    let store = open()?;
    let any = |number: u64| number * 7919 % count;
    measure("opened, and found by hash", |number| open().is_ok_and(|store| is_found(&store, any(number))));
    measure("not found by hash", |number| !is_found(&store, count + number));
    measure("found by a name of one", |number| store.by_subject(&format!("client {:06}", any(number))).is_some());
    measure("found by a name of all", |_| store.by_subject("example corporation").is_some());
    measure("not found by name", |number| store.by_subject(&format!("somebody {number}")).is_none());
    Ok(())
}

fn measure(what: &str, lookup: impl Fn(u64) -> bool) {
    let mut micros: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            let as_expected = (0..LOOKUPS).all(|number| black_box(lookup(number.into())));
            assert!(as_expected, "{what}: not as expected");
            begun.elapsed().as_secs_f64() * 1e6 / f64::from(LOOKUPS)
        })
        .collect();
    micros.sort_by(f64::total_cmp);
    println!(
        "{what}: {:.2} / {:.2} / {:.2} µs (min / median / max)",
        micros[0],
        micros[ROUNDS / 2],
        micros[ROUNDS - 1]
    );
}

fn is_found(store: &CertificateStore, number: u64) -> bool {
    store.by_hash(&hash(number)).is_some()
}

fn filled(count: u64) -> CertificateStores {
    let mut stores = CertificateStores::default();
    for number in 0..count {
        let certificate = Certificate {
            hash: hash(number),
            subject: format!("Example Corporation, Unit {}, client {number:06}", number % 100),
            for_clients: true,
            chain: vec![Arc::from(number.to_le_bytes())],
            key: None,
        };
        stores.add(CertStoreLocation::CURRENT_USER, "MY", &user(), certificate);
    }
    stores
}

fn user() -> Sid {
    Sid::of_name("user")
}

/// Spread as hashes are.
fn hash(number: u64) -> [u8; 20] {
    let mut hash = [0; 20];
    for (bytes, turned) in hash.chunks_mut(8).zip([0, 21, 42]) {
        let mixed = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(turned);
        bytes.copy_from_slice(&mixed.to_le_bytes()[..bytes.len()]);
    }
    hash
}
