//! The group policies of BITS.

use std::time::Duration;

use crate::{InternetBandwidth, MaintenanceLimits, PeerCachePolicies, WorkLimits};

/// What an administrator has set; the default is a machine without policies (clauses `policy.*`).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Policies {
    /// JobInactivityTimeout: a job without activity for this long is cancelled.
    pub job_inactivity_timeout: Duration,
    /// MaxDownloadTime: how long a job may spend CONNECTING and TRANSFERRING (3.0).
    pub max_download_time: Duration,
    /// MaxJobsPerMachine (3.0).
    pub max_jobs_per_machine: u32,
    /// MaxJobsPerUser (3.0).
    pub max_jobs_per_user: u32,
    /// MaxFilesPerJob (3.0).
    pub max_files_per_job: u32,
    /// MaxRangesPerFile (3.0).
    pub max_ranges_per_file: u32,
    /// MaxInternetBandwidth (2.0).
    pub max_internet_bandwidth: Option<InternetBandwidth>,
    /// EnableBandwidthLimits (4.0).
    pub bandwidth_limits: Option<WorkLimits>,
    /// EnableMaintenanceLimits (4.0).
    pub maintenance_limits: Option<MaintenanceLimits>,
    /// What is said of the peer cache of BITS 3.0.
    pub peer_cache: PeerCachePolicies,
}

impl Default for Policies {
    fn default() -> Self {
        const DAY: Duration = Duration::from_hours(24);
        Self {
            job_inactivity_timeout: DAY.saturating_mul(90),
            max_download_time: DAY.saturating_mul(90),
            max_jobs_per_machine: 300,
            max_jobs_per_user: 60,
            max_files_per_job: 200,
            max_ranges_per_file: 500,
            max_internet_bandwidth: None,
            bandwidth_limits: None,
            maintenance_limits: None,
            peer_cache: PeerCachePolicies::default(),
        }
    }
}
