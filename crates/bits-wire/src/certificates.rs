//! What an attempt is told of certificates: by what servers are judged, and who looks into the
//! stores of the machine.

use std::fmt;
use std::sync::Arc;

use bits_api::SecurityFlags;
use bits_world::{Certificate, RevocationLists, Vouchers};

use crate::download::CertificateFaults;

/// By what the servers of a job are judged, and what they are shown.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    /// Which faults of a server's certificate count for nothing.
    pub excused: CertificateFaults,
    /// Whether it is looked up whether a server's certificate is revoked, for each file (clauses
    /// `http_options.set_security_flags.crl_scope`, `http_options.set_security_flags.crl_when`).
    pub checks_revocation: bool,
    /// The hash of the client certificate that the job has chosen.
    pub chosen: Option<[u8; 20]>,
    /// Who looks into the stores; without, there is nothing in them.
    pub stores: Option<Arc<dyn Stores>>,
}

/// What the security flags of a job ask for.
impl From<SecurityFlags> for Certificates {
    fn from(flags: SecurityFlags) -> Self {
        Self {
            excused: flags.into(),
            checks_revocation: flags.contains(SecurityFlags::ENABLE_CRL_CHECK),
            ..Self::default()
        }
    }
}

/// Looks into the certificate stores of the machine, whenever a connection is made.
pub trait Stores: fmt::Debug + Send + Sync {
    /// What is there for the job, now. Never blocks for long.
    fn look(&self) -> Found;
}

/// What the machine knows of certificates at one moment.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What a server is shown that asks for a client certificate.
    pub client: Option<Arc<Certificate>>,
    /// Who vouches for servers, beside those that every attempt trusts.
    pub vouchers: Vouchers,
    /// What can be known of revoked certificates.
    pub revocation: RevocationLists,
}
