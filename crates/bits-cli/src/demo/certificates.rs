//! The demonstration's certificates: a client that shows who it is, and one that looks at servers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bits_api::{
    CertStoreLocation, File, Hresult, Job, ServerCertificate, ServerCertificateValidationCallback, Success,
    server_certificate_validation_object,
};
use bits_certs::folder::thumbprint;
use bits_certs::identity;
use bits_origin::{ClientCertificates, Content, Handshake};
use bits_service::Emulator;
use bits_world::Sid;

use super::{Demo, MIB, say};
use crate::{Doing, Failure};

impl Demo<'_> {
    /// A server that wants a certificate is shown the one that the job has chosen by its thumbprint.
    pub(super) fn client_certificate(&self) -> Result<(), Failure> {
        let content = Content::synthetic(MIB, 4);
        self.origin.put("/members.bin", content.clone());
        self.clients_show_certificates(ClientCertificates::Required)?;
        let pem = self.origin.client_certificate(&["Example", "Clients", "alice"], &[]).doing("a certificate")?;
        let certificate = identity::from_pem(&pem).doing("the certificate")?;
        let hash = certificate.hash;
        self.emulator.change_world(|world| {
            let user = Sid::of_name(Emulator::DEFAULT_USER);
            world.certificates.add(CertStoreLocation::CURRENT_USER, "MY", &user, certificate);
        });
        let (id, job) = self.job("members only", &self.origin.https_url("/members.bin"), "members.bin")?;
        let options = job.http_options().doing("QueryInterface")?;
        options
            .set_client_certificate_by_id(CertStoreLocation::CURRENT_USER, Some("MY"), Some(&hash))
            .doing("SetClientCertificateByID")?;
        job.resume().doing("Resume")?;
        self.finish("HTTPS from a server that wants a client's certificate", id, &job, &content, "members.bin")?;
        self.clients_show_certificates(ClientCertificates::Unasked)?;
        let journal = self.origin.journal().requests_to("/members.bin");
        let seen = |der: Option<&[u8]>| der.map(identity::hash) == Some(hash);
        if journal.is_empty() || !journal.iter().all(|request| seen(request.certificate.as_deref())) {
            return Err(Failure::Failed("the server has not seen the certificate".into()));
        }
        say(&format!("The server has seen the certificate {}\n", thumbprint(&hash)))
    }

    /// The application looks at a server, does not like it, and takes it when BITS comes again.
    pub(super) fn validation(&self) -> Result<(), Failure> {
        let content = Content::synthetic(MIB, 5);
        self.origin.put("/looked-at.bin", content.clone());
        let (id, job) = self.job("a careful client", &self.origin.https_url("/looked-at.bin"), "looked-at.bin")?;
        let careful = Arc::new(Careful::default());
        let object = server_certificate_validation_object(Arc::<Careful>::clone(&careful));
        let options = job.http_options3().doing("QueryInterface")?;
        options
            .set_server_certificate_validation_interface(Some(object))
            .doing("SetServerCertificateValidationInterface")?;
        job.resume().doing("Resume")?;
        let title = "The client's own callback declines the server's certificate, and accepts it ten minutes later";
        self.finish(title, id, &job, &content, "looked-at.bin")?;
        match job.error_count().doing("GetErrorCount")? {
            1 if careful.has_declined.load(Ordering::SeqCst) => Ok(()),
            count => Err(Failure::Failed(format!("the callback declined once, and the job had {count} errors"))),
        }
    }

    fn clients_show_certificates(&self, clients: ClientCertificates) -> Result<(), Failure> {
        let handshake = Handshake { clients, ..Handshake::default() };
        self.origin.shake_hands(&handshake).doing("the origin's certificates")
    }
}

/// Declines the first server.
#[derive(Default)]
struct Careful {
    has_declined: AtomicBool,
}

impl ServerCertificateValidationCallback for Careful {
    fn validate_server_certificate(
        &self,
        _job: Arc<dyn Job>,
        _file: Arc<dyn File>,
        _server: &ServerCertificate<'_>,
    ) -> Result<Success, Hresult> {
        if self.has_declined.swap(true, Ordering::SeqCst) { Ok(Success::OK) } else { Err(Hresult::E_ACCESSDENIED) }
    }
}
