//! PLAIN (RFC 24): a name and a password in clear text.
//!
//! `HELLO` → (the gate) → `WELCOME` → `INITIATE` → `READY`. The settings assign the roles. The greeting's as-server
//! byte is always 0 and ignored, as in libzmq.

use bytes::Bytes;

use super::Secret;
use super::step::{MAX_ERROR, MAX_METADATA, READY, Step, fault_of, read_properties, write_own_properties};
use crate::Config;
use crate::command::{self, Command};
use crate::error::{CommandKind, ProtocolError};
use crate::gate::Proof;

const HELLO: &[u8] = b"\x05HELLO";
const WELCOME: &[u8] = b"\x07WELCOME";
const INITIATE: &[u8] = b"\x08INITIATE";

/// The greatest lengths of the commands that hold what the peer chooses.
const MAX_HELLO: usize = HELLO.len() + 2 * (1 + 255);
const MAX_INITIATE: usize = INITIATE.len() + MAX_METADATA;
const MAX_READY: usize = READY.len() + MAX_METADATA;

/// The server's side. Each state is named after what it waits for.
#[derive(Debug)]
pub(crate) enum Server {
    Hello,
    /// The decision of the gate.
    Decision,
    Initiate,
    /// Nothing: our READY follows.
    Nothing,
}

impl Server {
    pub(super) fn max_command(&self) -> usize {
        match self {
            Server::Hello | Server::Decision | Server::Nothing => MAX_HELLO,
            Server::Initiate => MAX_INITIATE,
        }
    }

    pub(super) fn receive(&mut self, config: &Config, command: &Command<'_>) -> Result<Step, ProtocolError> {
        match (&self, command) {
            (Server::Hello, Command::Other { name: b"HELLO", data }) => {
                let (username, password) =
                    command::two_strings(data).ok_or(ProtocolError::MalformedCommand(CommandKind::Hello))?;
                *self = Server::Decision;
                Ok(Step::Ask(Proof::Plain {
                    username: Bytes::copy_from_slice(username),
                    password: Secret::from(password),
                }))
            }
            (Server::Initiate, Command::Other { name: b"INITIATE", data }) => {
                let told = read_properties(config, data)?;
                *self = Server::Nothing;
                Ok(Step::Introduced(told))
            }
            (_, other) => Err(ProtocolError::UnexpectedCommand { name: other.name() }),
        }
    }

    /// Admits the peer.
    pub(super) fn admit(&mut self, send: &mut Vec<Vec<u8>>) {
        if let Server::Decision = self {
            send.push(WELCOME.to_vec());
            *self = Server::Initiate;
        }
    }
}

/// The client's side. Each state is named after what it waits for.
#[derive(Debug)]
pub(crate) enum Client {
    Welcome,
    Ready,
    /// Nothing: the dialogue is over.
    Nothing,
}

impl Client {
    pub(super) fn start(
        username: &[u8],
        password: &Secret,
        send: &mut Vec<Vec<u8>>,
    ) -> Result<Client, ProtocolError> {
        // The capacity is the greatest length: growing would leave a copy of the password in memory.
        let mut hello = Vec::with_capacity(MAX_HELLO);
        hello.extend_from_slice(HELLO);
        for text in [username, password.expose()] {
            hello.push(u8::try_from(text.len()).map_err(|_| ProtocolError::CredentialsTooLong)?);
            hello.extend_from_slice(text);
        }
        send.push(hello);
        Ok(Client::Welcome)
    }

    pub(super) fn max_command(&self) -> usize {
        match self {
            Client::Welcome | Client::Nothing => MAX_ERROR,
            Client::Ready => MAX_READY,
        }
    }

    pub(super) fn receive(
        &mut self,
        config: &Config,
        command: &Command<'_>,
        send: &mut Vec<Vec<u8>>,
    ) -> Result<Step, ProtocolError> {
        match (&self, command) {
            (Client::Welcome, Command::Other { name: b"WELCOME", data: [] }) => {
                let mut initiate = INITIATE.to_vec();
                write_own_properties(config, &mut initiate);
                send.push(initiate);
                *self = Client::Ready;
                Ok(Step::More)
            }
            (Client::Welcome, Command::Other { name: b"WELCOME", .. }) => {
                Err(ProtocolError::MalformedCommand(CommandKind::Welcome))
            }
            (Client::Ready, Command::Ready(data)) => {
                let told = read_properties(config, data)?;
                *self = Client::Nothing;
                Ok(Step::Ready(told))
            }
            (_, command) => Err(fault_of(command)),
        }
    }
}
