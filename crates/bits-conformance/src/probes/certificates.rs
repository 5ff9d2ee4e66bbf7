//! Certificates: those that a job chooses, and those that a server shows.
//!
//! A machine does not trust the authority of an origin; what is looked at behind that goes with
//! `IGNORE_UNKNOWN_CA`.

use std::sync::{Mutex, PoisonError};

use bits_api::{
    CertStoreLocation as Place, File, FileTime, SecurityFlags, ServerCertificate, ServerCertificateValidationCallback,
    Success, Unknown, server_certificate_validation_object,
};
use bits_origin::{ClientCertificates, Flaw, Handshake, Origin, TlsVersions};

use super::prelude::*;
use super::rest::state_name;
use super::words::{Notes, job_for, named, origin, quoted, run, trusting, yes};
use crate::bench::{Recorder, shake_hands};
use crate::passing_client;

probes! {
    "http_options.certificate_faults" => faults_of_server_certificates,
    "http_options.certificate_name_limit" => long_names_of_stores_and_subjects,
    "http_options.certificate_subject" => subjects_that_are_not_there,
    "http_options.certificate_missing" => servers_that_ask_for_a_certificate,
    "cert_store.service_or_user_name" => stores_of_users_and_services,
    "certificates.revocation" => revocation_where_no_list_can_be_had,
    "certificates.common_name" => a_certificate_with_a_common_name_only,
    "certificates.never_valid_together" => certificates_of_different_times,
    "http_options3.set_vetting" => an_object_for_each_state,
    "http_options3.callback_unreachable" => an_object_whose_client_has_ended,
    "server_cert_callback.encoding" => what_a_callback_is_given,
    "server_cert_callback.cache" => what_a_callback_is_not_asked_again,
}

/// The end of a download over HTTPS under these flags.
fn secured(c: &Bench, origin: &Origin, flags: SecurityFlags) -> Result<String, Stop> {
    let job = job_for(c, &origin.https_url("/file"), "secured")?;
    job.http_options()?.set_security_flags(flags)?;
    let ended = run(c, &job)?;
    job.cancel()?;
    Ok(ended)
}

fn faults_of_server_certificates(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let unknown = SecurityFlags::IGNORE_UNKNOWN_CA;
    let mut seen = Notes::default();
    seen.add("an unknown authority", secured(c, &origin, SecurityFlags::empty())?);
    seen.add("the same under IGNORE_UNKNOWN_CA", secured(c, &origin, unknown)?);
    for (what, flaw, own) in [
        ("expired", Flaw::Expired, SecurityFlags::IGNORE_CERT_DATE_INVALID),
        ("another name", Flaw::OtherName, SecurityFlags::IGNORE_CERT_CN_INVALID),
        ("another usage", Flaw::OtherUsage, SecurityFlags::IGNORE_CERT_WRONG_USAGE),
    ] {
        shake_hands(&origin, &Handshake { flaws: vec![flaw], ..Handshake::default() })?;
        seen.add(format!("{what}, and an unknown authority"), secured(c, &origin, SecurityFlags::empty())?);
        seen.add(format!("{what} under IGNORE_UNKNOWN_CA"), secured(c, &origin, unknown)?);
        seen.add(format!("{what} under its own flag too"), secured(c, &origin, unknown | own)?);
    }
    let flaws = vec![Flaw::Expired, Flaw::OtherName, Flaw::OtherUsage];
    shake_hands(&origin, &Handshake { flaws, ..Handshake::default() })?;
    seen.add("all three under IGNORE_UNKNOWN_CA", secured(c, &origin, unknown)?);
    seen.add(
        "all three, and the date is excused too",
        secured(c, &origin, unknown | SecurityFlags::IGNORE_CERT_DATE_INVALID)?,
    );
    Ok(seen.told())
}

fn long_names_of_stores_and_subjects(c: &mut Bench) -> Answer {
    let options = c.new_job()?.http_options()?;
    let mut seen = Notes::default();
    for length in [255, 256, 257] {
        let long = "n".repeat(length);
        let subject = options.set_client_certificate_by_name(Place::CURRENT_USER, Some("MY"), Some(&long));
        let store = options.set_client_certificate_by_name(Place::CURRENT_USER, Some(&long), Some("bits-conformance"));
        let by_id = options.set_client_certificate_by_id(Place::CURRENT_USER, Some(&long), Some(&[7; 20]));
        let codes = format!("as subject {}, as store {}, by id {}", named(subject), named(store), named(by_id));
        seen.add(format!("{length} characters"), codes);
    }
    Ok(seen.told())
}

