//! The bodies of the fuzz targets that stand on the public API and on the C interface. Each also runs as a property
//! test. Those that look inside a crate are its `fuzzing` module: `zeroxide_zmtp::fuzzing`,
//! `zeroxide_patterns::fuzzing`.
//!
//! Each takes any bytes and panics when a rule is broken.

#![allow(clippy::unwrap_used)] // a rule that is broken is a panic

mod calls;
mod endpoint;
mod feed;
mod inproc;
mod monitor;
mod options;
mod poller;
mod setsockopt;
mod socks;

pub use calls::calls;
pub use endpoint::endpoint;
pub use inproc::inproc;
pub use monitor::monitor;
pub use options::options;
pub use poller::poller;
pub use setsockopt::setsockopt;
pub use socks::socks;
