//! Who may do what: strangers, elevation, integrity, restricted tokens, service accounts.

use bits_api::{FileRange, Manager};
use bits_world::{Integrity, Profile, Sid, Token};

use super::prelude::*;

cases![
    access_is_checked_when_an_interface_is_asked_for,
    before_4_0_access_is_checked_at_each_call,
    a_stranger_gets_no_interface,
    a_job_made_elevated_needs_an_elevated_caller,
    a_job_taken_over_elevated_needs_an_elevated_caller,
    elevation_is_told_as_it_was,
    elevation_is_neither_administration_nor_integrity,
    an_administrators_job_runs_in_either_state,
    a_lower_integrity_level_changes_nothing,
    the_integrity_level_is_the_creators,
    a_job_of_local_system_is_out_of_an_administrators_reach,
    a_restricted_token_makes_and_changes_no_job,
    files_and_network_are_used_in_the_owners_name,
    a_service_that_impersonates_makes_jobs_of_that_user,
    a_service_that_does_not_impersonate_owns_its_jobs,
    a_system_account_is_refused_what_only_a_user_may_read,
    no_limit_binds_a_service_account,
    whoever_may_not_write_to_the_folder_adds_no_file,
];

const DENIED: Hresult = Hresult::E_ACCESSDENIED;

/// What asking for each later interface gives: `S_OK` or the refusal.
fn queries(job: &Arc<dyn Job>) -> [Hresult; 8] {
    fn code<T>(result: Result<T, Hresult>) -> Hresult {
        result.err().unwrap_or(Hresult::S_OK)
    }
    [
        code(job.job2()),
        code(job.job3()),
        code(job.job4()),
        code(job.job5()),
        code(job.http_options()),
        code(job.http_options2()),
        code(job.http_options3()),
        code(job.token_options()),
    ]
}

fn access_is_checked_when_an_interface_is_asked_for(c: &mut Bench) -> Outcome {
    for profile in [Profile::V4_0, Profile::V10_3] {
        c.start_over();
        c.play(profile)?;
        let job = c.new_job()?;
        let other = c.other_token()?;
        let stranger = c.impersonate(&other)?;
        let calls = (job.set_description(Some("by whoever")), job.description(), job.job2().err());
        drop(stranger);
        c.is(
            ["helper.access_check", "token.access.check_at_qi"],
            calls,
            (Ok(Success::OK), Ok("by whoever".to_owned()), Some(DENIED)),
        )?;
        c.is(["helper.access_check", "token.access.check_at_qi"], job.job2().err(), None)?;
    }
    Ok(())
}

fn before_4_0_access_is_checked_at_each_call(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let job = c.new_job()?;
    let file = c.serve("a.bin", 10)?;
    let other = c.other_token()?;
    let stranger = c.impersonate(&other)?;
    c.returns("core:job.interface.not_owner", job.set_priority(JobPriority::LOW))?;
    c.returns("core:job.interface.not_owner", job.state())?;
    c.is(
        "token.access.check_each_call_before",
        (job.job2().err(), job.suspend(), job.description()),
        (None, Err(DENIED), Err(DENIED)),
    )?;
    c.is(
        "job4.owner.modifiers",
        (job.add_file(Some(&file.url), Some(&file.local)), job.set_description(Some("mine"))),
        (Err(DENIED), Err(DENIED)),
    )?;
    drop(stranger);
    c.is("token.access.check_each_call_before", job.suspend(), Ok(Success::OK))?;
    let administrator = c.administrator_token()?;
    let administrator = c.impersonate(&administrator)?;
    let changed = (job.add_file(Some(&file.url), Some(&file.local)), job.set_description(Some("ours")));
    drop(administrator);
    c.is("job4.owner.modifiers", changed, (Ok(Success::OK), Ok(Success::OK)))
}

