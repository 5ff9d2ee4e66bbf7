//! Telling clients: what goes next, to whom, and what becomes of its outcome.

use std::time::Duration;

use bits_api::{Guid, Hresult, JobState, Setting};
use bits_world::Profile;
use bits_world::clock::Monotonic;

use super::{CallbackInterface, CommandOutcome, Due, InFlight, Notice, Object, Origin, Pending, Via, class_of};
use crate::engine::Awaited;
use crate::timers::Timer;
use crate::users::UserNo;
use crate::{Action, CallbackId, Cx, Engine, JobKey, Notification, NotifyOutcome, Ticket, settings};

/// At most so many notifications of one user run at a time (clause
/// `callback.interface.concurrency`).
const PER_USER: u32 = 4;

/// Who is told.
enum Listener {
    Object(Object),
    Class(Guid),
    Command,
    Nobody,
}

impl Engine {
    /// Sends the next notification if there is one and it may go.
    pub(crate) fn pump_notices(&mut self, key: JobKey) {
        while let Some((notice, via)) = self.next_notice(key) {
            match self.listener(key, notice, via) {
                Listener::Object(object) => return self.call_object(key, object, notice),
                Listener::Class(class) => return self.activate_class(key, class, notice),
                Listener::Command => return self.run_command(key, notice),
                Listener::Nobody => self.discard(key, notice),
            }
        }
    }

    /// What goes next; when it has to wait for the interval between notifications, the timer runs.
    fn next_notice(&mut self, key: JobKey) -> Option<(Notice, Via)> {
        let now = self.facts.now.monotonic;
        let notices = self.jobs[key].notices.as_mut()?;
        if notices.in_flight.is_some() {
            return None;
        }
        let due = notices.due.front().filter(|_| !notices.waits).copied();
        let ranges = (!notices.arrived.is_empty()).then_some((notices.ranges_from, Notice::Ranges));
        let modification = notices.modified.then_some((notices.modification_from, Notice::Modification));
        let may_go = |mark: Option<(Monotonic, Notice)>| {
            mark.filter(|(from, _)| *from <= now).map(|(_, notice)| (notice, Via::Callback))
        };
        // The first goes before the others, which are of low priority.
        let ready = [due.map(|pending| (Notice::Due(pending.due), pending.via)), may_go(ranges), may_go(modification)];
        let count = ready.iter().flatten().count();
        if count > 0 {
            return ready.into_iter().flatten().nth(self.pick(count));
        }
        let (from, _) = [ranges, modification].into_iter().flatten().min_by_key(|(from, _)| *from)?;
        if self.timers.due(key, Timer::NotifyInterval).is_none() {
            self.timers.arm(key, Timer::NotifyInterval, from);
        }
        None
    }

    fn listener(&self, key: JobKey, notice: Notice, via: Via) -> Listener {
        let job = &self.jobs[key];
        let object = job.notices.as_ref().and_then(|notices| notices.object);
        match (via, object, class_of(job)) {
            (Via::Command, ..) => Listener::Command,
            (_, Some(object), _) if object.interface >= CallbackInterface::of(notice.flag()) => {
                Listener::Object(object)
            }
            (_, None, Some(class)) => Listener::Class(class),
            (_, None, None) if matches!(notice, Notice::Due(due) if due.is_end()) => Listener::Command,
            _ => Listener::Nobody,
        }
    }

    fn discard(&mut self, key: JobKey, notice: Notice) {
        let Some(notices) = &mut self.jobs[key].notices else { return };
        match notice {
            Notice::Due(due) => _ = notices.due.pop_front_if(|pending| pending.due == due),
            Notice::Ranges => notices.arrived.clear(),
            Notice::Modification => notices.modified = false,
        }
    }

    fn call_object(&mut self, key: JobKey, object: Object, notice: Notice) {
        let Some(ticket) = self.take_place(key, object.user) else { return };
        let now = self.facts.now.monotonic;
        let next = now.plus(self.notification_interval(key));
        let Some(notices) = &mut self.jobs[key].notices else { return };
        let (notification, in_flight) = match notice {
            Notice::Due(due) => {
                notices.due.pop_front();
                let notification = match due {
                    Due::File(file) => Notification::FileTransferred(file),
                    Due::Transferred => Notification::JobTransferred,
                    Due::Error(error) => Notification::JobError(error),
                };
                (notification, InFlight::Due(due, Via::Callback))
            }
            Notice::Ranges => {
                let Some((file, ranges)) = notices.arrived.take_first() else { return };
                notices.ranges_from = next;
                (Notification::FileRangesTransferred(file, ranges), InFlight::Once)
            }
            Notice::Modification => {
                notices.modified = false;
                notices.modification_from = next;
                (Notification::JobModification, InFlight::Once)
            }
        };
        notices.in_flight = Some((ticket, in_flight));
        self.push(Action::Notify { ticket, callback: object.callback, job: key, notification });
    }

