//! The examples of the RFCs, and what no server may get out of us.

use digest_auth::{AuthContext, HttpMethod};
use proptest::prelude::*;

use super::*;
use crate::challenge::in_line;

fn login(user_name: &str, password: &str) -> Login {
    Login { user_name: Secret::new(user_name), password: Secret::new(password) }
}

/// The challenge in `line` taken up by `login`.
fn taken_up(line: &str, login: &Login, client_nonce: fn() -> String) -> Option<Digest> {
    Digest::begin(&in_line(line), login, Manner { nonce: client_nonce, knows_sha256: true })
}

/// What RFC 2617's Mufasa chose for a nonce.
fn old_nonce() -> String {
    "0a4f113b".to_owned()
}

/// What RFC 7616's did.
fn new_nonce() -> String {
    "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ".to_owned()
}

fn begun(line: &str) -> Option<Digest> {
    taken_up(line, &login("name", "password"), old_nonce)
}

/// What goes out with a request.
fn sent(digest: &mut Digest, method: &str, target: &str) -> String {
    digest.answer(&Asked { method, target, host: "server" }).expect("a header").expose().to_owned()
}

/// The value of a parameter of what goes out.
fn said(header: &str, name: &str) -> Option<String> {
    challenge::parameter(header.strip_prefix("Digest ").expect("a scheme"), name).map(Into::into)
}

/// The proof in the answer of RFC 2617's and RFC 7616's Mufasa.
fn response(line: &str, password: &str) -> String {
    let mut digest = taken_up(line, &login("Mufasa", password), new_nonce).expect("a challenge");
    said(&sent(&mut digest, "GET", "/dir/index.html"), "response").expect("a proof")
}

#[test]
fn the_example_of_rfc_2617_comes_out() {
    let line = "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
                nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
    let mut digest = taken_up(line, &login("Mufasa", "Circle Of Life"), old_nonce).unwrap();

    assert_eq!(
        sent(&mut digest, "GET", "/dir/index.html"),
        "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
         uri=\"/dir/index.html\", response=\"6629fae49393a05397450978507c4ef1\", \
         opaque=\"5ccc069c403ebaf9f0171e9517f40e41\", qop=auth, nc=00000001, cnonce=\"0a4f113b\""
    );
}

