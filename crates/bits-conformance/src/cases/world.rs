//! Network, users, policies, and restarts of the service.

use bits_world::{InternetBandwidth, Profile};

use super::prelude::*;

cases![
    losing_the_network_stops_queued_and_active_jobs,
    losing_the_network_leaves_other_jobs_alone,
    a_lost_network_is_not_retried_by_the_timer,
    a_lost_network_is_not_counted,
    a_network_that_comes_back_puts_jobs_into_the_queue,
    a_network_that_comes_back_ends_every_transient_error,
    a_job_whose_owner_is_away_waits_in_the_queue_when_the_network_comes_back,
    nothing_transfers_without_a_network,
    logoff_stops_the_transfer_and_logon_goes_on,
    a_job_waits_for_its_owner,
    a_user_without_a_logon_gets_an_empty_job_at_most,
    service_accounts_are_always_logged_on,
    an_administrator_works_on_a_foreign_job,
    zero_bandwidth_blocks_background_jobs_only,
    zero_bandwidth_is_not_retried_nor_counted,
    jobs_go_on_when_zero_bandwidth_ends,
    a_job_without_activity_is_cancelled_after_ninety_days,
    every_idle_state_ends_by_inactivity,
    activity_restarts_the_inactivity_clock,
    inactivity_takes_the_files_away,
    inactivity_goes_on_while_the_owner_is_away,
    jobs_outlive_a_restart,
    active_jobs_are_queued_after_a_restart,
    a_restart_goes_on_where_it_stopped,
    inactivity_is_as_old_as_bits,
    inactivity_goes_on_over_restarts,
];

const ACTIVE: [JobState; 3] = [JobState::QUEUED, JobState::CONNECTING, JobState::TRANSFERRING];

fn losing_the_network_stops_queued_and_active_jobs(c: &mut Bench) -> Outcome {
    for (state, clauses) in [
        (JobState::QUEUED, ["lifecycle.edge.net_lost_queued", "net.lost"]),
        (JobState::TRANSFERRING, ["lifecycle.edge.net_lost_transferring", "net.lost"]),
        (JobState::CONNECTING, ["lifecycle.edge.net_lost_connecting", "retry.transient.disconnect"]),
    ] {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        c.disconnect()?;
        c.settle()?;
        c.is(clauses, job.state()?, JobState::TRANSIENT_ERROR)?;
        let (context, code) = error_of(&job)?;
        c.returns(clauses, code)?;
        c.value(["enum.error_context.general_queue_manager", "errors.context.enum_general_queue_manager"], context)?;
    }
    Ok(())
}

fn losing_the_network_leaves_other_jobs_alone(c: &mut Bench) -> Outcome {
    for state in [JobState::SUSPENDED, JobState::ERROR, JobState::TRANSFERRED] {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        c.disconnect()?;
        c.advance(DAY)?;
        c.is("net.lost_other_states", job.state()?, state)?;
    }
    Ok(())
}

fn a_lost_network_is_not_retried_by_the_timer(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRING)?;
    c.disconnect()?;
    c.advance(DAY)?;
    c.is(
        ["retry.none_network", "job.set_minimum_retry_delay.no_retry_cases", "enum.job_state.transient_no_retry"],
        (job.state()?, c.attempted()?.len()),
        (JobState::TRANSIENT_ERROR, 1),
    )?;
    c.connect()?;
    c.settle()?;
    c.is(
        ["retry.none_network", "job.set_minimum_retry_delay.no_retry_cases", "enum.job_state.transient_no_retry"],
        (job.state()?, c.attempted()?.len()),
        (JobState::TRANSFERRING, 2),
    )
}

fn a_lost_network_is_not_counted(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRING)?;
    c.disconnect()?;
    c.settle()?;
    c.is("job.get_error_count.not_counted", (job.state()?, job.error_count()?), (JobState::TRANSIENT_ERROR, 0))
}

fn a_network_that_comes_back_puts_jobs_into_the_queue(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::TRANSFERRING)?;
    c.disconnect()?;
    c.settle()?;
    c.let_go(&file)?;
    c.connect()?;
    c.settle()?;
    let states = c.states_of(&job)?;
    let after = states.iter().position(|state| *state == JobState::TRANSIENT_ERROR).map(|at| states[at + 1]);
    c.is(["lifecycle.edge.net_back", "net.back"], after, Some(JobState::QUEUED))?;
    c.is(["lifecycle.persist.resume_after_restart", "job.interface.restart"], job.state()?, JobState::TRANSFERRED)
}

