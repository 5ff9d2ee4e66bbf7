//! Downloads by another HTTP method than GET.

use bits_api::{HttpOptions2, JobPropertyId, JobPropertyValue as Value};
use bits_origin::Content;

use super::prelude::*;

cases![
    the_method_of_the_type_changes_nothing,
    another_method_makes_a_foreground_job_for_good,
    another_method_must_be_set_before_the_first_resume,
    another_method_excludes_dynamic_content_and_on_demand_mode,
    uploads_have_the_method_of_uploads,
    with_another_method_every_error_is_fatal,
    with_another_method_a_lost_network_is_fatal,
    with_another_method_resume_begins_anew,
    a_server_that_knows_only_that_method_will_do,
    a_method_outlives_a_restart,
    a_method_cannot_be_asked_for_by_a_client_that_is_gone,
];

const CONFLICT: Hresult = Hresult::BG_E_UNSUPPORTED_JOB_CONFIGURATION;

fn methods_of(job: &Arc<dyn Job>) -> Result<Arc<dyn HttpOptions2>, Stop> {
    Ok(job.http_options2()?)
}

fn the_method_of_the_type_changes_nothing(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(1_000)?;
    let options = methods_of(&job)?;
    c.returns("http_options2.set_http_method.default_noop", options.set_http_method(Some("GET")))?;
    c.is("http_options2.set_http_method.default_noop", job.priority()?, JobPriority::NORMAL)?;
    let lowered = job.set_priority(JobPriority::LOW);
    c.is(
        "http_options2.set_http_method.default_noop",
        (lowered, job.priority()?),
        (Ok(Success::OK), JobPriority::LOW),
    )?;
    // Not even an earlier method, and at any time.
    let other = c.new_job()?;
    methods_of(&other)?.set_http_method(Some("POST"))?;
    methods_of(&other)?.set_http_method(Some("GET"))?;
    c.is("http_options2.set_http_method.default_noop", methods_of(&other)?.http_method()?, "POST".to_owned())?;
    // In other letters it is another method.
    let other = c.new_job()?;
    methods_of(&other)?.set_http_method(Some("get"))?;
    let taken = (methods_of(&other)?.http_method()?, other.priority()?);
    c.is("http_options2.set_http_method.default_noop", taken, ("get".to_owned(), JobPriority::FOREGROUND))?;
    job.resume()?;
    c.returns("http_options2.set_http_method.default_noop", options.set_http_method(Some("GET")))
}

fn another_method_makes_a_foreground_job_for_good(c: &mut Bench) -> Outcome {
    for before in JobPriority::DEFINED {
        let job = c.new_job()?;
        job.set_priority(*before)?;
        methods_of(&job)?.set_http_method(Some("POST"))?;
        c.is("http_options2.set_http_method.priority_forced", job.priority()?, JobPriority::FOREGROUND)?;
        for other in [JobPriority::HIGH, JobPriority::NORMAL, JobPriority::LOW] {
            c.returns("http_options2.set_http_method.priority_locked", job.set_priority(other))?;
        }
        let same = job.set_priority(JobPriority::FOREGROUND);
        c.is(
            "http_options2.set_http_method.priority_locked",
            (same, job.priority()?),
            (Ok(Success::OK), JobPriority::FOREGROUND),
        )?;
    }
    Ok(())
}

fn another_method_must_be_set_before_the_first_resume(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(1_000)?;
    job.resume()?;
    job.suspend()?;
    let options = methods_of(&job)?;
    c.returns("http_options2.set_http_method.before_first_resume", options.set_http_method(Some("POST")))?;
    c.is(
        "http_options2.set_http_method.before_first_resume",
        (options.http_method()?, job.priority()?),
        ("GET".to_owned(), JobPriority::NORMAL),
    )
}

fn another_method_excludes_dynamic_content_and_on_demand_mode(c: &mut Bench) -> Outcome {
    let conflicts = [
        ("http_options2.set_http_method.no_dynamic_content", JobPropertyId::DYNAMIC_CONTENT),
        ("http_options2.set_http_method.no_on_demand", JobPropertyId::ON_DEMAND_MODE),
    ];
    for (clause, id) in conflicts {
        let job = c.new_job()?;
        job.job5()?.set_property(id, Value::Enable(true))?;
        let refused = methods_of(&job)?.set_http_method(Some("POST"));
        c.is(clause, (refused, methods_of(&job)?.http_method()?), (Err(CONFLICT), "GET".to_owned()))?;
        // The other way round.
        let job = c.new_job()?;
        methods_of(&job)?.set_http_method(Some("POST"))?;
        let refused = job.job5()?.set_property(id, Value::Enable(true));
        c.is(clause, (refused, job.job5()?.property(id)?), (Err(CONFLICT), Value::Enable(false)))?;
    }
    Ok(())
}

