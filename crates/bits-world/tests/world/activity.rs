//! No wake may get lost: once the clock says that all has settled, all has been done.
//!
//! Tasks run on threads of their own, as on a runtime with many workers, and are woken from
//! others in the middle of a poll. A lost wake shows as a settled clock with work left over.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};

use bits_world::clock::{Activity, Monotonic, Participant, VirtualClock};

/// Work handed to a task, and the waker under which the task waits for it.
#[derive(Default)]
struct Inbox {
    pending: AtomicU64,
    waker: Mutex<Option<Waker>>,
}

impl Inbox {
    fn put(&self, count: u64) {
        self.pending.fetch_add(count, Ordering::SeqCst);
        let waker = self.waker.lock().unwrap().clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn take(&self) -> u64 {
        self.pending.swap(0, Ordering::SeqCst)
    }

    fn wait_under(&self, waker: &Waker) {
        *self.waker.lock().unwrap() = Some(waker.clone());
    }

    fn is_waited_for(&self) -> bool {
        self.waker.lock().unwrap().is_some()
    }
}

/// Wakes the thread that runs a task.
struct Runner {
    scheduled: AtomicBool,
    thread: Thread,
}

impl Wake for Runner {
    fn wake(self: Arc<Self>) {
        self.scheduled.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Polls `future` on this thread until it is ready, whenever it is woken.
fn run<F: Future<Output = ()>>(future: F) {
    let runner = Arc::new(Runner { scheduled: AtomicBool::new(true), thread: thread::current() });
    let waker = Waker::from(Arc::clone(&runner));
    let mut future = pin!(future);
    loop {
        while !runner.scheduled.swap(false, Ordering::SeqCst) {
            thread::park();
        }
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            return;
        }
    }
}

/// What the clock asks about some tasks.
struct Tasks(Vec<Arc<Activity>>);

impl Participant for Tasks {
    fn next_deadline(&self) -> Option<Monotonic> {
        None
    }

    fn tick(&self) {}

    fn running(&self) -> Option<String> {
        let busy = self.0.iter().position(|activity| !activity.is_idle())?;
        Some(format!("task {busy}"))
    }

