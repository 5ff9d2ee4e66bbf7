//! IBackgroundCopyFile and what came after it.

use std::sync::Arc;

use bits_api::{
    Answer, File, File2, File3, File4, File5, File6, FileProgress, FilePropertyId, FilePropertyValue, FileRange,
    Hresult, PeerDownloadStats, Success,
};
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::{BOOL, PWSTR};

use crate::UNKNOWN_TYPE;
use crate::call::Argument;
use crate::memory::{ArrayOut, Text, TextOut};
use crate::proxy::{Late, Proxy};
use crate::ranges::{self, Ranges};

/// A file, from whichever of its interfaces it is seen.
#[derive(Clone, Debug)]
pub(crate) struct FileHandle(Arc<Interfaces>);

#[derive(Debug)]
struct Interfaces {
    file: Proxy<bits::IBackgroundCopyFile>,
    file2: Late<bits::IBackgroundCopyFile2>,
    file3: Late<bits::IBackgroundCopyFile3>,
    file4: Late<bits::IBackgroundCopyFile4>,
    file5: Late<bits::IBackgroundCopyFile5>,
    file6: Late<bits::IBackgroundCopyFile6>,
}

impl FileHandle {
    pub(crate) fn arc(file: Proxy<bits::IBackgroundCopyFile>) -> Arc<dyn File> {
        Arc::new(Self(Arc::new(Interfaces {
            file,
            file2: Late::default(),
            file3: Late::default(),
            file4: Late::default(),
            file5: Late::default(),
            file6: Late::default(),
        })))
    }

    /// The interface of BITS.
    pub(crate) fn interface(&self) -> &Proxy<bits::IBackgroundCopyFile> {
        &self.0.file
    }

    fn v2(&self) -> Result<&Proxy<bits::IBackgroundCopyFile2>, Hresult> {
        self.0.file2.of(&self.0.file)
    }

    fn v3(&self) -> Result<&Proxy<bits::IBackgroundCopyFile3>, Hresult> {
        self.0.file3.of(&self.0.file)
    }

    fn v4(&self) -> Result<&Proxy<bits::IBackgroundCopyFile4>, Hresult> {
        self.0.file4.of(&self.0.file)
    }

    fn v5(&self) -> Result<&Proxy<bits::IBackgroundCopyFile5>, Hresult> {
        self.0.file5.of(&self.0.file)
    }

    fn v6(&self) -> Result<&Proxy<bits::IBackgroundCopyFile6>, Hresult> {
        self.0.file6.of(&self.0.file)
    }
}

impl File for FileHandle {
    fn file2(&self) -> Result<Arc<dyn File2>, Hresult> {
        self.v2().map(|_| Arc::new(self.clone()) as Arc<dyn File2>)
    }

    fn file3(&self) -> Result<Arc<dyn File3>, Hresult> {
        self.v3().map(|_| Arc::new(self.clone()) as Arc<dyn File3>)
    }

    fn file4(&self) -> Result<Arc<dyn File4>, Hresult> {
        self.v4().map(|_| Arc::new(self.clone()) as Arc<dyn File4>)
    }

    fn file5(&self) -> Result<Arc<dyn File5>, Hresult> {
        self.v5().map(|_| Arc::new(self.clone()) as Arc<dyn File5>)
    }

    fn file6(&self) -> Result<Arc<dyn File6>, Hresult> {
        self.v6().map(|_| Arc::new(self.clone()) as Arc<dyn File6>)
    }

    fn remote_name(&self) -> Result<String, Hresult> {
        self.0.file.text(|table| table.GetRemoteName).map(Option::unwrap_or_default)
    }

    fn local_name(&self) -> Result<String, Hresult> {
        self.0.file.text(|table| table.GetLocalName).map(Option::unwrap_or_default)
    }

    fn progress(&self) -> Result<FileProgress, Hresult> {
        let progress: bits::BG_FILE_PROGRESS = self.0.file.read(|table| table.GetProgress)?;
        Ok(FileProgress {
            bytes_total: progress.BytesTotal,
            bytes_transferred: progress.BytesTransferred,
            completed: progress.Completed.as_bool(),
        })
    }
}

impl File2 for FileHandle {
    fn file_ranges(&self) -> Result<Answer<Vec<FileRange>>, Hresult> {
        let (mut count, mut ranges) = (0, ArrayOut::new());
        let code = self.v2()?.call(|table| table.GetFileRanges, (&mut count, &mut ranges))?;
        // SAFETY: the call has succeeded, and counts what it has handed out.
        Ok(Answer { code, value: unsafe { ranges::handed_out(&ranges, count) } })
    }

    fn set_remote_name(&self, url: Option<&str>) -> Result<Success, Hresult> {
        self.v2()?.call(|table| table.SetRemoteName, (&Text::new(url)?,))
    }
}

