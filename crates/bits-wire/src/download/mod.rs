//! Downloads over HTTP: what to ask for, which answers BITS accepts, and how it refuses the rest.
//!
//! [`Download`] knows what is there and says what comes next; [`Request`] turns that into a method
//! and headers; [`Download::judge`] reads the head of the answer; [`Redirects`] follows where the
//! server sends us; [`Fault`] names what can go wrong below HTTP. Of a body nothing is seen in here
//! but what [`Parts`] stand in. No socket, no clock.

mod answer;
mod cookies;
mod decided;
mod fault;
mod head;
mod multipart;
mod parts;
mod redirect;
mod request;
mod target;

pub use answer::{Answer, Download, Next, TOO_LARGE, Verdict};
pub use cookies::Cookies;
pub use decided::decided;
pub(crate) use fault::is_transient_status;
pub use fault::{CertificateFault, CertificateFaults, Fault, status_failure};
pub use multipart::{Found, Malformed, Multipart};
pub use parts::{Arrival, Parts};
pub use redirect::{Follow, RedirectPolicy, Redirects};
pub use request::{Ask, RANGE_LIMIT, Request};
pub use target::{Origin, Scheme, Target};

use bits_api::{ErrorContext, Hresult};

use crate::attempt::Failure;

/// A failure at the remote file that trying again cannot mend.
pub(crate) const fn fatal(code: Hresult) -> Failure {
    Failure { code, context: ErrorContext::REMOTE_FILE, transient: false }
}

/// A failure at the remote file that can go away by itself.
const fn transient(code: Hresult) -> Failure {
    Failure { code, context: ErrorContext::REMOTE_FILE, transient: true }
}
