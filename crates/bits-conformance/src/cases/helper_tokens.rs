//! Helper tokens: another user's token for a job's local files and network.

use bits_api::{TokenFlags, TokenOptions};
use bits_world::{ImpersonationLevel, Logon, Profile, Sid, Token};

use super::prelude::*;
use crate::claims::CallResult;

cases![
    token_options_came_with_4_0,
    the_helper_serves_what_the_flags_name,
    before_4_0_a_job_has_its_owners_token_only,
    without_flags_the_owner_does_everything,
    a_helper_is_set_up_in_the_documented_order,
    flags_are_kept_and_told,
    undefined_flags_are_refused,
    new_flags_count_from_the_next_attempt_on,
    a_helper_token_is_told_by_its_sid,
    another_token_takes_the_place_of_the_first,
    a_token_without_flags_is_not_used,
    a_cleared_token_leaves_the_flags,
    flags_outlive_a_restart_and_the_token_does_not,
    the_owners_logoff_takes_the_token,
    the_end_of_the_helpers_session_takes_the_token,
    every_job_that_is_not_transferred_fails_with_its_token,
    a_transferred_job_keeps_its_state_without_the_token,
    a_job_without_the_token_it_needs_fails_when_its_turn_comes,
    a_lost_token_can_be_set_again,
    a_lost_token_can_be_done_without,
    before_1607_it_takes_an_administrator,
    since_1607_the_owner_may_lend_a_token_too,
    an_administrators_token_takes_an_administrator,
    a_network_service_may_lend_a_users_token,
    a_token_must_let_itself_be_impersonated,
];

const DENIED: Hresult = Hresult::E_ACCESSDENIED;
const BOTH: TokenFlags = TokenFlags::all();

/// Gives the job the token of `helper`, with these flags.
fn lend(c: &Bench, job: &Arc<dyn Job>, helper: &Token, flags: TokenFlags) -> Result<Arc<dyn TokenOptions>, Stop> {
    let options = job.token_options()?;
    let impersonating = c.impersonate(helper)?;
    options.set_helper_token()?;
    drop(impersonating);
    options.set_helper_token_flags(flags)?;
    Ok(options)
}

/// A job with one file that is held in the middle, and a second user's token for that.
fn job_with_helper(c: &Bench, flags: TokenFlags) -> Result<(Arc<dyn Job>, Token), Stop> {
    let helper = c.other_token()?;
    let (job, file) = c.job_with_file(1_000)?;
    c.hold_at(&file, 400)?;
    lend(c, &job, &helper, flags)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    Ok((job, helper))
}

fn token_options_came_with_4_0(c: &mut Bench) -> Outcome {
    for profile in [Profile::V1_0, Profile::V3_0] {
        c.start_over();
        c.play(profile)?;
        c.returns("token.interface.min_os", c.new_job()?.token_options())?;
    }
    for profile in [Profile::V4_0, Profile::V10_3] {
        c.start_over();
        c.play(profile)?;
        c.is(["token.interface.obtain", "helper.interface"], c.new_job()?.token_options().err(), None)?;
    }
    Ok(())
}

/// What becomes of a job whose remote file and folder are for these users only, with a helper used
/// for these resources.
fn outcome(
    c: &mut Bench,
    flags: TokenFlags,
    reader: fn(&Bench) -> Result<Token, Stop>,
    writer: fn(&Bench) -> Result<Token, Stop>,
) -> Result<(JobState, Option<ErrorContext>), Stop> {
    c.start_over();
    let (job, file) = c.job_with_file(10)?;
    lend(c, &job, &c.other_token()?, flags)?;
    c.readable_only_for(&file, &[&reader(c)?])?;
    c.folder_only_for(&[&writer(c)?])?;
    job.resume()?;
    c.settle()?;
    let error = job.error().ok().map(|error| error.error()).transpose()?;
    Ok((job.state()?, error.map(|(context, _)| context)))
}

