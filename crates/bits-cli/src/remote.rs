//! Remote names as arguments.

use bits_api::{Hresult, JobType};
use bits_service::{Emulator, Simulation};

use crate::told;

/// Whether AddFile takes `url`, as an emulator says that is made for the question.
///
/// # Errors
/// Why not, on a line.
pub(crate) fn accepted(url: &str) -> Result<(), String> {
    let failed = |code: Hresult| told(code);
    let builder = Emulator::builder().simulated(&Simulation::default()).world(|world| world.drives.mount('C', "/"));
    let emulator = builder.start().map_err(|error| error.to_string())?;
    let manager = emulator.client("bitsd").manager().map_err(failed)?;
    let job = manager.create_job(Some("bitsd"), JobType::DOWNLOAD).map_err(failed)?.job;
    match job.add_file(Some(url), Some(r"C:\file")) {
        Ok(_) => Ok(()),
        Err(code) => Err(refused(url, code)),
    }
}

/// Whether `name` is that of a file on a file server, which BITS takes and an emulator over HTTP cannot reach.
pub(crate) fn is_of_a_share(name: &str) -> bool {
    name.starts_with(r"\\")
}

/// What a refused URL lacks, which the code alone does not say.
fn refused(url: &str, code: Hresult) -> String {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    let why = match code {
        Hresult::E_INVALIDARG if !matches!(scheme.as_deref(), Some("http" | "https")) => {
            " (the URL has to begin with http:// or https://)"
        }
        Hresult::E_INVALIDARG => " (BITS takes no such URL)",
        _ => "",
    };
    format!("{}{why}", told(code))
}
