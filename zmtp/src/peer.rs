//! What is known of the peer of one connection after its handshake.

use std::fmt;
use std::time::Instant;

use bytes::Bytes;

use crate::SocketType;

/// The version of ZMTP on a connection (RFC 37 §2, RFC 23, RFC 15, RFC 13).
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

/// The two names of the routing id as a property: that of RFC 23, and that of libzmq's `zmq_msg_gets`.
pub(crate) const ROUTING_ID: [&str; 2] = ["Identity", "Routing-Id"];

/// One connected peer: immutable, one per connection, shared by every message that came from it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Peer {
    /// The number of the connection, unique within its context.
    pub connection: u64,
    /// The peer's socket type, if the protocol carries it (ZMTP 3.x, and the greeting of 2.0).
    pub socket_type: Option<SocketType>,
    /// The routing id that the peer announced (its `Identity` property), by which a ROUTER addresses it; empty for
    /// none. An `Identity` from the authentication is only a property and not an address.
    pub routing_id: Bytes,
    /// The routing id that this side has given the peer (CONNECT_ROUTING_ID), by which a ROUTER addresses it instead; empty
    /// for none.
    pub given_id: Bytes,
    /// The peer's address: IP without port for tcp, `localhost:uid:gid:pid` for ipc on Linux.
    pub address: String,
    /// The user id from the authentication (ZAP); empty for none.
    pub user_id: String,
    /// Further properties: first those from the authentication, then those from the peer's handshake. The names are
    /// spelled as they came.
    pub properties: Vec<(String, Bytes)>,
    /// When the handshake ended.
    pub since: Instant,
    /// The version of ZMTP; `None` for a raw connection (STREAM).
    pub zmtp: Option<Version>,
    /// The number of the stream's descriptor (of its handle on Windows), to recognise the connection by (libzmq
    /// `ZMQ_SRCFD`). After the connection is over, the number may belong to something else.
    pub descriptor: Option<i64>,
}

impl Peer {
    /// Creates a peer of which only the connection's number, address and time are known.
    #[must_use]
    pub fn new(connection: u64, address: String, since: Instant) -> Peer {
        Peer {
            connection,
            socket_type: None,
            routing_id: Bytes::new(),
            given_id: Bytes::new(),
            address,
            user_id: String::new(),
            properties: Vec::new(),
            since,
            zmtp: None,
            descriptor: None,
        }
    }

    /// Returns the property `name`, compared without regard to case (RFC 37 §3.6). A property from the authentication
    /// comes before one from the peer's handshake. `Identity` and `Routing-Id` are two names of one property.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&[u8]> {
        let given = |name: &str| {
            self.properties.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| &value[..])
        };
        let is_routing_id = ROUTING_ID.iter().any(|known| known.eq_ignore_ascii_case(name));
        given(name).or_else(|| {
            let told = (!self.routing_id.is_empty()).then_some(&self.routing_id[..]);
            is_routing_id.then(|| ROUTING_ID.iter().find_map(|other| given(other)).or(told))?
        })
    }
}

/// `#7 DEALER 127.0.0.1 ZMTP 3.1 id "worker" user "ann"`. The id is the one by which a ROUTER addresses the peer.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.socket_type.map_or("?", SocketType::name);
        let version = self.zmtp.map_or("raw".to_owned(), |version| format!("ZMTP {version}"));
        write!(f, "#{} {kind} {} {version}", self.connection, self.address)?;
        let id = if self.given_id.is_empty() { &self.routing_id } else { &self.given_id };
        if !id.is_empty() {
            write!(f, " id \"{}\"", id.escape_ascii())?;
        }
        if self.user_id.is_empty() { Ok(()) } else { write!(f, " user {:?}", self.user_id) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authenticators_name_for_a_peer_is_told_before_the_peers_own() {
        let mut peer = Peer::new(1, String::new(), Instant::now());
        assert_eq!((peer.property("Identity"), peer.property("Routing-Id")), (None, None));
        peer.routing_id = Bytes::from("mine");
        for name in ["Identity", "Routing-Id", "identity"] {
            assert_eq!(peer.property(name), Some(&b"mine"[..]));
        }
        for said in ROUTING_ID {
            peer.properties = vec![(said.to_owned(), Bytes::from("ann"))];
            let told = ROUTING_ID.map(|name| peer.property(name).unwrap());
            assert_eq!((told, &peer.routing_id[..]), ([&b"ann"[..]; 2], &b"mine"[..]));
        }
        assert_eq!(peer.property("Room"), None);
    }
}
