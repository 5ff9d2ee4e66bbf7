//! JobModification: may be lost, and may be overtaken.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use bits_api::{Callback, JobError, callback_object};

use super::prelude::*;

cases![changes_during_a_modification_may_become_one, the_end_overtakes_a_waiting_modification];

const ALL: NotifyFlags =
    NotifyFlags::JOB_TRANSFERRED.union(NotifyFlags::JOB_ERROR).union(NotifyFlags::JOB_MODIFICATION);

/// Writes down each call when it begins; inside the first JobModification it does something.
struct Busy<F> {
    told: Mutex<Vec<&'static str>>,
    first: Mutex<Option<F>>,
}

impl<F: FnOnce(&Arc<dyn Job>) -> Result<(), Hresult>> Busy<F> {
    fn new(first: F) -> Arc<Self> {
        Arc::new(Self { told: Mutex::default(), first: Mutex::new(Some(first)) })
    }

    fn told(&self) -> Vec<&'static str> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, method: &'static str) -> Success {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push(method);
        Success::OK
    }
}

impl<F: FnOnce(&Arc<dyn Job>) -> Result<(), Hresult> + Send> Callback for Busy<F> {
    fn job_transferred(&self, _: Arc<dyn Job>) -> Result<Success, Hresult> {
        Ok(self.note("JobTransferred"))
    }

    fn job_error(&self, _: Arc<dyn Job>, _: Arc<dyn JobError>) -> Result<Success, Hresult> {
        Ok(self.note("JobError"))
    }

    fn job_modification(&self, job: Arc<dyn Job>) -> Result<Success, Hresult> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let answer = self.note("JobModification");
        if let Some(first) = first {
            first(&job)?;
        }
        Ok(answer)
    }
}

/// A job with a small file whose first JobModification does `first`; what was told in the end.
fn told_with<F>(c: &Bench, first: F) -> Result<(Arc<dyn Job>, Vec<&'static str>), Stop>
where
    F: FnOnce(&Arc<dyn Job>) -> Result<(), Hresult> + Send + 'static,
{
    let (job, _) = c.job_with_file(1_000)?;
    job.set_notify_flags(ALL)?;
    let busy = Busy::new(first);
    job.set_notify_interface(Some(callback_object(Arc::clone(&busy) as Arc<dyn Callback>)))?;
    c.advance(SECOND)?;
    Ok((job, busy.told()))
}

fn changes_during_a_modification_may_become_one(c: &mut Bench) -> Outcome {
    const CHANGES: usize = 50;
    let (job, told) = told_with(c, |job| {
        (1..=CHANGES).try_for_each(|n| job.set_description(Some(&format!("change {n}"))).map(|_| ()))
    })?;
    c.is("callback.job_modification.may_drop", job.description()?, format!("change {CHANGES}"))?;
    c.holds(
        ["callback.job_modification.may_drop", "callback.job_modification.volume"],
        "fifty changes while the client is busy are told, but not one by one",
        (2..CHANGES).contains(&told.len()) && told.iter().all(|method| *method == "JobModification"),
    )
}

fn the_end_overtakes_a_waiting_modification(c: &mut Bench) -> Outcome {
    let (job, told) = told_with(c, |job| {
        job.set_description(Some("a modification that has to wait"))?;
        job.resume()?;
        // The transfer goes on in other threads; the deadline only keeps a broken one from hanging.
        let deadline = Instant::now() + SOON;
        while job.state()? != JobState::TRANSFERRED && Instant::now() < deadline {
            std::thread::yield_now();
        }
        Ok(())
    })?;
    c.is("callback.interface.ordering", job.state()?, JobState::TRANSFERRED)?;
    let transferred = told.iter().position(|method| *method == "JobTransferred");
    let last_modification = told.iter().rposition(|method| *method == "JobModification");
    c.holds(
        "callback.interface.ordering",
        "JobTransferred comes before a modification that was there first",
        transferred.is_some() && transferred < last_modification,
    )
}
