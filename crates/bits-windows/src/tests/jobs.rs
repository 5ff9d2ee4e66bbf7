//! Every method of every interface of a job, once: what BITS is called with, and what the client sees.
//! No two arguments are alike, so that none can be taken for another.

use std::sync::Arc;

use bits_api::{
    Answer, AuthCredentials, AuthScheme, AuthTarget, CertStoreLocation, FileAclFlags, FileInfo, FileRange, Guid,
    Hresult, Job, JobPriority, JobPropertyId, JobPropertyValue, LENGTH_TO_EOF, NotifyFlags, PeerCachingFlags,
    ProxyUsage, SecurityFlags, Setting, Success, TokenFlags, Value,
};
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::{GUID, Interface};

use super::{Call, OK, Row, failures_come_back, results_come_back, seen, success_codes_come_back, text};
use crate::UNKNOWN_TYPE;
use crate::fakes::{FakeJob, FakeService};

const FILES: [FileInfo<'_>; 2] =
    [FileInfo { remote_name: "url 1", local_name: "path 1" }, FileInfo { remote_name: "url 2", local_name: "path 2" }];
const RANGES: [FileRange; 2] =
    [FileRange { initial_offset: 31, length: 32 }, FileRange { initial_offset: 33, length: LENGTH_TO_EOF }];
const HASH: [u8; 20] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];

