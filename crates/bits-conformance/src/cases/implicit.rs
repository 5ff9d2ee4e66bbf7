//! Credentials that no client names: whoever the job uses the network for, and the machine's policy.

use bits_api::{AuthCredentials, AuthScheme, AuthTarget, JobPropertyId, JobPropertyValue, TokenFlags};
use bits_origin::{Guard, Journal, Origin, Scheme};
use bits_world::{Account, ImplicitPolicy, Token, UseLmCompat};

use super::authentication::{Behind, behind};
use super::http::{bytes, content};
use super::prelude::*;

cases![
    nobody_named_is_who_has_logged_on,
    implicit_credentials_for_the_proxy_cover_the_server,
    explicit_credentials_for_the_server_go_before_implicit_ones,
    without_set_credentials_nobody_is_shown,
    the_registry_may_let_the_user_be_shown,
    a_helper_is_shown_only_where_the_job_says_so,
    stored_credentials_stand_behind_explicit_ones,
    the_strongest_scheme_with_a_record_is_used,
];

const ALICE: &str = r"EXAMPLE\alice";
const BOB: &str = r"EXAMPLE\bob";
const PASSWORD: &str = "correct horse";

/// The main client's user has logged on as Alice.
fn alice_logs_on(c: &Bench) -> Outcome {
    let token = c.own_token()?;
    logs_on(c, &token, "alice")
}

fn logs_on(c: &Bench, token: &Token, name: &str) -> Outcome {
    let account = Account::new("EXAMPLE", name, PASSWORD).map_err(|error| Stop::Failed(error.to_string()))?;
    c.change_accounts(|accounts| accounts.log_on_as(token.user.clone(), account))
}

fn guard(schemes: &[Scheme]) -> Guard {
    let guard = Guard::new("vault").knows(ALICE, PASSWORD).knows(BOB, PASSWORD).knows("stored", PASSWORD);
    schemes.iter().fold(guard, |guard, scheme| guard.offers(*scheme))
}

/// A server with a file for those whom it knows.
fn guarded(c: &mut Bench, schemes: &[Scheme]) -> Result<Arc<Origin>, Stop> {
    let origin = c.origin()?;
    origin.put("/file", content());
    origin.guard("*", guard(schemes));
    Ok(origin)
}

/// A job behind a proxy: a tunnel is one connection to the end, as NTLM needs it.
fn behind_proxy(c: &mut Bench, schemes: &[Scheme]) -> Result<Behind, Stop> {
    behind(c, guard(schemes), true)
}

fn set(job: &Arc<dyn Job>, target: AuthTarget, scheme: AuthScheme, login: Option<(&str, &str)>) -> Outcome {
    let (user_name, password) = login.unzip();
    job.clone().job2()?.set_credentials(&AuthCredentials { target, scheme, user_name, password })?;
    Ok(())
}

/// In whose name the first request was let through.
fn first_account(journal: &Journal) -> Option<String> {
    journal.iter().find_map(|request| request.account.clone())
}

fn said_who(journal: &Journal) -> usize {
    let has = |request: &&bits_origin::Request| {
        request.header("Authorization").or_else(|| request.header("Proxy-Authorization")).is_some()
    };
    journal.iter().filter(has).count()
}

fn ends(c: &Bench, job: &Arc<dyn Job>, passes: bool) -> Outcome {
    job.resume()?;
    c.wait(job, if passes { JobState::TRANSFERRED } else { JobState::ERROR }, SOON)
}

fn nobody_named_is_who_has_logged_on(c: &mut Bench) -> Outcome {
    for (scheme, record) in [(Scheme::Ntlm, AuthScheme::NTLM), (Scheme::Negotiate, AuthScheme::NEGOTIATE)] {
        c.start_over();
        let origin = guarded(c, &[scheme])?;
        alice_logs_on(c)?;
        let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
        set(&job, AuthTarget::SERVER, record, None)?;
        ends(c, &job, true)?;
        let clauses = ["auth.implicit", "auth.basic_credentials.user_name.null", "auth.implicit.scheme"];
        c.is(clauses, first_account(&origin.journal()), Some(ALICE.to_owned()))?;
        job.complete()?;
        c.holds("auth.implicit", "the file has the bytes of the server's", c.downloaded()? == bytes())?;
    }
    // A user whose account is not known has none to show.
    c.start_over();
    let origin = guarded(c, &[Scheme::Ntlm])?;
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    set(&job, AuthTarget::SERVER, AuthScheme::NTLM, None)?;
    ends(c, &job, false)?;
    c.is("auth.implicit", said_who(&origin.journal()), 0)
}

