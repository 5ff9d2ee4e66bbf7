//! `bitsd cert`, and what `bitsd get` makes of certificates.

use std::fs;
use std::path::{Path, PathBuf};

use bits_origin::{ClientCertificates, Flaw, Handshake, ListFlaw};

use crate::support::{Ended, Place, bitsd};

const STORE: &str = "CURRENT_USER/MY";

impl Place {
    fn state(&self) -> PathBuf {
        self.aside("state")
    }

    /// Runs `bitsd --state DIR cert` with these.
    fn cert(&self, arguments: &[&str]) -> Ended {
        Ended::new(self.cert_command(arguments).output().unwrap())
    }

    fn cert_command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = bitsd();
        command.arg("--state").arg(self.state()).arg("cert").args(arguments).current_dir(self.folder());
        command
    }

    /// A file that lies aside.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.aside(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The certificate and the key of a client whom the server believes.
    fn client(&self, name: &str) -> (String, String) {
        let pem = self.origin.client_certificate(&["Example", "Clients", name], &[]).unwrap();
        let key = pem.find("-----BEGIN PRIVATE KEY").unwrap();
        (pem[..key].to_owned(), pem[key..].to_owned())
    }

    /// Runs `bitsd get` of a file over HTTPS, with these and with the server's authority trusted.
    fn get_safely(&self, arguments: &[&str]) -> Ended {
        self.serve("/a", 1000);
        let (url, ca, state) = (self.origin.https_url("/a"), self.ca(), self.state());
        let common = [&url, "a", "--ca", ca.to_str().unwrap(), "--state", state.to_str().unwrap()];
        self.get(common.iter().chain(arguments))
    }

    fn shake_hands(&self, clients: ClientCertificates, flaws: &[Flaw]) {
        let handshake = Handshake { clients, flaws: flaws.to_vec(), ..Handshake::default() };
        self.origin.shake_hands(&handshake).unwrap();
    }
}

fn pkcs12(name: &str) -> String {
    format!("{}/../../fixtures/pkcs12/{name}.p12", env!("CARGO_MANIFEST_DIR"))
}

/// The thumbprint at the beginning of what a command says.
fn thumbprint(ended: &Ended) -> String {
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    ended.stdout.split_whitespace().next().unwrap().to_owned()
}

fn looks_like(text: &str, pattern: &str) {
    snapbox::assert_data_eq!(text, snapbox::Data::text(pattern.to_owned()));
}

#[test]
fn a_certificate_is_added_listed_shown_to_a_server_and_removed() {
    let place = Place::new();
    let (certificate, key) = place.client("alice");
    let files = [place.file("alice.crt", certificate), place.file("alice.key", key)];
    place.shake_hands(ClientCertificates::Required, &[]);

    let added = place.cert(&["add", STORE, &files[0], &files[1]]);
    let hash = thumbprint(&added);
    looks_like(&added.stdout, "[..]  Example, Clients, alice: added to CURRENT_USER/MY with its private key\n");
    looks_like(
        &place.cert(&["list"]).stdout,
        &format!("{hash}  with key  CURRENT_USER/MY  Example, Clients, alice  valid from [..] GMT to [..] GMT\n"),
    );
    place.get_safely(&[]).fails(
        "bitsd: cannot download [..]: 0x80072F0C ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED: [..]; \
         the server wants a certificate: --cert LOCATION/STORE/HASH",
    );
    for which in [&hash, "clients, ALICE"] {
        place.get_safely(&["--cert", &format!("{STORE}/{which}")]).is_quiet_success();
    }
    looks_like(&place.cert(&["remove", STORE, &hash]).stdout, "[..]: removed from CURRENT_USER/MY\n");
    assert_eq!(place.cert(&["list", STORE]).stdout, "");
    place.get_safely(&["--cert", &format!("{STORE}/{hash}")]).fails(
        "bitsd: cannot show CURRENT_USER/MY/[..] to servers: 0x80092004 CRYPT_E_NOT_FOUND: [..] \
         (bitsd --state DIR cert list shows what is in the store)",
    );
}

#[test]
fn an_authority_in_a_root_store_is_trusted() {
    let place = Place::new();
    let url = {
        place.serve("/a", 10);
        place.origin.https_url("/a")
    };
    let state = place.state();
    let get = || place.get([url.as_str(), "a", "--state", state.to_str().unwrap()]);

    get().fails("bitsd: cannot download [..]: 0x80072F0D ERROR_WINHTTP_SECURE_INVALID_CA: [..]");
    let ca = place.ca();
    place.cert(&["add", "LOCAL_MACHINE/ROOT", ca.to_str().unwrap()]);
    get().is_quiet_success();
}

