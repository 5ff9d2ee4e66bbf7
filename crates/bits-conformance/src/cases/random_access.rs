//! RequestFileRanges, UpdateDownloadPosition, GetFilledFileRanges and on-demand mode.

use bits_api::{File6, JobPropertyId, JobPropertyValue, LENGTH_TO_EOF};
use bits_origin::{Content, Fault, Gate, GateAt, Origin, Synthetic};
use bits_service::SimServer;
use bits_world::Profile;

use super::http::asked;
use super::prelude::*;
use crate::bench::Remote;

cases![
    the_sixth_interface_of_a_file_came_with_10_1,
    only_what_was_asked_for_is_fetched_on_demand,
    requests_for_the_whole_file_finish_the_job,
    more_requests_are_added_to_those_that_wait,
    bytes_that_are_there_are_not_fetched_again,
    a_request_outside_the_file_is_refused,
    a_request_of_an_unknown_file_is_judged_by_the_transfer,
    requests_of_unusual_form,
    requests_are_for_downloads_over_http_only,
    a_server_that_has_lost_its_ranges_ends_random_access,
    an_ordinary_download_fetches_what_was_asked_for_first,
    an_ordinary_download_tells_what_is_there,
    a_position_puts_what_follows_first,
    the_last_position_counts,
    a_position_beyond_the_end_changes_nothing,
    a_position_alone_fetches_nothing_on_demand,
    what_is_there_is_told_joined_and_in_order,
    a_job_whose_requests_are_met_waits_for_resume,
    an_on_demand_job_without_requests_is_suspended_again,
    on_demand_mode_can_be_set_at_any_time,
    on_demand_mode_needs_static_content,
    on_demand_mode_needs_ranges,
    what_is_there_on_demand_outlives_a_restart,
    requested_bytes_are_those_of_the_file,
    a_request_turns_a_running_transfer_over_http,
    a_position_turns_a_running_transfer_over_http,
    requested_bytes_over_http_are_told_and_those_between_are_not,
    a_server_that_loses_its_ranges_over_http_ends_random_access,
];

type Parts<'a> = &'a [(u64, u64)];

fn access(job: &Arc<dyn Job>) -> Result<Arc<dyn File6>, Stop> {
    Ok(first_file(job)?.file6()?)
}

fn filled(job: &Arc<dyn Job>) -> Result<Vec<(u64, u64)>, Stop> {
    Ok(pairs(&access(job)?.filled_file_ranges()?))
}

fn request(job: &Arc<dyn Job>, parts: Parts<'_>) -> Result<Result<Success, Hresult>, Stop> {
    Ok(access(job)?.request_file_ranges(&ranges(parts)))
}

/// An on-demand job with a file of 1,000 bytes of which these parts are asked for.
fn on_demand(c: &Bench, parts: Parts<'_>) -> Result<(Arc<dyn Job>, Remote), Stop> {
    let job = c.job_with(JobPropertyId::ON_DEMAND_MODE)?;
    let file = c.serve("demand.bin", 1_000)?;
    file.add_to(&job)?;
    if !parts.is_empty() {
        request(&job, parts)??;
    }
    Ok((job, file))
}

/// Resumes a job and waits until it is in that state.
fn run(c: &Bench, job: &Arc<dyn Job>, state: JobState) -> Outcome {
    job.resume()?;
    c.settle()?;
    c.wait(job, state, SOON)
}

fn the_sixth_interface_of_a_file_came_with_10_1(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(10)?;
    let file = first_file(&job)?.file6();
    c.is("file6.interface.obtain", file.is_ok(), true)?;
    let file = file?;
    let below = (file.peer_download_stats()?.from_peers, file.file_ranges()?.value.len(), file.validation_state()?);
    c.is("file6.interface.inherits", below, (0, 0, false))?;
    c.start_over();
    c.play(Profile::V5_0)?;
    let (old, _) = c.job_with_file(10)?;
    c.returns("file6.interface.min_os", first_file(&old)?.file6().map(|_| Success::OK))
}

