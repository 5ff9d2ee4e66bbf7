//! The later interfaces of a file.

use crate::flags::windows_enum;
use crate::{Answer, File, FileRange, Hresult, PeerDownloadStats, Success};

/// IBackgroundCopyFile2 (2.0; clauses `file2.*`).
pub trait File2: File {
    /// The parts that were given to AddFileWithRanges; `S_FALSE` and none for any other file. Since
    /// 2.0; clauses `file2.get_file_ranges.*`.
    ///
    /// # Errors
    /// None of its own.
    fn file_ranges(&self) -> Result<Answer<Vec<FileRange>>, Hresult>;

    /// Lets the file be had from another URL, by the rules of
    /// [`FileInfo::remote_name`](crate::FileInfo::remote_name). What is there is gone on with if
    /// size and time stamp are the same there.
    ///
    /// Not on record before the next Resume. Since 2.0; clauses `file2.set_remote_name.*`.
    ///
    /// # Errors
    /// `E_INVALIDARG` for an absent or invalid URL and one above 2,200 UTF-16 units; `E_NOTIMPL`
    /// unless the job is a download; `BG_E_INVALID_STATE` in a final state.
    fn set_remote_name(&self, url: Option<&str>) -> Result<Success, Hresult>;
}

/// IBackgroundCopyFile3 (3.0; clauses `file3.*`).
pub trait File3: File2 {
    /// The full path of the file that the bytes are written to; so many are valid as the file's
    /// progress says. Since 3.0; clauses `file3.get_temporary_name.*`.
    ///
    /// # Errors
    /// `E_PENDING` before the transfer has begun, `BG_E_INVALID_STATE` once the file has its final
    /// name or the job has ended, `E_NOTIMPL` for a file that is no download (decisions).
    fn temporary_name(&self) -> Result<String, Hresult>;

    /// Says whether the content of a transferred file is valid. If not, the job is in ERROR with
    /// `BG_E_VALIDATION_FAILED`, and the file is fetched again after Resume (4.0).
    ///
    /// Since 3.0; clauses `file3.set_validation_state.*`.
    ///
    /// # Errors
    /// `E_PENDING` before the file is all there; `BG_E_INVALID_STATE` in a final state;
    /// `E_NOTIMPL` for a file that is no download (a decision).
    fn set_validation_state(&self, valid: bool) -> Result<Success, Hresult>;

    /// Whether the content was declared valid, which Complete does too. Since 3.0; clauses
    /// `file3.get_validation_state.*`.
    ///
    /// # Errors
    /// None of its own.
    fn validation_state(&self) -> Result<bool, Hresult>;

    /// Whether a byte of the file came from a peer. Since 3.0; clauses
    /// `file3.is_downloaded_from_peer.*`.
    ///
    /// # Errors
    /// None of its own.
    fn is_downloaded_from_peer(&self) -> Result<bool, Hresult>;
}

/// IBackgroundCopyFile4 (4.0; clauses `file4.*`).
pub trait File4: File3 {
    /// How many bytes of the file came from where. Since 4.0; clauses
    /// `file4.get_peer_download_stats.*`.
    ///
    /// # Errors
    /// None of its own.
    fn peer_download_stats(&self) -> Result<PeerDownloadStats, Hresult>;
}

windows_enum! {
    /// BITS_FILE_PROPERTY_ID: which property (5.0; clauses `file5.property_id.*`).
    FilePropertyId {
        /// The headers of the server's last answer.
        HTTP_RESPONSE_HEADERS = 1 => "BITS_FILE_PROPERTY_ID_HTTP_RESPONSE_HEADERS",
    }
}

/// BITS_FILE_PROPERTY_VALUE: the member of the union that the id selects (5.0; clauses
/// `file5.property_value.*`).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FilePropertyValue {
    /// Of HTTP_RESPONSE_HEADERS; NULL while there is none.
    String(Option<String>),
}

/// IBackgroundCopyFile5 (5.0; clauses `file5.*`).
pub trait File5: File4 {
    /// Reads a property; `S_OK` for one that is NULL, too (a decision). Since 5.0; clauses
    /// `file5.get_property.*`.
    ///
    /// # Errors
    /// `BG_E_UNKNOWN_PROPERTY_ID` for an id that is not defined. A real BITS may know ids that these
    /// traits do not: then `bits-windows` gives a code that is none of Windows', its `UNKNOWN_TYPE`.
    fn property(&self, id: FilePropertyId) -> Result<Answer<FilePropertyValue>, Hresult>;

    /// Replaces a property; there is none that can be. Since 5.0; clauses `file5.set_property.*`.
    ///
    /// # Errors
    /// `BG_E_READ_ONLY_PROPERTY` for HTTP_RESPONSE_HEADERS, `BG_E_UNKNOWN_PROPERTY_ID` for any
    /// other id (decisions).
    fn set_property(&self, id: FilePropertyId, value: FilePropertyValue) -> Result<Success, Hresult>;
}

/// IBackgroundCopyFile6 (10.1; clauses `file6.*`).
///
/// All three methods fail with `BG_E_RANDOM_ACCESS_NOT_SUPPORTED` for a file that is no download,
/// has dynamic content, was added with ranges (a decision), or whose server has shown that it
/// cannot serve ranges.
pub trait File6: File5 {
    /// Fetches what is missing from `offset` on first. Since 10.1; clauses
    /// `file6.update_download_position.*`.
    ///
    /// # Errors
    /// `BG_E_INVALID_STATE` in a final state.
    fn update_download_position(&self, offset: u64) -> Result<Success, Hresult>;

    /// Fetches these parts first, those of earlier calls before; in on-demand mode nothing else is
    /// fetched. They may overlap. A job that is SUSPENDED, as one in on-demand mode is when all that
    /// was asked for is there, waits for Resume.
    ///
    /// Since 10.1; clauses `file6.request_file_ranges.*`.
    ///
    /// # Errors
    /// `BG_E_INVALID_RANGE` for a range outside the file; `E_INVALIDARG` without ranges and
    /// `BG_E_INVALID_RANGE` for an empty one (decisions); `BG_E_INVALID_STATE` in a final state.
    fn request_file_ranges(&self, ranges: &[FileRange]) -> Result<Success, Hresult>;

    /// The parts that are there, joined and in order. Since 10.1; clauses
    /// `file6.get_filled_file_ranges.*`.
    ///
    /// # Errors
    /// None of its own.
    fn filled_file_ranges(&self) -> Result<Vec<FileRange>, Hresult>;
}
