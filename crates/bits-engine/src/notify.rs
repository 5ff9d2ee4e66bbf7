//! Telling clients (clauses `callback.*`, `callback2.*`, `job.set_notify_*`).
//!
//! A job has one notification in flight at a time. Those that must arrive are kept in order and
//! repeated; JobModification is a mere mark that is overwritten and overtaken.

use std::collections::VecDeque;

use bits_api::{Hresult, JobState, NotifyFlags};
use bits_world::{Profile, Sid};

use crate::engine::Awaited;
use crate::job::file_index;
use crate::timers::Timer;
use crate::users::UserNo;
use crate::{Action, CallbackId, Cx, Engine, ErrorRecord, FileIndex, JobKey, Notification, NotifyOutcome, Ticket};

/// At most so many notifications of one user run at a time (clause
/// `callback.interface.concurrency`).
const PER_USER: u32 = 4;

/// A registered callback and what it has not been told yet.
#[derive(Debug)]
pub(crate) struct Notices {
    pub(crate) callback: CallbackId,
    /// Who registered it.
    user: UserNo,
    interface: Interface,
    /// What must arrive, in order.
    due: VecDeque<Due>,
    /// Whether JobModification is due.
    modified: bool,
    in_flight: Option<(Ticket, InFlight)>,
    /// Whether the first of what is due waits for its repetition.
    waits: bool,
    /// Whether the job stands among those that wait for another notification of the user.
    stands_in_line: bool,
}

/// Which callback the client's object is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Interface {
    Callback,
    /// Has FileTransferred.
    Callback2,
}

/// A notification that must arrive.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Due {
    File(FileIndex),
    Transferred,
    Error(ErrorRecord),
}

/// What is to be done when a notification comes back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum InFlight {
    /// See whether the client has been told.
    Due(Due),
    /// Nothing: it is not repeated, or what it told is true no more.
    Once,
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

    /// Whether a client that returned `code` has been told.
    fn is_settled_by(self, code: Hresult) -> bool {
        match self {
            // A decision (callback2.file_transferred.return_positive).
            Self::File(_) => !code.is_failure(),
            Self::Transferred | Self::Error(_) => code == Hresult::S_OK,
        }
    }
}

impl Engine {
    /// Registers `callback`, or none, for the user `caller`.
    pub(crate) fn replace_callback(
        &mut self,
        cx: Cx<'_>,
        key: JobKey,
        caller: &Sid,
        callback: Option<CallbackId>,
        takes_files: bool,
    ) {
        self.drop_callback(key);
        if let Some(callback) = callback {
            let user = self.user_of(cx, caller);
            self.jobs[key].notices = Some(Box::new(Notices {
                callback,
                user,
                interface: if takes_files { Interface::Callback2 } else { Interface::Callback },
                due: VecDeque::new(),
                modified: false,
                in_flight: None,
                waits: false,
                stands_in_line: false,
            }));
        }
        self.changed(cx, key);
        self.notify_of_end(key);
    }

    /// Forgets the callback of a job, and what it was to be told.
    pub(crate) fn drop_callback(&mut self, key: JobKey) {
        if let Some(notices) = self.jobs[key].notices.take() {
            self.timers.disarm(key, Timer::NotifyRetry);
            self.push(Action::Forget(notices.callback));
        }
    }

    /// The client wants other notifications; what is due anyway is delivered again.
    pub(crate) fn flags_changed(&mut self, key: JobKey) {
        let flags = self.jobs[key].notify_flags;
        let Some(notices) = &mut self.jobs[key].notices else { return };
        let is_silent = flags.contains(NotifyFlags::DISABLE);
        notices.due.retain(|due| flags.contains(due.flag()) && !is_silent);
        notices.modified &= flags.contains(NotifyFlags::JOB_MODIFICATION) && !is_silent;
        notices.waits = false;
        self.timers.disarm(key, Timer::NotifyRetry);
        self.notify_of_end(key);
    }

    /// A job has come to another state.
    pub(crate) fn notify_of_state(&mut self, key: JobKey) {
        let job = &mut self.jobs[key];
        let is_end = [JobState::TRANSFERRED, JobState::ERROR].contains(&job.shown());
        let Some(notices) = &mut job.notices else { return };
        // What a job was no longer is is not told any more.
        let first = notices.due.front().copied();
        notices.due.retain(|due| matches!(due, Due::File(_)));
        if notices.due.front().copied() != first {
            notices.waits = false;
            self.timers.disarm(key, Timer::NotifyRetry);
        }
        if let Some((_, sent @ InFlight::Due(Due::Transferred | Due::Error(_)))) = &mut notices.in_flight {
            *sent = InFlight::Once;
        }
        if is_end {
            self.notify_of_end(key);
        } else {
            self.notify_of_modification(key);
        }
    }

    /// Tells of TRANSFERRED or ERROR as long as the job is in that state.
    fn notify_of_end(&mut self, key: JobKey) {
        let job = &self.jobs[key];
        let due = match (job.shown(), job.error) {
            (JobState::TRANSFERRED, _) => Due::Transferred,
            (JobState::ERROR, Some(error)) => Due::Error(error),
            _ => return self.pump_notices(key),
        };
        self.make_due(key, due);
    }

