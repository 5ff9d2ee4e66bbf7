//! Certificates with which a job shows who it is.

use crate::flags::windows_enum;

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
