//! Subscriptions of peers and of a socket, beside plain maps.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| zeroxide_patterns::fuzzing::prefix_tree(data));