fn the_helper_serves_what_the_flags_name(c: &mut Bench) -> Outcome {
    const ARRIVED: (JobState, Option<ErrorContext>) = (JobState::TRANSFERRED, None);
    const NO_REMOTE: (JobState, Option<ErrorContext>) = (JobState::ERROR, Some(ErrorContext::REMOTE_FILE));
    const NO_LOCAL: (JobState, Option<ErrorContext>) = (JobState::ERROR, Some(ErrorContext::LOCAL_FILE));
    let (owner, helper) = (Bench::own_token, Bench::other_token);
    for (flags, with_owner_and_owner, with_helper_and_owner, with_owner_and_helper, with_helper_and_helper) in [
        (TokenFlags::NETWORK, NO_REMOTE, ARRIVED, NO_LOCAL, NO_LOCAL),
        (TokenFlags::LOCAL_FILE, NO_LOCAL, NO_LOCAL, ARRIVED, NO_REMOTE),
        (BOTH, NO_LOCAL, NO_LOCAL, NO_REMOTE, ARRIVED),
        (TokenFlags::empty(), ARRIVED, NO_REMOTE, NO_LOCAL, NO_LOCAL),
    ] {
        let got = [
            outcome(c, flags, owner, owner)?,
            outcome(c, flags, helper, owner)?,
            outcome(c, flags, owner, helper)?,
            outcome(c, flags, helper, helper)?,
        ];
        c.is(
            ["token.model.two_tokens", "token.model.other_resources_owner", "helper.second_token", "helper.uses"],
            got.to_vec(),
            vec![with_owner_and_owner, with_helper_and_owner, with_owner_and_helper, with_helper_and_helper],
        )?;
    }
    Ok(())
}

fn before_4_0_a_job_has_its_owners_token_only(c: &mut Bench) -> Outcome {
    let owner = c.own_token()?;
    for (reader, expected) in [(owner.clone(), JobState::TRANSFERRED), (c.other_token()?, JobState::ERROR)] {
        c.start_over();
        c.play(Profile::V3_0)?;
        let (job, file) = c.job_with_file(10)?;
        c.readable_only_for(&file, &[&reader])?;
        c.folder_only_for(&[&owner])?;
        job.resume()?;
        c.settle()?;
        c.is(
            ["token.model.one_token_vista", "helper.single_vista"],
            (job.token_options().err(), job.state()?),
            (Some(Hresult::E_NOINTERFACE), expected),
        )?;
    }
    Ok(())
}

fn without_flags_the_owner_does_everything(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(10)?;
    let options = lend(c, &job, &c.other_token()?, BOTH)?;
    c.readable_only_for(&file, &[&c.own_token()?])?;
    c.folder_only_for(&[&c.own_token()?])?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    options.set_helper_token_flags(TokenFlags::empty())?;
    c.value("helper.flags_clear", options.helper_token_flags()?)?;
    job.resume()?;
    c.settle()?;
    c.is(["token.model.revert", "helper.flags_clear"], job.state()?, JobState::TRANSFERRED)
}

fn a_helper_is_set_up_in_the_documented_order(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let helper = c.other_token()?;
    let options = job.token_options()?;
    let impersonating = c.impersonate(&helper)?;
    let token_set = options.set_helper_token();
    let flags_set = options.set_helper_token_flags(TokenFlags::NETWORK);
    // The helper itself has no right to the job.
    let asked_as_helper = job.token_options().err();
    drop(impersonating);
    c.returns("token.set_helper_token.ok", token_set)?;
    c.is("token.example.flags_while_impersonating", flags_set, Ok(Success::OK))?;
    let file = c.serve("a.bin", 10)?;
    c.readable_only_for(&file, &[&helper])?;
    file.add_to(&job)?;
    job.resume()?;
    c.settle()?;
    c.is(
        ["token.example.order", "helper.order"],
        (asked_as_helper, options.helper_token_sid()?.value, job.state()?),
        (Some(DENIED), Some(helper.user.to_string()), JobState::TRANSFERRED),
    )?;
    c.is("token.set_helper_token.params", options.helper_token_sid()?.value, Some(helper.user.to_string()))
}

