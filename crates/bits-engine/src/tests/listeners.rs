//! Who is told when the client's object does not take it: objects of classes, and programs.

use std::time::Duration;

use bits_api::{FileRange, Guid, Hresult, JobPriority, NotifyFlags, Setting, Success, Value};
use bits_world::{Profile, Sid, Token};

use super::house::{House, NOT_FOUND, alice, config, seconds};
use crate::{
    CallbackId, CallbackInterface, CommandOutcome, Event, FileIndex, JobKey, Notification, NotifyOutcome, Ticket,
};

const PROGRAM: &str = r"C:\told.exe";
const CLASS: Guid = Guid::from_u128(77);
/// The minimum retry delay of a job that sets none.
const RETRY: Duration = Duration::from_mins(10);
const FAILED: CommandOutcome = CommandOutcome::Exited(1);

impl House {
    fn set_program(&mut self, job: JobKey, program: Option<&str>) -> Result<Success, Hresult> {
        self.now_result(|engine, cx| engine.set_command(cx, &alice(), job, program, None))
    }

    fn set_class(&mut self, job: JobKey, class: Guid) {
        let value = Value::Guid(class);
        let set = self.now_result(|engine, cx| engine.set(cx, &alice(), job, Setting::NotificationClsid, &value));
        assert_eq!(set, Ok(Success::OK));
    }

    /// The only program that runs; it runs no more.
    fn take_command(&mut self) -> Ticket {
        assert_eq!(self.commands.len(), 1, "one program runs");
        self.commands.remove(0).0
    }

    fn program_ends(&mut self, ticket: Ticket, outcome: CommandOutcome) {
        self.tell(Event::CommandEnded(ticket, outcome));
    }

    /// The object that is being made is there, as callback `id`.
    fn object_is_made(&mut self, id: u64) {
        assert_eq!(self.activations.len(), 1, "one object is made");
        let (ticket, class) = self.activations.remove(0);
        assert_eq!(class, CLASS);
        self.tell(Event::Activated(ticket, Ok((CallbackId(id), CallbackInterface::Callback3))));
    }
}

/// A transferred job of alice with a program; no callback.
fn transferred_with_program(house: &mut House) -> JobKey {
    let job = house.resumed_job(JobPriority::FOREGROUND);
    assert_eq!(house.set_program(job, Some(PROGRAM)), Ok(Success::OK));
    house.transfer_file(job);
    job
}

#[test]
fn a_program_runs_again_after_the_retry_delay_until_it_exits_with_zero() {
    let mut house = House::new();
    transferred_with_program(&mut house);
    for _ in 0..2 {
        let run = house.take_command();
        house.program_ends(run, FAILED);
        house.advance(seconds(599));
        assert_eq!(house.commands.len(), 0);
        house.advance(seconds(1));
    }
    let run = house.take_command();
    house.program_ends(run, CommandOutcome::Exited(0));
    house.advance(RETRY * 10);
    assert_eq!(house.commands.len(), 0);
}

#[test]
fn before_bits_two_a_program_runs_once() {
    let mut house = House::with(config(Profile::V1_5));
    transferred_with_program(&mut house);
    let run = house.take_command();
    house.program_ends(run, FAILED);
    house.advance(RETRY * 10);
    assert_eq!(house.commands.len(), 0);
}

#[test]
fn a_program_runs_when_the_callback_fails_and_not_when_it_is_merely_not_content() {
    for (code, programs) in [(Hresult::E_FAIL, 1), (Hresult::S_FALSE, 0), (Hresult::S_OK, 0)] {
        let mut house = House::new();
        let job = house.resumed_job(JobPriority::FOREGROUND);
        house.listen(job, NotifyFlags::JOB_TRANSFERRED);
        assert_eq!(house.set_program(job, Some(PROGRAM)), Ok(Success::OK));
        house.transfer_file(job);
        let told = house.take_told();
        assert_eq!(house.commands.len(), 0);
        house.returns(&told, code);
        assert_eq!(house.commands.len(), programs, "{code}");
    }
}

#[test]
fn when_callback_and_program_fail_the_callback_is_called_again() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::FOREGROUND);
    house.listen(job, NotifyFlags::JOB_ERROR);
    assert_eq!(house.set_program(job, Some(PROGRAM)), Ok(Success::OK));
    house.fail(job, NOT_FOUND);
    let told = house.take_told();
    house.returns(&told, Hresult::E_FAIL);
    let run = house.take_command();
    house.program_ends(run, CommandOutcome::NotStarted(Hresult::ERROR_FILE_NOT_FOUND));
    assert_eq!(house.told.len(), 0);
    house.advance(RETRY);
    assert!(matches!(house.take_told().what, Notification::JobError(_)));
}

#[test]
fn a_program_that_failed_is_not_run_for_a_job_that_went_on_or_ended() {
    type Act = fn(&mut House, JobKey) -> Result<Success, Hresult>;
    let acts: [Act; 3] =
        [|house, job| house.complete(job), |house, job| house.cancel(job), |house, job| house.set_program(job, None)];
    for act in acts {
        let mut house = House::new();
        let job = transferred_with_program(&mut house);
        let run = house.take_command();
        assert_eq!(act(&mut house, job), Ok(Success::OK));
        house.program_ends(run, FAILED);
        house.advance(RETRY * 2);
        assert_eq!(house.commands.len(), 0);
    }
}

#[test]
fn the_dead_callbacks_turn_goes_to_the_program() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::FOREGROUND);
    house.listen(job, NotifyFlags::JOB_TRANSFERRED);
    assert_eq!(house.set_program(job, Some(PROGRAM)), Ok(Success::OK));
    house.transfer_file(job);
    let told = house.take_told();
    house.tell(Event::Notified(told.ticket, NotifyOutcome::Disconnected));
    house.take_command();
    assert_eq!(house.forgotten, [CallbackId(1)]);
}

