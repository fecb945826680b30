//! Security mechanisms (RFC 37 §3.3). Each has a file here, and arms in [`Settings`] and in `Mechanism`.
//!
//! A mechanism is a dialogue of commands. `Mechanism::start` and `Mechanism::receive` append the bodies of the commands
//! to be sent, and each `Step` says how the dialogue goes on.
//!
//! A mechanism always stops with `Step::Ask` before it admits the peer, and goes on with `Mechanism::admit`; the gate
//! decides whether a decision is required. The side that sends the last READY stops once more, when it has the peer's
//! properties, and goes on with `Mechanism::welcome`.

#[cfg(feature = "curve")]
pub mod curve;
#[cfg(not(feature = "curve"))]
mod no_channel;
mod null;
#[cfg(feature = "plain")]
mod plain;
pub(crate) mod secret;
mod settings;
mod step;
#[cfg(feature = "curve")]
pub mod z85;

pub mod zap;

use std::time::Instant;

use crate::Config;
use crate::command::Command;
use crate::error::ProtocolError;

#[cfg(feature = "curve")]
pub(crate) use curve::Channel;
#[cfg(not(feature = "curve"))]
pub(crate) use no_channel::Channel;

pub use crate::gate::{Credentials, Decision, Proof, Status};
pub use secret::Secret;
pub use settings::Settings;
pub(crate) use step::{Step, Told};

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
        let _ = &send; // only clients send first
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

    /// Returns the length of the longest command that the dialogue accepts next, in bytes of its body.
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

    /// Handles the peer's next command.
    pub(crate) fn receive(
        &mut self,
        config: &Config,
        command: &Command<'_>,
        now: Instant,
        send: &mut Vec<Vec<u8>>,
    ) -> Result<Step, ProtocolError> {
        let _ = (&send, now); // NULL needs neither
        match (self, &config.mechanism) {
            (Mechanism::Null(null), _) => null.receive(config, command),
            #[cfg(feature = "plain")]
            (Mechanism::PlainServer(server), _) => server.receive(config, command),
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
            _ => Err(step::fault_of(command)),
        }
    }

    /// Admits the peer after a [`Step::Ask`], and appends the command for that, if the mechanism has one.
    pub(crate) fn admit(&mut self, config: &Config, send: &mut Vec<Vec<u8>>) -> Step {
        match self {
            Mechanism::Null(null) => null.admit(config, send),
            #[cfg(feature = "plain")]
            Mechanism::PlainServer(server) => {
                server.admit(send);
                Step::More
            }
            #[cfg(feature = "curve")]
            Mechanism::CurveServer(server) => server.admit(),
            #[cfg(feature = "plain")]
            Mechanism::PlainClient(_) => Step::More,
            #[cfg(feature = "curve")]
            Mechanism::CurveClient(_) => Step::More,
        }
    }

    /// Returns our READY for the peer of a [`Step::Introduced`]. The dialogue is over then.
    pub(crate) fn welcome(config: &Config, told: &Told) -> Vec<u8> {
        match &told.channel {
            #[cfg(feature = "curve")]
            Some(channel) => curve::ready(config, channel),
            _ => step::ready(config),
        }
    }
}

#[cfg(test)]
mod gate_tests;
#[cfg(test)]
#[cfg(all(feature = "plain", feature = "curve"))]
mod gate_walk_tests;
#[cfg(test)]
#[cfg(feature = "plain")]
mod plain_tests;
