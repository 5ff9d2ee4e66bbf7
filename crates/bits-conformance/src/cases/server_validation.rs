//! The application's say about servers of HTTPS.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};

use bits_api::{
    Guid, HttpOptions3, ServerCertificate, ServerCertificateValidationCallback, Unknown, callback_object,
    server_certificate_validation_object,
};
use bits_origin::{ClientCertificates, Content, Flaw, Handshake, Origin, TlsVersions};

use super::prelude::*;
use crate::bench::{client_certificate, shake_hands};

cases![
    an_object_is_set_replaced_and_removed_while_the_job_is_suspended,
    an_object_of_the_wrong_kind_is_refused_first,
    the_application_is_asked_after_the_system_and_before_any_request,
    the_application_sees_job_file_certificate_and_chain,
    a_refusal_is_a_transient_error_with_the_clients_own_code,
    what_was_accepted_is_not_asked_again,
    what_was_refused_is_asked_again,
    setting_the_object_again_forgets_what_was_accepted,
    without_an_object_the_system_alone_decides,
    only_the_last_object_is_asked,
    an_object_that_is_gone_is_missed,
    the_object_does_not_outlive_the_service,
    only_https_asks_the_application,
    a_client_that_panics_refuses_the_server,
    a_new_owner_has_no_object,
];

const SIZE: u64 = 20_000;
const REFUSED: Hresult = Hresult(0x800B_0109);

/// An application that writes down what it is asked, and answers in turn; then it accepts.
#[derive(Default)]
struct Application {
    asked: Mutex<Vec<Asked>>,
    answers: Mutex<Vec<Answer>>,
}

#[derive(Clone)]
struct Asked {
    job: Guid,
    file: String,
    certificate: Vec<u8>,
    encoding: u32,
    store: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Answer {
    Refuse(Hresult),
    Panic,
}

impl Application {
    fn new(answers: &[Answer]) -> Arc<Self> {
        let answers = Mutex::new(answers.iter().rev().copied().collect());
        Arc::new(Self { answers, ..Self::default() })
    }

