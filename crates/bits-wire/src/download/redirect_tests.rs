//! The way of redirects, as tables.

use proptest::prelude::*;

use super::*;

const POLICIES: [Follow; 3] = [Follow::Silently, Follow::Reporting, Follow::Never];
const STATUSES: [u16; 6] = [300, 301, 302, 303, 307, 308];

fn answered(redirects: &mut Redirects, status: u16, location: Option<&str>) -> Result<bool, Failure> {
    redirects.follow("GET", status, location.map(str::as_bytes))
}

fn at(url: &str, follow: Follow) -> Redirects {
    Redirects::new(Target::parse(url).unwrap(), RedirectPolicy { follow, to_plain: false })
}

fn silent(url: &str) -> Redirects {
    at(url, Follow::Silently)
}

#[test]
fn the_policy_is_read_from_the_security_flags() {
    let table = [
        (0x000, Follow::Silently, false),
        (0x01F, Follow::Silently, false),
        (0x100, Follow::Reporting, false),
        (0x200, Follow::Never, false),
        (0x800, Follow::Silently, true),
        (0x900, Follow::Reporting, true),
        (0xA00, Follow::Never, true),
    ];
    for (bits, follow, to_plain) in table {
        let policy = RedirectPolicy::from(SecurityFlags::from_bits_retain(bits));
        assert_eq!(policy, RedirectPolicy { follow, to_plain }, "{bits:#x}");
    }
}

#[test]
fn redirects_are_followed_to_other_paths_and_other_hosts() {
    let table = [
        ("other?x=1", "http://a/dir/other?x=1"),
        ("/other", "http://a/other"),
        ("../b%20c", "http://a/b%20c"),
        ("?only=query", "http://a/dir/file?only=query"),
        ("//b/file", "http://b/file"),
        ("https://b:8443/file#fragment", "https://b:8443/file"),
        ("http://user:secret@b/file", "http://b/file"),
        ("HTTP://B/file", "http://b/file"),
    ];
    for status in STATUSES {
        for (location, next) in table {
            let mut redirects = silent("http://a/dir/file");
            assert_eq!(answered(&mut redirects, status, Some(location)), Ok(true), "{status} {location}");
            assert_eq!(redirects.target(), &Target::parse(next).unwrap(), "{location}");
            assert_eq!(redirects.is_elsewhere(), !next.starts_with("http://a/"), "{location}");
        }
    }
}

#[test]
fn other_answers_are_no_redirects() {
    for status in [200, 206, 304, 305, 306, 309, 404, 503] {
        for follow in POLICIES {
            let mut redirects = at("http://a/", follow);
            assert_eq!(answered(&mut redirects, status, Some("/b")), Ok(false), "{status}");
            assert_eq!(redirects.take_moved(), None);
        }
    }
}

#[test]
fn the_name_becomes_the_url_that_has_answered_where_it_is_reported() {
    for (follow, moved) in [(Follow::Silently, None), (Follow::Reporting, Some("https://b/3?q=1".to_owned()))] {
        let mut redirects = at("http://a/1", follow);
        assert_eq!(answered(&mut redirects, 302, Some("/2")), Ok(true));
        assert_eq!(answered(&mut redirects, 308, Some("https://b/3?q=1#part")), Ok(true));
        assert_eq!(redirects.take_moved(), None);

        assert_eq!(answered(&mut redirects, 404, None), Ok(false));

        assert_eq!(redirects.take_moved(), moved);
        assert_eq!(redirects.take_moved(), None);
    }
}

#[test]
fn each_request_begins_where_the_file_is() {
    let mut kept = Decisions::default();
    kept.set("http.redirects_kept", "attempt").unwrap();
    let usual = Decisions::default();
    let table = [
        (Follow::Silently, &usual, "http://a/1", false),
        (Follow::Silently, &kept, "http://b/2", true),
        (Follow::Reporting, &usual, "http://b/2", false),
    ];
    for (follow, decisions, next, is_elsewhere) in table {
        let mut redirects = at("http://a/1", follow).by(decisions);

        answered(&mut redirects, 302, Some("http://b/2")).unwrap();
        answered(&mut redirects, 200, None).unwrap();

        assert_eq!(redirects.target(), &Target::parse(next).unwrap(), "{follow:?}");
        assert_eq!(redirects.is_elsewhere(), is_elsewhere, "{follow:?}");
    }
}

#[test]
fn a_refused_redirect_is_fatal_and_tells_its_target() {
    for status in STATUSES {
        let mut redirects = at("http://a/1", Follow::Never);

        let failure = answered(&mut redirects, status, Some("/2")).unwrap_err();

        assert_eq!((failure.code, failure.transient), (Hresult::from_http_status(status), false));
        assert_eq!(redirects.take_moved().as_deref(), Some("http://a/2"));
    }
}

