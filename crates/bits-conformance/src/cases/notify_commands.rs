//! Notification programs: when they run, with what, and how often.

use bits_api::{Job2, NotifyCommandLine};
use bits_service::{CommandOutcome, CommandRun};
use bits_world::{Profile, Sid};

use super::prelude::*;

cases![
    a_program_and_its_parameters_are_kept,
    a_program_may_have_260_characters,
    parameters_may_have_4000_characters,
    parameters_need_a_program,
    a_program_is_removed_by_two_absent_strings,
    a_program_is_set_in_every_state_but_the_final_ones,
    a_program_runs_when_its_job_is_transferred_or_fails,
    the_flags_choose_the_events_that_run_a_program,
    other_events_run_no_program,
    nothing_is_added_to_a_command_line,
    a_program_without_its_path_is_not_found,
    a_program_that_is_set_late_is_run,
    a_program_is_run_for_no_service_account,
    a_program_that_exits_with_zero_has_told,
    a_program_that_exits_with_another_code_runs_again,
    a_program_that_ended_its_job_does_not_run_again,
    a_program_has_to_complete_the_job_for_its_files,
    a_callback_that_succeeds_keeps_the_program_from_running,
    a_callback_that_fails_runs_the_program,
    a_dead_callback_runs_the_program,
    both_are_tried_again_when_both_fail,
    a_program_outlives_the_service_and_its_user,
    a_program_does_not_outlive_its_owner,
    the_program_finds_its_job_by_the_id_in_its_parameters,
    both_program_and_flags_are_needed,
    nobody_reads_the_program_of_a_job_that_is_gone,
];

const PROGRAM: &str = r"C:\tools\told.exe";
const ENDS: NotifyFlags = NotifyFlags::JOB_TRANSFERRED.union(NotifyFlags::JOB_ERROR);
/// Longer than the minimum retry delay of a job that sets none.
const RETRIED: Duration = Duration::from_mins(11);

fn command(program: &str, parameters: &str) -> NotifyCommandLine {
    NotifyCommandLine { program: Some(program.into()), parameters: Some(parameters.into()) }
}

/// A command line with NULL and empty strings alike: as which of them a string is told that was set to NULL
/// or dropped is not stated.
fn told(job: &Arc<dyn Job2>) -> Result<NotifyCommandLine, Stop> {
    let line = job.notify_cmd_line()?;
    Ok(command(&line.program.unwrap_or_default(), &line.parameters.unwrap_or_default()))
}

/// A job with one served file and a program.
fn job_with_program(c: &Bench) -> Result<(Arc<dyn Job>, crate::bench::Remote), Stop> {
    let (job, file) = c.job_with_file(1_000)?;
    job.job2()?.set_notify_cmd_line(Some(PROGRAM), None)?;
    Ok((job, file))
}

/// How many programs were run so far.
fn runs(c: &Bench) -> Result<usize, Stop> {
    Ok(c.programs()?.runs().len())
}

fn set(job: &Arc<dyn Job>, program: Option<&str>, parameters: Option<&str>) -> Result<Success, Hresult> {
    job.job2()?.set_notify_cmd_line(program, parameters)
}

/// A program with a name of that many characters.
fn long_program(characters: usize) -> String {
    format!(r"C:\{}", "p".repeat(characters - 3))
}

/// The longest string that is taken, of some around the expected limit.
fn longest(around: usize, mut set: impl FnMut(usize) -> Result<Success, Hresult>) -> usize {
    (around - 2..around + 3).filter(|length| set(*length).is_ok()).max().unwrap_or(0)
}

fn a_program_and_its_parameters_are_kept(c: &mut Bench) -> Outcome {
    let job = c.new_job()?.job2()?;
    let unset = job.notify_cmd_line();
    c.returns("job2.get_notify_cmd_line.unset", &unset)?;
    c.is("job2.get_notify_cmd_line.unset", unset?, command("", ""))?;
    c.returns("job2.set_notify_cmd_line.ok", job.set_notify_cmd_line(Some(PROGRAM), Some("told.exe 1")))?;
    let kept = job.notify_cmd_line();
    c.returns("job2.get_notify_cmd_line.ok", &kept)?;
    let kept = kept?;
    c.is("job2.get_notify_cmd_line.ok", kept.clone(), command(PROGRAM, "told.exe 1"))?;
    c.is(
        ["job2.get_notify_cmd_line.program", "job2.set_notify_cmd_line.program.type"],
        kept.program,
        Some(PROGRAM.to_owned()),
    )?;
    c.is("job2.get_notify_cmd_line.parameters", kept.parameters, Some("told.exe 1".to_owned()))?;
    job.set_notify_cmd_line(Some(r"C:\other.exe"), None)?;
    c.is("job2.set_notify_cmd_line.ok", told(&job)?, command(r"C:\other.exe", ""))
}

