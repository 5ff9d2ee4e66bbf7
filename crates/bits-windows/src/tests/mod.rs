//! What goes through to BITS and what comes back, at objects of BITS in this process.

mod apartments;
mod enumerators;
mod files;
mod jobs;
mod manager;
mod peer_cache;
mod security;

use std::fmt::Debug;
use std::sync::Arc;

use bits_api::Hresult;

use crate::fakes::FakeService;

type Call<T> = fn(&T) -> Result<String, Hresult>;

/// A call, what BITS hears, and what the client sees when BITS says `S_OK`.
type Row<T> = (Call<T>, &'static str, &'static str);

const OK: &str = "0x00000000 S_OK";

/// How an answer with a code of its own begins.
const CODED: &str = "Answer { code: 0x00000000 S_OK,";

/// The result of a call, for people.
fn seen(result: Result<impl Debug, impl Into<Hresult>>) -> Result<String, Hresult> {
    result.map(|value| format!("{value:?}")).map_err(Into::into)
}

/// As [`seen`], of a string.
fn text(result: Result<String, Hresult>) -> Result<String, Hresult> {
    result
}

/// Arguments go through, results come back, and nothing is left behind.
fn results_come_back<T: ?Sized + 'static>(
    rows: impl IntoIterator<Item = &'static Row<T>>,
    make: fn(&Arc<FakeService>) -> Arc<T>,
) {
    for (call, heard, expected) in rows {
        let service = FakeService::answering(Hresult::S_OK);
        let object = make(&service);

        let result = call(&*object);

        assert_eq!(result.as_deref(), Ok(*expected), "{heard}");
        assert_eq!(service.heard(), [*heard]);
        drop(object);
        assert_eq!(service.outstanding(), 0, "{heard} leaves memory behind");
        assert_eq!(Arc::strong_count(&service), 1, "{heard} leaves an object behind");
    }
}

/// Of calls that give a code, alone or beside a value.
fn success_codes_come_back<T: ?Sized + 'static>(
    rows: impl IntoIterator<Item = &'static Row<T>>,
    make: fn(&Arc<FakeService>) -> Arc<T>,
) {
    const OTHER: &str = "0x00200017 BG_S_PARTIAL_COMPLETE";
    for (call, heard, expected) in rows.into_iter().filter(|(.., expected)| gives_code(expected)) {
        let service = FakeService::answering(Hresult::BG_S_PARTIAL_COMPLETE);
        let object = make(&service);

        let result = call(&*object).unwrap();

        if *expected == OK {
            assert_eq!(result, OTHER, "{heard}");
        } else {
            // The fake hands out nothing beside another code, so the value is another too.
            assert!(result.starts_with(&CODED.replace(OK, OTHER)), "{heard} gives {result}");
        }
        assert_eq!(service.outstanding(), 0, "{heard} leaves memory behind");
    }
}

fn gives_code(expected: &str) -> bool {
    expected == OK || expected.starts_with(CODED)
}

/// What came with a failure is freed.
fn failures_come_back<T: ?Sized + 'static>(
    rows: impl IntoIterator<Item = &'static Row<T>>,
    make: fn(&Arc<FakeService>) -> Arc<T>,
) {
    for (call, heard, _) in rows {
        let service = FakeService::answering(Hresult::BG_E_INVALID_STATE);
        let object = make(&service);

        let result = call(&*object);

        assert_eq!(result, Err(Hresult::BG_E_INVALID_STATE), "{heard}");
        assert_eq!(service.heard(), [*heard]);
        assert_eq!(service.outstanding(), 0, "{heard} leaves memory behind");
    }
}
