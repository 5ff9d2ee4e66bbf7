//! The properties of IBackgroundCopyJob5, by number.

use bits_api::{
    AuthTarget, CostFlags, Guid, Job5, JobPriority, JobPropertyId as Id, JobPropertyValue as Value, SIZE_UNKNOWN,
};

use super::prelude::*;
use super::words::{Notes, cancelled, completed, job_for, list, named, only, origin, run};

probes! {
    "job5.property.unknown" => numbers_that_are_no_property,
    "job5.set_property.read_only" => every_property_of_a_download,
    "job5.set_property.download_only" => every_property_of_an_upload,
    "job5.set_property.too_late" => high_performance_after_a_file,
    "job5.set_property.after_resume" => properties_after_resume,
    "job5.set_property.final_states" => every_property_after_the_end,
    "job5.max_download_size.type" => a_limit_above_four_gigabytes,
    "job5.max_download_size.default" => defaults,
    "job5.property.defaults" => defaults,
    "job5.max_download_size.invalid_value" => limits_that_are_no_size,
    "job5.cost_flags.invalid_bits" => masks_without_a_meaning,
    "job5.cost_flags.default" => cost_flags_of_each_priority,
    "job5.use_stored_credentials.server" => targets_of_stored_credentials,
    "job5.use_stored_credentials.disable" => targets_of_stored_credentials,
    "job5.use_stored_credentials.when" => stored_credentials_after_resume,
}

/// Every property with a value that is not its default.
const PROPERTIES: [(Id, Value); 8] = [
    (Id::COST_FLAGS, Value::Dword(0x67)),
    (Id::NOTIFICATION_CLSID, Value::ClsId(Guid::from_u128(0x1234))),
    (Id::DYNAMIC_CONTENT, Value::Enable(true)),
    (Id::HIGH_PERFORMANCE, Value::Enable(true)),
    (Id::MAX_DOWNLOAD_SIZE, Value::Uint64(1 << 40)),
    (Id::USE_STORED_CREDENTIALS, Value::Target(AuthTarget::PROXY)),
    (Id::MINIMUM_NOTIFICATION_INTERVAL_MS, Value::Dword(1_500)),
    (Id::ON_DEMAND_MODE, Value::Enable(true)),
];

/// The name without what all have in common.
fn name(id: Id) -> String {
    let name = id.to_string();
    let name = name.strip_prefix("BITS_JOB_PROPERTY_").unwrap_or(&name);
    name.strip_prefix("ID_").unwrap_or(name).to_owned()
}

fn value(value: Value) -> String {
    match value {
        Value::Dword(number) => format!("Dword {number:#x}"),
        Value::ClsId(class) => format!("ClsID {class}"),
        Value::Enable(on) => format!("Enable {on}"),
        Value::Uint64(number) => format!("Uint64 {number}"),
        Value::Target(target) => format!("Target {}", target.0),
        other => format!("{other:?}"),
    }
}

fn got(job: &Arc<dyn Job5>, id: Id) -> String {
    match job.property(id) {
        Ok(is) => value(is),
        refused => named(refused),
    }
}

/// Sets each property on a job of its own, made by `job`.
fn each_on(mut job: impl FnMut() -> Result<Arc<dyn Job>, Stop>) -> Answer {
    let mut seen = Notes::default();
    for (id, new) in PROPERTIES {
        seen.add(name(id), named(job()?.job5()?.set_property(id, new)));
    }
    Ok(seen.told())
}

fn numbers_that_are_no_property(c: &mut Bench) -> Answer {
    let job = c.new_job()?.job5()?;
    let mut seen = Notes::default();
    for number in [0, 6, 8, 11, u32::MAX] {
        seen.add(format!("GetProperty({number})"), got(&job, Id(number)));
        seen.add(format!("SetProperty({number})"), named(job.set_property(Id(number), Value::Dword(1))));
    }
    seen.add("GetProperty(9)", got(&job, Id::MINIMUM_NOTIFICATION_INTERVAL_MS));
    Ok(seen.told())
}

fn every_property_of_a_download(c: &mut Bench) -> Answer {
    each_on(|| c.new_job())
}

fn every_property_of_an_upload(c: &mut Bench) -> Answer {
    each_on(|| c.new_job_of(JobType::UPLOAD))
}

fn high_performance_after_a_file(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let job = job_for(c, &origin.url("/file"), "fast")?.job5()?;
    only(named(job.set_property(Id::HIGH_PERFORMANCE, Value::Enable(true))))
}

