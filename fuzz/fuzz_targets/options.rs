//! Options by their types.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::options(data));