fn a_program_may_have_260_characters(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let most = longest(260, |length| set(&job, Some(&long_program(length)), None));
    c.value("job2.set_notify_cmd_line.program.limit", most)?;
    c.returns("job2.set_notify_cmd_line.too_long", set(&job, Some(&long_program(261)), None))
}

fn parameters_may_have_4000_characters(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let most = longest(4_000, |length| set(&job, Some(PROGRAM), Some(&"p".repeat(length))));
    c.value(["job2.set_notify_cmd_line.parameters.limit", "notify.cmd.max_param"], most)?;
    c.returns("job2.set_notify_cmd_line.too_long", set(&job, Some(PROGRAM), Some(&"p".repeat(4_001))))?;
    c.returns("job2.set_notify_cmd_line.parameters.null", set(&job, Some(PROGRAM), None))
}

fn parameters_need_a_program(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    c.returns("job2.set_notify_cmd_line.null_program_with_parameters", set(&job, None, Some("told.exe")))?;
    c.is("job2.set_notify_cmd_line.program.type", set(&job, None, None).is_ok(), true)
}

fn a_program_is_removed_by_two_absent_strings(c: &mut Bench) -> Outcome {
    let (job, _) = job_with_program(c)?;
    c.returns("job2.set_notify_cmd_line.remove", set(&job, None, None))?;
    job.resume()?;
    c.advance(RETRIED)?;
    c.is("job2.set_notify_cmd_line.remove", (job.state()?, runs(c)?), (JobState::TRANSFERRED, 0))
}

fn a_program_is_set_in_every_state_but_the_final_ones(c: &mut Bench) -> Outcome {
    for state in LIVING {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        let result = set(&job, Some(PROGRAM), None);
        c.is("job2.set_notify_cmd_line.other_states", (job.state()?, result.is_ok()), (state, true))?;
        c.is("job2.set_notify_cmd_line.other_states", told(&job.job2()?)?, command(PROGRAM, ""))?;
    }
    for state in FINAL {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        c.returns("job2.set_notify_cmd_line.invalid_state", set(&job, Some(PROGRAM), None))?;
    }
    Ok(())
}

fn a_program_runs_when_its_job_is_transferred_or_fails(c: &mut Bench) -> Outcome {
    let (job, file) = job_with_program(c)?;
    c.trouble(&file, Trouble::NotFound)?;
    job.resume()?;
    c.settle()?;
    let in_error = (job.state()?, runs(c)?);
    job.resume()?;
    c.settle()?;
    let transferred = (job.state()?, runs(c)?);
    let clauses = ["job2.set_notify_cmd_line.triggers", "notify_cmdline.events", "notify.cmd.events"];
    c.is(clauses, in_error, (JobState::ERROR, 1))?;
    c.is(clauses, transferred, (JobState::TRANSFERRED, 2))
}

/// How many programs were run for a job that fails and is then transferred, with these flags.
fn runs_with(c: &mut Bench, flags: NotifyFlags) -> Result<(usize, usize), Stop> {
    c.start_over();
    let (job, file) = job_with_program(c)?;
    job.set_notify_flags(flags)?;
    c.trouble(&file, Trouble::NotFound)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.settle()?;
    let for_error = runs(c)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.advance(RETRIED)?;
    Ok((for_error, runs(c)? - for_error))
}

fn the_flags_choose_the_events_that_run_a_program(c: &mut Bench) -> Outcome {
    let clauses = [
        "job2.set_notify_cmd_line.flags",
        "job2.set_notify_cmd_line.triggers",
        "notify.cmd.flags",
        "notify_cmdline.events",
        "job.set_notify_flags.needs_target",
    ];
    let for_error = runs_with(c, NotifyFlags::JOB_ERROR)?;
    c.is(clauses, for_error, (1, 0))?;
    let for_transfer = runs_with(c, NotifyFlags::JOB_TRANSFERRED)?;
    c.is(clauses, for_transfer, (0, 1))?;
    let for_both = runs_with(c, ENDS)?;
    c.is(clauses, for_both, (1, 1))
}

