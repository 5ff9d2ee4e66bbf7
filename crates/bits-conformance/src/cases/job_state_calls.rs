//! Resume, Suspend, Cancel and Complete: from every state, to every state.

use super::prelude::*;

cases![
    resume_of_an_empty_job_fails,
    resume_puts_a_suspended_job_into_the_queue,
    resume_leaves_an_active_job_where_it_is,
    resume_retries_a_job_in_transient_error_at_once,
    resume_retries_a_job_in_error,
    resume_of_a_transferred_job_with_nothing_left_changes_nothing,
    resume_of_a_transferred_job_transfers_added_files,
    resume_of_a_failed_job_transfers_added_files,
    suspend_is_allowed_in_every_state_but_the_final_ones,
    a_job_may_be_suspended_and_resumed_at_any_time,
    suspend_of_a_suspended_job_changes_nothing,
    suspend_stops_the_transfer_until_resume,
    suspend_keeps_what_has_arrived,
    only_new_jobs_report_suspended,
    a_suspended_job_leaves_by_three_doors_only,
    a_failed_job_leaves_by_three_doors_only,
    cancel_is_allowed_in_every_state_but_the_final_ones,
    cancel_deletes_everything,
    cancel_of_a_fresh_job_is_plain_ok,
    cancel_succeeds_when_files_cannot_be_deleted,
    a_cancelled_job_cannot_be_recovered,
    final_states_refuse_every_call,
    complete_gives_the_files_their_names,
    complete_is_allowed_in_every_state_but_the_final_ones,
    complete_keeps_the_files_that_were_finished,
    complete_of_a_failed_job_keeps_what_cancel_would_delete,
    complete_without_a_finished_file_is_partial,
    complete_succeeds_when_files_cannot_be_deleted,
    complete_that_cannot_rename_keeps_the_job,
    complete_needs_no_network,
    complete_works_for_an_administrator,
    files_are_not_there_before_complete,
];

fn resume_of_an_empty_job_fails(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    c.returns(["core:job.resume.empty", "observed:job.resume.empty", "lifecycle.edge.resume_empty"], job.resume())?;
    c.value("observed:job.resume.empty", job.state()?)?;
    c.is(["core:job.resume.empty", "lifecycle.edge.resume_empty"], job.state()?, JobState::SUSPENDED)
}

fn resume_puts_a_suspended_job_into_the_queue(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(1_000)?;
    c.block_background()?;
    c.returns("job.resume.ok", job.resume())?;
    c.is(
        ["job.resume.ok", "job.resume.params", "lifecycle.edge.resume_suspended", "lifecycle.queued.meaning"],
        job.state()?,
        JobState::QUEUED,
    )?;
    c.value(["enum.job_state.queued", "lifecycle.enum.queued"], job.state()?)
}

fn resume_leaves_an_active_job_where_it_is(c: &mut Bench) -> Outcome {
    for state in [JobState::QUEUED, JobState::CONNECTING, JobState::TRANSFERRING] {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        c.returns("job.resume.active_noop", job.resume())?;
        c.is(["job.resume.active_noop", "lifecycle.edge.resume_action"], job.state()?, state)?;
    }
    Ok(())
}

fn resume_retries_a_job_in_transient_error_at_once(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::TRANSIENT_ERROR)?;
    let failed_at = c.now()?;
    c.hold_connecting(&file)?;
    c.returns(["job.resume.from_transient_error", "job.resume.transient"], job.resume())?;
    let states = c.states_of(&job)?;
    let after = states.iter().position(|state| *state == JobState::TRANSIENT_ERROR).map(|at| states[at + 1]);
    c.is("lifecycle.edge.transient_resume", after, Some(JobState::QUEUED))?;
    c.settle()?;
    c.is(
        [
            "job.resume.from_transient_error",
            "job.set_minimum_retry_delay.resume_overrides",
            "retry.delay.resume_overrides",
        ],
        (job.state()?, c.now()?),
        (JobState::CONNECTING, failed_at),
    )?;
    c.let_go(&file)?;
    c.settle()?;
    c.is("job.resume.transient", job.state()?, JobState::TRANSFERRED)
}

fn resume_retries_a_job_in_error(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::ERROR)?;
    c.block_background()?;
    c.returns("job.resume.from_error", job.resume())?;
    c.is(["job.resume.from_error", "lifecycle.edge.error_resume"], job.state()?, JobState::QUEUED)
}

