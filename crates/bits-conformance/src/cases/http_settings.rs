//! Security flags and the HTTP method, as settings.

use bits_api::SecurityFlags;
use bits_world::Profile;

use super::prelude::*;

cases![
    security_flags_have_their_values,
    security_flags_are_replaced,
    security_flags_that_bits_does_not_know_are_refused,
    security_flags_may_be_set_in_every_state_but_the_final_ones,
    a_redirect_policy_is_one_value_of_its_mask,
    a_new_job_has_the_method_of_its_type,
    a_method_is_stored,
];

fn security_flags_have_their_values(c: &mut Bench) -> Outcome {
    let options = c.new_job()?.http_options()?;
    c.value("http_options.set_security_flags.default_redirect", options.security_flags()?)?;
    c.value("http_options.set_security_flags.default_ssl", options.security_flags()?)?;
    c.value("http_options.get_security_flags.default", options.security_flags()?)?;
    c.returns("observed:job.httpoptions.secflags.default", options.security_flags())?;
    c.value("observed:job.httpoptions.secflags.default", options.security_flags()?)?;
    let values = [
        ("http_options.security_flags.ssl_enable_crl_check", SecurityFlags::ENABLE_CRL_CHECK),
        ("http_options.security_flags.ssl_ignore_cert_cn_invalid", SecurityFlags::IGNORE_CERT_CN_INVALID),
        ("http_options.security_flags.ssl_ignore_cert_date_invalid", SecurityFlags::IGNORE_CERT_DATE_INVALID),
        ("http_options.security_flags.ssl_ignore_unknown_ca", SecurityFlags::IGNORE_UNKNOWN_CA),
        ("http_options.security_flags.ssl_ignore_cert_wrong_usage", SecurityFlags::IGNORE_CERT_WRONG_USAGE),
    ];
    for (clause, flags) in values {
        c.returns("http_options.set_security_flags.ok", options.set_security_flags(flags))?;
        c.returns("http_options.get_security_flags.ok", options.security_flags())?;
        c.value(clause, options.security_flags()?)?;
    }
    Ok(())
}

fn security_flags_are_replaced(c: &mut Bench) -> Outcome {
    let options = c.new_job()?.http_options()?;
    let all_ssl = SecurityFlags::from_bits_retain(0x1F);
    let report = SecurityFlags::REDIRECT_POLICY_ALLOW_REPORT | SecurityFlags::REDIRECT_POLICY_ALLOW_HTTPS_TO_HTTP;
    for flags in [all_ssl, all_ssl | report, report, SecurityFlags::REDIRECT_POLICY_DISALLOW] {
        options.set_security_flags(flags)?;
        c.is(
            [
                "http_options.set_security_flags.param",
                "http_options.set_security_flags.ok",
                "http_options.get_security_flags.ok",
            ],
            options.security_flags()?,
            flags,
        )?;
    }
    let cleared = options.set_security_flags(SecurityFlags::empty());
    c.returns(["http_options.set_security_flags.zero", "observed:job.httpoptions.secflags.zero"], cleared)?;
    c.is("observed:job.httpoptions.secflags.zero", options.security_flags()?, SecurityFlags::empty())?;
    c.value("http_options.set_security_flags.zero", options.security_flags()?)
}

