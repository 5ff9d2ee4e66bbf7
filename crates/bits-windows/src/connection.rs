//! Connecting to BITS.

use std::fmt;
use std::sync::Arc;

use bits_api::{Hresult, Manager};

use crate::advice;

/// A connection to the BITS of this machine.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The entry point.
    pub manager: Arc<dyn Manager>,
    /// The newest version of which this BITS has a class.
    pub version: Version,
}

/// A version of BITS that has a class of its own: IBackgroundCopyManager is the same in all, but
/// which of them is there tells which BITS it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Version {
    V1_0,
    V1_5,
    V2_0,
    V2_5,
    V3_0,
    V4_0,
    V5_0,
    V10_1,
    V10_2,
    V10_3,
}

impl Version {
    /// As it is written, for example `10.3`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1_0 => "1.0",
            Self::V1_5 => "1.5",
            Self::V2_0 => "2.0",
            Self::V2_5 => "2.5",
            Self::V3_0 => "3.0",
            Self::V4_0 => "4.0",
            Self::V5_0 => "5.0",
            Self::V10_1 => "10.1",
            Self::V10_2 => "10.2",
            Self::V10_3 => "10.3",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ConnectError {
    /// This is no Windows: real BITS exists there only.
    NotWindows,
    /// COM or BITS refuses. The message says what is missing and how to mend it, as far as the code
    /// tells.
    Refused(Hresult),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWindows => f.write_str("real BITS exists on Windows only"),
            Self::Refused(code) => {
                write!(f, "BITS cannot be reached: {code}")?;
                advice::of_connecting(*code).map_or(Ok(()), |advice| write!(f, ": {advice}"))
            }
        }
    }
}

impl std::error::Error for ConnectError {}

/// Connects to the BITS of this machine.
///
/// The calling thread may be in any apartment, or in none. What the service is allowed to do in the
/// caller's name is set for each object; a program that wants to set it for itself as a whole calls
/// [`initialize_security`] first.
///
/// # Errors
/// [`ConnectError::NotWindows`] on any other system; [`ConnectError::Refused`] with the code of COM.
#[cfg(not(windows))]
pub fn connect() -> Result<Connection, ConnectError> {
    Err(ConnectError::NotWindows)
}

/// Sets on Windows for the whole process what BITS asks of its clients; elsewhere there is nothing to set.
///
/// # Errors
/// None here; on Windows those of COM.
#[cfg(not(windows))]
pub fn initialize_security() -> Result<(), Hresult> {
    Ok(())
}

#[cfg(windows)]
pub use over_com::{connect, initialize_security};

#[cfg(windows)]
mod over_com {
    use std::sync::Arc;

    use bits_api::Hresult;
    use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
    use windows::Win32::System::Com::{
        CLSCTX_LOCAL_SERVER, CoCreateInstance, CoInitializeSecurity, EOAC_DYNAMIC_CLOAKING, RPC_C_AUTHN_LEVEL_CONNECT,
        RPC_C_IMP_LEVEL_IMPERSONATE,
    };
    use windows::core::GUID;

    use super::{ConnectError, Connection, Version};
    use crate::apartment;
    use crate::call::failure;
    use crate::manager::ManagerHandle;
    use crate::proxy::Proxy;

    /// The class of each version, newest first.
    const CLASSES: [(Version, GUID); 10] = [
        (Version::V10_3, bits::BackgroundCopyManager10_3),
        (Version::V10_2, bits::BackgroundCopyManager10_2),
        (Version::V10_1, bits::BackgroundCopyManager10_1),
        (Version::V5_0, bits::BackgroundCopyManager5_0),
        (Version::V4_0, bits::BackgroundCopyManager4_0),
        (Version::V3_0, bits::BackgroundCopyManager3_0),
        (Version::V2_5, bits::BackgroundCopyManager2_5),
        (Version::V2_0, bits::BackgroundCopyManager2_0),
        (Version::V1_5, bits::BackgroundCopyManager1_5),
        (Version::V1_0, bits::BackgroundCopyManager),
    ];

