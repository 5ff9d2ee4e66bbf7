//! Result codes: their names, texts and classes.

mod codes;

use std::fmt;

pub use codes::CODES;

/// An HRESULT as Windows has it: negative (bit 31 set) means failure.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize)]
pub struct Hresult(pub u32);

/// How a code is met.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Class {
    /// A success code.
    Success,
    /// Returned by a call.
    Api,
    /// Stops a job for a while: TRANSIENT_ERROR.
    Transient,
    /// Stops a job until the client acts: ERROR.
    Fatal,
}

/// One row of the table of codes.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// The code.
    pub hresult: Hresult,
    /// Windows' name.
    pub name: &'static str,
    /// How it is met.
    pub class: Class,
    /// What it means, in English.
    pub text: &'static str,
}

/// Errors of disks, file servers and logins that have no row in [`CODES`]: BITS' documentation does
/// not name them.
const WIN32: [(u16, &str); 16] = [
    (4, "ERROR_TOO_MANY_OPEN_FILES"),
    (17, "ERROR_NOT_SAME_DEVICE"),
    (19, "ERROR_WRITE_PROTECT"),
    (31, "ERROR_GEN_FAILURE"),
    (33, "ERROR_LOCK_VIOLATION"),
    (53, "ERROR_BAD_NETPATH"),
    (59, "ERROR_UNEXP_NET_ERR"),
    (64, "ERROR_NETNAME_DELETED"),
    (67, "ERROR_BAD_NET_NAME"),
    (80, "ERROR_FILE_EXISTS"),
    (121, "ERROR_SEM_TIMEOUT"),
    (223, "ERROR_FILE_TOO_LARGE"),
    (1006, "ERROR_FILE_INVALID"),
    (1295, "ERROR_DISK_QUOTA_EXCEEDED"),
    (1326, "ERROR_LOGON_FAILURE"),
    (12_015, "ERROR_WINHTTP_LOGIN_FAILURE"),
];

/// Codes of COM, RPC and services with which a service is not reached, or lost, that have no row in
/// [`CODES`]: BITS' documentation does not name them.
const SERVICE: [(u32, &str, &str); 15] = [
    (0x8001_0007, "RPC_E_SERVER_DIED", "service ended during the call"),
    (0x8001_0012, "RPC_E_SERVER_DIED_DNE", "service ended before the call"),
    (0x8001_0119, "RPC_E_TOO_LATE", "security of the process is set already"),
    (0x8004_01F0, "CO_E_NOTINITIALIZED", "COM is not initialised"),
    (0x8004_01FD, "CO_E_OBJNOTCONNECTED", "object is not connected to the service"),
    (0x8007_041D, "HRESULT_FROM_WIN32(ERROR_SERVICE_REQUEST_TIMEOUT)", "service did not start in time"),
    (0x8007_0424, "HRESULT_FROM_WIN32(ERROR_SERVICE_DOES_NOT_EXIST)", "service is not installed"),
    (0x8007_042C, "HRESULT_FROM_WIN32(ERROR_SERVICE_DEPENDENCY_FAIL)", "a service that this one needs did not start"),
    (0x8007_042D, "HRESULT_FROM_WIN32(ERROR_SERVICE_LOGON_FAILED)", "service could not log on"),
    (0x8007_045B, "HRESULT_FROM_WIN32(ERROR_SHUTDOWN_IN_PROGRESS)", "machine is shutting down"),
    (0x8007_06BB, "HRESULT_FROM_WIN32(RPC_S_SERVER_TOO_BUSY)", "service takes no calls now"),
    (0x8007_06BE, "HRESULT_FROM_WIN32(RPC_S_CALL_FAILED)", "connection to the service broke during the call"),
    (0x8007_06BF, "HRESULT_FROM_WIN32(RPC_S_CALL_FAILED_DNE)", "connection to the service broke before the call"),
    (0x8008_0005, "CO_E_SERVER_EXEC_FAILURE", "service did not start, or not as an object of COM"),
    (0x8008_0008, "CO_E_SERVER_STOPPING", "service is about to stop"),
];

impl Hresult {
    const FACILITY_HTTP: u32 = 0x8019_0000;
    const FACILITY_WIN32: u32 = 0x8007_0000;

