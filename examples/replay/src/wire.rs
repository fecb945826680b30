//! The frames of the protocol.

use zeroxide::{Frame, Message};

/// The kinds of answers.
pub(crate) const MESSAGE: &str = "message";
pub(crate) const GAP: &str = "gap";
pub(crate) const END: &str = "end";

/// Which message: the run of the publisher, and the number within the topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) run: u64,
    pub(crate) number: u64,
}

impl Mark {
    pub(crate) fn frame(self) -> Frame {
        Frame::from([self.run.to_be_bytes(), self.number.to_be_bytes()].concat())
    }

    pub(crate) fn parse(frame: &[u8]) -> Option<Mark> {
        let (run, number) = frame.split_first_chunk::<8>()?;
        Some(Mark { run: u64::from_be_bytes(*run), number: number_of(number)? })
    }
}

/// Returns the number in a frame of 8 bytes.
pub(crate) fn number_of(frame: &[u8]) -> Option<u64> {
    frame.try_into().ok().map(u64::from_be_bytes)
}

/// Splits topic and mark off a message.
pub(crate) fn split(mut message: Message) -> Option<(Frame, Mark, Message)> {
    let topic = message.pop_front()?;
    let mark = Mark::parse(&message.pop_front()?)?;
    Some((topic, mark, message))
}
