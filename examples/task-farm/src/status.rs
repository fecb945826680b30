//! The state of the broker, as the dashboard reads it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Count;

/// The state of the broker: what follows `STATUS` in its reply, as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Tasks that no worker has.
    pub waiting: usize,
    /// Tasks that a worker has.
    pub running: usize,
    /// Results that no submitter has.
    pub uncollected: u64,
    /// Connections that collect results.
    pub submitters: usize,
    /// The counts since the file was created, by their names.
    pub counts: BTreeMap<String, u64>,
    /// The workers that are connected, in the order of their names.
    pub workers: Vec<WorkerStatus>,
}

/// A worker that is connected.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WorkerStatus {
    /// Its name.
    pub name: String,
    /// How many tasks it takes at once.
    pub credit: usize,
    /// How many tasks it has.
    pub has: usize,
    /// How many results it has sent on this connection.
    pub done: u64,
}

impl Status {
    /// Returns a count.
    #[must_use]
    pub fn count(&self, count: Count) -> u64 {
        self.counts.get(count.name()).copied().unwrap_or_default()
    }
}
