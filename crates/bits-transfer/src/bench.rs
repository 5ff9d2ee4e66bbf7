//! What the benchmarks measure, as connections do it. No part of what others build on.

use std::io;
use std::sync::Arc;

use bits_certs::Authorities;
use bits_wire::attempt::Vetter;
use bits_wire::download::CertificateFaults;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::verifier::{Then, Verifier};
use crate::vetted::{self, Say};

/// Shakes hands as a connection whose application has its say: `base` is what connections have in
/// common.
///
/// # Errors
/// Those of the handshake; the server is refused or declined.
pub async fn shake_hands(
    base: &ClientConfig,
    authorities: &Arc<Authorities>,
    vetter: &Arc<dyn Vetter>,
    name: ServerName<'static>,
    stream: impl AsyncRead + AsyncWrite + Unpin,
) -> io::Result<impl AsyncRead + AsyncWrite + Unpin> {
    let say = Say::new(Arc::clone(vetter), format!("{}:443", name.to_str()), Arc::default());
    let then = Then::Ask { excused: CertificateFaults::empty(), say: Arc::clone(&say) };
    let verifier = Verifier::new(Arc::clone(authorities), None, then, base.crypto_provider());
    let mut config = base.clone();
    config.dangerous().set_certificate_verifier(Arc::new(verifier));
    vetted::connect(Arc::new(config), Some(say), name, stream).await
}
