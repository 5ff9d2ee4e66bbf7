//! Each number of bits-api is Windows' own.
//!
//! Proven when the crate is compiled for Windows: a row compares a constant of bits-api with the one
//! that the `windows` crate has from Windows' metadata. On every system tests prove that no row is
//! missing, and that the names are those of Windows. `BG_SIZE_UNKNOWN` and `BG_LENGTH_TO_EOF` are
//! macros of the header, of which the metadata have nothing.

#[cfg(windows)]
#[allow(clippy::wildcard_imports, reason = "the names of the SDK, each in one table")]
use windows::Win32::Networking::BackgroundIntelligentTransferService::*;

mod codes;
#[cfg(test)]
mod tests;

/// Compares the constants of a type with those of Windows, `ours` and `windows` being read as numbers
/// as it is said here.
macro_rules! equal {
    ($table:ident: $type:ident, $ours:ident => $our_number:expr, $windows:ident => $windows_number:expr;
        $($value:ident = $constant:ident,)*) => {
        $(#[cfg(windows)]
        const _: () = {
            let ($ours, $windows) = (bits_api::$type::$value, $constant);
            assert!($our_number == $windows_number, concat!(stringify!($constant), " has another value"));
        };)*

        /// Our name, the number, and Windows' name.
        #[cfg(test)]
        pub(super) const $table: &[(&str, u32, &str)] = &[$({
            let $ours = bits_api::$type::$value;
            (stringify!($value), $our_number, stringify!($constant))
        },)*];
    };
}

use equal;

equal! {
    JOB_STATE: JobState, ours => ours.0, windows => windows.0.cast_unsigned();
    QUEUED = BG_JOB_STATE_QUEUED,
    CONNECTING = BG_JOB_STATE_CONNECTING,
    TRANSFERRING = BG_JOB_STATE_TRANSFERRING,
    SUSPENDED = BG_JOB_STATE_SUSPENDED,
    ERROR = BG_JOB_STATE_ERROR,
    TRANSIENT_ERROR = BG_JOB_STATE_TRANSIENT_ERROR,
    TRANSFERRED = BG_JOB_STATE_TRANSFERRED,
    ACKNOWLEDGED = BG_JOB_STATE_ACKNOWLEDGED,
    CANCELLED = BG_JOB_STATE_CANCELLED,
}

equal! {
    JOB_PRIORITY: JobPriority, ours => ours.0, windows => windows.0.cast_unsigned();
    FOREGROUND = BG_JOB_PRIORITY_FOREGROUND,
    HIGH = BG_JOB_PRIORITY_HIGH,
    NORMAL = BG_JOB_PRIORITY_NORMAL,
    LOW = BG_JOB_PRIORITY_LOW,
}

equal! {
    JOB_TYPE: JobType, ours => ours.0, windows => windows.0.cast_unsigned();
    DOWNLOAD = BG_JOB_TYPE_DOWNLOAD,
    UPLOAD = BG_JOB_TYPE_UPLOAD,
    UPLOAD_REPLY = BG_JOB_TYPE_UPLOAD_REPLY,
}

equal! {
    ERROR_CONTEXT: ErrorContext, ours => ours.0, windows => windows.0.cast_unsigned();
    NONE = BG_ERROR_CONTEXT_NONE,
    UNKNOWN = BG_ERROR_CONTEXT_UNKNOWN,
    GENERAL_QUEUE_MANAGER = BG_ERROR_CONTEXT_GENERAL_QUEUE_MANAGER,
    QUEUE_MANAGER_NOTIFICATION = BG_ERROR_CONTEXT_QUEUE_MANAGER_NOTIFICATION,
    LOCAL_FILE = BG_ERROR_CONTEXT_LOCAL_FILE,
    REMOTE_FILE = BG_ERROR_CONTEXT_REMOTE_FILE,
    GENERAL_TRANSPORT = BG_ERROR_CONTEXT_GENERAL_TRANSPORT,
    REMOTE_APPLICATION = BG_ERROR_CONTEXT_REMOTE_APPLICATION,
    SERVER_CERTIFICATE_CALLBACK = BG_ERROR_CONTEXT_SERVER_CERTIFICATE_CALLBACK,
}

equal! {
    AUTH_TARGET: AuthTarget, ours => ours.0, windows => windows.0.cast_unsigned();
    SERVER = BG_AUTH_TARGET_SERVER,
    PROXY = BG_AUTH_TARGET_PROXY,
}

