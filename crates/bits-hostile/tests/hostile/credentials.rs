//! Whoever asks who a job is, and however: the job ends with BITS' code for it, and nobody learns more
//! than he may.

use bits_api::{Hresult, JobState, SecurityFlags};
use bits_hostile::house::{House, PASSWORD};
use bits_origin::{Fault, Request, Rule, Script, Step};
use bits_servers::{At, FILE, Server};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const PATH: &str = "/file";

const SCHEMES: [&str; 4] = ["basic", "digest", "ntlm", "negotiate"];

/// The most requests of an attempt in which something is told: a proof and the one after a stale nonce,
/// or the messages of NTLM, inside of Negotiate too.
const MOST_TOLD: usize = 4;

/// Pieces of challenges, good ones and worse.
const PIECES: [&str; 24] = [
    "Basic ",
    "Digest ",
    "NTLM ",
    "Negotiate ",
    "Bearer ",
    "realm=\"r\"",
    "nonce=\"n\"",
    "qop=\"auth\"",
    "qop=auth-int",
    "algorithm=MD5",
    "algorithm=SHA-256-sess",
    "algorithm=none",
    "stale=true",
    "opaque=\"o\\\"",
    "userhash=true",
    "charset=UTF-8",
    "domain=\"/ http://other.example/\"",
    "TlRMTVNTUAACAAAADAAMADgAAAA1goriASNFZ4mrze8AAAAAAAAAAP/////w////CgBjRQAAAA9EAE8ATQBBAEkATgA=",
    "oYHnMIHkoAMKAQGhDAYKKwYBBAGCNwICCg==",
    ", ",
    ",",
    "\"",
    "=",
    "\\",
];

fn challenge() -> impl Strategy<Value = String> {
    vec(select(PIECES.to_vec()), 1..12).prop_map(|pieces| pieces.concat())
}

/// An account, and a server that answers each request with one of `challenges` in its turn.
fn asking(challenges: &[String], is_proxy: bool) -> Script {
    let (status, name) = if is_proxy { (407, "Proxy-Authenticate") } else { (401, "WWW-Authenticate") };
    let answer = |challenge: &String| {
        let head = format!("HTTP/1.1 {status} No\r\n{name}: {challenge}\r\nContent-Length: 0\r\n\r\n");
        Rule::on("*").fault(Fault::Play(vec![Step::Send(head.into())]))
    };
    let (last, first) = challenges.split_last().expect("a challenge");
    let script = first.iter().fold(Script::new(), |script, challenge| script.rule(answer(challenge).times(1)));
    script.rule(answer(last))
}

fn proofs(request: &Request) -> impl Iterator<Item = &str> {
    ["authorization", "proxy-authorization"].into_iter().filter_map(|name| request.header(name))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_ends_with_the_code_for_failed_authentication(
        challenges in vec(challenge(), 1..4),
        logins in subsequence(SCHEMES.to_vec(), 0..=SCHEMES.len()),
        proxy in any::<bool>(),
    ) {
        let house = House::new();
        house.origin.script(asking(&challenges, proxy));
        let job = house.job(&Server::good().knowing(&logins).spoken_to(if proxy { At::Proxy } else { At::Http }), PATH);

        let (state, error) = house.run(&job, PATH, Server::good().patience());

        let refused = if proxy { Hresult::BG_E_HTTP_ERROR_407 } else { Hresult::BG_E_HTTP_ERROR_401 };
        prop_assert_eq!((state, error.map(|(_, code)| code)), (JobState::ERROR, Some(refused)));
        prop_assert!(house.told() <= MOST_TOLD, "{} times told", house.told());
        for request in house.origin.journal().iter() {
            for proof in proofs(request) {
                let scheme = proof.split(' ').next().unwrap_or_default().to_ascii_lowercase();
                prop_assert!(logins.contains(&&scheme[..]), "{} without an account for it", scheme);
                prop_assert!(!proof.contains(PASSWORD), "{}", proof);
            }
        }
        house.mend(&job, PATH, FILE);
    }
}

#[test]
fn a_server_of_https_cannot_send_a_job_to_tell_its_password_over_plain_http() {
    for (may_go, code) in [(false, Hresult::BG_E_HTTP_ERROR_302), (true, Hresult::BG_E_HTTP_ERROR_401)] {
        let house = House::new();
        house.serve("/elsewhere");
        let plain = house.origin.url("/elsewhere");
        let text = format!(
            "/file: status 302, header location \"{plain}\"\n\
             /elsewhere: status 401, header www-authenticate \"Basic realm=r\""
        );
        house.origin.script(Script::parse("downgrade", &text).unwrap());
        let job = house.job(&Server::good().knowing(&SCHEMES).spoken_to(At::Https), PATH);
        let options = job.http_options().unwrap();
        if may_go {
            options.set_security_flags(SecurityFlags::REDIRECT_POLICY_ALLOW_HTTPS_TO_HTTP).unwrap();
        }

        let (_, error) = house.run(&job, PATH, Server::good().patience());

        assert_eq!(error.map(|(_, code)| code), Some(code));
        assert_eq!(house.told(), 0);
        let plain = house.origin.journal().select("in the clear", |request| !request.https).len();
        assert_eq!(plain > 0, may_go);
    }
}
