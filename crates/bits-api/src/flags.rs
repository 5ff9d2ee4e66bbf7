//! Enumerations and flag sets as newtypes over Windows' integers.
//!
//! A client may send any integer, so none of these is a Rust enum.

/// Defines a newtype over `u32` whose named values equal those of Windows' headers.
macro_rules! windows_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $value:ident = $number:literal => $windows:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize)]
        pub struct $name(pub u32);

        impl $name {
            $($(#[$vmeta])* pub const $value: Self = Self($number);)*

            /// Every defined value, in declaration order.
            pub const DEFINED: &[Self] = &[$(Self::$value,)*];

            /// Windows' name of the value, or `None` when it is undefined.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($windows),)*
                    _ => None,
                }
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, concat!(stringify!($name), "({:#x})"), self.0),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(self, f)
            }
        }
    };
}

pub(crate) use windows_enum;

windows_enum! {
    /// BG_JOB_STATE: what a job is doing (1.0; clauses `enum.job_state.*`).
    JobState {
        /// Ready to run: waiting for the scheduler or for its owner to log on.
        QUEUED = 0 => "BG_JOB_STATE_QUEUED",
        /// Trying to reach the server.
        CONNECTING = 1 => "BG_JOB_STATE_CONNECTING",
        /// Moving data.
        TRANSFERRING = 2 => "BG_JOB_STATE_TRANSFERRING",
        /// Paused; the state of a new job.
        SUSPENDED = 3 => "BG_JOB_STATE_SUSPENDED",
        /// Failed for good; needs the client.
        ERROR = 4 => "BG_JOB_STATE_ERROR",
        /// Failed for now; tried again by the service.
        TRANSIENT_ERROR = 5 => "BG_JOB_STATE_TRANSIENT_ERROR",
        /// Every file has arrived; waits for Complete.
        TRANSFERRED = 6 => "BG_JOB_STATE_TRANSFERRED",
        /// Completed; final.
        ACKNOWLEDGED = 7 => "BG_JOB_STATE_ACKNOWLEDGED",
        /// Cancelled; final.
        CANCELLED = 8 => "BG_JOB_STATE_CANCELLED",
    }
}

windows_enum! {
    /// BG_JOB_PRIORITY: smaller numbers go first (1.0; clauses `enum.job_priority.*`).
    JobPriority {
        /// Competes for bandwidth with other programs.
        FOREGROUND = 0 => "BG_JOB_PRIORITY_FOREGROUND",
        /// Highest background level.
        HIGH = 1 => "BG_JOB_PRIORITY_HIGH",
        /// The default.
        NORMAL = 2 => "BG_JOB_PRIORITY_NORMAL",
        /// Lowest background level.
        LOW = 3 => "BG_JOB_PRIORITY_LOW",
    }
}

windows_enum! {
    /// BG_JOB_TYPE: which way the files go (1.0; clauses `enum.job_type.*`).
    JobType {
        /// Files go to the client.
        DOWNLOAD = 0 => "BG_JOB_TYPE_DOWNLOAD",
        /// One file goes to the server (1.5).
        UPLOAD = 1 => "BG_JOB_TYPE_UPLOAD",
        /// One file goes to the server and a reply comes back (1.5).
        UPLOAD_REPLY = 2 => "BG_JOB_TYPE_UPLOAD_REPLY",
    }
}

windows_enum! {
    /// BG_ERROR_CONTEXT: where an error arose (1.0; clauses `enum.error_context.*`).
    ErrorContext {
        /// No error.
        NONE = 0 => "BG_ERROR_CONTEXT_NONE",
        /// Not known.
        UNKNOWN = 1 => "BG_ERROR_CONTEXT_UNKNOWN",
        /// The queue manager.
        GENERAL_QUEUE_MANAGER = 2 => "BG_ERROR_CONTEXT_GENERAL_QUEUE_MANAGER",
        /// The queue manager while it notified the client.
        QUEUE_MANAGER_NOTIFICATION = 3 => "BG_ERROR_CONTEXT_QUEUE_MANAGER_NOTIFICATION",
        /// The local file.
        LOCAL_FILE = 4 => "BG_ERROR_CONTEXT_LOCAL_FILE",
        /// The remote file.
        REMOTE_FILE = 5 => "BG_ERROR_CONTEXT_REMOTE_FILE",
        /// The transport, not tied to one remote file.
        GENERAL_TRANSPORT = 6 => "BG_ERROR_CONTEXT_GENERAL_TRANSPORT",
        /// The server application that received an upload (1.5).
        REMOTE_APPLICATION = 7 => "BG_ERROR_CONTEXT_REMOTE_APPLICATION",
        /// The server certificate callback (10.3).
        SERVER_CERTIFICATE_CALLBACK = 8 => "BG_ERROR_CONTEXT_SERVER_CERTIFICATE_CALLBACK",
    }
}

