//! Adding files: which names are taken, in which order things are looked at, and what is told then.

use bits_api::FileInfo;

use super::prelude::*;

probes! {
    "struct.file_info.local_dirs_exist" => |b| {
        let url = b.origin()?.url("/file");
        seen(b.new_job()?.add_file(Some(&url), Some(&b.local("missing/a.bin"))))
    },
    "struct.file_info.local_max" => longest_local_names,
    "struct.file_info.local_dots" => |b| {
        let local = b.local(r"dir\..\a.bin");
        seen(b.new_job()?.add_file(Some(URL), Some(&local)))
    },
    "struct.file_info.local_unusable" => unusable_local_names,
    "struct.file_info.local_windows_names" => odd_local_names,
    "smb.names" => names_of_files,
    "job.add_file_set.order" => order_of_a_set,
    "job.add_file_set.zero_count" => |b| seen(b.new_job()?.add_file_set(&[])),
    "job.add_file.check_order" => |b| {
        let job = b.new_job()?;
        job.cancel()?;
        seen(job.add_file(Some("ftp://files.example/a"), Some("relative")))
    },
    "file.names_verbatim" => names_given_back,
    "file.size_before_contact" => |b| {
        let (job, _) = b.job_with_file(1_000)?;
        seen(first_file(&job)?.progress())
    },
    "enumerators.start" => |b| {
        let first = ten_files(b)?.enum_files()?.next(1)?;
        seen(first.items.first().map(|file| file.remote_name()))
    },
    "enumerators.next.celt_zero" => next_of_nothing,
    "enumerators.count" => |b| {
        let files = ten_files(b)?.enum_files()?;
        Ok(Seen::new().and("Skip(1)", files.skip(1)).and("then GetCount", files.count()))
    },
}

const URL: &str = "http://files.example/a.bin";

/// A job with the files 0 to 9.
fn ten_files(b: &Bench) -> Result<Arc<dyn Job>, Stop> {
    let job = b.new_job()?;
    let names: Vec<_> = (0..10).map(|n| (format!("http://files.example/{n}"), b.local(&format!("{n}.bin")))).collect();
    let set: Vec<_> = names.iter().map(|(remote, local)| FileInfo { remote_name: remote, local_name: local }).collect();
    job.add_file_set(&set)?;
    Ok(job)
}

fn longest_local_names(b: &mut Bench) -> Answer {
    let start = b.local("").chars().count();
    let mut told = Seen::new();
    for length in [259, 260, 261] {
        let local = b.local(&"n".repeat(length - start));
        told = told.and(&format!("{length} characters"), b.new_job()?.add_file(Some(URL), Some(&local)));
    }
    Ok(told)
}

fn unusable_local_names(b: &mut Bench) -> Answer {
    let device = b.new_job()?.add_file(Some(URL), Some(&b.local("NUL")));
    b.start_over();
    let url = b.origin()?.url("/file");
    let folder = b.local("folder");
    done(std::fs::create_dir(&folder))?;
    let job = b.new_job()?;
    Ok(Seen::new().and("NUL", device).and("the name of a folder", job.add_file(Some(&url), Some(&folder))))
}

fn odd_local_names(b: &mut Bench) -> Answer {
    let start = b.local("");
    let mut told = Seen::new();
    for name in ["a.", "a. .", "NUL", "NUL.txt", "COM1", "...", " a.bin"] {
        let job = b.new_job()?;
        let added = job.add_file(Some(URL), Some(&b.local(name)));
        let given_back = first_file(&job).ok().and_then(|file| file.local_name().ok());
        let rest = given_back.map(|given| given.strip_prefix(&start).map_or_else(|| given.clone(), str::to_owned));
        told = told.and(&format!("{name:?}"), added).and("GetLocalName", rest);
    }
    let slashes = b.local("a.bin").replace('\\', "/");
    Ok(told.and("slashes of the other kind", b.new_job()?.add_file(Some(URL), Some(&slashes))))
}

fn names_of_files(b: &mut Bench) -> Answer {
    let mut told = Seen::new();
    let names = [
        r"\\server\share\dir\a.bin",
        "file://server/share/a.bin",
        r"file://\\server\share\a.bin",
        r"Z:\dir\a.bin",
        r"file://Z:\dir\a.bin",
        "file:///Z:/dir/a.bin",
        r"\\server\share\*.bin",
        r"\\server\share\a.bin:stream",
        r"\\server\share\..\a.bin",
        r"\\.\PhysicalDrive0",
        r"\\server\pipe\a",
        r"\\server\mailslot\a",
        "smb://server/share/a.bin",
    ];
    for name in names {
        told = told.and(name, b.new_job()?.add_file(Some(name), Some(&b.local("a.bin"))));
    }
    let upload = b.new_job_of(JobType::UPLOAD)?;
    b.rewrite("up.bin", 10)?;
    let added = upload.add_file(Some(r"\\server\share\up.bin"), Some(&b.local("up.bin")));
    Ok(told.and("an upload to a share", added))
}

fn order_of_a_set(b: &mut Bench) -> Answer {
    let mut order = Vec::new();
    for file in files(&ten_files(b)?)? {
        let name = file.remote_name()?;
        order.extend(name.rsplit('/').next().and_then(|number| number.parse::<u32>().ok()));
    }
    seen(order)
}

fn names_given_back(b: &mut Bench) -> Answer {
    let job = b.new_job()?;
    let remote = "HTTP://Files.Example:80/a%20b/../C?q=%7e&r";
    let local = b.local("Mixed Case.BIN");
    job.add_file(Some(remote), Some(&local))?;
    let file = first_file(&job)?;
    let is_same = file.local_name()? == local;
    let local = Words(if is_same { "as it was given" } else { "otherwise" });
    Ok(Seen::new().and("GetRemoteName", file.remote_name()).and("GetLocalName", local))
}

fn next_of_nothing(b: &mut Bench) -> Answer {
    let files = ten_files(b)?.enum_files()?;
    let at_the_start = files.next(0).map(|fetched| fetched.success);
    files.skip(10)?;
    let at_the_end = files.next(0).map(|fetched| fetched.success);
    Ok(Seen::new().and("Next(0) at the start", at_the_start).and("at the end", at_the_end))
}