#[test]
fn the_examples_of_rfc_7616_come_out() {
    let of = |algorithm: &str| {
        let line = format!(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
             nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
             opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        );
        response(&line, "Circle of Life")
    };

    assert_eq!(of("MD5"), "8ca523f5e9506fed4657c9700eebdbec");
    assert_eq!(of("SHA-256"), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

#[test]
fn a_server_without_quality_of_protection_gets_the_proof_of_rfc_2069() {
    let line = r#"Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093""#;
    let mut digest = taken_up(line, &login("Mufasa", "Circle Of Life"), old_nonce).unwrap();
    let header = sent(&mut digest, "GET", "/dir/index.html");

    assert_eq!(said(&header, "response").as_deref(), Some("670fd8c2df070c60b045671b8b24ff02"));
    assert_eq!([said(&header, "qop"), said(&header, "nc"), said(&header, "cnonce")], [None, None, None]);
}

#[test]
fn each_answer_to_a_nonce_is_counted() {
    let mut digest = begun("Digest realm=r, nonce=n, qop=auth").unwrap();
    let mut counts = || said(&sent(&mut digest, "GET", "/"), "nc").unwrap();

    assert_eq!([counts(), counts()], ["00000001", "00000002"]);
    let mut digest = Digest { answers: u32::MAX, ..begun("Digest realm=r, nonce=n, qop=auth").unwrap() };
    assert!(digest.answer(&Asked { method: "GET", target: "/", host: "server" }).is_none());
}

#[test]
fn the_nonce_that_a_server_wants_next_is_answered_to() {
    let mut digest = begun("Digest realm=r, nonce=n, qop=auth").unwrap();
    sent(&mut digest, "GET", "/");

    digest.accepted(r#"rspauth="x", nextnonce="m""#);
    let header = sent(&mut digest, "GET", "/");
    digest.accepted(&format!("nextnonce={}, nextnonce=\"\"", "a".repeat(9000)));

    assert_eq!((said(&header, "nonce").as_deref(), said(&header, "nc").as_deref()), (Some("m"), Some("00000001")));
    assert_eq!(said(&sent(&mut digest, "GET", "/"), "nonce").as_deref(), Some("m"));
}

#[test]
fn a_session_keeps_the_proof_that_it_began_with() {
    let mut digest = begun("Digest realm=r, nonce=n, qop=auth, algorithm=MD5-sess").unwrap();
    let before = digest.proof.clone();

    digest.accepted("nextnonce=m");

    assert_eq!(digest.proof, before);
    assert_ne!(before, begun("Digest realm=r, nonce=n, qop=auth").unwrap().proof);
    assert_eq!(said(&sent(&mut digest, "GET", "/"), "algorithm").as_deref(), Some("MD5-sess"));
}

#[test]
fn a_stale_answer_is_made_anew_once_until_one_is_accepted() {
    let mut digest = begun("Digest realm=r, nonce=n, qop=auth").unwrap();
    let renew = |digest: &mut Digest, line: &str| digest.renew(&in_line(line));

    assert!(!renew(&mut digest, "Digest realm=r, nonce=m, qop=auth"));
    assert!(!renew(&mut digest, "Digest realm=r, nonce=m, qop=auth, stale=false"));
    assert!(!renew(&mut digest, "Digest realm=other, nonce=m, qop=auth, stale=true"));
    assert!(renew(&mut digest, "Digest realm=r, nonce=m, qop=auth, stale=TRUE"));
    assert_eq!(said(&sent(&mut digest, "GET", "/"), "nonce").as_deref(), Some("m"));
    assert!(!renew(&mut digest, "Digest realm=r, nonce=l, qop=auth, stale=true"));
    digest.accepted("");
    assert!(renew(&mut digest, "Digest realm=r, nonce=l, qop=auth, stale=true"));
}

#[test]
fn the_first_challenge_that_can_be_answered_is_taken_up() {
    let line = "Digest realm=r, nonce=n, algorithm=SHA-512-256, qop=auth, Digest realm=r, nonce=m, algorithm=SHA-256, \
                qop=auth, Digest realm=r, nonce=o, qop=auth";
    let nonce = |knows_sha256| {
        let manner = Manner { nonce: old_nonce, knows_sha256 };
        Digest::begin(&in_line(line), &login("name", "password"), manner).unwrap().demand.nonce
    };

    assert_eq!([nonce(true), nonce(false)], ["m", "o"]);
}

#[test]
fn what_cannot_be_answered_is_not() {
    let large = format!("Digest realm=r, nonce={}, qop=auth", "n".repeat(8 * 1024));
    for line in [
        "Digest",
        "Digest bm9uY2U=",
        "Digest realm=r, qop=auth",
        "Digest nonce=n, qop=auth",
        r#"Digest realm=r, nonce="", qop=auth"#,
        "Digest realm=r, nonce=n, qop=auth-int",
        r#"Digest realm=r, nonce=n, qop="""#,
        "Digest realm=r, nonce=n, qop=authentic",
        "Digest realm=r, nonce=n, qop=auth, algorithm=SHA-1",
        "Digest realm=r, nonce=n, qop=auth, algorithm=\"\"",
        "Digest realm=r, nonce=n, algorithm=MD5-sess",
        "Digest realm=r, nonce=n, qop=auth, nonce=m",
        "Digest realm=r, nonce=n, qop=auth, REALM=s",
        &large,
    ] {
        assert!(begun(line).is_none(), "{line}");
    }
    assert!(begun(r#"Digest realm="", nonce=n, qop=" auth-int,AUTH ", new=x, new=y"#).is_some());
}

#[test]
fn quotes_and_backslashes_are_kept_from_ending_a_value() {
    let line = r#"Digest realm="a \"b\" \\c", nonce="\n\"", opaque="\"", qop=auth"#;
    let mut digest = taken_up(line, &login(r#"DOMAIN\na"me"#, "p"), old_nonce).unwrap();
    let header = sent(&mut digest, "GET", "/");

    assert!(header.starts_with(r#"Digest username="DOMAIN\\na\"me", realm="a \"b\" \\c", nonce="n\"","#), "{header}");
    assert!(header.contains(r#", opaque="\"","#), "{header}");
    assert_eq!(*digest.proof, hash::Hash::Md5.of(&[r#"DOMAIN\na"me"#, r#"a "b" \c"#, "p"]));
}

#[test]
fn a_name_that_would_be_a_line_of_its_own_is_not_sent() {
    let mut digest = taken_up("Digest realm=r, nonce=n", &login("a\r\nX: b", "p"), old_nonce).unwrap();

    assert!(digest.answer(&Asked { method: "GET", target: "/", host: "server" }).is_none());
}

#[test]
fn a_name_is_written_as_the_server_can_read_it() {
    let header = |demand: &str| {
        let line = format!("Digest realm=api@example.org, nonce=n, qop=auth, {demand}");
        sent(&mut taken_up(&line, &login("J\u{e4}s\u{f8}n Doe", "Secret"), old_nonce).unwrap(), "GET", "/")
    };

    assert!(header("x=y").contains("username=\"J\u{e4}s\u{f8}n Doe\""));
    assert!(header("charset=UTF-8").contains("username*=UTF-8''J%C3%A4s%C3%B8n%20Doe"));
    let hidden = header("charset=UTF-8, userhash=true");
    let name = hash::Hash::Md5.of(&["J\u{e4}s\u{f8}n Doe", "api@example.org"]);
    assert_eq!(said(&hidden, "username"), Some(name));
    assert!(hidden.ends_with(", userhash=true") && !hidden.contains("Doe"), "{hidden}");
}

#[test]
fn a_server_that_names_places_is_greeted_there_alone() {
    let covers = |line: &str, target: &str| {
        let digest = begun(&format!("Digest realm=r, nonce=n, {line}")).unwrap();
        digest.covers(&Asked { method: "GET", target, host: "server" })
    };
    let domain = r#"domain="/a/ http://server:80/b http://other/c""#;

    assert!(covers("x=y", "/anywhere") && covers(r#"domain="""#, "/anywhere"));
    for (target, is_covered) in
        [("/a/x", true), ("/a", false), ("/b", true), ("http://server:80/a/x", true), ("/c", false), ("/other", false)]
    {
        assert_eq!(covers(domain, target), is_covered, "{target}");
    }
}

/// Text between quotes that both ends read alike.
fn text() -> impl Strategy<Value = String> {
    "[ -!#-\\[\\]-~]{1,20}"
}

proptest! {
    #[test]
    fn another_implementation_makes_the_same_of_a_challenge(
        (realm, nonce, opaque) in (text(), text(), text()),
        (user, password) in (text(), text()),
        target in "/[a-z0-9/?=%]{0,20}",
        algorithm in prop::sample::select(vec!["MD5", "MD5-sess", "SHA-256", "SHA-256-sess"]),
        head in any::<bool>(),
    ) {
        let line = format!(
            r#"Digest realm="{realm}", nonce="{nonce}", opaque="{opaque}", algorithm={algorithm}, qop="auth""#
        );
        let mut ours = taken_up(&line, &login(&user, &password), old_nonce).unwrap();
        let mut theirs = digest_auth::parse(&line).unwrap();
        let (method, name) = if head { (HttpMethod::HEAD, "HEAD") } else { (HttpMethod::GET, "GET") };
        let mut context = AuthContext::new_with_method(&user, &password, &target, None::<&[u8]>, method);
        context.set_custom_cnonce("0a4f113b");

        for _ in 0..2 {
            let theirs = theirs.respond(&context).unwrap();
            prop_assert_eq!(said(&sent(&mut ours, name, &target), "response"), Some(theirs.response));
        }
    }
}
