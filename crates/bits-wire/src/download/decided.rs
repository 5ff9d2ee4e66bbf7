//! Failures as an emulator shows them whose choices are others than usual.

use bits_api::Hresult;
use bits_world::{Decisions, Switch};

use crate::attempt::Failure;

/// The codes that single out a fault of a server certificate.
const CERTIFICATES: [Hresult; 6] = [
    Hresult::ERROR_WINHTTP_SECURE_CERT_DATE_INVALID,
    Hresult::ERROR_WINHTTP_SECURE_CERT_CN_INVALID,
    Hresult::ERROR_WINHTTP_SECURE_INVALID_CA,
    Hresult::ERROR_WINHTTP_SECURE_CERT_WRONG_USAGE,
    Hresult::ERROR_WINHTTP_SECURE_CERT_REVOKED,
    Hresult::ERROR_WINHTTP_SECURE_CERT_REV_FAILED,
];

/// The statuses of redirects.
const REDIRECTS: [u16; 6] = [300, 301, 302, 303, 307, 308];

/// What a failure of an attempt is by these decisions; notes those that it hangs on.
pub fn decided(failure: Failure, decisions: &Decisions) -> Failure {
    let code = failure.code;
    if code == Hresult::ERROR_WINHTTP_TIMEOUT {
        decisions.note(Switch::StallTimeout);
    } else if code == Hresult::from_http_status(429) && decisions.is_other(Switch::TooManyRequests) {
        return Failure { transient: true, ..failure };
    } else if CERTIFICATES.contains(&code) && decisions.is_other(Switch::CertificateFaults) {
        return Failure { code: Hresult::ERROR_WINHTTP_SECURE_FAILURE, ..failure };
    } else if let Some(status) = REDIRECTS.into_iter().find(|status| code == Hresult::from_http_status(*status))
        && decisions.is_other(Switch::RefusedRedirect)
    {
        return Failure { code: Hresult::from_win32(status), ..failure };
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::super::{CertificateFault, Fault, status_failure};
    use super::*;
    use http::StatusCode;

    /// What a failure is usually, and by the other choice.
    fn both_ways(id: &str, other: &str, failure: Failure) -> (Failure, Failure) {
        let usual = Decisions::default();
        let mut otherwise = Decisions::default();
        otherwise.set(id, other).unwrap();
        let both = (decided(failure, &usual), decided(failure, &otherwise));
        assert_eq!((usual.touched(), otherwise.touched()), (vec![id], vec![id]));
        both
    }

    fn status(status: u16) -> Failure {
        status_failure(StatusCode::from_u16(status).unwrap())
    }

    #[test]
    fn too_many_requests_are_fatal_or_transient() {
        let (usual, other) = both_ways("http.status_classes", "transient", status(429));

        assert_eq!((usual.transient, other.transient), (false, true));
    }

    #[test]
    fn a_certificate_fault_has_its_code_or_that_of_all() {
        let fault = Fault::Certificate(CertificateFault::Name).failure();
        let (usual, other) = both_ways("http_options.certificate_faults", "ERROR_WINHTTP_SECURE_FAILURE", fault);

        assert_eq!(usual.code, Hresult::ERROR_WINHTTP_SECURE_CERT_CN_INVALID);
        assert_eq!(other, Failure { code: Hresult::ERROR_WINHTTP_SECURE_FAILURE, ..usual });
    }

    #[test]
    fn a_refused_redirect_has_one_facility_or_the_other() {
        let (usual, other) = both_ways("http.redirects_refused", "HRESULT_FROM_WIN32", status(302));

        assert_eq!((usual.code, other.code), (Hresult(0x8019_012E), Hresult(0x8007_012E)));
    }

    #[test]
    fn other_failures_hang_on_nothing_but_a_timeout_on_the_patience() {
        let decisions = Decisions::default();
        for failure in [status(404), status(503), Fault::ConnectionEnded.failure(), Fault::Tls.failure()] {
            assert_eq!(decided(failure, &decisions), failure);
        }
        assert!(decisions.touched().is_empty());

        decided(Fault::Timeout.failure(), &decisions);
        assert_eq!(decisions.touched(), ["http.stall_timeout"]);
    }
}
