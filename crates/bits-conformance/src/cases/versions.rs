//! What came with which BITS, and which Windows has which.

use bits_api::{
    CostFlags, File, FilePropertyId, FileRange, JobPropertyId, JobPropertyValue as Value, PeerCachingFlags,
    SecurityFlags,
};
use bits_origin::Content;
use bits_world::{Preset, Profile, Token};

use super::prelude::*;

cases![
    every_windows_has_its_bits,
    windows_10_before_1703_has_bits_5_0,
    builds_bring_versions,
    what_came_with_3_0,
    what_came_with_4_0,
    what_came_with_5_0,
    what_came_with_10_1,
    asking_for_an_interface_tells_whether_a_feature_is_there,
];

/// Which interfaces the newest BITS has, by the version that brought them, and whether they are
/// there.
fn interfaces(c: &Bench) -> Result<Vec<(&'static str, bool)>, Stop> {
    let (job, _) = c.job_with_file(1_000)?;
    let file = first_file(&job)?;
    Ok(vec![
        ("1.5", job.job2().is_ok()),
        ("2.0", job.job3().is_ok() && file.file2().is_ok()),
        ("2.5", job.http_options().is_ok()),
        ("3.0", job.job4().is_ok() && file.file3().is_ok()),
        ("4.0", job.token_options().is_ok() && file.file4().is_ok()),
        ("5.0", job.job5().is_ok() && file.file5().is_ok()),
        ("10.1", file.file6().is_ok()),
        ("10.2", job.http_options2().is_ok()),
        ("10.3", job.http_options3().is_ok()),
    ])
}

/// The interfaces that BITS `version` has.
fn interfaces_of(version: &str) -> Vec<(&'static str, bool)> {
    let all = ["1.5", "2.0", "2.5", "3.0", "4.0", "5.0", "10.1", "10.2", "10.3"];
    let number = |version: &str| version.parse::<f64>().unwrap_or(0.0);
    all.map(|since| (since, number(version) >= number(since))).to_vec()
}

/// The file version that the requests of a Windows tell.
fn library_of(c: &mut Bench) -> Result<String, Stop> {
    let origin = c.origin()?;
    origin.put("/file", Content::bytes(vec![7; 1_000]));
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let agents: Vec<_> =
        origin.journal().iter().map(|request| request.header("User-Agent").map(str::to_owned)).collect();
    match agents.first().cloned().flatten().as_deref().and_then(|agent| agent.strip_prefix("Microsoft BITS/")) {
        Some(library) => Ok(library.to_owned()),
        None => failed(format!("requests name themselves {agents:?}")),
    }
}

fn every_windows_has_its_bits(c: &mut Bench) -> Outcome {
    let table: [(&str, &str, &[&str]); 8] = [
        ("version.1_0.systems", "1.0", &["xp"]),
        ("version.1_2.systems", "1.2", &["xp-sp1"]),
        ("version.1_5.systems", "1.5", &["server2003"]),
        ("version.2_0.systems", "2.0", &["xp-sp2", "server2003-sp1"]),
        ("version.2_5.systems", "2.5", &["xp-sp3"]),
        ("version.3_0.systems", "3.0", &["vista", "server2008"]),
        ("version.4_0.systems", "4.0", &["win7", "server2008r2"]),
        ("version.5_0.systems", "5.0", &["win8", "server2012"]),
    ];
    for (clause, version, presets) in table {
        for preset in presets {
            c.start_over();
            c.preset(preset)?;
            let library = library_of(c)?;
            c.value(clause, library)?;
            c.start_over();
            c.preset(preset)?;
            c.is(clause, interfaces(c)?, interfaces_of(version))?;
        }
    }
    Ok(())
}

fn windows_10_before_1703_has_bits_5_0(c: &mut Bench) -> Outcome {
    for preset in ["win10-1511", "win10-1607"] {
        c.start_over();
        c.preset(preset)?;
        let library = library_of(c)?;
        c.value("version.5_0.windows10", library)?;
        c.start_over();
        c.preset(preset)?;
        c.is("version.5_0.windows10", interfaces(c)?, interfaces_of("5.0"))?;
    }
    // The server of that code too, whatever its interface pages say.
    c.start_over();
    c.preset("server2016")?;
    c.is("version.10_1.systems", interfaces(c)?, interfaces_of("5.0"))?;
    c.start_over();
    c.preset("win10-1703")?;
    c.is("version.10_1.systems", interfaces(c)?, interfaces_of("10.1"))
}

