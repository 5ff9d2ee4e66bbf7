//! What must hold of the actions that the engine hands out, in their order, and after each step.

use std::collections::BTreeSet;
use std::path::Path;

use bits_api::{AuthScheme, AuthTarget, CostFlags, Hresult, JobState, NotifyFlags, SecurityFlags, Setting, TokenFlags};
use bits_engine::{
    Action, CallbackId, Change, Engine, FileIndex, FileRecord, FileStage, JobKey, Notification, Transition,
};
use bits_wire::attempt::{AttemptId, AttemptPlan, Work};
use bits_wire::download::RedirectPolicy;
use bits_wire::layout::Layout;
use bits_world::{Network, Sid, World};

use crate::house::{ADMINISTRATOR, House, Notified, SERVICE, has_ended};
use crate::view::{View, values};
use crate::wanted::Wanted;
use crate::watch::Job;

/// At most so many notifications of one user run at a time (clause
/// `callback.interface.concurrency`).
const PER_USER: usize = 4;

impl House {
    /// Looks at an action that the engine hands out.
    pub(crate) fn see(&mut self, action: &Action) {
        match action {
            Action::Persist(change) => {
                self.ordered.apply(change);
                match change {
                    Change::Remove(job) => _ = self.giving_up.remove(job),
                    // All of it is there.
                    Change::File(record) if record.stage != FileStage::Pending => {
                        let files = self.jobs.get_mut(&record.job).map(|job| &mut job.files);
                        let file = files.and_then(|files| files.get_mut(record.index.0 as usize));
                        file.into_iter().for_each(Wanted::forget_asked);
                    }
                    _ => {}
                }
            }
            Action::Trace(transition, _) => self.see_transition(*transition),
            Action::Start(plan) => self.see_start(plan),
            Action::Proceed(attempt) => self.see_proceed(*attempt),
            Action::Stop(attempt) => {
                let live = self.attempts.get_mut(attempt).expect("an attempt that has not ended is stopped");
                let is_first = !std::mem::replace(&mut live.told_to_stop, true);
                // One that is to stop for another may still have to stop for good.
                assert!(is_first || live.is_replanned, "{attempt:?} is told to stop once");
                live.is_replanned = is_first && self.is_replanning;
            }
            Action::Publish { temporary, .. } => {
                let job = self.owner_of(temporary).expect("a temporary file of a job is published");
                self.jobs.get_mut(&job).expect("a job of the queue").see_end_begin(self.now);
                let is_renaming =
                    self.ordered.files(job).iter().any(|file| {
                        file.stage == FileStage::Renaming && file.temporary.as_deref() == name_of(temporary)
                    });
                assert!(is_renaming, "{} is renamed before that is on record", temporary.display());
            }
            Action::Delete { path, .. } => {
                let job = self.owner_of(path).expect("a temporary file of a job is deleted");
                self.jobs.get_mut(&job).expect("a job of the queue").see_end_begin(self.now);
            }
            Action::Notify { ticket, callback, job, notification } => {
                let user = self.see_notification(*callback, *job, notification);
                let notified = Notified { callback: *callback, user, job: *job, what: notification.clone() };
                self.notified.insert(*ticket, notified);
                let running = self.notified.values().filter(|other| other.user == user).count();
                assert!(running <= PER_USER, "{running} notifications of one user");
            }
            Action::Reply { call, result } => {
                let job = self.awaited[call];
                assert_eq!(
                    has_ended(self.ordered.job(job)),
                    result.is_ok(),
                    "{job:?}: {result:?} is told before it is on record"
                );
                if let Some(job) = self.jobs.get_mut(&job) {
                    job.is_ending = false;
                }
            }
            Action::RunCommand { job, user, .. } => self.see_program(*job, user),
            Action::Activate { .. } | Action::Forget(_) | Action::Wake(_) | Action::Release(_) | Action::Limit(..) => {}
        }
    }

    /// The job of the queue that has, or had, this temporary file.
    fn owner_of(&self, temporary: &Path) -> Option<JobKey> {
        self.jobs.iter().find(|(_, job)| job.temporaries.contains(temporary)).map(|(key, _)| *key)
    }

    fn see_transition(&mut self, transition: Transition) {
        let Transition { job: key, id, from, to, .. } = transition;
        assert!(transition.is_documented(), "not in the table: {transition:?}");
        if from.is_none() {
            assert_eq!(to, JobState::SUSPENDED);
            let mut job = Job::new(id, self.creating, self.given, self.now);
            let values = values(&self.engine, &self.users[self.creating], key).expect("the settings of a new job");
            job.values.push((self.given, values));
            assert!(self.jobs.insert(key, job).is_none(), "{key:?} is new");
            return;
        }
        let job = self.jobs.get_mut(&key).expect("a job of the queue goes on");
        assert_eq!(job.id, id);
        job.follow(self.now, transition);
        if !job.is_active() {
            self.attempts.values_mut().filter(|live| live.job == key).for_each(|live| live.is_replanned = false);
        }
        match to {
            JobState::ACKNOWLEDGED | JobState::CANCELLED => self.see_end(key),
            JobState::TRANSFERRED => self.see_all_files(key),
            _ => {}
        }
    }

