//! The second stop of a handshake, with [`Config::selects`](crate::Config::selects): the peer may come in and has said
//! what it calls itself, and our READY waits until the owner has a place for it. A peer that is turned away here has sent
//! nothing of what it has queued.

use bytes::Bytes;

use crate::mechanism::Told;

/// What a peer that waits for our READY says of itself, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Introduction {
    /// The routing id that it announces; empty for none.
    pub routing_id: Bytes,
    /// The user that authentication found; empty for none.
    pub user_id: String,
}

/// A peer that waits for our READY.
#[derive(Debug)]
pub(super) struct Introduced {
    pub(super) told: Told,
    /// The owner was asked.
    asked: bool,
}

impl Introduced {
    pub(super) fn new(told: Told) -> Introduced {
        Introduced { told, asked: false }
    }

    /// The question to the owner, once.
    pub(super) fn ask(&mut self, user_id: &str) -> Option<Introduction> {
        if std::mem::replace(&mut self.asked, true) {
            return None;
        }
        Some(Introduction { routing_id: self.told.routing_id.clone(), user_id: user_id.to_owned() })
    }
}
