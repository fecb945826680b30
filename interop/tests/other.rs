//! Zeroxide and whatever `ZEROXIDE_PEER` starts: for a peer under construction.
#![cfg(feature = "peers")]

#[macro_use]
mod common;

matrix!(common::perhaps(interop::Program::other()));