fn only_what_was_asked_for_is_fetched_on_demand(c: &mut Bench) -> Outcome {
    let (job, file) = on_demand(c, &[])?;
    let result = request(&job, &[(600, 100), (50, 50)])?;
    c.returns("file6.request_file_ranges.ok", result)?;
    run(c, &job, JobState::SUSPENDED)?;
    c.is(
        ["job5.on_demand.effect", "file6.request_file_ranges.params", "job5.on_demand.req_download"],
        c.fetched(&file)?,
        vec![(600, 100), (50, 50)],
    )?;
    c.is(
        ["file6.request_file_ranges.done_some", "job5.on_demand.state_after_requests", "lifecycle.edge.on_demand_done"],
        c.states_of(&job)?.split_off(1),
        vec![JobState::QUEUED, JobState::CONNECTING, JobState::TRANSFERRING, JobState::SUSPENDED],
    )?;
    c.is("job5.on_demand.effect", first_file(&job)?.progress()?.bytes_transferred, 150)
}

fn requests_for_the_whole_file_finish_the_job(c: &mut Bench) -> Outcome {
    let (job, _) = on_demand(c, &[(500, 500), (0, 400)])?;
    run(c, &job, JobState::SUSPENDED)?;
    request(&job, &[(400, 100)])??;
    run(c, &job, JobState::TRANSFERRED)?;
    c.is(
        ["file6.request_file_ranges.done_all", "job5.on_demand.state_when_complete", "lifecycle.edge.on_demand_all"],
        (job.state()?, job.progress()?.files_transferred),
        (JobState::TRANSFERRED, 1),
    )?;
    c.is("file6.get_filled_file_ranges.whole_file", filled(&job)?, vec![(0, 1_000)])?;
    job.complete()?;
    c.is("job5.on_demand.state_when_complete", c.local_length("demand.bin")?, Some(1_000))
}

fn more_requests_are_added_to_those_that_wait(c: &mut Bench) -> Outcome {
    c.needs(Capability::Lockstep)?;
    let (job, file) = on_demand(c, &[(100, 100), (300, 100)])?;
    c.hold_at(&file, 50)?;
    job.resume()?;
    c.settle()?;
    request(&job, &[(700, 100)])??;
    c.settle()?;
    c.let_go(&file)?;
    c.wait(&job, JobState::SUSPENDED, SOON)?;
    c.is("file6.request_file_ranges.adds", filled(&job)?, vec![(100, 100), (300, 100), (700, 100)])?;
    c.is("file6.request_file_ranges.no_double_download", c.fetched(&file)?, vec![(100, 100), (300, 100), (700, 100)])
}

fn bytes_that_are_there_are_not_fetched_again(c: &mut Bench) -> Outcome {
    let (job, file) = on_demand(c, &[(100, 100), (150, 100), (200, 10)])?;
    run(c, &job, JobState::SUSPENDED)?;
    c.is("file6.request_file_ranges.overlap_ok", c.fetched(&file)?, vec![(100, 150)])?;
    let result = request(&job, &[(0, 300), (100, 10)])?;
    c.is("file6.request_file_ranges.overlap_ok", result, Ok(Success::OK))?;
    run(c, &job, JobState::SUSPENDED)?;
    c.is(
        ["file6.request_file_ranges.no_double_download", "file6.request_file_ranges.overlap_ok"],
        c.fetched(&file)?,
        vec![(100, 150), (0, 100), (250, 50)],
    )
}

fn a_request_outside_the_file_is_refused(c: &mut Bench) -> Outcome {
    let (job, _) = on_demand(c, &[(0, 10)])?;
    run(c, &job, JobState::SUSPENDED)?;
    for parts in
        [&[(990, 11)][..], &[(1_000, 1)], &[(0, 10), (2_000, 1)], &[(1_000, LENGTH_TO_EOF)], &[(u64::MAX - 1, 5)]]
    {
        c.returns("file6.request_file_ranges.invalid_range", request(&job, parts)?)?;
    }
    c.is("file6.request_file_ranges.invalid_range", request(&job, &[(990, 10)])?, Ok(Success::OK))
}

