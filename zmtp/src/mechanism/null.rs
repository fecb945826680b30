//! NULL (RFC 23 §"The NULL Mechanism"): a READY each way, in any order. Ours waits for the gate, and with
//! [`Config::selects`] for the peer's.

use super::step::{MAX_METADATA, READY, Step, Told, fault_of, read_properties, ready};
use crate::Config;
use crate::command::Command;
use crate::error::ProtocolError;

/// Longest command of the dialogue: a READY with as many properties as are accepted.
pub(super) const MAX_COMMAND: usize = READY.len() + MAX_METADATA;

/// The dialogue, by what is missing.
#[derive(Debug)]
pub(crate) enum Null {
    /// Our READY and the peer's.
    Both,
    /// Our READY: the gate is shut.
    Ours(Told),
    /// The peer's READY; ours follows it.
    TheirsFirst,
    /// The peer's READY; ours is sent.
    Theirs,
    /// Nothing of the peer's.
    Nothing,
}

impl Null {
    /// The peer may come in.
    pub(super) fn admit(&mut self, config: &Config, send: &mut Vec<Vec<u8>>) -> Step {
        let (state, step) = match std::mem::replace(self, Null::Nothing) {
            Null::Both if config.selects => (Null::TheirsFirst, Step::More),
            Null::Both => {
                send.push(ready(config));
                (Null::Theirs, Step::More)
            }
            Null::Ours(told) => (Null::Nothing, Step::Introduced(told)),
            state => (state, Step::More),
        };
        *self = state;
        step
    }

    pub(super) fn receive(&mut self, config: &Config, command: &Command<'_>) -> Result<Step, ProtocolError> {
        match (&self, command) {
            (Null::Both, Command::Ready(data)) => {
                *self = Null::Ours(read_properties(config, data)?);
                Ok(Step::More)
            }
            (Null::TheirsFirst, Command::Ready(data)) => {
                *self = Null::Nothing;
                Ok(Step::Introduced(read_properties(config, data)?))
            }
            (Null::Theirs, Command::Ready(data)) => {
                *self = Null::Nothing;
                Ok(Step::Ready(read_properties(config, data)?))
            }
            (_, command) => Err(fault_of(command)),
        }
    }
}
