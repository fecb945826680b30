//! Request and reply (RFC 28). REQ sends a request to one peer and waits for the reply; REP replies. DEALER and ROUTER
//! are the same without this strict order.

mod dealer;
mod probe;
mod rep;
mod req;
mod router;

pub(crate) use dealer::Dealer;
pub(crate) use rep::Rep;
pub(crate) use req::Req;
pub(crate) use router::Router;
