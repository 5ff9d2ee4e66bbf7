//! Credentials, as settings: what they do when a server asks is shown where bytes move.

use bits_api::{AuthCredentials, AuthScheme, AuthTarget, Job2};

use super::prelude::*;

cases![
    credentials_are_stored_for_each_target_and_scheme,
    credentials_of_one_pair_are_replaced,
    credentials_are_removed_pair_by_pair,
    a_target_that_is_none_is_refused,
    a_scheme_that_is_none_is_refused,
    user_names_have_at_most_300_characters,
    passwords_have_at_most_65535_characters,
    a_missing_name_or_password_is_for_windows_schemes_only,
    what_a_scheme_cannot_send_is_refused,
    credentials_may_be_set_in_every_state_but_the_final_ones,
    credentials_are_for_the_owner_only,
    a_new_owner_gets_no_credentials,
    credentials_last_as_long_as_the_job,
    nothing_shows_credentials,
    credentials_lie_encrypted,
    a_client_sets_credentials_before_files,
];

const SCHEMES: [AuthScheme; 5] =
    [AuthScheme::BASIC, AuthScheme::DIGEST, AuthScheme::NTLM, AuthScheme::NEGOTIATE, AuthScheme::PASSPORT];
const TARGETS: [AuthTarget; 2] = [AuthTarget::SERVER, AuthTarget::PROXY];
const NAME: &str = r"EXAMPLE\alice";
const PASSWORD: &str = "correct horse battery staple";

fn explicit(target: AuthTarget, scheme: AuthScheme) -> AuthCredentials<'static> {
    AuthCredentials { target, scheme, user_name: Some(NAME), password: Some(PASSWORD) }
}

/// Every pair of target and scheme.
fn pairs() -> impl Iterator<Item = (AuthTarget, AuthScheme)> {
    TARGETS.into_iter().flat_map(|target| SCHEMES.into_iter().map(move |scheme| (target, scheme)))
}

fn new_job2(c: &Bench) -> Result<Arc<dyn Job2>, Stop> {
    Ok(c.new_job()?.job2()?)
}

fn set_all(job: &Arc<dyn Job2>) -> Outcome {
    for (target, scheme) in pairs() {
        job.set_credentials(&explicit(target, scheme))?;
    }
    Ok(())
}

/// How many pairs have credentials; they have none afterwards.
fn take_all(job: &Arc<dyn Job2>) -> Result<usize, Stop> {
    let mut found = 0;
    for (target, scheme) in pairs() {
        found += usize::from(job.remove_credentials(target, scheme)? == Success::OK);
    }
    Ok(found)
}

fn credentials_are_stored_for_each_target_and_scheme(c: &mut Bench) -> Outcome {
    let job = new_job2(c)?;
    let values = [
        ("auth.scheme.basic", AuthScheme::BASIC),
        ("auth.scheme.digest", AuthScheme::DIGEST),
        ("auth.scheme.ntlm", AuthScheme::NTLM),
        ("auth.scheme.negotiate", AuthScheme::NEGOTIATE),
        ("auth.scheme.passport", AuthScheme::PASSPORT),
    ];
    for (clause, scheme) in values {
        let set = job.set_credentials(&explicit(AuthTarget::SERVER, scheme));
        c.returns(["job2.set_credentials.ok", "job2.remove_credentials.ok"], set)?;
        c.is(["auth.credentials.union_basic_only", "auth.sample.all_schemes_use_basic_member"], set, Ok(Success::OK))?;
        c.value(clause, scheme)?;
    }
    for (clause, target) in [("auth.target.server", AuthTarget::SERVER), ("auth.target.proxy", AuthTarget::PROXY)] {
        c.returns("job2.set_credentials.ok", job.set_credentials(&explicit(target, AuthScheme::BASIC)))?;
        c.value(clause, target)?;
    }
    set_all(&job)?;
    c.is(["job2.set_credentials.per_pair", "job2.set_credentials.param"], take_all(&job)?, 10)?;
    set_all(&job)?;
    set_all(&job)?;
    c.value("job2.set_credentials.pair_count", take_all(&job)?)?;
    c.is("job2.set_credentials.pair_count", take_all(&job)?, 0)
}

fn credentials_of_one_pair_are_replaced(c: &mut Bench) -> Outcome {
    let job = new_job2(c)?;
    let (target, scheme) = (AuthTarget::SERVER, AuthScheme::BASIC);
    job.set_credentials(&explicit(target, AuthScheme::DIGEST))?;
    job.set_credentials(&explicit(target, scheme))?;
    let again = job.set_credentials(&AuthCredentials { user_name: Some("bob"), ..explicit(target, scheme) });
    c.is("job2.set_credentials.replace", again, Ok(Success::OK))?;
    let removed = (job.remove_credentials(target, scheme), job.remove_credentials(target, scheme));
    c.is("job2.set_credentials.replace", removed, (Ok(Success::OK), Ok(Success::FALSE)))?;
    c.is("job2.set_credentials.replace", job.remove_credentials(target, AuthScheme::DIGEST), Ok(Success::OK))
}

