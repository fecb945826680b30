//! What a peer can do wrong, one variant per cause.

use std::fmt;

use bytes::Bytes;

use crate::gate::Status;
use crate::{SocketType, Version};

/// The first few bytes of something a peer sent, kept for a report: at most 16.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Excerpt {
    len: u8,
    bytes: [u8; Excerpt::MAX],
}

impl Excerpt {
    /// The most bytes kept.
    pub const MAX: usize = 16;

    /// The beginning of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Excerpt {
        let kept = &bytes[..bytes.len().min(Excerpt::MAX)];
        let mut excerpt = Excerpt { len: kept.len() as u8, bytes: [0; Excerpt::MAX] };
        excerpt.bytes[..kept.len()].copy_from_slice(kept);
        excerpt
    }

    /// The bytes kept.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// Printable ASCII as it is, anything else escaped.
impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A command that ZMTP defines, for [`ProtocolError::MalformedCommand`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs)] // the names are RFC 37's own
pub enum CommandKind {
    /// The frame of the command itself: no name, a name longer than the body, or the MORE flag set.
    Unnamed,
    Hello,
    Welcome,
    Initiate,
    Ready,
    Error,
    Message,
    Ping,
    Join,
    Leave,
}

/// A fault of the peer. The connection is over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// What arrived first is no ZMTP of any version: HTTP, TLS, a port scanner.
    NotZmtp {
        /// How it began.
        first: Excerpt,
    },
    /// The peer speaks an older ZMTP than this socket accepts. (A mechanism other than NULL needs 3.0.)
    VersionTooOld {
        /// What the peer speaks.
        spoken: Version,
        /// What this socket needs.
        minimum: Version,
    },
    /// The peer's greeting names another security mechanism.
    MechanismMismatch {
        /// The mechanism field of its greeting, NUL padded (RFC 37 §3.2).
        peer: [u8; 20],
    },
    /// The peer's socket type may not talk to ours (RFC 28 to 31, 41, 48, 49, 51).
    SocketTypeMismatch {
        /// Our type.
        own: SocketType,
        /// The peer's; `None` for a name that nobody knows.
        peer: Option<SocketType>,
    },
    /// The peer refused us with an ERROR command.
    Refused {
        /// The reason it gave, at most 255 bytes; libzmq sends a ZAP status such as `400`.
        reason: Bytes,
    },
    /// A command that does not belong here: a second READY, a HELLO under NULL.
    UnexpectedCommand {
        /// Its name.
        name: Excerpt,
    },
    /// A command shorter than its grammar, or with lengths that do not add up.
    MalformedCommand(CommandKind),
    /// The properties of a handshake command do not parse, or are too many or too long.
    InvalidMetadata,
    /// A message before the handshake was over.
    TrafficBeforeReady,
    /// The identity frame of a ZMTP 1.0 or 2.0 peer is longer than 255 bytes or continued.
    MalformedIdentity {
        /// Its length.
        length: u64,
    },
    /// A ZMTP 1.0 frame of length 0, which has no room for its flags.
    EmptyFrameV1,
    /// A frame is longer than MAXMSGSIZE.
    FrameTooLong {
        /// The length that its header announced.
        length: u64,
        /// The limit.
        limit: u64,
    },
    /// There was no memory for what the peer sent, and everybody else needs what is left.
    OutOfMemory {
        /// How many bytes were asked for at once.
        bytes: u64,
    },
    /// A command is longer than any that is accepted here.
    CommandTooLong {
        /// The length that its header announced.
        length: u64,
        /// The limit.
        limit: u64,
    },
    /// The frames of one message add up to more than the limit.
    MessageTooLong {
        /// The limit, in bytes.
        limit: u64,
    },
    /// One message has more frames than the limit.
    TooManyFrames {
        /// The limit.
        limit: u32,
    },
    /// A subscription's topic is longer than the limit.
    TopicTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// A peer has more subscriptions than the limit.
    TooManySubscriptions {
        /// The limit.
        limit: u32,
    },
    /// The topics of a peer's subscriptions are longer, all together, than the limit.
    SubscriptionsTooLong {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The peer may not come in: whoever decides about its credentials said no.
    Denied {
        /// The answer; all but 300 were passed on to the peer.
        status: Status,
    },
    /// A box of CURVE does not open: another key than was promised, or changed on the way.
    Forged(CommandKind),
    /// A nonce of CURVE that is not above the last one: a command that was captured and sent again (RFC 26 §"Nonces").
    Replayed(CommandKind),
    /// A public key of CURVE that belongs to no key pair: zero or another point of low order, whose secrets anybody can
    /// guess, or a second spelling of a key.
    WeakKey,
    /// The vouch of a CURVE client speaks of another connection or of another server than this (RFC 26 §"INITIATE").
    ForeignVouch,
    /// A CURVE client took more than 60 seconds to answer our WELCOME.
    CookieExpired,
    /// No more than 2^64 messages may be sealed with one key, and as many were. The peer is not at fault.
    NoncesExhausted,
    /// There were no random bytes for the keys of this connection. The peer is not at fault.
    NoEntropy,
    /// Our own name or password is longer than 255 bytes, which PLAIN cannot say (RFC 24). The peer is not at fault.
    CredentialsTooLong,
    /// The peer would come by a routing id, or by the messages that wait for one, that belongs to another user.
    AnothersRoutingId,
    /// Another peer of the socket has the routing id that this one calls itself, and keeps it.
    RoutingIdInUse,
    /// The socket takes one peer (PAIR, CHANNEL), and has it.
    HasItsPeer,
    /// A message to a REQ does not begin with the reply envelope (RFC 28; libzmq `req_session_t`).
    BadReplyEnvelope,
    /// A message to a DISH is not the name of a group and one frame (RFC 48; libzmq `dish_session_t`).
    BadGroup,
}

