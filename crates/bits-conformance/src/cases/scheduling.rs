//! Whose turn it is: priorities, time slices, and the way of a job through its states.

use bits_world::Profile;

use crate::bench::Remote;

use super::prelude::*;

cases![
    a_job_without_trouble_goes_through_the_normal_states,
    only_documented_states_are_seen_on_the_way,
    connecting_becomes_transferring_when_the_server_answers,
    connecting_becomes_transient_error_when_the_server_does_not,
    connecting_becomes_error_on_a_fatal_answer,
    transferring_becomes_transient_error_when_it_breaks,
    transferring_becomes_error_on_a_fatal_failure,
    one_background_job_runs_at_a_time,
    all_foreground_jobs_run_at_once_beside_one_background_job,
    one_job_runs_at_a_time_before_bits_2_0,
    a_higher_priority_preempts_a_lower_one,
    priorities_are_ordered_by_their_numbers,
    a_lower_priority_waits_until_the_higher_is_done,
    a_job_that_cannot_run_blocks_nobody,
    equal_jobs_share_the_time_in_slices,
    a_small_job_does_not_wait_for_the_end_of_a_large_one,
    equal_jobs_go_first_in_first_out_mostly,
    a_time_slice_lasts_five_minutes,
    the_time_slice_can_be_chosen,
    a_slice_ends_while_connecting_too,
    a_job_goes_on_when_its_client_has_ended,
    defaults_are_enough_to_transfer,
    states_fall_into_four_classes,
    states_are_numbered_in_their_order,
];

/// A job of that priority with one file of 1,000 bytes, not resumed.
fn job_of(c: &Bench, name: &str, priority: JobPriority) -> Result<(Arc<dyn Job>, Remote), Stop> {
    let job = c.new_job()?;
    job.set_priority(priority)?;
    let file = c.serve(name, 1_000)?;
    file.add_to(&job)?;
    Ok((job, file))
}

/// Such a job, resumed and held at its first byte.
fn held_job(c: &Bench, name: &str, priority: JobPriority) -> Result<(Arc<dyn Job>, Remote), Stop> {
    let (job, file) = job_of(c, name, priority)?;
    c.hold_at(&file, 1)?;
    job.resume()?;
    c.settle()?;
    Ok((job, file))
}

fn states(jobs: &[&Arc<dyn Job>]) -> Result<Vec<JobState>, Stop> {
    jobs.iter().map(|job| Ok(job.state()?)).collect()
}

fn a_job_without_trouble_goes_through_the_normal_states(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::ACKNOWLEDGED)?;
    let path = vec![
        JobState::SUSPENDED,
        JobState::QUEUED,
        JobState::CONNECTING,
        JobState::TRANSFERRING,
        JobState::TRANSFERRED,
        JobState::ACKNOWLEDGED,
    ];
    c.is(
        [
            "enum.job_state.normal_path",
            "lifecycle.edge.queued_connecting",
            "lifecycle.edge.connecting_transferring",
            "lifecycle.edge.done",
            "enum.job_state.connect_ok",
        ],
        c.states_of(&job)?,
        path,
    )
}

fn only_documented_states_are_seen_on_the_way(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(1_000)?;
    c.trouble(&file, Trouble::Unavailable)?;
    c.trouble(&file, Trouble::Breaks(300))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, MINUTE * 30)?;
    let allowed = [
        JobState::QUEUED,
        JobState::CONNECTING,
        JobState::TRANSFERRING,
        JobState::TRANSIENT_ERROR,
        JobState::TRANSFERRED,
    ];
    let seen = c.states_of(&job)?;
    let others = seen[1..].iter().filter(|state| !allowed.contains(state)).count();
    c.is("job.resume.states", (seen[0], others), (JobState::SUSPENDED, 0))
}

