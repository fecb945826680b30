//! What a proxy counts.

use zeroxide_zmtp::Message;

/// What a proxy has done, from [`ProxyHandle::stats`](crate::ProxyHandle::stats).
///
/// For each direction, to the message: received on one side = sent + dropped + held on the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyStats {
    /// The first socket.
    pub front: ProxySide,
    /// The second socket.
    pub back: ProxySide,
    /// Messages that the capture socket took.
    pub captured: ProxyCount,
    /// Messages that the capture socket could not take at once.
    pub capture_dropped: u64,
}

/// What passed one side of a proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxySide {
    /// Received from its peers.
    pub received: ProxyCount,
    /// Sent to its peers.
    pub sent: ProxyCount,
    /// Messages for a peer that was not there (ROUTER).
    pub unroutable: u64,
    /// Messages for a peer that was at its high-water mark (ROUTER).
    pub full: u64,
    /// Messages that waited for this side when the proxy ended: at most one.
    pub unsent: u64,
    /// Messages that wait for this side now: at most one.
    pub held: u64,
}

/// A count of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyCount {
    /// Whole messages.
    pub messages: u64,
    /// Their frames, routing ids included.
    pub frames: u64,
    /// The bytes of their frames.
    pub bytes: u64,
}

impl ProxySide {
    /// Messages for this side that were dropped for whatever cause.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.unroutable + self.full + self.unsent
    }
}

impl ProxyCount {
    /// One message more.
    pub(super) fn add(&mut self, message: Size) {
        self.messages += 1;
        self.frames += message.frames;
        self.bytes += message.bytes;
    }
}

/// The size of one message.
#[derive(Clone, Copy)]
pub(super) struct Size {
    frames: u64,
    bytes: u64,
}

impl Size {
    pub(super) fn of(message: &Message) -> Size {
        Size { frames: message.len() as u64, bytes: message.size() as u64 }
    }
}

impl ProxyStats {
    /// Returns the answer to `STATISTICS` (libzmq zmq_proxy_steerable(3)): frames, not messages, are counted there.
    pub(super) fn to_message(self) -> Message {
        let count = |count: ProxyCount| [count.frames, count.bytes];
        let numbers = [self.front.received, self.front.sent, self.back.received, self.back.sent].map(count);
        Message::from(numbers.as_flattened().iter().map(|n| n.to_ne_bytes().to_vec()).collect::<Vec<_>>())
    }
}
