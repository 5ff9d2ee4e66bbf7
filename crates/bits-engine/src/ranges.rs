//! Parts of files: those given with AddFileWithRanges, those asked for while the job runs, and
//! what has arrived (clauses `job3.add_file_with_ranges.*`, `file6.*`, `job5.on_demand.*`).
//!
//! A file is fetched from front to back, and the length of its temporary file tells how far, until
//! somebody asks for a part of it: from then on what is there is a set of bytes, kept on record.

use bits_api::{FileInfo, FileRange, Hresult, JobType, LENGTH_TO_EOF, SIZE_UNKNOWN, Setting, Success};
use bits_wire::layout::{self, Layout, Piece};
use bits_wire::spans::{Span, Spans};
use bits_world::{Profile, Token};
use serde::{Deserialize, Serialize};

use crate::job::{File, Job, State};
use crate::settings::Stored;
use crate::{Action, Cause, Cx, Engine, FileIndex, FileStage, JobKey, Reply};

/// What is there of a file of which parts were asked for, and what comes next. Its shape is on
/// record.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Access {
    /// What is there.
    pub filled: Spans,
    /// What was asked for and is not all there, in the order in which it was.
    pub requested: Vec<FileRange>,
    /// From where on data are wanted first.
    pub position: Option<u64>,
}

/// What the running attempt fetches.
#[derive(Debug, Default)]
pub(crate) struct Fetching {
    /// The place of the file: an attempt that is being stopped is at it still when another file has
    /// become the one in work.
    pub(crate) place: usize,
    layout: Layout,
    /// Along which bytes are counted, once the size is known.
    pieces: Vec<Piece>,
    /// How many were there when it was told last.
    have: u64,
    /// Whether it was told to stop because another attempt is to take its place.
    pub(crate) replans: bool,
}

impl Access {
    /// What is asked for of a file of `size` bytes, which may be unknown, in the order in which it
    /// is wanted: from the position on, then what lies before it.
    fn wanted(&self, size: u64) -> Vec<FileRange> {
        let Some(position) = self.position else { return self.requested.clone() };
        let halves = self.requested.iter().map(|range| split(*range, position, size));
        let (behind, before): (Vec<_>, Vec<_>) = halves.unzip();
        behind.into_iter().chain(before).flatten().collect()
    }

    /// Takes down what is wanted, but for ranges that are there or were asked for already; returns
    /// whether any is new. Of a file of unknown size only what is surely the same is left out: whether
    /// a range lies inside is still to be judged.
    fn ask_for(&mut self, ranges: &[FileRange], size: u64) -> bool {
        let known = |range: &FileRange| match range.length {
            LENGTH_TO_EOF if size == SIZE_UNKNOWN => None,
            _ => Span::of(*range, size),
        };
        let mut taken = self.filled.clone();
        self.requested.iter().filter_map(known).for_each(|span| taken.add(span));
        let before = self.requested.len();
        for range in ranges {
            let is_new = match known(range) {
                Some(span) => !taken.has_all(span),
                None => !self.requested.contains(range),
            };
            if is_new {
                self.requested.push(*range);
                if let Some(span) = known(range) {
                    taken.add(span);
                }
            }
        }
        self.requested.len() > before
    }

    /// What was there is gone: it is asked for again.
    pub(crate) fn lose(&mut self) {
        let lost = std::mem::take(&mut self.filled);
        self.requested.splice(0..0, lost.iter().map(Span::range));
    }

    /// Forgets requests that are met.
    fn settle(&mut self, size: u64) {
        let Self { filled, requested, .. } = self;
        requested.retain(|range| Span::of(*range, size).is_none_or(|span| !filled.has_all(span)));
    }
}

/// The parts of a range from `position` on and before it.
fn split(range: FileRange, position: u64, size: u64) -> (Option<FileRange>, Option<FileRange>) {
    let start = range.initial_offset;
    let end = if range.length == LENGTH_TO_EOF { size } else { start.saturating_add(range.length) };
    if position <= start {
        return (Some(range), None);
    }
    if position >= end {
        return (None, Some(range));
    }
    let length = if range.length == LENGTH_TO_EOF { LENGTH_TO_EOF } else { end - position };
    (Some(FileRange { initial_offset: position, length }), Some(Span::new(start, position).range()))
}

