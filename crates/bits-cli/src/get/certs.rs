//! Certificates of both sides: what servers are shown, what is excused of theirs, what is looked up
//! among the revoked, and what a person sees of them.

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use bits_api::{
    File, Hresult, HttpOptions, Job, JobState, SecurityFlags, ServerCertificate, ServerCertificateValidationCallback,
    Success, server_certificate_validation_object,
};
use bits_certs::{Description, certificates_of, folder, identity, lists_from};
use bits_service::Emulator;
use bits_world::{Sid, World};
use clap::ValueEnum;

use super::settings::refused;
use crate::cert::{self, StoreName};
use crate::{Failure, date, told};

#[derive(clap::Args)]
#[command(next_help_heading = "Certificates")]
pub(super) struct CertArguments {
    /// Shows servers that ask a certificate of a store of --state, as `bitsd cert` keeps them
    ///
    /// The certificate of this SHA-1, or the first whose subject has NAME in it, such as
    /// CURRENT_USER/MY/alice. It lasts as long as the job.
    #[arg(long, value_name = "LOCATION/STORE/HASH|NAME", verbatim_doc_comment)]
    cert: Option<Chosen>,
    /// Takes servers whose certificates have these faults; every other one still counts
    #[arg(long, value_name = "FAULT", value_delimiter = ',', value_enum)]
    ignore: Vec<Excused>,
    /// Refuses servers whose certificates are revoked, or of which that cannot be known
    #[arg(long)]
    crl_check: bool,
    /// Lists of revoked certificates for --crl-check, PEM or DER; can be repeated
    #[arg(long, value_name = "FILE", requires = "crl_check")]
    crl: Vec<PathBuf>,
    /// Prints the certificates of each server, as a certificate callback of BITS is given them
    #[arg(long)]
    show_chain: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Excused {
    /// The certificate is for another name
    Cn,
    /// It is not valid yet, or not any more
    Date,
    /// An authority that is not trusted has issued it
    Ca,
    /// It is not for servers
    Usage,
}

impl Excused {
    fn flag(self) -> SecurityFlags {
        match self {
            Self::Cn => SecurityFlags::IGNORE_CERT_CN_INVALID,
            Self::Date => SecurityFlags::IGNORE_CERT_DATE_INVALID,
            Self::Ca => SecurityFlags::IGNORE_UNKNOWN_CA,
            Self::Usage => SecurityFlags::IGNORE_CERT_WRONG_USAGE,
        }
    }
}

/// A certificate of a store, as the command line names it.
#[derive(Clone, Debug)]
struct Chosen {
    store: StoreName,
    which: Which,
}

#[derive(Clone, Debug)]
enum Which {
    Hash([u8; 20]),
    Subject(String),
}

impl FromStr for Chosen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, '/');
        let mut part = || parts.next().filter(|part| !part.is_empty());
        let (Some(location), Some(store), Some(which)) = (part(), part(), part()) else {
            return Err("LOCATION/STORE/HASH or LOCATION/STORE/NAME is wanted, as in CURRENT_USER/MY/alice".into());
        };
        let store = format!("{location}/{store}").parse()?;
        let which = folder::hash_of(which).map_or_else(|| Which::Subject(which.to_owned()), Which::Hash);
        Ok(Self { store, which })
    }
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.which {
            Which::Hash(hash) => write!(f, "{}/{}", self.store, folder::thumbprint(hash)),
            Which::Subject(name) => write!(f, "{}/{name}", self.store),
        }
    }
}

impl CertArguments {
    /// Whether there is something to give to this job, or to take from it.
    pub(super) fn concern(&self, job: &Arc<dyn Job>) -> bool {
        let is_empty = self.cert.is_none() && self.ignore.is_empty() && !self.crl_check && !self.show_chain;
        !is_empty || is_watched(job)
    }

    /// Finds wrong usage before anything begins.
    pub(super) fn check(&self, state: Option<&Path>) -> Result<(), Failure> {
        if self.cert.is_some() && state.is_none() {
            return Err(Failure::Usage("--cert is about a store of the state folder: name it by --state DIR".into()));
        }
        Ok(())
    }

    pub(super) fn has_lists(&self) -> bool {
        !self.crl.is_empty()
    }

