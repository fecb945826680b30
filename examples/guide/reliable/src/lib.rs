//! What the programs of the chapter "Reliable request-reply" share.

mod every;
pub mod majordomo;
pub mod pirate;
pub mod star;
pub mod store;

pub use every::Every;
pub use guide_arguments as argument;

/// What ends a program: an error of a socket, or a message that is not as it should be.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
