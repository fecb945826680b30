//! NULL (RFC 23 §"The NULL Mechanism"). Each side sends a READY, in any order. Our READY is sent after the gate has
//! admitted the peer, and with [`Config::selects`] also after the peer's READY.

use super::step::{MAX_METADATA, READY, Step, Told, fault_of, read_properties, ready};
use crate::Config;
use crate::command::Command;
use crate::error::ProtocolError;

/// The longest command of the dialogue: a READY with the longest accepted properties.
pub(super) const MAX_COMMAND: usize = READY.len() + MAX_METADATA;

/// The dialogue. Each state is named after what is missing.
#[derive(Debug)]
pub(crate) enum Null {
    /// Our READY and the peer's.
    Both,
    /// Our READY; the decision of the gate is awaited.
    Ours(Told),
    /// The peer's READY; ours follows it.
    TheirsFirst,
    /// The peer's READY; ours is sent.
    Theirs,
    /// Nothing from the peer.
    Nothing,
}

impl Null {
    /// Admits the peer.
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
