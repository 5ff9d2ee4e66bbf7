//! The client certificate of a job (clauses `http_options.*_client_certificate*`, `cert_store.*`).
//!
//! A job keeps where its certificate is, not the certificate: the store is looked into by the call
//! that chooses, and again at each connection, in the name of the owner.

use std::sync::Arc;

use bits_api::{CertStoreLocation, ClientCertificate, Hresult, Success, text};
use bits_wire::certificates::{Certificates, Found};
use bits_world::{Certificate, CertificateStore, Sid, StoreRefusal, Token, World};
use serde::{Deserialize, Serialize};

use crate::job::Job;
use crate::{Cx, Engine, JobKey, Reply};

/// The longest name of a store, and subject, in UTF-16 units: 256 with the terminator (a decision,
/// `http_options.certificate_name_limit`).
const MAX_NAME: usize = 255;

/// Where the client certificate of a job is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ChosenCertificate {
    /// The place of the store.
    pub location: CertStoreLocation,
    /// Its name, as it was given.
    pub store_name: String,
    /// The SHA-1 of the certificate.
    pub hash: [u8; 20],
    /// Its subject when it was chosen.
    pub subject: String,
}

impl Job {
    /// What attempts are told of certificates; who looks into the stores, the service says.
    pub(crate) fn certificates(&self) -> Certificates {
        let chosen = self.chosen_certificate().map(|chosen| chosen.hash);
        Certificates { chosen, ..self.later.security_flags().into() }
    }

    fn chosen_certificate(&self) -> Option<&ChosenCertificate> {
        self.secrets.as_ref().and_then(|secrets| secrets.certificate.as_ref())
    }
}

impl Engine {
    /// SetClientCertificateByID. Since 2.5; clauses `http_options.set_client_certificate_by_id.*`.
    ///
    /// # Errors
    /// `RPC_X_NULL_REF_POINTER`, `RPC_X_BAD_STUB_DATA` for what does not get through to the service;
    /// `E_ACCESSDENIED` for anybody but the owner, and for a store that is not the owner's to use;
    /// `BG_E_INVALID_STATE` in a final state; `E_NOTIMPL`, `BG_E_STRING_TOO_LONG`,
    /// `ERROR_FILE_NOT_FOUND`, `CRYPT_E_NOT_FOUND`.
    pub fn set_client_certificate_by_id(
        &mut self,
        cx: Cx<'_>,
        caller: &Token,
        job: JobKey,
        (location, store_name): (CertStoreLocation, Option<&str>),
        hash: Option<&[u8]>,
    ) -> Reply {
        let (Some(store_name), Some(hash)) = (store_name, hash) else {
            return Reply::Now(Err(Hresult::RPC_X_NULL_REF_POINTER));
        };
        let Ok(hash) = <&[u8; 20]>::try_from(hash) else { return Reply::Now(Err(Hresult::RPC_X_BAD_STUB_DATA)) };
        self.choose(cx, caller, job, (location, store_name), |store| store.by_hash(hash).cloned())
    }

    /// SetClientCertificateByName. Since 2.5; clauses
    /// `http_options.set_client_certificate_by_name.*`.
    ///
    /// # Errors
    /// Those of [`Engine::set_client_certificate_by_id`]; `E_INVALIDARG` for an empty subject.
    pub fn set_client_certificate_by_name(
        &mut self,
        cx: Cx<'_>,
        caller: &Token,
        job: JobKey,
        (location, store_name): (CertStoreLocation, Option<&str>),
        subject: Option<&str>,
    ) -> Reply {
        let (Some(store_name), Some(subject)) = (store_name, subject) else {
            return Reply::Now(Err(Hresult::RPC_X_NULL_REF_POINTER));
        };
        if subject.is_empty() || subject.contains('\0') {
            return Reply::Now(Err(Hresult::E_INVALIDARG));
        }
        if text::utf16_len(subject) > MAX_NAME {
            return Reply::Now(Err(Hresult::BG_E_STRING_TOO_LONG));
        }
        self.choose(cx, caller, job, (location, store_name), |store| store.by_subject(subject).cloned())
    }

