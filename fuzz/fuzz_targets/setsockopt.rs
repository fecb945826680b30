//! Options of C, by any number and with any bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::setsockopt(data));
