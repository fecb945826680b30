//! Commands (RFC 37 §3.5): `name-length name data`, and the property lists inside some of them.

use bytes::Bytes;
use nom::multi::many0;
use nom::number::complete::{be_u16, be_u32, u8 as byte};
use nom::{IResult, Parser};

use crate::error::{CommandKind, Excerpt, ProtocolError};

/// The longest context of a PING (RFC 37 §3.5.2).
pub(crate) const MAX_CONTEXT: usize = 16;

/// Most properties accepted in one handshake command.
pub(crate) const MAX_PROPERTIES: usize = 256;

/// A command, its parts borrowed from the frame's body. Names are matched exactly, as libzmq does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    /// The peer's properties, not parsed yet.
    Ready(&'a [u8]),
    /// The reason why the peer refuses the connection.
    Error(&'a [u8]),
    /// A topic.
    Subscribe(&'a [u8]),
    /// A topic.
    Cancel(&'a [u8]),
    /// The time to live in tenths of a second, and the first 16 bytes of the context, which the PONG repeats.
    Ping {
        ttl: u16,
        context: &'a [u8],
    },
    Pong,
    /// The name of a group (RFC 48).
    Join(&'a [u8]),
    /// The name of a group.
    Leave(&'a [u8]),
    /// Any other command; `name` is not one of the above.
    Other {
        name: &'a [u8],
        data: &'a [u8],
    },
}

/// The beginning of the ERROR of a PLAIN server of libzmq 4.3, as seen on the wire: the length 5 and the letter E are
/// merged into one byte, 5E.
const LIBZMQ_PLAIN_ERROR: &[u8] = b"^RROR";

impl<'a> Command<'a> {
    /// Parses the body of a command frame.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Command<'a>, ProtocolError> {
        // Byte 5E (94) may also be the length of a name. No known name has 94 bytes, so a longer body is an unknown
        // command.
        if let Some(data) = body.strip_prefix(LIBZMQ_PLAIN_ERROR).filter(|_| body.len() <= 94) {
            return error(data);
        }
        let (data, name) =
            length_prefixed(body).map_err(|_| ProtocolError::MalformedCommand(CommandKind::Unnamed))?;
        Ok(match name {
            b"" => return Err(ProtocolError::MalformedCommand(CommandKind::Unnamed)),
            b"READY" => Command::Ready(data),
            b"ERROR" => return error(data),
            b"SUBSCRIBE" => Command::Subscribe(data),
            b"CANCEL" => Command::Cancel(data),
            b"PING" => {
                let (context, ttl) = tenths(data)?;
                // libzmq echoes the first 16 bytes of a longer context instead of refusing it.
                Command::Ping { ttl, context: context.get(..MAX_CONTEXT).unwrap_or(context) }
            }
            b"PONG" => Command::Pong,
            b"JOIN" => Command::Join(data),
            b"LEAVE" => Command::Leave(data),
            name => Command::Other { name, data },
        })
    }

    /// Returns the command's name, for a report.
    pub(crate) fn name(&self) -> Excerpt {
        Excerpt::of(match self {
            Command::Ready(_) => b"READY",
            Command::Error(_) => b"ERROR",
            Command::Subscribe(_) => b"SUBSCRIBE",
            Command::Cancel(_) => b"CANCEL",
            Command::Ping { .. } => b"PING",
            Command::Pong => b"PONG",
            Command::Join(_) => b"JOIN",
            Command::Leave(_) => b"LEAVE",
            Command::Other { name, .. } => name,
        })
    }
}

/// Parses the property list of a READY (RFC 37 §3.6): names of 1 to 255 bytes, values with a 4-byte length.
pub(crate) fn properties(data: &[u8]) -> Result<Vec<(&str, &[u8])>, ProtocolError> {
    let (rest, properties) = many0(property).parse(data).map_err(|_| ProtocolError::InvalidMetadata)?;
    if !rest.is_empty() || properties.len() > MAX_PROPERTIES {
        return Err(ProtocolError::InvalidMetadata);
    }
    Ok(properties)
}

/// Appends one property. Writes nothing if the name is not 1 to 255 bytes long, or the value is longer than 4 GiB: the
/// format has no form for them.
pub(crate) fn write_property(name: &str, value: &[u8], out: &mut Vec<u8>) {
    if let (Ok(name_len @ 1..), Ok(value_len)) = (u8::try_from(name.len()), u32::try_from(value.len())) {
        out.push(name_len);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&value_len.to_be_bytes());
        out.extend_from_slice(value);
    }
}

/// Copies a value, to keep it when its command is gone.
pub(crate) fn keep(value: &[u8]) -> Bytes {
    Bytes::copy_from_slice(value)
}

/// Parses two strings of at most 255 bytes with nothing after them: PLAIN's HELLO (RFC 24).
#[cfg(feature = "plain")]
pub(crate) fn two_strings(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (rest, first) = length_prefixed(data).ok()?;
    let (rest, second) = length_prefixed(rest).ok()?;
    rest.is_empty().then_some((first, second))
}

fn error(data: &[u8]) -> Result<Command<'_>, ProtocolError> {
    let (_, reason) =
        length_prefixed(data).map_err(|_| ProtocolError::MalformedCommand(CommandKind::Error))?;
    Ok(Command::Error(reason))
}

fn length_prefixed(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let (rest, length) = byte(input)?;
    take(rest, usize::from(length))
}

/// Takes `length` bytes. (nom's own parser for it slices, which leaves a panic in the machine code.)
fn take(input: &[u8], length: usize) -> IResult<&[u8], &[u8]> {
    let short = || nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::Eof));
    input.split_at_checked(length).map(|(taken, rest)| (rest, taken)).ok_or_else(short)
}

fn tenths(data: &[u8]) -> Result<(&[u8], u16), ProtocolError> {
    let parsed: IResult<&[u8], u16> = be_u16(data);
    parsed.map_err(|_| ProtocolError::MalformedCommand(CommandKind::Ping))
}

fn property(input: &[u8]) -> IResult<&[u8], (&str, &[u8])> {
    let fault = || nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::Verify));
    let (rest, name) = length_prefixed(input)?;
    let name = std::str::from_utf8(name).ok().filter(|name| !name.is_empty()).ok_or_else(fault)?;
    let (rest, length) = be_u32(rest)?;
    let length = usize::try_from(length).map_err(|_| fault())?;
    let (rest, value) = take(rest, length)?;
    Ok((rest, (name, value)))
}
