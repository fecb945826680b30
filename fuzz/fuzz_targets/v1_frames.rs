//! The framing of ZMTP 1.0 alone.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| zeroxide_zmtp::fuzzing::v1_frames(data));
