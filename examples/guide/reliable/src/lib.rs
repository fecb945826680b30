//! What the programs of the chapter "Reliable request-reply" share.

pub mod argument;
mod every;
pub mod majordomo;
pub mod pirate;
pub mod star;
pub mod store;

pub use every::Every;

/// What ends a program: an error of a socket, or a message that is not as it should be.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
