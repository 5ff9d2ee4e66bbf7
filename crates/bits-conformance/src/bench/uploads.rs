//! Uploads: jobs that send a file, and what their server makes of it.

use std::sync::Arc;

use bits_api::{ErrorContext, Hresult, Job, JobState, JobType};
use bits_service::{SimFailure, SimReply, SimUploadStage, Simulation};
use bits_wire::attempt::Failure;

use super::{Bench, Outside, Remote, job_name, simulated_folder};
use crate::claims::{Outcome, Stop, failed};
use crate::provider::Capability;

impl Bench {
    /// A new job of that type without files.
    pub(crate) fn new_job_of(&self, job_type: JobType) -> Result<Arc<dyn Job>, Stop> {
        if self.is_live() && !self.is_windows() {
            // The emulator has uploads only where servers are simulated.
            self.can(Capability::Uploads)?;
        }
        Ok(self.manager()?.create_job(Some(job_name()), job_type)?.job)
    }

    /// A local file of that size, and where jobs of this bench send it to.
    pub(crate) fn outgoing(&self, name: &str, size: u64) -> Result<Remote, Stop> {
        let path = name.replace('\\', "/");
        let url = match &self.outside {
            Outside::Simulated(_) => format!("http://uploads.example/{path}"),
            Outside::Real(real) => real.origin()?.url(&format!("/uploads/{path}")),
        };
        let file = Remote { url, local: self.local(name) };
        self.rewrite(name, size)?;
        Ok(file)
    }

    /// Replaces a local file by another version.
    pub(crate) fn rewrite(&self, name: &str, size: u64) -> Outcome {
        match &self.outside {
            Outside::Simulated(simulation) => {
                simulation.write(simulated_folder().join(name.replace('\\', "/")), size);
                Ok(())
            }
            Outside::Real(real) => real.write(&self.on_disk(name), size),
        }
    }

    /// A new job of that type that sends a file of so many bytes.
    pub(crate) fn upload_job(&self, job_type: JobType, size: u64) -> Result<(Arc<dyn Job>, Remote), Stop> {
        let job = self.new_job_of(job_type)?;
        let file = self.outgoing("up.bin", size)?;
        file.add_to(&job)?;
        Ok((job, file))
    }

    /// A job of that type in that state, which sends a file of 1,000 bytes.
    pub(crate) fn upload_in(&self, job_type: JobType, state: JobState) -> Result<(Arc<dyn Job>, Remote), Stop> {
        let (job, file) = self.upload_job(job_type, 1_000)?;
        self.bring(&job, &file, state)?;
        Ok((job, file))
    }

    /// Lets the server application reply with these bytes to uploads of the file.
    pub(crate) fn reply_with(&self, file: &Remote, bytes: &[u8]) -> Outcome {
        self.simulation()?.reply(&file.url, SimReply::Bytes(bytes.to_vec()));
        Ok(())
    }

    /// Lets the server take no file above so many bytes.
    pub(crate) fn limit_uploads(&self, bytes: u64) -> Outcome {
        self.simulation()?.limit_uploads(bytes);
        Ok(())
    }

    /// Lets the server not tell where the reply is.
    pub(crate) fn withhold_reply(&self, file: &Remote) -> Outcome {
        self.simulation()?.reply(&file.url, SimReply::Untold);
        Ok(())
    }

    /// Lets the server application answer the next upload of the file with this HTTP status.
    pub(crate) fn application_answers(&self, file: &Remote, status: u16) -> Outcome {
        self.simulation()?.fail_application(&file.url, status);
        Ok(())
    }

    /// Lets the server application refuse uploads of the file that have a header of this name.
    pub(crate) fn refuse_header(&self, file: &Remote, name: &str, status: u16) -> Outcome {
        self.simulation()?.refuse_header(&file.url, name, status);
        Ok(())
    }

    /// Lets the server send whoever asks for the file to `location`.
    pub(crate) fn redirect_simulated(&self, file: &Remote, status: u16, location: &str) -> Outcome {
        match &self.outside {
            Outside::Simulated(simulation) => {
                simulation.redirect(&file.url, status, location);
                Ok(())
            }
            Outside::Real(real) => self.redirect(real.path_of(file)?, status, location),
        }
    }

    /// Lets the next attempt on the file fail in that context, for good.
    pub(crate) fn fail_in(&self, file: &Remote, context: ErrorContext, code: Hresult) -> Outcome {
        let failure = SimFailure { at: None, failure: Failure { code, context, transient: false } };
        self.simulation()?.fail_next(&file.url, failure);
        Ok(())
    }

    /// What the server has made of the newest upload, and how many bytes it has.
    pub(crate) fn on_server(&self) -> Result<(&'static str, u64), Stop> {
        let Some(newest) = self.simulation()?.uploads().pop() else { return failed("nothing was uploaded") };
        let stage = match newest.stage {
            SimUploadStage::Unfinished => "unfinished",
            SimUploadStage::Stored => "stored",
            SimUploadStage::Discarded => "discarded",
        };
        Ok((stage, newest.received))
    }

    /// Whether the server keeps a reply for the newest upload.
    pub(crate) fn keeps_reply(&self) -> Result<bool, Stop> {
        Ok(self.simulation()?.uploads().pop().is_some_and(|newest| newest.keeps_reply))
    }

    /// How many uploads the server has been asked to take.
    pub(crate) fn uploads_seen(&self) -> Result<usize, Stop> {
        Ok(self.simulation()?.uploads().len())
    }
}

impl Remote {
    /// The reply to an upload of the file, as a file to hold or to trouble.
    pub(crate) fn reply(&self) -> Self {
        Self { url: Simulation::reply_url(&self.url), local: String::new() }
    }
}