fn other_events_run_no_program(c: &mut Bench) -> Outcome {
    let cases = [
        (NotifyFlags::JOB_MODIFICATION, "job2.set_notify_cmd_line.modification_flag"),
        (NotifyFlags::JOB_MODIFICATION, "callback.job_modification.cmdline"),
        (NotifyFlags::FILE_TRANSFERRED, "callback2.flag.cmd_line"),
        (NotifyFlags::FILE_RANGES_TRANSFERRED, "callback3.flag.cmd_line"),
    ];
    for (flag, clause) in cases {
        let alone = runs_with(c, flag)?;
        c.is([clause, "job.set_notify_flags.cmdline_ignored"], alone, (0, 0))?;
        let with_ends = runs_with(c, flag | ENDS)?;
        c.is([clause, "job.set_notify_flags.cmdline_ignored", "notify.cmd.events"], with_ends, (1, 1))?;
    }
    Ok(())
}

/// The only run of a program with these strings.
fn run_of(c: &mut Bench, program: &str, parameters: Option<&str>) -> Result<CommandRun, Stop> {
    c.start_over();
    let (job, _) = c.job_with_file(10)?;
    set(&job, Some(program), parameters)?;
    job.resume()?;
    c.settle()?;
    match c.programs()?.runs().as_slice() {
        [run] => Ok(run.clone()),
        runs => failed(format!("not one program was run: {runs:?}")),
    }
}

fn nothing_is_added_to_a_command_line(c: &mut Bench) -> Outcome {
    let plain = run_of(c, PROGRAM, None)?;
    c.is("job2.set_notify_cmd_line.no_implicit_arguments", (plain.program, plain.parameters), (PROGRAM.into(), None))?;
    let given = r"told.exe C:\long names\a b.txt 7";
    let spaced = run_of(c, PROGRAM, Some(given))?;
    c.is(
        [
            "job2.set_notify_cmd_line.parameters.first_is_program",
            "job2.set_notify_cmd_line.parameters.quote_paths",
            "notify_cmdline.first_param",
            "notify.cmd.first_param",
            "notify.cmd.job_id",
        ],
        spaced.parameters,
        Some(given.to_owned()),
    )?;
    let variable = r"C:\%system32%\told.exe";
    let expanded = run_of(c, variable, Some("%system32% %1"))?;
    c.is(
        "job2.set_notify_cmd_line.no_expansion",
        (expanded.program, expanded.parameters),
        (variable.to_owned(), Some("%system32% %1".to_owned())),
    )
}

fn a_program_without_its_path_is_not_found(c: &mut Bench) -> Outcome {
    for (program, acted) in [("told.exe", 0), (PROGRAM, 1)] {
        c.start_over();
        let ran = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counter = Arc::clone(&ran);
        c.programs()?.act(move |_| {
            counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            0
        });
        let (job, _) = c.job_with_file(10)?;
        c.is("job2.set_notify_cmd_line.program.full_path", set(&job, Some(program), None).is_ok(), true)?;
        job.resume()?;
        c.settle()?;
        let count = ran.load(std::sync::atomic::Ordering::SeqCst);
        c.is("job2.set_notify_cmd_line.program.full_path", count, acted)?;
    }
    Ok(())
}

fn a_program_that_is_set_late_is_run(c: &mut Bench) -> Outcome {
    for state in [JobState::TRANSFERRED, JobState::ERROR, JobState::SUSPENDED] {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        set(&job, Some(PROGRAM), None)?;
        c.settle()?;
        let expected = usize::from(state != JobState::SUSPENDED);
        c.is("job2.set_notify_cmd_line.late_set", runs(c)?, expected)?;
    }
    Ok(())
}

fn a_program_is_run_for_no_service_account(c: &mut Bench) -> Outcome {
    for account in [Sid::LOCAL_SYSTEM, Sid::LOCAL_SERVICE, Sid::NETWORK_SERVICE] {
        c.start_over();
        let job = new_job(&c.service_account(account)?)?;
        let file = c.serve("a.bin", 10)?;
        file.add_to(&job)?;
        c.is("job2.set_notify_cmd_line.service_account", set(&job, Some(PROGRAM), None).is_ok(), true)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        c.advance(RETRIED)?;
        c.is("job2.set_notify_cmd_line.service_account", runs(c)?, 0)?;
    }
    Ok(())
}

fn a_program_that_exits_with_zero_has_told(c: &mut Bench) -> Outcome {
    let (job, _) = job_with_program(c)?;
    job.resume()?;
    c.advance(DAY)?;
    c.is("job2.set_notify_cmd_line.exit_zero", (job.state()?, runs(c)?), (JobState::TRANSFERRED, 1))?;
    job.set_notify_flags(ENDS)?;
    c.settle()?;
    c.is("job2.set_notify_cmd_line.exit_zero", runs(c)?, 1)
}

