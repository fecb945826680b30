//! NULL (RFC 23 §"The NULL Mechanism"): a READY each way, in any order. Ours waits for the gate.

use super::step::{MAX_METADATA, Step, Told, fault_of, read_properties, write_own_properties};
use crate::Config;
use crate::command::Command;
use crate::error::ProtocolError;

const READY: &[u8] = b"\x05READY";

/// Longest command of the dialogue: a READY with as many properties as are accepted.
pub(super) const MAX_COMMAND: usize = READY.len() + MAX_METADATA;

/// The dialogue, by what is missing.
#[derive(Debug)]
pub(crate) enum Null {
    /// Our READY and the peer's.
    Both,
    /// Our READY: the gate is shut.
    Ours(Told),
    /// The peer's READY.
    Theirs,
    /// Nothing: the dialogue is over.
    Nothing,
}

impl Null {
    /// The peer may come in.
    pub(super) fn admit(&mut self, config: &Config, send: &mut Vec<Vec<u8>>) -> Option<Told> {
        let (state, told) = match std::mem::replace(self, Null::Nothing) {
            Null::Both => (Null::Theirs, None),
            Null::Ours(told) => (Null::Nothing, Some(told)),
            state => {
                *self = state;
                return None;
            }
        };
        *self = state;
        let mut ready = READY.to_vec();
        write_own_properties(config, &mut ready);
        send.push(ready);
        told
    }

    pub(super) fn receive(&mut self, config: &Config, command: &Command<'_>) -> Result<Step, ProtocolError> {
        match (&self, command) {
            (Null::Both, Command::Ready(data)) => {
                *self = Null::Ours(read_properties(config, data)?);
                Ok(Step::More)
            }
            (Null::Theirs, Command::Ready(data)) => {
                let told = read_properties(config, data)?;
                *self = Null::Nothing;
                Ok(Step::Ready(told))
            }
            (_, command) => Err(fault_of(command)),
        }
    }
}
