//! Upload and upload-reply jobs: one file to the server, and perhaps a reply back (clauses
//! `jobtype.*`, `reply.*`, `job2.reply*`, `job2.get_reply*`, `job2.set_reply*`).
//!
//! The reply is the second file of its job. It is fetched, retried, named and deleted as any
//! download is; only clients do not see it among the files, and the job's sums do not count it.

use std::path::PathBuf;

use bits_api::{Hresult, JobReplyProgress, JobState, JobType, SIZE_UNKNOWN, Success};
use bits_wire::attempt::{AttemptId, Failure, UploadSession, Validators, Work};
use bits_world::{Drives, Token};

use crate::access::may_use;
use crate::job::{File, Job};
use crate::record::UploadRecord;
use crate::temporary::{code_of, mix};
use crate::{Action, Cx, Engine, FileStage, JobKey, Reply, names};

/// The place of the reply among the files of its job.
const REPLY: usize = 1;

/// The largest reply that GetReplyData hands out, in bytes (clause `job2.get_reply_data.limit`).
const MAX_REPLY_DATA: u64 = 1024 * 1024;

/// The server has the file of an upload-reply job, but tells of no reply (clause
/// `up.frag_ack.reply_url_missing`).
const NO_REPLY_URL: Failure = Failure {
    code: Hresult::ERROR_WINHTTP_INVALID_SERVER_RESPONSE,
    context: bits_api::ErrorContext::REMOTE_FILE,
    transient: false,
};

/// What an upload job has beside others.
#[derive(Debug, Default)]
pub(crate) struct Upload {
    /// The session that the server keeps, while it is of use.
    pub(crate) session: Option<UploadSession>,
    /// The name of the reply file, when a client has set one.
    pub(crate) reply_name: Option<Box<str>>,
}

impl Upload {
    /// What a new job of this type has.
    pub(crate) fn of(job_type: JobType) -> Option<Box<Self>> {
        (job_type != JobType::DOWNLOAD).then(Box::default)
    }

    pub(crate) fn record(&self) -> UploadRecord {
        UploadRecord { session: self.session.clone(), reply_file_name: self.reply_name.as_deref().map(str::to_owned) }
    }

    pub(crate) fn restored(record: UploadRecord) -> Self {
        Self { session: record.session, reply_name: record.reply_file_name.map(Into::into) }
    }
}

/// What there is of a reply.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ReplyAt {
    /// The server application sent nothing.
    Nothing,
    /// It lies in this file.
    File {
        /// The reply file, or the temporary file that becomes it.
        path: PathBuf,
        /// Its size in bytes, at most 1 MB.
        length: u64,
    },
    /// It is larger than what is handed out.
    TooLarge {
        /// Its size in bytes.
        length: u64,
    },
}

impl Job {
    /// Whether the job sends a file.
    pub(crate) fn is_upload(&self) -> bool {
        self.upload.is_some()
    }

    /// Whether the file at this place is sent, not fetched.
    pub(crate) fn sends(&self, place: usize) -> bool {
        self.is_upload() && place < REPLY
    }

    /// Whether the file at this place is the reply.
    pub(crate) fn is_reply(&self, place: usize) -> bool {
        self.is_upload() && place == REPLY
    }

    /// How many files the job has for its clients.
    pub(crate) fn client_files(&self) -> usize {
        if self.is_upload() { self.files.len().min(REPLY) } else { self.files.len() }
    }

    /// The reply, once the server has told where it is.
    fn reply(&self) -> Option<&File> {
        self.is_upload().then(|| self.files.get(REPLY)).flatten()
    }

    pub(crate) fn session(&self) -> Option<&UploadSession> {
        self.upload.as_ref()?.session.as_ref()
    }

    /// What an attempt at the file in work is for.
    pub(crate) fn work(&self) -> Work {
        match &self.upload {
            None => Work::Download,
            Some(upload) if self.next == REPLY => Work::Reply { session: upload.session.clone() },
            Some(upload) => {
                Work::Upload { session: upload.session.clone(), wants_reply: self.kind == JobType::UPLOAD_REPLY }
            }
        }
    }

