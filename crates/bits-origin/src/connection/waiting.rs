//! What holds a connection up: gates, the origin's clock, and a client that may go meanwhile.

use std::sync::Arc;
use std::time::Duration;

use bits_world::clock::{Clock, Line, Monotonic};
use bytes::BytesMut;
use tokio::io::AsyncReadExt;

use super::{Connection, Stop};
use crate::gate::{Barrier, GateAt};
use crate::head::{self, Head};
use crate::journal::{Entry, Outcome};
use crate::socket::Stream;

impl Connection {
    /// Waits at each gate on `head`'s way whose place satisfies `here`.
    pub(super) async fn pass_gates(
        &mut self,
        head: &Head,
        entry: &Entry,
        here: impl Fn(GateAt) -> bool,
    ) -> Result<(), Stop> {
        for barrier in self.shared.barriers_for(&head.method, head.path()) {
            if here(barrier.at()) {
                self.wait_at(&barrier, entry).await?;
            }
        }
        Ok(())
    }

    async fn wait_at(&mut self, barrier: &Barrier, entry: &Entry) -> Result<(), Stop> {
        let hold = self.line.as_ref().map(Line::hold);
        entry.with(|request| request.outcome = Outcome::Held(barrier.at()));
        barrier.reach(entry.request());
        self.while_connected(barrier.opened()).await?;
        entry.with(|request| request.outcome = Outcome::Answering);
        drop(hold);
        Ok(())
    }

    /// Waits for nothing but the client's end.
    pub(crate) async fn hang(&mut self) -> Result<(), Stop> {
        let _hold = self.line.as_ref().map(Line::hold);
        self.while_connected(std::future::pending()).await
    }

    /// Waits so long on the origin's clock, but not longer than the client does.
    pub(crate) async fn rest(&mut self, time: Duration) -> Result<(), Stop> {
        self.sleep_until(self.shared.clock.now().monotonic.plus(time)).await
    }

    pub(super) async fn sleep_until(&mut self, until: Monotonic) -> Result<(), Stop> {
        let shared = Arc::clone(&self.shared);
        let now = shared.clock.now().monotonic;
        if until <= now {
            return Ok(());
        }
        match &shared.clock {
            Clock::Virtual(clock) => {
                let _hold = self.line.as_ref().map(Line::hold);
                self.while_connected(clock.sleep_until(until)).await
            }
            Clock::System(_) => self.while_connected(tokio::time::sleep(until.since(now))).await,
        }
    }

    /// Waits for `event`, but not longer than the client does.
    async fn while_connected<T>(&mut self, event: impl Future<Output = T>) -> Result<T, Stop> {
        tokio::select! {
            biased;
            result = event => Ok(result),
            () = Self::hang_up(&mut *self.stream, &mut self.read) => Err(Stop::ClientGone),
        }
    }

    /// Returns when the client has gone; what it says meanwhile is kept.
    async fn hang_up(stream: &mut dyn Stream, read: &mut BytesMut) {
        while read.len() <= head::MAX_HEAD {
            match stream.read_buf(read).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        std::future::pending::<()>().await;
    }
}
