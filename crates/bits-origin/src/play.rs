//! Servers that send bytes of a test's own in place of an answer.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;

use crate::connection::{Connection, Stop};
use crate::fault::CutAt;

/// One thing that a server does in a [`Fault::Play`](crate::Fault::Play).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// Sends bytes as they are.
    Send(Bytes),
    /// Sends bytes below any encryption.
    Below(Bytes),
    /// Sends bytes one by one, and waits so long, on the origin's clock, before each.
    Drip(Bytes, Duration),
    /// Sends bytes again and again.
    Repeat {
        /// What is sent.
        bytes: Bytes,
        /// How often; `None`: until the client gives up.
        times: Option<u64>,
        /// How long it waits, on the origin's clock, before each time.
        every: Option<Duration>,
    },
    /// Waits so long on the origin's clock.
    Wait(Duration),
    /// Does nothing more until the client goes.
    Hang,
    /// Closes the connection, without a farewell from TLS.
    Close,
    /// Closes the connection with the farewell of TLS.
    Leave,
    /// Resets the connection: what is still on its way is lost.
    Reset,
}

impl Connection {
    /// Does what `steps` say; returns whether the connection stays.
    pub(crate) async fn play(&mut self, steps: &[Step]) -> Result<bool, Stop> {
        for step in steps {
            match step {
                Step::Send(bytes) => self.send_raw(bytes).await?,
                Step::Below(bytes) => {
                    let socket = self.socket();
                    socket.write_all(bytes).await?;
                    socket.flush().await?;
                }
                Step::Drip(bytes, every) => {
                    for byte in bytes {
                        self.rest(*every).await?;
                        self.send_raw(&[*byte]).await?;
                    }
                }
                Step::Repeat { bytes, times, every } => {
                    let mut left = times.unwrap_or(u64::MAX);
                    while left > 0 {
                        if let Some(every) = every {
                            self.rest(*every).await?;
                        }
                        self.send_raw(bytes).await?;
                        left -= 1;
                    }
                }
                Step::Wait(time) => self.rest(*time).await?,
                Step::Hang => self.hang().await?,
                Step::Close => return Err(Stop::Scripted(CutAt { after: None, reset: false })),
                Step::Leave => return Ok(false),
                Step::Reset => return Err(Stop::Scripted(CutAt { after: None, reset: true })),
            }
        }
        Ok(true)
    }
}
