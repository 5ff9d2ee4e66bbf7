//! IBackgroundCopyJob2: replies, command lines and credentials.

use bits_api::{
    Answer, AuthCredentials, AuthScheme, AuthTarget, Hresult, Job2, JobReplyProgress, NotifyCommandLine,
    ReplyDataError, Success,
};
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::Interface;

use crate::call::success;
use crate::job::JobHandle;
use crate::memory::{ArrayOut, Text, TextOut};

impl Job2 for JobHandle {
    fn set_credentials(&self, credentials: &AuthCredentials<'_>) -> Result<Success, Hresult> {
        let (target, scheme) = (auth_target(credentials.target), auth_scheme(credentials.scheme));
        let (user_name, password) = (Text::new(credentials.user_name)?, Text::new(credentials.password)?);
        self.as_job2()?.within(|job| {
            let basic = bits::BG_BASIC_CREDENTIALS { UserName: user_name.writable(), Password: password.writable() };
            let credentials = bits::BG_AUTH_CREDENTIALS {
                Target: target,
                Scheme: scheme,
                Credentials: bits::BG_AUTH_CREDENTIALS_UNION { Basic: basic },
            };
            // SAFETY: the structure and its strings live until the end of this call, which only reads them;
            // its union has one member.
            success(unsafe { (job.vtable().SetCredentials)(job.as_raw(), &raw const credentials) })
        })
    }

    fn remove_credentials(&self, target: AuthTarget, scheme: AuthScheme) -> Result<Success, Hresult> {
        self.as_job2()?.call(|table| table.RemoveCredentials, (auth_target(target), auth_scheme(scheme)))
    }

    fn set_notify_cmd_line(&self, program: Option<&str>, parameters: Option<&str>) -> Result<Success, Hresult> {
        self.as_job2()?.call(|table| table.SetNotifyCmdLine, (&Text::new(program)?, &Text::new(parameters)?))
    }

    fn notify_cmd_line(&self) -> Result<NotifyCommandLine, Hresult> {
        let (mut program, mut parameters) = (TextOut::new(), TextOut::new());
        self.as_job2()?.call(|table| table.GetNotifyCmdLine, (&mut program, &mut parameters))?;
        Ok(NotifyCommandLine { program: program.text(), parameters: parameters.text() })
    }

    fn reply_progress(&self) -> Result<JobReplyProgress, Hresult> {
        let progress: bits::BG_JOB_REPLY_PROGRESS = self.as_job2()?.read(|table| table.GetReplyProgress)?;
        Ok(JobReplyProgress { bytes_total: progress.BytesTotal, bytes_transferred: progress.BytesTransferred })
    }

    fn reply_data(&self) -> Result<Option<Vec<u8>>, ReplyDataError> {
        let (mut data, mut length) = (ArrayOut::new(), 0);
        match self.as_job2()?.call(|table| table.GetReplyData, (&mut data, &mut length)) {
            Ok(_) => {
                let count = usize::try_from(length).map_err(|_| Hresult::E_OUTOFMEMORY)?;
                // SAFETY: the length that came with it.
                Ok(unsafe { data.elements(count) })
            }
            Err(code @ Hresult::BG_E_TOO_LARGE) => Err(ReplyDataError { code, length }),
            Err(code) => Err(code.into()),
        }
    }

    fn set_reply_file_name(&self, name: Option<&str>) -> Result<Success, Hresult> {
        self.as_job2()?.call(|table| table.SetReplyFileName, (&Text::new(name)?,))
    }

    fn reply_file_name(&self) -> Result<Answer<Option<String>>, Hresult> {
        self.as_job2()?.coded_text(|table| table.GetReplyFileName)
    }
}

fn auth_target(target: AuthTarget) -> bits::BG_AUTH_TARGET {
    bits::BG_AUTH_TARGET(target.0.cast_signed())
}

fn auth_scheme(scheme: AuthScheme) -> bits::BG_AUTH_SCHEME {
    bits::BG_AUTH_SCHEME(scheme.0.cast_signed())
}
