//! A socket of any type on plain queues, beside a model.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| zeroxide_patterns::fuzzing::patterns(data));
