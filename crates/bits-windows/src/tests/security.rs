//! Calls are made in the caller's name, or not at all.

use std::sync::Arc;

use bits_api::Hresult;
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;

use crate::fakes::{Blanket, FakeGuarded, FakeService};
use crate::peer_cache::PeerHandle;
use crate::proxy::Proxy;

const REFUSAL: Hresult = Hresult::RPC_S_SERVER_UNAVAILABLE;

/// Without either of them something would be asked in the name of the process.
const BLANKETS: [Blanket; 2] = [Blanket::Interface, Blanket::Object];

#[test]
fn an_object_that_cannot_be_called_in_the_callers_name_is_not_called() {
    for refused in BLANKETS {
        let service = FakeService::answering(Hresult::S_OK);
        let peer = PeerHandle::arc(Proxy::new(FakeGuarded::interface(&service, refused, REFUSAL)));

        assert_eq!(peer.peer_name(), Err(REFUSAL), "{refused:?}");
        assert_eq!(peer.is_available(), Err(REFUSAL), "{refused:?}");
        assert_eq!(service.heard(), [""; 0], "{refused:?}");
        drop(peer);
        assert_eq!(Arc::strong_count(&service), 1, "{refused:?}: it is let go of");
    }
}

#[test]
fn an_interface_that_cannot_be_called_in_the_callers_name_is_not_handed_out() {
    for refused in BLANKETS {
        let service = FakeService::answering(Hresult::S_OK);
        let guarded = || Proxy::new(FakeGuarded::interface(&service, refused, REFUSAL));

        assert_eq!(guarded().ready().unwrap_err(), REFUSAL, "{refused:?}");
        assert_eq!(guarded().query::<bits::IBitsPeer>().unwrap_err(), REFUSAL, "{refused:?}");
    }
}

#[test]
fn where_there_are_no_blankets_none_is_needed() {
    for (refused, refusal) in BLANKETS.into_iter().zip([Hresult::E_NOINTERFACE, Hresult::E_NOTIMPL]) {
        let service = FakeService::answering(Hresult::S_OK);
        let peer = PeerHandle::arc(Proxy::new(FakeGuarded::interface(&service, refused, refusal)));

        assert_eq!(peer.peer_name().as_deref(), Ok("a peer"), "{refused:?}: {refusal}");
    }
}
