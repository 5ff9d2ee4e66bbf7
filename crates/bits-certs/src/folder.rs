//! Certificate stores as folders of files.
//!
//! `LOCATION/STORE/` has the files of a store, such as `CURRENT_USER/MY/`; below SERVICES and USERS
//! there is a folder in between for each service, and for each user by name or SID. The stores of
//! other computers are in `REMOTE/COMPUTER/`, in the same way. A file ends in `.pem`, `.crt`,
//! `.cer`, `.der`, `.p12` or `.pfx`; the key of `NAME.crt` may be in `NAME.key`. `access.txt` in a
//! store names those who may use it, by name or SID, one a line. Other files, and names that begin
//! with a dot, are left alone. What is in a store is there in the order of the files' names.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use bits_api::CertStoreLocation;
use bits_world::{Certificate, CertificateStores, Sid};
use zeroize::Zeroizing;

use crate::identity;

/// Where the folders of stores are, by name.
const PLACES: [(&str, CertStoreLocation); 8] = [
    ("CURRENT_USER", CertStoreLocation::CURRENT_USER),
    ("LOCAL_MACHINE", CertStoreLocation::LOCAL_MACHINE),
    ("CURRENT_SERVICE", CertStoreLocation::CURRENT_SERVICE),
    ("SERVICES", CertStoreLocation::SERVICES),
    ("USERS", CertStoreLocation::USERS),
    ("CURRENT_USER_GROUP_POLICY", CertStoreLocation::CURRENT_USER_GROUP_POLICY),
    ("LOCAL_MACHINE_GROUP_POLICY", CertStoreLocation::LOCAL_MACHINE_GROUP_POLICY),
    ("LOCAL_MACHINE_ENTERPRISE", CertStoreLocation::LOCAL_MACHINE_ENTERPRISE),
];
const REMOTE: &str = "REMOTE";
const ACCESS: &str = "access.txt";
const KEY: &str = "key";
const ENDINGS: [&str; 6] = ["pem", "crt", "cer", "der", "p12", "pfx"];

/// More bytes than any file of a store has.
const TOO_MANY: usize = 1024 * 1024;

/// The location of this name: that of its constant, without `BG_CERT_STORE_LOCATION_`.
pub fn location(name: &str) -> Option<CertStoreLocation> {
    PLACES.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, location)| *location)
}

/// The name of a location; a number where there is none.
pub fn location_name(location: CertStoreLocation) -> String {
    let known = PLACES.iter().find(|(_, own)| *own == location);
    known.map_or_else(|| location.0.to_string(), |(name, _)| (*name).to_owned())
}

/// The names of all locations, for a person.
pub fn location_names() -> String {
    PLACES.map(|(name, _)| name).join(", ")
}

/// What is wrong with a folder of stores: which file, what, and how to mend it, in one line.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}: {what}", .path.display())]
pub struct FolderError {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong with it, and how to mend it.
    pub what: String,
}

impl FolderError {
    fn new(path: &Path, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), what: what.into() }
    }
}

/// The store of a folder.
#[derive(Debug)]
pub struct Store {
    /// Where it is.
    pub location: CertStoreLocation,
    /// Its name, as BITS is given it.
    pub name: String,
    /// Who may use it, if not everybody.
    pub users: Option<Vec<Sid>>,
    /// What is in it, with the file that it is from.
    pub certificates: Vec<(PathBuf, Certificate)>,
}

/// What came of putting a certificate into a store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Put {
    /// It is new there, or has a key now.
    New,
    /// It was there, with a key where this one has one.
    Known,
}

/// A folder of certificate stores.
pub struct StoreFolder<'a> {
    path: PathBuf,
    password: &'a dyn Fn(&Path) -> Option<Zeroizing<String>>,
}

impl StoreFolder<'static> {
    /// The stores in `path`; where there is no such folder, there are none. Its PKCS#12 files have
    /// no passwords.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), password: &|_| None }
    }
}