fn connecting_becomes_transferring_when_the_server_answers(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::CONNECTING)?;
    c.advance(MINUTE)?;
    c.is("lifecycle.connecting.meaning", (job.state()?, job.progress()?.bytes_transferred), (JobState::CONNECTING, 0))?;
    // It answers, and sends no byte yet.
    c.move_to(&file, 0)?;
    c.settle()?;
    c.is(
        ["lifecycle.edge.connecting_transferring", "enum.job_state.connect_ok"],
        (job.state()?, job.progress()?.bytes_transferred),
        (JobState::TRANSFERRING, 0),
    )?;
    c.let_go(&file)?;
    c.settle()?;
    let after = c.states_of(&job)?;
    let after = after.iter().position(|state| *state == JobState::CONNECTING).map(|at| after[at + 1]);
    c.is(
        ["lifecycle.edge.connecting_transferring", "enum.job_state.connect_ok", "lifecycle.connecting.meaning"],
        after,
        Some(JobState::TRANSFERRING),
    )
}

/// The state that followed the last `state` of the job.
fn after_last(c: &Bench, job: &Arc<dyn Job>, state: JobState) -> Result<Option<JobState>, Stop> {
    let states = c.states_of(job)?;
    Ok(states.iter().rposition(|seen| *seen == state).and_then(|at| states.get(at + 1).copied()))
}

fn connecting_becomes_transient_error_when_the_server_does_not(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSIENT_ERROR)?;
    c.is(
        ["lifecycle.edge.connecting_transient", "enum.job_state.connect_fail"],
        after_last(c, &job, JobState::CONNECTING)?,
        Some(JobState::TRANSIENT_ERROR),
    )
}

fn connecting_becomes_error_on_a_fatal_answer(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::ERROR)?;
    c.is("lifecycle.edge.connecting_error", after_last(c, &job, JobState::CONNECTING)?, Some(JobState::ERROR))
}

fn transferring_becomes_transient_error_when_it_breaks(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(1_000)?;
    c.trouble(&file, Trouble::Breaks(300))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
    c.is(
        ["lifecycle.edge.transferring_transient", "enum.job_state.leave_transferring"],
        after_last(c, &job, JobState::TRANSFERRING)?,
        Some(JobState::TRANSIENT_ERROR),
    )
}

fn transferring_becomes_error_on_a_fatal_failure(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(1_000)?;
    c.trouble(&file, Trouble::Refuses(300))?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.is("lifecycle.edge.transferring_error", after_last(c, &job, JobState::TRANSFERRING)?, Some(JobState::ERROR))
}

fn one_background_job_runs_at_a_time(c: &mut Bench) -> Outcome {
    let mut jobs = Vec::new();
    for name in ["1.bin", "2.bin", "3.bin"] {
        jobs.push(held_job(c, name, JobPriority::NORMAL)?.0);
    }
    let active = jobs.iter().filter(|job| job.state() == Ok(JobState::TRANSFERRING)).count();
    let queued = jobs.iter().filter(|job| job.state() == Ok(JobState::QUEUED)).count();
    c.value("sched.background.one", active)?;
    c.is(["sched.background.one", "lifecycle.queued.meaning"], queued, 2)
}

fn all_foreground_jobs_run_at_once_beside_one_background_job(c: &mut Bench) -> Outcome {
    let (background, _) = held_job(c, "b1.bin", JobPriority::LOW)?;
    let (waiting, _) = held_job(c, "b2.bin", JobPriority::LOW)?;
    let (one, _) = held_job(c, "f1.bin", JobPriority::FOREGROUND)?;
    let (two, _) = held_job(c, "f2.bin", JobPriority::FOREGROUND)?;
    let (three, _) = held_job(c, "f3.bin", JobPriority::FOREGROUND)?;
    c.value(["enum.job_priority.foreground", "sched.priority.foreground"], one.priority()?)?;
    let mut expected = vec![JobState::TRANSFERRING; 4];
    expected.push(JobState::QUEUED);
    c.is(
        ["sched.foreground.concurrent", "enum.job_priority.foreground_parallel"],
        states(&[&one, &two, &three, &background, &waiting])?,
        expected,
    )
}

