//! Every row of the table of edges is walked.

use std::time::Duration;

use bits_api::{Hresult, JobPriority, JobState, Setting, Success, TokenFlags};
use bits_wire::attempt::{AttemptEnd, AttemptReport};

use bits_world::{NetworkCost, Profile, Volume};

use super::house::{House, NOT_FOUND, SERVER_BUSY, SLICE, alice, bob, config, seconds};
use crate::table::{EDGES, Edge};
use crate::{Cause, JobKey};

/// A job of two files, the first of which has arrived, in this state.
fn job_in(house: &mut House, state: JobState) -> JobKey {
    let job = house.job(2);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.transfer_file(job);
    if state == JobState::TRANSFERRED {
        house.transfer_file(job);
    } else {
        // Through QUEUED to a run of its own.
        house.log_off(&alice());
        match state {
            JobState::SUSPENDED => assert_eq!(house.suspend(job), Ok(Success::OK)),
            JobState::QUEUED => {}
            _ => house.log_on(&alice()),
        }
        match state {
            JobState::TRANSFERRING => house.connected(job, 100),
            JobState::TRANSIENT_ERROR => house.fail(job, SERVER_BUSY),
            JobState::ERROR => house.fail(job, NOT_FOUND),
            _ => {}
        }
    }
    assert_eq!(house.state(job), state);
    job
}

/// Brings about what the edge is for.
fn bring_about(house: &mut House, job: JobKey, edge: &Edge) {
    match edge.cause {
        Cause::Created => {}
        Cause::Resumed => {
            if edge.from == Some(JobState::TRANSFERRED) {
                assert_eq!(house.add_file(job), Ok(Success::OK));
            }
            assert_eq!(house.resume(job), Ok(Success::OK));
        }
        Cause::Suspended => assert_eq!(house.suspend(job), Ok(Success::OK)),
        Cause::Completed => assert!(house.complete(job).is_ok()),
        Cause::RenameFailed => {
            house.disk.locked.insert(format!("/c/job{}_0.bin", job.0).into());
            assert_eq!(house.complete(job), Err(Hresult::ERROR_SHARING_VIOLATION));
        }
        Cause::Cancelled => assert_eq!(house.cancel(job), Ok(Success::OK)),
        Cause::Scheduled => house.log_on(&alice()),
        Cause::Connected => house.connected(job, 100),
        Cause::AllFilesTransferred if edge.from == Some(JobState::QUEUED) => {
            house.log_on(&alice());
            house.transfer_file(job);
            assert_eq!(house.suspend(job), Ok(Success::OK));
            assert_eq!(house.resume(job), Ok(Success::OK));
        }
        Cause::AllFilesTransferred => house.report(job, AttemptReport::Ended(AttemptEnd::Done)),
        Cause::SliceEnded => {
            house.resumed_job(JobPriority::NORMAL);
            house.advance(SLICE);
        }
        Cause::Preempted => _ = house.resumed_job(JobPriority::HIGH),
        Cause::Failed(_) => {
            house.fail(job, if edge.to == JobState::ERROR { NOT_FOUND } else { SERVER_BUSY });
        }
        Cause::RetryDelayOver => house.advance(seconds(600)),
        Cause::NoProgress => {
            assert_eq!(house.set(job, Setting::NoProgressTimeout, 0), Ok(Success::OK));
        }
        Cause::DownloadTimeUsedUp => {
            house.change_world(|world| world.policies.max_download_time = seconds(60));
            house.advance(seconds(60));
        }
        Cause::ValidationFailed => assert_eq!(house.judge(job, 0, false), Ok(Success::OK)),
        Cause::RequestsMet => requests_met(house, job, edge),
        Cause::Inactive => {
            house.change_world(|world| world.policies.job_inactivity_timeout = seconds(60));
            house.advance(seconds(60));
        }
        Cause::OwnerLoggedOff => house.log_off(&alice()),
        Cause::OwnerChanged => assert_eq!(house.take_over(job), Ok(Success::OK)),
        Cause::TokenLost => {
            house.lend(job, &bob(), TokenFlags::NETWORK);
            house.log_off(&bob());
        }
        Cause::NetworkLost => house.lose_network(),
        Cause::NetworkBack => {
            house.lose_network();
            house.restore_network();
        }
        Cause::PeersChanged => {
            assert_eq!(house.set(job, Setting::PeerCachingFlags, 1), Ok(Success::OK));
            house.change_world(|world| world.policies.peer_cache.enabled = Some(true));
        }
        Cause::RevocationChecked => {
            // A part of the file is there.
            if edge.from == Some(JobState::CONNECTING) {
                house.connected(job, 100);
                house.progress(job, 50);
                house.fail(job, SERVER_BUSY);
                house.advance(seconds(600));
            } else {
                house.progress(job, 50);
            }
            let check = bits_api::SecurityFlags::ENABLE_CRL_CHECK.bits();
            assert_eq!(house.set(job, Setting::SecurityFlags, check), Ok(Success::OK));
        }
        Cause::PolicyBlocked => house.block_background(true),
        Cause::PolicyUnblocked => {
            assert_eq!(house.resume(job), Ok(Success::OK));
            house.block_background(true);
            house.block_background(false);
        }
        Cause::CostBlocked => house.change_world(|world| world.cost = NetworkCost::Roaming),
        Cause::PowerBlocked => house.change_world(|world| world.power.battery_saver = true),
        Cause::GameBegun => house.change_world(|world| world.game_mode = true),
        Cause::VolumeLocked => house.change_world(|world| world.drives.set_locked(Volume::new('c'), true)),
        Cause::CostUnblocked | Cause::PowerUnblocked | Cause::GameOver | Cause::VolumeUnlocked => {
            assert_eq!(house.resume(job), Ok(Success::OK));
            let begins = match edge.cause {
                Cause::CostUnblocked => Cause::CostBlocked,
                Cause::PowerUnblocked => Cause::PowerBlocked,
                Cause::GameOver => Cause::GameBegun,
                _ => Cause::VolumeLocked,
            };
            let before = house.world.clone();
            bring_about(house, job, &Edge { cause: begins, ..*edge });
            house.change_world(|world| *world = before);
        }
    }
}

