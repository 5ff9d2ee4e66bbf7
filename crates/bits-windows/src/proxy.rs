//! Interfaces of objects in the service.

use std::ffi::c_void;
use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::OnceLock;

use bits_api::{Answer, Hresult, Success};
use windows::Win32::System::Com::{
    CoSetProxyBlanket, EOAC_DYNAMIC_CLOAKING, RPC_C_AUTHN_LEVEL_DEFAULT, RPC_C_IMP_LEVEL, RPC_C_IMP_LEVEL_IDENTIFY,
    RPC_C_IMP_LEVEL_IMPERSONATE,
};
use windows::Win32::System::Rpc::{RPC_C_AUTHN_DEFAULT, RPC_C_AUTHZ_DEFAULT};
use windows::core::{IUnknown, Interface, PCWSTR};

use crate::apartment;
use crate::call::{Argument, Method, failure, success};
use crate::memory::{ObjectOut, TextOut};

/// An interface of an object in the service, used in the multithreaded apartment only.
pub(crate) struct Proxy<I: Interface> {
    interface: ManuallyDrop<I>,
    /// What the other end may do in the caller's name.
    level: RPC_C_IMP_LEVEL,
    /// Whether calls are made in the caller's name. If not, there are none.
    blanket: Result<(), Hresult>,
}

// SAFETY: the pointer is used and released in the multithreaded apartment only, where any thread may
// use a proxy, at the same time as others too.
unsafe impl<I: Interface> Send for Proxy<I> {}
// SAFETY: as above.
unsafe impl<I: Interface> Sync for Proxy<I> {}

impl<I: Interface> Proxy<I> {
    /// Takes over an interface that was had in the multithreaded apartment. Calls through it, queries for
    /// others too, are made in the name of the calling thread, which no interface inherits from another. If
    /// that cannot be had, every call fails with the reason.
    pub(crate) fn new(interface: I) -> Self {
        Self::at(interface, RPC_C_IMP_LEVEL_IMPERSONATE)
    }

    fn at(interface: I, level: RPC_C_IMP_LEVEL) -> Self {
        let mut proxy = Self { interface: ManuallyDrop::new(interface), level, blanket: Ok(()) };
        proxy.blanket = apartment::enter_as_anyone(|| proxy.spread_blanket()).flatten();
        proxy
    }

    /// The object is one of another client, not of BITS: it may learn who calls, and do nothing in their name.
    pub(crate) fn of_a_stranger(mut self) -> Self {
        self.level = RPC_C_IMP_LEVEL_IDENTIFY;
        self.blanket = apartment::enter_as_anyone(|| self.spread_blanket()).flatten();
        self
    }

    /// The interface if calls through it can be made.
    ///
    /// # Errors
    /// Why they would not be made in the caller's name.
    pub(crate) fn ready(self) -> Result<Self, Hresult> {
        self.blanket.map(|()| self)
    }

    fn spread_blanket(&self) -> Result<(), Hresult> {
        let pointer = self.interface.as_raw();
        // SAFETY: every interface begins with IUnknown, and this one lives.
        if let Some(interface) = unsafe { IUnknown::from_raw_borrowed(&pointer) } {
            set_blanket(interface, self.level)?;
        }
        // A query that goes to the service is a call of the object's own IUnknown, whose blanket is not that of
        // any other interface: without one it goes in the name of the process. This query stays here.
        let object = self.interface.cast::<IUnknown>().map_err(|error| failure(&error))?;
        set_blanket(&object, self.level)
    }

    /// Calls a method.
    ///
    /// The types of the arguments keep them good and lists as long as they say, but not every mistake is
    /// one of types: what is called must be a method of the table it is handed, each `*mut c_void` must get
    /// or be read as the interface that the method documents, and a method with places for several results
    /// (Next) does not go this way. That is for the caller to see to, as in a block of `unsafe`.
    ///
    /// # Errors
    /// What the method returns.
    pub(crate) fn call<A: Send, M: Method<A>>(
        &self,
        method: impl FnOnce(&I::Vtable) -> M + Send,
        arguments: A,
    ) -> Result<Success, Hresult> {
        self.within(|interface| {
            // SAFETY: the method is of the table of this very object, which lives.
            success(unsafe { method(interface.vtable()).call(interface.as_raw(), arguments) })
        })
    }

