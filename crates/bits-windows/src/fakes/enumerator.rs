//! Enumerators over seven objects each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use windows::Win32::Foundation::S_FALSE;
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::{Error, Result, implement};

use super::{FakeFile, FakeJob, FakePeer, FakeRecord, FakeService};

const COUNT: u32 = 7;

/// Jobs that are all alike.
#[implement(bits::IEnumBackgroundCopyJobs)]
pub(crate) struct FakeJobs(Position);

/// Files of different names.
#[implement(bits::IEnumBackgroundCopyFiles)]
pub(crate) struct FakeFiles(Position);

/// Records of different sizes.
#[implement(bits::IEnumBitsPeerCacheRecords)]
pub(crate) struct FakeRecords(Position);

/// Peers of different names.
#[implement(bits::IEnumBitsPeers)]
pub(crate) struct FakePeers(Position);

/// Where an enumerator is.
struct Position {
    service: Arc<FakeService>,
    passed: AtomicU32,
}

impl Position {
    fn first(service: &Arc<FakeService>) -> Self {
        Self { service: Arc::clone(service), passed: AtomicU32::new(0) }
    }

    /// Hands out items by their numbers, to `give` with the place of each; says how many.
    fn next(&self, count: u32, give: impl Fn(usize, u32)) -> u32 {
        let first = self.passed.load(Ordering::Relaxed);
        let there = count.min(COUNT - first);
        (0..there).for_each(|place| give(place as usize, first + place + 1));
        self.passed.store(first + there, Ordering::Relaxed);
        there
    }

    fn twin(&self) -> Self {
        let passed = AtomicU32::new(self.passed.load(Ordering::Relaxed));
        Self { service: Arc::clone(&self.service), passed }
    }
}

/// Whether all is there that was asked for.
fn all_of(asked: u32, there: u32) -> Result<()> {
    if there < asked { Err(Error::from_hresult(S_FALSE)) } else { Ok(()) }
}

macro_rules! enumerators {
    ($($fake:ident, $methods:ident: $table:ident of $interface:ident, $item:ident, $make:expr;)*) => { $(
        impl $fake {
            /// As BITS has it.
            pub(crate) fn interface(service: &Arc<FakeService>) -> bits::$interface {
                Self(Position::first(service)).into()
            }
        }

        impl bits::$table for $methods {
            fn Next(&self, count: u32, items: *mut Option<bits::$item>, fetched: *mut u32) -> Result<()> {
                self.0.service.hear(format_args!("Next({count})"))?;
                let there = self.0.next(count, |place, number| {
                    // SAFETY: the caller's array has `count` places.
                    unsafe { items.add(place).write(Some($make(&self.0.service, number))) };
                });
                // SAFETY: the caller's place.
                unsafe { *fetched = there };
                all_of(count, there)
            }

            fn Skip(&self, count: u32) -> Result<()> {
                self.0.service.hear(format_args!("Skip({count})"))?;
                all_of(count, self.0.next(count, |_, _| ()))
            }

            fn Reset(&self) -> Result<()> {
                self.0.passed.store(0, Ordering::Relaxed);
                self.0.service.hear("Reset")
            }

            fn Clone(&self) -> Result<bits::$interface> {
                self.0.service.hear("Clone").map(|()| $fake(self.0.twin()).into())
            }

            fn GetCount(&self) -> Result<u32> {
                self.0.service.hear("GetCount").map(|()| COUNT)
            }
        }
    )* };
}

enumerators! {
    FakeJobs, FakeJobs_Impl: IEnumBackgroundCopyJobs_Impl of IEnumBackgroundCopyJobs, IBackgroundCopyJob,
        |service, _| FakeJob::interface(service);
    FakeFiles, FakeFiles_Impl: IEnumBackgroundCopyFiles_Impl of IEnumBackgroundCopyFiles, IBackgroundCopyFile,
        FakeFile::interface;
    FakeRecords, FakeRecords_Impl: IEnumBitsPeerCacheRecords_Impl of IEnumBitsPeerCacheRecords, IBitsPeerCacheRecord,
        FakeRecord::interface;
    FakePeers, FakePeers_Impl: IEnumBitsPeers_Impl of IEnumBitsPeers, IBitsPeer, FakePeer::interface;
}
