//! The peer cache of BITS 3.0 and its administration.

use bits_api::{FileRange, JobPriority as Priority, LENGTH_TO_EOF, PeerCacheFlags, PeerCachingFlags};
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
    a_file_comes_into_the_cache_when_computer_and_job_allow_it,
    content_comes_from_the_origin_server_as_long_as_not_all_allow_peers,
    a_cached_file_is_served_once_it_is_valid,
    files_that_nobody_declared_valid_leave_when_caching_ends,
    a_file_that_the_client_declares_valid_is_served_at_once,
    a_file_whose_record_was_deleted_can_no_longer_be_judged,
    a_record_of_parts_tells_which,
    flags_of_a_job_are_kept_where_they_mean_nothing,
    since_4_0_a_job_keeps_its_flags_without_effect,
    a_record_tells_of_its_file,
    a_full_cache_loses_what_was_read_longest_ago,
    a_smaller_limit_removes_files,
    a_file_in_use_is_removed_when_its_reader_is_done,
    a_file_larger_than_the_cache_is_not_kept,
    files_that_nobody_reads_grow_too_old,
    records_can_be_deleted_by_identifier,
    records_can_be_deleted_by_url,
    clearing_removes_every_record,
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
    c.is(
        ["peer_cache.admin.set_maximum_cache_size.param", "peer_cache.admin.get_maximum_cache_size.param"],
        percent,
        7,
    )
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
    c.is(
        ["peer_cache.v3.policy_beats_preference", "peer_cache.admin.get_configuration_flags.effective"],
        read,
        both,
    )?;
    c.returns("peer_cache.admin.set_configuration_flags.ok", admin.set_configuration_flags(both))?;
    let other = admin.set_configuration_flags(PeerCacheFlags::ENABLE_CLIENT);
    c.returns(["peer_cache.admin.set_configuration_flags.overridden", "policy.overridden_pref"], other)?;
    let in_force = admin.configuration_flags()?.value;
    c.is(
        ["peer_cache.admin.set_configuration_flags.only_without_policy", "policy.overridden_pref"],
        in_force,
        both,
    )?;
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

