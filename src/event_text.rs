//! Events as text.

use std::fmt;

use crate::monitor::{Crowd, Event, EventKind, Filter};
use crate::options::show_duration;

/// One line: where, and what happened.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.remote.is_empty() { &self.local } else { &self.remote };
        if !place.is_empty() {
            write!(f, "{place}: ")?;
        }
        self.kind.fmt(f)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EventKind::Listening => f.write_str("listening"),
            EventKind::Exposed => f.write_str(
                "open to anybody who reaches it; set a mechanism, or ZAP_DOMAIN and an authenticator",
            ),
            EventKind::BindFailed(error) => write!(f, "bind failed: {error}"),
            EventKind::Accepted => f.write_str("accepted"),
            EventKind::AcceptFailed(error) => write!(f, "accept failed: {error}"),
            EventKind::TurnedAway(Crowd::OfListener) => {
                f.write_str("turned away: too many are in their handshake (MAX_HANDSHAKES)")
            }
            EventKind::TurnedAway(Crowd::OfHost) => f.write_str(
                "turned away: too many of its host are in their handshake (MAX_HANDSHAKES_PER_HOST)",
            ),
            EventKind::Filtered(Filter::Address) => f.write_str("turned away by TCP_ACCEPT_FILTER"),
            EventKind::Filtered(Filter::Process) => {
                f.write_str("turned away by IPC_FILTER_UID, IPC_FILTER_GID and IPC_FILTER_PID")
            }
            EventKind::ListenerClosed => f.write_str("no longer listening"),
            EventKind::ConnectDelayed => f.write_str("connecting"),
            EventKind::Connected => f.write_str("connected; the handshake follows"),
            EventKind::ConnectFailed(error) => write!(f, "connect failed: {error}"),
            EventKind::ConnectRetried { after, attempt } => {
                write!(f, "attempt {attempt} follows in {}", show_duration(*after))
            }
            EventKind::HandshakeSucceeded { peer } => write!(f, "peer is there: {peer}"),
            EventKind::HandshakeFailed(error) => write!(f, "handshake failed: {}", error.what()),
            EventKind::Disconnected { why, cut: None, .. } => write!(f, "peer is gone: {why}"),
            EventKind::Disconnected { why, cut: Some(bytes), .. } => {
                write!(f, "peer is gone: {why}; a message of {bytes} bytes was being sent")
            }
            EventKind::PipeQueues { outbound, inbound } => {
                write!(f, "{outbound} messages wait to be sent, {inbound} to be received")
            }
            EventKind::Closed => f.write_str("the socket is closed"),
        }
    }
}
