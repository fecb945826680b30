//! What a call waited for in vain.

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use zeroxide_transports::{ResolveError, SocksError, SocksRefusal};
use zeroxide_zmtp::SocketType;

use super::handshake::HandshakeError;
use super::io_error::{IoError, is_limit, is_of_connections};
use crate::options::show_duration;

/// What a call waited for, or would have to wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// There is no peer to send to.
    NoPeer {
        /// The socket's type.
        socket: SocketType,
        /// Where the socket would find one.
        at: Box<Attachment>,
    },
    /// Every peer that could take the message is at its high-water mark.
    Full {
        /// The socket's type.
        socket: SocketType,
        /// How many messages may wait for a peer: SNDHWM, and over inproc SNDHWM and the RCVHWM of the peer, which share one
        /// queue. The most, where peers differ.
        hwm: u32,
        /// How many peers are full.
        peers: u32,
    },
    /// No message arrived.
    NoMessage {
        /// The socket's type.
        socket: SocketType,
        /// How long was waited.
        after: Option<Duration>,
    },
    /// Nothing happened that a monitor would tell.
    NoEvent,
    /// No message can arrive: the socket subscribed to nothing.
    NoSubscription {
        /// The socket's type.
        socket: SocketType,
        /// How long was waited.
        after: Option<Duration>,
    },
    /// The request was sent and its reply did not come.
    AwaitingReply {
        /// How long was waited.
        after: Option<Duration>,
    },
    /// The request was not written to a peer, not even in part. It was taken back.
    RequestUnsent(Box<RequestUnsent>),
    /// The endpoint has no connection whose handshake is over.
    NotReady(Box<NotReady>),
    /// The socket has fewer peers than were waited for.
    FewerPeers(Box<TooFew>),
    /// Fewer peers subscribed to the topic than were waited for.
    FewerSubscribers(Box<TooFew>),
}

/// A request that was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestUnsent {
    /// How long was waited.
    pub after: Option<Duration>,
    /// Where it waited for a peer; `None` when its peer was there and took nothing in.
    pub at: Option<Attachment>,
}

/// How an endpoint that was waited for fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotReady {
    /// The endpoint.
    pub endpoint: Arc<str>,
    /// How long was waited.
    pub after: Duration,
    /// How the last attempt ended; `None` while the first is under way.
    pub last: Option<DialError>,
    /// How many attempts there were.
    pub attempts: u32,
}

/// How many peers were waited for, and how many came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooFew {
    /// How many were waited for.
    pub wanted: usize,
    /// How many there are.
    pub have: usize,
    /// How the last attempt failed, of this socket to connect or of a peer that had connected to it; `None` if none failed.
    pub last: Option<DialError>,
}

/// Where a socket without peers may find one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Attachment {
    /// Nowhere: it is neither bound nor connected.
    #[default]
    Nowhere,
    /// Bound to this endpoint, perhaps to others too.
    Bound(Arc<str>),
    /// Connecting, with no connection now.
    Connecting {
        /// The endpoint, or one of several.
        endpoint: Arc<str>,
        /// How the last attempt ended; `None` while the first is under way.
        last: Option<DialError>,
        /// How many attempts there were.
        attempts: u32,
    },
}

/// Why an attempt to connect failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DialError {
    /// The endpoint has no address that could be dialled.
    Resolve(ResolveError),
    /// The name was not looked up within CONNECT_TIMEOUT, or half a minute where that sets no limit.
    LookupTimedOut,
    /// The system gave no thread for the lookup of the name.
    NoThread(IoError),
    /// CONNECT_TIMEOUT ended it.
    TimedOut,
    /// The system refused it.
    Io(IoError),
    /// Nobody has bound this inproc name.
    NotBound,
    /// The SOCKS5 proxy was reached, and made no connection.
    Proxy(SocksError),
    /// The connection stood, and its handshake failed.
    Handshake(Arc<HandshakeError>),
}

impl Why {
    /// Returns whether its text says how long was waited.
    pub(super) fn tells_time(&self) -> bool {
        match self {
            Why::NoMessage { after, .. }
            | Why::NoSubscription { after, .. }
            | Why::AwaitingReply { after } => after.is_some(),
            Why::RequestUnsent(unsent) => unsent.after.is_some(),
            Why::NotReady(_) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::NoPeer { socket, at } => write!(f, "{socket} {at}; message returned"),
            Why::Full { socket, hwm, peers: 1 } => {
                write!(f, "the peer of this {socket} is at its high-water mark ({hwm}); message returned")
            }
            Why::Full { socket, hwm, peers } => write!(
                f,
                "all {peers} peers of this {socket} are at their high-water mark ({hwm}); message returned"
            ),
            Why::NoEvent => f.write_str("nothing happened"),
            Why::NoMessage { socket, after } => write!(f, "no message for this {socket}{}", within(*after)),
            Why::NoSubscription { socket, after } if socket.has_groups() => {
                write!(f, "no message{}: this {socket} is in no group; call join()", within(*after))
            }
            Why::NoSubscription { socket, after } => write!(
                f,
                "no message{}: this {socket} has no subscription; call subscribe(\"\") for everything",
                within(*after)
            ),
            Why::AwaitingReply { after } => {
                write!(f, "no reply{}; the request may have arrived", within(*after))
            }
            Why::RequestUnsent(unsent) => unsent.fmt(f),
            Why::NotReady(not_ready) => not_ready.fmt(f),
            Why::FewerPeers(few) => few.write(f, "peers are connected"),
            Why::FewerSubscribers(few) => few.write(f, "subscribers are there"),
        }
    }
}