fn subjects_that_are_not_there(c: &mut Bench) -> Answer {
    let options = c.new_job()?.http_options()?;
    let mut seen = Notes::default();
    for subject in [Some(""), None, Some("bits-conformance has no certificate"), Some("name3, name1")] {
        let set = options.set_client_certificate_by_name(Place::CURRENT_USER, Some("MY"), subject);
        seen.add(quoted(subject), named(set));
    }
    let by_id = options.set_client_certificate_by_id(Place::CURRENT_USER, Some("MY"), Some(&[7; 20]));
    seen.add("a thumbprint that is not there", named(by_id));
    Ok(seen.told())
}

fn servers_that_ask_for_a_certificate(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let mut seen = Notes::default();
    for (asks, clients) in [("asks", ClientCertificates::Optional), ("requires", ClientCertificates::Required)] {
        for (version, versions) in [("1.2", TlsVersions::Only12), ("1.3", TlsVersions::Only13)] {
            shake_hands(&origin, &Handshake { clients, versions, ..Handshake::default() })?;
            let before = origin.journal().len();
            let ended = secured(c, &origin, SecurityFlags::IGNORE_UNKNOWN_CA)?;
            let requests = origin.journal().len() - before;
            seen.add(format!("{asks}, TLS {version}"), format!("{ended} after {requests} request(s)"));
        }
    }
    Ok(seen.told())
}

fn stores_of_users_and_services(c: &mut Bench) -> Answer {
    let job = c.new_job()?;
    let own = job.owner()?;
    let options = job.http_options()?;
    let mut seen = Notes::default();
    for (place, location, store) in [
        ("CURRENT_USER", Place::CURRENT_USER, "MY".to_owned()),
        ("CURRENT_USER", Place::CURRENT_USER, "bits-conformance".to_owned()),
        ("LOCAL_MACHINE", Place::LOCAL_MACHINE, "MY".to_owned()),
        ("USERS", Place::USERS, format!(r"{own}\MY")),
        ("USERS", Place::USERS, "MY".to_owned()),
        ("SERVICES", Place::SERVICES, r"BITS\MY".to_owned()),
        ("SERVICES", Place::SERVICES, "MY".to_owned()),
        ("CURRENT_SERVICE", Place::CURRENT_SERVICE, "MY".to_owned()),
    ] {
        let set = options.set_client_certificate_by_id(location, Some(&store), Some(&[7; 20]));
        seen.add(format!("{place} {}", store.replace(&own, "SID")), named(set));
    }
    Ok(seen.told())
}

fn revocation_where_no_list_can_be_had(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let looks = SecurityFlags::ENABLE_CRL_CHECK;
    let mut seen = Notes::default();
    for between in [false, true] {
        shake_hands(&origin, &Handshake { between, ..Handshake::default() })?;
        let what = if between { "with an authority in between" } else { "signed by the top" };
        seen.add(format!("{what}, ENABLE_CRL_CHECK"), secured(c, &origin, looks)?);
        let excused = secured(c, &origin, looks | SecurityFlags::IGNORE_UNKNOWN_CA)?;
        seen.add(format!("{what}, IGNORE_UNKNOWN_CA too"), excused);
    }
    Ok(seen.told())
}

fn a_certificate_with_a_common_name_only(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    shake_hands(&origin, &Handshake { flaws: vec![Flaw::CommonNameOnly], ..Handshake::default() })?;
    let mut seen = Notes::default();
    let by_address = origin.https_url("/file");
    for (host, url) in [("localhost", by_address.replace("127.0.0.1", "localhost")), ("127.0.0.1", by_address)] {
        let job = job_for(c, &url, "common")?;
        trusting(&job)?;
        seen.add(format!("CN=localhost for {host}"), run(c, &job)?);
        job.cancel()?;
    }
    Ok(seen.told())
}

fn certificates_of_different_times(c: &mut Bench) -> Answer {
    // From 2010 to 2100, where the authority in between had ended in 2002.
    let valid = Some((FileTime::from_unix_seconds(1_262_304_000), FileTime::from_unix_seconds(4_102_444_800)));
    let origin = origin(c, 1_000)?;
    shake_hands(
        &origin,
        &Handshake { flaws: vec![Flaw::ExpiredBetween], between: true, valid, ..Handshake::default() },
    )?;
    let unknown = SecurityFlags::IGNORE_UNKNOWN_CA;
    let mut seen = Notes::default();
    seen.add("IGNORE_UNKNOWN_CA", secured(c, &origin, unknown)?);
    let excused = secured(c, &origin, unknown | SecurityFlags::IGNORE_CERT_DATE_INVALID)?;
    seen.add("IGNORE_CERT_DATE_INVALID too", excused);
    Ok(seen.told())
}

/// What an application is given of a server.
#[derive(Clone)]
struct Given {
    certificate: Vec<u8>,
    encoding: u32,
    store: Vec<u8>,
}

/// An application that looks at servers, writes down what it is given, and answers always alike.
struct Application {
    given: Mutex<Vec<Given>>,
    answer: Result<Success, Hresult>,
}

