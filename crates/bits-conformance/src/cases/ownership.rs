//! TakeOwnership: who may, what it takes off the job, and whose job it is then.

use bits_api::{AuthCredentials, AuthScheme, AuthTarget};

use super::prelude::*;

cases![
    an_administrator_takes_a_job_over,
    nobody_else_takes_a_job_over,
    a_job_that_has_ended_is_not_taken_over,
    a_new_owner_must_have_access_to_the_temporary_files,
    a_job_runs_while_its_new_owner_is_logged_on,
    a_transfer_begins_again_in_the_new_owners_name,
    a_new_owner_finds_nothing_that_was_the_former_owners,
    the_callback_stays_and_runs_as_whoever_set_it,
    the_owner_takes_its_own_job,
];

fn an_administrator_takes_a_job_over(c: &mut Bench) -> Outcome {
    let administrator = c.administrator_token()?;
    let (job, _) = c.job_in(JobState::ERROR)?;
    let by_administrator = c.administrator()?.job(job.id()?)?;
    c.returns("core:job.take_ownership.ok", by_administrator.take_ownership())?;
    c.is(
        ["job.get_owner.changes", "users.take_ownership.admin", "job.take_ownership.params"],
        by_administrator.owner()?,
        administrator.user.to_string(),
    )?;
    // A job of the new owner, and no more of the old one.
    c.restart_service()?;
    let listed = |manager: Arc<dyn bits_api::Manager>| -> Result<u32, Stop> {
        Ok(manager.enum_jobs(EnumJobsFlags::empty())?.count()?)
    };
    c.is("users.take_ownership.admin", (listed(c.administrator()?)?, listed(c.manager()?)?), (1, 0))
}

fn nobody_else_takes_a_job_over(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    let job = c.new_job()?;
    let claim = ["users.take_ownership.denied", "core:job.take_ownership.access_denied"];
    c.returns(claim, job.take_ownership())?;
    let other = c.other_token()?;
    let stranger = c.impersonate(&other)?;
    let refused = job.take_ownership();
    drop(stranger);
    c.returns(claim, refused)?;
    c.is("users.take_ownership.denied", job.owner()?, c.own_sid()?)
}

fn a_job_that_has_ended_is_not_taken_over(c: &mut Bench) -> Outcome {
    for state in FINAL {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        let administrator = c.administrator_token()?;
        let impersonating = c.impersonate(&administrator)?;
        let refused = job.take_ownership();
        drop(impersonating);
        c.returns(["core:job.take_ownership.invalid_state", "core:job.interface.setters_final"], refused)?;
    }
    Ok(())
}

fn a_new_owner_must_have_access_to_the_temporary_files(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRING)?;
    c.settle()?;
    let by_administrator = c.administrator()?.job(job.id()?)?;
    let (owner, administrator) = (c.own_token()?, c.administrator_token()?);
    c.folder_only_for(&[&owner])?;
    c.returns(
        ["users.take_ownership.no_file_access", "core:job.take_ownership.no_file_access"],
        by_administrator.take_ownership(),
    )?;
    c.is("users.take_ownership.no_file_access", job.owner()?, c.own_sid()?)?;
    c.folder_only_for(&[&owner, &administrator])?;
    c.returns("core:job.take_ownership.ok", by_administrator.take_ownership())
}

fn a_job_runs_while_its_new_owner_is_logged_on(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRING)?;
    let by_administrator = c.administrator()?.job(job.id()?)?;
    let administrator = c.administrator_token()?.user;
    by_administrator.take_ownership()?;
    c.log_off()?;
    c.settle()?;
    let without_the_old = by_administrator.state()?;
    c.change_sessions(|world| world.log_off(&administrator))?;
    c.settle()?;
    let without_the_new = by_administrator.state()?;
    c.log_on()?;
    c.settle()?;
    let with_the_old = by_administrator.state()?;
    c.change_sessions(|world| world.log_on(administrator))?;
    c.settle()?;
    c.is(
        ["users.take_ownership.logon", "job.take_ownership.logon"],
        [without_the_old, without_the_new, with_the_old, by_administrator.state()?].to_vec(),
        [JobState::TRANSFERRING, JobState::QUEUED, JobState::QUEUED, JobState::TRANSFERRING].to_vec(),
    )
}

