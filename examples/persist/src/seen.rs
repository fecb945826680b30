//! What an inbox remembers of one sender.

use std::collections::BTreeSet;

use crate::wire::{Acknowledgement, WINDOW};

/// Which numbers of one sender are done: all below one, and a few above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    below: u64,
    /// Each is above `below` and less than [`WINDOW`] above.
    beyond: BTreeSet<u64>,
}

impl Default for Seen {
    /// Nothing is done; numbers begin with 1.
    fn default() -> Seen {
        Seen { below: 1, beyond: BTreeSet::new() }
    }
}

impl Seen {
    pub(crate) fn new(below: u64, beyond: Vec<u64>) -> Seen {
        Seen { below, beyond: beyond.into_iter().collect() }
    }

    pub(crate) fn has(&self, number: u64) -> bool {
        number < self.below || self.beyond.contains(&number)
    }

    /// Notes that a number is done.
    pub(crate) fn add(&mut self, number: u64) {
        if !self.has(number) {
            self.beyond.insert(number);
        }
        self.close_up();
    }

    /// Notes that the sender has acknowledgements for all below `oldest`, maybe from an inbox whose file was lost.
    pub(crate) fn skip_to(&mut self, oldest: u64) {
        self.below = self.below.max(oldest);
        self.beyond = self.beyond.split_off(&self.below);
        self.close_up();
    }

    pub(crate) fn acknowledgement(&self) -> Acknowledgement {
        Acknowledgement { below: self.below, beyond: self.beyond.iter().copied().collect() }
    }

    fn close_up(&mut self) {
        while self.beyond.remove(&self.below) {
            self.below += 1;
        }
        debug_assert!(self.beyond.last().is_none_or(|last| last - self.below < WINDOW));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_shrinks_to_one_number_when_gaps_are_filled() {
        let mut seen = Seen::default();
        for number in [3, 1, 5, 5, 2] {
            seen.add(number);
        }
        assert_eq!(seen, Seen::new(4, vec![5]));
        assert!(seen.has(1) && seen.has(3) && seen.has(5));
        assert!(!seen.has(4) && !seen.has(6));
        seen.add(4);
        assert_eq!(seen, Seen::new(6, vec![]));
    }

    #[test]
    fn what_the_sender_knows_as_done_is_done() {
        let mut seen = Seen::new(1, vec![3, 6, 7, 9]);
        seen.skip_to(6);
        assert_eq!(seen, Seen::new(8, vec![9]));
        seen.skip_to(2);
        assert_eq!(seen, Seen::new(8, vec![9]));
    }
}
