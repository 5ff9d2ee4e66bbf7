//! Servers that misbehave: those of the table of hostile servers that belong to a decision, each met
//! by a job of its own.

use bits_api::{JobPropertyId, JobPropertyValue, ProxyUsage, SecurityFlags};
use bits_origin::{Content, Origin, Script};
use serde::Deserialize;

use super::prelude::*;
use super::rest::ending;

probes![
    "http.transport_failures" => transport_failures,
    "http.lengths_disagree" => |c| servers(c, "http.lengths_disagree"),
    "http.range_answers" => |c| servers(c, "http.range_answers"),
    "http.multipart_answers" => |c| servers(c, "http.multipart_answers"),
    "http.framing" => |c| servers(c, "http.framing"),
    "http.head_limits" => |c| servers(c, "http.head_limits"),
    "http.tls_failures" => |c| servers(c, "http.tls_failures"),
    "http.status_lines" => |c| servers(c, "http.status_lines"),
    "http.header_bytes" => |c| servers(c, "http.header_bytes"),
    "http.endless_change" => |c| servers(c, "http.endless_change"),
];

const TABLE: &str = include_str!("../../../../fixtures/hostile/servers.toml");

/// What each server serves.
const FILE: &[u8] = b"0123456789";

/// A name under which only the origin as a proxy finds itself.
const BEHIND: &str = "files.example";

/// A server of the table, without what became of a job of ours.
#[derive(Deserialize)]
struct Server {
    name: String,
    script: String,
    #[serde(default)]
    at: At,
    #[serde(default)]
    background: bool,
    #[serde(default)]
    dynamic: bool,
    #[serde(default)]
    ranges: Vec<(u64, u64)>,
    most: Option<u64>,
    /// Schemes for which a job has an account: such servers belong to other questions.
    #[serde(default)]
    logins: Vec<String>,
    decision: Option<String>,
}

/// How its port is spoken to.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum At {
    #[default]
    Http,
    Https,
    TlsToPlain,
    PlainToTls,
    Proxy,
    Tunnel,
}

#[derive(Deserialize)]
struct Table {
    server: Vec<Server>,
}

impl Server {
    /// The servers of a decision that do not make a job wait for minutes.
    fn of(decision: &str) -> Result<Vec<Self>, Stop> {
        let table: Table =
            toml::from_str(TABLE).map_err(|error| Stop::Failed(format!("fixtures/hostile/servers.toml: {error}")))?;
        let is_asked = |server: &Self| {
            server.decision.as_deref() == Some(decision) && server.logins.is_empty() && !server.takes_time()
        };
        Ok(table.server.into_iter().filter(is_asked).collect())
    }

    fn takes_time(&self) -> bool {
        [" every ", " wait ", "delay "].iter().any(|step| self.script.contains(step))
    }

    fn url(&self, origin: &Origin) -> String {
        let (plain, encrypted) = (origin.url("/file"), origin.https_url("/file"));
        match self.at {
            At::Http => plain,
            At::Https => encrypted,
            At::TlsToPlain => plain.replace("http:", "https:"),
            At::PlainToTls => encrypted.replace("https:", "http:"),
            // Behind a proxy it has another name, or it would be asked by itself.
            At::Proxy => format!("http://{BEHIND}/file"),
            At::Tunnel => encrypted.replace("127.0.0.1", "localhost"),
        }
    }

    /// A suspended job for its file.
    fn job(&self, c: &Bench, origin: &Origin) -> Result<Arc<dyn Job>, Stop> {
        let job = c.new_job()?;
        job.set_priority(if self.background { JobPriority::NORMAL } else { JobPriority::FOREGROUND })?;
        let (url, local) = (self.url(origin), c.local("download.bin"));
        if self.ranges.is_empty() {
            job.add_file(Some(&url), Some(&local))?;
        } else {
            job.job3()?.add_file_with_ranges(Some(&url), Some(&local), &ranges(&self.ranges))?;
        }
        if matches!(self.at, At::Proxy | At::Tunnel) {
            origin.reach(&format!("{BEHIND}:80"), origin.address());
            job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&origin.address().to_string()), None)?;
        }
        if matches!(self.at, At::Https | At::TlsToPlain | At::Tunnel) {
            job.http_options()?.set_security_flags(SecurityFlags::IGNORE_UNKNOWN_CA)?;
        }
        if self.dynamic {
            job.job5()?.set_property(JobPropertyId::DYNAMIC_CONTENT, JobPropertyValue::Enable(true))?;
        }
        if let Some(most) = self.most {
            job.job5()?.set_property(JobPropertyId::MAX_DOWNLOAD_SIZE, JobPropertyValue::Uint64(most))?;
        }
        Ok(job)
    }
}

/// How a job ends that meets each server of the table for this decision.
fn servers(c: &mut Bench, decision: &str) -> Answer {
    let mut seen = Seen::new();
    for server in Server::of(decision)? {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::bytes(FILE));
        let script = Script::parse(&server.name, &server.script).map_err(|error| Stop::Failed(error.to_string()))?;
        origin.script(script);
        let job = server.job(c, &origin)?;
        seen = seen.and(&server.name, ending(c, &job)?);
    }
    Ok(seen)
}

fn transport_failures(c: &mut Bench) -> Answer {
    let seen = servers(c, "http.transport_failures")?;
    c.start_over();
    let origin = c.origin()?;
    let nobody = origin.url("/file").replace(&origin.address().port().to_string(), "1");
    let refused = ending(c, &c.job_for(&nobody, JobPriority::FOREGROUND)?)?;
    // A label this long is no name, so that no name server needs to be asked.
    let nameless = format!("http://{}.invalid/file", "n".repeat(64));
    let unresolved = ending(c, &c.job_for(&nameless, JobPriority::FOREGROUND)?)?;
    Ok(seen.and("nobody listens", refused).and("the name cannot be resolved", unresolved))
}
