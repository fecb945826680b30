//! What all mechanisms have in common: the steps of a dialogue, and the properties of READY and INITIATE.

use bytes::Bytes;

use super::{Channel, Proof};
use crate::command::{self, Command};
use crate::error::ProtocolError;
use crate::{Config, SocketType};

/// The longest property list that a handshake accepts, in bytes.
pub(crate) const MAX_METADATA: usize = 8 * 1024;

/// The longest ERROR command: a name of 5 and a reason of 255 bytes, each with its length.
#[cfg(any(feature = "plain", feature = "curve"))]
pub(crate) const MAX_ERROR: usize = 1 + 5 + 1 + 255;

/// The name of the command that ends a dialogue.
pub(crate) const READY: &[u8] = b"\x05READY";

/// The property of a peer that dials again after an ERROR. libzmq never dials again then, and loses its queued
/// messages.
const REDIALS: &str = "X-Redials";

/// What the peer sent about itself in the handshake.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) socket_type: Option<SocketType>,
    pub(crate) routing_id: Bytes,
    /// Whether it dials again after an ERROR.
    pub(crate) redials: bool,
    pub(crate) properties: Vec<(String, Bytes)>,
    /// What encrypts the traffic.
    pub(crate) channel: Option<Box<Channel>>,
}

/// How a dialogue goes on.
#[derive(Debug)]
pub(crate) enum Step {
    /// The peer sends the next command.
    More,
    /// The peer has sent its credentials. The next call is `admit`, when the peer is admitted.
    Ask(Proof),
    /// The peer is admitted and has sent its properties. It waits for our READY (`Mechanism::welcome`).
    Introduced(Told),
    /// The dialogue is over.
    Ready(Told),
}

/// Returns the fault for a command that is not expected: a refusal, or a command out of order.
pub(crate) fn fault_of(command: &Command<'_>) -> ProtocolError {
    match command {
        Command::Error(reason) => ProtocolError::of_reason(reason),
        other => ProtocolError::UnexpectedCommand { name: other.name() },
    }
}

/// Returns our READY in clear text.
pub(crate) fn ready(config: &Config) -> Vec<u8> {
    let mut ready = READY.to_vec();
    write_own_properties(config, &mut ready);
    ready
}

/// Appends our own properties: `Socket-Type`, `Identity` if the socket type has one, then the application's.
///
/// libzmq sends `Identity` from REQ, DEALER and ROUTER even when it is empty. It compares both names with regard to
/// case, so they must be spelled like this.
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

/// Reads the peer's properties and checks its socket type against ours.
///
/// If a property is repeated, its first value counts, but for `Identity` the last one, as in libzmq. A peer need not
/// send its socket type.
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
            // Ignored: only the authentication sets a user id (RFC 27), and the peer's own routing id is its
            // `Identity`.
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
