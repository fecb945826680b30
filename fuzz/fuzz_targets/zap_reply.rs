//! Replies of a ZAP handler.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    zeroxide_zmtp::fuzzing::mechanisms::zap_reply(data);
});
