//! The table of hostile and broken servers, `fixtures/hostile/servers.toml`: what each does, how a job meets it, and
//! what becomes of that job.
//!
//! The tests of `bits-hostile` let the emulator meet them, the doctor's tests the doctor, and the probes of the
//! conformance suite whatever BITS there is. An [`Origin`] plays them; this crate must never know who meets them.

use std::sync::Arc;
use std::time::Duration;

use bits_api::hresult::CODES;
use bits_api::{
    AuthScheme, ErrorContext, FileRange, Hresult, Job, JobPriority, JobPropertyId, JobPropertyValue, JobState,
    ProxyUsage,
};
use bits_origin::{Origin, Script};
use serde::Deserialize;

const TABLE: &str = include_str!("../../../fixtures/hostile/servers.toml");

/// What each of them serves, where it serves anything.
pub const FILE: &[u8] = b"0123456789";

/// A name under which only the origin as a proxy finds itself.
const BEHIND: &str = "files.example";

/// A server that misbehaves, and what becomes of a job that meets it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// What it does, in the origin's script language; the job's file is `/file`.
    script: String,
    /// How its port is spoken to.
    #[serde(default)]
    pub at: At,
    /// Whether the job is a background job, which asks by Range.
    #[serde(default)]
    pub background: bool,
    /// Whether the job takes dynamic content: without HEAD, size and ranges.
    #[serde(default)]
    pub dynamic: bool,
    /// The ranges of the file that the job asks for, by first byte and length; all of it without any.
    #[serde(default)]
    pub ranges: Vec<(u64, u64)>,
    /// The most bytes that the job may download.
    pub most: Option<u64>,
    /// How many days the job may be at it, in place of 90.
    pub days: Option<u32>,
    /// The schemes for which the job has an account, for server and proxy alike.
    #[serde(default)]
    pub logins: Vec<String>,
    /// In how many requests something is told of an account.
    #[serde(default)]
    pub told: usize,
    /// The state in which the job stands still, without `BG_JOB_STATE_`.
    state: String,
    /// The name or the number of the code; none for a job that is TRANSFERRED.
    code: Option<String>,
    /// Whether the error is in the context of the queue manager, in place of the remote file.
    #[serde(default)]
    ours: bool,
    /// The entry of `fixtures/decisions.toml` that this follows from, where the pages are silent.
    pub decision: Option<String>,
}

/// How a port of the origin is spoken to.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum At {
    /// As it wants to be.
    #[default]
    Http,
    /// As it wants to be, under TLS.
    Https,
    /// TLS where plain HTTP is served.
    TlsToPlain,
    /// Plain HTTP where TLS is served.
    PlainToTls,
    /// As a proxy, on the way to itself.
    Proxy,
    /// As a proxy that gives tunnels, on the way to itself under TLS.
    Tunnel,
}

#[derive(Deserialize)]
struct Table {
    server: Vec<Server>,
}

impl Server {
    /// All of them.
    ///
    /// # Panics
    /// When the table cannot be read.
    pub fn all() -> Vec<Self> {
        toml::from_str::<Table>(TABLE).expect("a table of hostile servers").server
    }

    /// The one of that name.
    ///
    /// # Panics
    /// When there is none.
    pub fn named(name: &str) -> Self {
        Self::all().into_iter().find(|server| server.name == name).expect(name)
    }

    /// One that does nothing wrong.
    pub fn good() -> Self {
        Self {
            name: "behaves".to_owned(),
            script: String::new(),
            at: At::Http,
            background: false,
            dynamic: false,
            ranges: Vec::new(),
            most: None,
            days: None,
            logins: Vec::new(),
            told: 0,
            state: "TRANSFERRED".to_owned(),
            code: None,
            ours: false,
            decision: None,
        }
    }

    /// The same, spoken to in that way.
    #[must_use]
    pub fn spoken_to(self, at: At) -> Self {
        Self { at, ..self }
    }

    /// The same, for a background job or a foreground one.
    #[must_use]
    pub fn for_background(self, background: bool) -> Self {
        Self { background, ..self }
    }

    /// The same, for a job that has an account for these schemes.
    #[must_use]
    pub fn knowing(self, logins: &[&str]) -> Self {
        Self { logins: logins.iter().map(|name| (*name).to_owned()).collect(), ..self }
    }

    /// The same, for a job that takes dynamic content, but no more than so many bytes.
    #[must_use]
    pub fn of_dynamic_content(self, most: u64) -> Self {
        Self { dynamic: true, most: Some(most), ..self }
    }

    /// What it does.
    ///
    /// # Panics
    /// When the table has a mistake.
    pub fn script(&self) -> Script {
        self.script_at("/file")
    }