impl File {
    /// What of the remote file goes where.
    fn layout(&self, on_demand: bool) -> Layout {
        match (&self.access, &self.ranges) {
            (Some(access), _) => Layout::Scattered {
                held: access.filled.clone(),
                wanted: access.wanted(self.size()),
                rest_from: (!on_demand).then_some(access.position.unwrap_or(0)),
            },
            (None, Some(ranges)) => Layout::Parts(ranges.to_vec()),
            (None, None) if on_demand => {
                Layout::Scattered { held: Spans::default(), wanted: Vec::new(), rest_from: None }
            }
            (None, None) => Layout::Whole,
        }
    }

    /// How many bytes the local file is to have, or [`SIZE_UNKNOWN`] (clause
    /// `struct.file_progress.bytes_total_ranges`).
    pub(crate) fn size(&self) -> u64 {
        let known = self.validators.map_or(SIZE_UNKNOWN, |known| known.size);
        let Some(ranges) = &self.ranges else { return known };
        let lengths = ranges.iter().map(|range| match range.length {
            LENGTH_TO_EOF if known == SIZE_UNKNOWN => None,
            LENGTH_TO_EOF => Some(known.saturating_sub(range.initial_offset)),
            length => Some(length),
        });
        lengths.sum::<Option<u64>>().unwrap_or(SIZE_UNKNOWN)
    }

    /// The bytes of the remote file that are there.
    fn filled(&self) -> Spans {
        match (&self.access, &self.ranges, self.validators) {
            (Some(access), ..) => access.filled.clone(),
            (None, Some(ranges), Some(known)) => {
                let pieces = Layout::Parts(ranges.to_vec()).pieces(known.size).unwrap_or_default();
                layout::stretch(&pieces, 0, self.have).into_iter().collect()
            }
            (None, Some(_), None) => Spans::default(),
            (None, None, _) => [Span::new(0, self.have)].into_iter().collect(),
        }
    }

    /// Whether something of the file is still to be fetched.
    pub(crate) fn is_wanted(&self, on_demand: bool) -> bool {
        self.stage == FileStage::Pending
            && (!on_demand || self.access.as_ref().is_some_and(|a| !a.requested.is_empty()))
    }
}

impl Job {
    /// Whether only what is asked for is fetched (clause `job5.on_demand.effect`).
    pub(crate) fn is_on_demand(&self) -> bool {
        self.later.is_on(Setting::OnDemandMode)
    }

    /// Whether the content may be made up as it is asked for.
    pub(crate) fn is_dynamic(&self) -> bool {
        self.later.is_on(Setting::DynamicContent)
    }

    /// Whether the bytes go into the destination itself.
    pub(crate) fn is_direct(&self) -> bool {
        self.later.is_on(Setting::HighPerformance)
    }

    /// Whether the job has nothing to fetch, although not all of its files are there.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.is_on_demand() && !self.has_all_files() && !self.files.iter().any(|file| file.is_wanted(true))
    }

    /// How many more bytes an attempt at this file may bring.
    pub(crate) fn limit(&self, place: usize) -> Option<u64> {
        let most = self.later.long(Setting::MaxDownloadSize)?;
        let file = &self.files[place];
        let others = if file.access.is_some() { 0 } else { file.have };
        Some(most.saturating_sub(self.sums.bytes_transferred - others))
    }

    /// Whether parts of the file can be asked for (clauses `file6.requirements.*`).
    fn check_random_access(&self, place: usize) -> Result<(), Hresult> {
        let lost_support = self.error.is_some_and(|error| {
            error.code == Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT && error.file.is_some_and(|f| f.0 as usize == place)
        });
        let has_ranges = self.files.get(place).ok_or(Hresult::BG_E_FILE_NOT_AVAILABLE)?.ranges.is_some();
        let is_copied = self.file_name(place).is_some();
        if self.kind != JobType::DOWNLOAD || self.is_dynamic() || lost_support || has_ranges || is_copied {
            return Err(Hresult::BG_E_RANDOM_ACCESS_NOT_SUPPORTED);
        }
        Ok(())
    }

    /// Whether a setting goes together with the others and the files (decisions
    /// `job5.dynamic_content.no_ranges`, `job5.on_demand.excludes_dynamic_later`).
    pub(crate) fn goes_together(&self, setting: Setting, value: &Stored) -> Result<(), Hresult> {
        let has_ranges = || self.files.iter().any(|file| file.ranges.is_some());
        let has_copies = || (0..self.files.len()).any(|place| self.file_name(place).is_some());
        let clashes = *value == Stored::Enable(true)
            && match setting {
                Setting::DynamicContent => self.is_on_demand() || has_ranges(),
                Setting::OnDemandMode => self.is_dynamic() || has_ranges() || has_copies(),
                _ => false,
            };
        if clashes { Err(Hresult::BG_E_UNSUPPORTED_JOB_CONFIGURATION) } else { Ok(()) }
    }
}

