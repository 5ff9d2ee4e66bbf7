//! The files in the peer cache of BITS 3.0: how they come in, what is told of them, how they go.

use bits_api::{FileRange, LENGTH_TO_EOF, PeerCacheFlags, PeerCachingFlags};
use bits_world::Profile;

use super::prelude::*;

cases![
    a_file_comes_into_the_cache_when_computer_and_job_allow_it,
    a_cached_file_is_served_once_it_is_valid,
    files_that_nobody_declared_valid_leave_when_caching_ends,
    a_file_that_the_client_declares_valid_is_served_at_once,
    a_file_whose_record_was_deleted_can_no_longer_be_judged,
    a_record_of_parts_tells_which,
    a_record_tells_of_its_file,
    a_full_cache_loses_what_was_read_longest_ago,
    a_smaller_limit_removes_files,
    a_file_in_use_is_removed_when_its_reader_is_done,
    a_file_larger_than_the_cache_is_not_kept,
    files_that_nobody_reads_grow_too_old,
    a_smaller_age_is_in_force_at_once,
    records_can_be_deleted_by_identifier,
    records_can_be_deleted_by_url,
    clearing_removes_every_record,
];

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
    c.is(["file3.set_validation_state.true_makes_servable", "peer_cache.record.is_file_validated.how"], served, true)
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
    let parts =
        [FileRange { initial_offset: 100, length: 50 }, FileRange { initial_offset: 900, length: LENGTH_TO_EOF }];
    job.job3()?.add_file_with_ranges(Some(&file.url), Some(&file.local), &parts)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let Some(record) = c.peer_cache()?.record(c.cached_ids()?[0])?.value else { return failed("the record is gone") };
    let told: Vec<(u64, u64)> = record.file_ranges()?.iter().map(|part| (part.initial_offset, part.length)).collect();
    c.is("peer_cache.record.get_file_ranges.several", told, vec![(100, 50), (900, 100)])
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
    let arrived = c.now()?;

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
    let mut files = Vec::new();
    for name in ["1.bin", "2.bin", "3.bin"] {
        files.push(c.cached(name, 300)?);
        c.advance(MINUTE)?;
    }
    drop(c.peer_read(&files[0])?);
    admin.set_maximum_cache_size(6)?;
    let left = vec!["http://files.example/1.bin".to_owned(), "http://files.example/3.bin".to_owned()];
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
        ["peer_cache.admin.set_maximum_content_age.evict", "peer_cache.admin.set_maximum_content_age.access_resets"],
        c.cached_urls()?,
        left,
    )?;
    c.advance(DAY)?;
    c.is("peer_cache.admin.set_maximum_content_age.evict", c.cached_ids()?.len(), 0)
}

fn a_smaller_age_is_in_force_at_once(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.serve_peers()?;
    c.cached("old.bin", 100)?;
    c.advance(DAY * 2)?;
    let young = c.cached("young.bin", 100)?;
    let before = c.cached_ids()?.len();
    let set = admin.set_maximum_content_age(86_400);
    c.returns("peer_cache.admin.set_maximum_content_age.ok", set)?;
    c.is("peer_cache.admin.set_maximum_content_age.ok", (before, c.cached_urls()?), (2, vec![young.url]))
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
    c.is(["peer_cache.admin.clear_records.effect", "peer_cache.admin.clear_records.deferred"], left, vec![read.url])?;
    drop(reader);
    c.is("peer_cache.admin.clear_records.deferred", c.cached_ids()?.len(), 0)
}