fn a_network_that_comes_back_ends_every_transient_error(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSIENT_ERROR)?;
    let failed_at = c.now()?;
    c.disconnect()?;
    c.settle()?;
    c.connect()?;
    c.settle()?;
    c.is(["lifecycle.edge.net_back", "net.back"], (job.state()?, c.now()?), (JobState::TRANSFERRED, failed_at))
}

fn a_job_whose_owner_is_away_waits_in_the_queue_when_the_network_comes_back(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRING)?;
    c.disconnect()?;
    c.settle()?;
    c.log_off()?;
    c.connect()?;
    c.advance(DAY)?;
    c.is("net.back_owner_absent", job.state()?, JobState::QUEUED)
}

fn nothing_transfers_without_a_network(c: &mut Bench) -> Outcome {
    c.disconnect()?;
    let (job, _) = c.job_with_file(10)?;
    job.resume()?;
    c.advance(DAY)?;
    c.is(["users.needs_network", "net.no_forced_connection"], c.attempted()?.len(), 0)?;
    c.is("users.needs_network", job.progress()?.bytes_transferred, 0)
}

fn logoff_stops_the_transfer_and_logon_goes_on(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::TRANSFERRING)?;
    c.settle()?;
    c.log_off()?;
    c.settle()?;
    c.is(
        ["lifecycle.edge.logoff", "users.logoff", "enum.job_state.queued_logoff", "users.owner_logged_on"],
        job.state()?,
        JobState::QUEUED,
    )?;
    c.let_go(&file)?;
    c.advance(DAY)?;
    c.is(
        ["users.logoff", "users.owner_logged_on", "lifecycle.queued.meaning"],
        (job.state()?, job.progress()?.bytes_transferred),
        (JobState::QUEUED, 400),
    )?;
    c.log_on()?;
    c.settle()?;
    c.is("users.logon", job.state()?, JobState::TRANSFERRED)
}

fn a_job_waits_for_its_owner(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(10)?;
    c.log_off()?;
    job.resume()?;
    c.advance(DAY * 30)?;
    c.is(
        ["users.owner_logged_on", "lifecycle.queued.meaning"],
        (job.state()?, c.attempted()?.len()),
        (JobState::QUEUED, 0),
    )?;
    c.log_on()?;
    c.settle()?;
    c.is("users.logon", job.state()?, JobState::TRANSFERRED)
}

fn a_user_without_a_logon_gets_an_empty_job_at_most(c: &mut Bench) -> Outcome {
    c.log_off()?;
    let job = c.new_job()?;
    let file = c.serve("a.bin", 10)?;
    let refused = job.add_file(Some(&file.url), Some(&file.local)).err();
    c.is("users.runas", (refused, job.state()?), (Some(Hresult::ERROR_NOT_LOGGED_ON), JobState::SUSPENDED))?;
    c.log_on()?;
    file.add_to(&job)?;
    job.resume()?;
    c.settle()?;
    c.is("users.runas", job.state()?, JobState::TRANSFERRED)
}

fn service_accounts_are_always_logged_on(c: &mut Bench) -> Outcome {
    c.log_off()?;
    let job = new_job(&c.local_system()?)?;
    let file = c.serve("a.bin", 10)?;
    file.add_to(&job)?;
    job.resume()?;
    c.settle()?;
    c.is(["users.system_accounts_on", "svcacct.owner"], job.state()?, JobState::TRANSFERRED)
}

fn an_administrator_works_on_a_foreign_job(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let file = c.serve("a.bin", 10)?;
    let by_admin = c.administrator()?.job(job.id()?)?;
    by_admin.set_priority(JobPriority::FOREGROUND)?;
    file.add_to(&by_admin)?;
    by_admin.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(
        ["users.admin_no_need_to_own", "job.take_ownership.not_needed", "lifecycle.add_files_when"],
        (job.owner()?, job.priority()?),
        (c.own_sid()?, JobPriority::FOREGROUND),
    )
}

