//! The engine room: threads, readiness, time. See `docs/ARCHITECTURE.md`, "who drives".

mod acceptor;
mod authorise;
pub(crate) mod buffers;
pub(crate) mod command;
mod dialer;
pub(crate) mod engine;
mod entry;
pub(crate) mod flush;
pub(crate) mod hub;
mod line;
mod lookups;
mod notices;
mod parting;
pub(crate) mod reactor;
pub(crate) mod reaper;
pub(crate) mod session;
pub(crate) mod signaler;
mod watch;
pub(crate) mod zap;
