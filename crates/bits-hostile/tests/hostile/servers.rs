//! Each server of the table, alone.

use std::collections::BTreeSet;
use std::path::Path;

use bits_hostile::house::House;
use bits_servers::{FILE, Server};

const PATH: &str = "/file";

#[test]
fn each_server_leads_where_the_table_says_and_the_file_comes_once_it_behaves() {
    let mut wrong = Vec::new();
    for server in Server::all() {
        let house = House::new();
        house.origin.script(server.script());
        let job = house.job(&server, PATH);

        let ending = house.run(&job, PATH, server.patience());

        if ending != server.ending() {
            wrong.push(format!("a server that {}: {ending:?}, not {:?}", server.name, server.ending()));
            continue;
        }
        if house.told() != server.told {
            wrong.push(format!("a server that {}: told {} times, not {}", server.name, house.told(), server.told));
        }
        if server.can_mend() {
            house.mend(&job, PATH, &server.wanted(FILE));
        } else {
            job.cancel().unwrap();
        }
        assert_eq!(house.files(), ["file"], "{}", server.name);
    }
    assert!(wrong.is_empty(), "{} servers:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_table_names_each_server_once_and_decisions_that_are_there() {
    let decisions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/decisions.toml");
    let decisions = std::fs::read_to_string(decisions).unwrap();
    let servers = Server::all();
    let names: BTreeSet<_> = servers.iter().map(|server| &server.name).collect();

    assert_eq!(names.len(), servers.len());
    for decision in servers.iter().filter_map(|server| server.decision.as_ref()) {
        assert!(decisions.contains(&format!("id = \"{decision}\"")), "{decision}");
    }
}
