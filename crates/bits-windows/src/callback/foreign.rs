//! A callback that another program has registered, behind our traits.

use std::any::Any;
use std::sync::Arc;

use bits_api::{
    Callback, Callback2, Callback3, File, FileRange, Hresult, Job, JobError, ServerCertificate,
    ServerCertificateValidationCallback, Success, Unknown,
};
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::{IUnknown, Interface};

use crate::error::ErrorHandle;
use crate::file::FileHandle;
use crate::job::JobHandle;
use crate::memory::Bytes;
use crate::proxy::Proxy;
use crate::ranges::Ranges;

/// The object of another program. Which callbacks it has, QueryInterface tells.
pub(super) struct Foreign(Proxy<IUnknown>);

impl Foreign {
    pub(super) fn new(unknown: Proxy<IUnknown>) -> Self {
        Self(unknown)
    }

    /// The object with a reference of its own.
    ///
    /// # Errors
    /// Those of QueryInterface.
    pub(super) fn unknown(&self) -> Result<Proxy<IUnknown>, Hresult> {
        self.0.query()
    }

    fn interface<I: Interface>(&self) -> Option<Arc<Remote<I>>> {
        match self.0.query() {
            Err(Hresult::E_NOINTERFACE) => None,
            found => Some(Arc::new(Remote(found))),
        }
    }
}

impl Unknown for Foreign {
    fn callback(&self) -> Option<Arc<dyn Callback>> {
        Some(self.interface::<bits::IBackgroundCopyCallback>()?)
    }

    fn callback2(&self) -> Option<Arc<dyn Callback2>> {
        Some(self.interface::<bits::IBackgroundCopyCallback2>()?)
    }

    fn callback3(&self) -> Option<Arc<dyn Callback3>> {
        Some(self.interface::<bits::IBackgroundCopyCallback3>()?)
    }

    fn server_certificate_validation(&self) -> Option<Arc<dyn ServerCertificateValidationCallback>> {
        Some(self.interface::<bits::IBackgroundCopyServerCertificateValidationCallback>()?)
    }
}

/// One interface of such an object; or, if nobody can tell whether it has it, since its program has gone
/// for one, the reason, which its calls give.
struct Remote<I: Interface>(Result<Proxy<I>, Hresult>);

impl<I: Interface> Remote<I> {
    fn proxy(&self) -> Result<&Proxy<I>, Hresult> {
        self.0.as_ref().map_err(|code| *code)
    }
}

/// Where the methods of the first callback are in the tables of all three.
trait Jobs: Interface {
    fn jobs(table: &Self::Vtable) -> &bits::IBackgroundCopyCallback_Vtbl;
}

impl Jobs for bits::IBackgroundCopyCallback {
    fn jobs(table: &Self::Vtable) -> &bits::IBackgroundCopyCallback_Vtbl {
        table
    }
}

impl Jobs for bits::IBackgroundCopyCallback2 {
    fn jobs(table: &Self::Vtable) -> &bits::IBackgroundCopyCallback_Vtbl {
        &table.base__
    }
}

impl Jobs for bits::IBackgroundCopyCallback3 {
    fn jobs(table: &Self::Vtable) -> &bits::IBackgroundCopyCallback_Vtbl {
        &table.base__.base__
    }
}

/// Where that of the second one is.
trait Files: Jobs {
    fn files(table: &Self::Vtable) -> &bits::IBackgroundCopyCallback2_Vtbl;
}

impl Files for bits::IBackgroundCopyCallback2 {
    fn files(table: &Self::Vtable) -> &bits::IBackgroundCopyCallback2_Vtbl {
        table
    }
}

impl Files for bits::IBackgroundCopyCallback3 {
    fn files(table: &Self::Vtable) -> &bits::IBackgroundCopyCallback2_Vtbl {
        &table.base__
    }
}

impl<I: Jobs> Callback for Remote<I> {
    fn job_transferred(&self, job: Arc<dyn Job>) -> Result<Success, Hresult> {
        let job = of_bits::<JobHandle>(&*job)?.interface();
        self.proxy()?.call(|table| I::jobs(table).JobTransferred, (job,))
    }

    fn job_error(&self, job: Arc<dyn Job>, error: Arc<dyn JobError>) -> Result<Success, Hresult> {
        let (job, error) = (of_bits::<JobHandle>(&*job)?.interface(), &of_bits::<ErrorHandle>(&*error)?.0);
        self.proxy()?.call(|table| I::jobs(table).JobError, (job, error))
    }

    fn job_modification(&self, job: Arc<dyn Job>) -> Result<Success, Hresult> {
        let job = of_bits::<JobHandle>(&*job)?.interface();
        self.proxy()?.call(|table| I::jobs(table).JobModification, (job, 0_u32))
    }
}

impl<I: Files> Callback2 for Remote<I> {
    fn file_transferred(&self, job: Arc<dyn Job>, file: Arc<dyn File>) -> Result<Success, Hresult> {
        let (job, file) = (of_bits::<JobHandle>(&*job)?.interface(), of_bits::<FileHandle>(&*file)?.interface());
        self.proxy()?.call(|table| I::files(table).FileTransferred, (job, file))
    }
}

impl Callback3 for Remote<bits::IBackgroundCopyCallback3> {
    fn file_ranges_transferred(
        &self,
        job: Arc<dyn Job>,
        file: Arc<dyn File>,
        ranges: &[FileRange],
    ) -> Result<Success, Hresult> {
        let (job, file) = (of_bits::<JobHandle>(&*job)?.interface(), of_bits::<FileHandle>(&*file)?.interface());
        let ranges = Ranges::new(ranges)?;
        self.proxy()?.call(|table| table.FileRangesTransferred, (job, file, &ranges))
    }
}

impl ServerCertificateValidationCallback for Remote<bits::IBackgroundCopyServerCertificateValidationCallback> {
    fn validate_server_certificate(
        &self,
        job: Arc<dyn Job>,
        file: Arc<dyn File>,
        server: &ServerCertificate<'_>,
    ) -> Result<Success, Hresult> {
        let (job, file) = (of_bits::<JobHandle>(&*job)?.interface(), of_bits::<FileHandle>(&*file)?.interface());
        let (certificate, store) = (Bytes::new(server.certificate)?, Bytes::new(server.store)?);
        self.proxy()?.call(|table| table.ValidateServerCertificate, (job, file, certificate, server.encoding, store))
    }
}

/// What is of BITS behind an object: nothing else can go there.
fn of_bits<T: 'static>(object: &dyn Any) -> Result<&T, Hresult> {
    object.downcast_ref().ok_or(Hresult::E_INVALIDARG)
}
