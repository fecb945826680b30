//! The line: connections that want a turn of the I/O thread without waiting for an edge, and listeners where somebody knocks.
//!
//! Peers come first, each once in a round. Of strangers, whose handshakes are not over, there may be no time for all: who
//! has had few turns comes before who has had many, and among those the oldest. So peers appear in the order in which
//! they connected, as with libzmq's I/O thread, where round robin shows it; and nobody keeps the others out by sending byte
//! after byte. The end of a refused connection ([`super::half_closed`]) comes last.
//!
//! Those who knock are strangers, too. They and those who were let in take turns, so that neither keeps the other waiting;
//! and so do the listeners among themselves: a crowd at one is no crowd at another.

use std::collections::{BTreeSet, VecDeque};

/// Turns that a handshake may have had and still come before one that began later; most need four.
const FEW: u32 = 8;

/// Who waits for a turn. That nobody waits twice is seen to by `waits` of a connection, of a half-closed stream and of a listener.
#[derive(Default)]
pub(super) struct Line {
    peers: VecDeque<u64>,
    strangers: BTreeSet<(u32, u64)>,
    listeners: VecDeque<u64>,
    /// A listener had the last turn of theirs and strangers'.
    listened: bool,
}

/// Whose turn it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Stranger(u64),
    Listener(u64),
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.peers.is_empty() && self.strangers.is_empty() && self.listeners.is_empty()
    }

    pub(super) fn add_peer(&mut self, id: u64) {
        self.peers.push_back(id);
    }

    /// Connections are numbered in the order in which they were made.
    pub(super) fn add_stranger(&mut self, id: u64, turns: u32) {
        self.strangers.insert((turns / FEW, id));
    }

    pub(super) fn add_refused(&mut self, id: u64) {
        self.strangers.insert((u32::MAX, id));
    }

    pub(super) fn add_listener(&mut self, id: u64) {
        self.listeners.push_back(id);
    }

    /// The peers of one round.
    pub(super) fn take_peers(&mut self) -> VecDeque<u64> {
        std::mem::take(&mut self.peers)
    }

    /// Who is next of strangers and listeners.
    pub(super) fn next_stranger(&mut self) -> Option<Next> {
        self.listened = (self.strangers.is_empty() || !self.listened) && !self.listeners.is_empty();
        match self.listened {
            true => self.listeners.pop_front().map(Next::Listener),
            false => self.strangers.pop_first().map(|(_, id)| Next::Stranger(id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_come_by_age_until_they_have_had_many_turns_and_the_refused_last() {
        let mut line = Line::default();
        line.add_refused(1);
        line.add_stranger(2, FEW);
        line.add_stranger(5, 0);
        line.add_stranger(4, FEW - 1);
        line.add_stranger(3, 3 * FEW);
        let order: Vec<Next> = std::iter::from_fn(|| line.next_stranger()).collect();
        assert_eq!(order, [4, 5, 2, 3, 1].map(Next::Stranger));
        assert!(line.is_empty());
    }

    #[test]
    fn who_was_let_in_has_a_turn_before_others_are_and_listeners_take_turns() {
        let mut line = Line::default();
        [10, 11].into_iter().for_each(|id| line.add_listener(id));
        [1, 2].into_iter().for_each(|id| line.add_stranger(id, 0));
        assert_eq!(line.next_stranger(), Some(Next::Listener(10)));
        line.add_listener(10);
        let order: Vec<Next> = std::iter::from_fn(|| line.next_stranger()).collect();
        let [a, b] = [1, 2].map(Next::Stranger);
        assert_eq!(order, [a, Next::Listener(11), b, Next::Listener(10)]);
        assert!(line.is_empty());
    }

    #[test]
    fn peers_of_one_round_do_not_wait_for_those_who_come_meanwhile() {
        let mut line = Line::default();
        line.add_peer(2);
        line.add_peer(1);
        let round = line.take_peers();
        line.add_peer(2);
        assert_eq!(round, [2, 1]);
        assert!(!line.is_empty());
    }
}
