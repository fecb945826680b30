//! A CURVE client against a server that has the right key.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    zeroxide_zmtp::fuzzing::mechanisms::curve_client(data);
});
