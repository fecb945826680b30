//! What the caller of a socket may be told, and libzmq's number for it.
//!
//! Each text says what is wrong, where, and what to do about it. A fault of a peer never becomes the error of a
//! sender or receiver: it goes to the monitor, to `endpoints()` and to whoever asked for that very connection.

mod errno;
mod group;
mod handshake;
mod io_error;
mod likely_cause;
mod number;
#[cfg(test)]
mod tests;
mod why;

use std::sync::Arc;
use std::{fmt, io};

use zeroxide_patterns::{RoutingId, RoutingIdError};
use zeroxide_transports::EndpointError;
use zeroxide_zmtp::{Message, SocketType};

use crate::options::OptionError;

pub use crate::security::SecurityError;
pub use group::GroupError;
pub use handshake::{Denial, HandshakeCause, HandshakeError};
pub use io_error::IoError;
pub(crate) use io_error::is_limit;
pub use why::{Attachment, DialError, NotReady, RequestUnsent, TooFew, Why};

/// The result of a call on a socket or a context.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call on a socket or a context failed.
///
/// `Debug` prints the [`kind`](Error::kind) and the text of `Display`, because it is what a program shows whose `main` returns an
/// error, and what `unwrap` shows: `Error: Bind: cannot bind tcp://*:5555 (PUB): address in use; ...`.
#[non_exhaustive]
pub enum Error {
    /// It cannot be done now, and the call does not wait: a `try_` call, or SNDTIMEO or RCVTIMEO is 0.
    WouldBlock(Why),
    /// It could not be done in the time allowed. A call with a limit returns this also if the limit is zero.
    TimedOut(Why),
    /// It is not this socket's turn: REQ and REP send and receive by turns. A call that waits ends with this as soon as another
    /// call of the same socket takes its turn.
    WrongState {
        /// The socket's type.
        socket: SocketType,
        /// What must come next.
        next: Turn,
    },
    /// Sockets of this type cannot do it.
    NotSupported {
        /// The socket's type.
        socket: SocketType,
        /// What was asked.
        op: Op,
    },
    /// No peer has the routing id to which the message is addressed.
    Unroutable {
        /// The routing id.
        id: Box<RoutingId>,
        /// How many peers the socket has.
        known: usize,
    },
    /// A message without a frame, or without one beside its routing id.
    EmptyMessage,
    /// The name of a group is wrong, or the DISH is in it already, or is not in it.
    Group(GroupError),
    /// The text of an endpoint is wrong.
    Endpoint(Box<EndpointError>),
    /// A routing id is too short or too long.
    RoutingId(RoutingIdError),
    /// A bind failed.
    Bind(Box<BindError>),
    /// Nothing is bound or connected to this endpoint.
    NoSuchEndpoint(Box<str>),
    /// An option or its value is wrong.
    Option(Box<OptionError>),
    /// Who decides about peers is missing, or there already.
    Security(Box<SecurityError>),
    /// The handshake of the connection that was waited for failed; or the socket that has bound an inproc name does not take
    /// this one as its peer.
    Handshake(Arc<HandshakeError>),
    /// The socket is closed.
    Closed,
    /// The context is shut down.
    Terminated,
    /// The socket belongs to the process that this one was forked from.
    Forked,
    /// A signal arrived while the call waited.
    Interrupted,
    /// The context has no I/O threads, and the endpoint needs one.
    NoIoThread,
    /// A limit was reached: sockets of the context, descriptors or threads of the process.
    Limit(io::Error),
    /// The system failed.
    Io(io::Error),
}

/// [`Error`] without its details, for comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs)] // the variants of Error
pub enum ErrorKind {
    WouldBlock,
    TimedOut,
    WrongState,
    NotSupported,
    Unroutable,
    EmptyMessage,
    Group,
    Endpoint,
    RoutingId,
    Bind,
    NoSuchEndpoint,
    Option,
    Security,
    Handshake,
    Closed,
    Terminated,
    Forked,
    Interrupted,
    NoIoThread,
    Limit,
    Io,
}

/// What a socket that takes turns must do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Turn {
    /// Send: a REQ has no request under way, a REP owes a reply.
    Send,
    /// Receive: a REQ awaits its reply, a REP has no request to answer.
    Recv,
}

/// What a socket was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Op {
    /// To exist: sockets of this type will come with a later version.
    Open,
    /// To send.
    Send,
    /// To receive.
    Recv,
    /// To subscribe or unsubscribe.
    Subscribe,
    /// To send to a peer by its routing id, or to receive with it.
    Address,
    /// To know a peer by its number.
    Number,
    /// To send a request and wait for its reply.
    Request,
    /// To wait for subscribers.
    CountSubscribers,
    /// To join or leave a group.
    Join,
    /// To send a message of several frames.
    Multipart,
}

