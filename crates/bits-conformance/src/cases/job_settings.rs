//! The plain settings of a job, and who may read and change them.

use bits_world::Profile;

use super::prelude::*;

cases![
    a_display_name_can_be_replaced,
    a_display_name_must_be_there_and_fit,
    a_description_can_be_replaced,
    a_description_must_be_there_and_fit,
    every_defined_priority_can_be_set,
    an_undefined_priority_is_refused,
    the_priority_can_change_while_the_job_transfers,
    defined_notify_flags_can_be_set,
    undefined_notify_flags_are_refused,
    notify_flags_of_later_versions_are_undefined,
    no_notify_flags_at_all_are_accepted,
    settings_outlive_restart_and_logoff,
    a_retry_delay_is_stored_in_seconds,
    a_short_retry_delay_is_raised_to_five_seconds,
    a_retry_delay_has_no_upper_bound,
    a_no_progress_timeout_is_stored_in_seconds,
    setters_work_in_every_state_but_the_final_ones,
    final_states_refuse_setters,
    a_notify_interface_can_be_set_and_cleared,
    an_object_without_a_callback_is_refused,
    getters_and_setters_are_for_owner_and_administrators,
    a_property_may_be_read_and_set_at_any_time,
    getters_work_in_final_states,
    a_job_has_its_owner,
];

fn a_display_name_can_be_replaced(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    c.returns("job.set_display_name.ok", job.set_display_name(Some("other")))?;
    c.returns("job.get_display_name.ok", job.display_name())?;
    c.is(
        ["job.set_display_name.ok", "job.set_display_name.params", "job.get_display_name.ok"],
        job.display_name()?,
        "other".to_owned(),
    )?;
    c.returns("job.set_display_name.empty", job.set_display_name(Some("")))?;
    c.is("job.set_display_name.empty", job.display_name()?, String::new())
}

fn a_display_name_must_be_there_and_fit(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let longest = (250..=260).rfind(|length| job.set_display_name(Some(&"n".repeat(*length))).is_ok());
    c.value("job.set_display_name.max", longest.unwrap_or(0))?;
    c.returns("job.set_display_name.null", job.set_display_name(None))?;
    c.returns("job.set_display_name.too_long", job.set_display_name(Some(&"n".repeat(257))))?;
    c.is("job.set_display_name.too_long", job.display_name()?.len(), 256)
}

fn a_description_can_be_replaced(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    c.returns("job.set_description.ok", job.set_description(Some("what for")))?;
    c.returns("job.get_description.ok", job.description())?;
    c.is(
        ["job.set_description.ok", "job.set_description.params", "job.get_description.ok"],
        job.description()?,
        "what for".to_owned(),
    )?;
    c.returns("job.set_description.empty", job.set_description(Some("")))?;
    c.is("job.set_description.empty", job.description()?, String::new())
}

fn a_description_must_be_there_and_fit(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let longest = (1_020..=1_030).rfind(|length| job.set_description(Some(&"d".repeat(*length))).is_ok());
    c.value("job.set_description.max", longest.unwrap_or(0))?;
    c.returns("job.set_description.null", job.set_description(None))?;
    c.returns("job.set_description.too_long", job.set_description(Some(&"d".repeat(1_025))))?;
    c.is("job.set_description.too_long", job.description()?.len(), 1_024)
}

fn every_defined_priority_can_be_set(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    for priority in JobPriority::DEFINED {
        c.returns("job.set_priority.ok", job.set_priority(*priority))?;
        c.returns("job.get_priority.ok", job.priority())?;
        c.is(
            ["job.set_priority.ok", "job.get_priority.ok", "job.set_priority.params", "job.get_priority.params"],
            job.priority()?,
            *priority,
        )?;
    }
    Ok(())
}

fn an_undefined_priority_is_refused(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    for undefined in [4, 1_000, u32::MAX] {
        c.returns("job.set_priority.undefined", job.set_priority(JobPriority(undefined)))?;
        c.is("job.set_priority.undefined", job.priority()?, JobPriority::NORMAL)?;
    }
    Ok(())
}

