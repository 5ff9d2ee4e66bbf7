//! The manager: creating and finding jobs.

use super::prelude::*;

cases![
    a_new_job_has_the_documented_defaults,
    a_new_job_has_a_guid_of_its_own,
    the_guid_finds_the_job_from_another_process,
    the_guid_finds_the_job_after_a_restart,
    a_foreign_job_is_not_handed_out,
    an_unknown_guid_is_not_found,
    a_job_that_left_the_queue_is_not_found,
    a_display_name_has_at_most_256_characters,
    a_display_name_counts_utf16_units,
    display_names_need_not_be_unique,
    a_job_needs_a_display_name,
    a_job_needs_a_defined_type,
    uploads_are_not_supported_before_bits_1_5,
    managers_come_and_go_without_their_jobs,
    a_manager_creates_finds_lists_and_explains,
    every_manager_shows_the_same_jobs,
    a_standard_user_gets_no_hold_of_foreign_jobs,
    an_administrator_reads_names_of_others,
];

fn a_new_job_has_the_documented_defaults(c: &mut Bench) -> Outcome {
    let made = c.manager()?.create_job(Some(job_name()), JobType::DOWNLOAD);
    c.returns("manager.create_job.ok", &made)?;
    let CreatedJob { job, .. } = made?;
    c.is(["manager.create_job.initial_state", "lifecycle.edge.create"], job.state()?, JobState::SUSPENDED)?;
    c.value(["job.state.initial", "enum.job_state.suspended", "lifecycle.enum.suspended"], job.state()?)?;
    c.value(["job.type.roundtrip", "enum.job_type.download", "jobtype.download"], job.job_type()?)?;
    c.value(
        ["manager.create_job.initial_priority", "job.set_priority.default", "sched.priority.default"],
        job.priority()?,
    )?;
    c.value(
        ["manager.create_job.initial_retry_delay", "job.set_minimum_retry_delay.default", "retry.delay.default"],
        Duration::from_secs(job.minimum_retry_delay()?.into()),
    )?;
    c.value(
        [
            "manager.create_job.initial_no_progress_timeout",
            "job.set_no_progress_timeout.default",
            "retry.timeout.default",
        ],
        Duration::from_secs(job.no_progress_timeout()?.into()),
    )?;
    c.value("job.notifyflags.default", job.notify_flags()?)?;
    c.is("job.set_notify_flags.default", job.notify_flags()?, NotifyFlags::JOB_TRANSFERRED | NotifyFlags::JOB_ERROR)?;
    c.is(
        ["manager.create_job.initial_notify", "job.notifyinterface.default"],
        job.notify_interface()?.is_some(),
        false,
    )?;
    c.is("manager.create_job.initial_files", job.enum_files()?.count()?, 0)?;
    c.is("job.progress.initial", job.progress()?, JobProgress::default())?;
    c.value("struct.job_progress.bytes_total_empty", job.progress()?.bytes_total)?;
    c.is("progress.bytes_total_zero", job.progress()?.bytes_total, 0)?;
    c.is("manager.create_job.initial_description", job.description()?, String::new())?;
    c.value("job.get_error_count.initial", job.error_count()?)?;
    c.is(["job.set_display_name.initial", "job.name.roundtrip"], job.display_name()?, job_name().to_owned())?;
    c.is(["manager.create_job.owner", "users.owner_is_creator", "job.get_owner.ok"], job.owner()?, c.own_sid()?)?;
    c.is("struct.job_times.completion_before", job.times()?.transfer_completion, FileTime::ZERO)
}

fn a_new_job_has_a_guid_of_its_own(c: &mut Bench) -> Outcome {
    let manager = c.manager()?;
    let first = manager.create_job(Some(job_name()), JobType::DOWNLOAD)?;
    let second = manager.create_job(Some(job_name()), JobType::DOWNLOAD)?;
    c.is(["job.get_id.ok", "job.get_id.params", "job.id.matches-create"], first.job.id()?, first.id)?;
    c.holds("manager.create_job.id_generated", "two jobs have two identifiers", first.id != second.id)?;
    c.is(["manager.create_job.id_generated", "props.guid"], manager.job(second.id)?.id()?, second.id)
}

