//! The I/O threads: readiness of streams, timers, and what a connection needs beside its engine. See
//! `docs/ARCHITECTURE.md`, "Who does the work".

mod acceptor;
mod authorise;
pub(crate) mod connections;
mod dialer;
mod filters;
mod half_closed;
mod lookups;
mod notices;
pub(crate) mod reactor;
pub(crate) mod reaper;
pub(crate) mod session;
#[cfg(simulate)]
pub mod simulated;
mod turns;
mod watch;
pub(crate) mod zap;
