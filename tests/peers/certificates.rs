//! Servers' certificates with the flags that excuse their faults, and clients' certificates.

use std::fs;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bits_emulator::api::{
    AuthCredentials, AuthScheme, AuthTarget, CertStoreLocation, ErrorContext, File, Hresult, Job, JobState, ProxyUsage,
    SecurityFlags, ServerCertificate, ServerCertificateValidationCallback, Success,
    server_certificate_validation_object,
};
use bits_emulator::certificates::{from_pem, from_pkcs12};
use bits_emulator::world::Certificate;

use super::Report;
use super::logs::Visit;
use super::relay::Relay;
use super::servers::Servers;
use super::setup::{HOUR, NAME, PASSWORD, SMALL, Setup};

/// Tries every row; what the logs are to say of them is left to those who read them.
pub(crate) fn show(servers: &Servers, report: &mut Report) -> Vec<Visit> {
    let setup = Setup::new(servers);
    for (port, faults) in FAULTY {
        for excused in subsets() {
            let name = format!("{port} with {}", names(excused));
            report.row(
                &name,
                judged(&setup, servers, &Look { port, flags: excused, is_behind_squid: false }, told(*faults, excused)),
            );
        }
    }
    for (port, faults) in FAULTY {
        for excused in [NONE, EVERYTHING] {
            let name = format!("{port} through SQUID with {}", names(excused));
            report.row(
                &name,
                judged(&setup, servers, &Look { port, flags: excused, is_behind_squid: true }, told(*faults, excused)),
            );
        }
    }
    for (port, refusal) in ASKING {
        for shown in SHOWN {
            let name = format!("{port} is shown {}", shown.unwrap_or("nothing"));
            report.row(&name, client(&setup, servers, port, *refusal, *shown));
        }
    }
    for has_list in [false, true] {
        let list = fs::read(servers.file("certs/ca.crl")).expect("a list");
        setup.emulator.change_world(|world| {
            world.revocation.clear();
            if has_list {
                world.revocation.add(list);
            }
        });
        for (port, excused, expected) in REVOKED {
            let expected = if has_list { *expected } else { Err(Hresult::ERROR_WINHTTP_SECURE_CERT_REV_FAILED) };
            let list = if has_list { "its authority's list" } else { "no list" };
            let flags = SecurityFlags::ENABLE_CRL_CHECK | *excused;
            report.row(
                &format!("{port} looked up in {list}"),
                judged(&setup, servers, &Look { port, flags, is_behind_squid: false }, expected),
            );
        }
    }
    let mut visits = Vec::new();
    for port in VETTED {
        let relay = Relay::to(servers.host(port));
        let name = format!("{port} through SQUID, which the application takes");
        report.row(&name, vetted(&setup, servers, &relay, None));
        let name = format!("{port} through SQUID, which the application refuses once");
        let before = relay.connections().len();
        report.row(&name, vetted(&setup, servers, &relay, Some(Hresult::E_FAIL)));
        // A server that is refused is asked for nothing.
        let refused = relay.connections().get(before).copied();
        visits.push(Visit { name, log: "nginx", connections: Vec::from_iter(refused), refusals: 0, known_as: None });
    }
    visits
}

/// Faults, in the order in which they are told, by the flag that excuses each.
const FAULTS: &[(SecurityFlags, &str, Hresult)] = &[
    (SecurityFlags::IGNORE_UNKNOWN_CA, "ca", Hresult::ERROR_WINHTTP_SECURE_INVALID_CA),
    (SecurityFlags::IGNORE_CERT_DATE_INVALID, "date", Hresult::ERROR_WINHTTP_SECURE_CERT_DATE_INVALID),
    (SecurityFlags::IGNORE_CERT_CN_INVALID, "cn", Hresult::ERROR_WINHTTP_SECURE_CERT_CN_INVALID),
    (SecurityFlags::IGNORE_CERT_WRONG_USAGE, "usage", Hresult::ERROR_WINHTTP_SECURE_CERT_WRONG_USAGE),
];

const NONE: SecurityFlags = SecurityFlags::empty();
const EVERYTHING: SecurityFlags = SecurityFlags::IGNORE_UNKNOWN_CA
    .union(SecurityFlags::IGNORE_CERT_DATE_INVALID)
    .union(SecurityFlags::IGNORE_CERT_CN_INVALID)
    .union(SecurityFlags::IGNORE_CERT_WRONG_USAGE);

