//! Zeroxide: ZeroMQ in Rust.