windows_enum! {
    /// BG_AUTH_TARGET: who asks for credentials (1.5; clauses `auth.target.*`).
    AuthTarget {
        /// The server.
        SERVER = 1 => "BG_AUTH_TARGET_SERVER",
        /// The proxy.
        PROXY = 2 => "BG_AUTH_TARGET_PROXY",
    }
}

windows_enum! {
    /// BG_AUTH_SCHEME: how a client proves who it is (1.5; clauses `auth.scheme.*`).
    AuthScheme {
        /// Name and password, readable.
        BASIC = 1 => "BG_AUTH_SCHEME_BASIC",
        /// An answer to a challenge of the server.
        DIGEST = 2 => "BG_AUTH_SCHEME_DIGEST",
        /// Windows' own challenge and response.
        NTLM = 3 => "BG_AUTH_SCHEME_NTLM",
        /// Kerberos or NTLM, as both sides agree.
        NEGOTIATE = 4 => "BG_AUTH_SCHEME_NEGOTIATE",
        /// Microsoft's single sign-on.
        PASSPORT = 5 => "BG_AUTH_SCHEME_PASSPORT",
    }
}

windows_enum! {
    /// BG_JOB_PROXY_USAGE: which proxies a job goes through (1.0; clauses `enum.proxy_usage.*`).
    ProxyUsage {
        /// Those of the user; the default.
        PRECONFIG = 0 => "BG_JOB_PROXY_USAGE_PRECONFIG",
        /// None.
        NO_PROXY = 1 => "BG_JOB_PROXY_USAGE_NO_PROXY",
        /// Those of the lists of the job.
        OVERRIDE = 2 => "BG_JOB_PROXY_USAGE_OVERRIDE",
        /// Whatever is detected, anew for each file (2.0).
        AUTODETECT = 3 => "BG_JOB_PROXY_USAGE_AUTODETECT",
    }
}

bitflags::bitflags! {
    /// BG_COPY_FILE_*: which parts of a security descriptor go along, for SMB only (2.0; clauses
    /// `job3.file_acl.*`).
    #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
    pub struct FileAclFlags: u32 {
        /// The owner.
        const OWNER = 0x1;
        /// The group.
        const GROUP = 0x2;
        /// The discretionary access list.
        const DACL = 0x4;
        /// The system access list.
        const SACL = 0x8;
    }
}

bitflags::bitflags! {
    /// BG_SSL_* and BG_HTTP_REDIRECT_POLICY_*: which faults of a server certificate are excused,
    /// and what becomes of redirects (2.5, redirects 3.0; clauses
    /// `http_options.security_flags.*`). Without any redirect bit, redirects are followed silently.
    #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
    pub struct SecurityFlags: u32 {
        /// Check the revocation list of the server certificate.
        const ENABLE_CRL_CHECK = 0x0001;
        /// Excuse a certificate for another host.
        const IGNORE_CERT_CN_INVALID = 0x0002;
        /// Excuse an expired certificate.
        const IGNORE_CERT_DATE_INVALID = 0x0004;
        /// Excuse an unknown certification authority.
        const IGNORE_UNKNOWN_CA = 0x0008;
        /// Excuse a certificate for another usage.
        const IGNORE_CERT_WRONG_USAGE = 0x0010;
        /// Follow redirects, and let the remote name tell the final URL (3.0).
        const REDIRECT_POLICY_ALLOW_REPORT = 0x0100;
        /// Fail on a redirect; the remote name tells where it leads (3.0).
        const REDIRECT_POLICY_DISALLOW = 0x0200;
        /// The bits that hold the redirect policy (3.0).
        const REDIRECT_POLICY_MASK = 0x0700;
        /// Follow a redirect from https to http (3.0).
        const REDIRECT_POLICY_ALLOW_HTTPS_TO_HTTP = 0x0800;
    }
}

