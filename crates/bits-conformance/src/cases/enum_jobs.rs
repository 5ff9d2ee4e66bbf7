//! Listing jobs.

use bits_api::{EnumJobs, Manager};

use super::prelude::*;

cases![
    zero_lists_the_callers_jobs_only,
    an_administrator_lists_the_jobs_of_all_users,
    all_users_are_for_administrators,
    jobs_are_listed_in_no_order_that_they_have,
    undefined_flags_are_refused,
    a_user_without_jobs_gets_an_empty_list,
    the_list_is_a_snapshot_of_live_jobs,
    jobs_that_came_to_an_end_are_not_listed,
    a_job_that_ended_meanwhile_stays_in_the_list,
    next_hands_out_what_is_left,
    next_one_at_a_time_ends_with_s_false,
    next_of_nothing_is_ok,
    skip_moves_past_jobs,
    skip_one_at_a_time_ends_with_s_false,
    reset_goes_back_to_the_first_job,
    a_clone_stands_where_its_original_stood_and_goes_its_own_way,
    the_count_does_not_depend_on_the_position,
    an_enumerator_has_all_its_methods,
];

/// An enumerator over that many jobs of the main client.
fn list_of(c: &Bench, count: usize) -> Result<Arc<EnumJobs>, Stop> {
    for _ in 0..count {
        c.new_job()?;
    }
    Ok(c.queue()?.enum_jobs(EnumJobsFlags::empty())?)
}

fn ids(jobs: &EnumJobs) -> Result<Vec<Guid>, Stop> {
    jobs.next(u32::MAX)?.items.iter().map(|job| Ok(job.id()?)).collect()
}

fn sorted(mut ids: Vec<Guid>) -> Vec<Guid> {
    ids.sort_unstable();
    ids
}

fn listed(manager: &Arc<dyn Manager>, flags: EnumJobsFlags) -> Result<Vec<Guid>, Stop> {
    Ok(sorted(ids(&*manager.enum_jobs(flags)?)?))
}

fn zero_lists_the_callers_jobs_only(c: &mut Bench) -> Outcome {
    let mine = sorted(vec![c.new_job()?.id()?, c.new_job()?.id()?]);
    new_job(&c.other_user()?)?;
    let result = c.queue()?.enum_jobs(EnumJobsFlags::empty());
    c.returns(["manager.enum_jobs.flags_zero", "enumjobs.flags-zero"], &result)?;
    let found = sorted(ids(&*result?)?);
    c.is(["manager.enum_jobs.flags_zero", "users.enum_own"], found.clone(), mine.clone())?;
    let process = c.another_client()?.manager()?;
    let elsewhere = listed(&process, EnumJobsFlags::empty())?;
    c.is("enumjobs.flags-zero", elsewhere, mine)
}

fn an_administrator_lists_the_jobs_of_all_users(c: &mut Bench) -> Outcome {
    let root = c.administrator()?;
    let all = sorted(vec![c.new_job()?.id()?, new_job(&c.other_user()?)?.id()?, new_job(&root)?.id()?]);
    let result = root.enum_jobs(EnumJobsFlags::ALL_USERS);
    c.returns("manager.enum_jobs.flags_all_users", &result)?;
    c.is(["manager.enum_jobs.flags_all_users", "enum.enum_jobs_flags.all_users"], sorted(ids(&*result?)?), all)?;
    c.is("users.enum_own", listed(&root, EnumJobsFlags::empty())?.len(), 1)
}

fn all_users_are_for_administrators(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    new_job(&c.other_user()?)?;
    let result = c.queue()?.enum_jobs(EnumJobsFlags::ALL_USERS);
    c.returns(["manager.enum_jobs.access_denied", "users.enum_all_admin"], result)
}

