//! The layout of a message.

use std::time::{Duration, SystemTime};

/// What is ahead of a picture in its message: 24 bytes, all numbers with the most significant byte first.
///
/// | bytes | what |
/// |---|---|
/// | 0 to 3 | `ZVF1`, which is also the topic to subscribe to |
/// | 4 to 11 | the number of the picture; each is one more than that before it |
/// | 12 to 19 | when it was taken, in microseconds since 1970 (UTC) |
/// | 20, 21 | its width in pixels |
/// | 22, 23 | its height in pixels |
/// | 24 and on | the picture, a JPEG file |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The number of the picture.
    pub number: u64,
    /// When it was taken, in microseconds since 1970 (UTC).
    pub taken: u64,
    /// Its width in pixels.
    pub width: u16,
    /// Its height in pixels.
    pub height: u16,
}

impl Header {
    /// How a message begins, and what a viewer subscribes to.
    pub const TOPIC: &[u8; 4] = b"ZVF1";
    /// How many bytes it has.
    pub const LENGTH: usize = 24;

    /// Returns the message for this picture.
    #[must_use]
    pub fn with(&self, jpeg: &[u8]) -> Vec<u8> {
        let mut message = Vec::with_capacity(Header::LENGTH + jpeg.len());
        message.extend(Header::TOPIC);
        message.extend(self.number.to_be_bytes());
        message.extend(self.taken.to_be_bytes());
        message.extend(self.width.to_be_bytes());
        message.extend(self.height.to_be_bytes());
        message.extend(jpeg);
        message
    }

    /// Returns the header and the picture of a message, or `None` if it is no message of this kind.
    #[must_use]
    pub fn read(message: &[u8]) -> Option<(Header, &[u8])> {
        let (number, rest) = message.strip_prefix(Header::TOPIC)?.split_first_chunk()?;
        let (taken, rest) = rest.split_first_chunk()?;
        let (width, rest) = rest.split_first_chunk()?;
        let (height, jpeg) = rest.split_first_chunk()?;
        let header = Header {
            number: u64::from_be_bytes(*number),
            taken: u64::from_be_bytes(*taken),
            width: u16::from_be_bytes(*width),
            height: u16::from_be_bytes(*height),
        };
        Some((header, jpeg))
    }

    /// Returns how long ago the picture was taken, by this machine's clock.
    #[must_use]
    pub fn age(&self) -> Duration {
        Duration::from_micros(now().saturating_sub(self.taken))
    }
}

/// Returns the time in microseconds since 1970 (UTC).
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_the_documented_one() {
        let header = Header { number: 258, taken: 3, width: 640, height: 480 };
        let message = header.with(b"jpeg");
        assert_eq!(message, b"ZVF1\0\0\0\0\0\0\x01\x02\0\0\0\0\0\0\0\x03\x02\x80\x01\xe0jpeg");
        assert_eq!(Header::read(&message), Some((header, &b"jpeg"[..])));
    }

    #[test]
    fn what_is_too_short_or_of_another_kind_is_refused() {
        let message = Header { number: 1, taken: 2, width: 3, height: 4 }.with(b"");
        assert!((0..Header::LENGTH).all(|length| Header::read(&message[..length]).is_none()));
        let other = [b"ZVF2", &message[4..]].concat();
        assert_eq!(Header::read(&other), None);
    }
}
