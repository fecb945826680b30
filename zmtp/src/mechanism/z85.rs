//! Z85 (RFC 32): encodes four bytes as five printable characters, most significant first.

use std::fmt;

const ALPHABET: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// Why a text is not valid Z85, or bytes cannot be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Z85Error {
    /// The number of bytes is not a multiple of four, or the number of characters not a multiple of five.
    Length {
        /// The number of bytes or characters.
        length: usize,
    },
    /// A character is not one of the 85, or it is the fifth of a group whose value exceeds 32 bits.
    Character {
        /// Its offset, in bytes.
        at: usize,
    },
}

impl fmt::Display for Z85Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Z85Error::Length { length } => write!(f, "no Z85 has the length {length}"),
            Z85Error::Character { at } => write!(f, "byte {at} is no Z85"),
        }
    }
}

impl std::error::Error for Z85Error {}

/// Encodes bytes as text, which is a quarter longer.
///
/// ```
/// use zeroxide_zmtp::mechanism::z85;
/// let bytes = [0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B];
/// assert_eq!(z85::encode(&bytes)?, "HelloWorld");
/// # Ok::<(), z85::Z85Error>(())
/// ```
///
/// # Errors
/// Returns [`Z85Error::Length`] if the number of bytes is not a multiple of four (RFC 32 has no padding).
pub fn encode(bytes: &[u8]) -> Result<String, Z85Error> {
    if bytes.len() % 4 != 0 {
        return Err(Z85Error::Length { length: bytes.len() });
    }
    let mut text = String::with_capacity((bytes.len() / 4).saturating_mul(5));
    for group in bytes.chunks_exact(4) {
        let mut value = group.iter().fold(0, |value, byte| value << 8 | u32::from(*byte));
        let mut digits = [0; 5];
        for place in digits.iter_mut().rev() {
            *place = digit((value % 85) as u8);
            value /= 85;
        }
        text.extend(digits.map(char::from));
    }
    Ok(text)
}

/// Decodes text to bytes.
///
/// # Errors
/// Returns an error if the text is not valid Z85.
pub fn decode(text: &str) -> Result<Vec<u8>, Z85Error> {
    if text.len() % 5 != 0 {
        return Err(Z85Error::Length { length: text.len() });
    }
    let mut bytes = Vec::with_capacity((text.len() / 5).saturating_mul(4));
    for (first, five) in (0..).step_by(5).zip(text.as_bytes().chunks_exact(5)) {
        let mut value: u64 = 0;
        for (at, character) in (first..).zip(five) {
            let worth = worth(*character).ok_or(Z85Error::Character { at })?;
            value = value.saturating_mul(85).saturating_add(u64::from(worth));
        }
        let last = Z85Error::Character { at: first.saturating_add(4) };
        let value = u32::try_from(value).map_err(|_| last)?;
        bytes.extend_from_slice(&value.to_be_bytes());
    }
    Ok(bytes)
}

/// Returns the character for `value`, which is below 85. Secret keys are encoded with it: it reads every entry, so that
/// no memory access depends on the secret.
fn digit(value: u8) -> u8 {
    (0_u8..).zip(ALPHABET).fold(0, |found, (index, character)| found | (character & equal(index, value)))
}

/// Returns the value of a character. It reads every entry, for the same reason.
fn worth(character: u8) -> Option<u8> {
    let (mut found, mut known) = (0, 0);
    for (index, candidate) in (0_u8..).zip(ALPHABET) {
        let same = equal(*candidate, character);
        found |= index & same;
        known |= same;
    }
    (known != 0).then_some(found)
}

/// Returns all ones if `a` equals `b`, else zero, without a branch.
fn equal(a: u8, b: u8) -> u8 {
    let difference = u16::from(a ^ b);
    // The subtraction borrows from the upper byte only for 0.
    (difference.wrapping_sub(1) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc_32s_example() {
        let bytes = [0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B];
        assert_eq!(encode(&bytes).unwrap(), "HelloWorld");
        assert_eq!(decode("HelloWorld").unwrap(), bytes);
        assert_eq!((encode(&[]).unwrap(), decode("").unwrap()), (String::new(), vec![]));
    }

    #[test]
    fn what_is_no_z85_is_refused() {
        assert_eq!(encode(&[1, 2, 3]), Err(Z85Error::Length { length: 3 }));
        assert_eq!(decode("1234"), Err(Z85Error::Length { length: 4 }));
        for (text, at) in [("1234 ", 4), ("12345a\"bcd", 6), ("1234~", 4), ("é123", 0), ("123\u{0}5", 3)] {
            assert_eq!(decode(text), Err(Z85Error::Character { at }), "{text:?}");
        }
        // The largest group, and the first beyond it.
        assert_eq!(decode("%nSc0").unwrap(), [0xFF; 4]);
        assert_eq!(decode("%nSc1"), Err(Z85Error::Character { at: 4 }));
        assert_eq!(decode("#####"), Err(Z85Error::Character { at: 4 }));
    }

    #[test]
    fn the_alphabet_is_rfc_32s() {
        for (index, character) in (0_u8..).zip(ALPHABET) {
            assert_eq!((digit(index), worth(*character)), (*character, Some(index)));
        }
        assert_eq!((0..=255).filter_map(worth).count(), 85);
    }

    proptest! {
        #[test]
        fn decode_undoes_encode(groups in prop::collection::vec(any::<[u8; 4]>(), 0..20)) {
            let bytes = groups.concat();
            prop_assert_eq!(decode(&encode(&bytes).unwrap()).unwrap(), bytes);
        }
    }
}
