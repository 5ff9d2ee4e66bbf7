//! A few seeds with every test run; CI runs many more of them in release.

use bits_simulation::{SEED_VARIABLE, run, run_aloud};

#[test]
fn no_seed_finds_anything_wrong() {
    if let Ok(seed) = std::env::var(SEED_VARIABLE) {
        let seed = seed.parse().expect("the number of a seed");
        run_aloud(seed).unwrap_or_else(|failure| panic!("{failure}"));
        return;
    }
    for seed in 0..60 {
        run(seed).unwrap_or_else(|failure| panic!("{failure}"));
    }
}

#[test]
fn the_same_seed_does_the_same() {
    for seed in [3, 1_000_003, u64::MAX] {
        assert_eq!(run(seed).expect("nothing wrong"), run(seed).expect("nothing wrong"), "seed {seed}");
    }
}

#[test]
fn another_seed_does_something_else() {
    assert_ne!(run(1).expect("nothing wrong").hash, run(2).expect("nothing wrong").hash);
}
