//! A job with every interface of a job. No two of its values are alike.

use std::slice;
use std::sync::Arc;

use bits_api::{Hresult, Job};
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::{BOOL, GUID, IUnknown, PCWSTR, PWSTR, Ref, Result, implement};

use super::{FakeError, FakeFiles, FakeService, filetime, older, shown};
use crate::job::JobHandle;
use crate::proxy::Proxy;

#[implement(bits::IBackgroundCopyJob5, bits::IBackgroundCopyJobHttpOptions3, bits::IBitsTokenOptions)]
pub(crate) struct FakeJob(Arc<FakeService>);

impl FakeJob {
    /// As a client has it.
    pub(crate) fn of(service: &Arc<FakeService>) -> Arc<dyn Job> {
        let job: bits::IBackgroundCopyJob5 = Self(Arc::clone(service)).into();
        JobHandle::arc(Proxy::new(job.into()))
    }

    /// The same without all but these of its later interfaces: one of an older BITS.
    pub(crate) fn of_older(service: &Arc<FakeService>, interfaces: Vec<GUID>) -> Arc<dyn Job> {
        let job: bits::IBackgroundCopyJob5 = Self(Arc::clone(service)).into();
        older::limit(&job, interfaces);
        JobHandle::arc(Proxy::new(job.into()))
    }

    /// As BITS has it.
    pub(crate) fn interface(service: &Arc<FakeService>) -> bits::IBackgroundCopyJob {
        bits::IBackgroundCopyJob5::from(Self(Arc::clone(service))).into()
    }
}

impl bits::IBackgroundCopyJob_Impl for FakeJob_Impl {
    fn AddFileSet(&self, count: u32, files: *const bits::BG_FILE_INFO) -> Result<()> {
        // SAFETY: the caller's array has `count` elements.
        let files = unsafe { slice::from_raw_parts(files, count as usize) };
        let names: Vec<_> = files
            .iter()
            .map(|file| format!("{} {}", shown(PCWSTR(file.RemoteName.0)), shown(PCWSTR(file.LocalName.0))))
            .collect();
        self.0.hear(format_args!("AddFileSet({})", names.join(", ")))
    }

    fn AddFile(&self, remote: &PCWSTR, local: &PCWSTR) -> Result<()> {
        self.0.hear(format_args!("AddFile({}, {})", shown(*remote), shown(*local)))
    }

    fn EnumFiles(&self) -> Result<bits::IEnumBackgroundCopyFiles> {
        self.0.hear("EnumFiles").map(|()| FakeFiles::interface(&FakeService::answering(Hresult::S_OK)))
    }

    fn Suspend(&self) -> Result<()> {
        self.0.hear("Suspend")
    }

    fn Resume(&self) -> Result<()> {
        self.0.hear("Resume")
    }

    fn Cancel(&self) -> Result<()> {
        self.0.hear("Cancel")
    }

    fn Complete(&self) -> Result<()> {
        self.0.hear("Complete")
    }

    fn GetId(&self) -> Result<GUID> {
        self.0.hear("GetId").map(|()| GUID::from_u128(0x1111_2222_3333_4444_5555_6666_7777_8888))
    }

    fn GetType(&self) -> Result<bits::BG_JOB_TYPE> {
        self.0.hear("GetType").map(|()| bits::BG_JOB_TYPE_UPLOAD_REPLY)
    }

    fn GetProgress(&self, progress: *mut bits::BG_JOB_PROGRESS) -> Result<()> {
        let told =
            bits::BG_JOB_PROGRESS { BytesTotal: u64::MAX, BytesTransferred: 11, FilesTotal: 12, FilesTransferred: 13 };
        // SAFETY: the caller's place.
        unsafe { *progress = told };
        self.0.hear("GetProgress")
    }

    fn GetTimes(&self, times: *mut bits::BG_JOB_TIMES) -> Result<()> {
        let told = bits::BG_JOB_TIMES {
            CreationTime: filetime(0x0000_0001_8000_0002),
            ModificationTime: filetime(0x0000_0003_0000_0004),
            TransferCompletionTime: filetime(0x0000_0005_0000_0006),
        };
        // SAFETY: the caller's place.
        unsafe { *times = told };
        self.0.hear("GetTimes")
    }

    fn GetState(&self) -> Result<bits::BG_JOB_STATE> {
        self.0.hear("GetState").map(|()| bits::BG_JOB_STATE_ACKNOWLEDGED)
    }

    fn GetError(&self) -> Result<bits::IBackgroundCopyError> {
        self.0.hear("GetError").map(|()| FakeError::interface(&FakeService::answering(Hresult::S_OK)))
    }

