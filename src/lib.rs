//! A behavioural emulator of the Windows BITS job service.