    /// Nothing is left of a job that has ended, but what could not be deleted.
    fn see_end(&mut self, key: JobKey) {
        let job = self.jobs.remove(&key).expect("a job ends once");
        for path in &job.temporaries {
            let is_left = self.files.there.contains_key(path) && !self.files.is_excused(path);
            assert!(!is_left, "{}: {} is left behind", job.id, path.display());
        }
        if let Some(record) = self.ordered.job(key) {
            // Its server is told first.
            let has_session = record.upload.as_ref().is_some_and(|upload| upload.session.is_some());
            assert!(record.state == JobState::CANCELLED && has_session, "{}: its end is on record", job.id);
            self.giving_up.insert(key, job.owner);
        }
        self.ended.insert(key, (self.given, job));
    }

    /// The files of a job that is TRANSFERRED are those of their servers.
    fn see_all_files(&self, key: JobKey) {
        let sends = self.sends(key);
        for (place, file) in self.ordered.files(key).iter().enumerate() {
            if sends && place == 0 {
                let source = &self.files.there[&self.path_of(&file.local_name, None)].bytes;
                let is_stored = self.sessions.has_stored(&file.remote_name, source);
                // Somebody may have written another version since.
                let is_same = file.validators == self.files.version(&self.path_of(&file.local_name, None));
                assert!(is_stored || !is_same, "{} has not got {}", file.remote_name, file.local_name);
                continue;
            }
            let path = self
                .path_of(&file.local_name, file.temporary.as_deref().filter(|_| file.stage != FileStage::Completed));
            let local = self.files.there.get(&path).unwrap_or_else(|| panic!("{} is not there", path.display()));
            assert!(
                self.origin.ever_was(&file.remote_name, &file.details.ranges, &local.bytes),
                "{} is not what {} has ever been",
                path.display(),
                file.remote_name
            );
        }
    }

    /// Whether a job on record is an upload.
    fn sends(&self, key: JobKey) -> bool {
        self.ordered.job(key).is_some_and(|record| record.upload.is_some())
    }

    /// A file that has got its final name is what its server has, or had.
    pub(crate) fn see_published(&self, destination: &Path, outcome: Result<(), Hresult>) {
        if outcome.is_err() {
            return;
        }
        let file = self
            .durable
            .keys()
            .flat_map(|job| self.durable.files(job))
            .find(|file| self.path_of(&file.local_name, None) == destination)
            .expect("a file on record");
        let bytes = &self.files.there[destination].bytes;
        assert!(
            self.origin.ever_was(&file.remote_name, &file.details.ranges, bytes),
            "{} has other bytes",
            destination.display()
        );
    }

    /// Where a local name leads, or a temporary file beside it.
    pub(crate) fn path_of(&self, local_name: &str, temporary: Option<&str>) -> std::path::PathBuf {
        let path = self.world.drives.resolve(local_name).expect("a local name on a drive");
        temporary.map_or(path.clone(), |name| path.with_file_name(name))
    }

    fn see_start(&mut self, plan: &AttemptPlan) {
        let key = self.engine.job_of(plan.attempt).expect("an attempt belongs to a job");
        let is_free = self.attempts.values().all(|other| other.job != key);
        assert!(is_free, "{key:?} has two attempts");
        if matches!(plan.work, Work::GiveUp { .. }) {
            assert!(self.giving_up.contains_key(&key), "{key:?} gives up what it still wants");
            return self.begin_watching(plan.attempt, key, 0, 0);
        }
        let is_upload = matches!(plan.work, Work::Upload { .. });
        let is_meant = |file: &&FileRecord| {
            if is_upload { file.index.0 == 0 } else { file.temporary.as_deref() == name_of(&plan.local) }
        };
        let file = self.ordered.files(key).iter().find(is_meant);
        let file = file.expect("the name of a temporary file is on record before an attempt uses it");
        let place = file.index.0 as usize;
        assert_eq!(file.remote_name, plan.url);
        assert_eq!(file.validators, plan.known);
        if !self.jobs[&key].sends {
            self.see_fetch(key, file, plan);
        }
        let (local, network) = self.identities_of(key);
        assert_eq!((&plan.identities.local, &plan.identities.network), (&local, &network), "in whose name");
        let held = match &plan.fetch.layout {
            Layout::Scattered { held, .. } => held.total(),
            Layout::Whole | Layout::Parts(_) => 0,
        };
        self.begin_watching(plan.attempt, key, place, held);
        let job = self.jobs.get_mut(&key).expect("a job of the queue");
        if !is_upload {
            job.temporaries.insert(plan.local.clone());
        }
    }

