//! The jobs by their keys.
//!
//! Keys are handed out in order, so jobs lie in pages of neighbours: a look-up searches among the
//! pages, of which there are few, and is the commonest thing that the engine does.

use std::collections::BTreeMap;

use crate::JobKey;
use crate::job::Job;
use crate::visits::Counted;

const JOBS_PER_PAGE: u64 = 256;

/// Jobs by key.
#[derive(Debug, Default)]
pub(crate) struct Pages(BTreeMap<Counted<u64>, Page>);

#[derive(Debug)]
struct Page {
    jobs: Box<[Option<Box<Job>>]>,
    /// How many of them are there.
    count: u32,
}

impl Page {
    fn empty() -> Self {
        Self { jobs: (0..JOBS_PER_PAGE).map(|_| None).collect(), count: 0 }
    }
}

/// The page of a key, and the place on it.
fn place(key: JobKey) -> (Counted<u64>, usize) {
    (Counted(key.0 / JOBS_PER_PAGE), (key.0 % JOBS_PER_PAGE) as usize)
}

impl Pages {
    pub(crate) fn get(&self, key: JobKey) -> Option<&Job> {
        let (page, place) = place(key);
        self.0.get(&page)?.jobs[place].as_deref()
    }

    pub(crate) fn get_mut(&mut self, key: JobKey) -> Option<&mut Job> {
        let (page, place) = place(key);
        self.0.get_mut(&page)?.jobs[place].as_deref_mut()
    }

    pub(crate) fn insert(&mut self, job: Box<Job>) {
        let (page, place) = place(job.key);
        let page = self.0.entry(page).or_insert_with(Page::empty);
        if page.jobs[place].replace(job).is_none() {
            page.count += 1;
        }
    }

    pub(crate) fn remove(&mut self, key: JobKey) {
        let (number, place) = place(key);
        let Some(page) = self.0.get_mut(&number) else { return };
        if page.jobs[place].take().is_some() {
            page.count -= 1;
            if page.count == 0 {
                self.0.remove(&number);
            }
        }
    }
}

impl FromIterator<Box<Job>> for Pages {
    fn from_iter<I: IntoIterator<Item = Box<Job>>>(jobs: I) -> Self {
        let mut pages = Self::default();
        for job in jobs {
            pages.insert(job);
        }
        pages
    }
}