fn the_guid_finds_the_job_from_another_process(c: &mut Bench) -> Outcome {
    let CreatedJob { id, job } = c.manager()?.create_job(Some(job_name()), JobType::DOWNLOAD)?;
    let other = c.another_client()?.manager()?;
    drop(job);
    c.end_client()?;
    let found = other.job(id);
    c.returns("manager.get_job.ok", &found)?;
    c.is("manager.get_job.cross_process", found?.display_name()?, job_name().to_owned())?;
    let listed = other.enum_jobs(EnumJobsFlags::empty())?.next(10)?.items;
    c.is("manager.release-keeps-job", listed.len(), 1)?;
    c.is("manager.global-across-processes", listed[0].display_name()?, job_name().to_owned())
}

fn the_guid_finds_the_job_after_a_restart(c: &mut Bench) -> Outcome {
    let CreatedJob { id, .. } = c.manager()?.create_job(Some(job_name()), JobType::DOWNLOAD)?;
    c.restart_service()?;
    let found = c.find(id)?;
    c.is(["manager.get_job.cross_process", "job.get_id.stable"], found.id()?, id)?;
    c.is("lifecycle.must_finish", found.display_name()?, job_name().to_owned())
}

fn a_foreign_job_is_not_handed_out(c: &mut Bench) -> Outcome {
    let CreatedJob { id, .. } = c.manager()?.create_job(Some(job_name()), JobType::DOWNLOAD)?;
    let other = c.other_user()?;
    c.returns("manager.get_job.access_denied", other.job(id))?;
    let listed = other.enum_jobs(EnumJobsFlags::empty())?.count()?;
    c.is("users.standard_user_isolation", listed, 0)?;
    c.is("users.standard_user_isolation", other.job(id).err(), Some(Hresult::E_ACCESSDENIED))?;
    let by_admin = c.administrator()?.job(id)?;
    c.is("job.interface.who", by_admin.display_name()?, job_name().to_owned())
}

fn an_unknown_guid_is_not_found(c: &mut Bench) -> Outcome {
    c.new_job()?;
    c.returns("manager.get_job.not_found", c.manager()?.job(Guid::from_u128(0xdead)))
}

fn a_job_that_left_the_queue_is_not_found(c: &mut Bench) -> Outcome {
    for state in FINAL {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        c.returns("manager.get_job.final_state", c.manager()?.job(job.id()?))?;
    }
    Ok(())
}

fn a_display_name_has_at_most_256_characters(c: &mut Bench) -> Outcome {
    let manager = c.manager()?;
    let create = |length: usize| manager.create_job(Some(&format!("{:n<length$}", job_name())), JobType::DOWNLOAD);
    let longest = (250..=260).rfind(|length| create(*length).is_ok()).unwrap_or(0);
    c.value("manager.create_job.display_name_max", longest)?;
    let before = manager.enum_jobs(EnumJobsFlags::empty())?.count()?;
    c.returns("manager.create_job.display_name_too_long", create(257))?;
    let after = manager.enum_jobs(EnumJobsFlags::empty())?.count()?;
    c.is("manager.create_job.display_name_too_long", after, before)
}

fn a_display_name_counts_utf16_units(c: &mut Bench) -> Outcome {
    let manager = c.manager()?;
    let create = |name: &str| manager.create_job(Some(name), JobType::DOWNLOAD);
    let mut longest = format!("{:n<128}", job_name());
    longest.push_str(&"\u{1F4E6}".repeat(64));
    let kept = create(&longest)?.job.display_name()?;
    c.is("manager.create_job.display_name_max", kept.encode_utf16().count(), 256)?;
    c.returns("manager.create_job.display_name_too_long", create(&(longest + "\u{1F4E6}")))
}

fn display_names_need_not_be_unique(c: &mut Bench) -> Outcome {
    let manager = c.manager()?;
    let first = manager.create_job(Some(job_name()), JobType::DOWNLOAD)?;
    let second = manager.create_job(Some(job_name()), JobType::DOWNLOAD);
    c.returns(["manager.create_job.display_name_not_unique", "job.name.not-unique"], &second)?;
    let second = second?;
    c.is("props.display_name_not_unique", second.job.display_name()?, first.job.display_name()?)?;
    c.holds("props.display_name_not_unique", "the GUIDs differ", first.id != second.id)
}

fn a_job_needs_a_display_name(c: &mut Bench) -> Outcome {
    let manager = c.manager()?;
    c.returns("manager.create_job.display_name_null", manager.create_job(None, JobType::DOWNLOAD))?;
    let empty = manager.create_job(Some(""), JobType::DOWNLOAD);
    c.returns("manager.create_job.display_name_empty", &empty)?;
    c.is("manager.create_job.display_name_empty", empty?.job.display_name()?, String::new())
}