fn a_program_that_exits_with_another_code_runs_again(c: &mut Bench) -> Outcome {
    const DELAY: Duration = Duration::from_mins(2);
    const NEARLY: Duration = Duration::from_secs(119);
    let again = (Profile::V2_0, 1, [1, 2, 3, 3]);
    let once = [0, 1, 2, 259, u32::MAX].map(|code| (Profile::V1_5, code, [1; 4]));
    for (profile, code, expected) in [again].into_iter().chain(once) {
        c.start_over();
        c.play(profile)?;
        let (job, _) = job_with_program(c)?;
        job.set_minimum_retry_delay(120)?;
        c.programs()?.next([CommandOutcome::Exited(code), CommandOutcome::Exited(2)]);
        job.resume()?;
        c.advance(NEARLY)?;
        let mut counts = vec![runs(c)?];
        for pause in [SECOND, DELAY, DAY] {
            c.advance(pause)?;
            counts.push(runs(c)?);
        }
        match profile {
            Profile::V1_5 => c.is("job2.set_notify_cmd_line.bits15_once", counts, expected.to_vec())?,
            _ => c.is("job2.set_notify_cmd_line.exit_nonzero_job_left", counts, expected.to_vec())?,
        }
    }
    Ok(())
}

fn a_program_that_ended_its_job_does_not_run_again(c: &mut Bench) -> Outcome {
    for (state, completes) in [(JobState::ACKNOWLEDGED, true), (JobState::CANCELLED, false)] {
        c.start_over();
        let (job, _) = job_with_program(c)?;
        let its_job = Arc::clone(&job);
        c.programs()?.act(move |_| {
            let ended = if completes { its_job.complete() } else { its_job.cancel() };
            u32::from(ended.is_ok())
        });
        job.resume()?;
        c.advance(DAY)?;
        c.is("job2.set_notify_cmd_line.exit_nonzero_job_done", (job.state()?, runs(c)?), (state, 1))?;
    }
    Ok(())
}

fn a_program_has_to_complete_the_job_for_its_files(c: &mut Bench) -> Outcome {
    let (job, _) = job_with_program(c)?;
    job.resume()?;
    c.settle()?;
    c.is("job2.set_notify_cmd_line.files_need_complete", (runs(c)?, c.local_length("a.bin")?), (1, None))?;
    c.start_over();
    let (job, _) = job_with_program(c)?;
    let its_job = Arc::clone(&job);
    c.programs()?.act(move |_| u32::from(its_job.complete().is_err()));
    job.resume()?;
    c.settle()?;
    c.is("job2.set_notify_cmd_line.files_need_complete", (runs(c)?, c.local_length("a.bin")?), (1, Some(1_000)))
}

/// A job with a program and a callback that answers like this, brought to that state; how often
/// the callback was called, and how often the program was run.
fn both(c: &mut Bench, state: JobState, answer: Result<Success, Hresult>) -> Result<(usize, usize), Stop> {
    c.start_over();
    let (job, file) = job_with_program(c)?;
    let recorder = Recorder::answering([answer]);
    job.set_notify_interface(Some(recorder.object()))?;
    c.bring(&job, &file, state)?;
    c.advance(DAY)?;
    Ok((recorder.told().len(), runs(c)?))
}

const ENDED: [(JobState, &str); 2] =
    [(JobState::TRANSFERRED, "callback.job_transferred.cmdline"), (JobState::ERROR, "callback.job_error.cmdline")];

fn a_callback_that_succeeds_keeps_the_program_from_running(c: &mut Bench) -> Outcome {
    for (state, _) in ENDED {
        let counts = both(c, state, Ok(Success::OK))?;
        c.is(
            [
                "job2.set_notify_cmd_line.callback_wins",
                "job2.set_notify_cmd_line.registering_page_or",
                "job.set_notify_interface.cmdline_priority",
                "notify_cmdline.callback_first",
                "notify.cmd.suppressed",
            ],
            counts,
            (1, 0),
        )?;
    }
    Ok(())
}

fn a_callback_that_fails_runs_the_program(c: &mut Bench) -> Outcome {
    for (state, clause) in ENDED {
        let counts = both(c, state, Err(Hresult::E_FAIL))?;
        c.is(
            [
                clause,
                "job2.set_notify_cmd_line.callback_fails",
                "job2.set_notify_cmd_line.registering_page_or",
                "job.set_notify_interface.cmdline_priority",
                "notify_cmdline.callback_failed",
                "notify.cmd.after_failure",
            ],
            counts,
            (1, 1),
        )?;
    }
    Ok(())
}

