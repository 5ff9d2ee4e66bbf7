//! Simulated uploads: a server that takes them at every URL, and an application behind it that
//! replies.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bits_api::{ErrorContext, FileTime, Hresult};
use bits_wire::CustomHeaders;
use bits_wire::attempt::{AttemptEnd, AttemptPlan, AttemptReport, Failure, UploadSession, Validators, Work};
use bits_wire::upload::application_failure;

use bits_world::Touch;

use super::{Attempt, Remote, SimFailure, Simulation, Step, failed, moved_to};

/// The server's and the disk's side of uploads.
#[derive(Default)]
pub(super) struct Uploads {
    /// By their identifiers, which count up.
    sessions: BTreeMap<String, Session>,
    opened: u64,
    /// The largest file that the server takes, in bytes.
    limit: Option<u64>,
    /// The custom header that the application at each URL refuses, and the status it does that by.
    refused_headers: HashMap<String, (String, u16)>,
    /// What the application replies at each URL.
    replies: HashMap<String, SimReply>,
    /// When each local file was written.
    stamps: HashMap<PathBuf, FileTime>,
    written: u64,
    /// What is in those local files that have been looked into.
    contents: HashMap<PathBuf, Arc<[u8]>>,
}

struct Session {
    url: String,
    received: u64,
    stage: SimUploadStage,
    keeps_reply: bool,
}

/// What the server application does with an upload that is to be answered.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum SimReply {
    /// It sends no reply, which is an empty one.
    #[default]
    Nothing,
    /// It sends these bytes.
    Bytes(Vec<u8>),
    /// The server never tells where the reply is.
    Untold,
}

/// An upload as the simulated server sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SimUpload {
    /// Where it was sent to.
    pub url: String,
    /// Bytes that the server has.
    pub received: u64,
    /// What became of it.
    pub stage: SimUploadStage,
    /// Whether a reply waits to be fetched.
    pub keeps_reply: bool,
}

/// What became of a simulated upload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SimUploadStage {
    /// The server waits for the rest.
    Unfinished,
    /// The server has the whole file, for good.
    Stored,
    /// The client has given it up, and the server has thrown away what it had.
    Discarded,
}

impl Simulation {
    /// Puts a local file of `size` bytes in place, to be uploaded. Each time it is another version.
    pub fn write(&self, path: impl Into<PathBuf>, size: u64) {
        let path = path.into();
        let mut state = self.lock();
        state.uploads.written += 1;
        let stamp = FileTime::from_unix_seconds(1_500_000_000 + state.uploads.written);
        state.uploads.stamps.insert(path.clone(), stamp);
        state.local.insert(path, size);
    }

    /// Lets the server application refuse uploads to `url` whose requests have a custom header of
    /// this name, with this HTTP status.
    pub fn refuse_header(&self, url: &str, name: &str, status: u16) {
        self.lock().uploads.refused_headers.insert(url.to_owned(), (name.to_owned(), status));
    }

    /// Lets the server application answer uploads to `url` like this; without it, with nothing.
    pub fn reply(&self, url: &str, reply: SimReply) {
        self.lock().uploads.replies.insert(url.into(), reply);
    }

    /// Where the reply to uploads to `url` is fetched: what holds and fails attempts takes it too.
    pub fn reply_url(url: &str) -> String {
        format!("{url}.reply")
    }

    /// Lets the server application answer the next upload to `url` with this HTTP status, once it
    /// has the whole file.
    pub fn fail_application(&self, url: &str, status: u16) {
        self.fail_next(url, SimFailure { at: Some(u64::MAX), failure: application_failure(status) });
    }

    /// Lets the server take no file above so many bytes: its BITSMaximumUploadSize (clause
    /// `struct.file_info.size_upload`).
    pub fn limit_uploads(&self, bytes: u64) {
        self.lock().uploads.limit = Some(bytes);
    }

    /// The uploads that the server has seen, in the order in which they began.
    pub fn uploads(&self) -> Vec<SimUpload> {
        let seen = |session: &Session| SimUpload {
            url: session.url.clone(),
            received: session.received,
            stage: session.stage,
            keeps_reply: session.keeps_reply,
        };
        self.lock().uploads.sessions.values().map(seen).collect()
    }
}

impl Uploads {
    /// The server answers an attempt to upload.
    pub(super) fn connect(
        &mut self,
        attempt: &mut Attempt,
        remote: &Remote,
        local: &BTreeMap<PathBuf, u64>,
    ) -> AttemptReport {
        let plan = &mut attempt.plan;
        if let Some((_, status)) = self.refused_headers.get(&plan.url).filter(|(name, _)| carries(plan, name)) {
            return failed(application_failure(*status));
        }
        // Uploads follow no redirect: it is a status like any other of the server application.
        if let Some(redirect) = &remote.redirect {
            return failed(application_failure(redirect.status));
        }
        if let Work::GiveUp { session } = &plan.work {
            self.discard(session);
            return AttemptReport::Ended(AttemptEnd::Done);
        }
        if let Err(code) = attempt.storage.may(&plan.local, Touch::Read) {
            return failed(Failure::of_local_file(code));
        }
        let Some(source) = self.version(&plan.local, local) else {
            return failed(of_local_file(Hresult::ERROR_FILE_NOT_FOUND));
        };
        if plan.known.is_some_and(|known| known != source) {
            return failed(CHANGED);
        }
        let Work::Upload { session, .. } = &mut plan.work else { return failed(NOT_AN_UPLOAD) };
        if plan.known.is_none()
            && let Some(stale) = session.take()
        {
            self.discard(&stale);
        }
        if self.limit.is_some_and(|limit| source.size > limit) {
            return failed(TOO_LARGE);
        }
        let is_known = session.as_ref().is_some_and(|session| self.sessions.contains_key(&session.id));
        let opened = match session {
            Some(session) if is_known => session.clone(),
            _ => self.open(&plan.url),
        };
        (*session, plan.known) = (Some(opened.clone()), Some(source));
        attempt.step = Step::AwaitingProceed;
        let have = self.sessions.get(&opened.id).map_or(0, |session| session.received);
        AttemptReport::SessionOpen { session: opened, source, have }
    }

