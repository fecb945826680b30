//! Traffic under CURVE (RFC 26 §"MESSAGE"). Each frame is sealed separately.
//!
//! `7 "MESSAGE" nonce(8) tag(16) [flags(1) payload]`. The flags in the box are 1 for MORE and 2 for a command, which
//! differs from the flags of a frame. The outer frame is sent as a message, as in libzmq; RFC 37 specifies a command.
//! Both are accepted.
//!
//! Invariants: no nonce is used twice with a key; the last received nonce changes only when the tag is right.

use bytes::{Buf, Bytes, BytesMut};

use super::boxes::{BoxKey, Nonce, TAG, counted};
use super::wire::{MESSAGE, OVERHEAD};
use crate::decoder::{Assembly, Decoder, Item, Limits, Sealed};
use crate::encoder::{COPY_LIMIT, Outbox, Wire};
use crate::error::{CommandKind, ProtocolError};
use crate::frame::{Framing, Header, MAX_HEADER};
use crate::memory;
use crate::message::INLINE;
use crate::{Frame, Message, Traffic, Version};

/// Flags in the box.
const MORE: u8 = 1;
const COMMAND: u8 = 2;

/// The offsets of the parts of a MESSAGE.
const NONCE_AT: usize = MESSAGE.len();
const TAG_AT: usize = NONCE_AT + 8;
const BOX_AT: usize = TAG_AT + TAG;

/// The end of the connection. Each end counts its own nonces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Client,
    Server,
}

impl Role {
    /// Returns the prefix of the nonces of messages from this end.
    fn prefix(self) -> &'static [u8; 16] {
        match self {
            Role::Client => b"CurveZMQMESSAGEC",
            Role::Server => b"CurveZMQMESSAGES",
        }
    }

    fn peer(self) -> Role {
        match self {
            Role::Client => Role::Server,
            Role::Server => Role::Client,
        }
    }
}

/// An encrypted connection after its handshake.
#[derive(Debug)]
pub(crate) struct Channel {
    key: BoxKey,
    role: Role,
    /// The last nonces.
    sent: u64,
    received: u64,
    assembly: Assembly,
}

impl Channel {
    pub(super) fn new(key: BoxKey, role: Role, sent: u64, received: u64) -> Channel {
        Channel { key, role, sent, received, assembly: Assembly::default() }
    }

    pub(super) fn key(&self) -> &BoxKey {
        &self.key
    }

    /// Returns whether frames of an unfinished message are kept.
    pub(crate) fn is_partial(&self) -> bool {
        !self.assembly.is_empty()
    }

    /// Seals one item at the end of `out`.
    pub(crate) fn seal(
        &mut self,
        wire: Wire,
        traffic: Traffic,
        out: &mut Outbox,
    ) -> Result<(), ProtocolError> {
        let commands = wire >= Some(Version::V3_1);
        match traffic {
            Traffic::Message(message) => self.seal_message(message, out),
            // RFC 37 §3.4.2, as without CURVE: commands for ZMTP 3.1, messages for older peers.
            Traffic::Subscribe(topic) if commands => self.seal_frame(COMMAND, b"\x09SUBSCRIBE", topic, out),
            Traffic::Cancel(topic) if commands => self.seal_frame(COMMAND, b"\x06CANCEL", topic, out),
            Traffic::Subscribe(topic) => self.seal_frame(0, &[1], topic, out),
            Traffic::Cancel(topic) => self.seal_frame(0, &[0], topic, out),
            Traffic::Join(group) => self.seal_frame(COMMAND, b"\x04JOIN", group, out),
            Traffic::Leave(group) => self.seal_frame(COMMAND, b"\x05LEAVE", group, out),
            Traffic::NextConnection => Ok(()),
        }
    }

    /// Seals a command that is not traffic: PING, PONG.
    pub(crate) fn seal_command(&mut self, body: &[u8], out: &mut Outbox) -> Result<(), ProtocolError> {
        self.seal_frame(COMMAND, body, Frame::new(), out)
    }

    fn seal_message(&mut self, message: Message, out: &mut Outbox) -> Result<(), ProtocolError> {
        let mut frames = message.into_iter();
        while let Some(frame) = frames.next() {
            self.seal_frame(if frames.len() > 0 { MORE } else { 0 }, &[], frame, out)?;
        }
        out.finish_message();
        Ok(())
    }

    /// Seals one frame with one copy: into the staging buffer, or into memory of its own if the frame is large.
    fn seal_frame(
        &mut self,
        flags: u8,
        name: &[u8],
        frame: Frame,
        out: &mut Outbox,
    ) -> Result<(), ProtocolError> {
        let Some(count) = self.sent.checked_add(1) else {
            out.dispose(frame);
            return Err(ProtocolError::NoncesExhausted);
        };
        self.sent = count;
        let nonce = counted(self.role.prefix(), count);
        let length = name.len().saturating_add(frame.len());
        if length > COPY_LIMIT {
            let mut bytes = Vec::with_capacity(length.saturating_add(MAX_HEADER + OVERHEAD));
            self.write_sealed(&nonce, flags, name, &frame, &mut bytes);
            out.push_body(BytesMut::from(Bytes::from(bytes)).into());
        } else {
            self.write_sealed(&nonce, flags, name, &frame, out.staging());
        }
        out.dispose(frame);
        Ok(())
    }

