//! Certificates on the wire: what a server is shown that asks, and what is excused of its own.

use bits_api::{CertStoreLocation, SecurityFlags};
use bits_origin::{ClientCertificates, Content, Fault, Flaw, Handshake, Origin, Synthetic, TlsVersions};
use bits_world::Certificate;

use super::prelude::*;
use crate::bench::{client_certificate, shake_hands};

cases![
    a_real_certificate_is_named_by_its_subject_from_its_other_end,
    a_server_that_asks_is_shown_the_chosen_certificate,
    a_job_without_a_certificate_fails_at_a_server_that_asks,
    a_server_that_does_not_ask_sees_no_certificate,
    a_certificate_that_the_server_does_not_trust_is_an_error,
    a_server_that_refuses_a_certificate_in_the_handshake_is_an_error,
    a_certificate_without_a_key_that_can_be_used_is_chosen_and_not_shown,
    the_first_match_is_chosen_though_its_time_is_over,
    a_certificate_is_looked_up_again_at_each_attempt,
    plain_http_needs_no_certificate,
    each_fault_of_a_server_is_excused_by_its_flag_and_no_other,
    a_server_with_every_fault_needs_every_flag,
];

const HERE: CertStoreLocation = CertStoreLocation::CURRENT_USER;
const SIZE: u64 = 20_000;
const VERSIONS: [TlsVersions; 2] = [TlsVersions::Only12, TlsVersions::Only13];
const ASKING: [ClientCertificates; 2] = [ClientCertificates::Optional, ClientCertificates::Required];

/// A trusted origin with a file.
fn origin(c: &mut Bench) -> Result<Arc<Origin>, Stop> {
    let origin = c.origin()?;
    c.trust_origin()?;
    origin.put("/file", Content::synthetic(SIZE, 1));
    Ok(origin)
}

fn asking(clients: ClientCertificates, versions: TlsVersions) -> Handshake {
    Handshake { clients, versions, ..Handshake::default() }
}

/// A suspended job over HTTPS that has chosen the certificate of this name in the owner's store.
fn job_with_certificate(c: &Bench, origin: &Origin, name: &str, flaws: &[Flaw]) -> Result<Arc<dyn Job>, Stop> {
    let certificate = client_certificate(origin, &["Example", "Clients", name], flaws)?;
    let hash = certificate.hash;
    c.put_certificate(HERE, "MY", certificate)?;
    let job = c.job_for(&origin.https_url("/file"), JobPriority::NORMAL)?;
    job.http_options()?.set_client_certificate_by_id(HERE, Some("MY"), Some(&hash))?;
    Ok(job)
}

/// Whether every request so far came with this certificate.
fn all_came_with(origin: &Origin, hash: [u8; 20]) -> bool {
    let journal = origin.journal();
    let hash_of = |der: &[u8]| bits_certs::identity::hash(der);
    !journal.is_empty() && journal.iter().all(|request| request.certificate.as_deref().map(hash_of) == Some(hash))
}

fn a_real_certificate_is_named_by_its_subject_from_its_other_end(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    // Windows shows it as CN=name1, OU=name2, O=name3.
    let certificate = client_certificate(&origin, &["name3", "name2", "name1"], &[])?;
    let hash = certificate.hash;
    c.put_certificate(HERE, "MY", certificate)?;
    let options = c.new_job()?.http_options()?;
    options.set_client_certificate_by_id(HERE, Some("MY"), Some(&hash))?;
    let subject = options.client_certificate()?.subject;
    c.is("http_options.get_client_certificate.subject", subject, "name3, name2, name1".to_owned())?;
    let set = |subject: &str| options.set_client_certificate_by_name(HERE, Some("MY"), Some(subject));
    let (found, missing) = (Ok(Success::OK), Err(Hresult::CRYPT_E_NOT_FOUND));
    c.is(
        [
            "http_options.set_client_certificate_by_name.subject.reversed",
            "http_options.set_client_certificate_by_name.subject",
        ],
        (set("name1, name2, name3"), set("name3, name2, name1"), set("name2, name1")),
        (missing, found, found),
    )
}

