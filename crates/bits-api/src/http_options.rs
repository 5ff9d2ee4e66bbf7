//! What a job says in its HTTP requests, and what it excuses.

use std::sync::Arc;

use crate::{
    Answer, CertStoreLocation, ClientCertificate, Hresult, SecurityFlags, Setting, Settings, Success, Unknown, Value,
};

/// IBackgroundCopyJobHttpOptions, had from a job (2.5; clauses `http_options.*`).
pub trait HttpOptions: Settings {
    /// Chooses the client certificate of the job by its SHA-1, 20 bytes. The store is looked into at
    /// once, and again whenever the job connects.
    ///
    /// Since 2.5; clauses `http_options.set_client_certificate_by_id.*`.
    ///
    /// # Errors
    /// `RPC_X_NULL_REF_POINTER` without a name or a hash; `RPC_X_BAD_STUB_DATA` for a hash of another
    /// length; `E_ACCESSDENIED` when the caller is not the owner (a decision) or may not use the
    /// store; `BG_E_INVALID_STATE` in a final state; `E_NOTIMPL` for an undefined location;
    /// `BG_E_STRING_TOO_LONG` for a name of more than 255 UTF-16 units (a decision);
    /// `ERROR_FILE_NOT_FOUND` for a store and `CRYPT_E_NOT_FOUND` for a certificate that is not there.
    fn set_client_certificate_by_id(
        &self,
        location: CertStoreLocation,
        store_name: Option<&str>,
        hash: Option<&[u8]>,
    ) -> Result<Success, Hresult>;

    /// Chooses the client certificate of the job by a part of its subject: the first of the store
    /// that is for client authentication.
    ///
    /// Since 2.5; clauses `http_options.set_client_certificate_by_name.*`.
    ///
    /// # Errors
    /// Those of [`HttpOptions::set_client_certificate_by_id`], with the subject in place of the
    /// hash; `E_INVALIDARG` for an empty subject (a decision).
    fn set_client_certificate_by_name(
        &self,
        location: CertStoreLocation,
        store_name: Option<&str>,
        subject: Option<&str>,
    ) -> Result<Success, Hresult>;

    /// Takes the client certificate away; `S_FALSE` when there is none.
    ///
    /// Since 2.5; clauses `http_options.remove_client_certificate.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` when the caller is not the owner (a decision); `BG_E_INVALID_STATE` in a
    /// final state.
    fn remove_client_certificate(&self) -> Result<Success, Hresult>;

    /// The client certificate, however it was chosen.
    ///
    /// Since 2.5; clauses `http_options.get_client_certificate.*`.
    ///
    /// # Errors
    /// `RPC_X_BAD_STUB_DATA` when there is none, and when the caller may not use its store.
    fn client_certificate(&self) -> Result<ClientCertificate, Hresult>;

    /// Replaces the headers that every request of the job carries beside BITS' own: `Name: value`,
    /// each with its CR LF, at most 16,383 UTF-16 units. `None` removes them.
    ///
    /// Since 2.5; clauses `http_options.set_custom_headers.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` when the caller is not the owner, an administrator included;
    /// `BG_E_STRING_TOO_LONG` above the limit; `E_INVALIDARG` for a line that is no header (a
    /// decision); `BG_E_INVALID_STATE` in a final state.
    fn set_custom_headers(&self, headers: Option<&str>) -> Result<Success, Hresult>;

    /// The headers as they were set; `S_FALSE` and `None` when there are none.
    ///
    /// Since 2.5; clauses `http_options.get_custom_headers.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` when the caller is not the owner, and for everybody once they are
    /// write-only (10.3).
    fn custom_headers(&self) -> Result<Answer<Option<String>>, Hresult>;

    /// Replaces what is excused of server certificates, and what becomes of redirects.
    ///
    /// Since 2.5, redirects since 3.0; clauses `http_options.set_security_flags.*`.
    ///
    /// # Errors
    /// `E_NOTIMPL` for bits that this BITS does not know and for two redirect policies at once (a
    /// decision); `BG_E_INVALID_STATE` in a final state (a decision).
    fn set_security_flags(&self, flags: SecurityFlags) -> Result<Success, Hresult> {
        self.set(Setting::SecurityFlags, Value::Number(flags.bits()))
    }

    /// What is excused; nothing when never set. Since 2.5; clauses
    /// `http_options.get_security_flags.*`.
    ///
    /// # Errors
    /// None of its own.
    fn security_flags(&self) -> Result<SecurityFlags, Hresult> {
        self.get(Setting::SecurityFlags).and_then(|value| value.number()).map(SecurityFlags::from_bits_retain)
    }
}

/// IBackgroundCopyJobHttpOptions2 (10.2; clauses `http_options2.*`).
pub trait HttpOptions2: HttpOptions {
    /// Replaces the HTTP method of the job's transfers.
    ///
    /// Since 10.2; clauses `http_options2.set_http_method.*`.
    ///
    /// # Errors
    /// `E_INVALIDARG` for an absent or empty name and one that is no HTTP token (a decision);
    /// `BG_E_INVALID_STATE` in a final state.
    fn set_http_method(&self, method: Option<&str>) -> Result<Success, Hresult> {
        self.set(Setting::HttpMethod, Value::Text(method.map(str::to_owned)))
    }

    /// The HTTP method of the job's transfers; `GET` or `BITS_POST` when never set. Since 10.2;
    /// clauses `http_options2.get_http_method.*`.
    ///
    /// # Errors
    /// None of its own.
    fn http_method(&self) -> Result<String, Hresult> {
        self.get(Setting::HttpMethod).and_then(Value::text)
    }
}

/// IBackgroundCopyJobHttpOptions3 (10.3; clauses `http_options3.*`).
pub trait HttpOptions3: HttpOptions2 {
    /// Lets nobody read the custom headers any more, for the rest of the job's life. They still go
    /// out, and can still be replaced.
    ///
    /// Since 10.3; clauses `http_options3.make_custom_headers_write_only.*`.
    ///
    /// # Errors
    /// None of its own, in no state.
    fn make_custom_headers_write_only(&self) -> Result<Success, Hresult>;

    /// Lets an object of the client look at the certificates of servers, beside the system's own
    /// checks; `None` removes it. What was accepted so far is forgotten. The object goes with its
    /// client and with the service: a job that had one fails at its next HTTPS connection with
    /// `BG_E_SERVER_CERT_VALIDATION_INTERFACE_REQUIRED` until it is set again.
    /// [`server_certificate_validation_object`](crate::server_certificate_validation_object) makes
    /// one of a callback.
    ///
    /// Since 10.3; clauses `http_options3.set_server_cert_validation.*`.
    ///
    /// # Errors
    /// `E_NOINTERFACE` for an object that is no [`ServerCertificateValidationCallback`], before
    /// anything else (a decision); `BG_E_READ_ONLY_WHEN_JOB_ACTIVE` unless the job is SUSPENDED;
    /// `BG_E_INVALID_STATE` in a final state (a decision); `E_ACCESSDENIED` when the caller is not
    /// the owner (a decision).
    ///
    /// [`ServerCertificateValidationCallback`]: crate::ServerCertificateValidationCallback
    fn set_server_certificate_validation_interface(&self, object: Option<Arc<dyn Unknown>>)
    -> Result<Success, Hresult>;
}
