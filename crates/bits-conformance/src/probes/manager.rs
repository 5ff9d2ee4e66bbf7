//! Creating and finding jobs, and the texts of errors.

use super::prelude::*;

probes! {
    "manager.create_job.display_name_null" => |b| seen(made(b.manager()?.create_job(None, JobType::DOWNLOAD))?),
    "manager.create_job.display_name_empty" => empty_display_name,
    "job.set_description.empty" => empty_description,
    "manager.create_job.type_undefined" => |b| seen(made(b.manager()?.create_job(Some(job_name()), JobType(3)))?),
    "manager.create_job.limit_exempt" => jobs_of_an_administrator,
    "manager.create_job.initial_description" => |b| seen(b.new_job()?.description()),
    "manager.get_job.final_state" => a_job_that_has_left,
    "manager.enum_jobs.flags_undefined" => undefined_enum_flags,
    "manager.enum_jobs.order" => order_of_jobs,
    "enumerators.empty" => empty_enumerator,
    "manager.get_error_description.language_zero" => neutral_language,
    "manager.get_error_description.unknown_code" => unknown_code,
    "errors.languages" => languages,
}

fn empty_display_name(b: &mut Bench) -> Answer {
    let created = made(b.manager()?.create_job(Some(""), JobType::DOWNLOAD))?;
    let renamed = b.new_job()?;
    let set = renamed.set_display_name(Some(""));
    let name = renamed.display_name();
    renamed.cancel()?;
    Ok(Seen::new().and("CreateJob", created).and("SetDisplayName", set).and("then GetDisplayName", name))
}

fn empty_description(b: &mut Bench) -> Answer {
    let job = b.new_job()?;
    job.set_description(Some("something"))?;
    Ok(Seen::new().and("SetDescription", job.set_description(Some(""))).and("then GetDescription", job.description()))
}

/// What an administrator's job beyond the 60 of other users is refused with. The 300 of the machine are
/// not asked for: other programs could then create none.
fn jobs_of_an_administrator(b: &mut Bench) -> Answer {
    // Other jobs of the user would count.
    b.queue()?;
    let manager = b.elevated()?;
    let mut jobs = Vec::new();
    let mut last = Hresult::S_OK;
    while jobs.len() <= 60 && last == Hresult::S_OK {
        let created = manager.create_job(Some(job_name()), JobType::DOWNLOAD);
        last = code(&created);
        jobs.extend(created);
    }
    for created in &jobs {
        created.job.cancel()?;
    }
    Ok(Seen::new().and("jobs", jobs.len()).and("the last CreateJob", last))
}

fn a_job_that_has_left(b: &mut Bench) -> Answer {
    let manager = b.manager()?;
    let cancelled = b.new_job()?;
    cancelled.cancel()?;
    let completed = b.new_job()?;
    completed.complete()?;
    Ok(Seen::new()
        .and("GetJob after Complete", manager.job(completed.id()?))
        .and("after Cancel", manager.job(cancelled.id()?)))
}

fn undefined_enum_flags(b: &mut Bench) -> Answer {
    let manager = b.manager()?;
    let listed = |flags| manager.enum_jobs(EnumJobsFlags::from_bits_retain(flags));
    Ok(Seen::new().and("EnumJobs(0x2)", listed(0x2)).and("EnumJobs(0x80000000)", listed(0x8000_0000)))
}

/// Which of ten new jobs stands where, by the order in which they were created.
fn order_of_jobs(b: &mut Bench) -> Answer {
    let manager = b.manager()?;
    let mut created = Vec::new();
    for _ in 0..10 {
        created.push(b.new_job()?.id()?);
    }
    let mut order = Vec::new();
    for job in manager.enum_jobs(EnumJobsFlags::empty())?.next(u32::MAX)?.items {
        let id = job.id()?;
        order.extend(created.iter().position(|known| *known == id));
    }
    seen(order)
}

fn empty_enumerator(b: &mut Bench) -> Answer {
    let files = b.new_job()?.enum_files();
    let count = files.as_ref().map_or_else(|code| Err(*code), |files| files.count());
    Ok(Seen::new().and("EnumFiles", files).and("GetCount", count))
}

fn neutral_language(b: &mut Bench) -> Answer {
    let text = b.manager()?.error_description(Hresult::BG_E_EMPTY, LanguageId(0));
    seen(text.map(|text| !text.is_empty()).map(|is_text| Words(if is_text { "a text" } else { "an empty text" })))
}

fn unknown_code(b: &mut Bench) -> Answer {
    let text = b.manager()?.error_description(Hresult(0x8020_0FFF), LanguageId::ENGLISH_US);
    seen(text.map(|_| Words("a text")))
}

/// The neutral language, several kinds of English, German, French and Japanese.
fn languages(b: &mut Bench) -> Answer {
    let manager = b.manager()?;
    let mut told = Seen::new();
    for (name, language) in [
        ("0", 0),
        ("en-US", 0x409),
        ("en-GB", 0x809),
        ("en", 0x9),
        ("de-DE", 0x407),
        ("fr-FR", 0x40C),
        ("ja-JP", 0x411),
    ] {
        let text = manager.error_description(Hresult::BG_E_EMPTY, LanguageId(language));
        told = told.and(name, text.map(|_| Words("a text")));
    }
    Ok(told)
}
