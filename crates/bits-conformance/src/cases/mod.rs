//! The cases, a file for each part of BITS.
//!
//! A case is named as the behaviour that it shows. Each of its assertions names the clauses that
//! it proves, and no clause that it does not show.

use crate::case::{Case, Module};

/// Lists the cases of a file.
macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        pub(super) const CASES: &[crate::case::Case] =
            &[$(crate::case::Case { name: stringify!($case), run: $case }),*];
    };
}

macro_rules! modules {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// Every case of the suite.
        pub(crate) const MODULES: &[Module] = &[$(
            Module {
                name: stringify!($name),
                source: include_str!(concat!(stringify!($name), ".rs")),
                cases: { const CASES: &[Case] = $name::CASES; CASES },
            }
        ),*];
    };
}

mod prelude;

modules![
    uploads,
    replies,
    upload_errors,
    bits_1_5,
    manager,
    limits,
    enum_jobs,
    enum_files,
    file_parts,
    several_ranges,
    file_urls,
    random_access,
    file_rules,
    download_modes,
    job_state_calls,
    job_add_file,
    job_settings,
    job_progress,
    errors,
    retry,
    scheduling,
    world,
    lifetime,
    access,
    ownership,
    sessions,
    helper_tokens,
    notifications,
    modifications,
    file_callbacks,
    callback_limits,
    notify_commands,
    notify_classes,
    notify_intervals,
    file_ranges,
    event_log,
    callback_duties,
    http,
    resuming,
    changed_files,
    answers,
    authentication,
    bound_credentials,
    digest,
    accounts,
    second_seed,
    implicit,
    https,
    local_files,
    shares,
    redirects,
    redirect_policies,
    requests,
    download_time,
    cost,
    conditions,
    bandwidth,
    bandwidth_wire,
    uplink,
    giving_up,
    interfaces,
    versions,
    later_settings,
    properties,
    http_settings,
    http_methods,
    proxies,
    proxy_routes,
    proxy_wire,
    custom_headers,
    credentials,
    passport,
    client_certificates,
    certificates_shown,
    revocation,
    server_validation,
    file_content,
    file_properties,
    peer_cache,
    cached_files,
    peers,
];
