//! NULL (RFC 23 §"The NULL Mechanism"): a READY each way, in any order.

use bytes::Bytes;

use super::{MAX_METADATA, Told, read_properties, write_own_properties};
use crate::command::Command;
use crate::connection::Config;
use crate::error::ProtocolError;

const READY: &[u8] = b"\x05READY";

/// Longest command of the dialogue: a READY with as many properties as are accepted.
pub(super) const MAX_COMMAND: usize = READY.len() + MAX_METADATA;

/// The dialogue after our READY.
#[derive(Clone, Debug)]
pub(crate) struct Null;

impl Null {
    pub(super) fn start(config: &Config, send: &mut Vec<Vec<u8>>) -> Null {
        let mut ready = READY.to_vec();
        write_own_properties(config, &mut ready);
        send.push(ready);
        Null
    }

    pub(super) fn receive(&mut self, config: &Config, command: &Command<'_>) -> Result<Told, ProtocolError> {
        match command {
            Command::Ready(data) => read_properties(config, data),
            Command::Error(reason) => Err(ProtocolError::Refused { reason: Bytes::copy_from_slice(reason) }),
            other => Err(ProtocolError::UnexpectedCommand { name: other.name() }),
        }
    }
}
