//! Proxy settings, as settings: what they do to connections is shown where bytes move.

use bits_api::{ProxySettings, ProxyUsage};
use bits_world::Profile;

use super::prelude::*;

cases![
    a_new_job_has_the_proxies_of_its_user,
    every_usage_has_its_value,
    proxy_settings_are_replaced_as_a_whole,
    an_undefined_usage_is_refused,
    proxies_are_not_detected_before_2_0,
    a_proxy_list_is_for_override_and_override_needs_one,
    proxy_lists_may_have_4000_characters,
    each_job_has_its_own_proxy_settings,
    proxy_settings_may_be_set_in_every_state_but_the_final_ones,
    what_a_proxy_list_says_is_not_looked_at_by_the_call,
    proxy_settings_outlive_a_restart,
];

const LIST: &str = "http=http://proxy:8080 other:81";
const BYPASS: &str = "<local> *.example.org";

fn only(usage: ProxyUsage) -> ProxySettings {
    ProxySettings { usage, ..ProxySettings::default() }
}

fn overriding(list: &str, bypass_list: Option<&str>) -> ProxySettings {
    let bypass_list = bypass_list.map(str::to_owned);
    ProxySettings { usage: ProxyUsage::OVERRIDE, list: Some(list.to_owned()), bypass_list }
}

fn a_new_job_has_the_proxies_of_its_user(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let settings = job.proxy_settings();
    c.returns("job.get_proxy_settings.ok", &settings)?;
    let ProxySettings { usage, list, bypass_list } = settings?;
    c.value(["manager.create_job.initial_proxy", "job.set_proxy_settings.default"], usage)?;
    c.is("job.get_proxy_settings.ok", (list, bypass_list), (None, None))
}

fn every_usage_has_its_value(c: &mut Bench) -> Outcome {
    let values = [
        ("enum.proxy_usage.no_proxy", ProxyUsage::NO_PROXY),
        ("enum.proxy_usage.autodetect", ProxyUsage::AUTODETECT),
        ("enum.proxy_usage.preconfig", ProxyUsage::PRECONFIG),
    ];
    let job = c.new_job()?;
    for (clause, usage) in values {
        c.returns("job.set_proxy_settings.ok", job.set_proxy_settings(usage, None, None))?;
        c.value(clause, job.proxy_settings()?.usage)?;
        c.is("job.get_proxy_settings.ok", job.proxy_settings()?, only(usage))?;
    }
    job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(LIST), None)?;
    c.value("enum.proxy_usage.override", job.proxy_settings()?.usage)
}

fn proxy_settings_are_replaced_as_a_whole(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let set = job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(LIST), Some(BYPASS));
    c.returns("job.set_proxy_settings.ok", set)?;
    c.is(
        ["job.set_proxy_settings.ok", "job.set_proxy_settings.params", "job.get_proxy_settings.ok"],
        job.proxy_settings()?,
        overriding(LIST, Some(BYPASS)),
    )?;
    let without_bypass = job.set_proxy_settings(ProxyUsage::OVERRIDE, Some("third"), None);
    c.is("job.set_proxy_settings.override_bypass_optional", without_bypass, Ok(Success::OK))?;
    c.is(
        ["job.set_proxy_settings.override_bypass_optional", "job.set_proxy_settings.ok"],
        job.proxy_settings()?,
        overriding("third", None),
    )?;
    job.set_proxy_settings(ProxyUsage::NO_PROXY, None, None)?;
    c.is("job.set_proxy_settings.ok", job.proxy_settings()?, only(ProxyUsage::NO_PROXY))
}

fn an_undefined_usage_is_refused(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    job.set_proxy_settings(ProxyUsage::NO_PROXY, None, None)?;
    for undefined in [4, 1_000, u32::MAX] {
        let refused = job.set_proxy_settings(ProxyUsage(undefined), None, None);
        c.returns("job.set_proxy_settings.undefined", refused)?;
    }
    c.is("job.set_proxy_settings.undefined", job.proxy_settings()?, only(ProxyUsage::NO_PROXY))
}

fn proxies_are_not_detected_before_2_0(c: &mut Bench) -> Outcome {
    for profile in [Profile::V1_0, Profile::V1_5] {
        c.start_over();
        c.play(profile)?;
        let job = c.new_job()?;
        let refused = job.set_proxy_settings(ProxyUsage::AUTODETECT, None, None);
        c.returns("enum.proxy_usage.autodetect_old", refused)?;
        c.is("enum.proxy_usage.autodetect_old", job.proxy_settings()?, only(ProxyUsage::PRECONFIG))?;
    }
    c.start_over();
    c.play(Profile::V2_0)?;
    let job = c.new_job()?;
    let set = job.set_proxy_settings(ProxyUsage::AUTODETECT, None, None);
    c.is("enum.proxy_usage.autodetect", (set, job.proxy_settings()?.usage.0), (Ok(Success::OK), 3))
}

