//! What a person sees of jobs that run.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use bits_api::{Guid, Job, JobProgress, SIZE_UNKNOWN};
use indicatif::{ProgressBar, ProgressStyle};

use super::service::{Kind, Service};
use crate::Failure;

/// How a person looks on.
#[derive(Clone, Copy)]
pub(super) struct Watch<'a> {
    /// Whether that person has had enough.
    pub(super) interrupted: &'a AtomicBool,
    pub(super) explain: bool,
}

impl Watch<'_> {
    /// Does `work`; a person whom that keeps waiting is told what for.
    pub(super) fn waiting_for<T>(self, what: &str, work: impl FnOnce() -> T) -> T {
        let is_told = self.explain || std::io::stderr().is_terminal();
        let tell = || {
            if is_told {
                crate::say_aside(what);
            }
        };
        telling_after(PATIENCE, tell, work)
    }
}

/// So long a person waits without being told what for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Does `work`, and lets another thread `tell` of it when that has taken so long.
fn telling_after<T>(patience: Duration, tell: impl FnOnce() + Send, work: impl FnOnce() -> T) -> T {
    let (done, ended) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if ended.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                tell();
            }
        });
        let result = work();
        drop(done);
        result
    })
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
        service: &Service,
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
            if self.idle.entry(id).or_default().stands_still(progress) {
                let Some(why) = service.why_idle(job) else { continue };
                if self.idle.entry(id).or_default().is_news(why.kind) {
                    self.bar.say(&why.to_string(), self.watch.explain);
                }
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
    told: Option<Kind>,
}

impl Idle {
    /// Whether nothing has moved since the last look.
    fn stands_still(&mut self, progress: JobProgress) -> bool {
        let files = |progress: JobProgress| (progress.files_transferred, progress.files_total);
        let before = self.seen.replace(progress);
        // Bytes alone are no news: a slow server's come and stop many times a second.
        if before.map(files) != Some(files(progress)) {
            self.told = None;
        }
        before == Some(progress)
    }

    /// Whether this is another reason than the one that was told last.
    fn is_news(&mut self, kind: Kind) -> bool {
        self.told.replace(kind) != Some(kind)
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
            None => crate::say_aside(why),
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

#[cfg(test)]
mod tests {
    use std::mem::discriminant;

    use bits_service::Reason;

    use super::*;

    fn at(files_transferred: u32, bytes_transferred: u64) -> JobProgress {
        JobProgress { files_total: 2, files_transferred, bytes_total: 100, bytes_transferred }
    }

    /// Whether somebody who looks is told something, for each of these looks.
    fn told(looks: &[(JobProgress, Reason)]) -> Vec<bool> {
        let mut idle = Idle::default();
        looks
            .iter()
            .map(|(progress, reason)| idle.stands_still(*progress) && idle.is_news(Kind::Reason(discriminant(reason))))
            .collect()
    }

    #[test]
    fn somebody_who_has_to_wait_is_told_what_for() {
        let (teller, told) = channel();

        // What is waited for comes only once it was told of.
        let heard = telling_after(Duration::ZERO, move || teller.send("the server").unwrap(), || told.recv());

        assert_eq!(heard, Ok("the server"));
    }

    #[test]
    fn of_what_takes_no_time_nobody_is_told() {
        let result = telling_after(Duration::MAX, || panic!("nobody waits"), || 7);

        assert_eq!(result, 7);
    }

    #[test]
    fn a_server_that_comes_and_stops_is_no_news_each_time() {
        let looks = [at(0, 1), at(0, 1), at(0, 2), at(0, 2), at(0, 3), at(0, 3)].map(|at| (at, Reason::Next));

        assert_eq!(told(&looks), [false, true, false, false, false, false]);
    }

    #[test]
    fn another_reason_and_the_next_file_are_news() {
        let looks = [
            (at(0, 1), Reason::Next),
            (at(0, 1), Reason::Next),
            (at(0, 1), Reason::AttemptStopping),
            (at(1, 50), Reason::AttemptStopping),
            (at(1, 50), Reason::AttemptStopping),
        ];

        assert_eq!(told(&looks), [false, true, true, false, true]);
    }
}