fn resume_of_a_transferred_job_with_nothing_left_changes_nothing(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    c.returns("job.resume.from_transferred_no_files", job.resume())?;
    c.is("job.resume.from_transferred_no_files", job.state()?, JobState::TRANSFERRED)
}

fn resume_of_a_transferred_job_transfers_added_files(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    let more = c.serve("more.bin", 20)?;
    more.add_to(&job)?;
    c.advance(DAY)?;
    c.is("job.add_file.transferred_needs_resume", files(&job)?[1].progress()?.bytes_transferred, 0)?;
    c.hold_at(&more, 5)?;
    job.resume()?;
    let states = c.states_of(&job)?;
    let after =
        states.iter().position(|state| *state == JobState::TRANSFERRED).and_then(|at| states.get(at + 1).copied());
    c.is("lifecycle.edge.transferred_more_files", after, Some(JobState::QUEUED))?;
    c.let_go(&more)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let bytes = files(&job)?[1].progress()?.bytes_transferred;
    c.is(["job.resume.from_transferred_new_files", "job.add_file.transferred_needs_resume"], bytes, 20)
}

fn resume_of_a_failed_job_transfers_added_files(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::ERROR)?;
    let more = c.serve("more.bin", 20)?;
    more.add_to(&job)?;
    c.block_background()?;
    c.is("job.add_file.transferred_needs_resume", job.state()?, JobState::ERROR)?;
    job.resume()?;
    c.is("lifecycle.edge.error_more_files", job.state()?, JobState::QUEUED)
}

fn suspend_is_allowed_in_every_state_but_the_final_ones(c: &mut Bench) -> Outcome {
    for state in LIVING {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        c.returns("job.suspend.ok", job.suspend())?;
        c.is(
            ["job.suspend.ok", "job.suspend.params", "lifecycle.edge.suspend_any"],
            job.state()?,
            JobState::SUSPENDED,
        )?;
        if [JobState::TRANSFERRED, JobState::ERROR].contains(&state) {
            c.is("job.suspend.from_transferred", job.state()?, JobState::SUSPENDED)?;
        }
    }
    Ok(())
}

fn a_job_may_be_suspended_and_resumed_at_any_time(c: &mut Bench) -> Outcome {
    for state in LIVING {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        let calls = vec![job.suspend().is_ok(), job.resume().is_ok(), job.suspend().is_ok(), job.resume().is_ok()];
        c.is("lifecycle.suspend.anytime", calls, vec![true; 4])?;
        c.settle()?;
        c.is("lifecycle.suspend.anytime", job.state()? == JobState::SUSPENDED, false)?;
    }
    Ok(())
}

fn suspend_of_a_suspended_job_changes_nothing(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    c.returns("job.suspend.idempotent", job.suspend())?;
    c.is(["job.suspend.idempotent", "lifecycle.edge.suspend_suspended"], job.state()?, JobState::SUSPENDED)
}

fn suspend_stops_the_transfer_until_resume(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::TRANSFERRING)?;
    job.suspend()?;
    c.settle()?;
    c.let_go(&file)?;
    c.advance(DAY)?;
    c.is(
        ["job.suspend.effect", "lifecycle.suspend.effect", "enum.job_state.leave_transferring"],
        (job.state()?, job.progress()?.bytes_transferred),
        (JobState::SUSPENDED, 400),
    )?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(["job.suspend.effect", "lifecycle.suspend.effect"], job.progress()?.bytes_transferred, 1_000)
}

fn suspend_keeps_what_has_arrived(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::TRANSFERRING)?;
    job.suspend()?;
    c.settle()?;
    c.is("job.suspend.keeps_data", job.progress()?.bytes_transferred, 400)?;
    c.hold_connecting(&file)?;
    job.resume()?;
    c.settle()?;
    c.is("job.suspend.keeps_data", job.progress()?.bytes_transferred, 400)
}

fn only_new_jobs_report_suspended(c: &mut Bench) -> Outcome {
    for state in [JobState::SUSPENDED, JobState::ERROR, JobState::TRANSFERRED] {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        let attempts = c.attempted()?.len();
        c.advance(DAY)?;
        c.is("job.suspend.auto", (job.state()?, c.attempted()?.len()), (state, attempts))?;
    }
    Ok(())
}

