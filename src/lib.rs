//! Zeroxide: ZeroMQ in Rust.

mod options;

pub use options::{AtAttach, ContextOptions, Live, Opt, OptionError, Options, ReadOnly, ReconnectStop, Writable, opt};
