//! Enumerations and flags against the clauses that give their values.

use std::collections::BTreeMap;

use bits_api::{EnumJobsFlags, ErrorContext, JobPriority, JobState, JobType, NotifyFlags};
use serde::Deserialize;

#[derive(Deserialize)]
struct Spec {
    clause: Vec<Clause>,
}

#[derive(Deserialize)]
struct Clause {
    id: String,
    when: String,
    then: String,
    #[serde(default)]
    value: Option<toml::Value>,
}

/// The values that `core.toml` gives to the constants below `prefix`, by Windows' name.
fn documented(prefix: &str) -> BTreeMap<String, u32> {
    let clauses = super::spec::<Spec>("core.toml").clause.into_iter();
    let named = clauses.filter(|clause| clause.id.starts_with(prefix) && clause.when.starts_with("BG_"));
    named.filter_map(|clause| Some((clause.when, number(&clause.value?)))).collect()
}

/// Reads `0x0010` and `4 (0x4)`.
fn number(value: &toml::Value) -> u32 {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let first = text.split_whitespace().next().expect("a number");
    let parsed = match first.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => first.parse(),
    };
    parsed.unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn ours<T>(defined: &[T], parts: impl Fn(&T) -> (Option<&'static str>, u32)) -> BTreeMap<String, u32> {
    defined.iter().map(&parts).map(|(name, value)| (name.expect("a defined value").to_owned(), value)).collect()
}

#[test]
fn job_states_have_the_documented_values() {
    let states = ours(JobState::DEFINED, |state| (state.name(), state.0));

    assert_eq!(states, documented("enum.job_state."));
    assert_eq!(states.len(), 9);
}

#[test]
fn job_states_stand_in_the_documented_order() {
    let clauses = super::spec::<Spec>("core.toml").clause;
    let order = clauses.into_iter().find(|clause| clause.id == "enum.job_state.display_order").expect("the clause");
    let (_, names) = order.then.split_once("reads ").expect("a list");

    let ours: Vec<_> = JobState::DEFINED
        .iter()
        .map(|state| state.name().expect("a name").trim_start_matches("BG_JOB_STATE_").replace('_', " ").to_lowercase())
        .collect();
    // The page spells the last one with one L; the constant has two.
    let documented: Vec<_> =
        names.split(", ").map(|name| name.to_lowercase().replace("canceled", "cancelled")).collect();
    assert_eq!(ours, documented);
    assert!(JobState::DEFINED.iter().zip(0..).all(|(state, index)| state.0 == index));
}

#[test]
fn priorities_have_the_documented_values() {
    assert_eq!(ours(JobPriority::DEFINED, |priority| (priority.name(), priority.0)), documented("enum.job_priority."));
    assert!(JobPriority::FOREGROUND < JobPriority::LOW, "clause enum.job_priority.order");
}

#[test]
fn job_types_have_the_documented_values() {
    assert_eq!(ours(JobType::DEFINED, |job_type| (job_type.name(), job_type.0)), documented("enum.job_type."));
}

#[test]
fn error_contexts_have_the_documented_values() {
    let mut documented = documented("enum.error_context.");
    // Named by service.toml without a value; the header counts on.
    documented.insert("BG_ERROR_CONTEXT_SERVER_CERTIFICATE_CALLBACK".into(), 8);

    assert_eq!(ours(ErrorContext::DEFINED, |context| (context.name(), context.0)), documented);
}

#[test]
fn notify_flags_have_the_documented_bits() {
    let ours = NotifyFlags::all().iter_names().map(|(name, flag)| (format!("BG_NOTIFY_{name}"), flag.bits())).collect();

    assert_eq!(documented("job.set_notify_flags."), ours);
}

#[test]
fn the_flag_for_all_users_is_the_lowest_bit_and_others_can_be_sent() {
    assert_eq!(EnumJobsFlags::ALL_USERS.bits(), 1, "clause enum.enum_jobs_flags.all_users");
    assert_eq!(EnumJobsFlags::from_bits(0xFFFF_FFFF).map(|flags| flags.bits()), Some(0xFFFF_FFFF));
}

#[test]
fn an_undefined_value_has_no_name_and_shows_its_number() {
    assert_eq!(JobState(9).name(), None);
    assert_eq!(JobState(9).to_string(), "JobState(0x9)");
    assert_eq!(format!("{:?}", JobPriority(u32::MAX)), "JobPriority(0xffffffff)");
    assert_eq!(JobType::UPLOAD.to_string(), "BG_JOB_TYPE_UPLOAD");
}
