//! `bitsd doctor` at nginx, Apache and Caddy, configured well and badly: `tests/peers/README.md`.
//!
//! Runs where `BITS_PEERS` is 1; says that it was skipped elsewhere.

mod rows;
#[path = "../../../../tests/peers/servers.rs"]
mod servers;

use std::process::{Command, ExitCode};

use serde_json::Value;

use rows::{ROWS, Row};
use servers::Servers;

fn main() -> ExitCode {
    if std::env::var_os("BITS_PEERS").is_none_or(|value| value != "1") {
        println!("the doctor at nginx, Apache and Caddy: skipped, for BITS_PEERS is not 1");
        return ExitCode::SUCCESS;
    }
    let servers = match Servers::start(&["nginx", "apache", "caddy"]) {
        Ok(servers) => servers,
        Err(why) => {
            println!("the servers do not start: {why}");
            return ExitCode::FAILURE;
        }
    };
    let mut failed = 0;
    for row in ROWS {
        let url = servers.url(row.url);
        let wrong = wrong(row, &url, &servers);
        println!("{} {}", if wrong.is_empty() { "ok    " } else { "FAILED" }, row.url);
        for line in &wrong {
            println!("       {line}");
        }
        failed += usize::from(!wrong.is_empty());
    }
    let page = readme(&servers);
    println!("{} README", if page.is_none() { "ok    " } else { "FAILED" });
    if let Some(why) = page {
        println!("{why}");
        failed += 1;
    }
    println!("\n{} servers asked, {failed} not as expected", ROWS.len());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What the doctor prints, where it is not what the README shows.
fn readme(servers: &Servers) -> Option<String> {
    const BEGIN: &str = "$ bitsd doctor http://127.0.0.1:8080/norange/1m.bin\n";
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let page = std::fs::read_to_string(page).expect("the README");
    let (_, shown) = page.split_once(BEGIN).expect("a sample in the README");
    let (shown, _) = shown.split_once("```").expect("the end of the sample");
    let url = servers.url("NGINX_HTTP/norange/1m.bin");
    let output = Command::new(env!("CARGO_BIN_EXE_bitsd")).args(["doctor", &url]).output().expect("bitsd runs");
    let printed =
        String::from_utf8_lossy(&output.stdout).replace(&servers.url("NGINX_HTTP/"), "http://127.0.0.1:8080/");
    let printed = printed.replace(&servers.host("NGINX_HTTP"), "127.0.0.1:8080");
    // Other releases of Debian have others.
    let version = |text: &str| text.split("nginx/").nth(1).and_then(|rest| rest.lines().next()).map(str::to_owned);
    let printed = match (version(&printed), version(shown)) {
        (Some(here), Some(there)) => printed.replace(&here, &there),
        _ => printed,
    };
    (printed != shown).then(|| format!("printed:\n{printed}\nshown:\n{shown}"))
}

/// What the doctor says other than expected.
fn wrong(row: &Row, url: &str, servers: &Servers) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bitsd"));
    command.env_remove("RUST_LOG").args(["doctor", url, "--json", "--ca"]).arg(servers.ca());
    let output = command.output().expect("bitsd runs");
    let Ok(report) = serde_json::from_slice::<Value>(&output.stdout) else {
        return vec![format!("no JSON: {}", String::from_utf8_lossy(&output.stderr))];
    };
    let mut wrong = Vec::new();
    let mut expect = |what: String, is: &str, expected: &str| {
        if is != expected {
            wrong.push(format!("{what}: {is}, not {expected}"));
        }
    };
    let jobs = ["foreground", "background", "after a break", "several ranges"];
    for (job, expected) in jobs.into_iter().zip(row.jobs) {
        expect(job.into(), &end(&report, job), expected);
    }
    let fails = row.jobs[..3].iter().any(|end| !matches!(*end, "" | "TRANSFERRED" | "anew"));
    let code = i32::from(fails || row.checks.iter().any(|(_, result, _)| *result == "failure"));
    expect("exit code".into(), &format!("{:?}", output.status.code()), &format!("{:?}", Some(code)));
    for check in report["checks"].as_array().expect("checks") {
        let (name, text) = (check["check"].as_str().expect("a name"), check["text"].as_str().expect("a text"));
        let result = check["result"].as_str().expect("a result");
        let expected = row.checks.iter().find(|(expected, ..)| *expected == name);
        match expected {
            Some((_, expected, part)) => {
                expect(name.into(), result, expected);
                if !text.contains(part) {
                    expect(name.into(), text, part);
                }
            }
            None if matches!(result, "ok" | "not asked") => {}
            None => expect(name.into(), &format!("{result}, {text}"), "ok"),
        }
    }
    for (priority, expected) in ["foreground", "normal"].into_iter().zip(row.jobs) {
        wrong.extend(download(url, priority, expected, servers));
    }
    wrong
}

/// What is wrong with how a real job ends, if anything.
fn download(url: &str, priority: &str, expected: &str, servers: &Servers) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_bitsd"));
    command.env_remove("RUST_LOG").args(["get", url, "file", "--priority", priority, "--ca"]).arg(servers.ca());
    let output = command.current_dir(folder.path()).output().expect("bitsd runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let is_right = if expected == "TRANSFERRED" { output.status.success() } else { said.contains(expected) };
    (!is_right).then(|| format!("bitsd get --priority {priority}: {said}, not {expected}"))
}

/// How a job ends, by the name of its code; empty where it was not tried.
fn end(report: &Value, job: &str) -> String {
    let jobs = report["jobs"].as_array().expect("jobs");
    let Some(found) = jobs.iter().find(|found| found["job"] == job) else { return String::new() };
    match found["error"]["name"].as_str() {
        Some(name) => name.to_owned(),
        None if job == "after a break" && found["goes_on"] == false => "anew".into(),
        None => found["state"].as_str().expect("a state").to_owned(),
    }
}
