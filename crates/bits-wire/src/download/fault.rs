//! Which code stands for what goes wrong between client and server.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

use bits_api::{ErrorContext, Hresult, SecurityFlags};
use http::StatusCode;

use super::{fatal, transient};
use crate::attempt::Failure;

/// What can go wrong below HTTP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The host has no address.
    NameNotResolved,
    /// No connection to any address of the host.
    CannotConnect,
    /// The connection ended before its time.
    ConnectionEnded,
    /// What came is not HTTP, or its head has no end.
    InvalidResponse,
    /// The server was silent for too long.
    Timeout,
    /// TLS itself failed: version, cipher, alert, or the server does not speak it.
    Tls,
    /// The server wants a client certificate.
    ClientCertificateNeeded,
    /// A server or proxy wants credentials of which the job has only a part.
    IncompleteCredentials,
    /// The proxy answers with this status where it was asked for a way through.
    ProxyRefused(u16),
    /// The server's certificate was refused.
    Certificate(CertificateFault),
    /// The application has refused the server, or could not be asked.
    Declined(Failure),
    /// By the end of an exchange of credentials, the other end has not proved that it is who it
    /// should be.
    Impostor,
}

/// Why a server certificate is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CertificateFault {
    /// Not yet, or no longer, valid.
    Date,
    /// Made out to another name.
    Name,
    /// Issued by nobody we trust.
    Issuer,
    /// Not made for servers.
    Usage,
    /// Revoked.
    Revoked,
    /// Whether it is revoked could not be found out.
    RevocationUnknown,
    /// Malformed, or wrong in another way: nothing excuses it.
    Invalid,
}

impl CertificateFault {
    /// In the order in which one of several is told.
    const ALL: [Self; 7] =
        [Self::Invalid, Self::Issuer, Self::Date, Self::Name, Self::Usage, Self::Revoked, Self::RevocationUnknown];
}

/// Several reasons to refuse a server certificate.
#[derive(Clone, Copy, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct CertificateFaults(u8);

impl CertificateFaults {
    /// None.
    pub const fn empty() -> Self {
        Self(0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this is one of them.
    pub const fn contains(self, fault: CertificateFault) -> bool {
        self.0 & (1 << fault as u8) != 0
    }

    /// The one that is told where those that are `excused` count for nothing: what cannot be
    /// excused, then the issuer, dates, name, usage, revocation (a decision,
    /// `http_options.certificate_faults`).
    pub fn first_but(self, excused: Self) -> Option<CertificateFault> {
        self.iter().find(|fault| !excused.contains(*fault))
    }

    /// Each of them, in that order.
    pub fn iter(self) -> impl Iterator<Item = CertificateFault> {
        CertificateFault::ALL.into_iter().filter(move |fault| self.contains(*fault))
    }
}

impl fmt::Debug for CertificateFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// What the security flags of a job excuse (clauses `http_options.security_flags.ssl_ignore_*`).
impl From<SecurityFlags> for CertificateFaults {
    fn from(flags: SecurityFlags) -> Self {
        let excuses = [
            (SecurityFlags::IGNORE_UNKNOWN_CA, CertificateFault::Issuer),
            (SecurityFlags::IGNORE_CERT_DATE_INVALID, CertificateFault::Date),
            (SecurityFlags::IGNORE_CERT_CN_INVALID, CertificateFault::Name),
            (SecurityFlags::IGNORE_CERT_WRONG_USAGE, CertificateFault::Usage),
        ];
        excuses.into_iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, fault)| fault).collect()
    }
}

impl From<CertificateFault> for CertificateFaults {
    fn from(fault: CertificateFault) -> Self {
        Self(1 << fault as u8)
    }
}