fn implicit_credentials_for_the_proxy_cover_the_server(c: &mut Bench) -> Outcome {
    let clauses = ["auth.implicit.proxy_covers_server", "auth.implicit_proxy_spill"];
    for (target, passes) in [(AuthTarget::PROXY, true), (AuthTarget::SERVER, false)] {
        c.start_over();
        let (job, origin, proxy) = behind_proxy(c, &[Scheme::Ntlm])?;
        origin.guard("*", guard(&[Scheme::Ntlm]));
        alice_logs_on(c)?;
        set(&job, target, AuthScheme::NTLM, None)?;
        ends(c, &job, passes)?;
        let alice = passes.then(|| ALICE.to_owned());
        // The other way round nothing is covered: the proxy lets nobody through.
        c.is(clauses, (first_account(&proxy.journal()), first_account(&origin.journal())), (alice.clone(), alice))?;
    }
    Ok(())
}

fn explicit_credentials_for_the_server_go_before_implicit_ones(c: &mut Bench) -> Outcome {
    let clauses = ["auth.implicit.proxy_explicit_server_wins", "auth.implicit_proxy_spill"];
    for (password, passes) in [(PASSWORD, true), ("wrong", false)] {
        c.start_over();
        let (job, origin, proxy) = behind_proxy(c, &[Scheme::Ntlm])?;
        origin.guard("*", guard(&[Scheme::Ntlm, Scheme::Basic]));
        alice_logs_on(c)?;
        set(&job, AuthTarget::PROXY, AuthScheme::NTLM, None)?;
        set(&job, AuthTarget::SERVER, AuthScheme::BASIC, Some((BOB, password)))?;
        ends(c, &job, passes)?;
        c.is(clauses, first_account(&proxy.journal()), Some(ALICE.to_owned()))?;
        c.is(clauses, first_account(&origin.journal()), passes.then(|| BOB.to_owned()))?;
    }
    Ok(())
}

fn without_set_credentials_nobody_is_shown(c: &mut Bench) -> Outcome {
    for scheme in [Scheme::Ntlm, Scheme::Negotiate] {
        c.start_over();
        let origin = guarded(c, &[scheme])?;
        alice_logs_on(c)?;
        let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
        ends(c, &job, false)?;
        c.is("auth.implicit.use_lm_compat.default", said_who(&origin.journal()), 0)?;
        let unknown = (ErrorContext::REMOTE_FILE, Hresult::BG_E_HTTP_ERROR_401);
        c.is("auth.implicit.use_lm_compat.default", error_of(&job)?, unknown)?;
    }
    c.value("auth.implicit.use_lm_compat.default", UseLmCompat::default() as u32)
}

fn the_registry_may_let_the_user_be_shown(c: &mut Bench) -> Outcome {
    let policies = [(0, 0, "0", true), (1, 1, "1", false), (1, 2, "1", true), (1, 5, "1", true), (2, 5, "2", false)];
    for (value, lm_compatibility_level, number, shows) in policies {
        c.start_over();
        let origin = guarded(c, &[Scheme::Ntlm])?;
        alice_logs_on(c)?;
        let Some(use_lm_compat) = UseLmCompat::of_registry(value) else { return failed("no such value") };
        c.change_accounts(|accounts| accounts.policy = ImplicitPolicy { use_lm_compat, lm_compatibility_level })?;
        let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
        ends(c, &job, shows)?;
        let clause = match number {
            "0" => "auth.uselmcompat_0",
            "1" => "auth.uselmcompat_1",
            _ => "auth.uselmcompat_2",
        };
        c.is(clause, first_account(&origin.journal()), shows.then(|| ALICE.to_owned()))?;
        if value == 1 {
            c.is("auth.lmcompat", said_who(&origin.journal()) > 0, shows)?;
        }
        if value == 2 {
            // SetCredentials is all that was missing.
            set(&job, AuthTarget::SERVER, AuthScheme::NTLM, None)?;
            job.resume()?;
            c.settle()?;
            c.is(clause, first_account(&origin.journal()), Some(ALICE.to_owned()))?;
        }
        job.cancel()?;
    }
    Ok(())
}

