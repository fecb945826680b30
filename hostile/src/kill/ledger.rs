//! What was sent and received, and whether anything came torn, twice or out of order.

use std::collections::{HashMap, HashSet};

use super::player::{Event, Way};

/// The faults and the counts of one run.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Messages that a side was about to send.
    pub(super) sent: u64,
    /// Messages that arrived, without replies.
    pub(super) received: u64,
    /// Messages that were not whole.
    pub(super) torn: u64,
    /// Messages that arrived a second time.
    pub(super) doubled: u64,
    /// Messages that arrived after a later one of the same maker, from the same sender, at the same receiver.
    pub(super) reordered: u64,
    last: HashMap<(Way, u32, u32, u32), u64>,
    seen: HashSet<(Way, u32, u32, u64)>,
    is_published: bool,
}

impl Ledger {
    /// An empty one; `is_published`: a message may go to more than one receiver.
    pub(super) fn new(is_published: bool) -> Ledger {
        Ledger { is_published, ..Ledger::default() }
    }

    /// Adds what a side says.
    pub(super) fn add(&mut self, event: Event) {
        match event {
            Event::Sent => self.sent += 1,
            Event::Torn => self.torn += 1,
            Event::Got { way, from, to, number } => {
                self.received += u64::from(way == Way::There);
                // A publisher gives each subscriber its own copy; all others give a message to one peer.
                let copy = if self.is_published { to } else { 0 };
                self.doubled += u64::from(!self.seen.insert((way, copy, number.sender, number.seq)));
                let last = self.last.insert((way, number.sender, from, to), number.seq);
                self.reordered += u64::from(last.is_some_and(|last| last > number.seq));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbered::Number;

    #[test]
    fn each_subscriber_has_a_copy_and_no_second_one() {
        let mut ledger = Ledger::new(true);
        [got(0, 1, 7), got(0, 2, 7)].into_iter().for_each(|event| ledger.add(event));
        assert_eq!(ledger.doubled, 0);
        ledger.add(got(0, 2, 7));
        assert_eq!(ledger.doubled, 1);
    }

    fn got(from: u32, to: u32, seq: u64) -> Event {
        Event::Got { way: Way::There, from, to, number: Number { sender: from, seq } }
    }

    #[test]
    fn gaps_are_no_fault_and_repetitions_and_steps_back_are() {
        let mut ledger = Ledger::default();
        [got(1, 0, 0), got(1, 0, 5), got(2, 0, 0)].into_iter().for_each(|event| ledger.add(event));
        assert_eq!((ledger.received, ledger.doubled, ledger.reordered), (3, 0, 0));
        // Another receiver gets what waited for it.
        ledger.add(got(1, 3, 2));
        assert_eq!((ledger.doubled, ledger.reordered), (0, 0));
        ledger.add(got(1, 0, 4));
        assert_eq!((ledger.doubled, ledger.reordered), (0, 1));
        ledger.add(got(1, 4, 2));
        assert_eq!((ledger.doubled, ledger.reordered), (1, 1));
    }
}
