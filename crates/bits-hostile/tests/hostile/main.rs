//! Hostile servers against the emulator: alone, cut off anywhere, in any order, and beside good ones.

mod certificates;
mod corpora;
mod credentials;
mod cut;
mod mixed;
mod neighbours;
mod servers;