/// Servers, and what is wrong with their certificates.
const FAULTY: &[(&str, SecurityFlags)] = &[
    ("NGINX_TLS", NONE),
    ("NGINX_EXPIRED", SecurityFlags::IGNORE_CERT_DATE_INVALID),
    ("NGINX_WRONGNAME", SecurityFlags::IGNORE_CERT_CN_INVALID),
    ("NGINX_WRONGEKU", SecurityFlags::IGNORE_CERT_WRONG_USAGE),
    ("NGINX_UNKNOWNCA", SecurityFlags::IGNORE_UNKNOWN_CA),
    ("NGINX_NOCHAIN", SecurityFlags::IGNORE_UNKNOWN_CA),
    ("NGINX_WORST", EVERYTHING),
    // Nobody asks for the list.
    ("NGINX_REVOKED", NONE),
];

/// Every set of flags that excuse something.
fn subsets() -> impl Iterator<Item = SecurityFlags> {
    (0..1 << FAULTS.len()).map(|bits: u32| {
        let chosen = FAULTS.iter().enumerate().filter(|(place, _)| bits & (1 << place) != 0);
        chosen.map(|(_, (flag, ..))| *flag).collect()
    })
}

fn names(flags: SecurityFlags) -> String {
    let names: Vec<_> = FAULTS.iter().filter(|(flag, ..)| flags.contains(*flag)).map(|(_, name, _)| *name).collect();
    if names.is_empty() { "nothing excused".into() } else { format!("{} excused", names.join(", ")) }
}

/// What a job is to be told of these faults.
fn told(faults: SecurityFlags, excused: SecurityFlags) -> Result<(), Hresult> {
    let left = faults.difference(excused);
    match FAULTS.iter().find(|(flag, ..)| left.contains(*flag)) {
        Some((.., code)) => Err(*code),
        None => Ok(()),
    }
}

/// How a server is looked at.
struct Look<'a> {
    port: &'a str,
    flags: SecurityFlags,
    is_behind_squid: bool,
}

fn judged(setup: &Setup<'_>, servers: &Servers, look: &Look<'_>, expected: Result<(), Hresult>) -> Result<(), String> {
    let job = setup.job(&format!("https://localhost:{}", servers.port(look.port)), &[SMALL]);
    if look.is_behind_squid {
        behind_squid(servers, &job).map_err(|code| code.to_string())?;
    }
    let options = job.clone().http_options().map_err(|code| code.to_string())?;
    options.set_security_flags(look.flags).map_err(|code| code.to_string())?;
    setup.ends(&job, &[SMALL], expected)
}

/// Servers that are looked up among the revoked, with these faults excused, when the list can be had.
const REVOKED: &[(&str, SecurityFlags, Result<(), Hresult>)] = &[
    ("NGINX_TLS", NONE, Ok(())),
    ("NGINX_EXPIRED", SecurityFlags::IGNORE_CERT_DATE_INVALID, Ok(())),
    ("NGINX_REVOKED", NONE, Err(Hresult::ERROR_WINHTTP_SECURE_CERT_REVOKED)),
    ("NGINX_REVOKED", EVERYTHING, Err(Hresult::ERROR_WINHTTP_SECURE_CERT_REVOKED)),
    // It is the list of another authority.
    ("NGINX_UNKNOWNCA", SecurityFlags::IGNORE_UNKNOWN_CA, Err(Hresult::ERROR_WINHTTP_SECURE_CERT_REV_FAILED)),
];

/// Servers whose certificate the application is asked about; two of them want one of ours.
const VETTED: &[&str] = &["NGINX_TLS", "NGINX_TLS13", "NGINX_CLIENT12", "NGINX_CLIENT13"];

/// An application that takes servers, but for the first if this says why not.
struct Application {
    refusal: Option<Hresult>,
    /// The certificates that it was asked about.
    asked: Mutex<Vec<Vec<u8>>>,
}

