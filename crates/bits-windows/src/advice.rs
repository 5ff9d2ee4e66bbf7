//! What to do when there is no BITS, or none any more.
//!
//! One line a code, for the person who reads the error. Nothing here decides anything.

use bits_api::Hresult;

/// What a code that COM, RPC or BITS gives in place of an answer means for its user, and how to mend
/// it: one line, without the name of the code. `None` for a code that tells of a job and not of the
/// service.
///
/// ```
/// # use bits_api::Hresult;
/// let advice = bits_windows::advice(Hresult::ERROR_SERVICE_DISABLED).unwrap();
/// assert!(advice.contains("sc config bits start= demand"));
/// ```
pub fn advice(code: Hresult) -> Option<&'static str> {
    let of_table = || ADVICE.iter().find(|(known, _)| *known == code).map(|(_, advice)| *advice);
    Lost::of(code).map(Lost::advice).or_else(of_table)
}

/// The same for a code that is met while connecting, where some codes tell more than elsewhere.
pub(crate) fn of_connecting(code: Hresult) -> Option<&'static str> {
    CONNECTING.iter().find(|(known, _)| *known == code).map(|(_, advice)| *advice).or_else(|| advice(code))
}

/// Whether the code tells that the service, or this object of it, has ended: every later call gets such a
/// code, until somebody connects again.
///
/// ```
/// # use bits_api::Hresult;
/// assert!(bits_windows::is_lost(Hresult::RPC_S_SERVER_UNAVAILABLE));
/// assert!(!bits_windows::is_lost(Hresult::BG_E_NOT_FOUND));
/// ```
pub fn is_lost(code: Hresult) -> bool {
    Lost::of(code).is_some()
}

/// How the service was lost.
#[derive(Clone, Copy)]
enum Lost {
    BeforeCall,
    InCall,
}

impl Lost {
    fn of(code: Hresult) -> Option<Self> {
        LOST.iter().find(|(known, _)| *known == code).map(|(_, lost)| *lost)
    }

    fn advice(self) -> &'static str {
        match self {
            Self::BeforeCall => {
                "the service BITS has ended or is restarting: connect again, its jobs are kept; \
                 the System event log tells why it ended"
            }
            Self::InCall => {
                "the service BITS ended during the call, which may have been carried out or not: connect again and look"
            }
        }
    }
}

const LOST: &[(Hresult, Lost)] = &[
    (Hresult::RPC_S_SERVER_UNAVAILABLE, Lost::BeforeCall),
    (Hresult::RPC_E_DISCONNECTED, Lost::BeforeCall),
    (Hresult(0x8001_0007), Lost::BeforeCall),
    (Hresult(0x8001_0012), Lost::BeforeCall),
    (Hresult(0x8004_01FD), Lost::BeforeCall),
    (Hresult(0x8008_0008), Lost::BeforeCall),
    (Hresult(0x8007_06BE), Lost::InCall),
    (Hresult(0x8007_06BF), Lost::BeforeCall),
];

const NOT_STARTED: &str = "the service BITS does not start: see the System event log, and `sc query bits`";

const ADVICE: &[(Hresult, &str)] = &[
    (
        Hresult::REGDB_E_CLASSNOTREG,
        "no class of BITS is registered on this machine: BITS is not installed, or was removed; \
         `sfc /scannow` restores it",
    ),
    (
        Hresult::ERROR_SERVICE_DISABLED,
        "the service BITS is disabled on this machine: `sc config bits start= demand` enables it, as an administrator",
    ),
    (Hresult(0x8007_0424), "there is no service BITS on this machine: it was removed; `sfc /scannow` restores it"),
    (Hresult(0x8008_0005), NOT_STARTED),
    (Hresult(0x8007_041D), NOT_STARTED),
    (Hresult(0x8007_042C), "a service that BITS needs does not start: `sc qc bits` names them, start them first"),
    (Hresult(0x8007_042D), "the service BITS cannot log on: it is to run as LocalSystem, see `sc qc bits`"),
    (Hresult(0x8007_045B), "this machine is shutting down: the jobs are kept, and go on afterwards"),
    (Hresult::ERROR_NOT_LOGGED_ON, "this user is not logged on to this machine: BITS works for users who are"),
    (
        Hresult(0x8001_0119),
        "the security of COM was set before in this process: set it once, before anything else of COM",
    ),
    (
        Hresult(0x8007_06BB),
        "the service BITS takes no calls now, since it is busy or ending: try again in some seconds",
    ),
    (
        Hresult::BG_E_NOT_FOUND,
        "BITS has no job of this id, or none that this user may see: it was completed or cancelled, or is somebody \
         else's; `bitsadmin /list /allusers` shows an administrator all of them",
    ),
];