fn a_request_of_an_unknown_file_is_judged_by_the_transfer(c: &mut Bench) -> Outcome {
    let (job, file) = on_demand(c, &[])?;
    c.returns("file6.request_file_ranges.size_unknown", request(&job, &[(990, 11)])?)?;
    run(c, &job, JobState::ERROR)?;
    c.is(
        "file6.request_file_ranges.size_unknown",
        (error_of(&job)?, c.fetched(&file)?),
        ((ErrorContext::REMOTE_FILE, Hresult::BG_E_INVALID_RANGE), vec![]),
    )?;
    request(&job, &[(990, 10)])??;
    run(c, &job, JobState::SUSPENDED)?;
    c.is("file6.request_file_ranges.size_unknown", filled(&job)?, vec![(990, 10)])
}

fn requests_of_unusual_form(c: &mut Bench) -> Outcome {
    let (job, _) = on_demand(c, &[])?;
    c.is("file6.request_file_ranges.zero", request(&job, &[])?, Err(Hresult::E_INVALIDARG))?;
    c.returns("file6.request_file_ranges.zero", request(&job, &[(10, 0)])?)?;
    let many: Vec<_> = (0..501).map(|n| (n, 1)).collect();
    c.returns("file6.request_file_ranges.max_ranges", request(&job, &many)?)?;
    c.returns("file6.request_file_ranges.to_eof", request(&job, &[(800, LENGTH_TO_EOF)])?)?;
    run(c, &job, JobState::SUSPENDED)?;
    c.is(
        ["file6.request_file_ranges.to_eof", "file6.request_file_ranges.max_ranges"],
        filled(&job)?,
        vec![(0, 501), (800, 200)],
    )
}

fn requests_are_for_downloads_over_http_only(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(1_000)?;
    let all = |file: &Arc<dyn File6>| {
        [
            file.request_file_ranges(&ranges(&[(0, 10)])),
            file.update_download_position(5),
            file.filled_file_ranges().map(|_| Success::OK),
        ]
    };
    c.is("file6.requirements.same_for_all", all(&access(&job)?).to_vec(), vec![Ok(Success::OK); 3])?;
    let dynamic = c.job_with(JobPropertyId::DYNAMIC_CONTENT)?;
    c.serve("dynamic.bin", 1_000)?.add_to(&dynamic)?;
    let (upload, _) = c.upload_job(JobType::UPLOAD, 10)?;
    let (reply, _) = c.upload_job(JobType::UPLOAD_REPLY, 10)?;
    for job in [upload, reply, dynamic.clone()] {
        let [requested, moved, told] = all(&access(&job)?);
        c.returns(["file6.requirements.unmet", "file6.update_download_position.unsupported"], moved)?;
        c.returns(["file6.requirements.unmet", "file6.request_file_ranges.unsupported_type"], requested)?;
        c.returns(["file6.requirements.unmet", "file6.get_filled_file_ranges.unsupported"], told)?;
    }
    c.returns("job5.dynamic_content.excludes_on_demand", request(&dynamic, &[(0, 10)])?)
}

fn a_server_that_has_lost_its_ranges_ends_random_access(c: &mut Bench) -> Outcome {
    let (job, file) = on_demand(c, &[(0, 10)])?;
    run(c, &job, JobState::SUSPENDED)?;
    c.serve_by(&file, SimServer { ranges: false, ..SimServer::default() })?;
    request(&job, &[(100, 10)])??;
    run(c, &job, JobState::ERROR)?;
    c.returns("file6.request_file_ranges.unsupported_server", request(&job, &[(200, 10)])?)?;
    let told = access(&job)?.filled_file_ranges();
    c.returns(["file6.get_filled_file_ranges.unsupported", "file6.requirements.unmet"], &told)?;
    c.returns("file6.update_download_position.unsupported", access(&job)?.update_download_position(0))
}

/// An ordinary job of which 100 of 1,000 bytes are there, and more come when it is let go.
fn under_way(c: &Bench) -> Result<(Arc<dyn Job>, Remote), Stop> {
    let (job, file) = c.job_with_file(1_000)?;
    c.hold_at(&file, 100)?;
    job.resume()?;
    c.settle()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    Ok((job, file))
}