fn builds_bring_versions(c: &mut Bench) -> Outcome {
    let mut seen = Vec::new();
    for preset in Preset::all().iter().filter(|preset| preset.build >= 9_200) {
        c.start_over();
        c.preset(preset.name)?;
        seen.push((preset.build, interfaces(c)?));
    }
    for (clause, since) in [("version.10_2.systems", "10.2"), ("version.10_3.systems", "10.3")] {
        let has = |found: &[(&str, bool)]| found.contains(&(since, true));
        let first = seen.iter().filter(|(_, found)| has(found)).map(|(build, _)| *build).min().unwrap_or(0);
        c.value(clause, first)?;
        let later = seen.iter().filter(|(build, _)| *build >= first).all(|(_, found)| has(found));
        c.holds(clause, "every later Windows has it too", later)?;
    }
    Ok(())
}

/// Whether a BITS that has just begun can do something.
type Can = fn(&mut Bench) -> Result<bool, Stop>;

/// Shows that what `features` can be done since `since`, and not in `before`.
fn came_with(
    c: &mut Bench,
    clause: &'static str,
    (before, since): (Profile, Profile),
    features: &[(&str, Can)],
) -> Outcome {
    for (profile, expected) in [(before, false), (since, true), (Profile::default(), true)] {
        for (feature, can) in features {
            c.start_over();
            c.play(profile)?;
            let got = can(c)?;
            let text = format!(
                "{feature} is there exactly since BITS {}; in {} it is {got}",
                since.version(),
                profile.version()
            );
            c.holds(clause, &text, got == expected)?;
        }
    }
    Ok(())
}

fn file_of(c: &Bench) -> Result<Arc<dyn File>, Stop> {
    first_file(&c.job_with_file(1_000)?.0)
}

const FILE_TRANSFERRED: (&str, Can) =
    ("FileTransferred", |c| Ok(c.new_job()?.set_notify_flags(NotifyFlags::FILE_TRANSFERRED).is_ok()));
const REDIRECTS: (&str, Can) = ("the control of redirects", |c| {
    let options = c.new_job()?.http_options();
    Ok(options.is_ok_and(|options| options.set_security_flags(SecurityFlags::REDIRECT_POLICY_DISALLOW).is_ok()))
});
const PEERS: (&str, Can) =
    ("the administration of peer caching", |c| Ok(c.manager()?.peer_cache_administration().is_ok()));
const JOB_LIMIT: (&str, Can) = ("the limit of jobs", |c| {
    c.set_policies(|policies| policies.max_jobs_per_user = 1)?;
    c.new_job()?;
    let second = c.manager()?.create_job(Some(job_name()), JobType::DOWNLOAD);
    Ok(second.err() == Some(Hresult::BG_E_TOO_MANY_JOBS_PER_USER))
});
const FILE_LIMIT: (&str, Can) = ("the limit of files", |c| {
    c.set_policies(|policies| policies.max_files_per_job = 1)?;
    let (job, _) = c.job_with_file(1_000)?;
    let second = job.add_file(Some("http://files.example/b"), Some(&c.local("b.bin")));
    Ok(second == Err(Hresult::BG_E_TOO_MANY_FILES_IN_JOB))
});

fn what_came_with_3_0(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    let versions = (Profile::V2_5, Profile::V3_0);
    came_with(
        c,
        "version.3_0.added",
        versions,
        &[
            FILE_TRANSFERRED,
            ("IBackgroundCopyFile3", |c| Ok(file_of(c)?.file3().is_ok())),
            ("IBackgroundCopyJob4", |c| Ok(c.new_job()?.job4().is_ok())),
            PEERS,
            REDIRECTS,
            JOB_LIMIT,
            FILE_LIMIT,
        ],
    )?;
    came_with(
        c,
        "service.features_3_0",
        versions,
        &[
            PEERS,
            FILE_TRANSFERRED,
            ("the use of the temporary file", |c| {
                let (job, file) = c.job_with_file(1_000)?;
                c.bring(&job, &file, JobState::TRANSFERRED)?;
                Ok(first_file(&job)?.file3().is_ok_and(|file| file.temporary_name().is_ok()))
            }),
            REDIRECTS,
            ("the limit of download time", |c| {
                Ok(c.new_job()?.job4().is_ok_and(|job| job.set_maximum_download_time(60).is_ok()))
            }),
            JOB_LIMIT,
            FILE_LIMIT,
            ("elevation", |c| {
                let elevated = c.administrator_token()?;
                let plain = Token::standard(elevated.user.clone());
                let job = new_job(&c.manager_as(elevated)?)?;
                Ok(c.manager_as(plain)?.job(job.id()?).err() == Some(Hresult::E_ACCESSDENIED))
            }),
        ],
    )
}

