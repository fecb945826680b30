//! Security mechanisms (RFC 37 §3.3): each is a file here, arms of [`Settings`] and arms of `Mechanism`.
//!
//! A mechanism is a dialogue of commands. `Mechanism::start` and `Mechanism::receive` append the bodies of the
//! commands to be sent; each `Step` says how the dialogue goes on. Before it tells the peer that it may come in it
//! asks, always, and goes on with `Mechanism::admit`: whether there is anybody to be asked is the gate's affair.

#[cfg(feature = "curve")]
pub mod curve;
#[cfg(not(feature = "curve"))]
mod no_channel;
mod null;
#[cfg(feature = "plain")]
mod plain;
pub(crate) mod secret;
#[cfg(feature = "curve")]
pub mod z85;

use std::time::Instant;
pub mod zap;

use bytes::Bytes;

use crate::SocketType;
use crate::command::{self, Command};
use crate::connection::Config;
use crate::error::ProtocolError;
#[cfg(feature = "curve")]
use curve::{PublicKey, SecretKey};

#[cfg(feature = "curve")]
pub(crate) use curve::Channel;
#[cfg(not(feature = "curve"))]
pub(crate) use no_channel::Channel;

pub use crate::gate::{Credentials, Decision, Proof, Status};
pub use secret::Secret;

/// Longest property list that a handshake accepts, in bytes.
pub(crate) const MAX_METADATA: usize = 8 * 1024;

/// The longest ERROR command: a name of 5 and a reason of 255 bytes, each with its length.
#[cfg(any(feature = "plain", feature = "curve"))]
const MAX_ERROR: usize = 1 + 5 + 1 + 255;

/// Which mechanism a socket demands, with its credentials.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Settings {
    /// NULL: no authentication, no secrecy (RFC 23 "NULL").
    #[default]
    Null,
    /// PLAIN, the side that is shown a name and a password (RFC 24; `ZMQ_PLAIN_SERVER`).
    #[cfg(feature = "plain")]
    PlainServer,
    /// PLAIN, the side that shows them, at most 255 bytes each (RFC 24; `ZMQ_PLAIN_USERNAME`, `ZMQ_PLAIN_PASSWORD`).
    #[cfg(feature = "plain")]
    PlainClient {
        /// The name.
        username: Bytes,
        /// The password.
        password: Secret,
    },
    /// CURVE, the side whose key the clients know (RFC 25; `ZMQ_CURVE_SERVER`, `ZMQ_CURVE_SECRETKEY`).
    #[cfg(feature = "curve")]
    CurveServer(SecretKey),
    /// CURVE, the side that knows the server's key (RFC 25; `ZMQ_CURVE_SERVERKEY`, `ZMQ_CURVE_SECRETKEY`).
    #[cfg(feature = "curve")]
    CurveClient {
        /// The server's public key: no other server is talked to.
        server: PublicKey,
        /// Our own key.
        secret: SecretKey,
    },
}

impl Settings {
    /// The mechanism's name, as the greeting carries it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Settings::Null => "NULL",
            #[cfg(feature = "plain")]
            Settings::PlainServer | Settings::PlainClient { .. } => "PLAIN",
            #[cfg(feature = "curve")]
            Settings::CurveServer(_) | Settings::CurveClient { .. } => "CURVE",
        }
    }

    /// Whether this side admits peers, and so asks whether it may; a client does not.
    #[must_use]
    pub fn admits(&self) -> bool {
        match self {
            Settings::Null => true,
            #[cfg(feature = "plain")]
            Settings::PlainServer => true,
            #[cfg(feature = "plain")]
            Settings::PlainClient { .. } => false,
            #[cfg(feature = "curve")]
            Settings::CurveServer(_) => true,
            #[cfg(feature = "curve")]
            Settings::CurveClient { .. } => false,
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
        matches!(self, Settings::Null)
    }
}

/// What the handshake told of the peer.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) socket_type: Option<SocketType>,
    pub(crate) routing_id: Bytes,
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
    /// The dialogue is over.
    Ready(Told),
}

/// A handshake in progress.
#[derive(Debug)]
pub(crate) enum Mechanism {
    Null(null::Null),
    #[cfg(feature = "plain")]
    PlainServer(plain::Server),
    #[cfg(feature = "plain")]
    PlainClient(plain::Client),
    #[cfg(feature = "curve")]
    CurveServer(curve::Server),
    #[cfg(feature = "curve")]
    CurveClient(curve::Client),
}

