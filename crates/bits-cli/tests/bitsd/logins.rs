//! Downloads from servers and through proxies that want to know who asks.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use bits_origin::{Content, Digest, Guard, Origin, Passport, Scheme};
use bits_world::clock::Clock;

use crate::support::{Ended, MIB, PATIENCE, Place};

const PASSWORD: &str = "hunter2-Pässwort";
const PROXY_PASSWORD: &str = "swordfish";
const VARIABLE: &str = "BITSD_TEST_PASSWORD";

/// What `bitsd` calls the schemes, with a name as the users of each have it.
const LOGINS: [(Scheme, &str, &str); 4] = [
    (Scheme::Basic, "basic", "joe"),
    (Scheme::Digest(Digest::new()), "digest", "joe"),
    (Scheme::Ntlm, "ntlm", r"CORP\joe"),
    (Scheme::Negotiate, "negotiate", r"CORP\joe"),
];

impl Place {
    /// A file of this length that only `user` gets who proves who he is by `scheme`; its URL.
    fn serve_guarded(&self, scheme: Scheme, user: &str, length: u64) -> String {
        self.origin.guard("/guarded/*", Guard::new("vault").offers(scheme).knows(user, PASSWORD));
        self.serve("/guarded/a", length)
    }

    /// The options that give this password for this login.
    fn login(&self, login: &str, password: &str) -> [String; 4] {
        let file = self.aside("password");
        fs::write(&file, format!("{password}\n")).unwrap();
        ["--server-auth", login, "--server-password-file", file.to_str().unwrap()].map(str::to_owned)
    }

    fn get_as(&self, url: &str, login: &str, password: &str) -> Ended {
        let files = [url.to_owned(), "a".to_owned()];
        self.get(files.into_iter().chain(self.login(login, password)))
    }
}

fn guarded_proxy(scheme: Scheme, user: &str) -> Origin {
    let proxy = Origin::start(Clock::system()).unwrap();
    proxy.guard_proxy(Guard::new("way out").offers(scheme).knows(user, PROXY_PASSWORD));
    proxy
}

/// Whether nobody reads a password in `text`: as it is, as Passport or Basic write it, or as the bytes
/// that NTLM makes of it.
fn is_secret(text: &str, user: &str) -> bool {
    [PASSWORD, PROXY_PASSWORD].iter().all(|password| {
        let utf16: Vec<u8> = password.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let shown = [password.as_bytes(), &utf16].map(|bytes| {
            let debug = format!("{bytes:?}");
            let hex = bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
            [debug.trim_matches(['[', ']']).to_owned(), hex]
        });
        let basic = base64(format!("{user}:{password}").as_bytes());
        let begin = password.split('-').next().unwrap_or_default().to_owned();
        let shown = shown.into_iter().flatten().chain([begin, basic]);
        let text = text.to_ascii_lowercase();
        shown.into_iter().all(|shown| !text.contains(&shown.to_ascii_lowercase()))
    })
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    // Whole groups are enough to be found.
    for group in bytes.chunks_exact(3) {
        let bits = group.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        for place in [18, 12, 6, 0] {
            let _ = write!(text, "{}", char::from(DIGITS[bits >> place & 63]));
        }
    }
    text
}

#[test]
fn a_server_that_asks_is_told_who_one_is() {
    for (scheme, name, user) in LOGINS {
        let place = Place::new();
        let url = place.serve_guarded(scheme, user, 100);

        place.get_as(&url, &format!("{}:{user}", name.to_uppercase()), PASSWORD).is_quiet_success();

        assert_eq!(place.read("a").len(), 100, "{name}");
    }
}

#[test]
fn a_proxy_that_asks_is_told_who_one_is() {
    for (scheme, name, user) in LOGINS {
        let (place, proxy) = (Place::new(), guarded_proxy(scheme, user));
        let (url, ca) = (place.serve("/a", 100), place.ca());
        for url in [url, place.origin.https_url("/a")] {
            let login = format!("{name}:{user}");
            let arguments = [&*url, "a", "--proxy", &proxy.url(""), "--proxy-auth", &login];
            let arguments =
                arguments.into_iter().chain(["--proxy-password-env", VARIABLE, "--ca", ca.to_str().unwrap()]);

            let output = place.command(arguments).env(VARIABLE, PROXY_PASSWORD).output().unwrap();

            Ended::new(output).is_quiet_success();
            assert_eq!(place.read("a").len(), 100, "{name} {url}");
        }
    }
}

