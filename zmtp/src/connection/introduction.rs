//! The second stop of a handshake, with [`Config::selects`](crate::Config::selects). The peer is admitted and has
//! announced its routing id; our READY waits until the owner calls `welcome`. A peer that is turned away at this point
//! has not sent any of its queued messages.

use bytes::Bytes;

use crate::mechanism::Told;

/// What is known of a peer that waits for our READY.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Introduction {
    /// The routing id that it announces; empty for none.
    pub routing_id: Bytes,
    /// The user id from the authentication; empty for none.
    pub user_id: String,
}

/// A peer that waits for our READY.
#[derive(Debug)]
pub(super) struct Introduced {
    pub(super) told: Told,
    /// The owner has taken the [`Introduction`].
    asked: bool,
}

impl Introduced {
    pub(super) fn new(told: Told) -> Introduced {
        Introduced { told, asked: false }
    }

    /// Returns the introduction for the owner, once.
    pub(super) fn ask(&mut self, user_id: &str) -> Option<Introduction> {
        if std::mem::replace(&mut self.asked, true) {
            return None;
        }
        Some(Introduction { routing_id: self.told.routing_id.clone(), user_id: user_id.to_owned() })
    }
}
