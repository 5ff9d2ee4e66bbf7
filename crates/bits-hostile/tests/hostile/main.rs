//! Hostile servers against the emulator: alone, cut off anywhere, in any order, and beside good ones.

mod cut;
mod mixed;
mod neighbours;
mod servers;