#[test]
fn a_member_of_passport_signs_in_and_no_log_tells_how() {
    const MEMBER: &str = "joe@example.org";
    let place = Place::new();
    let url = place.serve("/guarded/a", 100);
    place.origin.guard_by_passport("/guarded/*", Passport::new("Test.Net").knows(MEMBER, PASSWORD));
    let nexus = place.origin.url(Passport::NEXUS);
    let arguments = [url, "a".to_owned(), "--passport-nexus".to_owned(), nexus].into_iter();
    let get = |password: &str| {
        let mut command = place.command(arguments.clone().chain(place.login("passport:joe@example.org", password)));
        Ended::new(command.env("RUST_LOG", "trace").output().unwrap())
    };

    let (right, wrong) = (get(PASSWORD), get(PROXY_PASSWORD));

    assert_eq!((right.code, wrong.code), (Some(0), Some(1)), "{}", right.stderr);
    assert!(wrong.stderr.contains("the nexus leads to no login server"), "{}", wrong.stderr);
    assert_eq!(place.read("a").len(), 100);
    assert!(is_secret(&right.stderr, MEMBER) && is_secret(&wrong.stderr, MEMBER), "{}", right.stderr);
}

#[test]
fn a_password_is_the_line_of_its_file() {
    let place = Place::new();
    let url = place.serve_guarded(Scheme::Basic, "joe", 100);
    let file = place.aside("password");
    let arguments = [&*url, "a", "--server-auth", "basic:joe", "--server-password-file", file.to_str().unwrap()];

    for text in [format!("{PASSWORD}\n"), PASSWORD.to_owned(), format!("\u{feff}{PASSWORD}\r\n")] {
        fs::write(&file, text).unwrap();
        place.get(arguments).is_quiet_success();
    }
    fs::write(&file, format!("{PASSWORD} \n")).unwrap();
    place.get(arguments).fails("[..]BG_E_HTTP_ERROR_401[..]");
}

#[test]
fn every_job_of_a_list_logs_in() {
    let place = Place::new();
    let url = place.serve_guarded(Scheme::Basic, "joe", 100);
    let list = place.aside("list");
    fs::write(&list, (0..4).fold(String::new(), |list, n| list + &format!("{url} {n}\n"))).unwrap();
    let arguments = ["--input", list.to_str().unwrap(), "--jobs", "2"].map(str::to_owned);

    place.get(arguments.into_iter().chain(place.login("basic:joe", PASSWORD))).is_quiet_success();

    assert_eq!(place.files(), ["0", "1", "2", "3"]);
}

#[test]
fn whoever_is_not_taken_is_told_with_what_he_came() {
    for (scheme, name, user) in LOGINS {
        let place = Place::new();
        let url = place.serve_guarded(scheme, user, 100);

        let ended = place.get_as(&url, &format!("{name}:{user}"), "wrong");

        let user = user.replace('\\', "/");
        let ticket = "no ticket of Kerberos is to be had (by --kdc, for a realm in USER and a host with a name), ";
        let ticket = if name == "negotiate" { ticket } else { "" };
        ended.fails(&format!(
            "bitsd: cannot download [..] to [..]: 0x80190191 BG_E_HTTP_ERROR_401: [..] (BG_ERROR_CONTEXT_REMOTE_FILE); \
             the server did not take {name}:{user}: name or password is wrong, {ticket}or it asks by other schemes"
        ));
        assert!(place.files().is_empty());
    }
}

#[test]
fn a_login_by_another_scheme_is_not_shown() {
    let place = Place::new();
    let url = place.serve_guarded(Scheme::Basic, "joe", 100);

    place.get_as(&url, "digest:joe", PASSWORD).says("[..]; the server did not take digest:joe: [..]");

    place.origin.journal().with_method("HEAD").count(1);
}

#[test]
fn a_proxy_that_does_not_take_one_is_told_apart_from_the_server() {
    let (place, proxy) = (Place::new(), guarded_proxy(Scheme::Basic, "joe"));
    let url = place.serve_guarded(Scheme::Basic, "joe", 100);
    let arguments =
        [&*url, "a", "--proxy", &proxy.url(""), "--proxy-auth", "basic:jim", "--proxy-password-env", VARIABLE]
            .map(str::to_owned);
    let arguments = arguments.into_iter().chain(place.login("basic:joe", PASSWORD));

    let ended = Ended::new(place.command(arguments).env(VARIABLE, PROXY_PASSWORD).output().unwrap());

    ended.fails("[..]BG_E_HTTP_ERROR_407: [..]; the proxy did not take basic:jim: [..]");
}

