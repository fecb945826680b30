//! Zeroxide: ZeroMQ in Rust.

mod error;
mod options;

pub use error::{
    Attachment, BindError, DialError, Error, ErrorKind, HandshakeCause, HandshakeError, NotReady, Op,
    RequestError, Result, SendError, Stage, Turn, Why,
};
pub use options::{
    AtAttach, ContextOptions, Live, Opt, OptionError, Options, ReadOnly, ReconnectStop, Writable, opt,
};
