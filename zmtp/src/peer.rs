//! Who is at the other end of one connection, as its handshake told.

use std::fmt;
use std::time::Instant;

use bytes::Bytes;

use crate::SocketType;

/// The version of ZMTP spoken on a connection (RFC 37 §2, RFC 23, RFC 15, RFC 13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// ZMTP 1.0 (libzmq 2.x): no greeting, no types, v1 frames.
    V1_0,
    /// ZMTP 2.0 (libzmq 3.x): a 12-byte greeting, v2 frames, no mechanism.
    V2_0,
    /// ZMTP 3.0 (libzmq 4.0 to 4.3.2, JeroMQ): mechanisms and commands; subscriptions travel as messages.
    V3_0,
    /// ZMTP 3.1 (libzmq since 4.3.3): subscriptions travel as commands.
    V3_1,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Version::V1_0 => "1.0",
            Version::V2_0 => "2.0",
            Version::V3_0 => "3.0",
            Version::V3_1 => "3.1",
        })
    }
}

/// One connected peer: immutable, one per connection, shared by every message that came from it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Peer {
    /// Number of the connection, unique within its context.
    pub connection: u64,
    /// The peer's socket type, where its protocol tells (ZMTP 3.x, and 2.0's greeting).
    pub socket_type: Option<SocketType>,
    /// The routing id that the peer announced (its `Identity` property); empty when it announced none.
    pub routing_id: Bytes,
    /// The peer's address: IP without port for tcp, `localhost:uid:gid:pid` for ipc on Linux.
    pub address: String,
    /// The user that ZAP authenticated; empty for none.
    pub user_id: String,
    /// Further properties of the peer's handshake, names as the peer spelled them.
    pub properties: Vec<(String, Bytes)>,
    /// When the handshake ended.
    pub since: Instant,
    /// The version of ZMTP spoken; `None` for a raw connection (STREAM).
    pub zmtp: Option<Version>,
    /// The number of the stream's descriptor (of its handle on Windows), to recognise it by (libzmq `ZMQ_SRCFD`): when
    /// the connection is over, the number may stand for something else.
    pub descriptor: Option<i64>,
}

impl Peer {
    /// A peer of which nothing is known but its connection's number, address and time.
    #[must_use]
    pub fn new(connection: u64, address: String, since: Instant) -> Peer {
        Peer {
            connection,
            socket_type: None,
            routing_id: Bytes::new(),
            address,
            user_id: String::new(),
            properties: Vec::new(),
            since,
            zmtp: None,
            descriptor: None,
        }
    }

    /// The property `name`, compared without regard to case (RFC 37 §3.6).
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&[u8]> {
        self.properties.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| &value[..])
    }
}