    /// A file has been transferred.
    pub(crate) fn notify_of_file(&mut self, key: JobKey, place: usize) {
        let interface = self.jobs[key].notices.as_ref().map(|notices| notices.interface);
        if interface == Some(Interface::Callback2) && self.config.profile >= Profile::V3_0 {
            self.make_due(key, Due::File(file_index(place)));
        }
    }

    fn make_due(&mut self, key: JobKey, due: Due) {
        let job = &mut self.jobs[key];
        let flags = job.notify_flags;
        let Some(notices) = &mut job.notices else { return };
        let is_wanted = flags.contains(due.flag()) && !flags.contains(NotifyFlags::DISABLE);
        let is_known =
            notices.due.contains(&due) || matches!(notices.in_flight, Some((_, InFlight::Due(d))) if d == due);
        if is_wanted && !is_known {
            notices.due.push_back(due);
        }
        self.pump_notices(key);
    }

    /// A property, the progress or the state has changed.
    pub(crate) fn notify_of_modification(&mut self, key: JobKey) {
        let job = &mut self.jobs[key];
        let flags = job.notify_flags;
        let Some(notices) = &mut job.notices else { return };
        if flags.contains(NotifyFlags::JOB_MODIFICATION) && !flags.contains(NotifyFlags::DISABLE) {
            notices.modified = true;
            self.pump_notices(key);
        }
    }

    /// Sends the next notification if there is one and it may go.
    pub(crate) fn pump_notices(&mut self, key: JobKey) {
        let job = &mut self.jobs[key];
        let Some(notices) = &mut job.notices else { return };
        let has_due = !notices.due.is_empty() && !notices.waits;
        if notices.in_flight.is_some() || !(has_due || notices.modified) {
            return;
        }
        let (callback, number) = (notices.callback, notices.user);
        let user = self.jobs.users.get_mut(number);
        if user.notifications >= PER_USER {
            return self.stand_in_line(key, number);
        }
        user.notifications += 1;
        let ticket = self.ticket(Awaited::Notify { job: key, user: number });
        let Some(notices) = &mut self.jobs[key].notices else { return };
        let due = if has_due { notices.due.pop_front() } else { None };
        notices.in_flight = Some((ticket, due.map_or(InFlight::Once, InFlight::Due)));
        let notification = match due {
            Some(Due::File(file)) => Notification::FileTransferred(file),
            Some(Due::Transferred) => Notification::JobTransferred,
            Some(Due::Error(error)) => Notification::JobError(error),
            None => {
                notices.modified = false;
                Notification::JobModification
            }
        };
        self.push(Action::Notify { ticket, callback, job: key, notification });
    }

    fn stand_in_line(&mut self, key: JobKey, number: UserNo) {
        if let Some(notices) = &mut self.jobs[key].notices
            && !std::mem::replace(&mut notices.stands_in_line, true)
        {
            self.jobs.users.get_mut(number).waiting.push_back(key);
        }
    }

    /// A notification has come back.
    pub(crate) fn notified(&mut self, cx: Cx<'_>, key: JobKey, user: UserNo, ticket: Ticket, outcome: NotifyOutcome) {
        self.jobs.users.get_mut(user).notifications -= 1;
        let notices = self.jobs.get_mut(key).and_then(|job| job.notices.as_mut());
        // One that went to an earlier callback, or whose job has ended, matters no more.
        if let Some(notices) = notices
            && let Some((_, sent)) = notices.in_flight.take_if(|(sent, _)| *sent == ticket)
        {
            match (outcome, sent) {
                (NotifyOutcome::Disconnected, _) => self.drop_callback(key),
                (NotifyOutcome::Returned(code), InFlight::Due(due)) if !due.is_settled_by(code) => {
                    self.repeat(cx, key, due);
                }
                (NotifyOutcome::Returned(_), _) => {}
            }
            self.pump_notices(key);
        }
        self.serve_waiting(user);
    }

    /// The client has failed a notification: it comes again, if it is still true.
    fn repeat(&mut self, cx: Cx<'_>, key: JobKey, due: Due) {
        let job = &mut self.jobs[key];
        let is_true = match due {
            Due::File(_) => true,
            Due::Transferred => job.shown() == JobState::TRANSFERRED,
            Due::Error(error) => job.shown() == JobState::ERROR && job.error == Some(error),
        };
        let is_wanted = job.notify_flags.contains(due.flag());
        let Some(notices) = &mut job.notices else { return };
        if is_true && is_wanted && !notices.due.contains(&due) {
            notices.due.push_front(due);
            notices.waits = true;
            let at = cx.now.monotonic.plus(self.config.decisions.notify_retry());
            self.timers.arm(key, Timer::NotifyRetry, at);
        }
    }

    /// A failed notification's time has come again.
    pub(crate) fn notify_retry(&mut self, key: JobKey) {
        if let Some(notices) = &mut self.jobs[key].notices {
            notices.waits = false;
        }
        self.pump_notices(key);
    }

    /// One of a user's notifications has returned: the next may go.
    fn serve_waiting(&mut self, number: UserNo) {
        loop {
            let user = self.jobs.users.get_mut(number);
            if user.notifications >= PER_USER {
                return;
            }
            let Some(key) = user.waiting.pop_front() else { return };
            let Some(job) = self.jobs.get_mut(key) else { continue };
            if let Some(notices) = &mut job.notices {
                notices.stands_in_line = false;
                self.pump_notices(key);
            }
        }
    }
}