fn a_server_that_asks_is_shown_the_chosen_certificate(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    for (number, (clients, versions)) in ASKING.into_iter().flat_map(|a| VERSIONS.map(|v| (a, v))).enumerate() {
        shake_hands(&origin, &asking(clients, versions))?;
        let job = job_with_certificate(c, &origin, &format!("client {number}"), &[])?;
        let options = job.http_options()?;
        let hash = options.client_certificate()?.hash;
        // By its name as well, every second time.
        if number % 2 == 1 {
            options.remove_client_certificate()?;
            options.set_client_certificate_by_name(HERE, Some("MY"), Some(&format!("client {number}")))?;
        }
        let before = origin.journal().len();
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        let shown = origin
            .journal()
            .iter()
            .skip(before)
            .all(|request| request.certificate.as_deref().map(bits_certs::identity::hash) == Some(hash));
        c.holds(
            [
                "http_options.set_client_certificate_by_id.used_for",
                "http_options.set_client_certificate_by_name.used_for",
                "job4.owner.client_cert_use",
                "http_options.interface.purpose",
                "auth.client_certificate.used_in_tls",
                "auth.client_certificate.mutual",
                "security.client_cert",
            ],
            "each request comes with the chosen certificate",
            shown && origin.journal().len() > before,
        )?;
        job.complete()?;
    }
    Ok(())
}

fn a_job_without_a_certificate_fails_at_a_server_that_asks(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    for (clients, versions) in ASKING.into_iter().flat_map(|a| VERSIONS.map(|v| (a, v))) {
        shake_hands(&origin, &asking(clients, versions))?;
        let job = c.job_for(&origin.https_url("/file"), JobPriority::NORMAL)?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        let (context, code) = error_of(&job)?;
        for clause in [
            "http_options.set_client_certificate_by_id.absent_cert_error",
            "http_options.set_client_certificate_by_name.absent_cert_error",
            // Of servers that accept one, and of those that require one.
            "auth.client_certificate.accepted_not_required",
            "security.client_cert_missing",
        ] {
            c.returns(clause, Err::<Success, _>(code))?;
            c.value(clause, code.0)?;
            c.is(clause, (context, origin.journal().len()), (ErrorContext::REMOTE_FILE, 0))?;
        }
        let needed = (ErrorContext::REMOTE_FILE, Hresult::ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED);
        c.is("auth.client_certificate.required_and_missing", (context, code), needed)?;
        job.cancel()?;
    }
    Ok(())
}

fn a_server_that_does_not_ask_sees_no_certificate(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    let job = job_with_certificate(c, &origin, "client", &[])?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let shown = origin.journal().iter().filter(|request| request.certificate.is_some()).count();
    c.is("http_options.set_client_certificate_by_id.used_for", shown, 0)
}

fn a_certificate_that_the_server_does_not_trust_is_an_error(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    // 403 is the only form that is documented; others answer 400.
    for (versions, status) in VERSIONS.into_iter().flat_map(|versions| [403, 400].map(|status| (versions, status))) {
        shake_hands(&origin, &asking(ClientCertificates::Required, versions))?;
        let job = job_with_certificate(c, &origin, &format!("{versions:?} {status}"), &[])?;
        let before = origin.journal().len();
        origin.behave();
        c.fault("HEAD", "/file", Fault::Status { code: status, retry_after: None })?;
        let hash = job.http_options()?.client_certificate()?.hash;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        let (context, code) = error_of(&job)?;
        let clause = "http_options.set_client_certificate_by_name.untrusted";
        if status == 403 {
            c.returns(clause, Err::<Success, _>(code))?;
        } else {
            c.is(clause, code, Hresult::from_http_status(status))?;
        }
        c.is(clause, context, ErrorContext::REMOTE_FILE)?;
        let came = origin.journal().iter().skip(before).all(|request| shown(request) == Some(hash));
        c.holds(clause, "the server has seen the certificate", came && origin.journal().len() > before)?;
        job.cancel()?;
    }
    Ok(())
}