fn security_flags_that_bits_does_not_know_are_refused(c: &mut Bench) -> Outcome {
    let options = c.new_job()?.http_options()?;
    options.set_security_flags(SecurityFlags::IGNORE_UNKNOWN_CA)?;
    for bits in [0x20, 0x80, 0x1000, 0x8000_0001] {
        let refused = options.set_security_flags(SecurityFlags::from_bits_retain(bits));
        c.returns("http_options.set_security_flags.unsupported", refused)?;
    }
    // Two policies at once, and the bit of the mask that is none.
    for bits in [0x0300, 0x0400] {
        let refused = options.set_security_flags(SecurityFlags::from_bits_retain(bits));
        c.is("http_options.set_security_flags.param", refused, Err(Hresult::E_NOTIMPL))?;
    }
    c.is("http_options.set_security_flags.unsupported", options.security_flags()?, SecurityFlags::IGNORE_UNKNOWN_CA)?;
    let redirects = [
        SecurityFlags::REDIRECT_POLICY_ALLOW_REPORT,
        SecurityFlags::REDIRECT_POLICY_DISALLOW,
        SecurityFlags::REDIRECT_POLICY_ALLOW_HTTPS_TO_HTTP,
    ];
    for (profile, expected) in [(Profile::V2_5, Err(Hresult::E_NOTIMPL)), (Profile::V3_0, Ok(Success::OK))] {
        c.start_over();
        c.play(profile)?;
        let options = c.new_job()?.http_options()?;
        for flags in redirects {
            let got = options.set_security_flags(flags);
            c.is(["http_options.set_security_flags.redirect_before_3_0", "version.3_0.redirect_flags"], got, expected)?;
        }
        let certificates = options.set_security_flags(SecurityFlags::IGNORE_UNKNOWN_CA);
        c.is("version.3_0.redirect_flags", certificates, Ok(Success::OK))?;
    }
    Ok(())
}

fn security_flags_may_be_set_in_every_state_but_the_final_ones(c: &mut Bench) -> Outcome {
    for state in LIVING.into_iter().chain(FINAL) {
        c.start_over();
        let options = c.job_in(state)?.0.http_options()?;
        let result = options.set_security_flags(SecurityFlags::IGNORE_UNKNOWN_CA);
        let expected = if FINAL.contains(&state) { Err(Hresult::BG_E_INVALID_STATE) } else { Ok(Success::OK) };
        c.is("http_options.set_security_flags.states", result, expected)?;
        let stored = options.security_flags()? == SecurityFlags::IGNORE_UNKNOWN_CA;
        if state == JobState::TRANSFERRED {
            c.is("observed:job.httpoptions.secflags.after-transfer", (result, stored), (Ok(Success::OK), true))?;
        }
        c.is("http_options.set_security_flags.states", stored, !FINAL.contains(&state))?;
    }
    Ok(())
}

fn a_redirect_policy_is_one_value_of_its_mask(c: &mut Bench) -> Outcome {
    let options = c.new_job()?.http_options()?;
    let mask = SecurityFlags::REDIRECT_POLICY_MASK;
    c.value("http_options.security_flags.redirect_mask", mask)?;
    for (flags, policy) in [(0x081F, 0x0000), (0x0901, 0x0100), (0x0A00, 0x0200)] {
        options.set_security_flags(SecurityFlags::from_bits_retain(flags))?;
        let got = (options.security_flags()? & mask).bits();
        c.is("http_options.get_security_flags.policy_test", got, policy)?;
    }
    Ok(())
}

fn a_new_job_has_the_method_of_its_type(c: &mut Bench) -> Outcome {
    let options = c.new_job()?.http_options2()?;
    c.returns("http_options2.get_http_method.ok", options.http_method())?;
    c.value("http_options2.get_http_method.default_download", options.http_method()?)
}

fn a_method_is_stored(c: &mut Bench) -> Outcome {
    let options = c.new_job()?.http_options2()?;
    for method in ["POST", "M-SEARCH", "get"] {
        c.returns("http_options2.set_http_method.ok", options.set_http_method(Some(method)))?;
        c.is(
            [
                "http_options2.set_http_method.ok",
                "http_options2.set_http_method.param",
                "http_options2.get_http_method.out",
            ],
            options.http_method()?,
            method.to_owned(),
        )?;
    }
    for refused in [None, Some(""), Some("TWO WORDS"), Some("GET\r\n"), Some("GÉT")] {
        let result = options.set_http_method(refused);
        c.is("http_options2.set_http_method.param", result, Err(Hresult::E_INVALIDARG))?;
        c.holds("http_options2.set_http_method.error", "a failure is an error code", result.is_err())?;
    }
    c.is("http_options2.set_http_method.param", options.http_method()?, "get".to_owned())
}
