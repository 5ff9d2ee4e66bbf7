//! What the servers have written down of the jobs' connections.

use std::collections::BTreeMap;
use std::fs;

use super::Report;
use super::relay::Ends;
use super::servers::Servers;

/// What a log is to tell of connections.
pub(crate) struct Visit {
    pub(crate) name: String,
    /// Whose log.
    pub(crate) log: &'static str,
    pub(crate) connections: Vec<Ends>,
    /// How many requests of each were refused.
    pub(crate) refusals: usize,
    /// As whom the others were let in, if they were.
    pub(crate) known_as: Option<&'static str>,
}

/// Holds the logs of servers that have ended against what was seen of them.
pub(crate) fn hold(servers: &Servers, visits: &[Visit], report: &mut Report) {
    let logs: BTreeMap<_, _> = ["nginx", "apache", "squid"].into_iter().map(|log| (log, read(servers, log))).collect();
    for visit in visits {
        let wrong: Vec<_> =
            visit.connections.iter().filter_map(|ends| visit.wrong(logs[visit.log].get(ends))).collect();
        let outcome = if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) };
        report.row(&format!("the log of {}", visit.name), outcome);
    }
}

/// Status and user of each request that a server has seen, by its connection.
fn read(servers: &Servers, log: &str) -> BTreeMap<Ends, Vec<(u16, String)>> {
    let text = fs::read_to_string(servers.file(&format!("log/{log}.access"))).expect("a log");
    let mut requests: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        let mut number = || words.next().and_then(|word| word.parse().ok());
        // A connection on which nothing was asked has no status.
        if let (Some(here), Some(there), Some(status @ 100..)) = (number(), number(), number()) {
            requests.entry((here, there)).or_default().push((status, words.nth(1).unwrap_or_default().to_owned()));
        }
    }
    requests
}

impl Visit {
    /// What is wrong with the requests of a connection, if anything.
    fn wrong(&self, requests: Option<&Vec<(u16, String)>>) -> Option<String> {
        let requests = requests.map(Vec::as_slice).unwrap_or_default();
        let is_refused = |status: u16| matches!(status, 401 | 407);
        let (refused, let_in) =
            requests.split_at(requests.iter().take_while(|(status, _)| is_refused(*status)).count());
        let is_as_expected = refused.len() == self.refusals
            && let_in.is_empty() == self.known_as.is_none()
            && let_in
                .iter()
                .all(|(status, user)| !is_refused(*status) && self.known_as.is_some_and(|name| user.contains(name)));
        (!is_as_expected).then(|| format!("{requests:?}, not {} refusals", self.refusals))
    }
}