    /// An attempt is told to fetch what the client wants, from where he wants it, and whom it may tell
    /// what.
    fn see_fetch(&self, key: JobKey, record: &FileRecord, plan: &AttemptPlan) {
        let job = &self.jobs[&key];
        let file = &job.files[record.index.0 as usize];
        file.see_layout(&plan.fetch.layout);
        assert_eq!(plan.url, file.name());
        assert_eq!(plan.fetch.named_server.as_deref(), file.server_elsewhere(), "who has named {}", plan.url);
        let flags = SecurityFlags::from_bits_retain(job.number(Setting::SecurityFlags));
        assert_eq!(plan.fetch.redirects, RedirectPolicy::from(flags));
        for scheme in [AuthScheme::BASIC, AuthScheme::DIGEST, AuthScheme::NTLM] {
            let told = plan.logins.get(AuthTarget::SERVER, scheme).map(|login| login.password.expose());
            assert_eq!(told, job.passwords().get(&scheme).map(String::as_str), "{scheme:?} of {}", job.id);
        }
    }

    /// What is said to be there of the file in work is there, as its server has it.
    pub(crate) fn see_filled(&self, key: JobKey, place: usize) {
        let Some(record) = self.ordered.files(key).get(place).filter(|_| !self.sends(key)) else { return };
        let (Some(known), Some(temporary)) = (record.validators, record.temporary.as_deref()) else { return };
        let bytes = &self.files.there[&self.path_of(&record.local_name, Some(temporary))].bytes;
        for range in self.filled(key, record.index) {
            let at = |offset: u64| usize::try_from(offset).expect("small files");
            let part = bytes.get(at(range.initial_offset)..at(range.initial_offset + range.length));
            let is_right = part.is_some_and(|part| self.origin.had(&record.remote_name, known, range, part));
            assert!(is_right, "{range:?} of {} is not what its server has", record.remote_name);
        }
    }

    /// In whose name a job uses its files and its network.
    fn identities_of(&self, key: JobKey) -> (Sid, Sid) {
        let job = &self.jobs[&key];
        let flags = self.engine.helper_token_flags(&self.users[ADMINISTRATOR], key).expect("a job");
        let whose = |flag| {
            let user = if flags.contains(flag) { job.helper.expect("a helper") } else { job.owner };
            self.users[user].user.clone()
        };
        (whose(TokenFlags::LOCAL_FILE), whose(TokenFlags::NETWORK))
    }

    /// What the server said is on record before anything is written.
    fn see_proceed(&self, attempt: AttemptId) {
        let live = self.attempts.get(&attempt).expect("an attempt that has not ended goes on");
        let file = &self.ordered.files(live.job)[live.place];
        let told = if self.sends(live.job) && file.index.0 == 0 {
            let record = self.ordered.job(live.job).and_then(|record| record.upload.as_ref());
            assert!(
                record.is_some_and(|upload| upload.session.is_some()),
                "{attempt:?} sends before that is on record"
            );
            self.files.version(&self.path_of(&file.local_name, None))
        } else {
            live.told
        };
        assert_eq!(file.validators, told, "{attempt:?} goes on before that is on record");
    }

    /// A notification tells what is on record, and what the client wants to know; whom it goes to.
    fn see_notification(&self, callback: CallbackId, key: JobKey, what: &Notification) -> usize {
        if self.ended.contains_key(&key) {
            // Its last change.
            assert_eq!(*what, Notification::JobModification, "{key:?} has ended");
            return self.registrations[&callback].user;
        }
        let job = self.jobs.get(&key).expect("a job of the queue is told of");
        assert_eq!(job.callback, Some(callback), "the callback that is registered");
        let record = self.ordered.job(key).expect("a job on record");
        let flag = match what {
            Notification::JobTransferred => {
                assert_eq!(record.state, JobState::TRANSFERRED, "told before it is on record");
                NotifyFlags::JOB_TRANSFERRED
            }
            Notification::JobError(error) => {
                assert_eq!(
                    (record.state, record.error),
                    (JobState::ERROR, Some(*error)),
                    "told before it is on record"
                );
                NotifyFlags::JOB_ERROR
            }
            Notification::FileTransferred(file) => {
                let file = &self.ordered.files(key)[file.0 as usize];
                assert_ne!(file.stage, FileStage::Pending, "told before it is on record");
                NotifyFlags::FILE_TRANSFERRED
            }
            Notification::FileRangesTransferred(..) => NotifyFlags::FILE_RANGES_TRANSFERRED,
            Notification::JobModification => NotifyFlags::JOB_MODIFICATION,
        };
        assert!(job.wants(flag), "nobody asked for {what:?}");
        self.registrations[&callback].user
    }