    #[inline]
    fn write_sealed(&self, nonce: &Nonce, flags: u8, name: &[u8], payload: &[u8], out: &mut Vec<u8>) {
        let length = name.len().saturating_add(payload.len()).saturating_add(OVERHEAD);
        Framing::V2.write(Header::message(length, false), out);
        let at = out.len();
        let mut head = [0; OVERHEAD];
        head[..NONCE_AT].copy_from_slice(MESSAGE);
        head[NONCE_AT..TAG_AT].copy_from_slice(&nonce[16..]);
        head[BOX_AT] = flags;
        out.extend_from_slice(&head);
        out.extend_from_slice(name);
        out.extend_from_slice(payload);
        #[expect(clippy::indexing_slicing, reason = "just appended; it must not go on unsealed")]
        let (head, body) = out[at..].split_at_mut(BOX_AT);
        let (_, tag) = head.split_at_mut(TAG_AT);
        tag.copy_from_slice(&self.key.seal(nonce, body));
    }

    /// Opens frames until a message is complete or a command arrives. `limits` apply to the content of the boxes.
    pub(crate) fn next(
        &mut self,
        decoder: &mut Decoder,
        input: &mut &[u8],
        limits: &Limits,
    ) -> Result<Option<Item>, ProtocolError> {
        while let Some(sealed) = decoder.sealed(input)? {
            let (flags, frame) = self.open(sealed)?;
            let (more, length) = (flags & MORE != 0, frame.len() as u64);
            if flags & COMMAND != 0 {
                if more {
                    return Err(ProtocolError::MalformedCommand(CommandKind::Unnamed));
                }
                return if length > limits.command {
                    Err(ProtocolError::CommandTooLong { length, limit: limits.command })
                } else {
                    Ok(Some(Item::Command(frame)))
                };
            }
            if length > limits.frame {
                return Err(ProtocolError::FrameTooLong { length, limit: limits.frame });
            }
            self.assembly.admit(limits, length, more)?;
            if let Some(message) = self.assembly.push(frame, more) {
                return Ok(Some(Item::Message(message)));
            }
        }
        Ok(None)
    }

    /// Opens the body of one MESSAGE with one copy, from the wire to the frame. Returns its flags and its payload.
    fn open(&mut self, sealed: Sealed<'_>) -> Result<(u8, Frame), ProtocolError> {
        match sealed {
            Sealed::Lent(body) => {
                let (count, tag) = self.admit(body)?;
                let cipher = body.get(BOX_AT..).ok_or_else(malformed)?;
                let mut block = [0; 1 + INLINE];
                if let Some(block) = block.get_mut(..cipher.len()) {
                    block.copy_from_slice(cipher);
                    self.open_in_place(count, &tag, block)?;
                    let (flags, payload) = block.split_first().ok_or_else(malformed)?;
                    return Ok((*flags, Frame::copy_from(payload)));
                }
                let mut bytes = BytesMut::from(Bytes::from(memory::copy(cipher)?));
                self.open_in_place(count, &tag, &mut bytes)?;
                Ok((bytes.get_u8(), bytes.into()))
            }
            Sealed::Owned(mut body) => {
                let (count, tag) = self.admit(&body)?;
                let cipher = body.get_mut(BOX_AT..).ok_or_else(malformed)?;
                self.open_in_place(count, &tag, cipher)?;
                let mut bytes = BytesMut::from(Bytes::from(body));
                bytes.advance(BOX_AT);
                Ok((bytes.get_u8(), bytes.into()))
            }
        }
    }

    /// Opens a MESSAGE, for a test.
    #[cfg(test)]
    pub(super) fn open_for_test(&mut self, body: &[u8]) -> Result<(u8, Frame), ProtocolError> {
        self.open(Sealed::Lent(body))
    }

    /// Makes a MESSAGE with any flags and payload.
    #[cfg(any(test, fuzzing))]
    pub(super) fn seal_for_test(&mut self, flags: u8, payload: &[u8]) -> Vec<u8> {
        self.sent = self.sent.wrapping_add(1);
        let mut bytes = Vec::new();
        let nonce = counted(self.role.prefix(), self.sent);
        self.write_sealed(&nonce, flags, &[], payload, &mut bytes);
        bytes
    }

    /// Checks the clear part of a MESSAGE: its nonce must be above the last one. Returns the nonce and the tag.
    fn admit(&self, body: &[u8]) -> Result<(u64, [u8; TAG]), ProtocolError> {
        if body.len() < OVERHEAD {
            return Err(malformed());
        }
        let mut rest = body.strip_prefix(MESSAGE).ok_or_else(malformed)?;
        let count = super::wire::take_count(&mut rest).ok_or_else(malformed)?;
        let tag = super::wire::take(&mut rest).ok_or_else(malformed)?;
        if count <= self.received {
            return Err(ProtocolError::Replayed(CommandKind::Message));
        }
        Ok((count, *tag))
    }

    #[inline]
    fn open_in_place(&mut self, count: u64, tag: &[u8; TAG], body: &mut [u8]) -> Result<(), ProtocolError> {
        let nonce = counted(self.role.peer().prefix(), count);
        self.key.open(&nonce, tag, body).map_err(|_| ProtocolError::Forged(CommandKind::Message))?;
        self.received = count;
        Ok(())
    }
}

fn malformed() -> ProtocolError {
    ProtocolError::MalformedCommand(CommandKind::Message)
}
