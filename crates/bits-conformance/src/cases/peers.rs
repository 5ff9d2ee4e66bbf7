//! Peers, and walking over peers and records.

use bits_api::{EnumPeerCacheRecords, EnumPeers, Enumerator};
use bits_world::Profile;

use super::prelude::*;

cases![
    discovery_builds_the_list_of_peers,
    without_peers_the_list_is_empty,
    clearing_empties_the_list_of_peers,
    a_peer_tells_who_and_how_it_is,
    the_records_are_walked_like_jobs,
    the_peers_are_walked_like_jobs,
    lists_are_snapshots,
];

const NAMES: [&str; 3] = ["one$.corp.example", "two$.corp.example", "three$.corp.example"];

fn peers(c: &Bench) -> Result<Arc<EnumPeers>, Stop> {
    c.peer_cache()?.enum_peers()?.value.map_or_else(|| failed("there is no list of peers"), Ok)
}

fn records(c: &Bench) -> Result<Arc<EnumPeerCacheRecords>, Stop> {
    c.peer_cache()?.enum_records()?.value.map_or_else(|| failed("there is no list of records"), Ok)
}

fn discovery_builds_the_list_of_peers(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    c.set_neighbours(&NAMES, true)?;
    let admin = c.peer_cache()?;
    c.returns("peer_cache.admin.discover_peers.ok", admin.discover_peers())?;
    let listed = admin.enum_peers();
    c.returns("peer_cache.admin.enum_peers.ok", &listed)?;
    let count = peers(c)?.count()?;
    c.is(["peer_cache.admin.discover_peers.ok", "peer_cache.enum_peers.obtain"], count, 3)
}

fn without_peers_the_list_is_empty(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    c.set_neighbours(&NAMES, false)?;
    c.peer_cache()?.discover_peers()?;
    c.is("peer_cache.admin.enum_peers.empty", peers(c)?.count()?, 0)
}

fn clearing_empties_the_list_of_peers(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    c.set_neighbours(&NAMES, true)?;
    let admin = c.peer_cache()?;
    admin.discover_peers()?;
    c.returns("peer_cache.admin.clear_peers.ok", admin.clear_peers())?;
    c.is("peer_cache.admin.clear_peers.ok", peers(c)?.count()?, 0)
}

fn a_peer_tells_who_and_how_it_is(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    c.set_neighbours(&NAMES[..1], true)?;
    c.peer_cache()?.discover_peers()?;
    let fetched = peers(c)?.next(1)?;
    let Some(peer) = fetched.items.first() else { return failed("no peer came") };
    c.is("peer_cache.peer.obtain", fetched.items.len(), 1)?;
    c.returns("peer_cache.peer.get_peer_name.ok", peer.peer_name())?;
    c.is("peer_cache.peer.get_peer_name.format", peer.peer_name()?, NAMES[0].to_owned())?;
    c.returns("peer_cache.peer.is_authenticated.ok", peer.is_authenticated())?;
    c.value("peer_cache.peer.is_authenticated.initial", peer.is_authenticated()?)?;
    c.returns("peer_cache.peer.is_available.ok", peer.is_available())?;
    c.is("peer_cache.peer.is_available.ok", peer.is_available()?, true)?;
    c.set_neighbours(&NAMES[..1], false)?;
    c.is("peer_cache.peer.is_available.ok", peer.is_available()?, false)
}

/// The names of the clauses about one enumerator.
struct Walk {
    params: &'static str,
    next_ok: &'static str,
    next_fewer: &'static str,
    skip_ok: &'static str,
    skip_fewer: &'static str,
    reset: &'static str,
    clone: &'static str,
    count: &'static str,
}

/// Walks over three items.
fn walk<T: ?Sized + 'static>(c: &mut Bench, list: &dyn Enumerator<T>, clauses: &Walk) -> Outcome {
    let two = list.next(2);
    c.returns(clauses.next_ok, &two)?;
    c.is(clauses.params, two?.items.len(), 2)?;
    let rest = list.next(2);
    c.returns(clauses.next_fewer, &rest)?;
    c.is(clauses.next_fewer, rest?.items.len(), 1)?;
    c.returns(clauses.reset, list.reset())?;
    c.returns(clauses.skip_ok, list.skip(2))?;
    let twin = list.clone_enumerator();
    c.returns(clauses.clone, &twin)?;
    c.is(clauses.clone, twin?.next(3)?.items.len(), 1)?;
    c.is(clauses.skip_ok, list.next(3)?.items.len(), 1)?;
    c.returns(clauses.count, list.count())?;
    c.is(clauses.count, list.count()?, 3)?;
    list.reset()?;
    c.is(clauses.reset, list.next(3)?.items.len(), 3)?;
    list.reset()?;
    c.returns(clauses.skip_fewer, list.skip(4))?;
    c.is(clauses.skip_fewer, list.next(1)?.items.len(), 0)
}

fn the_records_are_walked_like_jobs(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let admin = c.serve_peers()?;
    for name in ["1.bin", "2.bin", "3.bin"] {
        c.cached(name, 100)?;
    }
    let listed = admin.enum_records();
    c.returns("peer_cache.admin.enum_records.ok", &listed)?;
    let list = records(c)?;
    c.is("peer_cache.enum_records.obtain", list.count()?, 3)?;
    walk(
        c,
        &*list,
        &Walk {
            params: "peer_cache.enum_records.next.params",
            next_ok: "peer_cache.enum_records.next.ok",
            next_fewer: "peer_cache.enum_records.next.fewer",
            skip_ok: "peer_cache.enum_records.skip.ok",
            skip_fewer: "peer_cache.enum_records.skip.fewer",
            reset: "peer_cache.enum_records.reset.ok",
            clone: "peer_cache.enum_records.clone.ok",
            count: "peer_cache.enum_records.get_count.ok",
        },
    )
}

fn the_peers_are_walked_like_jobs(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    c.set_neighbours(&NAMES, true)?;
    c.peer_cache()?.discover_peers()?;
    let list = peers(c)?;
    walk(
        c,
        &*list,
        &Walk {
            params: "peer_cache.enum_peers.next.params",
            next_ok: "peer_cache.enum_peers.next.ok",
            next_fewer: "peer_cache.enum_peers.next.fewer",
            skip_ok: "peer_cache.enum_peers.skip.ok",
            skip_fewer: "peer_cache.enum_peers.skip.fewer",
            reset: "peer_cache.enum_peers.reset.ok",
            clone: "peer_cache.enum_peers.clone.ok",
            count: "peer_cache.enum_peers.get_count.ok",
        },
    )
}

fn lists_are_snapshots(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    c.set_neighbours(&NAMES, true)?;
    let admin = c.serve_peers()?;
    admin.discover_peers()?;
    c.cached("1.bin", 100)?;
    let (peers, records) = (peers(c)?, records(c)?);
    admin.clear_peers()?;
    c.cached("2.bin", 100)?;
    c.is("peer_cache.admin.enum_peers.snapshot", peers.count()?, 3)?;
    c.is("peer_cache.admin.enum_records.snapshot", records.count()?, 1)?;
    let items = records.next(1)?.items;
    let Some(record) = items.first() else { return failed("no record came") };
    c.is("peer_cache.record.obtain", record.origin_url()?, "http://files.example/1.bin".to_owned())
}
