//! Networks that cost, and what jobs may spend.

use bits_api::{CostFlags, JobPropertyId, JobPropertyValue};
use bits_world::{NetworkCost, Profile};

use super::prelude::*;

cases![
    each_cost_state_is_allowed_by_its_own_bit,
    each_transfer_policy_allows_the_states_it_names,
    options_are_no_states,
    cost_flags_are_read_as_they_were_set,
    a_network_that_becomes_too_dear_stops_the_job_until_it_is_cheap_again,
    queued_and_connecting_jobs_are_stopped_too,
    a_job_that_is_blocked_by_cost_is_not_retried_nor_counted,
    new_cost_flags_take_effect_at_once,
    cost_flags_that_nobody_set_follow_the_priority,
    before_bits_5_0_jobs_transfer_whatever_it_costs,
    uploads_look_at_the_cost_too,
];

const STATES: [(&str, NetworkCost, CostFlags); 8] = [
    ("cost.state_unrestricted", NetworkCost::Unrestricted, CostFlags::UNRESTRICTED),
    ("cost.state_capped_usage_unknown", NetworkCost::CappedUsageUnknown, CostFlags::CAPPED_USAGE_UNKNOWN),
    ("cost.state_below_cap", NetworkCost::BelowCap, CostFlags::BELOW_CAP),
    ("cost.state_near_cap", NetworkCost::NearCap, CostFlags::NEAR_CAP),
    ("cost.state_overcap_charged", NetworkCost::OvercapCharged, CostFlags::OVERCAP_CHARGED),
    ("cost.state_overcap_throttled", NetworkCost::OvercapThrottled, CostFlags::OVERCAP_THROTTLED),
    ("cost.state_usage_based", NetworkCost::UsageBased, CostFlags::USAGE_BASED),
    ("cost.state_roaming", NetworkCost::Roaming, CostFlags::ROAMING),
];

fn set_flags(job: &Arc<dyn Job>, flags: CostFlags) -> Outcome {
    job.job5()?.set_property(JobPropertyId::COST_FLAGS, JobPropertyValue::Dword(flags.bits()))?;
    Ok(())
}

fn flags_of(job: &Arc<dyn Job>) -> Result<CostFlags, Stop> {
    match job.job5()?.property(JobPropertyId::COST_FLAGS)? {
        JobPropertyValue::Dword(bits) => Ok(CostFlags::from_bits_retain(bits)),
        other => failed(format!("cost flags are a Dword, not {other:?}")),
    }
}

/// A job that is held in TRANSFERRING, with these cost flags.
fn spending(c: &Bench, flags: CostFlags) -> Result<Arc<dyn Job>, Stop> {
    let (job, _) = c.job_in(JobState::TRANSFERRING)?;
    set_flags(&job, flags)?;
    Ok(job)
}

/// The cost states in which the job transfers.
fn allowed(c: &Bench, job: &Arc<dyn Job>) -> Result<CostFlags, Stop> {
    let mut allowed = CostFlags::empty();
    for (_, cost, flag) in STATES {
        c.set_cost(cost)?;
        c.settle()?;
        allowed.set(flag, job.state()? == JobState::TRANSFERRING);
    }
    Ok(allowed)
}

fn each_cost_state_is_allowed_by_its_own_bit(c: &mut Bench) -> Outcome {
    for (clause, _, flag) in STATES {
        c.start_over();
        let job = spending(c, flag)?;
        let allowed = allowed(c, &job)?;
        c.value(clause, allowed)?;
        c.is("job5.cost_flags.match_rule", allowed, flag)?;
    }
    Ok(())
}

fn each_transfer_policy_allows_the_states_it_names(c: &mut Bench) -> Outcome {
    for (clause, policy) in [
        ("cost.transfer_not_roaming", CostFlags::TRANSFER_NOT_ROAMING),
        ("cost.transfer_no_surcharge", CostFlags::TRANSFER_NO_SURCHARGE),
        ("cost.transfer_standard", CostFlags::TRANSFER_STANDARD),
        ("cost.transfer_unrestricted", CostFlags::TRANSFER_UNRESTRICTED),
        ("cost.transfer_always", CostFlags::TRANSFER_ALWAYS),
    ] {
        c.start_over();
        let job = spending(c, policy)?;
        let allowed = allowed(c, &job)?;
        c.value(clause, allowed | CostFlags::IGNORE_CONGESTION)?;
        c.is([clause, "job5.cost_flags.match_rule"], allowed, policy - CostFlags::IGNORE_CONGESTION)?;
    }
    Ok(())
}

fn options_are_no_states(c: &mut Bench) -> Outcome {
    for (clause, option) in
        [("cost.option_ignore_congestion", CostFlags::IGNORE_CONGESTION), ("cost.state_reserved", CostFlags::RESERVED)]
    {
        c.start_over();
        let job = spending(c, option)?;
        c.value(clause, flags_of(&job)?)?;
        c.is(clause, allowed(c, &job)?, CostFlags::empty())?;
        set_flags(&job, option | CostFlags::ROAMING)?;
        c.is(clause, allowed(c, &job)?, CostFlags::ROAMING)?;
    }
    Ok(())
}

fn cost_flags_are_read_as_they_were_set(c: &mut Bench) -> Outcome {
    let job = spending(c, CostFlags::BELOW_CAP | CostFlags::UNRESTRICTED)?;
    c.is("cost.flags.roundtrip", flags_of(&job)?.bits(), 0x5)?;
    c.is("cost.flags.or", allowed(c, &job)?, CostFlags::BELOW_CAP | CostFlags::UNRESTRICTED)?;
    let id = job.id()?;
    c.restart_service()?;
    c.is("cost.flags.roundtrip", flags_of(&c.find(id)?)?.bits(), 0x5)
}

