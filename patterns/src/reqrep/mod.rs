//! Request and reply (RFC 28): REQ asks one peer and awaits its answer, REP answers; DEALER and ROUTER are the
//! same two without the lock-step.

mod dealer;
mod probe;
mod rep;
mod req;
mod router;

pub(crate) use dealer::Dealer;
pub(crate) use rep::Rep;
pub(crate) use req::Req;
pub(crate) use router::Router;