fn jobs_are_listed_in_no_order_that_they_have(c: &mut Bench) -> Outcome {
    let mut made = Vec::new();
    for priority in [JobPriority::LOW, JobPriority::FOREGROUND, JobPriority::NORMAL, JobPriority::HIGH] {
        for _ in 0..3 {
            let job = c.new_job()?;
            job.set_priority(priority)?;
            made.push((job.id()?, priority));
        }
    }
    let list = c.queue()?.enum_jobs(EnumJobsFlags::empty())?.next(u32::MAX)?.items;
    let listed: Vec<_> = list.iter().map(|job| Ok((job.id()?, job.priority()?))).collect::<Result<_, Stop>>()?;
    c.holds("manager.enum_jobs.order", "they are not in order of creation", listed != made)?;
    let in_order = listed.is_sorted_by_key(|(_, priority)| *priority);
    c.holds("manager.enum_jobs.order", "they are not in order of priority", !in_order)?;
    let all = |jobs: &[(Guid, JobPriority)]| sorted(jobs.iter().map(|(id, _)| *id).collect());
    c.is("manager.enum_jobs.order", all(&listed), all(&made))
}

fn undefined_flags_are_refused(c: &mut Bench) -> Outcome {
    for bits in [0x2, 0x8000_0000, 0x3] {
        let result = c.administrator()?.enum_jobs(EnumJobsFlags::from_bits_retain(bits));
        c.returns("manager.enum_jobs.flags_undefined", result)?;
    }
    Ok(())
}

fn a_user_without_jobs_gets_an_empty_list(c: &mut Bench) -> Outcome {
    let result = c.queue()?.enum_jobs(EnumJobsFlags::empty());
    c.returns("manager.enum_jobs.empty", &result)?;
    let list = result?;
    c.is("manager.enum_jobs.empty", list.count()?, 0)?;
    c.returns("enum_jobs.next.fewer", list.next(1))
}

fn the_list_is_a_snapshot_of_live_jobs(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let before = c.queue()?.enum_jobs(EnumJobsFlags::empty())?;
    c.new_job()?;
    let after = c.queue()?.enum_jobs(EnumJobsFlags::empty())?;
    c.is(["manager.enum_jobs.snapshot", "enumjobs.snapshot"], (before.count()?, after.count()?), (1, 2))?;
    job.set_display_name(Some("renamed"))?;
    let listed = before.next(5)?.items;
    c.is("manager.enum_jobs.snapshot", listed.len(), 1)?;
    c.is(["manager.enum_jobs.live_properties", "enum.jobs_snapshot"], listed[0].display_name()?, "renamed".to_owned())
}

fn jobs_that_came_to_an_end_are_not_listed(c: &mut Bench) -> Outcome {
    for state in FINAL {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        let left = c.queue()?.enum_jobs(EnumJobsFlags::empty())?.count()?;
        c.is(
            ["manager.enum_jobs.excludes_final", "lifecycle.final.not_enumerated", "enum.job_state.final"],
            (job.state()?, left),
            (state, 0),
        )?;
    }
    Ok(())
}

fn a_job_that_ended_meanwhile_stays_in_the_list(c: &mut Bench) -> Outcome {
    let cancelled = c.new_job()?;
    let list = c.queue()?.enum_jobs(EnumJobsFlags::empty())?;
    cancelled.cancel()?;
    c.is(["manager.enum_jobs.snapshot", "enum.jobs_snapshot"], list.count()?, 1)?;
    let kept = list.next(1)?.items;
    c.is("job.interface.stale_enumerated", kept[0].state()?, JobState::CANCELLED)
}

fn next_hands_out_what_is_left(c: &mut Bench) -> Outcome {
    let list = list_of(c, 3)?;
    let two = list.next(2);
    c.returns("enum_jobs.next.all", &two)?;
    c.is("enum_jobs.next.all", two?.items.len(), 2)?;
    let rest = list.next(2);
    c.returns("enum_jobs.next.fewer", &rest)?;
    c.is("enum_jobs.next.fewer", rest?.items.len(), 1)?;
    c.returns("enum_jobs.next.fewer", list.next(1))?;
    list.reset()?;
    let all = list.next(3);
    c.returns("enumjobs.next.all", &all)?;
    c.is("enumjobs.next.all", all?.items.len(), 3)
}

