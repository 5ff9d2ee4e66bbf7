//! What outside a job keeps it from transferring, whatever its server does: the network, policies,
//! cost, power, a locked volume (clauses `retry.none_network`, `lifecycle.transient_error.reasons`).
//!
//! A job that is held waits in TRANSIENT_ERROR until the condition ends; no timer tries it. What
//! the world asks of a job is its [`Class`], and the queue is sorted by classes: a change of the
//! world looks at each class that there is, and at the jobs of those that it concerns.

use std::collections::BTreeSet;

use bits_api::{CostFlags, ErrorContext, Hresult, JobPriority};
use bits_wire::attempt::Failure;
use bits_world::{Network, PriorityRates, Profile, Rate, Uplink, Volume, World};

use crate::job::{Failing, Job, State, Wait};
use crate::jobs::{Shelf, Standing};
use crate::{Cause, Cx, Engine, ErrorRecord, JobKey};

/// What holds a job. When several do, the first of this list counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Hold {
    /// There is no network.
    Network,
    /// The limit for background jobs is zero.
    Policy,
    /// The network costs more than the job may spend.
    Cost,
    /// The machine is in standby.
    Standby,
    /// The battery saver is on.
    BatterySaver,
    /// A game has the machine for itself.
    GameMode,
    /// A disk check has locked the volume of the file in work.
    Volume,
}

/// What the world asks of a job.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Class {
    pub(crate) priority: JobPriority,
    /// The cost states in which the job may transfer.
    cost: u32,
    /// Where the file in work goes.
    volume: Option<Volume>,
}

impl Class {
    pub(crate) const FIRST: Self = Self { priority: JobPriority(0), cost: 0, volume: None };

    pub(crate) fn of(job: &Job) -> Self {
        Self {
            priority: job.priority,
            cost: (job.cost_flags() & COST_STATES).bits(),
            volume: job.files.get(job.place_in_work()).and_then(|file| Volume::of(&file.local_name)),
        }
    }

    fn is_background(self) -> bool {
        self.priority != JobPriority::FOREGROUND
    }
}

/// The bits of cost flags that are states of a network, rather than options.
const COST_STATES: CostFlags = CostFlags::from_bits_retain(0xFF);

/// What of the world may hold jobs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Gates {
    now: Conditions,
    locked: BTreeSet<Volume>,
}

/// All of it but the volumes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Conditions {
    network: Network,
    rates: PriorityRates,
    /// What others leave background jobs of the network, where that is known.
    idle: Rate,
    cost: CostFlags,
    in_standby: bool,
    battery_saver: bool,
    game_mode: bool,
}

impl Conditions {
    fn of(world: &World, profile: Profile, rates: PriorityRates) -> Self {
        let power = world.power;
        Self {
            network: world.network,
            rates,
            idle: world.uplink.and_then(|uplink| uplink.idle(profile)),
            // cost_flags of 5.0: before, jobs transferred whatever it cost.
            cost: if profile >= Profile::V5_0 { world.cost.flag() } else { CostFlags::empty() },
            in_standby: power.standby && !(power.plugged_in && profile >= Profile::V10_3),
            battery_saver: power.battery_saver,
            game_mode: world.game_mode,
        }
    }
}

impl Gates {
    /// As `profile` sees them, with these limits for background jobs.
    pub(crate) fn of(world: &World, profile: Profile, rates: PriorityRates) -> Self {
        Self { now: Conditions::of(world, profile, rates), locked: world.drives.locked().collect() }
    }

    /// Whether [`Gates::of`] would give these.
    pub(crate) fn are_of(&self, world: &World, profile: Profile, rates: PriorityRates) -> bool {
        self.now == Conditions::of(world, profile, rates) && self.locked.iter().copied().eq(world.drives.locked())
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.now.network != Network::Disconnected
    }

    /// Whether a way leads to servers, when there is a network.
    pub(crate) fn has_gateway(&self) -> bool {
        self.now.network != Network::NoGateway
    }

    /// How fast policies let jobs of that priority transfer, in kilobits a second.
    pub(crate) fn rate_of(&self, priority: JobPriority) -> Rate {
        self.now.rates.of(priority)
    }

