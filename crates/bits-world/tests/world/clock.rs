//! Time moves when it is told to, from deadline to deadline.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use bits_api::FileTime;
use bits_world::clock::{Clock, Monotonic, Participant, VirtualClock};

/// Has appointments, and notes when it was ticked.
#[derive(Default)]
struct Diary {
    clock: Mutex<Weak<VirtualClock>>,
    appointments: Mutex<Vec<Monotonic>>,
    ticks: Mutex<Vec<u64>>,
    busy: AtomicU32,
}

impl Diary {
    fn on(clock: &Arc<VirtualClock>, seconds: &[u64]) -> Arc<Self> {
        let diary = Arc::new(Self::default());
        *diary.clock.lock().unwrap() = Arc::downgrade(clock);
        diary.appointments.lock().unwrap().extend(seconds.iter().map(|seconds| at(*seconds)));
        let participant: Arc<dyn Participant> = diary.clone();
        clock.join(Arc::downgrade(&participant));
        diary
    }

    fn ticks(&self) -> Vec<u64> {
        self.ticks.lock().unwrap().clone()
    }
}

impl Participant for Diary {
    fn next_deadline(&self) -> Option<Monotonic> {
        self.appointments.lock().unwrap().iter().min().copied()
    }

    fn tick(&self) {
        let now = self.clock.lock().unwrap().upgrade().expect("the clock that ticks").now().monotonic;
        self.appointments.lock().unwrap().retain(|appointment| *appointment > now);
        self.ticks.lock().unwrap().push(now.0.as_secs());
    }

    fn running(&self) -> Option<String> {
        (self.busy.load(Ordering::SeqCst) > 0).then(|| "the diary's work".into())
    }

    fn explain(&self) -> String {
        "a diary".into()
    }
}

fn at(seconds: u64) -> Monotonic {
    Monotonic(Duration::from_secs(seconds))
}

fn seconds(clock: &VirtualClock) -> u64 {
    clock.now().monotonic.0.as_secs()
}

#[derive(Default)]
struct CountingWaker(AtomicU32);

impl Wake for CountingWaker {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_new_clock_shows_the_start_and_does_not_move_by_itself() {
    let clock = VirtualClock::new();

    clock.settle().unwrap();

