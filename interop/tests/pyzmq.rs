//! Zeroxide and pyzmq, which carries libzmq: every legal pair of types over tcp and ipc, either side bound, either
//! implementation on either side.
#![cfg(feature = "peers")]

#[macro_use]
mod common;

matrix!(common::there(interop::Program::pyzmq(), "pyzmq", "ZEROXIDE_PYTHON to a Python with pyzmq"));