    /// What background jobs may use of the network, where that is known: next to nothing while
    /// jobs `compete` for it that are not held back.
    pub(crate) fn idle(&self, compete: impl FnOnce() -> bool) -> Rate {
        let idle = self.now.idle?;
        Some(if compete() { Uplink::TRICKLE } else { idle })
    }

    /// Whether this holds jobs of that class.
    fn holds(&self, hold: Hold, class: Class) -> bool {
        match hold {
            Hold::Network => !self.is_connected(),
            Hold::Policy => self.now.rates.of(class.priority) == Some(0),
            Hold::Cost => !CostFlags::from_bits_retain(class.cost).contains(self.now.cost),
            Hold::Standby => self.now.in_standby,
            Hold::BatterySaver => self.now.battery_saver && class.is_background(),
            Hold::GameMode => self.now.game_mode && class.is_background(),
            Hold::Volume => class.volume.is_some_and(|volume| self.locked.contains(&volume)),
        }
    }

    /// What holds jobs of that class, if anything does.
    pub(crate) fn hold_of(&self, class: Class) -> Option<Hold> {
        Hold::ALL.into_iter().find(|hold| self.holds(*hold, class))
    }
}

/// How a hold shows itself.
struct Row {
    hold: Hold,
    code: Hresult,
    begins: Cause,
    ends: Cause,
}

#[rustfmt::skip]
const ROWS: [Row; 7] = [
    row(Hold::Network,      Hresult::BG_E_NETWORK_DISCONNECTED,            Cause::NetworkLost,   Cause::NetworkBack),
    row(Hold::Policy,       Hresult::BG_E_BLOCKED_BY_POLICY,               Cause::PolicyBlocked, Cause::PolicyUnblocked),
    row(Hold::Cost,         Hresult::BG_E_BLOCKED_BY_COST_TRANSFER_POLICY, Cause::CostBlocked,   Cause::CostUnblocked),
    row(Hold::Standby,      Hresult::BG_E_BLOCKED_BY_BATTERY_POLICY,       Cause::PowerBlocked,  Cause::PowerUnblocked),
    row(Hold::BatterySaver, Hresult::BG_E_BLOCKED_BY_BATTERY_SAVER,        Cause::PowerBlocked,  Cause::PowerUnblocked),
    row(Hold::GameMode,     Hresult::BG_E_BLOCKED_BY_GAME_MODE,            Cause::GameBegun,     Cause::GameOver),
    row(Hold::Volume,       Hresult::BG_E_DESTINATION_LOCKED,              Cause::VolumeLocked,  Cause::VolumeUnlocked),
];

const fn row(hold: Hold, code: Hresult, begins: Cause, ends: Cause) -> Row {
    Row { hold, code, begins, ends }
}

impl Hold {
    /// In the order in which they count.
    pub(crate) const ALL: [Self; 7] =
        [Self::Network, Self::Policy, Self::Cost, Self::Standby, Self::BatterySaver, Self::GameMode, Self::Volume];

    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// What the job's error says.
    pub(crate) fn code(self) -> Hresult {
        self.row().code
    }

    /// What the job's error says of where it arose.
    fn context(self) -> ErrorContext {
        match self {
            Self::Volume => ErrorContext::LOCAL_FILE,
            _ => ErrorContext::GENERAL_QUEUE_MANAGER,
        }
    }

    /// The hold that an error on record tells of.
    pub(crate) fn of_code(code: Hresult) -> Option<Self> {
        ROWS.iter().find(|row| row.code == code).map(|row| row.hold)
    }

    /// In words, for what a job waits.
    pub(crate) fn awaited(self) -> &'static str {
        match self {
            Self::Network => "waits for the network",
            Self::Policy => "waits for the policy to let background jobs run",
            Self::Cost => "waits for a network that costs no more than its cost flags allow",
            Self::Standby => "waits for the machine to leave standby",
            Self::BatterySaver => "waits for the battery saver to go off",
            Self::GameMode => "waits for the game to end",
            Self::Volume => "waits for its volume to be unlocked",
        }
    }
}

