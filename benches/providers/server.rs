//! Where the files come from.

use bits_emulator::origin::{Content, Origin};
use bits_emulator::world::clock::Clock;

use crate::{KIB, MIB, Result};

/// A server of two files, `/small` and `/large`.
pub(crate) enum Server {
    /// One of this process.
    Here(Origin),
    /// One that somebody has started, by its URL.
    There(String),
}

impl Server {
    pub(crate) fn find(mib: usize) -> Result<Self> {
        match std::env::var("BITS_BENCH_SERVER") {
            Ok(url) => Ok(Self::There(url)),
            Err(_) => Ok(Self::Here(origin(mib)?)),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        match self {
            Self::Here(origin) => origin.url(path),
            Self::There(url) => format!("{url}{path}"),
        }
    }
}

/// Serves until nobody holds the other end of our input any more.
pub(crate) fn serve(mib: usize) -> Result<()> {
    let origin = origin(mib)?;
    println!("{}", origin.url(""));
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}

fn origin(mib: usize) -> Result<Origin> {
    let origin = Origin::start(Clock::system())?;
    // From memory: the server is to be no part of what is measured.
    origin.put("/small", Content::bytes(vec![1; 4 * KIB]));
    origin.put("/large", Content::bytes(vec![2; mib * MIB]));
    Ok(origin)
}
