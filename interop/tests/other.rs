//! Zeroxide and whatever `ZEROXIDE_PEER` starts: for a peer under construction.
#![cfg(feature = "peers")]

#[macro_use]
mod common;

matrix!(interop::Program::other());
