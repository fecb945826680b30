//! The socket types: one table with every fact about them that is not a routing rule.
//!
//! Engines, sessions and options read this table. In the library, apart from tests and fuzz targets, only
//! `zeroxide_patterns::AnyPattern` names the types, too.

use std::fmt;
use std::str::FromStr;

use SocketType::{
    Channel, Client, Dealer, Dgram, Dish, Gather, Pair, Peer, Pub, Pull, Push, Radio, Rep, Req, Router,
    Scatter, Server, Stream, Sub, XPub, XSub,
};

/// A socket type, with libzmq's number (`zmq.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)] // the names are ZeroMQ's; RFCs 28 to 31, 41, 48, 49, 51 and 52 define most of them
pub enum SocketType {
    Pair = 0,
    Pub = 1,
    Sub = 2,
    Req = 3,
    Rep = 4,
    Dealer = 5,
    Router = 6,
    Pull = 7,
    Push = 8,
    XPub = 9,
    XSub = 10,
    Stream = 11,
    Server = 12,
    Client = 13,
    Radio = 14,
    Dish = 15,
    Gather = 16,
    Scatter = 17,
    Dgram = 18,
    Peer = 19,
    Channel = 20,
}

/// One row of the table.
struct Facts {
    socket_type: SocketType,
    /// The `Socket-Type` property of READY.
    name: &'static str,
    /// The types that it may connect with (libzmq mechanism.cpp `check_socket_type`; RFC 28-31, 41, 48, 49, 51, 52).
    peers: &'static [SocketType],
    flags: u16,
}

/// It can send messages.
const SENDS: u16 = 1;
/// It can receive messages.
const RECEIVES: u16 = 1 << 1;
/// Its READY carries `Identity` (libzmq mechanism.cpp).
const IDENTITY: u16 = 1 << 2;
/// It sends all its subscriptions on each new connection.
const RESUBSCRIBES: u16 = 1 << 3;
/// LINGER is 0 by default: unsent messages are useless after the socket is closed.
const NO_LINGER: u16 = 1 << 4;
/// CONFLATE has an effect.
const CONFLATES: u16 = 1 << 5;
/// What it receives must begin with a reply envelope (libzmq req.cpp `req_session_t`).
const REPLY_ENVELOPE: u16 = 1 << 6;
/// Its connections carry raw bytes instead of ZMTP.
const RAW: u16 = 1 << 7;
/// A second connect to the same endpoint has no effect (libzmq socket_base.cpp).
const ONE_CONNECT: u16 = 1 << 8;
/// It publishes, and receives subscriptions.
const PUBLISHES: u16 = 1 << 9;
/// It addresses its peers: messages to and from the application begin with a routing id.
const ADDRESSES: u16 = 1 << 10;
/// It must answer each message that it receives.
const ANSWERS: u16 = 1 << 11;
/// Its messages have one frame each (RFC 41, 48, 49, 51, 52).
const SINGLE: u16 = 1 << 12;
/// It sends to groups or joins groups; each of its messages belongs to a group (RFC 48).
const GROUPS: u16 = 1 << 13;
/// Each of its connections has its own pipe, so that what is queued for one connection is never sent on a later one.
const ONE_PIPE_EACH: u16 = 1 << 14;
/// It has at most one peer at a time (RFC 31, 52).
const ONE_PEER: u16 = 1 << 15;

