//! The properties of IBackgroundCopyJob5: their ids, their types, their defaults, and when they may
//! be set. What they do is shown where it is done.

use bits_api::{AuthTarget, CostFlags, Job5, JobPropertyId, JobPropertyValue as Value};
use bits_world::Profile;

use super::prelude::*;

cases![
    every_property_has_its_number_and_its_type,
    a_new_job_has_the_default_of_every_property,
    a_number_that_is_no_property_is_refused,
    properties_of_10_1_are_unknown_before,
    a_value_of_another_type_is_refused,
    cost_flags_have_their_values,
    cost_flags_can_be_combined_freely,
    a_property_may_be_set_until_its_time_is_over,
    dynamic_content_and_the_size_limit_are_fixed_by_resume,
    high_performance_is_fixed_by_the_first_file,
    what_is_for_downloads_is_refused_to_uploads,
    a_size_limit_is_a_size,
    stored_credentials_are_for_proxies_only,
    properties_are_refused_in_final_states,
    a_changed_property_is_told_as_a_modification,
    properties_outlive_a_restart,
];

/// Every property, with a value that is not its default.
const PROPERTIES: [(&str, JobPropertyId, Value); 8] = [
    ("job5.id.cost_flags", JobPropertyId::COST_FLAGS, Value::Dword(0x67)),
    ("job5.id.notification_clsid", JobPropertyId::NOTIFICATION_CLSID, Value::ClsId(Guid::from_u128(0x1234))),
    ("job5.id.dynamic_content", JobPropertyId::DYNAMIC_CONTENT, Value::Enable(true)),
    ("job5.id.high_performance", JobPropertyId::HIGH_PERFORMANCE, Value::Enable(true)),
    ("job5.id.max_download_size", JobPropertyId::MAX_DOWNLOAD_SIZE, Value::Uint64(1 << 40)),
    ("job5.id.use_stored_credentials", JobPropertyId::USE_STORED_CREDENTIALS, Value::Target(AuthTarget::PROXY)),
    ("job5.id.minimum_notification_interval_ms", JobPropertyId::MINIMUM_NOTIFICATION_INTERVAL_MS, Value::Dword(1_500)),
    ("job5.id.on_demand_mode", JobPropertyId::ON_DEMAND_MODE, Value::Enable(true)),
];

/// What shows the member of the union that a property uses.
fn types_of(id: JobPropertyId) -> &'static [&'static str] {
    match id {
        JobPropertyId::COST_FLAGS => &["job5.value.dword", "job5.cost_flags.type", "job5.cost_flags.read_write"],
        JobPropertyId::NOTIFICATION_CLSID => &["job5.value.clsid", "job5.notification_clsid.type"],
        JobPropertyId::DYNAMIC_CONTENT => &["job5.value.enable", "job5.dynamic_content.type"],
        JobPropertyId::HIGH_PERFORMANCE => &["job5.value.enable", "job5.high_performance.type"],
        JobPropertyId::MAX_DOWNLOAD_SIZE => &["job5.value.uint64", "job5.max_download_size.type"],
        JobPropertyId::USE_STORED_CREDENTIALS => &["job5.value.target", "job5.use_stored_credentials.type"],
        JobPropertyId::ON_DEMAND_MODE => &["job5.value.enable", "job5.on_demand.type"],
        _ => &["job5.value.dword", "job5.min_notification_interval.type"],
    }
}

fn every_property_has_its_number_and_its_type(c: &mut Bench) -> Outcome {
    for (number, id, value) in PROPERTIES {
        let job = c.new_job()?.job5()?;
        c.returns("job5.set_property.ok", job.set_property(id, value))?;
        let got = job.property(id);
        c.returns("job5.get_property.ok", got)?;
        c.value(number, id)?;
        for clause in types_of(id) {
            c.is(*clause, got?, value)?;
        }
        c.is(
            [
                "job5.get_property.roundtrip",
                "job5.get_property.all_readable",
                "job5.set_property.params",
                "job5.get_property.params",
                "job5.set_property.read_only",
            ],
            got?,
            value,
        )?;
    }
    Ok(())
}

