//! The secrets of version 2, from the time before client certificates.
//!
//! Nothing here is ever changed: stores of that version exist. What was sealed tells its shape by
//! its length: it ends where the shape of today goes on.

use std::collections::BTreeMap;

use bits_api::{AuthScheme, AuthTarget};
use bits_engine::Login;
use bits_wire::Secret;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
pub(crate) struct Secrets {
    credentials: BTreeMap<(AuthTarget, AuthScheme), Login>,
    custom_headers: Option<Secret>,
}

impl From<Secrets> for bits_engine::Secrets {
    fn from(old: Secrets) -> Self {
        Self { credentials: old.credentials, custom_headers: old.custom_headers, certificate: None, vetting: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_version_2_are_those_of_today_without_a_certificate() {
        let login = Login { user_name: Some(Secret::new("alice")), password: None };
        let old = Secrets {
            credentials: [((AuthTarget::SERVER, AuthScheme::BASIC), login)].into_iter().collect(),
            custom_headers: Some(Secret::new("X-Token: 1")),
        };
        let written = postcard::to_stdvec(&old).unwrap();

        assert!(postcard::from_bytes::<bits_engine::Secrets>(&written).is_err());
        let read: bits_engine::Secrets = postcard::from_bytes::<Secrets>(&written).unwrap().into();
        assert_eq!(read, old.into());
    }
}