fn a_stranger_gets_no_interface(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let id = job.id()?;
    c.is("users.standard_user_isolation", queries(&job).to_vec(), vec![Hresult::S_OK; 8])?;
    let other = c.other_token()?;
    let stranger = c.impersonate(&other)?;
    let refused = queries(&job).to_vec();
    drop(stranger);
    c.is(["token.access.not_owner_not_admin", "users.standard_user_isolation"], refused, vec![DENIED; 8])?;
    let manager = c.other_user()?;
    let all = manager.enum_jobs(EnumJobsFlags::ALL_USERS).err();
    let own = manager.enum_jobs(EnumJobsFlags::empty())?.count()?;
    c.is(
        ["job4.owner.standard_user_other_jobs", "users.standard_user_isolation"],
        (all, own, manager.job(id).err()),
        (Some(DENIED), 0, Some(DENIED)),
    )
}

fn a_job_made_elevated_needs_an_elevated_caller(c: &mut Bench) -> Outcome {
    let elevated = c.administrator_token()?;
    // Of the same integrity: nothing but elevation is missing.
    let not_elevated = Token::standard(elevated.user.clone()).at_integrity(elevated.integrity);
    let job = new_job(&c.manager_as(elevated)?)?;
    let manager = c.manager_as(not_elevated)?;
    c.returns(["uac.elevated_job", "job4.owner.elevated_required"], manager.job(job.id()?))?;
    // Its own jobs are listed all the same.
    let Some(seen) = manager.enum_jobs(EnumJobsFlags::empty())?.next(1)?.items.pop() else {
        return failed("the job is not listed");
    };
    c.returns(["uac.elevated_job", "job4.owner.elevated_required"], seen.display_name())?;
    let reads = vec![seen.progress().err(), seen.state().err(), seen.priority().err(), seen.enum_files().err()];
    c.is(["uac.elevated_job", "job4.owner.elevated_required"], reads, vec![Some(DENIED); 4])?;
    c.returns(["uac.elevated_job", "job4.owner.elevated_required"], seen.set_priority(JobPriority::LOW))?;
    for change in [Job::suspend, Job::resume, Job::cancel, Job::complete] {
        c.is("job4.get_owner_elevation_state.elevated_lock", change(&*seen), Err(DENIED))?;
    }
    c.is("job4.get_owner_elevation_state.elevated_lock", job.cancel(), Ok(Success::OK))
}

fn a_job_taken_over_elevated_needs_an_elevated_caller(c: &mut Bench) -> Outcome {
    let elevated = c.administrator_token()?;
    let not_elevated = Token::standard(elevated.user.clone()).at_integrity(elevated.integrity);
    let job = new_job(&c.manager_as(not_elevated)?)?;
    let before = (job.display_name().err(), job.set_priority(JobPriority::LOW).err());
    c.manager_as(elevated)?.job(job.id()?)?.take_ownership()?;
    let after = (job.display_name().err(), job.set_priority(JobPriority::LOW).err());
    c.is(
        ["uac.elevated_job", "job4.owner.elevated_required"],
        (before, after),
        ((None, None), (Some(DENIED), Some(DENIED))),
    )
}

fn elevation_is_told_as_it_was(c: &mut Bench) -> Outcome {
    let elevated = c.administrator_token()?;
    let not_elevated = Token::standard(elevated.user.clone());
    let by_elevated = new_job(&c.manager_as(elevated.clone())?)?.job4()?;
    c.returns("job4.get_owner_elevation_state.ok", by_elevated.owner_elevation_state())?;
    c.is(
        ["job4.get_owner_elevation_state.true", "job4.get_owner_elevation_state.param", "uac.query_elevation"],
        by_elevated.owner_elevation_state()?,
        true,
    )?;
    let job = new_job(&c.manager_as(not_elevated)?)?;
    c.returns("job4.get_owner_elevation_state.ok", job.job4()?.owner_elevation_state())?;
    c.is(
        ["job4.get_owner_elevation_state.false", "job4.get_owner_elevation_state.param", "uac.query_elevation"],
        job.job4()?.owner_elevation_state()?,
        false,
    )?;
    let through_elevated = c.manager_as(elevated)?.job(job.id()?)?;
    through_elevated.set_description(Some("by the elevated owner"))?;
    let before = through_elevated.job4()?.owner_elevation_state()?;
    through_elevated.take_ownership()?;
    c.is(
        "job4.get_owner_elevation_state.fixed_at_ownership",
        (before, through_elevated.job4()?.owner_elevation_state()?),
        (false, true),
    )
}