/// Lets the job go on to its end; gives what was fetched.
fn fetched_in_all(c: &Bench, job: &Arc<dyn Job>, file: &Remote) -> Result<Vec<(u64, u64)>, Stop> {
    c.settle()?;
    c.let_go(file)?;
    c.wait(job, JobState::TRANSFERRED, SOON)?;
    c.fetched(file)
}

fn an_ordinary_download_fetches_what_was_asked_for_first(c: &mut Bench) -> Outcome {
    c.needs(Capability::Lockstep)?;
    let (job, file) = under_way(c)?;
    let result = request(&job, &[(700, 100), (300, 100)])?;
    c.is("file6.requirements.mode_not_needed", result, Ok(Success::OK))?;
    c.is(
        ["file6.requirements.mode_not_needed", "file6.request_file_ranges.prioritized"],
        fetched_in_all(c, &job, &file)?,
        vec![(0, 100), (700, 100), (300, 100), (100, 200), (400, 300), (800, 200)],
    )?;
    job.complete()?;
    c.is("file6.request_file_ranges.prioritized", c.local_length("a.bin")?, Some(1_000))
}

fn an_ordinary_download_tells_what_is_there(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(1_000)?;
    let none = access(&job)?.filled_file_ranges();
    c.returns("file6.get_filled_file_ranges.ok", &none)?;
    c.is("file6.get_filled_file_ranges.empty", pairs(&none?), vec![])?;
    let (job, file) = under_way(c)?;
    c.is(
        ["file6.get_filled_file_ranges.ordinary_job", "file6.requirements.mode_not_needed"],
        filled(&job)?,
        vec![(0, 100)],
    )?;
    c.let_go(&file)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("file6.get_filled_file_ranges.whole_file", filled(&job)?, vec![(0, 1_000)])
}

fn a_position_puts_what_follows_first(c: &mut Bench) -> Outcome {
    c.needs(Capability::Lockstep)?;
    let (job, file) = under_way(c)?;
    c.returns("file6.update_download_position.ok", access(&job)?.update_download_position(600))?;
    c.is(
        [
            "file6.update_download_position.effect",
            "file6.update_download_position.priority_not_filter",
            "file6.update_download_position.param",
        ],
        fetched_in_all(c, &job, &file)?,
        vec![(0, 100), (600, 400), (100, 500)],
    )
}

fn the_last_position_counts(c: &mut Bench) -> Outcome {
    c.needs(Capability::Lockstep)?;
    let (job, file) = under_way(c)?;
    c.hold_connecting(&file)?;
    for offset in [600, 200] {
        access(&job)?.update_download_position(offset)?;
    }
    c.is(
        "file6.update_download_position.replaces",
        fetched_in_all(c, &job, &file)?,
        vec![(0, 100), (200, 800), (100, 100)],
    )
}

fn a_position_beyond_the_end_changes_nothing(c: &mut Bench) -> Outcome {
    let (job, file) = under_way(c)?;
    for offset in [1_000, u64::MAX] {
        c.returns("file6.update_download_position.beyond_end", access(&job)?.update_download_position(offset))?;
    }
    c.is("file6.update_download_position.beyond_end", fetched_in_all(c, &job, &file)?, vec![(0, 1_000)])
}

fn a_position_alone_fetches_nothing_on_demand(c: &mut Bench) -> Outcome {
    let (job, file) = on_demand(c, &[])?;
    access(&job)?.update_download_position(500)?;
    run(c, &job, JobState::SUSPENDED)?;
    c.is("file6.update_download_position.on_demand", c.fetched(&file)?, vec![])?;
    request(&job, &[(100, 100), (450, 100)])??;
    run(c, &job, JobState::SUSPENDED)?;
    c.is("file6.update_download_position.on_demand", c.fetched(&file)?, vec![(500, 50), (100, 100), (450, 50)])
}

