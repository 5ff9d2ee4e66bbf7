//! One try of a transfer: what it is told, what it reports, and who carries it out.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bits_api::{ErrorContext, FileAclFlags, FileTime, Hresult};
use bits_world::Sid;
use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::auth::Logins;
use crate::certificates::Certificates;
use crate::download::RedirectPolicy;
use crate::layout::Layout;
use crate::proxy::Proxying;

/// An attempt, numbered through the life of the service; never used twice.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AttemptId(pub u64);

/// Attempts of one chain follow each other and may share a connection: the files of one job.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ChainId(pub u64);

/// Whether a transfer competes for bandwidth; decides about Range requests too.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Urgency {
    /// A foreground job: the whole file is asked for without Range below 2 GB.
    Foreground,
    /// A background job: asks by Range.
    Background,
}

/// What tells one version of a file from the next (clauses `files.consistency.by`,
/// `files.consistency.upload_change`).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Validators {
    /// Size in bytes; BG_SIZE_UNKNOWN for dynamic content whose end is not there yet.
    pub size: u64,
    /// Last-Modified, where the server gave one; the time stamp of a local file.
    pub last_modified: Option<FileTime>,
}

/// In whose name an attempt uses files and network (clauses `users.context`, `helper.uses`).
///
/// Real files and sockets know nothing of the emulated machine's accounts; simulated ones do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identities {
    /// Who opens local files.
    pub local: Sid,
    /// Who opens remote files, and answers servers and proxies.
    pub network: Sid,
}

/// What an attempt makes of what earlier ones have left.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Begin {
    /// Goes on with it.
    #[default]
    GoOn,
    /// Goes on with it, at another place: a server there that cannot is asked for all of it
    /// (clauses `file2.set_remote_name.restart`, `job3.replace_remote_prefix.restart`).
    Elsewhere,
    /// Throws it away: the temporary file is ours, but what it holds is worth nothing.
    Anew,
}

/// What a download or a reply fetches.
#[derive(Clone, Debug, Default)]
pub struct Fetch {
    /// What of the remote file goes where.
    pub layout: Layout,
    /// What becomes of what is there.
    pub begin: Begin,
    /// Whether the local file is the destination itself, which is replaced if it is there (clause
    /// `job5.high_performance.direct_write`).
    pub direct: bool,
    /// Content that the server makes up as it is asked for: without HEAD, size and ranges, and
    /// always from the first byte (clauses `job5.dynamic_content.*`).
    pub dynamic: bool,
    /// The method that asks for the file in place of GET, for servers without the requirements of
    /// BITS: goes with `dynamic` (clauses `http_options2.set_http_method.*`).
    pub method: Option<String>,
    /// The most bytes that may be there of the layout (clauses `job5.max_download_size.*`).
    pub most: Option<u64>,
    /// What becomes of redirects; a reply is fetched by the default, as the policy of a job has no
    /// effect on uploads (clause `http_options.set_security_flags.redirect_not_uploads`).
    pub redirects: RedirectPolicy,
    /// The server that the client has named, as a URL, where that is not the one of the attempt's
    /// URL: a redirect has led there. Credentials of the job are for it alone (a decision,
    /// `http_options.redirect_with_credentials`).
    pub named_server: Option<String>,
    /// The file that is copied, where the remote name leads to one instead of to the web.
    pub source: Option<SourceFile>,
}

/// A file of a share or a drive that is to be copied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SourceFile {
    /// Where it is.
    pub path: PathBuf,
    /// What the copy keeps of its owner and access lists (clauses `job3.file_acl.*`).
    pub kept: FileAclFlags,
}

