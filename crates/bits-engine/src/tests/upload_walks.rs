//! Random walks of an upload-reply job, with a server that keeps count of its sessions: whatever
//! happens, sums stay true, and nothing is left behind in the end, here or there.

use std::collections::BTreeSet;

use bits_api::{ErrorContext, FileInfo, FileTime, Hresult, JobState, JobType};
use bits_wire::attempt::{AttemptEnd, AttemptId, AttemptReport, Failure, UploadSession, Validators, Work};
use proptest::prelude::*;

use super::house::{House, NOT_FOUND, SERVER_BUSY, administrator, alice, seconds};
use crate::{Event, JobKey};

const SIZE: u64 = 100;
const REPLY_SIZE: u64 = 40;

#[derive(Clone, Copy, Debug)]
enum Step {
    Resume,
    Suspend,
    Complete,
    Cancel,
    /// Whoever is asked answers.
    Answer,
    Progress(u64),
    Done,
    FailForNow,
    FailForGood,
    SourceChanges,
    NameReply(bool),
    Network(bool),
    Wait(u64),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Resume),
        1 => Just(Step::Suspend),
        1 => Just(Step::Complete),
        1 => Just(Step::Cancel),
        6 => Just(Step::Answer),
        3 => (1..SIZE).prop_map(Step::Progress),
        4 => Just(Step::Done),
        1 => Just(Step::FailForNow),
        1 => Just(Step::FailForGood),
        1 => Just(Step::SourceChanges),
        1 => any::<bool>().prop_map(Step::NameReply),
        1 => any::<bool>().prop_map(Step::Network),
        1 => prop::sample::select(vec![1, 200, 700]).prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

struct Walk {
    house: House,
    job: JobKey,
    /// Sessions that the server keeps.
    sessions: BTreeSet<String>,
    opened: u32,
    /// Attempts that have been answered.
    answered: BTreeSet<AttemptId>,
    /// Counts the versions of the source.
    version: u64,
}

impl Walk {
    fn new() -> Self {
        let mut house = House::new();
        house.disk.files.get_mut().insert("/c/up.bin".into(), SIZE);
        let job = house.create_typed(&alice(), JobType::UPLOAD_REPLY).unwrap();
        let file = FileInfo { remote_name: "http://example.org/up", local_name: r"C:\up.bin" };
        house.add(job, &[file]).unwrap();
        Self { house, job, sessions: BTreeSet::new(), opened: 0, answered: BTreeSet::new(), version: 1 }
    }

    fn is_there(&self) -> bool {
        self.house.engine.jobs.get(self.job).is_some_and(|job| !job.is_final())
    }

    fn attempt(&self) -> Option<(AttemptId, Work)> {
        let attempt = self.house.engine.jobs.get(self.job)?.attempt()?;
        self.house.running.get(&attempt).map(|plan| (attempt, plan.work.clone()))
    }

    fn is_answered(&self) -> bool {
        self.attempt().is_some_and(|(attempt, _)| self.answered.contains(&attempt))
    }

    fn answer(&mut self) {
        let Some((attempt, work)) = self.attempt().filter(|(attempt, _)| !self.answered.contains(attempt)) else {
            return;
        };
        self.answered.insert(attempt);
        let Work::Upload { session, .. } = work else { return self.house.connected(self.job, REPLY_SIZE) };
        let plan = self.house.plan(self.job);
        let source = Validators { size: SIZE, last_modified: Some(FileTime(self.version)) };
        if plan.known.is_some_and(|known| known != source) {
            let code = Hresult::BG_E_LOCAL_FILE_CHANGED;
            return self.house.fail(self.job, Failure { code, context: ErrorContext::LOCAL_FILE, transient: false });
        }
        let session = match (session, plan.known) {
            (Some(session), Some(_)) => session,
            (stale, _) => {
                stale.map(|stale| self.sessions.remove(&stale.id));
                self.opened += 1;
                UploadSession { id: self.opened.to_string() }
            }
        };
        self.sessions.insert(session.id.clone());
        self.house.report(self.job, AttemptReport::SessionOpen { session, source, have: 0 });
    }

