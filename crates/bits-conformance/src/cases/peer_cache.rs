//! The peer cache of BITS 3.0 and its administration.

use bits_api::{PeerCacheFlags, PeerCachingFlags};
use bits_world::Profile;

use super::prelude::*;

cases![
    the_manager_gives_the_administration,
    before_3_0_there_is_no_administration,
    since_4_0_every_method_answers_s_false,
    only_administrators_change_the_cache,
    the_cache_may_take_one_percent_of_the_disk_unless_told_otherwise,
    the_cache_may_take_80_percent_at_most,
    a_policy_on_the_size_wins_over_the_preference,
    content_lives_90_days_unless_told_otherwise,
    the_age_is_between_one_and_120_days,
    a_policy_on_the_age_wins_over_the_preference,
    nothing_is_allowed_by_default,
    flags_are_stored_and_read_back,
    a_policy_on_peer_caching_wins_over_the_preference,
    each_half_can_be_turned_off_by_policy,
    content_comes_from_the_origin_server_as_long_as_not_all_allow_peers,
    flags_of_a_job_are_kept_where_they_mean_nothing,
    since_4_0_a_job_keeps_its_flags_without_effect,
    the_computers_flag_reschedules_a_transfer,
    the_jobs_flag_reschedules_a_transfer,
    preferences_and_records_outlive_the_service,
];

fn the_manager_gives_the_administration(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.manager()?.peer_cache_administration();
    c.returns("peer_cache.admin.get_maximum_cache_size.ok", admin.clone()?.maximum_cache_size())?;
    c.holds("peer_cache.admin.obtain", "the manager gives the administration", admin.is_ok())
}

fn before_3_0_there_is_no_administration(c: &mut Bench) -> Outcome {
    c.play(Profile::V2_5)?;
    let code = c.manager()?.peer_cache_administration().map(drop).err();
    c.is("peer_cache.admin.v3_clauses_apply", code, Some(Hresult::E_NOINTERFACE))
}

fn since_4_0_every_method_answers_s_false(c: &mut Bench) -> Outcome {
    c.play(Profile::V4_0)?;
    c.set_neighbours(&["server$.corp.example"], true)?;
    let admin = c.peer_cache()?;
    let since = "peer_cache.admin.since_4_0_s_false";
    c.returns(since, admin.set_maximum_cache_size(99))?;
    c.returns(since, admin.set_maximum_content_age(0))?;
    c.returns(since, admin.set_configuration_flags(PeerCacheFlags::all()))?;
    c.returns(since, admin.maximum_cache_size())?;
    c.returns(since, admin.maximum_content_age())?;
    c.returns(since, admin.configuration_flags())?;
    c.returns(since, admin.clear_records())?;
    c.returns(since, admin.delete_record(Guid::nil()))?;
    c.returns(since, admin.delete_url(None))?;
    c.returns(since, admin.clear_peers())?;
    c.returns(since, admin.discover_peers())?;
    let records = admin.enum_records();
    c.returns(since, &records)?;
    c.is("peer_cache.enum_records.since_4_0_s_false", records?.value.is_none(), true)?;
    let record = admin.record(Guid::nil());
    c.returns(since, &record)?;
    c.is("peer_cache.record.since_4_0_s_false", record?.value.is_none(), true)?;
    let peers = admin.enum_peers();
    c.returns(since, &peers)?;
    let none = peers?.value.is_none();
    c.is(["peer_cache.enum_peers.since_4_0_s_false", "peer_cache.peer.since_4_0_s_false"], none, true)?;
    let (job, _) = c.transferred_for_peers("a.bin", 100)?;
    job.complete()?;
    c.is("peer_cache.v3.unavailable_since_4_0", c.cached_ids()?.len(), 0)
}

fn only_administrators_change_the_cache(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    c.play(Profile::V3_0)?;
    let admin = c.manager()?.peer_cache_administration()?;
    let denied = |result: Result<Success, Hresult>| result.err() == Some(Hresult::E_ACCESSDENIED);
    for refused in [
        denied(admin.set_maximum_cache_size(2)),
        denied(admin.set_maximum_content_age(86_400)),
        denied(admin.set_configuration_flags(PeerCacheFlags::ENABLE_SERVER)),
        denied(admin.clear_records()),
        denied(admin.delete_record(Guid::nil())),
        denied(admin.delete_url(Some("http://files.example/a.bin"))),
        denied(admin.clear_peers()),
        denied(admin.discover_peers()),
    ] {
        c.holds("peer_cache.admin.modify_needs_admin", "a standard user is refused", refused)?;
    }
    let reads = [admin.maximum_cache_size().is_ok(), admin.enum_records().is_ok(), admin.enum_peers().is_ok()];
    c.is("peer_cache.admin.modify_needs_admin", reads.to_vec(), vec![true; 3])
}