fn zero_bandwidth_blocks_background_jobs_only(c: &mut Bench) -> Outcome {
    let (background, _) = c.job_in(JobState::TRANSFERRING)?;
    let foreground = c.new_job()?;
    foreground.set_priority(JobPriority::FOREGROUND)?;
    let file = c.serve("f.bin", 1_000)?;
    file.add_to(&foreground)?;
    c.hold_at(&file, 5)?;
    foreground.resume()?;
    let queued = c.new_job()?;
    let waiting = c.serve("q.bin", 10)?;
    waiting.add_to(&queued)?;
    queued.resume()?;
    c.settle()?;
    c.set_policies(|policies| policies.max_internet_bandwidth = Some(InternetBandwidth::all_day(0)))?;
    c.settle()?;
    let states = vec![background.state()?, queued.state()?, foreground.state()?];
    c.is(
        [
            "lifecycle.edge.policy_zero",
            "policy.max_bandwidth.zero",
            "retry.transient.policy",
            "policy.max_bandwidth.scope",
        ],
        states,
        vec![JobState::TRANSIENT_ERROR, JobState::TRANSIENT_ERROR, JobState::TRANSFERRING],
    )?;
    let code = error_of(&background)?.1;
    c.returns(["lifecycle.edge.policy_zero", "policy.max_bandwidth.zero", "retry.transient.policy"], code)
}

fn zero_bandwidth_is_not_retried_nor_counted(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRING)?;
    c.set_policies(|policies| policies.max_internet_bandwidth = Some(InternetBandwidth::all_day(0)))?;
    c.advance(DAY)?;
    c.is(
        ["retry.none_network", "job.set_minimum_retry_delay.no_retry_cases", "enum.job_state.transient_no_retry"],
        (job.state()?, c.attempted()?.len()),
        (JobState::TRANSIENT_ERROR, 1),
    )?;
    c.is("job.get_error_count.not_counted", job.error_count()?, 0)
}

fn jobs_go_on_when_zero_bandwidth_ends(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::TRANSFERRING)?;
    c.set_policies(|policies| policies.max_internet_bandwidth = Some(InternetBandwidth::all_day(0)))?;
    c.settle()?;
    c.let_go(&file)?;
    c.set_policies(|policies| policies.max_internet_bandwidth = None)?;
    c.settle()?;
    let states = c.states_of(&job)?;
    let after = states.iter().position(|state| *state == JobState::TRANSIENT_ERROR).map(|at| states[at + 1]);
    c.is(["lifecycle.edge.policy_zero_over", "policy.max_bandwidth.zero"], after, Some(JobState::QUEUED))?;
    c.is("policy.max_bandwidth.zero", job.state()?, JobState::TRANSFERRED)
}

fn a_job_without_activity_is_cancelled_after_ninety_days(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let made_at = c.now()?;
    c.wait(&job, JobState::CANCELLED, DAY * 100)?;
    c.value(["policy.job_inactivity_timeout.default", "job.cancel.inactivity"], c.now()?.since(made_at))?;
    c.is(
        ["policy.job_inactivity_timeout.effect", "lifecycle.edge.inactivity", "policy.unset_default"],
        job.state()?,
        JobState::CANCELLED,
    )?;
    let found = c.manager()?.job(job.id()?).err();
    c.is("lifecycle.edge.inactivity", found, Some(Hresult::BG_E_NOT_FOUND))
}

fn every_idle_state_ends_by_inactivity(c: &mut Bench) -> Outcome {
    for (state, clauses) in [
        (JobState::SUSPENDED, ["job.cancel.inactivity", "lifecycle.must_finish"]),
        (JobState::ERROR, ["job.get_error.inactivity", "callback.job_error.inactivity"]),
        (JobState::TRANSFERRED, ["job.complete.inactivity", "callback.job_transferred.inactivity"]),
    ] {
        c.start_over();
        let (job, file) = c.job_in(JobState::TRANSFERRING)?;
        match state {
            JobState::SUSPENDED => job.suspend().map(|_| ())?,
            JobState::ERROR => c.trouble(&file, Trouble::Refuses(700))?,
            _ => {}
        }
        c.settle()?;
        c.let_go(&file)?;
        c.wait(&job, state, SOON)?;
        let files = c.local_files()?.len();
        c.advance(DAY * 89)?;
        let before = job.state()?;
        c.advance(DAY * 2)?;
        c.is(clauses, (before, job.state()?), (state, JobState::CANCELLED))?;
        c.is(clauses, (files, c.local_files()?.len()), (1, 0))?;
        c.is(["lifecycle.edge.inactivity", "policy.job_inactivity_timeout.effect"], job.state()?, JobState::CANCELLED)?;
    }
    Ok(())
}

