//! What was sent and what came: each message carries its sender's number and its own, and its frames follow from these. So
//! whoever receives it knows whether it is whole, whether it came before, and whether it came in order.

use std::collections::HashMap;

use zeroxide::{Frame, Message};

/// What every message of ours begins with, after its topic.
const MAGIC: &[u8; 2] = b"Zx";

/// The topics that publishers use.
pub(crate) const TOPICS: [u8; 4] = *b"ABCD";

/// The one that every subscriber has from the beginning, for the messages that must arrive.
pub(crate) const FIRST: u8 = TOPICS[0];

/// Which message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Label {
    /// The life of a socket that has sent it. A socket that connects anew begins a new one.
    pub(crate) sender: u32,
    pub(crate) number: u32,
}

/// What messages a session has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// One frame each.
    pub(crate) single: bool,
    /// At most a few hundred bytes, for a network with small buffers.
    pub(crate) small: bool,
}

/// A message as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) label: Label,
    /// The message that it replies to.
    pub(crate) reply_to: Option<Label>,
}

impl Label {
    fn bytes(self) -> [u8; 8] {
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&self.sender.to_be_bytes());
        bytes[4..].copy_from_slice(&self.number.to_be_bytes());
        bytes
    }

    fn of(bytes: &[u8]) -> Option<Label> {
        let sender = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?);
        let number = u32::from_be_bytes(bytes.get(4..8)?.try_into().ok()?);
        Some(Label { sender, number })
    }

    /// The sizes of its frames beside what they must hold.
    fn sizes(self, shape: Shape) -> Vec<usize> {
        let mut random = fastrand::Rng::with_seed(u64::from(self.sender) << 32 | u64::from(self.number));
        let count = if shape.single { 1 } else { [1, 1, 2, 3][random.usize(..4)] };
        let size = |random: &mut fastrand::Rng| match random.usize(..64) {
            0 if !shape.small => 70_000,
            1..=4 if !shape.small => 2_000,
            5..=20 => 240,
            21..=40 => 30,
            _ => 0,
        };
        (0..count).map(|_| size(&mut random)).collect()
    }

    /// The message of this label.
    pub(crate) fn message(self, topic: u8, shape: Shape, reply_to: Option<Label>) -> Message {
        let mut message = Message::new();
        for (at, size) in self.sizes(shape).into_iter().enumerate() {
            let mut frame = Vec::with_capacity(size + 20);
            if at == 0 {
                frame.push(topic);
                frame.extend(MAGIC);
                frame.extend(self.bytes());
                frame.push(u8::from(reply_to.is_some()));
                frame.extend(reply_to.into_iter().flat_map(Label::bytes));
            }
            frame.extend((0..size).map(|n| (n as u32 ^ self.number ^ at as u32) as u8));
            message.push_back(Frame::from(frame));
        }
        message
    }

    /// What a received message is: `None` if it is nobody's of ours.
    ///
    /// # Errors
    /// If it is not whole.
    pub(crate) fn parse(message: &Message, shape: Shape) -> Option<Result<Parsed, String>> {
        let first = message.first()?;
        let topic = *first.first()?;
        if first.get(1..3)? != MAGIC {
            return None;
        }
        let label = Label::of(first.get(3..)?)?;
        let reply_to = match first.get(11)? {
            0 => None,
            _ => Some(Label::of(first.get(12..)?)?),
        };
        let expected = label.message(topic, shape, reply_to);
        let whole =
            expected.len() == message.len() && expected.iter().zip(message.iter()).all(|(a, b)| a == b);
        Some(if whole {
            Ok(Parsed { label, reply_to })
        } else {
            let lengths = |message: &Message| message.iter().map(|frame| frame.len()).collect::<Vec<_>>();
            Err(format!("{label:?} is torn: frames {:?}, sent {:?}", lengths(message), lengths(&expected)))
        })
    }
}

/// What one receiver has received.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// Each with its place among all.
    seen: HashMap<Label, u64>,
    /// The place of each sender's first message here.
    first: HashMap<u32, u64>,
    /// The last message of a sender on a connection.
    last: HashMap<(u32, u64), u32>,
    pub(crate) count: u64,
}

impl Received {
    /// Notes a message that came on a connection.
    ///
    /// # Errors
    /// If it has come before, or behind a later one.
    pub(crate) fn note(&mut self, label: Label, connection: u64) -> Result<(), String> {
        self.count += 1;
        self.first.entry(label.sender).or_insert(self.count);
        if self.seen.insert(label, self.count).is_some() {
            return Err(format!("{label:?} came twice"));
        }
        match self.last.insert((label.sender, connection), label.number) {
            Some(last) if last > label.number => Err(format!("{label:?} came after number {last}")),
            _ => Ok(()),
        }
    }

    /// Whether the first `count` messages of a sender have come.
    pub(crate) fn has_all(&self, sender: u32, count: u32) -> bool {
        (0..count).all(|number| self.has(Label { sender, number }))
    }

    /// Whether a message has come after the first one of a sender.
    pub(crate) fn is_behind(&self, label: Label, sender: u32) -> bool {
        let (place, first) = (self.seen.get(&label), self.first.get(&sender));
        place.zip(first).is_some_and(|(place, first)| place > first)
    }

    pub(crate) fn has(&self, label: Label) -> bool {
        self.seen.contains_key(&label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { single: false, small: true };

    fn label(sender: u32, number: u32) -> Label {
        Label { sender, number }
    }

    #[test]
    fn a_message_that_came_whole_is_known_and_a_torn_one_is_told() {
        let reply_to = Some(label(9, 4));
        for number in 0..100 {
            let label = label(3, number);
            let message = label.message(b'A', SHAPE, reply_to);
            assert_eq!(Label::parse(&message, SHAPE), Some(Ok(Parsed { label, reply_to })));
            let mut longer = message.clone();
            longer.push_back("more");
            assert!(Label::parse(&longer, SHAPE).is_some_and(|parsed| parsed.is_err()));
        }
        assert_eq!(Label::parse(&Message::from("hostile"), SHAPE), None);
    }

    #[test]
    fn what_comes_twice_or_behind_a_later_one_is_told() {
        let mut received = Received::default();
        assert_eq!(received.note(label(1, 0), 5), Ok(()));
        assert_eq!(received.note(label(1, 2), 5), Ok(()));
        assert_eq!(received.note(label(1, 1), 6), Ok(()), "another connection");
        assert!(received.note(label(1, 2), 6).is_err(), "twice");
        let mut received = Received::default();
        assert_eq!(received.note(label(1, 2), 5), Ok(()));
        assert!(received.note(label(1, 1), 5).is_err(), "out of order");
    }

    #[test]
    fn who_came_first_is_known() {
        let mut received = Received::default();
        [label(1, 0), label(2, 0), label(1, 1)].into_iter().for_each(|label| {
            let _ = received.note(label, 1);
        });
        assert!(received.is_behind(label(1, 1), 2));
        assert!(!received.is_behind(label(1, 0), 2));
        assert!(!received.is_behind(label(1, 0), 3), "nothing of it has come");
        assert!(received.has_all(1, 2) && !received.has_all(2, 2));
    }
}
