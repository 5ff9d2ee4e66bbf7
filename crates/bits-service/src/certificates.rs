//! Looks into the certificate stores for attempts, whenever they make a connection.

use std::sync::{Arc, Weak};

use bits_api::Hresult;
use bits_engine::JobKey;
use bits_wire::attempt::AttemptPlan;
use bits_wire::certificates::{Found, Stores};

use crate::service::Service;

/// Lets an attempt look into the stores in the name of its job.
pub(crate) fn arrange(service: &Service, plan: &mut AttemptPlan) {
    let job = service.read(|engine| engine.job_of(plan.attempt).ok_or(Hresult::BG_E_NOT_FOUND));
    if let Ok(job) = job {
        plan.certificates.stores = Some(Arc::new(JobsStores { service: service.weak(), job }));
    }
}

/// The stores as they are for one job.
#[derive(Debug)]
struct JobsStores {
    service: Weak<Service>,
    job: JobKey,
}

impl Stores for JobsStores {
    fn look(&self) -> Found {
        let Some(service) = self.service.upgrade() else { return Found::default() };
        let world = service.world();
        service.read(|engine| Ok(engine.look_up_certificates(&world, self.job))).unwrap_or_default()
    }
}