impl ProtocolError {
    /// libzmq's number for this fault, `ZMQ_PROTOCOL_ERROR_ZMTP_*`, as its monitor reports it.
    #[must_use]
    pub fn code(&self) -> u32 {
        match self {
            ProtocolError::UnexpectedCommand { .. } | ProtocolError::TrafficBeforeReady => 0x1000_0001,
            ProtocolError::MalformedCommand(kind) => match kind {
                CommandKind::Unnamed | CommandKind::Ping | CommandKind::Join | CommandKind::Leave => {
                    0x1000_0011
                }
                CommandKind::Message => 0x1000_0012,
                CommandKind::Hello => 0x1000_0013,
                CommandKind::Initiate => 0x1000_0014,
                CommandKind::Error => 0x1000_0015,
                CommandKind::Ready => 0x1000_0016,
                CommandKind::Welcome => 0x1000_0017,
            },
            ProtocolError::InvalidMetadata | ProtocolError::SocketTypeMismatch { .. } => 0x1000_0018,
            ProtocolError::Replayed(_) => 0x1000_0002,
            ProtocolError::ForeignVouch => 0x1000_0003,
            ProtocolError::Forged(_) | ProtocolError::WeakKey | ProtocolError::CookieExpired => 0x1100_0001,
            ProtocolError::MechanismMismatch { .. } => 0x1100_0002,
            ProtocolError::NotZmtp { .. }
            | ProtocolError::VersionTooOld { .. }
            | ProtocolError::Refused { .. }
            | ProtocolError::MalformedIdentity { .. }
            | ProtocolError::EmptyFrameV1
            | ProtocolError::FrameTooLong { .. }
            | ProtocolError::OutOfMemory { .. }
            | ProtocolError::CommandTooLong { .. }
            | ProtocolError::MessageTooLong { .. }
            | ProtocolError::TooManyFrames { .. }
            | ProtocolError::TopicTooLong { .. }
            | ProtocolError::TooManySubscriptions { .. }
            | ProtocolError::SubscriptionsTooLong { .. }
            | ProtocolError::Denied { .. }
            | ProtocolError::CredentialsTooLong
            | ProtocolError::NoncesExhausted
            | ProtocolError::NoEntropy
            | ProtocolError::AnothersRoutingId
            | ProtocolError::RoutingIdInUse
            | ProtocolError::HasItsPeer
            | ProtocolError::BadReplyEnvelope
            | ProtocolError::BadGroup => 0x1000_0000,
        }
    }
}

/// The reasons of ERROR commands by which Zeroxide turns a peer away that it has no place for.
const IN_USE: &[u8] = b"routing id in use";
const HAS_ITS_PEER: &[u8] = b"has its peer";