    fn GetOwner(&self) -> Result<PWSTR> {
        self.0.tell("GetOwner", "S-1-5-18")
    }

    fn SetDisplayName(&self, name: &PCWSTR) -> Result<()> {
        self.0.hear(format_args!("SetDisplayName({})", shown(*name)))
    }

    fn GetDisplayName(&self) -> Result<PWSTR> {
        self.0.tell("GetDisplayName", "a name")
    }

    fn SetDescription(&self, text: &PCWSTR) -> Result<()> {
        self.0.hear(format_args!("SetDescription({})", shown(*text)))
    }

    fn GetDescription(&self) -> Result<PWSTR> {
        self.0.tell("GetDescription", "a description 𝄞")
    }

    fn SetPriority(&self, priority: bits::BG_JOB_PRIORITY) -> Result<()> {
        self.0.hear(format_args!("SetPriority({})", priority.0))
    }

    fn GetPriority(&self) -> Result<bits::BG_JOB_PRIORITY> {
        self.0.hear("GetPriority").map(|()| bits::BG_JOB_PRIORITY_LOW)
    }

    fn SetNotifyFlags(&self, flags: u32) -> Result<()> {
        self.0.hear(format_args!("SetNotifyFlags({flags:#x})"))
    }

    fn GetNotifyFlags(&self) -> Result<u32> {
        self.0.hear("GetNotifyFlags").map(|()| 0x8000_0021)
    }

    fn SetNotifyInterface(&self, object: Ref<'_, IUnknown>) -> Result<()> {
        self.0.hear(format_args!("SetNotifyInterface({})", if object.is_null() { "null" } else { "an object" }))
    }

    fn GetNotifyInterface(&self) -> Result<IUnknown> {
        self.0.hear("GetNotifyInterface").map(|()| FakeError::interface(&FakeService::answering(Hresult::S_OK)).into())
    }

    fn SetMinimumRetryDelay(&self, seconds: u32) -> Result<()> {
        self.0.hear(format_args!("SetMinimumRetryDelay({seconds})"))
    }

    fn GetMinimumRetryDelay(&self) -> Result<u32> {
        self.0.hear("GetMinimumRetryDelay").map(|()| 61)
    }

    fn SetNoProgressTimeout(&self, seconds: u32) -> Result<()> {
        self.0.hear(format_args!("SetNoProgressTimeout({seconds})"))
    }

    fn GetNoProgressTimeout(&self) -> Result<u32> {
        self.0.hear("GetNoProgressTimeout").map(|()| 62)
    }

    fn GetErrorCount(&self) -> Result<u32> {
        self.0.hear("GetErrorCount").map(|()| 63)
    }

    fn SetProxySettings(&self, usage: bits::BG_JOB_PROXY_USAGE, list: &PCWSTR, bypass: &PCWSTR) -> Result<()> {
        self.0.hear(format_args!("SetProxySettings({}, {}, {})", usage.0, shown(*list), shown(*bypass)))
    }

    fn GetProxySettings(
        &self,
        usage: *mut bits::BG_JOB_PROXY_USAGE,
        list: *mut PWSTR,
        bypass: *mut PWSTR,
    ) -> Result<()> {
        // SAFETY: the caller's places.
        unsafe {
            *usage = bits::BG_JOB_PROXY_USAGE_OVERRIDE;
            *list = self.0.text("a proxy");
            *bypass = self.0.text("a host");
        }
        self.0.hear("GetProxySettings")
    }

    fn TakeOwnership(&self) -> Result<()> {
        self.0.hear("TakeOwnership")
    }
}

impl bits::IBackgroundCopyJob2_Impl for FakeJob_Impl {
    fn SetNotifyCmdLine(&self, program: &PCWSTR, parameters: &PCWSTR) -> Result<()> {
        self.0.hear(format_args!("SetNotifyCmdLine({}, {})", shown(*program), shown(*parameters)))
    }

    fn GetNotifyCmdLine(&self, program: *mut PWSTR, parameters: *mut PWSTR) -> Result<()> {
        // SAFETY: the caller's places.
        unsafe {
            *program = self.0.text("a program");
            *parameters = self.0.text("its parameters");
        }
        self.0.hear("GetNotifyCmdLine")
    }

    fn GetReplyProgress(&self, progress: *mut bits::BG_JOB_REPLY_PROGRESS) -> Result<()> {
        // SAFETY: the caller's place.
        unsafe { *progress = bits::BG_JOB_REPLY_PROGRESS { BytesTotal: 21, BytesTransferred: 22 } };
        self.0.hear("GetReplyProgress")
    }