    /// What it does, to a file at another path.
    ///
    /// # Panics
    /// When the table has a mistake.
    pub fn script_at(&self, path: &str) -> Script {
        Script::parse(&self.name, &self.script.replace("/file", path)).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Whether it does something after a while, which a job waits for.
    pub fn takes_time(&self) -> bool {
        [" every ", " wait ", "delay "].iter().any(|step| self.script.contains(step))
    }

    /// Whether it is whole connections that suffer, whatever they are for, or all files.
    pub fn is_of_connections(&self) -> bool {
        self.script.contains("connections:") || self.script.contains("/*") || self.is_of_passport()
    }

    /// Whether it is a nexus of Passport too, at `/nexus`.
    pub fn has_nexus(&self) -> bool {
        self.script.contains("/nexus:")
    }

    /// Whether it is one of Passport's servers too, which there is one of for all jobs.
    fn is_of_passport(&self) -> bool {
        self.has_nexus() || self.script.contains("/login")
    }

    /// Where a job finds `path` of an origin that plays this server.
    pub fn url(&self, origin: &Origin, path: &str) -> String {
        match self.at {
            At::Http => origin.url(path),
            At::Https => origin.https_url(path),
            At::TlsToPlain => origin.url(path).replace("http:", "https:"),
            At::PlainToTls => origin.https_url(path).replace("https:", "http:"),
            // Behind a proxy it has another name, or it would be asked by itself.
            At::Proxy => format!("http://{BEHIND}{path}"),
            At::Tunnel => origin.https_url(path).replace("127.0.0.1", "localhost"),
        }
    }

    /// Has a suspended job without files download `path` of such an origin to `local`, in the way in which this
    /// server is to be met. An account is the caller's to give, and so is trust in the origin's certificate.
    ///
    /// # Errors
    /// What the job says to any of that.
    pub fn meet(&self, job: &Arc<dyn Job>, origin: &Origin, path: &str, local: &str) -> Result<(), Hresult> {
        job.set_priority(if self.background { JobPriority::NORMAL } else { JobPriority::FOREGROUND })?;
        let url = self.url(origin, path);
        if self.ranges.is_empty() {
            job.add_file(Some(&url), Some(local))?;
        } else {
            let range = |&(initial_offset, length): &(u64, u64)| FileRange { initial_offset, length };
            let ranges: Vec<_> = self.ranges.iter().map(range).collect();
            job.clone().job3()?.add_file_with_ranges(Some(&url), Some(local), &ranges)?;
        }
        if matches!(self.at, At::Proxy | At::Tunnel) {
            origin.reach(&format!("{BEHIND}:80"), origin.address());
            job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&origin.address().to_string()), None)?;
        }
        if self.dynamic {
            job.clone().job5()?.set_property(JobPropertyId::DYNAMIC_CONTENT, JobPropertyValue::Enable(true))?;
        }
        if let Some(most) = self.most {
            job.clone().job5()?.set_property(JobPropertyId::MAX_DOWNLOAD_SIZE, JobPropertyValue::Uint64(most))?;
        }
        if let Some(days) = self.days {
            job.clone().job4()?.set_maximum_download_time(days * 24 * 3600)?;
        }
        Ok(())
    }

    /// The schemes for which the job has an account.
    ///
    /// # Panics
    /// When the table has a mistake.
    pub fn schemes(&self) -> impl Iterator<Item = AuthScheme> {
        self.logins.iter().map(|name| match name.as_str() {
            "basic" => AuthScheme::BASIC,
            "digest" => AuthScheme::DIGEST,
            "ntlm" => AuthScheme::NTLM,
            "negotiate" => AuthScheme::NEGOTIATE,
            "passport" => AuthScheme::PASSPORT,
            other => panic!("{}: {other} is no scheme", self.name),
        })
    }

    /// The state in which a job stands still that has met it, and the error that it shows.
    ///
    /// # Panics
    /// When the table has a mistake.
    pub fn ending(&self) -> (JobState, Option<(ErrorContext, Hresult)>) {
        let state = match self.state.as_str() {
            "TRANSFERRED" => JobState::TRANSFERRED,
            "TRANSIENT_ERROR" => JobState::TRANSIENT_ERROR,
            "ERROR" => JobState::ERROR,
            other => panic!("{}: {other} is no state in which a job stands still", self.name),
        };
        let code = |name: &String| match name.strip_prefix("0x") {
            Some(number) => Hresult(u32::from_str_radix(number, 16).expect("a number")),
            None => CODES.iter().find(|code| code.name == name).unwrap_or_else(|| panic!("no code {name}")).hresult,
        };
        let context = if self.ours { ErrorContext::GENERAL_QUEUE_MANAGER } else { ErrorContext::REMOTE_FILE };
        (state, self.code.as_ref().map(|name| (context, code(name))))
    }

    /// What the job is to have in the end of `file`.
    ///
    /// # Panics
    /// When the ranges are not inside.
    pub fn wanted(&self, file: &[u8]) -> Vec<u8> {
        let at = |place: u64| usize::try_from(place).expect("a place in the file");
        match &self.ranges[..] {
            [] => file.to_vec(),
            ranges => {
                ranges.iter().flat_map(|(first, length)| &file[at(*first)..at(first + length)]).copied().collect()
            }
        }
    }

    /// The time after which a job has met its end.
    pub fn patience(&self) -> Duration {
        match self.days {
            Some(days) => Duration::from_hours(24) * (days + 1),
            None => Duration::from_hours(1),
        }
    }

    /// Whether the same URL can be downloaded once the server has mended its ways.
    pub fn can_mend(&self) -> bool {
        !matches!(self.at, At::TlsToPlain | At::PlainToTls)
    }
}
