//! IBackgroundCopyJob5: properties by number, in a union of which the number says the member.

use bits_api::{AuthTarget, Hresult, Job5, JobPropertyId, JobPropertyValue, Success};
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;

use crate::UNKNOWN_TYPE;
use crate::call::{guid, windows_guid};
use crate::job::JobHandle;

impl Job5 for JobHandle {
    fn set_property(&self, id: JobPropertyId, value: JobPropertyValue) -> Result<Success, Hresult> {
        let (member, value) = union_of(value)?;
        if member_of(id).is_some_and(|read| read != member) {
            return Err(Hresult::E_INVALIDARG);
        }
        self.as_job5()?.call(|table| table.SetProperty, (windows_id(id), value))
    }

    fn property(&self, id: JobPropertyId) -> Result<JobPropertyValue, Hresult> {
        let mut value = bits::BITS_JOB_PROPERTY_VALUE::default();
        self.as_job5()?.call(|table| table.GetProperty, (windows_id(id), &mut value))?;
        // A newer BITS may have it, but of which type it is only the documentation can tell.
        let member = member_of(id).ok_or(UNKNOWN_TYPE)?;
        Ok(value_of(member, value))
    }
}

/// A member of the union.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Member {
    Dword,
    ClsId,
    Enable,
    Uint64,
    Target,
}

/// The member that is read with an id (clauses `job5.value.*`).
fn member_of(id: JobPropertyId) -> Option<Member> {
    match id {
        JobPropertyId::COST_FLAGS | JobPropertyId::MINIMUM_NOTIFICATION_INTERVAL_MS => Some(Member::Dword),
        JobPropertyId::NOTIFICATION_CLSID => Some(Member::ClsId),
        JobPropertyId::DYNAMIC_CONTENT | JobPropertyId::HIGH_PERFORMANCE | JobPropertyId::ON_DEMAND_MODE => {
            Some(Member::Enable)
        }
        JobPropertyId::MAX_DOWNLOAD_SIZE => Some(Member::Uint64),
        JobPropertyId::USE_STORED_CREDENTIALS => Some(Member::Target),
        _ => None,
    }
}

/// # Errors
/// `E_INVALIDARG` for a value that the union has no member for.
fn union_of(value: JobPropertyValue) -> Result<(Member, bits::BITS_JOB_PROPERTY_VALUE), Hresult> {
    // A member that is shorter than the union leaves no byte undefined.
    let mut union = bits::BITS_JOB_PROPERTY_VALUE::default();
    let member = match value {
        JobPropertyValue::Dword(number) => {
            union.Dword = number;
            Member::Dword
        }
        JobPropertyValue::ClsId(class) => {
            union.ClsID = windows_guid(class);
            Member::ClsId
        }
        JobPropertyValue::Enable(on) => {
            union.Enable = on.into();
            Member::Enable
        }
        JobPropertyValue::Uint64(number) => {
            union.Uint64 = number;
            Member::Uint64
        }
        JobPropertyValue::Target(target) => {
            union.Target = bits::BG_AUTH_TARGET(target.0.cast_signed());
            Member::Target
        }
        _ => return Err(Hresult::E_INVALIDARG),
    };
    Ok((member, union))
}

fn value_of(member: Member, union: bits::BITS_JOB_PROPERTY_VALUE) -> JobPropertyValue {
    // SAFETY: every byte of the union is defined, since it began as zeros; and every pattern of bits is a
    // value of each of its members.
    unsafe {
        match member {
            Member::Dword => JobPropertyValue::Dword(union.Dword),
            Member::ClsId => JobPropertyValue::ClsId(guid(union.ClsID)),
            Member::Enable => JobPropertyValue::Enable(union.Enable.as_bool()),
            Member::Uint64 => JobPropertyValue::Uint64(union.Uint64),
            Member::Target => JobPropertyValue::Target(AuthTarget(union.Target.0.cast_unsigned())),
        }
    }
}

fn windows_id(id: JobPropertyId) -> bits::BITS_JOB_PROPERTY_ID {
    bits::BITS_JOB_PROPERTY_ID(id.0.cast_signed())
}
