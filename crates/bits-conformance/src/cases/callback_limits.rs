//! Callbacks that stay inside: who has to wait for them, and who has not.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bits_api::{Callback, Callback2, Callback3, FileRange, JobError, Manager, callback3_object};

use super::prelude::*;

cases![callbacks_that_stay_inside_hold_up_their_user_only];

/// Callbacks that stay inside until they are let out.
#[derive(Default)]
struct Room {
    people: Mutex<People>,
    changed: Condvar,
}

#[derive(Default)]
struct People {
    entered: usize,
    is_open: bool,
}

impl Room {
    fn enter(&self) -> Success {
        self.lock().entered += 1;
        self.changed.notify_all();
        // The deadline only keeps a broken suite from hanging.
        _ = self.changed.wait_timeout_while(self.lock(), SOON * 2, |people| !people.is_open);
        Success::OK
    }

    /// Waits until so many have entered, and tells how many they are.
    fn wait_for(&self, entered: usize) -> usize {
        let waited = self.changed.wait_timeout_while(self.lock(), SOON, |people| people.entered < entered);
        waited.unwrap_or_else(PoisonError::into_inner).0.entered
    }

    fn open(&self) {
        self.lock().is_open = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, People> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Callback for Room {
    fn job_transferred(&self, _: Arc<dyn Job>) -> Result<Success, Hresult> {
        Ok(self.enter())
    }

    fn job_error(&self, _: Arc<dyn Job>, _: Arc<dyn JobError>) -> Result<Success, Hresult> {
        Ok(self.enter())
    }

    fn job_modification(&self, _: Arc<dyn Job>) -> Result<Success, Hresult> {
        Ok(self.enter())
    }
}

impl Callback2 for Room {
    fn file_transferred(&self, _: Arc<dyn Job>, _: Arc<dyn File>) -> Result<Success, Hresult> {
        Ok(self.enter())
    }
}

impl Callback3 for Room {
    fn file_ranges_transferred(
        &self,
        _: Arc<dyn Job>,
        _: Arc<dyn File>,
        _: &[FileRange],
    ) -> Result<Success, Hresult> {
        Ok(self.enter())
    }
}

/// Starts a job of `manager` whose callback with that flag enters `room`.
fn start_job(c: &Bench, manager: &Arc<dyn Manager>, room: &Arc<Room>, flag: NotifyFlags) -> Outcome {
    let job = new_job(manager)?;
    let file = c.serve("a.bin", 10)?;
    file.add_to(&job)?;
    job.set_notify_flags(flag)?;
    job.set_notify_interface(Some(callback3_object(Arc::clone(room) as Arc<dyn Callback3>)))?;
    // Nothing comes to rest while a callback is inside, so that nobody waits for the job's state.
    job.resume()?;
    Ok(())
}

fn callbacks_that_stay_inside_hold_up_their_user_only(c: &mut Bench) -> Outcome {
    const LIMIT: usize = 4;
    for (flag, clause) in [
        (NotifyFlags::JOB_TRANSFERRED, "callback.interface.concurrency"),
        (NotifyFlags::FILE_TRANSFERRED, "callback2.file_transferred.high_volume_limit"),
        (NotifyFlags::FILE_RANGES_TRANSFERRED, "callback3.file_ranges_transferred.four_per_user"),
    ] {
        c.start_over();
        let [first, second_program, second_user] = [(); 3].map(|()| Arc::new(Room::default()));
        for _ in 0..LIMIT {
            start_job(c, &c.manager()?, &first, flag)?;
        }
        let inside = first.wait_for(LIMIT);
        let program = c.another_client()?;
        start_job(c, &program.manager()?, &second_program, flag)?;
        start_job(c, &c.other_user()?, &second_user, flag)?;
        let of_the_other_user = second_user.wait_for(1);
        let of_the_other_program = second_program.lock().entered;
        for room in [&first, &second_program, &second_user] {
            room.open();
        }
        let at_last = second_program.wait_for(1);
        c.value(clause, inside)?;
        let entered = vec![of_the_other_user, of_the_other_program, at_last];
        c.is(clause, entered.clone(), vec![1, 0, 1])?;
        if flag == NotifyFlags::FILE_RANGES_TRANSFERRED {
            c.is("callback3.file_ranges_transferred.blocking", entered, vec![1, 0, 1])?;
        }
    }
    Ok(())
}
