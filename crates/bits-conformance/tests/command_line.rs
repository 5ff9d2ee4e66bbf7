//! The command line: what it runs, what it prints, how it ends.

use std::process::{Command, Output};

use serde_json::Value;

fn suite(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_bits-conformance");
    Command::new(program).args(arguments).output().expect("the suite starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("the output is text")
}

fn json(arguments: &[&str]) -> Value {
    let output = suite(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&stdout(&output)).expect("the output is JSON")
}

#[test]
fn a_run_proves_its_claims_and_ends_with_0() {
    let report = json(&["run", "--filter", "job_state_calls::", "--format", "json"]);

    assert_eq!(report["good"], true);
    let cases = report["cases"].as_array().expect("cases");
    let case = cases.iter().find(|case| case["case"] == "job_state_calls::resume_of_an_empty_job_fails");
    let claims = case.expect("the case was run")["claims"].as_array().expect("claims");
    assert!(claims.iter().any(|claim| claim["clause"] == "core:job.resume.empty" && claim["held"] == true));
}

#[test]
fn a_filter_may_be_the_id_of_a_clause() {
    let report = json(&["run", "--filter", "lifecycle.edge.resume_empty", "--format", "json"]);

    let cases = report["cases"].as_array().expect("cases");
    assert!(!cases.is_empty() && cases.len() < 5, "{cases:?}");
}

#[test]
fn sabotage_falsifies_every_claim_and_each_is_noticed() {
    let report = json(&["run", "--filter", "manager::", "--sabotage", "--format", "json"]);

    let made: usize =
        report["cases"].as_array().expect("cases").iter().map(|c| c["claims"].as_array().unwrap().len()).sum();
    assert_eq!(report["sabotage"]["falsified"], made);
    assert_eq!(report["sabotage"]["survived"], serde_json::json!([]));
}

#[test]
fn what_the_provider_cannot_do_is_skipped_with_the_reason() {
    let report = json(&["run", "--filter", "manager::", "--without", "second-user", "--format", "json"]);

    let cases = report["cases"].as_array().expect("cases");
    let case = cases.iter().find(|case| case["case"] == "manager::a_foreign_job_is_not_handed_out").expect("the case");
    assert_eq!((&case["ended"], &case["why"]), (&"skipped".into(), &"there is no second user".into()));
}

#[test]
fn a_wait_above_the_users_limit_is_skipped_where_time_cannot_be_moved() {
    let arguments = ["run", "--filter", "http::a_broken_connection", "--without", "virtual-time", "--max-wait", "60"];
    let report = json(&[&arguments[..], &["--format", "json"]].concat());

    let cases = report["cases"].as_array().expect("cases");
    let case = cases.iter().find(|case| case["case"] == "http::a_broken_connection_is_transient_and_goes_on_by_range");
    assert_eq!(case.expect("the case")["why"], "waits 660s, and --max-wait is 60s");
}

#[test]
fn junit_names_every_case() {
    let output = suite(&["run", "--filter", "manager::", "--format", "junit"]);

    let text = stdout(&output);
    assert!(text.starts_with("<?xml"), "{text}");
    assert!(text.contains("<testcase classname=\"manager\" name=\"a_new_job_has_a_guid_of_its_own\""), "{text}");
}

#[test]
fn coverage_has_the_documented_shape() {
    let coverage = json(&["coverage", "--format", "json"]);

    for field in ["portable", "proven", "open", "decided", "demoted", "abi"] {
        let of_files = coverage["files"].as_object().expect("files").values().map(|file| file[field].as_u64().unwrap());
        assert_eq!(coverage["total"][field], of_files.sum::<u64>(), "{field}");
    }
    let job = &coverage["files"]["core"]["topics"]["job"];
    assert!(job["proven"].as_u64() > Some(0) && job["proven"].as_u64() <= job["portable"].as_u64(), "{job}");
    assert_eq!(coverage.get("missing"), None);
}

#[test]
fn coverage_lists_what_is_missing_when_asked() {
    let coverage = json(&["coverage", "--missing", "--format", "json"]);

    let missing = coverage["missing"].as_array().expect("a list").len() as u64;
    let total = &coverage["total"];
    assert_eq!(missing, total["portable"].as_u64().unwrap() - total["proven"].as_u64().unwrap());
}

#[test]
fn the_emulator_answers_each_probe_as_it_is_on_record() {
    let output = suite(&["probe"]);

    let hint = "an answer that is meant to change is recorded by `probe --record fixtures/probes/emulator.toml`";
    assert_eq!(output.status.code(), Some(0), "{}\n{hint}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_run_tells_what_probes_of_the_filter_have_seen() {
    let report = json(&["run", "--filter", "job.resume.active_noop", "--format", "json"]);

    let probes = report["probes"].as_array().expect("probes");
    let probe = probes.iter().find(|probe| probe["decision"] == "job.resume.active_noop").expect("the probe");
    assert_eq!((&probe["ended"], &probe["why"]), (&"seen".into(), &Value::Null));
    assert!(probe["seen"].as_str().is_some_and(|seen| seen.contains("S_OK")), "{probe}");
    assert!(!probe["chose"].as_str().expect("what was chosen").is_empty());
    assert!(probes.len() < 5, "{probes:?}");
}

#[test]
fn two_runs_are_compared_decision_by_decision() {
    let report = json(&["run", "--filter", "job.resume.active_noop", "--format", "json"]);
    let mut other = report.clone();
    for probe in other["probes"].as_array_mut().expect("probes") {
        probe["seen"] = "E_FAIL".into();
    }
    let folder = tempfile::tempdir().expect("a folder");
    let [a, b] = [("a", report), ("b", other)].map(|(name, report)| {
        let file = folder.path().join(name);
        std::fs::write(&file, report.to_string()).expect("a file");
        file.to_string_lossy().into_owned()
    });

    let different = suite(&["compare", &a, &b]);
    let same = suite(&["compare", &a, &a]);

    assert_eq!((different.status.code(), same.status.code()), (Some(1), Some(0)));
    let text = stdout(&different);
    let (_, decision) = text.split_once("\njob.resume.active_noop\n").expect(&text);
    let told: Vec<_> = decision.lines().take(3).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(told, ["chosen", "A", "B"]);
    assert!(decision.lines().nth(2).is_some_and(|line| line.ends_with(" E_FAIL")), "{text}");
}

#[test]
fn a_probe_that_needs_what_is_not_there_is_skipped_with_the_reason() {
    let probes = json(&["probe", "--filter", "manager.create_job", "--without", "administrator", "--format", "json"]);

    let probes = probes.as_array().expect("probes");
    let skipped: Vec<_> = probes.iter().filter(|probe| probe["ended"] == "skipped").collect();
    assert!(skipped.iter().any(|probe| probe["why"] == "there is no administrator"), "{probes:?}");
    assert!(skipped.iter().all(|probe| probe["seen"].is_null()));
}

#[test]
fn what_probes_have_seen_is_recorded_in_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("record.toml");

    let output = suite(&["probe", "--record", &file.to_string_lossy()]);

    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let record = std::fs::read_to_string(&file).expect("the record");
    assert_eq!(record, include_str!("../../../fixtures/probes/emulator.toml"));
}

#[test]
fn wrong_usage_ends_with_2() {
    for arguments in [
        &["run", "--format", "colours"][..],
        &["walk"],
        &["run", "--filter", "no.such.clause"],
        &["probe", "--filter", "no.such.id"],
    ] {
        let output = suite(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
}

/// A list of expected failures in a file of its own.
fn expecting(cases: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let gap = format!(
        "[[gap]]\nreason = 'it is known'\nclauses = ['core:job.resume.empty']\nsays = ['S_OK']\ncases = ['{cases}']\n"
    );
    std::fs::write(file.path(), gap).expect("the list is written");
    file
}

#[test]
fn a_case_that_passes_although_it_is_expected_to_fail_fails_the_run() {
    let list = expecting("job_state_calls::resume_of_an_empty_job_fails");

    let output = suite(&["run", "--filter", "job.resume.empty", "--expect", list.path().to_str().unwrap()]);

    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("expects it to fail: it is known"), "{text}");
}

#[test]
fn a_list_of_expected_failures_that_cannot_be_used_is_wrong_usage() {
    let list = expecting("job_state_calls::no_such_case");
    for (path, says) in [(list.path(), "no_such_case"), (std::path::Path::new("/no/such/list.toml"), "list.toml")] {
        let output = suite(&["run", "--expect", path.to_str().unwrap()]);

        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(says) && output.stdout.is_empty(), "{error}");
    }
}

#[test]
#[cfg(not(windows))]
fn real_bits_is_not_there_on_other_systems_and_one_line_says_so() {
    let output = suite(&["run", "--provider", "windows"]);

    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "bits-conformance: real BITS exists on Windows only\n");
}

