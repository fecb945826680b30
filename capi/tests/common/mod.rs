//! What the tests here share.

use std::io::Write;

/// Says that the test does nothing, and why: not by `println!`, which the harness keeps to itself where a test passes.
pub(crate) fn not_run(why: &str) {
    let _ = writeln!(std::io::stderr(), "NOT RUN: {why}");
}
