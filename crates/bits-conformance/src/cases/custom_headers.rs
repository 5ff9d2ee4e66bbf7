//! Headers that a client adds to the requests of its job.

use bits_api::{HttpOptions, HttpOptions3};
use bits_origin::{Content, Fault, Journal, Rule};

use super::prelude::*;

cases![
    custom_headers_are_stored_as_they_are_given,
    a_job_has_no_custom_headers_unless_they_are_set,
    custom_headers_may_have_16383_characters,
    a_line_that_is_no_header_is_refused,
    custom_headers_may_be_set_in_every_state_but_the_final_ones,
    custom_headers_are_for_every_type_of_job,
    custom_headers_are_for_the_owner_only,
    a_new_owner_gets_no_custom_headers,
    custom_headers_go_out_with_every_request,
    custom_headers_are_replaced_and_removed_on_the_wire,
    custom_headers_are_no_headers_of_an_answer,
    write_only_headers_are_sent_and_never_shown,
    write_only_headers_stay_so,
    making_headers_write_only_always_succeeds,
    custom_headers_outlive_a_restart_and_lie_encrypted,
];

const ONE: &str = "X-Token: 0a1b2c3d4e5f\r\n";
const THREE: &str =
    "MyHeader_1: Header One Value\r\nMyHeader_2: Header Two Value\r\nMyHeader_3: Header Three Value\r\n";

fn set_to(text: &str) -> (Result<Success, Hresult>, Option<String>) {
    (Ok(Success::OK), Some(text.to_owned()))
}

/// What GetCustomHeaders gives, with its code.
fn read(options: &dyn HttpOptions) -> Result<(Result<Success, Hresult>, Option<String>), Stop> {
    let answer = options.custom_headers()?;
    Ok((Ok(answer.code), answer.value))
}

fn custom_headers_are_stored_as_they_are_given(c: &mut Bench) -> Outcome {
    let options = c.new_job()?.http_options()?;
    for text in [ONE, THREE] {
        c.returns("http_options.set_custom_headers.ok", options.set_custom_headers(Some(text)))?;
        c.returns("http_options.get_custom_headers.ok", options.custom_headers())?;
        c.is(
            [
                "http_options.set_custom_headers.ok",
                "http_options.get_custom_headers.ok",
                "http_options.get_custom_headers.out",
                "observed:job.httpoptions.headers.roundtrip",
            ],
            read(&*options)?,
            set_to(text),
        )?;
    }
    c.returns("observed:job.httpoptions.headers.roundtrip", options.set_custom_headers(Some(ONE)))?;
    c.returns("http_options.set_custom_headers.several", options.set_custom_headers(Some(THREE)))?;
    // A bare line end, and none at the end.
    for text in ["\r\n", "X-Token: without end"] {
        options.set_custom_headers(Some(text))?;
        c.is("http_options.set_custom_headers.format", read(&*options)?, set_to(text))?;
    }
    Ok(())
}

fn a_job_has_no_custom_headers_unless_they_are_set(c: &mut Bench) -> Outcome {
    let none = (Ok(Success::FALSE), None);
    let (job, file) = c.job_with_file(1_000)?;
    let options = job.http_options()?;
    c.returns(
        ["http_options.get_custom_headers.none", "observed:job.httpoptions.headers.default"],
        options.custom_headers(),
    )?;
    c.is("observed:job.httpoptions.headers.default", read(&*options)?, none.clone())?;
    c.returns("observed:job.httpoptions.headers.clear-when-none", options.set_custom_headers(None))?;
    options.set_custom_headers(Some(ONE))?;
    let cleared = options.set_custom_headers(None);
    c.returns(["http_options.set_custom_headers.remove", "observed:job.httpoptions.headers.clear"], cleared)?;
    c.is(
        [
            "http_options.set_custom_headers.remove",
            "http_options.get_custom_headers.none",
            "observed:job.httpoptions.headers.clear",
        ],
        read(&*options)?,
        none.clone(),
    )?;
    c.bring(&job, &file, JobState::TRANSFERRED)?;
    c.returns("observed:job.httpoptions.headers.after-transfer", options.set_custom_headers(None))?;
    c.is("observed:job.httpoptions.headers.after-transfer", read(&*options)?, none)
}

fn custom_headers_may_have_16383_characters(c: &mut Bench) -> Outcome {
    let options = c.new_job()?.http_options()?;
    let set = |length: usize| options.set_custom_headers(Some(&format!("X: {}\r\n", "v".repeat(length - 5))));
    let longest = (16_370..=16_400).rfind(|length| set(*length).is_ok()).unwrap_or(0);
    c.value("http_options.set_custom_headers.limit", longest + 1)?;
    for length in [16_384, 16_385, 40_000] {
        c.returns("http_options.set_custom_headers.too_long", set(length))?;
    }
    let kept = options.custom_headers()?.value.map_or(0, |text| text.len());
    c.is("http_options.set_custom_headers.too_long", kept, 16_383)
}

