//! A client of another make against the guard, and what the guard must not let pass.

use digest_auth::{AuthContext, HttpMethod};

use super::*;

const URI: &str = "/secret/a.bin?b=c";

fn accounts() -> [Account; 2] {
    let account = |user_name: &str, password: &str| Account { user_name: user_name.into(), password: password.into() };
    [account("J\u{e4}s\u{f8}n Doe", "other"), account("Mufasa", "Circle of, Life")]
}

/// A guard at work.
struct Post {
    digest: Digest,
    ledger: Ledger,
    accounts: [Account; 2],
}

impl Post {
    fn new(digest: Digest) -> Self {
        Self { digest, ledger: Ledger::default(), accounts: accounts() }
    }

    fn challenge(&mut self) -> String {
        self.digest.challenge("a realm, quoted", false, &mut self.ledger)
    }

    /// What becomes of a header, in one word.
    fn judge(&mut self, header: &str, method: &str, target: &str) -> &'static str {
        let proof: String = header.strip_prefix("Digest ").unwrap().bytes().map(char::from).collect();
        let Self { digest, ledger, accounts } = self;
        match digest.judge(&proof, (method, target), "a realm, quoted", &accounts[..], ledger) {
            Verdict::Right(account, _) if account.user_name == "Mufasa" => "Mufasa",
            Verdict::Right(..) => "the other",
            Verdict::Stale => "stale",
            Verdict::Wrong => "wrong",
        }
    }
}

/// What another implementation answers for Mufasa.
fn answer(challenge: &str, password: &str) -> String {
    let mut prompt = digest_auth::parse(challenge).unwrap();
    let context = AuthContext::new_with_method("Mufasa", password, URI, None::<&[u8]>, HttpMethod::GET);
    prompt.respond(&context).unwrap().to_header_string()
}

const PASSWORD: &str = "Circle of, Life";

#[test]
fn a_client_of_another_make_passes_with_the_right_password_alone() {
    let digest = Digest::new().opaque("o,p=");
    let algorithms = ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess"].map(|name| digest.algorithm(name));
    for digest in [digest, Digest::new().without_qop(), digest.hiding_users(), digest.qop("auth-int,auth")]
        .into_iter()
        .chain(algorithms)
    {
        let mut post = Post::new(digest);
        let challenge = post.challenge();

        assert_eq!(post.judge(&answer(&challenge, PASSWORD), "GET", URI), "Mufasa", "{challenge}");
        let challenge = post.challenge();
        assert_eq!(post.judge(&answer(&challenge, "Circle of Death"), "GET", URI), "wrong", "{challenge}");
    }
}

#[test]
fn each_nonce_is_good_for_so_many_answers_and_each_count_for_one() {
    let mut post = Post::new(Digest::new().good_for(2));
    let mut prompt = digest_auth::parse(&post.challenge()).unwrap();
    let context = AuthContext::new_with_method("Mufasa", PASSWORD, URI, None::<&[u8]>, HttpMethod::GET);
    let mut answer = || prompt.respond(&context).unwrap().to_header_string();

    let first = answer();
    assert_eq!(post.judge(&first, "GET", URI), "Mufasa");
    assert_eq!(post.judge(&first, "GET", URI), "stale", "the same count again");
    assert_eq!(post.judge(&answer(), "GET", URI), "Mufasa");
    assert_eq!(post.judge(&answer(), "GET", URI), "stale");
}

#[test]
fn a_nonce_that_was_never_given_out_is_stale() {
    let mut post = Post::new(Digest::new());

    let challenge = r#"Digest realm="a realm, quoted", nonce="mine", qop="auth""#;

    assert_eq!(post.judge(&answer(challenge, PASSWORD), "GET", URI), "stale");
}