fn a_job_needs_a_defined_type(c: &mut Bench) -> Outcome {
    for undefined in [3, 100, u32::MAX] {
        let made = c.manager()?.create_job(Some(job_name()), JobType(undefined));
        c.returns("manager.create_job.type_undefined", made)?;
    }
    let count = c.queue()?.enum_jobs(EnumJobsFlags::empty())?.count()?;
    c.is("manager.create_job.type_undefined", count, 0)
}

fn uploads_are_not_supported_before_bits_1_5(c: &mut Bench) -> Outcome {
    c.play(bits_world::Profile::V1_2)?;
    for job_type in [JobType::UPLOAD, JobType::UPLOAD_REPLY] {
        let made = c.manager()?.create_job(Some(job_name()), job_type);
        c.returns("manager.create_job.type_upload_old", made)?;
    }
    Ok(())
}

fn managers_come_and_go_without_their_jobs(c: &mut Bench) -> Outcome {
    let first = c.queue()?;
    let job = new_job(&first)?;
    let listed = first.enum_jobs(EnumJobsFlags::empty())?;
    drop(first);
    let second = c.manager()?;
    c.is("manager.many-clients", (job.state()?, listed.count()?), (JobState::SUSPENDED, 1))?;
    c.is("manager.many-clients", second.job(job.id()?)?.id()?, job.id()?)
}

fn a_manager_creates_finds_lists_and_explains(c: &mut Bench) -> Outcome {
    let manager = c.queue()?;
    let CreatedJob { id, job } = manager.create_job(Some(job_name()), JobType::DOWNLOAD)?;
    let found = manager.job(id)?;
    let listed = manager.enum_jobs(EnumJobsFlags::empty())?.next(1)?.items;
    let text = manager.error_description(Hresult::BG_E_EMPTY, LanguageId::ENGLISH_US)?;
    let ids = vec![found.id()?, listed[0].id()?];
    c.is(["manager.interface.methods", "job.interface.obtain"], ids, vec![job.id()?, job.id()?])?;
    c.holds("manager.interface.methods", "GetErrorDescription gives a text", !text.is_empty())
}

fn every_manager_shows_the_same_jobs(c: &mut Bench) -> Outcome {
    let first = c.manager()?;
    let job = new_job(&first)?;
    let by_second = c.manager()?.job(job.id()?)?;
    let by_other_program = c.another_client()?.manager()?.job(job.id()?)?;
    drop(first);
    by_other_program.set_description(Some("seen by all"))?;
    let seen = vec![job.description()?, by_second.description()?];
    c.is("manager.interface.entry_point", seen, vec!["seen by all".to_owned(); 2])?;
    let counts = vec![c.manager()?, c.another_client()?.manager()?]
        .into_iter()
        .map(|manager| Ok(manager.enum_jobs(EnumJobsFlags::empty())?.count()?))
        .collect::<Result<Vec<u32>, Stop>>()?;
    c.is("manager.interface.entry_point", counts, vec![1, 1])
}

fn a_standard_user_gets_no_hold_of_foreign_jobs(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let other = c.other_user()?;
    let refused = Some(Hresult::E_ACCESSDENIED);
    c.is(
        ["job4.owner.standard_user_other_jobs", "job4.owner.modifiers", "manager.create_job.owner"],
        vec![other.job(job.id()?).err(), other.enum_jobs(EnumJobsFlags::ALL_USERS).err()],
        vec![refused; 2],
    )?;
    let own = other.enum_jobs(EnumJobsFlags::empty())?.count()?;
    c.is("job4.owner.standard_user_other_jobs", own, 0)?;
    let by_admin = c.administrator()?.job(job.id()?)?;
    by_admin.set_description(Some("changed"))?;
    c.is(["job4.owner.modifiers", "manager.create_job.owner"], job.description()?, "changed".to_owned())
}

fn an_administrator_reads_names_of_others(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    job.set_display_name(Some("my illness"))?;
    job.set_description(Some("my doctor"))?;
    let file = c.serve("prescription.bin", 10)?;
    file.add_to(&job)?;
    let seen = c.administrator()?.job(job.id()?)?;
    let found = first_file(&seen)?;
    c.is(
        "users.pii",
        vec![seen.display_name()?, seen.description()?, found.remote_name()?, found.local_name()?],
        vec!["my illness".to_owned(), "my doctor".to_owned(), file.url, file.local],
    )
}
