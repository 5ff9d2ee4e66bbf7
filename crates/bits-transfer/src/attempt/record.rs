//! What an attempt tells of the file that it fetches: what goes on record, and how far it is.

use std::sync::Arc;

use bits_wire::attempt::{AttemptReport, Begin, Failure, Validators};
use bits_wire::download::{Download, Fault};
use bits_wire::layout::Layout;

use super::Attempt;
use crate::mover::Standing;

impl Attempt<'_> {
    /// Lets what is known of the remote file go on record, unless it is there; what the temporary
    /// file holds of another one is thrown away before. So is what it holds of a file that seemed to
    /// have changed, and is the same again.
    pub(super) async fn record(&mut self, download: &Download) -> Result<(), Failure> {
        let have = download.have();
        let is_news = |known: &Validators| self.recorded != Some(*known) || self.have != have;
        let Some(validators) = download.known().filter(is_news) else { return Ok(()) };
        match self.plan.fetch.layout {
            Layout::Scattered { .. } if self.plan.fetch.begin != Begin::Anew || self.recorded.is_some() => {}
            _ => self.partial.truncate(have)?,
        }
        self.line.control.stand(Standing::AwaitingRecord);
        self.line.control.report(AttemptReport::Connected { validators, have });
        (self.recorded, self.have, self.reported) = (Some(validators), have, have);
        self.recordings += 1;
        let recordings = self.recordings;
        if self.signals.wait_for(|signals| signals.proceeds >= recordings).await.is_err() {
            // The sender lives in the control that this attempt borrows.
            return Err(Fault::ConnectionEnded.failure());
        }
        if let Some(link) = &self.line.link {
            link.meter().pulse.beat(&self.line.network.clock);
            self.line.control.stand(Standing::Talking(Arc::clone(link.meter())));
        }
        Ok(())
    }

    pub(super) fn unreported(&self) -> u64 {
        self.have.saturating_sub(self.reported)
    }

    pub(super) fn report_progress(&mut self) {
        if self.recorded.is_some() && self.unreported() > 0 {
            self.reported = self.have;
            self.line.control.report(AttemptReport::Progress { have: self.reported });
        }
    }
}
