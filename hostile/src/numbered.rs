//! Messages that tell who sent them, which one they are, and whether they are whole.
//!
//! The first frame is the sender (u32), the number (u64), the count of the frames that follow (u8) and their checksum
//! (u32), each in network byte order. If the count is 0, the body follows in the same frame.

use anyhow::{Context as _, Result, bail, ensure};
use fastrand::Rng;
use zeroxide::{Frame, Message};

/// The bytes of the first frame.
const HEAD: usize = 4 + 8 + 1 + 4;
/// Bytes of the smallest message.
pub const SMALLEST: usize = HEAD + 64;

/// Which message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// Which life of which side sent it.
    pub sender: u32,
    /// Counts the messages of that life, from 0.
    pub seq: u64,
}

impl Number {
    fn head(self, count: u8, checksum: u32) -> Vec<u8> {
        let mut head = Vec::with_capacity(HEAD);
        head.extend(self.sender.to_be_bytes());
        head.extend(self.seq.to_be_bytes());
        head.push(count);
        head.extend(checksum.to_be_bytes());
        head
    }
}

fn checksum<'a>(frames: impl Iterator<Item = &'a [u8]>) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for frame in frames {
        hasher.update(&(frame.len() as u64).to_be_bytes());
        hasher.update(frame);
    }
    hasher.finalize()
}

/// A message of one to three frames after the first. Most are short; one in fifty has up to `largest` bytes.
#[must_use]
pub fn make(number: Number, largest: usize, rng: &mut Rng) -> Message {
    let size = match rng.u8(..) {
        0..180 => rng.usize(64..1000),
        180..250 => rng.usize(1000..65536),
        _ => rng.usize(65536..largest.max(65537)),
    };
    let count = rng.u8(1..=3);
    let bodies: Vec<Vec<u8>> = (0..count).map(|_| vec![rng.u8(..); size / usize::from(count) + 1]).collect();
    let head = number.head(count, checksum(bodies.iter().map(Vec::as_slice)));
    std::iter::once(head).chain(bodies).map(Frame::from).collect()
}

/// A message of one frame, for the types that send no more. Half of them are so short that they are kept in place.
#[must_use]
pub fn single(number: Number, largest: usize, rng: &mut Rng) -> Message {
    let size = match rng.u8(..) {
        0..128 => rng.usize(0..64 - HEAD),
        128..220 => rng.usize(64..4000),
        220..250 => rng.usize(4000..65536),
        _ => rng.usize(65536..largest.max(65537)),
    };
    let body = vec![rng.u8(..); size];
    let mut frame = number.head(0, checksum(std::iter::once(&body[..])));
    frame.extend(body);
    Message::from(frame)
}

/// The number of a message that is whole.
///
/// # Errors
/// It is not: frames are missing, too many, or changed.
pub fn read(message: &Message) -> Result<Number> {
    let head = message.first().context("no frame")?;
    ensure!(head.len() >= HEAD, "the first frame has {} bytes", head.len());
    let number = Number {
        sender: u32::from_be_bytes(head[..4].try_into()?),
        seq: u64::from_be_bytes(head[4..12].try_into()?),
    };
    ensure!(
        message.len() == 1 + usize::from(head[12]),
        "{} frames, {} announced",
        message.len() - 1,
        head[12]
    );
    let sum = match head[12] {
        0 => checksum(std::iter::once(&head[HEAD..])),
        _ if head.len() > HEAD => bail!("the first frame has {} bytes", head.len()),
        _ => checksum(message.iter().skip(1).map(|frame| &frame[..])),
    };
    ensure!(head[13..HEAD] == sum.to_be_bytes(), "the checksum is wrong");
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_a_missing_and_an_added_frame_are_noticed() {
        let mut rng = Rng::with_seed(7);
        let number = Number { sender: 3, seq: 9 };
        for _ in 0..100 {
            let message = make(number, 100_000, &mut rng);
            assert_eq!(read(&message).unwrap(), number);
            let frames: Vec<Vec<u8>> = message.iter().map(|frame| frame.to_vec()).collect();
            let of = |frames: &[Vec<u8>]| frames.iter().cloned().map(Frame::from).collect::<Message>();
            assert!(read(&of(&frames[..frames.len() - 1])).is_err(), "one is missing");
            assert!(read(&of(&[&frames[..], &frames[1..2]].concat())).is_err(), "one is too many");
            let mut changed = frames.clone();
            let last = changed.last_mut().unwrap();
            let at = rng.usize(..last.len());
            last[at] ^= 1;
            assert!(read(&of(&changed)).is_err(), "one is changed");
            let mut shorter = frames;
            shorter.last_mut().unwrap().pop();
            assert!(read(&of(&shorter)).is_err(), "one is shorter");
        }
    }

    #[test]
    fn a_single_frame_that_is_changed_or_cut_is_noticed() {
        let mut rng = Rng::with_seed(7);
        let number = Number { sender: 3, seq: 9 };
        for _ in 0..100 {
            let message = single(number, 100_000, &mut rng);
            assert_eq!((read(&message).unwrap(), message.len()), (number, 1));
            let whole = message[0].to_vec();
            let mut changed = whole.clone();
            let at = rng.usize(HEAD - 4..whole.len());
            changed[at] ^= 1;
            assert!(read(&Message::from(changed)).is_err(), "a byte is changed");
            assert!(read(&Message::from(&whole[..whole.len() - 1])).is_err(), "it is cut");
        }
    }
}