#[rustfmt::skip]
const TABLE: [Facts; 21] = [
    Facts { socket_type: Pair, name: "PAIR", peers: &[Pair], flags: SENDS | RECEIVES | ONE_PEER },
    Facts { socket_type: Pub, name: "PUB", peers: &[Sub, XSub], flags: SENDS | CONFLATES | ONE_CONNECT | PUBLISHES },
    Facts { socket_type: Sub, name: "SUB", peers: &[Pub, XPub], flags: RECEIVES | RESUBSCRIBES | NO_LINGER | CONFLATES | ONE_CONNECT },
    Facts { socket_type: Req, name: "REQ", peers: &[Rep, Router], flags: SENDS | RECEIVES | IDENTITY | REPLY_ENVELOPE | ONE_CONNECT },
    Facts { socket_type: Rep, name: "REP", peers: &[Req, Dealer], flags: SENDS | RECEIVES | ANSWERS | ONE_PIPE_EACH },
    Facts { socket_type: Dealer, name: "DEALER", peers: &[Rep, Dealer, Router], flags: SENDS | RECEIVES | IDENTITY | CONFLATES | ONE_CONNECT },
    Facts { socket_type: Router, name: "ROUTER", peers: &[Req, Dealer, Router], flags: SENDS | RECEIVES | IDENTITY | ADDRESSES },
    Facts { socket_type: Pull, name: "PULL", peers: &[Push], flags: RECEIVES | CONFLATES },
    Facts { socket_type: Push, name: "PUSH", peers: &[Pull], flags: SENDS | CONFLATES },
    Facts { socket_type: XPub, name: "XPUB", peers: &[Sub, XSub], flags: SENDS | RECEIVES | PUBLISHES },
    Facts { socket_type: XSub, name: "XSUB", peers: &[Pub, XPub], flags: SENDS | RECEIVES | RESUBSCRIBES | NO_LINGER },
    Facts { socket_type: Stream, name: "STREAM", peers: &[], flags: SENDS | RECEIVES | RAW | ADDRESSES | ONE_PIPE_EACH },
    Facts { socket_type: Server, name: "SERVER", peers: &[Client], flags: SENDS | RECEIVES | SINGLE | ONE_PIPE_EACH },
    Facts { socket_type: Client, name: "CLIENT", peers: &[Server], flags: SENDS | RECEIVES | SINGLE },
    Facts { socket_type: Radio, name: "RADIO", peers: &[Dish], flags: SENDS | PUBLISHES | SINGLE | GROUPS },
    Facts { socket_type: Dish, name: "DISH", peers: &[Radio], flags: RECEIVES | RESUBSCRIBES | NO_LINGER | SINGLE | GROUPS },
    Facts { socket_type: Gather, name: "GATHER", peers: &[Scatter], flags: RECEIVES | SINGLE },
    Facts { socket_type: Scatter, name: "SCATTER", peers: &[Gather], flags: SENDS | SINGLE },
    Facts { socket_type: Dgram, name: "DGRAM", peers: &[Dgram], flags: SENDS | RECEIVES | RAW },
    Facts { socket_type: Peer, name: "PEER", peers: &[Peer], flags: SENDS | RECEIVES | SINGLE },
    Facts { socket_type: Channel, name: "CHANNEL", peers: &[Channel], flags: SENDS | RECEIVES | SINGLE | ONE_PEER },
];

impl SocketType {
    /// The type that sends requests to a ZAP handler (RFC 27).
    pub const ZAP_CLIENT: SocketType = SocketType::Dealer;

