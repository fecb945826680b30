//! The line of results.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The quantiles of [`Outcome::latencies`].
pub const QUANTILES: [f64; 15] =
    [0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999];

/// The moments of [`Outcome::starts`], from the first send.
pub const STARTS: [Duration; 3] =
    [Duration::from_millis(5), Duration::from_millis(25), Duration::from_millis(100)];

/// What one process measured between `start` and `stop`. Times are in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Of the wall's clock.
    pub elapsed: u64,
    /// Messages received, or round trips; 0 at an end that only sends.
    pub messages: u64,
    /// Processor time of all threads in their own code.
    pub user: u64,
    /// Processor time of all threads in the kernel.
    pub system: u64,
    /// Voluntary context switches.
    pub sleeps: u64,
    /// Involuntary context switches.
    pub preemptions: u64,
    /// System calls that move bytes or wait for them, where they are counted.
    pub calls: Option<u64>,
    /// Most bytes of memory since the process began.
    pub peak: u64,
    /// At [`QUANTILES`]; empty where no latency is measured.
    pub latencies: Vec<u64>,
    /// Messages received until [`STARTS`]; empty where no start is measured.
    pub starts: Vec<u64>,
}