    fn done(&mut self) {
        match self.attempt() {
            Some((_, Work::Upload { .. })) => {
                let reply = Some("http://example.org/reply".to_owned());
                self.house.report(self.job, AttemptReport::Ended(AttemptEnd::Uploaded { reply }));
            }
            Some((_, Work::Reply { session })) => {
                self.house.progress(self.job, REPLY_SIZE);
                self.house.report(self.job, AttemptReport::Ended(AttemptEnd::Done));
                session.map(|session| self.sessions.remove(&session.id));
            }
            _ => {}
        }
    }

    /// The server hears that sessions are given up.
    fn let_sessions_go(&mut self) {
        let leaving: Vec<_> = self
            .house
            .running
            .values()
            .filter_map(|plan| match &plan.work {
                Work::GiveUp { session } => Some((plan.attempt, session.id.clone())),
                _ => None,
            })
            .collect();
        for (attempt, session) in leaving {
            self.sessions.remove(&session);
            self.house.running.remove(&attempt);
            self.house.tell(Event::Attempt(attempt, AttemptReport::Ended(AttemptEnd::Done)));
        }
    }

    fn take(&mut self, step: Step) {
        let (job, owner) = (self.job, alice());
        match step {
            Step::Resume => _ = self.house.resume(job),
            Step::Suspend => _ = self.house.suspend(job),
            Step::Complete => _ = self.house.complete(job),
            Step::Cancel => _ = self.house.cancel(job),
            Step::Answer => self.answer(),
            Step::Progress(have) if self.is_answered() => match self.attempt() {
                Some((_, Work::Upload { .. })) => self.house.report(job, AttemptReport::Progress { have }),
                Some(_) => self.house.progress(job, have.min(REPLY_SIZE)),
                None => {}
            },
            Step::Done if self.is_answered() => self.done(),
            Step::FailForNow if self.attempt().is_some() => self.house.fail(job, SERVER_BUSY),
            Step::FailForGood if self.attempt().is_some() => self.house.fail(job, NOT_FOUND),
            Step::SourceChanges => self.version += 1,
            Step::NameReply(set) => {
                let name = set.then_some(r"C:\replies\a.xml");
                _ = self.house.now_result(|engine, cx| engine.set_reply_file_name(cx, &owner, job, name));
            }
            Step::Network(true) => self.house.restore_network(),
            Step::Network(false) => self.house.lose_network(),
            Step::Wait(time) => self.house.advance(seconds(time)),
            Step::Restart => {
                self.house.restart(seconds(1));
                self.answered.clear();
            }
            _ => {}
        }
    }

    fn check(&self) {
        let someone = administrator();
        let progress = self.house.engine.progress(&someone, self.job).unwrap();
        let file = self.house.engine.file_progress(&someone, self.job, crate::FileIndex(0)).unwrap();
        assert_eq!((progress.bytes_total, progress.bytes_transferred), (file.bytes_total, file.bytes_transferred));
        assert_eq!((progress.files_total, progress.files_transferred), (1, u32::from(file.completed)));
        let reply = self.house.engine.reply_progress(&someone, self.job).unwrap();
        assert!(reply.bytes_transferred == 0 || reply.bytes_total == REPLY_SIZE);
        let is_transferred = self.house.state(self.job) == JobState::TRANSFERRED;
        assert!(!is_transferred || reply.bytes_transferred == REPLY_SIZE);
        let kept = self.house.engine.jobs[self.job].session().map(|session| session.id.clone());
        assert!(kept.is_none_or(|kept| self.sessions.contains(&kept)), "a session that the server does not know");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_walk_leaves_nothing_behind(steps in prop::collection::vec(step(), 1..60)) {
        let mut walk = Walk::new();
        for step in steps {
            if !walk.is_there() {
                break;
            }
            walk.take(step);
            if walk.is_there() {
                walk.check();
            }
        }
        if walk.is_there() {
            _ = walk.house.cancel(walk.job);
        }
        walk.let_sessions_go();
        let left: Vec<_> = walk.house.disk.files.borrow().keys().filter(|path| path.to_string_lossy().contains("/BIT")).cloned().collect();
        let is_completed = left.iter().all(|path| path.to_string_lossy().contains("BITR"));
        prop_assert!(is_completed, "temporary files are left: {left:?}");
        prop_assert!(walk.sessions.is_empty(), "sessions are left: {:?}", walk.sessions);
        prop_assert!(walk.house.store.is_empty(), "a record is left");
    }
}