fn flags_are_kept_and_told(c: &mut Bench) -> Outcome {
    let options = c.new_job()?.token_options()?;
    let flags = options.helper_token_flags();
    c.returns("token.get_helper_token_flags.ok", flags)?;
    c.value("token.flag.default", flags?)?;
    c.value("token.flag.local_file", TokenFlags::LOCAL_FILE)?;
    c.value("token.flag.network", TokenFlags::NETWORK)?;
    for flags in [TokenFlags::LOCAL_FILE, TokenFlags::NETWORK, BOTH, TokenFlags::empty()] {
        c.returns("token.set_helper_token_flags.ok", options.set_helper_token_flags(flags))?;
        c.is(
            [
                "token.get_helper_token_flags.roundtrip",
                "token.get_helper_token_flags.param",
                "token.set_helper_token_flags.param",
                "token.set_helper_token_flags.combination",
                "helper.stored",
                "token.model.stored_with_job",
            ],
            options.helper_token_flags()?,
            flags,
        )?;
    }
    Ok(())
}

fn undefined_flags_are_refused(c: &mut Bench) -> Outcome {
    let options = c.new_job()?.token_options()?;
    for bits in [0x4, 0x8000_0000, 0x7] {
        let refused = options.set_helper_token_flags(TokenFlags::from_bits_retain(bits));
        c.returns("token.set_helper_token_flags.unknown_bits", refused)?;
    }
    c.is("token.set_helper_token_flags.unknown_bits", options.helper_token_flags()?, TokenFlags::empty())
}

fn new_flags_count_from_the_next_attempt_on(c: &mut Bench) -> Outcome {
    let (job, helper) = job_with_helper(c, TokenFlags::NETWORK)?;
    let Some(url) = c.attempted()?.pop() else { return failed("nothing was attempted") };
    let file = crate::bench::Remote { url, local: String::new() };
    c.readable_only_for(&file, &[&helper])?;
    job.token_options()?.set_helper_token_flags(TokenFlags::empty())?;
    c.settle()?;
    let running_on = job.state()?;
    job.suspend()?;
    job.resume()?;
    c.settle()?;
    c.is(
        "token.set_helper_token_flags.changed_in_transfer",
        (running_on, job.state()?),
        (JobState::TRANSFERRING, JobState::ERROR),
    )
}

fn a_helper_token_is_told_by_its_sid(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let options = job.token_options()?;
    c.returns("token.get_helper_token_sid.not_set_code", options.helper_token_sid())?;
    c.is("token.get_helper_token_sid.not_set", options.helper_token_sid()?.value, None)?;
    let helper = c.other_token()?;
    lend(c, &job, &helper, TokenFlags::empty())?;
    c.is(
        ["token.get_helper_token_sid.set", "token.get_helper_token_sid.param", "helper.stored"],
        options.helper_token_sid()?.value,
        Some(helper.user.to_string()),
    )?;
    c.is(
        "token.model.stored_with_job",
        c.find(job.id()?)?.token_options()?.helper_token_sid()?.value,
        Some(helper.user.to_string()),
    )
}

fn another_token_takes_the_place_of_the_first(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let options = lend(c, &job, &c.other_token()?, TokenFlags::NETWORK)?;
    let second = c.stranger("ann")?;
    let impersonating = c.impersonate(&second)?;
    options.set_helper_token()?;
    drop(impersonating);
    c.is("token.set_helper_token.replace", options.helper_token_sid()?.value, Some(second.user.to_string()))?;
    c.is("token.set_helper_token.flags_unchanged", options.helper_token_flags()?, TokenFlags::NETWORK)
}

fn a_token_without_flags_is_not_used(c: &mut Bench) -> Outcome {
    for (reader, state) in [(c.own_token()?, JobState::TRANSFERRED), (c.other_token()?, JobState::ERROR)] {
        c.start_over();
        let (job, file) = c.job_with_file(10)?;
        let options = job.token_options()?;
        let impersonating = c.impersonate(&c.other_token()?)?;
        options.set_helper_token()?;
        drop(impersonating);
        c.readable_only_for(&file, &[&reader])?;
        job.resume()?;
        c.settle()?;
        c.is("token.set_helper_token.flags_unchanged", job.state()?, state)?;
    }
    Ok(())
}