fn elevation_is_neither_administration_nor_integrity(c: &mut Bench) -> Outcome {
    let administrator = c.administrator_token()?;
    let mut elevated_alone = Token::standard(administrator.user.clone());
    elevated_alone.elevated = true;
    let mut all_but_elevated = administrator;
    all_but_elevated.elevated = false;
    let clauses =
        ["job4.get_owner_elevation_state.true", "job4.get_owner_elevation_state.false", "uac.query_elevation"];
    let state = |token| new_job(&c.manager_as(token)?)?.job4()?.owner_elevation_state().map_err(Stop::from);
    c.is(clauses, (state(elevated_alone)?, state(all_but_elevated)?), (true, false))
}

fn an_administrators_job_runs_in_either_state(c: &mut Bench) -> Outcome {
    let elevated = c.administrator_token()?;
    let not_elevated = Token::standard(elevated.user.clone());
    for token in [elevated, not_elevated] {
        let job = new_job(&c.manager_as(token.clone())?)?;
        let file = c.serve("a.bin", 1_000)?;
        file.add_to(&job)?;
        c.hold_at(&file, 400)?;
        job.resume()?;
        c.settle()?;
        c.change_sessions(|world| world.log_off(&token.user))?;
        c.settle()?;
        let while_away = job.state()?;
        c.change_sessions(|world| world.log_on(token.user.clone()))?;
        c.let_go(&file)?;
        c.settle()?;
        c.is(
            ["uac.runs_either", "job4.owner.runs_in_either_state"],
            (while_away, job.state()?),
            (JobState::QUEUED, JobState::TRANSFERRED),
        )?;
    }
    Ok(())
}

fn a_lower_integrity_level_changes_nothing(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    let id = c.new_job()?.id()?;
    let own = c.own_token()?;
    let low = c.manager_as(own.clone().at_integrity(Integrity::LOW))?.job(id)?;
    let changes = [low.set_priority(JobPriority::LOW), low.suspend(), low.cancel()];
    c.is(
        ["uac.integrity", "job4.owner.integrity_modify"],
        (low.state(), changes.map(Result::err).to_vec()),
        (Ok(JobState::SUSPENDED), vec![Some(DENIED); 3]),
    )?;
    for level in [Integrity::MEDIUM, Integrity::HIGH] {
        let job = c.manager_as(own.clone().at_integrity(level))?.job(id)?;
        c.is("job4.owner.integrity_equal", job.set_priority(JobPriority::LOW), Ok(Success::OK))?;
    }
    Ok(())
}

fn the_integrity_level_is_the_creators(c: &mut Bench) -> Outcome {
    let own = c.own_token()?;
    for level in [Integrity::LOW, Integrity::MEDIUM] {
        let job = new_job(&c.manager_as(own.clone().at_integrity(level))?)?;
        let told = job.job4()?.owner_integrity_level();
        c.returns("job4.get_owner_integrity_level.ok", told)?;
        c.is(
            [
                "job4.get_owner_integrity_level.param",
                "job4.get_owner_integrity_level.meaning",
                "job4.get_owner_integrity_level.unit",
                "uac.query_integrity",
            ],
            told?,
            level.0,
        )?;
    }
    let job = c.new_job()?;
    let by_administrator = c.administrator()?.job(job.id()?)?;
    by_administrator.take_ownership()?;
    c.is(
        ["job4.get_owner_integrity_level.meaning", "uac.query_integrity"],
        by_administrator.job4()?.owner_integrity_level()?,
        Integrity::HIGH.0,
    )
}

