//! Telling clients (clauses `callback*.*`, `job.set_notify_*`, `notify.*`): what is due, and to whom.
//!
//! A job is told of by the first of these that is there: the object that a client has registered,
//! an object of the job's notification class, its command line. It has one notification in flight
//! at a time. Those that must arrive are kept in order and repeated; JobModification and
//! FileRangesTransferred are mere marks, which are merged, spaced out and overtaken.

mod command;
mod deliver;
mod ranges;

use std::collections::VecDeque;

use bits_api::{Guid, Hresult, JobState, NotifyFlags, Setting};
use bits_wire::spans::Span;
use bits_world::clock::Monotonic;
use bits_world::{Profile, Sid};

use crate::job::{Job, file_index};
use crate::settings::Stored;
use crate::timers::Timer;
use crate::users::UserNo;
use crate::{Action, CallbackId, Cx, Engine, ErrorRecord, FileIndex, JobKey, Ticket};
pub use command::{CommandLine, CommandOutcome};
use ranges::Arrived;

/// Which callback an object is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum CallbackInterface {
    /// IBackgroundCopyCallback.
    Callback,
    /// IBackgroundCopyCallback2: has FileTransferred (3.0).
    Callback2,
    /// IBackgroundCopyCallback3: has FileRangesTransferred (10.1).
    Callback3,
}

impl CallbackInterface {
    /// As much of it as a BITS of this version asks for.
    fn known_to(self, profile: Profile) -> Self {
        self.min(match profile {
            profile if profile >= Profile::V10_1 => Self::Callback3,
            profile if profile >= Profile::V3_0 => Self::Callback2,
            _ => Self::Callback,
        })
    }

    /// The interface with the method that `flag` asks for.
    fn of(flag: NotifyFlags) -> Self {
        match flag {
            NotifyFlags::FILE_TRANSFERRED => Self::Callback2,
            NotifyFlags::FILE_RANGES_TRANSFERRED => Self::Callback3,
            _ => Self::Callback,
        }
    }
}

/// What a job's clients have not been told yet, and the object that is told.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    object: Option<Object>,
    /// What must arrive, in order.
    due: VecDeque<Pending>,
    /// Whether JobModification is due.
    modified: bool,
    /// What FileRangesTransferred is to tell.
    arrived: Arrived,
    in_flight: Option<(Ticket, InFlight)>,
    /// Whether the first of what must arrive waits for its repetition.
    waits: bool,
    /// Whether the job stands among those that wait for another notification of the user.
    stands_in_line: bool,
    /// The next JobModification goes no earlier.
    modification_from: Monotonic,
    /// The next FileRangesTransferred goes no earlier.
    ranges_from: Monotonic,
}

/// The object that is called.
#[derive(Clone, Copy, Debug)]
struct Object {
    callback: CallbackId,
    /// Who registered it, or the owner whose class it is of.
    user: UserNo,
    interface: CallbackInterface,
    origin: Origin,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Origin {
    /// SetNotifyInterface.
    Registered,
    /// Made from the job's notification class.
    Made { has_answered: bool },
}

/// A notification that must arrive, and who is to get it.
#[derive(Clone, Copy, Debug)]
struct Pending {
    due: Due,
    via: Via,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Via {
    /// An object; without one, the command line.
    Callback,
    /// The command line, since the callback has failed.
    Command,
}

/// A notification that must arrive.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Due {
    File(FileIndex),
    Transferred,
    Error(ErrorRecord),
}

/// Something to be told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Notice {
    Due(Due),
    Ranges,
    Modification,
}

/// What is to be done when an outcome comes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum InFlight {
    /// See whether the client has been told.
    Due(Due, Via),
    /// Nothing: it is not repeated, or what it told is true no more.
    Once,
    /// Tell this, with the object that was made for it.
    Activation(Notice),
}

impl Due {
    /// The flag that asks for it.
    fn flag(self) -> NotifyFlags {
        match self {
            Self::File(_) => NotifyFlags::FILE_TRANSFERRED,
            Self::Transferred => NotifyFlags::JOB_TRANSFERRED,
            Self::Error(_) => NotifyFlags::JOB_ERROR,
        }
    }

    /// Whether it tells of the state of the job.
    fn is_end(self) -> bool {
        matches!(self, Self::Transferred | Self::Error(_))
    }

    /// Whether a client that returned `code` has been told.
    fn is_settled_by(self, code: Hresult) -> bool {
        match self {
            // A decision (callback2.file_transferred.return_positive).
            Self::File(_) => !code.is_failure(),
            Self::Transferred | Self::Error(_) => code == Hresult::S_OK,
        }
    }
}

impl Notice {
    fn flag(self) -> NotifyFlags {
        match self {
            Self::Due(due) => due.flag(),
            Self::Ranges => NotifyFlags::FILE_RANGES_TRANSFERRED,
            Self::Modification => NotifyFlags::JOB_MODIFICATION,
        }
    }
}

