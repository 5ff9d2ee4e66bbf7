//! What attempts may tell servers and proxies that ask.

use bits_api::{AuthCredentials, AuthScheme, AuthTarget, FileInfo, Hresult, JobState, Setting, Success, TokenFlags};
use bits_wire::auth::Logins;
use bits_world::{Account, ImplicitPolicy, Profile, Token, UseLmCompat};

use super::house::{House, administrator, alice, bob, config};
use crate::JobKey;

const SERVER: AuthTarget = AuthTarget::SERVER;
const PROXY: AuthTarget = AuthTarget::PROXY;
const SCHEMES: [AuthScheme; 5] =
    [AuthScheme::BASIC, AuthScheme::DIGEST, AuthScheme::NTLM, AuthScheme::NEGOTIATE, AuthScheme::PASSPORT];

/// A house whose users have accounts of their own names in EXAMPLE.
fn house() -> House {
    known(House::new())
}

fn known(mut house: House) -> House {
    for (token, name) in [(alice(), "alice"), (bob(), "bob"), (administrator(), "root")] {
        house.world.accounts.log_on_as(token.user, Account::new("EXAMPLE", name, "logon").unwrap());
    }
    house
}

fn set(
    house: &mut House,
    job: JobKey,
    (target, scheme): (AuthTarget, AuthScheme),
    login: Option<(&str, &str)>,
) -> Result<Success, Hresult> {
    let (user_name, password) = login.unzip();
    let credentials = AuthCredentials { target, scheme, user_name, password };
    house.now_result(|engine, cx| engine.set_credentials(cx, &alice(), job, &credentials))
}

/// Who the job is to those who ask it for something it has: name and password.
fn told(logins: &Logins) -> Vec<(AuthTarget, AuthScheme, String)> {
    let pairs = [SERVER, PROXY].into_iter().flat_map(|target| SCHEMES.map(|scheme| (target, scheme)));
    let told = |(target, scheme)| {
        let login = logins.get(target, scheme)?;
        Some((target, scheme, format!("{}:{}", login.user_name.expose(), login.password.expose())))
    };
    pairs.filter_map(told).collect()
}

fn told_by(house: &mut House, job: JobKey) -> Vec<(AuthTarget, AuthScheme, String)> {
    assert_eq!(house.resume(job), Ok(Success::OK));
    told(&house.plan(job).logins)
}

fn at(target: AuthTarget, scheme: AuthScheme, account: &str) -> (AuthTarget, AuthScheme, String) {
    (target, scheme, account.to_owned())
}

#[test]
fn a_job_without_credentials_tells_nothing() {
    let mut house = house();
    let job = house.job(1);

    assert_eq!(told_by(&mut house, job), []);
}

#[test]
fn a_record_is_told_for_its_pair_alone() {
    let mut house = house();
    let job = house.job(1);
    set(&mut house, job, (SERVER, AuthScheme::BASIC), Some(("carol", "one"))).unwrap();
    set(&mut house, job, (PROXY, AuthScheme::DIGEST), Some(("carol", "two"))).unwrap();

    let expected = [at(SERVER, AuthScheme::BASIC, "carol:one"), at(PROXY, AuthScheme::DIGEST, "carol:two")];
    assert_eq!(told_by(&mut house, job), expected);
}

#[test]
fn a_name_without_a_domain_is_of_the_users_own_where_windows_checks_it() {
    for (name, shown) in [("carol", r"EXAMPLE\carol"), (r"OTHER\carol", r"OTHER\carol"), ("carol@other", "carol@other")]
    {
        let mut house = house();
        let job = house.job(1);
        set(&mut house, job, (SERVER, AuthScheme::NTLM), Some((name, "p"))).unwrap();
        set(&mut house, job, (SERVER, AuthScheme::BASIC), Some((name, "p"))).unwrap();

        let expected =
            [at(SERVER, AuthScheme::BASIC, &format!("{name}:p")), at(SERVER, AuthScheme::NTLM, &format!("{shown}:p"))];
        assert_eq!(told_by(&mut house, job), expected);
    }
}

#[test]
fn no_name_is_whoever_the_job_uses_the_network_for() {
    for (lent, name) in [(false, "alice"), (true, "bob")] {
        let mut house = house();
        let job = house.job(1);
        set(&mut house, job, (SERVER, AuthScheme::NEGOTIATE), None).unwrap();
        if lent {
            house.lend(job, &bob(), TokenFlags::NETWORK);
        }

        let account = format!(r"EXAMPLE\{name}:logon");
        assert_eq!(told_by(&mut house, job), [at(SERVER, AuthScheme::NEGOTIATE, &account)]);
    }
}

