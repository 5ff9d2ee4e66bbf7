//! The files of versions 2 and 3, from the time when nobody asked who a redirect led away from.
//!
//! Nothing here is ever changed: stores of those versions exist.

use bits_api::FileRange;
use bits_engine::{Access, FileDetails, FileIndex, FileRecord, FileStage, JobKey};
use bits_wire::attempt::{Begin, Validators};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct File {
    job: JobKey,
    index: FileIndex,
    remote_name: String,
    local_name: String,
    temporary: Option<String>,
    validators: Option<Validators>,
    stage: FileStage,
    details: Details,
}

#[derive(Deserialize)]
struct Details {
    ranges: Vec<FileRange>,
    begin: Begin,
    access: Option<Access>,
    validation: Option<bool>,
    head: Option<String>,
}

impl From<File> for FileRecord {
    fn from(old: File) -> Self {
        let Details { ranges, begin, access, validation, head } = old.details;
        Self {
            job: old.job,
            index: old.index,
            remote_name: old.remote_name,
            local_name: old.local_name,
            temporary: old.temporary,
            validators: old.validators,
            stage: old.stage,
            details: FileDetails { ranges, begin, access, validation, head, named_server: None },
        }
    }
}
