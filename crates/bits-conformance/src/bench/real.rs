//! Real bytes: an origin on loopback and a folder of this machine.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bits_api::{FileTime, Job, JobPriority, JobState};
use bits_origin::{Content, Fault, Gate, GateAt, Origin, Outcome as Came, Request, Rule, Script};
use bits_service::SimServer;
use bits_world::clock::Clock;

use super::{Bench, Outside, Remote, SOON, Trouble};
use crate::claims::{Outcome, Stop, failed};
use crate::provider::Capability;

/// An origin, and the folder that downloads go to.
pub(super) struct Real {
    clock: Clock,
    /// Of this bench.
    root: PathBuf,
    origin: OnceCell<Arc<Origin>>,
    is_trusted: bool,
    /// What is served by name, and what holds it.
    served: RefCell<HashMap<String, Served>>,
}

#[derive(Default)]
struct Served {
    size: u64,
    gate: Option<Gate>,
}

/// A request that the origin holds.
pub(super) struct Held {
    pub(super) url: String,
    pub(super) path: String,
    /// Up to this byte the file has been sent; not known of an answer in several parts.
    pub(super) reached: Option<u64>,
    /// Whether the head of the answer has been sent.
    pub(super) has_begun: bool,
}

/// When what is served was last changed, until it is replaced.
const FIRST: FileTime = FileTime::from_unix_seconds(1_600_000_000);

/// The largest file that is moved in real time.
const MOVABLE: u64 = 64 << 20;

impl Bench {
    /// An origin with its clock; from now on files have bytes. Comes before the first call.
    pub(crate) fn origin(&mut self) -> Result<Arc<Origin>, Stop> {
        self.before_start("the origin")?;
        if let Outside::Simulated(_) = &self.outside {
            self.outside = Outside::Real(Real::new(self.clock.clone(), self.own.folder()));
        }
        match &self.outside {
            Outside::Real(real) => real.make_folders().and_then(|()| real.origin()),
            Outside::Simulated(_) => failed("there is no origin"),
        }
    }

    /// Ends the origin, whoever else has let go of it, and every answer that it still gives.
    pub(crate) fn end_origin(&mut self, origin: Arc<Origin>) {
        drop(origin);
        if let Outside::Real(real) = &mut self.outside {
            real.origin.take();
        }
    }

    /// The machine trusts the authority of the origin's certificate.
    pub(crate) fn trust_origin(&mut self) -> Outcome {
        self.can(Capability::TrustedRoot)?;
        self.before_start("a trusted root")?;
        match &mut self.outside {
            Outside::Real(real) => {
                real.is_trusted = true;
                Ok(())
            }
            Outside::Simulated(_) => failed("there is no origin to trust"),
        }
    }

    /// Another origin on the same clock, which stands by as a proxy.
    pub(crate) fn proxy(&self) -> Result<Arc<Origin>, Stop> {
        start(&self.clock)
    }

    /// Lets `fault` befall the requests with `method` to `path`.
    pub(crate) fn fault(&self, method: &str, path: &str, fault: Fault) -> Outcome {
        self.follow(Rule::on(path).method(method).fault(fault))
    }

    /// Lets `fault` befall the next so many requests with `method` to `path`.
    pub(crate) fn fault_times(&self, method: &str, path: &str, fault: Fault, times: u64) -> Outcome {
        self.follow(Rule::on(path).method(method).times(times).fault(fault))
    }

    /// Lets the origin follow a rule; of several, the first that matches a request counts.
    pub(crate) fn follow(&self, rule: Rule) -> Outcome {
        let Outside::Real(real) = &self.outside else { return failed("there is no origin with faults") };
        real.follow(rule)
    }

    /// Lets the origin send whoever asks for `path` to `location`.
    pub(crate) fn redirect(&self, path: &str, status: u16, location: &str) -> Outcome {
        let header = Fault::Header("Location".to_owned(), location.to_owned());
        self.follow(Rule::on(path).fault(Fault::Status { code: status, retry_after: None }).fault(header))
    }

    /// A suspended job of that priority for one file of the origin.
    pub(crate) fn job_for(&self, url: &str, priority: JobPriority) -> Result<Arc<dyn Job>, Stop> {
        let job = self.new_job()?;
        job.set_priority(priority)?;
        job.add_file(Some(url), Some(&self.local("download.bin")))?;
        Ok(job)
    }

    /// Serves `content` at `/file`, downloads it at that priority, and waits for `state`.
    pub(crate) fn download(
        &self,
        origin: &Origin,
        content: Content,
        priority: JobPriority,
        state: JobState,
    ) -> Result<Arc<dyn Job>, Stop> {
        origin.put("/file", content);
        let job = self.job_for(&origin.url("/file"), priority)?;
        job.resume()?;
        self.wait(&job, state, SOON)?;
        Ok(job)
    }

    /// The bytes of the downloaded file.
    pub(crate) fn downloaded(&self) -> Result<Vec<u8>, Stop> {
        let path = self.data_folder().join("download.bin");
        std::fs::read(&path).map_err(|error| Stop::Failed(format!("{}: {error}", path.display())))
    }
}