fn the_priority_can_change_while_the_job_transfers(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRING)?;
    let other = c.new_job()?;
    let file = c.serve("b.bin", 10)?;
    file.add_to(&other)?;
    c.hold_at(&file, 5)?;
    other.resume()?;
    c.settle()?;
    let before = (job.state()?, other.state()?);
    let changed = job.set_priority(JobPriority::LOW).is_ok();
    c.settle()?;
    c.is("job.set_priority.any_state", (changed, before), (true, (JobState::TRANSFERRING, JobState::QUEUED)))?;
    c.is("job.set_priority.any_state", (job.state()?, other.state()?), (JobState::QUEUED, JobState::TRANSFERRING))
}

fn defined_notify_flags_can_be_set(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    for bit in 0..6 {
        let flags = NotifyFlags::from_bits_retain(1 << bit);
        c.returns("job.set_notify_flags.ok", job.set_notify_flags(flags))?;
        c.returns("job.get_notify_flags.ok", job.notify_flags())?;
        c.is(
            [
                "job.set_notify_flags.ok",
                "job.get_notify_flags.ok",
                "job.set_notify_flags.params",
                "job.get_notify_flags.params",
            ],
            job.notify_flags()?,
            flags,
        )?;
    }
    let all = NotifyFlags::from_bits_retain(0x1f);
    c.returns("job.notifyflags.all-bits3", job.set_notify_flags(all))?;
    c.value("job.notifyflags.all-bits3", job.notify_flags()?)
}

fn undefined_notify_flags_are_refused(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    for bits in [0x40, 0x8000_0000, 0x41] {
        c.returns("job.set_notify_flags.undefined", job.set_notify_flags(NotifyFlags::from_bits_retain(bits)))?;
    }
    c.is("job.set_notify_flags.undefined", job.notify_flags()?.bits(), 3)
}

fn notify_flags_of_later_versions_are_undefined(c: &mut Bench) -> Outcome {
    c.play(Profile::V2_5)?;
    let old = c.new_job()?;
    c.returns("job.set_notify_flags.undefined", old.set_notify_flags(NotifyFlags::FILE_TRANSFERRED))?;
    c.start_over();
    c.play(Profile::V5_0)?;
    let newer = c.new_job()?;
    c.returns("job.set_notify_flags.undefined", newer.set_notify_flags(NotifyFlags::FILE_RANGES_TRANSFERRED))
}

fn no_notify_flags_at_all_are_accepted(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    c.returns("job.set_notify_flags.zero", job.set_notify_flags(NotifyFlags::empty()))?;
    c.is("job.set_notify_flags.zero", job.notify_flags()?, NotifyFlags::empty())
}

/// What stays with a job whatever happens to it, but for its state and the time of the last change.
fn what_stays(job: &Arc<dyn Job>) -> Result<Vec<String>, Stop> {
    let times = job.times()?;
    let mut stays = vec![
        format!("id {:?}", job.id()?),
        format!("type {:?}", job.job_type()?),
        format!("owner {}", job.owner()?),
        format!("display name {}", job.display_name()?),
        format!("description {}", job.description()?),
        format!("priority {:?}", job.priority()?),
        format!("notify flags {:?}", job.notify_flags()?),
        format!("minimum retry delay {}", job.minimum_retry_delay()?),
        format!("no progress timeout {}", job.no_progress_timeout()?),
        format!("error count {}", job.error_count()?),
        format!("error {:?}", error_of(job).ok()),
        format!("created {:?}, transferred {:?}", times.creation, times.transfer_completion),
        format!("progress {:?}", job.progress()?),
    ];
    for file in files(job)? {
        stays.push(format!("file {} to {}", file.remote_name()?, file.local_name()?));
    }
    Ok(stays)
}

/// A job in `state` none of whose settings is the default, one minute old.
fn unusual_job(c: &Bench, state: JobState) -> Result<(Arc<dyn Job>, crate::bench::Remote), Stop> {
    let (job, file) = c.job_with_file(1_000)?;
    job.set_display_name(Some("unusual"))?;
    job.set_description(Some("what for"))?;
    job.set_priority(JobPriority::LOW)?;
    job.set_notify_flags(NotifyFlags::JOB_MODIFICATION)?;
    job.set_minimum_retry_delay(77)?;
    job.set_no_progress_timeout(7_777)?;
    c.advance(MINUTE)?;
    c.bring(&job, &file, state)?;
    c.advance(MINUTE)?;
    Ok((job, file))
}

