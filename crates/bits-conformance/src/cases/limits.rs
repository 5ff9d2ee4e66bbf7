//! How many jobs and files there may be.

use bits_api::Manager;
use bits_world::{Profile, Sid};

use super::prelude::*;

cases![
    a_user_has_at_most_60_jobs,
    jobs_left_in_the_queue_block_new_ones_whatever_their_state,
    a_machine_has_at_most_300_jobs,
    policies_change_the_job_limits,
    the_users_limit_is_checked_first,
    administrators_are_exempt_from_job_limits,
    service_accounts_are_exempt_from_limits,
    there_are_no_limits_before_bits_3_0,
    limits_come_with_bits_3_0,
    a_job_has_at_most_200_files,
    a_policy_changes_the_file_limit,
    a_set_that_passes_the_limit_adds_nothing,
    administrators_are_exempt_from_the_file_limit,
];

/// Creates jobs until one is refused, or `most` are there; gives their number and the refusal.
fn fill(manager: &Arc<dyn Manager>, most: usize) -> (usize, Option<Hresult>) {
    for made in 0..most {
        if let Err(code) = manager.create_job(Some(job_name()), JobType::DOWNLOAD) {
            return (made, Some(code));
        }
    }
    (most, None)
}

/// Adds files until one is refused, or `most` are there.
fn fill_job(c: &Bench, job: &Arc<dyn Job>, most: usize) -> (usize, Option<Hresult>) {
    for made in 0..most {
        let url = format!("http://files.example/{made}");
        if let Err(code) = job.add_file(Some(&url), Some(&c.local(&format!("{made}.bin")))) {
            return (made, Some(code));
        }
    }
    (most, None)
}

fn refused(code: Option<Hresult>) -> Result<Success, Hresult> {
    code.map_or(Ok(Success::OK), Err)
}

fn a_user_has_at_most_60_jobs(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    c.needs(Capability::DefaultPolicies)?;
    // Jobs of other programs of the user count, too.
    let (made, refusal) = fill(&c.queue()?, 70);
    c.value(["manager.create_job.user_limit_default", "policy.max_jobs_per_user.default"], made)?;
    c.returns(["manager.create_job.user_limit", "policy.max_jobs_per_user.exceeded"], refused(refusal))?;
    c.is("manager.create_job.user_limit", c.queue()?.enum_jobs(EnumJobsFlags::empty())?.count()?, 60)?;
    let (others, _) = fill(&c.other_user()?, 3);
    c.is("policy.jobs_limit_scope", others, 3)?;
    c.is("policy.unset_default", made, 60)
}

fn jobs_left_in_the_queue_block_new_ones_whatever_their_state(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    c.set_policies(|policies| policies.max_jobs_per_user = 3)?;
    let (failed_job, _) = c.job_in(JobState::ERROR)?;
    let suspended = c.new_job()?;
    let done = c.new_job()?;
    let file = c.serve("b.bin", 10)?;
    file.add_to(&done)?;
    done.resume()?;
    c.wait(&done, JobState::TRANSFERRED, SOON)?;
    let create = || c.manager()?.create_job(Some(job_name()), JobType::DOWNLOAD).map(|_| ()).map_err(Stop::from);
    let blocked = create().is_err();
    let mut freed = Vec::new();
    for job in [failed_job, suspended, done] {
        job.cancel()?;
        freed.push(create().is_ok());
    }
    c.holds(
        ["manager.create_job.limit_counts_queue", "lifecycle.leftover_blocks_new"],
        "a failed, a suspended and a finished job count",
        blocked,
    )?;
    c.is("manager.create_job.limit_counts_queue", freed, vec![true; 3])
}

fn a_machine_has_at_most_300_jobs(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    c.set_policies(|policies| policies.max_jobs_per_user = 1_000)?;
    let (made, refusal) = fill(&c.manager()?, 310);
    c.value(["manager.create_job.machine_limit_default", "policy.max_jobs_per_machine.default"], made)?;
    c.returns(["manager.create_job.machine_limit", "policy.max_jobs_per_machine.exceeded"], refused(refusal))?;
    let (others, refusal) = fill(&c.other_user()?, 1);
    c.is("policy.jobs_limit_scope", others, 0)?;
    c.returns("policy.max_jobs_per_machine.exceeded", refused(refusal))
}

fn policies_change_the_job_limits(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    c.set_policies(|policies| policies.max_jobs_per_user = 2)?;
    let (made, refusal) = fill(&c.manager()?, 5);
    c.is("policy.max_jobs_per_user.exceeded", made, 2)?;
    c.returns("policy.max_jobs_per_user.exceeded", refused(refusal))?;
    c.set_policies(|policies| {
        policies.max_jobs_per_user = 10;
        policies.max_jobs_per_machine = 4;
    })?;
    let (more, refusal) = fill(&c.manager()?, 5);
    c.is("policy.max_jobs_per_machine.exceeded", more, 2)?;
    c.returns("policy.max_jobs_per_machine.exceeded", refused(refusal))
}

fn the_users_limit_is_checked_first(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    c.set_policies(|policies| {
        policies.max_jobs_per_user = 1;
        policies.max_jobs_per_machine = 1;
    })?;
    let (_, refusal) = fill(&c.manager()?, 5);
    c.returns("manager.create_job.limit_precedence", refused(refusal))
}

