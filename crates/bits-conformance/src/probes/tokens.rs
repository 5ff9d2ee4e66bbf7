//! Helper tokens, as far as one user can set them, and a job that is taken over.

use bits_api::{TokenFlags, TokenOptions};
use bits_origin::Content;

use super::prelude::*;
use super::rest::{Texts, ending};

probes![
    "token.missing.flags_without_token" => flags_without_a_token,
    "token.set_helper_token_flags.mask" => both_flags,
    "token.set_helper_token_flags.unknown_bits" => |c| seen(set(c, 4)?),
    "token.get_helper_token_sid.not_set_code" => no_token,
    "token.final_states" => in_a_final_state,
    "job.take_ownership.already_owner" => the_owner_takes_its_job,
];

/// A job, and what belongs to its helper token.
type Options = (Arc<dyn Job>, Arc<dyn TokenOptions>);

fn options(c: &Bench) -> Result<Options, Stop> {
    let job = c.new_job()?;
    let options = job.token_options()?;
    Ok((job, options))
}

fn set(c: &Bench, flags: u32) -> Result<Hresult, Stop> {
    Ok(code(options(c)?.1.set_helper_token_flags(TokenFlags::from_bits_retain(flags))))
}

/// The flags as Windows writes them: a number.
fn number(flags: Result<TokenFlags, Hresult>) -> Result<u32, Hresult> {
    flags.map(|flags| flags.bits())
}

fn flags_without_a_token(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    for (name, flags) in [("local files", TokenFlags::LOCAL_FILE), ("network", TokenFlags::NETWORK)] {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::bytes(&b"0123456789"[..]));
        let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
        let set = job.token_options()?.set_helper_token_flags(flags);
        seen = seen.and(&format!("SetHelperTokenFlags for {name}"), set).and("then", ending(c, &job)?);
    }
    Ok(seen)
}

fn both_flags(c: &mut Bench) -> Answer {
    let (_, options) = options(c)?;
    let unset = number(options.helper_token_flags());
    let set = options.set_helper_token_flags(TokenFlags::from_bits_retain(3));
    Ok(Seen::new()
        .and("never set", unset)
        .and("SetHelperTokenFlags(3)", set)
        .and("then", number(options.helper_token_flags())))
}

fn no_token(c: &mut Bench) -> Answer {
    let (_, options) = options(c)?;
    let told = options.helper_token_sid().map(|answer| {
        let sid = if answer.value.is_some() { "a SID" } else { "NULL" };
        Texts::one(format!("{}, {sid}", answer.code.tell()))
    });
    Ok(Seen::new().and("GetHelperTokenSid", told).and("ClearHelperToken", options.clear_helper_token()))
}

fn in_a_final_state(c: &mut Bench) -> Answer {
    let (job, options) = options(c)?;
    job.cancel()?;
    Ok(Seen::new()
        .and("SetHelperTokenFlags", options.set_helper_token_flags(TokenFlags::LOCAL_FILE))
        .and("SetHelperToken", options.set_helper_token())
        .and("ClearHelperToken", options.clear_helper_token()))
}

fn the_owner_takes_its_job(c: &mut Bench) -> Answer {
    let job = new_job(&c.elevated()?)?;
    let headers = job.http_options()?;
    headers.set_custom_headers(Some("X-Whose: mine\r\n"))?;
    let (elevated, taken) = (job.job4()?.owner_elevation_state(), job.take_ownership());
    let left =
        headers.custom_headers().map(|headers| Texts::one(if headers.value.is_some() { "kept" } else { "gone" }));
    let seen = Seen::new().and("elevated before", elevated).and("TakeOwnership", taken).and("custom headers", left);
    Ok(seen.and("elevated after", job.job4()?.owner_elevation_state()))
}
