//! Credentials and headers, as they are set: what SetCredentials and SetCustomHeaders take.

use bits_api::{AuthCredentials, AuthScheme, AuthTarget};
use bits_origin::{GateAt, Guard, Scheme};

use super::prelude::*;
use super::words::{Notes, bytes, cancelled, completed, each, end, job_for, named, origin, quoted, reach, run};

probes! {
    "job2.set_credentials.states" => credentials_after_the_end,
    "job2.remove_credentials.invalid" => removing_what_cannot_be,
    "job2.set_credentials.password_limit" => long_passwords,
    "job2.set_credentials.missing_members" => names_and_passwords_that_are_missing,
    "job2.set_credentials.malformed" => what_schemes_cannot_send,
    "job2.set_credentials.blank_user" => an_empty_user_name,
    "job2.set_credentials.while_running" => other_credentials_between_two_files,
    "failure.null_credentials" => a_download_with_no_name_and_no_password,
    "http_options.set_custom_headers.limit" => long_headers,
    "http_options3.write_only" => headers_that_were_made_write_only,
    "http_options.custom_headers.format" => headers_of_every_form,
}

const SCHEMES: [(&str, AuthScheme); 5] = [
    ("BASIC", AuthScheme::BASIC),
    ("DIGEST", AuthScheme::DIGEST),
    ("NTLM", AuthScheme::NTLM),
    ("NEGOTIATE", AuthScheme::NEGOTIATE),
    ("PASSPORT", AuthScheme::PASSPORT),
];

/// For the server, by this scheme.
fn set(
    job: &Arc<dyn Job>,
    scheme: AuthScheme,
    user_name: Option<&str>,
    password: Option<&str>,
) -> Result<String, Stop> {
    let record = AuthCredentials { target: AuthTarget::SERVER, scheme, user_name, password };
    Ok(named(job.clone().job2()?.set_credentials(&record)))
}

fn credentials_after_the_end(c: &mut Bench) -> Answer {
    let acknowledged = completed(c)?;
    let mut seen = Notes::default();
    for (what, job) in [("after Complete", acknowledged), ("after Cancel", cancelled(c)?)] {
        seen.add(what, set(&job, AuthScheme::BASIC, Some("alice"), Some("horse"))?);
    }
    Ok(seen.told())
}

fn removing_what_cannot_be(c: &mut Bench) -> Answer {
    let job = c.new_job()?.job2()?;
    let mut seen = Notes::default();
    for (target, scheme) in [(3, 1), (0, 1), (1, 6), (1, 0), (3, 6)] {
        let removed = named(job.remove_credentials(AuthTarget(target), AuthScheme(scheme)));
        seen.add(format!("target {target}, scheme {scheme}"), removed);
    }
    Ok(seen.told())
}

fn long_passwords(c: &mut Bench) -> Answer {
    let job = c.new_job()?;
    let mut seen = Notes::default();
    for length in [65_535, 65_536, 65_537] {
        let password = "p".repeat(length);
        seen.add(format!("{length} characters"), set(&job, AuthScheme::BASIC, Some("alice"), Some(&password))?);
    }
    Ok(seen.told())
}

fn names_and_passwords_that_are_missing(c: &mut Bench) -> Answer {
    let job = c.new_job()?;
    let (name, password) = (Some("alice"), Some("horse"));
    let forms =
        [("both", name, password), ("no name", None, password), ("no password", name, None), ("neither", None, None)];
    let mut seen = Notes::default();
    for (scheme_name, scheme) in SCHEMES {
        for (what, name, password) in forms {
            seen.add(format!("{scheme_name}, {what}"), set(&job, scheme, name, password)?);
        }
    }
    Ok(seen.told())
}

