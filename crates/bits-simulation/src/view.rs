//! A job as its owner sees it through the engine's getters.

use bits_api::{FileTime, Hresult, JobState, JobType, Setting, TokenFlags, Value};
use bits_engine::{CommandLine, Engine, ErrorRecord, FileIndex, JobKey};
use bits_world::{Sid, Token};

/// The settings that clients of the simulation change.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting::DisplayName,
    Setting::Description,
    Setting::Priority,
    Setting::NotifyFlags,
    Setting::MinimumRetryDelay,
    Setting::NoProgressTimeout,
    Setting::MaximumDownloadTime,
    Setting::MinimumNotificationInterval,
    Setting::CostFlags,
    Setting::SecurityFlags,
];

/// Where a setting stands there.
pub(crate) fn place_of(setting: Setting) -> usize {
    SETTINGS.iter().position(|other| *other == setting).expect("a setting of the simulation")
}

/// The values of [`SETTINGS`], in that order.
pub(crate) type Values = Vec<Value>;

/// What must be the same after a restart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    pub(crate) state: JobState,
    pub(crate) values: Values,
    owner: Sid,
    job_type: JobType,
    error: Result<ErrorRecord, Hresult>,
    error_count: u32,
    created: FileTime,
    transferred: FileTime,
    program: Option<CommandLine>,
    helper_flags: TokenFlags,
    reply_file_name: Result<Option<String>, Hresult>,
    pub(crate) files: Vec<FileView>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FileView {
    pub(crate) remote_name: String,
    pub(crate) local_name: String,
    size: u64,
    is_completed: bool,
}

/// The state that is on record: an active job is QUEUED there.
pub(crate) fn recorded(state: JobState) -> JobState {
    match state {
        JobState::CONNECTING | JobState::TRANSFERRING => JobState::QUEUED,
        other => other,
    }
}

pub(crate) fn values(engine: &Engine, reader: &Token, job: JobKey) -> Result<Values, Hresult> {
    SETTINGS.iter().map(|setting| engine.get(reader, job, *setting)).collect()
}

impl View {
    /// The job as `reader` sees it, with the state that is on record.
    pub(crate) fn of(engine: &Engine, reader: &Token, job: JobKey) -> Result<Self, Hresult> {
        let times = engine.times(reader, job)?;
        let files = 0..engine.file_count(reader, job)?;
        Ok(Self {
            state: recorded(engine.state(reader, job)?),
            values: values(engine, reader, job)?,
            owner: engine.owner(reader, job)?,
            job_type: engine.job_type(reader, job)?,
            error: engine.error(reader, job),
            error_count: engine.error_count(reader, job)?,
            created: times.creation,
            transferred: times.transfer_completion,
            program: engine.command(reader, job)?.cloned(),
            helper_flags: engine.helper_token_flags(reader, job)?,
            reply_file_name: engine.reply_file_name(reader, job),
            files: files.map(|file| file_view(engine, reader, job, FileIndex(file))).collect::<Result<_, _>>()?,
        })
    }
}

fn file_view(engine: &Engine, reader: &Token, job: JobKey, file: FileIndex) -> Result<FileView, Hresult> {
    let names = engine.file_names(reader, job, file)?;
    let progress = engine.file_progress(reader, job, file)?;
    Ok(FileView {
        remote_name: names.remote_name.into(),
        local_name: names.local_name.into(),
        size: progress.bytes_total,
        is_completed: progress.completed,
    })
}
