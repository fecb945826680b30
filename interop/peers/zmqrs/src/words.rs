//! Frames as words of the line protocol, and numbered messages.

/// Frames up to this size are told in full.
const SHORT: usize = 64;

/// The frame that a word of a command stands for; `None` for one that stands for none.
pub(crate) fn frame(word: &str) -> Option<Vec<u8>> {
    if word == "-" {
        return Some(Vec::new());
    }
    let (kind, rest) = word.split_once(':')?;
    match kind {
        "t" => Some(rest.as_bytes().to_vec()),
        "h" if rest.is_ascii() && rest.len() & 1 == 0 => {
            let pairs = (0..rest.len()).step_by(2).map(|at| &rest[at..at + 2]);
            pairs.map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
        }
        "f" => {
            let (size, seed) = rest.split_once(':')?;
            Some(fill(size.parse().ok()?, seed.parse().ok()?))
        }
        _ => None,
    }
}

/// How an answer tells a frame.
pub(crate) fn told(frame: &[u8]) -> String {
    match frame.len() {
        0 => "-".to_owned(),
        1..=SHORT => frame.iter().fold("h:".to_owned(), |text, byte| text + &format!("{byte:02x}")),
        size => format!("d:{size}:{:08x}", crc32(frame)),
    }
}

/// The last frame of numbered message `n`.
pub(crate) fn numbered(n: u32) -> Vec<u8> {
    let mut frame = n.to_be_bytes().to_vec();
    frame.extend(fill(n as usize % 301, n));
    frame
}

fn fill(size: usize, seed: u32) -> Vec<u8> {
    (u64::from(seed) % 251..).take(size).map(|byte| (byte % 251) as u8).collect()
}

/// CRC-32 of IEEE 802.3.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}
