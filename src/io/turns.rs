//! The turns of an I/O thread: which connections and listeners it serves next, without waiting for an edge.
//!
//! Connections whose handshake is over come first, each once in a round. Then come handshakes and listeners, as long as there
//! is time for them. Of the handshakes, one that has had few turns comes before one that has had many, and among those the
//! oldest comes first. So peers appear in the order in which they connected, as with libzmq's I/O thread; and no peer keeps
//! others out by sending one byte after the other. Streams of refused peers ([`super::half_closed`]) come last.
//!
//! Handshakes and listeners take turns with each other, and so do the listeners: many connects at one listener do not delay
//! those at another.

use std::collections::{BTreeSet, VecDeque};

/// A handshake that has had fewer turns than this comes before one that began later. Most need four turns.
const FEW: u32 = 8;

/// What waits for a turn. Nothing is in here twice: each connection, half-closed stream and listener has a flag `waits`.
#[derive(Default)]
pub(super) struct Turns {
    peers: VecDeque<u64>,
    handshakes: BTreeSet<(u32, u64)>,
    listeners: VecDeque<u64>,
    /// Whether the last turn that was not a peer's was a listener's.
    listened: bool,
}

/// What has the next turn.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Handshake(u64),
    Listener(u64),
}

impl Turns {
    pub(super) fn is_empty(&self) -> bool {
        self.peers.is_empty() && self.handshakes.is_empty() && self.listeners.is_empty()
    }

    pub(super) fn add_peer(&mut self, id: u64) {
        self.peers.push_back(id);
    }

    /// Adds a handshake that has had so many turns. Connections are numbered in the order in which they were made.
    pub(super) fn add_handshake(&mut self, id: u64, turns: u32) {
        self.handshakes.insert((turns / FEW, id));
    }

    pub(super) fn add_refused(&mut self, id: u64) {
        self.handshakes.insert((u32::MAX, id));
    }

    pub(super) fn add_listener(&mut self, id: u64) {
        self.listeners.push_back(id);
    }

    /// Takes the peers of one round.
    pub(super) fn take_peers(&mut self) -> VecDeque<u64> {
        std::mem::take(&mut self.peers)
    }

    /// Takes the next handshake or listener.
    pub(super) fn next_handshake(&mut self) -> Option<Next> {
        self.listened = (self.handshakes.is_empty() || !self.listened) && !self.listeners.is_empty();
        if self.listened {
            self.listeners.pop_front().map(Next::Listener)
        } else {
            self.handshakes.pop_first().map(|(_, id)| Next::Handshake(id))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handshakes_come_by_age_until_they_have_had_many_turns_and_the_refused_last() {
        let mut turns = Turns::default();
        turns.add_refused(1);
        turns.add_handshake(2, FEW);
        turns.add_handshake(5, 0);
        turns.add_handshake(4, FEW - 1);
        turns.add_handshake(3, 3 * FEW);
        let order: Vec<Next> = std::iter::from_fn(|| turns.next_handshake()).collect();
        assert_eq!(order, [4, 5, 2, 3, 1].map(Next::Handshake));
        assert!(turns.is_empty());
    }

    #[test]
    fn who_was_let_in_has_a_turn_before_others_are_and_listeners_take_turns() {
        let mut turns = Turns::default();
        [10, 11].into_iter().for_each(|id| turns.add_listener(id));
        [1, 2].into_iter().for_each(|id| turns.add_handshake(id, 0));
        assert_eq!(turns.next_handshake(), Some(Next::Listener(10)));
        turns.add_listener(10);
        let order: Vec<Next> = std::iter::from_fn(|| turns.next_handshake()).collect();
        let [a, b] = [1, 2].map(Next::Handshake);
        assert_eq!(order, [a, Next::Listener(11), b, Next::Listener(10)]);
        assert!(turns.is_empty());
    }

    #[test]
    fn peers_of_one_round_do_not_wait_for_those_who_come_meanwhile() {
        let mut turns = Turns::default();
        turns.add_peer(2);
        turns.add_peer(1);
        let round = turns.take_peers();
        turns.add_peer(2);
        assert_eq!(round, [2, 1]);
        assert!(!turns.is_empty());
    }
}