impl<'a> StoreFolder<'a> {
    /// The stores in `path`, with a password for each PKCS#12 file that has one.
    pub fn with_passwords(path: impl Into<PathBuf>, password: &'a dyn Fn(&Path) -> Option<Zeroizing<String>>) -> Self {
        Self { path: path.into(), password }
    }

    /// Puts everything into the stores of a world; what is in the places of the current user is for
    /// `user`.
    ///
    /// # Errors
    /// [`FolderError`]; some may have been put in by then.
    pub fn load_into(&self, stores: &mut CertificateStores, user: &Sid) -> Result<(), FolderError> {
        for store in self.stores()? {
            if let Some(users) = store.users {
                stores.allow_only(store.location, &store.name, user, users);
            }
            for (_, certificate) in store.certificates {
                stores.add(store.location, &store.name, user, certificate);
            }
        }
        Ok(())
    }

    /// Every store with what is in it.
    ///
    /// # Errors
    /// [`FolderError`] for the first that is wrong.
    pub fn stores(&self) -> Result<Vec<Store>, FolderError> {
        let mut found = Vec::new();
        for (name, path) in folders_in(&self.path)? {
            if !name.eq_ignore_ascii_case(REMOTE) {
                self.stores_of(&name, &path, "", &mut found)?;
                continue;
            }
            for (computer, path) in folders_in(&path)? {
                for (name, path) in folders_in(&path)? {
                    self.stores_of(&name, &path, &format!(r"\\{computer}\"), &mut found)?;
                }
            }
        }
        Ok(found)
    }

    /// What is in one store; `None` where there is no such store.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn store(&self, location: CertStoreLocation, name: &str) -> Result<Option<Store>, FolderError> {
        let path = self.folder_of(location, name)?;
        if path.is_dir() { self.read(location, name.to_owned(), &path).map(Some) } else { Ok(None) }
    }

    /// Puts a certificate into a store, as a file that its owner alone may read. One that is there
    /// already keeps its key.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn add(&self, location: CertStoreLocation, name: &str, certificate: &Certificate) -> Result<Put, FolderError> {
        let folder = self.folder_of(location, name)?;
        if let Some(store) = self.store(location, name)? {
            let mut same = store.certificates.iter().filter(|(_, there)| there.hash == certificate.hash);
            if same.any(|(_, there)| there.key.is_some() || certificate.key.is_none()) {
                return Ok(Put::Known);
            }
        }
        let text = identity::to_pem(certificate).map_err(|error| FolderError::new(&folder, error.to_string()))?;
        make_folder(&folder)?;
        write_secret(&folder, &format!("{}.pem", thumbprint(&certificate.hash)), text.as_bytes())?;
        Ok(Put::New)
    }

    /// Takes a certificate out of a store; returns whether it was there.
    ///
    /// # Errors
    /// [`FolderError`], as for a file that has others in it too.
    pub fn remove(&self, location: CertStoreLocation, name: &str, hash: &[u8; 20]) -> Result<bool, FolderError> {
        let Some(store) = self.store(location, name)? else { return Ok(false) };
        let of = |(path, certificate): &(PathBuf, Certificate)| (certificate.hash == *hash).then(|| path.clone());
        let files: Vec<_> = store.certificates.iter().filter_map(of).collect();
        for file in &files {
            if store.certificates.iter().any(|(path, certificate)| path == file && certificate.hash != *hash) {
                return Err(FolderError::new(file, "has other certificates too: take it out of the file by hand"));
            }
            for file in [Some(file.clone()), key_of(file)].into_iter().flatten() {
                fs::remove_file(&file)
                    .map_err(|error| FolderError::new(&file, format!("cannot be removed: {error}")))?;
            }
        }
        Ok(!files.is_empty())
    }

