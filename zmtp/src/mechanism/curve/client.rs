//! The client's side of the handshake: it sends `HELLO`, answers `WELCOME` with `INITIATE`, and receives `READY`.

use zeroize::Zeroizing;

use super::boxes::{BoxKey, counted, random};
use super::channel::{Channel, Role};
use super::keys::{PublicKey, SecretKey};
use super::wire::{
    COOKIE_LENGTH, HELLO, HELLO_LENGTH, HELLO_NONCE, INITIATE, INITIATE_NONCE, PADDING, READY, READY_NONCE,
    VERSION, VOUCH_LENGTH, VOUCH_NONCE, WELCOME_LENGTH, WELCOME_NONCE, take, take_count,
};
use crate::Config;
use crate::command::Command;
use crate::error::{CommandKind, ProtocolError};
use crate::mechanism::step::{
    MAX_ERROR, MAX_METADATA, Step, fault_of, read_properties, write_own_properties,
};

/// The greatest length of a READY.
const MAX_READY: usize = READY.len() + 8 + super::boxes::TAG + MAX_METADATA;

/// The client. Each state is named after what it waits for.
#[derive(Debug)]
pub(crate) enum Client {
    Welcome(Box<Greeted>),
    Ready(Box<Initiated>),
    /// Nothing: the dialogue is over.
    Nothing,
}

/// What is kept after our HELLO.
#[derive(Debug)]
pub(crate) struct Greeted {
    /// c' and C'.
    transient: SecretKey,
    /// The key of c' and S.
    key: BoxKey,
    vouch_nonce: [u8; 16],
}

/// What is kept after our INITIATE.
#[derive(Debug)]
pub(crate) struct Initiated {
    /// The key of c' and S'.
    key: BoxKey,
}

impl Client {
    pub(in crate::mechanism) fn start(
        config: &Config,
        server: &PublicKey,
        send: &mut Vec<Vec<u8>>,
    ) -> Result<Client, ProtocolError> {
        let transient = SecretKey::generate(&config.entropy)?;
        let mut vouch_nonce = [0; 16];
        config.entropy.fill(&mut vouch_nonce)?;
        let key = BoxKey::agree(&transient, server).ok_or(ProtocolError::WeakKey)?;
        let mut hello = Vec::with_capacity(HELLO_LENGTH);
        for part in [&HELLO[..], &VERSION, &PADDING, transient.public().as_bytes(), &1_u64.to_be_bytes()] {
            hello.extend_from_slice(part);
        }
        key.seal_onto(&counted(HELLO_NONCE, 1), &[0; 64], &mut hello);
        send.push(hello);
        Ok(Client::Welcome(Box::new(Greeted { transient, key, vouch_nonce })))
    }

    pub(in crate::mechanism) fn max_command(&self) -> usize {
        match self {
            Client::Welcome(_) | Client::Nothing => WELCOME_LENGTH.max(MAX_ERROR),
            Client::Ready(_) => MAX_READY,
        }
    }

    pub(in crate::mechanism) fn receive(
        &mut self,
        config: &Config,
        secret: &SecretKey,
        server: &PublicKey,
        command: &Command<'_>,
        send: &mut Vec<Vec<u8>>,
    ) -> Result<Step, ProtocolError> {
        // On a fault, the state stays `Nothing` and the keys are dropped.
        match (std::mem::replace(self, Client::Nothing), command) {
            (Client::Welcome(greeted), Command::Other { name: b"WELCOME", data }) => {
                let (initiate, initiated) = greeted.welcome(config, secret, server, data)?;
                send.push(initiate);
                *self = Client::Ready(Box::new(initiated));
                Ok(Step::More)
            }
            (Client::Ready(initiated), Command::Ready(data)) => initiated.ready(config, data),
            (_, command) => Err(fault_of(command)),
        }
    }
}

impl Greeted {
    /// Opens a WELCOME. Returns our INITIATE and the next state.
    fn welcome(
        self,
        config: &Config,
        secret: &SecretKey,
        server: &PublicKey,
        mut data: &[u8],
    ) -> Result<(Vec<u8>, Initiated), ProtocolError> {
        let malformed = || ProtocolError::MalformedCommand(CommandKind::Welcome);
        let nonce: &[u8; 16] = take(&mut data).ok_or_else(malformed)?;
        let sealed: &[u8; 144] = data.try_into().map_err(|_| malformed())?;
        let welcome = self
            .key
            .open_box(&random(WELCOME_NONCE, nonce), sealed)
            .map_err(|_| ProtocolError::Forged(CommandKind::Welcome))?;
        let mut inside = &welcome[..];
        let transient_server = PublicKey::from_bytes(*take(&mut inside).ok_or_else(malformed)?);
        let cookie: &[u8; COOKIE_LENGTH] = take(&mut inside).ok_or_else(malformed)?;
        let key = BoxKey::agree(&self.transient, &transient_server).ok_or(ProtocolError::WeakKey)?;
        let vouch_key = BoxKey::agree(secret, &transient_server).ok_or(ProtocolError::WeakKey)?;

        let mut plain = Zeroizing::new(Vec::with_capacity(32 + VOUCH_LENGTH + 64));
        plain.extend_from_slice(secret.public().as_bytes());
        plain.extend_from_slice(&self.vouch_nonce);
        let vouch = [*self.transient.public().as_bytes(), *server.as_bytes()].concat();
        vouch_key.seal_onto(&random(VOUCH_NONCE, &self.vouch_nonce), &vouch, &mut plain);
        write_own_properties(config, &mut plain);

        let mut initiate = Vec::with_capacity(plain.len().saturating_add(256));
        for part in [&INITIATE[..], cookie, &2_u64.to_be_bytes()] {
            initiate.extend_from_slice(part);
        }
        key.seal_onto(&counted(INITIATE_NONCE, 2), &plain, &mut initiate);
        Ok((initiate, Initiated { key }))
    }
}

impl Initiated {
    /// Opens a READY.
    fn ready(self, config: &Config, mut data: &[u8]) -> Result<Step, ProtocolError> {
        let malformed = || ProtocolError::MalformedCommand(CommandKind::Ready);
        let nonce = take_count(&mut data).ok_or_else(malformed)?;
        if data.len() < super::boxes::TAG {
            return Err(malformed());
        }
        let properties = self
            .key
            .open_box(&counted(READY_NONCE, nonce), data)
            .map_err(|_| ProtocolError::Forged(CommandKind::Ready))?;
        let mut told = read_properties(config, &properties)?;
        told.channel = Some(Box::new(Channel::new(self.key, Role::Client, 2, nonce)));
        Ok(Step::Ready(told))
    }
}
