//! Z85, there and back.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| zeroxide_zmtp::fuzzing::z85(data));