equal! {
    AUTH_SCHEME: AuthScheme, ours => ours.0, windows => windows.0.cast_unsigned();
    BASIC = BG_AUTH_SCHEME_BASIC,
    DIGEST = BG_AUTH_SCHEME_DIGEST,
    NTLM = BG_AUTH_SCHEME_NTLM,
    NEGOTIATE = BG_AUTH_SCHEME_NEGOTIATE,
    PASSPORT = BG_AUTH_SCHEME_PASSPORT,
}

equal! {
    PROXY_USAGE: ProxyUsage, ours => ours.0, windows => windows.0.cast_unsigned();
    PRECONFIG = BG_JOB_PROXY_USAGE_PRECONFIG,
    NO_PROXY = BG_JOB_PROXY_USAGE_NO_PROXY,
    OVERRIDE = BG_JOB_PROXY_USAGE_OVERRIDE,
    AUTODETECT = BG_JOB_PROXY_USAGE_AUTODETECT,
}

equal! {
    CERT_STORE_LOCATION: CertStoreLocation, ours => ours.0, windows => windows.0.cast_unsigned();
    CURRENT_USER = BG_CERT_STORE_LOCATION_CURRENT_USER,
    LOCAL_MACHINE = BG_CERT_STORE_LOCATION_LOCAL_MACHINE,
    CURRENT_SERVICE = BG_CERT_STORE_LOCATION_CURRENT_SERVICE,
    SERVICES = BG_CERT_STORE_LOCATION_SERVICES,
    USERS = BG_CERT_STORE_LOCATION_USERS,
    CURRENT_USER_GROUP_POLICY = BG_CERT_STORE_LOCATION_CURRENT_USER_GROUP_POLICY,
    LOCAL_MACHINE_GROUP_POLICY = BG_CERT_STORE_LOCATION_LOCAL_MACHINE_GROUP_POLICY,
    LOCAL_MACHINE_ENTERPRISE = BG_CERT_STORE_LOCATION_LOCAL_MACHINE_ENTERPRISE,
}

equal! {
    FILE_PROPERTY_ID: FilePropertyId, ours => ours.0, windows => windows.0.cast_unsigned();
    HTTP_RESPONSE_HEADERS = BITS_FILE_PROPERTY_ID_HTTP_RESPONSE_HEADERS,
}

equal! {
    JOB_PROPERTY_ID: JobPropertyId, ours => ours.0, windows => windows.0.cast_unsigned();
    COST_FLAGS = BITS_JOB_PROPERTY_ID_COST_FLAGS,
    NOTIFICATION_CLSID = BITS_JOB_PROPERTY_NOTIFICATION_CLSID,
    DYNAMIC_CONTENT = BITS_JOB_PROPERTY_DYNAMIC_CONTENT,
    HIGH_PERFORMANCE = BITS_JOB_PROPERTY_HIGH_PERFORMANCE,
    MAX_DOWNLOAD_SIZE = BITS_JOB_PROPERTY_MAX_DOWNLOAD_SIZE,
    USE_STORED_CREDENTIALS = BITS_JOB_PROPERTY_USE_STORED_CREDENTIALS,
    MINIMUM_NOTIFICATION_INTERVAL_MS = BITS_JOB_PROPERTY_MINIMUM_NOTIFICATION_INTERVAL_MS,
    ON_DEMAND_MODE = BITS_JOB_PROPERTY_ON_DEMAND_MODE,
}

equal! {
    FILE_ACL_FLAGS: FileAclFlags, ours => ours.bits(), windows => windows;
    OWNER = BG_COPY_FILE_OWNER,
    GROUP = BG_COPY_FILE_GROUP,
    DACL = BG_COPY_FILE_DACL,
    SACL = BG_COPY_FILE_SACL,
}