fn the_cache_may_take_one_percent_of_the_disk_unless_told_otherwise(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.peer_cache()?;
    c.value("peer_cache.admin.set_maximum_cache_size.default", admin.maximum_cache_size()?.value)?;
    c.returns("peer_cache.admin.set_maximum_cache_size.ok", admin.set_maximum_cache_size(7))?;
    let percent = admin.maximum_cache_size()?.value;
    c.is(["peer_cache.admin.set_maximum_cache_size.param", "peer_cache.admin.get_maximum_cache_size.param"], percent, 7)
}

fn the_cache_may_take_80_percent_at_most(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.peer_cache()?;
    admin.set_maximum_cache_size(80)?;
    c.value("peer_cache.admin.set_maximum_cache_size.max", admin.maximum_cache_size()?.value)?;
    let beyond = admin.set_maximum_cache_size(81).err();
    c.is("peer_cache.admin.set_maximum_cache_size.max", beyond, Some(Hresult::E_INVALIDARG))
}

fn a_policy_on_the_size_wins_over_the_preference(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.peer_cache()?;
    c.set_peer_policies(|policies| policies.max_cache_size = Some(5))?;
    c.returns("peer_cache.admin.set_maximum_cache_size.policy", admin.set_maximum_cache_size(9))?;
    let in_force = admin.maximum_cache_size()?.value;
    c.is(["peer_cache.admin.set_maximum_cache_size.policy", "peer_cache.v3.policy_names"], in_force, 5)?;
    c.set_peer_policies(|policies| policies.max_cache_size = None)?;
    c.is("peer_cache.admin.set_maximum_cache_size.policy", admin.maximum_cache_size()?.value, 9)
}

fn content_lives_90_days_unless_told_otherwise(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.peer_cache()?;
    let age = admin.maximum_content_age();
    c.returns("peer_cache.admin.get_maximum_content_age.ok", age)?;
    c.value("peer_cache.admin.set_maximum_content_age.default", age?.value)?;
    c.returns("peer_cache.admin.set_maximum_content_age.ok", admin.set_maximum_content_age(100_000))?;
    let age = admin.maximum_content_age()?.value;
    c.is(
        ["peer_cache.admin.set_maximum_content_age.param", "peer_cache.admin.get_maximum_content_age.param"],
        age,
        100_000,
    )
}

fn the_age_is_between_one_and_120_days(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.peer_cache()?;
    for (clause, at, beyond) in [
        ("peer_cache.admin.set_maximum_content_age.min", 86_400, 86_399),
        ("peer_cache.admin.set_maximum_content_age.max", 10_368_000, 10_368_001),
    ] {
        admin.set_maximum_content_age(at)?;
        c.value(clause, admin.maximum_content_age()?.value)?;
        c.is(clause, admin.set_maximum_content_age(beyond).err(), Some(Hresult::E_INVALIDARG))?;
    }
    Ok(())
}

fn a_policy_on_the_age_wins_over_the_preference(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.peer_cache()?;
    c.set_peer_policies(|policies| policies.max_content_age = Some(200_000))?;
    let clause = "peer_cache.admin.set_maximum_content_age.policy";
    c.returns(clause, admin.set_maximum_content_age(300_000))?;
    c.is([clause, "peer_cache.v3.policy_names"], admin.maximum_content_age()?.value, 200_000)?;
    c.set_peer_policies(|policies| policies.max_content_age = None)?;
    c.is(clause, admin.maximum_content_age()?.value, 300_000)
}

fn nothing_is_allowed_by_default(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let flags = c.peer_cache()?.configuration_flags();
    c.returns("peer_cache.admin.get_configuration_flags.ok", flags)?;
    c.is("peer_cache.v3.default", flags?.value, PeerCacheFlags::empty())
}