fn what_came_with_4_0(c: &mut Bench) -> Outcome {
    came_with(
        c,
        "version.4_0.added",
        (Profile::V3_0, Profile::V4_0),
        &[
            ("IBitsTokenOptions", |c| Ok(c.new_job()?.token_options().is_ok())),
            ("IBackgroundCopyFile4", |c| Ok(file_of(c)?.file4().is_ok())),
            ("BranchCache", |c| {
                let job = c.new_job()?.job4()?;
                Ok(job.set_peer_caching_flags(PeerCachingFlags::DISABLE_BRANCH_CACHE).is_ok())
            }),
            ("the end of the peer cache", |c| {
                let cache = c.manager()?.peer_cache_administration()?;
                Ok(cache.maximum_cache_size()?.code == Success::FALSE)
            }),
        ],
    )
}

const JOB_PROPERTIES: (&str, Can) = ("properties of jobs", |c| {
    Ok(c.new_job()?.job5().is_ok_and(|job| job.property(JobPropertyId::DYNAMIC_CONTENT).is_ok()))
});
const FILE_PROPERTIES: (&str, Can) = ("properties of files, with the headers of answers", |c| {
    let (job, file) = c.job_with_file(1_000)?;
    c.bring(&job, &file, JobState::TRANSFERRED)?;
    let headers = FilePropertyId::HTTP_RESPONSE_HEADERS;
    Ok(first_file(&job)?.file5().is_ok_and(|file| file.property(headers).is_ok()))
});
const POLICIES: (&str, Can) = ("cost flags, and policies that are made of them", |c| {
    let policy = Value::Dword(CostFlags::TRANSFER_STANDARD.bits());
    let Ok(job) = c.new_job()?.job5() else { return Ok(false) };
    job.set_property(JobPropertyId::COST_FLAGS, policy)?;
    Ok(job.property(JobPropertyId::COST_FLAGS)? == policy)
});

fn what_came_with_5_0(c: &mut Bench) -> Outcome {
    let versions = (Profile::V4_0, Profile::V5_0);
    for clause in ["version.5_0.added", "service.features_5_0"] {
        came_with(c, clause, versions, &[JOB_PROPERTIES, FILE_PROPERTIES, POLICIES])?;
    }
    Ok(())
}

const ON_DEMAND: (&str, Can) = ("on-demand mode", |c| {
    let on = Value::Enable(true);
    Ok(c.new_job()?.job5()?.set_property(JobPropertyId::ON_DEMAND_MODE, on).is_ok())
});
const INTERVAL: (&str, Can) = ("the minimum notification interval", |c| {
    let id = JobPropertyId::MINIMUM_NOTIFICATION_INTERVAL_MS;
    Ok(c.new_job()?.job5()?.set_property(id, Value::Dword(1_000)).is_ok())
});

fn what_came_with_10_1(c: &mut Bench) -> Outcome {
    let versions = (Profile::V5_0_1607, Profile::V10_1);
    came_with(
        c,
        "version.10_1.added",
        versions,
        &[
            ("IBackgroundCopyFile6", |c| Ok(file_of(c)?.file6().is_ok())),
            ("IBackgroundCopyCallback3", |c| {
                Ok(c.new_job()?.set_notify_flags(NotifyFlags::FILE_RANGES_TRANSFERRED).is_ok())
            }),
            ON_DEMAND,
            INTERVAL,
        ],
    )?;
    came_with(
        c,
        "service.features_10_1",
        versions,
        &[
            ("random access", |c| {
                let range = FileRange { initial_offset: 10, length: 20 };
                Ok(file_of(c)?.file6().is_ok_and(|file| file.request_file_ranges(&[range]).is_ok()))
            }),
            ON_DEMAND,
            INTERVAL,
        ],
    )
}

fn asking_for_an_interface_tells_whether_a_feature_is_there(c: &mut Bench) -> Outcome {
    for profile in Profile::ALL {
        c.start_over();
        c.play(*profile)?;
        c.is("core:version.query_interface", interfaces(c)?, interfaces_of(profile.version()))?;
        let job = c.new_job()?;
        if let Err(code) = job.http_options3() {
            c.is("core:version.query_interface", code, Hresult::E_NOINTERFACE)?;
        }
    }
    Ok(())
}
