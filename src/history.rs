//! What a socket keeps about connections that have ended: the last one that was lost, and how many were turned away.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use zeroxide_zmtp::{ConnectionError, ProtocolError};

use crate::clock;
use crate::error::{HandshakeCause, HandshakeError};
use crate::events::{DisconnectReason, EventKind};

/// A connection that was lost, from [`Status::last_loss`](crate::Status::last_loss).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Loss {
    /// When it was lost.
    pub at: Instant,
    /// The address of the peer.
    pub remote: String,
    /// Why.
    pub why: DisconnectReason,
    /// If a part of a message was sent: the size of the whole message in bytes, with its framing.
    pub cut: Option<u64>,
}

/// How many connections were turned away, by reason, from [`Status::turned_away`](crate::Status::turned_away).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TurnedAway {
    /// Too many others were in their handshake (MAX_HANDSHAKES, MAX_HANDSHAKES_PER_HOST).
    pub crowded: u64,
    /// An accept filter does not let them in.
    pub filtered: u64,
    /// The authenticator or the ZAP handler has denied them, or has not decided.
    pub denied: u64,
    /// Their routing id was in use, or the PAIR had a peer already.
    pub without_place: u64,
    /// Their handshake failed for another reason.
    pub failed: u64,
}

impl TurnedAway {
    /// Returns how many were turned away for any reason.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.named().iter().map(|(n, _)| n).sum()
    }

    fn named(&self) -> [(u64, &'static str); 5] {
        [
            (self.crowded, "among too many handshakes"),
            (self.filtered, "by a filter"),
            (self.denied, "denied"),
            (self.without_place, "without a place"),
            (self.failed, "by a failed handshake"),
        ]
    }
}

/// `turned away 3 (2 denied, 1 by a filter)`.
impl fmt::Display for TurnedAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.total() == 0 {
            return f.write_str("turned away none");
        }
        let told = self.named().into_iter().filter(|(n, _)| *n > 0).map(|(n, why)| format!("{n} {why}"));
        write!(f, "turned away {} ({})", self.total(), told.collect::<Vec<_>>().join(", "))
    }
}

/// `127.0.0.1:5 closed 0.3 s ago: frame 83886080 > MAXMSGSIZE 67108864; raise opt::MAXMSGSIZE`.
impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ago = clock::now().saturating_duration_since(self.at).as_secs_f64();
        write!(f, "{} closed {ago:.1} s ago: ", self.remote)?;
        match &self.why {
            DisconnectReason::Fault(ConnectionError::Protocol(ProtocolError::FrameTooLong {
                length,
                limit,
            })) => write!(f, "frame {length} > MAXMSGSIZE {limit}")?,
            why => write!(f, "{why}")?,
        }
        match (cure(&self.why), self.cut) {
            (Some(cure), _) => write!(f, "; raise opt::{cure}"),
            (None, Some(bytes)) => write!(
                f,
                " while a message of {bytes} bytes was being sent; is that beyond the peer's MAXMSGSIZE?"
            ),
            (None, None) => Ok(()),
        }
    }
}

/// Returns the option that limits what ended the connection. A larger value allows it.
fn cure(why: &DisconnectReason) -> Option<&'static str> {
    let DisconnectReason::Fault(fault) = why else { return None };
    match fault {
        ConnectionError::HeartbeatTimeout => Some("HEARTBEAT_TIMEOUT if the peer is slow"),
        ConnectionError::Protocol(fault) => match fault {
            ProtocolError::FrameTooLong { .. } => Some("MAXMSGSIZE"),
            ProtocolError::MessageTooLong { .. } => Some("MAX_MULTIPART"),
            ProtocolError::TooManyFrames { .. } => Some("MAX_FRAMES"),
            ProtocolError::TopicTooLong { .. } => Some("MAX_TOPIC"),
            ProtocolError::TooManySubscriptions { .. } => Some("MAX_SUBSCRIPTIONS"),
            ProtocolError::SubscriptionsTooLong { .. } => Some("MAX_SUBSCRIPTION_BYTES"),
            _ => None,
        },
        _ => None,
    }
}

/// A summary of a socket's events. It is kept even without a monitor.
#[derive(Default)]
pub(crate) struct History(Mutex<Past>);

#[derive(Default)]
struct Past {
    last: Option<Loss>,
    away: TurnedAway,
    /// The last failed handshake of a peer that had connected to this socket.
    failed: Option<Arc<HandshakeError>>,
}

impl History {
    /// Notes an event. Only a lost connection, or one that was turned away, takes the lock.
    pub(crate) fn note(&self, remote: &str, kind: &EventKind) {
        match kind {
            EventKind::Disconnected { why, cut, .. } if *why != DisconnectReason::Ours => {
                let (at, remote) = (clock::now(), remote.trim_start_matches("tcp://").to_owned());
                let loss = Loss { at, remote, why: why.clone(), cut: *cut };
                self.change(|past| past.last = Some(loss));
            }
            EventKind::TurnedAway(_) => self.change(|past| past.away.crowded += 1),
            EventKind::Filtered(_) => self.change(|past| past.away.filtered += 1),
            // A connection that this side dialled does not count: this side has not turned it away.
            EventKind::HandshakeFailed(error) if !error.connecting => self.change(|past| {
                let away = &mut past.away;
                let count = match &error.cause {
                    HandshakeCause::Denied(_) => &mut away.denied,
                    _ if error.is_want_of_place() => &mut away.without_place,
                    _ => &mut away.failed,
                };
                *count += 1;
                past.failed = Some(Arc::clone(error));
            }),
            _ => {}
        }
    }

    pub(crate) fn look(&self) -> (Option<Loss>, TurnedAway) {
        let past = self.past();
        (past.last.clone(), past.away)
    }

    /// Returns why the last handshake failed that a peer had begun.
    pub(crate) fn last_failure(&self) -> Option<Arc<HandshakeError>> {
        self.past().failed.clone()
    }

    fn change(&self, change: impl FnOnce(&mut Past)) {
        change(&mut self.past());
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