fn a_file_comes_into_the_cache_when_computer_and_job_allow_it(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    c.cached("computer-off.bin", 100)?;
    c.is("job4.set_peer_caching_flags.both_levels_server", c.cached_ids()?.len(), 0)?;
    c.serve_peers()?;
    let (job, file) = c.job_with_file(100)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    c.is("peer_cache.v3.job_opt_in_cache", c.cached_ids()?.len(), 0)?;
    c.holds(
        "job4.set_peer_caching_flags.both_levels_server",
        "what is not in the cache is not served",
        c.peer_read(&file)?.is_none(),
    )?;
    let cached = c.cached("both-on.bin", 100)?;
    let urls = c.cached_urls()?;
    c.is("peer_cache.v3.job_opt_in_cache", urls, vec![cached.url])
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

fn a_cached_file_is_served_once_it_is_valid(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    c.serve_peers()?;
    let (job, file) = c.transferred_for_peers("a.bin", 100)?;
    let record = c.peer_cache()?.record(c.cached_ids()?[0])?.value;
    let Some(record) = record else { return failed("the record is gone") };
    c.returns("peer_cache.record.is_file_validated.no", record.is_file_validated())?;
    let served = c.peer_read(&file)?.is_some();
    c.is("peer_cache.v3.served_after_validation", served, false)?;
    job.complete()?;
    c.returns("peer_cache.record.is_file_validated.yes", record.is_file_validated())?;
    let served = c.peer_read(&file)?.is_some();
    c.is(
        [
            "peer_cache.v3.served_after_validation",
            "peer_cache.record.is_file_validated.how",
            "file3.set_validation_state.complete_implies_true",
        ],
        served,
        true,
    )
}

fn files_that_nobody_declared_valid_leave_when_caching_ends(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.serve_peers()?;
    let (complete, _) = c.transferred_for_peers("valid.bin", 100)?;
    let (open, _) = c.transferred_for_peers("open.bin", 100)?;
    let stays = complete.job4()?;
    complete.complete()?;
    open.job4()?.set_peer_caching_flags(PeerCachingFlags::empty())?;
    let left = vec!["http://files.example/valid.bin".to_owned()];
    c.is(
        ["job4.set_peer_caching_flags.unvalidated_file_removed", "file3.set_validation_state.caching_off_before"],
        c.cached_urls()?,
        left.clone(),
    )?;
    drop(stays);
    c.transferred_for_peers("late.bin", 100)?;
    admin.set_configuration_flags(PeerCacheFlags::empty())?;
    c.is(
        [
            "job4.set_peer_caching_flags.cached_file_kept",
            "file3.set_validation_state.caching_off_after",
            "file3.set_validation_state.caching_off_before",
        ],
        c.cached_urls()?,
        left,
    )
}

fn a_file_that_the_client_declares_valid_is_served_at_once(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    c.serve_peers()?;
    let (job, file) = c.transferred_for_peers("a.bin", 100)?;
    first_file(&job)?.file3()?.set_validation_state(true)?;
    let served = c.peer_read(&file)?.is_some();
    c.is(
        ["file3.set_validation_state.true_makes_servable", "peer_cache.record.is_file_validated.how"],
        served,
        true,
    )
}

fn a_file_whose_record_was_deleted_can_no_longer_be_judged(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.serve_peers()?;
    let (job, _) = c.transferred_for_peers("a.bin", 100)?;
    admin.clear_records()?;
    let judged = first_file(&job)?.file3()?.set_validation_state(true);
    c.returns("file3.set_validation_state.record_deleted", judged)
}

fn a_record_of_parts_tells_which(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    c.serve_peers()?;
    let job = c.new_job()?;
    job.job4()?.set_peer_caching_flags(PeerCachingFlags::ENABLE_SERVER)?;
    let file = c.serve("parts.bin", 1_000)?;
    let parts = [FileRange { initial_offset: 100, length: 50 }, FileRange { initial_offset: 900, length: LENGTH_TO_EOF }];
    job.job3()?.add_file_with_ranges(Some(&file.url), Some(&file.local), &parts)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let Some(record) = c.peer_cache()?.record(c.cached_ids()?[0])?.value else { return failed("the record is gone") };
    let told: Vec<(u64, u64)> =
        record.file_ranges()?.iter().map(|part| (part.initial_offset, part.length)).collect();
    c.is("peer_cache.record.get_file_ranges.several", told, vec![(100, 50), (900, 100)])
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

fn a_record_tells_of_its_file(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.serve_peers()?;
    let changed = FileTime::from_unix_seconds(1_600_000_000);
    let job = c.new_job()?;
    job.job4()?.set_peer_caching_flags(PeerCachingFlags::ENABLE_SERVER)?;
    let file = c.serve("a.bin", 700)?;
    c.replace(&file, 700, changed)?;
    file.add_to(&job)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    let arrived = c.now();

    let id = c.cached_ids()?[0];
    let found = admin.record(id);
    c.returns("peer_cache.admin.get_record.ok", &found)?;
    let Some(record) = found?.value else { return failed("the record is gone") };
    let told = record.id();
    c.returns("peer_cache.record.get_id.ok", told)?;
    c.is(["peer_cache.record.get_id.ok", "peer_cache.admin.get_record.params"], told?, id)?;
    c.returns("peer_cache.record.get_origin_url.ok", record.origin_url())?;
    c.is("peer_cache.record.get_origin_url.ok", record.origin_url()?, file.url.clone())?;
    c.returns("peer_cache.record.get_file_size.ok", record.file_size())?;
    c.is("peer_cache.record.get_file_size.ok", record.file_size()?, 700)?;
    c.returns("peer_cache.record.get_file_modification_time.ok", record.file_modification_time())?;
    c.is("peer_cache.record.get_file_modification_time.ok", record.file_modification_time()?, changed)?;
    let ranges = record.file_ranges();
    c.returns("peer_cache.record.get_file_ranges.ok", &ranges)?;
    let ranges: Vec<(u64, u64)> = ranges?.iter().map(|range| (range.initial_offset, range.length)).collect();
    c.is("peer_cache.record.get_file_ranges.at_least_one", ranges, vec![(0, 700)])?;

    c.is("peer_cache.record.get_last_access_time.ok", record.last_access_time()?, arrived)?;
    c.advance(MINUTE)?;
    drop(c.peer_read(&file)?);
    c.returns("peer_cache.record.get_last_access_time.ok", record.last_access_time())?;
    c.is("peer_cache.record.get_last_access_time.ok", record.last_access_time()?, arrived.plus(MINUTE))?;

    let unknown = admin.record(Guid::nil());
    c.returns("peer_cache.admin.get_record.unknown", &unknown)
}

fn a_full_cache_loses_what_was_read_longest_ago(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    c.serve_peers()?;
    c.set_disk(100_000)?; // 1,000 bytes for the cache
    let first = c.cached("1.bin", 400)?;
    c.advance(MINUTE)?;
    c.cached("2.bin", 400)?;
    c.advance(MINUTE)?;
    drop(c.peer_read(&first)?);
    c.advance(MINUTE)?;
    c.is("peer_cache.admin.set_maximum_cache_size.not_reserved", c.cached_ids()?.len(), 2)?;
    c.cached("3.bin", 400)?;
    let left = vec!["http://files.example/1.bin".to_owned(), "http://files.example/3.bin".to_owned()];
    c.is("peer_cache.admin.set_maximum_cache_size.evict", c.cached_urls()?, left)
}

fn a_smaller_limit_removes_files(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.serve_peers()?;
    c.set_disk(10_000)?;
    admin.set_maximum_cache_size(10)?;
    for name in ["1.bin", "2.bin", "3.bin"] {
        c.cached(name, 300)?;
        c.advance(MINUTE)?;
    }
    admin.set_maximum_cache_size(6)?;
    let left = vec!["http://files.example/2.bin".to_owned(), "http://files.example/3.bin".to_owned()];
    c.is("peer_cache.admin.set_maximum_cache_size.shrink", c.cached_urls()?, left)
}

fn a_file_in_use_is_removed_when_its_reader_is_done(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.serve_peers()?;
    c.set_disk(10_000)?;
    admin.set_maximum_cache_size(10)?;
    let file = c.cached("a.bin", 300)?;
    let reader = c.peer_read(&file)?;
    admin.set_maximum_cache_size(1)?;
    c.is("peer_cache.admin.set_maximum_cache_size.shrink_in_use", c.cached_ids()?.len(), 1)?;
    drop(reader);
    c.is("peer_cache.admin.set_maximum_cache_size.shrink_in_use", c.cached_ids()?.len(), 0)
}

fn a_file_larger_than_the_cache_is_not_kept(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    c.serve_peers()?;
    c.set_disk(100_000)?;
    c.cached("small.bin", 1_000)?;
    c.cached("large.bin", 1_001)?;
    c.is(
        "peer_cache.admin.set_maximum_cache_size.too_big",
        c.cached_urls()?,
        vec!["http://files.example/small.bin".to_owned()],
    )
}

fn files_that_nobody_reads_grow_too_old(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.serve_peers()?;
    admin.set_maximum_content_age(2 * 86_400)?;
    let read = c.cached("read.bin", 100)?;
    c.cached("left.bin", 100)?;
    c.advance(DAY)?;
    drop(c.peer_read(&read)?);
    c.advance(DAY)?;
    let left = vec![read.url.clone()];
    c.is(
        [
            "peer_cache.admin.set_maximum_content_age.evict",
            "peer_cache.admin.set_maximum_content_age.access_resets",
        ],
        c.cached_urls()?,
        left,
    )?;
    c.advance(DAY)?;
    c.is("peer_cache.admin.set_maximum_content_age.evict", c.cached_ids()?.len(), 0)
}

fn records_can_be_deleted_by_identifier(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.serve_peers()?;
    let file = c.cached("a.bin", 100)?;
    let id = c.cached_ids()?[0];
    let reader = c.peer_read(&file)?;
    let busy = admin.delete_record(id);
    c.returns(["peer_cache.admin.delete_record.busy", "peer_cache.admin.delete_record.deferred"], busy)?;
    drop(reader);
    c.is("peer_cache.admin.delete_record.deferred", c.cached_ids()?, vec![id])?;
    let deleted = admin.delete_record(id);
    c.returns("peer_cache.admin.delete_record.ok", deleted)?;
    let left = c.cached_ids()?;
    c.is(["peer_cache.admin.delete_record.ok", "peer_cache.admin.delete_record.param"], left, vec![])?;
    c.returns("peer_cache.admin.delete_record.unknown", admin.delete_record(id))
}

fn records_can_be_deleted_by_url(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.serve_peers()?;
    let file = c.cached("a.bin", 100)?;
    c.cached("a.bin", 100)?;
    let other = c.cached("b.bin", 100)?;
    c.is("peer_cache.admin.delete_url.ok", c.cached_ids()?.len(), 3)?;
    let reader = c.peer_read(&file)?;
    let busy = admin.delete_url(Some(&file.url));
    c.returns(["peer_cache.admin.delete_url.busy", "peer_cache.admin.delete_url.deferred"], busy)?;
    drop(reader);
    c.is("peer_cache.admin.delete_url.deferred", c.cached_ids()?.len(), 3)?;
    let deleted = admin.delete_url(Some(&file.url));
    c.returns("peer_cache.admin.delete_url.ok", deleted)?;
    let left = c.cached_urls()?;
    c.is(["peer_cache.admin.delete_url.ok", "peer_cache.admin.delete_url.param"], left, vec![other.url])?;
    c.returns("peer_cache.admin.delete_url.absent", admin.delete_url(Some(&file.url)))
}

fn clearing_removes_every_record(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.serve_peers()?;
    let read = c.cached("read.bin", 100)?;
    c.cached("free.bin", 100)?;
    let reader = c.peer_read(&read)?;
    c.returns("peer_cache.admin.clear_records.ok", admin.clear_records())?;
    let left = c.cached_urls()?;
    c.is(
        ["peer_cache.admin.clear_records.effect", "peer_cache.admin.clear_records.deferred"],
        left,
        vec![read.url],
    )?;
    drop(reader);
    c.is("peer_cache.admin.clear_records.deferred", c.cached_ids()?.len(), 0)
}

/// A job that wants peers and has moved a part of its file.
fn transferring_with_peers(c: &Bench) -> Result<Arc<dyn Job>, Stop> {
    let (job, file) = c.job_with_file(1_000)?;
    job.set_priority(Priority::FOREGROUND)?;
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
    c.is("peer_cache.admin.set_configuration_flags.ok", admin.configuration_flags()?.value, PeerCacheFlags::ENABLE_SERVER)?;
    c.is("peer_cache.record.is_file_validated.how", c.peer_read(&file)?.is_some(), true)
}
