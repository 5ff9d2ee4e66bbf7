//! What an origin and its connections share.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bits_world::clock::Clock;

use crate::content::{Content, Stamp};
use crate::fault::Fault;
use crate::folder;
use crate::gate::Barrier;
use crate::guard::{Desks, Guard, Guards, Here, Memory, Passport, PassportRuling, Place, Post, Ruling};
use crate::head::{self, Head};
use crate::journal::Recorder;
use crate::script::{Coming, Performance, Script};
use crate::synthetic::Synthetic;

pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) recorder: Arc<Recorder>,
    /// Handshakes of TLS that have come to their end.
    pub(crate) handshakes: AtomicU64,
    connections: AtomicUsize,
    state: Mutex<State>,
}

/// An open connection.
pub(crate) struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::SeqCst);
        self.0.recorder.look_again();
    }
}

#[derive(Default)]
struct State {
    contents: BTreeMap<String, Content>,
    folders: Vec<(String, PathBuf)>,
    /// Where the servers are that stand behind a proxy, by host and port.
    hosts: BTreeMap<String, SocketAddr>,
    barriers: Vec<Arc<Barrier>>,
    performances: Vec<Performance>,
    guards: Guards,
    /// Whoever signs people in.
    desks: Option<Desks>,
}

impl Shared {
    /// How much later the stamp of a changed file is, when nothing else is said.
    const CHANGE: Duration = Duration::from_mins(1);

    pub(crate) fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            clock,
            recorder: Arc::default(),
            handshakes: AtomicU64::new(0),
            connections: AtomicUsize::new(0),
            state: Mutex::default(),
        })
    }

    pub(crate) fn put(&self, path: &str, content: Content) {
        self.lock().contents.insert(path.into(), content);
    }

    /// Puts another version of the file at `path`: its ETag differs, and so does its stamp unless
    /// the content brings one.
    pub(crate) fn change(&self, path: &str, mut content: Content) {
        let mut state = self.lock();
        if let Some(old) = state.contents.get(path) {
            content.version = old.version + 1;
            content.stamp = match (content.stamp, old.stamp()) {
                (Stamp::Default, Some(stamp)) => Stamp::At(stamp.plus(Self::CHANGE)),
                (stamp, _) => stamp,
            };
        }
        state.contents.insert(path.into(), content);
    }

    /// Changes the bytes and stamp of the file at `path` and keeps the server's manners.
    pub(crate) fn change_to(&self, path: &str, file: Synthetic) {
        let Some(old) = self.content_at(path) else { return };
        let stamp = if old.stamp == Stamp::None { Stamp::None } else { Stamp::Default };
        self.change(path, Content { source: crate::content::Source::Synthetic(file), stamp, ..old });
    }

    pub(crate) fn put_folder(&self, prefix: &str, folder: PathBuf) {
        self.lock().folders.push((prefix.trim_end_matches('/').into(), folder));
    }

    /// What stands at `path`, with its query or without.
    pub(crate) fn content_at(&self, path: &str) -> Option<Content> {
        let bare = head::bare(path);
        let state = self.lock();
        if let Some(content) = state.contents.get(path).or_else(|| state.contents.get(bare)) {
            return Some(content.clone());
        }
        let folders = state.folders.clone();
        drop(state);
        let below = |prefix: &String| bare.strip_prefix(prefix.as_str()).filter(|rest| rest.starts_with('/'));
        folders.iter().find_map(|(prefix, folder)| folder::find(folder, below(prefix)?))
    }

    pub(crate) fn add_barrier(&self, barrier: Arc<Barrier>) {
        let mut state = self.lock();
        state.barriers.retain(|barrier| !barrier.is_open());
        state.barriers.push(barrier);
    }

    /// The closed gates on the way of a request.
    pub(crate) fn barriers_for(&self, method: &str, path: &str) -> Vec<Arc<Barrier>> {
        self.lock().barriers.iter().filter(|barrier| barrier.holds(method, path)).cloned().collect()
    }

    pub(crate) fn perform(&self, script: Script) {
        self.lock().performances.push(Performance::new(script));
    }

    /// A connection is open until this is dropped.
    pub(crate) fn open_connection(self: &Arc<Self>) -> Open {
        self.connections.fetch_add(1, Ordering::SeqCst);
        Open(Arc::clone(self))
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn behave(&self) {
        self.lock().performances.clear();
    }

    pub(crate) fn set_host(&self, authority: &str, server: SocketAddr) {
        self.lock().hosts.insert(authority.to_ascii_lowercase(), server);
    }

    /// Where the server of that host and port is, if anybody has told.
    pub(crate) fn host(&self, authority: &str) -> Option<SocketAddr> {
        self.lock().hosts.get(&authority.to_ascii_lowercase()).copied()
    }

    pub(crate) fn guard(&self, path: &str, guard: Guard) {
        self.lock().guards.post_at(path, guard);
    }

    pub(crate) fn guard_proxy(&self, guard: Guard) {
        self.lock().guards.post_at_proxy(guard);
    }

    pub(crate) fn guard_by_passport(&self, path: &str, passport: Passport) {
        self.lock().desks = Some(Desks::new(path, passport));
    }

    pub(crate) fn dismiss_guards(&self) {
        let mut state = self.lock();
        state.guards.dismiss();
        state.desks = None;
    }

    /// What becomes of a request by Passport, if it is for any of its servers.
    pub(crate) fn passport_ruling_on(&self, head: &Head, here: Here<'_>) -> Option<PassportRuling> {
        self.lock().desks.as_mut()?.look_at(head, here)
    }

    /// What a guard makes of a request, if one stands on its way.
    pub(crate) fn ruling_on(&self, post: Post, head: &Head, place: &Place<'_>, memory: &mut Memory) -> Option<Ruling> {
        self.lock().guards.look_at(post, head, place, memory)
    }

    /// What goes wrong with the request that has just come.
    pub(crate) fn faults_for(&self, method: &str, path: &str) -> Vec<Fault> {
        self.faults_of(Coming::Request { method, path })
    }

    /// What goes wrong with the connection that has just been made.
    pub(crate) fn faults_for_connection(&self) -> Vec<Fault> {
        self.faults_of(Coming::Connection)
    }

    fn faults_of(&self, coming: Coming<'_>) -> Vec<Fault> {
        self.lock().performances.iter_mut().find_map(|performance| performance.next(coming)).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