fn one_job_runs_at_a_time_before_bits_2_0(c: &mut Bench) -> Outcome {
    c.play(Profile::V1_5)?;
    let (background, _) = held_job(c, "b1.bin", JobPriority::HIGH)?;
    let (one, file) = held_job(c, "f1.bin", JobPriority::FOREGROUND)?;
    let (two, _) = held_job(c, "f2.bin", JobPriority::FOREGROUND)?;
    let active = [&background, &one, &two].iter().filter(|job| job.state() == Ok(JobState::TRANSFERRING)).count();
    c.value("sched.bits15.one_job", active)?;
    c.is(
        ["sched.bits15.one_job", "enum.job_priority.old_serial"],
        states(&[&background, &one, &two])?,
        vec![JobState::QUEUED, JobState::TRANSFERRING, JobState::QUEUED],
    )?;
    c.let_go(&file)?;
    c.settle()?;
    c.is(
        "enum.job_priority.old_serial",
        states(&[&background, &one, &two])?,
        vec![JobState::QUEUED, JobState::TRANSFERRED, JobState::TRANSFERRING],
    )
}

fn a_higher_priority_preempts_a_lower_one(c: &mut Bench) -> Outcome {
    let pairs = [
        (JobPriority::LOW, JobPriority::NORMAL),
        (JobPriority::LOW, JobPriority::HIGH),
        (JobPriority::NORMAL, JobPriority::HIGH),
    ];
    for (lower, higher) in pairs {
        c.start_over();
        let (low, _) = held_job(c, "low.bin", lower)?;
        let before = low.state()?;
        let (high, file) = held_job(c, "high.bin", higher)?;
        c.is(
            ["sched.preempt", "enum.job_priority.preempt"],
            (before, states(&[&low, &high])?),
            (JobState::TRANSFERRING, vec![JobState::QUEUED, JobState::TRANSFERRING]),
        )?;
        c.let_go(&file)?;
        c.settle()?;
        c.is("sched.preempt", low.state()?, JobState::TRANSFERRING)?;
    }
    Ok(())
}

fn priorities_are_ordered_by_their_numbers(c: &mut Bench) -> Outcome {
    c.block_background()?;
    let order = [JobPriority::LOW, JobPriority::NORMAL, JobPriority::HIGH];
    for priority in order {
        let (job, _) = job_of(c, &format!("{}.bin", priority.0), priority)?;
        job.resume()?;
    }
    let blocker = c.queue()?.enum_jobs(EnumJobsFlags::empty())?.next(100)?.items;
    for job in blocker {
        if job.state()? == JobState::TRANSFERRING {
            job.cancel()?;
        }
    }
    c.settle()?;
    let attempted = c.attempted()?;
    let site = c.site()?;
    let expected = ["1.bin", "2.bin", "3.bin"].map(|name| format!("{site}{name}"));
    c.is("enum.job_priority.order", attempted[1..].to_vec(), expected.to_vec())?;
    let place = |priority: JobPriority| {
        let url = format!("{site}{}.bin", priority.0);
        attempted.iter().position(|attempted| *attempted == url).unwrap_or_default()
    };
    // The blocker came first, so that a job's place among the attempts is its number.
    c.value(["enum.job_priority.high", "sched.priority.high"], place(JobPriority::HIGH))?;
    c.value(["enum.job_priority.normal", "sched.priority.normal"], place(JobPriority::NORMAL))?;
    c.value(["enum.job_priority.low", "sched.priority.low"], place(JobPriority::LOW))
}

fn a_lower_priority_waits_until_the_higher_is_done(c: &mut Bench) -> Outcome {
    let (high, file) = held_job(c, "high.bin", JobPriority::HIGH)?;
    let (low, _) = job_of(c, "low.bin", JobPriority::NORMAL)?;
    low.resume()?;
    c.advance(DAY)?;
    c.is("sched.starvation", states(&[&high, &low])?, vec![JobState::TRANSFERRING, JobState::QUEUED])?;
    c.let_go(&file)?;
    c.settle()?;
    c.is(
        ["sched.starvation", "enum.job_priority.starve"],
        states(&[&high, &low])?,
        vec![JobState::TRANSFERRED, JobState::TRANSFERRED],
    )
}