fn a_network_that_becomes_too_dear_stops_the_job_until_it_is_cheap_again(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::TRANSFERRING)?;
    set_flags(&job, CostFlags::TRANSFER_STANDARD)?;
    c.set_cost(NetworkCost::NearCap)?;
    c.settle()?;
    c.let_go(&file)?;
    c.advance(DAY)?;
    c.is(
        ["cost.blocked", "job5.cost_flags.blocked_effect", "lifecycle.edge.cost_blocked"],
        (job.state()?, job.progress()?.bytes_transferred),
        (JobState::TRANSIENT_ERROR, 400),
    )?;
    c.returns(["job5.cost_flags.blocked_error", "lifecycle.edge.cost_blocked"], error_of(&job)?.1)?;
    c.set_cost(NetworkCost::BelowCap)?;
    c.settle()?;
    c.is(
        ["cost.blocked", "job5.cost_flags.blocked_effect", "lifecycle.edge.cost_blocked"],
        job.state()?,
        JobState::TRANSFERRED,
    )
}

fn queued_and_connecting_jobs_are_stopped_too(c: &mut Bench) -> Outcome {
    for state in [JobState::QUEUED, JobState::CONNECTING] {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        c.set_cost(NetworkCost::Roaming)?;
        c.settle()?;
        c.is(
            ["lifecycle.edge.cost_blocked", "lifecycle.transient_error.reasons"],
            job.state()?,
            JobState::TRANSIENT_ERROR,
        )?;
        c.returns("lifecycle.edge.cost_blocked", error_of(&job)?.1)?;
    }
    Ok(())
}

fn a_job_that_is_blocked_by_cost_is_not_retried_nor_counted(c: &mut Bench) -> Outcome {
    let job = spending(c, CostFlags::TRANSFER_UNRESTRICTED)?;
    c.set_cost(NetworkCost::UsageBased)?;
    c.advance(DAY)?;
    c.is(
        ["cost.blocked", "job5.cost_flags.blocked_effect"],
        (job.state()?, c.attempted()?.len(), job.error_count()?),
        (JobState::TRANSIENT_ERROR, 1, 0),
    )
}

fn new_cost_flags_take_effect_at_once(c: &mut Bench) -> Outcome {
    let job = spending(c, CostFlags::TRANSFER_ALWAYS)?;
    c.set_cost(NetworkCost::Roaming)?;
    c.settle()?;
    let before = job.state()?;
    set_flags(&job, CostFlags::TRANSFER_NOT_ROAMING)?;
    c.is("job5.cost_flags.immediate", (before, job.state()?), (JobState::TRANSFERRING, JobState::TRANSIENT_ERROR))?;
    set_flags(&job, CostFlags::ROAMING)?;
    c.settle()?;
    c.is("job5.cost_flags.immediate", job.state()?, JobState::TRANSFERRING)
}

fn cost_flags_that_nobody_set_follow_the_priority(c: &mut Bench) -> Outcome {
    for (priority, flags) in [
        (JobPriority::FOREGROUND, CostFlags::TRANSFER_ALWAYS),
        (JobPriority::HIGH, CostFlags::TRANSFER_NO_SURCHARGE),
        (JobPriority::NORMAL, CostFlags::TRANSFER_UNRESTRICTED),
        (JobPriority::LOW, CostFlags::TRANSFER_UNRESTRICTED),
    ] {
        c.start_over();
        let (job, _) = c.job_in(JobState::TRANSFERRING)?;
        job.set_priority(priority)?;
        c.is("job5.cost_flags.default", flags_of(&job)?, flags)?;
        c.is("job5.cost_flags.default", allowed(c, &job)?, flags - CostFlags::IGNORE_CONGESTION)?;
    }
    Ok(())
}

fn before_bits_5_0_jobs_transfer_whatever_it_costs(c: &mut Bench) -> Outcome {
    c.play(Profile::V4_0)?;
    let (job, _) = c.job_in(JobState::TRANSFERRING)?;
    c.is("job5.cost_state.min_os_contradiction", job.job5().err(), Some(Hresult::E_NOINTERFACE))?;
    let states: u32 = STATES.iter().map(|(_, _, flag)| flag.bits()).sum();
    c.is("job5.cost_state.min_os_contradiction", allowed(c, &job)?.bits(), states)
}

fn uploads_look_at_the_cost_too(c: &mut Bench) -> Outcome {
    for job_type in [JobType::UPLOAD, JobType::UPLOAD_REPLY] {
        c.start_over();
        let (job, file) = c.upload_in(job_type, JobState::TRANSFERRING)?;
        set_flags(&job, CostFlags::TRANSFER_NOT_ROAMING)?;
        c.set_cost(NetworkCost::Roaming)?;
        c.settle()?;
        c.let_go(&file)?;
        c.advance(DAY)?;
        c.is(
            "job5.cost_flags.all_job_types",
            (job.state()?, c.on_server()?),
            (JobState::TRANSIENT_ERROR, ("unfinished", 400)),
        )?;
        c.returns("job5.cost_flags.all_job_types", error_of(&job)?.1)?;
        c.set_cost(NetworkCost::UsageBased)?;
        c.settle()?;
        c.is(
            "job5.cost_flags.all_job_types",
            (job.state()?, c.on_server()?),
            (JobState::TRANSFERRED, ("stored", 1_000)),
        )?;
    }
    Ok(())
}
