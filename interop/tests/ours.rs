//! Control: Zeroxide against itself through the same harness. What fails here is not the other implementation's fault.

#[macro_use]
mod common;

matrix!(common::there(Some(common::zeroxide()), "zeroxide", "nothing"));
