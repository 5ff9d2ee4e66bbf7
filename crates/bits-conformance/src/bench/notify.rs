//! What BITS starts by itself: notification programs, and objects of notification classes.

use std::sync::Arc;

use bits_api::{Guid, Hresult, Unknown};
use bits_service::{Builder, Client, Commands, LogEvent};

use super::Bench;
use crate::claims::{Outcome, Stop};
use crate::provider::Capability;

type Factory = Arc<dyn Fn(Client) -> Result<Arc<dyn Unknown>, Hresult> + Send + Sync>;

/// The classes that are registered.
#[derive(Default)]
pub(super) struct Classes(Vec<(Guid, Factory)>);

impl Classes {
    pub(super) fn register(&self, builder: Builder) -> Builder {
        self.0.iter().fold(builder, |builder, (class, factory)| {
            let factory = Arc::clone(factory);
            builder.class(*class, move |client| factory(client))
        })
    }
}

impl Bench {
    /// The notification programs of the provider.
    pub(crate) fn programs(&self) -> Result<Commands, Stop> {
        self.can(Capability::ClientCode)?;
        Ok(self.emulator()?.commands().clone())
    }

    /// Lets the provider really start notification programs, as Windows does. Comes before the first call.
    pub(crate) fn start_programs(&mut self) -> Outcome {
        self.before_start("whether programs are started")?;
        self.starts_programs = true;
        Ok(())
    }

    /// What stands in the event log of Windows.
    pub(crate) fn events(&self) -> Result<Vec<LogEvent>, Stop> {
        self.can(Capability::Timeline)?;
        Ok(self.emulator()?.timeline().events())
    }

    /// Registers a class; `factory` is given the program in which the object lives.
    pub(crate) fn register_class(
        &mut self,
        class: Guid,
        factory: impl Fn(Client) -> Result<Arc<dyn Unknown>, Hresult> + Send + Sync + 'static,
    ) -> Outcome {
        self.can(Capability::ClientCode)?;
        self.before_start("a class")?;
        self.classes.0.push((class, Arc::new(factory)));
        Ok(())
    }
}
