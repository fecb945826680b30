//! Frames with their lengths before them.

use std::io::{self, Read, Write};

use zeroxide::Message;

/// Another frame of the same message follows.
const MORE: u32 = 1 << 31;

/// Writes a message.
///
/// # Errors
/// Returns the output's errors, and one for a frame of 2 GiB or more.
pub(super) fn write(message: &Message, out: &mut impl Write) -> io::Result<()> {
    for (n, frame) in message.iter().enumerate() {
        let length = u32::try_from(frame.len()).ok().filter(|length| length & MORE == 0);
        let length =
            length.ok_or_else(|| io::Error::other("a frame of 2 GiB or more has no length in 31 bits"))?;
        let more = if n + 1 < message.len() { MORE } else { 0 };
        out.write_all(&(length | more).to_be_bytes())?;
        out.write_all(frame)?;
    }
    Ok(())
}

/// Reads a message; `None` at the end of the input.
///
/// # Errors
/// Returns an error if the input cannot be read or ends inside a message.
pub(super) fn read(input: &mut impl Read) -> io::Result<Option<Message>> {
    let mut message = Message::new();
    loop {
        let head = read_up_to(input, 4)?;
        if head.is_empty() && message.is_empty() {
            return Ok(None);
        }
        let head = u32::from_be_bytes(head.try_into().map_err(|_| torn())?);
        let frame = read_up_to(input, u64::from(head & !MORE))?;
        if frame.len() as u64 != u64::from(head & !MORE) {
            return Err(torn());
        }
        message.push_back(frame);
        if head & MORE == 0 {
            return Ok(Some(message));
        }
    }
}

/// Reads until `length` bytes are there or the input ends. The memory grows with what is read.
fn read_up_to(input: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn torn() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the input ends inside a message")
}
