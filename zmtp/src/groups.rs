//! Groups (RFC 48, RADIO and DISH): the wire form of a message of a group, and of joining a group.
//!
//! In the application, a message has one frame, and its group is a property. On the wire the group is a frame of its
//! own before it (libzmq `radio_session_t`, `dish_session_t`). JOIN and LEAVE are commands in every ZMTP version that
//! has commands.

use crate::{Message, ProtocolError};

/// The longest name of a group, in bytes (libzmq `ZMQ_GROUP_MAX_LENGTH`).
pub const MAX_GROUP: usize = 255;

/// Returns whether `bytes` can name a group: at most [`MAX_GROUP`] bytes, none of them zero, since in libzmq a group is
/// a C string. The empty name is a valid group.
///
/// ```
/// use zeroxide_zmtp::groups::is_group;
/// assert!(is_group(b"weather") && is_group(b""));
/// assert!(!is_group(&[b'x'; 256]) && !is_group(b"a\0b"));
/// ```
#[must_use]
pub fn is_group(bytes: &[u8]) -> bool {
    bytes.len() <= MAX_GROUP && !bytes.contains(&0)
}

/// Returns the wire form of a message: its group, then its frame.
pub(crate) fn wrap(mut message: Message) -> Message {
    let group = message.take_group();
    message.push_front(group);
    message
}

/// Returns the message from its wire form of two frames.
pub(crate) fn unwrap(mut frames: Message) -> Result<Message, ProtocolError> {
    match frames.pop_front() {
        Some(group) if frames.len() == 1 && is_group(&group) => {
            Ok(if group.is_empty() { frames } else { frames.with_group(group) })
        }
        _ => Err(ProtocolError::BadGroup),
    }
}

#[cfg(test)]
#[path = "groups_tests.rs"]
mod tests;