impl BitOr for CertificateFaults {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for CertificateFaults {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

impl FromIterator<CertificateFault> for CertificateFaults {
    fn from_iter<I: IntoIterator<Item = CertificateFault>>(faults: I) -> Self {
        faults.into_iter().map(Self::from).fold(Self::empty(), BitOr::bitor)
    }
}

impl Fault {
    /// The code, context and class that a job shows for this fault.
    pub const fn failure(self) -> Failure {
        match self {
            Self::NameNotResolved => transient(Hresult::ERROR_WINHTTP_NAME_NOT_RESOLVED),
            Self::CannotConnect => transient(Hresult::ERROR_WINHTTP_CANNOT_CONNECT),
            Self::ConnectionEnded => transient(Hresult::ERROR_WINHTTP_CONNECTION_ERROR),
            Self::InvalidResponse => transient(Hresult::ERROR_WINHTTP_INVALID_SERVER_RESPONSE),
            Self::Timeout => transient(Hresult::ERROR_WINHTTP_TIMEOUT),
            Self::Tls => fatal(Hresult::ERROR_WINHTTP_SECURE_CHANNEL_ERROR),
            Self::ClientCertificateNeeded => fatal(Hresult::ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED),
            Self::IncompleteCredentials => {
                Failure { code: Hresult::E_INVALIDARG, context: ErrorContext::GENERAL_TRANSPORT, transient: true }
            }
            Self::ProxyRefused(status) => of_status(status),
            Self::Declined(failure) => failure,
            Self::Impostor => fatal(Hresult::ERROR_WINHTTP_LOGIN_FAILURE),
            Self::Certificate(fault) => fatal(match fault {
                CertificateFault::Date => Hresult::ERROR_WINHTTP_SECURE_CERT_DATE_INVALID,
                CertificateFault::Name => Hresult::ERROR_WINHTTP_SECURE_CERT_CN_INVALID,
                CertificateFault::Issuer => Hresult::ERROR_WINHTTP_SECURE_INVALID_CA,
                CertificateFault::Usage => Hresult::ERROR_WINHTTP_SECURE_CERT_WRONG_USAGE,
                CertificateFault::Revoked => Hresult::ERROR_WINHTTP_SECURE_CERT_REVOKED,
                CertificateFault::RevocationUnknown => Hresult::ERROR_WINHTTP_SECURE_CERT_REV_FAILED,
                CertificateFault::Invalid => Hresult::ERROR_WINHTTP_SECURE_FAILURE,
            }),
        }
    }
}

/// What becomes of a job when the server answers with `status` and no rule accepts it: the classes
/// that the documentation states for uploads (clause `retry.http_codes.server_app`).
pub fn status_failure(status: StatusCode) -> Failure {
    of_status(status.as_u16())
}

const fn of_status(status: u16) -> Failure {
    let code = Hresult::from_http_status(status);
    if is_transient_status(status) { transient(code) } else { fatal(code) }
}

/// The class of a status that means a failure.
pub(crate) const fn is_transient_status(status: u16) -> bool {
    match status {
        408 | 409 => true,
        300..=305 | 307 | 400..=499 | 501 | 505 => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn statuses_are_classed_as_documented_for_uploads() {
        let fatal = [300, 301, 302, 303, 304, 305, 307, 400, 401, 403, 404, 407, 410, 416, 429, 499, 501, 505];
        let transient = [201, 204, 206, 306, 308, 408, 409, 500, 502, 503, 504, 599, 600, 999];
        for (statuses, transient) in [(&fatal[..], false), (&transient[..], true)] {
            for status in statuses {
                let failure = status_failure(StatusCode::from_u16(*status).unwrap());
                assert_eq!(failure.code, Hresult(0x8019_0000 + u32::from(*status)));
                assert_eq!(failure.context, ErrorContext::REMOTE_FILE);
                assert_eq!(failure.transient, transient, "{status}");
            }
        }
    }

    #[test]
    fn of_several_faults_of_a_certificate_the_first_that_is_not_excused_is_told() {
        use CertificateFault::{Date, Invalid, Issuer, Name, Usage};
        let found: CertificateFaults = [Usage, Name, Issuer, Date].into_iter().collect();
        let excused = |faults: &[CertificateFault]| faults.iter().copied().collect::<CertificateFaults>();

        assert_eq!(found.first_but(CertificateFaults::empty()), Some(Issuer));
        assert_eq!(found.first_but(excused(&[Issuer])), Some(Date));
        assert_eq!(found.first_but(excused(&[Issuer, Date, Usage])), Some(Name));
        assert_eq!(found.first_but(found), None);
        assert_eq!((found | Invalid.into()).first_but(found), Some(Invalid));
    }

    #[test]
    fn each_fault_has_its_code_and_class() {
        let table = [
            (Fault::NameNotResolved, 0x8007_2EE7, true),
            (Fault::CannotConnect, 0x8007_2EFD, true),
            (Fault::ConnectionEnded, 0x8007_2EFE, true),
            (Fault::InvalidResponse, 0x8007_2F78, true),
            (Fault::Timeout, 0x8007_2EE2, true),
            (Fault::Tls, 0x8007_2F7D, false),
            (Fault::ClientCertificateNeeded, 0x8007_2F0C, false),
            (Fault::ProxyRefused(403), 0x8019_0193, false),
            (Fault::ProxyRefused(502), 0x8019_01F6, true),
            (Fault::Certificate(CertificateFault::Date), 0x8007_2F05, false),
            (Fault::Certificate(CertificateFault::Name), 0x8007_2F06, false),
            (Fault::Certificate(CertificateFault::Issuer), 0x8007_2F0D, false),
            (Fault::Certificate(CertificateFault::Usage), 0x8007_2F93, false),
            (Fault::Certificate(CertificateFault::Revoked), 0x8007_2F8A, false),
            (Fault::Certificate(CertificateFault::RevocationUnknown), 0x8007_2F19, false),
            (Fault::Certificate(CertificateFault::Invalid), 0x8007_2F8F, false),
        ];
        for (fault, code, transient) in table {
            let context = ErrorContext::REMOTE_FILE;
            assert_eq!(fault.failure(), Failure { code: Hresult(code), context, transient }, "{fault:?}");
        }
    }
}