fn a_proxy_list_is_for_override_and_override_needs_one(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(LIST), None)?;
    for bypass in [None, Some(BYPASS)] {
        let refused = job.set_proxy_settings(ProxyUsage::OVERRIDE, None, bypass);
        c.returns("job.set_proxy_settings.override_needs_list", refused)?;
    }
    for usage in [ProxyUsage::PRECONFIG, ProxyUsage::NO_PROXY, ProxyUsage::AUTODETECT] {
        for (list, bypass) in [(Some(LIST), None), (None, Some(BYPASS)), (Some(LIST), Some(BYPASS))] {
            c.returns("job.set_proxy_settings.lists_must_be_null", job.set_proxy_settings(usage, list, bypass))?;
        }
    }
    c.is(
        ["job.set_proxy_settings.override_needs_list", "job.set_proxy_settings.lists_must_be_null"],
        job.proxy_settings()?,
        overriding(LIST, None),
    )
}

fn proxy_lists_may_have_4000_characters(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let list = |length| job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&"p".repeat(length)), None);
    let bypass = |length| job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(LIST), Some(&"b".repeat(length)));
    c.value("job.set_proxy_settings.list_max", (3_990..=4_010).rfind(|length| list(*length).is_ok()).unwrap_or(0))?;
    c.value("job.set_proxy_settings.bypass_max", (3_990..=4_010).rfind(|length| bypass(*length).is_ok()).unwrap_or(0))?;
    c.is("job.set_proxy_settings.bypass_max", job.proxy_settings()?, overriding(LIST, Some(&"b".repeat(4_000))))?;
    // 32 KB, in bytes and in characters, and one more than either.
    for length in [4_001, 16 * 1_024 + 1, 32 * 1_024 + 1] {
        c.returns(["job.set_proxy_settings.list_too_large", "limit.proxy_list"], list(length))?;
        c.returns(["job.set_proxy_settings.bypass_too_large", "limit.proxy_bypass"], bypass(length))?;
    }
    c.is("job.set_proxy_settings.list_too_large", job.proxy_settings()?, overriding(LIST, Some(&"b".repeat(4_000))))
}

fn each_job_has_its_own_proxy_settings(c: &mut Bench) -> Outcome {
    let (first, second, third) = (c.new_job()?, c.new_job()?, c.new_job()?);
    first.set_proxy_settings(ProxyUsage::NO_PROXY, None, None)?;
    second.set_proxy_settings(ProxyUsage::OVERRIDE, Some(LIST), None)?;
    c.is(
        "enum.proxy_usage.per_job",
        (first.proxy_settings()?, second.proxy_settings()?, third.proxy_settings()?),
        (only(ProxyUsage::NO_PROXY), overriding(LIST, None), only(ProxyUsage::PRECONFIG)),
    )
}

fn proxy_settings_may_be_set_in_every_state_but_the_final_ones(c: &mut Bench) -> Outcome {
    for state in LIVING {
        c.start_over();
        let job = c.job_in(state)?.0;
        c.returns("job.set_proxy_settings.ok", job.set_proxy_settings(ProxyUsage::NO_PROXY, None, None))?;
        c.is("job.set_proxy_settings.ok", job.proxy_settings()?, only(ProxyUsage::NO_PROXY))?;
    }
    for state in FINAL {
        c.start_over();
        let job = c.job_in(state)?.0;
        let refused = job.set_proxy_settings(ProxyUsage::NO_PROXY, None, None);
        c.returns("job.set_proxy_settings.invalid_state", refused)?;
        c.is("job.set_proxy_settings.invalid_state", job.proxy_settings()?, only(ProxyUsage::PRECONFIG))?;
    }
    Ok(())
}

fn what_a_proxy_list_says_is_not_looked_at_by_the_call(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    for list in ["ftp=://:::", "", "a,b;c"] {
        let set = job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(list), Some(list));
        c.returns("job.set_proxy_settings.ok", set)?;
        c.is("job.get_proxy_settings.ok", job.proxy_settings()?, overriding(list, Some(list)))?;
    }
    Ok(())
}

fn proxy_settings_outlive_a_restart(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(LIST), Some(BYPASS))?;
    let id = job.id()?;
    c.restart_service()?;
    c.is("lifecycle.must_finish", c.find(id)?.proxy_settings()?, overriding(LIST, Some(BYPASS)))
}
