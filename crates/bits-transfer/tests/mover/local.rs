//! What can happen to the temporary file, and being told to stop.

use std::fs;
use std::sync::Arc;
use std::sync::mpsc::channel;

use bits_api::{ErrorContext, FileTime, Hresult};
use bits_wire::attempt::{AttemptEnd, AttemptPlan, AttemptReport, Failure, Mover, Validators};

use crate::support::{Mill, PATIENCE, Server, content};

/// What an earlier attempt has learned of a file of 1,000 bytes.
const KNOWN: Validators = Validators { size: 1000, last_modified: Some(FileTime::from_unix_seconds(784_111_777)) };

/// HRESULT_FROM_WIN32(ERROR_FILE_EXISTS).
const ERROR_FILE_EXISTS: Hresult = Hresult(0x8007_0050);

fn local(code: Hresult) -> Failure {
    Failure { code, context: ErrorContext::LOCAL_FILE, transient: false }
}

#[test]
fn a_folder_that_is_gone_is_an_error_of_the_local_file() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());
    let temporary = mill.folder.path().join("gone/BIT1.tmp");

    let outcome = mill.run(AttemptPlan { local: temporary, ..mill.plan(&server.url("/a")) });

    assert_eq!(outcome.failure(), local(Hresult::ERROR_PATH_NOT_FOUND));
}

#[test]
fn a_temporary_file_that_is_a_folder_is_refused() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());
    fs::create_dir(mill.temporary()).unwrap();

    let outcome = mill.run(AttemptPlan { known: Some(KNOWN), ..mill.plan(&server.url("/a")) });

    assert_eq!(outcome.failure(), local(Hresult::ERROR_ACCESS_DENIED));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_of_the_local_file() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());
    std::os::unix::fs::symlink("/dev/full", mill.temporary()).unwrap();

    let mut running = mill.start(AttemptPlan { known: Some(KNOWN), ..mill.plan(&server.url("/a")) });
    // Reading that file back has no end.
    let end = running.until(|report| matches!(report, AttemptReport::Ended(_)));

    assert_eq!(end, AttemptReport::Ended(AttemptEnd::Failed(local(Hresult::ERROR_DISK_FULL))));
}

#[test]
fn a_temporary_file_that_somebody_else_makes_meanwhile_is_left_alone() {
    for file in [content(1000), Vec::new()] {
        let (server, mill) = (Server::of(file), Mill::new());
        let mut running = mill.start(mill.plan(&server.url("/a")));
        assert!(matches!(running.report(), AttemptReport::Connected { .. }));

        fs::write(mill.temporary(), "another's").unwrap();
        running.proceed();

        let outcome = running.end();
        assert_eq!(outcome.failure(), local(ERROR_FILE_EXISTS));
        assert_eq!(outcome.bytes.as_deref(), Some(&b"another's"[..]));
    }
}

#[cfg(unix)]
#[test]
fn a_temporary_file_that_vanishes_meanwhile_is_missed() {
    let (half_sent, wait_for_half) = channel();
    let (go_on, told_to_go_on) = channel::<()>();
    let both = std::sync::Mutex::new((half_sent, told_to_go_on));
    let server = Server::start(move |mut peer| {
        while let Some(request) = peer.request() {
            if request.starts_with("HEAD") {
                peer.answer(&request, &content(1000));
                continue;
            }
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
            peer.send(&content(1000)[..500]);
            let both = both.lock().unwrap();
            both.0.send(()).unwrap();
            both.1.recv().unwrap();
            peer.send(&content(1000)[500..]);
        }
    });
    let mill = Mill::new();
    let mut running = mill.start(mill.plan(&server.url("/a")));
    wait_for_half.recv_timeout(PATIENCE).unwrap();
    running.until(|report| *report == AttemptReport::Progress { have: 500 });

    fs::remove_file(mill.temporary()).unwrap();
    go_on.send(()).unwrap();

    assert_eq!(running.end().failure(), local(Hresult::ERROR_FILE_NOT_FOUND));
}