fn a_cleared_token_leaves_the_flags(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let options = lend(c, &job, &c.other_token()?, BOTH)?;
    c.returns("token.clear_helper_token.ok", options.clear_helper_token())?;
    c.is("token.clear_helper_token.discards", options.helper_token_sid()?.value, None)?;
    c.is("token.clear_helper_token.keeps_flags", options.helper_token_flags()?, BOTH)?;
    c.returns("token.clear_helper_token.ok", options.clear_helper_token())
}

fn flags_outlive_a_restart_and_the_token_does_not(c: &mut Bench) -> Outcome {
    let (job, _) = job_with_helper(c, TokenFlags::NETWORK)?;
    let id = job.id()?;
    c.restart_service()?;
    let job = c.find(id)?;
    let options = job.token_options()?;
    c.is("token.set_helper_token_flags.persist", options.helper_token_flags()?, TokenFlags::NETWORK)?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.is(
        "token.set_helper_token.not_persistent",
        (options.helper_token_sid()?.value, error_of(&job)?.1),
        (None, Hresult::BG_E_TOKEN_REQUIRED),
    )
}

fn the_owners_logoff_takes_the_token(c: &mut Bench) -> Outcome {
    let (job, _) = job_with_helper(c, TokenFlags::NETWORK)?;
    c.log_off()?;
    c.settle()?;
    c.is(
        ["token.logoff.error_state", "helper.logoff_error", "lifecycle.edge.token_lost", "retry.fatal.token"],
        job.state()?,
        JobState::ERROR,
    )?;
    c.returns(
        ["token.logoff.error_code", "helper.logoff_error", "lifecycle.edge.token_lost", "retry.fatal.token"],
        error_of(&job)?.1,
    )?;
    c.is(
        ["token.logoff.discard", "helper.logoff_discard", "token.set_helper_token.not_persistent"],
        job.token_options()?.helper_token_sid()?.value,
        None,
    )?;
    // Fatal: the owner's logon alone mends nothing.
    c.log_on()?;
    c.advance(DAY)?;
    c.is("retry.fatal.token", job.state()?, JobState::ERROR)
}

fn the_end_of_the_helpers_session_takes_the_token(c: &mut Bench) -> Outcome {
    let helper = c.other_token()?;
    let (kept, ended) =
        (c.open_session(&helper, Logon::RemoteDesktop)?, c.open_session(&helper, Logon::RemoteDesktop)?);
    let mut jobs = Vec::new();
    for session in [kept, ended] {
        let (job, _) = c.job_with_file(1_000)?;
        lend(c, &job, &helper.clone().in_session(session), BOTH)?;
        jobs.push(job);
    }
    c.change_sessions(|world| world.close_session(ended))?;
    c.settle()?;
    let helper_of = |job: &Arc<dyn Job>| Ok(job.token_options()?.helper_token_sid()?.value);
    let helpers = jobs.iter().map(helper_of).collect::<Result<Vec<_>, Hresult>>()?;
    c.is(["token.logoff.session", "helper.ts_logoff"], helpers, vec![Some(helper.user.to_string()), None])?;
    c.is(
        ["token.logoff.session", "helper.ts_logoff"],
        (jobs[0].state()?, jobs[1].state()?),
        (JobState::SUSPENDED, JobState::ERROR),
    )?;
    c.returns("helper.ts_logoff", error_of(&jobs[1])?.1)
}

fn every_job_that_is_not_transferred_fails_with_its_token(c: &mut Bench) -> Outcome {
    for state in LIVING {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        lend(c, &job, &c.other_token()?, TokenFlags::LOCAL_FILE)?;
        c.log_off()?;
        c.settle()?;
        let expected = if state == JobState::TRANSFERRED { state } else { JobState::ERROR };
        c.is(["token.logoff.error_state", "token.logoff.finished_job"], job.state()?, expected)?;
    }
    Ok(())
}

