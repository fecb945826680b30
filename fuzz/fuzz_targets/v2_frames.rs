//! The framing of ZMTP 2.0 and later alone.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| zeroxide_zmtp::fuzzing::v2_frames(data));