fn what_is_there_is_told_joined_and_in_order(c: &mut Bench) -> Outcome {
    let (job, _) = on_demand(c, &[(500, 100), (100, 50), (150, 50), (580, 40)])?;
    run(c, &job, JobState::SUSPENDED)?;
    let told = access(&job)?.filled_file_ranges();
    c.returns("file6.get_filled_file_ranges.ok", &told)?;
    c.is(
        [
            "file6.get_filled_file_ranges.content",
            "file6.get_filled_file_ranges.merged",
            "file6.get_filled_file_ranges.ordered",
            "file6.get_filled_file_ranges.params",
        ],
        pairs(&told?),
        vec![(100, 100), (500, 120)],
    )
}

fn a_job_whose_requests_are_met_waits_for_resume(c: &mut Bench) -> Outcome {
    let (job, file) = on_demand(c, &[(0, 10)])?;
    run(c, &job, JobState::SUSPENDED)?;
    request(&job, &[(100, 10)])??;
    c.settle()?;
    c.is(
        "file6.request_file_ranges.resume_again",
        (job.state()?, c.fetched(&file)?),
        (JobState::SUSPENDED, vec![(0, 10)]),
    )?;
    run(c, &job, JobState::SUSPENDED)?;
    c.is("file6.request_file_ranges.resume_again", c.fetched(&file)?, vec![(0, 10), (100, 10)])
}

fn an_on_demand_job_without_requests_is_suspended_again(c: &mut Bench) -> Outcome {
    let (job, _) = on_demand(c, &[])?;
    let result = job.resume();
    c.settle()?;
    c.is("job5.on_demand.no_request_pending", (result, job.state()?), (Ok(Success::OK), JobState::SUSPENDED))?;
    c.is("job5.on_demand.no_request_pending", c.attempted()?, vec![])
}

fn on_demand_mode_can_be_set_at_any_time(c: &mut Bench) -> Outcome {
    for state in LIVING {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        let result = job.job5()?.set_property(JobPropertyId::ON_DEMAND_MODE, JobPropertyValue::Enable(true));
        c.returns("job5.on_demand.when", result)?;
    }
    // What nobody asked for is on its way as soon as the request has turned the transfer.
    c.needs(Capability::Lockstep)?;
    c.start_over();
    let (job, file) = under_way(c)?;
    request(&job, &[(500, 100)])??;
    job.job5()?.set_property(JobPropertyId::ON_DEMAND_MODE, JobPropertyValue::Enable(true))?;
    c.settle()?;
    c.let_go(&file)?;
    c.wait(&job, JobState::SUSPENDED, SOON)?;
    c.is("job5.on_demand.when", filled(&job)?, vec![(0, 100), (500, 100)])
}

fn on_demand_mode_needs_static_content(c: &mut Bench) -> Outcome {
    let on = JobPropertyValue::Enable(true);
    let dynamic = c.job_with(JobPropertyId::DYNAMIC_CONTENT)?.job5()?;
    let both = dynamic.set_property(JobPropertyId::ON_DEMAND_MODE, on);
    c.returns(["job5.on_demand.unmet_set", "job5.on_demand.excludes_dynamic_later"], both)?;
    c.is("job5.on_demand.req_not_dynamic", both.is_err(), true)?;
    let demand = c.job_with(JobPropertyId::ON_DEMAND_MODE)?.job5()?;
    c.returns("job5.on_demand.excludes_dynamic_later", demand.set_property(JobPropertyId::DYNAMIC_CONTENT, on))?;
    let parts = c.new_job()?;
    c.serve("parts.bin", 100)?.add_parts_to(&parts, &[(0, 10)])?;
    c.returns("job5.on_demand.unmet_set", parts.job5()?.set_property(JobPropertyId::ON_DEMAND_MODE, on))?;
    let add = demand.job3()?.add_file_with_ranges(
        Some("http://files.example/parts.bin"),
        Some(&c.local("more.bin")),
        &ranges(&[(0, 10)]),
    );
    c.returns("job5.on_demand.unmet_set", add)
}

