//! The store, seen through its three doors.

mod cache;
mod corruption;
mod faults;
mod open;
mod removal;
mod round_trip;
mod samples;
mod secrets;

use bits_api::{
    ErrorContext, FileRange, FileTime, Guid, Hresult, JobState, JobType, ProxySettings, ProxyUsage, Setting,
};
use bits_engine::{
    Access, Change, CommandLine, ErrorRecord, FileDetails, FileIndex, FileRecord, FileStage, JobKey, JobRecord,
    LaterSettings, OwnerRights, Saved, Stored, UploadRecord,
};
use bits_wire::attempt::{Begin, UploadSession, Validators};
use bits_wire::spans::Span;

use crate::{Store, StoreError};

/// A queue as plain data: each job with its files.
type Queue = Vec<(JobRecord, Vec<FileRecord>)>;

/// What `store` holds.
fn queue_of(store: &Store) -> Queue {
    try_queue_of(store).expect("a whole queue")
}

fn try_queue_of(store: &Store) -> Result<Queue, StoreError> {
    store.load()?.map(|saved| saved.map(|Saved { job, files, .. }| (job, files))).collect()
}

/// A job that failed once and waits.
fn job(key: u64, display_name: &str) -> JobRecord {
    JobRecord {
        key: JobKey(key),
        id: Guid::from_u128(0x4991_d34b_80a1_4291_83b6_3328_366b_9097 + u128::from(key)),
        job_type: JobType::DOWNLOAD,
        owner: "S-1-5-21-1004336348-1177238915-682003330-1001".into(),
        rights: OwnerRights { administrator: true, elevated: true, integrity: 0x3000 },
        helper_flags: 3,
        state: JobState::TRANSIENT_ERROR,
        display_name: display_name.into(),
        description: "of a test".into(),
        priority: 2,
        notify_flags: 3,
        minimum_retry_delay: 600,
        no_progress_timeout: 1_209_600,
        later: later(),
        proxy: Some(proxy()),
        write_only_headers: true,
        secrets: None,
        was_resumed: true,
        notify_command: Some(CommandLine { program: r"C:\told.exe".into(), parameters: Some("told.exe 1".into()) }),
        end_told: true,
        error_count: 1,
        error: Some(ErrorRecord {
            code: Hresult::BG_E_HTTP_ERROR_503,
            context: ErrorContext::REMOTE_FILE,
            file: Some(FileIndex(0)),
        }),
        created: FileTime::from_unix_seconds(1_767_225_600),
        modified: FileTime::from_unix_seconds(1_767_225_660),
        last_activity: FileTime::from_unix_seconds(1_767_225_630),
        transfer_completed: FileTime::ZERO,
        failing_since: Some(FileTime::from_unix_seconds(1_767_225_660)),
        retry_at: Some(FileTime::from_unix_seconds(1_767_226_260)),
        active_ms: 1234,
        upload: Some(upload()),
    }
}

/// What is on record of an upload whose reply goes to a file of its own.
fn upload() -> UploadRecord {
    UploadRecord {
        session: Some(UploadSession { id: "{7df0354d-249b-430f-820d-3d2a9bef4931}".into() }),
        reply_file_name: Some(r"C:\downloads\reply.xml".into()),
    }
}

fn proxy() -> ProxySettings {
    let list = Some("http=proxy:8080".to_owned());
    ProxySettings { usage: ProxyUsage::OVERRIDE, list, bypass_list: Some("<local>".to_owned()) }
}

/// One later setting of each shape.
fn later() -> LaterSettings {
    [
        (Setting::MaximumDownloadTime, Stored::Number(3_600)),
        (Setting::NotificationClsid, Stored::Guid(Guid::from_u128(7))),
        (Setting::DynamicContent, Stored::Enable(true)),
        (Setting::MaxDownloadSize, Stored::Long(1 << 40)),
        (Setting::HttpMethod, Stored::Text("POST".into())),
    ]
    .into_iter()
    .collect()
}

/// Everything that most files have not.
fn details() -> FileDetails {
    let range = |initial_offset, length| FileRange { initial_offset, length };
    FileDetails {
        ranges: vec![range(100, 50), range(20, u64::MAX)],
        begin: Begin::Elsewhere,
        access: Some(Access {
            filled: [Span::new(5, 10), Span::new(20, 1 << 40)].into_iter().collect(),
            requested: vec![range(0, 100)],
            position: Some(7),
        }),
        validation: Some(false),
        head: Some("HTTP/1.1 200 OK\r\n\r\n".into()),
        named_server: Some("https://named.example".into()),
    }
}

/// A file of which a part has arrived.
fn file(job: u64, index: u32) -> FileRecord {
    FileRecord {
        job: JobKey(job),
        index: FileIndex(index),
        remote_name: format!("https://example.com/{job}/{index}.bin"),
        local_name: format!(r"C:\downloads\{job}\{index}.bin"),
        temporary: Some(format!("BIT{index:04X}.tmp")),
        validators: Some(Validators { size: 1 << 33, last_modified: Some(FileTime::from_unix_seconds(1_700_000_000)) }),
        stage: FileStage::Pending,
        details: details(),
    }
}

/// The changes that put a job with `files` files on record.
fn added(key: u64, display_name: &str, files: u32) -> Vec<Change> {
    let job = Change::Job(Box::new(job(key, display_name)));
    std::iter::once(job).chain((0..files).map(|index| Change::File(Box::new(file(key, index))))).collect()
}
