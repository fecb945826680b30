//! Pollers of sockets and descriptors, beside a model.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::poller(data));
