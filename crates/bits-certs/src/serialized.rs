//! A certificate store as Windows writes it down: what CertOpenStore reads with
//! CERT_STORE_PROV_SERIALIZED.

/// How a store begins: its version, and what it is.
const MARK: [u8; 8] = *b"\0\0\0\0CERT";
/// The kind of element that is a certificate; others are what is known of one.
const CERTIFICATE: u32 = 32;

/// The certificates of `chain`, each its DER, as a serialized store.
///
/// The format: a version of zero and `CERT`; then for each certificate three numbers of four bytes,
/// little end first (the kind of element, 32; how it is encoded, X.509; its length) and its bytes;
/// then an element of kind zero.
pub fn serialized_store(chain: &[&[u8]]) -> Vec<u8> {
    const X509_ASN_ENCODING: u32 = 1;
    let mut store = MARK.to_vec();
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

/// The certificates of a serialized store, each its DER, in its order; `None` for what is none. What
/// else is in it, such as properties of certificates, is passed over.
pub fn certificates_of(store: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rest = store.strip_prefix(&MARK)?;
    let mut chain = Vec::new();
    loop {
        let (head, after) = rest.split_first_chunk::<12>()?;
        let number = |at: usize| head[at..at + 4].iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte));
        let (kind, length) = (number(0), usize::try_from(number(8)).ok()?);
        if kind == 0 {
            return Some(chain);
        }
        let (element, others) = after.split_at_checked(length)?;
        if kind == CERTIFICATE {
            chain.push(element);
        }
        rest = others;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_cut_off_is_no_store() {
        let store = serialized_store(&[&[7, 8, 9], &[]]);

        assert_eq!(certificates_of(&store), Some(vec![&[7, 8, 9][..], &[]]));
        for length in 0..store.len() {
            assert_eq!(certificates_of(&store[..length]), None, "{length}");
        }
    }

    #[test]
    fn properties_are_passed_over_and_lengths_that_lie_are_no_store() {
        let mut store = serialized_store(&[]);
        store.truncate(8);
        let property = [3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 5, 5];
        let certificate = [32, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7];
        let good = [&store[..], &property, &certificate, &[0; 12]].concat();
        let lying = [&store[..], &[32, 0, 0, 0, 1, 0, 0, 0, 255, 255, 255, 255, 7]].concat();

        assert_eq!(certificates_of(&good), Some(vec![&[7][..]]));
        assert_eq!(certificates_of(&lying), None);
    }

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
