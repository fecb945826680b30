//! What travels on an open connection, and through a pipe (RFC 37 §3.4 "traffic").

use crate::{Frame, Message};

/// One item that travels between two sockets after the handshake.
///
/// Patterns use only these kinds. The encoder and the decoder handle the wire form of a kind: a command for ZMTP 3.1, a
/// message for older peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// A message of the application.
    Message(Message),
    /// A subscription to every topic that begins with this frame's bytes.
    Subscribe(Frame),
    /// The end of such a subscription.
    Cancel(Frame),
    /// A request for the messages of the group with this name (RFC 48).
    Join(Frame),
    /// The end of such a request.
    Leave(Frame),
    /// The following items come from another connection than the earlier ones. A session puts this into a pipe that
    /// outlives its connections; it is never on the wire.
    NextConnection,
}

/// What the next item of a queue is. A message is put where the caller wants it.
#[derive(Debug)]
pub enum Next {
    /// A message.
    Message,
    /// Something else.
    Control(Traffic),
    /// There is no item.
    Nothing,
}

impl Next {
    /// Returns the item. `message` is the message, if the item is one.
    #[inline]
    #[must_use]
    pub fn item(self, message: Message) -> Option<Traffic> {
        match self {
            Next::Message => Some(Traffic::Message(message)),
            Next::Control(traffic) => Some(traffic),
            Next::Nothing => None,
        }
    }

    /// Puts `item` into `into` if it is a message.
    #[inline]
    pub fn of(item: Option<Traffic>, into: &mut Message) -> Next {
        match item {
            Some(Traffic::Message(message)) => {
                *into = message;
                Next::Message
            }
            Some(other) => Next::Control(other),
            None => Next::Nothing,
        }
    }
}

impl Traffic {
    /// Returns whether this counts against a high-water mark. Messages do; subscriptions do not.
    #[must_use]
    #[inline]
    pub fn is_message(&self) -> bool {
        matches!(self, Traffic::Message(_))
    }

    /// Returns whether this is no message: a subscription, for example.
    #[must_use]
    pub fn is_control(&self) -> bool {
        !self.is_message()
    }

    /// Returns the message, if it is one.
    #[must_use]
    pub fn into_message(self) -> Option<Message> {
        if let Traffic::Message(message) = self { Some(message) } else { None }
    }

    /// Returns the size of its bodies, in bytes.
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
