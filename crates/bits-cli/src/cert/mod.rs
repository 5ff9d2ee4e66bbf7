//! `bitsd cert`: the certificate stores of a state folder.

mod list;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use bits_api::{CertStoreLocation, Hresult};
use bits_certs::folder::{self, FolderError, Put, StoreFolder};
use bits_world::{Certificate, Sid};

use crate::password::Source;
use crate::{Doing, Failure, told};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Folder that keeps the queue and the stores; may also stand before `cert`
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) state: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Shows what is in the stores: one certificate a line
    List {
        /// One store only
        #[arg(value_name = "LOCATION/STORE")]
        store: Option<StoreName>,
        /// Prints one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Puts the certificates of a file into a store
    ///
    /// FILE is PEM, DER or PKCS#12; with its private key it holds one certificate and those
    /// that vouch for it, without a key any number. The key may be in a file of its own.
    #[command(verbatim_doc_comment)]
    Add {
        /// The store; one that is not there is made
        #[arg(value_name = "LOCATION/STORE")]
        store: StoreName,
        /// The certificate
        file: PathBuf,
        /// Its private key, where FILE does not have it
        key: Option<PathBuf>,
        /// The environment variable that has the password of a PKCS#12 file
        #[arg(long, value_name = "NAME", conflicts_with_all = ["key", "password_file"])]
        password_env: Option<OsString>,
        /// The file whose only line is the password of a PKCS#12 file
        #[arg(long, value_name = "PATH", conflicts_with = "key")]
        password_file: Option<PathBuf>,
    },
    /// Takes a certificate, and its key, out of a store
    Remove {
        /// The store
        #[arg(value_name = "LOCATION/STORE")]
        store: StoreName,
        /// The SHA-1 of the certificate, as `list` shows it
        thumbprint: Thumbprint,
    },
}

/// The stores of a state folder.
pub(crate) fn stores(state: &Path) -> StoreFolder<'static> {
    StoreFolder::new(state.join("certificates"))
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Some(state) = &arguments.state else {
        return Err(Failure::Usage("cert is about the stores of a state folder: name it by --state DIR".into()));
    };
    if !matches!(arguments.command, Command::Add { .. }) && !state.is_dir() {
        return Err(Failure::Failed(format!("there is no folder {}", state.display())));
    }
    let stores = stores(state);
    match &arguments.command {
        Command::List { store, json } => list::print(&stores, store.as_ref(), *json),
        Command::Add { store, file, key, password_env, password_file } => {
            let source = (password_env.is_some() || password_file.is_some())
                .then(|| Source::of(password_env.as_ref(), password_file.as_ref(), "--password"));
            let password = source.map(|source| source.read("the PKCS#12 file")).transpose()?;
            let password = password.as_ref().map(|password| password.as_str());
            let mut read = folder::read(file, key.as_deref(), password).map_err(|error| {
                let mend = if lacks_password(&error) { ": name it by --password-env NAME" } else { "" };
                Failure::Failed(format!("cannot add {error}{mend}"))
            })?;
            for certificate in &mut read {
                add(&stores, store, certificate)?;
            }
            Ok(())
        }
        Command::Remove { store, thumbprint } => remove(&stores, store, thumbprint),
    }
}

fn lacks_password(error: &FolderError) -> bool {
    error.what.contains("none was given")
}

/// What is wrong with the stores, and how to mend what somebody has put there by hand.
pub(crate) fn unreadable(error: &FolderError) -> String {
    let mend = ": take it out of the folder and put it in by `bitsd cert add` with --password-env NAME";
    format!("{error}{}", if lacks_password(error) { mend } else { "" })
}

fn add(stores: &StoreFolder<'_>, store: &StoreName, certificate: &Certificate) -> Result<(), Failure> {
    let put =
        stores.add(store.location, &store.name, certificate).map_err(|error| Failure::Failed(error.to_string()))?;
    let shown = format!("{}  {}", folder::thumbprint(&certificate.hash), certificate.subject);
    say(&match put {
        Put::Known => format!("{shown}: is in {store} already"),
        Put::New if certificate.key.is_some() => format!("{shown}: added to {store} with its private key"),
        Put::New => format!("{shown}: added to {store} without a private key"),
    })
}

fn remove(stores: &StoreFolder<'_>, store: &StoreName, thumbprint: &Thumbprint) -> Result<(), Failure> {
    let shown = folder::thumbprint(&thumbprint.0);
    match stores.remove(store.location, &store.name, &thumbprint.0) {
        Err(error) => Err(Failure::Failed(error.to_string())),
        Ok(true) => say(&format!("{shown}: removed from {store}")),
        Ok(false) => {
            known(stores, store)?;
            let code = told(Hresult::CRYPT_E_NOT_FOUND);
            Err(Failure::Failed(format!("{shown} is not in {store}: {code} (cert list shows what is)")))
        }
    }
}

/// Fails for a store that is not there; the system stores always are.
fn known(stores: &StoreFolder<'_>, store: &StoreName) -> Result<(), Failure> {
    let there = stores.store(store.location, &store.name).map_err(|error| Failure::Failed(error.to_string()))?;
    let own = store.name.rsplit('\\').next().unwrap_or_default().to_uppercase();
    if there.is_some() || ["CA", "MY", "ROOT", "SPC"].contains(&own.as_str()) {
        return Ok(());
    }
    let code = told(Hresult::ERROR_FILE_NOT_FOUND);
    Err(Failure::Failed(format!("there is no store {store}: {code} (cert list shows the stores that there are)")))
}

/// A store as the command line names it: `CURRENT_USER/MY`, `SERVICES/BITS\MY`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct StoreName {
    pub(crate) location: CertStoreLocation,
    pub(crate) name: String,
}

impl StoreName {
    /// The name as BITS takes it, which knows users by their SIDs alone.
    pub(crate) fn of_bits(&self) -> String {
        match self.name.rsplit_once('\\') {
            Some((owner, store)) if self.location == CertStoreLocation::USERS && !owner.contains("S-1-") => {
                let (computer, user) = owner.rsplit_once('\\').map_or(("", owner), |(computer, user)| (computer, user));
                let before = if computer.is_empty() { String::new() } else { format!(r"{computer}\") };
                format!(r"{before}{}\{store}", Sid::of_name(user))
            }
            _ => self.name.clone(),
        }
    }
}

impl FromStr for StoreName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || "LOCATION/STORE is wanted, as in CURRENT_USER/MY".to_owned();
        let (location, name) = text.split_once('/').filter(|(_, name)| !name.is_empty()).ok_or_else(wanted)?;
        let known = || format!("there is no location {location}: those are {}", folder::location_names());
        Ok(Self { location: folder::location(location).ok_or_else(known)?, name: name.to_owned() })
    }
}

impl std::fmt::Display for StoreName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", folder::location_name(self.location), self.name)
    }
}

/// The hash of a certificate.
#[derive(Clone, Copy, Debug)]
struct Thumbprint([u8; 20]);

impl FromStr for Thumbprint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        folder::hash_of(text).map(Self).ok_or("a thumbprint has 40 hexadecimal digits")
    }
}

fn say(line: &str) -> Result<(), Failure> {
    writeln!(std::io::stdout(), "{}", crate::one_line(line)).doing("cannot print")
}