    assert_eq!(clock.now().monotonic, at(0));
    assert_eq!(clock.now().wall, VirtualClock::START);
    assert_eq!(VirtualClock::START.unix_seconds(), 1_767_225_600);
}

#[test]
fn advance_moves_both_scales() {
    let clock = VirtualClock::new();

    clock.advance(Duration::from_hours(24 * 14)).unwrap();

    assert_eq!(seconds(&clock), 14 * 86_400);
    assert_eq!(clock.now().wall.since(VirtualClock::START), Duration::from_hours(24 * 14));
}

#[test]
fn advance_steps_through_the_deadlines_in_order() {
    let clock = VirtualClock::new();
    let first = Diary::on(&clock, &[30, 10]);
    let second = Diary::on(&clock, &[20, 100]);

    clock.advance(Duration::from_mins(1)).unwrap();

    assert_eq!(first.ticks(), [10, 20, 30, 60]);
    assert_eq!(second.ticks(), [10, 20, 30, 60]);
}

#[test]
fn a_deadline_at_the_very_end_is_reached_and_one_after_it_is_not() {
    let clock = VirtualClock::new();
    let diary = Diary::on(&clock, &[60, 61]);

    clock.advance(Duration::from_mins(1)).unwrap();

    assert_eq!(diary.next_deadline(), Some(at(61)));
    assert_eq!(seconds(&clock), 60);
}

#[test]
fn a_deadline_that_a_tick_makes_is_kept_in_the_same_advance() {
    struct Chain(Weak<VirtualClock>, Mutex<Vec<u64>>);
    impl Participant for Chain {
        fn next_deadline(&self) -> Option<Monotonic> {
            let kept = self.1.lock().unwrap().len() as u64;
            (kept < 4).then(|| at(10 * (kept + 1)))
        }

        fn tick(&self) {
            let now = self.0.upgrade().expect("the clock").now().monotonic;
            if self.next_deadline().is_some_and(|deadline| deadline <= now) {
                self.1.lock().unwrap().push(now.0.as_secs());
            }
        }

        fn running(&self) -> Option<String> {
            None
        }

        fn explain(&self) -> String {
            String::new()
        }
    }
    let clock = VirtualClock::new();
    let chain: Arc<Chain> = Arc::new(Chain(Arc::downgrade(&clock), Mutex::default()));
    let participant: Arc<dyn Participant> = chain.clone();
    clock.join(Arc::downgrade(&participant));

    clock.advance(Duration::from_secs(35)).unwrap();

    assert_eq!(*chain.1.lock().unwrap(), [10, 20, 30]);
}

#[test]
fn run_until_stops_at_the_deadline_that_makes_it_true() {
    let clock = VirtualClock::new();
    let diary = Diary::on(&clock, &[10, 20, 30]);

    let held = clock.run_until(|| diary.ticks().len() == 2, Duration::from_hours(1)).unwrap();

    assert!(held);
    assert_eq!(seconds(&clock), 20);
}

#[test]
fn run_until_does_not_move_when_it_is_true_already() {
    let clock = VirtualClock::new();
    let diary = Diary::on(&clock, &[10]);

    assert!(clock.run_until(|| true, Duration::from_mins(1)).unwrap());

    assert_eq!(seconds(&clock), 0);
    assert_eq!(diary.ticks(), []);
}

#[test]
fn run_until_gives_up_at_its_limit() {
    let clock = VirtualClock::new();
    let diary = Diary::on(&clock, &[10, 70]);

    let held = clock.run_until(|| false, Duration::from_mins(1)).unwrap();

    assert!(!held);
    assert_eq!(seconds(&clock), 60);
    assert_eq!(diary.ticks(), [10, 60]);
}

#[test]
fn setting_the_wall_clock_moves_no_timer() {
    let clock = VirtualClock::new();
    let diary = Diary::on(&clock, &[10]);

    clock.set_wall(FileTime::from_unix_seconds(0));
    clock.advance(Duration::from_secs(5)).unwrap();

    assert_eq!(clock.now().wall, FileTime::from_unix_seconds(5));
    assert_eq!(diary.next_deadline(), Some(at(10)));
}

#[test]
fn settle_waits_for_what_runs_on_other_threads() {
    let clock = VirtualClock::new();
    let diary = Diary::on(&clock, &[]);
    diary.busy.store(100, Ordering::SeqCst);
    let worker = thread::spawn({
        let (clock, diary) = (Arc::clone(&clock), Arc::clone(&diary));
        move || {
            while diary.busy.fetch_sub(1, Ordering::SeqCst) > 1 {
                clock.changed();
                thread::yield_now();
            }
            clock.changed();
        }
    });

    clock.settle().unwrap();

    assert_eq!(diary.busy.load(Ordering::SeqCst), 0);
    worker.join().unwrap();
}

#[test]
fn a_participant_that_is_gone_is_not_asked() {
    let clock = VirtualClock::new();
    let diary = Diary::on(&clock, &[10]);
    diary.busy.store(1, Ordering::SeqCst);

    drop(diary);

    clock.advance(Duration::from_secs(20)).unwrap();
    assert_eq!(seconds(&clock), 20);
}

#[test]
fn a_sleeper_wakes_when_its_time_has_come_and_not_before() {
    let clock = VirtualClock::new();
    let polls_asked = Arc::new(CountingWaker::default());
    let waker = Waker::from(Arc::clone(&polls_asked));
    let mut sleep = pin!(clock.sleep_until(at(10)));
    let mut poll = || sleep.as_mut().poll(&mut Context::from_waker(&waker));
    assert_eq!(poll(), Poll::Pending);

    clock.advance(Duration::from_secs(9)).unwrap();
    assert_eq!((poll(), polls_asked.0.load(Ordering::SeqCst)), (Poll::Pending, 0));

    clock.advance(Duration::from_secs(1)).unwrap();
    assert_eq!((polls_asked.0.load(Ordering::SeqCst), poll()), (1, Poll::Ready(())));
}

#[test]
fn a_sleeper_is_a_deadline_and_wakes_at_its_own_time() {
    let clock = VirtualClock::new();
    let diary = Diary::on(&clock, &[]);
    let mut sleep = pin!(clock.sleep_until(at(7)));
    assert!(sleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());

    clock.advance(Duration::from_secs(20)).unwrap();

    assert_eq!(diary.ticks(), [7, 20]);
}

#[test]
fn a_sleeper_that_was_dropped_holds_nothing_up() {
    let clock = VirtualClock::new();
    let diary = Diary::on(&clock, &[]);

    drop(clock.sleep_until(at(7)));
    clock.advance(Duration::from_secs(20)).unwrap();

    assert_eq!(diary.ticks(), [20]);
}

#[test]
fn sleeping_until_a_time_that_has_passed_ends_at_once() {
    let clock = VirtualClock::new();
    clock.advance(Duration::from_secs(10)).unwrap();

    let mut sleep = pin!(clock.sleep_until(at(3)));

    assert!(sleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    clock.advance(Duration::from_secs(1)).unwrap();
}

#[test]
fn the_machines_clock_goes_forward_and_is_not_virtual() {
    let clock = Clock::system();

    let (first, second) = (clock.now(), clock.now());

    assert!(second.monotonic >= first.monotonic);
    assert!(first.wall > VirtualClock::START.min(FileTime::from_unix_seconds(1_600_000_000)));
    assert!(clock.as_virtual().is_none());
}

#[test]
fn a_virtual_clock_is_shared_by_its_handles() {
    let clock = VirtualClock::new();
    let handle = Clock::Virtual(Arc::clone(&clock));

    clock.advance(Duration::from_secs(3)).unwrap();

    assert_eq!(handle.now(), clock.now());
    assert!(handle.as_virtual().is_some());
}

#[test]
fn moments_saturate_at_both_ends() {
    assert_eq!(Monotonic(Duration::MAX).plus(Duration::MAX), Monotonic(Duration::MAX));
    assert_eq!(at(1).since(at(2)), Duration::ZERO);
}
