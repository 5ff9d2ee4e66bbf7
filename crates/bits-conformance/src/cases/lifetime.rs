//! What outlives the service, the machine and BITS itself, and what enumerators promise of it.

use bits_world::Profile;

use super::prelude::*;

cases![
    a_call_may_fail_with_a_code_that_its_page_does_not_list,
    an_older_bits_begins_with_an_empty_queue,
    jobs_are_listed_in_no_order_that_a_client_could_rely_on,
];

fn a_call_may_fail_with_a_code_that_its_page_does_not_list(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::SUSPENDED)?;
    c.stop_service()?;
    let file = FileInfo { remote_name: "http://updates.example/b", local_name: r"C:\b" };
    let codes = [
        job.add_file(Some(file.remote_name), Some(file.local_name)).err(),
        job.add_file_set(&[file]).err(),
        job.resume().err(),
        job.suspend().err(),
        job.cancel().err(),
        job.set_priority(JobPriority::HIGH).err(),
        job.state().err(),
        job.enum_files().err(),
    ];
    let unlisted = [Some(Hresult::RPC_S_SERVER_UNAVAILABLE); 8];
    c.is("job.interface.return_tables", codes.to_vec(), unlisted.to_vec())
}

fn an_older_bits_begins_with_an_empty_queue(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::TRANSFERRING)?;
    c.settle()?;
    let id = job.id()?;
    c.restore_machine()?;
    c.let_go(&file)?;
    c.advance(DAY)?;
    let left = c.queue()?.enum_jobs(EnumJobsFlags::empty())?.count()?;
    let found = c.manager()?.job(id).err();
    c.is("service.restore", (left, found), (0, Some(Hresult::BG_E_NOT_FOUND)))?;
    c.is("service.restore", c.local_files()?.len(), 1)?;
    c.new_job()?;
    c.is("service.restore", c.queue()?.enum_jobs(EnumJobsFlags::empty())?.count()?, 1)
}

fn jobs_are_listed_in_no_order_that_a_client_could_rely_on(c: &mut Bench) -> Outcome {
    // A real BITS need not show it.
    c.play(Profile::default())?;
    let mut by_creation = Vec::new();
    for priority in [JobPriority::LOW, JobPriority::HIGH, JobPriority::NORMAL, JobPriority::FOREGROUND].repeat(3) {
        let job = c.new_job()?;
        job.set_priority(priority)?;
        by_creation.push((priority.0, job.id()?));
    }
    let listed = c.queue()?.enum_jobs(EnumJobsFlags::empty())?.next(u32::MAX)?.items;
    let listed: Vec<Guid> = listed.iter().map(|job| job.id()).collect::<Result<_, _>>()?;
    let mut by_priority = by_creation.clone();
    by_priority.sort_by_key(|(priority, _)| *priority);
    for (order, kept) in [("creation", by_creation), ("priority", by_priority)] {
        let kept: Vec<Guid> = kept.into_iter().map(|(_, id)| id).collect();
        c.holds("manager.enum_jobs.order", &format!("jobs are not in the order of their {order}"), listed != kept)?;
    }
    Ok(())
}
