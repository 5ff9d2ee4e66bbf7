//! What clients answer when they are called back, and what programs come to.

use bits_api::Hresult;
use bits_engine::{CommandOutcome, Event, JobKey, Notification, NotifyOutcome};

use crate::house::{House, Manner};

impl House {
    pub(crate) fn some_return(&mut self) {
        if !self.calling.is_empty() {
            let place = self.chance.below(self.calling.len());
            self.call_back(place, true);
        }
    }

    /// A client's object has been called, and answers; or not.
    pub(crate) fn call_back(&mut self, place: usize, is_wild: bool) {
        let ticket = self.calling[place];
        let notified = self.notified[&ticket].clone();
        let registration = self.registrations.get_mut(&notified.callback);
        let outcome = match registration.map(|registration| &mut registration.manner) {
            Some(Manner::Hangs) => return,
            Some(Manner::Dead) => NotifyOutcome::Disconnected,
            Some(Manner::Fails(0) | Manner::Works) | None => NotifyOutcome::Returned(Hresult::S_OK),
            Some(Manner::Fails(times)) => {
                *times -= 1;
                NotifyOutcome::Returned(Hresult::E_FAIL)
            }
        };
        if is_wild && self.chance.one_in(3) {
            self.answer(&notified.what, notified.job);
        }
        self.trace
            .note(self.now.monotonic, format_args!("{:?} gives {outcome:?} to {:?}", notified.callback, notified.what));
        self.calling.retain(|other| *other != ticket);
        self.notified.remove(&ticket);
        if let Some(job) = self.jobs.get_mut(&notified.job).filter(|job| job.callback == Some(notified.callback)) {
            match outcome {
                NotifyOutcome::Disconnected => job.callback = None,
                NotifyOutcome::Returned(code) => {
                    job.was_told |= notified.what == Notification::JobTransferred && code == Hresult::S_OK;
                }
            }
        }
        self.tell(Event::Notified(ticket, outcome));
    }

    /// What clients do inside a callback.
    fn answer(&mut self, what: &Notification, key: JobKey) {
        let Some(job) = self.jobs.get(&key) else { return };
        let owner = job.owner;
        match what {
            Notification::JobTransferred => _ = self.complete(owner, key),
            Notification::JobError(_) => self.resume(owner, key),
            _ => self.set_something(owner, key),
        }
    }

    /// A program that was run for a job ends.
    pub(crate) fn end_program(&mut self, is_wild: bool) {
        let Some((ticket, key)) = self.programs.pop() else { return };
        let outcome = match self.chance.below(4) {
            0 if is_wild => CommandOutcome::NotStarted(Hresult::ERROR_FILE_NOT_FOUND),
            1 if is_wild => CommandOutcome::Exited(1),
            _ => CommandOutcome::Exited(0),
        };
        if let Some(job) = self.jobs.get_mut(&key) {
            job.was_told |= outcome == CommandOutcome::Exited(0);
        }
        self.trace.note(self.now.monotonic, format_args!("a program ends: {outcome:?}"));
        self.tell(Event::CommandEnded(ticket, outcome));
    }
}
