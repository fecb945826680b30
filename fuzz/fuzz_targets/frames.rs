//! Frames, messages and commands on an open connection of any version.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| zeroxide_zmtp::fuzzing::frames(data));
