//! No value of bits-api is without its row.

use std::collections::BTreeSet;

use bitflags::Flags;
use bits_api::{
    AuthScheme, AuthTarget, CertStoreLocation, CostFlags, EnumJobsFlags, ErrorContext, FileAclFlags, FilePropertyId,
    JobPriority, JobPropertyId, JobState, JobType, NotifyFlags, PeerCacheFlags, PeerCachingFlags, ProxyUsage,
    SecurityFlags, TokenFlags,
};

use super::codes::{BITS_CODES, COM_CODES, HTTP_CODES, RPC_CODES, RPC_FAULTS, WIN32_CODES};

type Row = (&'static str, u32, &'static str);

/// Of these the metadata of Windows have nothing.
const UNKNOWN_TO_WINDOWS: [&str; 1] = ["BG_E_SERVER_EXECUTE_ENABLED"];

#[test]
fn every_enumeration_is_whole() {
    macro_rules! enums {
        ($($type:ident: $table:ident,)*) => {
            [$((stringify!($type), $type::DEFINED.iter().map(|value| (value.0, value.name())).collect::<Vec<_>>(), super::$table),)*]
        };
    }
    let enums = enums! {
        JobState: JOB_STATE,
        JobPriority: JOB_PRIORITY,
        JobType: JOB_TYPE,
        ErrorContext: ERROR_CONTEXT,
        AuthTarget: AUTH_TARGET,
        AuthScheme: AUTH_SCHEME,
        ProxyUsage: PROXY_USAGE,
        CertStoreLocation: CERT_STORE_LOCATION,
        FilePropertyId: FILE_PROPERTY_ID,
        JobPropertyId: JOB_PROPERTY_ID,
    };

    for (name, defined, table) in enums {
        let proven: Vec<_> = table.iter().map(|(_, number, windows)| (*number, Some(*windows))).collect();
        assert_eq!(proven, defined, "{name}");
    }
}

#[test]
fn every_set_of_flags_is_whole() {
    assert_eq!(names(super::FILE_ACL_FLAGS), flags::<FileAclFlags>());
    assert_eq!(names(super::SECURITY_FLAGS), flags::<SecurityFlags>());
    assert_eq!(names(super::PEER_CACHING_FLAGS), flags::<PeerCachingFlags>());
    assert_eq!(names(super::PEER_CACHE_FLAGS), flags::<PeerCacheFlags>());
    assert_eq!(
        names(super::COST_FLAGS).into_iter().chain(names(super::TRANSFER_POLICY)).collect::<BTreeSet<_>>(),
        flags::<CostFlags>()
    );
    assert_eq!(names(super::TOKEN_FLAGS), flags::<TokenFlags>());
    assert_eq!(names(super::NOTIFY_FLAGS), flags::<NotifyFlags>());
    assert_eq!(names(super::ENUM_JOBS_FLAGS), flags::<EnumJobsFlags>());
}

#[test]
fn every_code_has_a_row() {
    let tables = [BITS_CODES, COM_CODES, WIN32_CODES, HTTP_CODES, RPC_CODES, RPC_FAULTS].concat();
    let proven: BTreeSet<_> = tables.iter().map(|(_, number, windows)| (*number, *windows)).collect();

    let missing: Vec<_> = bits_api::hresult::CODES
        .iter()
        .map(|code| (code.hresult.0, bare(code.name)))
        .filter(|code| !proven.contains(code))
        .map(|(_, name)| name)
        .collect();

    assert_eq!(missing, UNKNOWN_TO_WINDOWS);
}

/// Win32's own name in that of the HRESULT which is made of it.
fn bare(name: &str) -> &str {
    name.strip_prefix("HRESULT_FROM_WIN32(").and_then(|name| name.strip_suffix(')')).unwrap_or(name)
}

/// Errors that have a name but no constant.
#[cfg(windows)]
#[test]
fn errors_of_disks_and_logins_are_called_as_windows_calls_them() {
    use bits_api::Hresult;
    use windows::Win32::Foundation as win32;
    macro_rules! named {
        ($($error:ident,)*) => { [$((win32::$error.0, stringify!($error)),)*] };
    }
    let named = named! {
        ERROR_TOO_MANY_OPEN_FILES,
        ERROR_NOT_SAME_DEVICE,
        ERROR_WRITE_PROTECT,
        ERROR_GEN_FAILURE,
        ERROR_LOCK_VIOLATION,
        ERROR_BAD_NETPATH,
        ERROR_UNEXP_NET_ERR,
        ERROR_NETNAME_DELETED,
        ERROR_BAD_NET_NAME,
        ERROR_FILE_EXISTS,
        ERROR_SEM_TIMEOUT,
        ERROR_FILE_TOO_LARGE,
        ERROR_FILE_INVALID,
        ERROR_DISK_QUOTA_EXCEEDED,
        ERROR_LOGON_FAILURE,
    };

    for (error, name) in named {
        let code = Hresult::from_win32(error.try_into().expect("a short number"));
        assert_eq!(code.name().as_deref(), Some(&*format!("HRESULT_FROM_WIN32({name})")));
    }
}

fn names(table: &[Row]) -> BTreeSet<&'static str> {
    table.iter().map(|(ours, ..)| *ours).collect()
}

fn flags<T: Flags>() -> BTreeSet<&'static str> {
    T::FLAGS.iter().map(bitflags::Flag::name).filter(|name| !name.is_empty()).collect()
}

/// The types of numbers that bits-api defines, by its macros.
#[cfg(not(windows))]
fn defined() -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../bits-api/src");
    let files = std::fs::read_dir(folder).expect("the sources of bits-api").map(|file| file.unwrap().path());
    let sources = files.filter(|file| file.is_file()).map(|file| std::fs::read_to_string(file).unwrap());
    let types = |source: String| {
        let blocks = source.split("windows_enum! {\n").skip(1).map(|block| (block, " {\n"));
        let blocks = blocks.chain(source.split("bitflags! {\n").skip(1).map(|block| (block, ": u32")));
        let named = blocks.map(|(block, end)| {
            let line = block.lines().map(str::trim).find(|line| !line.starts_with("///") && !line.starts_with("#["));
            let name = line.unwrap_or_default().trim_start_matches("pub struct ");
            name.split(end.trim_end()).next().unwrap_or_default().trim().to_owned()
        });
        named.collect::<Vec<_>>()
    };
    sources.flat_map(types).collect()
}

#[cfg(not(windows))]
#[test]
fn no_type_is_forgotten() {
    let proven = include_str!("../values.rs").lines().filter_map(|line| line.split_once(": ")?.1.strip_suffix(';'));
    let proven: BTreeSet<_> = proven.filter_map(|row| Some(row.split_once(", ours =>")?.0.to_owned())).collect();

    assert_eq!(proven, defined());
}