#[test]
fn cases_run_in_real_time_against_the_origin() {
    let report = json(&["run", "--provider", "emulator-live", "--filter", "progress_counts_bytes", "--format", "json"]);

    assert_eq!((&report["format"], &report["about"]["provider"]), (&1.into(), &"emulator-live".into()));
    assert_eq!(report["cases"][0]["ended"], "passed");
}

#[test]
fn a_run_is_compared_with_another_clause_by_clause() {
    let folder = tempfile::tempdir().expect("a folder");
    let save = |name: &str, without: &[&str]| {
        let path = folder.path().join(name).to_string_lossy().into_owned();
        let arguments = ["run", "--filter", "ownership::", "--format", "json"];
        let output = suite(&[&arguments[..], without].concat());
        std::fs::write(&path, output.stdout).expect("the report is written");
        path
    };
    let (all, fewer) = (save("all.json", &[]), save("fewer.json", &["--without", "administrator"]));

    let comparison = json(&["compare", &all, &fewer, "--format", "json"]);

    assert_eq!(comparison["differs"], false);
    let first = &comparison["clauses"][0];
    assert_eq!((&first["a"]["verdict"], &first["b"]["verdict"]), (&"held".into(), &"skipped".into()));
    assert_eq!(first["b"]["why"], "there is no administrator");
}