    /// The name of the reply file: the one that was set, or one in the folder of the uploaded file.
    /// The job's identifier, which no other job has, goes into it.
    fn reply_file_name(&self) -> Option<Box<str>> {
        if let Some(set) = self.upload.as_ref()?.reply_name.clone() {
            return Some(set);
        }
        let local_name = &self.files.first()?.local_name;
        let folder = local_name.rfind(['\\', '/']).map_or("", |last| &local_name[..=last]);
        let (high, low) = self.id.as_u64_pair();
        Some(format!("{folder}BITR{:016X}.tmp", mix(high ^ mix(low))).into())
    }

    /// Whether the reply file can be named no more: its transfer has begun.
    fn has_begun_reply(&self) -> bool {
        let is_fetched = self.attempt().is_some() || self.stopping.is_some();
        self.reply().is_some_and(|reply| reply.validators.is_some() || reply.stage != FileStage::Pending || is_fetched)
    }
}

impl Engine {
    /// Where the file in work lies: the source of an upload, or the temporary file.
    ///
    /// # Errors
    /// The code of a local name that leads nowhere any more.
    pub(crate) fn local_file(&mut self, cx: Cx<'_>, key: JobKey) -> Result<PathBuf, Hresult> {
        let job = &self.jobs[key];
        let place = job.place_in_work();
        if job.sends(place) {
            cx.world.drives.resolve(&job.files[place].local_name).map_err(code_of)
        } else {
            self.temporary_file(cx, key, place)
        }
    }

    /// The server has opened a session. It goes on record before a byte is sent: who cancels the
    /// job later must know it.
    pub(crate) fn session_opened(
        &mut self,
        cx: Cx<'_>,
        key: JobKey,
        attempt: AttemptId,
        session: UploadSession,
        (source, have): (Validators, u64),
    ) {
        let job = &mut self.jobs[key];
        let place = job.place_in_work();
        let is_current = job.attempt() == Some(attempt);
        let Some(upload) = &mut job.upload else { return };
        let is_new = upload.session.as_ref() != Some(&session);
        upload.session = Some(session);
        if is_new {
            self.persist_job(key);
        }
        if is_current {
            let job = &mut self.jobs[key];
            let is_news = job.set_validators(place, source);
            job.set_have(place, have);
            if is_news {
                self.persist_file(key, place);
            }
            self.begin_transferring(cx, key, attempt);
            self.push(Action::Proceed(attempt));
        }
    }

    /// The server has the whole file: the reply is next, if there is to be one.
    ///
    /// # Errors
    /// The failure of an attempt after which nobody knows where the reply is.
    pub(crate) fn take_upload(&mut self, cx: Cx<'_>, key: JobKey, reply: Option<String>) -> Result<(), Failure> {
        let job = &mut self.jobs[key];
        let place = job.fetching.place;
        if !job.sends(place) {
            return Ok(());
        }
        if job.kind == JobType::UPLOAD_REPLY {
            let url = reply.ok_or(NO_REPLY_URL)?;
            let local_name = job.reply_file_name().unwrap_or_default();
            match job.files.get_mut(REPLY) {
                // It was on record when the service died, and the source's end was not.
                Some(known) => *known = File::new(&url, &local_name),
                None => job.add_file(File::new(&url, &local_name)),
            }
            self.persist_file(key, REPLY);
        } else {
            self.forget_session(key);
        }
        self.take_file(cx, key, place);
        Ok(())
    }

    /// The server keeps the session no more.
    pub(crate) fn forget_session(&mut self, key: JobKey) {
        let session = self.jobs[key].upload.as_mut().and_then(|upload| upload.session.take());
        if session.is_some() {
            self.persist_job(key);
        }
    }

    /// The client has mended a source that had changed: it is sent from its beginning, as it is now
    /// (a decision, `upload.resume_after_change`).
    pub(crate) fn accept_changed_source(&mut self, key: JobKey) {
        let job = &mut self.jobs[key];
        let has_changed = job.error.is_some_and(|error| error.code == Hresult::BG_E_LOCAL_FILE_CHANGED);
        let place = job.place_in_work();
        if has_changed && job.sends(place) {
            job.begin_anew(place);
            self.persist_file(key, place);
        }
    }

