//! Calls are made in the caller's name, or not at all.

use std::sync::Arc;

use bits_api::Hresult;
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;

use crate::fakes::{FakeGuarded, FakeService};
use crate::peer_cache::PeerHandle;
use crate::proxy::Proxy;

const REFUSAL: Hresult = Hresult::RPC_S_SERVER_UNAVAILABLE;

#[test]
fn an_object_that_cannot_be_called_in_the_callers_name_is_not_called() {
    let service = FakeService::answering(Hresult::S_OK);
    let peer = PeerHandle::arc(Proxy::new(FakeGuarded::interface(&service, REFUSAL)));

    assert_eq!(peer.peer_name(), Err(REFUSAL));
    assert_eq!(peer.is_available(), Err(REFUSAL));
    assert_eq!(service.heard(), [""; 0]);
    drop(peer);
    assert_eq!(Arc::strong_count(&service), 1, "it is let go of");
}

#[test]
fn an_interface_that_cannot_be_called_in_the_callers_name_is_not_handed_out() {
    let guarded = || Proxy::new(FakeGuarded::interface(&FakeService::answering(Hresult::S_OK), REFUSAL));

    assert_eq!(guarded().ready().unwrap_err(), REFUSAL);
    assert_eq!(guarded().query::<bits::IBitsPeer>().unwrap_err(), REFUSAL);
}

#[test]
fn where_there_are_no_blankets_none_is_needed() {
    for refusal in [Hresult::E_NOINTERFACE, Hresult::E_NOTIMPL] {
        let service = FakeService::answering(Hresult::S_OK);
        let peer = PeerHandle::arc(Proxy::new(FakeGuarded::interface(&service, refusal)));

        assert_eq!(peer.peer_name().as_deref(), Ok("a peer"), "{refusal}");
    }
}