fn flags_are_stored_and_read_back(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.peer_cache()?;
    let both = PeerCacheFlags::ENABLE_CLIENT | PeerCacheFlags::ENABLE_SERVER;
    c.returns("peer_cache.admin.set_configuration_flags.ok", admin.set_configuration_flags(both))?;
    let read = admin.configuration_flags()?.value;
    c.is(
        ["peer_cache.admin.set_configuration_flags.param", "peer_cache.admin.get_configuration_flags.param"],
        read,
        both,
    )?;
    c.value("peer_cache.flag.enable_client", PeerCacheFlags::ENABLE_CLIENT)?;
    c.value("peer_cache.flag.enable_server", PeerCacheFlags::ENABLE_SERVER)?;
    c.value("peer_cache.flag.disable_branch_cache", PeerCacheFlags::DISABLE_BRANCH_CACHE)?;
    let undefined = admin.set_configuration_flags(PeerCacheFlags::from_bits_retain(8));
    c.returns("peer_cache.admin.set_configuration_flags.unknown_bits", undefined)?;
    let job = c.new_job()?.job4()?;
    job.set_peer_caching_flags(PeerCachingFlags::empty())?;
    c.is("peer_cache.admin.get_configuration_flags.computer_level", admin.configuration_flags()?.value, both)
}

fn a_policy_on_peer_caching_wins_over_the_preference(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.peer_cache()?;
    let both = PeerCacheFlags::ENABLE_CLIENT | PeerCacheFlags::ENABLE_SERVER;
    admin.set_configuration_flags(PeerCacheFlags::ENABLE_SERVER)?;
    c.set_peer_policies(|policies| policies.enabled = Some(true))?;
    let read = admin.configuration_flags()?.value;
    c.is(["peer_cache.v3.policy_beats_preference", "peer_cache.admin.get_configuration_flags.effective"], read, both)?;
    c.returns("peer_cache.admin.set_configuration_flags.ok", admin.set_configuration_flags(both))?;
    let other = admin.set_configuration_flags(PeerCacheFlags::ENABLE_CLIENT);
    c.returns(["peer_cache.admin.set_configuration_flags.overridden", "policy.overridden_pref"], other)?;
    let in_force = admin.configuration_flags()?.value;
    c.is(["peer_cache.admin.set_configuration_flags.only_without_policy", "policy.overridden_pref"], in_force, both)?;
    c.set_peer_policies(|policies| policies.enabled = None)?;
    let saved = admin.configuration_flags()?.value;
    c.is(
        ["peer_cache.admin.set_configuration_flags.overridden", "peer_cache.admin.get_configuration_flags.effective"],
        saved,
        PeerCacheFlags::ENABLE_CLIENT,
    )
}

fn each_half_can_be_turned_off_by_policy(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.peer_cache()?;
    c.set_peer_policies(|policies| {
        policies.enabled = Some(true);
        policies.client_disabled = true;
    })?;
    c.is("peer_cache.v3.policy_names", admin.configuration_flags()?.value, PeerCacheFlags::ENABLE_SERVER)?;
    c.set_peer_policies(|policies| policies.server_disabled = true)?;
    c.is("peer_cache.v3.policy_names", admin.configuration_flags()?.value, PeerCacheFlags::empty())
}

fn content_comes_from_the_origin_server_as_long_as_not_all_allow_peers(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    c.set_neighbours(&["server$.corp.example"], true)?;
    c.peer_cache()?.discover_peers()?;
    let (job, file) = c.job_with_file(100)?;
    job.job4()?.set_peer_caching_flags(PeerCachingFlags::ENABLE_CLIENT)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let from_origin = c.attempted()?;
    c.is("job4.set_peer_caching_flags.both_levels_client", from_origin, vec![file.url])
}

const BOTH: PeerCachingFlags = PeerCachingFlags::ENABLE_CLIENT.union(PeerCachingFlags::ENABLE_SERVER);

/// A job that allows files to come from peers and to go to them, run to its end.
fn run_with_both_flags(c: &Bench) -> Result<Arc<dyn bits_api::Job4>, Stop> {
    let (job, file) = c.job_with_file(100)?;
    let job4 = job.job4()?;
    job4.set_peer_caching_flags(BOTH)?;
    c.bring(&job, &file, JobState::TRANSFERRED)?;
    job.complete()?;
    Ok(job4)
}