    /// Connects to the BITS of this machine.
    ///
    /// The calling thread may be in any apartment, or in none. What the service is allowed to do in
    /// the caller's name is set for each object; a program that wants to set it for itself as a whole
    /// calls [`initialize_security`] first.
    ///
    /// # Errors
    /// [`ConnectError::Refused`] with the code of COM.
    pub fn connect() -> Result<Connection, ConnectError> {
        newest(activate)
    }

    type Activated = Result<Proxy<bits::IBackgroundCopyManager>, Hresult>;

    /// The newest class that can be activated.
    fn newest(mut activate: impl FnMut(GUID) -> Activated) -> Result<Connection, ConnectError> {
        apartment::keep_alive().map_err(ConnectError::Refused)?;
        for (version, class) in CLASSES {
            match activate(class) {
                Ok(manager) => return Ok(Connection { manager: Arc::new(ManagerHandle::new(manager)), version }),
                Err(Hresult::REGDB_E_CLASSNOTREG) => {}
                Err(code) => return Err(ConnectError::Refused(code)),
            }
        }
        Err(ConnectError::Refused(Hresult::REGDB_E_CLASSNOTREG))
    }

    fn activate(class: GUID) -> Activated {
        apartment::enter(|| {
            // SAFETY: the class is a constant, and COM has been initialised for this process.
            let manager = unsafe { CoCreateInstance(&raw const class, None, CLSCTX_LOCAL_SERVER) };
            manager.map(Proxy::new).map_err(|error| failure(&error))?.ready()
        })
    }

    /// Sets for the whole process what BITS asks of its clients: they are known by their connection,
    /// and the service may act in their name, whichever thread's it is. To be called once, before
    /// anything else of COM, by the program that owns the process.
    ///
    /// # Errors
    /// `RPC_E_TOO_LATE` when it was set before, by a call or by the first use of COM.
    pub fn initialize_security() -> Result<(), Hresult> {
        apartment::keep_alive()?;
        // SAFETY: nothing is handed over but constants.
        let set = unsafe {
            CoInitializeSecurity(
                None,
                -1,
                None,
                None,
                RPC_C_AUTHN_LEVEL_CONNECT,
                RPC_C_IMP_LEVEL_IMPERSONATE,
                None,
                EOAC_DYNAMIC_CLOAKING,
                None,
            )
        };
        set.map_err(|error| failure(&error))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        /// "Server execution failed": what Wine never says of a service that does not start.
        const SERVER_EXECUTION_FAILED: Hresult = Hresult(0x8008_0005);

        #[test]
        fn a_bits_that_cannot_be_activated_is_told_in_one_line_by_its_code_and_how_to_mend_it() {
            for (code, expected) in [
                (SERVER_EXECUTION_FAILED, "0x80080005 CO_E_SERVER_EXEC_FAILURE: the service BITS does not start: see"),
                (
                    Hresult::ERROR_FILE_NOT_FOUND,
                    "0x80070002 HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND): the program of the service BITS",
                ),
                (Hresult::REGDB_E_CLASSNOTREG, "0x80040154 REGDB_E_CLASSNOTREG: no class of BITS is registered"),
            ] {
                let refused = newest(|_| Err(code)).expect_err("nothing can be activated");

                let told = refused.to_string();
                let is_told =
                    told.strip_prefix("BITS cannot be reached: ").is_some_and(|why| why.starts_with(expected));
                assert!(is_told && told.lines().count() == 1, "{told}");
            }
        }

        #[test]
        fn an_older_class_is_asked_for_only_where_a_newer_one_is_not_registered() {
            let mut asked = 0;
            let refused = newest(|_| {
                asked += 1;
                Err(if asked == 1 { Hresult::REGDB_E_CLASSNOTREG } else { SERVER_EXECUTION_FAILED })
            });

            assert_eq!(refused.expect_err("none can be activated"), ConnectError::Refused(SERVER_EXECUTION_FAILED));
            assert_eq!(asked, 2);
        }
    }
}