/// Whether ranges can be given to AddFileWithRanges.
fn check_ranges(ranges: &[FileRange]) -> Result<(), Hresult> {
    if ranges.is_empty() {
        return Err(Hresult::E_INVALIDARG);
    }
    let end = |range: &FileRange| match range.length {
        LENGTH_TO_EOF => Some(u64::MAX),
        length => range.initial_offset.checked_add(length),
    };
    if ranges.iter().any(|range| range.initial_offset == LENGTH_TO_EOF || end(range).is_none()) {
        return Err(Hresult::BG_E_INVALID_RANGE);
    }
    let mut sorted: Vec<_> = ranges.iter().collect();
    // By offset alone: of two with one offset, the first given stays first.
    sorted.sort_by_key(|range| range.initial_offset);
    let overlaps = |pair: &[&FileRange]| end(pair[0]).is_none_or(|end| end > pair[1].initial_offset);
    if sorted.windows(2).any(overlaps) {
        return Err(Hresult::BG_E_OVERLAPPING_RANGES);
    }
    if ranges.iter().any(|range| range.length == 0) { Err(Hresult::BG_E_INVALID_RANGE) } else { Ok(()) }
}

impl Engine {
    /// AddFileWithRanges: a file of which only these parts are fetched. Since 2.0; clauses
    /// `job3.add_file_with_ranges.*`.
    ///
    /// # Errors
    /// Those of [`Engine::add_files`]; `E_NOTIMPL` on a job that is no download; `E_INVALIDARG`
    /// without ranges; `BG_E_INVALID_RANGE` for one that no file can have, or that is empty (a
    /// decision); `BG_E_OVERLAPPING_RANGES`; `BG_E_TOO_MANY_RANGES_IN_FILE` above the limit (3.0);
    /// `BG_E_UNSUPPORTED_JOB_CONFIGURATION` for dynamic content and in on-demand mode (a decision).
    pub fn add_file_with_ranges(
        &mut self,
        cx: Cx<'_>,
        caller: &Token,
        key: JobKey,
        file: &FileInfo<'_>,
        ranges: &[FileRange],
    ) -> Reply {
        self.change(cx, caller, key, |engine| {
            let job = &engine.jobs[key];
            if job.kind != JobType::DOWNLOAD {
                return Err(Hresult::E_NOTIMPL);
            }
            if job.is_dynamic() || job.is_on_demand() {
                return Err(Hresult::BG_E_UNSUPPORTED_JOB_CONFIGURATION);
            }
            if ranges.is_empty() {
                return Err(Hresult::E_INVALIDARG);
            }
            engine.check_files(cx, caller, key, std::slice::from_ref(file))?;
            engine.check_source_of_ranges(file)?;
            check_ranges(ranges)?;
            let is_limited = engine.config.profile >= Profile::V3_0 && !caller.is_exempt_from_limits();
            if is_limited && ranges.len() > cx.world.policies.max_ranges_per_file as usize {
                return Err(Hresult::BG_E_TOO_MANY_RANGES_IN_FILE);
            }
            let partial = File { ranges: Some(ranges.into()), ..File::new(file.remote_name, file.local_name) };
            engine.take_in(cx, key, [partial]);
            Ok(Success::OK)
        })
    }

    /// GetFileRanges: what was given to AddFileWithRanges, or nothing. Since 2.0; clauses
    /// `file2.get_file_ranges.*`.
    ///
    /// # Errors
    /// `BG_E_FILE_NOT_AVAILABLE` for a file that the job does not have.
    pub fn file_ranges(&self, caller: &Token, job: JobKey, file: FileIndex) -> Result<Option<Vec<FileRange>>, Hresult> {
        Ok(self.file(caller, job, file)?.ranges.as_ref().map(|ranges| ranges.to_vec()))
    }