bitflags::bitflags! {
    /// BG_JOB_ENABLE_PEERCACHING_* and BG_JOB_DISABLE_BRANCH_CACHE (3.0; clauses
    /// `job4.set_peer_caching_flags.*`).
    #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
    pub struct PeerCachingFlags: u32 {
        /// The job may take its content from peers.
        const ENABLE_CLIENT = 0x0001;
        /// The files of the job may be cached and served to peers.
        const ENABLE_SERVER = 0x0002;
        /// The job does not use BranchCache (4.0).
        const DISABLE_BRANCH_CACHE = 0x0004;
    }
}

bitflags::bitflags! {
    /// BG_ENABLE_PEERCACHING_*: what the computer does with peers (3.0; clauses
    /// `peer_cache.flag.*`).
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
    pub struct PeerCacheFlags: u32 {
        /// It may take content from peers.
        const ENABLE_CLIENT = 0x0001;
        /// It may keep content and serve it to peers.
        const ENABLE_SERVER = 0x0002;
        /// BG_DISABLE_BRANCH_CACHE (4.0), where nothing reads it any more.
        const DISABLE_BRANCH_CACHE = 0x0004;
    }
}

bitflags::bitflags! {
    /// BITS_COST_STATE_* and BITS_JOB_TRANSFER_POLICY_*: on which networks a job may transfer, or
    /// what the network costs (5.0; clauses `job5.cost_state.*`, `job5.transfer_policy.*`).
    #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
    pub struct CostFlags: u32 {
        /// Without cost or cap.
        const UNRESTRICTED = 0x0000_0001;
        /// Capped, with unknown usage.
        const CAPPED_USAGE_UNKNOWN = 0x0000_0002;
        /// Capped, usage below the cap.
        const BELOW_CAP = 0x0000_0004;
        /// Capped, usage close to the cap.
        const NEAR_CAP = 0x0000_0008;
        /// Over the cap, more is charged.
        const OVERCAP_CHARGED = 0x0000_0010;
        /// Over the cap, more is slow.
        const OVERCAP_THROTTLED = 0x0000_0020;
        /// Charged by use.
        const USAGE_BASED = 0x0000_0040;
        /// Roaming.
        const ROAMING = 0x0000_0080;
        /// Reserved.
        const RESERVED = 0x4000_0000;
        /// An option, no state: transfer although the network is congested.
        const IGNORE_CONGESTION = 0x8000_0000;
        /// Whatever it costs.
        const TRANSFER_ALWAYS = 0x8000_00FF;
        /// Everywhere but when roaming.
        const TRANSFER_NOT_ROAMING = 0x8000_007F;
        /// Where there is no surcharge.
        const TRANSFER_NO_SURCHARGE = 0x8000_006F;
        /// Where there is no surcharge and the cap is not near.
        const TRANSFER_STANDARD = 0x8000_0067;
        /// Where it costs nothing.
        const TRANSFER_UNRESTRICTED = 0x8000_0021;
    }
}

bitflags::bitflags! {
    /// BG_TOKEN: what a helper token is used for (4.0; clauses `token.flag.*`).
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
    pub struct TokenFlags: u32 {
        /// Local files.
        const LOCAL_FILE = 0x0001;
        /// Remote files, servers and proxies.
        const NETWORK = 0x0002;
    }
}

bitflags::bitflags! {
    /// BG_NOTIFY_*: which events a client wants (1.0; clauses `job.set_notify_flags.*`).
    #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
    pub struct NotifyFlags: u32 {
        /// All files of the job have been transferred.
        const JOB_TRANSFERRED = 0x0001;
        /// The job has failed for good.
        const JOB_ERROR = 0x0002;
        /// No notification at all; the other bits are ignored.
        const DISABLE = 0x0004;
        /// A property, the state or the progress has changed.
        const JOB_MODIFICATION = 0x0008;
        /// One file has been transferred (3.0).
        const FILE_TRANSFERRED = 0x0010;
        /// A requested range of a file has been transferred (10.1).
        const FILE_RANGES_TRANSFERRED = 0x0020;
    }
}

bitflags::bitflags! {
    /// BG_JOB_ENUM_*: whose jobs [`Manager::enum_jobs`](crate::Manager::enum_jobs) lists.
    #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
    pub struct EnumJobsFlags: u32 {
        /// The jobs of every user; for administrators only.
        const ALL_USERS = 0x0001;
        // Any other bit can be sent; what becomes of it is the provider's answer.
        const _ = !0;
    }
}