equal! {
    SECURITY_FLAGS: SecurityFlags, ours => ours.bits(), windows => windows;
    ENABLE_CRL_CHECK = BG_SSL_ENABLE_CRL_CHECK,
    IGNORE_CERT_CN_INVALID = BG_SSL_IGNORE_CERT_CN_INVALID,
    IGNORE_CERT_DATE_INVALID = BG_SSL_IGNORE_CERT_DATE_INVALID,
    IGNORE_UNKNOWN_CA = BG_SSL_IGNORE_UNKNOWN_CA,
    IGNORE_CERT_WRONG_USAGE = BG_SSL_IGNORE_CERT_WRONG_USAGE,
    REDIRECT_POLICY_ALLOW_REPORT = BG_HTTP_REDIRECT_POLICY_ALLOW_REPORT,
    REDIRECT_POLICY_DISALLOW = BG_HTTP_REDIRECT_POLICY_DISALLOW,
    REDIRECT_POLICY_MASK = BG_HTTP_REDIRECT_POLICY_MASK,
    REDIRECT_POLICY_ALLOW_HTTPS_TO_HTTP = BG_HTTP_REDIRECT_POLICY_ALLOW_HTTPS_TO_HTTP,
}

equal! {
    PEER_CACHING_FLAGS: PeerCachingFlags, ours => ours.bits(), windows => windows;
    ENABLE_CLIENT = BG_JOB_ENABLE_PEERCACHING_CLIENT,
    ENABLE_SERVER = BG_JOB_ENABLE_PEERCACHING_SERVER,
    DISABLE_BRANCH_CACHE = BG_JOB_DISABLE_BRANCH_CACHE,
}

equal! {
    PEER_CACHE_FLAGS: PeerCacheFlags, ours => ours.bits(), windows => windows;
    ENABLE_CLIENT = BG_ENABLE_PEERCACHING_CLIENT,
    ENABLE_SERVER = BG_ENABLE_PEERCACHING_SERVER,
    DISABLE_BRANCH_CACHE = BG_DISABLE_BRANCH_CACHE,
}

equal! {
    COST_FLAGS: CostFlags, ours => ours.bits(), windows => windows;
    UNRESTRICTED = BITS_COST_STATE_UNRESTRICTED,
    CAPPED_USAGE_UNKNOWN = BITS_COST_STATE_CAPPED_USAGE_UNKNOWN,
    BELOW_CAP = BITS_COST_STATE_BELOW_CAP,
    NEAR_CAP = BITS_COST_STATE_NEAR_CAP,
    OVERCAP_CHARGED = BITS_COST_STATE_OVERCAP_CHARGED,
    OVERCAP_THROTTLED = BITS_COST_STATE_OVERCAP_THROTTLED,
    USAGE_BASED = BITS_COST_STATE_USAGE_BASED,
    ROAMING = BITS_COST_STATE_ROAMING,
    RESERVED = BITS_COST_STATE_RESERVED,
    IGNORE_CONGESTION = BITS_COST_OPTION_IGNORE_CONGESTION,
}

equal! {
    TRANSFER_POLICY: CostFlags, ours => ours.bits(), windows => windows.0.cast_unsigned();
    TRANSFER_ALWAYS = BITS_JOB_TRANSFER_POLICY_ALWAYS,
    TRANSFER_NOT_ROAMING = BITS_JOB_TRANSFER_POLICY_NOT_ROAMING,
    TRANSFER_NO_SURCHARGE = BITS_JOB_TRANSFER_POLICY_NO_SURCHARGE,
    TRANSFER_STANDARD = BITS_JOB_TRANSFER_POLICY_STANDARD,
    TRANSFER_UNRESTRICTED = BITS_JOB_TRANSFER_POLICY_UNRESTRICTED,
}

equal! {
    TOKEN_FLAGS: TokenFlags, ours => ours.bits(), windows => windows.0;
    LOCAL_FILE = BG_TOKEN_LOCAL_FILE,
    NETWORK = BG_TOKEN_NETWORK,
}

equal! {
    NOTIFY_FLAGS: NotifyFlags, ours => ours.bits(), windows => windows;
    JOB_TRANSFERRED = BG_NOTIFY_JOB_TRANSFERRED,
    JOB_ERROR = BG_NOTIFY_JOB_ERROR,
    DISABLE = BG_NOTIFY_DISABLE,
    JOB_MODIFICATION = BG_NOTIFY_JOB_MODIFICATION,
    FILE_TRANSFERRED = BG_NOTIFY_FILE_TRANSFERRED,
    FILE_RANGES_TRANSFERRED = BG_NOTIFY_FILE_RANGES_TRANSFERRED,
}

equal! {
    ENUM_JOBS_FLAGS: EnumJobsFlags, ours => ours.bits(), windows => windows;
    ALL_USERS = BG_JOB_ENUM_ALL_USERS,
}
