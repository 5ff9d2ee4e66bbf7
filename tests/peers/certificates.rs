//! Servers' certificates with the flags that excuse their faults, and clients' certificates.

use std::fs;

use bits_emulator::api::{CertStoreLocation, Hresult, SecurityFlags};
use bits_emulator::certificates::from_pem;
use bits_emulator::world::Certificate;

use super::Report;
use super::servers::Servers;
use super::setup::{SMALL, Setup};

pub(crate) fn show(servers: &Servers, report: &mut Report) {
    let setup = Setup::new(servers);
    for (port, faults) in FAULTY {
        for excused in subsets() {
            let name = format!("{port} with {}", names(excused));
            report.row(&name, server(&setup, servers, port, *faults, excused));
        }
    }
    for (port, refusal) in ASKING {
        for shown in SHOWN {
            let name = format!("{port} is shown {}", shown.unwrap_or("nothing"));
            report.row(&name, client(&setup, servers, port, *refusal, *shown));
        }
    }
}

/// Faults, in the order in which they are told, by the flag that excuses each.
const FAULTS: &[(SecurityFlags, &str, Hresult)] = &[
    (SecurityFlags::IGNORE_UNKNOWN_CA, "ca", Hresult::ERROR_WINHTTP_SECURE_INVALID_CA),
    (SecurityFlags::IGNORE_CERT_DATE_INVALID, "date", Hresult::ERROR_WINHTTP_SECURE_CERT_DATE_INVALID),
    (SecurityFlags::IGNORE_CERT_CN_INVALID, "cn", Hresult::ERROR_WINHTTP_SECURE_CERT_CN_INVALID),
    (SecurityFlags::IGNORE_CERT_WRONG_USAGE, "usage", Hresult::ERROR_WINHTTP_SECURE_CERT_WRONG_USAGE),
];

const NONE: SecurityFlags = SecurityFlags::empty();

/// Servers, and what is wrong with their certificates.
const FAULTY: &[(&str, SecurityFlags)] = &[
    ("NGINX_TLS", NONE),
    ("NGINX_EXPIRED", SecurityFlags::IGNORE_CERT_DATE_INVALID),
    ("NGINX_WRONGNAME", SecurityFlags::IGNORE_CERT_CN_INVALID),
    ("NGINX_WRONGEKU", SecurityFlags::IGNORE_CERT_WRONG_USAGE),
    ("NGINX_UNKNOWNCA", SecurityFlags::IGNORE_UNKNOWN_CA),
    ("NGINX_NOCHAIN", SecurityFlags::IGNORE_UNKNOWN_CA),
    (
        "NGINX_WORST",
        SecurityFlags::IGNORE_UNKNOWN_CA
            .union(SecurityFlags::IGNORE_CERT_DATE_INVALID)
            .union(SecurityFlags::IGNORE_CERT_CN_INVALID)
            .union(SecurityFlags::IGNORE_CERT_WRONG_USAGE),
    ),
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

fn server(
    setup: &Setup<'_>,
    servers: &Servers,
    port: &str,
    faults: SecurityFlags,
    excused: SecurityFlags,
) -> Result<(), String> {
    let left = faults.difference(excused);
    let expected = match FAULTS.iter().find(|(flag, ..)| left.contains(*flag)) {
        Some((.., code)) => Err(*code),
        None => Ok(()),
    };
    let job = setup.job(&format!("https://localhost:{}", servers.port(port)), &[SMALL]);
    let options = job.clone().http_options().map_err(|code| code.to_string())?;
    options.set_security_flags(excused).map_err(|code| code.to_string())?;
    setup.ends(&job, &[SMALL], expected)
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
    const HERE: CertStoreLocation = CertStoreLocation::CURRENT_USER;
    let job = setup.job(&format!("https://localhost:{}", servers.port(port)), &[SMALL]);
    if let Some(name) = shown {
        let certificate = certificate(servers, name)?;
        let hash = certificate.hash;
        setup.put_certificate(HERE, certificate);
        let options = job.clone().http_options().map_err(|code| code.to_string())?;
        options.set_client_certificate_by_id(HERE, Some("MY"), Some(&hash)).map_err(|code| code.to_string())?;
    }
    let expected = match shown {
        None => Err(Hresult::ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED),
        Some("client") => Ok(()),
        Some(_) => Err(refusal),
    };
    setup.ends(&job, &[SMALL], expected)
}

fn certificate(servers: &Servers, name: &str) -> Result<Certificate, String> {
    let read = |kind: &str| fs::read_to_string(servers.file(&format!("certs/{name}.{kind}")));
    let (certificate, key) = (read("pem"), read("key"));
    let pem = certificate.and_then(|pem| Ok(pem + &key?)).map_err(|error| format!("{name}: {error}"))?;
    from_pem(&pem)
}