/// A server that says `part` of an answer to GET and then nothing more.
fn silent_after(part: &'static str) -> Server {
    Server::start(move |mut peer| {
        while let Some(request) = peer.request() {
            if request.starts_with("HEAD") && part != "nothing at all" {
                peer.answer(&request, &content(1000));
            } else if part.starts_with("HTTP") {
                peer.send(part);
            }
        }
    })
}

#[test]
fn an_attempt_stops_wherever_it_is() {
    let parts = [
        "nothing at all",
        "nothing to GET",
        "HTTP/1.1 200 OK\r\nContent-Len",
        "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0123456789",
        "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 9\r\n\r\n",
    ];
    for part in parts {
        let (server, mill) = (silent_after(part), Mill::new());
        let mut running = mill.start(mill.plan(&server.url("/a")));
        if part.ends_with('9') {
            running.until(|report| *report == AttemptReport::Progress { have: 10 });
        } else {
            let wanted = if part == "nothing at all" { 1 } else { 2 };
            while server.asked().len() < wanted {
                std::thread::yield_now();
            }
        }

        running.stop();

        let outcome = running.end();
        assert_eq!(outcome.end, AttemptEnd::Stopped, "{part:?}");
        // The end is told before the mover forgets the attempt.
        while mill.mover.running().is_some() {
            std::thread::yield_now();
        }
    }
}

#[test]
fn an_attempt_stops_while_its_file_goes_on_record() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());
    let mut running = mill.start(mill.plan(&server.url("/a")));
    assert!(matches!(running.report(), AttemptReport::Connected { .. }));

    running.stop();

    assert_eq!(running.report(), AttemptReport::Ended(AttemptEnd::Stopped));
    assert!(!mill.temporary().exists());
}

#[test]
fn an_attempt_that_panics_ends_all_the_same() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());
    let (ended, end) = channel();
    let reports = move |_, report| match report {
        AttemptReport::Ended(end) => ended.send(end).unwrap(),
        report => panic!("on purpose, at {report:?}"),
    };

    mill.mover.start(mill.plan(&server.url("/a")), Arc::new(reports));

    let failure = Failure { code: Hresult::E_UNEXPECTED, context: ErrorContext::UNKNOWN, transient: false };
    assert_eq!(end.recv_timeout(PATIENCE), Ok(AttemptEnd::Failed(failure)));
    // The end is told before the mover forgets the attempt.
    while mill.mover.running().is_some() {
        std::thread::yield_now();
    }
}

/// A server of a file that takes long.
fn long_file() -> Server {
    Server::start(|mut peer| {
        while let Some(request) = peer.request() {
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2000000000\r\n\r\n");
            if request.starts_with("GET") {
                while peer.send([7; 8192]) {}
            }
        }
    })
}

#[test]
fn a_stop_in_the_middle_of_a_large_file_is_heard() {
    let (server, mill) = (long_file(), Mill::new());
    let mut running = mill.start(mill.plan(&server.url("/a")));
    running.until(|report| matches!(report, AttemptReport::Progress { .. }));

    running.stop();

    let outcome = running.end();
    assert_eq!(outcome.end, AttemptEnd::Stopped);
    assert_eq!(outcome.progress().last().copied(), outcome.bytes.map(|bytes| bytes.len() as u64));
}

#[test]
fn after_the_shutdown_no_file_is_touched() {
    let (server, mill) = (long_file(), Mill::new());
    let mut running = mill.start(mill.plan(&server.url("/a")));
    running.until(|report| matches!(report, AttemptReport::Progress { .. }));

    mill.mover.shut_down();
    let length = || fs::metadata(mill.temporary()).unwrap().len();
    let there = length();

    assert!(there > 0);
    assert_eq!(mill.mover.running(), None);
    // It has not ended yet, but neither writes any more nor tells of its end.
    let told = running.last_words();
    assert!(!told.iter().any(|report| matches!(report, AttemptReport::Ended(_))), "{told:?}");
    assert_eq!(length(), there);
    fs::remove_file(mill.temporary()).unwrap();
    // The next mover's attempt is alone with the file.
    let next = Mill::new();
    let other = Server::of(content(1000));
    let outcome = next.run(AttemptPlan { local: mill.temporary(), ..next.plan(&other.url("/a")) });
    assert_eq!(outcome.bytes, Some(content(1000)));
}