fn dword(job: &Arc<dyn Job5>, id: JobPropertyId) -> Result<u32, Stop> {
    match job.property(id)? {
        Value::Dword(number) => Ok(number),
        other => failed(format!("{id} is {other:?}")),
    }
}

fn enabled(job: &Arc<dyn Job5>, id: JobPropertyId) -> Result<bool, Stop> {
    match job.property(id)? {
        Value::Enable(on) => Ok(on),
        other => failed(format!("{id} is {other:?}")),
    }
}

fn a_new_job_has_the_default_of_every_property(c: &mut Bench) -> Outcome {
    let job = c.new_job()?.job5()?;
    c.value("job5.dynamic_content.default", enabled(&job, JobPropertyId::DYNAMIC_CONTENT)?)?;
    c.value("job5.high_performance.default", enabled(&job, JobPropertyId::HIGH_PERFORMANCE)?)?;
    c.value("job5.on_demand.default", enabled(&job, JobPropertyId::ON_DEMAND_MODE)?)?;
    let Value::ClsId(class) = job.property(JobPropertyId::NOTIFICATION_CLSID)? else {
        return failed("the class is no GUID");
    };
    c.value("job5.notification_clsid.default", class)?;
    c.value("job5.min_notification_interval.default", dword(&job, JobPropertyId::MINIMUM_NOTIFICATION_INTERVAL_MS)?)?;
    let size = job.property(JobPropertyId::MAX_DOWNLOAD_SIZE)?;
    c.is("job5.max_download_size.default", size, Value::Uint64(SIZE_UNKNOWN))?;
    let target = job.property(JobPropertyId::USE_STORED_CREDENTIALS)?;
    c.is("job5.use_stored_credentials.default", target, Value::Target(AuthTarget(0)))
}

fn a_number_that_is_no_property_is_refused(c: &mut Bench) -> Outcome {
    let job = c.new_job()?.job5()?;
    for gap in [0, 6, 8, 11, u32::MAX] {
        let id = JobPropertyId(gap);
        c.returns(["job5.set_property.unknown_id"], job.set_property(id, Value::Enable(true)))?;
        c.returns("job5.get_property.unknown_id", job.property(id))?;
        c.is("job5.id.gaps", job.property(id), Err(Hresult::BG_E_UNKNOWN_PROPERTY_ID))?;
    }
    Ok(())
}

fn properties_of_10_1_are_unknown_before(c: &mut Bench) -> Outcome {
    let later = [JobPropertyId::MINIMUM_NOTIFICATION_INTERVAL_MS, JobPropertyId::ON_DEMAND_MODE];
    for profile in [Profile::V5_0, Profile::V10_1] {
        c.start_over();
        c.play(profile)?;
        for (_, id, value) in PROPERTIES {
            let job = c.new_job()?.job5()?;
            let is_known = job.property(id).is_ok();
            c.is("job5.id.old_system", is_known, profile >= Profile::V10_1 || !later.contains(&id))?;
            if !is_known {
                c.returns("job5.id.old_system", job.property(id))?;
                c.returns("job5.id.old_system", job.set_property(id, value))?;
            }
        }
    }
    Ok(())
}

fn a_value_of_another_type_is_refused(c: &mut Bench) -> Outcome {
    let job = c.new_job()?.job5()?;
    let refused = job.set_property(JobPropertyId::COST_FLAGS, Value::Enable(true));
    c.is("job5.set_property.params", refused, Err(Hresult::E_INVALIDARG))?;
    let refused = job.set_property(JobPropertyId::MAX_DOWNLOAD_SIZE, Value::Dword(5));
    c.is("job5.value.uint64", refused, Err(Hresult::E_INVALIDARG))
}