#[test]
fn a_refused_redirect_that_leads_to_no_server_tells_nothing() {
    for location in [None, Some("file://server/share/file"), Some("http://")] {
        let mut redirects = at("http://a/1", Follow::Never);

        assert_eq!(answered(&mut redirects, 302, location).unwrap_err().code, Hresult::BG_E_HTTP_ERROR_302);

        assert_eq!(redirects.take_moved(), None, "{location:?}");
    }
}

#[test]
fn a_circle_fails() {
    let mut redirects = silent("http://a/1");

    assert_eq!(answered(&mut redirects, 302, Some("/2")), Ok(true));
    let failure = answered(&mut redirects, 302, Some("/1")).unwrap_err();
    assert_eq!(failure.code, Hresult::ERROR_WINHTTP_REDIRECT_FAILED);
}

#[test]
fn the_eleventh_redirect_of_a_request_fails_or_the_one_after_those_that_were_chosen() {
    let mut two = Decisions::default();
    two.set("http.redirects_followed", "2").unwrap();
    for (decisions, most) in [(Decisions::default(), 10), (two, 2)] {
        let mut redirects = silent("http://a/0").by(&decisions);
        let follow_all = |redirects: &mut Redirects| {
            for n in 1..=most {
                assert_eq!(answered(redirects, 302, Some(&format!("/{n}"))), Ok(true));
            }
        };

        follow_all(&mut redirects);
        answered(&mut redirects, 200, None).unwrap();
        follow_all(&mut redirects);
        assert!(!decisions.touched().contains(&"http.redirects_followed"));
        let failure = answered(&mut redirects, 302, Some("/more")).unwrap_err();

        assert_eq!(failure.code, Hresult::ERROR_WINHTTP_REDIRECT_FAILED);
        assert!(decisions.touched().contains(&"http.redirects_followed"));
    }
}

#[test]
fn away_from_http_and_nowhere_no_redirect_is_followed() {
    for location in [Some("ftp://a/"), Some("file:///etc/passwd"), Some("http://"), None] {
        let failure = answered(&mut silent("https://a/x"), 302, location).unwrap_err();
        assert_eq!(failure.code, Hresult::BG_E_HTTP_ERROR_302, "{location:?}");
        assert!(!failure.transient);
    }
}

#[test]
fn from_https_to_http_a_redirect_needs_leave() {
    for follow in [Follow::Silently, Follow::Reporting] {
        for (to_plain, followed) in [(false, None), (true, Some(true))] {
            let policy = RedirectPolicy { follow, to_plain };
            let mut redirects = Redirects::new(Target::parse("https://a/x").unwrap(), policy);

            let outcome = answered(&mut redirects, 302, Some("http://a/y"));

            assert_eq!(outcome.ok(), followed, "{policy:?}");
            assert_eq!(redirects.take_moved(), None);
        }
    }
}

#[test]
fn the_clients_own_method_gives_way_to_get_as_in_winhttp() {
    let table = [
        (300, [false, false]),
        (301, [true, false]),
        (302, [true, false]),
        (303, [true, true]),
        (307, [false, false]),
        (308, [false, false]),
    ];
    for (status, expected) in table {
        let by_get = ["POST", "PUT"].map(|method| {
            let mut redirects = silent("http://a/1");
            redirects.follow(method, status, Some(b"/2")).unwrap();
            redirects.asks_by_get()
        });
        assert_eq!(by_get, expected, "{status}");
    }
}

proptest! {
    /// Whatever servers answer: no panic, no other protocol, no plain HTTP without leave, and an end.
    #[test]
    fn any_course_of_redirects_is_followed_or_refused(
        follow in prop_oneof![Just(Follow::Silently), Just(Follow::Reporting), Just(Follow::Never)],
        to_plain: bool,
        answers in proptest::collection::vec((200_u16..400, proptest::option::of("(https?:)?/{0,3}[a-b/.:@#?\\\\é ]{0,12}")), 0..40),
    ) {
        let mut redirects = Redirects::new(Target::parse("https://a/").unwrap(), RedirectPolicy { follow, to_plain });
        let mut followed = 0;
        for (status, location) in answers {
            let Ok(is_redirect) = answered(&mut redirects, status, location.as_deref()) else { break };
            followed = if is_redirect { followed + 1 } else { 0 };
            prop_assert!(followed <= 10 && (follow != Follow::Never || !is_redirect));
            prop_assert!(to_plain || redirects.target().origin().scheme == Scheme::Https);
            let moved = redirects.take_moved();
            prop_assert!(moved.is_none() || (follow == Follow::Reporting && !is_redirect), "{moved:?}");
        }
    }
}