    fn stores_of(&self, place: &str, path: &Path, before: &str, found: &mut Vec<Store>) -> Result<(), FolderError> {
        let Some(location) = location(place) else {
            let mend = format!("is no location of certificate stores: those are {}, and {REMOTE}", location_names());
            return Err(FolderError::new(path, mend));
        };
        for (name, path) in folders_in(path)? {
            if !has_owners(location) {
                found.push(self.read(location, format!("{before}{name}"), &path)?);
                continue;
            }
            let owner = if location == CertStoreLocation::USERS { sid(&name).to_string() } else { name };
            for (name, path) in folders_in(&path)? {
                found.push(self.read(location, format!(r"{before}{owner}\{name}"), &path)?);
            }
        }
        Ok(())
    }

    fn read(&self, location: CertStoreLocation, name: String, path: &Path) -> Result<Store, FolderError> {
        let mut store = Store { location, name, users: None, certificates: Vec::new() };
        for (name, file) in files_in(path)? {
            if name.eq_ignore_ascii_case(ACCESS) {
                store.users = Some(users_of(&file)?);
            } else if has_ending(&file, &[KEY]) {
                let owner = ENDINGS.iter().map(|ending| file.with_extension(ending)).find(|other| other.is_file());
                owner.ok_or_else(|| {
                    FolderError::new(
                        &file,
                        "there is no certificate for this key: put it into a file of the same name, ending in .crt",
                    )
                })?;
            } else if has_ending(&file, &ENDINGS) {
                let read = self.certificates_of(&file)?;
                store.certificates.extend(read.into_iter().map(|certificate| (file.clone(), certificate)));
            }
        }
        Ok(store)
    }

    fn certificates_of(&self, file: &Path) -> Result<Vec<Certificate>, FolderError> {
        let password = (self.password)(file);
        read(file, key_of(file).as_deref(), password.as_ref().map(|password| password.as_str()))
    }

    /// The folder of a store: the one that is there, in whatever case, or the one to be made.
    fn folder_of(&self, location: CertStoreLocation, name: &str) -> Result<PathBuf, FolderError> {
        let mut parts = Vec::new();
        let mut rest = name;
        if let Some((computer, store)) = name.strip_prefix(r"\\").and_then(|rest| rest.split_once('\\')) {
            parts.extend([REMOTE.to_owned(), computer.to_owned()]);
            rest = store;
        }
        parts.push(location_name(location));
        if has_owners(location)
            && let Some((owner, store)) = rest.split_once('\\')
        {
            parts.push(owner.to_owned());
            rest = store;
        } else if has_owners(location) {
            return Err(FolderError::new(&self.path, format!(r"{name} does not say whose: OWNER\{name}")));
        }
        parts.push(rest.to_owned());
        let mut path = self.path.clone();
        for part in parts {
            let fits = !part.starts_with('.') && !part.is_empty() && !part.contains(['/', '\\', ':', '\0']);
            if !fits {
                let what = format!("{} cannot be the name of a folder, and so of no store here", part.escape_debug());
                return Err(FolderError::new(&self.path, what));
            }
            let is_same = |there: &str| {
                let is_user = location == CertStoreLocation::USERS && sid(there) == sid(&part);
                is_user || there.to_uppercase() == part.to_uppercase()
            };
            let there = folders_in(&path)?.into_iter().find(|(there, _)| is_same(there));
            path = there.map_or_else(|| path.join(&part), |(_, path)| path);
        }
        Ok(path)
    }
}

/// What is in a file of a store, with the key of another one, or with the password that a PKCS#12
/// file has.
///
/// # Errors
/// [`FolderError`].
pub fn read(file: &Path, key: Option<&Path>, password: Option<&str>) -> Result<Vec<Certificate>, FolderError> {
    let data = read_file(file)?;
    let read = match key {
        Some(path) => {
            let key =
                identity::key_from(&read_file(path)?).map_err(|error| FolderError::new(path, error.to_string()))?;
            identity::from_file_and_key(&data, &key).map(|certificate| vec![certificate])
        }
        None => identity::from_file(&data, password),
    };
    read.map_err(|error| FolderError::new(file, error.to_string()))
}

/// Forty hexadecimal digits, as Windows shows the hash of a certificate.
pub fn thumbprint(hash: &[u8; 20]) -> String {
    hash.iter().fold(String::new(), |text, byte| text + &format!("{byte:02X}"))
}