fn on_demand_mode_needs_ranges(c: &mut Bench) -> Outcome {
    let (job, file) = on_demand(c, &[(0, 10)])?;
    c.serve_by(&file, SimServer { ranges: false, ..SimServer::default() })?;
    run(c, &job, JobState::ERROR)?;
    c.is("job5.on_demand.req_ranges", error_of(&job)?.1, Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT)?;
    let job = c.job_with(JobPropertyId::ON_DEMAND_MODE)?;
    let names = ["http://files.example/a.bin", "https://files.example/b.bin", r"\\server\share\c.bin"];
    let taken = names.map(|name| job.add_file(Some(name), Some(&c.local("any.bin"))).is_ok());
    c.is("job5.on_demand.req_http", taken.to_vec(), vec![true, true, false])?;
    // The same of a real server.
    c.start_over();
    let origin = c.origin()?;
    origin.put("/file", Content::bytes(vec![7; 1_000]).without_ranges());
    let job = c.job_with(JobPropertyId::ON_DEMAND_MODE)?;
    job.add_file(Some(&origin.url("/file")), Some(&c.local("download.bin")))?;
    request(&job, &[(600, 100)])??;
    run(c, &job, JobState::ERROR)?;
    c.is("job5.on_demand.req_ranges", error_of(&job)?.1, Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT)
}

fn what_is_there_on_demand_outlives_a_restart(c: &mut Bench) -> Outcome {
    let (job, file) = on_demand(c, &[(100, 100), (500, 100)])?;
    let id = job.id()?;
    c.hold_at(&file, 150)?;
    job.resume()?;
    c.settle()?;
    job.suspend()?;
    c.settle()?;
    c.restart_service()?;
    let job = c.find(id)?;
    let mode = job.job5()?.property(JobPropertyId::ON_DEMAND_MODE)?;
    c.is(
        "job5.on_demand.persist",
        (mode, filled(&job)?),
        (JobPropertyValue::Enable(true), vec![(100, 100), (500, 50)]),
    )?;
    c.let_go(&file)?;
    run(c, &job, JobState::SUSPENDED)?;
    c.is("job5.on_demand.persist", c.fetched(&file)?, vec![(100, 100), (500, 100)])
}

fn requested_bytes_are_those_of_the_file(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let bytes = Synthetic::new(1_000, 1).bytes(0..1_000);
    origin.put("/file", Content::bytes(bytes.clone()));
    let job = c.job_with(JobPropertyId::ON_DEMAND_MODE)?;
    job.add_file(Some(&origin.url("/file")), Some(&c.local("download.bin")))?;
    request(&job, &[(600, 100), (50, 50)])??;
    run(c, &job, JobState::SUSPENDED)?;
    let there = std::fs::read(first_file(&job)?.file3()?.temporary_name()?).unwrap_or_default();
    c.holds(
        ["job5.on_demand.effect", "file6.get_filled_file_ranges.content"],
        "the ranges are at their places",
        there.get(600..700) == bytes.get(600..700) && there.get(50..100) == bytes.get(50..100),
    )?;
    request(&job, &[(0, LENGTH_TO_EOF)])??;
    run(c, &job, JobState::TRANSFERRED)?;
    job.complete()?;
    c.holds("file6.request_file_ranges.done_all", "the file is whole", c.downloaded()? == bytes)?;
    let expected = ["HEAD -", "GET bytes=600-699", "GET bytes=50-99", "GET bytes=0-49,100-599,700-999"];
    c.is("file6.request_file_ranges.no_double_download", asked(&origin.journal()), expected.map(str::to_owned).to_vec())
}

const SIZE: u64 = 50_000;

fn served() -> Vec<u8> {
    Synthetic::new(SIZE, 1).bytes(0..SIZE)
}

/// An ordinary job that the origin holds at byte 20,000 of its file.
fn held_over_http(c: &Bench, origin: &Origin) -> Result<(Arc<dyn Job>, Gate), Stop> {
    origin.put("/file", Content::bytes(served()));
    let gate = origin.gate_method("GET", "/file", GateAt::Byte(20_000));
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    job.resume()?;
    c.settle()?;
    Ok((job, gate))
}

