//! Texts of codes and contexts, in our own words.

use bits_api::{ErrorContext, Hresult, LanguageId};

/// HRESULT_FROM_WIN32(ERROR_MR_MID_NOT_FOUND): there is no text for that code.
const NO_TEXT: Hresult = Hresult::from_win32(317);

/// The text of a code.
pub(crate) fn of_code(code: Hresult, language: LanguageId) -> Result<String, Hresult> {
    spoken(language)?;
    code.text().map(|text| format!("{text}\r\n")).ok_or(NO_TEXT)
}

/// The text of a context.
pub(crate) fn of_context(context: ErrorContext, language: LanguageId) -> Result<String, Hresult> {
    spoken(language)?;
    let text = match context {
        ErrorContext::NONE => "No error has occurred.",
        ErrorContext::GENERAL_QUEUE_MANAGER => "The error arose in the queue manager.",
        ErrorContext::QUEUE_MANAGER_NOTIFICATION => "The error arose while the client was notified.",
        ErrorContext::LOCAL_FILE => "The error arose while the local file was processed.",
        ErrorContext::REMOTE_FILE => "The error arose while the remote file was processed.",
        ErrorContext::GENERAL_TRANSPORT => "The error arose in the transport, not in one remote file.",
        ErrorContext::REMOTE_APPLICATION => "The error arose in the server application that took the upload.",
        ErrorContext::SERVER_CERTIFICATE_CALLBACK => "The error arose in the server certificate callback.",
        _ => "Where the error arose is not known.",
    };
    Ok(format!("{text}\r\n"))
}

/// English in any of its countries, and the neutral language, are what there are texts in.
fn spoken(language: LanguageId) -> Result<(), Hresult> {
    const PRIMARY: u32 = 0x3FF;
    const ENGLISH: u32 = 0x09;
    const NEUTRAL: u32 = 0x00;
    match language.0 & PRIMARY {
        ENGLISH => Ok(()),
        NEUTRAL if language.0 == 0 => Ok(()),
        _ => Err(Hresult::ERROR_RESOURCE_LANG_NOT_FOUND),
    }
}
