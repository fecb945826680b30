//! The greeting and the detection of the peer's version (RFC 37 §3.2; RFC 15, RFC 13; libzmq zmtp_engine.cpp).
//!
//! This side sends ten bytes at once, the eleventh after the peer's first ten, and the rest after the peer's revision
//! byte. An older peer would take bytes sent earlier for frames.

use crate::error::{Excerpt, ProtocolError};
use crate::frame::{Framing, Header};
use crate::{Config, SocketType, Version};

/// Length of the signature, of a 2.0 greeting, of a 3.x greeting.
const SIGNATURE: usize = 10;
const SHORT: usize = 12;
const FULL: usize = 64;

/// A greeting in progress.
#[derive(Clone, Debug)]
pub(crate) struct Greeting {
    received: [u8; FULL],
    len: usize,
}

/// The detected kind of peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Greeted {
    /// A ZMTP 1.0 peer without greeting. The bytes received so far are the beginning of its identity frame.
    Unversioned { replay: Vec<u8> },
    /// ZMTP 1.0 with a greeting, or 2.0: an identity frame follows. libzmq ignores the socket type.
    Legacy { version: Version, socket_type: Option<SocketType> },
    /// ZMTP 3.x with our mechanism: the handshake follows.
    Modern { version: Version },
}

impl Greeting {
    /// Begins the greeting and sends the signature. A 1.0 peer reads the signature as the header of our identity frame.
    pub(crate) fn start(config: &Config, send: &mut Vec<u8>) -> Greeting {
        send.push(0xFF);
        send.extend_from_slice(&(config.routing_id.len() as u64).saturating_add(1).to_be_bytes());
        send.push(0x7F);
        Greeting { received: [0; FULL], len: 0 }
    }

    /// Returns whether the peer's signature is complete.
    pub(crate) fn is_signed(&self) -> bool {
        self.len >= SIGNATURE
    }

    /// Consumes the greeting's bytes, and no more, from `input`.
    pub(crate) fn receive(
        &mut self,
        config: &Config,
        input: &mut &[u8],
        send: &mut Vec<u8>,
    ) -> Result<Option<Greeted>, ProtocolError> {
        while let Some((place, (byte, rest))) = self.received.get_mut(self.len).zip(input.split_first()) {
            *place = *byte;
            self.len = self.len.saturating_add(1);
            *input = rest;
            if let Some(greeted) = self.step(config, input, send)? {
                return Ok(Some(greeted));
            }
        }
        Ok(None)
    }

    /// Checks the greeting after one more byte. `rest` is the input after it, for the error report only.
    fn step(
        &self,
        config: &Config,
        rest: &[u8],
        send: &mut Vec<u8>,
    ) -> Result<Option<Greeted>, ProtocolError> {
        let received = &self.received;
        match self.len {
            1 if received[0] != 0xFF => self.unversioned(config, rest),
            2 if received[0] != 0xFF => self.unversioned(config, rest),
            SIGNATURE if received[9] & 1 == 0 => self.unversioned(config, rest),
            SIGNATURE => {
                send.push(3);
                Ok(None)
            }
            11 => match received[10] {
                0 | 1 => {
                    admit(config, self.legacy_version())?;
                    send.push(config.socket_type as u8);
                    Ok(None)
                }
                _ => {
                    send.push(1);
                    send.extend_from_slice(&config.mechanism.field());
                    send.extend_from_slice(&[0; 32]);
                    Ok(None)
                }
            },
            SHORT if received[10] <= 1 => {
                let version = self.legacy_version();
                write_identity(version, config, send);
                let socket_type = SocketType::from_number(i32::from(received[11]));
                Ok(Some(Greeted::Legacy { version, socket_type }))
            }
            FULL => self.modern(config).map(Some),
            _ => Ok(None),
        }
    }

    fn legacy_version(&self) -> Version {
        if self.received[10] == 0 { Version::V1_0 } else { Version::V2_0 }
    }

    /// Handles a peer without greeting. It counts as ZMTP 1.0, whatever it sends, as in libzmq. Where 1.0 is refused,
    /// the bytes only select the error. One byte alone is not enough for that.
    fn unversioned(&self, config: &Config, rest: &[u8]) -> Result<Option<Greeted>, ProtocolError> {
        let received = self.received.get(..self.len).unwrap_or(&self.received);
        let Err(refusal) = admit(config, Version::V1_0) else {
            return Ok(Some(Greeted::Unversioned { replay: received.to_vec() }));
        };
        if matches!(received, [first] if *first != 0) {
            return Ok(None);
        }
        // A 1.0 peer begins with its identity frame, which has at most 255 bytes and no MORE flag.
        match Framing::V1.parse(received) {
            Ok(Some((Header { more: false, length: ..=255, .. }, rest)))
                if received.strip_suffix(rest).and_then(<[u8]>::last).is_some_and(|flags| *flags <= 1) =>
            {
                Err(refusal)
            }
            _ => {
                let mut first = received.to_vec();
                first.extend_from_slice(rest.get(..Excerpt::MAX).unwrap_or(rest));
                Err(ProtocolError::NotZmtp { first: Excerpt::of(&first) })
            }
        }
    }

    fn modern(&self, config: &Config) -> Result<Greeted, ProtocolError> {
        // Revision 2 and everything above 3.0 count as 3.1, as in libzmq.
        let version =
            if self.received[10] == 3 && self.received[11] == 0 { Version::V3_0 } else { Version::V3_1 };
        admit(config, version)?;
        let mut peer = [0; 20];
        peer.copy_from_slice(&self.received[12..32]);
        // All 20 bytes are compared. The as-server byte is ignored: libzmq always sends 0, although RFC 24 and 25 would
        // have it set.
        if peer != config.mechanism.field() {
            return Err(ProtocolError::MechanismMismatch { peer });
        }
        Ok(Greeted::Modern { version })
    }
}

/// Appends our identity frame for a peer below 3.0 that greeted.
fn write_identity(version: Version, config: &Config, send: &mut Vec<u8>) {
    Framing::of(version).write(Header::message(config.routing_id.len(), false), send);
    send.extend_from_slice(&config.routing_id);
}

fn admit(config: &Config, spoken: Version) -> Result<(), ProtocolError> {
    let minimum = config.minimum_version();
    if spoken < minimum { Err(ProtocolError::VersionTooOld { spoken, minimum }) } else { Ok(()) }
}
