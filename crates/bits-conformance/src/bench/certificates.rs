//! Certificates: in the stores of the machine, and on the wire.

use bits_api::CertStoreLocation;
use bits_certs::identity;
use bits_origin::{Flaw, Handshake, Origin};
use bits_world::{Certificate, Sid};

use super::Bench;
use crate::claims::{Outcome, Stop};
use crate::provider::Capability;

impl Bench {
    /// Puts a certificate into a store of the main client's user.
    pub(crate) fn put_certificate(
        &self,
        location: CertStoreLocation,
        store: &str,
        certificate: Certificate,
    ) -> Outcome {
        self.can(Capability::World)?;
        let user = self.own_token()?.user;
        self.emulator()?.change_world(|world| world.certificates.add(location, store, &user, certificate));
        Ok(())
    }

    /// Takes a certificate out of a store of the main client's user.
    pub(crate) fn take_certificate(&self, location: CertStoreLocation, store: &str, hash: &[u8; 20]) -> Outcome {
        self.can(Capability::World)?;
        let user = self.own_token()?.user;
        self.emulator()?.change_world(|world| _ = world.certificates.remove(location, store, &user, hash));
        Ok(())
    }

    /// Lets these users alone use a store of the main client's user.
    pub(crate) fn close_store(&self, location: CertStoreLocation, store: &str, users: &[Sid]) -> Outcome {
        self.can(Capability::World)?;
        let (user, users) = (self.own_token()?.user, users.to_vec());
        self.emulator()?.change_world(|world| world.certificates.allow_only(location, store, &user, users));
        Ok(())
    }

    /// Lets these lists of revoked certificates be had, and no others.
    pub(crate) fn publish(&self, lists: &[Vec<u8>]) -> Outcome {
        self.can(Capability::World)?;
        self.emulator()?.change_world(|world| {
            world.revocation.clear();
            for list in lists {
                world.revocation.add(&list[..]);
            }
        });
        Ok(())
    }
}

/// What went wrong beside the service.
pub(crate) fn told(error: impl std::fmt::Display) -> Stop {
    Stop::Failed(error.to_string())
}

/// A certificate that `origin` believes, but for these flaws, with its key.
pub(crate) fn client_certificate(origin: &Origin, subject: &[&str], flaws: &[Flaw]) -> Result<Certificate, Stop> {
    let pem = origin.client_certificate(subject, flaws).map_err(told)?;
    identity::from_pem(&pem).map_err(told)
}

/// Lets `origin` shake hands like that.
pub(crate) fn shake_hands(origin: &Origin, handshake: &Handshake) -> Outcome {
    origin.shake_hands(handshake).map_err(told)
}
