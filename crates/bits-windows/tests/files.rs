//! Files of the BITS of this machine, over COM, and the error that names one.
#![cfg(windows)]

mod support;

use bits_api::{ErrorContext, Hresult, JobState, LanguageId, SIZE_UNKNOWN};
use support::{OwnJob, Server, manager};

#[test]
fn files_are_listed_with_their_names() {
    let own = OwnJob::of(&manager(), "http://127.0.0.1:9/file");

    let listed = own.job.enum_files().unwrap().next(1).unwrap();

    let [file] = &listed.items[..] else { panic!("{listed:?}") };
    assert_eq!(file.remote_name().as_deref(), Ok("http://127.0.0.1:9/file"));
    assert_eq!(file.local_name().as_deref(), Ok(own.path()));
    assert_eq!(file.progress().map(|progress| progress.bytes_total), Ok(SIZE_UNKNOWN));
}

#[test]
fn later_interfaces_of_a_file_are_there_in_their_order() {
    let own = OwnJob::of(&manager(), "http://127.0.0.1:9/file");
    let file = own.job.enum_files().unwrap().next(1).unwrap().items.remove(0);

    let later = [
        file.file2().map(|_| ()),
        file.file3().map(|_| ()),
        file.file4().map(|_| ()),
        file.file5().map(|_| ()),
        file.file6().map(|_| ()),
    ];

    let there = later.iter().take_while(|one| one.is_ok()).count();
    assert!(later[there..].iter().all(|one| *one == Err(Hresult::E_NOINTERFACE)), "{later:?}");
}

#[test]
fn an_error_tells_where_what_and_of_which_file() {
    let server = Server::new();
    let own = OwnJob::of(&manager(), &server.missing());

    own.job.resume().unwrap();
    own.wait_for(JobState::ERROR);

    let error = own.job.error().unwrap();
    assert_eq!(error.error(), Ok((ErrorContext::REMOTE_FILE, Hresult::from_http_status(404))));
    assert_eq!(error.file().unwrap().remote_name(), Ok(server.missing()));
}

#[test]
#[ignore = "Wine's BITS has no texts and no protocol"]
fn an_error_has_texts() {
    let server = Server::new();
    let own = OwnJob::of(&manager(), &server.missing());

    own.job.resume().unwrap();
    own.wait_for(JobState::ERROR);

    let error = own.job.error().unwrap();
    assert_eq!(error.protocol().as_deref(), Ok("http"));
    assert!(!error.description(LanguageId::ENGLISH_US).unwrap().is_empty());
    assert!(!error.context_description(LanguageId::ENGLISH_US).unwrap().is_empty());
}
