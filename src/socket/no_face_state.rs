//! Replaces `face_state.rs` without the feature `face`: a socket holds nothing for the C library.

use zeroxide_zmtp::SocketType;

/// There is no ZMQ_FD.
#[derive(Default)]
pub(crate) struct ZmqFd {}

/// Every message is sent and received whole.
#[derive(Default)]
pub(crate) struct Parts {}

impl Parts {
    /// Returns `false`.
    pub(crate) fn has_in(&self) -> bool {
        false
    }

    /// Returns `false`.
    pub(crate) fn must_receive_rest(&self, _: SocketType) -> bool {
        false
    }
}
