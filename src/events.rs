//! Events: what may happen to a socket's endpoints and connections, and the texts of that.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zeroxide_zmtp::{ConnectionError, Peer};

use crate::error::{DialError, HandshakeError, IoError};
use crate::options::show_duration;

/// One thing that happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// The number of the event. The events of a socket are counted from 0, since its first monitor was created. A gap
    /// in the numbers means that a monitor has missed events.
    pub seq: u64,
    /// When it happened.
    pub at: Instant,
    /// The number of the connection, listener or connecting endpoint to which it happened.
    pub connection: u64,
    /// This side's address as an endpoint; empty where it is not known.
    pub local: String,
    /// The other side's address, or the endpoint dialled; empty where it is not known.
    pub remote: String,
    /// The descriptor (on Windows, the handle) of the stream or listener, if there is one. When the event is read, the system
    /// may have given the number to another descriptor.
    pub descriptor: Option<i64>,
    /// What happened.
    pub kind: EventKind,
}

/// The kinds of events (libzmq's `ZMQ_EVENT_…` in brackets).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EventKind {
    /// An endpoint is bound (LISTENING).
    Listening,
    /// A warning: other machines can reach the endpoint, and it accepts every peer. Its mechanism is NULL, and it has
    /// no ZAP_DOMAIN.
    Exposed,
    /// An endpoint cannot be bound, or it is bound and cannot be served (BIND_FAILED).
    BindFailed(IoError),
    /// A connection was accepted; the handshake follows (ACCEPTED).
    Accepted,
    /// A connection could not be accepted; the next attempt follows after ACCEPT_BACKOFF (ACCEPT_FAILED).
    AcceptFailed(IoError),
    /// A connection was closed because too many others are in their handshake (ACCEPT_FAILED). It is the new connection, which
    /// is closed at once. Or it is the oldest one of the host that has the most, and a connection of another host replaces it.
    TurnedAway(Crowd),
    /// A connection was accepted and closed at once: an accept filter does not let it in (ACCEPT_FAILED).
    Filtered(Filter),
    /// A bound endpoint is closed (CLOSED).
    ListenerClosed,
    /// A connect has begun (CONNECT_DELAYED).
    ConnectDelayed,
    /// The transport is connected; the handshake follows (CONNECTED).
    Connected,
    /// A connect failed (CLOSED).
    ConnectFailed(DialError),
    /// The next attempt follows after this wait (CONNECT_RETRIED).
    ConnectRetried {
        /// The wait.
        after: Duration,
        /// Number of the attempt that follows, from 1.
        attempt: u32,
    },
    /// A handshake has succeeded, and a peer is connected (HANDSHAKE_SUCCEEDED).
    HandshakeSucceeded {
        /// The peer.
        peer: Arc<Peer>,
    },
    /// A connection ended before its handshake was over (HANDSHAKE_FAILED_…).
    HandshakeFailed(Arc<HandshakeError>),
    /// The connection of a peer has ended (DISCONNECTED).
    Disconnected {
        /// The peer.
        peer: Arc<Peer>,
        /// Why.
        why: DisconnectReason,
        /// If a part of a message was sent: the size of the whole message in bytes, with its framing. A peer that closes in
        /// the middle of a message may have a smaller MAXMSGSIZE.
        cut: Option<u64>,
    },
    /// How many messages wait in a pipe (PIPES_STATS). Only a call of the C interface causes this event. In Rust, call
    /// [`Socket::stats`](crate::Socket::stats).
    PipeQueues {
        /// Messages on their way to the peer.
        outbound: u64,
        /// Messages of the peer that wait to be received, without those that the socket has already taken from the pipe.
        inbound: u64,
    },
    /// The socket is closed; nothing follows (MONITOR_STOPPED).
    Closed,
}

/// Which limit on connections in their handshake was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Crowd {
    /// MAX_HANDSHAKES, of the bound endpoint.
    OfListener,
    /// MAX_HANDSHAKES_PER_HOST, of the remote host.
    OfHost,
}

/// Which accept filter did not let a connection in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Filter {
    /// TCP_ACCEPT_FILTER: the peer's address is in none of its networks.
    Address,
    /// IPC_FILTER_UID, IPC_FILTER_GID, IPC_FILTER_PID: the peer is none of these users, groups and processes, or the
    /// system does not tell who it is.
    Process,
}

/// Why a peer is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// This side ended the connection.
    Ours,
    /// The peer closed it.
    PeerClosed,
    /// The network failed.
    Io(IoError),
    /// The peer broke the protocol, or stopped answering.
    Fault(ConnectionError),
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DisconnectReason::Ours => f.write_str("closed here"),
            DisconnectReason::PeerClosed => f.write_str("closed by the peer"),
            DisconnectReason::Io(error) => write!(f, "{error}"),
            DisconnectReason::Fault(error) => write!(f, "{error}"),
        }
    }
}

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
