//! What happens to the service and the machine.

use super::{Bench, Running};
use crate::claims::{Outcome, Stop};
use crate::provider::Capability;

impl Bench {
    /// The service stops, and stays so.
    pub(crate) fn stop_service(&self) -> Outcome {
        self.can(Capability::Restart)?;
        self.emulator()?.stop();
        Ok(())
    }

    /// The machine is put back to before an upgrade of BITS, and its users log on again.
    pub(crate) fn restore_machine(&mut self) -> Outcome {
        self.can(Capability::Restart)?;
        let user = self.own_token()?.user;
        let emulator = self.emulator()?;
        emulator.system_restore().map_err(|error| Stop::Failed(format!("the machine does not come back: {error}")))?;
        emulator.log_on(&user);
        // The program of before has ended with the machine.
        let client = self.main_client(emulator);
        if let Some(Running::Emulator(playing)) = self.running.get_mut() {
            playing.client = client;
        }
        Ok(())
    }
}
