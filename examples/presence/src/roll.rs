//! The guests of a hub: who joins, who leaves, and why.
//!
//! Two sources tell of a peer. Its messages come from the socket, in their order; the last is the hub's own
//! [`Roll::drained`], behind all that the peer has sent. The reason why its connection ended comes from the
//! monitor, on another way, and so may come earlier. A guest has left when both are known: only then it is
//! certain whether it has said goodbye.

use std::collections::BTreeMap;
use std::fmt;

use zeroxide::{ConnectionError, DisconnectReason, Peer};

/// Who is there, by the number of the connection.
#[derive(Debug, Default)]
pub struct Roll(BTreeMap<u64, Guest>);

#[derive(Debug)]
struct Guest {
    name: String,
    goodbye: bool,
    drained: bool,
    why: Option<DisconnectReason>,
}

/// Somebody has come or gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A peer is new.
    Joined {
        /// Its routing id.
        name: String,
    },
    /// A peer is gone.
    Left {
        /// Its routing id.
        name: String,
        /// Why.
        why: Farewell,
    },
}

/// Why a peer is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// It said goodbye and closed its connection.
    Goodbye,
    /// Its connection was closed without a goodbye: the process was killed, or has crashed.
    Closed,
    /// It did not answer heartbeats: it hangs, or the network is cut.
    Silent,
    /// Anything else, such as a network error.
    Other(DisconnectReason),
}

impl fmt::Display for Farewell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Farewell::Goodbye => f.write_str("said goodbye"),
            Farewell::Closed => f.write_str("was killed or crashed: the connection closed without a goodbye"),
            Farewell::Silent => f.write_str("hangs or is cut off: it stopped answering"),
            Farewell::Other(why) => write!(f, "was lost: {why}"),
        }
    }
}

impl Roll {
    /// Notes a peer that the monitor or a message has named. Returns the change if it is new.
    pub fn see(&mut self, peer: &Peer) -> Option<Change> {
        if self.0.contains_key(&peer.connection) {
            return None;
        }
        let name = String::from_utf8_lossy(&peer.routing_id).into_owned();
        self.0
            .insert(peer.connection, Guest { name: name.clone(), goodbye: false, drained: false, why: None });
        Some(Change::Joined { name })
    }

    /// Notes that a peer has said goodbye.
    pub fn goodbye(&mut self, connection: u64) {
        if let Some(guest) = self.0.get_mut(&connection) {
            guest.goodbye = true;
        }
    }

    /// Notes that no message of a peer follows. Returns the change if its connection is known to have ended.
    pub fn drained(&mut self, connection: u64) -> Option<Change> {
        self.0.get_mut(&connection)?.drained = true;
        self.left(connection)
    }

    /// Notes why a connection has ended. Returns the change if all messages of the peer are received.
    pub fn disconnected(&mut self, connection: u64, why: DisconnectReason) -> Option<Change> {
        self.0.get_mut(&connection)?.why = Some(why);
        self.left(connection)
    }

    /// Returns how many are there.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether nobody is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn left(&mut self, connection: u64) -> Option<Change> {
        let guest = self.0.get(&connection)?;
        let why = match guest.why.clone().filter(|_| guest.drained)? {
            _ if guest.goodbye => Farewell::Goodbye,
            // A process that is killed with messages unread resets its connection.
            DisconnectReason::PeerClosed | DisconnectReason::Io(_) => Farewell::Closed,
            DisconnectReason::Fault(ConnectionError::HeartbeatTimeout) => Farewell::Silent,
            other => Farewell::Other(other),
        };
        self.0.remove(&connection).map(|guest| Change::Left { name: guest.name, why })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn peer(connection: u64, name: &'static str) -> Peer {
        let mut peer = Peer::new(connection, "127.0.0.1".to_owned(), Instant::now());
        peer.routing_id = name.into();
        peer
    }

    fn left(why: Farewell) -> Option<Change> {
        Some(Change::Left { name: "ann".to_owned(), why })
    }

    fn with_ann() -> Roll {
        let mut roll = Roll::default();
        assert_eq!(roll.see(&peer(7, "ann")), Some(Change::Joined { name: "ann".to_owned() }));
        roll
    }

    #[test]
    fn a_peer_joins_once_however_often_it_is_seen() {
        let mut roll = with_ann();
        assert_eq!((roll.see(&peer(7, "ann")), roll.len()), (None, 1));
    }

    #[test]
    fn the_reason_is_known_when_monitor_and_messages_agree() {
        use DisconnectReason::{Fault, Ours, PeerClosed};
        let silent = Fault(ConnectionError::HeartbeatTimeout);
        for (goodbye, reason, why) in [
            (true, PeerClosed, Farewell::Goodbye),
            (false, PeerClosed, Farewell::Closed),
            (false, silent, Farewell::Silent),
            (false, Ours, Farewell::Other(Ours)),
        ] {
            // The monitor first, and then the last messages.
            let mut roll = with_ann();
            assert_eq!(roll.disconnected(7, reason.clone()), None);
            if goodbye {
                roll.goodbye(7);
            }
            assert_eq!((roll.drained(7), roll.is_empty()), (left(why.clone()), true));
            // The other way round.
            let mut roll = with_ann();
            if goodbye {
                roll.goodbye(7);
            }
            assert_eq!(roll.drained(7), None);
            assert_eq!((roll.disconnected(7, reason), roll.is_empty()), (left(why), true));
        }
    }

    #[test]
    fn a_name_that_comes_back_on_a_new_connection_is_another_guest() {
        let mut roll = with_ann();
        roll.disconnected(7, DisconnectReason::PeerClosed);
        assert!(roll.see(&peer(8, "ann")).is_some());
        assert_eq!(roll.drained(7), left(Farewell::Closed));
        assert_eq!(roll.len(), 1);
    }

    #[test]
    fn a_connection_that_was_never_seen_changes_nothing() {
        let mut roll = Roll::default();
        roll.goodbye(1);
        assert_eq!((roll.drained(1), roll.disconnected(1, DisconnectReason::Ours)), (None, None));
    }
}
