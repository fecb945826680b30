//! What the programs of `cargo xtask bench compare` share.
//!
//! A program is an adapter for one library: it implements [`Peer`] and calls [`specs`] and [`program`]. It is one socket in a process of its
//! own, or, over inproc, two. What it does is a [`Spec`], its only argument, as JSON. The line protocol between it and `cells`,
//! which starts it, is in `benches/peers/README.md`.
//!
//! | module | holds |
//! |---|---|
//! | `spec` | what a process does: socket, task, transport, size |
//! | `peer` | what a library must be able to do |
//! | `task` | what the sockets do: flood, drain, ask, echo, bursts |
//! | `control` | the lines from and to the parent |
//! | `meter` | what is measured, between two moments that the parent chooses |
//! | `calls` | system calls, counted |
//! | `outcome` | the line of results |
//! | `tokio` | what programs on tokio share |

mod calls;
mod control;
mod meter;
mod outcome;
mod peer;
mod spec;
mod task;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use control::{program, specs};
pub use meter::Meter;
pub use outcome::{Outcome, QUANTILES, STARTS};
pub use peer::Peer;
pub use spec::{Curve, Kind, Spec, Task, Transport};