    fn activate_class(&mut self, key: JobKey, class: Guid, notice: Notice) {
        let owner = self.jobs[key].owner;
        let Some(ticket) = self.take_place(key, owner) else { return };
        if let Some(notices) = &mut self.jobs[key].notices {
            notices.in_flight = Some((ticket, InFlight::Activation(notice)));
        }
        let user = self.jobs.users.get(owner).sid.clone();
        self.push(Action::Activate { ticket, job: key, user, class });
    }

    fn run_command(&mut self, key: JobKey, notice: Notice) {
        let job = &self.jobs[key];
        let user = self.jobs.users.get(job.owner).sid.clone();
        let (Some(command), Notice::Due(due)) = (self.command_of(job).cloned(), notice) else {
            return self.discard(key, notice);
        };
        let ticket = self.ticket(Awaited::Command(key));
        if let Some(notices) = &mut self.jobs[key].notices {
            notices.due.pop_front();
            notices.in_flight = Some((ticket, InFlight::Due(due, Via::Command)));
        }
        self.push(Action::RunCommand { ticket, job: key, user, command });
    }

    /// A place among the notifications of a user that run, or else one in the line for it.
    fn take_place(&mut self, key: JobKey, number: UserNo) -> Option<Ticket> {
        let user = self.jobs.users.get_mut(number);
        if user.notifications < PER_USER {
            user.notifications += 1;
            return Some(self.ticket(Awaited::Notify { job: key, user: number }));
        }
        if let Some(notices) = &mut self.jobs[key].notices
            && !std::mem::replace(&mut notices.stands_in_line, true)
        {
            self.jobs.users.get_mut(number).waiting.push_back(key);
        }
        None
    }

    /// The least time between two calls of JobModification, and of FileRangesTransferred (clauses
    /// `job5.min_notification_interval.*`).
    fn notification_interval(&self, key: JobKey) -> Duration {
        if self.config.profile < Profile::V10_1 {
            return Duration::ZERO;
        }
        let set = self.jobs[key].later.number(Setting::MinimumNotificationInterval);
        let interval = set.unwrap_or_else(|| settings::default_of(Setting::MinimumNotificationInterval));
        Duration::from_millis(interval.into())
    }

    /// What `ticket` stands for, unless the job has ended or is told otherwise meanwhile.
    fn take_in_flight(&mut self, key: JobKey, ticket: Ticket) -> Option<InFlight> {
        let notices = self.jobs.get_mut(key)?.notices.as_mut()?;
        notices.in_flight.take_if(|(sent, _)| *sent == ticket).map(|(_, in_flight)| in_flight)
    }

    /// A notification has come back.
    pub(crate) fn notified(&mut self, cx: Cx<'_>, key: JobKey, user: UserNo, ticket: Ticket, outcome: NotifyOutcome) {
        self.jobs.users.get_mut(user).notifications -= 1;
        if let Some(sent) = self.take_in_flight(key, ticket) {
            match outcome {
                NotifyOutcome::Disconnected => self.object_is_gone(cx, key, sent),
                NotifyOutcome::Returned(code) => {
                    self.object_answers(key);
                    match sent {
                        InFlight::Due(due, _) if due.is_settled_by(code) => self.settled(key, due),
                        InFlight::Due(due, _) => self.callback_failed(cx, key, due, code),
                        InFlight::Once | InFlight::Activation(_) => {}
                    }
                }
            }
            self.pump_notices(key);
        }
        self.serve_waiting(user);
    }

    fn object_answers(&mut self, key: JobKey) {
        if let Some(notices) = &mut self.jobs[key].notices
            && let Some(Object { origin: Origin::Made { has_answered }, .. }) = &mut notices.object
        {
            *has_answered = true;
        }
    }

    /// The object's process has ended: another object is made, or the command line's turn has come.
    fn object_is_gone(&mut self, cx: Cx<'_>, key: JobKey, sent: InFlight) {
        let object = self.jobs[key].notices.as_ref().and_then(|notices| notices.object);
        self.forget_object(key);
        self.listeners_changed(key);
        let InFlight::Due(due, _) = sent else { return };
        // Else a class whose objects are gone at once would be made use of without a pause.
        let is_useless = object.is_some_and(|object| object.origin == Origin::Made { has_answered: false });
        if is_useless {
            self.callback_failed(cx, key, due, Hresult::RPC_E_DISCONNECTED);
        } else {
            self.tell_again(key, due, Via::Callback);
        }
    }

