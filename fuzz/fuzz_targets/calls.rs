//! Scripts of C calls, on our library and on libzmq.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::calls(data));
