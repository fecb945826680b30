//! The text of an endpoint: parsed, printed, parsed again.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::endpoint(data));