    fn explain(&self) -> String {
        "tasks of a test".into()
    }
}

/// Tasks on a clock, stopped and joined at the end.
struct Bench {
    clock: Arc<VirtualClock>,
    tasks: Arc<Tasks>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Bench {
    fn new(tasks: usize) -> Self {
        let clock = VirtualClock::new();
        let tasks = (0..tasks).map(|_| Activity::new(Some(Arc::clone(&clock)))).collect();
        let tasks = Arc::new(Tasks(tasks));
        let participant: Arc<dyn Participant> = tasks.clone();
        clock.join(Arc::downgrade(&participant));
        Self { clock, tasks, stop: Arc::default(), threads: Vec::new() }
    }

    /// Runs `poll` as task `index`; it returns `Pending` unless the bench has stopped.
    fn spawn(&mut self, index: usize, mut poll: impl FnMut(&Waker) + Send + 'static) {
        let (activity, stop) = (Arc::clone(&self.tasks.0[index]), Arc::clone(&self.stop));
        self.threads.push(thread::spawn(move || {
            run(activity.watch(poll_fn(move |cx| {
                poll(cx.waker());
                if stop.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
            })));
        }));
    }

    fn stop(mut self, inboxes: &[&Inbox]) {
        self.stop.store(true, Ordering::SeqCst);
        for inbox in inboxes {
            inbox.put(0);
        }
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

#[test]
fn a_task_that_has_not_begun_is_not_idle() {
    assert!(!Activity::new(None).is_idle());
}

#[test]
fn a_task_is_idle_after_a_poll_without_result_until_it_is_woken() {
    let activity = Activity::new(None);
    let inbox = Inbox::default();
    let mut task = pin!(activity.watch(poll_fn(|cx| {
        inbox.wait_under(cx.waker());
        Poll::<()>::Pending
    })));

    assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(activity.is_idle());

    inbox.put(1);
    assert!(!activity.is_idle());

    assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(activity.is_idle());
}

#[test]
fn a_task_that_was_woken_during_its_poll_is_not_idle_and_is_polled_again() {
    struct Counting(AtomicU64);
    impl Wake for Counting {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let activity = Activity::new(None);
    let first_waker = Mutex::new(None::<Waker>);
    let mut task = pin!(activity.watch(poll_fn(|cx| {
        let mut first = first_waker.lock().unwrap();
        match &*first {
            // The second poll is woken through the waker of the first.
            Some(waker) => waker.wake_by_ref(),
            None => *first = Some(cx.waker().clone()),
        }
        Poll::<()>::Pending
    })));
    let polls_asked = Arc::new(Counting(AtomicU64::new(0)));
    let waker = Waker::from(Arc::clone(&polls_asked));

    assert!(task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(activity.is_idle());
    assert_eq!(polls_asked.0.load(Ordering::SeqCst), 0);

    assert!(task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(!activity.is_idle());
    assert!(polls_asked.0.load(Ordering::SeqCst) > 0);
}

#[test]
fn a_task_whose_write_is_blocked_is_not_idle() {
    let activity = Activity::new(None);
    let mut task = pin!(activity.watch(poll_fn(|_| Poll::<()>::Pending)));
    assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());

    activity.set_write_blocked(true);
    assert!(!activity.is_idle());
    activity.set_write_blocked(false);
    assert!(activity.is_idle());
}

#[test]
fn no_wake_is_lost_when_two_threads_wake_one_task_at_once() {
    const ROUNDS: u64 = 4_000;
    let mut bench = Bench::new(1);
    let inboxes: [Arc<Inbox>; 2] = Default::default();
    let done = Arc::new(AtomicU64::new(0));
    bench.spawn(0, {
        let (inboxes, done) = (inboxes.clone(), Arc::clone(&done));
        move |waker| {
            // One inbox keeps the waker of the first poll for good, as a future does that is
            // not polled again each time.
            inboxes[0].wait_under(waker);
            if !inboxes[1].is_waited_for() {
                inboxes[1].wait_under(waker);
            }
            done.fetch_add(inboxes.iter().map(|inbox| inbox.take()).sum(), Ordering::SeqCst);
        }
    });
    bench.clock.settle().unwrap();

    let round = Arc::new(Barrier::new(3));
    let producers = inboxes.clone().map(|inbox| {
        let round = Arc::clone(&round);
        thread::spawn(move || {
            for _ in 0..ROUNDS {
                round.wait();
                inbox.put(1);
                round.wait();
            }
        })
    });
    for sent in 1..=ROUNDS {
        round.wait();
        round.wait();
        bench.clock.settle().unwrap();
        assert_eq!(done.load(Ordering::SeqCst), 2 * sent, "settled with work left over");
    }

    for producer in producers {
        producer.join().unwrap();
    }
    bench.stop(&[&inboxes[0]]);
}

#[test]
fn the_clock_settles_only_when_a_message_between_tasks_has_come_to_rest() {
    const ROUNDS: u64 = 2_000;
    const HOPS: u64 = 6;
    let mut bench = Bench::new(2);
    let inboxes: [Arc<Inbox>; 2] = Default::default();
    let hops = Arc::new(AtomicU64::new(0));
    for task in 0..2 {
        let (own, other) = (Arc::clone(&inboxes[task]), Arc::clone(&inboxes[1 - task]));
        let hops = Arc::clone(&hops);
        bench.spawn(task, move |waker| {
            own.wait_under(waker);
            let left = own.take();
            if left > 0 {
                hops.fetch_add(1, Ordering::SeqCst);
                other.put(left - 1);
            }
        });
    }
    bench.clock.settle().unwrap();

    for round in 1..=ROUNDS {
        inboxes[0].put(HOPS);
        bench.clock.settle().unwrap();
        assert_eq!(hops.load(Ordering::SeqCst), round * HOPS, "settled while the message was on its way");
    }

    bench.stop(&[&inboxes[0], &inboxes[1]]);
}