fn a_transfer_begins_again_in_the_new_owners_name(c: &mut Bench) -> Outcome {
    for (reader, expected) in [(c.administrator_token()?, JobState::TRANSFERRED), (c.own_token()?, JobState::ERROR)] {
        c.start_over();
        let (job, file) = c.job_in(JobState::TRANSFERRING)?;
        c.settle()?;
        c.readable_only_for(&file, &[&reader])?;
        let by_administrator = c.administrator()?.job(job.id()?)?;
        by_administrator.take_ownership()?;
        // The attempt in the former owner's name may be quicker than the order to stop.
        c.settle()?;
        c.let_go(&file)?;
        c.settle()?;
        c.is("users.context", (by_administrator.state()?, c.attempted()?.len()), (expected, 2))?;
    }
    Ok(())
}

// Certificates of clients cannot be set yet.
fn a_new_owner_finds_nothing_that_was_the_former_owners(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let login = AuthCredentials {
        target: AuthTarget::SERVER,
        scheme: AuthScheme::BASIC,
        user_name: Some("alice"),
        password: Some("secret"),
    };
    job.job2()?.set_credentials(&login)?;
    job.job2()?.set_notify_cmd_line(Some(r"C:\done.exe"), None)?;
    job.http_options()?.set_custom_headers(Some("X-Whose: alice\r\n"))?;
    let taken = c.administrator()?.job(job.id()?)?;
    taken.take_ownership()?;
    let (later, options) = (taken.job2()?, taken.http_options()?);
    c.is(
        "core:job.take_ownership.strips",
        (
            later.remove_credentials(AuthTarget::SERVER, AuthScheme::BASIC),
            later.notify_cmd_line()?.program.unwrap_or_default(),
            options.custom_headers()?.value,
        ),
        (Ok(Success::FALSE), String::new(), None),
    )
}

fn the_callback_stays_and_runs_as_whoever_set_it(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    let (job, file) = c.job_in(JobState::TRANSFERRING)?;
    // The callback does what its user may: asking for an interface shows whose rights those are.
    let callback = Recorder::acting(|job| job.job2().map(|_| Success::OK));
    job.set_notify_interface(Some(callback.object()))?;
    let by_administrator = c.administrator()?.job(job.id()?)?;
    by_administrator.take_ownership()?;
    c.let_go(&file)?;
    c.wait(&by_administrator, JobState::TRANSFERRED, SOON)?;
    c.settle()?;
    c.is("job.take_ownership.keeps_callback", callback.methods(), vec!["JobTransferred"])?;
    // Refused, so that it is told again; whoever registers as the new owner is not refused.
    c.advance(MINUTE)?;
    c.is("users.take_ownership.callback_context", callback.count("JobTransferred"), 2)?;
    let of_new_owner = Recorder::acting(|job| job.job2().map(|_| Success::OK));
    by_administrator.set_notify_interface(Some(of_new_owner.object()))?;
    c.advance(MINUTE)?;
    c.is("users.take_ownership.callback_context", of_new_owner.methods(), vec!["JobTransferred"])?;
    // Nor is it the process that counts, but whom its thread impersonates when it registers.
    let of_another = Recorder::acting(|job| job.job2().map(|_| Success::OK));
    let other = c.other_token()?;
    let impersonating = c.impersonate(&other)?;
    by_administrator.set_notify_interface(Some(of_another.object()))?;
    drop(impersonating);
    c.settle()?;
    c.advance(MINUTE)?;
    c.is("users.take_ownership.callback_context", of_another.count("JobTransferred"), 2)
}

fn the_owner_takes_its_own_job(c: &mut Bench) -> Outcome {
    let job = new_job(&c.administrator()?)?;
    c.returns("core:job.take_ownership.already_owner", job.take_ownership())?;
    c.is(
        "core:job.take_ownership.already_owner",
        (job.owner()?, job.state()?),
        (c.administrator_token()?.user.to_string(), JobState::SUSPENDED),
    )
}
