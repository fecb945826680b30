//! Decodes bytes to messages and commands.
//!
//! Invariants:
//!
//! - Every limit is checked against a header before memory is reserved for its body.
//! - While a body arrives, its memory is at most what has arrived plus the larger of 64 KiB and four times what has
//!   arrived, whatever length the header announces. There is one exception: after the handshake, a body of up to 4
//!   MiB gets all its memory at once, as long as the whole process has at most 64 MiB reserved in this way
//!   ([`Ahead`]).

use bytes::{Bytes, BytesMut};

use crate::error::{CommandKind, ProtocolError};
use crate::frame::{Framing, Header, LONG, MAX_HEADER};
use crate::memory::{self, Ahead, Headroom};
use crate::message::INLINE;
use crate::run::{Room, Run};
use crate::short::Short;
use crate::{Frame, Message};

/// The least memory reserved beyond what has arrived, in bytes (but never more than is missing).
const AHEAD: usize = 64 * 1024;

/// The longest body, in bytes, whose memory is reserved all at once after the handshake.
pub(crate) const AT_ONCE: usize = 4 * 1024 * 1024;

/// A body of at least this many bytes is large. What does not arrive with its header is read directly into the body's
/// memory, and the next body is expected to be large, too.
const LARGE: usize = 64 * 1024;

/// The most memory reserved beyond what has arrived, in multiples of it. With four, a frame of 256 KiB whose first 64
/// KiB came with one read is enlarged once.
const FACTOR: usize = 4;

/// Which frames are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// One identity frame (ZMTP 1.0, 2.0).
    Identity,
    /// Commands only.
    Handshake,
    /// Everything.
    Open,
    /// Frames that hold one encrypted frame each. The command flag may be set or not.
    #[cfg(feature = "curve")]
    Sealed,
}

/// The limits on what a peer sends, in bytes of the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) frame: u64,
    pub(crate) command: u64,
    /// All frames of a multipart message.
    pub(crate) message: u64,
    pub(crate) frames: u32,
}

/// A body that is not [`LARGE`] is read directly into its memory, without a read buffer, if at least this much is
/// missing.
const DIRECT: usize = 32 * 1024;

/// One decoded item.
#[derive(Debug)]
pub(crate) enum Item {
    Message(Message),
    /// The body of a command frame.
    Command(Frame),
}

/// The body of an encrypted frame.
#[cfg(feature = "curve")]
#[derive(Debug)]
pub(crate) enum Sealed<'a> {
    /// The whole body is in the input.
    Lent(&'a [u8]),
    /// The body arrived in pieces.
    Owned(Vec<u8>),
}

/// The frames of an unfinished message.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    parts: Message,
    size: u64,
    headroom: Headroom,
}

impl Assembly {
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Checks one more frame against the limits on a message, and reserves room for it.
    pub(crate) fn admit(&mut self, limits: &Limits, length: u64, more: bool) -> Result<(), ProtocolError> {
        if more || !self.is_empty() {
            if self.size.saturating_add(length) > limits.message {
                return Err(ProtocolError::MessageTooLong { limit: limits.message });
            }
            if self.parts.len() as u64 >= u64::from(limits.frames) {
                return Err(ProtocolError::TooManyFrames { limit: limits.frames });
            }
            self.headroom.take(size_of::<Frame>())?;
            self.parts.reserve_frame()?;
        }
        Ok(())
    }

    /// Adds a frame. Returns the message when the frame was its last.
    #[inline]
    pub(crate) fn push(&mut self, frame: Frame, more: bool) -> Option<Message> {
        if more {
            self.size = self.size.saturating_add(frame.len() as u64);
            self.parts.push_back(frame);
            return None;
        }
        if self.is_empty() {
            return Some(frame.into());
        }
        self.size = 0;
        self.parts.push_back(frame);
        Some(std::mem::take(&mut self.parts))
    }
}

/// The decoder of one connection.
#[derive(Debug)]
pub(crate) struct Decoder {
    framing: Framing,
    phase: Phase,
    limits: Limits,
    /// The next byte is the first of a message or command.
    between: bool,
    /// The first bytes of a header whose rest has not arrived.
    stash: Short<MAX_HEADER>,
    /// The frame whose body is arriving, and the body's length.
    current: Option<(Header, usize)>,
    body: Vec<u8>,
    /// What the body has reserved before its bytes arrive.
    ahead: Ahead,
    /// Whether the last body was large, and nothing was decoded since.
    large: bool,
    assembly: Assembly,
    /// How often the memory of a body was enlarged.
    growths: u64,
}

impl Decoder {
    pub(crate) fn new(framing: Framing, phase: Phase, limits: Limits) -> Decoder {
        Decoder {
            framing,
            phase,
            limits,
            between: true,
            stash: Short::new(),
            current: None,
            body: Vec::new(),
            ahead: Ahead::default(),
            large: false,
            assembly: Assembly::default(),
            growths: 0,
        }
    }

    /// Sets new rules for the rest of the stream.
    pub(crate) fn enter(&mut self, phase: Phase, limits: Limits) {
        self.phase = phase;
        self.limits = limits;
    }