#[test]
fn a_pkcs12_file_is_added_with_its_password() {
    let place = Place::new();
    let modern = pkcs12("modern");
    let add = |password: Option<&str>| {
        let mut command = place.cert_command(&["add", STORE, &modern]);
        if let Some(password) = password {
            command.args(["--password-env", "BITSD_TEST_PASSWORD"]).env("BITSD_TEST_PASSWORD", password);
        }
        Ended::new(command.output().unwrap())
    };

    add(None).fails(
        "bitsd: cannot add [..]modern.p12: the PKCS#12 file has a password, and none was given: \
         name it by --password-env NAME",
    );
    let wrong = add(Some("hunter2"));
    wrong.fails("bitsd: cannot add [..]modern.p12: the password is not that of the PKCS#12 file");
    assert!(!wrong.stderr.contains("hunter2"));
    let hash = thumbprint(&add(Some("sésame")));
    looks_like(&add(Some("sésame")).stdout, "[..]: is in CURRENT_USER/MY already\n");

    let json: serde_json::Value = serde_json::from_str(&place.cert(&["list", "--json"]).stdout).unwrap();
    let entry = &json["stores"][0]["certificates"][0];
    assert_eq!(entry["thumbprint"], hash.as_str());
    assert_eq!((entry["subject"].as_str(), entry["has_key"].as_bool()), (Some("Example, Clients, alice"), Some(true)));
    assert_eq!((entry["others"].as_u64(), entry["not_after"].is_u64()), (Some(1), true));
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_a_key_that_was_added() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let hash = thumbprint(&place.cert(&["add", STORE, &pkcs12("no-password")]));

    let file = place.state().join("certificates").join(STORE).join(format!("{hash}.pem"));

    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_cannot_be_added_or_removed_says_why() {
    let place = Place::new();
    let ((certificate, _), (_, other_key)) = (place.client("alice"), place.client("bob"));
    let (crt, key) = (place.file("a.crt", certificate), place.file("b.key", other_key));
    let (broken, text) =
        (place.file("c.p12", &fs::read(pkcs12("modern")).unwrap()[..200]), place.file("d.pem", "text"));
    let one_line = place.file("e.key", "-----BEGIN PRIVATE KEY-----MIIE-----END PRIVATE KEY-----");
    let (ab, missing) = ("AB".repeat(20), place.aside("missing").to_str().unwrap().to_owned());

    let table: &[(&[&str], &str)] = &[
        (&["add", STORE, &crt, &key], "cannot add [..]a.crt: the private key does not go with the certificate"),
        (
            &["add", STORE, &crt, &one_line],
            "cannot add [..]e.key: the text is no PEM: a BEGIN line has no END line: are all lines there?",
        ),
        (&["add", STORE, &broken], "cannot add [..]c.p12: no PKCS#12 file that can be read: [..]"),
        (&["add", STORE, &text], "cannot add [..]d.pem: there is no certificate in it"),
        (&["add", STORE, &missing], "cannot add [..]missing: cannot be read: [..]"),
        (&["add", r"CURRENT_USER/a\b", &crt], r"[..]: a//b cannot be the name of a folder, and so of no store here"),
        (&["remove", STORE, &ab], "ABAB[..] is not in CURRENT_USER/MY: 0x80092004 CRYPT_E_NOT_FOUND: [..]"),
        (
            &["remove", "CURRENT_USER/Mine", &ab],
            "there is no store CURRENT_USER/Mine: 0x80070002 HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND): [..]",
        ),
        (
            &["list", "CURRENT_USER/Mine"],
            "there is no store CURRENT_USER/Mine: 0x80070002 HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND): [..]",
        ),
    ];
    fs::create_dir_all(place.state()).unwrap();
    for (arguments, says) in table {
        place.cert(arguments).fails(&format!("bitsd: {says}"));
    }
    assert!(!place.state().join("certificates").exists());
}

#[test]
fn a_broken_file_in_a_store_is_named_by_every_command() {
    let place = Place::new();
    let store = place.state().join("certificates").join(STORE);
    fs::create_dir_all(&store).unwrap();
    fs::write(store.join("a.pem"), "text").unwrap();

    place.cert(&["list"]).fails("bitsd: [..]a.pem: there is no certificate in it");
    place.get_safely(&[]).fails("bitsd: cannot use the certificate stores: [..]a.pem: there is no certificate in it");

    fs::remove_file(store.join("a.pem")).unwrap();
    fs::copy(pkcs12("modern"), store.join("a.p12")).unwrap();
    let mend = "a.p12: the PKCS#12 file has a password, and none was given: take it out of the folder and put it in by \
                `bitsd cert add` with --password-env NAME";
    place.cert(&["list"]).fails(&format!("bitsd: [..]{mend}"));
    place.get_safely(&[]).fails(&format!("bitsd: cannot use the certificate stores: [..]{mend}"));
}

#[test]
fn wrong_usage_is_told() {
    let place = Place::new();
    let run = |arguments: &[&str]| Ended::new(bitsd().args(arguments).current_dir(place.folder()).output().unwrap());

    run(&["cert", "list"]).is_misused("bitsd: cert is about the stores of a state folder: name it by --state DIR");
    run(&["--state", "a", "cert", "--state", "b", "list"]).is_misused("bitsd: --state is there twice");
    run(&["--state", "a", "demo"]).is_misused("bitsd: --state is for get and cert alone");
    run(&["get", "http://server/a", "a", "--cert", "CURRENT_USER/MY/x"])
        .is_misused("bitsd: --cert is about a store of the state folder: name it by --state DIR");
    run(&["cert", "list", "--state", "missing"]).fails("bitsd: there is no folder missing");
    run(&["cert", "remove", STORE, &"AB".repeat(20), "--state", "missing"]).fails("bitsd: there is no folder missing");
    for (arguments, says) in [
        (&["cert", "list", "MINE/MY"][..], "there is no location MINE: those are CURRENT_USER, LOCAL_MACHINE,"),
        (&["cert", "list", "MY"], "LOCATION/STORE is wanted, as in CURRENT_USER/MY"),
        (&["cert", "remove", STORE, "AB"], "a thumbprint has 40 hexadecimal digits"),
        (&["get", "http://server/a", "a", "--cert", STORE], "LOCATION/STORE/HASH or LOCATION/STORE/NAME is wanted"),
        (
            &["get", "http://server/a", "a", "--cert", "CURRENT_USER/MY/"],
            "LOCATION/STORE/HASH or LOCATION/STORE/NAME is wanted",
        ),
        (&["get", "http://server/a", "a", "--ignore", "all"], "[possible values: cn, date, ca, usage]"),
    ] {
        let ended = run(arguments);
        assert!(ended.code == Some(2) && ended.stderr.contains(says), "{}", ended.stderr);
    }
}

#[test]
fn each_fault_is_ignored_by_its_own_word_alone() {
    let place = Place::new();
    let faults = [
        (Flaw::OtherName, "cn", "0x80072F06"),
        (Flaw::Expired, "date", "0x80072F05"),
        (Flaw::UnknownAuthority, "ca", "0x80072F0D"),
        (Flaw::OtherUsage, "usage", "0x80072F93"),
    ];
    for (flaw, word, code) in faults {
        place.shake_hands(ClientCertificates::Unasked, &[flaw]);
        let others: Vec<_> = faults.iter().map(|(_, word, _)| *word).filter(|other| *other != word).collect();

        place
            .get_safely(&["--ignore", &others.join(",")])
            .fails(&format!("bitsd: cannot download [..]: {code} [..]--ignore {word} takes it nevertheless"));
        place.get_safely(&["--ignore", word]).is_quiet_success();
    }
}

#[test]
fn the_chain_of_a_server_is_shown_as_a_callback_sees_it() {
    let place = Place::new();
    let leaf = bits_certs::folder::thumbprint(&bits_certs::identity::hash(&place.origin.certificate()));

    let ended = place.get_safely(&["--show-chain"]);

    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    looks_like(
        &ended.stdout,
        &format!(
            "the server of https://[..]/a\n  1  SHA-1 {leaf}\n     of [..]\n     by [..]\n     valid from [..] to [..]\n..."
        ),
    );
    assert_eq!(ended.stdout.matches("the server of").count(), 1);
    // Of a server that is refused anyway nobody is asked.
    place.shake_hands(ClientCertificates::Unasked, &[Flaw::Expired]);
    assert_eq!(place.get_safely(&["--show-chain"]).stdout, "");
}

#[test]
fn a_run_that_looks_at_servers_leaves_no_job_that_cannot_go_on_without() {
    let place = Place::new();
    place.serve("/a", 2_000_000);
    let (url, ca, state) = (place.origin.https_url("/a"), place.ca(), place.state());
    let arguments = [&url, "a", "--ca", ca.to_str().unwrap(), "--state", state.to_str().unwrap()];
    let gate = place.hold("/a", 1_000_000);
    let run = place.start(arguments.iter().chain(&["--show-chain"]));
    place.wait_for_partials(1, |length| length > 0);
    run.kill();
    gate.open();

    place.get(arguments).is_quiet_success();

    assert_eq!(place.read("a").len(), 2_000_000);
}

#[test]
fn revocation_is_looked_up_where_it_is_asked_for() {
    let place = Place::new();
    let garbage = place.file("list.crl", "text");

    place.get_safely(&["--crl-check"]).fails(
        "bitsd: cannot download [..]: 0x80072F19 ERROR_WINHTTP_SECURE_CERT_REV_FAILED: [..]; \
         nothing is known of what its authority has revoked: --crl FILE",
    );
    place
        .get_safely(&["--crl-check", "--crl", &garbage])
        .fails("bitsd: cannot use [..]list.crl: there is no list of revoked certificates in it (BEGIN X509 CRL)");
    let old = place.aside("old.crl");
    fs::write(&old, &place.origin.revocation_lists(Some(ListFlaw::Expired)).unwrap()[0]).unwrap();
    place.get_safely(&["--crl-check", "--crl", old.to_str().unwrap()]).fails(
        "bitsd: cannot download [..]: 0x80072F19 ERROR_WINHTTP_SECURE_CERT_REV_FAILED: [..]; \
         no list of --crl is its authority's, signed by it and up to date",
    );
    let missing = place.aside("missing");
    assert!(!Path::new(&missing).exists());
    place
        .get_safely(&["--crl-check", "--crl", missing.to_str().unwrap()])
        .fails("bitsd: cannot read [..]missing: [..]");
}
