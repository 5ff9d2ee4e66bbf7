//! The proxies of a job.

use crate::ProxyUsage;

/// What GetProxySettings gives (1.0; clauses `job.get_proxy_settings.*`).
#[derive(Clone, Debug, Default, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct ProxySettings {
    /// Which proxies.
    pub usage: ProxyUsage,
    /// The proxies, separated by blanks; only with [`ProxyUsage::OVERRIDE`].
    pub list: Option<String>,
    /// The hosts that are reached without a proxy, separated by blanks; only with
    /// [`ProxyUsage::OVERRIDE`].
    pub bypass_list: Option<String>,
}

impl Default for ProxyUsage {
    fn default() -> Self {
        Self::PRECONFIG
    }
}
