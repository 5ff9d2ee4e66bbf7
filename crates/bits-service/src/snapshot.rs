//! Enumerators: a position in a snapshot of live objects.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bits_api::{Enumerator, Fetched, Hresult, Success};

use crate::service::Service;

pub(crate) struct Snapshot<T: ?Sized> {
    service: Weak<Service>,
    items: Arc<[Arc<T>]>,
    position: Mutex<usize>,
}

impl<T: ?Sized> Snapshot<T> {
    pub(crate) fn new(service: Weak<Service>, items: impl Into<Arc<[Arc<T>]>>) -> Arc<Self> {
        Arc::new(Self { service, items: items.into(), position: Mutex::new(0) })
    }

    /// Moves past up to `count` items; gives those, and whether there were enough.
    fn advance(&self, count: u32) -> Result<(&[Arc<T>], Success), Hresult> {
        self.check()?;
        let mut position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        let left = &self.items[*position..];
        let wanted = usize::try_from(count).unwrap_or(usize::MAX);
        let taken = wanted.min(left.len());
        *position += taken;
        Ok((&left[..taken], if taken == wanted { Success::OK } else { Success::FALSE }))
    }

    fn check(&self) -> Result<(), Hresult> {
        Service::of(&self.service).map(drop)
    }
}

impl<T: ?Sized> fmt::Debug for Snapshot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({} items)", self.items.len())
    }
}

impl<T: ?Sized + Send + Sync + 'static> Enumerator<T> for Snapshot<T> {
    fn next(&self, count: u32) -> Result<Fetched<T>, Hresult> {
        let (items, success) = self.advance(count)?;
        Ok(Fetched { success, items: items.to_vec() })
    }

    fn skip(&self, count: u32) -> Result<Success, Hresult> {
        self.advance(count).map(|(_, success)| success)
    }

    fn reset(&self) -> Result<Success, Hresult> {
        self.check()?;
        *self.position.lock().unwrap_or_else(PoisonError::into_inner) = 0;
        Ok(Success::OK)
    }

    fn clone_enumerator(&self) -> Result<Arc<dyn Enumerator<T>>, Hresult> {
        self.check()?;
        let position = *self.position.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::new(Self {
            service: Weak::clone(&self.service),
            items: Arc::clone(&self.items),
            position: Mutex::new(position),
        }))
    }

    fn count(&self) -> Result<u32, Hresult> {
        self.check()?;
        Ok(u32::try_from(self.items.len()).unwrap_or(u32::MAX))
    }
}