impl Error {
    /// Returns which error it is, without the details.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::WouldBlock(_) => ErrorKind::WouldBlock,
            Error::TimedOut(_) => ErrorKind::TimedOut,
            Error::WrongState { .. } => ErrorKind::WrongState,
            Error::NotSupported { .. } => ErrorKind::NotSupported,
            Error::Unroutable { .. } => ErrorKind::Unroutable,
            Error::EmptyMessage => ErrorKind::EmptyMessage,
            Error::Group(_) => ErrorKind::Group,
            Error::Endpoint(_) => ErrorKind::Endpoint,
            Error::RoutingId(_) => ErrorKind::RoutingId,
            Error::Bind(_) => ErrorKind::Bind,
            Error::NoSuchEndpoint(_) => ErrorKind::NoSuchEndpoint,
            Error::Option(_) => ErrorKind::Option,
            Error::Security(_) => ErrorKind::Security,
            Error::Handshake(_) => ErrorKind::Handshake,
            Error::Closed => ErrorKind::Closed,
            Error::Terminated => ErrorKind::Terminated,
            Error::Forked => ErrorKind::Forked,
            Error::Interrupted => ErrorKind::Interrupted,
            Error::NoIoThread => ErrorKind::NoIoThread,
            Error::Limit(_) => ErrorKind::Limit,
            Error::Io(_) => ErrorKind::Io,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::WouldBlock(why) => write!(f, "{why}"),
            Error::TimedOut(why) if why.tells_time() => write!(f, "{why}"),
            Error::TimedOut(why) => write!(f, "timed out: {why}"),
            Error::WrongState { socket, next } => f.write_str(wrong_state(*socket, *next)),
            Error::NotSupported { socket, op } => not_supported(f, *socket, *op),
            Error::Unroutable { id, known } => {
                let peers = if *known == 1 { "peer" } else { "peers" };
                write!(f, "no peer with routing id {id}; {known} {peers} known, see peers()")
            }
            Error::EmptyMessage => f.write_str(
                "the message has no frame to send; push_back() at least one (on a ROUTER or STREAM the first frame is the \
                 routing id and says where the others go, see send_to())"
            ),
            Error::Group(error) => write!(f, "{error}"),
            Error::Endpoint(error) => write!(f, "{error}"),
            Error::RoutingId(error) => write!(f, "{error}"),
            Error::Bind(error) => write!(f, "{error}"),
            Error::NoSuchEndpoint(endpoint) => write!(
                f,
                "{endpoint:?}: nothing is bound or connected there; use what bind() or connect() returned, see endpoints()"
            ),
            Error::Option(error) => write!(f, "{error}"),
            Error::Security(error) => write!(f, "{error}"),
            Error::Handshake(error) => write!(f, "{error}"),
            Error::Closed => f.write_str("the socket is closed"),
            Error::Terminated => f.write_str("the context is shut down; make sockets of a new Context"),
            Error::Forked => {
                f.write_str("the socket was made before a fork, in the parent; make a new Context in the child")
            }
            Error::Interrupted => f.write_str("interrupted by a signal"),
            Error::NoIoThread => f.write_str(
                "the context has no I/O threads and carries only inproc; give ContextOptions::io_threads at least 1",
            ),
            Error::Limit(error) => write!(f, "a limit is reached: {error}"),
            Error::Io(error) => write!(f, "{error}"),
        }
    }
}

/// `Bind: cannot bind ...`
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.kind())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Group(error) => Some(error),
            Error::Endpoint(error) => Some(error.as_ref()),
            Error::RoutingId(error) => Some(error),
            Error::Bind(error) => Some(error.as_ref()),
            Error::Option(error) => Some(error.as_ref()),
            Error::Security(error) => Some(error.as_ref()),
            Error::Handshake(error) => Some(error.as_ref()),
            Error::Limit(error) | Error::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<OptionError> for Error {
    fn from(error: OptionError) -> Error {
        Error::Option(Box::new(error))
    }
}

impl From<EndpointError> for Error {
    fn from(error: EndpointError) -> Error {
        Error::Endpoint(Box::new(error))
    }
}

impl From<RoutingIdError> for Error {
    fn from(error: RoutingIdError) -> Error {
        Error::RoutingId(error)
    }
}

impl From<BindError> for Error {
    fn from(error: BindError) -> Error {
        Error::Bind(Box::new(error))
    }
}

impl From<SecurityError> for Error {
    fn from(error: SecurityError) -> Error {
        Error::Security(Box::new(error))
    }
}

impl From<HandshakeError> for Error {
    fn from(error: HandshakeError) -> Error {
        Error::Handshake(Arc::new(error))
    }
}

