//! What a case of the corpus is: a name, bytes, and the one end that they must come to.

use zeroxide::Version;
use zeroxide_zmtp::error::{CommandKind, Excerpt};
use zeroxide_zmtp::mechanism::Status;
use zeroxide_zmtp::{ProtocolError, SocketType};

use super::common;
#[cfg(feature = "curve")]
use super::honest::Bend;

/// One peer that does something wrong, or something odd that is allowed.
#[derive(Clone, Debug)]
pub struct Case {
    /// Unique in the corpus.
    pub name: String,
    /// Whom it attacks.
    pub target: Target,
    /// What it does properly first.
    pub after: After,
    /// What it sends then.
    pub bytes: Vec<u8>,
    /// What it does before that to the command that is due.
    #[cfg(feature = "curve")]
    pub bend: Bend,
    /// Whether it closes its side after that.
    pub closes: bool,
    /// What must become of it.
    pub end: End,
}

/// A socket of ours that is attacked, bound in one round and connecting in the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A PULL as it comes.
    Pull,
    /// A PULL with short deadlines.
    Hasty,
    /// A PULL that talks to peers as old as ZMTP 1.0.
    OldPull,
    /// A PULL that takes messages of 3 frames, 1000 bytes each, 1500 together.
    SmallPull,
    /// A PULL without any limit of size, as libzmq's.
    Unlimited,
    /// An XPUB.
    XPub,
    /// An XPUB that talks to peers as old as ZMTP 1.0.
    OldXPub,
    /// A ROUTER.
    Router,
    /// A REQ.
    Req,
    /// A PULL that is a PLAIN server, which admits [`USER`].
    #[cfg(feature = "plain")]
    PlainServer,
    /// A PULL that is a PLAIN client.
    #[cfg(feature = "plain")]
    PlainClient,
    /// A PULL that is a CURVE server, which admits one key.
    #[cfg(feature = "curve")]
    CurveServer,
    /// A PULL that is a CURVE client.
    #[cfg(feature = "curve")]
    CurveClient,
}

/// Name and password of the one user that there is.
#[cfg(feature = "plain")]
pub const USER: (&str, &str) = ("ann", "secret");

/// What a peer does properly before it misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Nothing: it only connects.
    Connecting,
    /// Its greeting.
    Greeting,
    /// Its greeting and its first command, and the other side has answered that.
    #[cfg(any(feature = "plain", feature = "curve"))]
    Command,
    /// The whole handshake.
    Handshake,
}

/// What must become of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It is closed for this fault.
    Fault(ProtocolError),
    /// It is closed because its first ten bytes did not come in time.
    NoSignature,
    /// It is closed because its handshake did not end in time.
    TimedOut,
    /// It ends with the peer's side.
    PeerClosed,
    /// It is closed because it may not come in.
    Denied(Status),
    /// Nothing: it is odd, but legal, and its next message is received.
    Served,
}

impl Case {
    /// A case against a PULL.
    pub fn new(name: impl Into<String>, after: After, bytes: impl Into<Vec<u8>>, end: End) -> Case {
        Case {
            name: name.into(),
            target: Target::Pull,
            after,
            bytes: bytes.into(),
            #[cfg(feature = "curve")]
            bend: Bend::Withheld,
            closes: false,
            end,
        }
    }

    /// The same against another socket.
    pub fn at(self, target: Target) -> Case {
        Case { target, ..self }
    }

    /// The same from a peer that then closes its side.
    pub fn closing(self) -> Case {
        Case { closes: true, ..self }
    }
}

impl End {
    /// Not ZMTP; how it began is compared with the bytes of the case.
    pub fn not_zmtp() -> End {
        End::Fault(ProtocolError::NotZmtp { first: Excerpt::of(b"") })
    }

    pub fn too_old(spoken: Version) -> End {
        End::Fault(ProtocolError::VersionTooOld { spoken, minimum: Version::V3_0 })
    }

    pub fn malformed(kind: CommandKind) -> End {
        End::Fault(ProtocolError::MalformedCommand(kind))
    }

