//! The PONGs that are still to be sent (RFC 37 §3.5.2: each PING is answered by a PONG with its context).
//!
//! At most [`MAX_PONGS`] are kept, those of the newest PINGs, also when a peer sends PINGs and does not read. Dropping
//! an older PONG does no harm: every PONG shows that this side is alive.

use std::collections::VecDeque;

use crate::command::MAX_CONTEXT;
use crate::short::Short;

/// The most PONGs kept for one peer.
pub(super) const MAX_PONGS: usize = 16;

/// The contexts to send back, oldest first.
#[derive(Debug, Default)]
pub(super) struct Pongs(VecDeque<Short<MAX_CONTEXT>>);

impl Pongs {
    /// Adds the PONG for a PING with this `context` of at most [`MAX_CONTEXT`] bytes.
    pub(super) fn owe(&mut self, context: &[u8]) {
        if self.0.len() == MAX_PONGS {
            self.0.pop_front();
        }
        self.0.push_back(Short::head_of(context));
    }

    /// Returns the contexts of the PONGs to send, oldest first.
    pub(super) fn contexts(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Short::as_slice)
    }
}