impl Mechanism {
    /// Begins the dialogue.
    pub(crate) fn start(
        config: &Config,
        send: &mut Vec<Vec<u8>>,
    ) -> Result<(Mechanism, Step), ProtocolError> {
        let _ = &send; // only clients speak first
        Ok(match &config.mechanism {
            Settings::Null => (Mechanism::Null(null::Null::Both), Step::Ask(Proof::None)),
            #[cfg(feature = "plain")]
            Settings::PlainServer => (Mechanism::PlainServer(plain::Server::Hello), Step::More),
            #[cfg(feature = "plain")]
            Settings::PlainClient { username, password } => {
                (Mechanism::PlainClient(plain::Client::start(username, password, send)?), Step::More)
            }
            #[cfg(feature = "curve")]
            Settings::CurveServer(_) => (Mechanism::CurveServer(curve::Server::Hello), Step::More),
            #[cfg(feature = "curve")]
            Settings::CurveClient { server, .. } => {
                (Mechanism::CurveClient(curve::Client::start(config, server, send)?), Step::More)
            }
        })
    }

    /// Longest command that the dialogue accepts next, in bytes of its body.
    pub(crate) fn max_command(&self) -> usize {
        match self {
            Mechanism::Null(_) => null::MAX_COMMAND,
            #[cfg(feature = "plain")]
            Mechanism::PlainServer(server) => server.max_command(),
            #[cfg(feature = "plain")]
            Mechanism::PlainClient(client) => client.max_command(),
            #[cfg(feature = "curve")]
            Mechanism::CurveServer(server) => server.max_command(),
            #[cfg(feature = "curve")]
            Mechanism::CurveClient(client) => client.max_command(),
        }
    }

    /// Takes the peer's next command.
    pub(crate) fn receive(
        &mut self,
        config: &Config,
        command: &Command<'_>,
        now: Instant,
        send: &mut Vec<Vec<u8>>,
    ) -> Result<Step, ProtocolError> {
        let _ = (&send, now); // NULL answers nothing
        match (self, &config.mechanism) {
            (Mechanism::Null(null), _) => null.receive(config, command),
            #[cfg(feature = "plain")]
            (Mechanism::PlainServer(server), _) => server.receive(config, command, send),
            #[cfg(feature = "plain")]
            (Mechanism::PlainClient(client), _) => client.receive(config, command, send),
            #[cfg(feature = "curve")]
            (Mechanism::CurveServer(dialogue), Settings::CurveServer(secret)) => {
                dialogue.receive(config, secret, command, now, send)
            }
            #[cfg(feature = "curve")]
            (Mechanism::CurveClient(dialogue), Settings::CurveClient { server, secret }) => {
                dialogue.receive(config, secret, server, command, send)
            }
            // The settings of a connection never change.
            #[cfg(feature = "curve")]
            _ => Err(fault_of(command)),
        }
    }

    /// Tells the peer, which [`Step::Ask`] asked for, that it may come in.
    pub(crate) fn admit(&mut self, config: &Config, send: &mut Vec<Vec<u8>>) -> Step {
        let told = match self {
            Mechanism::Null(null) => null.admit(config, send),
            #[cfg(feature = "plain")]
            Mechanism::PlainServer(server) => server.admit(send),
            #[cfg(feature = "plain")]
            Mechanism::PlainClient(_) => None,
            #[cfg(feature = "curve")]
            Mechanism::CurveServer(server) => server.admit(config, send),
            #[cfg(feature = "curve")]
            Mechanism::CurveClient(_) => None,
        };
        told.map_or(Step::More, Step::Ready)
    }
}

/// What a command is that has no place here: a refusal, or out of order.
fn fault_of(command: &Command<'_>) -> ProtocolError {
    match command {
        Command::Error(reason) => ProtocolError::Refused { reason: Bytes::copy_from_slice(reason) },
        other => ProtocolError::UnexpectedCommand { name: other.name() },
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

#[cfg(test)]
mod gate_tests;
#[cfg(test)]
#[cfg(all(feature = "plain", feature = "curve"))]
mod gate_walk_tests;
#[cfg(test)]
#[cfg(feature = "plain")]
mod plain_tests;