    fn facts(self) -> &'static Facts {
        #[expect(clippy::indexing_slicing, reason = "it has one row for each type, in the types' order")]
        &TABLE[self as usize]
    }

    fn has(self, flag: u16) -> bool {
        self.facts().flags & flag != 0
    }

    /// Returns the type with libzmq's `number`.
    #[must_use]
    pub fn from_number(number: i32) -> Option<SocketType> {
        usize::try_from(number).ok().and_then(|n| TABLE.get(n)).map(|row| row.socket_type)
    }

    /// Returns the type whose `Socket-Type` property is `name`.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<SocketType> {
        TABLE.iter().find(|row| row.name.as_bytes() == name).map(|row| row.socket_type)
    }

    /// Returns the name on the wire, in upper case.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// Returns the types that this one may connect with.
    #[must_use]
    pub fn peers(self) -> &'static [SocketType] {
        self.facts().peers
    }

    /// Returns whether it can be a ZAP handler, which answers requests of a DEALER (RFC 27).
    #[must_use]
    pub fn handles_zap(self) -> bool {
        self.answers() || self.addresses() && !self.is_raw()
    }

    /// Returns whether a socket of this type may connect with one of type `peer`.
    #[must_use]
    pub fn talks_to(self, peer: SocketType) -> bool {
        self.peers().contains(&peer)
    }

    /// Returns whether it can send messages.
    #[must_use]
    pub fn sends(self) -> bool {
        self.has(SENDS)
    }

    /// Returns whether it can receive messages.
    #[must_use]
    pub fn receives(self) -> bool {
        self.has(RECEIVES)
    }

    /// Returns whether its READY carries the `Identity` property, even when that is empty.
    #[must_use]
    pub fn sends_identity(self) -> bool {
        self.has(IDENTITY)
    }

    /// Returns whether it sends all its subscriptions on each new connection.
    #[must_use]
    pub fn resubscribes(self) -> bool {
        self.has(RESUBSCRIBES)
    }

    /// Returns whether its LINGER is 0 by default.
    #[must_use]
    pub fn never_lingers(self) -> bool {
        self.has(NO_LINGER)
    }

    /// Returns whether CONFLATE has an effect on it.
    #[must_use]
    pub fn conflates(self) -> bool {
        self.has(CONFLATES)
    }

    /// Returns whether each message that it receives must begin with a reply envelope.
    #[must_use]
    pub fn expects_reply_envelope(self) -> bool {
        self.has(REPLY_ENVELOPE)
    }

    /// Returns whether its connections carry raw bytes instead of ZMTP.
    #[must_use]
    pub fn is_raw(self) -> bool {
        self.has(RAW)
    }

    /// Returns whether a second connect to an endpoint is ignored while the first exists.
    #[must_use]
    pub fn connects_once(self) -> bool {
        self.has(ONE_CONNECT)
    }

    /// Returns whether its messages begin with the routing id of a peer when the application sends or receives them.
    #[must_use]
    pub fn addresses(self) -> bool {
        self.has(ADDRESSES)
    }

    /// Returns whether it must answer each message before it receives the next.
    #[must_use]
    pub fn answers(self) -> bool {
        self.has(ANSWERS)
    }

    /// Returns whether each of its messages has one frame.
    #[must_use]
    pub fn has_single_frames(self) -> bool {
        self.has(SINGLE)
    }

    /// Returns whether it sends to groups or joins groups (RFC 48).
    #[must_use]
    pub fn has_groups(self) -> bool {
        self.has(GROUPS)
    }

    /// Returns whether each connection has a pipe of its own, even if an endpoint reconnects. What such a socket sends
    /// (a reply, or bytes) belongs to one connection. It must not be sent to the peer of a later connection to the same
    /// endpoint.
    #[must_use]
    pub fn has_pipe_per_connection(self) -> bool {
        self.has(ONE_PIPE_EACH)
    }

    /// Returns whether it has at most one peer at a time.
    #[must_use]
    pub fn has_one_peer(self) -> bool {
        self.has(ONE_PEER)
    }

    /// Returns whether it publishes to subscribers.
    #[must_use]
    pub fn publishes(self) -> bool {
        self.has(PUBLISHES)
    }
}

impl fmt::Display for SocketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Parses the name on the wire, in upper or lower case: `REQ`, `Req` or `req`.
impl FromStr for SocketType {
    type Err = UnknownSocketType;

    fn from_str(name: &str) -> Result<SocketType, UnknownSocketType> {
        let found = TABLE.iter().find(|facts| facts.name.eq_ignore_ascii_case(name));
        found.map(|facts| facts.socket_type).ok_or_else(|| UnknownSocketType(name.into()))
    }
}

/// The error for a text that is not the name of a socket type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSocketType(pub String);

impl fmt::Display for UnknownSocketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no socket type (known:", self.0)?;
        TABLE.iter().try_for_each(|facts| write!(f, " {}", facts.name))?;
        f.write_str(")")
    }
}

impl std::error::Error for UnknownSocketType {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_at_their_numbers() {
        for (number, row) in TABLE.iter().enumerate() {
            assert_eq!(row.socket_type as usize, number);
            assert_eq!(SocketType::from_number(number as i32), Some(row.socket_type));
            assert_eq!(SocketType::from_name(row.name.as_bytes()), Some(row.socket_type));
        }
    }

    #[test]
    fn legality_is_mutual() {
        for a in &TABLE {
            for b in &TABLE {
                assert_eq!(a.socket_type.talks_to(b.socket_type), b.socket_type.talks_to(a.socket_type));
            }
        }
    }
}