fn a_suspended_job_leaves_by_three_doors_only(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(1_000)?;
    c.advance(DAY * 89)?;
    c.is(["enum.job_state.suspended_exit", "manager.create_job.initial_state"], job.state()?, JobState::SUSPENDED)?;
    c.is("manager.create_job.initial_state", c.attempted()?.len(), 0)?;
    let mut left_for = Vec::new();
    for leave in [|job: &dyn Job| job.resume(), |job: &dyn Job| job.complete(), |job: &dyn Job| job.cancel()] {
        c.start_over();
        let (job, _) = c.job_with_file(1_000)?;
        leave(&*job)?;
        c.settle()?;
        left_for.push(job.state()?);
    }
    c.is(
        "enum.job_state.suspended_exit",
        left_for,
        vec![JobState::TRANSFERRED, JobState::ACKNOWLEDGED, JobState::CANCELLED],
    )
}

fn a_failed_job_leaves_by_three_doors_only(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::ERROR)?;
    c.value(["enum.job_state.error", "lifecycle.enum.error"], job.state()?)?;
    let attempts = c.attempted()?.len();
    c.advance(DAY * 80)?;
    c.is(["lifecycle.error.meaning", "enum.job_state.error_exit"], job.state()?, JobState::ERROR)?;
    c.is("lifecycle.error.meaning", c.attempted()?.len(), attempts)?;
    let mut left_for = Vec::new();
    for leave in [|job: &dyn Job| job.resume(), |job: &dyn Job| job.complete(), |job: &dyn Job| job.cancel()] {
        c.start_over();
        let (job, _) = c.job_in(JobState::ERROR)?;
        leave(&*job)?;
        c.settle()?;
        left_for.push(job.state()?);
    }
    c.is(
        ["enum.job_state.error_exit", "job.get_error.options", "errors.options"],
        left_for,
        vec![JobState::TRANSFERRED, JobState::ACKNOWLEDGED, JobState::CANCELLED],
    )
}

fn cancel_is_allowed_in_every_state_but_the_final_ones(c: &mut Bench) -> Outcome {
    for state in LIVING {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        c.returns("job.cancel.ok", job.cancel())?;
        c.is(
            ["job.cancel.any_time", "job.cancel.state", "job.cancel.params", "lifecycle.edge.cancel"],
            job.state()?,
            JobState::CANCELLED,
        )?;
        c.value(["enum.job_state.cancelled", "lifecycle.enum.cancelled"], job.state()?)?;
        let found = c.manager()?.job(job.id()?).err();
        c.is("job.cancel.state", found, Some(Hresult::BG_E_NOT_FOUND))?;
    }
    Ok(())
}

fn cancel_deletes_everything(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let whole = c.serve("whole.bin", 100)?;
    let part = c.serve("part.bin", 100)?;
    whole.add_to(&job)?;
    part.add_to(&job)?;
    c.hold_at(&part, 40)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.settle()?;
    let lengths: Vec<u64> = c.local_files()?.into_iter().map(|(_, length)| length).collect();
    c.holds("lifecycle.cancel.removes", "there is a whole and a partial temporary file", lengths.len() == 2)?;
    job.cancel()?;
    c.settle()?;
    c.is(
        ["job.cancel.deletes_all", "lifecycle.cancel.deletes_all", "lifecycle.cancel.removes"],
        c.local_files()?.len(),
        0,
    )?;
    c.let_go(&part)?;
    c.settle()?;
    let progress = files(&job)?[1].progress()?;
    let is_whole = progress.bytes_transferred == 100;
    c.is("lifecycle.cancel.running_files", (is_whole, progress.completed), (false, false))?;
    c.is("lifecycle.cancel.running_files", c.local_files()?.len(), 0)
}

fn cancel_of_a_fresh_job_is_plain_ok(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    c.returns("job.cancel.fresh", job.cancel())?;
    c.value("job.cancel.fresh", job.state()?)?;
    c.returns("job.cancel.twice", job.cancel())
}

fn cancel_succeeds_when_files_cannot_be_deleted(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRING)?;
    c.harm("", StorageFault::Pinned)?;
    c.returns(["job.cancel.unable_to_delete", "files.unable_delete"], job.cancel())?;
    c.is("job.cancel.unable_to_delete", job.state()?, JobState::CANCELLED)
}

fn a_cancelled_job_cannot_be_recovered(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::CANCELLED)?;
    let id = job.id()?;
    let refused = job.resume().is_err();
    c.restart_service()?;
    let found = c.manager()?.job(id).err();
    c.is("job.cancel.irreversible", (refused, found), (true, Some(Hresult::BG_E_NOT_FOUND)))
}

