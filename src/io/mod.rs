//! The engine room: threads, readiness, time. See `docs/ARCHITECTURE.md`, "who drives".

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
