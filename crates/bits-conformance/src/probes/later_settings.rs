//! What the later interfaces of a job let a client set, and which interfaces there are.

use bits_api::{HttpOptions2, JobPriority, JobPropertyId, JobPropertyValue, PeerCachingFlags, SecurityFlags};

use super::prelude::*;
use super::words::{Notes, cancelled, completed, job_for, list, named, only, origin, quoted, run};

probes! {
    "job4.peer_caching_flags.undefined" => undefined_bits_of_peer_caching,
    "job4.get_peer_caching_flags.lists_two_flags" => each_bit_of_peer_caching,
    "job4.set_maximum_download_time.states" => the_download_time_after_the_end,
    "job4.get_maximum_download_time.roundtrip" => the_download_time_as_it_was_set,
    "job3.get_file_acl_flags.states" => acl_flags_after_the_end,
    "http_options.set_security_flags.values" => values_of_security_flags,
    "http_options.set_security_flags.states" => security_flags_after_the_end,
    "http_options2.set_http_method.param" => names_of_methods,
    "http_options2.set_http_method.default_noop" => a_method_and_then_the_default,
    "http_options2.set_http_method.priority_locked" => priorities_beside_a_method,
    "http_options2.set_http_method.conflicts" => modes_beside_a_method,
    "http_options2.set_http_method.before_first_resume" => a_method_after_resume,
    "http_options2.set_http_method.uploads" => methods_of_uploads,
    "http_options3.interface.introduced" => interfaces,
    "version.later_releases" => interfaces,
}

fn undefined_bits_of_peer_caching(c: &mut Bench) -> Answer {
    let job = c.new_job()?.job4()?;
    let mut seen = Notes::default();
    for bits in [8, 0x8000_0000] {
        seen.add(
            format!("SetPeerCachingFlags({bits:#x})"),
            named(job.set_peer_caching_flags(PeerCachingFlags::from_bits_retain(bits))),
        );
    }
    seen.add("GetPeerCachingFlags", bits_or_name(job.peer_caching_flags().map(|flags| flags.bits())));
    Ok(seen.told())
}

/// A mask, or why there is none.
fn bits_or_name(bits: Result<u32, Hresult>) -> String {
    bits.map_or_else(named, |bits| format!("{bits:#x}"))
}

fn each_bit_of_peer_caching(c: &mut Bench) -> Answer {
    let job = c.new_job()?.job4()?;
    let mut seen = Notes::default();
    for bits in [4, 2, 1, 7, 0] {
        let set = named(job.set_peer_caching_flags(PeerCachingFlags::from_bits_retain(bits)));
        let got = bits_or_name(job.peer_caching_flags().map(|flags| flags.bits()));
        seen.add(format!("SetPeerCachingFlags({bits})"), format!("{set}, then {got}"));
    }
    Ok(seen.told())
}

/// Does `call` to a job that was acknowledged, and to one that was cancelled.
fn after_the_end(c: &mut Bench, call: impl Fn(&Arc<dyn Job>) -> Result<String, Stop>) -> Answer {
    let acknowledged = completed(c)?;
    let mut seen = Notes::default();
    seen.add("after Complete", call(&acknowledged)?);
    seen.add("after Cancel", call(&cancelled(c)?)?);
    Ok(seen.told())
}

fn the_download_time_after_the_end(c: &mut Bench) -> Answer {
    after_the_end(c, |job| Ok(named(job.clone().job4()?.set_maximum_download_time(5))))
}

fn the_download_time_as_it_was_set(c: &mut Bench) -> Answer {
    let job = c.new_job()?.job4()?;
    let got = || job.maximum_download_time().map_or_else(named, |seconds| seconds.to_string());
    let mut seen = Notes::default();
    seen.add("a new job", got());
    for seconds in [0, 5, u32::MAX] {
        let set = named(job.set_maximum_download_time(seconds));
        seen.add(format!("SetMaximumDownloadTime({seconds})"), format!("{set}, then {}", got()));
    }
    Ok(seen.told())
}

fn acl_flags_after_the_end(c: &mut Bench) -> Answer {
    after_the_end(c, |job| {
        let job = job.clone().job3()?;
        Ok(bits_or_name(job.file_acl_flags().map(|flags| flags.bits())))
    })
}

fn values_of_security_flags(c: &mut Bench) -> Answer {
    let options = c.new_job()?.http_options()?;
    let got = || bits_or_name(options.security_flags().map(|flags| flags.bits()));
    let mut seen = Notes::default();
    seen.add("a new job", got());
    for bits in [0x001f, 0x0100, 0x0200, 0x0300, 0x0400, 0x0500, 0x0800, 0x1000, 0x0008] {
        let set = named(options.set_security_flags(SecurityFlags::from_bits_retain(bits)));
        seen.add(format!("{bits:#x}"), format!("{set}, then {}", got()));
    }
    Ok(seen.told())
}

