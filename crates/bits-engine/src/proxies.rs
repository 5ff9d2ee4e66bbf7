//! Which proxies a job goes through (clauses `job.set_proxy_settings.*`). What the lists say is
//! looked at when an attempt begins, and what the world says of proxies too.

use bits_api::{Hresult, ProxySettings, ProxyUsage, Success, text};
use bits_wire::attempt::{Failure, Identities};
use bits_wire::proxy::Proxying;
use bits_world::{Profile, Token};

use crate::{Cx, Engine, JobKey, Reply};

/// The longest list in UTF-16 units (a decision, `job.set_proxy_settings.list_max`).
const MAX_LIST: usize = 4_000;

impl Engine {
    /// SetProxySettings. Since 1.0; clauses `job.set_proxy_settings.*`.
    ///
    /// # Errors
    /// `E_NOTIMPL` for an undefined usage; `E_INVALIDARG` for OVERRIDE without a list, a list with
    /// another usage, and one with NUL; `BG_E_PROXY_LIST_TOO_LARGE` and
    /// `BG_E_PROXY_BYPASS_LIST_TOO_LARGE` above the limits; `BG_E_INVALID_STATE` in a final state.
    pub fn set_proxy_settings(&mut self, cx: Cx<'_>, caller: &Token, job: JobKey, settings: &ProxySettings) -> Reply {
        self.change(cx, caller, job, |engine| {
            check(engine.config.profile, settings)?;
            engine.jobs[job].proxy = (settings.usage != ProxyUsage::PRECONFIG).then(|| Box::new(settings.clone()));
            engine.changed(cx, job);
            Ok(Success::OK)
        })
    }

    /// GetProxySettings. Since 1.0; clauses `job.get_proxy_settings.*`.
    pub fn proxy_settings(&self, caller: &Token, job: JobKey) -> Result<ProxySettings, Hresult> {
        Ok(self.readable(caller, job)?.proxy.as_deref().cloned().unwrap_or_default())
    }
}

impl Engine {
    /// How an attempt that begins now finds its way. The preconfigured proxies are those of the
    /// owner, since 10.2 those of whoever the network is used for (clause `proxy.helper_preconfig`).
    ///
    /// # Errors
    /// The failure of the attempt when a list is malformed.
    pub(crate) fn proxying(
        &self,
        cx: Cx<'_>,
        key: JobKey,
        remote_name: &str,
        identities: &Identities,
    ) -> Result<Proxying, Failure> {
        let is_http = remote_name.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http"));
        if !is_http {
            return Ok(Proxying::default());
        }
        let job = &self.jobs[key];
        let is_networks = self.config.profile >= Profile::V10_2;
        let user = if is_networks { &identities.network } else { &self.jobs.users.get(job.owner).sid };
        let usual = ProxySettings::default();
        let settings = job.proxy.as_deref().unwrap_or(&usual);
        Proxying::of_job(settings, &cx.world.proxies, user, &self.config.decisions)
    }
}

fn check(profile: Profile, settings: &ProxySettings) -> Result<(), Hresult> {
    let ProxySettings { usage, list, bypass_list } = settings;
    match *usage {
        ProxyUsage::OVERRIDE => {
            short(Some(text::required(list.as_deref())?), Hresult::BG_E_PROXY_LIST_TOO_LARGE)?;
            short(bypass_list.as_deref(), Hresult::BG_E_PROXY_BYPASS_LIST_TOO_LARGE)
        }
        ProxyUsage::AUTODETECT if profile < Profile::V2_0 => Err(Hresult::E_NOTIMPL),
        usage if usage.name().is_none() => Err(Hresult::E_NOTIMPL),
        _ if list.is_some() || bypass_list.is_some() => Err(Hresult::E_INVALIDARG),
        _ => Ok(()),
    }
}

fn short(list: Option<&str>, too_large: Hresult) -> Result<(), Hresult> {
    match list {
        Some(list) if list.contains('\0') => Err(Hresult::E_INVALIDARG),
        Some(list) if text::utf16_len(list) > MAX_LIST => Err(too_large),
        _ => Ok(()),
    }
}
