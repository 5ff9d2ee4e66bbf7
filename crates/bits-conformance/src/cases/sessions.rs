//! How users come in, and what of it lets their jobs run.

use bits_world::{ImpersonationLevel, Logon, Presence, Profile};

use super::prelude::*;

cases![
    a_logon_at_a_screen_lets_jobs_run,
    a_logon_that_is_not_interactive_does_not,
    a_powershell_remote_session_counts_since_1607,
    a_job_of_a_remote_session_runs_while_any_session_is_active,
    a_user_who_is_switched_away_counts_as_logged_on,
    remote_use_is_refused,
    a_caller_must_let_itself_be_seen,
];

/// The state of a job of a user with that one session, which is resumed when it may run.
fn state_with(c: &Bench, logon: Logon) -> Result<JobState, Stop> {
    let user = c.stranger("ann")?;
    c.change_sessions(|world| world.log_on(user.user.clone()))?;
    let job = new_job(&c.manager_as(user.clone())?)?;
    let file = c.serve("a.bin", 10)?;
    file.add_to(&job)?;
    c.change_sessions(|world| {
        world.log_off(&user.user);
        world.open_session(user.user.clone(), logon);
    })?;
    job.resume()?;
    c.settle()?;
    Ok(job.state()?)
}

fn a_logon_at_a_screen_lets_jobs_run(c: &mut Bench) -> Outcome {
    for profile in [Profile::V1_0, Profile::V10_3] {
        for logon in [Logon::Console, Logon::RemoteDesktop] {
            c.start_over();
            c.play(profile)?;
            c.is("users.logon_kinds", state_with(c, logon)?, JobState::TRANSFERRED)?;
        }
    }
    Ok(())
}

fn a_logon_that_is_not_interactive_does_not(c: &mut Bench) -> Outcome {
    for logon in [Logon::RunAs, Logon::Batch, Logon::Service, Logon::Network, Logon::WinRm, Logon::PowerShellDirect] {
        c.start_over();
        c.is("users.logon_kinds", state_with(c, logon)?, JobState::QUEUED)?;
    }
    c.start_over();
    let user = c.stranger("ann")?.by(Logon::RunAs);
    c.open_session(&user, Logon::RunAs)?;
    let job = new_job(&c.manager_as(user.clone())?)?;
    let file = c.serve("a.bin", 10)?;
    let refused = job.add_file(Some(&file.url), Some(&file.local));
    c.is("users.runas", refused, Err(Hresult::ERROR_NOT_LOGGED_ON))?;
    c.open_session(&user, Logon::Console)?;
    file.add_to(&job)?;
    job.resume()?;
    c.settle()?;
    c.is("users.runas", job.state()?, JobState::TRANSFERRED)
}

fn a_powershell_remote_session_counts_since_1607(c: &mut Bench) -> Outcome {
    for (profile, expected) in [(Profile::V5_0, JobState::QUEUED), (Profile::V5_0_1607, JobState::TRANSFERRED)] {
        c.start_over();
        c.play(profile)?;
        c.is("users.logon_kinds", state_with(c, Logon::PowerShellRemoting)?, expected)?;
    }
    Ok(())
}

fn a_job_of_a_remote_session_runs_while_any_session_is_active(c: &mut Bench) -> Outcome {
    c.play(Profile::V5_0_1607)?;
    let user = c.stranger("ann")?;
    let first = c.open_session(&user, Logon::PowerShellRemoting)?;
    let shell = user.clone().by(Logon::PowerShellRemoting).in_session(first);
    let job = new_job(&c.manager_as(shell)?)?;
    let file = c.serve("a.bin", 1_000)?;
    file.add_to(&job)?;
    c.hold_at(&file, 400)?;
    job.resume()?;
    c.settle()?;
    let clauses = ["users.ps_remote", "version.1607.remote_session"];
    c.is(clauses, (job.owner()?, job.state()?), (user.user.to_string(), JobState::TRANSFERRING))?;
    // Another remote session, then a local one, is enough.
    for next in [Logon::PowerShellRemoting, Logon::Console] {
        let sessions = c.sessions_of(&user)?;
        c.open_session(&user, next)?;
        c.change_sessions(|world| sessions.into_iter().for_each(|session| world.close_session(session)))?;
        c.settle()?;
        c.is(clauses, job.state()?, JobState::TRANSFERRING)?;
    }
    c.change_sessions(|world| world.log_off(&user.user))?;
    c.settle()?;
    c.is(clauses, job.state()?, JobState::QUEUED)?;
    let again = c.open_session(&user, Logon::PowerShellRemoting)?;
    c.settle()?;
    c.is(clauses, job.state()?, JobState::TRANSFERRING)?;
    c.change_sessions(|world| world.set_presence(again, Presence::Disconnected))?;
    c.settle()?;
    c.is(clauses, job.state()?, JobState::QUEUED)
}

fn a_user_who_is_switched_away_counts_as_logged_on(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRING)?;
    let sessions = c.sessions_of(&c.own_token()?)?;
    for presence in [Presence::SwitchedAway, Presence::Locked, Presence::Disconnected, Presence::Active] {
        c.change_sessions(|world| sessions.iter().for_each(|session| world.set_presence(*session, presence)))?;
        c.advance(DAY)?;
        let states = c.states_of(&job)?;
        c.is("users.fast_switch", states.last().copied(), Some(JobState::TRANSFERRING))?;
        c.is("users.fast_switch", states.len(), 4)?;
    }
    Ok(())
}

fn remote_use_is_refused(c: &mut Bench) -> Outcome {
    let own = c.own_token()?;
    c.returns("users.remote_not_supported", c.activation_of(own.clone().from_another_machine())?)?;
    for (profile, logon, expected) in [
        (Profile::V5_0, Logon::PowerShellRemoting, Some(Hresult::BG_E_REMOTE_NOT_SUPPORTED)),
        (Profile::V5_0_1607, Logon::PowerShellRemoting, None),
        (Profile::V10_3, Logon::WinRm, Some(Hresult::BG_E_REMOTE_NOT_SUPPORTED)),
        (Profile::V10_3, Logon::PowerShellDirect, Some(Hresult::BG_E_REMOTE_NOT_SUPPORTED)),
    ] {
        c.start_over();
        c.play(profile)?;
        let id = c.new_job()?.id()?;
        let manager = c.manager_as(own.clone().by(logon))?;
        let refusals = vec![
            manager.enum_jobs(EnumJobsFlags::empty()).err(),
            manager.job(id).err(),
            manager.create_job(Some(job_name()), JobType::DOWNLOAD).err(),
        ];
        c.is("users.remote_not_supported", refusals, vec![expected; 3])?;
    }
    Ok(())
}

fn a_caller_must_let_itself_be_seen(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let own = c.own_token()?;
    let unseen = c.impersonate(&own.clone().letting(ImpersonationLevel::Anonymous))?;
    let (activated, queried) = (c.activation_of(own.clone())?, job.job2());
    drop(unseen);
    c.returns("security.impersonation_level", activated)?;
    c.returns("security.impersonation_level", queried)?;
    let identified = c.impersonate(&own.letting(ImpersonationLevel::Identify))?;
    let queried = job.job2().err();
    drop(identified);
    c.is("security.impersonation_level", queried, None)
}
