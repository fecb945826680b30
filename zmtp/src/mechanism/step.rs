//! What the dialogues of all mechanisms have in common: how one goes on, and the properties of READY and INITIATE.

use bytes::Bytes;

use super::{Channel, Proof};
use crate::command::{self, Command};
use crate::error::ProtocolError;
use crate::{Config, SocketType};

/// Longest property list that a handshake accepts, in bytes.
pub(crate) const MAX_METADATA: usize = 8 * 1024;

/// The longest ERROR command: a name of 5 and a reason of 255 bytes, each with its length.
#[cfg(any(feature = "plain", feature = "curve"))]
pub(crate) const MAX_ERROR: usize = 1 + 5 + 1 + 255;

/// The name of the command that ends a dialogue.
pub(crate) const READY: &[u8] = b"\x05READY";

/// The property of a peer that dials again after an ERROR. libzmq gives up for good then, and loses what it has queued.
const REDIALS: &str = "X-Redials";

/// What the handshake told of the peer.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) socket_type: Option<SocketType>,
    pub(crate) routing_id: Bytes,
    /// After an ERROR it dials again.
    pub(crate) redials: bool,
    pub(crate) properties: Vec<(String, Bytes)>,
    /// What encrypts the traffic.
    pub(crate) channel: Option<Box<Channel>>,
}

/// How a dialogue goes on.
#[derive(Debug)]
pub(crate) enum Step {
    /// The peer speaks next.
    More,
    /// The peer showed who it is: `admit` is to be called when it may come in, and nothing else before.
    Ask(Proof),
    /// The peer may come in, and has said what it calls itself: it waits for our READY (`Mechanism::welcome`).
    Introduced(Told),
    /// The dialogue is over.
    Ready(Told),
}

/// What a command is that has no place here: a refusal, or out of order.
pub(crate) fn fault_of(command: &Command<'_>) -> ProtocolError {
    match command {
        Command::Error(reason) => ProtocolError::of_reason(reason),
        other => ProtocolError::UnexpectedCommand { name: other.name() },
    }
}

/// Our READY in clear text.
pub(crate) fn ready(config: &Config) -> Vec<u8> {
    let mut ready = READY.to_vec();
    write_own_properties(config, &mut ready);
    ready
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
    if config.redials {
        command::write_property(REDIALS, b"1", out);
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
        } else if name.eq_ignore_ascii_case(REDIALS) {
            told.redials = true;
        } else if name.eq_ignore_ascii_case("User-Id") || name.eq_ignore_ascii_case("Routing-Id") {
            // Who the peer is says the authoriser (RFC 27), never the peer; what it calls itself is its `Identity`.
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
