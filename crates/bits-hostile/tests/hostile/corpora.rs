//! What is fuzzed, on its seeds and near them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bits_hostile::fuzz::{TARGETS, exchanges};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

/// The inputs that are kept for a target.
fn seeds(target: &str) -> Vec<PathBuf> {
    entries(&root().join("fixtures/fuzz").join(target))
}

#[test]
fn every_target_takes_its_seeds_and_what_it_has_ever_found() {
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        assert!(seeds.len() > 2, "{name} has seeds");
        for seed in seeds {
            println!("{}", seed.display());
            target(&fs::read(seed).unwrap());
        }
    }
}

#[test]
fn every_target_has_its_program() {
    let names: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();

    let programs: BTreeSet<_> = entries(&root().join("fuzz/fuzz_targets")).into_iter().map(stem).collect();
    let folders: BTreeSet<_> = entries(&root().join("fixtures/fuzz")).into_iter().map(stem).collect();

    assert_eq!((&programs, &folders), (&names, &names));
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    for name in names {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is no program of fuzz/Cargo.toml");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_target_takes_what_is_near_its_seeds(
        target in any::<Index>(),
        seed in any::<Index>(),
        changes in vec((any::<Index>(), any::<u8>(), 0..3_u8), 1..6),
    ) {
        let pure: Vec<_> = TARGETS.iter().filter(|(name, _)| *name != "exchanges").collect();
        let (name, target) = target.get(&pure);
        let mut data = fs::read(seed.get(&seeds(name))).unwrap();
        for (at, byte, change) in changes {
            let at = at.index(data.len() + 1);
            match change {
                0 if at < data.len() => data[at] = byte,
                1 if at < data.len() => drop(data.remove(at)),
                _ => data.insert(at, byte),
            }
        }
        target(&data);
    }
}

#[test]
fn an_exchange_may_be_cut_off_anywhere() {
    for seed in seeds("exchanges") {
        let data = fs::read(seed).unwrap();
        for length in 0..data.len() {
            exchanges(&data[..length]);
        }
    }
}
