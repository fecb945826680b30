//! The messages of a monitor of C.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::monitor(data));
