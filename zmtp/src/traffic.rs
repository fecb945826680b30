//! What travels on an open connection, and so through a pipe (RFC 37 §3.4 "traffic").

use crate::{Frame, Message};

/// One thing that travels between two sockets once the handshake is over.
///
/// Patterns see kinds; how a kind is written on the wire (a command for ZMTP 3.1, a message for older peers) is
/// known to the encoder and the decoder alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// A message of the application.
    Message(Message),
    /// A subscription to every topic that begins with this frame's bytes.
    Subscribe(Frame),
    /// The end of such a subscription.
    Cancel(Frame),
    /// A wish for the messages of the group with this name (RFC 48).
    Join(Frame),
    /// The end of such a wish.
    Leave(Frame),
    /// What follows comes from another connection than what came before. Never on the wire: a session puts it into a pipe
    /// that outlives its connections.
    NextConnection,
}

impl Traffic {
    /// Whether this counts against a high-water mark: messages do, subscriptions do not.
    #[must_use]
    #[inline]
    pub fn is_message(&self) -> bool {
        matches!(self, Traffic::Message(_))
    }

    /// Bytes of its bodies.
    #[must_use]
    #[inline]
    pub fn size(&self) -> usize {
        match self {
            Traffic::Message(message) => message.size(),
            Traffic::Subscribe(name) | Traffic::Cancel(name) | Traffic::Join(name) | Traffic::Leave(name) => {
                name.len()
            }
            Traffic::NextConnection => 0,
        }
    }
}

impl From<Message> for Traffic {
    fn from(message: Message) -> Traffic {
        Traffic::Message(message)
    }
}

const _: () =
    assert!(size_of::<Traffic>() <= 96, "a queued small message costs at most 32 bytes of overhead");