fn flags_of_a_job_are_kept_where_they_mean_nothing(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let job = run_with_both_flags(c)?;
    let kept = job.peer_caching_flags()?;
    c.is(
        ["job4.set_peer_caching_flags.no_meaning_when_off", "job4.get_peer_caching_flags.job_level_only"],
        kept,
        BOTH,
    )?;
    c.is("job4.set_peer_caching_flags.no_meaning_when_off", c.cached_ids()?.len(), 0)
}

fn since_4_0_a_job_keeps_its_flags_without_effect(c: &mut Bench) -> Outcome {
    c.play(Profile::V4_0)?;
    c.serve_peers()?;
    c.set_peer_policies(|policies| policies.enabled = Some(true))?;
    let job = run_with_both_flags(c)?;
    let deprecated = ["job4.set_peer_caching_flags.deprecated_client", "job4.set_peer_caching_flags.deprecated_server"];
    c.is(deprecated, job.peer_caching_flags()?, BOTH)?;
    let served = c.peer_read(&c.serve("a.bin", 100)?)?.is_some();
    c.is("job4.set_peer_caching_flags.deprecated_server", served, false)?;
    let came_from_peers = c.attempted()?.is_empty();
    c.is("job4.set_peer_caching_flags.deprecated_client", came_from_peers, false)
}

/// A job that wants peers and has moved a part of its file.
fn transferring_with_peers(c: &Bench) -> Result<Arc<dyn Job>, Stop> {
    let (job, file) = c.job_with_file(1_000)?;
    job.set_priority(JobPriority::FOREGROUND)?;
    job.job4()?.set_peer_caching_flags(PeerCachingFlags::ENABLE_CLIENT)?;
    c.hold_at(&file, 400)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.settle()?;
    Ok(job)
}

/// The last states of a job that was stopped and went on, and what it had moved by then.
fn rescheduled(c: &Bench, job: &Arc<dyn Job>) -> Result<(bool, u64), Stop> {
    c.settle()?;
    let states = c.states_of(job)?;
    let went = [JobState::TRANSFERRING, JobState::QUEUED, JobState::CONNECTING];
    Ok((states.windows(3).any(|step| step == went), job.progress()?.bytes_transferred))
}

fn the_computers_flag_reschedules_a_transfer(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.peer_cache()?;
    let job = transferring_with_peers(c)?;
    c.is("job4.set_peer_caching_flags.toggle_computer_reschedules", rescheduled(c, &job)?, (false, 400))?;
    admin.set_configuration_flags(PeerCacheFlags::ENABLE_CLIENT)?;
    let after = rescheduled(c, &job)?;
    c.is(
        [
            "job4.set_peer_caching_flags.toggle_computer_reschedules",
            "job4.set_peer_caching_flags.toggle_keeps_progress",
            "peer_cache.admin.set_configuration_flags.reschedule",
        ],
        after,
        (true, 400),
    )
}

fn the_jobs_flag_reschedules_a_transfer(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    c.peer_cache()?.set_configuration_flags(PeerCacheFlags::ENABLE_CLIENT)?;
    let job = transferring_with_peers(c)?;
    let clause = "job4.set_peer_caching_flags.toggle_job_reschedules";
    job.set_description(Some("nothing of peers"))?;
    c.is(clause, rescheduled(c, &job)?, (false, 400))?;
    job.job4()?.set_peer_caching_flags(PeerCachingFlags::empty())?;
    let after = rescheduled(c, &job)?;
    c.is([clause, "job4.set_peer_caching_flags.toggle_keeps_progress"], after, (true, 400))
}

fn preferences_and_records_outlive_the_service(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.serve_peers()?;
    admin.set_maximum_cache_size(12)?;
    let file = c.cached("a.bin", 100)?;
    c.restart_service()?;
    let admin = c.peer_cache()?;
    c.is("peer_cache.admin.set_maximum_cache_size.ok", admin.maximum_cache_size()?.value, 12)?;
    c.is(
        "peer_cache.admin.set_configuration_flags.ok",
        admin.configuration_flags()?.value,
        PeerCacheFlags::ENABLE_SERVER,
    )?;
    c.is("peer_cache.record.is_file_validated.how", c.peer_read(&file)?.is_some(), true)
}
