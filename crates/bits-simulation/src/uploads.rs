//! The servers' side of uploads: sessions, what has arrived in them, and an application that
//! replies.

use std::collections::BTreeMap;

use bits_api::{ErrorContext, Hresult};
use bits_wire::attempt::{AttemptEnd, AttemptReport, Failure, UploadSession, Validators, Work};

use crate::mover::{Attempt, Reach, Step, failed};

/// The source is not what it was when its session was opened.
const CHANGED: Failure = of_local_file(Hresult::BG_E_LOCAL_FILE_CHANGED);
const NO_SOURCE: Failure = of_local_file(Hresult::ERROR_FILE_NOT_FOUND);

const fn of_local_file(code: Hresult) -> Failure {
    Failure { code, context: ErrorContext::LOCAL_FILE, transient: false }
}

/// Every session, by its identifier.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    sessions: BTreeMap<String, Session>,
    opened: u64,
}

#[derive(Debug)]
struct Session {
    url: String,
    received: Vec<u8>,
    is_stored: bool,
    /// Where the reply is.
    reply: Option<String>,
}

impl Sessions {
    fn open(&mut self, url: &str) -> UploadSession {
        self.opened += 1;
        let id = format!("session {}", self.opened);
        let session = Session { url: url.into(), received: Vec::new(), is_stored: false, reply: None };
        self.sessions.insert(id.clone(), session);
        UploadSession { id }
    }

    /// The client wants no more of a session: what is not stored goes.
    fn give_up(&mut self, session: &UploadSession) {
        if self.sessions.get(&session.id).is_some_and(|session| !session.is_stored) {
            self.sessions.remove(&session.id);
        }
    }

    /// Whether `content` was stored as it is, as an upload to `url`.
    pub(crate) fn has_stored(&self, url: &str, content: &[u8]) -> bool {
        self.sessions.values().any(|session| session.is_stored && session.url == url && session.received == content)
    }
}

impl Attempt {
    /// The server answers an attempt to upload, or to give an upload up.
    pub(crate) fn open_session(&mut self, reach: &mut Reach<'_>) -> AttemptReport {
        if let Work::GiveUp { session } = &self.plan.work {
            reach.sessions.give_up(session);
            return AttemptReport::Ended(AttemptEnd::Done);
        }
        let Some(source) = reach.files.version(&self.plan.local) else { return failed(NO_SOURCE) };
        if self.plan.known.is_some_and(|known| known != source) {
            return failed(CHANGED);
        }
        let Work::Upload { session, .. } = &mut self.plan.work else { panic!("no upload: {:?}", self.plan) };
        if self.plan.known.is_none()
            && let Some(stale) = session.take()
        {
            reach.sessions.give_up(&stale);
        }
        let is_kept = session.as_ref().is_some_and(|session| reach.sessions.sessions.contains_key(&session.id));
        if !is_kept {
            *session = Some(reach.sessions.open(&self.plan.url));
        }
        let session = session.clone().expect("a session that was opened");
        let have = reach.sessions.sessions[&session.id].received.len() as u64;
        (self.step, self.plan.known) = (Step::Waiting(source), Some(source));
        AttemptReport::SessionOpen { session, source, have }
    }

    /// The server takes more of an upload.
    pub(crate) fn send(&mut self, known: Validators, reach: &mut Reach<'_>) -> AttemptReport {
        let Work::Upload { session: Some(session), wants_reply } = &self.plan.work else {
            panic!("no session: {:?}", self.plan)
        };
        if reach.files.version(&self.plan.local) != Some(known) {
            return failed(CHANGED);
        }
        let source = &reach.files.there[&self.plan.local].bytes;
        let session = reach.sessions.sessions.get_mut(&session.id).expect("a session that the server keeps");
        let have = session.received.len();
        if have < source.len() {
            let more = 1 + reach.chance.below(source.len() - have);
            session.received.extend_from_slice(&source[have..have + more]);
            return AttemptReport::Progress { have: session.received.len() as u64 };
        }
        session.is_stored = true;
        if *wants_reply && session.reply.is_none() {
            session.reply = Some(reach.origin.serve_beside(&self.plan.url, reach.chance));
        }
        AttemptReport::Ended(AttemptEnd::Uploaded { reply: session.reply.clone() })
    }
}
