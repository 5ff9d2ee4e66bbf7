//! One attempt at a file of a share or a drive: a copy with the life of a download.
//!
//! The source is read on threads that may block: a server that hangs holds up its own attempt
//! alone, and a stop is heard at once.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bits_api::{FileAclFlags, FileTime, Hresult};
use bits_wire::attempt::{AttemptEnd, AttemptPlan, AttemptReport, Begin, Failure, SourceFile, Validators};
use bits_wire::download::{Fault, TOO_LARGE};
use bits_wire::layout;
use bits_world::{LocalStorage, Touch};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use crate::disk::{code_at, failure};
use crate::link::Network;
use crate::mover::{Control, Signals, Standing};
use crate::partial::Partial;

/// So much is read at once, and reported once it is written.
const CHUNK: u64 = 1024 * 1024;

/// Carries out an attempt that copies `source`; returns its end.
pub(super) async fn copy(network: &Network, plan: AttemptPlan, source: SourceFile, control: &Control) -> AttemptEnd {
    let storage = network.storage.clone();
    let partial = Partial::new(plan.local.clone(), Arc::clone(&control.gate), storage.clone());
    let mut signals = control.signals.subscribe();
    let mut copy = Copy { plan, source, control, signals: signals.clone(), storage, partial };
    let end = tokio::select! {
        biased;
        // First, so that what a limit has let pass by now is there.
        result = copy.transfer() => result.unwrap_or_else(AttemptEnd::Failed),
        _ = signals.wait_for(|signals| signals.stop) => AttemptEnd::Stopped,
    };
    tracing::debug!(attempt = copy.plan.attempt.0, ?end, "copy ends");
    end
}

struct Copy<'a> {
    plan: AttemptPlan,
    source: SourceFile,
    control: &'a Control,
    signals: watch::Receiver<Signals>,
    storage: LocalStorage,
    partial: Partial,
}

/// The source, opened, as it was then.
struct Opened {
    file: File,
    version: Validators,
    metadata: Metadata,
}

impl Copy<'_> {
    async fn transfer(&mut self) -> Result<AttemptEnd, Failure> {
        self.control.stand(Standing::Copying);
        let Opened { mut file, version, metadata } = self.open().await?;
        let fetch = &self.plan.fetch;
        let there = self.partial.measure(self.plan.known.is_some() || fetch.direct)?;
        let pieces = fetch.layout.pieces(version.size)?;
        let total = layout::length(&pieces);
        if fetch.most.is_some_and(|most| total > most) {
            return Err(TOO_LARGE);
        }
        let goes_on = self.plan.known == Some(version) && fetch.begin != Begin::Anew;
        let mut have = if goes_on { there.min(total) } else { 0 };
        self.partial.truncate(have)?;
        self.record(version, have).await?;
        let pace = &self.control.pace;
        let mut turn = pace.turn();
        for piece in layout::from(&pieces, have) {
            let mut at = piece.remote.start;
            while at < piece.remote.end {
                let bytes;
                (file, bytes) = self.read(file, at, CHUNK.min(piece.remote.end - at), version).await?;
                // Shorter than it was, or written to: what is there of it is of another version.
                if bytes.is_empty() {
                    return Ok(AttemptEnd::Changed);
                }
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    if pace.limit().is_some() {
                        self.control.stand(Standing::Throttled);
                    }
                    let (now, later) = rest.split_at(turn.take(rest.len()).await);
                    self.control.stand(Standing::Copying);
                    self.partial.append(now)?;
                    rest = later;
                    at += now.len() as u64;
                    have += now.len() as u64;
                    self.control.report(AttemptReport::Progress { have });
                }
            }
        }
        self.partial.finish()?;
        keep(&metadata, &self.plan.local, self.source.kept).map_err(|error| self.not_kept(&error))?;
        Ok(AttemptEnd::Done)
    }

    async fn open(&self) -> Result<Opened, Failure> {
        let path = self.source.path.clone();
        self.may_read()?;
        let opened = spawn_blocking(move || open(&path)).await;
        self.answer(opened)
    }

    /// Up to `most` bytes of the source from `at` on; none when it is no longer that `version`.
    async fn read(&self, file: File, at: u64, most: u64, version: Validators) -> Result<(File, Vec<u8>), Failure> {
        self.may_read()?;
        let read = spawn_blocking(move || read(file, at, most, version)).await;
        self.answer(read)
    }

    fn may_read(&self) -> Result<(), Failure> {
        self.storage.may(&self.source.path, Touch::Read).map_err(Failure::of_remote_file)
    }

    fn answer<T>(&self, answer: Result<io::Result<T>, tokio::task::JoinError>) -> Result<T, Failure> {
        // A thread is not to be had, or has panicked.
        let answer = answer.unwrap_or_else(|error| Err(io::Error::other(error)));
        answer.map_err(|error| Failure::of_remote_file(code_at(&self.source.path, &error)))
    }

    /// Who lacks the privilege may be given it (clause `job3.set_file_acl_flags.no_privilege`).
    fn not_kept(&self, error: &io::Error) -> Failure {
        let failure = failure(&self.plan.local, error);
        Failure { transient: failure.transient || failure.code == Hresult::E_ACCESSDENIED, ..failure }
    }

    /// Lets the version of the source go on record before a byte of it is written.
    async fn record(&mut self, validators: Validators, have: u64) -> Result<(), Failure> {
        self.control.stand(Standing::AwaitingRecord);
        self.control.report(AttemptReport::Connected { validators, have });
        let recorded = self.signals.wait_for(|signals| signals.proceeds > 0).await;
        // The sender lives in the control that this attempt borrows.
        recorded.map_err(|_| Fault::ConnectionEnded.failure())?;
        self.control.stand(Standing::Copying);
        Ok(())
    }
}

fn open(path: &PathBuf) -> io::Result<Opened> {
    // A pipe would be waited for, for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(ErrorKind::IsADirectory.into());
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    Ok(Opened { version: version_of(&metadata), file, metadata })
}

fn read(mut file: File, at: u64, most: u64, version: Validators) -> io::Result<(File, Vec<u8>)> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    (&mut file).take(most).read_to_end(&mut bytes)?;
    if version_of(&file.metadata()?) != version {
        bytes.clear();
    }
    Ok((file, bytes))
}

/// What tells one version of a file from the next.
fn version_of(metadata: &Metadata) -> Validators {
    Validators { size: metadata.len(), last_modified: metadata.modified().ok().map(FileTime::from) }
}

/// Gives the copy what it keeps of the source beside its bytes and its time: that it is protected
/// from writing, and what was asked for of its owner and its access list, in the form that this
/// machine has of them (clauses `files.acl_flags`, `job3.set_file_acl_flags.applied_at_end`).
fn keep(source: &Metadata, copy: &Path, kept: FileAclFlags) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, chown};

        let owner = kept.contains(FileAclFlags::OWNER).then(|| source.uid());
        let group = kept.contains(FileAclFlags::GROUP).then(|| source.gid());
        if owner.is_some() || group.is_some() {
            chown(copy, owner, group)?;
        }
        if kept.contains(FileAclFlags::DACL) {
            return fs::set_permissions(copy, source.permissions());
        }
    }
    #[cfg(not(unix))]
    if !kept.is_empty() {
        tracing::debug!(?copy, ?kept, "access lists are not kept on this machine");
    }
    if source.permissions().readonly() {
        let mut permissions = fs::metadata(copy)?.permissions();
        permissions.set_readonly(true);
        fs::set_permissions(copy, permissions)?;
    }
    Ok(())
}