fn administrators_are_exempt_from_job_limits(c: &mut Bench) -> Outcome {
    let (made, _) = fill(&c.administrator()?, 310);
    c.is(
        ["manager.create_job.limit_exempt", "policy.max_jobs_per_user.exempt", "policy.max_jobs_per_machine.exempt"],
        made,
        310,
    )
}

fn service_accounts_are_exempt_from_limits(c: &mut Bench) -> Outcome {
    c.set_policies(|policies| {
        policies.max_jobs_per_user = 1;
        policies.max_jobs_per_machine = 1;
        policies.max_files_per_job = 1;
    })?;
    for account in [Sid::LOCAL_SYSTEM, Sid::LOCAL_SERVICE, Sid::NETWORK_SERVICE] {
        let manager = c.service_account(account)?;
        let (jobs, _) = fill(&manager, 3);
        c.is(
            [
                "manager.create_job.limit_exempt",
                "policy.max_jobs_per_user.exempt",
                "policy.max_jobs_per_machine.exempt",
            ],
            jobs,
            3,
        )?;
        let (files, _) = fill_job(c, &new_job(&manager)?, 3);
        c.is(["policy.max_files_per_job.exempt", "job.add_file.policy_exempt"], files, 3)?;
    }
    Ok(())
}

fn there_are_no_limits_before_bits_3_0(c: &mut Bench) -> Outcome {
    c.play(Profile::V2_5)?;
    let (jobs, _) = fill(&c.manager()?, 310);
    c.is("manager.create_job.limit_old", jobs, 310)?;
    let job = c.new_job()?;
    let (files, _) = fill_job(c, &job, 210);
    c.is("job.add_file.policy_old", files, 210)?;
    c.is("policy.pre30_no_limits", (jobs, files), (310, 210))?;
    let set: Vec<_> = (0..210).map(|n| (format!("http://files.example/{n}"), c.local(&format!("set{n}")))).collect();
    let infos: Vec<_> = set.iter().map(|(url, local)| FileInfo { remote_name: url, local_name: local }).collect();
    let added = c.new_job()?.add_file_set(&infos).is_ok();
    c.holds("job.add_file_set.policy_old", "a set of 210 files is accepted", added)
}

fn limits_come_with_bits_3_0(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    let mut jobs = Vec::new();
    let mut files = Vec::new();
    for version in [Profile::V2_5, Profile::V3_0] {
        c.start_over();
        c.play(version)?;
        jobs.push(fill(&c.manager()?, 70).0);
        c.start_over();
        c.play(version)?;
        let job = c.new_job()?;
        files.push(fill_job(c, &job, 210).0);
    }
    c.is("version.3_0.job_file_limits", (jobs, files), (vec![70, 60], vec![210, 200]))
}

fn a_job_has_at_most_200_files(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    c.needs(Capability::DefaultPolicies)?;
    let job = c.new_job()?;
    let (files, refusal) = fill_job(c, &job, 210);
    c.value(["job.add_file.policy_default", "policy.max_files_per_job.default"], files)?;
    c.returns(["job.add_file.policy_limit", "policy.max_files_per_job.exceeded"], refused(refusal))?;
    c.is("policy.files_download_jobs", (job.job_type()?, files), (JobType::DOWNLOAD, 200))?;
    c.is("job.add_file.policy_limit", job.enum_files()?.count()?, 200)
}

fn a_policy_changes_the_file_limit(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    c.set_policies(|policies| policies.max_files_per_job = 2)?;
    let job = c.new_job()?;
    let (files, refusal) = fill_job(c, &job, 5);
    c.is("policy.max_files_per_job.exceeded", files, 2)?;
    c.returns("policy.max_files_per_job.exceeded", refused(refusal))
}

fn a_set_that_passes_the_limit_adds_nothing(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    c.needs(Capability::DefaultPolicies)?;
    let job = c.new_job()?;
    let names: Vec<_> = (0..201).map(|n| (format!("http://files.example/{n}"), c.local(&format!("{n}.bin")))).collect();
    let infos: Vec<_> = names.iter().map(|(url, local)| FileInfo { remote_name: url, local_name: local }).collect();
    c.returns("job.add_file_set.policy_limit", job.add_file_set(&infos))?;
    c.is("job.add_file_set.policy_limit", job.enum_files()?.count()?, 0)?;
    let fits = (195..=201).rfind(|count| c.new_job().is_ok_and(|job| job.add_file_set(&infos[..*count]).is_ok()));
    c.value("job.add_file_set.policy_default", fits.unwrap_or(0))
}

fn administrators_are_exempt_from_the_file_limit(c: &mut Bench) -> Outcome {
    let manager = c.administrator()?;
    let (files, _) = fill_job(c, &new_job(&manager)?, 205);
    c.is(["job.add_file.policy_exempt", "policy.max_files_per_job.exempt"], files, 205)?;
    let names: Vec<_> = (0..205).map(|n| (format!("http://files.example/{n}"), c.local(&format!("{n}.bin")))).collect();
    let infos: Vec<_> = names.iter().map(|(url, local)| FileInfo { remote_name: url, local_name: local }).collect();
    let job = new_job(&manager)?;
    job.add_file_set(&infos)?;
    c.is("job.add_file_set.policy_exempt", job.enum_files()?.count()?, 205)
}
