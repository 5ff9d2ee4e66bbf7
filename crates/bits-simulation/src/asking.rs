//! What clients ask for beside files: parts of them first, and that they are known to servers.

use bits_api::{AuthCredentials, AuthScheme, AuthTarget, FileRange, Hresult, SIZE_UNKNOWN, Success};
use bits_engine::{Cx, Engine, FileIndex, FileStage, JobKey};
use bits_wire::spans::{Span, Spans};
use bits_world::Token;

use crate::house::{ADMINISTRATOR, House};

/// The one account that the servers know.
const ALICE: &str = "alice";

impl House {
    /// Somebody wants parts of a file first.
    pub(crate) fn request_ranges(&mut self, user: usize, job: JobKey) {
        let watched = &self.jobs[&job];
        if watched.sends || watched.files.is_empty() {
            return;
        }
        let place = self.chance.below(watched.files.len());
        let file = FileIndex(u32::try_from(place).unwrap_or(u32::MAX));
        let ranges: Vec<FileRange> = (0..=self.chance.below(2))
            .map(|_| FileRange { initial_offset: self.chance.between(0, 300), length: self.chance.between(1, 100) })
            .collect();
        let reader = &self.users[ADMINISTRATOR];
        let size = self.engine.file_progress(reader, job, file).map_or(SIZE_UNKNOWN, |file| file.bytes_total);
        let has_parts = !self.jobs[&job].files[place].parts.is_empty();
        let expected = match () {
            () if has_parts => Err(Hresult::BG_E_RANDOM_ACCESS_NOT_SUPPORTED),
            () if ranges.iter().any(|range| range.initial_offset + range.length > size) => {
                Err(Hresult::BG_E_INVALID_RANGE)
            }
            () => Ok(Success::OK),
        };
        let filled: Spans = self.filled(job, file).into_iter().filter_map(|range| Span::of(range, u64::MAX)).collect();
        let is_pending = self.ordered.files(job)[place].stage == FileStage::Pending;
        self.note(format_args!("user {user} asks for {ranges:?} of {file:?} of {job:?}"));
        let ask = |engine: &mut Engine, cx: Cx<'_>, caller: &Token| {
            engine.request_file_ranges(cx, caller, job, file, &ranges)
        };
        self.is_replanning = true;
        let result = self.change(user, job, ask);
        self.is_replanning = false;
        let Some(result) = result else { return };
        assert_eq!(result, expected);
        if result.is_ok() && is_pending {
            let turn = self.given;
            let is_new = |range: &FileRange| Span::of(*range, u64::MAX).is_some_and(|span| !filled.has_all(span));
            let watched = self.jobs.get_mut(&job).expect("a job");
            watched.files[place].ask_for(turn, ranges.iter().copied().filter(is_new));
        }
    }

    /// What is there of a file of which parts may be asked for.
    pub(crate) fn filled(&self, job: JobKey, file: FileIndex) -> Vec<FileRange> {
        self.engine.filled_file_ranges(&self.users[ADMINISTRATOR], job, file).unwrap_or_default()
    }

    /// Somebody tells a job who he is, or not quite.
    pub(crate) fn some_credentials(&mut self, user: usize, job: JobKey) {
        let scheme = self.chance.pick(&[AuthScheme::BASIC, AuthScheme::DIGEST, AuthScheme::NTLM]);
        let password = if self.chance.one_in(3) { format!("wrong {}", self.number()) } else { self.origin.password() };
        self.set_credentials(user, job, scheme, &password);
    }

    fn set_credentials(&mut self, user: usize, job: JobKey, scheme: AuthScheme, password: &str) {
        self.note(format_args!("user {user} sets {password:?} for {scheme:?} of {job:?}"));
        let (target, user_name) = (AuthTarget::SERVER, Some(ALICE));
        let credentials = AuthCredentials { target, scheme, user_name, password: Some(password) };
        let set =
            |engine: &mut Engine, cx: Cx<'_>, caller: &Token| engine.set_credentials(cx, caller, job, &credentials);
        if let Some(result) = self.change(user, job, set) {
            assert_eq!(result, Ok(Success::OK));
            self.now_knows(job, |known| _ = known.insert(scheme, password.to_owned()));
        }
    }

    /// Somebody takes from a job what it knows of him.
    pub(crate) fn remove_credentials(&mut self, user: usize, job: JobKey) {
        let Some(scheme) = self.jobs[&job].passwords().keys().next().copied() else { return };
        self.note(format_args!("user {user} removes what {job:?} has for {scheme:?}"));
        let remove = |engine: &mut Engine, cx: Cx<'_>, caller: &Token| {
            engine.remove_credentials(cx, caller, job, AuthTarget::SERVER, scheme)
        };
        if let Some(result) = self.change(user, job, remove) {
            assert_eq!(result, Ok(Success::OK));
            self.now_knows(job, |known| _ = known.remove(&scheme));
        }
    }

    fn now_knows(&mut self, job: JobKey, change: impl FnOnce(&mut crate::watch::Passwords)) {
        let turn = self.given;
        let watched = self.jobs.get_mut(&job).expect("a job");
        let mut known = watched.passwords().clone();
        change(&mut known);
        watched.credentials.push((turn, known));
    }

    /// Tells a job what the servers of its files want to hear.
    pub(crate) fn tell_the_truth(&mut self, user: usize, job: JobKey) {
        let right = self.origin.password();
        let watched = &self.jobs[&job];
        let guards = watched.files.iter().filter_map(|file| self.origin.guard_at(file.name()));
        let wanted: Vec<AuthScheme> = guards.filter(|scheme| watched.passwords().get(scheme) != Some(&right)).collect();
        for scheme in wanted {
            self.set_credentials(user, job, scheme, &right);
        }
    }
}