impl Notices {
    /// Whether this is due or being told. A file that arrives while it is told of has been refused
    /// meanwhile, and is another one.
    fn has(&self, due: Due) -> bool {
        let is_told = || matches!(self.in_flight, Some((_, InFlight::Due(told, _))) if told == due);
        self.due.iter().any(|pending| pending.due == due) || (due.is_end() && is_told())
    }

    /// Keeps only what somebody hears; what the command line was to tell goes to the callback when
    /// there is none any more.
    fn keep(&mut self, ears: Ears) {
        self.due.retain(|pending| ears.hear(pending.due.flag()));
        self.modified &= ears.hear(NotifyFlags::JOB_MODIFICATION);
        if !ears.hear(NotifyFlags::FILE_RANGES_TRANSFERRED) {
            self.arrived.clear();
        }
        if !ears.command {
            self.due.iter_mut().for_each(|pending| pending.via = Via::Callback);
        }
    }
}

/// Who hears of a job, and what was asked for.
#[derive(Clone, Copy, Debug)]
struct Ears {
    flags: NotifyFlags,
    /// As what objects are called, if any are.
    callback: Option<CallbackInterface>,
    /// Whether a program is run.
    command: bool,
}

impl Ears {
    /// Whether the client has asked for what `flag` means, and somebody hears it.
    fn hear(self, flag: NotifyFlags) -> bool {
        if !self.flags.contains(flag) || self.flags.contains(NotifyFlags::DISABLE) {
            return false;
        }
        let is_end = [NotifyFlags::JOB_TRANSFERRED, NotifyFlags::JOB_ERROR].contains(&flag);
        self.callback.is_some_and(|interface| interface >= CallbackInterface::of(flag)) || (is_end && self.command)
    }
}

/// The object that a client has registered.
pub(crate) fn registered(job: &Job) -> Option<CallbackId> {
    let object = job.notices.as_ref()?.object.filter(|object| object.origin == Origin::Registered)?;
    Some(object.callback)
}

/// The class whose objects are told of a job (clauses `job5.notification_clsid.*`).
fn class_of(job: &Job) -> Option<Guid> {
    match job.later.get(Setting::NotificationClsid) {
        Some(Stored::Guid(class)) if *class != Guid::nil() => Some(*class),
        _ => None,
    }
}

impl Engine {
    /// What somebody hears of a job.
    fn ears(&self, job: &Job) -> Ears {
        let object = job.notices.as_ref().and_then(|notices| notices.object);
        Ears {
            flags: job.notify_flags,
            callback: match object {
                Some(object) => Some(object.interface),
                None => class_of(job).map(|_| CallbackInterface::Callback3),
            },
            command: self.command_of(job).is_some(),
        }
    }

