//! Callbacks that stay inside: who has to wait for them, and who has not.

use std::sync::atomic::{AtomicUsize, Ordering};

use bits_api::{Callback, Callback2, Callback3, FileRange, JobError, Manager, callback3_object};

use bits_service::Latch;

use super::prelude::*;

cases![callbacks_that_stay_inside_hold_up_their_user_only];

/// Callbacks that stay inside until they are let out.
#[derive(Default)]
struct Room {
    entered: AtomicUsize,
    door: Latch,
}

impl Room {
    fn enter(&self) -> Success {
        self.entered.fetch_add(1, Ordering::SeqCst);
        self.door.wait();
        Success::OK
    }

    /// How many have entered so far.
    fn entered(&self) -> usize {
        self.entered.load(Ordering::SeqCst)
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
    fn file_ranges_transferred(&self, _: Arc<dyn Job>, _: Arc<dyn File>, _: &[FileRange]) -> Result<Success, Hresult> {
        Ok(self.enter())
    }
}

/// Lets everybody out, however the case ends: one that stays inside holds up its BITS for as long as the
/// process lives.
struct Rooms([Arc<Room>; 3]);

impl Drop for Rooms {
    fn drop(&mut self) {
        for room in &self.0 {
            room.door.open();
        }
    }
}

/// Starts a job of `manager` whose callback with that flag enters `room`.
fn start_job(c: &Bench, manager: &Arc<dyn Manager>, room: &Arc<Room>, flag: NotifyFlags) -> Outcome {
    let job = new_job(manager)?;
    let file = c.serve("a.bin", 10)?;
    file.add_to(&job)?;
    job.set_notify_flags(flag)?;
    job.set_notify_interface(Some(callback3_object(Arc::clone(room) as Arc<dyn Callback3>)))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.settle()
}

fn callbacks_that_stay_inside_hold_up_their_user_only(c: &mut Bench) -> Outcome {
    const LIMIT: usize = 4;
    for (flag, clause) in [
        (NotifyFlags::JOB_TRANSFERRED, "callback.interface.concurrency"),
        (NotifyFlags::FILE_TRANSFERRED, "callback2.file_transferred.high_volume_limit"),
        (NotifyFlags::FILE_RANGES_TRANSFERRED, "callback3.file_ranges_transferred.four_per_user"),
    ] {
        c.start_over();
        let rooms = Rooms([(); 3].map(|()| Arc::new(Room::default())));
        let [first, second_program, second_user] = &rooms.0;
        for _ in 0..LIMIT {
            start_job(c, &c.manager()?, first, flag)?;
        }
        let inside = first.entered();
        let program = c.another_client()?;
        start_job(c, &program.manager()?, second_program, flag)?;
        start_job(c, &c.other_user()?, second_user, flag)?;
        let (of_the_other_user, of_the_other_program) = (second_user.entered(), second_program.entered());
        first.door.open();
        c.settle()?;
        let at_last = second_program.entered();
        for room in [second_program, second_user] {
            room.door.open();
        }
        c.value(clause, inside)?;
        let entered = vec![of_the_other_user, of_the_other_program, at_last];
        c.is(clause, entered.clone(), vec![1, 0, 1])?;
        if flag == NotifyFlags::FILE_RANGES_TRANSFERRED {
            c.is("callback3.file_ranges_transferred.blocking", entered, vec![1, 0, 1])?;
        }
    }
    Ok(())
}
