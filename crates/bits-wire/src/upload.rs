//! Uploads over HTTP: what the answers of a server mean.

use bits_api::{ErrorContext, Hresult};

use crate::attempt::Failure;
use crate::download::is_transient_status;

/// What becomes of a job when the server application behind an upload answers with `status`, which
/// is not 200 (clauses `errors.server_app_context`, `retry.http_codes.server_app`).
pub fn application_failure(status: u16) -> Failure {
    Failure {
        code: Hresult::from_http_status(status),
        context: ErrorContext::REMOTE_APPLICATION,
        transient: is_transient_status(status),
    }
}
