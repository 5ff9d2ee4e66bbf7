//! Uploads, as far as no server is needed: what is refused, and what can be read before a transfer.

use bits_api::{File, Job2};
use bits_world::StorageFault;

use super::prelude::*;
use super::rest::Texts;

probes![
    "upload.source" => the_file_that_is_sent,
    "job2.get_reply_progress.states" => what_a_reply_tells_without_one,
    "job2.get_reply_progress.other_types" => |c| seen(c.new_job()?.job2()?.reply_progress()),
    "job2.reply_file_name.made" => the_name_of_a_reply,
    "job2.set_reply_file_name.folder" => a_reply_in_a_missing_folder,
    "job2.set_reply_file_name.names" => names_of_unusual_form,
    "job2.set_reply_file_name.other_types" => a_reply_name_for_a_download,
    "struct.file_info.remote_smb_upload_reply" => a_share_for_a_reply_job,
    "file3.temporary_name.upload" => |c| on_an_upload(c, |file| Ok(code(file.file3()?.temporary_name()))),
    "file3.validation.upload" => |c| on_an_upload(c, |file| Ok(code(file.file3()?.set_validation_state(true)))),
];

/// A suspended upload of 1,000 bytes, of that type.
fn upload(c: &Bench, job_type: JobType) -> Result<(Arc<dyn Job>, Remote), Stop> {
    c.upload_job(job_type, 1_000)
}

fn the_file_that_is_sent(c: &mut Bench) -> Answer {
    let (_, there) = upload(c, JobType::UPLOAD)?;
    let add = |local: &str| Ok::<_, Stop>(c.new_job_of(JobType::UPLOAD)?.add_file(Some(&there.url), Some(local)));
    let below = missing_folder(c)?;
    Ok(Seen::new()
        .and("a file that is there", add(&there.local)?)
        .and("a file that is not", add(&c.local("nothing.bin"))?)
        .and("a folder that is not", add(&format!("{below}up.bin"))?)
        .and("a folder in place of a file", add(&c.local(""))?))
}

/// The beginning of local names in a folder that is not there.
fn missing_folder(c: &Bench) -> Result<String, Stop> {
    match c.harm("no-such-folder", StorageFault::Missing) {
        // Simulated folders are there unless the world says otherwise; any other is not.
        Ok(()) | Err(Stop::Skipped(_)) => Ok(c.local(r"no-such-folder\")),
        Err(why) => Err(why),
    }
}

/// The getters of a reply, one after the other.
fn getters(job: &Arc<dyn Job2>) -> String {
    format!("{} and {}", job.reply_progress().tell(), code(job.reply_file_name()).tell())
}

fn what_a_reply_tells_without_one(c: &mut Bench) -> Answer {
    let empty = c.new_job_of(JobType::UPLOAD_REPLY)?;
    let (job, _) = upload(c, JobType::UPLOAD_REPLY)?;
    let (of_empty, of_job) = (empty.job2()?, job.job2()?);
    let seen = Seen::new()
        .and("without a file", Texts::one(getters(&of_empty)))
        .and("SUSPENDED", Texts::one(getters(&of_job)));
    job.cancel()?;
    Ok(seen.and("CANCELLED", Texts::one(getters(&of_job))))
}

fn the_name_of_a_reply(c: &mut Bench) -> Answer {
    let empty = c.new_job_of(JobType::UPLOAD_REPLY)?.job2()?;
    let (job, file) = upload(c, JobType::UPLOAD_REPLY)?;
    let made = job.job2()?.reply_file_name();
    let told = |name: Result<bits_api::Answer<Option<String>>, Hresult>| {
        name.map(|answer| {
            let name = answer.value.map_or(String::from("NULL"), |made| shape(&made, &file.local));
            Texts::one(format!("{}, {name}", answer.code.tell()))
        })
    };
    Ok(Seen::new().and("without a file", told(empty.reply_file_name())).and("with one", told(made)))
}

/// A name without what is different each time: `#` for hexadecimal digits, and where its folder is.
fn shape(name: &str, uploaded: &str) -> String {
    let split = |path: &str| path.rsplit_once(['\\', '/']).map(|(folder, file)| (folder.to_owned(), file.to_owned()));
    let Some((folder, file)) = split(name) else { return "a name without a folder".to_owned() };
    let is_beside = split(uploaded).is_some_and(|(own, _)| own.eq_ignore_ascii_case(&folder));
    let place = if is_beside { "beside the uploaded file" } else { "in another folder" };
    let stem_end = file.rfind('.').unwrap_or(file.len());
    let prefix: String = file.chars().take_while(|letter| !letter.is_ascii_digit()).take(4).collect();
    let digits = stem_end.saturating_sub(prefix.len());
    format!("{prefix} and {digits} more, {}, {place}", &file[stem_end..])
}

fn a_reply_in_a_missing_folder(c: &mut Bench) -> Answer {
    let name = format!("{}reply.xml", missing_folder(c)?);
    let (job, _) = upload(c, JobType::UPLOAD_REPLY)?;
    seen(job.job2()?.set_reply_file_name(Some(&name)))
}

fn names_of_unusual_form(c: &mut Bench) -> Answer {
    let job = upload(c, JobType::UPLOAD_REPLY)?.0.job2()?;
    let stream = job.set_reply_file_name(Some(&c.local("reply.xml:stream")));
    let long = job.set_reply_file_name(Some(&format!(r"\\?\{}", c.local("reply.xml"))));
    Ok(Seen::new().and("a stream of a file", stream).and(r"\\?\", long))
}

fn a_reply_name_for_a_download(c: &mut Bench) -> Answer {
    seen(c.new_job()?.job2()?.set_reply_file_name(Some(&c.local("reply.xml"))))
}

fn a_share_for_a_reply_job(c: &mut Bench) -> Answer {
    let job = c.new_job_of(JobType::UPLOAD_REPLY)?;
    let file = c.outgoing("up.bin", 10)?;
    let add = |remote: &str| job.add_file(Some(remote), Some(&file.local));
    let (named, as_url) = (add(r"\\localhost\share\up.bin"), add("file://localhost/share/up.bin"));
    Ok(Seen::new().and(r"\\server\share\file", named).and("file://server/share/file", as_url))
}

/// What a method gives for the file of a suspended upload.
fn on_an_upload(c: &Bench, ask: impl Fn(Arc<dyn File>) -> Result<Hresult, Hresult>) -> Answer {
    let (job, _) = upload(c, JobType::UPLOAD)?;
    Ok(Seen::new().and("SUSPENDED", ask(first_file(&job)?).unwrap_or_else(|code| code)))
}