    /// What holds after every step.
    pub(crate) fn see_everything(&mut self) {
        let due = self.engine.next_deadline().is_some_and(|due| due <= self.now.monotonic);
        let reader = &self.users[ADMINISTRATOR];
        for (key, job) in &self.jobs {
            assert_eq!(self.engine.state(reader, *key), Ok(job.state), "{}", job.id);
            if !due {
                job.see_timers(self.now);
            }
            for (place, file) in job.files.iter().enumerate() {
                let index = FileIndex(u32::try_from(place).expect("few files"));
                let names = self.engine.file_names(reader, *key, index).expect("a file");
                assert_eq!(names.remote_name, file.name(), "{}", job.id);
            }
        }
        self.see_attempts();
        if self.outbox.is_empty() {
            assert_eq!(self.ordered, self.durable);
            self.see_record();
        }
    }

    /// Who moves data may do so.
    fn see_attempts(&self) {
        let mut in_background = 0;
        for (attempt, live) in self.attempts.iter().filter(|(_, live)| !live.told_to_stop) {
            if self.giving_up.contains_key(&live.job) {
                continue;
            }
            let job = self.jobs.get(&live.job).expect("an attempt of a job of the queue");
            let owner = &self.users[job.owner].user;
            assert!(self.world.is_logged_on(owner), "{attempt:?} runs for somebody who is not logged on");
            assert_eq!(self.hold_on(job), None, "{attempt:?} runs all the same");
            in_background += usize::from(job.is_background());
        }
        assert!(in_background <= 1, "{in_background} jobs run in the background");
    }

    /// What of the world keeps a job from transferring.
    fn hold_on(&self, job: &Job) -> Option<&'static str> {
        let World { network, cost, power, drives, policies, .. } = &self.world;
        let may_cost = CostFlags::from_bits_retain(job.number(Setting::CostFlags));
        let is_blocked = policies.max_internet_bandwidth.is_some() || power.battery_saver;
        match () {
            () if *network != Network::Connected => Some("no network"),
            () if !may_cost.contains(cost.flag()) => Some("cost"),
            () if drives.locked().count() > 0 => Some("a locked volume"),
            () if is_blocked && job.is_background() => Some("no background transfers"),
            () => None,
        }
    }

    /// A program is run in the owner's name, for an end that is on record.
    fn see_program(&self, key: JobKey, user: &Sid) {
        let job = self.jobs.get(&key).expect("a job of the queue");
        let record = self.ordered.job(key).expect("a job on record");
        assert_eq!(*user, self.users[job.owner].user);
        assert_ne!(job.owner, SERVICE, "no program runs for a service account");
        let ends = [JobState::TRANSFERRED, JobState::ERROR];
        assert!(ends.contains(&record.state), "a program runs for a job that is {}", record.state);
    }

    /// Everything is on record: a service that started now would show the same.
    fn see_record(&self) {
        for (key, job) in &self.jobs {
            let record = self.durable.job(*key).unwrap_or_else(|| panic!("{} is not on record", job.id));
            assert_eq!(record.id, job.id);
            assert_eq!(record.retry_at, job.retry.map(|retry| retry.wall), "{}: when it is tried again", job.id);
            for (file, record) in job.files.iter().zip(self.durable.files(*key)) {
                file.see_asked(record);
            }
            assert_eq!(record.failing_since, job.failing.map(|failing| failing.first), "{}: no progress since", job.id);
        }
        let known: BTreeSet<JobKey> = self.jobs.keys().chain(self.giving_up.keys()).copied().collect();
        assert_eq!(self.durable.keys().collect::<BTreeSet<_>>(), known);
    }

    /// Starts a second service from the record: it shows what this one does.
    pub(crate) fn rehearse(&self) {
        let cx = bits_engine::Cx { now: self.now, world: &self.world, probe: &self.files };
        let other = Engine::restore(self.plan.config(), self.durable.saved(), cx);
        let reader = &self.users[ADMINISTRATOR];
        // A helper's token is not on record.
        let needs_no_helper = |key| self.engine.helper_token_flags(reader, key).is_ok_and(|flags| flags.is_empty());
        // One that fails at its next turn may have it at once.
        let is_same = |(key, job): &(&JobKey, &Job)| !job.is_ending && needs_no_helper(**key) && !job.is_used_up();
        for (key, job) in self.jobs.iter().filter(is_same) {
            assert_eq!(View::of(&other, reader, *key), View::of(&self.engine, reader, *key), "{}", job.id);
        }
    }
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name().and_then(|name| name.to_str())
}