    /// With any failure there is a length, but no data.
    fn GetReplyData(&self, data: *mut *mut u8, length: *mut u64) -> Result<()> {
        let answer = self.0.hear("GetReplyData");
        // SAFETY: the caller's places.
        unsafe {
            *length = if answer.is_ok() { 3 } else { 1 << 20 | 1 };
            if answer.is_ok() {
                *data = self.0.bytes(&[0xA0, 0x00, 0xA2]);
            }
        }
        answer
    }

    fn SetReplyFileName(&self, name: &PCWSTR) -> Result<()> {
        self.0.hear(format_args!("SetReplyFileName({})", shown(*name)))
    }

    fn GetReplyFileName(&self) -> Result<PWSTR> {
        self.0.tell("GetReplyFileName", r"C:\a reply")
    }

    fn SetCredentials(&self, credentials: *const bits::BG_AUTH_CREDENTIALS) -> Result<()> {
        // SAFETY: the caller's structure lives during the call, and its union has one member.
        let (who, basic) = unsafe { (*credentials, (*credentials).Credentials.Basic) };
        let (user_name, password) = (shown(PCWSTR(basic.UserName.0)), shown(PCWSTR(basic.Password.0)));
        self.0.hear(format_args!("SetCredentials({}, {}, {user_name}, {password})", who.Target.0, who.Scheme.0))
    }

    fn RemoveCredentials(&self, target: bits::BG_AUTH_TARGET, scheme: bits::BG_AUTH_SCHEME) -> Result<()> {
        self.0.hear(format_args!("RemoveCredentials({}, {})", target.0, scheme.0))
    }
}

impl bits::IBackgroundCopyJob3_Impl for FakeJob_Impl {
    fn ReplaceRemotePrefix(&self, old: &PCWSTR, new: &PCWSTR) -> Result<()> {
        self.0.hear(format_args!("ReplaceRemotePrefix({}, {})", shown(*old), shown(*new)))
    }

    fn AddFileWithRanges(
        &self,
        remote: &PCWSTR,
        local: &PCWSTR,
        count: u32,
        ranges: *const bits::BG_FILE_RANGE,
    ) -> Result<()> {
        // SAFETY: the caller's array has `count` elements.
        let ranges = unsafe { slice::from_raw_parts(ranges, count as usize) };
        let ranges: Vec<_> = ranges.iter().map(|range| format!("{}+{}", range.InitialOffset, range.Length)).collect();
        let (remote, local) = (shown(*remote), shown(*local));
        self.0.hear(format_args!("AddFileWithRanges({remote}, {local}, {})", ranges.join(" ")))
    }

    fn SetFileACLFlags(&self, flags: u32) -> Result<()> {
        self.0.hear(format_args!("SetFileACLFlags({flags:#x})"))
    }

    fn GetFileACLFlags(&self) -> Result<u32> {
        self.0.hear("GetFileACLFlags").map(|()| 0x6)
    }
}

impl bits::IBackgroundCopyJob4_Impl for FakeJob_Impl {
    fn SetPeerCachingFlags(&self, flags: u32) -> Result<()> {
        self.0.hear(format_args!("SetPeerCachingFlags({flags:#x})"))
    }

    fn GetPeerCachingFlags(&self) -> Result<u32> {
        self.0.hear("GetPeerCachingFlags").map(|()| 0x5)
    }

    fn GetOwnerIntegrityLevel(&self) -> Result<u32> {
        self.0.hear("GetOwnerIntegrityLevel").map(|()| 0x2000)
    }

    fn GetOwnerElevationState(&self) -> Result<BOOL> {
        self.0.hear("GetOwnerElevationState").map(|()| true.into())
    }

    fn SetMaximumDownloadTime(&self, seconds: u32) -> Result<()> {
        self.0.hear(format_args!("SetMaximumDownloadTime({seconds})"))
    }

    fn GetMaximumDownloadTime(&self) -> Result<u32> {
        self.0.hear("GetMaximumDownloadTime").map(|()| 64)
    }
}

impl bits::IBackgroundCopyJob5_Impl for FakeJob_Impl {
    /// Shows all sixteen bytes of the value.
    fn SetProperty(&self, id: bits::BITS_JOB_PROPERTY_ID, value: &bits::BITS_JOB_PROPERTY_VALUE) -> Result<()> {
        // SAFETY: whoever sets a property defines the whole union.
        let bytes = unsafe { value.ClsID };
        self.0.hear(format_args!("SetProperty({}, {bytes:?})", id.0))
    }

