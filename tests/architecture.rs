//! Which room may know which, and how large a file may grow: the same everywhere, so it is looked at
//! where cargo can be asked. A test for Windows that runs under Wine cannot.
#![cfg(not(windows))]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{Dependency, DependencyKind, MetadataCommand, Package};

/// The crates of the workspace, from the ground up: what each may know of the others.
const ARROWS: &[(&str, &[&str])] = &[
    ("bits-api", &[]),
    ("bits-windows", &["bits-api"]),
    ("bits-world", &["bits-api"]),
    ("bits-wire", &["bits-api", "bits-world"]),
    ("bits-engine", &["bits-api", "bits-world", "bits-wire"]),
    ("bits-store", &["bits-api", "bits-world", "bits-wire", "bits-engine"]),
    // A test in a crate of its own: nothing that is shipped knows it.
    ("bits-simulation", &["bits-api", "bits-world", "bits-wire", "bits-engine", "bits-store"]),
    ("bits-certs", &["bits-api", "bits-world", "bits-wire"]),
    ("bits-auth", &["bits-api", "bits-world", "bits-wire"]),
    ("bits-transfer", &["bits-api", "bits-world", "bits-wire", "bits-certs", "bits-auth"]),
    // Simulated servers ask who somebody is, and he answers by the rules themselves.
    (
        "bits-service",
        &[
            "bits-api",
            "bits-world",
            "bits-wire",
            "bits-certs",
            "bits-auth",
            "bits-engine",
            "bits-store",
            "bits-transfer",
        ],
    ),
    // Never bits-wire: a misreading shared by both ends would pass every test.
    ("bits-origin", &["bits-api", "bits-world"]),
    // A table for whoever meets the servers that an origin plays, the suite on real BITS among them.
    ("bits-servers", &["bits-api", "bits-origin"]),
    (
        "bits-conformance",
        &[
            "bits-api",
            "bits-windows",
            "bits-world",
            "bits-wire",
            "bits-certs",
            "bits-service",
            "bits-origin",
            "bits-servers",
        ],
    ),
    // Tests too: what the emulator survives, and what is fuzzed.
    (
        "bits-hostile",
        &[
            "bits-api",
            "bits-world",
            "bits-wire",
            "bits-certs",
            "bits-auth",
            "bits-transfer",
            "bits-service",
            "bits-origin",
            "bits-servers",
        ],
    ),
    // The doctor plays downloads to a server by the rules themselves.
    (
        "bits-cli",
        &[
            "bits-api",
            "bits-windows",
            "bits-world",
            "bits-wire",
            "bits-certs",
            "bits-transfer",
            "bits-service",
            "bits-origin",
        ],
    ),
    ("bits-emulator", &["bits-api", "bits-windows", "bits-world", "bits-certs", "bits-service", "bits-origin"]),
];

/// What runs on an async runtime, by the beginnings of its crates' names.
const RUNTIME: &[&str] = &["tokio", "hyper"];

/// Who may use it; everybody else is synchronous.
const ASYNC: &[&str] = &["bits-transfer", "bits-service", "bits-origin"];

const MOST_LINES: usize = 800;

/// Where a package keeps its sources.
const FOLDERS: [&str; 3] = ["src", "tests", "benches"];

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
        let is_async = |dependency: &&Dependency| RUNTIME.iter().any(|runtime| dependency.name.starts_with(runtime));
        for dependency in shipped(&package).filter(is_async) {
            assert!(ASYNC.contains(&name.as_str()), "{name} must not depend on {}", dependency.name);
        }
    }
}

#[test]
fn no_source_file_has_outgrown_one_concern() {
    let crates = fs::read_dir(root().join("crates")).expect("crates/").map(|entry| entry.expect("an entry").path());
    let rooms = crates.chain([root().to_owned()]).flat_map(|room| FOLDERS.map(|folder| room.join(folder)));
    let files: Vec<_> = rooms.filter(|folder| folder.exists()).flat_map(|folder| sources(&folder)).collect();
    for kept in ["crates/bits-engine/src/lib.rs", "crates/bits-engine/benches/engine.rs", "tests/architecture.rs"] {
        assert!(files.contains(&root().join(kept)), "{kept} is looked at");
    }

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
