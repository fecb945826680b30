//! Request and reply (RFC 28): REQ asks one peer and awaits its answer, REP answers; DEALER and ROUTER are the
//! same two without the lock-step.

mod dealer;
mod rep;
mod req;
mod router;

use zeroxide_zmtp::{Frame, Message, Traffic};

use crate::{PipeId, Pipes};

pub(crate) use dealer::Dealer;
pub(crate) use rep::Rep;
pub(crate) use req::Req;
pub(crate) use router::Router;

/// PROBE_ROUTER: one empty message into a new pipe, so that a ROUTER at the other end learns of this peer.
fn probe<P: Pipes>(pipe: PipeId, pipes: &mut P) {
    pipes.signal(pipe, Traffic::Message(Message::from(Frame::new())));
}
