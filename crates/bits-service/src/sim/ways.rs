//! Which way simulated attempts go: straight, or through which proxy.

use bits_wire::attempt::Failure;
use bits_wire::download::{Fault, Target};
use bits_wire::proxy::{Hop, ProxyServer};

use super::{Attempt, SimHold, SimulatedAttempt, Simulation, State, Step};

impl Simulation {
    /// Lets nobody reach a proxy, until [`Simulation::raise_proxy`].
    pub fn sink_proxy(&self, host: &str, port: u16) {
        self.lock().sunk.insert(ProxyServer { host: host.to_owned(), port });
    }

    /// Lets everybody reach a proxy again.
    pub fn raise_proxy(&self, host: &str, port: u16) {
        self.lock().sunk.remove(&ProxyServer { host: host.to_owned(), port });
    }

    /// The URLs of the attempts that have reached somebody, each with the way that it took, in the
    /// order in which they did.
    pub fn ways(&self) -> Vec<(String, Hop)> {
        self.lock().ways.clone()
    }
}

impl State {
    /// Takes the first way of an attempt that is open, once it connects; what ends it when none is.
    pub(super) fn take_way(&mut self, id: SimulatedAttempt) -> Result<(), Failure> {
        let Some(Attempt { plan, journey, news, step: Step::Connecting, .. }) = self.attempts.get(&id) else {
            return Ok(());
        };
        if !news.is_empty() {
            return Ok(());
        }
        let place = journey.place();
        let is_held = self.remote.get(place).is_some_and(|remote| remote.hold == Some(SimHold::Connecting));
        // What leads to no HTTP server goes no way.
        let Some(target) = Target::parse(place).ok().filter(|_| !is_held) else { return Ok(()) };
        let route = plan.proxying.route(target.origin())?;
        let is_open = |hop: &&Hop| !matches!(hop, Hop::Proxy(proxy) if self.sunk.contains(proxy));
        let way = route.hops().iter().find(is_open).ok_or(Fault::CannotConnect.failure())?;
        self.ways.push((place.to_owned(), way.clone()));
        let way = way.clone();
        if let Some(attempt) = self.attempts.get_mut(&id) {
            attempt.hop = Some(way);
        }
        Ok(())
    }
}