fn a_transferred_job_keeps_its_state_without_the_token(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    let options = lend(c, &job, &c.other_token()?, TokenFlags::LOCAL_FILE)?;
    c.log_off()?;
    c.settle()?;
    let refused = job.complete();
    let state = job.state()?;
    options.set_helper_token_flags(TokenFlags::empty())?;
    c.is(
        "token.logoff.finished_job",
        (refused, state, job.complete()),
        (Err(Hresult::BG_E_TOKEN_REQUIRED), JobState::TRANSFERRED, Ok(Success::OK)),
    )?;
    // The network is needed no more.
    c.start_over();
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    lend(c, &job, &c.other_token()?, TokenFlags::NETWORK)?;
    c.log_off()?;
    c.settle()?;
    c.is("token.logoff.finished_job", job.complete(), Ok(Success::OK))
}

fn a_job_without_the_token_it_needs_fails_when_its_turn_comes(c: &mut Bench) -> Outcome {
    for flags in [TokenFlags::LOCAL_FILE, TokenFlags::NETWORK] {
        c.start_over();
        let (job, _) = c.job_with_file(10)?;
        job.token_options()?.set_helper_token_flags(flags)?;
        c.is("token.missing.flags_without_token", job.resume(), Ok(Success::OK))?;
        c.wait(&job, JobState::ERROR, SOON)?;
        c.returns("token.missing.flags_without_token", error_of(&job)?.1)?;
        c.is("token.missing.flags_without_token", c.attempted()?.len(), 0)?;
    }
    Ok(())
}

fn a_lost_token_can_be_set_again(c: &mut Bench) -> Outcome {
    let (job, helper) = job_with_helper(c, TokenFlags::NETWORK)?;
    c.log_off()?;
    c.log_on()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let options = job.token_options()?;
    let impersonating = c.impersonate(&helper)?;
    let set_again = options.set_helper_token();
    drop(impersonating);
    c.is("token.set_helper_token.states", set_again, Ok(Success::OK))?;
    job.resume()?;
    c.settle()?;
    c.is(
        ["token.logoff.recover_refresh", "helper.recover_refresh"],
        (job.state()?, options.helper_token_sid()?.value),
        (JobState::TRANSFERRING, Some(helper.user.to_string())),
    )
}

fn a_lost_token_can_be_done_without(c: &mut Bench) -> Outcome {
    let (job, _) = job_with_helper(c, TokenFlags::NETWORK)?;
    c.log_off()?;
    c.log_on()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let options = job.token_options()?;
    options.set_helper_token_flags(TokenFlags::empty())?;
    job.resume()?;
    c.settle()?;
    c.is(
        ["token.logoff.recover_clear_flags", "helper.recover_clear"],
        (job.state()?, options.helper_token_sid()?.value),
        (JobState::TRANSFERRING, None),
    )
}

/// The code of each method; a success of GetHelperTokenFlags is told as `S_OK`.
fn codes(options: &Arc<dyn TokenOptions>) -> Vec<Hresult> {
    vec![
        options.set_helper_token().code(),
        options.set_helper_token_flags(TokenFlags::NETWORK).code(),
        options.helper_token_flags().code(),
        options.helper_token_sid().code(),
        options.clear_helper_token().code(),
    ]
}

fn before_1607_it_takes_an_administrator(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    for profile in [Profile::V4_0, Profile::V5_0] {
        c.start_over();
        c.play(profile)?;
        let own = c.new_job()?;
        c.returns("token.set_helper_token.access_denied_old", own.token_options()?.set_helper_token())?;
        let clauses = ["token.access.admin_before_1607", "helper.admin_before_1607"];
        c.is(clauses, codes(&own.token_options()?), vec![DENIED; 5])?;
        let administrator = c.administrator()?;
        c.is(clauses, codes(&new_job(&administrator)?.token_options()?), vec![Hresult::S_OK; 5])?;
        let mut elevated = c.own_token()?;
        elevated.elevated = true;
        let elevated = new_job(&c.manager_as(elevated)?)?;
        c.is(clauses, codes(&elevated.token_options()?), vec![DENIED; 5])?;
        let foreign = administrator.job(own.id()?)?.token_options()?;
        c.returns("token.set_helper_token.access_denied_old", foreign.set_helper_token())?;
    }
    Ok(())
}

