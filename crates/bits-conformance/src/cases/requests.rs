//! What requests carry beside what BITS is known for, and what is told of their answers.

use bits_api::{FilePropertyId, FilePropertyValue};
use bits_origin::{Content, Fault, Origin, Rule};

use super::prelude::*;

cases![
    custom_headers_are_spelled_as_the_client_has_them,
    a_clients_word_of_itself_takes_the_place_of_bits_own,
    what_is_bits_own_affair_is_given_back_and_not_sent,
    custom_headers_go_along_where_a_redirect_leads,
    a_header_that_the_server_application_refuses_fails_the_upload,
    nothing_is_told_to_a_server_that_sets_cookies,
    the_head_of_an_answer_is_told_as_it_came,
    a_method_of_the_client_gives_way_to_get_at_a_redirect_that_asks_for_it,
];

const BYTES: &[u8] = b"what was asked for";

/// A resumed and transferred job for that URL, with these headers.
fn downloaded_with(c: &Bench, url: &str, headers: &str) -> Result<Arc<dyn Job>, Stop> {
    let job = c.job_for(url, JobPriority::NORMAL)?;
    job.http_options()?.set_custom_headers(Some(headers))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    Ok(job)
}

/// The lines of each request, as they were sent, that have one of these names.
fn lines(origin: &Origin, names: &[&str]) -> Vec<Vec<String>> {
    let journal = origin.journal();
    let of_interest = |name: &str| names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name));
    let lines = |headers: &[(String, String)]| {
        let lines = headers.iter().filter(|(name, _)| of_interest(name));
        lines.map(|(name, value)| format!("{name}: {value}")).collect()
    };
    journal.iter().map(|request| lines(&request.headers)).collect()
}

fn custom_headers_are_spelled_as_the_client_has_them(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/file", Content::bytes(BYTES));
    downloaded_with(c, &origin.url("/file"), "MyHeader_1: one\r\nx-lower: two\r\nX-SAME: 1\r\nX-SAME: 2\r\n")?;
    let own = ["MyHeader_1: one", "x-lower: two", "X-SAME: 1", "X-SAME: 2"];
    let expected = [&["User-Agent: Microsoft BITS/7.8"][..], &own].concat();
    let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
    c.is(
        ["http_options.set_custom_headers.appended", "http_options.set_custom_headers.several"],
        lines(&origin, &["User-Agent", "MyHeader_1", "x-lower", "x-same"]),
        vec![expected; 2],
    )
}

fn a_clients_word_of_itself_takes_the_place_of_bits_own(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/file", Content::bytes(BYTES));
    downloaded_with(c, &origin.url("/file"), "User-Agent: mine/1\r\nAccept: text/plain\r\nAccept-Encoding: br")?;
    let expected = ["Accept: text/plain", "Accept-Encoding: br", "User-Agent: mine/1"].map(str::to_owned).to_vec();
    c.is(
        "http_options.set_custom_headers.format",
        lines(&origin, &["User-Agent", "Accept", "Accept-Encoding"]),
        vec![expected; 2],
    )
}

fn what_is_bits_own_affair_is_given_back_and_not_sent(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/file", Content::bytes(BYTES));
    let headers = "Host: elsewhere\r\nRange: bytes=3-4\r\nContent-Length: 5\r\nIf-Range: \"x\"\r\n";
    let job = downloaded_with(c, &origin.url("/file"), headers)?;
    let host = format!("Host: {}", origin.address());
    let range = format!("Range: bytes=0-{}", BYTES.len() - 1);
    c.is(
        "http_options.set_custom_headers.format",
        lines(&origin, &["Host", "Range", "Content-Length", "If-Range"]),
        vec![vec![host.clone()], vec![range, host]],
    )?;
    let given = job.http_options()?.custom_headers()?.value;
    c.is("http_options.set_custom_headers.format", given, Some(headers.to_owned()))
}

fn custom_headers_go_along_where_a_redirect_leads(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    c.trust_origin()?;
    origin.put("/file", Content::bytes(BYTES));
    // Another scheme and another port: another server.
    c.redirect("/short", 302, &origin.https_url("/file"))?;
    downloaded_with(c, &origin.url("/short"), "X-Token: t\r\n")?;
    let expected = vec![vec!["X-Token: t".to_owned()]; 4];
    c.is("http_options.set_custom_headers.every_request", lines(&origin, &["X-Token"]), expected)
}