fn a_job_that_cannot_run_blocks_nobody(c: &mut Bench) -> Outcome {
    for trouble in [Trouble::Unavailable, Trouble::NotFound] {
        c.start_over();
        let (high, file) = job_of(c, "high.bin", JobPriority::HIGH)?;
        c.trouble(&file, trouble)?;
        let suspended = job_of(c, "suspended.bin", JobPriority::HIGH)?.0;
        let (low, _) = job_of(c, "low.bin", JobPriority::LOW)?;
        high.resume()?;
        low.resume()?;
        c.settle()?;
        c.is(
            "enum.job_priority.starve",
            (suspended.state()?, low.state()?),
            (JobState::SUSPENDED, JobState::TRANSFERRED),
        )?;
        c.is("sched.starvation", high.state()? == JobState::TRANSFERRED, false)?;
    }
    Ok(())
}

fn equal_jobs_share_the_time_in_slices(c: &mut Bench) -> Outcome {
    let (one, _) = held_job(c, "1.bin", JobPriority::NORMAL)?;
    let (two, _) = held_job(c, "2.bin", JobPriority::NORMAL)?;
    let (three, _) = held_job(c, "3.bin", JobPriority::NORMAL)?;
    let mut turns = Vec::new();
    for _ in 0..4 {
        let running = [&one, &two, &three].iter().position(|job| job.state() == Ok(JobState::TRANSFERRING));
        turns.push(running.unwrap_or(9));
        c.advance(MINUTE * 5)?;
    }
    c.is(["sched.round_robin", "enum.job_priority.share", "enum.job_state.time_slice"], turns, vec![0, 1, 2, 0])?;
    c.is(
        ["lifecycle.edge.slice_end", "enum.job_state.leave_transferring", "enum.job_state.time_slice"],
        after_last(c, &three, JobState::TRANSFERRING)?,
        Some(JobState::QUEUED),
    )
}

fn a_small_job_does_not_wait_for_the_end_of_a_large_one(c: &mut Bench) -> Outcome {
    let (large, _) = held_job(c, "large.bin", JobPriority::NORMAL)?;
    let (small, _) = job_of(c, "small.bin", JobPriority::NORMAL)?;
    small.resume()?;
    c.advance(DAY)?;
    c.is(
        ["sched.small_not_blocked", "enum.job_priority.share"],
        (small.state()?, large.progress()?.files_transferred),
        (JobState::TRANSFERRED, 0),
    )
}

fn equal_jobs_go_first_in_first_out_mostly(c: &mut Bench) -> Outcome {
    let (blocker, file) = held_job(c, "blocker.bin", JobPriority::NORMAL)?;
    let mut expected = vec![file.url.clone()];
    for name in ["1.bin", "2.bin", "3.bin"] {
        let (job, served) = job_of(c, name, JobPriority::NORMAL)?;
        if name == "1.bin" {
            c.trouble(&served, Trouble::Unavailable)?;
        }
        job.resume()?;
        expected.push(served.url);
    }
    c.let_go(&file)?;
    c.wait(&blocker, JobState::TRANSFERRED, SOON)?;
    c.settle()?;
    c.is("enum.job_priority.fifo", c.attempted()?, expected.clone())?;
    c.advance(MINUTE * 11)?;
    expected.push(expected[1].clone());
    c.is("enum.job_priority.fifo", c.attempted()?, expected)
}

fn a_time_slice_lasts_five_minutes(c: &mut Bench) -> Outcome {
    let (one, _) = held_job(c, "1.bin", JobPriority::NORMAL)?;
    let (two, _) = held_job(c, "2.bin", JobPriority::NORMAL)?;
    c.advance(Duration::from_secs(299))?;
    let before = states(&[&one, &two])?;
    c.advance(Duration::from_secs(1))?;
    c.is(
        "sched.slice_length",
        (before, states(&[&one, &two])?),
        (vec![JobState::TRANSFERRING, JobState::QUEUED], vec![JobState::QUEUED, JobState::TRANSFERRING]),
    )
}