    /// The command line that is run for a job: none for a service account (clause
    /// `job2.set_notify_cmd_line.service_account`).
    fn command_of<'a>(&self, job: &'a Job) -> Option<&'a CommandLine> {
        job.notify_command.as_deref().filter(|_| !self.jobs.users.get(job.owner).sid.is_service_account())
    }

    /// Registers `callback`, or none, for the user `caller`.
    pub(crate) fn replace_callback(
        &mut self,
        cx: Cx<'_>,
        key: JobKey,
        caller: &Sid,
        callback: Option<(CallbackId, CallbackInterface)>,
    ) {
        self.forget_object(key);
        let Some((callback, interface)) = callback else {
            self.listeners_changed(key);
            self.changed(cx, key);
            return self.pump_notices(key);
        };
        let user = self.user_of(cx, caller);
        let interface = interface.known_to(self.config.profile);
        let object = Object { callback, user, interface, origin: Origin::Registered };
        self.timers.disarm(key, Timer::NotifyRetry);
        self.jobs[key].notices = Some(Box::new(Notices { object: Some(object), ..Notices::default() }));
        self.changed(cx, key);
        self.notify_of_end(key);
    }

    /// The program to run for the job's end, or none.
    pub(crate) fn replace_command(&mut self, cx: Cx<'_>, key: JobKey, command: Option<CommandLine>) {
        let is_set = command.is_some();
        self.jobs[key].notify_command = command.map(Box::new);
        self.jobs[key].end_told &= !is_set;
        self.listeners_changed(key);
        self.changed(cx, key);
        if is_set {
            self.notify_of_end(key);
        }
    }

    /// The class whose objects are told when no client has registered one; the null GUID for none.
    pub(crate) fn replace_class(&mut self, key: JobKey, class: Guid) {
        let job = &mut self.jobs[key];
        let before = class_of(job);
        job.later.set(Setting::NotificationClsid, Stored::Guid(class));
        let class = class_of(job);
        if class == before {
            return;
        }
        let object = job.notices.as_ref().and_then(|notices| notices.object);
        if object.is_some_and(|object| object.origin != Origin::Registered) {
            self.forget_object(key);
        }
        self.listeners_changed(key);
        if class.is_some() && registered(&self.jobs[key]).is_none() {
            self.jobs[key].end_told = false;
            self.notify_of_end(key);
        }
    }

    /// Lets go of the object that is called.
    fn forget_object(&mut self, key: JobKey) {
        let object = self.jobs[key].notices.as_mut().and_then(|notices| notices.object.take());
        if let Some(object) = object {
            self.push(Action::Forget(object.callback));
        }
    }

    /// Somebody hears no more: what nobody hears is not due.
    pub(crate) fn listeners_changed(&mut self, key: JobKey) {
        let ears = self.ears(&self.jobs[key]);
        if ears.callback.is_none() && !ears.command {
            self.forget_notices(key);
        } else if let Some(notices) = &mut self.jobs[key].notices {
            notices.keep(ears);
        }
    }

    fn keep_what_is_heard(&mut self, key: JobKey) {
        let ears = self.ears(&self.jobs[key]);
        if let Some(notices) = &mut self.jobs[key].notices {
            notices.keep(ears);
        }
    }

    /// Forgets what a job's clients were to be told, and the object that was to be called.
    pub(crate) fn forget_notices(&mut self, key: JobKey) {
        self.forget_object(key);
        self.jobs[key].notices = None;
        self.timers.disarm(key, Timer::NotifyRetry);
        self.timers.disarm(key, Timer::NotifyInterval);
    }

    /// The client wants other notifications; what is due anyway is delivered again, but a program
    /// that has done its work is not run again (clause `job2.set_notify_cmd_line.exit_zero`).
    pub(crate) fn flags_changed(&mut self, key: JobKey) {
        self.keep_what_is_heard(key);
        let job = &mut self.jobs[key];
        let mut calls = class_of(job).is_some();
        if let Some(notices) = &mut job.notices {
            calls |= notices.object.is_some();
            notices.waits = false;
        }
        self.timers.disarm(key, Timer::NotifyRetry);
        if calls || !self.jobs[key].end_told {
            self.notify_of_end(key);
        }
    }

    /// A job has come to another state.
    pub(crate) fn notify_of_state(&mut self, key: JobKey) {
        let job = &mut self.jobs[key];
        let is_end = [JobState::TRANSFERRED, JobState::ERROR].contains(&job.shown());
        if let Some(notices) = &mut job.notices {
            // What a job was no longer is is not told any more.
            let first = notices.due.front().map(|pending| pending.due);
            notices.due.retain(|pending| !pending.due.is_end());
            if notices.due.front().map(|pending| pending.due) != first {
                notices.waits = false;
                self.timers.disarm(key, Timer::NotifyRetry);
            }
            if let Some((_, sent @ InFlight::Due(..))) = &mut notices.in_flight
                && matches!(sent, InFlight::Due(due, _) if due.is_end())
            {
                *sent = InFlight::Once;
            }
        }
        if is_end {
            self.notify_of_end(key);
        } else {
            self.notify_of_modification(key);
        }
    }

    /// Tells of TRANSFERRED or ERROR as long as the job is in that state.
    pub(crate) fn notify_of_end(&mut self, key: JobKey) {
        let job = &self.jobs[key];
        match (job.shown(), job.error) {
            (JobState::TRANSFERRED, _) => self.make_due(key, Due::Transferred),
            (JobState::ERROR, Some(error)) => self.make_due(key, Due::Error(error)),
            _ => self.pump_notices(key),
        }
    }

    /// A file has been transferred.
    pub(crate) fn notify_of_file(&mut self, key: JobKey, place: usize) {
        self.make_due(key, Due::File(file_index(place)));
    }

    fn make_due(&mut self, key: JobKey, due: Due) {
        if self.ears(&self.jobs[key]).hear(due.flag()) {
            let notices = self.jobs[key].notices.get_or_insert_default();
            if !notices.has(due) {
                notices.due.push_back(Pending { due, via: Via::Callback });
            }
        }
        self.pump_notices(key);
    }

    /// Bytes of a file have arrived. They are told of where they could be asked for, in downloads
    /// (clauses `callback3.file_ranges_transferred.*`, `callback3.flag.delivery`).
    pub(crate) fn notify_of_ranges(&mut self, key: JobKey, place: usize, ranges: impl IntoIterator<Item = Span>) {
        let job = &self.jobs[key];
        if !job.is_upload() && !job.is_dynamic() && self.ears(job).hear(NotifyFlags::FILE_RANGES_TRANSFERRED) {
            let notices = self.jobs[key].notices.get_or_insert_default();
            for range in ranges {
                notices.arrived.add(file_index(place), range);
            }
            self.pump_notices(key);
        }
    }

    /// What has arrived of a file until now is not told any more: the client has asked for other
    /// ranges, or the file begins anew.
    pub(crate) fn begin_range_window(&mut self, key: JobKey, place: usize) {
        if let Some(notices) = &mut self.jobs[key].notices {
            notices.arrived.forget(file_index(place));
        }
    }

    /// A property, the progress or the state has changed.
    pub(crate) fn notify_of_modification(&mut self, key: JobKey) {
        if self.ears(&self.jobs[key]).hear(NotifyFlags::JOB_MODIFICATION) && !self.loses_modification() {
            self.jobs[key].notices.get_or_insert_default().modified = true;
            self.pump_notices(key);
        }
    }
}
