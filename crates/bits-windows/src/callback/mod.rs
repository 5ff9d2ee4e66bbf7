//! What a client hands in to be told of events, and what it gets back when it asks for that.
//!
//! An object of our traits goes to BITS as an object of COM ([`object`]); one that somebody else has
//! registered comes back behind our traits ([`foreign`]). Nothing is called here that BITS does not
//! call.

mod foreign;
mod object;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;

use bits_api::{Hresult, Unknown};
use windows::core::IUnknown;

use crate::call::Argument;
use crate::memory::ObjectOut;
use crate::proxy::Proxy;

use self::foreign::Foreign;

/// A client's object on its way to COM, or null in place of one.
///
/// Registering it from the multithreaded apartment makes COM call it there: on threads of its own, at
/// the same time, and never through the messages of the client's thread.
pub(crate) struct ClientObject(Option<Proxy<IUnknown>>);

impl ClientObject {
    /// An object of COM that has the interfaces which `object` has. It keeps `object` as long as
    /// anybody holds a reference to it.
    ///
    /// # Errors
    /// Those of QueryInterface, for an object that somebody else has registered.
    pub(crate) fn new(object: Option<Arc<dyn Unknown>>) -> Result<Self, Hresult> {
        let Some(object) = object else { return Ok(Self(None)) };
        let known: &dyn Any = &*object;
        match known.downcast_ref::<Foreign>() {
            Some(foreign) => foreign.unknown().map(|unknown| Self(Some(unknown))),
            None => Ok(Self(Some(Proxy::new(object::new(object))))),
        }
    }
}

// SAFETY: null, or an object that lives during the call; BITS adds a reference to what it keeps.
unsafe impl Argument for &ClientObject {
    type Raw = *mut c_void;

    fn raw(self) -> *mut c_void {
        self.0.as_ref().map_or(null_mut(), Argument::raw)
    }
}

/// What BITS hands out as the registered object: the very one that was registered if it is of this
/// process and went through [`ClientObject`].
///
/// # Errors
/// Those of QueryInterface.
pub(crate) fn registered(mut handed_out: ObjectOut<IUnknown>) -> Result<Option<Arc<dyn Unknown>>, Hresult> {
    let Some(handed_out) = handed_out.take() else { return Ok(None) };
    // Whichever interface it is that has come: this one tells the object.
    let identity: Proxy<IUnknown> = handed_out.query()?;
    let ours = identity.within(|identity| Ok(object::ours(identity)))?;
    Ok(Some(ours.unwrap_or_else(|| Arc::new(Foreign::new(identity.of_a_stranger())))))
}
