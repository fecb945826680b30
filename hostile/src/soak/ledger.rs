//! What arrived one way on a link, and whether it was whole, once and in order on its connection.
//!
//! A sender keeps what waits over the loss of a connection; the receiver may still have unread messages of the old one. So the order
//! holds on each connection, and between two there is none.

use std::collections::{HashMap, HashSet};

use zeroxide::Message;

use crate::numbered;

/// The messages of one link, one way.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Messages that arrived whole.
    pub(super) received: u64,
    /// What was wrong.
    pub(super) faults: Vec<String>,
    bursts: HashMap<u32, Burst>,
}

/// The messages of one sender number.
#[derive(Debug, Default)]
struct Burst {
    sent: u64,
    seen: HashSet<u64>,
    /// The last one of each connection.
    last: HashMap<u64, u64>,
}

impl Ledger {
    /// Of this sender, numbers below `end` may arrive.
    pub(super) fn sent(&mut self, sender: u32, end: u64) {
        self.bursts.entry(sender).or_default().sent = end;
    }

    /// Adds a message that arrived.
    pub(super) fn take(&mut self, message: &Message) {
        let number = match numbered::read(message) {
            Ok(number) => number,
            Err(error) => return self.faults.push(format!("torn: {error}")),
        };
        let Some(burst) = self.bursts.get_mut(&number.sender).filter(|burst| number.seq < burst.sent) else {
            return self.faults.push(format!("never sent: {number:?}"));
        };
        // A raw connection's messages have no peer, and only the newest one is read.
        let connection = message.peer().map_or(0, |peer| peer.connection);
        if !burst.seen.insert(number.seq) {
            return self.faults.push(format!("doubled: {number:?}"));
        }
        self.received += 1;
        if let Some(last) = burst.last.insert(connection, number.seq).filter(|last| number.seq < *last) {
            self.faults.push(format!("out of order: {number:?} after {last}"));
        }
    }

    /// The last number of this sender that arrived.
    pub(super) fn last(&self, sender: u32) -> Option<u64> {
        self.bursts.get(&sender)?.last.values().max().copied()
    }

    /// How many messages of this sender arrived.
    pub(super) fn count(&self, sender: u32) -> u64 {
        self.bursts.get(&sender).map_or(0, |burst| burst.seen.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use fastrand::Rng;
    use zeroxide::Peer;

    use super::*;
    use crate::numbered::Number;

    fn message(sender: u32, seq: u64) -> Message {
        numbered::make(Number { sender, seq }, 0, &mut Rng::with_seed(seq))
    }

    fn on(connection: u64, mut message: Message) -> Message {
        message.set_peer(Some(Arc::new(Peer::new(connection, String::new(), Instant::now()))));
        message
    }

    #[test]
    fn messages_in_order_with_gaps_are_right_and_bursts_may_mix() {
        let mut ledger = Ledger::default();
        ledger.sent(1, 9);
        ledger.sent(2, 9);
        [(1, 0), (1, 3), (2, 0), (1, 4), (2, 8)].iter().for_each(|&(s, n)| ledger.take(&message(s, n)));
        assert_eq!((ledger.received, ledger.count(1), ledger.last(2)), (5, 3, Some(8)));
        // The old connection is read beside the new one.
        [(7, 5), (8, 7), (7, 6), (8, 8)].iter().for_each(|&(c, n)| ledger.take(&on(c, message(1, n))));
        assert!(ledger.faults.is_empty(), "{:?}", ledger.faults);
    }

    #[test]
    fn a_second_an_earlier_an_unknown_and_a_torn_message_are_faults() {
        let mut ledger = Ledger::default();
        ledger.sent(1, 9);
        ledger.take(&message(1, 5));
        let mut torn = message(1, 6);
        torn.pop_front();
        for wrong in [message(1, 5), message(1, 4), message(1, 9), message(2, 0), torn, on(8, message(1, 5))]
        {
            ledger.take(&wrong);
        }
        assert_eq!((ledger.received, ledger.faults.len()), (2, 6), "{:?}", ledger.faults);
    }
}