fn properties_after_resume(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let job = job_for(c, &origin.url("/file"), "resumed")?;
    run(c, &job)?;
    job.suspend()?;
    let mut seen = Notes::default();
    for (id, new) in PROPERTIES {
        seen.add(name(id), named(job.clone().job5()?.set_property(id, new)));
    }
    Ok(seen.told())
}

fn every_property_after_the_end(c: &mut Bench) -> Answer {
    let mut seen = Notes::default();
    let acknowledged = completed(c)?.job5()?;
    for (state, job) in [("ACKNOWLEDGED", acknowledged), ("CANCELLED", cancelled(c)?.job5()?)] {
        seen.add(state, list(PROPERTIES.into_iter().map(|(id, new)| named(job.set_property(id, new)))));
    }
    Ok(seen.told())
}

fn a_limit_above_four_gigabytes(c: &mut Bench) -> Answer {
    let job = c.new_job()?.job5()?;
    let mut seen = Notes::default();
    seen.add("SetProperty", named(job.set_property(Id::MAX_DOWNLOAD_SIZE, Value::Uint64(5 << 32))));
    seen.add("GetProperty", got(&job, Id::MAX_DOWNLOAD_SIZE));
    Ok(seen.told())
}

fn defaults(c: &mut Bench) -> Answer {
    let job = c.new_job()?.job5()?;
    let mut seen = Notes::default();
    for (id, _) in PROPERTIES {
        seen.add(name(id), got(&job, id));
    }
    Ok(seen.told())
}

fn limits_that_are_no_size(c: &mut Bench) -> Answer {
    let job = c.new_job()?.job5()?;
    let mut seen = Notes::default();
    for (what, size) in [("0", 0), ("1", 1), ("BG_SIZE_UNKNOWN", SIZE_UNKNOWN), ("one less", SIZE_UNKNOWN - 1)] {
        seen.add(what, named(job.set_property(Id::MAX_DOWNLOAD_SIZE, Value::Uint64(size))));
    }
    Ok(seen.told())
}

fn masks_without_a_meaning(c: &mut Bench) -> Answer {
    let job = c.new_job()?.job5()?;
    let mut seen = Notes::default();
    for bits in [0, 0x100, CostFlags::RESERVED.bits(), CostFlags::IGNORE_CONGESTION.bits(), u32::MAX] {
        let set = named(job.set_property(Id::COST_FLAGS, Value::Dword(bits)));
        seen.add(format!("{bits:#x}"), format!("{set}, then {}", got(&job, Id::COST_FLAGS)));
    }
    Ok(seen.told())
}

fn cost_flags_of_each_priority(c: &mut Bench) -> Answer {
    let mut seen = Notes::default();
    seen.add("a new job", got(&c.new_job()?.job5()?, Id::COST_FLAGS));
    let names = ["FOREGROUND", "HIGH", "NORMAL", "LOW"];
    for (name, priority) in names.into_iter().zip(JobPriority::DEFINED) {
        let job = c.new_job()?;
        job.set_priority(*priority)?;
        seen.add(name, got(&job.job5()?, Id::COST_FLAGS));
    }
    let job = c.new_job()?.job5()?;
    job.set_property(Id::COST_FLAGS, Value::Dword(0x67))?;
    job.set_priority(JobPriority::FOREGROUND)?;
    seen.add("0x67, then FOREGROUND", got(&job, Id::COST_FLAGS));
    Ok(seen.told())
}

fn targets_of_stored_credentials(c: &mut Bench) -> Answer {
    let job = c.new_job()?.job5()?;
    let mut seen = Notes::default();
    for (what, target) in
        [("SERVER", AuthTarget::SERVER), ("PROXY", AuthTarget::PROXY), ("3", AuthTarget(3)), ("0", AuthTarget(0))]
    {
        let set = named(job.set_property(Id::USE_STORED_CREDENTIALS, Value::Target(target)));
        seen.add(what, format!("{set}, then {}", got(&job, Id::USE_STORED_CREDENTIALS)));
    }
    Ok(seen.told())
}

fn stored_credentials_after_resume(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let job = job_for(c, &origin.url("/file"), "resumed")?;
    let set = |target| {
        Ok::<_, Stop>(named(job.clone().job5()?.set_property(Id::USE_STORED_CREDENTIALS, Value::Target(target))))
    };
    let mut seen = Notes::default();
    seen.add("before Resume", set(AuthTarget::PROXY)?);
    let ended = run(c, &job)?;
    seen.add(ended, set(AuthTarget(0))?);
    job.suspend()?;
    seen.add("SUSPENDED again", set(AuthTarget::PROXY)?);
    Ok(seen.told())
}
