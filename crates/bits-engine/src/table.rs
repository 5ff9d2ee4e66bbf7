//! The life cycle of a job: every state it can be in and every way from one to the next.
//!
//! The engine changes no state but along a row of [`EDGES`].

use std::mem::discriminant;

use bits_api::{ErrorContext, Hresult, JobState};
use bits_wire::attempt::Failure;

use crate::Cause;

/// One way from a state to another.
pub(crate) struct Edge {
    /// From where; `None` for a job that is being made.
    pub(crate) from: Option<JobState>,
    /// Why; what a cause tells beyond its kind does not matter here.
    pub(crate) cause: Cause,
    /// To where.
    pub(crate) to: JobState,
}

const SUSPENDED: JobState = JobState::SUSPENDED;
const QUEUED: JobState = JobState::QUEUED;
const CONNECTING: JobState = JobState::CONNECTING;
const TRANSFERRING: JobState = JobState::TRANSFERRING;
const TRANSIENT_ERROR: JobState = JobState::TRANSIENT_ERROR;
const ERROR: JobState = JobState::ERROR;
const TRANSFERRED: JobState = JobState::TRANSFERRED;
const ACKNOWLEDGED: JobState = JobState::ACKNOWLEDGED;
const CANCELLED: JobState = JobState::CANCELLED;

/// Stands for every failure of an attempt.
const FAILED: Cause =
    Cause::Failed(Failure { code: Hresult::E_FAIL, context: ErrorContext::UNKNOWN, transient: false });