fn a_dead_callback_runs_the_program(c: &mut Bench) -> Outcome {
    let (job, _) = job_with_program(c)?;
    let recorder = Recorder::new();
    let program = c.another_client()?;
    program.manager()?.job(job.id()?)?.set_notify_interface(Some(recorder.object()))?;
    program.exit();
    job.resume()?;
    c.settle()?;
    c.is(
        [
            "job2.set_notify_cmd_line.callback_invalid",
            "job2.set_notify_cmd_line.registering_page_or",
            "job.set_notify_interface.cmdline_priority",
        ],
        (recorder.told().len(), runs(c)?),
        (0, 1),
    )
}

fn both_are_tried_again_when_both_fail(c: &mut Bench) -> Outcome {
    let (job, _) = job_with_program(c)?;
    let recorder = Recorder::answering([Err(Hresult::E_FAIL)]);
    job.set_notify_interface(Some(recorder.object()))?;
    c.programs()?.next([CommandOutcome::NotStarted(Hresult::ERROR_FILE_NOT_FOUND)]);
    job.set_minimum_retry_delay(120)?;
    job.resume()?;
    c.advance(Duration::from_secs(119))?;
    c.is("job2.set_notify_cmd_line.both_fail", (recorder.told().len(), runs(c)?), (1, 1))?;
    c.advance(DAY)?;
    c.is("job2.set_notify_cmd_line.both_fail", (recorder.told().len(), runs(c)?), (2, 1))
}

fn a_program_outlives_the_service_and_its_user(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(1_000)?;
    set(&job, Some(PROGRAM), Some("told.exe 1"))?;
    let id = job.id()?;
    c.log_off()?;
    c.restart_service()?;
    c.log_on()?;
    let job = c.find(id)?;
    c.is("job2.set_notify_cmd_line.persisted", job.job2()?.notify_cmd_line()?, command(PROGRAM, "told.exe 1"))?;
    job.resume()?;
    c.settle()?;
    c.is("job2.set_notify_cmd_line.persisted", runs(c)?, 1)
}

fn a_program_does_not_outlive_its_owner(c: &mut Bench) -> Outcome {
    let (job, _) = job_with_program(c)?;
    let taken = c.administrator()?.job(job.id()?)?;
    taken.take_ownership()?;
    let clauses = ["job2.set_notify_cmd_line.take_ownership", "notify.cmd.takeownership"];
    c.is(clauses, told(&taken.job2()?)?, command("", ""))?;
    taken.resume()?;
    c.wait(&taken, JobState::TRANSFERRED, SOON)?;
    c.advance(RETRIED)?;
    c.is(clauses, runs(c)?, 0)
}

fn the_program_finds_its_job_by_the_id_in_its_parameters(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(1_000)?;
    let parameters = format!("{PROGRAM} {{{}}}", job.id()?.to_string().trim_matches(['{', '}']));
    set(&job, Some(PROGRAM), Some(&parameters))?;
    let manager = c.manager()?;
    c.programs()?.act(move |run| {
        let argument = run.parameters.as_deref().and_then(|line| line.split(' ').nth(1));
        let id = argument.and_then(|id| Guid::parse_str(id).ok());
        let completed = id.map(|id| manager.job(id).and_then(|job| job.complete()));
        u32::from(!matches!(completed, Some(Ok(_))))
    });
    job.resume()?;
    c.settle()?;
    c.is("job2.set_notify_cmd_line.job_id_pattern", (job.state()?, runs(c)?), (JobState::ACKNOWLEDGED, 1))
}

fn both_program_and_flags_are_needed(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    job.set_notify_flags(NotifyFlags::empty())?;
    set(&job, Some(PROGRAM), None)?;
    c.advance(RETRIED)?;
    c.is("job2.set_notify_cmd_line.set_before_flags", runs(c)?, 0)?;
    job.set_notify_flags(ENDS)?;
    c.settle()?;
    c.is("job2.set_notify_cmd_line.set_before_flags", runs(c)?, 1)?;
    c.start_over();
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    job.set_notify_flags(ENDS)?;
    c.advance(RETRIED)?;
    c.is("job2.set_notify_cmd_line.set_before_flags", runs(c)?, 0)
}

fn nobody_reads_the_program_of_a_job_that_is_gone(c: &mut Bench) -> Outcome {
    let job: Arc<dyn Job2> = c.new_job()?.job2()?;
    c.restart_service()?;
    let read = job.notify_cmd_line();
    c.is("job2.get_notify_cmd_line.errors", read.err(), Some(Hresult::RPC_S_SERVER_UNAVAILABLE))
}