const COST_STATES: [(&str, CostFlags); 14] = [
    ("job5.cost_state.state_unrestricted", CostFlags::UNRESTRICTED),
    ("job5.cost_state.state_capped_usage_unknown", CostFlags::CAPPED_USAGE_UNKNOWN),
    ("job5.cost_state.state_below_cap", CostFlags::BELOW_CAP),
    ("job5.cost_state.state_near_cap", CostFlags::NEAR_CAP),
    ("job5.cost_state.state_overcap_charged", CostFlags::OVERCAP_CHARGED),
    ("job5.cost_state.state_overcap_throttled", CostFlags::OVERCAP_THROTTLED),
    ("job5.cost_state.state_usage_based", CostFlags::USAGE_BASED),
    ("job5.cost_state.state_roaming", CostFlags::ROAMING),
    ("job5.cost_state.option_ignore_congestion", CostFlags::IGNORE_CONGESTION),
    ("job5.cost_state.transfer_always", CostFlags::TRANSFER_ALWAYS),
    ("job5.cost_state.transfer_not_roaming", CostFlags::TRANSFER_NOT_ROAMING),
    ("job5.cost_state.transfer_no_surcharge", CostFlags::TRANSFER_NO_SURCHARGE),
    ("job5.cost_state.transfer_standard", CostFlags::TRANSFER_STANDARD),
    ("job5.cost_state.transfer_unrestricted", CostFlags::TRANSFER_UNRESTRICTED),
];

const POLICIES: [(&str, CostFlags); 5] = [
    ("job5.transfer_policy.always", CostFlags::TRANSFER_ALWAYS),
    ("job5.transfer_policy.not_roaming", CostFlags::TRANSFER_NOT_ROAMING),
    ("job5.transfer_policy.no_surcharge", CostFlags::TRANSFER_NO_SURCHARGE),
    ("job5.transfer_policy.standard", CostFlags::TRANSFER_STANDARD),
    ("job5.transfer_policy.unrestricted", CostFlags::TRANSFER_UNRESTRICTED),
];

fn cost_flags_have_their_values(c: &mut Bench) -> Outcome {
    let job = c.new_job()?.job5()?;
    let set = |flags: CostFlags| -> Result<u32, Stop> {
        job.set_property(JobPropertyId::COST_FLAGS, Value::Dword(flags.bits()))?;
        dword(&job, JobPropertyId::COST_FLAGS)
    };
    for (clause, flags) in COST_STATES.into_iter().chain(POLICIES) {
        c.value(clause, set(flags)?)?;
    }
    c.value("job5.cost_state.state_reserved", set(CostFlags::RESERVED)?)?;
    // The numbers that the pages give for the states of these names.
    let policies = POLICIES.into_iter().map(|(_, flags)| set(flags)).collect::<Result<Vec<_>, _>>()?;
    let states = vec![0x8000_00FF, 0x8000_007F, 0x8000_006F, 0x8000_0067, 0x8000_0021];
    c.is("job5.transfer_policy.same_as_cost_state", policies, states)
}

fn cost_flags_can_be_combined_freely(c: &mut Bench) -> Outcome {
    let job = c.new_job()?.job5()?;
    for bits in [0x67, 0x03, 0x8000_0011, 0xC1] {
        let accepted = job.set_property(JobPropertyId::COST_FLAGS, Value::Dword(bits));
        c.is("job5.cost_flags.free_combination", accepted, Ok(Success::OK))?;
        c.is(
            ["job5.cost_flags.free_combination", "job5.get_property.roundtrip"],
            dword(&job, JobPropertyId::COST_FLAGS)?,
            bits,
        )?;
    }
    for bits in [0, CostFlags::RESERVED.bits(), 0x0000_0100] {
        let accepted = job.set_property(JobPropertyId::COST_FLAGS, Value::Dword(bits));
        c.is("job5.cost_flags.invalid_bits", accepted, Ok(Success::OK))?;
        c.is("job5.cost_flags.invalid_bits", dword(&job, JobPropertyId::COST_FLAGS)?, bits)?;
    }
    let always = Value::Dword(CostFlags::TRANSFER_ALWAYS.bits());
    c.returns("observed:job5.costflags.always", job.set_property(JobPropertyId::COST_FLAGS, always))?;
    c.value("observed:job5.costflags.always", dword(&job, JobPropertyId::COST_FLAGS)?)
}

