//! Other remote names for files of a job (clauses `file2.set_remote_name.*`,
//! `job3.replace_remote_prefix.*`): given by a client, or by a redirect (clauses
//! `http_options.security_flags.redirect_*`).

use bits_api::{Hresult, JobType, Success, text};
use bits_wire::attempt::Begin;
use bits_wire::download::{Follow, RedirectPolicy, Target};
use bits_world::Token;

use crate::job::Job;
use crate::{Cx, Engine, FileIndex, FileStage, JobKey, Reply, names};

impl Job {
    /// What becomes of redirects: of downloads alone (clause
    /// `http_options.set_security_flags.redirect_not_uploads`).
    pub(crate) fn redirect_policy(&self) -> RedirectPolicy {
        match self.kind {
            JobType::DOWNLOAD => self.later.security_flags().into(),
            _ => RedirectPolicy::default(),
        }
    }
}

impl Engine {
    /// SetRemoteName. It goes on record with the next Resume. Since 2.0; clauses
    /// `file2.set_remote_name.*`.
    ///
    /// # Errors
    /// `E_INVALIDARG` for an absent name and one that breaks a rule; `E_NOTIMPL` on a job that is
    /// no download; `BG_E_INVALID_STATE` in a final state.
    pub fn set_remote_name(
        &mut self,
        cx: Cx<'_>,
        caller: &Token,
        key: JobKey,
        file: FileIndex,
        name: Option<&str>,
    ) -> Reply {
        let place = file.0 as usize;
        self.change(cx, caller, key, |engine| {
            if engine.jobs[key].kind != JobType::DOWNLOAD {
                return Err(Hresult::E_NOTIMPL);
            }
            let name = text::required(name)?;
            names::check_remote(name, engine.jobs[key].takes_file_at(engine.config.profile, place))?;
            if place >= engine.jobs[key].files.len() {
                return Err(Hresult::BG_E_FILE_NOT_AVAILABLE);
            }
            engine.rename_remote(key, place, name);
            engine.jobs[key].unsaved.insert(place);
            engine.changed(cx, key);
            Ok(Success::OK)
        })
    }

    /// ReplaceRemotePrefix: in every remote name of the job that begins so, or in none when one
    /// would not be valid then (a decision). Gives `S_FALSE` when none begins so. Since 2.0;
    /// clauses `job3.replace_remote_prefix.*`.
    ///
    /// # Errors
    /// `E_INVALIDARG` for an absent or empty prefix and for a name that would break a rule;
    /// `E_NOTIMPL` on a job that is no download; `BG_E_INVALID_STATE` in a final state.
    pub fn replace_remote_prefix(
        &mut self,
        cx: Cx<'_>,
        caller: &Token,
        key: JobKey,
        old: Option<&str>,
        new: Option<&str>,
    ) -> Reply {
        self.change(cx, caller, key, |engine| {
            let job = &engine.jobs[key];
            if job.kind != JobType::DOWNLOAD {
                return Err(Hresult::E_NOTIMPL);
            }
            let (old, new) = (text::required(old)?, text::required(new)?);
            if old.is_empty() || new.is_empty() {
                return Err(Hresult::E_INVALIDARG);
            }
            let mut renamed = Vec::new();
            for (place, file) in job.files.iter().enumerate() {
                if let Some(rest) = file.remote_name.strip_prefix(old) {
                    let name = format!("{new}{rest}");
                    names::check_remote(&name, job.takes_file_at(engine.config.profile, place))?;
                    renamed.push((place, name));
                }
            }
            if renamed.is_empty() {
                return Ok(Success::FALSE);
            }
            for (place, name) in renamed {
                engine.rename_remote(key, place, &name);
                engine.persist_file(key, place);
            }
            engine.changed(cx, key);
            Ok(Success::OK)
        })
    }

    /// Gives a file its new remote name. What is there of it is gone on with if the same version
    /// is found there.
    fn rename_remote(&mut self, key: JobKey, place: usize, name: &str) {
        let job = &mut self.jobs[key];
        let file = &mut job.files[place];
        file.named_server = None;
        if *file.remote_name == *name {
            return;
        }
        file.remote_name = name.into();
        if file.stage != FileStage::Pending {
            return;
        }
        if file.begin == Begin::GoOn {
            file.begin = Begin::Elsewhere;
        }
        if job.place_in_work() == place {
            self.replan(key);
        }
    }

    /// The server of the file in work has sent its requests to `url`, and the job wants to know. The
    /// transfer goes on there; a URL that AddFile would refuse leaves the name as it is (a
    /// decision, `http_options.redirect_reported`).
    pub(crate) fn redirected(&mut self, cx: Cx<'_>, key: JobKey, url: &str) {
        let job = &mut self.jobs[key];
        let place = job.place_in_work();
        // A name that a client has given meanwhile stands; the next attempt asks there.
        if job.fetching.replans || names::check_remote(url, false).is_err() || *job.files[place].remote_name == *url {
            return;
        }
        let is_refused = job.redirect_policy().follow == Follow::Never;
        let file = &mut job.files[place];
        let named = file.named_server.take().or_else(|| Target::server_of(&file.remote_name).map(Into::into));
        file.named_server = named.filter(|named| Target::server_of(url).as_deref() != Some(named));
        file.remote_name = url.into();
        if is_refused && file.begin == Begin::GoOn {
            file.begin = Begin::Elsewhere;
        }
        self.persist_file(key, place);
        self.touch(cx, key);
        self.notify_of_modification(key);
    }

    /// Puts on record what was changed since the last Resume without it.
    pub(crate) fn save_remote_names(&mut self, key: JobKey) {
        for place in std::mem::take(&mut self.jobs[key].unsaved) {
            self.persist_file(key, place);
        }
    }
}
