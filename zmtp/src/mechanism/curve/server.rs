//! The server's side of the handshake.
//!
//! Between `WELCOME` and `INITIATE` the connection keeps nothing of the client but the key of its cookie; C' and s' are
//! in the cookie. Each connection has its own cookie key and seals one cookie with it. So a cookie that this key opens
//! is the one that this client received.

use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::boxes::{BoxKey, TAG, counted, random};
use super::channel::{Channel, Role};
use super::keys::{PublicKey, SecretKey};
use super::wire::{
    COOKIE_LENGTH, COOKIE_NONCE, HELLO_LENGTH, HELLO_NONCE, INITIATE, INITIATE_NONCE, PADDING, READY,
    READY_NONCE, VERSION, VOUCH_LENGTH, VOUCH_NONCE, WELCOME, WELCOME_LENGTH, WELCOME_NONCE, take,
    take_count,
};
use crate::Config;
use crate::command::Command;
use crate::error::{CommandKind, ProtocolError};
use crate::gate::Proof;
use crate::mechanism::step::{MAX_METADATA, Step, Told, read_properties, write_own_properties};

/// The greatest length of an INITIATE.
const MAX_INITIATE: usize = INITIATE.len() + COOKIE_LENGTH + 8 + TAG + 32 + VOUCH_LENGTH + MAX_METADATA;

/// How long a cookie is valid (RFC 26 §"WELCOME": "a short period of time, typically 60 seconds").
const COOKIE_LIFE: Duration = Duration::from_secs(60);

/// The server. Each state is named after what it waits for.
#[derive(Debug)]
pub(crate) enum Server {
    Hello,
    Initiate(Box<Welcomed>),
    /// The decision of the gate.
    Decision(Box<Told>),
    /// Nothing: our READY follows.
    Nothing,
}

/// What is kept after our WELCOME.
#[derive(Debug)]
pub(crate) struct Welcomed {
    cookie_key: BoxKey,
    /// `None` if it is beyond the range of the clock.
    expiry: Option<Instant>,
    /// The nonce of the HELLO.
    nonce: u64,
}

impl Server {
    pub(in crate::mechanism) fn max_command(&self) -> usize {
        match self {
            Server::Hello | Server::Decision(_) | Server::Nothing => HELLO_LENGTH,
            Server::Initiate(_) => MAX_INITIATE,
        }
    }

    pub(in crate::mechanism) fn receive(
        &mut self,
        config: &Config,
        secret: &SecretKey,
        command: &Command<'_>,
        now: Instant,
        send: &mut Vec<Vec<u8>>,
    ) -> Result<Step, ProtocolError> {
        // On a fault, the state stays `Nothing` and the keys are dropped.
        match (std::mem::replace(self, Server::Nothing), command) {
            (Server::Hello, Command::Other { name: b"HELLO", data }) => {
                let (welcome, welcomed) = hello(config, secret, data, now)?;
                send.push(welcome);
                *self = Server::Initiate(Box::new(welcomed));
                Ok(Step::More)
            }
            (Server::Initiate(welcomed), Command::Other { name: b"INITIATE", data }) => {
                let (client, told) = welcomed.initiate(config, secret, data, now)?;
                *self = Server::Decision(Box::new(told));
                Ok(Step::Ask(Proof::Curve(client)))
            }
            // RFC 26: only the server sends ERROR, never the client.
            (_, command) => Err(ProtocolError::UnexpectedCommand { name: command.name() }),
        }
    }

    /// Admits the client.
    pub(in crate::mechanism) fn admit(&mut self) -> Step {
        match std::mem::replace(self, Server::Nothing) {
            Server::Decision(told) => Step::Introduced(*told),
            state => {
                *self = state;
                Step::More
            }
        }
    }
}

/// Returns our READY for the client at the other end of `channel`.
pub(in crate::mechanism) fn ready(config: &Config, channel: &Channel) -> Vec<u8> {
    let mut properties = Vec::new();
    write_own_properties(config, &mut properties);
    let mut ready = READY.to_vec();
    ready.extend_from_slice(&1_u64.to_be_bytes());
    channel.key().seal_onto(&counted(READY_NONCE, 1), &properties, &mut ready);
    ready
}

