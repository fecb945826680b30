//! What is left of the pipes that a socket had: their counts, and the writers whose messages may still be sent.

use zeroxide_patterns::Cause;
use zeroxide_transports::pipe::{Pipe, Writer};

use super::after_unlock::ToFree;
use super::pipes::{Entry, PipeTable};
use crate::stats::Received;

/// The counts of the pipes that a socket had.
#[derive(Debug, Default)]
pub(crate) struct Past {
    pub(crate) routed: u64,
    pub(crate) written: u64,
    pub(crate) received: Received,
    /// The writers of removed pipes whose messages may still be sent, and the cause under which unsent ones count as dropped.
    /// `None` over inproc, where they count as written.
    pub(crate) leaving: Vec<(Writer, Option<Cause>)>,
}

impl PipeTable {
    /// Adds the counts of a removed pipe to those of the socket. If the other end goes away with unread messages, these count
    /// as dropped for `cause`.
    pub(crate) fn keep_counts(&mut self, entry: Entry, cause: Cause) {
        self.keep_drops(&entry);
        let cause = (!entry.inproc).then_some(cause);
        let writer = self.dismantle(entry);
        self.past.leaving.push((writer, cause));
        self.add_ended_counts();
    }

    /// Does the same when the socket closes, but returns the writer if its messages linger.
    pub(crate) fn take_lingering_writer(&mut self, entry: Entry) -> Option<Writer> {
        if entry.inproc || entry.is_deserted() {
            self.keep_counts(entry, Cause::PeerLost);
            return None;
        }
        self.keep_drops(&entry);
        Some(self.dismantle(entry))
    }

    /// Returns the endpoints whose pipes have unsent messages.
    pub(crate) fn endpoints_with_unsent(&self) -> Vec<u64> {
        let is_loaded = |entry: &&Entry| !entry.is_deserted() && entry.pipe.writer.tally().queued() > 0;
        let loaded = self.iter().map(|(_, entry)| entry).filter(is_loaded);
        loaded.map(|entry| entry.endpoint).collect()
    }

    /// Frees a pipe that was never in the table.
    pub(crate) fn discard_pipe(&mut self, entry: Entry) {
        self.keep_received(&entry);
        let writer = self.dismantle(entry);
        self.after_unlock.free_later(ToFree::Writer(writer));
    }

    /// Adds what came through a pipe that is removed. What was not taken will not be.
    fn keep_received(&mut self, entry: &Entry) {
        let mut received = entry.received();
        received.end();
        self.past.received.add(&received);
    }

    /// Returns a pipe's writer. The rest of the pipe is freed without the lock.
    fn dismantle(&mut self, entry: Entry) -> Writer {
        let Pipe { mut writer, reader } = entry.pipe;
        Self::collect(&mut self.after_unlock, &mut writer);
        self.after_unlock.free_later(ToFree::Reader(reader));
        self.after_unlock.free_later(ToFree::Link(entry.link));
        writer
    }

    fn keep_drops(&mut self, entry: &Entry) {
        for (sum, drops) in self.drops.iter_mut().zip(entry.drops) {
            *sum += drops;
        }
        self.past.routed += entry.dropped();
        self.keep_received(entry);
    }

    /// Adds the counts of removed pipes to the sums, once they can no longer change.
    pub(crate) fn add_ended_counts(&mut self) {
        let Past { routed, written, leaving, .. } = &mut self.past;
        let drops = &mut self.drops;
        let (stay, done) = std::mem::take(leaving).into_iter().partition(|(writer, cause)| {
            // In this order, so that the tally contains what the reader did before it went away.
            let abandoned = writer.is_abandoned();
            let tally = writer.tally();
            if cause.is_some() && tally.queued() > 0 && !abandoned {
                return true;
            }
            *routed += tally.routed;
            *written += tally.written;
            drops[Cause::PeerLost as usize] += tally.lost;
            drops[Cause::Conflated as usize] += tally.conflated;
            match cause {
                Some(cause) => drops[*cause as usize] += tally.queued(),
                // Over inproc a queued message counts as written.
                None => *written += tally.queued(),
            }
            false
        });
        *leaving = stay;
        let done: Vec<(Writer, Option<Cause>)> = done;
        done.into_iter().for_each(|(writer, _)| self.after_unlock.free_later(ToFree::Writer(writer)));
    }
}
