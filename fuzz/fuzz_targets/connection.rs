//! Input, output and time in any order.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| zeroxide_zmtp::fuzzing::connection(data));