fn since_1607_the_owner_may_lend_a_token_too(c: &mut Bench) -> Outcome {
    c.play(Profile::V5_0_1607)?;
    let job = c.new_job()?;
    let options = job.token_options()?;
    let helper = c.other_token()?;
    let impersonating = c.impersonate(&helper)?;
    let as_helper = codes(&options);
    drop(impersonating);
    c.is(
        [
            "token.access.owner_since_1607",
            "helper.nonadmin_1607.owner",
            "token.set_helper_token.non_admin_helper",
            "token.set_helper_token_flags.access_1607",
            "token.get_helper_token_flags.access_1607",
            "token.clear_helper_token.access_1607",
            "token.get_helper_token_sid.access_1607",
        ],
        as_helper,
        vec![Hresult::S_OK; 5],
    )?;
    let asking = c.impersonate(&helper)?;
    let refused = job.token_options().err();
    drop(asking);
    c.is(["token.access.owner_since_1607", "helper.nonadmin_1607.owner"], refused, Some(DENIED))?;
    let foreign = c.administrator()?.job(job.id()?)?.token_options()?;
    c.is("token.access.admin_not_owner", codes(&foreign), vec![Hresult::S_OK; 5])
}

fn an_administrators_token_takes_an_administrator(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    let job = c.new_job()?;
    let options = job.token_options()?;
    let administrator = c.administrator_token()?;
    let impersonating = c.impersonate(&administrator)?;
    let refused = options.set_helper_token();
    drop(impersonating);
    c.returns(["token.set_helper_token.access_denied_new", "helper.nonadmin_1607.token"], refused)?;
    // An administrator may, and what the owner may do is less then.
    let foreign = c.administrator()?.job(job.id()?)?.token_options()?;
    let impersonating = c.impersonate(&administrator)?;
    let lent = foreign.set_helper_token();
    drop(impersonating);
    c.is("token.set_helper_token.admin_caller_admin_helper", lent, Ok(Success::OK))?;
    c.is("token.set_helper_token_flags.access_1607", options.set_helper_token_flags(TokenFlags::NETWORK), Err(DENIED))?;
    c.is(
        ["token.clear_helper_token.access_1607", "token.get_helper_token_sid.access_1607"],
        (options.helper_token_sid()?.value, options.clear_helper_token()),
        (Some(administrator.user.to_string()), Ok(Success::OK)),
    )
}

fn a_network_service_may_lend_a_users_token(c: &mut Bench) -> Outcome {
    c.play(Profile::V5_0_1607)?;
    let job = new_job(&c.service_account(Sid::NETWORK_SERVICE)?)?;
    let options = job.token_options()?;
    let (user, administrator) = (c.other_token()?, c.administrator_token()?);
    let impersonating = c.impersonate(&user)?;
    let lent = options.set_helper_token();
    drop(impersonating);
    let impersonating = c.impersonate(&administrator)?;
    let refused = options.set_helper_token();
    drop(impersonating);
    c.is("token.access.network_service_1607", (lent, refused), (Ok(Success::OK), Err(DENIED)))
}

fn a_token_must_let_itself_be_impersonated(c: &mut Bench) -> Outcome {
    let options = c.new_job()?.token_options()?;
    let helper = c.other_token()?;
    let impersonating = c.impersonate(&helper.clone().letting(ImpersonationLevel::Identify))?;
    let refused = options.set_helper_token();
    drop(impersonating);
    c.returns("token.set_helper_token.failed_to_impersonate", refused)?;
    let impersonating = c.impersonate(&helper.letting(ImpersonationLevel::Delegate))?;
    let lent = options.set_helper_token();
    drop(impersonating);
    c.is("token.set_helper_token.level_required", lent, Ok(Success::OK))
}