fn uploads_have_the_method_of_uploads(c: &mut Bench) -> Outcome {
    for job_type in [JobType::UPLOAD, JobType::UPLOAD_REPLY] {
        let job = c.new_job_of(job_type)?;
        let options = methods_of(&job)?;
        c.value("http_options2.get_http_method.default_upload", options.http_method()?)?;
        let same = options.set_http_method(Some("BITS_POST"));
        c.is(
            ["http_options2.set_http_method.uploads", "http_options2.set_http_method.default_noop"],
            (same, job.priority()?),
            (Ok(Success::OK), JobPriority::NORMAL),
        )?;
        let lowered = (job.set_priority(JobPriority::LOW), job.priority()?);
        c.is("http_options2.set_http_method.default_noop", lowered, (Ok(Success::OK), JobPriority::LOW))?;
        let refused = options.set_http_method(Some("POST"));
        c.is(
            "http_options2.set_http_method.uploads",
            (refused, options.http_method()?),
            (Err(Hresult::BG_E_PROPERTY_SUPPORTED_FOR_DOWNLOAD_JOBS_ONLY), "BITS_POST".to_owned()),
        )?;
    }
    Ok(())
}

fn with_another_method_every_error_is_fatal(c: &mut Bench) -> Outcome {
    for (method, expected) in [("POST", JobState::ERROR), ("GET", JobState::TRANSIENT_ERROR)] {
        for trouble in [Trouble::Unavailable, Trouble::Breaks(400)] {
            c.start_over();
            let (job, file) = c.job_with_file(1_000)?;
            methods_of(&job)?.set_http_method(Some(method))?;
            c.trouble(&file, trouble)?;
            job.resume()?;
            c.settle()?;
            c.is("http_options2.set_http_method.errors_fatal", job.state()?, expected)?;
        }
    }
    Ok(())
}

fn with_another_method_a_lost_network_is_fatal(c: &mut Bench) -> Outcome {
    c.needs(Capability::World)?;
    for (method, expected) in [("POST", JobState::ERROR), ("GET", JobState::TRANSIENT_ERROR)] {
        c.start_over();
        let (job, file) = c.job_with_file(1_000)?;
        methods_of(&job)?.set_http_method(Some(method))?;
        c.hold_at(&file, 400)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRING, SOON)?;
        c.disconnect()?;
        c.settle()?;
        c.is("http_options2.set_http_method.errors_fatal", job.state()?, expected)?;
        // The network alone does not bring it back.
        c.connect()?;
        c.settle()?;
        c.is(
            "http_options2.set_http_method.errors_fatal",
            job.state()? == JobState::ERROR,
            expected == JobState::ERROR,
        )?;
    }
    Ok(())
}

fn with_another_method_resume_begins_anew(c: &mut Bench) -> Outcome {
    for (method, expected) in [("POST", 100), ("GET", 400)] {
        c.start_over();
        let (job, file) = c.job_with_file(1_000)?;
        methods_of(&job)?.set_http_method(Some(method))?;
        c.trouble(&file, Trouble::Refuses(400))?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        c.hold_at(&file, 100)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRING, SOON)?;
        c.settle()?;
        let moved = job.progress()?.bytes_transferred;
        c.is("http_options2.set_http_method.resume_restarts", moved, expected)?;
        c.let_go(&file)?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
    }
    Ok(())
}

fn a_server_that_knows_only_that_method_will_do(c: &mut Bench) -> Outcome {
    for (method, expected) in [("POST", JobState::TRANSFERRED), ("GET", JobState::ERROR)] {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::bytes(vec![7; 1_000]).refuse_head(405).without_ranges().also_by("POST"));
        let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
        methods_of(&job)?.set_http_method(Some(method))?;
        job.resume()?;
        c.wait(&job, expected, SOON)?;
        let asked: Vec<_> = origin.journal().iter().map(|request| request.method.clone()).collect();
        let first = if method == "POST" { "POST" } else { "HEAD" };
        c.is(
            [
                "http_options2.set_http_method.server_requirements",
                "http_options2.set_http_method.ok",
                "http.method_override",
            ],
            asked,
            vec![first.to_owned()],
        )?;
    }
    Ok(())
}

fn a_method_outlives_a_restart(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    methods_of(&job)?.set_http_method(Some("POST"))?;
    let id = job.id()?;
    c.restart_service()?;
    let job = c.find(id)?;
    c.is(
        "lifecycle.must_finish",
        (methods_of(&job)?.http_method()?, job.set_priority(JobPriority::LOW)),
        ("POST".to_owned(), Err(CONFLICT)),
    )
}

fn a_method_cannot_be_asked_for_by_a_client_that_is_gone(c: &mut Bench) -> Outcome {
    let options = methods_of(&c.new_job()?)?;
    c.end_client()?;
    c.is("http_options2.get_http_method.error", options.http_method(), Err(Hresult::RPC_E_DISCONNECTED))?;
    c.is("http_options2.set_http_method.error", options.set_http_method(Some("POST")), Err(Hresult::RPC_E_DISCONNECTED))
}
