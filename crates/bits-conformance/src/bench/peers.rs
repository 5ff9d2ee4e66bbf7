//! The peer cache of BITS 3.0, and the computers around.

use std::sync::Arc;

use bits_api::{Guid, JobState, PeerCacheAdministration, PeerCacheFlags, PeerCachingFlags};
use bits_service::PeerRead;
use bits_world::{PeerCachePolicies, PeerComputer};

use super::{Bench, Remote, SOON};
use crate::claims::{Outcome, Stop};
use crate::provider::Capability;

impl Bench {
    /// The administration of the peer cache, as an administrator has it.
    pub(crate) fn peer_cache(&self) -> Result<Arc<dyn PeerCacheAdministration>, Stop> {
        Ok(self.administrator()?.peer_cache_administration()?)
    }

    /// A computer that keeps content and serves it to peers.
    pub(crate) fn serve_peers(&self) -> Result<Arc<dyn PeerCacheAdministration>, Stop> {
        let admin = self.peer_cache()?;
        admin.set_configuration_flags(PeerCacheFlags::ENABLE_SERVER)?;
        Ok(admin)
    }

    /// Policies about peers.
    pub(crate) fn set_peer_policies(&self, change: impl FnOnce(&mut PeerCachePolicies)) -> Outcome {
        self.set_policies(|policies| change(&mut policies.peer_cache))
    }

    /// A system disk of that many bytes.
    pub(crate) fn set_disk(&self, bytes: u64) -> Outcome {
        self.can(Capability::World)?;
        self.emulator()?.change_world(|world| world.peers.disk_bytes = bytes);
        Ok(())
    }

    /// Other computers of the subnet, all of them online or none.
    pub(crate) fn set_neighbours(&self, names: &[&str], available: bool) -> Outcome {
        self.can(Capability::World)?;
        let computers = names.iter().map(|name| PeerComputer { name: (*name).to_owned(), available }).collect();
        self.emulator()?.change_world(|world| world.peers.computers = computers);
        Ok(())
    }

    /// A file that a job has brought into the cache, where it is not valid yet.
    pub(crate) fn transferred_for_peers(
        &self,
        name: &str,
        size: u64,
    ) -> Result<(Arc<dyn bits_api::Job>, Remote), Stop> {
        let job = self.new_job()?;
        job.job4()?.set_peer_caching_flags(PeerCachingFlags::ENABLE_SERVER)?;
        let file = self.serve(name, size)?;
        file.add_to(&job)?;
        job.resume()?;
        self.wait(&job, JobState::TRANSFERRED, SOON)?;
        Ok((job, file))
    }

    /// A valid file in the cache, whose job is complete.
    pub(crate) fn cached(&self, name: &str, size: u64) -> Result<Remote, Stop> {
        let (job, file) = self.transferred_for_peers(name, size)?;
        job.complete()?;
        Ok(file)
    }

    /// A peer begins to read the file from the cache, if it is served.
    pub(crate) fn peer_read(&self, file: &Remote) -> Result<Option<PeerRead>, Stop> {
        self.can(Capability::World)?;
        Ok(self.emulator()?.peer_read(&file.url))
    }

    /// The URLs of the records in the cache, in alphabetical order.
    pub(crate) fn cached_urls(&self) -> Result<Vec<String>, Stop> {
        let mut urls = Vec::new();
        for id in self.cached_ids()? {
            if let Some(record) = self.peer_cache()?.record(id)?.value {
                urls.push(record.origin_url()?);
            }
        }
        urls.sort_unstable();
        Ok(urls)
    }

    /// The identifiers of the records in the cache.
    pub(crate) fn cached_ids(&self) -> Result<Vec<Guid>, Stop> {
        match self.peer_cache()?.enum_records()?.value {
            Some(records) => records.next(u32::MAX)?.items.iter().map(|record| Ok(record.id()?)).collect(),
            None => Ok(Vec::new()),
        }
    }
}
