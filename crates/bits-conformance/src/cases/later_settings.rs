//! File security, peer caching and the limit of download time, as settings.

use bits_api::{FileAclFlags, PeerCacheFlags, PeerCachingFlags};
use bits_world::Profile;

use super::prelude::*;

cases![
    file_acl_flags_have_their_values,
    file_acl_flags_are_replaced,
    undefined_file_acl_flags_are_refused,
    file_acl_flags_are_fixed_once_the_job_is_transferred,
    file_acl_flags_can_be_read_in_every_state,
    http_ignores_file_acl_flags,
    peer_caching_flags_have_their_values,
    peer_caching_flags_are_stored,
    undefined_peer_caching_flags_are_refused,
    peer_caching_flags_are_the_jobs_own,
    peer_caching_flags_mean_nothing_where_the_computer_has_no_peers,
    the_flags_of_the_old_peer_cache_mean_nothing_since_4_0,
    asking_for_peers_moves_no_job_since_4_0,
    job4_has_three_things,
    a_maximum_download_time_is_stored_in_seconds,
    a_maximum_download_time_is_refused_in_final_states,
    later_settings_outlive_a_restart,
];

fn file_acl_flags_have_their_values(c: &mut Bench) -> Outcome {
    let job = c.new_job()?.job3()?;
    let values = [
        ("job3.file_acl.owner", FileAclFlags::OWNER),
        ("job3.file_acl.group", FileAclFlags::GROUP),
        ("job3.file_acl.dacl", FileAclFlags::DACL),
        ("job3.file_acl.sacl", FileAclFlags::SACL),
        ("job3.file_acl.all", FileAclFlags::all()),
    ];
    for (clause, flags) in values {
        c.returns("job3.set_file_acl_flags.ok", job.set_file_acl_flags(flags))?;
        c.returns("job3.get_file_acl_flags.ok", job.file_acl_flags())?;
        c.value(clause, job.file_acl_flags()?)?;
    }
    Ok(())
}

fn file_acl_flags_are_replaced(c: &mut Bench) -> Outcome {
    let job = c.new_job()?.job3()?;
    c.value("job3.get_file_acl_flags.default", job.file_acl_flags()?)?;
    let (first, second) = (FileAclFlags::OWNER | FileAclFlags::DACL, FileAclFlags::GROUP);
    job.set_file_acl_flags(first)?;
    c.is("job3.set_file_acl_flags.param", job.file_acl_flags()?, first)?;
    job.set_file_acl_flags(second)?;
    c.is("job3.set_file_acl_flags.overwrite", job.file_acl_flags()?, second)?;
    job.set_file_acl_flags(FileAclFlags::empty())?;
    c.is("job3.set_file_acl_flags.param", job.file_acl_flags()?, FileAclFlags::empty())?;
    c.value("job3.get_file_acl_flags.default", job.file_acl_flags()?)
}

fn undefined_file_acl_flags_are_refused(c: &mut Bench) -> Outcome {
    let job = c.new_job()?.job3()?;
    job.set_file_acl_flags(FileAclFlags::SACL)?;
    for bits in [0x10, 0x11, 0x8000_0000, u32::MAX] {
        let refused = job.set_file_acl_flags(FileAclFlags::from_bits_retain(bits));
        c.returns("job3.set_file_acl_flags.invalid_flag", refused)?;
    }
    c.is("job3.set_file_acl_flags.invalid_flag", job.file_acl_flags()?, FileAclFlags::SACL)
}

fn file_acl_flags_are_fixed_once_the_job_is_transferred(c: &mut Bench) -> Outcome {
    for state in LIVING.into_iter().chain(FINAL) {
        c.start_over();
        let job = c.job_in(state)?.0.job3()?;
        let result = job.set_file_acl_flags(FileAclFlags::GROUP);
        if [JobState::TRANSFERRED, JobState::ACKNOWLEDGED, JobState::CANCELLED].contains(&state) {
            c.returns("job3.set_file_acl_flags.invalid_state", result)?;
            c.is("job3.set_file_acl_flags.invalid_state", job.file_acl_flags()?, FileAclFlags::empty())?;
        } else {
            c.returns("job3.set_file_acl_flags.ok", result)?;
            c.is("job3.set_file_acl_flags.ok", job.file_acl_flags()?, FileAclFlags::GROUP)?;
        }
    }
    Ok(())
}

