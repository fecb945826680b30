//! Security mechanisms (RFC 37 §3.3): each is a file here, an arm of [`Settings`] and an arm of `Mechanism`.
//!
//! A mechanism is a dialogue of commands. `Mechanism::start` and `Mechanism::receive` append the bodies of the
//! commands to be sent; `receive` ends the dialogue with what the peer told of itself.

mod null;

use bytes::Bytes;

use crate::SocketType;
use crate::command::{self, Command};
use crate::connection::Config;
use crate::error::ProtocolError;

/// Longest property list that a handshake accepts, in bytes.
pub(crate) const MAX_METADATA: usize = 8 * 1024;

/// Which mechanism a socket demands, with its credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Settings {
    /// NULL: no authentication, no secrecy (RFC 23 "NULL").
    #[default]
    Null,
}

impl Settings {
    /// The mechanism's name, as the greeting carries it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Settings::Null => "NULL",
        }
    }

    /// The greeting's mechanism field: the name, NUL padded.
    pub(crate) fn field(&self) -> [u8; 20] {
        let mut field = [0; 20];
        field[..self.name().len()].copy_from_slice(self.name().as_bytes());
        field
    }

    /// Whether peers below 3.0, which know no mechanism, may connect at all. Anything but NULL would let them in
    /// without a proof of who they are (libzmq session_base.cpp `zap_enabled`).
    pub(crate) fn permits_legacy(&self) -> bool {
        match self {
            Settings::Null => true,
        }
    }

    /// Bytes that the mechanism adds to a frame of the application.
    pub(crate) fn overhead(&self) -> u64 {
        match self {
            Settings::Null => 0,
        }
    }
}

/// What the handshake told of the peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) socket_type: Option<SocketType>,
    pub(crate) routing_id: Bytes,
    pub(crate) properties: Vec<(String, Bytes)>,
    pub(crate) user_id: String,
}

/// A handshake in progress.
#[derive(Clone, Debug)]
pub(crate) enum Mechanism {
    Null(null::Null),
}

impl Mechanism {
    /// Begins the dialogue.
    pub(crate) fn start(config: &Config, send: &mut Vec<Vec<u8>>) -> Mechanism {
        match config.mechanism {
            Settings::Null => Mechanism::Null(null::Null::start(config, send)),
        }
    }

    /// Longest command that the dialogue accepts, in bytes of its body.
    pub(crate) fn max_command(&self) -> usize {
        match self {
            Mechanism::Null(_) => null::MAX_COMMAND,
        }
    }

    /// Takes the peer's next command.
    pub(crate) fn receive(
        &mut self,
        config: &Config,
        command: &Command<'_>,
        send: &mut Vec<Vec<u8>>,
    ) -> Result<Option<Told>, ProtocolError> {
        let _ = send; // NULL has nothing more to say
        match self {
            Mechanism::Null(null) => null.receive(config, command).map(Some),
        }
    }
}

/// Our own properties: `Socket-Type`, `Identity` where the type has one, then the application's.
///
/// libzmq sends `Identity` from REQ, DEALER and ROUTER even when it is empty, and compares both names with regard
/// to case, so they are spelled exactly so.
pub(crate) fn write_own_properties(config: &Config, out: &mut Vec<u8>) {
    command::write_property("Socket-Type", config.socket_type.name().as_bytes(), out);
    if config.socket_type.sends_identity() {
        command::write_property("Identity", &config.routing_id, out);
    }
    for (name, value) in &config.properties {
        command::write_property(name, value, out);
    }
}

/// Reads the peer's properties and holds its socket type against ours.
///
/// Of a repeated property the first value counts, of `Identity` the last, as in libzmq. A peer need not name its
/// socket type.
pub(crate) fn read_properties(config: &Config, data: &[u8]) -> Result<Told, ProtocolError> {
    if data.len() > MAX_METADATA {
        return Err(ProtocolError::InvalidMetadata);
    }
    let mut told = Told::default();
    for (name, value) in command::properties(data)? {
        if name.eq_ignore_ascii_case("Socket-Type") {
            let peer = legal_peer(config.socket_type, value)?;
            told.socket_type.get_or_insert(peer);
        } else if name.eq_ignore_ascii_case("Identity") {
            if value.len() > 255 {
                return Err(ProtocolError::InvalidMetadata);
            }
            told.routing_id = Bytes::copy_from_slice(value);
        } else if !told.properties.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            told.properties.push((name.to_owned(), command::keep(value)));
        }
    }
    Ok(told)
}

fn legal_peer(own: SocketType, name: &[u8]) -> Result<SocketType, ProtocolError> {
    let peer = SocketType::from_name(name);
    peer.filter(|peer| own.talks_to(*peer)).ok_or(ProtocolError::SocketTypeMismatch { own, peer })
}
