//! Zeroxide and JeroMQ: every legal pair of types over tcp, either side bound, either implementation on either side.
#![cfg(feature = "peers")]

#[macro_use]
mod common;

matrix!(common::there(interop::Program::jeromq(), "JeroMQ", "ZEROXIDE_JAVA and ZEROXIDE_JAVA_CLASSPATH"));