fn file_acl_flags_can_be_read_in_every_state(c: &mut Bench) -> Outcome {
    for state in LIVING.into_iter().chain(FINAL) {
        c.start_over();
        let (job, file) = c.job_with_file(1_000)?;
        job.job3()?.set_file_acl_flags(FileAclFlags::OWNER)?;
        c.bring(&job, &file, state)?;
        c.is("job3.get_file_acl_flags.states", job.job3()?.file_acl_flags()?, FileAclFlags::OWNER)?;
    }
    Ok(())
}

fn http_ignores_file_acl_flags(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(1_000)?;
    job.job3()?.set_file_acl_flags(FileAclFlags::all())?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    c.is("job3.set_file_acl_flags.smb_only", c.local_length("a.bin")?, Some(1_000))
}

fn peer_caching_flags_have_their_values(c: &mut Bench) -> Outcome {
    let job = c.new_job()?.job4()?;
    let values = [
        ("job4.set_peer_caching_flags.enum.client", PeerCachingFlags::ENABLE_CLIENT),
        ("job4.set_peer_caching_flags.enum.server", PeerCachingFlags::ENABLE_SERVER),
        ("job4.set_peer_caching_flags.enum.disable_branch_cache", PeerCachingFlags::DISABLE_BRANCH_CACHE),
    ];
    c.value("job4.set_peer_caching_flags.default", job.peer_caching_flags()?)?;
    for (clause, flags) in values {
        c.returns("job4.set_peer_caching_flags.ok", job.set_peer_caching_flags(flags))?;
        c.returns("job4.get_peer_caching_flags.ok", job.peer_caching_flags())?;
        c.value(clause, job.peer_caching_flags()?)?;
    }
    Ok(())
}

fn peer_caching_flags_are_stored(c: &mut Bench) -> Outcome {
    for profile in [Profile::V3_0, Profile::V4_0, Profile::V10_3] {
        c.start_over();
        c.play(profile)?;
        let job = c.new_job()?.job4()?;
        let both = PeerCachingFlags::ENABLE_CLIENT | PeerCachingFlags::ENABLE_SERVER;
        for flags in [both, PeerCachingFlags::ENABLE_SERVER, PeerCachingFlags::empty()] {
            job.set_peer_caching_flags(flags)?;
            c.is(
                ["job4.set_peer_caching_flags.param", "job4.get_peer_caching_flags.param"],
                job.peer_caching_flags()?,
                flags,
            )?;
        }
    }
    let job = c.new_job()?.job4()?;
    job.set_peer_caching_flags(PeerCachingFlags::all())?;
    c.is("job4.get_peer_caching_flags.lists_two_flags", job.peer_caching_flags()?.bits(), 7)
}

fn undefined_peer_caching_flags_are_refused(c: &mut Bench) -> Outcome {
    for (profile, undefined) in [(Profile::V3_0, 0x4), (Profile::V10_3, 0x8), (Profile::V10_3, 0x8000_0001)] {
        c.start_over();
        c.play(profile)?;
        let job = c.new_job()?.job4()?;
        let refused = job.set_peer_caching_flags(PeerCachingFlags::from_bits_retain(undefined));
        c.returns("job4.set_peer_caching_flags.unknown_bits", refused)?;
        // It is the setter that refuses: the getter has nothing to refuse.
        c.is("job4.get_peer_caching_flags.e_notimpl", job.peer_caching_flags(), Ok(PeerCachingFlags::empty()))?;
    }
    Ok(())
}

/// Downloads a file for a job with these flags; whether peers get it then, and the job's flags.
fn served_by(c: &Bench, flags: PeerCachingFlags) -> Result<(PeerCachingFlags, bool), Stop> {
    let (job, file) = c.job_with_file(1_000)?;
    job.job4()?.set_peer_caching_flags(flags)?;
    c.bring(&job, &file, JobState::TRANSFERRED)?;
    job.complete()?;
    Ok((job.job4()?.peer_caching_flags()?, c.peer_read(&file)?.is_some()))
}

const BOTH: PeerCachingFlags = PeerCachingFlags::ENABLE_CLIENT.union(PeerCachingFlags::ENABLE_SERVER);

fn peer_caching_flags_are_the_jobs_own(c: &mut Bench) -> Outcome {
    // Whatever the computer allows.
    for allowed in [true, false] {
        c.start_over();
        c.play(Profile::V3_0)?;
        if allowed {
            c.serve_peers()?;
        }
        let job = c.new_job()?.job4()?;
        c.is("job4.get_peer_caching_flags.job_level_only", job.peer_caching_flags()?, PeerCachingFlags::empty())?;
        job.set_peer_caching_flags(BOTH)?;
        c.is("job4.get_peer_caching_flags.job_level_only", job.peer_caching_flags()?, BOTH)?;
    }
    Ok(())
}