#[test]
fn a_helper_for_local_files_is_nobody_on_the_network() {
    let mut house = house();
    let job = house.job(1);
    set(&mut house, job, (SERVER, AuthScheme::NTLM), None).unwrap();
    house.lend(job, &bob(), TokenFlags::LOCAL_FILE);

    assert_eq!(told_by(&mut house, job), [at(SERVER, AuthScheme::NTLM, r"EXAMPLE\alice:logon")]);
}

#[test]
fn an_account_that_the_world_does_not_know_is_not_told() {
    let mut house = House::new();
    let job = house.job(1);
    set(&mut house, job, (SERVER, AuthScheme::NTLM), None).unwrap();

    assert_eq!(told_by(&mut house, job), []);
}

#[test]
fn the_machine_is_known_by_negotiate_alone() {
    let mut house = house();
    house.world.accounts.join_domain(Account::new("EXAMPLE", "HOST$", "machine").unwrap());
    let system = Token::service_account(bits_world::Sid::LOCAL_SYSTEM);
    let job = house.job_of(&system, 1);
    for scheme in [AuthScheme::NTLM, AuthScheme::NEGOTIATE] {
        let implicit = AuthCredentials { target: SERVER, scheme, user_name: None, password: None };
        assert_eq!(house.now_result(|engine, cx| engine.set_credentials(cx, &system, job, &implicit)), Ok(Success::OK));
    }

    assert_eq!(told_by(&mut house, job), [at(SERVER, AuthScheme::NEGOTIATE, r"EXAMPLE\HOST$:machine")]);
}

#[test]
fn implicit_credentials_for_the_proxy_are_for_the_server_unless_it_has_explicit_ones() {
    let mut house = house();
    let job = house.job(1);
    set(&mut house, job, (PROXY, AuthScheme::NTLM), None).unwrap();
    let alice = r"EXAMPLE\alice:logon";
    let both = [at(SERVER, AuthScheme::NTLM, alice), at(PROXY, AuthScheme::NTLM, alice)];
    assert_eq!(told_by(&mut house, job), both);
    house.suspend(job).unwrap();

    set(&mut house, job, (SERVER, AuthScheme::BASIC), Some(("carol", "p"))).unwrap();

    let expected = [at(SERVER, AuthScheme::BASIC, "carol:p"), at(PROXY, AuthScheme::NTLM, alice)];
    assert_eq!(told_by(&mut house, job), expected);
}

#[test]
fn explicit_credentials_for_the_proxy_are_for_the_proxy() {
    let mut house = house();
    let job = house.job(1);
    set(&mut house, job, (PROXY, AuthScheme::NTLM), Some((r"X\carol", "p"))).unwrap();

    assert_eq!(told_by(&mut house, job), [at(PROXY, AuthScheme::NTLM, r"X\carol:p")]);
}

#[test]
fn the_registry_lets_implicit_credentials_go_unset() {
    let policies = [
        (UseLmCompat::Always, 0, true),
        (UseLmCompat::ByLevel, 1, false),
        (UseLmCompat::ByLevel, 2, true),
        (UseLmCompat::OnlyIfSet, 5, false),
    ];
    for (use_lm_compat, lm_compatibility_level, sends) in policies {
        let mut house = house();
        house.world.accounts.policy = ImplicitPolicy { use_lm_compat, lm_compatibility_level };
        let job = house.job(1);

        let alice = r"EXAMPLE\alice:logon";
        let all = [SERVER, PROXY]
            .into_iter()
            .flat_map(|target| [AuthScheme::NTLM, AuthScheme::NEGOTIATE].map(|scheme| at(target, scheme, alice)));
        let expected: Vec<_> = all.filter(|_| sends).collect();
        assert_eq!(told_by(&mut house, job), expected, "{use_lm_compat:?} {lm_compatibility_level}");
    }
}

#[test]
fn a_helper_is_told_only_where_the_job_says_so() {
    let mut house = house();
    house.world.accounts.policy.use_lm_compat = UseLmCompat::Always;
    let job = house.job(1);
    house.lend(job, &bob(), TokenFlags::NETWORK);
    assert_eq!(told_by(&mut house, job), []);
    house.suspend(job).unwrap();

    set(&mut house, job, (SERVER, AuthScheme::NTLM), None).unwrap();

    assert_eq!(told_by(&mut house, job), [at(SERVER, AuthScheme::NTLM, r"EXAMPLE\bob:logon")]);
}

