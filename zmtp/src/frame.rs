//! Reads and writes frame headers, in both framings.
//!
//! v1 (RFC 13): `length flags body`, the length counting the flags; 1 byte, or `FF` and 8 bytes.
//! v2 (RFC 15, 23, 37): `flags length body`, the length counting the body; 1 byte, or 8 bytes under the LONG flag.

use nom::number::streaming::{be_u64, u8 as byte};
use nom::{IResult, Parser};

use crate::Version;
use crate::error::ProtocolError;

/// More frames of the same message follow.
pub(crate) const MORE: u8 = 1;
/// The length takes 8 bytes.
pub(crate) const LONG: u8 = 2;
/// The frame is a command (ZMTP 3.x).
pub(crate) const COMMAND: u8 = 4;

/// The longest header: v1's long form.
pub(crate) const MAX_HEADER: usize = 10;

/// How frames are laid out on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// ZMTP 1.0.
    V1,
    /// ZMTP 2.0, 3.0, 3.1.
    V2,
}

/// The content of a frame's header. Unknown flag bits are ignored, as in libzmq.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) more: bool,
    pub(crate) command: bool,
    /// Bytes of the body.
    pub(crate) length: u64,
}

impl Header {
    pub(crate) fn message(length: usize, more: bool) -> Header {
        Header { more, command: false, length: length as u64 }
    }

    pub(crate) fn command(length: usize) -> Header {
        Header { more: false, command: true, length: length as u64 }
    }
}

impl Framing {
    pub(crate) fn of(version: Version) -> Framing {
        if version == Version::V1_0 { Framing::V1 } else { Framing::V2 }
    }

    /// Parses the header at the beginning of `input`. Returns it with what follows it, or `None` when it is
    /// incomplete.
    pub(crate) fn parse(self, input: &[u8]) -> Result<Option<(Header, &[u8])>, ProtocolError> {
        let parsed = match self {
            Framing::V1 => header_v1(input),
            Framing::V2 => header_v2(input),
        };
        match parsed {
            Ok((rest, header)) => Ok(Some((header, rest))),
            Err(nom::Err::Incomplete(_)) => Ok(None),
            Err(nom::Err::Error(_) | nom::Err::Failure(_)) => Err(ProtocolError::EmptyFrameV1),
        }
    }

    /// Appends a header. The header of a command cannot be written in v1, which has no commands.
    pub(crate) fn write(self, header: Header, out: &mut Vec<u8>) {
        let Header { more, command, length } = header;
        match self {
            Framing::V1 => {
                debug_assert!(!command);
                // RFC 13: the length counts the flags; 255 is the escape.
                match u8::try_from(length.saturating_add(1)) {
                    Ok(short) if short < 0xFF => out.push(short),
                    _ => {
                        out.push(0xFF);
                        out.extend_from_slice(&length.saturating_add(1).to_be_bytes());
                    }
                }
                out.push(u8::from(more));
            }
            Framing::V2 => {
                let flags = (if more { MORE } else { 0 }) | (if command { COMMAND } else { 0 });
                match u8::try_from(length) {
                    Ok(short) => out.extend_from_slice(&[flags, short]),
                    Err(_) => {
                        out.push(flags | LONG);
                        out.extend_from_slice(&length.to_be_bytes());
                    }
                }
            }
        }
    }
}

fn header_v1(input: &[u8]) -> IResult<&[u8], Header> {
    let (input, short) = byte(input)?;
    let (input, length) = if short == 0xFF { be_u64(input)? } else { (input, u64::from(short)) };
    // A length of 0 leaves no room for the flags: libzmq v1_decoder.cpp refuses it, RFC 13 would skip it.
    let Some(length) = length.checked_sub(1) else {
        return Err(nom::Err::Failure(nom::error::Error::new(input, nom::error::ErrorKind::LengthValue)));
    };
    byte.map(|flags| Header { more: flags & MORE != 0, command: false, length }).parse(input)
}

fn header_v2(input: &[u8]) -> IResult<&[u8], Header> {
    let (input, flags) = byte(input)?;
    // A short length in the long form is accepted, as in libzmq.
    let (input, length) =
        if flags & LONG != 0 { be_u64(input)? } else { byte.map(u64::from).parse(input)? };
    Ok((input, Header { more: flags & MORE != 0, command: flags & COMMAND != 0, length }))
}