/// The hash of forty hexadecimal digits, with or without spaces or colons in between.
pub fn hash_of(thumbprint: &str) -> Option<[u8; 20]> {
    let digits: Vec<u8> = thumbprint
        .chars()
        .filter(|c| !matches!(c, ' ' | ':'))
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| (byte << 4) | digit)).collect();
    if digits.len() == 40 { bytes.try_into().ok() } else { None }
}

fn has_owners(location: CertStoreLocation) -> bool {
    matches!(location, CertStoreLocation::SERVICES | CertStoreLocation::USERS)
}

/// A user by name or SID.
fn sid(name: &str) -> Sid {
    if name.to_uppercase().starts_with("S-1-") { Sid::new(name.to_uppercase()) } else { Sid::of_name(name) }
}

fn has_ending(file: &Path, endings: &[&str]) -> bool {
    let own = file.extension().and_then(|ending| ending.to_str());
    own.is_some_and(|own| endings.iter().any(|ending| ending.eq_ignore_ascii_case(own)))
}

/// The file with the key of this one, if there is one.
fn key_of(file: &Path) -> Option<PathBuf> {
    Some(file.with_extension(KEY)).filter(|key| key.is_file())
}

fn users_of(file: &Path) -> Result<Vec<Sid>, FolderError> {
    let text = String::from_utf8(read_file(file)?.to_vec()).map_err(|_| FolderError::new(file, "is not UTF-8"))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(sid).collect())
}

/// What is in a folder, by name: nothing where there is none, nor what begins with a dot.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, FolderError> {
    let failed = |error: io::Error| FolderError::new(folder, format!("cannot be read: {error}"));
    let all = match fs::read_dir(folder) {
        Ok(all) => all,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in all {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if !name.starts_with('.') {
            found.push((name, path));
        }
    }
    found.sort();
    Ok(found)
}

/// The folders in a folder, where a certificate would be lost.
fn folders_in(folder: &Path) -> Result<Vec<(String, PathBuf)>, FolderError> {
    let (folders, files): (Vec<_>, Vec<_>) = entries(folder)?.into_iter().partition(|(_, path)| path.is_dir());
    match files.into_iter().find(|(_, path)| has_ending(path, &ENDINGS)) {
        Some((_, file)) => Err(FolderError::new(&file, "is in no store: put it into a folder such as CURRENT_USER/MY")),
        None => Ok(folders),
    }
}

fn files_in(folder: &Path) -> Result<Vec<(String, PathBuf)>, FolderError> {
    Ok(entries(folder)?.into_iter().filter(|(_, path)| !path.is_dir()).collect())
}

/// All of a file, which may be a key.
fn read_file(file: &Path) -> Result<Zeroizing<Vec<u8>>, FolderError> {
    let mut data = Zeroizing::new(Vec::with_capacity(64 * 1024));
    let read = File::open(file).and_then(|file| file.take(TOO_MANY as u64).read_to_end(&mut data));
    read.map_err(|error| FolderError::new(file, format!("cannot be read: {error}")))?;
    if data.len() == TOO_MANY {
        return Err(FolderError::new(file, "is larger than a file of certificates may be, 1 MiB"));
    }
    Ok(data)
}

fn make_folder(folder: &Path) -> Result<(), FolderError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| FolderError::new(folder, format!("cannot be made: {error}")))
}

/// Writes a file that its owner alone may read, all of it or nothing.
fn write_secret(folder: &Path, name: &str, data: &[u8]) -> Result<(), FolderError> {
    let (file, new) = (folder.join(name), folder.join(format!(".{name}.new")));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // What a run that was killed has left, with whatever rights.
    let _ = fs::remove_file(&new);
    let written = options.open(&new).and_then(|mut open| open.write_all(data).and_then(|()| open.sync_all()));
    written.and_then(|()| fs::rename(&new, &file)).map_err(|error| {
        let _ = fs::remove_file(&new);
        FolderError::new(&file, format!("cannot be written: {error}"))
    })
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