    /// SetReplyFileName: where the reply goes; `None` and an empty name let one be made. Since 1.5;
    /// clauses `job2.set_reply_file_name.*`.
    ///
    /// # Errors
    /// `E_NOTIMPL` for a job of another type; `BG_E_INVALID_STATE` once the reply has begun, and in
    /// a final state; `E_INVALIDARG` for a name that breaks a rule; `ERROR_DIRECTORY` for a folder
    /// or drive that is not there, and whatever else the probe finds.
    pub fn set_reply_file_name(&mut self, cx: Cx<'_>, caller: &Token, job: JobKey, name: Option<&str>) -> Reply {
        self.change(cx, caller, job, |engine| {
            replies(&engine.jobs[job])?;
            if engine.jobs[job].has_begun_reply() {
                return Err(Hresult::BG_E_INVALID_STATE);
            }
            let name = name.filter(|name| !name.is_empty());
            if let Some(name) = name {
                let path = names::check_local(name, &cx.world.drives)?;
                may_use(cx, &caller.user, &path)?;
                cx.probe.destination(&path)?;
            }
            engine.name_reply(job, name);
            // It may go to another volume now.
            engine.class_changed(cx, job);
            engine.changed(cx, job);
            Ok(Success::OK)
        })
    }

    /// Lets the reply go to another file, also when the server has told already where it is.
    fn name_reply(&mut self, key: JobKey, name: Option<&str>) {
        if let Some(upload) = &mut self.jobs[key].upload {
            upload.reply_name = name.map(Into::into);
        }
        if self.jobs[key].reply().is_some() {
            self.forget_temporary(key, REPLY);
            let local_name = self.jobs[key].reply_file_name().unwrap_or_default();
            let reply = &mut self.jobs[key].files[REPLY];
            (reply.local_name, reply.unplaced) = (local_name, None);
            self.persist_file(key, REPLY);
        }
    }

    /// GetReplyFileName: the name that was set, or the one that was made; `None` before there is a
    /// file. Since 1.5; clauses `job2.get_reply_file_name.*`.
    ///
    /// # Errors
    /// `E_NOTIMPL` for a job of another type.
    pub fn reply_file_name(&self, caller: &Token, job: JobKey) -> Result<Option<String>, Hresult> {
        Ok(replies(self.readable(caller, job)?)?.reply_file_name().map(String::from))
    }

    /// GetReplyProgress, in bytes. Since 1.5; clauses `job2.reply_progress.*`,
    /// `job2.get_reply_progress.*`.
    ///
    /// # Errors
    /// `E_NOTIMPL` for a job of another type.
    pub fn reply_progress(&self, caller: &Token, job: JobKey) -> Result<JobReplyProgress, Hresult> {
        let reply = replies(self.readable(caller, job)?)?.reply();
        Ok(JobReplyProgress {
            bytes_total: reply.map_or(SIZE_UNKNOWN, File::size),
            bytes_transferred: reply.map_or(0, |reply| reply.have),
        })
    }

    /// GetReplyData: where the reply can be read, before and after Complete. Since 1.5; clauses
    /// `job2.get_reply_data.*`.
    ///
    /// # Errors
    /// `E_NOTIMPL` for a job of another type; `BG_E_INVALID_STATE` unless the job is or was
    /// TRANSFERRED; `ERROR_PATH_NOT_FOUND` for a drive that is not there.
    pub fn reply_data(&self, drives: &Drives, caller: &Token, job: JobKey) -> Result<ReplyAt, Hresult> {
        let job = replies(self.readable(caller, job)?)?;
        if ![JobState::TRANSFERRED, JobState::ACKNOWLEDGED].contains(&job.shown()) {
            return Err(Hresult::BG_E_INVALID_STATE);
        }
        let reply = job.reply().ok_or(Hresult::BG_E_INVALID_STATE)?;
        match reply.have {
            0 => Ok(ReplyAt::Nothing),
            length if length > MAX_REPLY_DATA => Ok(ReplyAt::TooLarge { length }),
            length => {
                let path = match &reply.temporary {
                    Some(temporary) => temporary.path().to_owned(),
                    None => drives.resolve(&reply.local_name).map_err(code_of)?,
                };
                Ok(ReplyAt::File { path, length })
            }
        }
    }
}

/// The job, if it is one that gets a reply.
///
/// # Errors
/// `E_NOTIMPL` for a job of another type.
fn replies(job: &Job) -> Result<&Job, Hresult> {
    if job.kind == JobType::UPLOAD_REPLY { Ok(job) } else { Err(Hresult::E_NOTIMPL) }
}