/// A bind that failed.
#[derive(Debug)]
pub struct BindError {
    /// The endpoint, as asked for.
    pub endpoint: Arc<str>,
    /// The socket's type.
    pub socket: SocketType,
    /// What the system said, or [`ResolveError`](crate::ResolveError).
    pub source: IoError,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BindError { endpoint, socket, source } = self;
        match source.kind() {
            io::ErrorKind::AddrInUse => write!(
                f,
                "cannot bind {endpoint} ({socket}): address in use; another socket or process listens there"
            ),
            io::ErrorKind::AddrNotAvailable => {
                write!(f, "cannot bind {endpoint}: not an address of this machine; did you mean connect?")
            }
            io::ErrorKind::PermissionDenied if endpoint.starts_with("ipc:") => {
                write!(
                    f,
                    "cannot bind {endpoint} ({socket}): permission denied; may this user write to that directory?"
                )
            }
            io::ErrorKind::PermissionDenied => write!(
                f,
                "cannot bind {endpoint} ({socket}): permission denied; ports below 1024 often need privileges"
            ),
            _ => write!(f, "cannot bind {endpoint} ({socket}): {source}"),
        }
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// A message that was not sent, and why. The message is the one that was to be sent.
#[derive(Debug)]
pub struct SendError {
    /// Why it was not sent.
    pub error: Error,
    /// The message.
    pub message: Message,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for SendError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl From<SendError> for Error {
    /// Drops the message.
    fn from(error: SendError) -> Error {
        error.error
    }
}

/// A request that got no reply.
#[derive(Debug)]
pub struct RequestError {
    /// Why there is none.
    pub error: Error,
    /// The request, if it was not sent or was taken back; `None` if a peer may have got it.
    pub unsent: Option<Message>,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl From<RequestError> for Error {
    /// Drops the request.
    fn from(error: RequestError) -> Error {
        error.error
    }
}

impl From<SendError> for RequestError {
    fn from(error: SendError) -> RequestError {
        RequestError { error: error.error, unsent: Some(error.message) }
    }
}

fn wrong_state(socket: SocketType, next: Turn) -> &'static str {
    match (socket.expects_reply_envelope(), next) {
        (true, Turn::Recv) => "this REQ awaits a reply: call recv() first, or use request()",
        (true, Turn::Send) => "this REQ has no request under way: call send() first, or use request()",
        (false, Turn::Recv) => "this REP has no request to answer: call recv() first",
        (false, Turn::Send) => "this REP owes a reply: call send() first",
    }
}

fn not_supported(f: &mut fmt::Formatter<'_>, socket: SocketType, op: Op) -> fmt::Result {
    let a = article(socket);
    match op {
        Op::Open => write!(f, "{socket} sockets do not exist here yet; see \"not yet\" in the README"),
        Op::Send => {
            write!(f, "{a} {socket} socket cannot send; it receives from {}", either(socket.peers()))?;
            match (socket.resubscribes(), socket.has_groups()) {
                (true, false) => f.write_str(". To subscribe call subscribe()"),
                (true, true) => f.write_str(". To join a group call join()"),
                (false, _) => Ok(()),
            }
        }
        Op::Recv => write!(f, "{a} {socket} socket cannot receive; it sends to {}", either(socket.peers())),
        Op::Subscribe if socket.publishes() && socket.receives() => {
            write!(f, "{a} {socket} socket cannot subscribe by itself; with XPUB_MANUAL it can for its peers")
        }
        Op::Subscribe => write!(f, "{a} {socket} socket cannot subscribe; a SUB can"),
        Op::Address => write!(f, "{a} {socket} socket has no peers by routing id; a ROUTER has"),
        Op::Number => write!(f, "{a} {socket} socket has no peers by number; a SERVER has"),
        Op::Request => write!(f, "{a} {socket} socket has no request(); a REQ has"),
        Op::CountSubscribers => write!(f, "{a} {socket} socket has no subscribers; a PUB has"),
        Op::Multipart => write!(f, "a message of {a} {socket} socket has one frame; send each by itself"),
        Op::Join => write!(f, "{a} {socket} socket joins no groups; a DISH does"),
    }
}

/// Returns the names of `types` as a choice: `REP or ROUTER`.
fn either(types: &[SocketType]) -> String {
    let names: Vec<&str> = types.iter().map(|t| t.name()).collect();
    match names.split_last() {
        None => "nobody".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// `a` or `an`, as the type's name is spoken: an XPUB.
fn article(socket: SocketType) -> &'static str {
    if socket.name().starts_with('X') { "an" } else { "a" }
}

const _: () = assert!(size_of::<Error>() <= 32, "every receive returns one, or a message");
const _: () = assert!(size_of::<SendError>() < 128 && size_of::<RequestError>() < 128, "they move by value");
