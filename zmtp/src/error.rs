//! The faults of a peer, one variant per cause.

use std::fmt;

use bytes::Bytes;

use crate::gate::Status;
use crate::short::Short;
use crate::{SocketType, Version};

/// The first bytes of what a peer sent, at most 16, kept for a report.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Excerpt(Short<{ Excerpt::MAX }>);

impl Excerpt {
    /// The most bytes that are kept.
    pub const MAX: usize = 16;

    /// Copies the beginning of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Excerpt {
        Excerpt(Short::head_of(bytes))
    }

    /// Returns the kept bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// Prints printable ASCII as it is, and escapes anything else.
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

/// A fault of the peer, which ends the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The first bytes are not ZMTP of any version, but for example HTTP, TLS or a port scan.
    NotZmtp {
        /// The first bytes.
        first: Excerpt,
    },
    /// The peer's ZMTP is older than this socket accepts. (A mechanism other than NULL needs 3.0.)
    VersionTooOld {
        /// The peer's version.
        spoken: Version,
        /// The oldest version that this socket accepts.
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
        /// The peer's; `None` for an unknown name.
        peer: Option<SocketType>,
    },
    /// The peer refused us with an ERROR command.
    Refused {
        /// The reason in the command, at most 255 bytes; libzmq sends a ZAP status such as `400`.
        reason: Bytes,
    },
    /// A command that is not allowed at this point: a second READY, or a HELLO under NULL.
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
    /// There is not enough memory for what the peer sent: allocating it would leave too little for all others.
    OutOfMemory {
        /// The size of the refused allocation.
        bytes: u64,
    },
    /// A command is longer than any that is accepted at this point.
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
    /// The topics of a peer's subscriptions, added up, are longer than the limit.
    SubscriptionsTooLong {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The authentication refused the peer's credentials.
    Denied {
        /// The status; every status but 300 was passed on to the peer.
        status: Status,
    },
    /// A box of CURVE cannot be opened: it was sealed with another key, or changed on the way.
    Forged(CommandKind),
    /// A nonce of CURVE is not above the last one: the command was captured and sent again (RFC 26 §"Nonces").
    Replayed(CommandKind),
    /// A public key of CURVE belongs to no key pair. It is zero or another point of low order, with which the shared
    /// secret is known to everybody, or it is a second spelling of a key.
    WeakKey,
    /// The vouch of a CURVE client is for another connection or another server (RFC 26 §"INITIATE").
    ForeignVouch,
    /// A CURVE client sent its INITIATE more than 60 seconds after our WELCOME.
    CookieExpired,
    /// The connection has sealed 2^64 messages with one key, which is the limit. The peer is not at fault.
    NoncesExhausted,
    /// There were no random bytes for the keys of this connection. The peer is not at fault.
    NoEntropy,
    /// Our own name or password is longer than 255 bytes, the limit of PLAIN (RFC 24). The peer is not at fault.
    CredentialsTooLong,
    /// The peer announces a routing id that belongs to another user, or for which messages of another user wait.
    AnothersRoutingId,
    /// Another peer of the socket already has the routing id that this one announces, and keeps it.
    RoutingIdInUse,
    /// The socket takes only one peer (PAIR, CHANNEL), and already has one.
    HasItsPeer,
    /// A message to a REQ does not begin with the reply envelope (RFC 28; libzmq `req_session_t`).
    BadReplyEnvelope,
    /// A message to a DISH is not the name of a group and one frame (RFC 48; libzmq `dish_session_t`).
    BadGroup,
}

impl ProtocolError {
    /// Returns libzmq's number for this fault, `ZMQ_PROTOCOL_ERROR_ZMTP_*`, as its monitor reports it.
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

/// The reasons in the ERROR commands with which Zeroxide turns away a peer that it has no place for.
const IN_USE: &[u8] = b"routing id in use";
const HAS_ITS_PEER: &[u8] = b"has its peer";

impl ProtocolError {
    /// Returns the reason for an ERROR command, if the fault is that there is no place for the peer. The reason does
    /// not reveal to whom a routing id belongs.
    pub(crate) fn reason(&self) -> Option<&'static [u8]> {
        match self {
            ProtocolError::RoutingIdInUse | ProtocolError::AnothersRoutingId => Some(IN_USE),
            ProtocolError::HasItsPeer => Some(HAS_ITS_PEER),
            _ => None,
        }
    }

    /// Returns the error that the reason of an ERROR command stands for.
    pub(crate) fn of_reason(reason: &[u8]) -> ProtocolError {
        match reason {
            IN_USE => ProtocolError::RoutingIdInUse,
            HAS_ITS_PEER => ProtocolError::HasItsPeer,
            _ => ProtocolError::Refused { reason: Bytes::copy_from_slice(reason) },
        }
    }

    /// Returns whether the peer did nothing wrong, but the socket has no place for it now.
    #[must_use]
    pub fn is_want_of_place(&self) -> bool {
        matches!(self, ProtocolError::RoutingIdInUse | ProtocolError::HasItsPeer)
    }

    /// Returns whether the peer sent a frame or a message beyond a limit.
    #[must_use]
    pub fn is_of_size(&self) -> bool {
        matches!(
            self,
            ProtocolError::FrameTooLong { .. }
                | ProtocolError::MessageTooLong { .. }
                | ProtocolError::TooManyFrames { .. }
        )
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

/// Why a connection ended itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The peer broke the protocol.
    Protocol(ProtocolError),
    /// The first ten bytes did not arrive in time (`SIGNATURE_IVL`).
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
