//! The properties of IBackgroundCopyJob5.

use crate::flags::windows_enum;
use crate::{AuthTarget, Guid};

windows_enum! {
    /// BITS_JOB_PROPERTY_ID: which property (5.0; clauses `job5.id.*`).
    JobPropertyId {
        /// On which networks the job may transfer.
        COST_FLAGS = 1 => "BITS_JOB_PROPERTY_ID_COST_FLAGS",
        /// The class to instantiate for notifications.
        NOTIFICATION_CLSID = 2 => "BITS_JOB_PROPERTY_NOTIFICATION_CLSID",
        /// Accept content whose server lacks the requirements of BITS.
        DYNAMIC_CONTENT = 3 => "BITS_JOB_PROPERTY_DYNAMIC_CONTENT",
        /// Fewer disk writes, less reliability.
        HIGH_PERFORMANCE = 4 => "BITS_JOB_PROPERTY_HIGH_PERFORMANCE",
        /// The most bytes that the job may download.
        MAX_DOWNLOAD_SIZE = 5 => "BITS_JOB_PROPERTY_MAX_DOWNLOAD_SIZE",
        /// Whom to offer the stored credentials of the user.
        USE_STORED_CREDENTIALS = 7 => "BITS_JOB_PROPERTY_USE_STORED_CREDENTIALS",
        /// The least time between progress notifications, in milliseconds (10.1).
        MINIMUM_NOTIFICATION_INTERVAL_MS = 9 => "BITS_JOB_PROPERTY_MINIMUM_NOTIFICATION_INTERVAL_MS",
        /// Download only what is asked for (10.1).
        ON_DEMAND_MODE = 10 => "BITS_JOB_PROPERTY_ON_DEMAND_MODE",
    }
}

/// BITS_JOB_PROPERTY_VALUE: the member of the union that the id selects (5.0; clauses
/// `job5.value.*`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum JobPropertyValue {
    /// Of COST_FLAGS and MINIMUM_NOTIFICATION_INTERVAL_MS.
    Dword(u32),
    /// Of NOTIFICATION_CLSID.
    ClsId(Guid),
    /// Of DYNAMIC_CONTENT, HIGH_PERFORMANCE and ON_DEMAND_MODE.
    Enable(bool),
    /// Of MAX_DOWNLOAD_SIZE, in bytes.
    Uint64(u64),
    /// Of USE_STORED_CREDENTIALS.
    Target(AuthTarget),
}
