//! A CURVE server against a client that has the keys.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    zeroxide_zmtp::fuzzing::mechanisms::curve_server(data);
});
