//! Control: Zeroxide against itself through the same harness. What fails here is not the other implementation's fault.
// With the feature, this would be the second time that `cargo xtask test` runs it.
#![cfg(not(feature = "peers"))]

#[macro_use]
mod common;

matrix!(common::there(Some(common::zeroxide()), "zeroxide", "nothing"));
