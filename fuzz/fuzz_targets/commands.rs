//! Bodies of commands and property lists.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| zeroxide_zmtp::fuzzing::commands(data));