fn a_property_may_be_set_until_its_time_is_over(c: &mut Bench) -> Outcome {
    let any_time = [
        ("job5.cost_flags.any_time", PROPERTIES[0]),
        ("job5.notification_clsid.any_time", PROPERTIES[1]),
        ("job5.use_stored_credentials.when", PROPERTIES[5]),
    ];
    for state in LIVING {
        c.start_over();
        let job = c.job_in(state)?.0.job5()?;
        for (clause, (_, id, value)) in any_time {
            let set = job.set_property(id, value);
            c.is(clause, (set, job.property(id)?), (Ok(Success::OK), value))?;
        }
        job.set_property(JobPropertyId::NOTIFICATION_CLSID, Value::ClsId(Guid::nil()))?;
        let cleared = job.property(JobPropertyId::NOTIFICATION_CLSID)?;
        c.is(
            ["job5.notification_clsid.any_time", "job5.notification_clsid.clear"],
            cleared,
            Value::ClsId(Guid::nil()),
        )?;
    }
    Ok(())
}

fn dynamic_content_and_the_size_limit_are_fixed_by_resume(c: &mut Bench) -> Outcome {
    let fixed = [
        ("job5.dynamic_content.before_resume", "job5.dynamic_content.after_resume", PROPERTIES[2]),
        ("job5.max_download_size.before_resume", "job5.max_download_size.after_resume", PROPERTIES[4]),
    ];
    for (before, after, (_, id, value)) in fixed {
        c.start_over();
        let (job, file) = c.job_with_file(1_000)?;
        let job = job.job5()?;
        // A file, or Suspend, is no Resume.
        job.suspend()?;
        let set = job.set_property(id, value);
        c.is(before, (set, job.property(id)?), (Ok(Success::OK), value))?;
        let other = c.new_job()?.job5()?;
        file.add_to(&(Arc::clone(&other) as Arc<dyn Job>))?;
        other.resume()?;
        other.suspend()?;
        c.settle()?;
        let unset = other.property(id)?;
        c.returns([after, "job5.set_property.after_resume"], other.set_property(id, value))?;
        c.is(after, other.property(id)?, unset)?;
    }
    Ok(())
}

fn high_performance_is_fixed_by_the_first_file(c: &mut Bench) -> Outcome {
    let on = Value::Enable(true);
    let job = c.new_job()?;
    let set = job.job5()?.set_property(JobPropertyId::HIGH_PERFORMANCE, on);
    let got = job.job5()?.property(JobPropertyId::HIGH_PERFORMANCE)?;
    c.is("job5.high_performance.before_add_file", (set, got), (Ok(Success::OK), on))?;
    c.serve("a.bin", 10)?.add_to(&job)?;
    let refused = job.job5()?.set_property(JobPropertyId::HIGH_PERFORMANCE, Value::Enable(false));
    c.returns(["job5.high_performance.after_add_file", "job5.set_property.after_add_file"], refused)?;
    c.is("job5.high_performance.after_add_file", job.job5()?.property(JobPropertyId::HIGH_PERFORMANCE)?, on)
}

fn what_is_for_downloads_is_refused_to_uploads(c: &mut Bench) -> Outcome {
    for job_type in [JobType::UPLOAD, JobType::UPLOAD_REPLY] {
        let job = c.new_job_of(job_type)?.job5()?;
        for (_, id, value) in PROPERTIES {
            let clause = match id {
                JobPropertyId::DYNAMIC_CONTENT => "job5.dynamic_content.download_only",
                JobPropertyId::HIGH_PERFORMANCE => "job5.high_performance.download_only",
                JobPropertyId::MAX_DOWNLOAD_SIZE => "job5.max_download_size.download_only",
                JobPropertyId::ON_DEMAND_MODE => "job5.set_property.download_only",
                _ => {
                    let (set, got) = (job.set_property(id, value), job.property(id)?);
                    c.is("job5.set_property.ok", (set, got), (Ok(Success::OK), value))?;
                    if id == JobPropertyId::COST_FLAGS {
                        c.is("job5.cost_flags.all_job_types", (set, got), (Ok(Success::OK), value))?;
                    }
                    continue;
                }
            };
            let unset = job.property(id)?;
            c.returns([clause, "job5.set_property.download_only"], job.set_property(id, value))?;
            c.is("job5.set_property.download_only", job.property(id)?, unset)?;
        }
        let on_demand = job.set_property(JobPropertyId::ON_DEMAND_MODE, Value::Enable(true));
        let refused = Err(Hresult::BG_E_PROPERTY_SUPPORTED_FOR_DOWNLOAD_JOBS_ONLY);
        c.is("job5.on_demand.req_download", on_demand, refused)?;
    }
    Ok(())
}

