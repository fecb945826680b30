//! Greeting and handshake under any configuration.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| zeroxide_zmtp::fuzzing::greeting(data));