fn settings_outlive_restart_and_logoff(c: &mut Bench) -> Outcome {
    for state in [JobState::SUSPENDED, JobState::ERROR, JobState::TRANSFERRED] {
        c.start_over();
        let made_at = c.now()?;
        let (job, _) = unusual_job(c, state)?;
        let id = job.id()?;
        let (before, times) = (what_stays(&job)?, job.times()?);
        c.restart_service()?;
        let job = c.find(id)?;
        c.is("job.set_notify_flags.persist", job.notify_flags()?, NotifyFlags::JOB_MODIFICATION)?;
        c.is("struct.job_times.creation", job.times()?.creation, made_at)?;
        c.is(
            "lifecycle.must_finish",
            (what_stays(&job)?, job.times()?.modification),
            (before.clone(), times.modification),
        )?;
        c.log_off()?;
        c.advance(DAY)?;
        c.restart_service()?;
        c.advance(DAY)?;
        c.log_on()?;
        c.settle()?;
        let job = c.find(id)?;
        c.is("lifecycle.must_finish", (what_stays(&job)?, job.state()?), (before, state))?;
    }
    Ok(())
}

fn a_retry_delay_is_stored_in_seconds(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    c.returns("job.set_minimum_retry_delay.ok", job.set_minimum_retry_delay(77))?;
    c.returns("job.get_minimum_retry_delay.ok", job.minimum_retry_delay())?;
    c.is(
        [
            "job.set_minimum_retry_delay.ok",
            "job.get_minimum_retry_delay.ok",
            "job.set_minimum_retry_delay.params",
            "job.get_minimum_retry_delay.params",
        ],
        job.minimum_retry_delay()?,
        77,
    )
}

fn a_short_retry_delay_is_raised_to_five_seconds(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    for short in 0..5 {
        c.returns("job.set_minimum_retry_delay.min", job.set_minimum_retry_delay(short))?;
        c.value("job.set_minimum_retry_delay.min", job.minimum_retry_delay()?)?;
        c.value("retry.delay.minimum", Duration::from_secs(job.minimum_retry_delay()?.into()))?;
    }
    c.is("job.get_minimum_retry_delay.ok", job.minimum_retry_delay()?, 5)
}

fn a_retry_delay_has_no_upper_bound(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    job.set_minimum_retry_delay(u32::MAX)?;
    c.is("job.set_minimum_retry_delay.max", job.minimum_retry_delay()?, u32::MAX)
}

fn a_no_progress_timeout_is_stored_in_seconds(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    for seconds in [0, 33, u32::MAX] {
        c.returns("job.set_no_progress_timeout.ok", job.set_no_progress_timeout(seconds))?;
        c.returns("job.get_no_progress_timeout.ok", job.no_progress_timeout())?;
        c.is(
            [
                "job.set_no_progress_timeout.ok",
                "job.get_no_progress_timeout.ok",
                "job.set_no_progress_timeout.params",
                "job.get_no_progress_timeout.params",
            ],
            job.no_progress_timeout()?,
            seconds,
        )?;
    }
    Ok(())
}

/// Every setter, in a row.
fn set_everything(job: &Arc<dyn Job>) -> Vec<Result<Success, Hresult>> {
    vec![
        job.set_display_name(Some("other")),
        job.set_description(Some("other")),
        job.set_priority(JobPriority::HIGH),
        job.set_notify_flags(NotifyFlags::DISABLE),
        job.set_minimum_retry_delay(60),
        job.set_no_progress_timeout(3_600),
        job.set_notify_interface(None),
    ]
}

fn setters_work_in_every_state_but_the_final_ones(c: &mut Bench) -> Outcome {
    for state in LIVING {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        for result in set_everything(&job) {
            c.returns("job.interface.setters_nonfinal", result)?;
        }
        c.is("job.interface.setters_nonfinal", job.display_name()?, "other".to_owned())?;
    }
    Ok(())
}

fn final_states_refuse_setters(c: &mut Bench) -> Outcome {
    const CLAUSES: [&str; 7] = [
        "job.set_display_name.invalid_state",
        "job.set_description.invalid_state",
        "job.set_priority.invalid_state",
        "job.set_notify_flags.invalid_state",
        "job.set_minimum_retry_delay.invalid_state",
        "job.set_no_progress_timeout.invalid_state",
        "job.set_notify_interface.invalid_state",
    ];
    for state in FINAL {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        for (clause, result) in CLAUSES.into_iter().zip(set_everything(&job)) {
            c.returns(clause, result)?;
            c.returns("job.interface.setters_final", result)?;
        }
        c.is("job.interface.setters_final", job.display_name()?, job_name().to_owned())?;
        if state == JobState::ACKNOWLEDGED {
            c.returns("job.notifyinterface.null-after-complete", job.set_notify_interface(None))?;
        }
    }
    Ok(())
}