/// The hash of the certificate that came with a request.
fn shown(request: &bits_origin::Request) -> Option<[u8; 20]> {
    request.certificate.as_deref().map(bits_certs::identity::hash)
}

fn a_server_that_refuses_a_certificate_in_the_handshake_is_an_error(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    for (versions, flaw) in VERSIONS.into_iter().flat_map(|v| [Flaw::Expired, Flaw::UnknownAuthority].map(|f| (v, f))) {
        shake_hands(&origin, &asking(ClientCertificates::Required, versions))?;
        let job = job_with_certificate(c, &origin, &format!("{versions:?} {flaw:?}"), &[flaw])?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        let expected = (ErrorContext::REMOTE_FILE, Hresult::ERROR_WINHTTP_SECURE_CHANNEL_ERROR);
        c.is("http_options.set_client_certificate_by_name.untrusted", error_of(&job)?, expected)?;
        job.cancel()?;
    }
    c.is("http_options.set_client_certificate_by_name.untrusted", origin.journal().len(), 0)
}

/// One whose key is on a smart card looks to the service like one that has none.
fn a_certificate_without_a_key_that_can_be_used_is_chosen_and_not_shown(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    shake_hands(&origin, &asking(ClientCertificates::Optional, TlsVersions::Both))?;
    let whole = client_certificate(&origin, &["Example", "Clients", "card"], &[])?;
    let hash = whole.hash;
    let ends = [
        (Certificate { key: None, ..whole.clone() }, JobState::ERROR),
        // It is the key alone that was missing.
        (whole, JobState::TRANSFERRED),
    ];
    for (certificate, end) in ends {
        c.put_certificate(HERE, "MY", certificate)?;
        let job = c.job_for(&origin.https_url("/file"), JobPriority::NORMAL)?;
        let options = job.http_options()?;
        let by_name = options.set_client_certificate_by_name(HERE, Some("MY"), Some("card"));
        let by_id = options.set_client_certificate_by_id(HERE, Some("MY"), Some(&hash));
        job.resume()?;
        c.wait(&job, end, SOON)?;
        let error = (end == JobState::ERROR).then(|| error_of(&job)).transpose()?;
        let missing = (ErrorContext::REMOTE_FILE, Hresult::ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED);
        let chosen = Ok(Success::OK);
        let expected = (chosen, (end == JobState::ERROR).then_some(missing));
        c.is("http_options.set_client_certificate_by_id.no_smart_card", (by_id, error), expected)?;
        c.is("http_options.set_client_certificate_by_name.no_smart_card", (by_name, error), expected)?;
        job.cancel()?;
    }
    Ok(())
}

fn the_first_match_is_chosen_though_its_time_is_over(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    let expired = client_certificate(&origin, &["Example", "Clients", "one"], &[Flaw::Expired])?;
    let others = [
        client_certificate(&origin, &["Example", "Clients", "one"], &[])?,
        client_certificate(&origin, &["Example", "Clients", "one"], &[])?,
    ];
    let hashes = [expired.hash, others[0].hash];
    for certificate in [expired].into_iter().chain(others) {
        c.put_certificate(HERE, "MY", certificate)?;
    }
    let options = c.new_job()?.http_options()?;
    for hash in hashes {
        options.set_client_certificate_by_name(HERE, Some("MY"), Some("one"))?;
        let chosen = options.client_certificate()?.hash;
        c.is("http_options.set_client_certificate_by_name.first_match", chosen.to_vec(), hash.to_vec())?;
        c.take_certificate(HERE, "MY", &hash)?;
    }
    Ok(())
}

fn a_certificate_is_looked_up_again_at_each_attempt(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    shake_hands(&origin, &asking(ClientCertificates::Optional, TlsVersions::Both))?;
    let job = job_with_certificate(c, &origin, "client", &[])?;
    let hash = job.http_options()?.client_certificate()?.hash;
    c.take_certificate(HERE, "MY", &hash)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let missing = (ErrorContext::REMOTE_FILE, Hresult::ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED);
    c.is("http_options.set_client_certificate_by_id.used_for", error_of(&job)?, missing)?;
    c.put_certificate(HERE, "MY", client_certificate(&origin, &["Example", "Clients", "new"], &[])?)?;
    let options = job.http_options()?;
    options.set_client_certificate_by_name(HERE, Some("MY"), Some("new"))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let hash = options.client_certificate()?.hash;
    c.holds(
        "http_options.set_client_certificate_by_name.used_for",
        "the requests come with the new certificate",
        all_came_with(&origin, hash),
    )
}

