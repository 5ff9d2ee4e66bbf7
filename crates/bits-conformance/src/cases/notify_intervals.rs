//! How far apart callbacks are: MINIMUM_NOTIFICATION_INTERVAL_MS.

use std::sync::Mutex;

use bits_api::{
    Callback, Callback2, Callback3, FileRange, JobError, JobPropertyId, JobPropertyValue, callback3_object,
};
use bits_world::Profile;

use super::prelude::*;

cases![
    the_interval_is_half_a_second_until_somebody_sets_it,
    modifications_and_ranges_keep_the_distance,
    other_callbacks_keep_no_distance,
    the_interval_is_changed_while_the_job_transfers,
    any_interval_is_taken,
    a_longer_interval_cuts_callbacks,
];

const INTERVAL: JobPropertyId = JobPropertyId::MINIMUM_NOTIFICATION_INTERVAL_MS;
const ALL: NotifyFlags = NotifyFlags::JOB_TRANSFERRED
    .union(NotifyFlags::JOB_ERROR)
    .union(NotifyFlags::JOB_MODIFICATION)
    .union(NotifyFlags::FILE_TRANSFERRED)
    .union(NotifyFlags::FILE_RANGES_TRANSFERRED);

/// Counts the calls of each method.
#[derive(Default)]
struct Counter(Mutex<Counts>);

#[derive(Clone, Copy, Default)]
struct Counts {
    ends: usize,
    modifications: usize,
    files: usize,
    ranges: usize,
}