const JOB: &[Row<dyn Job>] = &[
    (|j| seen(j.add_file(Some("url"), Some("path"))), r#"AddFile("url", "path")"#, OK),
    (|j| seen(j.add_file(Some("url"), None)), r#"AddFile("url", null)"#, OK),
    (|j| seen(j.add_file_set(&FILES)), r#"AddFileSet("url 1" "path 1", "url 2" "path 2")"#, OK),
    (|j| seen(j.enum_files()?.count()), "EnumFiles", "7"),
    (|j| seen(j.suspend()), "Suspend", OK),
    (|j| seen(j.resume()), "Resume", OK),
    (|j| seen(j.cancel()), "Cancel", OK),
    (|j| seen(j.complete()), "Complete", OK),
    (|j| seen(j.id()), "GetId", "11112222-3333-4444-5555-666677778888"),
    (|j| seen(j.job_type()), "GetType", "BG_JOB_TYPE_UPLOAD_REPLY"),
    (
        |j| seen(j.progress()),
        "GetProgress",
        "JobProgress { bytes_total: 18446744073709551615, bytes_transferred: 11, files_total: 12, files_transferred: 13 }",
    ),
    (
        |j| seen(j.times()),
        "GetTimes",
        "JobTimes { creation: FileTime(6442450946), modification: FileTime(12884901892), \
         transfer_completion: FileTime(21474836486) }",
    ),
    (|j| seen(j.state()), "GetState", "BG_JOB_STATE_ACKNOWLEDGED"),
    (|j| seen(j.error()?.error()), "GetError", "(BG_ERROR_CONTEXT_REMOTE_FILE, 0x80190194 BG_E_HTTP_ERROR_404)"),
    (|j| text(j.owner()), "GetOwner", "S-1-5-18"),
    (|j| seen(j.set_display_name(Some("a"))), r#"SetDisplayName("a")"#, OK),
    (|j| seen(j.set_display_name(None)), "SetDisplayName(null)", OK),
    (|j| text(j.display_name()), "GetDisplayName", "a name"),
    (|j| seen(j.set_description(Some("ü𝄞"))), r#"SetDescription("ü𝄞")"#, OK),
    (|j| text(j.description()), "GetDescription", "a description 𝄞"),
    (|j| seen(j.set_priority(JobPriority(0x8000_0001))), "SetPriority(-2147483647)", OK),
    (|j| seen(j.priority()), "GetPriority", "BG_JOB_PRIORITY_LOW"),
    (|j| seen(j.set_notify_flags(NotifyFlags::from_bits_retain(0x8000_0008))), "SetNotifyFlags(0x80000008)", OK),
    (|j| seen(j.notify_flags().map(|flags| flags.bits())), "GetNotifyFlags", "2147483681"),
    (|j| seen(j.set_notify_interface(None)), "SetNotifyInterface(null)", OK),
    (|j| seen(j.notify_interface().map(|object| object.is_some())), "GetNotifyInterface", "true"),
    (|j| seen(j.set_minimum_retry_delay(41)), "SetMinimumRetryDelay(41)", OK),
    (|j| seen(j.minimum_retry_delay()), "GetMinimumRetryDelay", "61"),
    (|j| seen(j.set_no_progress_timeout(42)), "SetNoProgressTimeout(42)", OK),
    (|j| seen(j.no_progress_timeout()), "GetNoProgressTimeout", "62"),
    (|j| seen(j.error_count()), "GetErrorCount", "63"),
    (
        |j| seen(j.set_proxy_settings(ProxyUsage::OVERRIDE, Some("list"), Some("bypass"))),
        r#"SetProxySettings(2, "list", "bypass")"#,
        OK,
    ),
    (
        |j| seen(j.proxy_settings()),
        "GetProxySettings",
        r#"ProxySettings { usage: BG_JOB_PROXY_USAGE_OVERRIDE, list: Some("a proxy"), bypass_list: Some("a host") }"#,
    ),
    (|j| seen(j.take_ownership()), "TakeOwnership", OK),
];

const JOB2: &[Row<dyn Job>] = &[
    (
        |j| seen(j.job2()?.set_notify_cmd_line(Some("program"), Some("line"))),
        r#"SetNotifyCmdLine("program", "line")"#,
        OK,
    ),
    (
        |j| seen(j.job2()?.notify_cmd_line()),
        "GetNotifyCmdLine",
        r#"NotifyCommandLine { program: Some("a program"), parameters: Some("its parameters") }"#,
    ),
    (
        |j| seen(j.job2()?.reply_progress()),
        "GetReplyProgress",
        "JobReplyProgress { bytes_total: 21, bytes_transferred: 22 }",
    ),
    (|j| seen(j.job2()?.reply_data()), "GetReplyData", "Some([160, 0, 162])"),
    (|j| seen(j.job2()?.set_reply_file_name(Some("reply"))), r#"SetReplyFileName("reply")"#, OK),
    (
        |j| seen(j.job2()?.reply_file_name()),
        "GetReplyFileName",
        r#"Answer { code: 0x00000000 S_OK, value: Some("C:\\a reply") }"#,
    ),
    (
        |j| seen(j.job2()?.set_credentials(&credentials(Some("user"), Some("word")))),
        r#"SetCredentials(2, 4, "user", "word")"#,
        OK,
    ),
    (|j| seen(j.job2()?.set_credentials(&credentials(None, None))), "SetCredentials(2, 4, null, null)", OK),
    (|j| seen(j.job2()?.remove_credentials(AuthTarget::PROXY, AuthScheme::NTLM)), "RemoveCredentials(2, 3)", OK),
];

fn credentials<'a>(user_name: Option<&'a str>, password: Option<&'a str>) -> AuthCredentials<'a> {
    AuthCredentials { target: AuthTarget::PROXY, scheme: AuthScheme::NEGOTIATE, user_name, password }
}

const JOB3_AND_4: &[Row<dyn Job>] = &[
    (
        |j| seen(j.job3()?.add_file_with_ranges(Some("url"), Some("path"), &RANGES)),
        r#"AddFileWithRanges("url", "path", 31+32 33+18446744073709551615)"#,
        OK,
    ),
    (|j| seen(j.job3()?.replace_remote_prefix(Some("old"), Some("new"))), r#"ReplaceRemotePrefix("old", "new")"#, OK),
    (|j| seen(j.job3()?.set_file_acl_flags(FileAclFlags::SACL)), "SetFileACLFlags(0x8)", OK),
    (|j| seen(j.job3()?.file_acl_flags().map(|flags| flags.bits())), "GetFileACLFlags", "6"),
    (|j| seen(j.job4()?.set_peer_caching_flags(PeerCachingFlags::ENABLE_SERVER)), "SetPeerCachingFlags(0x2)", OK),
    (|j| seen(j.job4()?.peer_caching_flags().map(|flags| flags.bits())), "GetPeerCachingFlags", "5"),
    (|j| seen(j.job4()?.owner_integrity_level()), "GetOwnerIntegrityLevel", "8192"),
    (|j| seen(j.job4()?.owner_elevation_state()), "GetOwnerElevationState", "true"),
    (|j| seen(j.job4()?.set_maximum_download_time(43)), "SetMaximumDownloadTime(43)", OK),
    (|j| seen(j.job4()?.maximum_download_time()), "GetMaximumDownloadTime", "64"),
];

/// The sixteen bytes of the union begin with the value; the others are zero.
const JOB5: &[Row<dyn Job>] = &[
    (
        |j| set(j, JobPropertyId::COST_FLAGS, JobPropertyValue::Dword(0x8000_0021)),
        "SetProperty(1, 80000021-0000-0000-0000-000000000000)",
        OK,
    ),
    (
        |j| set(j, JobPropertyId::NOTIFICATION_CLSID, JobPropertyValue::ClsId(Guid::from_u128(7 << 120 | 8))),
        "SetProperty(2, 07000000-0000-0000-0000-000000000008)",
        OK,
    ),
    (
        |j| set(j, JobPropertyId::DYNAMIC_CONTENT, JobPropertyValue::Enable(true)),
        "SetProperty(3, 00000001-0000-0000-0000-000000000000)",
        OK,
    ),
    (
        |j| set(j, JobPropertyId::MAX_DOWNLOAD_SIZE, JobPropertyValue::Uint64(0x0003_0004_0000_0005)),
        "SetProperty(5, 00000005-0004-0003-0000-000000000000)",
        OK,
    ),
    (
        |j| set(j, JobPropertyId::USE_STORED_CREDENTIALS, JobPropertyValue::Target(AuthTarget::PROXY)),
        "SetProperty(7, 00000002-0000-0000-0000-000000000000)",
        OK,
    ),
    // What BITS makes of a property that we do not know is its own affair.
    (
        |j| set(j, JobPropertyId(6), JobPropertyValue::Dword(9)),
        "SetProperty(6, 00000009-0000-0000-0000-000000000000)",
        OK,
    ),
    (|j| get(j, JobPropertyId::COST_FLAGS), "GetProperty(1)", "Dword(1)"),
    (|j| get(j, JobPropertyId::NOTIFICATION_CLSID), "GetProperty(2)", "ClsId(00000001-0000-0002-0102-030405060708)"),
    (|j| get(j, JobPropertyId::DYNAMIC_CONTENT), "GetProperty(3)", "Enable(true)"),
    (|j| get(j, JobPropertyId::HIGH_PERFORMANCE), "GetProperty(4)", "Enable(true)"),
    (|j| get(j, JobPropertyId::MAX_DOWNLOAD_SIZE), "GetProperty(5)", "Uint64(562949953421313)"),
    (|j| get(j, JobPropertyId::USE_STORED_CREDENTIALS), "GetProperty(7)", "Target(BG_AUTH_TARGET_SERVER)"),
    (|j| get(j, JobPropertyId::MINIMUM_NOTIFICATION_INTERVAL_MS), "GetProperty(9)", "Dword(1)"),
    (|j| get(j, JobPropertyId::ON_DEMAND_MODE), "GetProperty(10)", "Enable(true)"),
];

fn set(job: &dyn Job, id: JobPropertyId, value: JobPropertyValue) -> Result<String, Hresult> {
    seen(job.job5()?.set_property(id, value))
}

fn get(job: &dyn Job, id: JobPropertyId) -> Result<String, Hresult> {
    seen(job.job5()?.property(id))
}

const HTTP_OPTIONS: &[Row<dyn Job>] = &[
    (
        |j| {
            let options = j.http_options()?;
            seen(options.set_client_certificate_by_id(CertStoreLocation::SERVICES, Some("store"), Some(&HASH)))
        },
        "SetClientCertificateByID(3, \"store\", \
         Some([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]))",
        OK,
    ),
    (
        |j| seen(j.http_options()?.set_client_certificate_by_id(CertStoreLocation::CURRENT_USER, None, None)),
        "SetClientCertificateByID(0, null, None)",
        OK,
    ),
    (
        |j| {
            let options = j.http_options()?;
            seen(options.set_client_certificate_by_name(CertStoreLocation(9), Some("store"), Some("subject")))
        },
        r#"SetClientCertificateByName(9, "store", "subject")"#,
        OK,
    ),
    (|j| seen(j.http_options()?.remove_client_certificate()), "RemoveClientCertificate", OK),
    (
        |j| seen(j.http_options()?.client_certificate()),
        "GetClientCertificate",
        "ClientCertificate { location: BG_CERT_STORE_LOCATION_USERS, store_name: \"a store\", \
         hash: [90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90], \
         subject: \"a subject\" }",
    ),
    (|j| seen(j.http_options()?.set_custom_headers(Some("C: d\r\n"))), r#"SetCustomHeaders("C: d\r\n")"#, OK),
    (|j| seen(j.http_options()?.set_custom_headers(None)), "SetCustomHeaders(null)", OK),
    (
        |j| seen(j.http_options()?.custom_headers()),
        "GetCustomHeaders",
        r#"Answer { code: 0x00000000 S_OK, value: Some("A: b\r\n") }"#,
    ),
    (
        |j| seen(j.http_options()?.set_security_flags(SecurityFlags::REDIRECT_POLICY_DISALLOW)),
        "SetSecurityFlags(0x200)",
        OK,
    ),
    (|j| seen(j.http_options()?.security_flags().map(|flags| flags.bits())), "GetSecurityFlags", "2064"),
    (|j| seen(j.http_options2()?.set_http_method(Some("PUT"))), r#"SetHttpMethod("PUT")"#, OK),
    (|j| text(j.http_options2()?.http_method()), "GetHttpMethod", "PATCH"),
    (|j| seen(j.http_options3()?.make_custom_headers_write_only()), "MakeCustomHeadersWriteOnly", OK),
    (
        |j| seen(j.http_options3()?.set_server_certificate_validation_interface(None)),
        "SetServerCertificateValidationInterface(null)",
        OK,
    ),
];

const TOKEN_OPTIONS: &[Row<dyn Job>] = &[
    (|j| seen(j.token_options()?.set_helper_token_flags(TokenFlags::all())), "SetHelperTokenFlags(0x3)", OK),
    (|j| seen(j.token_options()?.helper_token_flags().map(|flags| flags.bits())), "GetHelperTokenFlags", "2"),
    (|j| seen(j.token_options()?.set_helper_token()), "SetHelperToken", OK),
    (|j| seen(j.token_options()?.clear_helper_token()), "ClearHelperToken", OK),
    (
        |j| seen(j.token_options()?.helper_token_sid()),
        "GetHelperTokenSid",
        r#"Answer { code: 0x00000000 S_OK, value: Some("S-1-5-21-7") }"#,
    ),
];

/// The settings that have no named methods, and one of each kind that have.
const SETTINGS: &[Row<dyn Job>] = &[
    (|j| seen(j.get(Setting::CostFlags)), "GetProperty(1)", "Number(1)"),
    (|j| seen(j.get(Setting::NotificationClsid)), "GetProperty(2)", "Guid(00000001-0000-0002-0102-030405060708)"),
    (|j| seen(j.get(Setting::DynamicContent)), "GetProperty(3)", "Enable(true)"),
    (|j| seen(j.get(Setting::HighPerformance)), "GetProperty(4)", "Enable(true)"),
    (|j| seen(j.get(Setting::MaxDownloadSize)), "GetProperty(5)", "Long(562949953421313)"),
    (|j| seen(j.get(Setting::UseStoredCredentials)), "GetProperty(7)", "Number(1)"),
    (|j| seen(j.get(Setting::MinimumNotificationInterval)), "GetProperty(9)", "Number(1)"),
    (|j| seen(j.get(Setting::OnDemandMode)), "GetProperty(10)", "Enable(true)"),
    (
        |j| seen(j.set(Setting::CostFlags, Value::Number(51))),
        "SetProperty(1, 00000033-0000-0000-0000-000000000000)",
        OK,
    ),
    (
        |j| seen(j.set(Setting::NotificationClsid, Value::Guid(Guid::from_u128(52)))),
        "SetProperty(2, 00000000-0000-0000-0000-000000000034)",
        OK,
    ),
    (
        |j| seen(j.set(Setting::HighPerformance, Value::Enable(true))),
        "SetProperty(4, 00000001-0000-0000-0000-000000000000)",
        OK,
    ),
    (
        |j| seen(j.set(Setting::MaxDownloadSize, Value::Long(53))),
        "SetProperty(5, 00000035-0000-0000-0000-000000000000)",
        OK,
    ),
    (
        |j| seen(j.set(Setting::UseStoredCredentials, Value::Number(2))),
        "SetProperty(7, 00000002-0000-0000-0000-000000000000)",
        OK,
    ),
    (
        |j| seen(j.set(Setting::MinimumNotificationInterval, Value::Number(54))),
        "SetProperty(9, 00000036-0000-0000-0000-000000000000)",
        OK,
    ),
    (
        |j| seen(j.set(Setting::OnDemandMode, Value::Enable(false))),
        "SetProperty(10, 00000000-0000-0000-0000-000000000000)",
        OK,
    ),
];

fn rows() -> impl Iterator<Item = &'static Row<dyn Job>> + Clone {
    [JOB, JOB2, JOB3_AND_4, JOB5, HTTP_OPTIONS, TOKEN_OPTIONS, SETTINGS].into_iter().flatten()
}

#[test]
fn arguments_go_through_and_results_come_back() {
    results_come_back(rows(), FakeJob::of);
}

#[test]
fn success_codes_come_through() {
    success_codes_come_back(rows(), FakeJob::of);
}

#[test]
fn failures_come_through_and_what_came_with_them_is_freed() {
    failures_come_back(rows(), FakeJob::of);
}

#[test]
fn a_hundred_thousand_calls_leave_nothing_behind() {
    let service = FakeService::answering(Hresult::S_OK);
    let job = FakeJob::of(&service);

    for (call, heard, _) in rows().cycle().take(100_000) {
        assert!(call(&*job).is_ok(), "{heard}");
        assert_eq!(service.heard(), [*heard]);
    }

    drop(job);
    assert_eq!(service.outstanding(), 0);
    assert_eq!(Arc::strong_count(&service), 1);
}

#[test]
fn a_reply_that_is_too_large_comes_with_its_length() {
    let job = FakeJob::of(&FakeService::answering(Hresult::BG_E_TOO_LARGE));

    let error = job.job2().unwrap().reply_data().unwrap_err();

    assert_eq!((error.code, error.length), (Hresult::BG_E_TOO_LARGE, 1 << 20 | 1));
}

#[test]
fn another_failure_of_a_reply_has_no_length() {
    let job = FakeJob::of(&FakeService::answering(Hresult::E_NOTIMPL));

    let error = job.job2().unwrap().reply_data().unwrap_err();

    assert_eq!((error.code, error.length), (Hresult::E_NOTIMPL, 0));
}

#[test]
fn a_job_without_headers_says_so_by_its_code() {
    let job = FakeJob::of(&FakeService::answering(Hresult::S_FALSE));

    let headers = job.http_options().unwrap().custom_headers().unwrap();

    assert_eq!((headers.code.hresult(), headers.value), (Hresult::S_FALSE, None));
}

/// Null where BITS has nothing to tell; the fake leaves every place as it was.
#[test]
fn a_string_that_bits_does_not_hand_out_is_absent_or_empty() {
    let job = FakeJob::of(&FakeService::answering(Hresult::S_FALSE));

    let nothing = || Answer { code: Success::FALSE, value: None };
    assert_eq!(job.job2().unwrap().reply_file_name(), Ok(nothing()));
    assert_eq!(job.token_options().unwrap().helper_token_sid(), Ok(nothing()));
    assert_eq!(job.display_name().as_deref(), Ok(""));
    assert_eq!(job.owner().as_deref(), Ok(""));
    assert_eq!(job.job2().unwrap().reply_data(), Ok(None));
    assert_eq!(job.error().unwrap_err(), Hresult::E_UNEXPECTED);
    assert_eq!(job.enum_files().unwrap_err(), Hresult::E_UNEXPECTED);
}

#[test]
fn what_com_cannot_carry_is_refused_before_it() {
    const NUL: Option<&str> = Some("a\0b");
    const SHORT: Option<&[u8]> = Some(&[7; 19]);
    const LONG: Option<&[u8]> = Some(&[7; 21]);
    let here = CertStoreLocation::CURRENT_USER;
    let service = FakeService::answering(Hresult::S_OK);
    let job = FakeJob::of(&service);
    let job5 = job.job5().unwrap();
    let options = job.http_options3().unwrap();
    let strings = [
        job.add_file(NUL, Some("path")),
        job.add_file(Some("url"), NUL),
        job.add_file_set(&[FILES[0], FileInfo { remote_name: "url", local_name: "a\0b" }]),
        job.set_display_name(NUL),
        job.set_description(NUL),
        job.set_proxy_settings(ProxyUsage::OVERRIDE, NUL, None),
        job.set_proxy_settings(ProxyUsage::OVERRIDE, Some("list"), NUL),
        job5.set_notify_cmd_line(NUL, None),
        job5.set_notify_cmd_line(Some("program"), NUL),
        job5.set_reply_file_name(NUL),
        job5.set_credentials(&credentials(NUL, Some("word"))),
        job5.set_credentials(&credentials(Some("user"), NUL)),
        job5.add_file_with_ranges(NUL, Some("path"), &RANGES),
        job5.replace_remote_prefix(Some("old"), NUL),
        options.set_client_certificate_by_id(here, NUL, Some(&HASH)),
        options.set_client_certificate_by_name(here, Some("store"), NUL),
        options.set_custom_headers(NUL),
        options.set_http_method(NUL),
    ];
    let types = [
        job5.set_property(JobPropertyId::MAX_DOWNLOAD_SIZE, JobPropertyValue::Dword(1)),
        job5.set_property(JobPropertyId::COST_FLAGS, JobPropertyValue::Target(AuthTarget::PROXY)),
        job.set(Setting::DisplayName, Value::Number(1)),
        job.set(Setting::Priority, Value::Text(None)),
        job.set(Setting::Priority, Value::Enable(true)),
        job.set(Setting::CostFlags, Value::Text(None)),
        job.set(Setting::CostFlags, Value::Long(1)),
        job.set(Setting::MaxDownloadSize, Value::Number(1)),
    ];
    let hashes = [
        options.set_client_certificate_by_id(here, Some("store"), SHORT),
        options.set_client_certificate_by_id(here, Some("store"), LONG),
    ];

    assert_eq!(strings, [Err(Hresult::E_INVALIDARG); 18]);
    assert_eq!(types, [Err(Hresult::E_INVALIDARG); 8]);
    assert_eq!(hashes, [Err(Hresult::RPC_X_BAD_STUB_DATA); 2]);
    assert_eq!(
        options.set_client_certificate_by_id(here, None, SHORT),
        Err(Hresult::RPC_X_NULL_REF_POINTER),
        "an absent name goes before a hash of another length"
    );
    assert_eq!(service.heard(), [""; 0]);
}

#[test]
fn a_property_of_which_nobody_knows_the_type_is_not_guessed_at() {
    let job = FakeJob::of(&FakeService::answering(Hresult::S_OK));

    assert_eq!(get(&*job, JobPropertyId(6)), Err(UNKNOWN_TYPE));
}

/// The later interfaces in the order in which they came.
const INTERFACES: [(GUID, Call<dyn Job>); 8] = [
    (bits::IBackgroundCopyJob2::IID, |j| j.job2().map(|_| "1.5".into())),
    (bits::IBackgroundCopyJob3::IID, |j| j.job3().map(|_| "2.0".into())),
    (bits::IBackgroundCopyJobHttpOptions::IID, |j| j.http_options().map(|_| "2.5".into())),
    (bits::IBackgroundCopyJob4::IID, |j| j.job4().map(|_| "3.0".into())),
    (bits::IBitsTokenOptions::IID, |j| j.token_options().map(|_| "4.0".into())),
    (bits::IBackgroundCopyJob5::IID, |j| j.job5().map(|_| "5.0".into())),
    (bits::IBackgroundCopyJobHttpOptions2::IID, |j| j.http_options2().map(|_| "10.2".into())),
    (bits::IBackgroundCopyJobHttpOptions3::IID, |j| j.http_options3().map(|_| "10.3".into())),
];

#[test]
fn an_interface_that_this_bits_does_not_have_is_absent() {
    for there in 0..=INTERFACES.len() {
        let known = INTERFACES[..there].iter().map(|(id, _)| *id).collect();
        let job = FakeJob::of_older(&FakeService::answering(Hresult::S_OK), known);

        let found = INTERFACES.map(|(_, query)| query(&*job));

        assert!(found[..there].iter().all(Result::is_ok), "the first {there}: {found:?}");
        assert!(found[there..].iter().all(|one| *one == Err(Hresult::E_NOINTERFACE)), "the first {there}: {found:?}");
    }
}

#[test]
fn a_setting_of_an_absent_interface_is_one_that_this_bits_does_not_have() {
    let service = FakeService::answering(Hresult::S_OK);
    let job = FakeJob::of_older(&service, Vec::new());
    let later = [
        (Setting::FileAclFlags, Value::Number(1)),
        (Setting::SecurityFlags, Value::Number(1)),
        (Setting::PeerCachingFlags, Value::Number(1)),
        (Setting::MaximumDownloadTime, Value::Number(1)),
        (Setting::HttpMethod, Value::Text(Some("PUT".to_owned()))),
        (Setting::UseStoredCredentials, Value::Number(2)),
        (Setting::OnDemandMode, Value::Enable(true)),
    ];

    for (setting, value) in later {
        assert_eq!(job.get(setting), Err(Hresult::E_NOTIMPL), "{setting:?}");
        assert_eq!(job.set(setting, value), Err(Hresult::E_NOTIMPL), "{setting:?}");
    }
    assert_eq!(service.heard(), [""; 0]);
}
