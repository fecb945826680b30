//! The stand-in for the encrypted connection in a build without CURVE.

use crate::Traffic;
use crate::decoder::{Decoder, Item, Limits};
use crate::encoder::{Outbox, Wire};
use crate::error::ProtocolError;

/// It has no value.
#[derive(Debug)]
pub(crate) enum Channel {}

impl Channel {
    pub(crate) fn is_partial(&self) -> bool {
        match *self {}
    }

    pub(crate) fn seal(&mut self, _: Wire, _: Traffic, _: &mut Outbox) -> Result<(), ProtocolError> {
        match *self {}
    }

    pub(crate) fn seal_command(&mut self, _: &[u8], _: &mut Outbox) -> Result<(), ProtocolError> {
        match *self {}
    }

    pub(crate) fn next(
        &mut self,
        _: &mut Decoder,
        _: &mut &[u8],
        _: &Limits,
    ) -> Result<Option<Item>, ProtocolError> {
        match *self {}
    }
}
