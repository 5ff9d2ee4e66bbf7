//! The security of COM, set for a process as a whole. One test: another in the same process would be too late.
#![cfg(windows)]

mod support;

use bits_windows::{advice, initialize_security};

use support::OwnJob;

#[test]
fn a_process_sets_its_security_once_and_uses_bits() {
    let first = initialize_security();
    let own = OwnJob::of(&support::manager(), "http://127.0.0.1:9/a");
    let again = initialize_security();

    assert_eq!(first, Ok(()));
    assert_eq!(own.job.job2().unwrap().id(), Ok(own.id));
    // Wine does not mind.
    if let Err(code) = again {
        assert_eq!(code.name().as_deref(), Some("RPC_E_TOO_LATE"));
        assert!(advice(code).is_some_and(|advice| advice.contains("before anything else of COM")));
    }
}