#[test]
fn a_proof_is_good_for_what_it_was_made_for_alone() {
    let mut post = Post::new(Digest::new().opaque("o"));
    let mut header = || answer(&post.challenge(), PASSWORD);
    let headers = [header(), header(), header(), header(), header()];

    assert_eq!(post.judge(&headers[0], "HEAD", URI), "wrong");
    assert_eq!(post.judge(&headers[0], "GET", "/secret/a.bin"), "wrong");
    assert_eq!(post.judge(&headers[0], "GET", &format!("http://server{URI}")), "Mufasa", "over a proxy");
    for (change, with) in [
        ("opaque=\"o\"", "opaque=\"x\""),
        ("nc=00000001", "nc=00000002"),
        ("nc=00000001", "nc=1"),
        ("qop=auth", "qop=\"auth\""),
        ("qop=auth", "qop=auth-int"),
        ("username=\"Mufasa\"", "username=\"Scar\""),
        ("username=\"Mufasa\"", "username=Mufasa"),
        ("username=\"Mufasa\"", "username=\"Mufasa"),
        ("realm=", "realm=\"\", realm="),
        (", ", ";"),
    ] {
        assert!(headers[1].contains(change), "{change} in {}", headers[1]);
        assert_eq!(post.judge(&headers[1].replace(change, with), "GET", URI), "wrong", "{with}");
    }
    assert_eq!(post.judge(&headers[1], "GET", URI), "Mufasa");
}

#[test]
fn the_examples_of_the_rfcs_pass() {
    let judge = |digest: Digest, realm: &str, (nonce, password): (&str, &str), rest: &str| {
        let accounts = [Account { user_name: "Mufasa".into(), password: password.into() }];
        let mut ledger = Ledger { answers: [(nonce.to_owned(), (0, 0))].into() };
        let proof =
            format!("username=\"Mufasa\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"/dir/index.html\", {rest}");
        matches!(digest.judge(&proof, ("GET", "/dir/index.html"), realm, &accounts, &mut ledger), Verdict::Right(..))
    };
    let old = ("dcd98b7102dd2f0e8b11d0f600bfb0c093", "Circle Of Life");
    let new = ("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "Circle of Life");
    let counted = "qop=auth, nc=00000001, cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\"";

    let rest = "response=\"6629fae49393a05397450978507c4ef1\", qop=auth, nc=00000001, cnonce=\"0a4f113b\"";
    assert!(judge(Digest::new(), "testrealm@host.com", old, rest));
    let rest = "response=\"670fd8c2df070c60b045671b8b24ff02\"";
    assert!(judge(Digest::new().without_qop(), "testrealm@host.com", old, rest));
    for (algorithm, response) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let rest = format!("response=\"{response}\", algorithm={algorithm}, {counted}");
        assert!(judge(Digest::new().algorithm(algorithm), "http-auth@example.org", new, &rest), "{algorithm}");
    }
}

#[test]
fn names_are_read_in_each_of_their_forms() {
    let named = |digest: Digest, proof: &str| {
        let shown = Shown::read(proof).unwrap();
        accounts().iter().find(|account| digest.is_named(&shown, account, "r", md5_of)).map(|a| a.user_name.clone())
    };
    let utf8 = Digest::new().utf8();

    assert_eq!(named(utf8, "username*=UTF-8''J%C3%A4s%C3%B8n%20Doe").as_deref(), Some("J\u{e4}s\u{f8}n Doe"));
    assert_eq!(named(Digest::new(), "username*=UTF-8''Mufasa"), None);
    assert_eq!(named(utf8, "username*=UTF-8''Mufasa%"), None);
    // Read byte by byte.
    assert_eq!(named(utf8, "username=\"J\u{c3}\u{a4}s\u{c3}\u{b8}n Doe\"").as_deref(), Some("J\u{e4}s\u{f8}n Doe"));
    let hidden = format!("username=\"{}\", userhash=true", md5_of("Mufasa:r"));
    assert_eq!(named(Digest::new().hiding_users(), &hidden).as_deref(), Some("Mufasa"));
    assert_eq!(named(Digest::new().hiding_users(), "username=\"Mufasa\""), None);
}
