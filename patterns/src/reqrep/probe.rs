//! PROBE_ROUTER (libzmq router.cpp and dealer.cpp; not in RFC 28).

use zeroxide_zmtp::{Frame, Message, Traffic};

use crate::{PipeId, Pipes};

/// Writes one empty message into a new pipe, which announces this peer to the application of a ROUTER at the other end.
pub(super) fn probe<P: Pipes>(pipe: PipeId, pipes: &mut P) {
    pipes.signal(pipe, Traffic::Message(Message::from(Frame::new())));
}
