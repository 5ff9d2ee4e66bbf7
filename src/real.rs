//! Real BITS, which may be restarted at any time: whoever then asks for it is connected anew.
//!
//! Nothing is tried twice here, and no handle is mended: who holds one sees the loss.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bits_api::{Guid, Hresult, Manager};
use bits_windows::ConnectError;

type Connect = dyn Fn() -> Result<Arc<dyn Manager>, ConnectError> + Send + Sync;

/// The way to the service.
pub(crate) struct Real {
    connect: Box<Connect>,
    /// Good as long as it answers.
    manager: Mutex<Arc<dyn Manager>>,
}

impl Real {
    /// # Errors
    /// Those of `connect`, which is asked again whenever a connection is lost.
    pub(crate) fn by(
        connect: impl Fn() -> Result<Arc<dyn Manager>, ConnectError> + Send + Sync + 'static,
    ) -> Result<Self, ConnectError> {
        let manager = Mutex::new(connect()?);
        Ok(Self { connect: Box::new(connect), manager })
    }

    /// The manager of the service as it is now.
    ///
    /// # Errors
    /// Why it cannot be connected to anew.
    pub(crate) fn manager(&self) -> Result<Arc<dyn Manager>, Hresult> {
        // Held while connecting, so that many who notice the same loss connect once.
        let mut manager = self.manager.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lost) = lost(&**manager) {
            *manager = (self.connect)().map_err(|error| match error {
                ConnectError::Refused(code) => code,
                _ => lost,
            })?;
        }
        Ok(Arc::clone(&manager))
    }
}

/// The code by which a manager shows that its service has ended: only a call can tell.
fn lost(manager: &dyn Manager) -> Option<Hresult> {
    let code = manager.job(Guid::from_u128(0)).err()?;
    bits_windows::is_lost(code).then_some(code)
}

impl fmt::Debug for Real {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Real")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bits_api::JobType;
    use bits_service::Emulator;

    use super::*;

    /// An emulator in the place of the service, and how often it was connected to.
    fn service() -> (Arc<Emulator>, Arc<AtomicUsize>, Real) {
        let emulator = Arc::new(Emulator::builder().start().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let (of_real, counted) = (Arc::clone(&emulator), Arc::clone(&connections));
        let real = Real::by(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            of_real.client("program").manager().map_err(ConnectError::Refused)
        });
        (emulator, connections, real.unwrap())
    }

    #[test]
    fn a_connection_that_answers_is_kept() {
        let (_emulator, connections, real) = service();

        let managers = [real.manager().unwrap(), real.manager().unwrap()];

        assert!(Arc::ptr_eq(&managers[0], &managers[1]));
        assert_eq!(connections.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn after_the_service_was_restarted_one_connects_anew_and_finds_the_job() {
        let (emulator, connections, real) = service();
        let before = real.manager().unwrap();
        let created = before.create_job(Some("update"), JobType::DOWNLOAD).unwrap();

        emulator.restart().unwrap();
        let found = real.manager().unwrap().job(created.id).unwrap();

        assert_eq!(found.display_name().as_deref(), Ok("update"));
        assert!(bits_windows::is_lost(created.job.state().unwrap_err()), "a handle from before stays lost");
        assert_eq!(connections.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_service_that_cannot_be_reached_again_says_why_until_it_can() {
        let (emulator, _, real) = service();

        emulator.disable();
        let disabled = [real.manager().unwrap_err(), real.manager().unwrap_err()];
        emulator.enable().unwrap();

        assert_eq!(disabled, [Hresult::ERROR_SERVICE_DISABLED; 2]);
        assert!(real.manager().unwrap().create_job(Some("update"), JobType::DOWNLOAD).is_ok());
    }
}