fn credentials_are_removed_pair_by_pair(c: &mut Bench) -> Outcome {
    let job = new_job2(c)?;
    c.returns("job2.remove_credentials.none", job.remove_credentials(AuthTarget::SERVER, AuthScheme::BASIC))?;
    job.set_credentials(&explicit(AuthTarget::SERVER, AuthScheme::BASIC))?;
    // The same target, the same scheme, neither.
    for (target, scheme) in [
        (AuthTarget::SERVER, AuthScheme::DIGEST),
        (AuthTarget::PROXY, AuthScheme::BASIC),
        (AuthTarget::PROXY, AuthScheme::NTLM),
    ] {
        c.returns("job2.remove_credentials.pair_exact", job.remove_credentials(target, scheme))?;
    }
    let removed = job.remove_credentials(AuthTarget::SERVER, AuthScheme::BASIC);
    c.returns("job2.remove_credentials.ok", removed)?;
    c.is(
        ["job2.remove_credentials.params", "job2.remove_credentials.pair_exact", "job2.remove_credentials.no_getter"],
        removed,
        Ok(Success::OK),
    )?;
    c.returns("job2.remove_credentials.repeat", job.remove_credentials(AuthTarget::SERVER, AuthScheme::BASIC))?;
    set_all(&job)?;
    job.remove_credentials(AuthTarget::PROXY, AuthScheme::NTLM)?;
    c.is("job2.remove_credentials.ok", take_all(&job)?, 9)
}

fn a_target_that_is_none_is_refused(c: &mut Bench) -> Outcome {
    let job = new_job2(c)?;
    for undefined in [0, 3, u32::MAX] {
        let target = AuthTarget(undefined);
        let refused = job.set_credentials(&explicit(target, AuthScheme::BASIC));
        c.returns("job2.set_credentials.invalid_target", refused)?;
        c.is("auth.target.one_value", refused, Err(Hresult::BG_E_INVALID_AUTH_TARGET))?;
        let refused = job.remove_credentials(target, AuthScheme::BASIC);
        c.is("job2.remove_credentials.invalid", refused, Err(Hresult::BG_E_INVALID_AUTH_TARGET))?;
    }
    Ok(())
}

fn a_scheme_that_is_none_is_refused(c: &mut Bench) -> Outcome {
    let job = new_job2(c)?;
    for number in 0..=9 {
        let scheme = AuthScheme(number);
        let set = job.set_credentials(&explicit(AuthTarget::SERVER, scheme));
        let removed = job.remove_credentials(AuthTarget::SERVER, scheme);
        if (1..=5).contains(&number) {
            c.is("auth.scheme.supported_set", (set, removed), (Ok(Success::OK), Ok(Success::OK)))?;
        } else {
            c.returns("job2.set_credentials.invalid_scheme", set)?;
            c.is(["auth.scheme.supported_set", "auth.scheme.one_value"], set, Err(Hresult::BG_E_INVALID_AUTH_SCHEME))?;
            c.is("job2.remove_credentials.invalid", removed, Err(Hresult::BG_E_INVALID_AUTH_SCHEME))?;
        }
    }
    Ok(())
}

fn user_names_have_at_most_300_characters(c: &mut Bench) -> Outcome {
    let job = new_job2(c)?;
    let set = |length: usize| {
        let name = "n".repeat(length);
        let record = explicit(AuthTarget::SERVER, AuthScheme::BASIC);
        job.set_credentials(&AuthCredentials { user_name: Some(&name), ..record })
    };
    let longest = (290..=310).rfind(|length| set(*length).is_ok()).unwrap_or(0);
    c.value(["auth.basic_credentials.user_name.limit", "limit.username"], longest)?;
    for length in [301, 10_000] {
        c.returns(["job2.set_credentials.user_name_too_large", "limit.username"], set(length))?;
    }
    c.is("auth.basic_credentials.user_name.blank", set(0), Ok(Success::OK))
}

fn passwords_have_at_most_65535_characters(c: &mut Bench) -> Outcome {
    let job = new_job2(c)?;
    let set = |length: usize| {
        let password = "p".repeat(length);
        let record = explicit(AuthTarget::SERVER, AuthScheme::BASIC);
        job.set_credentials(&AuthCredentials { password: Some(&password), ..record })
    };
    let longest = (65_530..=65_540).rfind(|length| set(*length).is_ok()).unwrap_or(0);
    c.value("limit.password", longest)?;
    c.is("auth.basic_credentials.password.limit", longest, 65_535)?;
    for length in [65_536, 100_000] {
        c.returns(["job2.set_credentials.password_too_large", "limit.password"], set(length))?;
    }
    c.is("auth.basic_credentials.password.blank", set(0), Ok(Success::OK))
}

