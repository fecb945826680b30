//! The two signals of the pirate protocol (RFC 6) between queues and workers, each a message of one frame with one byte.

use zeroxide::Message;

/// From a worker: it is there and takes a request.
pub const READY: &[u8] = b"\x01";
/// From a worker or a queue: it is still there.
pub const HEARTBEAT: &[u8] = b"\x02";
/// So many intervals between heartbeats may pass without a message before a peer is taken to be dead.
pub const SILENT_BEATS: u32 = 3;

/// Returns whether a message is this signal.
#[must_use]
pub fn is(message: &Message, signal: &[u8]) -> bool {
    message.len() == 1 && message[0] == *signal
}
