//! Certificates and lists of revoked ones, as servers and files bring them.

use bits_certs::{Authorities, Chain, Description, Revocations, identity, lists_from, serialized_store};
use bits_wire::download::{CertificateFault, CertificateFaults};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

/// Pieces, each behind its length in two bytes: the certificates of a server, its own first. Each is
/// taken for an authority that is trusted, for one that is known, and for a list as well.
///
/// # Panics
/// When looking further excuses a fault, or a client certificate is another one than was read.
pub fn certificates(data: &[u8]) {
    let _ = lists_from(data);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = identity::from_pem(text);
    }
    let pieces = pieces(data);
    let ders: Vec<CertificateDer<'_>> = pieces.iter().map(|piece| CertificateDer::from(*piece)).collect();
    let Some((leaf, others)) = ders.split_first() else { return };
    let _ = Description::of(leaf);
    if let Ok(read) = identity::from_der(&ders, None) {
        assert_eq!((read.hash, read.chain.len()), (identity::hash(leaf), ders.len()));
    }
    let store = serialized_store(&pieces);
    assert_eq!(store.len(), 20 + pieces.iter().map(|piece| 12 + piece.len()).sum::<usize>());
    judge(Chain { leaf, others }, &ders);
}

fn judge(chain: Chain<'_>, ders: &[CertificateDer<'_>]) {
    let (mut trusting, mut revocations) = (Authorities::new(), Revocations::new());
    for der in ders.iter().rev().take(4) {
        let _ = trusting.add(der);
        trusting.add_link(der);
        let _ = revocations.add(der);
    }
    // 2026.
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_790_000_000));
    let Ok(name) = ServerName::try_from("server.example") else { return };
    for authorities in [&Authorities::new(), &trusting] {
        let without = authorities.faults(chain, &name, now, None);
        let with = authorities.faults(chain, &name, now, Some(&revocations));
        let revoked: CertificateFaults =
            [CertificateFault::Revoked, CertificateFault::RevocationUnknown].into_iter().collect();
        assert_eq!(with.first_but(without | revoked), None, "{with:?} {without:?}");
        assert_eq!(without.first_but(with), None, "{with:?} {without:?}");
        assert!(without.iter().all(|fault| revoked.iter().all(|other| other != fault)), "nobody has looked");
    }
}

fn pieces(mut data: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while let Some((length, rest)) = data.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (piece, rest) = rest.split_at(length);
        pieces.push(piece);
        data = rest;
    }
    pieces
}
