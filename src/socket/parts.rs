//! The messages that the C library sends and receives part by part, as a socket holds them.

use zeroxide_zmtp::{Message, SocketType};

/// The messages under way of one socket.
#[derive(Default)]
pub(crate) struct Parts {
    /// Routed by its first part; waits for its last.
    pub(crate) outgoing: Option<Message>,
    /// What is left of the message under way, whose sender it names.
    pub(crate) incoming: Message,
    /// Whether the part received last had another behind it (`ZMQ_RCVMORE`).
    pub(crate) more: bool,
}

impl Parts {
    /// Whether there are parts to receive, whatever the pattern has.
    pub(crate) fn has_in(&self) -> bool {
        !self.incoming.is_empty()
    }

    /// Whether a socket that takes turns has still to read its message to the end (libzmq rep.cpp, req.cpp: the state
    /// changes with the last part).
    pub(crate) fn hold_the_turn(&self, socket: SocketType) -> bool {
        self.has_in() && (socket.answers() || socket.expects_reply_envelope())
    }
}