fn a_header_that_the_server_application_refuses_fails_the_upload(c: &mut Bench) -> Outcome {
    let clause = "http_options.set_custom_headers.server_rejects";
    let fatal = [300, 305, 307, 400, 403, 413, 501, 505];
    let transient = [306, 308, 408, 409, 500, 502, 503];
    for (statuses, class) in [(&fatal[..], JobState::ERROR), (&transient, JobState::TRANSIENT_ERROR)] {
        for status in statuses {
            c.start_over();
            let (job, file) = c.upload_job(JobType::UPLOAD, 1_000)?;
            c.refuse_header(&file, "X-Wrong", *status)?;
            job.http_options()?.set_custom_headers(Some("x-wrong: 1\r\n"))?;
            job.resume()?;
            c.settle()?;
            let code = Hresult(0x8019_0000 + u32::from(*status));
            let expected = (class, (ErrorContext::REMOTE_APPLICATION, code));
            c.is(clause, (job.state()?, error_of(&job)?), expected)?;
            // Without it the same server takes the file.
            job.http_options()?.set_custom_headers(Some("X-Right: 1\r\n"))?;
            job.resume()?;
            c.wait(&job, JobState::TRANSFERRED, SOON)?;
            c.is(clause, c.on_server()?, ("stored", 1_000))?;
        }
    }
    Ok(())
}

fn nothing_is_told_to_a_server_that_sets_cookies(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/file", Content::bytes(BYTES));
    c.follow(Rule::on("/file").fault(Fault::Header("Set-Cookie".to_owned(), "id=7; Path=/".to_owned())))?;
    downloaded_with(c, &origin.url("/file"), "X-Own: 1\r\n")?;
    c.is("http.open.request_headers", lines(&origin, &["Cookie"]), vec![Vec::new(); 2])?;
    let before = origin.journal().len();
    // A client that needs one sets it itself.
    let job = c.new_job()?;
    job.add_file(Some(&origin.url("/file")), Some(&c.local("other.bin")))?;
    job.http_options()?.set_custom_headers(Some("Cookie: id=8\r\n"))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let carried = lines(&origin, &["Cookie"]).split_off(before);
    c.is("http_options.set_custom_headers.appended", carried, vec![vec!["Cookie: id=8".to_owned()]; 2])
}

fn the_head_of_an_answer_is_told_as_it_came(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/file", Content::bytes(BYTES));
    c.follow(Rule::on("/file").fault(Fault::Header("x-ODD_name".to_owned(), "as it IS".to_owned())))?;
    let job = downloaded_with(c, &origin.url("/file"), "\r\n")?;
    let FilePropertyValue::String(Some(told)) =
        first_file(&job)?.file5()?.property(FilePropertyId::HTTP_RESPONSE_HEADERS)?.value
    else {
        return failed("there are no headers");
    };
    c.is(
        "file5.get_property.complete_set",
        (
            told.lines().next().map(str::to_owned),
            told.ends_with("\r\n\r\n"),
            told.contains("\r\nx-ODD_name: as it IS\r\n"),
        ),
        (Some("HTTP/1.1 206 Partial Content".to_owned()), true, true),
    )?;
    // Of the last answer alone, which is that to GET.
    let range = format!("\r\nContent-Range: bytes 0-{}/{}\r\n", BYTES.len() - 1, BYTES.len());
    c.is("http.response_headers", (told.contains(&range), told.matches("HTTP/1.1").count()), (true, 1))
}

fn a_method_of_the_client_gives_way_to_get_at_a_redirect_that_asks_for_it(c: &mut Bench) -> Outcome {
    for (status, method) in [(303, "GET"), (307, "POST")] {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::bytes(BYTES).also_by("POST"));
        c.redirect("/short", status, "/file")?;
        let job = c.job_for(&origin.url("/short"), JobPriority::FOREGROUND)?;
        job.http_options2()?.set_http_method(Some("POST"))?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        let journal = origin.journal();
        let methods: Vec<String> = journal.iter().map(|request| request.method.clone()).collect();
        c.is("http.method_override", methods, vec!["POST".to_owned(), method.to_owned()])?;
    }
    Ok(())
}
