//! Jobs at other people's servers and proxies: who the client is, who the server is.
//! `tests/peers/README.md` tells how they are run by hand.
//!
//! Runs where `BITS_PEERS` is 1; says that it was skipped elsewhere.

mod certificates;
mod credentials;
mod logs;
mod relay;
mod servers;
mod setup;

use std::process::ExitCode;
use std::time::Instant;

use servers::Servers;

/// What was shown, row by row.
#[derive(Default)]
struct Report {
    rows: usize,
    failed: usize,
}

impl Report {
    /// Enters a row: nothing is wrong with it, or this.
    fn row(&mut self, name: &str, outcome: Result<(), String>) {
        self.rows += 1;
        match outcome {
            Ok(()) => println!("ok     {name}"),
            Err(why) => {
                self.failed += 1;
                println!("FAILED {name}\n       {why}");
            }
        }
    }
}

fn main() -> ExitCode {
    if std::env::var_os("BITS_PEERS").is_none_or(|value| value != "1") {
        println!("jobs at nginx, Apache, Caddy and squid: skipped, for BITS_PEERS is not 1");
        return ExitCode::SUCCESS;
    }
    let started = Instant::now();
    // The KDC makes the keys of the others.
    let servers = match Servers::start(&["kdc", "nginx", "apache", "caddy", "squid"]) {
        Ok(servers) => servers,
        Err(why) => {
            println!("the servers do not start: {why}");
            return ExitCode::FAILURE;
        }
    };
    let mut report = Report::default();
    let mut visits = certificates::show(&servers, &mut report);
    visits.extend(credentials::show(&servers, &mut report));
    match servers.stop() {
        Ok(()) => logs::hold(&servers, &visits, &mut report),
        Err(why) => report.row("the servers end", Err(why)),
    }
    println!("\n{} rows, {} not as expected, in {:.1?}", report.rows, report.failed, started.elapsed());
    if report.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