    pub fn unexpected(name: &str) -> End {
        End::Fault(ProtocolError::UnexpectedCommand { name: Excerpt::of(name.as_bytes()) })
    }

    pub fn refused(reason: &'static [u8]) -> End {
        End::Fault(ProtocolError::Refused { reason: reason.into() })
    }

    /// Whether `told` is this end, of a connection that began with `bytes`.
    pub fn is(&self, told: &End, bytes: &[u8]) -> bool {
        match (self, told) {
            (End::Fault(ProtocolError::NotZmtp { .. }), End::Fault(ProtocolError::NotZmtp { first })) => {
                !first.as_bytes().is_empty() && bytes.starts_with(first.as_bytes())
            }
            _ => self == told,
        }
    }
}

impl Target {
    pub const ALL: &[Target] = &[
        Target::Pull,
        Target::Hasty,
        Target::OldPull,
        Target::SmallPull,
        Target::Unlimited,
        Target::XPub,
        Target::OldXPub,
        Target::Router,
        Target::Req,
        #[cfg(feature = "plain")]
        Target::PlainServer,
        #[cfg(feature = "plain")]
        Target::PlainClient,
        #[cfg(feature = "curve")]
        Target::CurveServer,
        #[cfg(feature = "curve")]
        Target::CurveClient,
    ];

    /// Its type.
    pub fn socket_type(self) -> SocketType {
        match self {
            #[cfg(feature = "plain")]
            Target::PlainServer | Target::PlainClient => SocketType::Pull,
            #[cfg(feature = "curve")]
            Target::CurveServer | Target::CurveClient => SocketType::Pull,
            Target::Pull | Target::Hasty | Target::OldPull | Target::SmallPull | Target::Unlimited => {
                SocketType::Pull
            }
            Target::XPub | Target::OldXPub => SocketType::XPub,
            Target::Router => SocketType::Router,
            Target::Req => SocketType::Req,
        }
    }

    /// The type of its peers.
    pub fn peer(self) -> SocketType {
        match self.socket_type() {
            SocketType::Pull => SocketType::Push,
            SocketType::XPub => SocketType::XSub,
            SocketType::Req => SocketType::Router,
            _ => SocketType::Dealer,
        }
    }

    /// What its peers send properly, in pieces; behind each but the last they wait for an answer.
    pub fn opening(self, after: After) -> Vec<Vec<u8>> {
        #[cfg(feature = "plain")]
        if let Target::PlainServer | Target::PlainClient = self {
            return super::plain::opening(self, after);
        }
        #[cfg(feature = "curve")]
        if let Target::CurveServer | Target::CurveClient = self {
            // What it says depends on what it hears.
            return vec![Vec::new()];
        }
        let ready = common::ready(self.peer().name(), "");
        vec![match after {
            After::Connecting => Vec::new(),
            After::Greeting => common::greeting(),
            _ => [common::greeting(), ready].concat(),
        }]
    }
}

/// A frame with an 8-byte length that need not be its body's.
pub fn long(flags: u8, length: u64, body: &[u8]) -> Vec<u8> {
    [&[flags | 2][..], &length.to_be_bytes(), body].concat()
}

/// A command frame of any length.
pub fn command(body: &[u8]) -> Vec<u8> {
    match u8::try_from(body.len()) {
        Ok(length) => [&[4, length][..], body].concat(),
        Err(_) => long(4, body.len() as u64, body),
    }
}

/// One property of a READY.
pub fn property(name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[name.len() as u8][..], name, &(value.len() as u32).to_be_bytes(), value].concat()
}

/// A READY around a property list.
pub fn ready(properties: &[u8]) -> Vec<u8> {
    command(&[b"\x05READY", properties].concat())
}

/// Lengths that no frame has, and that arithmetic may stumble over. The last but one is that of libzmq#1488; near
/// the last of all the pointers of CVE-2019-6250 wrapped.
pub const BOMBS: [u64; 8] =
    [(1 << 31) + 1, 1 << 32, 1 << 40, (1 << 63) - 1, 1 << 63, u64::MAX - 9, 0xFFFF_FFFF_FFFF_FFDA, u64::MAX];
