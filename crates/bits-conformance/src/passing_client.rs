//! The suite as another client of real BITS: a program that gives a job an object to ask about server
//! certificates, and ends.
//!
//! It must do nothing else with the job, and print nothing: what BITS said is its exit code.

use std::ffi::OsString;
use std::process::Command;
use std::sync::Arc;

use bits_api::{
    File, Guid, Hresult, Job, ServerCertificate, ServerCertificateValidationCallback, Success,
    server_certificate_validation_object,
};
use bits_windows::ConnectError;

use crate::claims::CallResult;

/// Stands in the command line before the job.
const MARK: &str = "bits-conformance-passing-client";

/// The program, which gives its object to this job.
///
/// # Errors
/// When this program does not know its own path.
pub(crate) fn command(job: Guid) -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(MARK).arg(job.to_string());
    Ok(command)
}

/// What BITS has said to the program, by its exit code.
pub(crate) fn said(exit: i32) -> Result<Success, Hresult> {
    Success::new(Hresult(exit.cast_unsigned()))
}

/// What BITS says to it, if this is a run as such a client.
pub(crate) fn run(mut arguments: impl Iterator<Item = OsString>) -> Option<i32> {
    (arguments.nth(1)? == MARK).then(|| {
        let job = arguments.next().and_then(|job| job.to_str()?.parse().ok());
        let said = job.ok_or(Hresult::E_INVALIDARG).and_then(give);
        said.code().0.cast_signed()
    })
}

fn give(job: Guid) -> Result<Success, Hresult> {
    // The objects of this process are secured alone where that does not work.
    _ = bits_windows::initialize_security();
    let connected = bits_windows::connect().map_err(|error| match error {
        ConnectError::Refused(code) => code,
        // There is nothing to be another client of.
        _ => Hresult::E_NOTIMPL,
    });
    give_to(&connected?.manager.job(job)?)
}

/// Gives the job an object that takes every server.
pub(crate) fn give_to(job: &Arc<dyn Job>) -> Result<Success, Hresult> {
    let object = server_certificate_validation_object(Arc::new(Everyone));
    job.http_options3()?.set_server_certificate_validation_interface(Some(object))
}

struct Everyone;

impl ServerCertificateValidationCallback for Everyone {
    fn validate_server_certificate(
        &self,
        _job: Arc<dyn Job>,
        _file: Arc<dyn File>,
        _server: &ServerCertificate<'_>,
    ) -> Result<Success, Hresult> {
        Ok(Success::OK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit_of(line: &[&str]) -> Option<i32> {
        run(line.iter().map(OsString::from))
    }

    #[test]
    fn only_a_line_that_begins_with_the_mark_is_a_run_as_a_client() {
        assert_eq!(exit_of(&["suite", "run", MARK]), None);
        assert_eq!(exit_of(&["suite"]), None);
    }

    #[test]
    fn what_is_no_job_is_refused_before_bits_is_asked() {
        for line in [&["suite", MARK][..], &["suite", MARK, "a job"]] {
            assert_eq!(exit_of(line).map(said), Some(Err(Hresult::E_INVALIDARG)));
        }
    }

    #[test]
    fn what_bits_says_comes_through_the_exit_code() {
        for code in [Hresult::S_OK, Hresult::S_FALSE, Hresult::BG_E_NOT_FOUND] {
            assert_eq!(said(code.0.cast_signed()).code(), code);
        }
    }
}