fn plain_http_needs_no_certificate(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    let certificate = client_certificate(&origin, &["Example"], &[])?;
    let hash = certificate.hash;
    c.put_certificate(HERE, "MY", certificate)?;
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    job.http_options()?.set_client_certificate_by_id(HERE, Some("MY"), Some(&hash))?;
    // Not even one that is gone is missed.
    c.take_certificate(HERE, "MY", &hash)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    let shown = origin.journal().iter().filter(|request| request.certificate.is_some()).count();
    let came = c.downloaded()? == Synthetic::new(SIZE, 1).bytes(0..SIZE);
    c.is(
        [
            "http_options.set_client_certificate_by_id.http_only",
            "http_options.set_client_certificate_by_name.http_only",
        ],
        (shown, came),
        (0, true),
    )
}

/// The faults of a server, each with its flag and its code.
const FAULTS: [(Flaw, SecurityFlags, Hresult); 4] = [
    (Flaw::UnknownAuthority, SecurityFlags::IGNORE_UNKNOWN_CA, Hresult::ERROR_WINHTTP_SECURE_INVALID_CA),
    (Flaw::Expired, SecurityFlags::IGNORE_CERT_DATE_INVALID, Hresult::ERROR_WINHTTP_SECURE_CERT_DATE_INVALID),
    (Flaw::OtherName, SecurityFlags::IGNORE_CERT_CN_INVALID, Hresult::ERROR_WINHTTP_SECURE_CERT_CN_INVALID),
    (Flaw::OtherUsage, SecurityFlags::IGNORE_CERT_WRONG_USAGE, Hresult::ERROR_WINHTTP_SECURE_CERT_WRONG_USAGE),
];

/// How a job with these flags ends at a server with these flaws: its code, or none.
fn end(c: &Bench, origin: &Origin, found: &[Flaw], flags: SecurityFlags) -> Result<Option<Hresult>, Stop> {
    shake_hands(origin, &Handshake { flaws: found.to_vec(), ..Handshake::default() })?;
    let job = c.job_for(&origin.https_url("/file"), JobPriority::NORMAL)?;
    job.http_options()?.set_security_flags(flags)?;
    job.resume()?;
    c.settle()?;
    let code = match job.state()? {
        JobState::TRANSFERRED => None,
        JobState::ERROR => Some(error_of(&job)?.1),
        state => return failed(format!("{found:?} with {flags:?}: {state}")),
    };
    job.cancel()?;
    Ok(code)
}

fn each_fault_of_a_server_is_excused_by_its_flag_and_no_other(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    for (flaw, own, code) in FAULTS {
        for (_, flag, _) in FAULTS {
            let expected = (flag != own).then_some(code);
            let clauses =
                ["http_options.set_security_flags.os_validation", "http_options.set_security_flags.cert_error_outcome"];
            c.is(clauses, end(c, &origin, &[flaw], flag)?, expected)?;
        }
    }
    Ok(())
}

fn a_server_with_every_fault_needs_every_flag(c: &mut Bench) -> Outcome {
    let origin = origin(c)?;
    let all = FAULTS.map(|(flaw, ..)| flaw);
    for number in 0..16u32 {
        let excused = |place: usize| number & (1 << place) != 0;
        let flags = (0..4).filter(|place| excused(*place)).map(|place| FAULTS[place].1).collect();
        // The first that is not excused, in the order of the table.
        let expected = (0..4).find(|place| !excused(*place)).map(|place| FAULTS[place].2);
        c.is("http_options.set_security_flags.os_validation", end(c, &origin, &all, flags)?, expected)?;
    }
    Ok(())
}
