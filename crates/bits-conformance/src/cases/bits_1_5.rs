//! What BITS 1.5 has brought, seen from it and from the BITS before.

use bits_api::{AuthCredentials, AuthScheme, AuthTarget, Job2};
use bits_world::Profile;

use super::prelude::*;

cases![bits_1_5_has_added_uploads_programs_and_credentials, job2_has_its_eight_methods];

const PROGRAM: &str = r"C:\tools\told.exe";

/// What a client gets who asks for all that: an upload, an upload with a reply, the later interface
/// of a job, and a job for a restricted token.
fn features(c: &Bench) -> Result<Vec<Option<Hresult>>, Stop> {
    let manager = c.manager()?;
    let make = |job_type| manager.create_job(Some(job_name()), job_type).err();
    let restricted = c.manager_as(c.own_token()?.restricted())?;
    Ok(vec![
        make(JobType::UPLOAD),
        make(JobType::UPLOAD_REPLY),
        c.new_job()?.job2().err(),
        restricted.create_job(Some(job_name()), JobType::DOWNLOAD).err(),
    ])
}

fn bits_1_5_has_added_uploads_programs_and_credentials(c: &mut Bench) -> Outcome {
    let (absent, denied) = (Some(Hresult::E_NOTIMPL), Some(Hresult::E_ACCESSDENIED));
    for (profile, expected) in [
        (Profile::V1_2, vec![absent, absent, Some(Hresult::E_NOINTERFACE), None]),
        (Profile::V1_5, vec![None, None, None, denied]),
    ] {
        c.start_over();
        c.play(profile)?;
        c.is(["version.1_5.added", "service.features_1_5"], features(c)?, expected)?;
    }
    let job = c.new_job()?.job2()?;
    job.set_notify_cmd_line(Some(PROGRAM), None)?;
    let credentials = [AuthTarget::SERVER, AuthTarget::PROXY].map(|target| set_credentials(&job, target).is_ok());
    c.is(
        ["version.1_5.added", "service.features_1_5"],
        (job.notify_cmd_line()?.program, credentials.to_vec()),
        (Some(PROGRAM.to_owned()), vec![true, true]),
    )
}

fn set_credentials(job: &Arc<dyn Job2>, target: AuthTarget) -> Result<Success, Hresult> {
    let (user_name, password) = (Some("user"), Some("secret"));
    job.set_credentials(&AuthCredentials { target, scheme: AuthScheme::BASIC, user_name, password })
}

fn job2_has_its_eight_methods(c: &mut Bench) -> Outcome {
    let (job, file) = c.upload_job(JobType::UPLOAD_REPLY, 1_000)?;
    c.reply_with(&file, b"thanks")?;
    let job2 = job.job2()?;
    let path = c.local("reply.xml");
    let set = vec![
        job2.set_notify_cmd_line(Some(PROGRAM), None),
        job2.set_reply_file_name(Some(&path)),
        set_credentials(&job2, AuthTarget::PROXY),
        job2.remove_credentials(AuthTarget::PROXY, AuthScheme::BASIC),
    ];
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let progress = job2.reply_progress()?;
    let data = job2.reply_data()?.map(|data| data.len());
    let told =
        vec![job2.notify_cmd_line()?.program.unwrap_or_default(), job2.reply_file_name()?.value.unwrap_or_default()];
    let clauses = ["job2.interface.purpose", "job2.interface.methods"];
    c.is(clauses, set, vec![Ok(Success::OK); 4])?;
    c.is(clauses, told, vec![PROGRAM.to_owned(), path])?;
    c.is(clauses, (progress.bytes_total, progress.bytes_transferred, data), (6, 6, Some(6)))
}