    /// HRESULT_FROM_WIN32(ERROR_WINHTTP_LOGIN_FAILURE): who asks us for a password is not who he should
    /// be (decisions `auth.negotiate.mutual`, `passport.failure`).
    pub const ERROR_WINHTTP_LOGIN_FAILURE: Self = Self::from_win32(12_015);

    /// BG_E_HTTP_ERROR_nnn: the HTTP status `status` as an error (clause `errors.http_conversion`).
    pub const fn from_http_status(status: u16) -> Self {
        Self(Self::FACILITY_HTTP | status as u32)
    }

    /// The HTTP status behind the code, if it is one.
    pub const fn http_status(self) -> Option<u16> {
        let [facility_high, facility_low, high, low] = self.0.to_be_bytes();
        match (u16::from_be_bytes([facility_high, facility_low]), u16::from_be_bytes([high, low])) {
            (0x8019, status @ 100..=599) => Some(status),
            _ => None,
        }
    }

    /// HRESULT_FROM_WIN32 of a Win32 error (clause `errors.win32_conversion`).
    pub const fn from_win32(error: u16) -> Self {
        match error {
            0 => Self::S_OK,
            error => Self(Self::FACILITY_WIN32 | error as u32),
        }
    }

    /// Whether the code means failure.
    pub const fn is_failure(self) -> bool {
        self.0 & 0x8000_0000 != 0
    }

    /// The code's row in [`CODES`].
    pub fn entry(self) -> Option<&'static Code> {
        CODES.iter().find(|code| code.hresult == self)
    }

    fn of_service(self) -> Option<(&'static str, &'static str)> {
        SERVICE.iter().find(|(code, ..)| *code == self.0).map(|(_, name, text)| (*name, *text))
    }

    /// Windows' name of the code; HTTP statuses without a row have theirs made, and so have the
    /// errors of Windows that disks, file servers, logins and services give.
    pub fn name(self) -> Option<std::borrow::Cow<'static, str>> {
        match (self.entry(), self.http_status(), self.of_service()) {
            (Some(code), ..) => Some(code.name.into()),
            (None, Some(status), _) => Some(format!("BG_E_HTTP_ERROR_{status}").into()),
            (None, None, Some((name, _))) => Some(name.into()),
            (None, None, None) => {
                let (_, name) = WIN32.iter().find(|(error, _)| Self::from_win32(*error) == self)?;
                Some(format!("HRESULT_FROM_WIN32({name})").into())
            }
        }
    }

    /// What the code means, in English.
    pub fn text(self) -> Option<std::borrow::Cow<'static, str>> {
        match (self.entry(), self.http_status()) {
            (Some(code), _) => Some(code.text.into()),
            (None, Some(status)) => Some(format!("the server answered with HTTP status {status}").into()),
            (None, None) => self.of_service().map(|(_, text)| text.into()),
        }
    }
}

impl fmt::Debug for Hresult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Hresult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "0x{:08X} {name}", self.0),
            None => write!(f, "0x{:08X}", self.0),
        }
    }
}

impl std::error::Error for Hresult {}

/// A code that is not a failure: what a method returns when it succeeds.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Success(Hresult);

impl Success {
    /// `S_OK`.
    pub const OK: Self = Self(Hresult::S_OK);
    /// `S_FALSE`.
    pub const FALSE: Self = Self(Hresult::S_FALSE);
    /// `BG_S_OVERRIDDEN_BY_POLICY`.
    pub const OVERRIDDEN_BY_POLICY: Self = Self(Hresult::BG_S_OVERRIDDEN_BY_POLICY);
    /// `BG_S_PARTIAL_COMPLETE`.
    pub const PARTIAL_COMPLETE: Self = Self(Hresult::BG_S_PARTIAL_COMPLETE);
    /// `BG_S_UNABLE_TO_DELETE_FILES`.
    pub const UNABLE_TO_DELETE_FILES: Self = Self(Hresult::BG_S_UNABLE_TO_DELETE_FILES);

    /// Takes a code apart into success and failure.
    ///
    /// # Errors
    /// The code itself when it is a failure.
    pub const fn new(code: Hresult) -> Result<Self, Hresult> {
        if code.is_failure() { Err(code) } else { Ok(Self(code)) }
    }

    /// The code.
    pub const fn hresult(self) -> Hresult {
        self.0
    }
}

impl fmt::Debug for Success {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