impl Real {
    /// With files in that folder, once it is made.
    pub(super) fn new(clock: Clock, root: PathBuf) -> Self {
        Self { clock, root, origin: OnceCell::new(), is_trusted: false, served: RefCell::default() }
    }

    pub(super) fn make_folders(&self) -> Outcome {
        for folder in [self.folder(), self.shared()] {
            let impossible = |error| Stop::Failed(format!("no folder {}: {error}", folder.display()));
            std::fs::create_dir_all(&folder).map_err(impossible)?;
        }
        Ok(())
    }

    /// Where downloads go.
    pub(super) fn folder(&self) -> PathBuf {
        self.root.join("files")
    }

    /// What a file server shares.
    pub(super) fn shared(&self) -> PathBuf {
        self.root.join("share")
    }

    pub(super) fn origin(&self) -> Result<Arc<Origin>, Stop> {
        if let Some(origin) = self.origin.get() {
            return Ok(Arc::clone(origin));
        }
        let origin = start(&self.clock)?;
        Ok(Arc::clone(self.origin.get_or_init(|| origin)))
    }

    /// PEM certificates that the machine trusts beside its own.
    pub(super) fn trusted(&self) -> Vec<String> {
        let origin = self.origin.get().filter(|_| self.is_trusted);
        origin.map(|origin| origin.ca_pem().to_owned()).into_iter().collect()
    }

    /// Serves a file of that size, and tells its URL.
    pub(super) fn serve(&self, name: &str, size: u64) -> Result<String, Stop> {
        if size > MOVABLE {
            return Err(Stop::Skipped(format!("a file of {size} bytes is too large for real time")));
        }
        let origin = self.origin()?;
        let path = format!("/{name}");
        origin.put(&path, Content::synthetic(size, 1).last_modified(FIRST));
        let url = origin.url(&path);
        self.served.borrow_mut().entry(path).or_default().size = size;
        Ok(url)
    }

    /// Puts another version in the place of a served file.
    pub(super) fn replace(&self, file: &Remote, size: u64, modified: FileTime) -> Outcome {
        let path = self.path_of(file)?;
        self.origin()?.change(path, Content::synthetic(size, 2).last_modified(modified));
        self.served.borrow_mut().entry(path.to_owned()).or_default().size = size;
        Ok(())
    }

    /// Serves the file as a server does that can do no more than this.
    pub(super) fn serve_by(&self, file: &Remote, server: SimServer) -> Outcome {
        let path = self.path_of(file)?;
        let size = self.served.borrow().get(path).map_or(0, |served| served.size);
        let whole = Content::synthetic(size, 1).last_modified(FIRST);
        let content = if server.head { whole } else { whole.refuse_head(405) };
        let content = if server.length { content } else { content.chunked() };
        let content = if server.ranges { content } else { content.without_ranges() };
        self.origin()?.put(path, content);
        Ok(())
    }

    /// Lets that befall the next attempt on the file.
    pub(super) fn trouble(&self, file: &Remote, trouble: Trouble) -> Outcome {
        let next = Rule::on(self.path_of(file)?).times(1);
        let status = |code| Fault::Status { code, retry_after: None };
        self.follow(match trouble {
            Trouble::Unavailable => next.fault(status(503)),
            Trouble::NotFound => next.fault(status(404)),
            Trouble::Breaks(bytes) => next.method("GET").fault(Fault::Close(Some(bytes))),
            // No server refuses what it is in the middle of.
            Trouble::Refuses(_) => return Err(Capability::Servers.missing()),
        })
    }

    pub(super) fn follow(&self, rule: Rule) -> Outcome {
        self.origin()?.script(Script::new().rule(rule));
        Ok(())
    }

    /// Holds requests for the file before anything is answered.
    pub(super) fn hold_connecting(&self, file: &Remote) -> Outcome {
        let gate = self.origin()?.gate(self.path_of(file)?, GateAt::RequestSeen);
        self.close(file, gate)
    }

    /// Holds answers with the file when so many bytes of it have been sent.
    pub(super) fn hold_at(&self, file: &Remote, bytes: u64) -> Outcome {
        let gate = self.origin()?.gate_method("GET", self.path_of(file)?, GateAt::OfFile(bytes));
        self.close(file, gate)
    }

    /// Holds the file there, and nowhere else any more.
    fn close(&self, file: &Remote, gate: Gate) -> Outcome {
        let path = self.path_of(file)?.to_owned();
        // A gate that is dropped is open.
        self.served.borrow_mut().entry(path).or_default().gate = Some(gate);
        Ok(())
    }

    /// Holds nothing of the file any more.
    pub(super) fn let_go(&self, file: &Remote) -> Outcome {
        let path = self.path_of(file)?;
        if let Some(served) = self.served.borrow_mut().get_mut(path) {
            served.gate = None;
        }
        Ok(())
    }

    /// Whether the bench holds what is served at that URL.
    pub(super) fn has_gate(&self, url: &str) -> Result<bool, Stop> {
        let site = self.origin()?.url("");
        let served = self.served.borrow();
        let served = url.strip_prefix(&site).and_then(|path| served.get(path));
        Ok(served.is_some_and(|served| served.gate.is_some()))
    }

