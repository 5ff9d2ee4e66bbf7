//! Secrets that were removed: whoever has the whole state folder opens none of them.
//!
//! The attack knows how secrets are sealed (crates/bits-store/src/seal.rs) and takes every key that
//! it finds in the folder to every place of the queue.

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bits_api::{AuthCredentials, AuthScheme, AuthTarget, Guid, Hresult, Job, JobState};
use bits_service::impersonate;
use ring::aead::quic::{AES_256, HeaderProtectionKey};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use support::{HOUR, Setup};

const PAIRS: [(AuthTarget, AuthScheme); 5] = [
    (AuthTarget::SERVER, AuthScheme::BASIC),
    (AuthTarget::SERVER, AuthScheme::NTLM),
    (AuthTarget::SERVER, AuthScheme::NEGOTIATE),
    (AuthTarget::PROXY, AuthScheme::DIGEST),
    (AuthTarget::PROXY, AuthScheme::PASSPORT),
];

/// How secrets can end; the last one stays as it is.
const ENDS: [&str; 8] =
    ["removed", "removed in part", "replaced", "completed", "cancelled", "taken over", "without headers", "kept"];

/// What a password says of itself.
fn password(end: &str, scheme: AuthScheme) -> String {
    format!("<{end}, {scheme:?}, the first>")
}

fn set(job: &Arc<dyn Job>, (target, scheme): (AuthTarget, AuthScheme), password: &str) -> Result<(), Hresult> {
    let credentials = AuthCredentials { target, scheme, user_name: Some("alice"), password: Some(password) };
    job.clone().job2()?.set_credentials(&credentials).map(drop)
}

/// A job for each end, with credentials of every pair, and headers.
fn jobs(setup: &Setup) -> Result<Vec<(&'static str, Guid)>, Hresult> {
    let mut jobs = Vec::new();
    for end in ENDS {
        let job = setup.job();
        for pair in PAIRS {
            set(&job, pair, &password(end, pair.1))?;
        }
        job.clone().http_options()?.set_custom_headers(Some(&format!("X-Token: <{end}, headers>\r\n")))?;
        jobs.push((end, job.id()?));
    }
    Ok(jobs)
}

/// Lets the secrets of a job end.
fn end(setup: &Setup, end: &str, id: Guid) -> Result<(), Hresult> {
    let job = setup.client.manager()?.job(id)?;
    let remove = |(target, scheme)| job.clone().job2()?.remove_credentials(target, scheme);
    match end {
        "removed" => {
            PAIRS.into_iter().try_for_each(|pair| remove(pair).map(drop))?;
            job.http_options()?.set_custom_headers(None)?;
        }
        "removed in part" => drop(remove(PAIRS[1])?),
        "replaced" => set(&job, PAIRS[0], "<another>")?,
        "completed" => {
            job.resume()?;
            let transferred = || job.state().is_ok_and(|state| state == JobState::TRANSFERRED);
            setup.emulator.run_until(transferred, HOUR).unwrap();
            job.complete()?;
        }
        "cancelled" => drop(job.cancel()?),
        "taken over" => {
            let administrator = setup.emulator.administrator("root");
            let _as = impersonate(administrator);
            setup.client.manager()?.job(id)?.take_ownership()?;
        }
        "without headers" => drop(job.http_options()?.set_custom_headers(None)?),
        _ => {}
    }
    Ok(())
}

/// What can be opened of a job whose secrets are to end so, and have or have not: the passwords of
/// these pairs, the other password, and the headers.
fn left(end: &str, has_ended: bool) -> Vec<String> {
    let pairs: &[usize] = match end {
        _ if !has_ended => &[0, 1, 2, 3, 4],
        "removed" | "completed" | "cancelled" | "taken over" => return Vec::new(),
        "removed in part" => &[0, 2, 3, 4],
        "replaced" => &[1, 2, 3, 4],
        _ => &[0, 1, 2, 3, 4],
    };
    let passwords = pairs.iter().map(|pair| password(end, PAIRS[*pair].1));
    let other = (has_ended && end == "replaced").then(|| "<another>".to_owned());
    let headers = (!has_ended || end != "without headers").then(|| format!("<{end}, headers>"));
    passwords.chain(other).chain(headers).collect()
}

/// Everything in angle brackets that the attack opens.
fn opened(folder: &Path) -> Vec<String> {
    let mut keys = Vec::new();
    for file in fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        if !file.ends_with("queue.redb") {
            keys.extend(keys_in(&fs::read(file).unwrap()));
        }
    }
    let queue = fs::read(folder.join("queue.redb")).unwrap();
    let mut told = Vec::new();
    for (at, start) in queue.windows(28).enumerate().filter(|(_, start)| start[..12] != [0; 12]) {
        // How the first block after the nonce is encrypted: most places are not worth another look.
        let block = [&start[..12], &[0, 0, 0, 2]].concat();
        for (key, cipher) in &keys {
            let stream = cipher.new_mask(&block).unwrap();
            let [credentials, target, scheme] = [0, 1, 2].map(|at| start[12 + at] ^ stream[at]);
            let is_likely = credentials <= 10 && target <= 2 && scheme <= 5;
            if let Some(text) = is_likely.then(|| open(key, &queue[at..])).flatten() {
                let text = String::from_utf8_lossy(&text).into_owned();
                told.extend(text.split('<').skip(1).filter_map(|part| Some(format!("<{}>", part.split_once('>')?.0))));
            }
        }
    }
    told.sort();
    told.dedup();
    told
}

/// Whatever may be a key in `bytes`: all that lies where numbers lie.
fn keys_in(bytes: &[u8]) -> Vec<(Vec<u8>, HeaderProtectionKey)> {
    let windows = bytes.windows(32).step_by(8).filter(|window| window.iter().any(|byte| *byte != 0));
    windows.map(|window| (window.to_vec(), HeaderProtectionKey::new(&AES_256, window).unwrap())).collect()
}

/// Opens what begins with a nonce, of any length and of any job.
fn open(key: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
    let (nonce, rest) = sealed.split_first_chunk::<12>()?;
    let mut text = vec![0; 400];
    (16..rest.len().min(text.len())).find_map(|length| {
        (0_u64..=ENDS.len() as u64).find_map(|job| {
            let (nonce, bound_to) = (Nonce::assume_unique_for_key(*nonce), Aad::from(job.to_le_bytes()));
            text[..length].copy_from_slice(&rest[..length]);
            key.open_in_place(nonce, bound_to, &mut text[..length]).ok().map(|text| text.to_vec())
        })
    })
}

#[test]
fn what_was_removed_is_opened_by_nobody_who_has_the_folder() -> Result<(), Hresult> {
    for crashes in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup::with(|builder| builder.state_folder(folder.path()));
        let jobs = jobs(&setup)?;
        let all = |ended: usize| {
            let mut all: Vec<_> = jobs.iter().enumerate().flat_map(|(at, (end, _))| left(end, at < ended)).collect();
            all.sort();
            all
        };
        assert_eq!(opened(folder.path()), all(0), "the attack opens what is there");

        for (at, (how, id)) in jobs.iter().enumerate() {
            end(&setup, how, *id)?;
            if crashes {
                setup.emulator.crash();
            }
            if crashes || at + 1 == jobs.len() {
                assert_eq!(opened(folder.path()), all(at + 1), "{how}, {crashes}");
            }
            if crashes {
                setup.emulator.start().unwrap();
            }
        }
        setup.emulator.restart().unwrap();
        assert_eq!(opened(folder.path()), all(jobs.len()), "after a restart");
    }
    Ok(())
}
