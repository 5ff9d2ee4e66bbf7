//! Certificates with which a job shows who it is.

use std::sync::Arc;

use crate::flags::windows_enum;
use crate::{File, Hresult, Job, Success};

windows_enum! {
    /// BG_CERT_STORE_LOCATION: where a certificate store is (2.5; clauses `cert_store.*`).
    CertStoreLocation {
        /// Of the current user.
        CURRENT_USER = 0 => "BG_CERT_STORE_LOCATION_CURRENT_USER",
        /// Of the computer.
        LOCAL_MACHINE = 1 => "BG_CERT_STORE_LOCATION_LOCAL_MACHINE",
        /// Of the current service.
        CURRENT_SERVICE = 2 => "BG_CERT_STORE_LOCATION_CURRENT_SERVICE",
        /// Of a particular service.
        SERVICES = 3 => "BG_CERT_STORE_LOCATION_SERVICES",
        /// Of a particular user.
        USERS = 4 => "BG_CERT_STORE_LOCATION_USERS",
        /// Of the current user, by group policy.
        CURRENT_USER_GROUP_POLICY = 5 => "BG_CERT_STORE_LOCATION_CURRENT_USER_GROUP_POLICY",
        /// Of the computer, by group policy.
        LOCAL_MACHINE_GROUP_POLICY = 6 => "BG_CERT_STORE_LOCATION_LOCAL_MACHINE_GROUP_POLICY",
        /// Of the enterprise.
        LOCAL_MACHINE_ENTERPRISE = 7 => "BG_CERT_STORE_LOCATION_LOCAL_MACHINE_ENTERPRISE",
    }
}

/// The client certificate of a job (clauses `http_options.get_client_certificate.*`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientCertificate {
    /// Where its store is.
    pub location: CertStoreLocation,
    /// The name of the store, as it was given.
    pub store_name: String,
    /// The SHA-1 of the certificate.
    pub hash: [u8; 20],
    /// The values of its subject, separated by a comma and a space, the last one of the display
    /// first: `name3, name2, name1`.
    pub subject: String,
}

/// What a server has presented in a handshake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ServerCertificate<'a> {
    /// Its own certificate, encoded.
    pub certificate: &'a [u8],
    /// How: X509_ASN_ENCODING with PKCS_7_ASN_ENCODING, for DER (a decision).
    pub encoding: u32,
    /// The chain that came with it, as a serialized store of Windows (CERT_STORE_PROV_SERIALIZED).
    pub store: &'a [u8],
}

/// IBackgroundCopyServerCertificateValidationCallback (10.3; clauses `server_cert_callback.*`).
///
/// The method may call back into BITS, sleep or panic; a panic counts as `E_UNEXPECTED`.
pub trait ServerCertificateValidationCallback: Send + Sync {
    /// The system finds nothing wrong with the certificate of a server of this file, or everything
    /// that it finds is excused. Called before the handshake is over and anything is asked of the
    /// server; what was accepted is not asked again for the same server and certificate of the job.
    ///
    /// Since 10.3; clauses `server_cert_callback.validate.*`, `server_cert_callback.cache.*`.
    ///
    /// # Errors
    /// Whatever the client wants: the connection is refused, and the job goes to TRANSIENT_ERROR
    /// with this very code.
    fn validate_server_certificate(
        &self,
        job: Arc<dyn Job>,
        file: Arc<dyn File>,
        server: &ServerCertificate<'_>,
    ) -> Result<Success, Hresult>;
}
