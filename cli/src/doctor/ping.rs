//! A handshake of NULL (RFC 37 §3.4) and a PING, on a stream whose greeting is done.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use zeroxide::SocketType;

/// Flags of a frame (RFC 37 §3.3).
const LONG: u8 = 2;
const COMMAND: u8 = 4;
/// The longest frame that is read, in bytes. A READY with all its properties is shorter.
const LONGEST: u64 = 1 << 20;
/// The context of the PING, which the PONG returns.
const CONTEXT: &[u8] = b"zx";

/// Does the handshake, sends a PING, and returns the time until its PONG. `limit` is for all of that, and is compared after each
/// frame.
pub(super) fn round_trip(
    stream: &mut (impl Read + Write),
    own: SocketType,
    limit: Duration,
) -> io::Result<Duration> {
    let end = Instant::now() + limit;
    stream.write_all(&ready(own))?;
    until(stream, b"\x05READY", end)?;
    let start = Instant::now();
    // The TTL, in tenths of a second: the peer closes the connection after ten seconds of silence.
    stream.write_all(&command(b"\x04PING", &[&100_u16.to_be_bytes()[..], CONTEXT].concat()))?;
    until(stream, b"\x04PONG", end)?;
    Ok(start.elapsed())
}

fn ready(own: SocketType) -> Vec<u8> {
    let name = own.name().as_bytes();
    let length = u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes();
    command(b"\x05READY", &[b"\x0bSocket-Type", &length[..], name].concat())
}

/// Returns a command of less than 256 bytes.
fn command(name: &[u8], body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(name.len() + body.len()).unwrap_or(u8::MAX);
    [&[COMMAND, length], name, body].concat()
}

/// Reads and drops frames until there is a command with this name.
fn until(stream: &mut impl Read, name: &[u8], end: Instant) -> io::Result<()> {
    loop {
        let (flags, body) = frame(stream)?;
        if flags & COMMAND != 0 && body.starts_with(name) {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(io::ErrorKind::TimedOut.into());
        }
    }
}

/// Reads a frame of at most [`LONGEST`] bytes. Returns its flags and its body.
fn frame(stream: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    stream.read_exact(&mut head[..1])?;
    let length = if head[0] & LONG == 0 {
        stream.read_exact(&mut head[1..])?;
        u64::from(head[1])
    } else {
        let mut length = [0; 8];
        stream.read_exact(&mut length)?;
        u64::from_be_bytes(length)
    };
    if length > LONGEST {
        return Err(io::Error::other("a long frame"));
    }
    let mut body = Vec::new();
    stream.take(length).read_to_end(&mut body)?;
    if body.len() as u64 == length { Ok((head[0], body)) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn ready_is_that_of_the_rfc() {
        assert_eq!(ready(SocketType::Sub), b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB");
    }

    #[test]
    fn frames_are_skipped_until_the_command() {
        let end = Instant::now() + Duration::from_secs(60);
        let input = [b"\0\x02hi".as_slice(), b"\x02\0\0\0\0\0\0\0\x01x", b"\x04\x07\x04PONGzx"].concat();
        until(&mut Cursor::new(&input), b"\x04PONG", end).unwrap();
        for cut in 0..input.len() {
            until(&mut Cursor::new(&input[..cut]), b"\x04PONG", end).unwrap_err();
        }
        until(&mut Cursor::new([2, 255, 0, 0, 0, 0, 0, 0, 0]), b"\x04PONG", end).unwrap_err();
    }
}
