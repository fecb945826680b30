//! PLAIN in either role.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    zeroxide_zmtp::fuzzing::mechanisms::plain(data);
});
