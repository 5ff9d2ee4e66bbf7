//! Who is who, and who is logged on.

use std::path::Path;

use bits_world::{Logon, Permissions, Presence, Profile, Sid, Token, World};

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

#[test]
fn a_service_account_is_no_administrator_but_for_local_system() {
    let administrators: Vec<bool> =
        SERVICE_ACCOUNTS.iter().map(|account| Token::service_account(account).administrator).collect();

    assert_eq!(administrators, [true, false, false]);
}

#[test]
fn logons_at_a_screen_let_jobs_run_and_powershell_remoting_since_1607() {
    let lets = |logon| {
        let mut world = World::default();
        let user = Sid::of_account(1);
        world.open_session(user.clone(), logon);
        [Profile::V5_0, Profile::V10_1].map(|profile| world.lets_jobs_run(&user, profile))
    };

    assert_eq!(lets(Logon::Console), [true, true]);
    assert_eq!(lets(Logon::RemoteDesktop), [true, true]);
    assert_eq!(lets(Logon::PowerShellRemoting), [false, true]);
    for other in [Logon::PowerShellDirect, Logon::WinRm, Logon::RunAs, Logon::Batch, Logon::Service, Logon::Network] {
        assert_eq!(lets(other), [false, false], "{other:?}");
    }
}

#[test]
fn one_session_of_several_is_enough() {
    let mut world = World::default();
    let user = Sid::of_account(1);
    world.log_on(user.clone());
    let desktop = world.open_session(user.clone(), Logon::RemoteDesktop);

    world.close_session(desktop);
    assert!(world.is_logged_on(&user));

    world.log_on(user.clone());
    assert_eq!(world.sessions_of(&user).count(), 1, "the console session of before");
}

#[test]
fn a_user_who_is_away_counts_but_not_with_a_remote_shell_alone() {
    let mut world = World::default();
    let user = Sid::of_account(1);
    let console = world.open_session(user.clone(), Logon::Console);
    for presence in [Presence::SwitchedAway, Presence::Locked, Presence::Disconnected] {
        world.set_presence(console, presence);
        assert!(world.is_logged_on(&user), "{presence:?}");
    }

    world.close_session(console);
    let shell = world.open_session(user.clone(), Logon::PowerShellRemoting);
    assert!(world.is_logged_on(&user));
    world.set_presence(shell, Presence::Disconnected);
    assert!(!world.is_logged_on(&user));
}

#[test]
fn the_world_tells_whose_sessions_have_changed() {
    let mut world = World::default();
    let (first, second) = (Sid::of_account(1), Sid::of_account(2));
    world.log_on(first.clone());
    let seen = world.session_changes();
    world.log_on(second.clone());
    world.log_off(&first);

    let changed: Vec<Sid> = world.users_changed_since(seen).unwrap().cloned().collect();

    assert_eq!(changed, [second.clone(), first]);
    assert_eq!(world.users_changed_since(world.session_changes()).unwrap().count(), 0);
    assert!(world.users_changed_since(world.session_changes() + 1).is_none(), "a change of another world");
    for _ in 0..200 {
        world.log_on(second.clone());
        world.log_off(&second);
    }
    assert!(world.users_changed_since(seen).is_none(), "too long ago");
}

#[test]
fn the_innermost_list_says_who_may_use_a_folder() {
    let mut permissions = Permissions::default();
    let (first, second) = (Sid::of_account(1), Sid::of_account(2));
    permissions.allow_only("/data", [first.clone()]);
    permissions.allow_only("/data/shared", [first.clone(), second.clone()]);
    let allowed = |permissions: &Permissions, user: &Sid| {
        ["/data/a", "/data/shared/a", "/database/a"].map(|path| permissions.allow(user, Path::new(path)))
    };

    assert_eq!(allowed(&permissions, &first), [true, true, true]);
    assert_eq!(allowed(&permissions, &second), [false, true, true]);
    permissions.allow_everybody(Path::new("/data"));
    assert_eq!(allowed(&permissions, &second), [true, true, true]);
}
