//! What holds for every file of a job, in the words of the pages on names, times and content.

use bits_origin::{Content, Synthetic};
use bits_world::Profile;

use super::prelude::*;

cases![
    a_file_cannot_be_taken_out_of_its_job,
    a_downloaded_file_has_the_time_of_the_servers,
    old_versions_speak_http_alone,
    old_versions_take_encoded_names_and_four_gigabytes,
    the_temporary_file_shows_what_is_to_be_checked,
];

const STAMP: FileTime = FileTime::from_unix_seconds(1_500_000_000);

fn a_file_cannot_be_taken_out_of_its_job(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let good = c.serve("good.bin", 100)?;
    let bad = c.serve("bad.bin", 100)?;
    good.add_to(&job)?;
    bad.add_to(&job)?;
    c.trouble(&bad, Trouble::NotFound)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let both = vec![good.url, bad.url];
    c.is("files.remove_not_possible", urls(&job)?, both.clone())?;
    first_file(&job)?.file3()?.set_validation_state(false)?;
    job.suspend()?;
    job.complete()?;
    c.is("files.remove_not_possible", urls(&job)?, both)
}

/// The time of creation is left out: not every platform lets it be set, or keeps one.
fn a_downloaded_file_has_the_time_of_the_servers(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let job = c.download(
        &origin,
        Content::synthetic(1_000, 1).last_modified(STAMP),
        JobPriority::NORMAL,
        JobState::TRANSFERRED,
    )?;
    job.complete()?;
    let modified = std::fs::metadata(c.local("download.bin")).and_then(|file| file.modified());
    c.is("struct.file_info.times_http_download", modified.ok().map(FileTime::from), Some(STAMP))
}

fn old_versions_speak_http_alone(c: &mut Bench) -> Outcome {
    for profile in [Profile::V1_0, Profile::V1_2, Profile::V1_5] {
        c.start_over();
        c.play(profile)?;
        let result = c.new_job()?.add_file(Some(r"\\server\share\a.bin"), Some(&c.local("a.bin")));
        c.returns("struct.file_info.remote_smb_old", result)?;
    }
    Ok(())
}

fn old_versions_take_encoded_names_and_four_gigabytes(c: &mut Bench) -> Outcome {
    for profile in [Profile::V1_0, Profile::V1_2] {
        c.start_over();
        c.play(profile)?;
        let encoded = c.serve("gr%C3%BCn.bin", 4 << 30)?;
        let job = c.new_job()?;
        job.add_file(Some(&encoded.url), Some(&c.local("green.bin")))?;
        job.resume()?;
        c.settle()?;
        c.is(
            "struct.file_info.remote_unicode_old",
            (job.state()?, c.attempted()?),
            (JobState::TRANSFERRED, vec![encoded.url]),
        )?;
        let length = first_file(&job)?.progress()?.bytes_transferred;
        c.is("struct.file_info.size_http_old", (job.state()?, length), (JobState::TRANSFERRED, 4 << 30))?;
    }
    Ok(())
}

fn the_temporary_file_shows_what_is_to_be_checked(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let bytes = Synthetic::new(1_000, 1).bytes(0..1_000);
    let job = c.download(&origin, Content::bytes(bytes.clone()), JobPriority::NORMAL, JobState::TRANSFERRED)?;
    let file = first_file(&job)?.file3()?;
    let there = std::fs::read(file.temporary_name()?).unwrap_or_default();
    c.holds("files.validation.temp_name", "the temporary file has the content", there == bytes)?;
    file.set_validation_state(false)?;
    c.returns("files.validation.false_origin", error_of(&job)?.1)?;
    c.is("files.validation.false_origin", job.state()?, JobState::ERROR)
}