#[test]
fn a_comparison_shows_what_differs_and_the_rest_when_asked() {
    const CLAIM: &str = "core:job.resume.empty";
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (a, b) = (path("a.json"), path("b.json"));
    let mut report = json(&["run", "--filter", "job.resume", "--format", "json"]);
    std::fs::write(&a, report.to_string()).expect("a file");
    // Another BITS: one case meets another code, and the others cannot be run.
    for case in report["cases"].as_array_mut().expect("cases") {
        let claims = case["claims"].as_array_mut().expect("claims");
        claims.retain(|claim| claim["clause"] == CLAIM);
        let is_run = !claims.is_empty();
        for claim in claims {
            claim["held"] = false.into();
        }
        case["ended"] = if is_run { "failed" } else { "skipped" }.into();
        case["why"] = if is_run { "got S_OK" } else { "no time" }.into();
    }
    std::fs::write(&b, report.to_string()).expect("a file");

    let shown = suite(&["compare", &a, &b]);
    let all = suite(&["compare", &a, &b, "--all"]);

    assert_eq!((shown.status.code(), all.status.code()), (Some(1), Some(1)));
    let (shown, all) = (stdout(&shown), stdout(&all));
    assert!(shown.contains(&format!("\n{CLAIM}\n    A  held in ")) && shown.contains("got S_OK"), "{shown}");
    assert!(!shown.contains("no time") && all.contains("no time"), "{shown}");
    assert!(all.find(CLAIM) < all.find("no time"), "{all}");
    for text in [&shown, &all] {
        assert!(text.contains("\nclauses    1 differ, "), "{text}");
        assert!(text.contains("\ndecisions  0 are answered differently, "), "{text}");
    }
}

#[test]
fn skips_are_told_by_their_reason_and_the_sum_comes_last() {
    let output = suite(&["run", "--filter", "ownership::", "--without", "administrator"]);

    let text = stdout(&output);
    assert!(text.contains(" cases: there is no administrator\n"), "{text}");
    assert_eq!(text.matches("there is no administrator").count(), 1, "{text}");
    let last = text.lines().last().expect("the sum");
    assert!(last.starts_with("0 failed, 0 as expected, ") && last.contains(" clauses shown in "), "{text}");
}

#[test]
fn a_number_of_seconds_that_is_none_is_told_precisely() {
    for number in ["-5", "1.5", "soon", ""] {
        let output = suite(&["run", "--max-wait", number]);

        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        let told = "for '--max-wait <SECONDS>': a whole number of seconds is wanted, such as 120";
        assert!(error.lines().next().is_some_and(|line| line.ends_with(told)), "{error}");
    }
}

#[test]
fn one_may_wait_as_long_as_one_likes() {
    let longest = u64::MAX.to_string();

    let report = json(&[
        "run",
        "--filter",
        "resume_of_an_empty_job",
        "--without",
        "virtual-time",
        "--max-wait",
        &longest,
        "--format",
        "json",
    ]);

    assert_eq!(report["cases"][0]["ended"], "passed");
}