fn final_states_refuse_every_call(c: &mut Bench) -> Outcome {
    for state in FINAL {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        c.returns(["job.suspend.invalid_state", "lifecycle.final.methods_refused"], job.suspend())?;
        c.returns(["job.resume.invalid_state", "lifecycle.final.methods_refused"], job.resume())?;
        c.returns(["job.cancel.invalid_state", "lifecycle.final.methods_refused"], job.cancel())?;
        c.returns(["job.complete.invalid_state_download", "lifecycle.final.methods_refused"], job.complete())?;
        c.returns("job.add_file.final_state", job.add_file(Some("http://files.example/x"), Some(&c.local("x.bin"))))?;
        let info = FileInfo { remote_name: "http://files.example/x", local_name: &c.local("x.bin") };
        c.returns("job.add_file_set.final_state", job.add_file_set(&[info]))?;
        c.advance(DAY * 100)?;
        c.is(["lifecycle.final.no_exit", "enum.job_state.final"], job.state()?, state)?;
    }
    Ok(())
}

fn complete_gives_the_files_their_names(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    c.returns("job.complete.ok", job.complete())?;
    c.is(
        ["job.complete.state", "job.complete.params", "lifecycle.edge.complete_download"],
        job.state()?,
        JobState::ACKNOWLEDGED,
    )?;
    c.value(["job.complete.final-state", "enum.job_state.acknowledged", "lifecycle.enum.acknowledged"], job.state()?)?;
    c.is(
        ["job.complete.rename", "lifecycle.complete.renames", "files.temp.rename"],
        c.local_files()?,
        vec![("a.bin".to_owned(), 1_000)],
    )?;
    let left = c.queue()?.enum_jobs(EnumJobsFlags::empty())?.count()?;
    c.is(["job.complete.removes_job", "lifecycle.complete.removes_from_queue"], left, 0)?;
    c.is("lifecycle.complete.removes_from_queue", job.display_name()?, job_name().to_owned())?;
    c.returns("job.complete.twice", job.complete())
}

fn complete_is_allowed_in_every_state_but_the_final_ones(c: &mut Bench) -> Outcome {
    for state in LIVING {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        let done = job.complete();
        c.holds("job.complete.any_time_download", "Complete succeeds", done.is_ok())?;
        c.is(
            ["job.complete.any_time_download", "lifecycle.edge.complete_download"],
            job.state()?,
            JobState::ACKNOWLEDGED,
        )?;
        c.is(["lifecycle.methods.four", "job.interface.state_changers"], job.state()?, JobState::ACKNOWLEDGED)?;
        if state != JobState::TRANSFERRED {
            c.returns(["job.complete.partial", "lifecycle.complete.early"], done)?;
        }
    }
    for state in LIVING {
        for call in [|job: &dyn Job| job.suspend(), |job: &dyn Job| job.resume(), |job: &dyn Job| job.cancel()] {
            c.start_over();
            let (job, _) = c.job_in(state)?;
            c.is(["lifecycle.methods.four", "job.interface.state_changers"], call(&*job).is_ok(), true)?;
        }
    }
    Ok(())
}

/// A job whose third of five files is in the middle of its transfer.
fn in_the_third_of_five(c: &Bench) -> Result<Arc<dyn Job>, Stop> {
    let job = c.new_job()?;
    for name in ["1.bin", "2.bin", "3.bin", "4.bin", "5.bin"] {
        let file = c.serve(name, 100)?;
        file.add_to(&job)?;
        if name == "3.bin" {
            c.hold_at(&file, 60)?;
        }
    }
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.settle()?;
    Ok(job)
}

fn complete_keeps_the_files_that_were_finished(c: &mut Bench) -> Outcome {
    let job = in_the_third_of_five(c)?;
    let mut kept = Vec::new();
    for file in files(&job)? {
        let progress = file.progress()?;
        kept.push(progress.bytes_transferred == progress.bytes_total);
    }
    c.is(
        ["job.complete.which_transferred", "struct.file_progress.transferred_test"],
        kept,
        vec![true, true, false, false, false],
    )?;
    c.returns(["job.complete.partial", "lifecycle.complete.early"], job.complete())?;
    let left = vec![("1.bin".to_owned(), 100), ("2.bin".to_owned(), 100)];
    c.is(
        [
            "job.complete.partial",
            "job.complete.partial_files",
            "job.complete.partial_deletes_rest",
            "lifecycle.complete.keeps_whole",
            "lifecycle.complete.early",
            "job.complete.which_transferred",
        ],
        c.local_files()?,
        left,
    )?;
    let listed = c.queue()?.enum_jobs(EnumJobsFlags::empty())?.count()?;
    c.is("job.complete.removes_job", listed, 0)
}