const CONNECTING: &[(Hresult, &str)] = &[
    (
        Hresult::E_ACCESSDENIED,
        "this user may not start or use BITS: log on at this machine, or let an administrator look at BITS in dcomcnfg",
    ),
    (
        Hresult::ERROR_FILE_NOT_FOUND,
        "the program of the service BITS cannot be started: see `sc qc bits`; under Wine also when it is disabled, or \
         while Wine itself starts or ends, in which case it works some seconds later",
    ),
    (
        Hresult::E_NOINTERFACE,
        "what is registered as BITS on this machine is something else, or did not answer; `sfc /scannow` restores BITS",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_a_name_and_a_text_and_its_advice_is_one_line() {
        let lost = LOST.iter().map(|(code, lost)| (*code, lost.advice()));
        for (code, advice) in ADVICE.iter().chain(CONNECTING).copied().chain(lost) {
            assert!(code.name().is_some() && code.text().is_some(), "{code}");
            assert!(!advice.contains('\n') && !advice.contains("  "), "{code}: {advice}");
        }
    }

    #[test]
    fn a_service_that_does_not_start_or_is_busy_is_not_lost() {
        for (code, advice) in ADVICE {
            assert!(!is_lost(*code), "{code}: {advice}");
        }
    }

    #[test]
    fn a_code_of_a_job_is_no_matter_of_the_service() {
        assert_eq!(advice(Hresult::BG_E_EMPTY), None);
        assert_eq!(advice(Hresult::E_ACCESSDENIED), None);
    }

    #[cfg(windows)]
    #[test]
    fn the_codes_are_those_of_windows() {
        use windows::Win32::Foundation as f;
        use windows::Win32::System::Rpc as rpc;

        let of_com = [
            (f::RPC_E_SERVER_DIED, "RPC_E_SERVER_DIED"),
            (f::RPC_E_SERVER_DIED_DNE, "RPC_E_SERVER_DIED_DNE"),
            (f::RPC_E_TOO_LATE, "RPC_E_TOO_LATE"),
            (f::CO_E_NOTINITIALIZED, "CO_E_NOTINITIALIZED"),
            (f::CO_E_OBJNOTCONNECTED, "CO_E_OBJNOTCONNECTED"),
            (f::CO_E_SERVER_EXEC_FAILURE, "CO_E_SERVER_EXEC_FAILURE"),
            (f::CO_E_SERVER_STOPPING, "CO_E_SERVER_STOPPING"),
        ];
        let of_services = [
            (f::ERROR_SERVICE_REQUEST_TIMEOUT, "ERROR_SERVICE_REQUEST_TIMEOUT"),
            (f::ERROR_SERVICE_DOES_NOT_EXIST, "ERROR_SERVICE_DOES_NOT_EXIST"),
            (f::ERROR_SERVICE_DEPENDENCY_FAIL, "ERROR_SERVICE_DEPENDENCY_FAIL"),
            (f::ERROR_SERVICE_LOGON_FAILED, "ERROR_SERVICE_LOGON_FAILED"),
            (f::ERROR_SHUTDOWN_IN_PROGRESS, "ERROR_SHUTDOWN_IN_PROGRESS"),
        ];
        let of_rpc = [
            (rpc::RPC_S_SERVER_TOO_BUSY, "RPC_S_SERVER_TOO_BUSY"),
            (rpc::RPC_S_CALL_FAILED, "RPC_S_CALL_FAILED"),
            (rpc::RPC_S_CALL_FAILED_DNE, "RPC_S_CALL_FAILED_DNE"),
        ];

        let com = of_com.map(|(code, name)| (code, name.to_owned()));
        let services = of_services.map(|(error, name)| (error.to_hresult(), format!("HRESULT_FROM_WIN32({name})")));
        let rpc = of_rpc.map(|(status, name)| {
            let error = f::WIN32_ERROR(status.0.cast_unsigned());
            (error.to_hresult(), format!("HRESULT_FROM_WIN32({name})"))
        });
        for (code, name) in com.into_iter().chain(services).chain(rpc) {
            assert_eq!(crate::call::hresult(code).name().as_deref(), Some(&*name));
        }
    }
}
