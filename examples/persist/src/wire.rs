//! Ids, and the frames that carry them.

use std::fmt;

use uuid::Uuid;
use zeroxide::Frame;

/// How far the numbers of a sender reach above the smallest that is not acknowledged.
pub const WINDOW: u64 = 500;

/// What an inbox sends to a new peer. Acknowledgements have another length.
pub(crate) const HELLO: &[u8] = b"hello";

/// Which message it is, among all of all senders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    /// The id of the outbox's file.
    pub sender: Uuid,
    /// Its number, from 1.
    pub number: u64,
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.number, self.sender)
    }
}

/// The frame ahead of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) id: MessageId,
    /// The smallest number of this sender that is not acknowledged.
    pub(crate) oldest: u64,
}

impl Label {
    pub(crate) fn frame(&self) -> Frame {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(self.id.sender.as_bytes());
        bytes[16..24].copy_from_slice(&self.id.number.to_be_bytes());
        bytes[24..].copy_from_slice(&self.oldest.to_be_bytes());
        Frame::from(&bytes)
    }

    /// Returns `None` for what no outbox sends.
    pub(crate) fn read(frame: &[u8]) -> Option<Label> {
        let (sender, numbers) = frame.split_first_chunk()?;
        let [number, oldest] = numbers_of(numbers)?.try_into().ok()?;
        let id = MessageId { sender: Uuid::from_bytes(*sender), number };
        (oldest > 0 && oldest <= number && number - oldest < WINDOW).then_some(Label { id, oldest })
    }
}

/// Which messages of a sender are done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Acknowledgement {
    /// All that are smaller.
    pub(crate) below: u64,
    /// And these.
    pub(crate) beyond: Vec<u64>,
}

impl Acknowledgement {
    pub(crate) fn frame(&self) -> Frame {
        let numbers = std::iter::once(&self.below).chain(&self.beyond);
        numbers.flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>().into()
    }

    pub(crate) fn read(frame: &[u8]) -> Option<Acknowledgement> {
        let numbers = numbers_of(frame)?;
        let (&below, beyond) = numbers.split_first()?;
        Some(Acknowledgement { below, beyond: beyond.to_vec() })
    }
}

fn numbers_of(bytes: &[u8]) -> Option<Vec<u64>> {
    let (numbers, rest) = bytes.as_chunks();
    rest.is_empty().then(|| numbers.iter().map(|number| u64::from_be_bytes(*number)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_and_an_acknowledgement_survive_their_frames() {
        let id = MessageId { sender: Uuid::from_u128(7), number: 9 };
        let label = Label { id, oldest: 3 };
        assert_eq!(Label::read(&label.frame()), Some(label));
        let done = Acknowledgement { below: 4, beyond: vec![6, 9] };
        assert_eq!(Acknowledgement::read(&done.frame()), Some(done));
    }

    #[test]
    fn what_no_outbox_sends_is_refused() {
        let frame =
            |number, oldest| Label { id: MessageId { sender: Uuid::from_u128(7), number }, oldest }.frame();
        assert!(Label::read(&frame(WINDOW, 1)).is_some());
        for (number, oldest) in [(WINDOW + 1, 1), (1, 2), (0, 0), (u64::MAX, 1)] {
            assert_eq!(Label::read(&frame(number, oldest)), None, "{number} {oldest}");
        }
        for length in [0, 16, 31, 33, 40] {
            assert_eq!(Label::read(&vec![1; length]), None, "{length} bytes");
        }
        for wrong in [&b""[..], HELLO, b"123456789"] {
            assert_eq!(Acknowledgement::read(wrong), None);
        }
    }
}