fn complete_of_a_failed_job_keeps_what_cancel_would_delete(c: &mut Bench) -> Outcome {
    let mut kept = Vec::new();
    for end in [|job: &dyn Job| job.complete(), |job: &dyn Job| job.cancel()] {
        c.start_over();
        let job = c.new_job()?;
        let (good, bad) = (c.serve("good.bin", 100)?, c.serve("bad.bin", 100)?);
        good.add_to(&job)?;
        bad.add_to(&job)?;
        c.trouble(&bad, Trouble::Refuses(30))?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        end(&*job)?;
        c.settle()?;
        kept.push(c.local_files()?.len());
    }
    c.is(["lifecycle.complete.vs_cancel_in_error", "errors.options", "job.get_error.options"], kept, vec![1, 0])
}

fn complete_without_a_finished_file_is_partial(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRING)?;
    c.returns("job.complete.none_transferred", job.complete())?;
    c.is("job.complete.partial_deletes_rest", c.local_files()?.len(), 0)?;
    let empty = c.new_job()?.complete();
    c.is("job.complete.none_transferred", empty.map_or_else(|code| code, Success::hresult), Hresult::S_OK)
}

fn complete_succeeds_when_files_cannot_be_deleted(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRING)?;
    c.harm("", StorageFault::Pinned)?;
    c.returns(["job.complete.unable_to_delete", "files.unable_delete"], job.complete())?;
    c.is("job.complete.unable_to_delete", job.state()?, JobState::ACKNOWLEDGED)?;
    let listed = c.queue()?.enum_jobs(EnumJobsFlags::empty())?.count()?;
    c.is("job.complete.unable_to_delete", listed, 0)
}

fn complete_that_cannot_rename_keeps_the_job(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    for name in ["first.bin", "second.bin"] {
        let file = c.serve(name, 100)?;
        file.add_to(&job)?;
    }
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.harm("second.bin", StorageFault::InUse)?;
    c.is("job.complete.rename_errors", job.complete().err(), Some(Hresult::ERROR_SHARING_VIOLATION))?;
    c.is("job.complete.rename_failed_stays", job.state()?, JobState::TRANSFERRED)?;
    c.is("job.complete.rename_failed_stays", c.local_length("first.bin")?, Some(100))?;
    let completed = vec![files(&job)?[0].progress()?.completed, files(&job)?[1].progress()?.completed];
    c.is(
        ["job.complete.completed_flag", "struct.file_progress.completed_partial_rename"],
        completed,
        vec![true, false],
    )?;
    c.mend("second.bin")?;
    job.complete()?;
    c.is(
        "job.complete.rename_failed_stays",
        (job.state()?, c.local_length("second.bin")?),
        (JobState::ACKNOWLEDGED, Some(100)),
    )
}

fn complete_needs_no_network(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    c.disconnect()?;
    c.settle()?;
    let done = job.complete().is_ok();
    c.is("job.complete.network", (done, c.local_length("a.bin")?), (true, Some(1_000)))
}

fn complete_works_for_an_administrator(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    let by_admin = c.administrator()?.job(job.id()?)?;
    by_admin.complete()?;
    c.is("job.complete.by_admin", (job.state()?, job.owner()?), (JobState::ACKNOWLEDGED, c.own_sid()?))
}

fn files_are_not_there_before_complete(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    c.value(["enum.job_state.transferred", "lifecycle.enum.transferred"], job.state()?)?;
    c.advance(DAY)?;
    c.is(
        [
            "lifecycle.complete.availability",
            "enum.job_state.transferred_needs_complete",
            "lifecycle.transferred.meaning",
        ],
        (job.state()?, c.local_length("a.bin")?),
        (JobState::TRANSFERRED, None),
    )?;
    c.is("struct.file_progress.completed_download", first_file(&job)?.progress()?.completed, false)?;
    job.complete()?;
    c.is("struct.file_progress.completed_download", first_file(&job)?.progress()?.completed, true)?;
    c.is(
        ["lifecycle.complete.availability", "enum.job_state.transferred_needs_complete"],
        c.local_length("a.bin")?,
        Some(1_000),
    )
}
