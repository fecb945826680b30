//! The newest messages of one topic.

use std::collections::VecDeque;

use zeroxide::Message;

/// The newest messages of one topic, up to a number of them.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    /// The number of the next message.
    next: u64,
    kept: VecDeque<Message>,
}

impl Ring {
    /// Adds a message, and forgets the oldest if there are more than `keep`. Returns its number.
    pub(crate) fn push(&mut self, message: Message, keep: usize) -> u64 {
        self.kept.push_back(message);
        if self.kept.len() > keep {
            self.kept.pop_front();
        }
        self.next += 1;
        self.next - 1
    }

    /// Returns the number of the next message.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Returns the number of the oldest message that is kept.
    pub(crate) fn oldest(&self) -> u64 {
        self.next - self.kept.len() as u64
    }

    /// Returns the messages from `number` on, with their numbers.
    pub(crate) fn from(&self, number: u64) -> impl Iterator<Item = (u64, &Message)> {
        let skip = number.saturating_sub(self.oldest());
        (self.oldest()..).zip(&self.kept).skip(usize::try_from(skip).unwrap_or(usize::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_the_newest_and_knows_their_numbers() {
        let mut ring = Ring::default();
        assert_eq!((ring.next(), ring.oldest(), ring.from(0).count()), (0, 0, 0));
        for n in 0..5u8 {
            assert_eq!(ring.push(Message::from(vec![n]), 3), u64::from(n));
        }
        assert_eq!((ring.next(), ring.oldest()), (5, 2));
        let from = |number| ring.from(number).map(|(n, message)| (n, message[0][0])).collect::<Vec<_>>();
        assert_eq!(from(0), [(2, 2), (3, 3), (4, 4)]);
        assert_eq!(from(4), [(4, 4)]);
        assert_eq!(from(9), []);
    }
}