impl Application {
    fn asked(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerCertificateValidationCallback for Application {
    fn validate_server_certificate(
        &self,
        _job: Arc<dyn Job>,
        _file: Arc<dyn File>,
        server: &ServerCertificate<'_>,
    ) -> Result<Success, Hresult> {
        let mut asked = self.asked();
        asked.push(server.certificate.to_vec());
        self.refusal.filter(|_| asked.len() == 1).map_or(Ok(Success::OK), Err)
    }
}

fn vetted(setup: &Setup<'_>, servers: &Servers, relay: &Relay, refusal: Option<Hresult>) -> Result<(), String> {
    let application = Arc::new(Application { refusal, asked: Mutex::default() });
    let job = setup.job(&format!("https://localhost:{}", relay.port()), &[SMALL]);
    behind_squid(servers, &job).map_err(|code| code.to_string())?;
    show_certificate(setup, servers, &job, "client")?;
    let options = job.clone().http_options3().map_err(|code| code.to_string())?;
    let object = server_certificate_validation_object(Arc::clone(&application) as _);
    options.set_server_certificate_validation_interface(Some(object)).map_err(|code| code.to_string())?;

    let ended = setup.run(&job);

    if ended.err() != refusal.map(|code| (ErrorContext::SERVER_CERTIFICATE_CALLBACK, code)) {
        _ = job.cancel();
        return Err(format!("ends with {ended:?}"));
    }
    // After its delay the job asks again.
    setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).map_err(|error| format!("{error:?}"))?;
    setup.complete(&job, &[SMALL])?;
    let own = fs::read_to_string(servers.file("certs/ok.pem")).map_err(|error| error.to_string())?;
    let own = from_pem(&own).map_err(|error| error.to_string())?;
    let asked = application.asked();
    let is_about_it = asked.iter().all(|certificate| certificate[..] == own.chain[0][..]);
    if asked.len() == 1 + usize::from(refusal.is_some()) && is_about_it {
        Ok(())
    } else {
        Err(format!("it was asked {} times, about the server: {is_about_it}", asked.len()))
    }
}

fn behind_squid(servers: &Servers, job: &Arc<dyn Job>) -> Result<Success, Hresult> {
    job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&servers.host("SQUID")), None)?;
    job.clone().job2()?.set_credentials(&AuthCredentials {
        target: AuthTarget::PROXY,
        scheme: AuthScheme::BASIC,
        user_name: Some(NAME),
        password: Some(PASSWORD),
    })
}

/// Servers that ask for a certificate, and what becomes of a job that shows a bad one.
const ASKING: &[(&str, Hresult)] = &[
    ("NGINX_CLIENT12", Hresult::BG_E_HTTP_ERROR_400),
    ("NGINX_CLIENT13", Hresult::BG_E_HTTP_ERROR_400),
    ("NGINX_MAYBE12", Hresult::BG_E_HTTP_ERROR_400),
    ("NGINX_MAYBE13", Hresult::BG_E_HTTP_ERROR_400),
    ("NGINX_FORBID12", Hresult::BG_E_HTTP_ERROR_403),
    ("NGINX_FORBID13", Hresult::BG_E_HTTP_ERROR_403),
    ("APACHE_CLIENT12", Hresult::ERROR_WINHTTP_SECURE_CHANNEL_ERROR),
    ("APACHE_CLIENT13", Hresult::ERROR_WINHTTP_SECURE_CHANNEL_ERROR),
];

/// What they are shown.
const SHOWN: &[Option<&str>] = &[None, Some("client"), Some("client-expired"), Some("client-unknownca")];

fn client(
    setup: &Setup<'_>,
    servers: &Servers,
    port: &str,
    refusal: Hresult,
    shown: Option<&str>,
) -> Result<(), String> {
    let job = setup.job(&format!("https://localhost:{}", servers.port(port)), &[SMALL]);
    if let Some(name) = shown {
        show_certificate(setup, servers, &job, name)?;
    }
    let expected = match shown {
        None => Err(Hresult::ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED),
        Some("client") => Ok(()),
        Some(_) => Err(refusal),
    };
    setup.ends(&job, &[SMALL], expected)
}

/// Lets the job show that certificate to whoever asks.
fn show_certificate(setup: &Setup<'_>, servers: &Servers, job: &Arc<dyn Job>, name: &str) -> Result<(), String> {
    const HERE: CertStoreLocation = CertStoreLocation::CURRENT_USER;
    let certificate = certificate(servers, name)?;
    let hash = certificate.hash;
    setup.put_certificate(HERE, certificate);
    let options = job.clone().http_options().map_err(|code| code.to_string())?;
    options.set_client_certificate_by_id(HERE, Some("MY"), Some(&hash)).map_err(|code| code.to_string())?;
    Ok(())
}

/// A certificate with its key.
fn certificate(servers: &Servers, name: &str) -> Result<Certificate, String> {
    let file = fs::read(servers.file(&format!("certs/{name}.p12"))).map_err(|error| format!("{name}: {error}"))?;
    from_pkcs12(&file, Some(PASSWORD)).map_err(|error| format!("{name}: {error}"))
}
