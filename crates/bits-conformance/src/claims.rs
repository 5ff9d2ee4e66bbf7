//! What a case claims: each assertion names the clauses that it shows.
//!
//! A claim holds when its assertion held; the recorder notes both. For `--sabotage` one claim is
//! told to expect something else, and must then fail.

// An assertion takes its values, so that a case reads without ampersands.
#![allow(clippy::needless_pass_by_value)]

use std::fmt::Debug;
use std::panic::Location;
use std::sync::Arc;

use bits_api::{
    CreatedJob, ErrorContext, Fetched, FileAclFlags, FileProgress, FileRange, FileTime, Guid, Hresult, JobPriority,
    JobProgress, JobPropertyValue, JobReplyProgress, JobState, JobTimes, JobType, NotifyFlags, PeerCachingFlags,
    ReplyDataError, SecurityFlags, Success, TokenFlags,
};

use crate::decisions::Decisions;
use crate::expected::{Expected, Measured};
use crate::falsify::Falsify;
use crate::place::Place;
use crate::spec::{Clause, Spec};

/// Why a case ended before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// An assertion did not hold, or a step did not work.
    Failed(String),
    /// The provider cannot do what the case needs.
    Skipped(String),
}

/// How a case ends.
pub(crate) type Outcome = Result<(), Stop>;

impl From<Hresult> for Stop {
    /// Names the call, or the chain of calls, that has a question mark there.
    #[track_caller]
    fn from(code: Hresult) -> Self {
        let place = Place::of(Location::caller());
        Self::Failed(format!("a call that is no assertion failed with {code}: {place}"))
    }
}

impl From<ReplyDataError> for Stop {
    #[track_caller]
    fn from(error: ReplyDataError) -> Self {
        error.code.into()
    }
}

/// Where a failure says what was expected and what came: its first line. The others tell what it is about.
pub(crate) fn told(why: &str) -> &str {
    why.lines().next().unwrap_or_default()
}

/// A failure in words.
pub(crate) fn failed<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Failed(why.into()))
}

/// One claim that was made.
#[derive(Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) clause: &'static Clause,
    pub(crate) held: bool,
}

/// One clause, or several that the same assertion shows.
pub(crate) trait Names {
    fn names(&self) -> &[&'static str];
}

impl Names for &'static str {
    fn names(&self) -> &[&'static str] {
        std::slice::from_ref(self)
    }
}

impl<const N: usize> Names for [&'static str; N] {
    fn names(&self) -> &[&'static str] {
        self
    }
}

/// The recorder of one run of one case.
pub(crate) struct Claims {
    made: Vec<Claim>,
    falsified: Option<usize>,
}

impl Claims {
    /// A recorder; the `falsified`-th claim, if any, expects something else than its clause says.
    pub(crate) fn new(falsified: Option<usize>) -> Self {
        Self { made: Vec::new(), falsified }
    }

    /// The claims made so far.
    pub(crate) fn into_made(self) -> Vec<Claim> {
        self.made
    }

    /// Claims that a call gave the code that the clause names.
    pub(crate) fn returns(&mut self, names: impl Names, result: impl CallResult) -> Outcome {
        let got = result.code();
        self.each(names, |clause, falsify| {
            let expected = expected_code(clause)?;
            let expected = if falsify { expected.falsified() } else { expected };
            met(expected.allows(got)?, || format!("expected {}, got {got}", in_words(&expected)))
        })
    }

    /// Claims that calls made one after the other gave the codes that the clause names: the first
    /// one throughout, the second at the end.
    pub(crate) fn returns_in_turn(&mut self, names: impl Names, got: &[Hresult]) -> Outcome {
        self.each(names, |clause, falsify| {
            let expected = expected_code(clause)?;
            let expected = if falsify { expected.falsified() } else { expected };
            met(expected.allows_walk(got)?, || format!("expected {}, got {got:?}", in_words(&expected)))
        })
    }

