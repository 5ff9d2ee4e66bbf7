//! IBackgroundCopyJob2 over a running service.

use bits_api::{
    Answer, AuthCredentials, AuthScheme, AuthTarget, Hresult, Job2, JobReplyProgress, NotifyCommandLine,
    ReplyDataError, Success,
};
use bits_engine::ReplyAt;

use crate::answers::Answers;
use crate::job::JobHandle;

impl Job2 for JobHandle {
    fn set_credentials(&self, credentials: &AuthCredentials<'_>) -> Result<Success, Hresult> {
        let token = &self.caller().token();
        self.service()?.mutate(self.caller(), "SetCredentials", self.key(), |engine, cx| {
            engine.set_credentials(cx, token, self.key(), credentials)
        })
    }

    fn remove_credentials(&self, target: AuthTarget, scheme: AuthScheme) -> Result<Success, Hresult> {
        let token = &self.caller().token();
        self.service()?.mutate(self.caller(), "RemoveCredentials", self.key(), |engine, cx| {
            engine.remove_credentials(cx, token, self.key(), target, scheme)
        })
    }

    fn set_notify_cmd_line(&self, program: Option<&str>, parameters: Option<&str>) -> Result<Success, Hresult> {
        let token = &self.caller().token();
        self.service()?.mutate(self.caller(), "SetNotifyCmdLine", self.key(), |engine, cx| {
            engine.set_command(cx, token, self.key(), program, parameters)
        })
    }

    fn notify_cmd_line(&self) -> Result<NotifyCommandLine, Hresult> {
        self.service()?.read(|engine| {
            let command = engine.command(&self.caller().token(), self.key())?;
            let parameters = command.and_then(|command| command.parameters.clone());
            Ok(NotifyCommandLine {
                program: Some(command.map(|command| command.program.clone()).unwrap_or_default()),
                parameters: Some(parameters.unwrap_or_default()),
            })
        })
    }

    fn reply_progress(&self) -> Result<JobReplyProgress, Hresult> {
        self.service()?.read(|engine| engine.reply_progress(&self.caller().token(), self.key()))
    }

    /// Reads the reply outside the service's lock: it may be on a slow disk.
    fn reply_data(&self) -> Result<Option<Vec<u8>>, ReplyDataError> {
        let service = self.service()?;
        let drives = &service.world().drives;
        match service.read(|engine| engine.reply_data(drives, &self.caller().token(), self.key()))? {
            ReplyAt::Nothing => Ok(None),
            ReplyAt::File { path, length } => Ok(Some(service.disk.read(&path, length)?)),
            ReplyAt::TooLarge { length } => Err(ReplyDataError { code: Hresult::BG_E_TOO_LARGE, length }),
        }
    }

    fn set_reply_file_name(&self, name: Option<&str>) -> Result<Success, Hresult> {
        let service = self.service()?;
        let answers = Answers::about_destination(name.unwrap_or_default(), &service.world(), &*service.disk);
        service.mutate_probed(self.caller(), "SetReplyFileName", self.key(), &answers, |engine, cx| {
            engine.set_reply_file_name(cx, &self.caller().token(), self.key(), name)
        })
    }

    fn reply_file_name(&self) -> Result<Answer<Option<String>>, Hresult> {
        let name = self.service()?.read(|engine| engine.reply_file_name(&self.caller().token(), self.key()))?;
        Ok(Answer { code: Success::OK, value: name })
    }
}
