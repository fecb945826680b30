//! Sockets of all types over inproc, beside an account of every message.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::inproc(data));
