use bits_world::Passport;
use http::HeaderValue;
use http::header::HeaderName;
use proptest::prelude::*;

use super::*;

const CHALLENGE: &str = "lc=1033,id=507,tw=40,ru=http%3A%2F%2Fpartner,ct=1128154104,tpf=abc";
const ASKED: &str = "OrgVerb=GET,OrgURL=https://partner.example.com/auth.asp";
const FAILED: &str = "Passport1.4 da-status=failed,srealm=TEST.net,ts=-2,prompt,cburl=http://a/b,cbtxt=hello";
const GRANTED: &str = "Passport1.4 da-status=success,tname=MSPAuth,tname=MSPProf,from-PP='t=a&p=b',ru=";

fn login(password: &str) -> Login {
    Login { user_name: Secret::new("user1@example.com"), password: Secret::new(password) }
}

fn sign_in_at(login_server: &str, url: &str, password: &str) -> SignIn {
    let passport = Passport::login_server(login_server, "Test.Net", 1).unwrap();
    let configuration = Configuration::preset(&passport).unwrap();
    let url = Target::parse(url).unwrap();
    SignIn::new(&configuration, &login(password), CHALLENGE, ("GET", &url), 3).unwrap()
}

fn sign_in() -> SignIn {
    sign_in_at("https://login.example.com/login2.srf", "https://partner.example.com/auth.asp", "password")
}

fn with(name: HeaderName, value: &str) -> HeaderMap {
    [(name, HeaderValue::from_str(value).unwrap())].into_iter().collect()
}

fn challenged(sign_in: &mut SignIn, challenge: &str) -> SignInStep {
    sign_in.hear(401, &with(WWW_AUTHENTICATE, challenge))
}

fn sent_on(sign_in: &mut SignIn, location: &str) -> SignInStep {
    sign_in.hear(302, &with(LOCATION, location))
}

/// The token, and where it goes if not back.
fn granted(sign_in: &mut SignIn, info: &str) -> Option<(String, Option<String>)> {
    match sign_in.hear(200, &with(AUTHENTICATION_INFO, info)) {
        SignInStep::Granted(Token { authorization, elsewhere }) => {
            Some((authorization.expose().to_owned(), elsewhere.map(|url| url.to_string())))
        }
        _ => None,
    }
}

#[test]
fn a_sign_in_goes_as_the_specification_shows_it() {
    let mut sign_in = sign_in();
    let first = sign_in.authorization();

    assert!(matches!(challenged(&mut sign_in, FAILED), SignInStep::Ask));

    assert_eq!(first.expose(), format!("Passport1.4 tname=,{ASKED},{CHALLENGE}"));
    assert_eq!(
        sign_in.authorization().expose(),
        format!("Passport1.4 sign-in=user1%40example.com,pwd=password,elapsed-time=0,{ASKED},ts=-2,{CHALLENGE}")
    );
    let granted = granted(&mut sign_in, &format!("{GRANTED}https://partner.example.com/auth.asp"));
    assert_eq!(granted, Some(("Passport1.4 from-PP='t=a&p=b'".to_owned(), None)));
}

#[test]
fn a_password_is_escaped_its_commas_too() {
    let mut sign_in = sign_in_at("https://login/", "https://partner/", "a,b=c' \u{e9}%");
    let _ = challenged(&mut sign_in, FAILED);

    let sent = sign_in.authorization();

    assert!(sent.expose().contains(",pwd=a%2Cb%3Dc%27%20%C3%A9%25,"), "{}", sent.expose());
}

#[test]
fn a_comma_of_the_url_ends_no_parameter() {
    let mut sign_in = sign_in_at("https://login/", "https://partner/a,b", "password");

    assert!(sign_in.authorization().expose().contains(",OrgURL=https://partner/a%2Cb,lc="));
    for back in ["https://partner/a%2Cb", "'https://partner/a,b'"] {
        assert_eq!(granted(&mut sign_in, &format!("{GRANTED}{back}")).map(|(_, elsewhere)| elsewhere), Some(None));
    }
}

#[test]
fn a_refusal_stands() {
    let refusals = [
        "Passport1.4 da-status=failed-noretry,srealm=Test.Net",
        "Passport1.4 da-status=fail-noretry,srealm=Test.Net",
        "Passport1.4 da-status=failed,srealm=Other.Net",
        "Passport1.4 da-status=failed",
        "Passport1.4 srealm=Test.Net",
        "Basic realm=x",
    ];
    for refusal in refusals {
        let mut sign_in = sign_in();
        assert!(matches!(challenged(&mut sign_in, refusal), SignInStep::Refused), "{refusal}");
        assert!(!sign_in.authorization().expose().contains("pwd"), "{refusal}");
    }
    let mut sign_in = sign_in();
    let _ = challenged(&mut sign_in, FAILED);
    assert!(matches!(challenged(&mut sign_in, FAILED), SignInStep::Refused), "the same password once more");
}

