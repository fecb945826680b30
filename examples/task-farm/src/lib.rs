//! A task farm. A broker keeps tasks in a database until a worker has done them and the submitter has their
//! results. Workers, in Rust or Python, and the broker may be killed at any time: no task is lost, and none
//! has two results.
//!
//! [`wire`] has the messages, [`Store`] the database, [`Farm`] the rules of the broker. The programs are in
//! `src/bin`.

mod farm;
#[cfg(test)]
mod farm_tests;
pub mod screen;
mod status;
mod store;
pub mod wire;
pub mod work;

pub use farm::{Farm, Messages};
pub use status::{Status, WorkerStatus};
pub use store::{Count, Finished, Store, Submitted, Writer};

/// What ends a program: an error of a socket, of the database or of the terminal.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