/// What an attempt is told.
#[derive(Clone, Debug)]
pub struct AttemptPlan {
    /// Which attempt.
    pub attempt: AttemptId,
    /// Whose connection it may take over.
    pub chain: ChainId,
    /// What it is for.
    pub work: Work,
    /// Where to: the remote name, or the URL of a reply.
    pub url: String,
    /// The local file: the temporary file of a download, made when it is not there, whose length
    /// is the progress so far; the source of an upload, which is only read.
    pub local: PathBuf,
    /// In whose name.
    pub identities: Identities,
    /// What is fetched, where there is something to fetch.
    pub fetch: Fetch,
    /// How it finds its way to each server.
    pub proxying: Proxying,
    /// How to ask.
    pub urgency: Urgency,
    /// How fast it may be, in kilobits a second; `None` is as fast as it can.
    pub limit: Option<u32>,
    /// What every request carries beside BITS' own headers.
    pub custom_headers: Option<Secret>,
    /// What servers and proxies that ask are told.
    pub logins: Arc<Logins>,
    /// By what servers of HTTPS are judged, and what they are shown.
    pub certificates: Certificates,
    /// Whether the application looks at servers of HTTPS, and who asks it.
    pub vetting: Vetting,
    /// What earlier attempts have learned of the file that is moved. Of a remote file it goes on
    /// record before the temporary file is made: without it, a file of that name is somebody
    /// else's. Of the source of an upload it tells the version that the session was opened for.
    pub known: Option<Validators>,
}

/// Whether the application has a say about servers of HTTPS (clauses `server_cert_callback.*`).
#[derive(Clone, Debug, Default)]
pub enum Vetting {
    /// It has none.
    #[default]
    Unwanted,
    /// It has; whoever starts the attempt says who asks it.
    Wanted,
    /// It has, and this one asks it.
    By(Arc<dyn Vetter>),
}

/// Asks an application about a server, in the middle of a handshake. May block.
pub trait Vetter: fmt::Debug + Send + Sync {
    /// Whether the application takes the server.
    ///
    /// # Errors
    /// What the attempt ends with when it does not, or cannot be asked.
    fn vet(&self, server: &PresentedServer<'_>) -> Result<(), Failure>;

    /// Whether the application has taken this server before and need not be asked again. Never
    /// blocks.
    fn has_taken(&self, _server: &PresentedServer<'_>) -> bool {
        false
    }

    /// Whether the application has its say just now: somebody else then tells whether it still runs.
    fn is_asking(&self) -> bool {
        false
    }

    /// Whether the application has ended while it was asked: nobody waits for its answer any longer
    /// than for a server's. Never blocks.
    fn is_gone(&self) -> bool {
        false
    }

    /// Who is asked: those of one number, of all attempts of a mover, are asked one after the other.
    /// `None` for one that any number of attempts may ask at the same time.
    fn client(&self) -> Option<u64> {
        None
    }
}

/// A server as it presents itself.
#[derive(Clone, Copy, Debug)]
pub struct PresentedServer<'a> {
    /// Name and port, as `name:port`.
    pub endpoint: &'a str,
    /// The DER of its certificates, its own first.
    pub chain: &'a [&'a [u8]],
}

/// What an attempt is for.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Work {
    /// Fetch a file of a download job.
    Download,
    /// Send the file of an upload job.
    Upload {
        /// The session that an earlier attempt has opened. When the version of its source is not
        /// known any more, it is given up and another one opened.
        session: Option<UploadSession>,
        /// Whether the server application is to send a reply.
        wants_reply: bool,
    },
    /// Fetch the reply of an upload, as a download; then the session is over.
    Reply {
        /// The session, unless it is over already.
        session: Option<UploadSession>,
    },
    /// Tell the server that the client wants nothing more of a session: what it holds of an
    /// unfinished upload goes, and so does a reply. No local file is touched, nothing follows on
    /// the chain, and no [`Mover::release`] of it.
    GiveUp {
        /// The session.
        session: UploadSession,
    },
}

/// By what a server knows an upload again.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct UploadSession {
    /// The identifier that the server has chosen.
    pub id: String,
}