    /// Returns whether only the first part of a message or command has arrived.
    pub(crate) fn is_partial(&self) -> bool {
        !self.between
    }

    /// Decodes, on a fast path, a one-frame message in v2 framing that lies whole in `input`. Returns `None` and
    /// changes nothing for any other input, which [`Decoder::next`] handles.
    #[inline]
    pub(crate) fn straight(&self, input: &mut &[u8]) -> Option<Frame> {
        if !self.between || self.large {
            return None;
        }
        let (flags, rest) = input.split_first()?;
        let (length, rest) = match *flags {
            0 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
            LONG => {
                let (length, rest) = rest.split_first_chunk::<8>()?;
                (usize::try_from(u64::from_be_bytes(*length)).ok()?, rest)
            }
            _ => return None,
        };
        if length as u64 > self.limits.frame {
            return None;
        }
        let after = rest.get(length..)?;
        // Without memory, `next` returns the error.
        let frame = Frame::try_copy_prefix(rest, length).ok()?;
        *input = after;
        Some(frame)
    }

    /// Consumes the run at the beginning of `input`.
    #[inline]
    pub(crate) fn run<'a>(&self, input: &mut &'a [u8], room: Room) -> Option<Run<'a>> {
        if !self.between || self.large {
            return None;
        }
        let body = room.body.min(usize::try_from(self.limits.frame).unwrap_or(usize::MAX));
        let room = Room { body, ..room };
        let (run, rest) = Run::split(input, room, |_| ());
        *input = rest;
        (!run.is_empty()).then_some(run)
    }

    /// Consumes `input` up to the end of the next message or command.
    pub(crate) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Item>, ProtocolError> {
        loop {
            if let Some((header, length)) = self.current {
                if !self.gather(length, input)? {
                    return Ok(None);
                }
                self.completed(length);
                let body = self.take_body();
                if let Some(item) = self.finish(header, body) {
                    return Ok(Some(item));
                }
            }
            let Some(header) = self.header(input)? else { return Ok(None) };
            let length = self.admit(header)?;
            let Some(rest) = input.get(length..) else {
                self.current = Some((header, length));
                continue;
            };
            let body = Frame::try_copy_prefix(input, length)?;
            *input = rest;
            if let Some(item) = self.finish(header, body) {
                return Ok(Some(item));
            }
        }
    }

    /// Completes a frame. Returns the item that it completes, if any.
    #[inline]
    fn finish(&mut self, header: Header, body: Frame) -> Option<Item> {
        if header.command {
            self.between = self.assembly.is_empty();
            return Some(Item::Command(body));
        }
        self.between = !header.more;
        self.assembly.push(body, header.more).map(Item::Message)
    }

    /// Consumes `input` up to the end of the next encrypted frame.
    #[cfg(feature = "curve")]
    pub(crate) fn sealed<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Sealed<'a>>, ProtocolError> {
        if self.current.is_none() {
            let Some(header) = self.header(input)? else { return Ok(None) };
            let length = self.admit(header)?;
            if let Some((body, rest)) = input.split_at_checked(length) {
                *input = rest;
                self.between = true;
                return Ok(Some(Sealed::Lent(body)));
            }
            self.current = Some((header, length));
        }
        let Some((_, length)) = self.current else { return Ok(None) };
        if !self.gather(length, input)? {
            return Ok(None);
        }
        self.completed(length);
        self.between = true;
        Ok(Some(Sealed::Owned(std::mem::take(&mut self.body))))
    }

    /// Consumes the next part of a body that does not lie whole in one input. Returns `true` when the body is complete.
    fn gather(&mut self, length: usize, input: &mut &[u8]) -> Result<bool, ProtocolError> {
        let missing = self.missing(length);
        let (arrived, rest) = input.split_at_checked(missing).unwrap_or((input, &[]));
        *input = rest;
        self.count_growth(missing, arrived.len())?;
        self.body.extend_from_slice(arrived);
        Ok(arrived.len() == missing)
    }

    /// Notes that a body of this length is complete.
    fn completed(&mut self, length: usize) {
        self.current = None;
        self.ahead.give_back();
        self.large = length >= LARGE;
    }

    /// Returns whether the last body was large. Then the next one is probably large, too, and only its header should be
    /// read into a buffer.
    pub(crate) fn expects_large(&self) -> bool {
        self.large
    }

    /// Returns the unfinished body, for bytes to be read into it directly. Its spare room is not more than what is
    /// missing, so that a read cannot take bytes of the next frame. Returns `None` when less than [`DIRECT`] bytes are
    /// missing of a body that is not [`LARGE`].
    pub(crate) fn arriving(&mut self) -> Option<&mut Vec<u8>> {
        let (_, length) = self.current?;
        let missing = self.missing(length);
        if missing == 0 || missing < DIRECT && length < LARGE {
            return None;
        }
        if self.body.capacity() == self.body.len() {
            // Without memory, `next` returns the error when the next bytes arrive.
            self.count_growth(missing, 1).ok()?;
        }
        (self.body.spare_capacity_mut().len() <= missing).then_some(&mut self.body)
    }

    /// Returns how many bytes of a body of this `length` have not arrived.
    fn missing(&self, length: usize) -> usize {
        debug_assert!(self.body.len() <= length, "gather and arriving take no bytes of the next frame");
        length.saturating_sub(self.body.len())
    }

    /// Makes room for `arrived` bytes of the `missing` ones, and counts it.
    #[inline]
    fn count_growth(&mut self, missing: usize, arrived: usize) -> Result<(), ProtocolError> {
        let grown = self.reserve_at_once(missing) || grow(&mut self.body, missing, arrived)?;
        self.growths = self.growths.wrapping_add(u64::from(grown));
        Ok(())
    }

    /// Reserves all memory of a body that begins to arrive, after the handshake and within [`AT_ONCE`] and the limit of
    /// [`Ahead`]. Returns whether it did.
    fn reserve_at_once(&mut self, missing: usize) -> bool {
        let fits = self.body.is_empty() && missing > AHEAD && missing <= AT_ONCE;
        if !fits || !self.is_open() || !self.ahead.take(missing) {
            return false;
        }
        let reserved = memory::reserve(&mut self.body, missing).is_ok();
        if !reserved {
            self.ahead.give_back();
        }
        reserved
    }

    fn is_open(&self) -> bool {
        match self.phase {
            Phase::Open => true,
            #[cfg(feature = "curve")]
            Phase::Sealed => true,
            Phase::Identity | Phase::Handshake => false,
        }
    }

    /// Returns whether the unfinished body has all its bytes, so that `next` returns it without input.
    pub(crate) fn is_whole(&self) -> bool {
        self.current.is_some_and(|(_, length)| length == self.body.len())
    }

    /// Consumes `input` up to the end of the next header.
    fn header(&mut self, input: &mut &[u8]) -> Result<Option<Header>, ProtocolError> {
        if input.is_empty() {
            return Ok(None);
        }
        (self.between, self.large) = (false, false);
        if self.stash.is_empty() {
            if let Some((header, rest)) = self.framing.parse(input)? {
                *input = rest;
                return Ok(Some(header));
            }
        }
        // The header arrives in pieces.
        while let Some((byte, rest)) = input.split_first() {
            *input = rest;
            let kept = self.stash.push(*byte);
            debug_assert!(kept, "the longest header fits");
            if let Some((header, _)) = self.framing.parse(self.stash.as_slice())? {
                self.stash.clear();
                return Ok(Some(header));
            }
        }
        Ok(None)
    }

    /// Checks a header against the rules of the phase and the limits. Returns the length as a `usize`.
    fn admit(&mut self, header: Header) -> Result<usize, ProtocolError> {
        let Header { more, command, length } = header;
        let limits = self.limits;
        match self.phase {
            Phase::Identity if more || command || length > 255 => {
                return Err(ProtocolError::MalformedIdentity { length });
            }
            Phase::Handshake if !command => return Err(ProtocolError::TrafficBeforeReady),
            // Under CURVE, MORE is a flag inside the box.
            #[cfg(feature = "curve")]
            Phase::Sealed if more => return Err(ProtocolError::MalformedCommand(CommandKind::Message)),
            _ => {}
        }
        let limit = if command { limits.command } else { limits.frame };
        if command && more {
            // RFC 37 §3.4: "MORE SHALL be zero for command frames".
            return Err(ProtocolError::MalformedCommand(CommandKind::Unnamed));
        }
        if length > limit {
            return Err(if command {
                ProtocolError::CommandTooLong { length, limit }
            } else {
                ProtocolError::FrameTooLong { length, limit }
            });
        }
        if !command {
            self.assembly.admit(&limits, length, more)?;
        }
        // The length must also fit the address space and a vector.
        usize::try_from(length)
            .ok()
            .filter(|length| isize::try_from(*length).is_ok())
            .ok_or(ProtocolError::FrameTooLong { length, limit: isize::MAX as u64 })
    }

    fn take_body(&mut self) -> Frame {
        if self.body.len() <= INLINE {
            let frame = Frame::copy_from(&self.body);
            self.body.clear();
            return frame;
        }
        // The last growth was exact, so both conversions move the allocation instead of copying it.
        Frame::from(BytesMut::from(Bytes::from(std::mem::take(&mut self.body))))
    }

    /// Returns how often the memory of a body was enlarged while it arrived.
    pub(crate) fn growths(&self) -> u64 {
        self.growths
    }

    /// Returns the bytes of memory held for an unfinished frame.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn reserved(&self) -> usize {
        self.body.capacity()
    }
}

/// Makes room for `arrived` bytes of the `missing` ones, and for some more; near the end of the body the room is exact.
/// Returns whether that took memory.
fn grow(body: &mut Vec<u8>, missing: usize, arrived: usize) -> Result<bool, ProtocolError> {
    let full = body.spare_capacity_mut().len() < arrived;
    if full {
        let received = body.len().saturating_add(arrived);
        let ahead = received.saturating_mul(FACTOR).max(AHEAD);
        memory::reserve(body, arrived.saturating_add(ahead).min(missing))?;
    }
    Ok(full)
}