#[test]
fn stored_credentials_are_for_proxies_and_stand_behind_explicit_ones() {
    let mut house = house();
    house.world.accounts.store_for_proxies(alice().user, Account::new("", "proxyuser", "stored").unwrap());
    let job = house.job(1);
    assert_eq!(told_by(&mut house, job), []);
    house.suspend(job).unwrap();
    house.set(job, Setting::UseStoredCredentials, PROXY.0).unwrap();
    let windows = [AuthScheme::NTLM, AuthScheme::NEGOTIATE];
    assert_eq!(told_by(&mut house, job), windows.map(|scheme| at(PROXY, scheme, "proxyuser:stored")));
    house.suspend(job).unwrap();

    set(&mut house, job, (PROXY, AuthScheme::BASIC), Some(("carol", "p"))).unwrap();

    house.resume(job).unwrap();
    let logins = house.plan(job).logins;
    let first = |schemes: &[AuthScheme]| logins.first_of(PROXY, schemes).map(|(scheme, _)| scheme);
    assert_eq!(first(&[AuthScheme::NEGOTIATE, AuthScheme::BASIC]), Some(AuthScheme::BASIC));
    assert_eq!(first(&[AuthScheme::NEGOTIATE, AuthScheme::DIGEST]), Some(AuthScheme::NEGOTIATE));
}

#[test]
fn stored_credentials_are_those_of_the_helper() {
    let mut house = house();
    let job = house.job(1);
    house.set(job, Setting::UseStoredCredentials, PROXY.0).unwrap();
    house.lend(job, &bob(), TokenFlags::NETWORK);

    let bob = r"EXAMPLE\bob:logon";
    let expected = [at(PROXY, AuthScheme::NTLM, bob), at(PROXY, AuthScheme::NEGOTIATE, bob)];
    assert_eq!(told_by(&mut house, job), expected);
}

#[test]
fn the_account_of_a_url_stands_behind_that_of_the_job() {
    for (switch, expected) in [
        ("answer", vec![at(SERVER, AuthScheme::BASIC, "carol:p"), at(SERVER, AuthScheme::DIGEST, "dave:q@")]),
        ("ignored", vec![at(SERVER, AuthScheme::BASIC, "carol:p")]),
    ] {
        let mut config = config(Profile::default());
        config.decisions.set("http.url_credentials", switch).unwrap();
        let mut house = known(House::with(config));
        let job = house.empty_job(&alice());
        let file = FileInfo { remote_name: "http://dave:q%40@server/a", local_name: r"C:\a" };
        house.add(job, &[file]).unwrap();
        set(&mut house, job, (SERVER, AuthScheme::BASIC), Some(("carol", "p"))).unwrap();

        assert_eq!(told_by(&mut house, job), expected, "{switch}");
    }
}

#[test]
fn a_null_that_was_let_through_is_incomplete_since_3_0() {
    for (profile, is_incomplete) in [(Profile::V2_5, false), (Profile::V3_0, true)] {
        let mut config = config(profile);
        assert_eq!(config.decisions.set("job2.set_credentials.missing_members", "stored"), Ok(()));
        let mut house = House::with(config);
        let job = house.job(1);
        for scheme in [AuthScheme::BASIC, AuthScheme::DIGEST] {
            assert_eq!(set(&mut house, job, (SERVER, scheme), None), Err(Hresult::E_INVALIDARG));
        }
        assert_eq!(set(&mut house, job, (SERVER, AuthScheme::PASSPORT), None), Ok(Success::OK));
        house.resume(job).unwrap();

        let logins = house.plan(job).logins;

        assert_eq!(logins.is_incomplete(SERVER, AuthScheme::PASSPORT), is_incomplete, "{profile:?}");
        assert!(logins.get(SERVER, AuthScheme::PASSPORT).is_none());
    }
}

#[test]
fn what_changes_while_an_attempt_runs_counts_from_the_next_on() {
    let mut house = house();
    let job = house.job(2);
    set(&mut house, job, (SERVER, AuthScheme::BASIC), Some(("carol", "one"))).unwrap();
    assert_eq!(told_by(&mut house, job), [at(SERVER, AuthScheme::BASIC, "carol:one")]);
    let attempt = house.plan(job).attempt;

    set(&mut house, job, (SERVER, AuthScheme::BASIC), Some(("carol", "two"))).unwrap();
    assert_eq!(house.plan(job).attempt, attempt);
    house.transfer_file(job);
    assert_eq!(told(&house.plan(job).logins), [at(SERVER, AuthScheme::BASIC, "carol:two")]);

    let removed =
        house.now_result(|engine, cx| engine.remove_credentials(cx, &alice(), job, SERVER, AuthScheme::BASIC));
    assert_eq!(removed, Ok(Success::OK));
    house.fail(job, super::house::SERVER_BUSY);
    assert_eq!(told_by(&mut house, job), []);
}

#[test]
fn a_new_owner_stops_what_runs_with_the_credentials_of_the_old_one() {
    let mut house = house();
    let job = house.job(1);
    set(&mut house, job, (SERVER, AuthScheme::BASIC), Some(("carol", "one"))).unwrap();
    house.resume(job).unwrap();
    let before = house.plan(job);

    house.take_over(job).unwrap();

    assert!(house.released.contains(&before.chain), "its connection goes");
    assert_eq!(house.state(job), JobState::CONNECTING);
    assert_ne!(house.plan(job).attempt, before.attempt);
    assert_eq!(told(&house.plan(job).logins), []);
}