fn a_job_of_local_system_is_out_of_an_administrators_reach(c: &mut Bench) -> Outcome {
    let job = new_job(&c.local_system()?)?;
    let by_administrator = c.administrator()?.job(job.id()?)?;
    let changes = [
        by_administrator.set_priority(JobPriority::LOW),
        by_administrator.suspend(),
        by_administrator.take_ownership(),
        by_administrator.complete(),
        by_administrator.cancel(),
    ];
    c.is(
        ["uac.integrity_system", "job4.owner.integrity_admin_vs_system"],
        changes.map(Result::err).to_vec(),
        vec![Some(DENIED); 5],
    )?;
    let by_task = c.local_system()?.job(job.id()?)?;
    c.is(
        "uac.integrity_system_remedy",
        (by_task.set_priority(JobPriority::LOW), by_task.cancel(), job.state()?),
        (Ok(Success::OK), Ok(Success::OK), JobState::CANCELLED),
    )
}

fn a_restricted_token_makes_and_changes_no_job(c: &mut Bench) -> Outcome {
    for (profile, expected) in [(Profile::V1_2, None), (Profile::V1_5, Some(DENIED)), (Profile::V10_3, Some(DENIED))] {
        c.start_over();
        c.play(profile)?;
        let id = c.new_job()?.id()?;
        let manager = c.manager_as(c.own_token()?.restricted())?;
        let made = manager.create_job(Some(job_name()), JobType::DOWNLOAD).err();
        let job = manager.job(id)?;
        let changed = job.set_description(Some("restricted")).err();
        c.is(
            ["users.restricted_token", "version.1_5.restricted_token"],
            (made, changed, job.state()?),
            (expected, expected, JobState::SUSPENDED),
        )?;
    }
    Ok(())
}

fn files_and_network_are_used_in_the_owners_name(c: &mut Bench) -> Outcome {
    let (owner, administrator) = (c.own_token()?, c.administrator_token()?);
    // Both rights; none on the server; none on the folder.
    for (readers, writers, expected) in [
        ([&owner], vec![&owner, &administrator], (JobState::TRANSFERRED, None)),
        ([&administrator], vec![&owner, &administrator], (JobState::ERROR, Some((ErrorContext::REMOTE_FILE, DENIED)))),
        ([&owner], vec![&administrator], (JobState::ERROR, Some((ErrorContext::LOCAL_FILE, DENIED)))),
    ] {
        c.start_over();
        let job = c.new_job()?;
        let file = c.serve("a.bin", 10)?;
        c.readable_only_for(&file, &readers)?;
        c.folder_only_for(&writers)?;
        file.add_to(&c.administrator()?.job(job.id()?)?)?;
        job.resume()?;
        c.settle()?;
        let error = job.error().ok().map(|error| error.error()).transpose()?;
        c.is(
            ["users.context", "users.rights_both_ends", "job.add_file.owner_rights", "files.temp.owner_rights"],
            (job.state()?, error),
            expected,
        )?;
    }
    Ok(())
}

fn a_service_that_impersonates_makes_jobs_of_that_user(c: &mut Bench) -> Outcome {
    let manager = c.service_account(Sid::NETWORK_SERVICE)?;
    let user = c.other_token()?;
    let impersonating = c.impersonate(&user)?;
    let job = new_job(&manager)?;
    let file = c.serve("a.bin", 1_000)?;
    file.add_to(&job)?;
    c.hold_at(&file, 400)?;
    job.resume()?;
    drop(impersonating);
    c.settle()?;
    c.is(
        ["svcacct.impersonate", "token.service_account.impersonating"],
        (job.owner()?, job.state()?),
        (user.user.to_string(), JobState::TRANSFERRING),
    )?;
    c.change_sessions(|world| world.log_off(&user.user))?;
    c.settle()?;
    c.is(["svcacct.impersonate", "token.service_account.impersonating"], job.state()?, JobState::QUEUED)
}