    /// Claims that something has the value that the clause fixes.
    pub(crate) fn value(&mut self, names: impl Names, got: impl Measured) -> Outcome {
        self.each(names, |clause, falsify| {
            let text = clause.value.as_deref().ok_or("the clause fixes no value: claim it with is")?;
            let but = if falsify { "anything but " } else { "" };
            met(got.is_written(text)? != falsify, || format!("expected {but}{text}, got {got:?}"))
        })
    }

    /// Claims that something is what the clause says, where that has no field of its own.
    pub(crate) fn is<T: PartialEq + Debug + Falsify>(&mut self, names: impl Names, got: T, expected: T) -> Outcome {
        self.each(names, |_, falsify| {
            let other = falsify.then(|| expected.falsified());
            let expected = other.as_ref().unwrap_or(&expected);
            met(got == *expected, || format!("expected {expected:?}, got {got:?}"))
        })
    }

    /// Claims what no comparison can say; `what` tells in words what must hold.
    pub(crate) fn holds(&mut self, names: impl Names, what: &str, held: bool) -> Outcome {
        self.each(names, |_, falsify| met(held != falsify, || format!("it does not hold that {what}")))
    }

    fn each(&mut self, names: impl Names, check: impl Fn(&Clause, bool) -> Result<(), String>) -> Outcome {
        let mut outcome = Ok(());
        for name in names.names() {
            let clause = Spec::get().find(name).map_err(Stop::Failed)?;
            let falsify = self.falsified == Some(self.made.len());
            let result = check(clause, falsify);
            self.made.push(Claim { clause, held: result.is_ok() });
            // A report tells of each, and the message of the first.
            outcome = outcome.and(result.map_err(|why| Stop::Failed(format!("{why}\n    {}", clause.describe()))));
        }
        outcome
    }
}

/// Whether an expectation was met, and else why not.
fn met(is_met: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if is_met { Ok(()) } else { Err(otherwise()) }
}

/// The code that a clause, or the decision that answers it, asks for.
fn expected_code(clause: &Clause) -> Result<Expected, String> {
    let decided = Decisions::get().answer(clause).and_then(|decision| decision.hresult.as_ref());
    let text = decided.or(clause.hresult.as_ref()).ok_or("neither the clause nor a decision names a code")?;
    Expected::parse(text, &Spec::get().codes)
}

fn in_words(expected: &Expected) -> String {
    match expected {
        Expected::Code(code) => code.to_string(),
        Expected::Then(first, last) => format!("{first}, at the end {last}"),
        Expected::AnyBut(code) => format!("any code but {code}"),
    }
}

/// Something with a code: what a call returned, or the code of an error.
pub(crate) trait CallResult {
    fn code(&self) -> Hresult;
}

impl CallResult for Hresult {
    fn code(&self) -> Hresult {
        *self
    }
}

impl<T: Answer> CallResult for Result<T, Hresult> {
    fn code(&self) -> Hresult {
        self.as_ref().map_or_else(|code| *code, Answer::success)
    }
}

impl<T: Answer> CallResult for Result<T, ReplyDataError> {
    fn code(&self) -> Hresult {
        self.as_ref().map_or_else(|error| error.code, Answer::success)
    }
}

impl<T: CallResult> CallResult for &T {
    fn code(&self) -> Hresult {
        (*self).code()
    }
}

/// What a call hands out when it succeeds.
pub(crate) trait Answer {
    /// Its success code.
    fn success(&self) -> Hresult {
        Hresult::S_OK
    }
}

impl Answer for Success {
    fn success(&self) -> Hresult {
        self.hresult()
    }
}

impl<T: ?Sized> Answer for Fetched<T> {
    fn success(&self) -> Hresult {
        self.success.hresult()
    }
}

macro_rules! plain_answers {
    ($($type:ty),*) => { $(impl Answer for $type {})* };
}

