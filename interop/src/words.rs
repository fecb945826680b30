//! Frames as words of the line protocol, and the generated frames that both ends can make for themselves.

use std::fmt::Write as _;

/// Frames up to this size are told in full.
const SHORT: usize = 64;

/// The frame that a word of a command stands for; `None` for one that stands for none.
#[must_use]
pub fn frame(word: &str) -> Option<Vec<u8>> {
    if word == "-" {
        return Some(Vec::new());
    }
    let (kind, rest) = word.split_once(':')?;
    match kind {
        "t" => Some(rest.as_bytes().to_vec()),
        "h" => from_hex(rest),
        "f" => {
            let (size, seed) = rest.split_once(':')?;
            Some(fill(size.parse().ok()?, seed.parse().ok()?))
        }
        _ => None,
    }
}

/// How an answer tells a frame.
#[must_use]
pub fn told(frame: &[u8]) -> String {
    match frame.len() {
        0 => "-".to_owned(),
        1..=SHORT => format!("h:{}", hex(frame)),
        size => format!("d:{size}:{:08x}", crc32(frame)),
    }
}

/// How an answer tells the frame of a command's word; a word that is none stays as it is.
#[must_use]
pub fn retold(word: &str) -> String {
    frame(word).map_or_else(|| word.to_owned(), |frame| told(&frame))
}

/// The generated frame: byte i is (seed + i) mod 251. The period is prime, so that it falls in step with no buffer.
#[must_use]
pub fn fill(size: usize, seed: u32) -> Vec<u8> {
    let start = u64::from(seed) % 251;
    (start..).take(size).map(|byte| (byte % 251) as u8).collect()
}

/// The last frame of numbered message `n`.
#[must_use]
pub fn numbered(n: u32) -> Vec<u8> {
    let mut frame = n.to_be_bytes().to_vec();
    frame.extend_from_slice(&fill(n as usize % 301, n));
    frame
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || text.len() % 2 != 0 {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// CRC-32 of IEEE 802.3, as zlib computes it.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    !bytes.iter().fold(!0, |crc, byte| (crc >> 8) ^ TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize])
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let mut crc = n as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[n] = crc;
        n += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_for_frames() {
        assert_eq!(frame("-"), Some(vec![]));
        assert_eq!(frame("t:a:b"), Some(b"a:b".to_vec()));
        assert_eq!(frame("h:00ff10"), Some(vec![0, 255, 16]));
        assert_eq!(frame("f:4:249"), Some(vec![249, 250, 0, 1]));
        for word in ["", "a", "h:0", "h:zz", "h:é0", "f:1", "f:x:0", "d:1:00000000"] {
            assert_eq!(frame(word), None, "{word}");
        }
    }

    #[test]
    fn answers_tell_short_frames_and_digest_long_ones() {
        assert_eq!(told(b""), "-");
        assert_eq!(told(&[0xab; 64]), format!("h:{}", "ab".repeat(64)));
        assert_eq!(told(&[0xab; 65]).split(':').collect::<Vec<_>>()[..2], ["d", "65"]);
    }

    #[test]
    fn the_check_value_of_crc32_is_right() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn numbered_messages_differ_and_cross_the_long_frame_border() {
        assert_eq!(numbered(2), [0, 0, 0, 2, 2, 3]);
        assert_eq!(numbered(300).len(), 304);
        assert_eq!(numbered(301).len(), 4);
    }
}
