//! IBackgroundCopyJobHttpOptions and what came after it.

use std::sync::Arc;

use bits_api::{
    Answer, CertStoreLocation, ClientCertificate, Hresult, HttpOptions, HttpOptions2, HttpOptions3, Success, Unknown,
};
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;

use crate::call::Hash;
use crate::callback::ClientObject;
use crate::job::JobHandle;
use crate::memory::{ArrayOut, Text, TextOut};

impl HttpOptions for JobHandle {
    fn set_client_certificate_by_id(
        &self,
        location: CertStoreLocation,
        store_name: Option<&str>,
        hash: Option<&[u8]>,
    ) -> Result<Success, Hresult> {
        let store_name = Text::new(store_name)?;
        let hash = match hash.map(<&Hash>::try_from) {
            // The pointer carries no length: BITS would read on behind a shorter one.
            Some(Err(_)) if store_name.is_absent() => return Err(Hresult::RPC_X_NULL_REF_POINTER),
            Some(Err(_)) => return Err(Hresult::RPC_X_BAD_STUB_DATA),
            Some(Ok(hash)) => Some(hash),
            None => None,
        };
        let options = self.as_http_options()?;
        options.call(|table| table.SetClientCertificateByID, (store_location(location), &store_name, hash))
    }

    fn set_client_certificate_by_name(
        &self,
        location: CertStoreLocation,
        store_name: Option<&str>,
        subject: Option<&str>,
    ) -> Result<Success, Hresult> {
        let arguments = (store_location(location), &Text::new(store_name)?, &Text::new(subject)?);
        self.as_http_options()?.call(|table| table.SetClientCertificateByName, arguments)
    }

    fn remove_client_certificate(&self) -> Result<Success, Hresult> {
        self.as_http_options()?.call(|table| table.RemoveClientCertificate, ())
    }

    fn client_certificate(&self) -> Result<ClientCertificate, Hresult> {
        let (mut location, mut hash) = (bits::BG_CERT_STORE_LOCATION::default(), ArrayOut::new());
        let (mut store_name, mut subject) = (TextOut::new(), TextOut::new());
        let places = (&mut location, &mut store_name, &mut hash, &mut subject);
        self.as_http_options()?.call(|table| table.GetClientCertificate, places)?;
        // SAFETY: one hash is what the method hands out.
        let hash = unsafe { hash.elements(size_of::<Hash>()) };
        Ok(ClientCertificate {
            location: CertStoreLocation(location.0.cast_unsigned()),
            store_name: store_name.text().unwrap_or_default(),
            hash: hash.and_then(|hash| hash.try_into().ok()).ok_or(Hresult::E_UNEXPECTED)?,
            subject: subject.text().unwrap_or_default(),
        })
    }

    fn set_custom_headers(&self, headers: Option<&str>) -> Result<Success, Hresult> {
        self.as_http_options()?.call(|table| table.SetCustomHeaders, (&Text::new(headers)?,))
    }

    fn custom_headers(&self) -> Result<Answer<Option<String>>, Hresult> {
        self.as_http_options()?.coded_text(|table| table.GetCustomHeaders)
    }
}

impl HttpOptions2 for JobHandle {}

impl HttpOptions3 for JobHandle {
    fn make_custom_headers_write_only(&self) -> Result<Success, Hresult> {
        self.as_http_options3()?.call(|table| table.MakeCustomHeadersWriteOnly, ())
    }

    fn set_server_certificate_validation_interface(
        &self,
        object: Option<Arc<dyn Unknown>>,
    ) -> Result<Success, Hresult> {
        let object = ClientObject::new(object)?;
        self.as_http_options3()?.call(|table| table.SetServerCertificateValidationInterface, (&object,))
    }
}

fn store_location(location: CertStoreLocation) -> bits::BG_CERT_STORE_LOCATION {
    bits::BG_CERT_STORE_LOCATION(location.0.cast_signed())
}