    /// The world with the stores of the state folder, and with what is known of revoked certificates.
    pub(super) fn change(&self, world: &mut World, state: Option<&Path>) -> Result<(), Failure> {
        // What is no folder, the queue tells of.
        if let Some(state) = state.filter(|state| state.is_dir()) {
            let user = Sid::of_name(Emulator::DEFAULT_USER);
            let loaded = cert::stores(state).load_into(&mut world.certificates, &user);
            loaded.map_err(|error| {
                Failure::Failed(format!("cannot use the certificate stores: {}", cert::unreadable(&error)))
            })?;
        }
        for file in &self.crl {
            let shown = file.display();
            let data = fs::read(file).map_err(|error| Failure::Failed(format!("cannot read {shown}: {error}")))?;
            let lists = lists_from(&data).map_err(|error| Failure::Failed(format!("cannot use {shown}: {error}")))?;
            for list in lists {
                world.revocation.add(list);
            }
        }
        Ok(())
    }

    /// Gives a job that stands still what is asked for. The certificate and the flags of a job that
    /// was taken up stay where no option is about them; whoever has looked at its servers is gone.
    pub(super) fn give(&self, job: &Arc<dyn Job>) -> Result<(), Failure> {
        if let Some(chosen) = &self.cert {
            let options = job.http_options().map_err(|code| refused("--cert", OPTIONS, code))?;
            chosen.give(options.as_ref())?;
        }
        if !self.ignore.is_empty() || self.crl_check {
            let option = if self.crl_check { "--crl-check" } else { "--ignore" };
            self.set_flags(job).map_err(|code| refused(option, OPTIONS, code))?;
        }
        if self.show_chain || is_watched(job) {
            self.set_witness(job).map_err(|code| refused("--show-chain", OPTIONS_3, code))?;
        }
        Ok(())
    }

    /// What may be done about an error, where the code alone does not say it.
    pub(super) fn mend(&self, code: Hresult) -> Option<String> {
        let mend = match code {
            Hresult::ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED => match &self.cert {
                Some(chosen) => return Some(format!("{chosen} has no private key, or is not in its store any more")),
                None => "the server wants a certificate: --cert LOCATION/STORE/HASH",
            },
            Hresult::ERROR_WINHTTP_SECURE_CERT_REV_FAILED if self.crl.is_empty() => {
                "nothing is known of what its authority has revoked: --crl FILE"
            }
            Hresult::ERROR_WINHTTP_SECURE_CERT_REV_FAILED => {
                "no list of --crl is its authority's, signed by it and up to date"
            }
            Hresult::ERROR_WINHTTP_SECURE_CERT_CN_INVALID => "--ignore cn takes it nevertheless",
            Hresult::ERROR_WINHTTP_SECURE_CERT_DATE_INVALID => "--ignore date takes it nevertheless",
            Hresult::ERROR_WINHTTP_SECURE_CERT_WRONG_USAGE => "--ignore usage takes it nevertheless",
            Hresult::ERROR_WINHTTP_SECURE_INVALID_CA => "--ca PEMFILE trusts it, --ignore ca takes it nevertheless",
            Hresult::ERROR_WINHTTP_SECURE_CHANNEL_ERROR => {
                let chosen = self.cert.as_ref()?;
                return Some(format!("perhaps the server does not take {chosen}: `bitsd cert list` shows its dates"));
            }
            _ => return None,
        };
        Some(mend.to_owned())
    }

    fn set_flags(&self, job: &Arc<dyn Job>) -> Result<Success, Hresult> {
        let options = job.http_options()?;
        let mut flags = options.security_flags()?;
        if !self.ignore.is_empty() {
            for excused in Excused::value_variants() {
                flags.set(excused.flag(), self.ignore.contains(excused));
            }
        }
        flags.set(SecurityFlags::ENABLE_CRL_CHECK, self.crl_check || flags.contains(SecurityFlags::ENABLE_CRL_CHECK));
        options.set_security_flags(flags)
    }

    /// Has somebody look at the servers of a job, or nobody any more. What has all arrived asks none.
    fn set_witness(&self, job: &Arc<dyn Job>) -> Result<(), Hresult> {
        if job.state()? == JobState::SUSPENDED {
            let object = self.show_chain.then(|| server_certificate_validation_object(Arc::new(Witness)));
            // Without that interface nothing is written down of a witness.
            let options = job.http_options3()?;
            job.set_description(Some(object.as_ref().map_or("", |_| WATCHED)))?;
            options.set_server_certificate_validation_interface(object)?;
        }
        Ok(())
    }
}