fn what_schemes_cannot_send(c: &mut Bench) -> Answer {
    let job = c.new_job()?;
    let mut seen = Notes::default();
    for (scheme_name, scheme, name, password) in [
        ("BASIC", AuthScheme::BASIC, "ali:ce", "horse"),
        ("BASIC", AuthScheme::BASIC, "ali\tce", "horse"),
        ("BASIC", AuthScheme::BASIC, "alice", "correct\r\nhorse"),
        ("DIGEST", AuthScheme::DIGEST, "ali\nce", "horse"),
        ("NTLM", AuthScheme::NTLM, r"EXAMPLE\", "horse"),
        ("NTLM", AuthScheme::NTLM, r"EXAMPLE\SUB\alice", "horse"),
        ("NEGOTIATE", AuthScheme::NEGOTIATE, r"EXAMPLE\SUB\alice", "horse"),
        ("PASSPORT", AuthScheme::PASSPORT, "alice@example.com\u{7f}", "horse"),
    ] {
        seen.add(format!("{scheme_name} {name:?} {password:?}"), set(&job, scheme, Some(name), Some(password))?);
    }
    Ok(seen.told())
}

fn an_empty_user_name(c: &mut Bench) -> Answer {
    let job = c.new_job()?;
    let mut seen = Notes::default();
    for (name, scheme) in SCHEMES {
        seen.add(name, set(&job, scheme, Some(""), Some("horse"))?);
    }
    let removed = job.job2()?.remove_credentials(AuthTarget::SERVER, AuthScheme::BASIC);
    seen.add("RemoveCredentials of BASIC", named(removed));
    Ok(seen.told())
}

fn other_credentials_between_two_files(c: &mut Bench) -> Answer {
    const LONG: usize = 4 << 20;
    let origin = c.origin()?;
    for path in ["/set/1", "/set/2", "/removed/1", "/removed/2"] {
        origin.put(path, bytes(LONG));
    }
    origin.guard("*", Guard::new("vault").offers(Scheme::Basic).knows("alice", "horse").knows("bob", "horse"));
    let mut seen = Notes::default();
    for (folder, name) in [("set", Some("bob")), ("removed", None)] {
        let first = format!("/{folder}/1");
        let job = job_for(c, &origin.url(&first), folder)?;
        job.add_file(Some(&origin.url(&format!("/{folder}/2"))), Some(&c.local(&format!("{folder}2.bin"))))?;
        set(&job, AuthScheme::BASIC, Some("alice"), Some("horse"))?;
        let gate = origin.gate_method("GET", &first, GateAt::Byte(LONG as u64 / 2));
        job.resume()?;
        reach(c, &job, &gate)?;
        let changed = match name {
            Some(name) => set(&job, AuthScheme::BASIC, Some(name), Some("horse"))?,
            None => named(job.clone().job2()?.remove_credentials(AuthTarget::SERVER, AuthScheme::BASIC)),
        };
        gate.open();
        let ended = end(c, &job)?;
        let prefix = format!("/{folder}/");
        let journal = origin.journal().select("of the job", |request| request.path.starts_with(&prefix));
        let requests = each(&journal, |request| {
            let account = request.account.as_deref().unwrap_or("nobody");
            format!("{} {} by {account}", request.method, request.path)
        });
        seen.add(format!("{folder} in the first file"), format!("{changed}, {ended}: {requests}"));
        job.cancel()?;
    }
    Ok(seen.told())
}

fn a_download_with_no_name_and_no_password(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    origin.guard("*", Guard::new("vault").offers(Scheme::Basic).knows("alice", "horse"));
    let mut seen = Notes::default();
    for (name, scheme) in SCHEMES.into_iter().take(2) {
        let job = job_for(c, &origin.url("/file"), name)?;
        let taken = set(&job, scheme, None, None)?;
        let ended = run(c, &job)?;
        seen.add(name, format!("SetCredentials {taken}, at a server of Basic {ended}"));
        job.cancel()?;
    }
    Ok(seen.told())
}

fn long_headers(c: &mut Bench) -> Answer {
    let options = c.new_job()?.http_options()?;
    let mut seen = Notes::default();
    for length in [16_383, 16_384, 16_385] {
        let text = format!("X: {}\r\n", "v".repeat(length - 5));
        seen.add(format!("{length} characters"), named(options.set_custom_headers(Some(&text))));
    }
    Ok(seen.told())
}

fn headers_that_were_made_write_only(c: &mut Bench) -> Answer {
    let options = c.new_job()?.http_options3()?;
    let mut seen = Notes::default();
    seen.add("without headers MakeCustomHeadersWriteOnly", named(options.make_custom_headers_write_only()));
    seen.add("GetCustomHeaders", named(options.custom_headers()));
    for headers in [Some("X-Token: one\r\n"), Some("X-Token: two\r\n"), None] {
        let what = if headers.is_some() { "SetCustomHeaders" } else { "SetCustomHeaders(NULL)" };
        seen.add(what, named(options.set_custom_headers(headers)));
        seen.add("GetCustomHeaders", named(options.custom_headers()));
    }
    Ok(seen.told())
}

fn headers_of_every_form(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let mut seen = Notes::default();
    for text in [
        "X-Token: one\r\n",
        "X-Token: one",
        "\r\n",
        "",
        "no colon\r\n",
        ": one\r\n",
        "X Token: one\r\n",
        "X-Token: one\nX-Other: two\r\n",
    ] {
        let job = job_for(c, &origin.url("/file"), "headers")?;
        let set = named(job.http_options()?.set_custom_headers(Some(text)));
        let before = origin.journal().len();
        let ended = run(c, &job)?;
        let journal = origin.journal();
        let carried =
            journal.iter().skip(before).last().and_then(|request| request.header("X-Token")).map(str::to_owned);
        seen.add(format!("{text:?}"), format!("{set}, {ended}, sent {}", quoted(carried.as_deref())));
        job.cancel()?;
    }
    Ok(seen.told())
}