fn a_request_turns_a_running_transfer_over_http(c: &mut Bench) -> Outcome {
    c.needs(Capability::Lockstep)?;
    let origin = c.origin()?;
    let (job, gate) = held_over_http(c, &origin)?;
    let before = origin.journal().len();
    request(&job, &[(40_000, 1_000), (10_000, 500), (30_000, 100)])??;
    c.settle()?;
    // Asked for again, it turns nothing.
    request(&job, &[(10_000, 500), (30_000, 100)])??;
    c.settle()?;
    gate.open();
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let expected = ["GET bytes=40000-40999", "GET bytes=30000-30099", "GET bytes=20000-29999,30100-39999,41000-49999"];
    c.is(
        ["file6.request_file_ranges.prioritized", "file6.request_file_ranges.no_double_download"],
        asked(&origin.journal()).split_off(before),
        expected.map(str::to_owned).to_vec(),
    )?;
    job.complete()?;
    c.holds("file6.request_file_ranges.prioritized", "the file is whole", c.downloaded()? == served())
}

fn a_position_turns_a_running_transfer_over_http(c: &mut Bench) -> Outcome {
    c.needs(Capability::Lockstep)?;
    let origin = c.origin()?;
    let (job, gate) = held_over_http(c, &origin)?;
    let before = origin.journal().len();
    access(&job)?.update_download_position(30_000)?;
    c.settle()?;
    gate.open();
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(
        ["file6.update_download_position.effect", "file6.update_download_position.priority_not_filter"],
        asked(&origin.journal()).split_off(before),
        ["GET bytes=30000-49999", "GET bytes=20000-29999"].map(str::to_owned).to_vec(),
    )?;
    job.complete()?;
    c.holds("file6.update_download_position.effect", "the file is whole", c.downloaded()? == served())
}

fn requested_bytes_over_http_are_told_and_those_between_are_not(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/file", Content::bytes(served()));
    let recorder = Recorder::new();
    let job = c.job_with(JobPropertyId::ON_DEMAND_MODE)?;
    job.add_file(Some(&origin.url("/file")), Some(&c.local("download.bin")))?;
    job.set_notify_interface(Some(recorder.object3()))?;
    job.set_notify_flags(NotifyFlags::FILE_RANGES_TRANSFERRED)?;
    request(&job, &[(1_000, 500), (9_000, 700), (20_000, 10)])??;
    run(c, &job, JobState::SUSPENDED)?;
    c.advance(MINUTE)?;
    c.is(
        "file6.request_file_ranges.adds",
        asked(&origin.journal()).pop(),
        Some("GET bytes=1000-1499,9000-9699,20000-20009".into()),
    )?;
    let told = |told: Told| if let Told::Ranges { ranges, .. } = told { pairs(&ranges) } else { vec![] };
    let told: Vec<_> = recorder.told().into_iter().flat_map(told).collect();
    let expected = vec![(1_000, 500), (9_000, 700), (20_000, 10)];
    c.is(
        ["callback3.file_ranges_transferred.when", "callback3.file_ranges_transferred.params"],
        told,
        expected.clone(),
    )?;
    c.is(["file6.get_filled_file_ranges.content", "job5.on_demand.effect"], filled(&job)?, expected)
}

fn a_server_that_loses_its_ranges_over_http_ends_random_access(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/file", Content::bytes(served()));
    let job = c.job_with(JobPropertyId::ON_DEMAND_MODE)?;
    job.add_file(Some(&origin.url("/file")), Some(&c.local("download.bin")))?;
    request(&job, &[(0, 10)])??;
    run(c, &job, JobState::SUSPENDED)?;
    c.fault("GET", "/file", Fault::IgnoreRange)?;
    request(&job, &[(100, 10), (300, 10)])??;
    run(c, &job, JobState::ERROR)?;
    c.is("job5.on_demand.req_ranges", error_of(&job)?.1, Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT)?;
    c.returns("file6.request_file_ranges.unsupported_server", request(&job, &[(200, 10)])?)
}
