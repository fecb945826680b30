//! The counts of a proxy.

use std::fmt;

use zeroxide_zmtp::Message;

/// The counts of a proxy, from [`ProxyHandle::stats`](crate::ProxyHandle::stats).
///
/// For each direction, to the message: received on one side = sent + dropped + held on the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyStats {
    /// The first socket.
    pub front: ProxySide,
    /// The second socket.
    pub back: ProxySide,
    /// Messages that were sent to the capture socket.
    pub captured: ProxyCount,
    /// Messages that the capture socket could not take at once.
    pub capture_dropped: u64,
}

/// The counts of one side of a proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxySide {
    /// Received from its peers.
    pub received: ProxyCount,
    /// Sent to its peers.
    pub sent: ProxyCount,
    /// Dropped messages for an unknown peer (ROUTER).
    pub unroutable: u64,
    /// Dropped messages for a peer at its high-water mark (ROUTER).
    pub full: u64,
    /// Messages that were held for this side when the proxy ended: at most one.
    pub unsent: u64,
    /// Messages that are held for this side now: at most one.
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
    /// Returns the number of dropped messages for this side.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.unroutable + self.full + self.unsent
    }
}

impl ProxyCount {
    /// Adds one message.
    pub(super) fn add(&mut self, message: Size) {
        self.messages += 1;
        self.frames += message.frames;
        self.bytes += message.bytes;
    }
}

/// Each count with its label.
impl fmt::Display for ProxyStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ProxyStats { front, back, captured, capture_dropped } = self;
        write!(f, "front: {front}; back: {back}; captured {captured}, not captured {capture_dropped}")
    }
}

/// Each count with its label.
impl fmt::Display for ProxySide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ProxySide { received, sent, unroutable, full, unsent, held } = self;
        write!(
            f,
            "received {received}, sent {sent}, unroutable {unroutable}, full {full}, unsent {unsent}, held {held}"
        )
    }
}

/// `3 (120 bytes)`: messages, and the bytes of their frames.
impl fmt::Display for ProxyCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.messages, self.bytes)
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
    /// Returns the reply to `STATISTICS`, which counts frames instead of messages (libzmq zmq_proxy_steerable(3)).
    pub(super) fn to_message(self) -> Message {
        let count = |count: ProxyCount| [count.frames, count.bytes];
        let numbers = [self.front.received, self.front.sent, self.back.received, self.back.sent].map(count);
        Message::from(numbers.as_flattened().iter().map(|n| n.to_ne_bytes().to_vec()).collect::<Vec<_>>())
    }
}
