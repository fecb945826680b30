//! The progress of the closing of one socket.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use zeroxide_transports::pipe::{Tally, Writer};

use crate::signal::Latch;
use crate::stats::SocketStats;

/// What became of the messages that were unsent when a socket or a context closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseReport {
    /// Messages that were written to the kernel after the close. It is 0 if nothing was unsent then; `Socket::stats` counts all.
    pub written: u64,
    /// Messages that were dropped because LINGER was over or their connection was lost.
    pub dropped: u64,
}

/// The progress of the closing of one socket.
#[derive(Default)]
pub(crate) struct Closure {
    pub(super) latch: Latch,
    /// The writers of the pipes with unsent messages, and their counts at the close.
    writers: Mutex<Vec<(Writer, Tally)>>,
}

impl Closure {
    /// Keeps the writer of a pipe that lingers.
    pub(crate) fn keep(&self, writer: Writer) {
        let before = writer.tally();
        self.writers.lock().unwrap_or_else(PoisonError::into_inner).push((writer, before));
    }

    /// Adds the counts of these pipes to those of the closed socket.
    pub(crate) fn count(&self, stats: &mut SocketStats) {
        let goes_on = !self.is_complete();
        let writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        writers.iter().for_each(|(writer, _)| stats.add(writer.tally(), goes_on));
    }

    /// Returns what was written and dropped since the close. Unsent messages count as dropped.
    pub(super) fn report(&self) -> CloseReport {
        let mut report = CloseReport::default();
        for (writer, before) in self.writers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let now = writer.tally();
            report.written += now.written.saturating_sub(before.written);
            report.dropped += now.queued() + now.lost.saturating_sub(before.lost);
        }
        report
    }

    /// Returns whether messages wait to be sent.
    pub(crate) fn has_unsent(&self) -> bool {
        let writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        !self.latch.is_open() && writers.iter().any(|(writer, _)| writer.tally().queued() > 0)
    }

    /// Returns whether the closing is complete.
    pub(crate) fn is_complete(&self) -> bool {
        self.latch.is_open()
    }

    /// Notes that the closing is complete.
    pub(crate) fn complete(&self) {
        self.latch.open();
    }

    pub(crate) fn wait(&self, deadline: Option<Instant>) -> bool {
        self.latch.wait(deadline)
    }
}