    /// RequestFileRanges: fetches these parts first. Since 10.1; clauses
    /// `file6.request_file_ranges.*`.
    ///
    /// # Errors
    /// `BG_E_RANDOM_ACCESS_NOT_SUPPORTED` for a file that cannot be fetched so; `E_INVALIDARG`
    /// without ranges and `BG_E_INVALID_RANGE` for an empty one (decisions), and for one outside a
    /// file whose size is known; `BG_E_INVALID_STATE` in a final state.
    pub fn request_file_ranges(
        &mut self,
        cx: Cx<'_>,
        caller: &Token,
        key: JobKey,
        file: FileIndex,
        ranges: &[FileRange],
    ) -> Reply {
        let place = file.0 as usize;
        self.change(cx, caller, key, |engine| {
            let job = &engine.jobs[key];
            job.check_random_access(place)?;
            if ranges.is_empty() {
                return Err(Hresult::E_INVALIDARG);
            }
            let size = job.files[place].size();
            if ranges.iter().any(|range| range.length == 0 || !may_lie_inside(*range, size)) {
                return Err(Hresult::BG_E_INVALID_RANGE);
            }
            // file6.request_file_ranges.callback_window
            engine.begin_range_window(key, place);
            let file = &mut engine.jobs[key].files[place];
            if file.stage == FileStage::Pending {
                let access = file.scatter();
                if access.ask_for(ranges, size) {
                    engine.reorder(key, place);
                }
            }
            engine.changed(cx, key);
            Ok(Success::OK)
        })
    }

    /// UpdateDownloadPosition: fetches what is missing from `offset` on first. Since 10.1; clauses
    /// `file6.update_download_position.*`.
    ///
    /// # Errors
    /// `BG_E_RANDOM_ACCESS_NOT_SUPPORTED` for a file that cannot be fetched so;
    /// `BG_E_INVALID_STATE` in a final state.
    pub fn update_download_position(
        &mut self,
        cx: Cx<'_>,
        caller: &Token,
        key: JobKey,
        file: FileIndex,
        offset: u64,
    ) -> Reply {
        let place = file.0 as usize;
        self.change(cx, caller, key, |engine| {
            engine.jobs[key].check_random_access(place)?;
            let file = &mut engine.jobs[key].files[place];
            if file.stage == FileStage::Pending && file.scatter().position.replace(offset) != Some(offset) {
                engine.reorder(key, place);
            }
            engine.changed(cx, key);
            Ok(Success::OK)
        })
    }

    /// GetFilledFileRanges: what is there of the remote file, joined and in order. Since 10.1;
    /// clauses `file6.get_filled_file_ranges.*`.
    ///
    /// # Errors
    /// `BG_E_RANDOM_ACCESS_NOT_SUPPORTED` for a file that cannot be fetched in parts.
    pub fn filled_file_ranges(&self, caller: &Token, job: JobKey, file: FileIndex) -> Result<Vec<FileRange>, Hresult> {
        self.readable(caller, job)?.check_random_access(file.0 as usize)?;
        Ok(self.file(caller, job, file)?.filled().iter().map(Span::range).collect())
    }

    /// What is wanted of a file, or in which order, is another now.
    fn reorder(&mut self, key: JobKey, place: usize) {
        self.persist_file(key, place);
        if self.jobs[key].place_in_work() == place {
            self.replan(key);
        }
    }

    /// The running attempt goes by what is true no more: another takes its place, without a pause
    /// in the state of the job.
    pub(crate) fn replan(&mut self, key: JobKey) {
        let job = &mut self.jobs[key];
        let Some(attempt) = job.attempt() else { return };
        if !std::mem::replace(&mut job.fetching.replans, true) {
            self.push(Action::Stop(attempt));
        }
    }

    /// The file whose turn it is: the first that is not all there or, in on-demand mode, of which
    /// something was asked for.
    pub(crate) fn choose_file(&mut self, key: JobKey) -> Option<usize> {
        let job = &mut self.jobs[key];
        if job.is_on_demand() {
            job.work = job.files.iter().position(|file| file.is_wanted(true));
            self.jobs.refile(key);
            return self.jobs[key].work;
        }
        job.work = None;
        (!job.has_all_files()).then_some(job.next)
    }

    /// Everything that was asked for is there, but not the whole of every file (clauses
    /// `file6.request_file_ranges.done_some`, `job5.on_demand.state_after_requests`).
    pub(crate) fn requests_met(&mut self, cx: Cx<'_>, key: JobKey) {
        self.transition(cx, key, State::Suspended, Cause::RequestsMet);
    }