fn a_missing_name_or_password_is_for_windows_schemes_only(c: &mut Bench) -> Outcome {
    let refused = Err(Hresult::E_INVALIDARG);
    for (target, scheme) in pairs() {
        let job = new_job2(c)?;
        let set = |user_name, password| job.set_credentials(&AuthCredentials { target, scheme, user_name, password });
        let halves = [set(None, Some(PASSWORD)), set(Some(NAME), None)];
        let neither = set(None, None);
        match scheme {
            AuthScheme::BASIC | AuthScheme::DIGEST => {
                for half in halves.into_iter().chain([neither]) {
                    c.returns(
                        ["job2.set_credentials.null_basic_digest", "auth.sample.null_with_basic_or_digest"],
                        half,
                    )?;
                }
            }
            AuthScheme::PASSPORT => {
                c.is("auth.scheme.passport.explicit_only", neither, refused)?;
                c.is("auth.basic_credentials.required_members_matrix", neither, refused)?;
            }
            _ => {
                c.returns("job2.set_credentials.null_ntlm_negotiate", neither)?;
                c.is("auth.implicit.scheme", neither, Ok(Success::OK))?;
                c.is("auth.basic_credentials.required_members_matrix", neither, Ok(Success::OK))?;
            }
        }
        for half in halves {
            c.is(
                ["auth.basic_credentials.password.null_with_null_user", "auth.sample.null_independent"],
                half,
                refused,
            )?;
        }
    }
    Ok(())
}