/// Opens a HELLO. Returns our WELCOME and the next state.
fn hello(
    config: &Config,
    secret: &SecretKey,
    mut data: &[u8],
    now: Instant,
) -> Result<(Vec<u8>, Welcomed), ProtocolError> {
    let malformed = || ProtocolError::MalformedCommand(CommandKind::Hello);
    let version: &[u8; 2] = take(&mut data).ok_or_else(malformed)?;
    let padding: &[u8; 72] = take(&mut data).ok_or_else(malformed)?;
    let client = PublicKey::from_bytes(*take(&mut data).ok_or_else(malformed)?);
    let nonce = take_count(&mut data).ok_or_else(malformed)?;
    let sealed: &[u8; 80] = data.try_into().map_err(|_| malformed())?;
    if *version != VERSION || *padding != PADDING {
        return Err(malformed());
    }
    let key = BoxKey::agree(secret, &client).ok_or(ProtocolError::WeakKey)?;
    // The content is only zeros. That the box opens proves that the client has c'.
    key.open_box(&counted(HELLO_NONCE, nonce), sealed)
        .map_err(|_| ProtocolError::Forged(CommandKind::Hello))?;

    let transient = SecretKey::generate(&config.entropy)?;
    let mut fresh = Zeroizing::new([0; 64]);
    config.entropy.fill(&mut *fresh)?;
    let mut fresh = &fresh[..];
    let no_entropy = || ProtocolError::NoEntropy;
    let cookie_key = BoxKey::of(*take(&mut fresh).ok_or_else(no_entropy)?);
    let cookie_nonce: &[u8; 16] = take(&mut fresh).ok_or_else(no_entropy)?;
    let welcome_nonce: &[u8; 16] = take(&mut fresh).ok_or_else(no_entropy)?;

    // Filled in place: concatenating arrays would leave a copy of s' in memory.
    let mut held = Zeroizing::new([0; 64]);
    let (of_client, of_server) = held.split_at_mut(32);
    of_client.copy_from_slice(client.as_bytes());
    of_server.copy_from_slice(transient.expose());
    let mut plain = Vec::with_capacity(32 + COOKIE_LENGTH);
    plain.extend_from_slice(transient.public().as_bytes());
    plain.extend_from_slice(cookie_nonce);
    cookie_key.seal_onto(&random(COOKIE_NONCE, cookie_nonce), &held[..], &mut plain);

    let mut welcome = Vec::with_capacity(WELCOME_LENGTH);
    welcome.extend_from_slice(WELCOME);
    welcome.extend_from_slice(welcome_nonce);
    key.seal_onto(&random(WELCOME_NONCE, welcome_nonce), &plain, &mut welcome);
    Ok((welcome, Welcomed { cookie_key, expiry: now.checked_add(COOKIE_LIFE), nonce }))
}

impl Welcomed {
    /// Opens an INITIATE. Returns the client's key and its properties.
    fn initiate(
        self,
        config: &Config,
        secret: &SecretKey,
        mut data: &[u8],
        now: Instant,
    ) -> Result<(PublicKey, Told), ProtocolError> {
        let malformed = || ProtocolError::MalformedCommand(CommandKind::Initiate);
        let forged = |_| ProtocolError::Forged(CommandKind::Initiate);
        let cookie_nonce: &[u8; 16] = take(&mut data).ok_or_else(malformed)?;
        let cookie: &[u8; 80] = take(&mut data).ok_or_else(malformed)?;
        let nonce = take_count(&mut data).ok_or_else(malformed)?;
        if data.len() < TAG + 32 + VOUCH_LENGTH {
            return Err(malformed());
        }
        if self.expiry.is_some_and(|expiry| expiry < now) {
            return Err(ProtocolError::CookieExpired);
        }
        if nonce <= self.nonce {
            return Err(ProtocolError::Replayed(CommandKind::Initiate));
        }
        let held = self.cookie_key.open_box(&random(COOKIE_NONCE, cookie_nonce), cookie).map_err(forged)?;
        let mut held = &held[..];
        let transient_client = PublicKey::from_bytes(*take(&mut held).ok_or_else(malformed)?);
        let transient = SecretKey::of(take(&mut held).ok_or_else(malformed)?);

        let key = BoxKey::agree(&transient, &transient_client).ok_or(ProtocolError::WeakKey)?;
        let plain = key.open_box(&counted(INITIATE_NONCE, nonce), data).map_err(forged)?;
        let mut inside = &plain[..];
        let client = PublicKey::from_bytes(*take(&mut inside).ok_or_else(malformed)?);
        let vouch_nonce: &[u8; 16] = take(&mut inside).ok_or_else(malformed)?;
        let vouch: &[u8; 80] = take(&mut inside).ok_or_else(malformed)?;
        // The vouch proves that the client has c, and that it means this connection (C') and this server (S). libzmq
        // does not check the server's part.
        let vouch_key = BoxKey::agree(&transient, &client).ok_or(ProtocolError::WeakKey)?;
        let vouched = vouch_key.open_box(&random(VOUCH_NONCE, vouch_nonce), vouch).map_err(forged)?;
        if vouched[..] != [*transient_client.as_bytes(), *secret.public().as_bytes()].concat() {
            return Err(ProtocolError::ForeignVouch);
        }
        let mut told = read_properties(config, inside)?;
        told.channel = Some(Box::new(Channel::new(key, Role::Server, 1, nonce)));
        Ok((client, told))
    }
}