fn a_line_that_is_no_header_is_refused(c: &mut Bench) -> Outcome {
    let options = c.new_job()?.http_options()?;
    options.set_custom_headers(Some(ONE))?;
    for text in ["no colon\r\n", ": 1\r\n", "two words: 1\r\n", "a: 1\nb: 2\r\n", "a: 1\0\r\n"] {
        let refused = options.set_custom_headers(Some(text));
        c.is("http_options.set_custom_headers.format", refused, Err(Hresult::E_INVALIDARG))?;
    }
    c.is("http_options.set_custom_headers.format", read(&*options)?, set_to(ONE))
}

fn custom_headers_may_be_set_in_every_state_but_the_final_ones(c: &mut Bench) -> Outcome {
    for state in LIVING {
        c.start_over();
        let options = c.job_in(state)?.0.http_options()?;
        c.returns("http_options.set_custom_headers.ok", options.set_custom_headers(Some(ONE)))?;
        c.is("http_options.set_custom_headers.ok", read(&*options)?, set_to(ONE))?;
    }
    for state in FINAL {
        c.start_over();
        let options = c.job_in(state)?.0.http_options()?;
        c.returns("http_options.set_custom_headers.invalid_state", options.set_custom_headers(Some(ONE)))?;
        c.is("http_options.set_custom_headers.invalid_state", read(&*options)?, (Ok(Success::FALSE), None))?;
    }
    Ok(())
}

fn custom_headers_are_for_every_type_of_job(c: &mut Bench) -> Outcome {
    for job_type in JobType::DEFINED {
        let options = c.new_job_of(*job_type)?.http_options()?;
        let set = options.set_custom_headers(Some(ONE));
        c.is("http_options.set_custom_headers.all_job_types", set, Ok(Success::OK))?;
        c.is("http_options.set_custom_headers.all_job_types", read(&*options)?, set_to(ONE))?;
    }
    Ok(())
}

fn custom_headers_are_for_the_owner_only(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let options = job.http_options()?;
    options.set_custom_headers(Some(ONE))?;
    let by_admin = c.administrator()?.job(job.id()?)?.http_options()?;
    c.returns("http_options.get_custom_headers.not_owner", by_admin.custom_headers())?;
    for headers in [Some(THREE), None] {
        c.returns("http_options.set_custom_headers.owner_only", by_admin.set_custom_headers(headers))?;
    }
    c.is("http_options.set_custom_headers.owner_only", read(&*options)?, set_to(ONE))
}

fn a_new_owner_gets_no_custom_headers(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    job.http_options()?.set_custom_headers(Some(ONE))?;
    let taken = c.administrator()?.job(job.id()?)?;
    taken.take_ownership()?;
    let options = taken.http_options()?;
    c.is(
        ["http_options.set_custom_headers.take_ownership", "users.take_ownership.clears"],
        read(&*options)?,
        (Ok(Success::FALSE), None),
    )?;
    // The new owner may set some.
    options.set_custom_headers(Some(THREE))?;
    c.is("http_options.set_custom_headers.take_ownership", read(&*options)?, set_to(THREE))
}

/// Of each request, its method and the values of a header.
fn carried(journal: &Journal, name: &str) -> Vec<(String, Option<String>)> {
    let requests = journal.iter();
    requests.map(|request| (request.method.clone(), request.header(name).map(str::to_owned))).collect()
}

const MB: usize = 1 << 20;

fn custom_headers_go_out_with_every_request(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/file", Content::bytes(vec![7; MB]));
    // A second range is asked for after the break.
    c.fault_times("GET", "/file", Fault::Close(Some(1_000)), 1)?;
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    job.http_options()?.set_custom_headers(Some(THREE))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, DAY)?;
    let journal = origin.journal();
    let methods: Vec<_> = carried(&journal, "x").into_iter().map(|(method, _)| method).collect();
    c.is(
        "http_options.set_custom_headers.every_request",
        methods,
        vec!["HEAD".to_owned(), "GET".to_owned(), "GET".to_owned()],
    )?;
    for (name, value) in [("MyHeader_1", "Header One Value"), ("MyHeader_3", "Header Three Value")] {
        let each: Vec<_> = carried(&journal, name).into_iter().map(|(_, value)| value).collect();
        c.is(
            [
                "http_options.set_custom_headers.every_request",
                "http_options.set_custom_headers.appended",
                "http_options.set_custom_headers.several",
            ],
            each,
            vec![Some(value.to_owned()); 3],
        )?;
    }
    // Beside BITS' own, not in their place.
    let own: Vec<_> = carried(&journal, "Host").into_iter().map(|(_, host)| host.is_some()).collect();
    c.is("http_options.set_custom_headers.appended", own, vec![true; 3])
}