/// Every edge of the life cycle (clauses `lifecycle.edge.*` unless another is named).
#[rustfmt::skip]
pub(crate) const EDGES: &[Edge] = &[
    // create
    born(Cause::Created, SUSPENDED),
    // resume_suspended, transient_resume, error_resume, error_more_files, transferred_more_files
    edge(SUSPENDED,       Cause::Resumed, QUEUED),
    edge(TRANSIENT_ERROR, Cause::Resumed, QUEUED),
    edge(ERROR,           Cause::Resumed, QUEUED),
    edge(TRANSFERRED,     Cause::Resumed, QUEUED),
    // suspend_any
    edge(QUEUED,          Cause::Suspended, SUSPENDED),
    edge(CONNECTING,      Cause::Suspended, SUSPENDED),
    edge(TRANSFERRING,    Cause::Suspended, SUSPENDED),
    edge(TRANSIENT_ERROR, Cause::Suspended, SUSPENDED),
    edge(ERROR,           Cause::Suspended, SUSPENDED),
    edge(TRANSFERRED,     Cause::Suspended, SUSPENDED),
    // queued_connecting, connecting_transferring, done
    edge(QUEUED,          Cause::Scheduled, CONNECTING),
    edge(CONNECTING,      Cause::Connected, TRANSFERRING),
    edge(TRANSFERRING,    Cause::AllFilesTransferred, TRANSFERRED),
    // A decision (job.resume.from_transferred_no_files): a suspended job whose files are all there
    // needs no turn.
    edge(QUEUED,          Cause::AllFilesTransferred, TRANSFERRED),
    // slice_end; sched.preempt
    edge(CONNECTING,      Cause::SliceEnded, QUEUED),
    edge(TRANSFERRING,    Cause::SliceEnded, QUEUED),
    edge(CONNECTING,      Cause::Preempted, QUEUED),
    edge(TRANSFERRING,    Cause::Preempted, QUEUED),
    // connecting_transient, connecting_error, transferring_transient, transferring_error
    edge(CONNECTING,      FAILED, TRANSIENT_ERROR),
    edge(CONNECTING,      FAILED, ERROR),
    edge(TRANSFERRING,    FAILED, TRANSIENT_ERROR),
    edge(TRANSFERRING,    FAILED, ERROR),
    // transient_retry, transient_timeout, max_download_time
    edge(TRANSIENT_ERROR, Cause::RetryDelayOver, QUEUED),
    edge(TRANSIENT_ERROR, Cause::NoProgress, ERROR),
    edge(CONNECTING,      Cause::DownloadTimeUsedUp, ERROR),
    edge(TRANSFERRING,    Cause::DownloadTimeUsedUp, ERROR),
    // file3.set_validation_state.false_origin_state
    edge(SUSPENDED,       Cause::ValidationFailed, ERROR),
    edge(QUEUED,          Cause::ValidationFailed, ERROR),
    edge(CONNECTING,      Cause::ValidationFailed, ERROR),
    edge(TRANSFERRING,    Cause::ValidationFailed, ERROR),
    edge(TRANSIENT_ERROR, Cause::ValidationFailed, ERROR),
    edge(TRANSFERRED,     Cause::ValidationFailed, ERROR),
    // file6.request_file_ranges.done_some, job5.on_demand.state_after_requests; a decision
    // (job5.on_demand.no_request_pending) for a job of which nothing was asked for
    edge(QUEUED,          Cause::RequestsMet, SUSPENDED),
    edge(CONNECTING,      Cause::RequestsMet, SUSPENDED),
    edge(TRANSFERRING,    Cause::RequestsMet, SUSPENDED),
    // logoff
    edge(CONNECTING,      Cause::OwnerLoggedOff, QUEUED),
    edge(TRANSFERRING,    Cause::OwnerLoggedOff, QUEUED),
    // A decision (job.take_ownership.active): the new owner's turn begins in the queue.
    edge(CONNECTING,      Cause::OwnerChanged, QUEUED),
    edge(TRANSFERRING,    Cause::OwnerChanged, QUEUED),
    // token_lost
    edge(SUSPENDED,       Cause::TokenLost, ERROR),
    edge(QUEUED,          Cause::TokenLost, ERROR),
    edge(CONNECTING,      Cause::TokenLost, ERROR),
    edge(TRANSFERRING,    Cause::TokenLost, ERROR),
    edge(TRANSIENT_ERROR, Cause::TokenLost, ERROR),
    // net_lost_queued, net_lost_connecting, net_lost_transferring, net_back
    edge(QUEUED,          Cause::NetworkLost, TRANSIENT_ERROR),
    edge(CONNECTING,      Cause::NetworkLost, TRANSIENT_ERROR),
    edge(TRANSFERRING,    Cause::NetworkLost, TRANSIENT_ERROR),
    edge(TRANSIENT_ERROR, Cause::NetworkBack, QUEUED),
    // job4.set_peer_caching_flags.toggle_job_reschedules
    edge(CONNECTING,      Cause::PeersChanged, QUEUED),
    edge(TRANSFERRING,    Cause::PeersChanged, QUEUED),
    // http_options.set_security_flags.crl_set_midway
    edge(CONNECTING,      Cause::RevocationChecked, QUEUED),
    edge(TRANSFERRING,    Cause::RevocationChecked, QUEUED),
    // policy_zero, policy_zero_over
    edge(QUEUED,          Cause::PolicyBlocked, TRANSIENT_ERROR),
    edge(CONNECTING,      Cause::PolicyBlocked, TRANSIENT_ERROR),
    edge(TRANSFERRING,    Cause::PolicyBlocked, TRANSIENT_ERROR),
    edge(TRANSIENT_ERROR, Cause::PolicyUnblocked, QUEUED),
    // cost_blocked
    edge(QUEUED,          Cause::CostBlocked, TRANSIENT_ERROR),
    edge(CONNECTING,      Cause::CostBlocked, TRANSIENT_ERROR),
    edge(TRANSFERRING,    Cause::CostBlocked, TRANSIENT_ERROR),
    edge(TRANSIENT_ERROR, Cause::CostUnblocked, QUEUED),
    // lifecycle.transient_error.reasons; net.standby
    edge(QUEUED,          Cause::PowerBlocked, TRANSIENT_ERROR),
    edge(CONNECTING,      Cause::PowerBlocked, TRANSIENT_ERROR),
    edge(TRANSFERRING,    Cause::PowerBlocked, TRANSIENT_ERROR),
    edge(TRANSIENT_ERROR, Cause::PowerUnblocked, QUEUED),
    edge(QUEUED,          Cause::GameBegun, TRANSIENT_ERROR),
    edge(CONNECTING,      Cause::GameBegun, TRANSIENT_ERROR),
    edge(TRANSFERRING,    Cause::GameBegun, TRANSIENT_ERROR),
    edge(TRANSIENT_ERROR, Cause::GameOver, QUEUED),
    // files.volume_locked
    edge(QUEUED,          Cause::VolumeLocked, TRANSIENT_ERROR),
    edge(CONNECTING,      Cause::VolumeLocked, TRANSIENT_ERROR),
    edge(TRANSFERRING,    Cause::VolumeLocked, TRANSIENT_ERROR),
    edge(TRANSIENT_ERROR, Cause::VolumeUnlocked, QUEUED),
    // complete_download
    edge(SUSPENDED,       Cause::Completed, ACKNOWLEDGED),
    edge(QUEUED,          Cause::Completed, ACKNOWLEDGED),
    edge(CONNECTING,      Cause::Completed, ACKNOWLEDGED),
    edge(TRANSFERRING,    Cause::Completed, ACKNOWLEDGED),
    edge(TRANSIENT_ERROR, Cause::Completed, ACKNOWLEDGED),
    edge(ERROR,           Cause::Completed, ACKNOWLEDGED),
    edge(TRANSFERRED,     Cause::Completed, ACKNOWLEDGED),
    // A decision (job.complete.rename_failed_stays): what Complete has stopped stays stopped; a job
    // in SUSPENDED, ERROR or TRANSFERRED stays there.
    edge(QUEUED,          Cause::RenameFailed, SUSPENDED),
    edge(CONNECTING,      Cause::RenameFailed, SUSPENDED),
    edge(TRANSFERRING,    Cause::RenameFailed, SUSPENDED),
    edge(TRANSIENT_ERROR, Cause::RenameFailed, SUSPENDED),
    // cancel
    edge(SUSPENDED,       Cause::Cancelled, CANCELLED),
    edge(QUEUED,          Cause::Cancelled, CANCELLED),
    edge(CONNECTING,      Cause::Cancelled, CANCELLED),
    edge(TRANSFERRING,    Cause::Cancelled, CANCELLED),
    edge(TRANSIENT_ERROR, Cause::Cancelled, CANCELLED),
    edge(ERROR,           Cause::Cancelled, CANCELLED),
    edge(TRANSFERRED,     Cause::Cancelled, CANCELLED),
    // inactivity
    edge(SUSPENDED,       Cause::Inactive, CANCELLED),
    edge(QUEUED,          Cause::Inactive, CANCELLED),
    edge(CONNECTING,      Cause::Inactive, CANCELLED),
    edge(TRANSFERRING,    Cause::Inactive, CANCELLED),
    edge(TRANSIENT_ERROR, Cause::Inactive, CANCELLED),
    edge(ERROR,           Cause::Inactive, CANCELLED),
    edge(TRANSFERRED,     Cause::Inactive, CANCELLED),
];

const fn born(cause: Cause, to: JobState) -> Edge {
    Edge { from: None, cause, to }
}

const fn edge(from: JobState, cause: Cause, to: JobState) -> Edge {
    Edge { from: Some(from), cause, to }
}

impl Edge {
    /// Whether a transition runs along this edge.
    pub(crate) fn is(&self, from: Option<JobState>, cause: Cause, to: JobState) -> bool {
        self.from == from && self.to == to && discriminant(&self.cause) == discriminant(&cause)
    }
}

/// Whether the life cycle has this edge.
pub(crate) fn allows(from: Option<JobState>, cause: Cause, to: JobState) -> bool {
    EDGES.iter().any(|edge| edge.is(from, cause, to))
}
