#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bits_hostile::fuzz::tokens(data));