fn peer_caching_flags_mean_nothing_where_the_computer_has_no_peers(c: &mut Bench) -> Outcome {
    for allowed in [false, true] {
        c.start_over();
        c.play(Profile::V3_0)?;
        if allowed {
            c.serve_peers()?;
        }
        let got = served_by(c, BOTH)?;
        c.is("job4.set_peer_caching_flags.no_meaning_when_off", got, (BOTH, allowed))?;
    }
    Ok(())
}

fn the_flags_of_the_old_peer_cache_mean_nothing_since_4_0(c: &mut Bench) -> Outcome {
    for (profile, is_served) in [(Profile::V3_0, true), (Profile::V4_0, false), (Profile::V10_3, false)] {
        c.start_over();
        c.play(profile)?;
        c.serve_peers()?;
        let got = served_by(c, PeerCachingFlags::ENABLE_SERVER)?;
        c.is("job4.set_peer_caching_flags.deprecated_server", got, (PeerCachingFlags::ENABLE_SERVER, is_served))?;
    }
    Ok(())
}

fn asking_for_peers_moves_no_job_since_4_0(c: &mut Bench) -> Outcome {
    for (profile, is_moved) in [(Profile::V3_0, true), (Profile::V4_0, false), (Profile::V10_3, false)] {
        c.start_over();
        c.play(profile)?;
        c.peer_cache()?.set_configuration_flags(PeerCacheFlags::ENABLE_CLIENT)?;
        let (job, _) = c.job_in(JobState::TRANSFERRING)?;
        let before = c.states_of(&job)?.len();
        job.job4()?.set_peer_caching_flags(PeerCachingFlags::ENABLE_CLIENT)?;
        c.settle()?;
        let stays = c.states_of(&job)?.len() == before;
        c.is(
            "job4.set_peer_caching_flags.deprecated_client",
            (job.job4()?.peer_caching_flags()?, stays),
            (PeerCachingFlags::ENABLE_CLIENT, !is_moved),
        )?;
    }
    Ok(())
}

fn job4_has_three_things(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    let job = c.new_job()?.job4()?;
    job.set_peer_caching_flags(PeerCachingFlags::ENABLE_CLIENT)?;
    job.set_maximum_download_time(60)?;
    c.is(
        "job4.interface.purpose",
        (
            job.peer_caching_flags()?,
            job.maximum_download_time()?,
            (job.owner_integrity_level()?, job.owner_elevation_state()?),
        ),
        (PeerCachingFlags::ENABLE_CLIENT, 60, (0x2000, false)),
    )
}

fn a_maximum_download_time_is_stored_in_seconds(c: &mut Bench) -> Outcome {
    let job = c.new_job()?.job4()?;
    c.value("job4.get_maximum_download_time.unset", job.maximum_download_time()?)?;
    for seconds in [0, 1, 3_600, u32::MAX] {
        c.returns("job4.set_maximum_download_time.ok", job.set_maximum_download_time(seconds))?;
        c.returns("job4.get_maximum_download_time.ok", job.maximum_download_time())?;
        c.is(
            [
                "job4.set_maximum_download_time.param",
                "job4.get_maximum_download_time.param",
                "job4.get_maximum_download_time.ok",
                "job4.get_maximum_download_time.roundtrip",
            ],
            job.maximum_download_time()?,
            seconds,
        )?;
    }
    Ok(())
}

fn a_maximum_download_time_is_refused_in_final_states(c: &mut Bench) -> Outcome {
    for state in FINAL {
        c.start_over();
        let job = c.job_in(state)?.0.job4()?;
        c.returns("job4.set_maximum_download_time.states", job.set_maximum_download_time(60))?;
        c.value("job4.get_maximum_download_time.unset", job.maximum_download_time()?)?;
    }
    Ok(())
}

fn later_settings_outlive_a_restart(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    job.job3()?.set_file_acl_flags(FileAclFlags::DACL)?;
    job.job4()?.set_peer_caching_flags(PeerCachingFlags::ENABLE_CLIENT)?;
    job.job4()?.set_maximum_download_time(4_711)?;
    let id = job.id()?;
    c.restart_service()?;
    let job = c.find(id)?.job4()?;
    let kept = (job.file_acl_flags()?, job.peer_caching_flags()?);
    c.is("lifecycle.must_finish", kept, (FileAclFlags::DACL, PeerCachingFlags::ENABLE_CLIENT))?;
    c.is("job4.set_maximum_download_time.persist", job.maximum_download_time()?, 4_711)
}
