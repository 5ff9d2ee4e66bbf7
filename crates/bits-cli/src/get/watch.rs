//! What a person sees of jobs that run.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bits_api::{Guid, Job, JobProgress, SIZE_UNKNOWN};
use bits_service::{Emulator, Reason};
use indicatif::{ProgressBar, ProgressStyle};

use crate::Failure;

/// How a person looks on.
#[derive(Clone, Copy)]
pub(super) struct Watch<'a> {
    /// Whether that person has had enough.
    pub(super) interrupted: &'a AtomicBool,
    pub(super) explain: bool,
}

/// What is shown.
pub(super) struct Look<'a> {
    watch: Watch<'a>,
    bar: Bar,
    idle: HashMap<Guid, Idle>,
}

impl<'a> Look<'a> {
    pub(super) fn new(watch: Watch<'a>) -> Self {
        Self { watch, bar: Bar::new(), idle: HashMap::new() }
    }

    /// Fails once the person has had enough.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.watch.interrupted.load(Ordering::SeqCst) { Err(Failure::Interrupted) } else { Ok(()) }
    }

    /// Shows how far the jobs are, and why one that is `open` waits.
    pub(super) fn show<'j>(
        &mut self,
        emulator: &Emulator,
        open: impl Iterator<Item = &'j Arc<dyn Job>>,
        complete: &[Arc<dyn Job>],
    ) {
        let mut all = JobProgress::default();
        for progress in complete.iter().filter_map(|job| job.progress().ok()) {
            add(&mut all, progress);
        }
        for job in open {
            let (Ok(id), Ok(progress)) = (job.id(), job.progress()) else { continue };
            add(&mut all, progress);
            if let Some(why) = self.idle.entry(id).or_default().look(emulator, id, progress) {
                self.bar.say(&why, self.watch.explain);
            }
        }
        self.bar.show(all);
    }
}

fn add(sum: &mut JobProgress, more: JobProgress) {
    sum.bytes_transferred += more.bytes_transferred;
    sum.bytes_total = match (sum.bytes_total, more.bytes_total) {
        (SIZE_UNKNOWN, _) | (_, SIZE_UNKNOWN) => SIZE_UNKNOWN,
        (sum, more) => sum + more,
    };
}

/// Notices a job that waits: one that has not moved between two looks.
#[derive(Default)]
struct Idle {
    seen: Option<JobProgress>,
    told: Option<Discriminant<Reason>>,
}

impl Idle {
    /// Why the job waits, told once as long as the reason is the same.
    fn look(&mut self, emulator: &Emulator, job: Guid, progress: JobProgress) -> Option<String> {
        let files = |progress: JobProgress| (progress.files_transferred, progress.files_total);
        if self.seen != Some(progress) {
            // Bytes alone are no news: a slow server's come and stop many times a second.
            if self.seen.map(files) != Some(files(progress)) {
                self.told = None;
            }
            self.seen = Some(progress);
            return None;
        }
        let why = emulator.explain(job);
        let kind = discriminant(&why.reason);
        (self.told.replace(kind) != Some(kind)).then(|| why.to_string())
    }
}

/// A progress bar on a terminal, nothing elsewhere.
struct Bar(Option<ProgressBar>);

impl Bar {
    fn new() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::no_length();
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {bytes:>10} of {total_bytes} {bytes_per_sec} {eta}")
        {
            bar.set_style(style);
        }
        Self(Some(bar))
    }

    /// Tells a person why nothing moves, `elsewhere` too.
    fn say(&self, why: &str, elsewhere: bool) {
        match &self.0 {
            Some(bar) => bar.println(why),
            None if !elsewhere => {}
            // Whoever has closed stderr does not want to know.
            None => _ = writeln!(std::io::stderr(), "bitsd: {}", crate::one_line(why)),
        }
    }

    fn show(&self, progress: JobProgress) {
        let Some(bar) = &self.0 else { return };
        if progress.bytes_total != SIZE_UNKNOWN {
            bar.set_length(progress.bytes_total);
        }
        bar.set_position(progress.bytes_transferred);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
