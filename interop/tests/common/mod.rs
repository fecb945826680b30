//! The programs that tests run.

#![allow(dead_code)] // each test file uses its part

use std::io::Write;
use std::sync::OnceLock;

use interop::Program;

/// Zeroxide's own peer, as cargo built it for this test.
pub(crate) fn zeroxide() -> Program {
    Program::zeroxide(env!("CARGO_BIN_EXE_zeroxide-peer"))
}

/// The foreign program of this test file, if it is set up. If not, says so once, past the test harness's capture, and
/// fails where `ZEROXIDE_REQUIRE_PEERS` is 1. One that is set up and does not start is a failure.
pub(crate) fn there(program: Option<Program>, name: &str) -> Option<Program> {
    static FOUND: OnceLock<Option<Program>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        if program.is_none() {
            let advice = "`cargo run --release -p interop` sets it up";
            let _ = writeln!(std::io::stderr(), "NOT RUN: every test against {name}: {advice}");
        }
        program
    });
    let required = std::env::var_os("ZEROXIDE_REQUIRE_PEERS").is_some_and(|value| value == "1");
    assert!(found.is_some() || !required, "{name} is required (ZEROXIDE_REQUIRE_PEERS=1) and is not there");
    found.clone()
}