fn a_service_that_does_not_impersonate_owns_its_jobs(c: &mut Bench) -> Outcome {
    for account in [Sid::LOCAL_SYSTEM, Sid::LOCAL_SERVICE, Sid::NETWORK_SERVICE] {
        c.start_over();
        let manager = c.service_account(account)?;
        c.log_off()?;
        let job = new_job(&manager)?;
        let file = c.serve("a.bin", 10)?;
        file.add_to(&job)?;
        job.resume()?;
        c.settle()?;
        c.is(["token.service_account.not_impersonating", "svcacct.owner"], job.owner()?, account.to_owned())?;
        c.is(["token.service_account.always_logged_on", "svcacct.owner"], job.state()?, JobState::TRANSFERRED)?;
    }
    Ok(())
}

fn a_system_account_is_refused_what_only_a_user_may_read(c: &mut Bench) -> Outcome {
    let job = new_job(&c.local_system()?)?;
    let file = c.serve("a.bin", 10)?;
    c.readable_only_for(&file, &[&c.own_token()?])?;
    file.add_to(&job)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.returns("svcacct.acl_user_only", error_of(&job)?.1)
}

/// How many jobs, files of one job and ranges of one file the caller is granted of two each.
fn granted(c: &Bench, manager: &Arc<dyn Manager>) -> Result<[usize; 3], Stop> {
    let remote = c.serve("a.bin", 1_000)?;
    let create = || manager.create_job(Some(job_name()), JobType::DOWNLOAD);
    let jobs: Vec<CreatedJob> = [create(), create()].into_iter().filter_map(Result::ok).collect();
    let Some(CreatedJob { job, .. }) = jobs.first() else { return failed("not even one job") };
    let files = (0..2).filter(|_| job.add_file(Some(&remote.url), Some(&remote.local)).is_ok()).count();
    let job = create().map_or_else(|_| Arc::clone(job), |created| created.job);
    let ranges = [0, 10].map(|initial_offset| FileRange { initial_offset, length: 5 });
    let added = job.job3()?.add_file_with_ranges(Some(&remote.url), Some(&remote.local), &ranges);
    Ok([jobs.len(), files, if added.is_ok() { ranges.len() } else { 1 }])
}

fn no_limit_binds_a_service_account(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    for (account, expected) in [
        (Some(Sid::LOCAL_SYSTEM), [2; 3]),
        (Some(Sid::LOCAL_SERVICE), [2; 3]),
        (Some(Sid::NETWORK_SERVICE), [2; 3]),
        (None, [1; 3]),
    ] {
        c.start_over();
        c.set_policies(|policies| {
            policies.max_jobs_per_user = 1;
            policies.max_jobs_per_machine = 1;
            policies.max_files_per_job = 1;
            policies.max_ranges_per_file = 1;
        })?;
        let manager = match account {
            Some(account) => c.service_account(account)?,
            None => c.manager()?,
        };
        c.is("svcacct.limits_exempt", granted(c, &manager)?.to_vec(), expected.to_vec())?;
    }
    Ok(())
}

fn whoever_may_not_write_to_the_folder_adds_no_file(c: &mut Bench) -> Outcome {
    let job = c.new_job()?.job3()?;
    let file = c.serve("a.bin", 1_000)?;
    c.folder_only_for(&[&c.other_token()?])?;
    c.returns("core:job.add_file.access_denied", job.add_file(Some(&file.url), Some(&file.local)))?;
    let both = [FileInfo { remote_name: &file.url, local_name: &file.local }];
    c.returns("core:job.add_file_set.access_denied", job.add_file_set(&both))?;
    let range = [FileRange { initial_offset: 0, length: 5 }];
    let ranged = job.add_file_with_ranges(Some(&file.url), Some(&file.local), &range);
    c.returns("job3.add_file_with_ranges.access_denied", ranged)?;
    let reply = c.new_job_of(JobType::UPLOAD_REPLY)?.job2()?;
    c.returns("job2.set_reply_file_name.access_denied", reply.set_reply_file_name(Some(&file.local)))?;
    c.is("core:job.add_file.access_denied", files(&(job as Arc<dyn Job>))?.len(), 0)
}