impl Chosen {
    fn give(&self, options: &dyn HttpOptions) -> Result<(), Failure> {
        let (location, name) = (self.store.location, self.store.of_bits());
        let set = match &self.which {
            Which::Hash(hash) => options.set_client_certificate_by_id(location, Some(&name), Some(hash)),
            Which::Subject(subject) => options.set_client_certificate_by_name(location, Some(&name), Some(subject)),
        };
        set.map(drop).map_err(|code| {
            let mend = match code {
                Hresult::ERROR_FILE_NOT_FOUND => " (there is no such store; bitsd --state DIR cert list shows them)",
                Hresult::CRYPT_E_NOT_FOUND => " (bitsd --state DIR cert list shows what is in the store)",
                Hresult::E_ACCESSDENIED => " (the store has a list of users, and user is not on it)",
                Hresult::E_NOTIMPL => return refused("--cert", OPTIONS, code),
                _ => "",
            };
            Failure::Failed(format!("cannot show {self} to servers: {}{mend}", told(code)))
        })
    }
}

/// By which BITS is told of certificates.
const OPTIONS: &str = "IBackgroundCopyJobHttpOptions";
const OPTIONS_3: &str = "IBackgroundCopyJobHttpOptions3";

/// The description of a job that cannot go on without somebody who looks at its servers: if the run
/// is killed, the next one has to know.
const WATCHED: &str = "bitsd get --show-chain";

/// Whether a job cannot go on without somebody who looks at its servers.
fn is_watched(job: &Arc<dyn Job>) -> bool {
    job.description().is_ok_and(|text| text == WATCHED)
}

/// Prints what it is given, and takes every server.
struct Witness;

impl ServerCertificateValidationCallback for Witness {
    fn validate_server_certificate(
        &self,
        _job: Arc<dyn Job>,
        file: Arc<dyn File>,
        server: &ServerCertificate<'_>,
    ) -> Result<Success, Hresult> {
        let mut lines = vec![format!("the server of {}", bits_service::redacted(&file.remote_name()?))];
        let chain = certificates_of(server.store).unwrap_or_default();
        lines.extend(chain.iter().enumerate().flat_map(|(place, der)| described(place + 1, der)));
        let text = lines.iter().map(|line| crate::one_line(line) + "\n").collect::<String>();
        // Whoever has closed stdout does not want to know.
        let _ = std::io::stdout().write_all(text.as_bytes());
        Ok(Success::OK)
    }
}

fn described(number: usize, der: &[u8]) -> Vec<String> {
    let mut lines = vec![format!("  {number}  SHA-1 {}", folder::thumbprint(&identity::hash(der)))];
    match Description::of(&der.into()) {
        Some(own) => lines.extend([
            format!("     of {}", own.names.join(", ")),
            format!("     by {}", own.issuer),
            format!("     valid from {} to {}", date(own.not_before), date(own.not_after)),
        ]),
        None => lines.push("     cannot be read".to_owned()),
    }
    lines
}

#[cfg(test)]
mod tests {
    use bits_api::JobType;
    use bits_world::Profile;
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        certs: CertArguments,
    }

    #[test]
    fn a_bits_that_is_too_old_for_an_option_is_told_with_the_interface_that_it_lacks() {
        let table = [
            (&["--cert", "CURRENT_USER/MY/alice"][..], Profile::V2_0, "IBackgroundCopyJobHttpOptions"),
            (&["--ignore", "cn"], Profile::V2_0, "IBackgroundCopyJobHttpOptions"),
            (&["--crl-check"], Profile::V2_0, "IBackgroundCopyJobHttpOptions"),
            (&["--show-chain"], Profile::V5_0, "IBackgroundCopyJobHttpOptions3"),
        ];
        for (options, profile, interface) in table {
            let emulator = Emulator::builder().profile(profile).start().unwrap();
            let manager = emulator.client("bitsd").manager().unwrap();
            let job = manager.create_job(Some("a"), JobType::DOWNLOAD).unwrap().job;
            let Line { certs } = Line::parse_from([&["bitsd"], options].concat());

            let failure = certs.give(&job).unwrap_err().to_string();

            let told =
                format!("cannot do what {} says: this BITS has no {interface}: 0x80004002 E_NOINTERFACE", options[0]);
            assert!(failure.starts_with(&told), "{failure}");
            assert!(!is_watched(&job));
        }
    }
}
