//! Routing ids: how a ROUTER names its peers (RFC 28 §ROUTER).

use std::fmt;
use std::hash::{Hash, Hasher};

use zeroxide_zmtp::Frame;

/// The name of a peer of a ROUTER or STREAM: up to 255 bytes, never empty. Names that begin with a zero byte are
/// the socket's own.
#[derive(Clone, PartialEq, Eq)]
pub struct RoutingId(Frame);

/// The longest routing id, in bytes (libzmq `ZMQ_ROUTING_ID`).
pub const MAX_ROUTING_ID: usize = 255;

impl RoutingId {
    /// A routing id of 1 to 255 bytes; `None` for any other length.
    pub fn new(bytes: impl Into<Frame>) -> Option<RoutingId> {
        let frame = bytes.into();
        (1..=MAX_ROUTING_ID).contains(&frame.len()).then_some(RoutingId(frame))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The id as a frame, as it stands first in a message to or from a ROUTER.
    #[must_use]
    pub fn to_frame(&self) -> Frame {
        self.0.clone()
    }
}

impl Hash for RoutingId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// As text in quotes when printable, always in hexadecimal: `"w7" (hex 7737)`.
impl fmt::Display for RoutingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.as_bytes();
        if bytes.iter().all(|b| (0x20..0x7f).contains(b)) {
            write!(f, "{:?} ", String::from_utf8_lossy(bytes))?;
        }
        write!(f, "(hex ")?;
        bytes.iter().try_for_each(|b| write!(f, "{b:02x}"))?;
        write!(f, ")")
    }
}

impl fmt::Debug for RoutingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