    /// The next report of an upload that the server takes, or `None` while it is held.
    pub(super) fn send(
        &mut self,
        attempt: &mut Attempt,
        remotes: &mut HashMap<String, Remote>,
        local: &BTreeMap<PathBuf, u64>,
    ) -> Option<AttemptReport> {
        let plan = &attempt.plan;
        if let Err(code) = attempt.storage.may(&plan.local, Touch::Read) {
            return Some(failed(Failure::of_local_file(code)));
        }
        let source = self.version(&plan.local, local);
        if source != plan.known {
            return Some(failed(CHANGED));
        }
        let Work::Upload { session: Some(session), wants_reply } = &plan.work else { return None };
        let size = source.map_or(0, |source| source.size);
        let remote = remotes.entry(plan.url.clone()).or_default();
        let session = self.sessions.get_mut(&session.id)?;
        if let Some(report) = moved_to(remote, size, &mut session.received, attempt.pace.as_mut())? {
            return Some(report);
        }
        session.stage = SimUploadStage::Stored;
        let reply = wants_reply.then(|| self.replies.get(&plan.url).cloned().unwrap_or_default());
        let length = match &reply {
            None | Some(SimReply::Untold) => {
                return Some(AttemptReport::Ended(AttemptEnd::Uploaded { reply: None }));
            }
            Some(SimReply::Nothing) => 0,
            Some(SimReply::Bytes(bytes)) => bytes.len() as u64,
        };
        session.keeps_reply = true;
        let url = Simulation::reply_url(&plan.url);
        let stamp = FileTime::from_unix_seconds(1_600_000_000);
        remotes.entry(url.clone()).or_default().validators =
            Some(Validators { size: length, last_modified: Some(stamp) });
        Some(AttemptReport::Ended(AttemptEnd::Uploaded { reply: Some(url) }))
    }

    /// A reply has been fetched: what was in it lies in the local file, and the session is over.
    pub(super) fn reply_fetched(&mut self, attempt: &Attempt) {
        let Work::Reply { session: Some(session) } = &attempt.plan.work else { return };
        let Some(session) = self.sessions.get_mut(&session.id) else { return };
        session.keeps_reply = false;
        if let Some(SimReply::Bytes(bytes)) = self.replies.get(&session.url) {
            self.contents.insert(attempt.plan.local.clone(), bytes.as_slice().into());
        }
    }

    /// The client wants nothing more of a session.
    fn discard(&mut self, session: &UploadSession) {
        if let Some(session) = self.sessions.get_mut(&session.id) {
            session.keeps_reply = false;
            if session.stage == SimUploadStage::Unfinished {
                (session.stage, session.received) = (SimUploadStage::Discarded, 0);
            }
        }
    }

    fn open(&mut self, url: &str) -> UploadSession {
        self.opened += 1;
        let id = format!("{:08}", self.opened);
        let session =
            Session { url: url.to_owned(), received: 0, stage: SimUploadStage::Unfinished, keeps_reply: false };
        self.sessions.insert(id.clone(), session);
        UploadSession { id }
    }

    /// The version of a local file, if it is there.
    pub(super) fn version(&self, path: &Path, local: &BTreeMap<PathBuf, u64>) -> Option<Validators> {
        let size = *local.get(path)?;
        Some(Validators { size, last_modified: self.stamps.get(path).copied() })
    }

    /// What is in a local file, if anybody has put something in.
    pub(super) fn content(&self, path: &Path) -> Option<&[u8]> {
        self.contents.get(path).map(|bytes| &**bytes)
    }

    /// A local file has got another name.
    pub(super) fn renamed(&mut self, from: &Path, to: &Path) {
        match self.contents.remove(from) {
            Some(bytes) => _ = self.contents.insert(to.to_owned(), bytes),
            None => _ = self.contents.remove(to),
        }
    }

    pub(super) fn deleted(&mut self, path: &Path) {
        self.contents.remove(path);
        self.stamps.remove(path);
    }
}

/// Whether the requests of an attempt have a custom header of this name.
fn carries(plan: &AttemptPlan, name: &str) -> bool {
    let custom = plan.custom_headers.as_ref().and_then(|text| CustomHeaders::parse(text.expose()));
    custom.is_some_and(|custom| custom.contains(name))
}

/// Work of a kind that nobody here knows.
const NOT_AN_UPLOAD: Failure = Failure { code: Hresult::E_NOTIMPL, context: ErrorContext::UNKNOWN, transient: false };

/// The file is larger than what the server takes.
const TOO_LARGE: Failure =
    Failure { code: Hresult::BG_E_TOO_LARGE, context: ErrorContext::REMOTE_FILE, transient: false };

/// The source is not what it was when its session was opened.
const CHANGED: Failure = of_local_file(Hresult::BG_E_LOCAL_FILE_CHANGED);

const fn of_local_file(code: Hresult) -> Failure {
    Failure { code, context: ErrorContext::LOCAL_FILE, transient: false }
}
