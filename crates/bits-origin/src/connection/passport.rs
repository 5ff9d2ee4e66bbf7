//! What Passport's servers have to say about a request.

use super::{Connection, Stop};
use crate::answer::Answer;
use crate::fault::Conduct;
use crate::guard::{Here, PassportRuling};
use crate::head::Head;
use crate::journal::Entry;

/// What is said beside a good answer.
pub(super) type Said = Vec<(&'static str, String)>;

impl Connection {
    /// Answers what is for one of them, unless a script has, and returns whether the connection stays;
    /// else what is said beside the answer.
    pub(super) async fn by_passport(
        &mut self,
        head: &Head,
        is_scripted: bool,
        entry: &Entry,
    ) -> Result<Result<Said, bool>, Stop> {
        let authority = self.peer.server.to_string();
        let here = Here { authority: &authority, is_https: self.peer.https };
        let ruling = if is_scripted { None } else { self.shared.passport_ruling_on(head, here) };
        match ruling {
            None => Ok(Ok(Said::new())),
            Some(PassportRuling::Pass(account, said)) => {
                entry.with(|request| request.account = Some(account));
                Ok(Ok(said))
            }
            Some(PassportRuling::Answer(status, headers)) => {
                let mut answer = Answer::bare(head, status, false, self.shared.clock.now().wall);
                for (name, value) in &headers {
                    answer.add(name, value);
                }
                self.send(&answer, head, &Conduct::default(), None, entry).await?;
                Ok(Err(!answer.close))
            }
        }
    }
}