impl TooFew {
    fn write(&self, f: &mut fmt::Formatter<'_>, what: &str) -> fmt::Result {
        write!(f, "{} of {} {what}", self.have, self.wanted)?;
        self.last.as_ref().map_or(Ok(()), |last| write!(f, "; the last attempt failed: {last}"))
    }
}

impl fmt::Display for RequestUnsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = within(self.after);
        match &self.at {
            Some(at) => write!(f, "no reply{after}; this REQ {at}; request returned"),
            None => write!(f, "no reply{after}; the peer takes nothing in; request returned"),
        }
    }
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NotReady { endpoint, after, last, attempts } = self;
        let plural = if *attempts == 1 { "" } else { "s" };
        write!(f, "{endpoint} not ready after {}: ", show_duration(*after))?;
        match last {
            None => f.write_str("the first attempt is not over; is the address right?"),
            Some(DialError::Handshake(error)) => write!(f, "{}, {attempts} attempt{plural}", error.what()),
            Some(last) => {
                write!(f, "{last}, {attempts} attempt{plural}")?;
                last.advice().map_or(Ok(()), |advice| write!(f, "; {advice}"))
            }
        }
    }
}

impl fmt::Display for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attachment::Nowhere => {
                f.write_str("is neither bound nor connected; call bind() or connect() first")
            }
            Attachment::Bound(endpoint) => write!(f, "bound to {endpoint} has no peer yet"),
            Attachment::Connecting { endpoint, last: None, .. } => {
                write!(f, "connecting to {endpoint} has no peer yet")
            }
            Attachment::Connecting { endpoint, last: Some(last), attempts } => {
                write!(f, "connecting to {endpoint} has no peer yet (attempt {attempts}, last: {last})")
            }
        }
    }
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DialError::Resolve(error) => write!(f, "{error}"),
            DialError::LookupTimedOut => f.write_str("the name was not looked up in time"),
            DialError::NoThread(error) => write!(f, "no thread to look the name up: {error}"),
            DialError::TimedOut => f.write_str("no answer in time"),
            DialError::Io(error) => write!(f, "{error}"),
            DialError::NotBound => f.write_str("not bound in this context"),
            DialError::Proxy(error) => write!(f, "{error}"),
            DialError::Handshake(error) => f.write_str(&error.what()),
        }
    }
}

impl DialError {
    /// Returns whether nobody listens there, as the system or the proxy says.
    pub(crate) fn is_refused(&self) -> bool {
        match self {
            DialError::Io(error) => error.kind() == io::ErrorKind::ConnectionRefused,
            DialError::Proxy(SocksError::Refused(refusal)) => *refusal == SocksRefusal::ConnectionRefused,
            _ => false,
        }
    }

    /// Returns what to look at first; `None` where the text says all.
    fn advice(&self) -> Option<&'static str> {
        match self {
            DialError::Resolve(ResolveError::UnknownHost(_) | ResolveError::NoAddress) => {
                Some("is the name right?")
            }
            DialError::Resolve(_) | DialError::NoThread(_) => None,
            DialError::LookupTimedOut => Some("is the name server running?"),
            DialError::NotBound => Some("inproc joins sockets of one Context only"),
            DialError::Proxy(error) if error.is_of_proxy() => Some("see SOCKS_PROXY"),
            DialError::TimedOut | DialError::Proxy(_) | DialError::Handshake(_) => {
                Some("is the server running?")
            }
            DialError::Io(error) if is_limit(error) => Some("close some, or raise the limit"),
            DialError::Io(error) => match error.kind() {
                io::ErrorKind::NotFound => Some("is the path right, and the server running?"),
                // Over ipc: nobody accepts what waits there.
                io::ErrorKind::WouldBlock => Some("is the server busy?"),
                kind => is_of_connections(kind).then_some("is the server running?"),
            },
        }
    }
}

impl From<io::Error> for DialError {
    fn from(error: io::Error) -> DialError {
        let source = error.get_ref();
        if let Some(proxy) = source.and_then(|source| source.downcast_ref::<SocksError>()) {
            return DialError::Proxy(*proxy);
        }
        if let Some(resolve) = source.and_then(|source| source.downcast_ref::<ResolveError>()) {
            return DialError::Resolve(resolve.clone());
        }
        DialError::Io(error.into())
    }
}

impl From<ResolveError> for DialError {
    fn from(error: ResolveError) -> DialError {
        DialError::Resolve(error)
    }
}

impl std::error::Error for DialError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            DialError::Resolve(error) => Some(error),
            DialError::Io(error) | DialError::NoThread(error) => Some(error),
            DialError::Proxy(error) => Some(error),
            DialError::Handshake(error) => Some(error.as_ref()),
            DialError::LookupTimedOut | DialError::TimedOut | DialError::NotBound => None,
        }
    }
}

fn within(after: Option<Duration>) -> String {
    after.map_or_else(|| " now".to_owned(), |after| format!(" in {}", show_duration(after)))
}