fn a_helper_is_shown_only_where_the_job_says_so(c: &mut Bench) -> Outcome {
    for says_so in [false, true] {
        c.start_over();
        let origin = guarded(c, &[Scheme::Ntlm])?;
        alice_logs_on(c)?;
        let helper = c.other_token()?;
        logs_on(c, &helper, "bob")?;
        // Not even where the registry lets users be shown.
        let policy = ImplicitPolicy { use_lm_compat: UseLmCompat::Always, lm_compatibility_level: 5 };
        c.change_accounts(|accounts| accounts.policy = policy)?;
        let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
        let options = job.clone().token_options()?;
        let impersonation = c.impersonate(&helper)?;
        options.set_helper_token()?;
        drop(impersonation);
        options.set_helper_token_flags(TokenFlags::NETWORK)?;
        if says_so {
            set(&job, AuthTarget::SERVER, AuthScheme::NTLM, None)?;
        }
        ends(c, &job, says_so)?;
        let clauses = ["token.flag.network.needs_set_credentials", "proxy.helper_auth"];
        c.is(clauses, first_account(&origin.journal()), says_so.then(|| BOB.to_owned()))?;
    }
    Ok(())
}

/// What a proxy offers, what the job has for it, whether stored credentials may be used, and whose are.
type Behaviour<'a> = (&'a [Scheme], Option<(AuthScheme, &'a str)>, bool, Option<&'a str>);

fn stored_credentials_stand_behind_explicit_ones(c: &mut Bench) -> Outcome {
    let clause = "job5.use_stored_credentials.vs_set_credentials";
    let explicit = (AuthScheme::BASIC, BOB);
    let jobs: [Behaviour<'_>; 4] = [
        (&[Scheme::Ntlm], None, false, None),
        (&[Scheme::Ntlm], None, true, Some("stored")),
        (&[Scheme::Ntlm, Scheme::Basic], Some(explicit), true, Some(BOB)),
        (&[Scheme::Ntlm], Some(explicit), true, Some("stored")),
    ];
    for (offered, record, uses_stored, expected) in jobs {
        c.start_over();
        let (job, _, proxy) = behind_proxy(c, offered)?;
        alice_logs_on(c)?;
        let (user, stored) = (c.own_token()?.user, Account::new("", "stored", PASSWORD));
        let stored = stored.map_err(|error| Stop::Failed(error.to_string()))?;
        c.change_accounts(|accounts| accounts.store_for_proxies(user, stored))?;
        if let Some((scheme, name)) = record {
            set(&job, AuthTarget::PROXY, scheme, Some((name, PASSWORD)))?;
        }
        if uses_stored {
            let proxy = JobPropertyValue::Target(AuthTarget::PROXY);
            job.clone().job5()?.set_property(JobPropertyId::USE_STORED_CREDENTIALS, proxy)?;
        }
        ends(c, &job, expected.is_some())?;
        c.is(clause, first_account(&proxy.journal()), expected.map(str::to_owned))?;
    }
    Ok(())
}

fn the_strongest_scheme_with_a_record_is_used(c: &mut Bench) -> Outcome {
    let all = [Scheme::Basic, Scheme::Ntlm, Scheme::Negotiate];
    let records = [
        (vec![AuthScheme::BASIC], "Basic"),
        (vec![AuthScheme::BASIC, AuthScheme::NTLM], "NTLM"),
        (vec![AuthScheme::BASIC, AuthScheme::NTLM, AuthScheme::NEGOTIATE], "Negotiate"),
    ];
    for (records, used) in records {
        c.start_over();
        let origin = guarded(c, &all)?;
        let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
        for scheme in records {
            set(&job, AuthTarget::SERVER, scheme, Some((ALICE, PASSWORD)))?;
        }
        ends(c, &job, true)?;
        let shown = origin.journal().iter().find_map(|request| request.header("Authorization").map(str::to_owned));
        let scheme = shown.as_deref().and_then(|shown| shown.split(' ').next()).map(str::to_owned);
        c.is("job2.set_credentials.choose", scheme, Some(used.to_owned()))?;
    }
    Ok(())
}
