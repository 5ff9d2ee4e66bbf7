//! Through which proxies jobs go: the options, and the settings of a job.

use std::sync::Arc;

use bits_api::{Hresult, Job, ProxyUsage, Success};

use super::settings::refused;
use crate::{Failure, told};

#[derive(clap::Args)]
#[command(next_help_heading = "Proxies")]
pub(super) struct ProxyArguments {
    /// Goes through a proxy: HOST:PORT, or a list as BITS takes it
    ///
    /// Such a list has blanks between its entries, and may name a proxy for each protocol:
    /// 'http=one:8080 https=two:8080'. Who cannot be reached is passed over for the next.
    /// Without this option, there is none: the environment's are not looked at.
    #[arg(long, value_name = "URL", verbatim_doc_comment)]
    proxy: Option<String>,
    // No documentation, in which <local> would be a tag.
    #[arg(
        long,
        value_name = "HOSTS",
        requires = "proxy",
        help = "Hosts to which --proxy does not lead, with blanks between: '*.example.org <local>'"
    )]
    proxy_bypass: Option<String>,
    /// Goes straight to every server, also with a job of --state that had a proxy
    #[arg(long, conflicts_with = "proxy")]
    no_proxy: bool,
}

impl ProxyArguments {
    /// What can be told to be wrong before a job sees it. The text is not shown: it may have a
    /// password in it.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let lists = [self.proxy.as_deref(), self.proxy_bypass.as_deref()];
        if lists.into_iter().flatten().any(|list| list.contains('@')) {
            return Err(Failure::Usage(
                "--proxy names hosts only: who logs in there is what --proxy-auth SCHEME:USER says".into(),
            ));
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.proxy.is_none() && !self.no_proxy
    }

    /// Sets a job's way; without an option, it keeps the one that it has.
    pub(super) fn set(&self, job: &Arc<dyn Job>) -> Result<(), Failure> {
        let set = match (&self.proxy, self.no_proxy) {
            (Some(list), _) => job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(list), self.proxy_bypass.as_deref()),
            (None, true) => job.set_proxy_settings(ProxyUsage::NO_PROXY, None, None),
            (None, false) => Ok(Success::OK),
        };
        set.map(drop).map_err(|code| {
            if code == Hresult::E_NOTIMPL {
                refused(if self.no_proxy { "--no-proxy" } else { "--proxy" }, "IBackgroundCopyJob", code)
            } else if self.no_proxy {
                Failure::Failed(format!("cannot go without a proxy, as --no-proxy says: {}", told(code)))
            } else {
                Failure::Usage(format!("cannot go through --proxy: {}", told(code)))
            }
        })
    }
}

/// How to mend a list that nobody can read; nothing for another error.
pub(super) fn mend(code: Hresult) -> Option<String> {
    (code == Hresult::BG_E_INVALID_PROXY_INFO).then(|| {
        "--proxy is HOST:PORT, or several with blanks between, each with http= or https= before it if it is for that \
         protocol; a * of --proxy-bypass stands at the beginning"
            .into()
    })
}
