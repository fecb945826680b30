//! Publish-subscribe: PUB, SUB, XPUB and XSUB (RFC 29).

mod requests;
mod xpub;
mod xsub;

pub(crate) use xpub::XPub;
pub(crate) use xsub::XSub;
