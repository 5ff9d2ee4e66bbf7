//! What a client owes the callbacks that it does not care for: `S_OK`.

use bits_service::{CallbackCall, ScriptedCallback};

use super::prelude::*;

cases![a_method_that_does_nothing_but_return_s_ok_is_called_once, a_method_that_fails_keeps_coming,];

const OLDEST: NotifyFlags = NotifyFlags::JOB_TRANSFERRED.union(NotifyFlags::JOB_ERROR);
const OLDER: NotifyFlags = OLDEST.union(NotifyFlags::FILE_TRANSFERRED);
const ALL: NotifyFlags = OLDER.union(NotifyFlags::FILE_RANGES_TRANSFERRED);

/// A job that fails once and is then transferred, whose callback does what it is told.
fn told(c: &mut Bench, flags: NotifyFlags, callback: &ScriptedCallback) -> Result<Vec<CallbackCall>, Stop> {
    c.start_over();
    let (job, file) = c.job_with_file(1_000)?;
    job.set_notify_interface(Some(callback.object()))?;
    job.set_notify_flags(flags)?;
    c.trouble(&file, Trouble::NotFound)?;
    job.resume()?;
    c.advance(MINUTE * 2)?;
    job.resume()?;
    c.advance(DAY)?;
    Ok(callback.calls())
}

fn a_method_that_does_nothing_but_return_s_ok_is_called_once(c: &mut Bench) -> Outcome {
    for (flags, calls, clause) in [
        (OLDEST, 2, "callback.interface.implement_all"),
        (OLDER, 3, "callback2.interface.implement_all"),
        (ALL, 4, "callback3.interface.implement_all"),
    ] {
        let told = told(c, flags, &ScriptedCallback::new())?;
        c.is([clause, "auth.sample.callback_returns_ok"], told.len(), calls)?;
    }
    Ok(())
}

fn a_method_that_fails_keeps_coming(c: &mut Bench) -> Outcome {
    for (flags, clause) in [
        (OLDEST, "callback.interface.implement_all"),
        (OLDER, "callback2.interface.implement_all"),
        (ALL, "callback3.interface.implement_all"),
    ] {
        let content = told(c, flags, &ScriptedCallback::new())?.len();
        let callback = ScriptedCallback::new();
        callback.fail(1, Hresult::E_NOTIMPL);
        let reluctant = told(c, flags, &callback)?;
        c.is([clause, "auth.sample.callback_returns_ok"], reluctant.len(), content + 1)?;
        c.holds(clause, "what failed is called again first", reluctant[0] == reluctant[1])?;
    }
    Ok(())
}