impl Application {
    fn new(answer: Result<Success, Hresult>) -> Arc<Self> {
        Arc::new(Self { given: Mutex::default(), answer })
    }

    fn object(self: &Arc<Self>) -> Arc<dyn Unknown> {
        server_certificate_validation_object(Arc::clone(self) as _)
    }

    fn given(&self) -> Vec<Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertificateValidationCallback for Application {
    fn validate_server_certificate(
        &self,
        _job: Arc<dyn Job>,
        _file: Arc<dyn File>,
        server: &ServerCertificate<'_>,
    ) -> Result<Success, Hresult> {
        let given =
            Given { certificate: server.certificate.to_vec(), encoding: server.encoding, store: server.store.to_vec() };
        self.given.lock().unwrap_or_else(PoisonError::into_inner).push(given);
        self.answer
    }
}

fn vet(job: &Arc<dyn Job>, object: Option<Arc<dyn Unknown>>) -> Result<String, Stop> {
    Ok(named(job.http_options3()?.set_server_certificate_validation_interface(object)))
}

fn an_object_for_each_state(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let application = Application::new(Ok(Success::OK));
    let job = |name: &str, url: &str, resumed: bool| {
        let job = job_for(c, url, name)?;
        Ok::<_, Stop>((if resumed { run(c, &job)? } else { "SUSPENDED".to_owned() }, job))
    };
    let gone = c.proxy()?;
    let nobody = gone.url("/file");
    drop(gone);
    let mut jobs = vec![
        job("suspended", &origin.url("/file"), false)?,
        job("transferred", &origin.url("/file"), true)?,
        job("error", &origin.url("/missing"), true)?,
        job("transient", &nobody, true)?,
    ];
    for is_cancelled in [false, true] {
        let (_, job) = job("final", &origin.url("/file"), !is_cancelled)?;
        if is_cancelled {
            job.cancel()?
        } else {
            job.complete()?
        };
        jobs.push((state_name(job.state()?), job));
    }
    let mut seen = Notes::default();
    for (state, job) in &jobs {
        let wrong = vet(job, Some(Recorder::new().object()))?;
        let (right, none) = (vet(job, Some(application.object()))?, vet(job, None)?);
        seen.add(state, format!("{right}, NULL {none}, of the wrong kind {wrong}"));
    }
    Ok(seen.told())
}

fn an_object_whose_client_has_ended(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let job = job_for(c, &origin.https_url("/file"), "vetted")?;
    trusting(&job)?;
    let mut seen = Notes::default();
    seen.add("another program gives an object and ends", named(c.vetted_by_a_passing_client(&job)?));
    seen.add("Resume", run(c, &job)?);
    seen.add("Resume again", run(c, &job)?);
    seen.add("Suspend", named(job.suspend()));
    let given = passing_client::give_to(&job);
    seen.add("an object of a client that lives", named(given));
    seen.add("Resume", run(c, &job)?);
    Ok(seen.told())
}

fn what_a_callback_is_given(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let application = Application::new(Ok(Success::OK));
    let job = job_for(c, &origin.https_url("/file"), "vetted")?;
    trusting(&job)?;
    let mut seen = Notes::default();
    seen.add("set", vet(&job, Some(application.object()))?);
    seen.add("Resume", run(c, &job)?);
    let given = application.given();
    let Some(Given { certificate, encoding, store }) = given.first() else {
        seen.add("asked", "never");
        return Ok(seen.told());
    };
    let shown = origin.certificate();
    let contains = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    seen.add("the certificate is the DER of the server's", yes(*certificate == shown));
    seen.add("encoding", format!("{encoding:#x}"));
    seen.add("the store is a serialized one", yes(store.starts_with(b"\0\0\0\0CERT")));
    seen.add("the server's certificate is in it", yes(contains(store, &shown)));
    Ok(seen.told())
}

fn what_a_callback_is_not_asked_again(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let mut seen = Notes::default();
    let url = origin.https_url("/file").replace("127.0.0.1", "localhost");
    for (what, answer) in [("S_OK", Ok(Success::OK)), ("S_FALSE", Ok(Success::FALSE)), ("E_FAIL", Err(Hresult::E_FAIL))]
    {
        let application = Application::new(answer);
        let job = job_for(c, &url, "first")?;
        trusting(&job)?;
        vet(&job, Some(application.object()))?;
        let ended = run(c, &job)?;
        seen.add(format!("the answer {what}"), format!("{ended}, asked {} time(s)", application.given().len()));
        job.suspend()?;
        let again = url.replace("localhost", "LOCALHOST");
        let other = c.local("second.bin");
        job.add_file(Some(&again), Some(&other))?;
        let ended = run(c, &job)?;
        seen.add("and a file of LOCALHOST", format!("{ended}, asked {} time(s) in all", application.given().len()));
        job.cancel()?;
    }
    Ok(seen.told())
}