    fn object(self: &Arc<Self>) -> Arc<dyn Unknown> {
        server_certificate_validation_object(Arc::clone(self) as _)
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertificateValidationCallback for Application {
    fn validate_server_certificate(
        &self,
        job: Arc<dyn Job>,
        file: Arc<dyn File>,
        server: &ServerCertificate<'_>,
    ) -> Result<Success, Hresult> {
        let asked = Asked {
            // It may call back into BITS.
            job: job.id()?,
            file: file.remote_name()?,
            certificate: server.certificate.to_vec(),
            encoding: server.encoding,
            store: server.store.to_vec(),
        };
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        let answer = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match answer {
            None => Ok(Success::OK),
            Some(Answer::Refuse(code)) => Err(code),
            // A panic as any other, but for the message on stderr: this one is meant.
            Some(Answer::Panic) => resume_unwind(Box::new("the application has a defect")),
        }
    }
}

/// A trusted origin with two files.
fn origin(c: &mut Bench) -> Result<Arc<Origin>, Stop> {
    let origin = c.origin()?;
    c.trust_origin()?;
    origin.put("/file", Content::synthetic(SIZE, 1));
    origin.put("/other", Content::synthetic(SIZE, 2));
    Ok(origin)
}

/// A job and where its servers are spoken of.
type JobAndOptions = (Arc<dyn Job>, Arc<dyn HttpOptions3>);

fn https_job(c: &Bench, origin: &Origin) -> Result<JobAndOptions, Stop> {
    let job = c.job_for(&origin.https_url("/file"), JobPriority::NORMAL)?;
    let options = job.http_options3()?;
    Ok((job, options))
}

/// A job whose servers `application` looks at, resumed.
fn vetted(c: &Bench, origin: &Origin, application: &Arc<Application>) -> Result<Arc<dyn Job>, Stop> {
    let (job, options) = https_job(c, origin)?;
    options.set_server_certificate_validation_interface(Some(application.object()))?;
    job.resume()?;
    Ok(job)
}

fn an_object_is_set_replaced_and_removed_while_the_job_is_suspended(c: &mut Bench) -> Outcome {
    let set = |options: &Arc<dyn HttpOptions3>, application: Option<&Arc<Application>>| {
        options.set_server_certificate_validation_interface(application.map(Application::object))
    };
    let application = Application::new(&[]);
    let options = c.new_job()?.http_options3()?;
    c.returns("http_options3.set_server_cert_validation.ok", set(&options, Some(&application)))?;
    c.returns("http_options3.set_server_cert_validation.ok", set(&options, Some(&Application::new(&[]))))?;
    c.returns("http_options3.set_server_cert_validation.null_removes", set(&options, None))?;
    for state in LIVING {
        c.start_over();
        let options = c.job_in(state)?.0.http_options3()?;
        let refused = (set(&options, Some(&application)), set(&options, None));
        if state == JobState::SUSPENDED {
            c.is("http_options3.set_server_cert_validation.ok", refused, (Ok(Success::OK), Ok(Success::OK)))?;
        } else {
            c.returns("http_options3.set_server_cert_validation.read_only", refused.0)?;
            c.returns("http_options3.set_server_cert_validation.read_only_for_null", refused.1)?;
        }
    }
    for state in FINAL {
        c.start_over();
        let refused = set(&c.job_in(state)?.0.http_options3()?, Some(&application));
        c.is("http_options3.set_server_cert_validation.other_errors", refused, Err(Hresult::BG_E_INVALID_STATE))?;
    }
    Ok(())
}

fn an_object_of_the_wrong_kind_is_refused_first(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let wrong = || callback_object(Arc::clone(&recorder) as _);
    let options = c.new_job()?.http_options3()?;
    let refused = options.set_server_certificate_validation_interface(Some(wrong()));
    c.returns(["http_options3.set_server_cert_validation.no_interface"], refused)?;
    let clauses = [
        "http_options3.set_server_cert_validation.param",
        "http_options3.set_server_cert_validation.needs_implementation",
    ];
    c.is(clauses, refused, Err(Hresult::E_NOINTERFACE))?;
    let active = c.job_in(JobState::TRANSIENT_ERROR)?.0.http_options3()?;
    let refused = active.set_server_certificate_validation_interface(Some(wrong()));
    c.is("http_options3.set_server_cert_validation.check_order", refused, Err(Hresult::E_NOINTERFACE))
}

fn the_application_is_asked_after_the_system_and_before_any_request(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    let application = Application::new(&[Answer::Refuse(REFUSED), Answer::Refuse(REFUSED)]);
    // Whatever it says, what the system refuses is refused, and it is not even asked.
    shake_hands(&origin, &Handshake { flaws: vec![Flaw::Expired], ..Handshake::default() })?;
    let job = vetted(c, &origin, &application)?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let clauses = [
        "http_options3.set_server_cert_validation.os_first",
        "server_cert_callback.validate.two_phases",
        "server_cert_callback.validate.additional",
        "job4.owner.cert_callback_after_os",
    ];
    c.is(clauses, error_of(&job)?.1, Hresult::ERROR_WINHTTP_SECURE_CERT_DATE_INVALID)?;
    c.is(clauses, application.asked().len(), 0)?;
    // What is excused is not refused.
    job.http_options()?.set_security_flags(bits_api::SecurityFlags::IGNORE_CERT_DATE_INVALID)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
    let asked = application.asked().len();
    c.is("http_options3.set_server_cert_validation.os_configurable", asked, 1)?;
    c.is("server_cert_callback.validate.two_phases", asked, 1)?;
    job.cancel()?;
    // A server that was refused has seen no request and no certificate of ours.
    for versions in [TlsVersions::Only12, TlsVersions::Only13] {
        let clients = ClientCertificates::Optional;
        shake_hands(&origin, &Handshake { clients, versions, ..Handshake::default() })?;
        let (job, options) = https_job(c, &origin)?;
        let certificate = client_certificate(&origin, &["Example"], &[])?;
        let hash = certificate.hash;
        c.put_certificate(bits_api::CertStoreLocation::CURRENT_USER, "MY", certificate)?;
        options.set_client_certificate_by_id(bits_api::CertStoreLocation::CURRENT_USER, Some("MY"), Some(&hash))?;
        let application = Application::new(&[Answer::Refuse(REFUSED)]);
        options.set_server_certificate_validation_interface(Some(application.object()))?;
        job.resume()?;
        c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
        let clauses = [
            "http_options3.set_server_cert_validation.when_called",
            "http_options3.set_server_cert_validation.purpose",
        ];
        c.is(clauses, (application.asked().len(), origin.handshakes(), origin.journal().len()), (1, 0, 0))?;
        job.cancel()?;
    }
    Ok(())
}

fn the_application_sees_job_file_certificate_and_chain(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    let application = Application::new(&[]);
    let job = vetted(c, &origin, &application)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let asked = application.asked();
    let [once] = &asked[..] else { return failed(format!("it was asked {} times", asked.len())) };
    c.is("server_cert_callback.validate.param_job", once.job, job.id()?)?;
    c.is("server_cert_callback.validate.param_file", once.file.clone(), origin.https_url("/file"))?;
    let shown = origin.certificate();
    c.is("server_cert_callback.validate.param_cert_data", once.certificate.clone(), shown.clone())?;
    c.is("server_cert_callback.validate.param_cert_encoding", once.encoding, 0x0001_0001)?;
    c.holds(
        "server_cert_callback.validate.param_store_data",
        "the chain is a serialized store",
        once.store == bits_certs::serialized_store(&[&shown]) && once.store.starts_with(b"\0\0\0\0CERT"),
    )?;
    c.is(
        [
            "server_cert_callback.validate.accept",
            "server_cert_callback.interface.inherits",
            "http_options3.set_server_cert_validation.tls_trigger",
        ],
        (asked.len(), job.state()?),
        (1, JobState::TRANSFERRED),
    )
}

fn a_refusal_is_a_transient_error_with_the_clients_own_code(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    for code in [REFUSED, Hresult::E_FAIL, Hresult::E_ACCESSDENIED] {
        let application = Application::new(&[Answer::Refuse(code)]);
        let job = vetted(c, &origin, &application)?;
        c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
        let (context, error) = error_of(&job)?;
        c.is(
            [
                "http_options3.set_server_cert_validation.declined_state",
                "server_cert_callback.validate.decline_state",
                "server_cert_callback.validate.decline",
            ],
            (job.state()?, origin.journal().len()),
            (JobState::TRANSIENT_ERROR, 0),
        )?;
        c.is(
            ["http_options3.set_server_cert_validation.declined_code", "server_cert_callback.validate.decline_code"],
            error,
            code,
        )?;
        c.value("http_options3.set_server_cert_validation.declined_context", context.0)?;
        c.value("server_cert_callback.validate.decline_context", context.0)?;
        c.is(
            [
                "http_options3.set_server_cert_validation.declined_context",
                "server_cert_callback.validate.decline_context",
            ],
            context,
            ErrorContext::SERVER_CERTIFICATE_CALLBACK,
        )?;
        job.cancel()?;
    }
    Ok(())
}

fn what_was_accepted_is_not_asked_again(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    let application = Application::new(&[]);
    let job = vetted(c, &origin, &application)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    // Another connection of the same job.
    job.suspend()?;
    job.add_file(Some(&origin.https_url("/other")), Some(&c.local("other.bin")))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let connections = |origin: &Origin| {
        let journal = origin.journal();
        let mut seen: Vec<u64> = journal.iter().map(|request| request.connection).collect();
        seen.dedup();
        seen.len()
    };
    c.is("server_cert_callback.cache.hit", (application.asked().len(), connections(&origin) > 1), (1, true))?;
    // Another job asks for itself, by the same object about the same server.
    let other = vetted(c, &origin, &application)?;
    c.wait(&other, JobState::TRANSFERRED, SOON)?;
    c.is("server_cert_callback.cache.per_job", application.asked().len(), 2)?;
    // The same server by another name.
    job.suspend()?;
    let by_name = origin.https_url("/file").replace("127.0.0.1", "localhost");
    job.add_file(Some(&by_name), Some(&c.local("third.bin")))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(
        [
            "server_cert_callback.cache.miss_other_endpoint",
            "server_cert_callback.cache.key",
            "server_cert_callback.cache.endpoint",
        ],
        application.asked().len(),
        3,
    )?;
    // The same name with another certificate.
    shake_hands(&origin, &Handshake::default())?;
    job.suspend()?;
    job.add_file(Some(&by_name), Some(&c.local("fourth.bin")))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(
        ["server_cert_callback.cache.miss_other_cert", "server_cert_callback.cache.key"],
        application.asked().len(),
        4,
    )?;
    // The system looks at each connection.
    shake_hands(&origin, &Handshake { flaws: vec![Flaw::Expired], ..Handshake::default() })?;
    job.suspend()?;
    job.add_file(Some(&by_name), Some(&c.local("fifth.bin")))?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let code = error_of(&job)?.1;
    let expected = (Hresult::ERROR_WINHTTP_SECURE_CERT_DATE_INVALID, 4);
    c.is("server_cert_callback.cache.os_phase_never_cached", (code, application.asked().len()), expected)
}

fn what_was_refused_is_asked_again(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    let application = Application::new(&[Answer::Refuse(REFUSED), Answer::Refuse(REFUSED)]);
    let job = vetted(c, &origin, &application)?;
    c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
    let retry = Duration::from_secs(job.minimum_retry_delay()?.into());
    c.advance(retry)?;
    let again = (job.state()?, application.asked().len());
    c.is(
        ["server_cert_callback.cache.refusals_not_cached", "server_cert_callback.validate.decline_retry"],
        again,
        (JobState::TRANSIENT_ERROR, 2),
    )?;
    c.advance(retry)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("server_cert_callback.validate.decline_retry", application.asked().len(), 3)
}

fn setting_the_object_again_forgets_what_was_accepted(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    let application = Application::new(&[]);
    let job = vetted(c, &origin, &application)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.suspend()?;
    let options = job.http_options3()?;
    options.set_server_certificate_validation_interface(Some(application.object()))?;
    job.add_file(Some(&origin.https_url("/other")), Some(&c.local("other.bin")))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("server_cert_callback.cache.cleared", application.asked().len(), 2)?;
    // Without an object nobody is asked, not even about a certificate that nobody has seen.
    job.suspend()?;
    shake_hands(&origin, &Handshake::default())?;
    options.set_server_certificate_validation_interface(None)?;
    job.add_file(Some(&origin.https_url("/file")), Some(&c.local("third.bin")))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(
        ["http_options3.set_server_cert_validation.null_removes", "server_cert_callback.validate.needs_registration"],
        application.asked().len(),
        2,
    )
}

fn without_an_object_the_system_alone_decides(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    for (flaws, expected) in
        [(vec![], None), (vec![Flaw::Expired], Some(Hresult::ERROR_WINHTTP_SECURE_CERT_DATE_INVALID))]
    {
        shake_hands(&origin, &Handshake { flaws, ..Handshake::default() })?;
        // It would refuse any server.
        let application = Application::new(&[Answer::Refuse(REFUSED); 2]);
        let (without, _) = https_job(c, &origin)?;
        let (removed, options) = https_job(c, &origin)?;
        options.set_server_certificate_validation_interface(Some(application.object()))?;
        options.set_server_certificate_validation_interface(None)?;
        // That of another job has no say about them.
        let (_, others) = https_job(c, &origin)?;
        others.set_server_certificate_validation_interface(Some(application.object()))?;
        for job in [without, removed] {
            job.resume()?;
            c.wait(&job, if expected.is_some() { JobState::ERROR } else { JobState::TRANSFERRED }, SOON)?;
            let code = if expected.is_some() { Some(error_of(&job)?.1) } else { None };
            c.is("server_cert_callback.validate.needs_registration", (code, application.asked().len()), (expected, 0))?;
            job.cancel()?;
        }
    }
    Ok(())
}

fn only_the_last_object_is_asked(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    let (first, last) = (Application::new(&[]), Application::new(&[]));
    let (job, options) = https_job(c, &origin)?;
    options.set_server_certificate_validation_interface(Some(first.object()))?;
    let client = c.another_client()?;
    let other = client.manager()?.job(job.id()?)?.http_options3()?;
    other.set_server_certificate_validation_interface(Some(last.object()))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(
        ["http_options3.set_server_cert_validation.last_caller_wins", "server_cert_callback.validate.last_caller_wins"],
        (first.asked().len(), last.asked().len()),
        (0, 1),
    )
}

fn an_object_that_is_gone_is_missed(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    let application = Application::new(&[]);
    let (job, _) = https_job(c, &origin)?;
    let client = c.another_client()?;
    let theirs = client.manager()?.job(job.id()?)?.http_options3()?;
    theirs.set_server_certificate_validation_interface(Some(application.object()))?;
    client.exit();
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let (context, code) = error_of(&job)?;
    for clause in [
        "http_options3.set_server_cert_validation.unreachable",
        "http_options3.set_server_cert_validation.dies_with_client",
        "http_options3.set_server_cert_validation.unreachable_implies_memory",
        "server_cert_callback.validate.unreachable",
        "server_cert_callback.validate.dies_with_client",
    ] {
        let missed = (context, Hresult::BG_E_SERVER_CERT_VALIDATION_INTERFACE_REQUIRED);
        c.is(clause, (ErrorContext::SERVER_CERTIFICATE_CALLBACK, code), missed)?;
    }
    c.returns("server_cert_callback.validate.unreachable", Err::<Success, _>(code))?;
    // Suspend, set, Resume mends the job.
    job.suspend()?;
    job.http_options3()?.set_server_certificate_validation_interface(Some(application.object()))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(
        ["http_options3.set_server_cert_validation.recover", "server_cert_callback.validate.recover"],
        (application.asked().len(), job.state()?),
        (1, JobState::TRANSFERRED),
    )
}

fn the_object_does_not_outlive_the_service(c: &mut Bench) -> Outcome {
    c.queue_on_disk()?;
    let origin = origin(c)?;
    let application = Application::new(&[]);
    let (job, options) = https_job(c, &origin)?;
    options.set_server_certificate_validation_interface(Some(application.object()))?;
    let id = job.id()?;
    c.restart_service()?;
    let job = c.find(id)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let expected = (Hresult::BG_E_SERVER_CERT_VALIDATION_INTERFACE_REQUIRED, 0);
    c.is(
        ["http_options3.set_server_cert_validation.reset_at_start", "server_cert_callback.cache.lifetime"],
        (error_of(&job)?.1, application.asked().len()),
        expected,
    )
}

fn only_https_asks_the_application(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    let application = Application::new(&[Answer::Refuse(REFUSED)]);
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    job.http_options3()?.set_server_certificate_validation_interface(Some(application.object()))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("server_cert_callback.validate.https_only", application.asked().len(), 0)
}

fn a_client_that_panics_refuses_the_server(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    let application = Application::new(&[Answer::Panic]);
    let job = vetted(c, &origin, &application)?;
    c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
    let expected = (ErrorContext::SERVER_CERTIFICATE_CALLBACK, Hresult::E_UNEXPECTED);
    c.is("server_cert_callback.validate.decline", error_of(&job)?, expected)?;
    c.advance(Duration::from_secs(job.minimum_retry_delay()?.into()))?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("server_cert_callback.validate.decline_retry", application.asked().len(), 2)
}

fn a_new_owner_has_no_object(c: &mut Bench) -> Outcome {
    let clause = "http_options3.set_server_cert_validation.ownership";
    let origin = origin(c)?;
    let (job, options) = https_job(c, &origin)?;
    // It would refuse any server.
    let first = Application::new(&[Answer::Refuse(REFUSED); 2]);
    options.set_server_certificate_validation_interface(Some(first.object()))?;
    let by_admin = c.administrator()?.job(job.id()?)?;
    let options = by_admin.http_options3()?;
    let second = Application::new(&[]);
    let set = |object| options.set_server_certificate_validation_interface(object);
    let refused = (set(Some(second.object())), set(None));
    c.is(clause, refused, (Err(Hresult::E_ACCESSDENIED), Err(Hresult::E_ACCESSDENIED)))?;
    by_admin.take_ownership()?;
    by_admin.resume()?;
    c.wait(&by_admin, JobState::TRANSFERRED, SOON)?;
    c.is(clause, (first.asked().len(), second.asked().len()), (0, 0))?;
    // The new owner may have one, too.
    by_admin.suspend()?;
    c.is(clause, set(Some(second.object())), Ok(Success::OK))?;
    by_admin.add_file(Some(&origin.https_url("/other")), Some(&c.local("other.bin")))?;
    by_admin.resume()?;
    c.wait(&by_admin, JobState::TRANSFERRED, SOON)?;
    c.is(clause, (first.asked().len(), second.asked().len()), (0, 1))
}
