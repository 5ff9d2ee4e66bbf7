//! Which room may know which, and how large a file may grow.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{Dependency, DependencyKind, MetadataCommand, Package};

/// The crates of the workspace, from the ground up: what each may know of the others.
const ARROWS: &[(&str, &[&str])] = &[
    ("bits-api", &[]),
    ("bits-world", &["bits-api"]),
    ("bits-wire", &["bits-api", "bits-world"]),
    ("bits-engine", &["bits-api", "bits-world", "bits-wire"]),
    ("bits-store", &["bits-api", "bits-world", "bits-wire", "bits-engine"]),
    ("bits-transfer", &["bits-api", "bits-world", "bits-wire"]),
    ("bits-service", &["bits-api", "bits-world", "bits-wire", "bits-engine", "bits-store", "bits-transfer"]),
    // Never bits-wire: a misreading shared by both ends would pass every test.
    ("bits-origin", &["bits-api", "bits-world"]),
    ("bits-conformance", &["bits-api", "bits-world", "bits-wire", "bits-service", "bits-origin"]),
    ("bits-cli", &["bits-api", "bits-world", "bits-service", "bits-origin"]),
    ("bits-emulator", &["bits-api", "bits-world", "bits-service", "bits-origin"]),
];

/// Who may run on an async runtime; everybody else is synchronous.
const ASYNC: &[&str] = &["bits-transfer", "bits-service", "bits-origin"];

const MOST_LINES: usize = 800;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn workspace() -> BTreeMap<String, Package> {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().expect("metadata");
    metadata.packages.into_iter().map(|package| (package.name.to_string(), package)).collect()
}

/// What `package` depends on outside its tests.
fn shipped(package: &Package) -> impl Iterator<Item = &Dependency> {
    package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development)
}

#[test]
fn every_crate_has_its_place() {
    let crates: BTreeSet<_> = workspace().into_keys().collect();
    let placed: BTreeSet<_> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();

    assert_eq!(crates, placed);
}

#[test]
fn no_crate_knows_more_than_it_may() {
    let workspace = workspace();
    for (name, may_know) in ARROWS {
        for dependency in shipped(&workspace[*name]).filter(|dependency| workspace.contains_key(&dependency.name)) {
            assert!(may_know.contains(&dependency.name.as_str()), "{name} must not depend on {}", dependency.name);
        }
    }
}

#[test]
fn the_origin_does_not_know_the_clients_half_even_in_its_tests() {
    let origin = &workspace()["bits-origin"];

    let known: Vec<_> = origin.dependencies.iter().map(|dependency| dependency.name.as_str()).collect();

    for other in ["bits-wire", "bits-engine", "bits-transfer", "bits-service"] {
        assert!(!known.contains(&other), "bits-origin must not depend on {other}");
    }
}

#[test]
fn only_the_movers_of_bytes_are_async() {
    for (name, package) in workspace() {
        let runtime = shipped(&package).find(|dependency| dependency.name.starts_with("tokio"));
        if let Some(runtime) = runtime {
            assert!(ASYNC.contains(&name.as_str()), "{name} must not depend on {}", runtime.name);
        }
    }
}

#[test]
fn no_source_file_has_outgrown_one_concern() {
    let crates = fs::read_dir(root().join("crates")).expect("crates/");
    let files: Vec<_> = crates.flat_map(|entry| sources(&entry.expect("an entry").path().join("src"))).collect();
    assert!(files.len() > 50, "the sources are found: {}", files.len());

    let lines = |path: &PathBuf| fs::read_to_string(path).expect("a source file").lines().count();
    let too_long: Vec<_> = files.iter().map(|path| (lines(path), path)).filter(|(n, _)| *n > MOST_LINES).collect();

    assert!(too_long.is_empty(), "longer than {MOST_LINES} lines: {too_long:#?}");
}

/// Every Rust file below `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}