fn security_flags_after_the_end(c: &mut Bench) -> Answer {
    after_the_end(c, |job| Ok(named(job.http_options()?.set_security_flags(SecurityFlags::IGNORE_UNKNOWN_CA))))
}

/// A method, and what it then is.
fn set_method(options: &Arc<dyn HttpOptions2>, method: Option<&str>) -> String {
    let set = named(options.set_http_method(method));
    let got = options.http_method().map_or_else(named, |method| format!("{method:?}"));
    format!("{set}, then {got}")
}

fn names_of_methods(c: &mut Bench) -> Answer {
    let mut seen = Notes::default();
    for method in [None, Some(""), Some("two words"), Some("M(E)THOD"), Some("Custom"), Some("POST")] {
        seen.add(quoted(method), set_method(&c.new_job()?.http_options2()?, method));
    }
    Ok(seen.told())
}

fn a_method_and_then_the_default(c: &mut Bench) -> Answer {
    let mut seen = Notes::default();
    for methods in [&["POST", "GET"][..], &["GET"], &["get"]] {
        let job = c.new_job()?;
        let options = job.http_options2()?;
        let steps = list(methods.iter().map(|method| format!("{method} {}", set_method(&options, Some(method)))));
        seen.add(steps, job.priority()?.to_string().trim_start_matches("BG_JOB_PRIORITY_"));
    }
    Ok(seen.told())
}

fn priorities_beside_a_method(c: &mut Bench) -> Answer {
    let job = c.new_job()?;
    let mut seen = Notes::default();
    seen.add("SetHttpMethod(POST)", set_method(&job.http_options2()?, Some("POST")));
    for priority in JobPriority::DEFINED {
        seen.add(priority.to_string().trim_start_matches("BG_JOB_PRIORITY_"), named(job.set_priority(*priority)));
    }
    Ok(seen.told())
}

fn modes_beside_a_method(c: &mut Bench) -> Answer {
    let mut seen = Notes::default();
    let modes =
        [("DYNAMIC_CONTENT", JobPropertyId::DYNAMIC_CONTENT), ("ON_DEMAND_MODE", JobPropertyId::ON_DEMAND_MODE)];
    for (name, id) in modes {
        let set = |job: &Arc<dyn Job>| {
            Ok::<_, Stop>(named(job.clone().job5()?.set_property(id, JobPropertyValue::Enable(true))))
        };
        let (before, after) = (c.new_job()?, c.new_job()?);
        let first = set(&before)?;
        seen.add(
            format!("{name}, then POST"),
            format!("{first}, {}", set_method(&before.http_options2()?, Some("POST"))),
        );
        let first = set_method(&after.http_options2()?, Some("POST"));
        seen.add(format!("POST, then {name}"), format!("{first}, {}", set(&after)?));
    }
    Ok(seen.told())
}

fn a_method_after_resume(c: &mut Bench) -> Answer {
    let origin = origin(c, 1_000)?;
    let job = job_for(c, &origin.url("/file"), "resumed")?;
    run(c, &job)?;
    job.suspend()?;
    only(set_method(&job.http_options2()?, Some("POST")))
}

fn methods_of_uploads(c: &mut Bench) -> Answer {
    let options = c.new_job_of(JobType::UPLOAD)?.http_options2()?;
    let mut seen = Notes::default();
    for method in ["PUT", "BITS_POST", "GET"] {
        seen.add(method, set_method(&options, Some(method)));
    }
    Ok(seen.told())
}

fn interfaces(c: &mut Bench) -> Answer {
    let job = c.new_job()?;
    job.add_file(Some("http://127.0.0.1/"), Some(&c.local("interfaces.bin")))?;
    let file = first_file(&job)?;
    let mut seen = Notes::default();
    seen.add("IBackgroundCopyJob2", named(job.job2()));
    seen.add("IBackgroundCopyJob3", named(job.job3()));
    seen.add("IBackgroundCopyJob4", named(job.job4()));
    seen.add("IBackgroundCopyJob5", named(job.job5()));
    seen.add("IBackgroundCopyJobHttpOptions", named(job.http_options()));
    seen.add("IBackgroundCopyJobHttpOptions2", named(job.http_options2()));
    seen.add("IBackgroundCopyJobHttpOptions3", named(job.http_options3()));
    seen.add("IBitsTokenOptions", named(job.token_options()));
    seen.add("IBackgroundCopyFile2", named(file.file2()));
    seen.add("IBackgroundCopyFile3", named(file.file3()));
    seen.add("IBackgroundCopyFile4", named(file.file4()));
    seen.add("IBackgroundCopyFile5", named(file.file5()));
    seen.add("IBackgroundCopyFile6", named(file.file6()));
    Ok(seen.told())
}