/// What an attempt reports, in this order: `Connected`, any number of `Progress`, `Ended` exactly
/// once and last; `Answered`, `Redirected` and `CredentialsJudged` before any of them.
///
/// `Connected` may be missing: nobody answered, or every byte of a known file was there. It comes
/// again, and waits again for [`Mover::proceed`], when the remote file turns out to have changed
/// between two ranges of a large file, or the size of dynamic content is known at last.
///
/// Bytes are counted along the pieces of the layout; a scattered one begins at zero.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AttemptReport {
    /// A server has answered; an answer to be followed, or refused, counts too.
    Answered(ResponseHead),
    /// The server has sent the file's requests elsewhere: this is its remote name from now on,
    /// whether they were followed there or that was refused. Comes before `Connected`, or before
    /// an end of failure (clauses `http_options.security_flags.redirect_*`).
    Redirected {
        /// The URL, without credentials and fragment.
        url: String,
    },
    /// Credentials of the job were sent because somebody asked for them, and this has come of it
    /// (clauses `event.credentials_*`).
    CredentialsJudged {
        /// The host that has asked: a server or a proxy.
        by: String,
        /// Whether it has accepted them.
        accepted: bool,
    },
    /// The server has answered and the file is known. The attempt writes nothing to the temporary
    /// file before [`Mover::proceed`]; what had to be thrown away was thrown away before this.
    Connected {
        /// The remote file as it is now.
        validators: Validators,
        /// Bytes of it that the temporary file holds.
        have: u64,
    },
    /// The server takes the upload, in a session that it keeps. Nothing is sent before
    /// [`Mover::proceed`].
    SessionOpen {
        /// The session.
        session: UploadSession,
        /// The source as it is now.
        source: Validators,
        /// Bytes of it that the server has.
        have: u64,
    },
    /// More of the file has been written, or taken by the server.
    Progress {
        /// Bytes that the temporary file holds, or the server has.
        have: u64,
    },
    /// The attempt is over and touches the local file no more.
    Ended(AttemptEnd),
}

/// The status line and the headers of an answer, each line ended by CR LF, and an empty line (a
/// decision, `file5.get_property.complete_set`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResponseHead(pub Arc<str>);

/// How an attempt ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AttemptEnd {
    /// Everything that was to be fetched is there.
    Done,
    /// The server has the whole file of an upload.
    Uploaded {
        /// Where the reply is, once the server application has given one.
        reply: Option<String>,
    },
    /// The remote file is another one than what is there of a scattered layout.
    Changed,
    /// It was told to stop.
    Stopped,
    /// It failed.
    Failed(Failure),
}

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Failure {
    /// The code that the client sees.
    pub code: Hresult,
    /// Where it arose.
    pub context: ErrorContext,
    /// Whether trying again can help.
    pub transient: bool,
}

/// ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION, ERROR_TOO_MANY_OPEN_FILES, ERROR_OUTOFMEMORY.
const HELD_BY_OTHERS: [u16; 4] = [32, 33, 4, 14];
/// ERROR_BAD_NETPATH, ERROR_UNEXP_NET_ERR, ERROR_NETNAME_DELETED, ERROR_SEM_TIMEOUT.
const SERVER_AWAY: [u16; 4] = [53, 59, 64, 121];

impl Failure {
    /// Of a job whose local file cannot be used (decision `files.local_failures`): what others hold
    /// is given back by itself, the rest stays until somebody acts.
    pub fn of_local_file(code: Hresult) -> Self {
        let transient = HELD_BY_OTHERS.map(Hresult::from_win32).contains(&code);
        Self { code, context: ErrorContext::LOCAL_FILE, transient }
    }

    /// Of a job whose source is a file that cannot be had (decision `smb.failures`): a server may
    /// come back by itself too.
    pub fn of_remote_file(code: Hresult) -> Self {
        let passing = [HELD_BY_OTHERS, SERVER_AWAY].concat();
        let transient = passing.into_iter().any(|win32| code == Hresult::from_win32(win32));
        Self { code, context: ErrorContext::REMOTE_FILE, transient }
    }
}

impl Failure {
    /// The application that has a say about the server cannot be asked: it has to come back (clause
    /// `http_options3.set_server_cert_validation.unreachable`).
    pub const NO_VETTER: Self = Self {
        code: Hresult::BG_E_SERVER_CERT_VALIDATION_INTERFACE_REQUIRED,
        context: ErrorContext::SERVER_CERTIFICATE_CALLBACK,
        transient: false,
    };
}

/// HRESULT_FROM_WIN32(ERROR_FILE_EXISTS): a temporary file that is to be made is there already.
pub const ERROR_FILE_EXISTS: Hresult = Hresult::from_win32(80);

