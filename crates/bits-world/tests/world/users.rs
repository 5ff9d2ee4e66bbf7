//! Who is who, and who is logged on.

use bits_world::{Sid, Token, World};

const SERVICE_ACCOUNTS: [&str; 3] = [Sid::LOCAL_SYSTEM, Sid::LOCAL_SERVICE, Sid::NETWORK_SERVICE];

#[test]
fn accounts_differ_by_their_last_number() {
    let (first, second) = (Sid::of_account(1), Sid::of_account(2));

    assert_ne!(first, second);
    assert!(first.as_str().starts_with("S-1-5-21-") && first.as_str().ends_with("-1001"), "{first}");
    assert!(!first.is_service_account());
}

#[test]
fn the_service_accounts_always_count_as_logged_on() {
    let mut world = World::default();
    for sid in SERVICE_ACCOUNTS.map(Sid::new) {
        world.log_off(&sid);
        assert!(world.is_logged_on(&sid), "clause users.system_accounts_on: {sid}");
    }
}

#[test]
fn a_user_is_logged_on_between_logon_and_logoff() {
    let mut world = World::default();
    let (user, other) = (Sid::of_account(1), Sid::of_account(2));
    assert!(!world.is_logged_on(&user));

    world.log_on(user.clone());
    assert!(world.is_logged_on(&user) && !world.is_logged_on(&other));

    world.log_off(&user);
    assert!(!world.is_logged_on(&user));
}

#[test]
fn limits_spare_administrators_and_service_accounts_only() {
    let user = Sid::of_account(1);

    assert!(!Token::standard(user.clone()).is_exempt_from_limits());
    assert!(Token::administrator(user).is_exempt_from_limits());
    for sid in SERVICE_ACCOUNTS.map(Sid::new) {
        assert!(Token::standard(sid).is_exempt_from_limits());
    }
}

#[test]
fn a_sid_that_only_looks_like_a_service_account_is_none() {
    for sid in ["S-1-5-1", "S-1-5-180", "s-1-5-18", "S-1-5-18 ", ""] {
        assert!(!Sid::new(sid).is_service_account(), "{sid:?}");
    }
}
