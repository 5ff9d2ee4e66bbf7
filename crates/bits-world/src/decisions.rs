//! Choices where the documentation is silent and a wrong guess could hurt.
//!
//! Where a choice decides something, a note is left: a test can tell which of its results hang on a
//! guess.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// An entry of `fixtures/decisions.toml` that has a switch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Switch {
    /// `sched.slice_length`: how long a background job runs before the next of its priority.
    TimeSlice,
    /// `callback.job_transferred.retry`: how long until a failed callback is called again.
    NotifyRetry,
    /// `http.stall_timeout`: how long a server may be silent before the attempt fails.
    StallTimeout,
    /// `manager.create_job.type_undefined`: what CreateJob gives for a type that is none.
    UndefinedType,
    /// `manager.enum_jobs.flags_undefined`: what EnumJobs gives for flags that are none.
    UndefinedEnumFlags,
    /// `job.add_file_set.zero_count`: what AddFileSet gives for no files.
    EmptySet,
    /// `struct.file_info.local_dirs_exist`: what AddFile gives for a folder that is not there.
    MissingFolder,
    /// `job.add_file.duplicate_local`: whether two files of a job may have one local name.
    DuplicateLocal,
    /// `job.add_file.dest_exists`: what Complete does to a file that has the name already.
    DestinationExists,
    /// `job.suspend.from_transferred`: whether Suspend leads out of TRANSFERRED.
    SuspendTransferred,
    /// `job.resume.from_transferred_no_files`: whether Resume leads out of TRANSFERRED.
    ResumeTransferred,
    /// `job.complete.none_transferred`: what Complete gives when nothing was transferred.
    NothingTransferred,
    /// `job.get_error_count.not_counted`: whether a failure counts that comes while CONNECTING.
    ConnectingCounts,
    /// `retry.quick_attempts`: how often a connection that fails is tried again at once.
    QuickAttempts,
    /// `retry.timeout_error`: the error of a job that is given up without progress.
    GivenUpError,
    /// `sched.preempt`: whether a preempted job keeps its place and the rest of its time slice.
    PreemptedPlace,
    /// `users.remote_sessions`: whether the manager serves WinRM and PowerShell Direct sessions.
    RemoteSessions,
    /// `http.open.200_for_range`: whether a range that is the whole file may be answered by 200.
    WholeForRange,
    /// `http.ranges_per_request`: how many ranges one request asks for at most.
    RangesPerRequest,
    /// `http.open.412`: whether a file whose condition no longer holds starts over.
    Answer412,
    /// `http.status_classes`: whether trying again helps after 429 (Too Many Requests).
    TooManyRequests,
    /// `http.redirects_refused`: the code of a redirect that is not followed.
    RefusedRedirect,
    /// `http.redirects_followed`: how many redirects one attempt follows.
    MostRedirects,
    /// `http.redirects_kept`: whether each request of an attempt is redirected anew.
    RedirectsKept,
    /// `http_options.redirect_with_custom_headers`: whether custom headers go along to another server.
    RedirectedHeaders,
    /// `http_options.custom_headers.own`: whether a client's word stands in place of BITS' own.
    OwnHeaders,
    /// `http_options.custom_headers.reserved`: whether SetCustomHeaders takes what is never sent.
    ReservedHeaders,
    /// `http.content_coding`: whether content that is coded, unasked for, is kept as it comes.
    ContentCoding,
    /// `http.head_refused`: whether the size is asked for by GET where HEAD is refused.
    HeadRefused,
    /// `http.cookies`: whether a server is told what it has asked to be told again.
    Cookies,
    /// `http_options.certificate_faults`: whether each fault of a server certificate has its code.
    CertificateFaults,
    /// `auth.digest.sha256`: whether Digest is answered with SHA-256.
    DigestSha256,
    /// `job.set_proxy_settings.commas`: whether commas separate the proxies of a list.
    ProxyListCommas,
    /// `job2.set_credentials.malformed`: whether SetCredentials refuses what its scheme cannot send.
    MalformedCredentials,
    /// `job2.set_credentials.missing_members`: whether SetCredentials refuses a NULL with PASSPORT.
    MissingCredentials,
    /// `http_options.redirect_with_credentials`: whether credentials go along to another server.
    RedirectedCredentials,
    /// `http.url_credentials`: whether those of a URL answer its server.
    UrlCredentials,
    /// `passport.failure`: the code of a sign-in that leads nowhere, though nobody has refused it.
    PassportFailure,
    /// `http.spare_connections`: whether a job goes on with a connection that another has left.
    SpareConnections,
}