fn custom_headers_are_replaced_and_removed_on_the_wire(c: &mut Bench) -> Outcome {
    let expected = [(Some(ONE), Some("0a1b2c3d4e5f")), (Some("X-Token: other\r\n"), Some("other")), (None, None)];
    for (headers, value) in expected {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::bytes(vec![7; 1_000]));
        let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
        let options = job.http_options()?;
        options.set_custom_headers(Some(ONE))?;
        options.set_custom_headers(headers)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        let each: Vec<_> = carried(&origin.journal(), "X-Token").into_iter().map(|(_, value)| value).collect();
        let value = value.map(str::to_owned);
        c.is(["http_options.set_custom_headers.remove", "http_options.set_custom_headers.ok"], each, vec![value; 2])?;
    }
    Ok(())
}

fn custom_headers_are_no_headers_of_an_answer(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/file", Content::bytes(vec![7; 1_000]));
    c.follow(Rule::on("/file").fault(Fault::Header("X-Token".to_owned(), "of the server".to_owned())))?;
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    let options = job.http_options()?;
    options.set_custom_headers(Some(ONE))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("http_options.get_custom_headers.request_not_response", read(&*options)?, set_to(ONE))
}

fn write_only_headers_are_sent_and_never_shown(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/file", Content::bytes(vec![7; 1_000]));
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    let options = job.http_options3()?;
    options.set_custom_headers(Some(ONE))?;
    c.is(
        "http_options3.make_custom_headers_write_only.no_params",
        options.make_custom_headers_write_only(),
        Ok(Success::OK),
    )?;
    c.returns(
        ["http_options.get_custom_headers.write_only", "http_options3.make_custom_headers_write_only.read_blocked"],
        options.custom_headers(),
    )?;
    // Not by another program, not by an administrator.
    let by_other = c.another_client()?.manager()?.job(job.id()?)?.http_options()?;
    let by_admin = c.administrator()?.job(job.id()?)?.http_options()?;
    for reader in [by_other, by_admin] {
        c.is(
            [
                "http_options3.make_custom_headers_write_only.purpose",
                "version.10_3.write_only_headers",
                "security.headers_write_only",
            ],
            read(&*reader).is_ok(),
            false,
        )?;
    }
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let each: Vec<_> = carried(&origin.journal(), "X-Token").into_iter().map(|(_, value)| value).collect();
    c.is(
        ["http_options3.make_custom_headers_write_only.still_sent", "security.headers_write_only"],
        each,
        vec![Some("0a1b2c3d4e5f".to_owned()); 2],
    )
}

fn refuses(options: &Arc<dyn HttpOptions3>) -> bool {
    options.custom_headers() == Err(Hresult::E_ACCESSDENIED)
}

fn write_only_headers_stay_so(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let options = job.http_options3()?;
    options.set_custom_headers(Some(ONE))?;
    options.make_custom_headers_write_only()?;
    let again = options.set_custom_headers(Some(THREE));
    c.is(
        "http_options3.make_custom_headers_write_only.set_again",
        (again, refuses(&options)),
        (Ok(Success::OK), true),
    )?;
    options.set_custom_headers(None)?;
    c.is("http_options3.make_custom_headers_write_only.irreversible", refuses(&options), true)?;
    let id = job.id()?;
    c.restart_service()?;
    let options = c.find(id)?.http_options3()?;
    c.is(
        [
            "http_options3.make_custom_headers_write_only.persist",
            "http_options3.make_custom_headers_write_only.irreversible",
        ],
        refuses(&options),
        true,
    )?;
    options.set_custom_headers(Some(ONE))?;
    c.is("http_options3.make_custom_headers_write_only.irreversible", refuses(&options), true)
}

fn making_headers_write_only_always_succeeds(c: &mut Bench) -> Outcome {
    for state in LIVING.into_iter().chain(FINAL) {
        c.start_over();
        let options = c.job_in(state)?.0.http_options3()?;
        // Without any headers, and again.
        for _ in 0..2 {
            let made = options.make_custom_headers_write_only();
            c.returns("http_options3.make_custom_headers_write_only.always_ok", made)?;
            c.is("http_options3.make_custom_headers_write_only.always_ok", refuses(&options), true)?;
        }
    }
    Ok(())
}

fn custom_headers_outlive_a_restart_and_lie_encrypted(c: &mut Bench) -> Outcome {
    c.queue_on_disk()?;
    let job = c.new_job()?;
    job.set_description(Some("what anybody may read"))?;
    job.http_options()?.set_custom_headers(Some(ONE))?;
    let id = job.id()?;
    c.restart_service()?;
    c.is(
        [
            "http_options.set_custom_headers.encrypted_at_rest",
            "security.headers_encrypted",
            "job4.owner.custom_headers_encrypted",
        ],
        (c.queue_shows("what anybody may read")?, c.queue_shows("X-Token")?, c.queue_shows("0a1b2c3d4e5f")?),
        (true, false, false),
    )?;
    c.is("security.headers_encrypted", read(&*c.find(id)?.http_options()?)?, set_to(ONE))
}
