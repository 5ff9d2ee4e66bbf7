//! Authorities: what they sign, and what they have revoked.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bits_api::FileTime;
use bits_world::clock::Clock;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType, IsCa, KeyIdMethod,
    KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use sha2::{Digest, Sha256};

type Authority = CertifiedIssuer<'static, KeyPair>;

/// What is wrong with a list of revoked certificates.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ListFlaw {
    /// The next one was due a day ago.
    Expired,
    /// Somebody else has signed it, under the name of the authority.
    Forged,
    /// It is that of somebody else.
    OtherIssuer,
}

/// An authority, and the serial numbers that it has revoked.
pub(crate) struct Issuer {
    pub(crate) authority: Authority,
    name: String,
    revoked: Mutex<Vec<u64>>,
}

impl Issuer {
    /// An authority that vouches for itself.
    pub(crate) fn new() -> io::Result<Arc<Self>> {
        let key = key()?;
        let name = name_for(&key);
        let authority = CertifiedIssuer::self_signed(params(&name)?, key).map_err(io::Error::other)?;
        Ok(Arc::new(Self { authority, name, revoked: Mutex::default() }))
    }

    /// One that `top` vouches for, or vouched for once.
    pub(crate) fn below(top: &Self, serial: u64, is_expired: bool) -> io::Result<Arc<Self>> {
        let key = key()?;
        let name = name_for(&key);
        let mut params = params(&name)?;
        params.serial_number = Some(serial.into());
        if is_expired {
            expire(&mut params);
        }
        let authority = CertifiedIssuer::signed_by(params, key, &top.authority).map_err(io::Error::other)?;
        Ok(Arc::new(Self { authority, name, revoked: Mutex::default() }))
    }

    /// Revokes the certificate of this number.
    pub(crate) fn revoke(&self, serial: u64) {
        self.revoked.lock().unwrap_or_else(PoisonError::into_inner).push(serial);
    }

    /// The list of what it has revoked, as DER, good for a year.
    pub(crate) fn list(&self, clock: &Clock, flaw: Option<ListFlaw>) -> io::Result<Vec<u8>> {
        const DAY: Duration = Duration::from_hours(24);
        let now = date_time_ymd(1970, 1, 1) + since_1970(clock.now().wall);
        let (this_update, next_update) =
            if flaw == Some(ListFlaw::Expired) { (now - 30 * DAY, now - DAY) } else { (now - DAY, now + 365 * DAY) };
        let revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: this_update,
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update,
            next_update,
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let signed = match flaw {
            Some(ListFlaw::Forged) => list.signed_by(&rcgen::Issuer::from_params(&params(&self.name)?, key()?)),
            Some(ListFlaw::OtherIssuer) => list.signed_by(&Self::new()?.authority),
            _ => list.signed_by(&self.authority),
        };
        Ok(signed.map_err(io::Error::other)?.der().to_vec())
    }
}

fn key() -> io::Result<KeyPair> {
    KeyPair::generate().map_err(io::Error::other)
}

fn params(name: &str) -> io::Result<CertificateParams> {
    let mut params = CertificateParams::new([]).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// Lets a certificate have been valid in 2001 alone.
pub(crate) fn expire(params: &mut CertificateParams) {
    (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
}

/// They all have a different name in each origin: a wrong signature is something else than an
/// authority that nobody knows.
fn name_for(key: &KeyPair) -> String {
    let digest = Sha256::digest(key.public_key_raw());
    let number = digest.iter().take(8).fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    format!("bits-origin test authority {number:016x}")
}

/// The time since the beginning of 1970.
pub(crate) fn since_1970(time: FileTime) -> Duration {
    Duration::from_secs(u64::try_from(time.unix_seconds()).unwrap_or_default())
}
