//! A certificate store as Windows writes it down: what CertOpenStore reads with
//! CERT_STORE_PROV_SERIALIZED.

/// The certificates of `chain`, each its DER, as a serialized store.
///
/// The format: a version of zero and `CERT`; then for each certificate three numbers of four bytes,
/// little end first (the kind of element, 32; how it is encoded, X.509; its length) and its bytes;
/// then an element of kind zero.
pub fn serialized_store(chain: &[&[u8]]) -> Vec<u8> {
    const CERTIFICATE: u32 = 32;
    const X509_ASN_ENCODING: u32 = 1;
    let mut store = Vec::new();
    store.extend(0u32.to_le_bytes());
    store.extend(*b"CERT");
    for der in chain {
        let Ok(length) = u32::try_from(der.len()) else { continue };
        for number in [CERTIFICATE, X509_ASN_ENCODING, length] {
            store.extend(number.to_le_bytes());
        }
        store.extend(*der);
    }
    store.extend([0; 12]);
    store
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_begins_with_its_mark_and_ends_with_an_empty_element() {
        let store = serialized_store(&[&[7, 8, 9], &[]]);

        let expected = [
            &b"\0\0\0\0CERT"[..],
            &[32, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 7, 8, 9],
            &[32, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
            &[0; 12],
        ];
        assert_eq!(store, expected.concat());
    }
}
