//! What a SOCKS5 proxy says, whole and cut.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::socks(data));