    /// Calls a method that does nothing but hand out a plain value; of its success codes, only that it
    /// has succeeded is told.
    ///
    /// # Errors
    /// What the method returns.
    pub(crate) fn read<T: Default + Send, M>(&self, method: impl FnOnce(&I::Vtable) -> M + Send) -> Result<T, Hresult>
    where
        for<'a> &'a mut T: Argument,
        for<'a> M: Method<(&'a mut T,)>,
    {
        let mut value = T::default();
        self.call(method, (&mut value,))?;
        Ok(value)
    }

    /// As [`Proxy::coded_text`], of a method whose success codes nobody asks for.
    ///
    /// # Errors
    /// What the method returns.
    pub(crate) fn text<M>(&self, method: impl FnOnce(&I::Vtable) -> M + Send) -> Result<Option<String>, Hresult>
    where
        for<'a> M: Method<(&'a mut TextOut,)>,
    {
        self.coded_text(method).map(|answer| answer.value)
    }

    /// Calls a method that does nothing but hand out a string; `None` for a null pointer.
    ///
    /// # Errors
    /// What the method returns.
    pub(crate) fn coded_text<M>(
        &self,
        method: impl FnOnce(&I::Vtable) -> M + Send,
    ) -> Result<Answer<Option<String>>, Hresult>
    where
        for<'a> M: Method<(&'a mut TextOut,)>,
    {
        let mut text = TextOut::new();
        let code = self.call(method, (&mut text,))?;
        Ok(Answer { code, value: text.text() })
    }

    /// Calls a method that does nothing but hand out an object; of its success codes, only that it has
    /// succeeded is told.
    ///
    /// # Errors
    /// What the method returns; `E_UNEXPECTED` when it succeeds without an object; those of [`Proxy::ready`].
    pub(crate) fn object<J: Interface, M>(
        &self,
        method: impl FnOnce(&I::Vtable) -> M + Send,
    ) -> Result<Proxy<J>, Hresult>
    where
        for<'a> M: Method<(&'a mut ObjectOut<J>,)>,
    {
        let mut object = ObjectOut::new();
        self.call(method, (&mut object,))?;
        object.take().ok_or(Hresult::E_UNEXPECTED)?.ready()
    }

    /// Queries for another interface of the object.
    ///
    /// # Errors
    /// `E_NOINTERFACE` when it has none; what else QueryInterface says; those of [`Proxy::ready`].
    pub(crate) fn query<J: Interface>(&self) -> Result<Proxy<J>, Hresult> {
        self.within(|interface| {
            interface.cast().map(|other| Proxy::at(other, self.level)).map_err(|error| failure(&error))?.ready()
        })
    }

    /// Uses the interface where it may be used.
    ///
    /// # Errors
    /// Those of `work`, of [`apartment::enter`] and of [`Proxy::ready`].
    pub(crate) fn within<T: Send>(&self, work: impl FnOnce(&I) -> Result<T, Hresult> + Send) -> Result<T, Hresult> {
        self.blanket?;
        apartment::enter(|| work(&self.interface))
    }
}

/// Has calls through this very interface made in the name of the calling thread.
fn set_blanket(interface: &IUnknown, level: RPC_C_IMP_LEVEL) -> Result<(), Hresult> {
    // SAFETY: the interface lives; all else are constants.
    let set = unsafe {
        CoSetProxyBlanket(
            interface,
            RPC_C_AUTHN_DEFAULT.cast_unsigned(),
            RPC_C_AUTHZ_DEFAULT,
            PCWSTR::null(),
            RPC_C_AUTHN_LEVEL_DEFAULT,
            level,
            None,
            EOAC_DYNAMIC_CLOAKING,
        )
    };
    match set.map_err(|error| failure(&error)) {
        // What lives in this process has no blanket, and needs none; and Wine, where nobody is
        // impersonated over COM, has none at all. Windows does not know this second code here.
        Err(Hresult::E_NOINTERFACE | Hresult::E_NOTIMPL) => Ok(()),
        set => set,
    }
}

// SAFETY: an interface that lives during the call, which is made in the multithreaded apartment; who
// is called adds a reference to what he keeps.
unsafe impl<I: Interface> Argument for &Proxy<I> {
    type Raw = *mut c_void;

    fn raw(self) -> *mut c_void {
        self.interface.as_raw()
    }
}

impl<I: Interface> Drop for Proxy<I> {
    fn drop(&mut self) {
        let proxy = self;
        // Where there is no thread to let it go on, it is kept: it must not go anywhere else.
        _ = apartment::enter_as_anyone(move || {
            // SAFETY: nobody uses the interface after this.
            unsafe { ManuallyDrop::drop(&mut proxy.interface) };
        });
    }
}

impl<I: Interface> fmt::Debug for Proxy<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxy")
    }
}

/// A later interface of an object, queried for when it is first needed.
#[derive(Debug)]
pub(crate) struct Late<I: Interface>(OnceLock<Proxy<I>>);

impl<I: Interface> Default for Late<I> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<I: Interface> Late<I> {
    /// The interface of the object that `base` is an interface of.
    ///
    /// # Errors
    /// Those of [`Proxy::query`].
    pub(crate) fn of<B: Interface>(&self, base: &Proxy<B>) -> Result<&Proxy<I>, Hresult> {
        if let Some(known) = self.0.get() {
            return Ok(known);
        }
        let queried = base.query()?;
        Ok(self.0.get_or_init(|| queried))
    }
}
