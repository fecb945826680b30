//! A ZMTP 3 peer made of bytes: it looks at what an implementation sends with no implementation in between.
//!
//! It is as patient and as literal as RFC 23 and 37 let a peer be: it sends each part of its greeting only when the
//! other side's part before it has arrived.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::peer::Failure;

const PATIENCE: Duration = Duration::from_secs(10);

/// The first ten bytes of a greeting without a routing id, as libzmq sends them.
pub const SIGNATURE: [u8; 10] = [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f];

/// One connection, seen as bytes.
pub struct Wire {
    stream: TcpStream,
}

impl Wire {
    /// The next connection to a listener.
    ///
    /// # Errors
    /// [`Failure::Io`].
    pub fn accept(listener: &TcpListener) -> Result<Wire, Failure> {
        Wire::over(listener.accept()?.0)
    }

    /// A connection to `tcp://…`.
    ///
    /// # Errors
    /// [`Failure::Io`].
    pub fn connect(endpoint: &str) -> Result<Wire, Failure> {
        Wire::over(TcpStream::connect(endpoint.trim_start_matches("tcp://"))?)
    }

    fn over(stream: TcpStream) -> Result<Wire, Failure> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Wire { stream })
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`Failure::Io`], also when fewer came in time.
    pub fn read(&mut self, count: usize) -> Result<Vec<u8>, Failure> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// [`Failure::Io`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// Exchanges greetings with the NULL mechanism, as a peer of ZMTP 3.`minor`; the other side's 64 bytes.
    ///
    /// # Errors
    /// [`Failure::Io`].
    pub fn greet(&mut self, minor: u8) -> Result<Vec<u8>, Failure> {
        let mut seen = self.read(10)?;
        self.write(&SIGNATURE)?;
        // The revision comes once the other side knows that there are revisions at all (libzmq zmtp_engine.cpp).
        seen.extend(self.read(1)?);
        self.write(&[3])?;
        seen.extend(self.read(53)?);
        self.write(&rest_of_greeting(minor))?;
        Ok(seen)
    }

    /// The next frame whole: flags, length and body.
    ///
    /// # Errors
    /// [`Failure::Io`].
    pub fn frame(&mut self) -> Result<Vec<u8>, Failure> {
        let mut frame = self.read(2)?;
        let size = if frame[0] & 2 == 0 {
            usize::from(frame[1])
        } else {
            let rest = self.read(7)?;
            frame.extend(rest);
            let size = frame[1..9].iter().fold(0u64, |size, byte| size << 8 | u64::from(*byte));
            usize::try_from(size).map_err(|_| std::io::Error::from(std::io::ErrorKind::InvalidData))?
        };
        frame.extend(self.read(size)?);
        Ok(frame)
    }
}

/// A frame of ZMTP 3 as it was on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// 1: more follow; 2: long form; 4: a command.
    pub flags: u8,
    /// What the frame holds.
    pub body: Vec<u8>,
}

impl Seen {
    /// The name of the command that the frame is, if it is one.
    #[must_use]
    pub fn command(&self) -> Option<&[u8]> {
        let (length, rest) = self.body.split_first()?;
        rest.get(..usize::from(*length)).filter(|_| self.flags & 4 != 0)
    }
}

/// The whole frames of one side of a ZMTP 3 connection from its first byte on, each with the place where it ends.
#[must_use]
pub fn frames(bytes: &[u8]) -> Vec<(usize, Seen)> {
    const GREETING: usize = 64;
    let (mut frames, mut at) = (Vec::new(), GREETING);
    while let Some((size, seen)) = bytes.get(at..).and_then(first_frame) {
        at += size;
        frames.push((at, seen));
    }
    frames
}

/// The first frame and its size on the wire, if all of it is there.
fn first_frame(bytes: &[u8]) -> Option<(usize, Seen)> {
    let flags = *bytes.first()?;
    let width = if flags & 2 == 0 { 1 } else { 8 };
    let length = bytes.get(1..=width)?.iter().fold(0u64, |size, byte| size << 8 | u64::from(*byte));
    let end = usize::try_from(length).ok()?.checked_add(1 + width)?;
    let body = bytes.get(1 + width..end)?.to_vec();
    Some((end, Seen { flags, body }))
}

/// The last 53 bytes of a greeting of ZMTP 3.`minor` with the NULL mechanism.
#[must_use]
pub fn rest_of_greeting(minor: u8) -> Vec<u8> {
    let mut bytes = vec![0; 53];
    bytes[0] = minor;
    bytes[1..5].copy_from_slice(b"NULL");
    bytes
}

/// The READY of a socket type, as a frame; with an `Identity` property if there is one.
#[must_use]
pub fn ready(socket_type: &str, identity: Option<&str>) -> Vec<u8> {
    ready_with(socket_type, identity, &[])
}

/// READY with further properties.
#[must_use]
pub fn ready_with(socket_type: &str, identity: Option<&str>, others: &[(&str, &str)]) -> Vec<u8> {
    let mut body = property("Socket-Type", socket_type);
    body.extend(identity.map(|id| property("Identity", id)).unwrap_or_default());
    others.iter().for_each(|(name, value)| body.extend(property(name, value)));
    command("READY", &body)
}

/// A short command frame.
#[must_use]
pub fn command(name: &str, data: &[u8]) -> Vec<u8> {
    let mut frame = vec![4, (1 + name.len() + data.len()) as u8, name.len() as u8];
    frame.extend(name.as_bytes());
    frame.extend(data);
    frame
}

fn property(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![name.len() as u8];
    bytes.extend(name.as_bytes());
    bytes.extend((value.len() as u32).to_be_bytes());
    bytes.extend(value.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_frames_after_the_greeting_are_seen_and_no_half_one() {
        let ping = command("PING", &[0, 0]);
        let long = [&[3, 0, 0, 0, 0, 0, 0, 1, 0][..], &[7; 256]].concat();
        let bytes = [&[0xff; 64][..], &ping, &long, &[0, 0], &[0, 2, 1]].concat();
        let seen = frames(&bytes);
        let ends: Vec<usize> = seen.iter().map(|(end, _)| *end).collect();
        assert_eq!(ends, [73, 73 + 265, 75 + 265]);
        assert_eq!(seen[0].1.command(), Some(&b"PING"[..]));
        assert_eq!(seen[1].1, Seen { flags: 3, body: vec![7; 256] });
        assert_eq!(seen[1].1.command(), None);
        assert_eq!(seen[2].1, Seen { flags: 0, body: vec![] });
        for cut in 0..64 + 9 {
            assert_eq!(frames(&bytes[..cut]), [], "{cut}");
        }
    }

    #[test]
    fn lengths_that_no_memory_has_are_no_frames() {
        assert_eq!(frames(&[&[0; 64][..], &[2], &[0xff; 8]].concat()), []);
        assert_eq!(Seen { flags: 4, body: vec![9, b'P'] }.command(), None);
    }
}
