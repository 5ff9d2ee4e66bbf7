//! The control before the run: a BITS that takes no job, or transfers nothing, must not be recorded as what
//! BITS does. It also finds out who the cases run as.
//!
//! It knows nothing of clauses, and judges nothing but whether there is anything to be judged.

use std::time::Duration;

use bits_api::{Hresult, JobPriority, JobType};

use crate::bench::{Bench, Limits, SOON, job_name};
use crate::claims::Stop;
use crate::machine::Conditions;
use crate::pool::{Task, guarded, perform};
use crate::progress::Progress;
use crate::provider::Kind;

/// What to look at where a job gets no turn.
pub(crate) const NO_TURN: &str = "a metered network, a policy or the battery keeps background jobs waiting, or other \
     jobs come first; `bitsadmin /list /allusers /verbose` shows those to an administrator";

/// What to look at where nobody asks the server on loopback.
pub(crate) const NO_REQUEST: &str = "a proxy of this user may take 127.0.0.1 for a server of its own, or something \
     on this machine blocks it";

const NO_WAY: &str = "BITS sees no network on this machine, and needs one even for 127.0.0.1: connect it to one";
const POLICY: &str = "a policy of this machine forbids it";

/// Codes that tell of the machine, whatever the job and its server.
const ADVICE: [(Hresult, &str); 10] = [
    (Hresult::BG_E_NETWORK_DISCONNECTED, NO_WAY),
    (Hresult::BG_E_BLOCKED_BY_COST_TRANSFER_POLICY, "the network is metered, and BITS is not to use it for this"),
    (Hresult::BG_E_BLOCKED_BY_POLICY, POLICY),
    (Hresult::BG_E_BLOCKED_BY_SYSTEM_POLICY, POLICY),
    (Hresult::BG_E_BLOCKED_BY_BACKGROUND_ACCESS_POLICY, POLICY),
    (Hresult::BG_E_BLOCKED_BY_BATTERY_POLICY, "this machine runs on its battery: connect it to power"),
    (Hresult::BG_E_BLOCKED_BY_BATTERY_SAVER, "this machine saves its battery: connect it to power"),
    (Hresult::BG_E_BLOCKED_BY_GAME_MODE, "a game has this machine for itself: end it"),
    (Hresult::BG_E_TOO_MANY_JOBS_PER_USER, "this user's queue is full: `bitsadmin /list` shows what is in it"),
    (
        Hresult::BG_E_TOO_MANY_JOBS_PER_MACHINE,
        "the queue of this machine is full: `bitsadmin /list /allusers` shows an administrator what is in it",
    ),
];

/// What a code that tells of the machine means for the person at it.
pub(crate) fn advice(code: Hresult) -> Option<&'static str> {
    ADVICE.iter().find(|(known, _)| *known == code).map(|(_, advice)| *advice)
}

/// A code that came in place of a job, with what it means for the person at the machine.
pub(crate) fn in_words(code: Hresult) -> String {
    let advice = advice(code).or_else(|| bits_windows::advice(code));
    format!("{code}{}", advice.map(|advice| format!(": {advice}")).unwrap_or_default())
}

/// Makes sure that a job can be made and files are transferred, and enters at the provider who the cases run as.
///
/// # Errors
/// In one line, what does not work, and what to do about it.
pub(crate) fn pass(limits: &Limits) -> Result<(), String> {
    // Whatever the user allows the cases.
    let progress = Progress::hidden();
    let own = Limits { max_wait: SOON, patience: SOON, without: Vec::new(), progress, ..limits.clone() };
    limits.progress.shows(Control.name());
    let found = perform(vec![Control], &own)?.pop().unwrap_or_else(|| Err("it did not end".to_owned()));
    limits.provider.note(found.map_err(|why| format!("the control before the run failed: {why}"))?);
    Ok(())
}

struct Control;

impl Task for Control {
    type Done = Result<Conditions, String>;

    fn name(&self) -> String {
        "the control before the run".to_owned()
    }

    fn perform(&self, limits: &Limits) -> Self::Done {
        let bench = Bench::new(limits.clone(), None);
        guarded(|| tried(&bench, limits.provider.kind)).map_err(|stop| match stop {
            Stop::Failed(why) | Stop::Skipped(why) => why,
        })
    }