plain_answers!(
    bits_api::PeerDownloadStats,
    CreatedJob,
    TokenFlags,
    String,
    bool,
    u64,
    FileTime,
    Vec<FileRange>,
    u32,
    Guid,
    JobType,
    JobState,
    JobPriority,
    JobProgress,
    JobReplyProgress,
    Option<Vec<u8>>,
    JobTimes,
    FileProgress
);
plain_answers!(
    bits_api::NotifyCommandLine,
    NotifyFlags,
    FileAclFlags,
    PeerCachingFlags,
    bits_api::ProxySettings,
    SecurityFlags,
    JobPropertyValue,
    (ErrorContext, Hresult)
);

impl<T> Answer for bits_api::Answer<T> {
    fn success(&self) -> Hresult {
        self.code.hresult()
    }
}

impl<T: ?Sized> Answer for Arc<T> {}
impl<T: ?Sized> Answer for Option<Arc<T>> {}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "core:job.resume.empty";
    const PRIORITY: &str = "manager.create_job.initial_priority";

    /// Claims once as it is and once falsified; gives whether each held.
    fn twice(claim: impl Fn(&mut Claims) -> Outcome) -> (bool, bool) {
        let held = |falsified| {
            let mut claims = Claims::new(falsified);
            let held = claim(&mut claims).is_ok();
            let made = claims.into_made();
            assert_eq!(made.last().map(|claim| claim.held), Some(held));
            held
        };
        (held(None), held(Some(0)))
    }

    #[test]
    fn a_true_claim_holds_and_its_falsified_twin_fails() {
        let empty = Err::<Success, _>(Hresult::BG_E_EMPTY);
        assert_eq!(twice(|c| c.returns(EMPTY, empty)), (true, false));
        assert_eq!(twice(|c| c.value(PRIORITY, JobPriority::NORMAL)), (true, false));
        assert_eq!(twice(|c| c.is(EMPTY, vec![1_u32], vec![1])), (true, false));
        assert_eq!(twice(|c| c.holds(EMPTY, "one is one", true)), (true, false));
    }

    #[test]
    fn a_false_claim_fails() {
        assert!(!twice(|c| c.returns(EMPTY, Ok::<_, Hresult>(Success::OK))).0);
        assert!(!twice(|c| c.value(PRIORITY, JobPriority::HIGH)).0);
        assert!(!twice(|c| c.is(EMPTY, 1_u32, 2)).0);
        assert!(!twice(|c| c.holds(EMPTY, "one is two", false)).0);
    }

    #[test]
    fn a_call_that_is_no_assertion_is_named_when_it_fails() {
        fn refused() -> Result<Success, Hresult> {
            Err(Hresult::E_NOTIMPL)
        }
        fn case() -> Outcome {
            let calls = [refused];
            calls[0]()?;
            Ok(())
        }

        let Err(Stop::Failed(why)) = case() else { panic!("it goes on") };

        assert!(why.contains("E_NOTIMPL: ") && why.contains("claims.rs:"), "{why}");
    }

    #[test]
    fn each_clause_of_an_assertion_that_fails_is_noted() {
        let mut claims = Claims::new(None);

        let Err(Stop::Failed(why)) = claims.is([EMPTY, "core:job.resume.invalid_state"], 1_u32, 2) else {
            panic!("it held")
        };

        assert!(why.contains("job.resume.empty") && !why.contains("invalid_state"), "{why}");
        assert_eq!(claims.into_made().iter().map(|claim| claim.held).collect::<Vec<_>>(), [false, false]);
    }

    #[test]
    fn a_failure_tells_the_clause_and_both_codes() {
        let Err(Stop::Failed(why)) = Claims::new(None).returns(EMPTY, Hresult::S_OK) else { panic!("it held") };
        for part in ["BG_E_EMPTY", "S_OK", "core:job.resume.empty", "job holds no files"] {
            assert!(why.contains(part), "{why}");
        }
    }
}