fn next_one_at_a_time_ends_with_s_false(c: &mut Bench) -> Outcome {
    let list = list_of(c, 2)?;
    let mut walk = Vec::new();
    let mut fetched = Vec::new();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let next = list.next(1)?;
        walk.push(next.success.hresult());
        fetched.push(next.items.len());
        for job in next.items {
            seen.push(job.id()?);
        }
    }
    c.returns_in_turn("enumjobs.next.one-at-a-time", &walk)?;
    c.is("enumjobs.next.one-at-a-time", fetched, vec![1, 1, 0])?;
    c.is("enum_jobs.interface.start", sorted(seen), listed(&c.manager()?, EnumJobsFlags::empty())?)
}

fn next_of_nothing_is_ok(c: &mut Bench) -> Outcome {
    let list = list_of(c, 1)?;
    let none = list.next(0);
    c.returns("enum_jobs.next.celt_zero", &none)?;
    c.is("enum_jobs.next.celt_zero", none?.items.len(), 0)?;
    list.skip(1)?;
    c.returns("enum_jobs.next.celt_zero", list.next(0))
}

fn skip_moves_past_jobs(c: &mut Bench) -> Outcome {
    let list = list_of(c, 3)?;
    c.returns("enum_jobs.skip.all", list.skip(2))?;
    c.is(["enum_jobs.skip.all", "enum_jobs.skip.params"], list.next(5)?.items.len(), 1)?;
    list.reset()?;
    c.returns(["enum_jobs.skip.fewer", "enumjobs.skip.beyond"], list.skip(4))?;
    c.is("enum_jobs.skip.fewer", list.next(5)?.items.len(), 0)
}

fn skip_one_at_a_time_ends_with_s_false(c: &mut Bench) -> Outcome {
    let list = list_of(c, 2)?;
    let walk = [list.skip(1)?, list.skip(1)?, list.skip(1)?].map(Success::hresult);
    c.returns_in_turn("enumjobs.skip.walk", &walk)
}

fn reset_goes_back_to_the_first_job(c: &mut Bench) -> Outcome {
    let list = list_of(c, 3)?;
    let first = ids(&*list)?;
    c.new_job()?;
    c.returns(["enum_jobs.reset.ok", "enumjobs.reset"], list.reset())?;
    c.is("enum_jobs.reset.ok", ids(&*list)?, first)?;
    list.reset()?;
    c.returns("enumjobs.reset", list.skip(3))
}

fn a_clone_stands_where_its_original_stood_and_goes_its_own_way(c: &mut Bench) -> Outcome {
    let list = list_of(c, 3)?;
    list.skip(1)?;
    let copy = list.clone_enumerator();
    c.returns("enum_jobs.clone.ok", &copy)?;
    let copy = copy?;
    list.skip(2)?;
    list.reset()?;
    let all = ids(&*list)?;
    c.is("enum_jobs.clone.ok", ids(&*copy)?, all[1..].to_vec())
}

fn the_count_does_not_depend_on_the_position(c: &mut Bench) -> Outcome {
    let list = list_of(c, 3)?;
    c.returns("enum_jobs.get_count.ok", list.count())?;
    list.skip(2)?;
    c.is(["enum_jobs.get_count.ok", "enum_jobs.get_count.params"], list.count()?, 3)
}

fn an_enumerator_has_all_its_methods(c: &mut Bench) -> Outcome {
    let list = list_of(c, 2)?;
    let copy = list.clone_enumerator()?;
    let answers =
        vec![list.next(1)?.items.len(), list.count()? as usize, copy.next(2)?.items.len(), ids(&*list)?.len()];
    list.reset()?;
    list.skip(1)?;
    c.is("enum_jobs.interface.methods", (answers, ids(&*list)?.len()), (vec![1, 2, 2, 1], 1))
}