/// What a switch takes.
#[derive(Clone, Copy)]
enum Takes {
    /// Whole seconds above 0; without another choice, so many.
    Seconds(u64),
    /// A number; without another choice, this.
    Count(u64),
    /// One of two words; without another choice, the first.
    Word([&'static str; 2]),
}

struct Row {
    switch: Switch,
    /// The id of the entry.
    id: &'static str,
    takes: Takes,
}

/// Every switch, in the order of [`Switch`].
#[rustfmt::skip]
const ROWS: &[Row] = &[
    row(Switch::TimeSlice,          "sched.slice_length",                    Takes::Seconds(300)),
    row(Switch::NotifyRetry,        "callback.job_transferred.retry",        Takes::Seconds(60)),
    row(Switch::StallTimeout,       "http.stall_timeout",                    Takes::Seconds(300)),
    row(Switch::UndefinedType,      "manager.create_job.type_undefined",     Takes::Word(["E_NOTIMPL", "E_INVALIDARG"])),
    row(Switch::UndefinedEnumFlags, "manager.enum_jobs.flags_undefined",     Takes::Word(["E_NOTIMPL", "E_INVALIDARG"])),
    row(Switch::EmptySet,           "job.add_file_set.zero_count",           Takes::Word(["E_INVALIDARG", "S_OK"])),
    row(Switch::MissingFolder,      "struct.file_info.local_dirs_exist",     Takes::Word(["ERROR_DIRECTORY", "ERROR_PATH_NOT_FOUND"])),
    row(Switch::DuplicateLocal,     "job.add_file.duplicate_local",          Takes::Word(["accepted", "refused"])),
    row(Switch::DestinationExists,  "job.add_file.dest_exists",              Takes::Word(["replaced", "refused"])),
    row(Switch::SuspendTransferred, "job.suspend.from_transferred",          Takes::Word(["suspended", "stays"])),
    row(Switch::ResumeTransferred,  "job.resume.from_transferred_no_files",  Takes::Word(["stays", "queued"])),
    row(Switch::NothingTransferred, "job.complete.none_transferred",         Takes::Word(["BG_S_PARTIAL_COMPLETE", "S_OK"])),
    row(Switch::ConnectingCounts,   "job.get_error_count.not_counted",       Takes::Word(["counted", "not_counted"])),
    row(Switch::QuickAttempts,      "retry.quick_attempts",                  Takes::Count(0)),
    row(Switch::GivenUpError,       "retry.timeout_error",                   Takes::Word(["last", "BG_E_NO_PROGRESS"])),
    row(Switch::PreemptedPlace,     "sched.preempt",                         Takes::Word(["kept", "lost"])),
    row(Switch::RemoteSessions,     "users.remote_sessions",                 Takes::Word(["refused", "served"])),
    row(Switch::WholeForRange,      "http.open.200_for_range",               Takes::Word(["BG_E_INSUFFICIENT_RANGE_SUPPORT", "accepted"])),
    row(Switch::RangesPerRequest,   "http.ranges_per_request",               Takes::Count(20)),
    row(Switch::Answer412,          "http.open.412",                         Takes::Word(["starts_over", "BG_E_HTTP_ERROR_412"])),
    row(Switch::TooManyRequests,    "http.status_classes",                   Takes::Word(["fatal", "transient"])),
    row(Switch::RefusedRedirect,    "http.redirects_refused",                Takes::Word(["BG_E_HTTP_ERROR", "HRESULT_FROM_WIN32"])),
    row(Switch::MostRedirects,      "http.redirects_followed",               Takes::Count(10)),
    row(Switch::RedirectsKept,      "http.redirects_kept",                   Takes::Word(["request", "attempt"])),
    row(Switch::RedirectedHeaders,  "http_options.redirect_with_custom_headers", Takes::Word(["sent", "dropped"])),
    row(Switch::OwnHeaders,         "http_options.custom_headers.own",       Takes::Word(["replaced", "repeated"])),
    row(Switch::ReservedHeaders,    "http_options.custom_headers.reserved",  Takes::Word(["ignored", "refused"])),
    row(Switch::ContentCoding,      "http.content_coding",                   Takes::Word(["kept", "refused"])),
    row(Switch::HeadRefused,        "http.head_refused",                     Takes::Word(["error", "GET"])),
    row(Switch::Cookies,            "http.cookies",                          Takes::Word(["ignored", "kept"])),
    row(Switch::CertificateFaults,  "http_options.certificate_faults",       Takes::Word(["each", "ERROR_WINHTTP_SECURE_FAILURE"])),
    row(Switch::DigestSha256,       "auth.digest.sha256",                    Takes::Word(["10.3", "never"])),
    row(Switch::ProxyListCommas,    "job.set_proxy_settings.commas",         Takes::Word(["refused", "separate"])),
    row(Switch::MalformedCredentials, "job2.set_credentials.malformed",      Takes::Word(["BG_E_INVALID_CREDENTIALS", "accepted"])),
    row(Switch::MissingCredentials, "job2.set_credentials.missing_members",  Takes::Word(["refused", "stored"])),
    row(Switch::RedirectedCredentials, "http_options.redirect_with_credentials", Takes::Word(["withheld", "sent"])),
    row(Switch::UrlCredentials,     "http.url_credentials",                  Takes::Word(["answer", "ignored"])),
    row(Switch::PassportFailure,    "passport.failure",                      Takes::Word(["BG_E_HTTP_ERROR_401", "ERROR_WINHTTP_LOGIN_FAILURE"])),
    row(Switch::SpareConnections,   "http.spare_connections",                Takes::Word(["reused", "closed"])),
];

const fn row(switch: Switch, id: &'static str, takes: Takes) -> Row {
    Row { switch, id, takes }
}

/// The choices of one emulator; clones share the notes of what was decided.
#[derive(Clone, Debug)]
pub struct Decisions {
    /// In the order of the table: seconds, or the place of a word.
    values: [u64; ROWS.len()],
    /// One bit for each row.
    touched: Arc<AtomicU64>,
}

/// Equal choices; what was decided so far does not count.
impl PartialEq for Decisions {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl Eq for Decisions {}

impl Default for Decisions {
    fn default() -> Self {
        let mut values = [0; ROWS.len()];
        for (value, row) in values.iter_mut().zip(ROWS) {
            *value = row.takes.unless_chosen();
        }
        Self { values, touched: Arc::default() }
    }
}

impl Decisions {
    /// The ids that [`Decisions::set`] knows.
    pub const IDS: &[&str] = &ids();

    /// Takes another choice for the entry `id`: whole seconds, a number, or one of two words.
    ///
    /// # Errors
    /// One line that says what is wrong, for an unknown id or a value that is none.
    pub fn set(&mut self, id: &str, value: &str) -> Result<(), String> {
        let Some((place, row)) = ROWS.iter().enumerate().find(|(_, row)| row.id == id) else {
            return Err(format!("decision {id:?} has no switch; those that have: {}", Self::IDS.join(", ")));
        };
        self.values[place] = row.takes.read(value).map_err(|wanted| format!("decision {id}: {value:?} is {wanted}"))?;
        Ok(())
    }

    /// The ids of the entries that have decided something so far, in the order of [`Decisions::IDS`].
    pub fn touched(&self) -> Vec<&'static str> {
        let touched = self.touched.load(Ordering::SeqCst);
        ROWS.iter().enumerate().filter(|(place, _)| touched & 1 << place != 0).map(|(_, row)| row.id).collect()
    }

    /// [`Switch::TimeSlice`]; whoever lets a job go by it [notes](Decisions::note) that.
    pub fn time_slice(&self) -> Duration {
        Duration::from_secs(self.values[Switch::TimeSlice as usize])
    }

    /// [`Switch::NotifyRetry`]
    pub fn notify_retry(&self) -> Duration {
        self.seconds(Switch::NotifyRetry)
    }

    /// [`Switch::StallTimeout`]; whoever gives a server up by it [notes](Decisions::note) that.
    pub fn stall_timeout(&self) -> Duration {
        Duration::from_secs(self.values[Switch::StallTimeout as usize])
    }

    /// Whether, of the two words of `switch`, the one was chosen that is not usual.
    pub fn is_other(&self, switch: Switch) -> bool {
        self.ask(switch) == 1
    }

    /// The number that was chosen for `switch`; whoever goes by it [notes](Decisions::note) that.
    pub fn count(&self, switch: Switch) -> u64 {
        self.values[switch as usize]
    }

    /// Something hangs on what was chosen for `switch`.
    pub fn note(&self, switch: Switch) {
        self.touched.fetch_or(1 << switch as usize, Ordering::SeqCst);
    }

    fn seconds(&self, switch: Switch) -> Duration {
        Duration::from_secs(self.ask(switch))
    }

    /// What was chosen; leaves a note.
    fn ask(&self, switch: Switch) -> u64 {
        self.note(switch);
        self.values[switch as usize]
    }
}

impl Takes {
    /// The value as long as nobody has chosen.
    fn unless_chosen(self) -> u64 {
        match self {
            Self::Seconds(number) | Self::Count(number) => number,
            Self::Word(_) => 0,
        }
    }

    /// Reads a value, or says what is wrong with it.
    fn read(self, value: &str) -> Result<u64, String> {
        match self {
            Self::Seconds(_) => {
                value.parse().ok().filter(|seconds| *seconds > 0).ok_or("not a number of seconds above 0".to_owned())
            }
            Self::Count(_) => value.parse().map_err(|_| "not a number".to_owned()),
            Self::Word(words) => {
                let place = words.iter().position(|word| *word == value);
                place.map(|place| place as u64).ok_or_else(|| format!("neither {} nor {}", words[0], words[1]))
            }
        }
    }
}

const fn ids() -> [&'static str; ROWS.len()] {
    let mut ids = [""; ROWS.len()];
    let mut place = 0;
    while place < ROWS.len() {
        assert!(ROWS[place].switch as usize == place, "the table is in the order of the switches");
        ids[place] = ROWS[place].id;
        place += 1;
    }
    assert!(ROWS.len() <= 64, "one bit for each");
    ids
}
