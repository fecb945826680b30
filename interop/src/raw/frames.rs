//! Both framings: the length first (RFC 13), and the flags first (RFC 15 and 23).

use std::io::Read;

use super::{Fault, Message};

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// How frames are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// RFC 13: a length that counts the flags, too; flags; body.
    LengthFirst,
    /// RFC 15 and 23: flags; a length; body.
    FlagsFirst {
        /// Whether there are commands (RFC 23).
        commands: bool,
    },
}

/// A frame as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// More frames of the message follow.
    pub more: bool,
    /// It is a command.
    pub command: bool,
    /// What it holds.
    pub body: Vec<u8>,
}

impl Framing {
    /// Reads the next frame.
    ///
    /// # Errors
    /// The end of the stream, or flags that the version reserves.
    pub fn read(self, from: &mut impl Read) -> Result<Frame, Fault> {
        let (flags, body) = self.read_unchecked(from)?;
        let known = match self {
            Framing::LengthFirst => MORE,
            Framing::FlagsFirst { commands: false } => MORE | LONG,
            Framing::FlagsFirst { commands: true } => MORE | LONG | COMMAND,
        };
        if flags & !known != 0 {
            return Err(Fault::Breach("reserved flags are zero"));
        }
        let (more, command) = (flags & MORE != 0, flags & COMMAND != 0);
        if more && command {
            return Err(Fault::Breach("a command has no MORE"));
        }
        Ok(Frame { more, command, body })
    }

    /// Reads the next frame, whatever its flags: those of an RFC 13 identity "SHALL not be validated".
    ///
    /// # Errors
    /// The end of the stream, or a length beyond 2^63 - 1.
    pub fn read_unchecked(self, from: &mut impl Read) -> Result<(u8, Vec<u8>), Fault> {
        match self {
            Framing::LengthFirst => loop {
                let [short] = bytes(from)?;
                let length = if short == 0xff { u64::from_be_bytes(bytes(from)?) } else { short.into() };
                // The length counts the flags; frames of length 0 are discarded silently (RFC 13).
                if let Some(length) = length.checked_sub(1) {
                    let [flags] = bytes(from)?;
                    return Ok((flags, body(from, length)?));
                }
            },
            Framing::FlagsFirst { .. } => {
                let [flags] = bytes(from)?;
                let length = if flags & LONG == 0 {
                    bytes::<1>(from)?[0].into()
                } else {
                    u64::from_be_bytes(bytes(from)?)
                };
                Ok((flags, body(from, length)?))
            }
        }
    }

    /// Reads the next message. Commands between messages are ignored: RFC 23 defines none there.
    ///
    /// # Errors
    /// As [`Framing::read`], and a command between the frames of a message.
    pub fn read_message(self, from: &mut impl Read) -> Result<Message, Fault> {
        let mut message = Message::new();
        loop {
            let frame = self.read(from)?;
            match frame {
                Frame { command: true, .. } if message.is_empty() => {}
                Frame { command: true, .. } => return Err(Fault::Breach("no command inside a message")),
                Frame { more, body, .. } => {
                    message.push(body);
                    if !more {
                        return Ok(message);
                    }
                }
            }
        }
    }

    /// Appends a frame.
    pub fn write(self, body: &[u8], more: bool, out: &mut Vec<u8>) {
        let flags = u8::from(more);
        match self {
            Framing::LengthFirst => {
                let length = body.len() as u64 + 1;
                match u8::try_from(length) {
                    Ok(short) if short < 0xff => out.push(short),
                    _ => {
                        out.push(0xff);
                        out.extend(length.to_be_bytes());
                    }
                }
                out.push(flags);
            }
            Framing::FlagsFirst { .. } => write_header(flags, body.len(), out),
        }
        out.extend_from_slice(body);
    }

    /// A message as bytes.
    #[must_use]
    pub fn message(self, frames: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        for (n, frame) in frames.iter().enumerate() {
            self.write(frame, n + 1 < frames.len(), &mut out);
        }
        out
    }
}

/// A command of RFC 23 as a frame.
#[must_use]
pub fn command(name: &str, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_header(COMMAND, 1 + name.len() + data.len(), &mut out);
    out.push(name.len() as u8);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(data);
    out
}