    /// The requests that are held.
    pub(super) fn held(&self) -> Vec<Held> {
        let Some(origin) = self.origin.get() else { return Vec::new() };
        let journal = origin.journal();
        let held = journal.iter().filter(|request| matches!(request.outcome, Came::Held(_)));
        let of = |request: &Request| Held {
            url: url_of(origin, request),
            path: request.path.clone(),
            reached: (request.served.len() < 2).then(|| arrived(request)),
            has_begun: request.outcome != Came::Held(GateAt::RequestSeen),
        };
        held.map(of).collect()
    }

    /// How many bytes of what is at that path have been sent.
    pub(super) fn sent(&self, path: &str) -> Result<u64, Stop> {
        Ok(self.fetched_at(path)?.iter().map(|(_, length)| length).sum())
    }

    /// What was sent of the file so far, first byte and length, in the order in which it was. Of what
    /// was sent again, nobody outside can tell whether it was also kept before.
    pub(super) fn fetched(&self, file: &Remote) -> Result<Vec<(u64, u64)>, Stop> {
        self.fetched_at(self.path_of(file)?)
    }

    fn fetched_at(&self, path: &str) -> Result<Vec<(u64, u64)>, Stop> {
        let mut fetched: Vec<(u64, u64)> = Vec::new();
        for request in self.origin()?.journal().requests_to(path).with_method("GET").iter() {
            if request.served.len() > 1 && request.outcome != Came::Finished {
                // What stands between the parts is among the bytes that were sent.
                return Err(Stop::Skipped("how much of several parts has been sent cannot be seen".to_owned()));
            }
            let mut left = request.body_sent;
            for range in &request.served {
                let (start, length) = (range.start, (range.end - range.start).min(left));
                left -= length;
                if fetched.iter().any(|(first, so_far)| start < first + so_far && *first < start + length) {
                    return Err(Stop::Skipped("what of it the client has kept cannot be seen".to_owned()));
                }
                match fetched.last_mut() {
                    Some((first, so_far)) if *first + *so_far == start => *so_far += length,
                    _ if length > 0 => fetched.push((start, length)),
                    _ => {}
                }
            }
        }
        Ok(fetched)
    }

    /// The URLs of all attempts, as far as the requests tell where one ends and the next begins.
    pub(super) fn attempted(&self) -> Result<Vec<String>, Stop> {
        let Some(origin) = self.origin.get() else { return Ok(Vec::new()) };
        let mut attempts: Vec<(String, u64)> = Vec::new();
        for request in origin.journal().iter() {
            let url = url_of(origin, request);
            let start = request.served.first().map_or(0, |range| range.start);
            match attempts.last_mut() {
                Some((last, reached)) if *last == url => {
                    if request.method == "HEAD" || start < *reached {
                        return Err(Stop::Skipped("which requests are of one attempt cannot be seen".to_owned()));
                    }
                    *reached = arrived(request);
                }
                _ => attempts.push((url, arrived(request))),
            }
        }
        Ok(attempts.into_iter().map(|(url, _)| url).collect())
    }

    /// Writes a local file of that size.
    pub(super) fn write(&self, path: &Path, size: u64) -> Outcome {
        if size > MOVABLE {
            return Err(Stop::Skipped(format!("a file of {size} bytes is too large for real time")));
        }
        self.make_folders()?;
        let impossible = |error| Stop::Failed(format!("{} cannot be written: {error}", path.display()));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(impossible)?;
        }
        let written = std::fs::File::create(path).and_then(|file| file.set_len(size));
        written.map_err(impossible)
    }

    /// Where the origin has the file.
    pub(super) fn path_of<'a>(&self, file: &'a Remote) -> Result<&'a str, Stop> {
        let path = file.url.strip_prefix(&self.origin()?.url(""));
        path.ok_or_else(|| Capability::Servers.missing())
    }

    /// Names and lengths of the files in the folder.
    pub(super) fn files(&self) -> Result<Vec<(String, u64)>, Stop> {
        let unreadable = |error: std::io::Error| Stop::Failed(format!("the local folder cannot be read: {error}"));
        let mut files = Vec::new();
        for entry in std::fs::read_dir(self.folder()).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            files.push((entry.file_name().to_string_lossy().into_owned(), entry.metadata().map_err(unreadable)?.len()));
        }
        files.sort();
        Ok(files)
    }
}

fn start(clock: &Clock) -> Result<Arc<Origin>, Stop> {
    let impossible = |error: std::io::Error| Stop::Failed(format!("no origin: {error}"));
    Ok(Arc::new(Origin::start(clock.clone()).map_err(impossible)?))
}

fn url_of(origin: &Origin, request: &Request) -> String {
    if request.https { origin.https_url(&request.path) } else { origin.url(&request.path) }
}

/// Up to where the file has been sent by the answer.
fn arrived(request: &Request) -> u64 {
    request.served.first().map_or(0, |range| range.start + request.body_sent)
}
