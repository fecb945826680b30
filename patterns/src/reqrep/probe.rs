//! PROBE_ROUTER (RFC 28 does not have it; libzmq router.cpp and dealer.cpp).

use zeroxide_zmtp::{Frame, Message, Traffic};

use crate::{PipeId, Pipes};

/// Writes one empty message into a new pipe, so that a ROUTER at the other end learns of this peer.
pub(super) fn probe<P: Pipes>(pipe: PipeId, pipes: &mut P) {
    pipes.signal(pipe, Traffic::Message(Message::from(Frame::new())));
}