#[test]
fn programs_are_told_of_nothing_but_the_ends() {
    let mut house = House::new();
    let job = house.job(2);
    let flags = NotifyFlags::JOB_MODIFICATION | NotifyFlags::FILE_TRANSFERRED | NotifyFlags::FILE_RANGES_TRANSFERRED;
    assert_eq!(house.set(job, Setting::NotifyFlags, flags.bits()), Ok(Success::OK));
    assert_eq!(house.set_program(job, Some(PROGRAM)), Ok(Success::OK));
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.transfer_file(job);
    house.transfer_file(job);
    assert_eq!((house.commands.len(), house.told.len()), (0, 0));
}

#[test]
fn no_program_runs_for_a_service_account() {
    for (user, programs) in [(Sid::new(Sid::LOCAL_SYSTEM), 0), (alice().user, 1)] {
        let owner = Token::standard(user);
        let mut house = House::new();
        let job = house.job_of(&owner, 1);
        let set = house.now_result(|engine, cx| engine.set_command(cx, &owner, job, Some(PROGRAM), None));
        assert_eq!(set, Ok(Success::OK));
        assert_eq!(house.resume(job), Ok(Success::OK));
        house.transfer_file(job);
        assert_eq!(house.commands.len(), programs);
    }
}

#[test]
fn a_restart_tells_a_program_what_it_was_not_told_and_nothing_twice() {
    for (is_told, programs) in [(false, 1), (true, 0)] {
        let mut house = House::new();
        transferred_with_program(&mut house);
        let run = house.take_command();
        if is_told {
            house.program_ends(run, CommandOutcome::Exited(0));
        }
        house.restart(seconds(5));
        assert_eq!(house.commands.len(), programs);
    }
}

#[test]
fn flags_set_again_do_not_run_a_program_that_has_done_its_work() {
    let mut house = House::new();
    let job = transferred_with_program(&mut house);
    let run = house.take_command();
    house.program_ends(run, CommandOutcome::Exited(0));
    assert_eq!(house.set(job, Setting::NotifyFlags, 3), Ok(Success::OK));
    assert_eq!(house.commands.len(), 0);
    assert_eq!(house.set_program(job, Some(PROGRAM)), Ok(Success::OK));
    assert_eq!(house.commands.len(), 1);
}

#[test]
fn an_object_of_the_class_is_made_once_and_serves_until_it_is_gone() {
    let mut house = House::new();
    let job = house.job(2);
    assert_eq!(house.set(job, Setting::NotifyFlags, NotifyFlags::FILE_TRANSFERRED.bits()), Ok(Success::OK));
    house.set_class(job, CLASS);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.transfer_file(job);
    house.object_is_made(5);
    let told = house.take_told();
    assert_eq!((told.callback, &told.what), (CallbackId(5), &Notification::FileTransferred(FileIndex(0))));
    house.returns(&told, Hresult::S_OK);
    house.transfer_file(job);
    assert_eq!(house.activations, []);
    let told = house.take_told();
    house.tell(Event::Notified(told.ticket, NotifyOutcome::Disconnected));
    house.object_is_made(6);
    assert_eq!(house.take_told().callback, CallbackId(6));
    assert_eq!(house.engine.callback(&alice(), job), Ok(None));
}

#[test]
fn an_object_that_is_always_gone_is_not_made_again_at_once() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::FOREGROUND);
    house.set_class(job, CLASS);
    house.transfer_file(job);
    house.object_is_made(5);
    let told = house.take_told();
    house.tell(Event::Notified(told.ticket, NotifyOutcome::Disconnected));
    assert_eq!(house.activations, []);
    house.advance(seconds(60));
    house.object_is_made(6);
}

#[test]
fn a_class_that_cannot_be_made_leaves_it_to_the_program() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::FOREGROUND);
    house.set_class(job, CLASS);
    assert_eq!(house.set_program(job, Some(PROGRAM)), Ok(Success::OK));
    house.transfer_file(job);
    let (ticket, _) = house.activations.remove(0);
    house.tell(Event::Activated(ticket, Err(Hresult::REGDB_E_CLASSNOTREG)));
    house.take_command();
}

#[test]
fn an_object_that_comes_too_late_is_let_go() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::FOREGROUND);
    house.set_class(job, CLASS);
    house.transfer_file(job);
    house.set_class(job, Guid::nil());
    house.object_is_made(5);
    assert_eq!(house.forgotten, [CallbackId(5)]);
    assert_eq!(house.told.len(), 0);
}

#[test]
fn ranges_are_told_as_they_arrive_and_no_more_often_than_the_interval_allows() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::FOREGROUND);
    house.listen(job, NotifyFlags::FILE_RANGES_TRANSFERRED);
    house.connected(job, 100);
    let told = |house: &mut House| match house.take_told() {
        told if house.told.is_empty() => {
            let Notification::FileRangesTransferred(FileIndex(0), ranges) = &told.what else { panic!("{told:?}") };
            let ranges = ranges.clone();
            house.returns(&told, Hresult::E_FAIL);
            ranges
        }
        told => panic!("{told:?} and more"),
    };
    house.progress(job, 10);
    assert_eq!(told(&mut house), [FileRange { initial_offset: 0, length: 10 }]);
    house.progress(job, 20);
    house.progress(job, 50);
    house.advance(Duration::from_millis(499));
    assert_eq!(house.told.len(), 0);
    house.advance(Duration::from_millis(1));
    assert_eq!(told(&mut house), [FileRange { initial_offset: 10, length: 40 }]);
    house.advance(seconds(600));
    assert_eq!(house.told.len(), 0);
}
