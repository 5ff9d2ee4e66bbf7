//! The heads of answers that a job keeps for its client: the latest ones, as much as there is room
//! for. A server may send 64 KiB with each file, and a job may have any number of files.

use std::collections::VecDeque;

use bits_wire::attempt::ResponseHead;

use crate::job::Job;
use crate::{Engine, JobKey};

/// How many bytes of heads one job keeps (a decision, `file5.heads_kept`).
const MOST: usize = 4 * 1024 * 1024;

/// Which files of a job have heads.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    bytes: usize,
    /// Their places, the one that was heard first in front.
    places: VecDeque<usize>,
}

impl Job {
    /// Counts the head that a file on record has brought along.
    pub(crate) fn count_head(&mut self, place: usize) {
        if let Some(head) = &self.files[place].head {
            self.heads.bytes += head.0.len();
            self.heads.places.push_back(place);
        }
    }

    /// Takes down the head of an answer about a file; returns whose heads had to go for it.
    fn keep_head(&mut self, place: usize, head: ResponseHead) -> Vec<usize> {
        if self.drop_head(place) {
            // Nearly always it is the file that was heard last.
            match self.heads.places.back() {
                Some(last) if *last == place => _ = self.heads.places.pop_back(),
                _ => self.heads.places.retain(|kept| *kept != place),
            }
        }
        self.heads.bytes += head.0.len();
        self.heads.places.push_back(place);
        self.files[place].head = Some(head);
        let mut gone = Vec::new();
        while self.heads.bytes > MOST
            && let Some(oldest) = self.heads.places.pop_front()
        {
            self.drop_head(oldest);
            gone.push(oldest);
        }
        gone
    }

    fn drop_head(&mut self, place: usize) -> bool {
        let dropped = self.files[place].head.take();
        self.heads.bytes -= dropped.as_ref().map_or(0, |head| head.0.len());
        dropped.is_some()
    }
}

impl Engine {
    /// A server has said something about the file in work.
    pub(crate) fn answered(&mut self, key: JobKey, head: ResponseHead) {
        let job = &mut self.jobs[key];
        let place = job.place_in_work();
        for gone in job.keep_head(place, head) {
            self.persist_file(key, gone);
        }
    }
}