/// HRESULT_FROM_WIN32(ERROR_FILE_INVALID): a finished temporary file has not the length that it
/// had when it was finished.
pub const ERROR_FILE_INVALID: Hresult = Hresult::from_win32(1006);

/// Where a mover sends its reports.
pub type Reports = Arc<dyn Fn(AttemptId, AttemptReport) + Send + Sync>;

/// Carries out attempts: over real sockets, or simulated.
pub trait Mover: Send + Sync {
    /// Begins an attempt. Never waits; reports may come before this returns.
    fn start(&self, plan: AttemptPlan, reports: Reports);

    /// What the attempt reported by `Connected` or `SessionOpen` is on record: it may go on.
    fn proceed(&self, attempt: AttemptId);

    /// An attempt may be that fast from now on, in kilobits a second; `None` is as fast as it can.
    /// A mover that knows no limits does nothing.
    fn limit(&self, _attempt: AttemptId, _limit: Option<u32>) {}

    /// Asks an attempt to stop. Never waits; `Ended` follows, unless it was reported already.
    fn stop(&self, attempt: AttemptId);

    /// No attempt of the chain follows soon: its connection may go.
    fn release(&self, chain: ChainId);

    /// Ends every attempt. Returns when none touches a file any more; nothing is reported after.
    fn shut_down(&self);

    /// An attempt that still moves by itself, in words; `None` when each has ended or waits for
    /// something that a virtual clock or a test decides. With a real clock nobody asks.
    fn running(&self) -> Option<String>;
}

/// What can be asked about local files without changing them.
pub trait Probe {
    /// Whether the caller could make a file of this name.
    ///
    /// # Errors
    /// The HRESULT that AddFile gives: a missing folder, a refused access, a path that is none.
    fn destination(&self, path: &Path) -> Result<(), Hresult>;

    /// The answers of [`Probe::destination`] on each of `paths`.
    fn destinations(&self, paths: &[PathBuf]) -> Vec<Result<(), Hresult>> {
        paths.iter().map(|path| self.destination(path)).collect()
    }

    /// Whether the caller could read the file of this name, to upload it.
    ///
    /// # Errors
    /// The HRESULT that AddFile gives: no such file, a refused access, a path that is none.
    fn source(&self, path: &Path) -> Result<(), Hresult>;

    /// The length of a file, or `None` when it is not there: its folder is, and has no file of
    /// this name.
    ///
    /// # Errors
    /// The HRESULT of what keeps it from being told. A file that nobody can look at may well be
    /// there: it must not be taken for one that is gone.
    fn length(&self, path: &Path) -> Result<Option<u64>, Hresult>;

    /// Whether a file of this name is known to be there.
    fn is_there(&self, path: &Path) -> bool {
        matches!(self.length(path), Ok(Some(_)))
    }
}

/// The local files that the service names and removes; attempts write them.
pub trait Disk: Probe + Send + Sync {
    /// Gives a finished temporary file of `length` bytes its name, replacing what is there, and
    /// the server's time.
    ///
    /// # Errors
    /// The HRESULT of what went wrong, `ERROR_FILE_INVALID` for a file of another length; the
    /// temporary file is then still there.
    fn publish(
        &self,
        temporary: &Path,
        destination: &Path,
        length: u64,
        modified: Option<FileTime>,
    ) -> Result<(), Hresult>;

    /// The first `length` bytes of a file.
    ///
    /// # Errors
    /// The HRESULT of what went wrong, `ERROR_FILE_INVALID` for a file that is shorter.
    fn read(&self, path: &Path, length: u64) -> Result<Vec<u8>, Hresult>;

    /// Whether there is a file or a folder of just this name.
    fn has(&self, path: &Path) -> bool;

    /// The names of the files and folders in a folder, in any order.
    fn names_in(&self, folder: &Path) -> Vec<OsString>;

    /// Removes a temporary file; one that is not there is no error.
    ///
    /// # Errors
    /// The HRESULT of what went wrong.
    fn delete(&self, path: &Path) -> Result<(), Hresult>;
}
