//! What a socket holds for the C library. Without the feature `face`, `no_face_state.rs` replaces this file.

use zeroxide_zmtp::{Message, SocketType};

/// The ZMQ_FD of one socket: none until the application asks for it.
#[cfg(unix)]
#[derive(Default)]
pub(crate) struct ZmqFd(pub(crate) std::sync::OnceLock<super::wake_fd::Armed>);

/// There is no ZMQ_FD on this platform.
#[cfg(not(unix))]
#[derive(Default)]
pub(crate) struct ZmqFd {}

/// The messages that the application is sending and receiving part by part.
#[derive(Default)]
pub(crate) struct Parts {
    /// The parts sent so far. The first one has routed the message; the last one commits it.
    pub(crate) outgoing: Option<Message>,
    /// The parts not received yet, with the peer that sent them.
    pub(crate) incoming: Message,
    /// Whether another part of the same message follows the part received last (`ZMQ_RCVMORE`).
    pub(crate) more: bool,
}

impl Parts {
    /// Returns whether the application has not yet received the last part of a message.
    pub(crate) fn has_in(&self) -> bool {
        !self.incoming.is_empty()
    }

    /// Returns whether a REQ or REP must first receive the rest of a message: it may send only after the last part
    /// (libzmq rep.cpp, req.cpp).
    pub(crate) fn must_receive_rest(&self, socket: SocketType) -> bool {
        self.has_in() && (socket.answers() || socket.expects_reply_envelope())
    }
}