fn write_header(flags: u8, length: usize, out: &mut Vec<u8>) {
    match u8::try_from(length) {
        Ok(short) => out.extend([flags, short]),
        Err(_) => {
            out.push(flags | LONG);
            out.extend((length as u64).to_be_bytes());
        }
    }
}

/// As many bytes as asked for.
///
/// # Errors
/// The stream ended or broke.
pub fn bytes<const N: usize>(from: &mut impl Read) -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A body of this length, whose memory grows only as bytes arrive.
fn body(from: &mut impl Read, length: u64) -> Result<Vec<u8>, Fault> {
    if length > i64::MAX as u64 {
        return Err(Fault::Breach("a length is at most 2^63 - 1"));
    }
    let mut body = Vec::new();
    from.take(length).read_to_end(&mut body)?;
    if (body.len() as u64) < length {
        return Err(Fault::Io(std::io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS_FIRST: Framing = Framing::FlagsFirst { commands: true };

    #[test]
    fn the_length_of_version_1_counts_the_flags_and_is_long_from_255() {
        assert_eq!(Framing::LengthFirst.message(&[vec![], vec![7]]), [1, 1, 2, 0, 7]);
        let longest_short = Framing::LengthFirst.message(&[vec![7; 253]]);
        assert_eq!((longest_short.len(), &longest_short[..2]), (255, &[254, 0][..]));
        let long = Framing::LengthFirst.message(&[vec![7; 254]]);
        assert_eq!((long.len(), &long[..10]), (264, &[255, 0, 0, 0, 0, 0, 0, 0, 255, 0][..]));
    }

    #[test]
    fn the_length_of_version_2_counts_the_body_and_is_long_from_256() {
        assert_eq!(FLAGS_FIRST.message(&[vec![], vec![7]]), [1, 0, 0, 1, 7]);
        assert_eq!(FLAGS_FIRST.message(&[vec![7; 255]])[..2], [0, 255]);
        assert_eq!(FLAGS_FIRST.message(&[vec![7; 256]])[..9], [2, 0, 0, 0, 0, 0, 0, 1, 0]);
    }

    #[test]
    fn what_is_written_is_read() {
        let message: Message = [0, 1, 253, 254, 255, 256, 70_000].map(|size| vec![9; size]).into();
        for framing in [Framing::LengthFirst, FLAGS_FIRST, Framing::FlagsFirst { commands: false }] {
            let written = framing.message(&message);
            assert_eq!(framing.read_message(&mut &written[..]).unwrap(), message);
            assert!(framing.read_message(&mut &written[..written.len() - 1]).is_err());
        }
    }

    #[test]
    fn frames_of_length_0_are_discarded_in_version_1() {
        let bytes = [0, 0, 2, 0, 7];
        assert_eq!(Framing::LengthFirst.read_message(&mut &bytes[..]).unwrap(), [[7]]);
    }

    #[test]
    fn reserved_flags_and_commands_out_of_place_are_breaches() {
        let breach = |framing: Framing, bytes: &[u8]| match framing.read_message(&mut &bytes[..]) {
            Err(Fault::Breach(rule)) => rule,
            other => panic!("{other:?}"),
        };
        assert_eq!(breach(Framing::LengthFirst, &[1, 2]), "reserved flags are zero");
        assert_eq!(breach(Framing::FlagsFirst { commands: false }, &[4, 0]), "reserved flags are zero");
        assert_eq!(breach(FLAGS_FIRST, &[8, 0]), "reserved flags are zero");
        assert_eq!(breach(FLAGS_FIRST, &[5, 0]), "a command has no MORE");
        assert_eq!(breach(FLAGS_FIRST, &[1, 0, 4, 0]), "no command inside a message");
        assert_eq!(breach(FLAGS_FIRST, &[&[2][..], &[0xff; 8]].concat()), "a length is at most 2^63 - 1");
        assert_eq!(FLAGS_FIRST.read_message(&mut &[4, 2, 1, b'X', 0, 0][..]).unwrap(), [Vec::<u8>::new()]);
    }
}
