//! How far a run is, for the person at the terminal: one line, which is written over. Where stderr is
//! no terminal, nothing is ever written of that.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// So often the time on the line goes on while a case waits.
const TICK: Duration = Duration::from_secs(1);

/// The line.
#[derive(Clone, Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// On stderr, if that is a terminal.
    pub(crate) fn on_stderr() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{elapsed_precise}  {pos} of {len}  {wide_msg}") {
            bar.set_style(style);
        }
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Self(bar)
    }

    pub(crate) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// There will be so many more cases or probes.
    pub(crate) fn expects(&self, more: usize) {
        self.0.inc_length(more as u64);
    }

    /// One of them begins.
    pub(crate) fn begins(&self, name: String) {
        self.0.inc(1);
        self.shows(name);
    }

    /// Something begins that does not count.
    pub(crate) fn shows(&self, name: String) {
        // The message is what draws the line.
        self.0.set_message(name);
    }

    /// Writes a line above, whether or not that is a terminal.
    pub(crate) fn tells(&self, line: &str) {
        self.0.suspend(|| eprintln!("{line}"));
    }

    /// There are no more: the line goes.
    pub(crate) fn ends(&self) {
        self.0.finish_and_clear();
    }
}