    /// RemoveClientCertificate: `S_FALSE` without one. Since 2.5; clauses
    /// `http_options.remove_client_certificate.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` for anybody but the owner; `BG_E_INVALID_STATE` in a final state.
    pub fn remove_client_certificate(&mut self, cx: Cx<'_>, caller: &Token, job: JobKey) -> Reply {
        self.change_as_owner(cx, caller, job, |engine| {
            if engine.jobs[job].chosen_certificate().is_none() {
                return Ok(Success::FALSE);
            }
            engine.jobs[job].change_secrets(|secrets| secrets.certificate = None);
            engine.changed(cx, job);
            Ok(Success::OK)
        })
    }

    /// GetClientCertificate. Since 2.5; clauses `http_options.get_client_certificate.*`.
    ///
    /// # Errors
    /// `RPC_X_BAD_STUB_DATA` without one, and for a caller who may not use its store.
    pub fn client_certificate(&self, cx: Cx<'_>, caller: &Token, job: JobKey) -> Result<ClientCertificate, Hresult> {
        let held = self.readable(caller, job)?;
        let chosen = held.chosen_certificate().ok_or(Hresult::RPC_X_BAD_STUB_DATA)?;
        let owner = &self.jobs.users.get(held.owner).sid;
        let store = cx.world.certificates.open_for(chosen.location, &chosen.store_name, owner, &caller.user);
        if store == Err(StoreRefusal::Denied) {
            return Err(Hresult::RPC_X_BAD_STUB_DATA);
        }
        Ok(ClientCertificate {
            location: chosen.location,
            store_name: chosen.store_name.clone(),
            hash: chosen.hash,
            subject: chosen.subject.clone(),
        })
    }

    /// What the stores hold for a job just now: the certificate that it shows a server that asks,
    /// unless that has no key, has left its store, or is not the owner's to use any more; and whom
    /// the owner trusts.
    pub fn look_up_certificates(&self, world: &World, job: JobKey) -> Found {
        let Some(job) = self.jobs.get(job) else { return Found::default() };
        let owner = &self.jobs.users.get(job.owner).sid;
        let client = job.chosen_certificate().and_then(|chosen| {
            let store = world.certificates.open(chosen.location, &chosen.store_name, owner).ok()?;
            store.by_hash(&chosen.hash).filter(|certificate| certificate.key.is_some()).cloned()
        });
        let vouchers = world.certificates.vouchers(owner);
        Found { client, vouchers, revocation: world.revocation.clone() }
    }

    fn choose(
        &mut self,
        cx: Cx<'_>,
        caller: &Token,
        job: JobKey,
        (location, store_name): (CertStoreLocation, &str),
        find: impl FnOnce(&CertificateStore) -> Option<Arc<Certificate>>,
    ) -> Reply {
        self.change_as_owner(cx, caller, job, |engine| {
            let store = open(cx.world, location, store_name, &caller.user)?;
            let found = find(&store).ok_or(Hresult::CRYPT_E_NOT_FOUND)?;
            let chosen = ChosenCertificate {
                location,
                store_name: store_name.to_owned(),
                hash: found.hash,
                subject: found.subject.clone(),
            };
            engine.jobs[job].change_secrets(|secrets| secrets.certificate = Some(chosen));
            engine.changed(cx, job);
            Ok(Success::OK)
        })
    }
}

fn open(
    world: &World,
    location: CertStoreLocation,
    store_name: &str,
    user: &Sid,
) -> Result<Arc<CertificateStore>, Hresult> {
    if location.name().is_none() {
        return Err(Hresult::E_NOTIMPL);
    }
    if text::utf16_len(store_name) > MAX_NAME {
        return Err(Hresult::BG_E_STRING_TOO_LONG);
    }
    world.certificates.open(location, store_name, user).map_err(|refusal| match refusal {
        StoreRefusal::Denied => Hresult::E_ACCESSDENIED,
        _ => Hresult::ERROR_FILE_NOT_FOUND,
    })
}
