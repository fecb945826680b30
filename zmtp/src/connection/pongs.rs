//! The PINGs that are not answered yet (RFC 37 §3.5.2: each is answered by a PONG with its context).
//!
//! Bounded: of a peer that sends PINGs and reads no answers, the newest [`MAX_PONGS`] are kept. An older one that is not
//! answered harms nobody, since every PONG shows what it would have shown.

use std::collections::VecDeque;

use crate::command::MAX_CONTEXT;

/// The most PINGs of one peer that wait for their PONG.
pub(super) const MAX_PONGS: usize = 16;

/// Contexts to send back, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Pongs(VecDeque<([u8; MAX_CONTEXT], u8)>);

impl Pongs {
    /// A PING with this context came, of at most [`MAX_CONTEXT`] bytes.
    pub(super) fn owe(&mut self, context: &[u8]) {
        if self.0.len() == MAX_PONGS {
            self.0.pop_front();
        }
        let len = context.len().min(MAX_CONTEXT);
        let mut kept = [0; MAX_CONTEXT];
        kept[..len].copy_from_slice(&context[..len]);
        self.0.push_back((kept, len as u8));
    }

    /// What is owed, oldest first.
    pub(super) fn contexts(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|(context, len)| &context[..usize::from(*len)])
    }
}