    /// Sixteen bytes, of which only those of the right member tell the right value.
    fn GetProperty(&self, id: bits::BITS_JOB_PROPERTY_ID) -> Result<bits::BITS_JOB_PROPERTY_VALUE> {
        self.0.hear(format_args!("GetProperty({})", id.0)).map(|()| bits::BITS_JOB_PROPERTY_VALUE {
            ClsID: GUID::from_u128(0x0000_0001_0000_0002_0102_0304_0506_0708),
        })
    }
}

impl bits::IBackgroundCopyJobHttpOptions_Impl for FakeJob_Impl {
    fn SetClientCertificateByID(
        &self,
        location: bits::BG_CERT_STORE_LOCATION,
        store: &PCWSTR,
        hash: *const u8,
    ) -> Result<()> {
        // SAFETY: null, or a hash, which has 20 bytes.
        let hash = (!hash.is_null()).then(|| unsafe { slice::from_raw_parts(hash, 20) });
        self.0.hear(format_args!("SetClientCertificateByID({}, {}, {hash:?})", location.0, shown(*store)))
    }

    fn SetClientCertificateByName(
        &self,
        location: bits::BG_CERT_STORE_LOCATION,
        store: &PCWSTR,
        subject: &PCWSTR,
    ) -> Result<()> {
        let (store, subject) = (shown(*store), shown(*subject));
        self.0.hear(format_args!("SetClientCertificateByName({}, {store}, {subject})", location.0))
    }

    fn RemoveClientCertificate(&self) -> Result<()> {
        self.0.hear("RemoveClientCertificate")
    }

    fn GetClientCertificate(
        &self,
        location: *mut bits::BG_CERT_STORE_LOCATION,
        store: *mut PWSTR,
        hash: *mut *mut u8,
        subject: *mut PWSTR,
    ) -> Result<()> {
        // SAFETY: the caller's places.
        unsafe {
            *location = bits::BG_CERT_STORE_LOCATION_USERS;
            *store = self.0.text("a store");
            *hash = self.0.bytes(&[0x5A; 20]);
            *subject = self.0.text("a subject");
        }
        self.0.hear("GetClientCertificate")
    }

    fn SetCustomHeaders(&self, headers: &PCWSTR) -> Result<()> {
        self.0.hear(format_args!("SetCustomHeaders({})", shown(*headers)))
    }

    fn GetCustomHeaders(&self) -> Result<PWSTR> {
        self.0.tell("GetCustomHeaders", "A: b\r\n")
    }

    fn SetSecurityFlags(&self, flags: u32) -> Result<()> {
        self.0.hear(format_args!("SetSecurityFlags({flags:#x})"))
    }

    fn GetSecurityFlags(&self) -> Result<u32> {
        self.0.hear("GetSecurityFlags").map(|()| 0x0810)
    }
}

impl bits::IBackgroundCopyJobHttpOptions2_Impl for FakeJob_Impl {
    fn SetHttpMethod(&self, method: &PCWSTR) -> Result<()> {
        self.0.hear(format_args!("SetHttpMethod({})", shown(*method)))
    }

    fn GetHttpMethod(&self) -> Result<PWSTR> {
        self.0.tell("GetHttpMethod", "PATCH")
    }
}

impl bits::IBackgroundCopyJobHttpOptions3_Impl for FakeJob_Impl {
    fn SetServerCertificateValidationInterface(&self, object: Ref<'_, IUnknown>) -> Result<()> {
        let object = if object.is_null() { "null" } else { "an object" };
        self.0.hear(format_args!("SetServerCertificateValidationInterface({object})"))
    }

    fn MakeCustomHeadersWriteOnly(&self) -> Result<()> {
        self.0.hear("MakeCustomHeadersWriteOnly")
    }
}

impl bits::IBitsTokenOptions_Impl for FakeJob_Impl {
    fn SetHelperTokenFlags(&self, flags: bits::BG_TOKEN) -> Result<()> {
        self.0.hear(format_args!("SetHelperTokenFlags({:#x})", flags.0))
    }

    fn GetHelperTokenFlags(&self) -> Result<bits::BG_TOKEN> {
        self.0.hear("GetHelperTokenFlags").map(|()| bits::BG_TOKEN_NETWORK)
    }

    fn SetHelperToken(&self) -> Result<()> {
        self.0.hear("SetHelperToken")
    }

    fn ClearHelperToken(&self) -> Result<()> {
        self.0.hear("ClearHelperToken")
    }

    fn GetHelperTokenSid(&self) -> Result<PWSTR> {
        self.0.tell("GetHelperTokenSid", "S-1-5-21-7")
    }
}