impl Counter {
    fn counts(&self) -> Counts {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn note(&self, note: impl FnOnce(&mut Counts)) -> Success {
        note(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        Success::OK
    }
}

impl Callback for Counter {
    fn job_transferred(&self, _: Arc<dyn Job>) -> Result<Success, Hresult> {
        Ok(self.note(|counts| counts.ends += 1))
    }

    fn job_error(&self, _: Arc<dyn Job>, _: Arc<dyn JobError>) -> Result<Success, Hresult> {
        Ok(self.note(|counts| counts.ends += 1))
    }

    fn job_modification(&self, _: Arc<dyn Job>) -> Result<Success, Hresult> {
        Ok(self.note(|counts| counts.modifications += 1))
    }
}

impl Callback2 for Counter {
    fn file_transferred(&self, _: Arc<dyn Job>, _: Arc<dyn File>) -> Result<Success, Hresult> {
        Ok(self.note(|counts| counts.files += 1))
    }
}

impl Callback3 for Counter {
    fn file_ranges_transferred(&self, _: Arc<dyn Job>, _: Arc<dyn File>, _: &[FileRange]) -> Result<Success, Hresult> {
        Ok(self.note(|counts| counts.ranges += 1))
    }
}

fn set_interval(job: &Arc<dyn Job>, milliseconds: u32) -> Result<Success, Hresult> {
    job.job5()?.set_property(INTERVAL, JobPropertyValue::Dword(milliseconds))
}

type Counted = (Arc<dyn Job>, crate::bench::Remote, Arc<Counter>);

/// A job that transfers, whose callback counts; its file stands at 100 bytes.
fn counted(c: &Bench, interval: Option<u32>) -> Result<Counted, Stop> {
    let counter = Arc::new(Counter::default());
    let (job, file) = c.job_with_file(100_000)?;
    if let Some(interval) = interval {
        set_interval(&job, interval)?;
    }
    job.set_notify_flags(ALL)?;
    job.set_notify_interface(Some(callback3_object(Arc::clone(&counter) as Arc<dyn Callback3>)))?;
    c.hold_at(&file, 100)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    // Whatever has been due so far is told.
    c.advance(DAY)?;
    Ok((job, file, counter))
}

/// Lets 100 more bytes arrive every 100 ms, from now to 2.9 s later; how many modifications and
/// range callbacks that made.
fn steady_progress(c: &Bench, file: &crate::bench::Remote, counter: &Counter) -> Result<(usize, usize), Stop> {
    let before = counter.counts();
    for step in 0..30 {
        if step > 0 {
            c.advance(Duration::from_millis(100))?;
        }
        c.move_to(file, 1_000 + step * 100)?;
        c.settle()?;
    }
    let after = counter.counts();
    Ok((after.modifications - before.modifications, after.ranges - before.ranges))
}

fn the_interval_is_half_a_second_until_somebody_sets_it(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let unset = job.job5()?.property(INTERVAL)?;
    c.is("job5.min_notification_interval.type", unset, JobPropertyValue::Dword(500))?;
    c.value("job5.id.minimum_notification_interval_ms", INTERVAL)?;
    if let JobPropertyValue::Dword(milliseconds) = unset {
        c.value("job5.min_notification_interval.default", milliseconds)?;
    }
    let (_, file, counter) = counted(c, None)?;
    let told = steady_progress(c, &file, &counter)?;
    c.is(["job5.min_notification_interval.default", "callback3.file_ranges_transferred.interval"], told, (6, 6))
}

fn modifications_and_ranges_keep_the_distance(c: &mut Bench) -> Outcome {
    for (interval, calls) in [(1_000, 3), (1_500, 2), (300, 10)] {
        c.start_over();
        let (_, file, counter) = counted(c, Some(interval))?;
        let told = steady_progress(c, &file, &counter)?;
        c.is(
            [
                "job5.min_notification_interval.scope",
                "callback3.file_ranges_transferred.interval",
                "notify.min_interval",
            ],
            told,
            (calls, calls),
        )?;
    }
    Ok(())
}

fn other_callbacks_keep_no_distance(c: &mut Bench) -> Outcome {
    let counter = Arc::new(Counter::default());
    let job = c.new_job()?;
    for name in ["1.bin", "2.bin", "3.bin"] {
        c.serve(name, 100)?.add_to(&job)?;
    }
    set_interval(&job, 60_000)?;
    job.set_notify_flags(ALL)?;
    job.set_notify_interface(Some(callback3_object(Arc::clone(&counter) as Arc<dyn Callback3>)))?;
    c.settle()?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.settle()?;
    let Counts { ends, files, modifications, ranges } = counter.counts();
    c.is("job5.min_notification_interval.not_others", (files, ends), (3, 1))?;
    c.is("job5.min_notification_interval.not_others", (modifications, ranges), (1, 1))
}

fn the_interval_is_changed_while_the_job_transfers(c: &mut Bench) -> Outcome {
    let (job, file, counter) = counted(c, Some(10_000))?;
    c.move_to(&file, 200)?;
    c.settle()?;
    let before = counter.counts();
    let set = set_interval(&job, 200);
    c.is("job5.min_notification_interval.any_time", (job.state()?, set.is_ok()), (JobState::TRANSFERRING, true))?;
    let now = job.job5()?.property(INTERVAL)?;
    c.is("job5.min_notification_interval.any_time", now, JobPropertyValue::Dword(200))?;
    c.move_to(&file, 300)?;
    c.advance(SECOND)?;
    let soon = counter.counts();
    c.advance(SECOND * 9)?;
    let later = steady_progress(c, &file, &counter)?;
    c.is(
        "job5.min_notification_interval.delayed",
        (soon.modifications - before.modifications, soon.ranges - before.ranges),
        (0, 0),
    )?;
    c.is(["job5.min_notification_interval.delayed", "job5.min_notification_interval.any_time"], later, (14, 14))
}

fn any_interval_is_taken(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    for interval in [0, 1, u32::MAX] {
        let set = set_interval(&job, interval).is_ok();
        let read = job.job5()?.property(INTERVAL)?;
        c.is("job5.min_notification_interval.range", (set, read), (true, JobPropertyValue::Dword(interval)))?;
    }
    let (_, file, counter) = counted(c, Some(0))?;
    let told = steady_progress(c, &file, &counter)?;
    c.is("job5.min_notification_interval.range", told, (30, 30))?;
    c.start_over();
    c.play(Profile::V5_0)?;
    let known = c.new_job()?.job5()?.property(INTERVAL);
    c.is("job5.min_notification_interval.type", known.err(), Some(Hresult::BG_E_UNKNOWN_PROPERTY_ID))
}

fn a_longer_interval_cuts_callbacks(c: &mut Bench) -> Outcome {
    let mut ranges = Vec::new();
    for interval in [100, 500, 3_000] {
        c.start_over();
        let (_, file, counter) = counted(c, Some(interval))?;
        ranges.push(steady_progress(c, &file, &counter)?.1);
    }
    c.is(
        ["job5.min_notification_interval.advice", "callback3.file_ranges_transferred.high_volume"],
        ranges,
        vec![30, 6, 1],
    )
}