/// Kills a run that has fetched 3 MiB of 8 behind a guard; the URL.
fn killed(place: &Place, scheme: Scheme, login: &str, user: &str) -> String {
    let url = place.serve_guarded(scheme, user, 8 * MIB);
    let gate = place.hold("/guarded/a", 3 * MIB);
    let state = place.aside("state").into_os_string().into_string().unwrap();
    let run =
        place.start([url.clone(), "a".into(), "--state".into(), state].into_iter().chain(place.login(login, PASSWORD)));
    place.wait_for_partial(3 * MIB);
    run.kill();
    gate.open();
    fs::remove_file(place.aside("password")).unwrap();
    url
}

#[test]
fn a_run_that_takes_up_a_job_needs_no_credentials() {
    for (scheme, name, user) in LOGINS {
        let place = Place::new();
        let url = killed(&place, scheme, &format!("{name}:{user}"), user);
        let state = place.aside("state");

        place.get([&*url, "a", "--state", state.to_str().unwrap()]).is_quiet_success();

        assert_eq!(place.read("a").len() as u64, 8 * MIB, "{name}");
        let last = place.origin.journal().with_method("GET").iter().last().cloned().unwrap();
        assert_eq!(last.header("range"), Some("bytes=3145728-8388607"), "{name}");
    }
}

#[test]
fn a_run_that_takes_up_a_job_may_replace_its_credentials() {
    let place = Place::new();
    let url = killed(&place, Scheme::Basic, "basic:joe", "joe");
    place.origin.dismiss_guards();
    place.origin.guard("/guarded/*", Guard::new("vault").offers(Scheme::Basic).knows("jim", PROXY_PASSWORD));
    let arguments = [url, "a".into(), "--state".into(), place.aside("state").into_os_string().into_string().unwrap()];

    place.get(arguments.into_iter().chain(place.login("basic:jim", PROXY_PASSWORD))).is_quiet_success();

    assert_eq!(place.read("a").len() as u64, 8 * MIB);
}

#[test]
fn a_password_lies_nowhere_in_the_state_folder() {
    let place = Place::new();
    killed(&place, Scheme::Basic, "basic:joe", "joe");

    for file in fs::read_dir(place.aside("state")).unwrap() {
        let path = file.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let is_there = bytes.windows(PASSWORD.len()).any(|part| part == PASSWORD.as_bytes());
        assert!(!is_there, "{}", path.display());
    }
}

#[test]
fn a_password_is_in_no_log_and_in_no_list_of_processes() {
    for (scheme, name, user) in LOGINS {
        let (place, proxy) = (Place::new(), guarded_proxy(scheme, user));
        place.serve_guarded(scheme, user, 100);
        place.origin.put("/guarded/a", Content::bytes("guarded"));
        let (url, ca, login) = (place.origin.https_url("/guarded/a"), place.ca(), format!("{name}:{user}"));
        let gate = place.hold("/guarded/a", 1);
        let proxy_url = proxy.url("");
        let arguments = [&*url, "a", "--ca", ca.to_str().unwrap(), "--proxy", &proxy_url, "--proxy-auth", &login];
        let arguments = arguments.into_iter().chain(["--proxy-password-env", VARIABLE]).map(str::to_owned);
        let mut command = place.command(arguments.chain(place.login(&login, PASSWORD)));

        let child = command.env("RUST_LOG", "trace").env(VARIABLE, PROXY_PASSWORD).spawn().unwrap();
        gate.wait_reached(PATIENCE).unwrap();
        let shown = command_line(child.id());
        gate.open();
        let ended = Ended::new(child.wait_with_output().unwrap());

        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stderr.contains("TRACE"), "nothing is logged");
        assert!(is_secret(&ended.stderr, user) && is_secret(&ended.stdout, user), "{name}: {}", ended.stderr);
        assert!(is_secret(&shown, user) && shown.contains(user), "{shown}");
    }
}

/// How a process shows itself to everybody on the machine.
fn command_line(process: u32) -> String {
    if let Ok(shown) = fs::read_to_string(format!("/proc/{process}/cmdline")) {
        return shown;
    }
    let shown = Command::new("ps").args(["-o", "args=", "-p", &process.to_string()]).output().unwrap();
    String::from_utf8(shown.stdout).unwrap()
}
