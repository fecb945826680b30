//! One line for one message, as text or as hexadecimal digits.

use std::fmt::Write;

use zeroxide::Message;

/// Returns the frames of a line, which has no newline any more.
pub(super) fn split(line: &[u8], separator: Option<&str>) -> Message {
    let Some(separator) = separator.map(str::as_bytes) else {
        return line.into();
    };
    let mut frames: Vec<&[u8]> = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.windows(separator.len()).position(|window| window == separator) {
        frames.push(&rest[..at]);
        rest = &rest[at + separator.len()..];
    }
    frames.push(rest);
    frames.into()
}

/// Returns the line of a message, without a newline.
pub(super) fn join(message: &Message, separator: &str, terminal: bool) -> Vec<u8> {
    let mut line = Vec::with_capacity(message.size());
    for (n, frame) in message.iter().enumerate() {
        if n > 0 {
            line.extend(separator.as_bytes());
        }
        if terminal {
            line.extend(escaped(frame).as_bytes());
        } else {
            line.extend(&frame[..]);
        }
    }
    line
}

/// Returns text for a terminal: what is not printable as `\x1b`.
pub(super) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() {
                c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| escape(&mut text, byte));
            } else {
                text.push(c);
            }
        }
        chunk.invalid().iter().for_each(|byte| escape(&mut text, *byte));
    }
    text
}

fn escape(text: &mut String, byte: u8) {
    let _ = write!(text, "\\x{byte:02x}"); // to a String, which never fails
}

/// Returns the hexadecimal digits of a message, a comma between frames.
pub(super) fn to_hex(message: &Message) -> String {
    message.iter().map(|frame| digits(frame)).collect::<Vec<_>>().join(",")
}

/// Returns the message of hexadecimal digits. Spaces do not matter.
pub(super) fn from_hex(line: &[u8]) -> Result<Message, String> {
    let text: String = String::from_utf8_lossy(line).split_ascii_whitespace().collect();
    Ok(text.split(',').map(from_digits).collect::<Result<Vec<_>, _>>()?.into())
}

pub(super) fn digits(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}"); // to a String, which never fails
    }
    text
}

pub(super) fn from_digits(text: &str) -> Result<Vec<u8>, String> {
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(value(*high)? << 4 | value(*low)?),
        _ => None,
    });
    let bytes: Option<Vec<u8>> = pairs.collect();
    bytes.ok_or_else(|| {
        let start: String = text.chars().take(20).collect();
        format!("{start:?} is not hexadecimal; write two digits for each byte and a comma between frames")
    })
}
