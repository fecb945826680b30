//! What one direction of a pipe has carried: the counts of both its ends, and what an item weighs.

use std::time::Instant;

use zeroxide_zmtp::{Frame, Message, Traffic};

/// Counters of the messages of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages that entered the direction.
    pub routed: u64,
    /// Messages that its reader has taken and finished with. Over tcp and ipc, the kernel has accepted their last byte.
    pub written: u64,
    /// Messages that the reader had taken when their connection ended, before the kernel accepted them.
    pub lost: u64,
    /// Messages that a newer one replaced.
    pub conflated: u64,
}

impl Tally {
    /// Returns the number of messages that are open, queued or staged.
    #[must_use]
    pub fn queued(&self) -> u64 {
        self.routed - self.written - self.lost - self.conflated
    }
}

/// What one direction has brought to its reader, in messages: `messages = taken + conflated + unread + waiting`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// Messages that were flushed.
    pub messages: u64,
    /// The bytes of their bodies, of those that came through [`Writer::flush`](super::Writer::flush).
    pub bytes: u64,
    /// Messages that the reader has taken.
    pub taken: u64,
    /// Messages that a newer one replaced before the reader took them.
    pub conflated: u64,
    /// Messages that the reader had not taken when it ended reading.
    pub unread: u64,
    /// Messages that wait to be taken.
    pub waiting: u64,
    /// When the last batch with a message came, as [`Writer::came`](super::Writer::came) was told.
    pub last: Option<Instant>,
}

/// Bytes that a frame's header adds to its body: 2, or 9 beyond 255 bytes (RFC 37 §3.3). Most frames are short when
/// there are many.
pub(super) const FRAMING: usize = 2;

/// What the writer of a direction tells its reader of the batches that it has flushed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Came {
    /// Items that are no messages.
    pub(super) controls: u64,
    /// Messages that a newer one replaced.
    pub(super) conflated: u64,
    /// What [`Writer::open_bytes`] returned for the batches.
    pub(super) weight: u64,
    /// Of that, what is neither the body of a message nor [`FRAMING`] of one.
    pub(super) extra: u64,
    /// When the last message came.
    pub(super) last: Option<Instant>,
}

/// Returns the bytes that an item takes, as a budget counts them. The frames of a message of several are stored in a list.
#[inline(always)] // a call of its own is dearer than all else that a budget costs
pub(super) fn weight(traffic: &Traffic) -> usize {
    traffic.size() + frame_list(traffic).max(FRAMING)
}

/// Does the same as [`weight`], for a message.
pub(super) fn message_weight(message: &Message) -> usize {
    message.size() + list_of(message).max(FRAMING)
}

/// Returns the bytes of the list of frames of a message of several; 0 for every other item.
#[inline(always)] // as above
pub(super) fn frame_list(traffic: &Traffic) -> usize {
    match traffic {
        Traffic::Message(message) => list_of(message),
        _ => 0,
    }
}

#[inline(always)] // as above
fn list_of(message: &Message) -> usize {
    if message.len() > 1 { message.len() * size_of::<Frame>() } else { 0 }
}