    /// An object of the job's class has been made, or not.
    pub(crate) fn activated(
        &mut self,
        cx: Cx<'_>,
        key: JobKey,
        user: UserNo,
        ticket: Ticket,
        made: Result<(CallbackId, CallbackInterface), Hresult>,
    ) {
        self.jobs.users.get_mut(user).notifications -= 1;
        let profile = self.config.profile;
        match (self.take_in_flight(key, ticket), made) {
            (Some(InFlight::Activation(_)), Ok((callback, interface))) => {
                let origin = Origin::Made { has_answered: false };
                let object = Object { callback, user, interface: interface.known_to(profile), origin };
                if let Some(notices) = &mut self.jobs[key].notices {
                    notices.object = Some(object);
                }
            }
            (Some(InFlight::Activation(notice)), Err(code)) => {
                self.discard(key, notice);
                if let Notice::Due(due) = notice {
                    self.callback_failed(cx, key, due, code);
                }
            }
            (_, Ok((callback, _))) => self.push(Action::Forget(callback)),
            (_, Err(_)) => {}
        }
        if self.jobs.get(key).is_some() {
            self.pump_notices(key);
        }
        self.serve_waiting(user);
    }

    /// A command has ended (clauses `job2.set_notify_cmd_line.exit_*`, `.both_fail`).
    pub(crate) fn command_ended(&mut self, cx: Cx<'_>, key: JobKey, ticket: Ticket, outcome: CommandOutcome) {
        let Some(sent) = self.take_in_flight(key, ticket) else { return };
        if let InFlight::Due(due, _) = sent {
            let delay = Duration::from_secs(self.jobs[key].minimum_retry_delay.into());
            match outcome {
                _ if outcome.settles(self.config.profile) => self.settled(key, due),
                CommandOutcome::Exited(_) => self.repeat(cx, key, due, Via::Command, delay),
                CommandOutcome::NotStarted(_) => self.repeat(cx, key, due, Via::Callback, delay),
            }
        }
        self.pump_notices(key);
    }

    /// The client has been told. What no registration asks for anew is not told again, also after a
    /// restart.
    fn settled(&mut self, key: JobKey, due: Due) {
        let job = &mut self.jobs[key];
        if due.is_end() && !std::mem::replace(&mut job.end_told, true) {
            let outlives_restarts = job.notify_command.is_some() || class_of(job).is_some();
            if outlives_restarts {
                self.persist_job(key);
            }
        }
    }

    /// The client has failed a notification: its command line is run, or it is called again.
    fn callback_failed(&mut self, cx: Cx<'_>, key: JobKey, due: Due, code: Hresult) {
        if code.is_failure() && due.is_end() && self.command_of(&self.jobs[key]).is_some() {
            self.tell_again(key, due, Via::Command);
        } else {
            self.repeat(cx, key, due, Via::Callback, self.config.decisions.notify_retry());
        }
    }

    /// Tells it again after `delay`, if it is still true.
    fn repeat(&mut self, cx: Cx<'_>, key: JobKey, due: Due, via: Via, delay: Duration) {
        if self.tell_again(key, due, via)
            && let Some(notices) = &mut self.jobs[key].notices
        {
            notices.waits = true;
            self.timers.arm(key, Timer::NotifyRetry, cx.now.monotonic.plus(delay));
        }
    }

    /// Makes it due before everything else, if it is still true; whether it is.
    fn tell_again(&mut self, key: JobKey, due: Due, via: Via) -> bool {
        let job = &self.jobs[key];
        let is_true = match due {
            Due::File(_) => true,
            Due::Transferred => job.shown() == JobState::TRANSFERRED,
            Due::Error(error) => job.shown() == JobState::ERROR && job.error == Some(error),
        };
        if !is_true || !self.ears(job).hear(due.flag()) {
            return false;
        }
        let Some(notices) = &mut self.jobs[key].notices else { return false };
        let is_new = !notices.has(due);
        if is_new {
            notices.due.push_front(Pending { due, via });
        }
        is_new
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
            let waiting = user.waiting.len();
            let place = self.pick(waiting);
            let Some(key) = self.jobs.users.get_mut(number).waiting.remove(place) else { return };
            let Some(job) = self.jobs.get_mut(key) else { continue };
            if let Some(notices) = &mut job.notices {
                notices.stands_in_line = false;
                self.pump_notices(key);
            }
        }
    }
}
