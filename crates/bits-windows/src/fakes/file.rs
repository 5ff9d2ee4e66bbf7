//! A file with every interface of a file. No two of its values are alike.

use std::slice;
use std::sync::Arc;

use bits_api::File;
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::{BOOL, GUID, PCWSTR, PWSTR, Result, implement};

use super::{FakeService, older, shown};
use crate::file::FileHandle;
use crate::proxy::Proxy;

#[implement(bits::IBackgroundCopyFile6)]
pub(crate) struct FakeFile {
    service: Arc<FakeService>,
    number: u32,
}

impl FakeFile {
    /// As a client has it.
    pub(crate) fn of(service: &Arc<FakeService>) -> Arc<dyn File> {
        FileHandle::arc(Proxy::new(Self::interface(service, 1)))
    }

    /// The same without all but these of its later interfaces: one of an older BITS.
    pub(crate) fn of_older(service: &Arc<FakeService>, interfaces: Vec<GUID>) -> Arc<dyn File> {
        let file: bits::IBackgroundCopyFile6 = Self { service: Arc::clone(service), number: 1 }.into();
        older::limit(&file, interfaces);
        FileHandle::arc(Proxy::new(file.into()))
    }

    /// As BITS has it: one of many.
    pub(crate) fn interface(service: &Arc<FakeService>, number: u32) -> bits::IBackgroundCopyFile {
        bits::IBackgroundCopyFile6::from(Self { service: Arc::clone(service), number }).into()
    }
}

impl bits::IBackgroundCopyFile_Impl for FakeFile_Impl {
    fn GetRemoteName(&self) -> Result<PWSTR> {
        self.service.tell("GetRemoteName", &format!("url {}", self.number))
    }

    fn GetLocalName(&self) -> Result<PWSTR> {
        self.service.tell("GetLocalName", &format!("path {}", self.number))
    }

    fn GetProgress(&self, progress: *mut bits::BG_FILE_PROGRESS) -> Result<()> {
        let told = bits::BG_FILE_PROGRESS { BytesTotal: u64::MAX, BytesTransferred: 1 << 33, Completed: true.into() };
        // SAFETY: the caller's place.
        unsafe { *progress = told };
        self.service.hear("GetProgress")
    }
}

impl bits::IBackgroundCopyFile2_Impl for FakeFile_Impl {
    fn GetFileRanges(&self, count: *mut u32, ranges: *mut *mut bits::BG_FILE_RANGE) -> Result<()> {
        let told = [(11, 12), (13, u64::MAX)];
        // SAFETY: the caller's places.
        unsafe { self.service.ranges(&told, count, ranges) };
        self.service.hear("GetFileRanges")
    }

    fn SetRemoteName(&self, url: &PCWSTR) -> Result<()> {
        self.service.hear(format_args!("SetRemoteName({})", shown(*url)))
    }
}

impl bits::IBackgroundCopyFile3_Impl for FakeFile_Impl {
    fn GetTemporaryName(&self) -> Result<PWSTR> {
        self.service.tell("GetTemporaryName", "a temporary file")
    }

    fn SetValidationState(&self, is_valid: BOOL) -> Result<()> {
        self.service.hear(format_args!("SetValidationState({})", is_valid.0))
    }

    fn GetValidationState(&self) -> Result<BOOL> {
        self.service.hear("GetValidationState").map(|()| BOOL(-1))
    }

    fn IsDownloadedFromPeer(&self) -> Result<BOOL> {
        self.service.hear("IsDownloadedFromPeer").map(|()| false.into())
    }
}

impl bits::IBackgroundCopyFile4_Impl for FakeFile_Impl {
    fn GetPeerDownloadStats(&self, from_origin: *mut u64, from_peers: *mut u64) -> Result<()> {
        // SAFETY: the caller's places.
        unsafe { (*from_origin, *from_peers) = (21, 22) };
        self.service.hear("GetPeerDownloadStats")
    }
}

impl bits::IBackgroundCopyFile5_Impl for FakeFile_Impl {
    fn SetProperty(&self, id: bits::BITS_FILE_PROPERTY_ID, value: &bits::BITS_FILE_PROPERTY_VALUE) -> Result<()> {
        // SAFETY: the union has one member.
        let text = shown(PCWSTR(unsafe { value.String }.0));
        self.service.hear(format_args!("SetProperty({}, {text})", id.0))
    }

    fn GetProperty(&self, id: bits::BITS_FILE_PROPERTY_ID) -> Result<bits::BITS_FILE_PROPERTY_VALUE> {
        self.service.hear(format_args!("GetProperty({})", id.0))?;
        // What a property holds that nobody knows is no string.
        let is_string = id == bits::BITS_FILE_PROPERTY_ID_HTTP_RESPONSE_HEADERS;
        let told = if is_string { self.service.text("A: b\r\n") } else { PWSTR(std::ptr::without_provenance_mut(1)) };
        Ok(bits::BITS_FILE_PROPERTY_VALUE { String: told })
    }
}

impl bits::IBackgroundCopyFile6_Impl for FakeFile_Impl {
    fn UpdateDownloadPosition(&self, offset: u64) -> Result<()> {
        self.service.hear(format_args!("UpdateDownloadPosition({offset})"))
    }

    fn RequestFileRanges(&self, count: u32, ranges: *const bits::BG_FILE_RANGE) -> Result<()> {
        // SAFETY: the caller's array has `count` elements.
        let ranges = unsafe { slice::from_raw_parts(ranges, count as usize) };
        let ranges: Vec<_> = ranges.iter().map(|range| format!("{}+{}", range.InitialOffset, range.Length)).collect();
        self.service.hear(format_args!("RequestFileRanges({})", ranges.join(" ")))
    }

    fn GetFilledFileRanges(&self, count: *mut u32, ranges: *mut *mut bits::BG_FILE_RANGE) -> Result<()> {
        let told = [(31, 32), (33, 34), (35, 36)];
        // SAFETY: the caller's places.
        unsafe { self.service.ranges(&told, count, ranges) };
        self.service.hear("GetFilledFileRanges")
    }
}
