//! The world as a test sees it: the clock it moves, who is logged on, what was decided.

mod activity;
mod clock;
mod decisions;
mod lines;
mod users;