    /// What the next attempt at a file fetches. Nothing that is there of a scattered file is gone
    /// on with while nobody can tell whether it is of the same version.
    pub(crate) fn plan_layout(&mut self, key: JobKey, place: usize) -> Layout {
        let file = &self.jobs[key].files[place];
        if file.access.is_some() && file.validators.is_none_or(|known| known.last_modified.is_none()) {
            self.throw_away(key, place);
        }
        let job = &self.jobs[key];
        let layout = job.files[place].layout(job.is_on_demand());
        self.jobs[key].fetching = Fetching { place, layout: layout.clone(), ..Fetching::default() };
        layout
    }

    /// The attempt has learned how large the file is, and that so much of it is there.
    pub(crate) fn begin_counting(&mut self, key: JobKey, place: usize, size: u64, have: u64) {
        let job = &mut self.jobs[key];
        let fetching = &mut job.fetching;
        fetching.pieces = fetching.layout.pieces(size).unwrap_or_default();
        fetching.have = have;
        let is_sequential = fetching.layout.is_sequential();
        let file = &mut job.files[place];
        let have = match &mut file.access {
            Some(access) if is_sequential => {
                access.filled = [Span::new(0, have)].into_iter().collect();
                have
            }
            Some(access) => access.filled.total(),
            None => have,
        };
        let begins_anew = have < file.have;
        job.set_have(place, have);
        if begins_anew {
            self.begin_range_window(key, place);
        }
    }

    /// So much of what the attempt fetches is there; whether that is more than before.
    pub(crate) fn count(&mut self, key: JobKey, place: usize, have: u64) -> bool {
        let job = &mut self.jobs[key];
        let before = std::mem::replace(&mut job.fetching.have, have);
        let is_sequential = job.fetching.layout.is_sequential();
        let news = layout::stretch(&job.fetching.pieces, before, have);
        let file = &mut job.files[place];
        let total = match &mut file.access {
            Some(access) => {
                for span in &news {
                    access.filled.add(*span);
                }
                access.settle(file.validators.map_or(SIZE_UNKNOWN, |known| known.size));
                access.filled.total()
            }
            None if is_sequential => have,
            None => file.have,
        };
        let is_more = job.set_have(place, total);
        self.notify_of_ranges(key, place, news);
        is_more
    }

    /// The attempt has brought everything; whether that is all of the file.
    pub(crate) fn count_all(&mut self, key: JobKey, place: usize) -> bool {
        let fetching = &self.jobs[key].fetching;
        let is_sequential = fetching.layout.is_sequential();
        if !fetching.pieces.is_empty() {
            self.count(key, place, layout::length(&fetching.pieces));
        }
        let file = &self.jobs[key].files[place];
        is_sequential || file.access.as_ref().is_some_and(|access| access.filled.total() == file.size())
    }

    /// What is there of a file is worth nothing any more, though its name is ours.
    pub(crate) fn throw_away(&mut self, key: JobKey, place: usize) {
        self.begin_range_window(key, place);
        let job = &mut self.jobs[key];
        job.set_have(place, 0);
        let file = &mut job.files[place];
        file.begin = bits_wire::attempt::Begin::Anew;
        if let Some(access) = &mut file.access {
            access.lose();
        }
    }
}

impl File {
    /// How much is there of a scattered file whose temporary file has this length: all that should
    /// be, or nothing that can be relied on.
    pub(crate) fn still_filled(&self, length: Result<Option<u64>, Hresult>) -> u64 {
        match (&self.access, length) {
            (Some(access), Ok(Some(found))) if access.filled.end() <= found => access.filled.total(),
            _ => 0,
        }
    }

    /// From now on what is there is a set of bytes.
    fn scatter(&mut self) -> &mut Access {
        let filled = self.filled();
        self.access.get_or_insert_with(|| Box::new(Access { filled, ..Access::default() }))
    }
}

/// Whether a range lies in a file of `size` bytes, as far as that is known.
fn may_lie_inside(range: FileRange, size: u64) -> bool {
    let FileRange { initial_offset, length } = range;
    let is_range =
        initial_offset != LENGTH_TO_EOF && (length == LENGTH_TO_EOF || initial_offset.checked_add(length).is_some());
    is_range && (size == SIZE_UNKNOWN || Span::of(range, size).is_some())
}