fn the_time_slice_can_be_chosen(c: &mut Bench) -> Outcome {
    c.decide("sched.slice_length", "7")?;
    let (one, _) = held_job(c, "1.bin", JobPriority::NORMAL)?;
    held_job(c, "2.bin", JobPriority::NORMAL)?;
    c.advance(Duration::from_secs(6))?;
    let before = one.state()?;
    c.advance(Duration::from_secs(1))?;
    c.is("sched.round_robin", (before, one.state()?), (JobState::TRANSFERRING, JobState::QUEUED))
}

fn a_slice_ends_while_connecting_too(c: &mut Bench) -> Outcome {
    let (one, file) = job_of(c, "1.bin", JobPriority::NORMAL)?;
    c.hold_connecting(&file)?;
    one.resume()?;
    c.settle()?;
    let (two, _) = held_job(c, "2.bin", JobPriority::NORMAL)?;
    let before = states(&[&one, &two])?;
    c.advance(MINUTE * 5)?;
    c.is(
        "lifecycle.edge.slice_end",
        (before, states(&[&one, &two])?),
        (vec![JobState::CONNECTING, JobState::QUEUED], vec![JobState::QUEUED, JobState::TRANSFERRING]),
    )
}

fn a_job_goes_on_when_its_client_has_ended(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::TRANSFERRING)?;
    let id = job.id()?;
    c.end_client()?;
    c.let_go(&file)?;
    c.settle()?;
    let found = c.another_client()?.manager()?.job(id)?;
    c.is("lifecycle.persist.app_exit", found.state()?, JobState::TRANSFERRED)
}

fn defaults_are_enough_to_transfer(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(1_000)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    c.is("props.default_ok", c.local_length("a.bin")?, Some(1_000))
}

/// What a job of that state does when nobody touches it: whether it goes on by itself, and whether
/// Resume is refused.
fn conduct(c: &mut Bench, state: JobState) -> Result<(bool, bool), Stop> {
    c.start_over();
    let (job, file) = c.job_in(state)?;
    c.let_go(&file)?;
    let blocker = c.serve("blocker.bin", 1_000)?;
    c.let_go(&blocker)?;
    c.advance(DAY)?;
    let goes_on = job.state()? != state;
    Ok((goes_on, job.resume().err() == Some(Hresult::BG_E_INVALID_STATE)))
}

fn states_fall_into_four_classes(c: &mut Bench) -> Outcome {
    let first = c.new_job()?.state()?;
    let (mut starting, mut action, mut transferred, mut at_end) = (vec![], vec![], vec![], vec![]);
    for state in JobState::DEFINED {
        match conduct(c, *state)? {
            (_, true) => at_end.push(*state),
            (true, false) => action.push(*state),
            (false, false) if *state == first => starting.push(*state),
            (false, false) => transferred.push(*state),
        }
    }
    c.is(["lifecycle.class.starting", "enum.job_state.classes"], starting, vec![JobState::SUSPENDED])?;
    let expected = vec![JobState::QUEUED, JobState::CONNECTING, JobState::TRANSFERRING, JobState::TRANSIENT_ERROR];
    c.is(["lifecycle.class.action", "enum.job_state.classes"], action, expected)?;
    c.is(
        ["lifecycle.class.transferred", "enum.job_state.classes"],
        transferred,
        vec![JobState::ERROR, JobState::TRANSFERRED],
    )?;
    c.is(["lifecycle.class.final", "enum.job_state.classes"], at_end, FINAL.to_vec())
}

fn states_are_numbered_in_their_order(c: &mut Bench) -> Outcome {
    let names = [
        JobState::QUEUED,
        JobState::CONNECTING,
        JobState::TRANSFERRING,
        JobState::SUSPENDED,
        JobState::ERROR,
        JobState::TRANSIENT_ERROR,
        JobState::TRANSFERRED,
        JobState::ACKNOWLEDGED,
        JobState::CANCELLED,
    ];
    for (number, state) in (0..).zip(names) {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        c.is("enum.job_state.display_order", job.state()?.0, number)?;
    }
    Ok(())
}