    fn hangs(&self, why: String, _: Duration) -> Self::Done {
        Err(why)
    }
}

fn tried(bench: &Bench, kind: Kind) -> Result<Conditions, Stop> {
    let job = bench.manager()?.create_job(Some(job_name()), JobType::DOWNLOAD).map_err(no_job)?.job;
    let conditions = Conditions::of(&job, kind);
    job.cancel()?;
    for priority in [JobPriority::FOREGROUND, JobPriority::NORMAL] {
        bench.transfers(priority)?;
    }
    Ok(conditions)
}

fn no_job(code: Hresult) -> Stop {
    Stop::Failed(format!("no job can be created, {}", in_words(code)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bits_service::Emulator;
    use bits_world::clock::Clock;
    use bits_world::{Network, Token, World};

    use super::*;
    use crate::provider::{Capability, Provider};

    /// Real BITS on such a machine, as the emulator plays it to whoever has that token.
    fn machine(world: impl FnOnce(&mut World), caller: impl FnOnce(&Emulator) -> Token) -> (Emulator, Limits) {
        let emulator = Emulator::builder().clock(Clock::system()).world(world).start().expect("the emulator");
        let manager = emulator.client_as("suite.exe", caller(&emulator)).manager().expect("a manager");
        (emulator, Limits::of(Arc::new(Provider::of_manager(manager))))
    }

    fn user(emulator: &Emulator) -> Token {
        emulator.user(Emulator::DEFAULT_USER)
    }

    fn complaint(world: impl FnOnce(&mut World)) -> String {
        let (_emulator, limits) = machine(world, user);
        let error = pass(&limits).expect_err("such a machine does not pass");
        assert_eq!(error.lines().count(), 1, "{error}");
        error
    }

    #[test]
    fn a_machine_that_transfers_passes_and_nothing_stays_behind() {
        let (_emulator, limits) = machine(|_| {}, user);

        assert_eq!(pass(&limits), Ok(()));

        assert!(limits.provider.ledger.is_empty());
        assert!(limits.provider.has(Capability::StandardUser) && limits.provider.has(Capability::DefaultPolicies));
    }

    #[test]
    fn whoever_is_elevated_is_no_standard_user_in_the_cases_and_in_the_report() {
        let (_emulator, limits) = machine(|_| {}, |emulator| emulator.administrator("root"));

        assert_eq!(pass(&limits), Ok(()));

        assert!(limits.lacks(Capability::StandardUser));
        assert_eq!(limits.provider.about().conditions.elevated, Some(true));
    }

    #[test]
    fn policies_that_were_found_are_a_reason_to_skip() {
        let (_emulator, limits) = machine(|_| {}, user);

        limits.provider.note(Conditions { policies: vec!["MaxJobsPerUser=0x5".to_owned()], ..Conditions::default() });

        assert!(limits.lacks(Capability::DefaultPolicies) && !limits.lacks(Capability::StandardUser));
    }

    #[test]
    fn a_machine_without_a_network_is_told_by_the_code_and_what_to_do() {
        let error = complaint(|world| world.network = Network::Disconnected);

        assert!(
            error.contains("BG_JOB_STATE_TRANSIENT_ERROR") && error.contains("BG_E_NETWORK_DISCONNECTED"),
            "{error}"
        );
        assert!(error.ends_with(NO_WAY), "{error}");
    }

    #[test]
    fn a_queue_that_takes_no_job_is_told_by_the_code_and_what_to_do() {
        let error = complaint(|world| world.policies.max_jobs_per_user = 0);

        assert!(error.contains("no job can be created, 0x80200049 BG_E_TOO_MANY_JOBS_PER_USER: "), "{error}");
    }

    #[test]
    fn a_user_who_is_not_logged_on_is_told_so() {
        let (_emulator, limits) = machine(|_| {}, |_| Token::standard(bits_world::Sid::of_name("nobody")));

        let error = pass(&limits).expect_err("BITS works for users who are logged on");

        assert!(error.contains("ERROR_NOT_LOGGED_ON") && error.contains("is not logged on"), "{error}");
    }
}
