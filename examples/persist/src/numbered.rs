//! Messages of the two programs: each has a number, a content that follows from the number, and a checksum.

use zeroxide::Frame;

/// Returns the message with this number.
#[must_use]
pub fn numbered(number: u64) -> Frame {
    let mut bytes = number.to_be_bytes().to_vec();
    // Of 100 to 899 bytes.
    let length = 100 + number.wrapping_mul(7919) % 800;
    bytes.extend((0..length).map(|at| (number ^ at.wrapping_mul(31)) as u8));
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes.into()
}

/// Returns the number of a message, or `None` if the message is not as it was sent.
#[must_use]
pub fn number_of(bytes: &[u8]) -> Option<u64> {
    let (content, check) = bytes.split_last_chunk()?;
    (crc32fast::hash(content) == u32::from_be_bytes(*check)).then_some(())?;
    Some(u64::from_be_bytes(*content.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_whole_or_has_no_number() {
        let message = numbered(70_000);
        assert_eq!(number_of(&message), Some(70_000));
        for at in [0, 7, 8, message.len() - 5, message.len() - 1] {
            let mut damaged = message.to_vec();
            damaged[at] ^= 1;
            assert_eq!(number_of(&damaged), None, "byte {at}");
        }
        assert_eq!(number_of(&message[..3]), None);
    }
}
