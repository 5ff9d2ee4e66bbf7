//! `bitsd get --provider`: whose BITS downloads.

use crate::support::{Ended, bitsd};

fn run(arguments: &[&str]) -> Ended {
    Ended::new(bitsd().args(arguments).output().unwrap())
}

const DOWNLOAD: [&str; 5] = ["get", "--provider", "windows", "http://127.0.0.1:1/a", "a"];

#[test]
fn options_of_the_emulator_are_wrong_usage_with_real_bits() {
    let options = [
        ["--ca", "roots.pem"],
        ["--state", "queue"],
        ["--kdc", "kdc.example:88"],
        ["--passport-nexus", "https://nexus.example/"],
        ["--crl-check", "--crl=list.pem"],
    ];
    for option in options {
        let ended = run(&[&DOWNLOAD[..], &option].concat());

        let name = option.iter().rev().find(|part| part.starts_with("--")).unwrap();
        let name = name.split('=').next().unwrap();
        assert_eq!(ended.code, Some(2), "{option:?}: {}", ended.stderr);
        let told = format!("bitsd: {name} is for the emulator, not for --provider windows: ");
        assert!(ended.stderr.starts_with(&told), "{option:?}: {}", ended.stderr);
    }
}

#[cfg(not(windows))]
#[test]
fn real_bits_off_windows_is_one_clear_line() {
    let ended = run(&DOWNLOAD);

    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), "bitsd: real BITS exists on Windows only\n"));
}
