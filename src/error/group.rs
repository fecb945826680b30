//! What may be wrong with a group (RFC 48).

use std::fmt;

/// Why a group was not joined, left or sent to. (libzmq `zmq_join`, `zmq_leave`, `zmq_msg_set_group`: `EINVAL`.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GroupError {
    /// The name is longer than 255 bytes, or has a zero in it.
    Invalid,
    /// The DISH is in the group already.
    Joined,
    /// The DISH is not in the group.
    NotJoined,
}

impl fmt::Display for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GroupError::Invalid => "the name of a group has at most 255 bytes, none of them zero",
            GroupError::Joined => "the socket is in this group already; join() each group once",
            GroupError::NotJoined => "the socket is not in this group; leave() is for what join() joined",
        })
    }
}

impl std::error::Error for GroupError {}
