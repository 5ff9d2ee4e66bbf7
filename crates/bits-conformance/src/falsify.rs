//! Values that differ from a given one: what `--sabotage` expects in place of the truth.

use std::time::Duration;

use bits_api::{
    AuthTarget, CertStoreLocation, ClientCertificate, CostFlags, ErrorContext, FileAclFlags, FileProgress, FileTime,
    Guid, Hresult, JobPriority, JobProgress, JobPropertyValue, JobState, JobType, NotifyCommandLine, NotifyFlags,
    PeerCacheFlags, PeerCachingFlags, ProxySettings, ProxyUsage, SecurityFlags, Success, TokenFlags,
};

/// A type each of whose values can be replaced by another one.
pub(crate) trait Falsify: Sized {
    /// Any value at all.
    fn any() -> Self;

    /// Any value but this one.
    fn falsified(&self) -> Self;
}

macro_rules! falsify {
    ($($type:ty: $any:expr, $value:ident => $other:expr;)*) => {
        $(impl Falsify for $type {
            fn any() -> Self {
                $any
            }

            fn falsified(&self) -> Self {
                let $value = self;
                $other
            }
        })*
    };
}

falsify! {
    bool: false, b => !b;
    u8: 0, n => n.wrapping_add(1);
    u16: 0, n => n.wrapping_add(1);
    u32: 0, n => n.wrapping_add(1);
    u64: 0, n => n.wrapping_add(1);
    usize: 0, n => n.wrapping_add(1);
    NotifyCommandLine: Self::default(), line => {
        Self { program: Some(format!("{}?", line.program.as_deref().unwrap_or_default())), ..line.clone() }
    };
    String: Self::new(), text => format!("{text}?");
    &'static str: "", text => if text.is_empty() { "?" } else { "" };
    Duration: Self::ZERO, time => *time + Self::from_secs(1);
    FileTime: Self::ZERO, time => Self(time.0.wrapping_add(1));
    Guid: Self::nil(), id => Self::from_u128(id.as_u128().wrapping_add(1));
    ProxySettings: Self::default(), settings => Self { usage: ProxyUsage(settings.usage.0 ^ 1), ..settings.clone() };
    Success: Self::OK, code => if *code == Self::OK { Self::FALSE } else { Self::OK };
    Hresult: Self::S_OK, code => Self(code.0 ^ 1);
    CertStoreLocation: Self(0), location => Self(location.0 ^ 1);
    ClientCertificate:
        Self { location: CertStoreLocation(0), store_name: String::new(), hash: [0; 20], subject: String::new() },
        certificate => Self { subject: certificate.subject.falsified(), ..certificate.clone() };
    JobState: Self(0), state => Self(state.0 ^ 1);
    JobPriority: Self(0), priority => Self(priority.0 ^ 1);
    JobType: Self(0), kind => Self(kind.0 ^ 1);
    ErrorContext: Self(0), context => Self(context.0 ^ 1);
    AuthTarget: Self(0), target => Self(target.0 ^ 1);
    NotifyFlags: Self::empty(), flags => *flags ^ Self::DISABLE;
    FileAclFlags: Self::empty(), flags => *flags ^ Self::OWNER;
    SecurityFlags: Self::empty(), flags => *flags ^ Self::ENABLE_CRL_CHECK;
    PeerCachingFlags: Self::empty(), flags => *flags ^ Self::ENABLE_CLIENT;
    PeerCacheFlags: Self::empty(), flags => *flags ^ Self::ENABLE_CLIENT;
    TokenFlags: Self::empty(), flags => *flags ^ Self::NETWORK;
    CostFlags: Self::empty(), flags => *flags ^ Self::ROAMING;
    JobPropertyValue: Self::Dword(0), value => if *value == Self::any() { Self::Enable(false) } else { Self::any() };
    JobProgress: Self::default(), progress => Self { bytes_transferred: progress.bytes_transferred ^ 1, ..*progress };
    FileProgress:
        Self { bytes_total: 0, bytes_transferred: 0, completed: false },
        progress => Self { completed: !progress.completed, ..*progress };
}

impl<T: Falsify> Falsify for Option<T> {
    fn any() -> Self {
        None
    }

    fn falsified(&self) -> Self {
        match self {
            Some(_) => None,
            None => Some(T::any()),
        }
    }
}

impl<T: Falsify> Falsify for Result<T, Hresult> {
    fn any() -> Self {
        Err(Hresult::any())
    }

    fn falsified(&self) -> Self {
        match self {
            Ok(_) => Err(Hresult::any()),
            Err(_) => Ok(T::any()),
        }
    }
}

impl<T: Falsify + Clone> Falsify for Vec<T> {
    fn any() -> Self {
        Self::new()
    }

    fn falsified(&self) -> Self {
        let mut other = self.clone();
        other.push(T::any());
        other
    }
}

impl<A: Falsify, B: Falsify + Clone> Falsify for (A, B) {
    fn any() -> Self {
        (A::any(), B::any())
    }

    fn falsified(&self) -> Self {
        (self.0.falsified(), self.1.clone())
    }
}

impl<A: Falsify, B: Falsify + Clone, C: Falsify + Clone> Falsify for (A, B, C) {
    fn any() -> Self {
        (A::any(), B::any(), C::any())
    }

    fn falsified(&self) -> Self {
        (self.0.falsified(), self.1.clone(), self.2.clone())
    }
}

impl<A: Falsify, B: Falsify + Clone, C: Falsify + Clone, D: Falsify + Clone> Falsify for (A, B, C, D) {
    fn any() -> Self {
        (A::any(), B::any(), C::any(), D::any())
    }

    fn falsified(&self) -> Self {
        (self.0.falsified(), self.1.clone(), self.2.clone(), self.3.clone())
    }
}