fn a_notify_interface_can_be_set_and_cleared(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let object = Recorder::new().object();
    c.returns("job.set_notify_interface.ok", job.set_notify_interface(Some(Arc::clone(&object))))?;
    let got = job.notify_interface();
    c.returns("job.get_notify_interface.ok", &got)?;
    let same = got?.is_some_and(|got| Arc::ptr_eq(&got, &object));
    c.is(["job.get_notify_interface.ok", "job.set_notify_interface.params"], same, true)?;
    c.returns(["job.set_notify_interface.ok", "job.set_notify_interface.clear"], job.set_notify_interface(None))?;
    c.is("job.set_notify_interface.clear", job.notify_interface()?.is_some(), false)
}

fn an_object_without_a_callback_is_refused(c: &mut Bench) -> Outcome {
    struct Nothing;
    impl bits_api::Unknown for Nothing {}
    let job = c.new_job()?;
    c.returns("job.set_notify_interface.bad_object", job.set_notify_interface(Some(Arc::new(Nothing))))?;
    c.is("job.set_notify_interface.bad_object", job.notify_interface()?.is_some(), false)
}

fn getters_and_setters_are_for_owner_and_administrators(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let id = job.id()?;
    let by_admin = c.administrator()?.job(id)?;
    by_admin.set_display_name(Some("by root"))?;
    c.is(
        ["job.interface.who", "users.admin_no_need_to_own"],
        (job.display_name()?, by_admin.owner()?),
        ("by root".to_owned(), c.own_sid()?),
    )
}

fn a_property_may_be_read_and_set_at_any_time(c: &mut Bench) -> Outcome {
    for state in LIVING {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        let set = set_everything(&job).into_iter().flatten().count();
        let by_admin = c.administrator()?.job(job.id()?)?;
        let as_admin = set_everything(&by_admin).into_iter().flatten().count();
        c.is(["props.any_time", "job.interface.who"], (set, as_admin), (7, 7))?;
        c.is("props.any_time", (by_admin.display_name()?, job.priority()?), ("other".to_owned(), JobPriority::HIGH))?;
    }
    Ok(())
}

fn getters_work_in_final_states(c: &mut Bench) -> Outcome {
    type End = fn(&dyn Job) -> Result<Success, Hresult>;
    let ends: [(JobState, End, JobState); 3] = [
        (JobState::TRANSFERRED, |job| job.complete(), JobState::ACKNOWLEDGED),
        (JobState::ERROR, |job| job.complete(), JobState::ACKNOWLEDGED),
        (JobState::ERROR, |job| job.cancel(), JobState::CANCELLED),
    ];
    for (state, end, at_end) in ends {
        c.start_over();
        let made_at = c.now()?;
        let (job, file) = unusual_job(c, state)?;
        let (kept, before) = (first_file(&job)?, what_stays(&job)?);
        end(&*job)?;
        c.is("job.interface.getters_final", (job.state()?, what_stays(&job)?), (at_end, before))?;
        c.holds("job.interface.getters_final", "GetNotifyInterface works", job.notify_interface().is_ok())?;
        c.is("struct.job_times.creation", job.times()?.creation, made_at)?;
        c.is("file.interface.after_final", (kept.remote_name()?, kept.local_name()?), (file.url, file.local))?;
        c.is("file.interface.after_final", kept.progress()?.completed, state == JobState::TRANSFERRED)?;
    }
    Ok(())
}

fn a_job_has_its_owner(c: &mut Bench) -> Outcome {
    let mine = c.new_job()?;
    let others = new_job(&c.other_user()?)?;
    c.returns("job.get_owner.ok", mine.owner())?;
    c.holds("job.get_owner.ok", "it is a SID in string form", mine.owner()?.starts_with("S-1-"))?;
    c.holds("manager.create_job.owner", "each job belongs to its creator", mine.owner()? != others.owner()?)?;
    c.is("svcacct.owner", new_job(&c.local_system()?)?.owner()?, "S-1-5-18".to_owned())
}