fn what_a_scheme_cannot_send_is_refused(c: &mut Bench) -> Outcome {
    let job = new_job2(c)?;
    let set = |target, scheme, name, password| {
        job.set_credentials(&AuthCredentials { target, scheme, user_name: Some(name), password: Some(password) })
    };
    let malformed = [
        (AuthScheme::BASIC, "ali:ce", PASSWORD),
        (AuthScheme::BASIC, "alice", "correct\r\nhorse"),
        (AuthScheme::BASIC, "ali\tce", PASSWORD),
        (AuthScheme::DIGEST, "ali\nce", PASSWORD),
        (AuthScheme::NTLM, r"EXAMPLE\", PASSWORD),
        (AuthScheme::NEGOTIATE, r"EXAMPLE\SUB\alice", PASSWORD),
        (AuthScheme::PASSPORT, "alice@example.com\u{7f}", PASSWORD),
    ];
    for target in TARGETS {
        for (scheme, name, password) in malformed {
            let refused = set(target, scheme, name, password);
            c.returns(["auth.invalid_credentials_code", "proxy.invalid_creds_format"], refused)?;
        }
        // Each scheme with what another one cannot send.
        let sound = [
            (AuthScheme::DIGEST, "ali:ce", "correct\thorse"),
            (AuthScheme::NTLM, r"EXAMPLE\ali:ce", "correct\thorse"),
            (AuthScheme::BASIC, r"EXAMPLE\SUB\alice", "correct:horse"),
        ];
        for (scheme, name, password) in sound {
            let set = set(target, scheme, name, password);
            c.is(["auth.invalid_credentials_code", "proxy.invalid_creds_format"], set, Ok(Success::OK))?;
        }
    }
    Ok(())
}

fn credentials_may_be_set_in_every_state_but_the_final_ones(c: &mut Bench) -> Outcome {
    for state in LIVING {
        c.start_over();
        let job = c.job_in(state)?.0.job2()?;
        c.returns("job2.set_credentials.ok", job.set_credentials(&explicit(AuthTarget::SERVER, AuthScheme::BASIC)))?;
        let removed = job.remove_credentials(AuthTarget::SERVER, AuthScheme::BASIC);
        // Before the first Resume, and after it.
        c.is("job2.set_credentials.before_resume", removed, Ok(Success::OK))?;
    }
    for state in FINAL {
        c.start_over();
        let job = c.job_in(state)?.0.job2()?;
        let refused = job.set_credentials(&explicit(AuthTarget::SERVER, AuthScheme::BASIC));
        c.returns("job2.set_credentials.states", refused)?;
    }
    Ok(())
}

fn credentials_are_for_the_owner_only(c: &mut Bench) -> Outcome {
    let job = new_job2(c)?;
    let by_admin = c.administrator()?.job(job.id()?)?.job2()?;
    let refused = by_admin.set_credentials(&explicit(AuthTarget::SERVER, AuthScheme::BASIC));
    c.returns("job2.set_credentials.owner_only", refused)?;
    c.is("job2.set_credentials.owner_only", take_all(&job)?, 0)
}

fn a_new_owner_gets_no_credentials(c: &mut Bench) -> Outcome {
    let job = new_job2(c)?;
    set_all(&job)?;
    let taken = c.administrator()?.job(job.id()?)?;
    taken.take_ownership()?;
    for (target, scheme) in pairs() {
        let none = taken.job2()?.remove_credentials(target, scheme);
        c.returns("job2.remove_credentials.after_take_ownership", none)?;
        c.is(["job2.set_credentials.take_ownership", "users.take_ownership.clears"], none, Ok(Success::FALSE))?;
    }
    Ok(())
}

fn credentials_last_as_long_as_the_job(c: &mut Bench) -> Outcome {
    let job = new_job2(c)?;
    set_all(&job)?;
    let id = job.id()?;
    c.disconnect()?;
    c.restart_service()?;
    c.connect()?;
    c.log_off()?;
    c.advance(DAY)?;
    c.restart_service()?;
    c.log_on()?;
    c.is("job2.set_credentials.persist", take_all(&c.find(id)?.job2()?)?, 10)
}

fn nothing_shows_credentials(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(1_000)?;
    let record = explicit(AuthTarget::SERVER, AuthScheme::BASIC);
    job.job2()?.set_credentials(&record)?;
    c.bring(&job, &file, JobState::ERROR)?;
    let shown = format!("{record:?} {job:?} {}", c.told_so_far()?);
    c.holds("job2.set_credentials.write_only", "what happened is told", shown.contains("SetCredentials"))?;
    for secret in [NAME, "alice", PASSWORD] {
        let is_shown = shown.contains(secret);
        c.is(["job2.set_credentials.write_only", "job2.remove_credentials.no_getter"], is_shown, false)?;
    }
    Ok(())
}

fn credentials_lie_encrypted(c: &mut Bench) -> Outcome {
    // What makes BITS write a job out.
    let events: [fn(&Bench) -> Outcome; 2] = [Bench::disconnect, Bench::log_off];
    for write_out in events {
        c.start_over();
        c.queue_on_disk()?;
        let (job, file) = c.job_with_file(1_000)?;
        let job2 = job.job2()?;
        job.set_description(Some("what anybody may read"))?;
        set_all(&job2)?;
        let id = job.id()?;
        c.bring(&job, &file, JobState::TRANSFERRING)?;
        write_out(c)?;
        for restart in [false, true] {
            if restart {
                c.restart_service()?;
            }
            c.settle()?;
            let shown = (c.queue_shows("what anybody may read")?, c.queue_shows(PASSWORD)?, c.queue_shows("alice")?);
            let clauses = ["auth.basic_credentials.password.encrypted_on_persist", "auth.protected"];
            c.is(clauses, shown, (true, false, false))?;
        }
        c.is("job2.set_credentials.persist", take_all(&c.find(id)?.job2()?)?, 10)?;
    }
    Ok(())
}

fn a_client_sets_credentials_before_files(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let CreatedJob { id, job } = c.manager()?.create_job(Some(job_name()), JobType::DOWNLOAD)?;
    c.is("auth.sample.job_created", job.id()?, id)?;
    let steps = [
        job.set_notify_interface(Some(recorder.object())),
        job.set_notify_flags(NotifyFlags::JOB_TRANSFERRED | NotifyFlags::JOB_ERROR),
    ];
    c.is("auth.sample.notify_before_credentials", steps.to_vec(), vec![Ok(Success::OK); 2])?;
    let set = job.job2()?.set_credentials(&explicit(AuthTarget::SERVER, AuthScheme::NTLM));
    let state = (job.state()?, files(&job)?.len());
    c.is(
        ["auth.sample.credentials_via_job2", "auth.sample.order_credentials_before_files"],
        (set, state),
        (Ok(Success::OK), (JobState::SUSPENDED, 0)),
    )?;
    c.serve("a.bin", 1_000)?.add_to(&job)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.settle()?;
    c.is(
        [
            "auth.sample.notify_before_credentials",
            "auth.sample.order_credentials_before_files",
            "auth.sample.resume_starts",
            "auth.sample.notify_flags",
            "auth.sample.modification_not_called",
        ],
        recorder.methods(),
        vec!["JobTransferred"],
    )?;
    let (failing, file) = c.job_with_file(10)?;
    failing.set_notify_interface(Some(recorder.object()))?;
    failing.set_notify_flags(NotifyFlags::JOB_TRANSFERRED | NotifyFlags::JOB_ERROR)?;
    c.trouble(&file, Trouble::NotFound)?;
    failing.resume()?;
    c.wait(&failing, JobState::ERROR, SOON)?;
    c.settle()?;
    c.is(
        ["auth.sample.notify_flags", "auth.sample.callback_plain_interface"],
        recorder.methods(),
        vec!["JobTransferred", "JobError"],
    )
}