impl File3 for FileHandle {
    fn temporary_name(&self) -> Result<String, Hresult> {
        self.v3()?.text(|table| table.GetTemporaryName).map(Option::unwrap_or_default)
    }

    fn set_validation_state(&self, valid: bool) -> Result<Success, Hresult> {
        self.v3()?.call(|table| table.SetValidationState, (BOOL::from(valid),))
    }

    fn validation_state(&self) -> Result<bool, Hresult> {
        self.v3()?.read(|table| table.GetValidationState).map(BOOL::as_bool)
    }

    fn is_downloaded_from_peer(&self) -> Result<bool, Hresult> {
        self.v3()?.read(|table| table.IsDownloadedFromPeer).map(BOOL::as_bool)
    }
}

impl File4 for FileHandle {
    fn peer_download_stats(&self) -> Result<PeerDownloadStats, Hresult> {
        let (mut from_origin, mut from_peers) = (0, 0);
        self.v4()?.call(|table| table.GetPeerDownloadStats, (&mut from_origin, &mut from_peers))?;
        Ok(PeerDownloadStats { from_origin, from_peers })
    }
}

impl File5 for FileHandle {
    fn property(&self, id: FilePropertyId) -> Result<Answer<FilePropertyValue>, Hresult> {
        let mut value = PropertyOut(bits::BITS_FILE_PROPERTY_VALUE::default());
        let code = self.v5()?.call(|table| table.GetProperty, (windows_id(id), &mut value))?;
        match id {
            FilePropertyId::HTTP_RESPONSE_HEADERS => {
                Ok(Answer { code, value: FilePropertyValue::String(value.string().text()) })
            }
            // A property that is newer than this crate: whether what is in the union is to be freed, only the
            // documentation can tell, so it is left alone.
            _ => Err(UNKNOWN_TYPE),
        }
    }

    fn set_property(&self, id: FilePropertyId, value: FilePropertyValue) -> Result<Success, Hresult> {
        let text = match value {
            FilePropertyValue::String(text) => Text::new(text.as_deref())?,
            _ => return Err(Hresult::E_INVALIDARG),
        };
        self.v5()?.call(|table| table.SetProperty, (windows_id(id), PropertyIn(&text)))
    }
}

impl File6 for FileHandle {
    fn update_download_position(&self, offset: u64) -> Result<Success, Hresult> {
        self.v6()?.call(|table| table.UpdateDownloadPosition, (offset,))
    }

    fn request_file_ranges(&self, ranges: &[FileRange]) -> Result<Success, Hresult> {
        let ranges = Ranges::new(ranges)?;
        self.v6()?.call(|table| table.RequestFileRanges, (&ranges,))
    }

    fn filled_file_ranges(&self) -> Result<Vec<FileRange>, Hresult> {
        let (mut count, mut ranges) = (0, ArrayOut::new());
        self.v6()?.call(|table| table.GetFilledFileRanges, (&mut count, &mut ranges))?;
        // SAFETY: the call has succeeded, and counts what it has handed out.
        Ok(unsafe { ranges::handed_out(&ranges, count) })
    }
}

fn windows_id(id: FilePropertyId) -> bits::BITS_FILE_PROPERTY_ID {
    bits::BITS_FILE_PROPERTY_ID(id.0.cast_signed())
}

/// A property that a call hands out. What the union holds, the id tells; it is a string in each that
/// is defined.
struct PropertyOut(bits::BITS_FILE_PROPERTY_VALUE);

// SAFETY: memory of COM's allocator may be read and freed by any thread.
unsafe impl Send for PropertyOut {}

impl PropertyOut {
    /// The string, to be freed by whoever takes it. Only for a property that is one.
    fn string(self) -> TextOut {
        // SAFETY: the only member of the union.
        TextOut::from(unsafe { self.0.String })
    }
}

// SAFETY: a place for one value, which lives and is exclusive during the call.
unsafe impl Argument for &mut PropertyOut {
    type Raw = *mut bits::BITS_FILE_PROPERTY_VALUE;

    fn raw(self) -> *mut bits::BITS_FILE_PROPERTY_VALUE {
        &raw mut self.0
    }
}

/// A string as a property.
struct PropertyIn<'a>(&'a Text);

// SAFETY: null, or a string with a terminator that lives during the call; BITS does not write to it.
unsafe impl Argument for PropertyIn<'_> {
    type Raw = bits::BITS_FILE_PROPERTY_VALUE;

    fn raw(self) -> bits::BITS_FILE_PROPERTY_VALUE {
        bits::BITS_FILE_PROPERTY_VALUE { String: PWSTR(self.0.pointer().0.cast_mut()) }
    }
}
