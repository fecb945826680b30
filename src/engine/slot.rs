//! The number of a pipe in its socket's table, as a connection knows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use zeroxide_patterns::PipeId;

/// The number of a pipe in its socket's table, for news from outside. It is set when the pipe is attached and cleared when it
/// is detached, so that news for a pipe that is gone cannot reach the next pipe with its number. A connecting endpoint has one
/// slot, which leads to its newest pipe.
#[derive(Clone, Debug)]
pub(crate) struct Slot(Arc<AtomicU32>);

impl Slot {
    const NONE: u32 = u32::MAX;

    pub(crate) fn new() -> Slot {
        Slot(Arc::new(AtomicU32::new(Slot::NONE)))
    }

    pub(crate) fn get(&self) -> Option<PipeId> {
        let id = self.0.load(Ordering::Acquire);
        (id != Slot::NONE).then_some(PipeId(id))
    }

    pub(crate) fn set(&self, id: Option<PipeId>) {
        self.0.store(id.map_or(Slot::NONE, |id| id.0), Ordering::Release);
    }
}