impl ProtocolError {
    /// What an ERROR command says of it, for a peer that there is no place for. It does not say whose a routing id is.
    pub(crate) fn reason(&self) -> Option<&'static [u8]> {
        match self {
            ProtocolError::RoutingIdInUse | ProtocolError::AnothersRoutingId => Some(IN_USE),
            ProtocolError::HasItsPeer => Some(HAS_ITS_PEER),
            _ => None,
        }
    }

    /// What the reason of an ERROR command stands for.
    pub(crate) fn of_reason(reason: &[u8]) -> ProtocolError {
        match reason {
            IN_USE => ProtocolError::RoutingIdInUse,
            HAS_ITS_PEER => ProtocolError::HasItsPeer,
            _ => ProtocolError::Refused { reason: Bytes::copy_from_slice(reason) },
        }
    }

    /// Whether the peer did nothing wrong, but there is no place for it now.
    #[must_use]
    pub fn is_want_of_place(&self) -> bool {
        matches!(self, ProtocolError::RoutingIdInUse | ProtocolError::HasItsPeer)
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProtocolError::NotZmtp { first } => {
                write!(f, "the peer does not speak ZMTP; it began with {first}")
            }
            ProtocolError::VersionTooOld { spoken, minimum } => {
                write!(f, "the peer speaks ZMTP {spoken}, this socket needs {minimum}")
            }
            ProtocolError::MechanismMismatch { peer } => {
                let name = peer.split(|b| *b == 0).next().unwrap_or_default();
                write!(f, "the peer wants the mechanism \"{}\"", name.escape_ascii())
            }
            ProtocolError::SocketTypeMismatch { own, peer: Some(peer) } => {
                write!(f, "a {own} socket does not talk to a {peer}")
            }
            ProtocolError::SocketTypeMismatch { own, peer: None } => {
                write!(f, "a {own} socket does not talk to a type it does not know")
            }
            ProtocolError::Refused { reason } => {
                write!(f, "the peer refused the connection: \"{}\"", reason.escape_ascii())
            }
            ProtocolError::UnexpectedCommand { name } => write!(f, "unexpected command {name}"),
            ProtocolError::MalformedCommand(kind) => write!(f, "malformed command ({kind:?})"),
            ProtocolError::InvalidMetadata => f.write_str("invalid handshake properties"),
            ProtocolError::TrafficBeforeReady => {
                f.write_str("a message arrived before the handshake was over")
            }
            ProtocolError::MalformedIdentity { length } => {
                write!(f, "malformed identity frame of {length} bytes")
            }
            ProtocolError::EmptyFrameV1 => f.write_str("a ZMTP 1.0 frame of length 0"),
            ProtocolError::FrameTooLong { length, limit } => {
                write!(f, "a frame of {length} bytes, the limit being {limit}")
            }
            ProtocolError::OutOfMemory { bytes } => {
                write!(f, "no memory for {bytes} bytes of what it sends")
            }
            ProtocolError::CommandTooLong { length, limit } => {
                write!(f, "a command of {length} bytes, the limit being {limit}")
            }
            ProtocolError::MessageTooLong { limit } => write!(f, "a message of more than {limit} bytes"),
            ProtocolError::TooManyFrames { limit } => write!(f, "a message of more than {limit} frames"),
            ProtocolError::TopicTooLong { limit } => write!(f, "a topic of more than {limit} bytes"),
            ProtocolError::TooManySubscriptions { limit } => write!(f, "more than {limit} subscriptions"),
            ProtocolError::SubscriptionsTooLong { limit } => {
                write!(f, "subscriptions of more than {limit} bytes")
            }
            ProtocolError::Denied { status } => write!(f, "the peer was refused with status {status}"),
            ProtocolError::Forged(kind) => write!(f, "a box that does not open ({kind:?})"),
            ProtocolError::Replayed(kind) => write!(f, "a nonce that was used before ({kind:?})"),
            ProtocolError::WeakKey => f.write_str("a public key that belongs to no key pair"),
            ProtocolError::ForeignVouch => f.write_str("a vouch for another connection or server"),
            ProtocolError::CookieExpired => f.write_str("the answer to WELCOME came too late"),
            ProtocolError::NoncesExhausted => f.write_str("the connection has used up its nonces"),
            ProtocolError::NoEntropy => f.write_str("there are no random bytes for the keys of a connection"),
            ProtocolError::CredentialsTooLong => {
                f.write_str("our own user name or password is longer than 255 bytes")
            }
            ProtocolError::AnothersRoutingId => f.write_str("a routing id that belongs to another user"),
            ProtocolError::RoutingIdInUse => f.write_str("another peer has this routing id"),
            ProtocolError::HasItsPeer => f.write_str("the socket takes one peer, and has it"),
            ProtocolError::BadReplyEnvelope => f.write_str("a reply without its envelope"),
            ProtocolError::BadGroup => f.write_str("a message that is not a group and one frame"),
        }
    }
}

impl std::error::Error for ProtocolError {}

/// Why a connection ended from within.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The peer broke the protocol.
    Protocol(ProtocolError),
    /// The first ten bytes did not come in time (`SIGNATURE_IVL`).
    SignatureTimeout,
    /// The handshake was not over in time (`HANDSHAKE_IVL`).
    HandshakeTimeout,
    /// Nothing arrived in time after a PING, or within the time to live that the peer's PING set.
    HeartbeatTimeout,
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectionError::Protocol(error) => error.fmt(f),
            ConnectionError::SignatureTimeout => f.write_str("the peer's signature took too long"),
            ConnectionError::HandshakeTimeout => f.write_str("the handshake took too long"),
            ConnectionError::HeartbeatTimeout => f.write_str("the peer stopped answering"),
        }
    }
}

impl std::error::Error for ConnectionError {}

impl From<ProtocolError> for ConnectionError {
    fn from(error: ProtocolError) -> ConnectionError {
        ConnectionError::Protocol(error)
    }
}