impl Engine {
    /// How fast a job may be: what policies allow and, in the background, what others leave (clause
    /// `net.idle_only`). Dynamic content cannot be slowed down (clause
    /// `job5.dynamic_content.no_throttle`).
    pub(crate) fn rate_of(&self, job: &Job) -> Rate {
        if job.is_dynamic() || job.priority == JobPriority::FOREGROUND {
            return None;
        }
        let gates = &self.facts.gates;
        gates.rate_of(job.priority).into_iter().chain(gates.idle(|| self.foreground_runs())).min()
    }

    /// Whether a job is active that competes for the network: all but the one in the place that is
    /// shared are in the foreground.
    fn foreground_runs(&self) -> bool {
        self.jobs.on_shelf(Shelf::Active, None).any(|key| self.slot.is_some_and(|running| running != key))
    }

    /// What keeps a job from transferring now.
    pub(crate) fn hold_of(&self, job: &Job) -> Option<Hold> {
        self.facts.gates.hold_of(Class::of(job))
    }

    /// The world holds other jobs than before: those go into the queue that nothing holds any
    /// more, and those out of it that something holds now.
    pub(crate) fn gates_changed(&mut self, cx: Cx<'_>) {
        for hold in Hold::ALL {
            let standing = Standing::Held(hold);
            for class in self.jobs.classes(standing) {
                if !self.facts.gates.holds(hold, class) {
                    for key in self.jobs.of_class(standing, class) {
                        self.enqueue(cx, key, hold.row().ends);
                    }
                }
            }
        }
        for class in self.jobs.classes(Standing::Going) {
            if let Some(hold) = self.facts.gates.hold_of(class) {
                for key in self.jobs.of_class(Standing::Going, class) {
                    self.block(cx, key, hold);
                }
            }
        }
    }

    /// Something about a job has changed that decides whether it is held.
    pub(crate) fn class_changed(&mut self, cx: Cx<'_>, key: JobKey) {
        self.jobs.refile(key);
        let job = &self.jobs[key];
        match (&job.state, self.hold_of(job)) {
            (State::Queued { .. }, Some(_)) => self.settle_queued(cx, key),
            (State::Connecting { .. } | State::Transferring { .. }, Some(hold)) => self.block(cx, key, hold),
            (State::TransientError(Wait::Held(hold)), _) if !self.facts.gates.holds(*hold, Class::of(job)) => {
                let ends = hold.row().ends;
                self.enqueue(cx, key, ends);
            }
            _ => {}
        }
    }

    /// Something outside keeps the job from transferring; it is not retried by a timer, nor
    /// counted as an error (clauses `retry.none_network`, `job.get_error_count.not_counted`).
    pub(crate) fn block(&mut self, cx: Cx<'_>, key: JobKey, hold: Hold) {
        let job = &mut self.jobs[key];
        // http_options2.set_http_method.errors_fatal
        if hold == Hold::Network && job.run().is_some() && job.own_method().is_some() {
            let failure = Failure { code: hold.code(), context: hold.context(), transient: true };
            return self.attempt_failed(cx, key, failure);
        }
        job.error = Some(ErrorRecord { code: hold.code(), context: hold.context(), file: job.file_in_work() });
        job.failing.get_or_insert_with(|| Failing::starting(cx.now));
        self.transition(cx, key, State::TransientError(Wait::Held(hold)), hold.row().begins);
        self.judge_progress(cx, key);
    }

    /// A job that was held before a restart waits on, unless what it waited for has come.
    pub(crate) fn hold_again(&mut self, cx: Cx<'_>, key: JobKey, hold: Hold) {
        if self.facts.gates.holds(hold, Class::of(&self.jobs[key])) {
            self.arm_no_progress(cx, key);
        } else {
            self.enqueue(cx, key, hold.row().ends);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hold_has_its_row_and_a_code_of_its_own() {
        for (place, hold) in Hold::ALL.into_iter().enumerate() {
            assert_eq!((hold as usize, hold.row().hold), (place, hold));
            assert_eq!(Hold::of_code(hold.code()), Some(hold));
        }
    }
}