#[test]
fn a_login_server_may_lead_on_to_another_one() {
    let mut sign_in = sign_in();
    let _ = challenged(&mut sign_in, FAILED);
    let told = sign_in.authorization();

    assert!(matches!(sent_on(&mut sign_in, "/login3.srf"), SignInStep::Ask));

    assert_eq!(sign_in.at().to_string(), "https://login.example.com/login3.srf");
    assert_eq!(sign_in.authorization(), told);
}

#[test]
fn it_may_not_lead_away_from_https_nor_in_circles_nor_for_ever() {
    let unusable = |step: &SignInStep| matches!(step, SignInStep::Unusable(Unusable::Redirect));
    for location in
        ["http://login.example.com/login3.srf", "https://login.example.com/login2.srf", "ftp://a/", "https://"]
    {
        assert!(unusable(&sent_on(&mut sign_in(), location)), "{location}");
    }
    let mut sign_in = sign_in();
    let steps: Vec<_> = (0..5).map(|n| unusable(&sent_on(&mut sign_in, &format!("/{n}")))).collect();
    assert_eq!(steps, [false, false, false, true, true]);
    assert!(unusable(&sign_in.hear(302, &HeaderMap::new())));
}

#[test]
fn plain_http_may_lead_to_https_and_not_back() {
    let mut sign_in = sign_in_at("http://login/", "http://partner/", "password");

    assert!(matches!(sent_on(&mut sign_in, "http://login/3"), SignInStep::Ask));
    assert!(matches!(sent_on(&mut sign_in, "https://login/"), SignInStep::Ask));
    assert!(matches!(sent_on(&mut sign_in, "http://login/4"), SignInStep::Unusable(Unusable::Redirect)));
}

#[test]
fn a_token_counts_whatever_the_status_and_goes_where_it_is_sent() {
    let info = with(AUTHENTICATION_INFO, &format!("{GRANTED}https://partner.example.com/other.asp"));
    for status in [200, 302, 401, 500] {
        let SignInStep::Granted(token) = sign_in().hear(status, &info) else { panic!("{status}") };
        assert_eq!(token.elsewhere.unwrap().to_string(), "https://partner.example.com/other.asp");
    }
}

#[test]
fn what_is_no_answer_of_a_login_server_leads_nowhere() {
    let nowhere = |info: &str| match sign_in().hear(200, &with(AUTHENTICATION_INFO, info)) {
        SignInStep::Unusable(why) => Some(why),
        _ => None,
    };
    assert_eq!(nowhere("Passport1.4 da-status=success,ru=https://partner/"), Some(Unusable::Token));
    assert_eq!(nowhere("Passport1.4 da-status=success,from-PP="), Some(Unusable::Token));
    assert_eq!(nowhere("Passport1.4 da-status=success,from-PP='t',ru=nowhere"), Some(Unusable::Token));
    assert_eq!(nowhere("Passport1.4 da-status=logout"), Some(Unusable::Answer));
    assert_eq!(nowhere("nonsense"), Some(Unusable::Answer));
    let endless = format!("Passport1.4 da-status=success,from-PP='{}'", "t".repeat(LONGEST));
    assert_eq!(nowhere(&endless), Some(Unusable::Answer));
    let mut sign_in = sign_in();
    assert!(matches!(sign_in.hear(503, &HeaderMap::new()), SignInStep::Unusable(Unusable::Answer)));
}

#[test]
fn nothing_of_a_sign_in_shows_a_password() {
    let mut sign_in = sign_in_at("https://login/", "https://partner/", "hunter2");
    let step = challenged(&mut sign_in, FAILED);

    let shown = format!("{sign_in:?} {step:?} {:?}", sign_in.authorization());

    assert!(!shown.contains("hunter2") && !shown.contains("user1"), "{shown}");
}

proptest! {
    #[test]
    fn whatever_a_login_server_says_one_challenge_is_answered_at_the_most(
        answers in proptest::collection::vec((prop_oneof![Just(200u16), Just(302), Just(401), Just(500)],
            r"(Passport1\.4 )?(da-status=(failed|success|x))?,?(srealm=test\.net)?[ -~]{0,20}"), 0..12)
    ) {
        let mut sign_in = sign_in();
        let mut told = 0;
        for (status, text) in answers {
            let value = HeaderValue::from_str(&text).unwrap();
            let headers = [WWW_AUTHENTICATE, AUTHENTICATION_INFO, LOCATION].map(|name| (name, value.clone()));
            match sign_in.hear(status, &headers.into_iter().collect()) {
                SignInStep::Ask if status == 401 => told += 1,
                SignInStep::Ask => {}
                SignInStep::Granted(token) => prop_assert!(!token.authorization.expose().contains("password")),
                _ => break,
            }
            prop_assert!(HeaderValue::from_str(sign_in.authorization().expose()).is_ok());
        }
        prop_assert!(told <= 1);
    }
}