/// Turns the job into one of which nothing is asked for, or nothing more.
fn requests_met(house: &mut House, job: JobKey, edge: &Edge) {
    match edge.from {
        Some(JobState::CONNECTING) => {
            // The attempt, which asks for what is not wanted, is told to stop, and no other follows.
            assert_eq!(house.switch_on(job, Setting::OnDemandMode), Ok(Success::OK));
        }
        Some(JobState::TRANSFERRING) => {
            assert_eq!(house.request(job, 1, &[(10, 20)]), Ok(Success::OK));
            assert_eq!(house.switch_on(job, Setting::OnDemandMode), Ok(Success::OK));
            house.connected(job, 100);
            house.report(job, AttemptReport::Ended(AttemptEnd::Done));
        }
        _ => {
            assert_eq!(house.switch_on(job, Setting::OnDemandMode), Ok(Success::OK));
            assert_eq!(house.suspend(job), Ok(Success::OK));
            assert_eq!(house.resume(job), Ok(Success::OK));
        }
    }
}

#[test]
fn every_edge_of_the_life_cycle_is_walked() {
    let mut missed = Vec::new();
    for edge in EDGES {
        let mut house = match edge.cause {
            // Peers are those of BITS 3.0.
            Cause::PeersChanged => House::with(config(Profile::V3_0)),
            _ => House::new(),
        };
        let job = match edge.from {
            Some(from) => job_in(&mut house, from),
            None => house.empty_job(&alice()),
        };
        let before = if edge.from.is_some() { house.transitions.len() } else { 0 };
        bring_about(&mut house, job, edge);
        let walked =
            house.transitions[before..].iter().any(|step| step.job == job && edge.is(step.from, step.cause, step.to));
        if !walked {
            missed.push(format!("{:?} --{:?}--> {}", edge.from, edge.cause, edge.to));
        }
    }
    assert!(missed.is_empty(), "edges that were not walked: {missed:#?}");
}

#[test]
fn no_edge_leaves_a_final_state_and_none_stands_twice() {
    for (place, edge) in EDGES.iter().enumerate() {
        assert!(edge.from != Some(JobState::ACKNOWLEDGED) && edge.from != Some(JobState::CANCELLED));
        let twins = EDGES.iter().skip(place + 1).filter(|other| other.is(edge.from, edge.cause, edge.to));
        assert_eq!(twins.count(), 0, "{:?} --{:?}--> {}", edge.from, edge.cause, edge.to);
    }
}

#[test]
fn all_four_methods_may_be_called_in_every_state_that_is_not_final() {
    let states = [
        JobState::SUSPENDED,
        JobState::QUEUED,
        JobState::CONNECTING,
        JobState::TRANSFERRING,
        JobState::TRANSIENT_ERROR,
        JobState::ERROR,
        JobState::TRANSFERRED,
    ];
    for state in states {
        for method in [House::suspend, House::resume, House::cancel, House::complete] {
            let mut house = House::new();
            let job = job_in(&mut house, state);
            assert!(method(&mut house, job).is_ok(), "in {state}");
        }
    }
}

#[test]
fn a_final_state_refuses_all_changes_and_stays() {
    for end in [House::cancel, House::complete] {
        let mut house = House::new();
        let job = job_in(&mut house, JobState::TRANSFERRED);
        assert_eq!(end(&mut house, job), Ok(Success::OK));
        let ended = house.state(job);
        for method in [House::suspend, House::resume, House::cancel, House::complete, House::add_file] {
            assert_eq!(method(&mut house, job), Err(Hresult::BG_E_INVALID_STATE));
        }
        assert_eq!(house.set(job, Setting::Priority, 0), Err(Hresult::BG_E_INVALID_STATE));
        assert_eq!(house.set_callback(job, None), Err(Hresult::BG_E_INVALID_STATE));
        house.advance(Duration::from_hours(24 * 100));
        assert_eq!(house.state(job), ended);
        assert_eq!(house.in_queue(), []);
    }
}