#[test]
fn a_panic_that_is_meant_is_not_shown() {
    let output = suite(&["run", "--filter", "a_client_that_panics_refuses_the_server"]);

    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

/// What a person at a terminal sees of a run, as `script` records it.
#[cfg(target_os = "linux")]
#[test]
fn a_person_at_a_terminal_sees_how_far_it_is() {
    let program = env!("CARGO_BIN_EXE_bits-conformance");
    let run = format!("'{program}' run --filter resume_of_an_empty_job_fails");
    let seen = Command::new("script").args(["--quiet", "--return", "--command", &run, "/dev/null"]).output();

    let seen = seen.expect("a terminal");
    assert_eq!(seen.status.code(), Some(0));
    let seen = stdout(&seen);
    assert!(seen.contains("1 of 1  job_state_calls::resume_of_an_empty_job_fails"), "{seen:?}");
}

#[test]
fn nobody_else_is_told_how_far_it_is() {
    for command in ["run", "probe"] {
        let output = suite(&[command, "--filter", "job.resume.active_noop"]);

        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}

#[test]
fn what_cannot_be_compared_is_told_in_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let cases = [
        ("missing.json", None, "missing.json: "),
        ("text.json", Some("no brackets"), "text.json: no JSON: "),
        ("other.json", Some("{}"), "other.json: this is no report"),
        ("newer.json", Some(r#"{"format": 99}"#), "newer.json: its format is 99, and this suite reads 1"),
    ];
    for (name, text, told) in cases {
        let path = folder.path().join(name);
        if let Some(text) = text {
            std::fs::write(&path, text).expect("the file is written");
        }
        let path = path.to_string_lossy();

        let output = suite(&["compare", &path, &path]);

        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(told) && error.lines().count() == 1, "{error}");
    }
}

#[test]
fn a_report_in_a_file_is_complete_at_the_end_and_comparable_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (whole, part) = (path("whole.json"), path("part.json"));

    let output = suite(&["run", "--filter", "ownership::", "--report", &whole]);

    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(&whole).expect("the report");
    let mut report: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&report["complete"], &report["good"]), (&true.into(), &true.into()));
    report["complete"] = false.into();
    std::fs::write(&part, report.to_string()).expect("a file");
    let compared = suite(&["compare", &whole, &part]);
    assert_eq!(compared.status.code(), Some(1));
    assert!(stdout(&compared).contains("B  is incomplete"), "{}", stdout(&compared));
}

/// The folder of the report goes away while the suite runs.
#[cfg(unix)]
#[test]
fn a_run_outlives_the_folder_of_its_report_and_says_where_the_report_is() {
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    let (folder, elsewhere) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let report = folder.path().join("report.json");
    let mut run = Command::new(env!("CARGO_BIN_EXE_bits-conformance"));
    run.arg("run").arg("--report").arg(&report).env("TMPDIR", elsewhere.path());
    let running = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the suite starts");
    let began = Instant::now();
    while !report.exists() {
        assert!(began.elapsed() < Duration::from_mins(1), "there is no report");
        std::thread::yield_now();
    }
    drop(folder);

    let output = running.wait_with_output().expect("the suite ends");

    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let there = elsewhere.path().join("report.new.json");
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("the report is not up to date") && error.contains(&*there.to_string_lossy()), "{error}");
    assert!(stdout(&output).lines().last().is_some_and(|line| line.starts_with("0 failed")), "{}", stdout(&output));
    assert!(std::fs::read_to_string(&there).is_ok_and(|text| text.contains("\"complete\": true")));
}

#[test]
fn everything_holds_for_an_elevated_administrator_too() {
    let report = json(&["run", "--elevated", "--format", "json"]);

    assert_eq!((&report["good"], &report["about"]["conditions"]["elevated"]), (&true.into(), &true.into()));
    let cases = report["cases"].as_array().expect("cases");
    let skipped = cases.iter().find(|case| case["case"] == "limits::a_user_has_at_most_60_jobs").expect("the case");
    assert!(skipped["why"].as_str().is_some_and(|why| why.contains("is an administrator")), "{skipped}");
    let saved = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(saved.path(), report.to_string()).expect("the report is written");
    let path = saved.path().to_string_lossy().into_owned();
    let compared = stdout(&suite(&["compare", &path, &path]));
    assert_eq!(compared.matches("\n   elevated, integrity 12288\n").count(), 2, "{compared}");
}

#[test]
fn cases_about_defaults_are_skipped_where_policies_change_them() {
    let report = json(&["run", "--filter", "limits::", "--without", "default-policies", "--format", "json"]);

    let cases = report["cases"].as_array().expect("cases");
    let case = cases.iter().find(|case| case["case"] == "limits::a_job_has_at_most_200_files").expect("the case");
    assert_eq!(
        (&case["ended"], &case["why"]),
        (&"skipped".into(), &"policies of this machine change the defaults of BITS".into())
    );
}

#[test]
fn a_report_that_cannot_be_written_is_told_before_anything_is_run() {
    let output = suite(&["run", "--report", "/no/such/folder/report.json"]);

    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("report.json") && output.stdout.is_empty(), "{error}");
}