fn a_size_limit_is_a_size(c: &mut Bench) -> Outcome {
    let job = c.new_job()?.job5()?;
    for refused in [0, SIZE_UNKNOWN] {
        let set = job.set_property(JobPropertyId::MAX_DOWNLOAD_SIZE, Value::Uint64(refused));
        c.returns("job5.max_download_size.invalid_value", set)?;
    }
    for bytes in [1, u64::from(u32::MAX) + 1, SIZE_UNKNOWN - 1] {
        job.set_property(JobPropertyId::MAX_DOWNLOAD_SIZE, Value::Uint64(bytes))?;
        c.is("job5.max_download_size.type", job.property(JobPropertyId::MAX_DOWNLOAD_SIZE)?, Value::Uint64(bytes))?;
    }
    // Without DYNAMIC_CONTENT too.
    let set = job.set_property(JobPropertyId::MAX_DOWNLOAD_SIZE, Value::Uint64(77)).is_ok();
    let dynamic = enabled(&job, JobPropertyId::DYNAMIC_CONTENT)?;
    c.is("job5.max_download_size.with_static", (set, dynamic), (true, false))
}

fn stored_credentials_are_for_proxies_only(c: &mut Bench) -> Outcome {
    const ID: JobPropertyId = JobPropertyId::USE_STORED_CREDENTIALS;
    let job = c.new_job()?.job5()?;
    let refused = job.set_property(ID, Value::Target(AuthTarget::SERVER));
    c.returns("job5.use_stored_credentials.server_rejected", refused)?;
    for undefined in [3, 7, u32::MAX] {
        let refused = job.set_property(ID, Value::Target(AuthTarget(undefined)));
        c.is("job5.use_stored_credentials.proxy_only", refused, Err(Hresult::E_INVALIDARG))?;
    }
    job.set_property(ID, Value::Target(AuthTarget::PROXY))?;
    c.is("job5.use_stored_credentials.proxy_only", job.property(ID)?, Value::Target(AuthTarget::PROXY))?;
    job.set_property(ID, Value::Target(AuthTarget(0)))?;
    c.is("job5.use_stored_credentials.disable", job.property(ID)?, Value::Target(AuthTarget(0)))
}

fn properties_are_refused_in_final_states(c: &mut Bench) -> Outcome {
    for state in FINAL {
        c.start_over();
        let job = c.job_in(state)?.0.job5()?;
        for (_, id, value) in PROPERTIES {
            let before = job.property(id)?;
            c.returns("job5.set_property.final_states", job.set_property(id, value))?;
            c.is("job5.set_property.final_states", job.property(id)?, before)?;
        }
    }
    Ok(())
}

fn a_changed_property_is_told_as_a_modification(c: &mut Bench) -> Outcome {
    for (_, id, value) in PROPERTIES {
        c.start_over();
        let recorder = Recorder::new();
        let job = c.new_job()?.job5()?;
        job.set_notify_flags(NotifyFlags::JOB_MODIFICATION)?;
        job.set_notify_interface(Some(recorder.object()))?;
        c.advance(MINUTE)?;
        let before = recorder.count("JobModification");
        job.set_property(id, value)?;
        c.advance(MINUTE)?;
        c.is("job5.set_property.modification_event", recorder.count("JobModification") - before, 1)?;
    }
    Ok(())
}

fn properties_outlive_a_restart(c: &mut Bench) -> Outcome {
    let mut ids = Vec::new();
    for (_, id, value) in PROPERTIES {
        let job = c.new_job()?.job5()?;
        job.set_property(id, value)?;
        ids.push(job.id()?);
    }
    c.restart_service()?;
    for (job, (_, id, value)) in ids.into_iter().zip(PROPERTIES) {
        let got = c.find(job)?.job5()?.property(id)?;
        match id {
            JobPropertyId::NOTIFICATION_CLSID => c.is("job5.notification_clsid.persisted", got, value)?,
            _ => c.is("lifecycle.must_finish", got, value)?,
        }
    }
    Ok(())
}