fn activity_restarts_the_inactivity_clock(c: &mut Bench) -> Outcome {
    c.set_policies(|policies| policies.job_inactivity_timeout = DAY * 10)?;
    let (job, first) = c.job_with_file(1_000)?;
    let second = c.serve("second.bin", 1_000)?;
    second.add_to(&job)?;
    c.advance(DAY * 8)?;
    job.set_description(Some("touched"))?;
    c.advance(DAY * 8)?;
    let after_a_property = job.state()?;
    c.hold_at(&first, 10)?;
    c.hold_at(&second, 10)?;
    job.resume()?;
    c.advance(DAY * 8)?;
    c.let_go(&first)?;
    c.advance(DAY * 8)?;
    c.is(
        ["job.cancel.inactivity_reset", "policy.job_inactivity_timeout.activity", "retry.inactivity_resets"],
        (after_a_property, job.state()?),
        (JobState::SUSPENDED, JobState::TRANSFERRING),
    )?;
    c.advance(DAY * 11)?;
    c.is("policy.job_inactivity_timeout.effect", job.state()?, JobState::CANCELLED)
}

fn inactivity_takes_the_files_away(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    let before = c.local_files()?.len();
    c.wait(&job, JobState::CANCELLED, DAY * 100)?;
    c.settle()?;
    c.is(["lifecycle.inactivity.files", "job.complete.inactivity"], (before, c.local_files()?.len()), (1, 0))
}

fn inactivity_goes_on_while_the_owner_is_away(c: &mut Bench) -> Outcome {
    for away in [Bench::log_off, Bench::disconnect] {
        c.start_over();
        let (job, _) = c.job_in(JobState::TRANSFERRING)?;
        job.set_no_progress_timeout(u32::MAX)?;
        away(c)?;
        c.advance(DAY * 91)?;
        c.is("policy.job_inactivity_timeout.owner_absent", job.state()?, JobState::CANCELLED)?;
    }
    Ok(())
}

fn jobs_outlive_a_restart(c: &mut Bench) -> Outcome {
    for state in [JobState::SUSPENDED, JobState::ERROR, JobState::TRANSIENT_ERROR, JobState::TRANSFERRED] {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        let id = job.id()?;
        let error = error_of(&job).ok();
        c.restart_service()?;
        c.settle()?;
        let found = c.find(id)?;
        c.is(["lifecycle.restart.state", "lifecycle.must_finish"], found.state()?, state)?;
        c.is("lifecycle.restart.state", error_of(&found).ok(), error)?;
    }
    Ok(())
}

fn active_jobs_are_queued_after_a_restart(c: &mut Bench) -> Outcome {
    for state in ACTIVE {
        c.start_over();
        let (job, file) = c.job_in(state)?;
        let id = job.id()?;
        c.log_off()?;
        c.restart_service()?;
        let found = c.find(id)?;
        c.settle()?;
        c.is("lifecycle.restart.state", found.state()?, JobState::QUEUED)?;
        c.let_go(&file)?;
        let blocker = c.serve("blocker.bin", 1_000)?;
        c.let_go(&blocker)?;
        c.log_on()?;
        c.settle()?;
        c.is(["lifecycle.restart.state", "job.interface.restart"], found.state()?, JobState::TRANSFERRED)?;
    }
    Ok(())
}

fn a_restart_goes_on_where_it_stopped(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::TRANSFERRING)?;
    c.settle()?;
    let id = job.id()?;
    c.hold_connecting(&file)?;
    c.restart_service()?;
    c.settle()?;
    let found = c.find(id)?;
    c.is(
        ["lifecycle.persist.resume_after_restart", "job.interface.restart"],
        (found.state()?, found.progress()?.bytes_transferred),
        (JobState::CONNECTING, 400),
    )?;
    c.let_go(&file)?;
    c.wait(&found, JobState::TRANSFERRED, SOON)?;
    c.is("lifecycle.persist.resume_after_restart", c.attempted()?.len(), 2)
}

fn inactivity_is_as_old_as_bits(c: &mut Bench) -> Outcome {
    c.play(Profile::V1_0)?;
    let job = c.new_job()?;
    c.advance(DAY * 89)?;
    let before = job.state()?;
    c.advance(DAY * 2)?;
    c.is("lifecycle.edge.inactivity", (before, job.state()?), (JobState::SUSPENDED, JobState::CANCELLED))
}

fn inactivity_goes_on_over_restarts(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    let id = job.id()?;
    c.advance(DAY * 45)?;
    c.restart_service()?;
    c.advance((DAY * 45).saturating_sub(MINUTE))?;
    let before = c.find(id)?.state()?;
    c.advance(MINUTE)?;
    c.is("lifecycle.must_finish", before, JobState::TRANSFERRED)?;
    c.is(
        ["lifecycle.must_finish", "policy.job_inactivity_timeout.owner_absent", "policy.job_inactivity_timeout.effect"],
        c.manager()?.job(id).err(),
        Some(Hresult::BG_E_NOT_FOUND),
    )
}
