//! The socket: one thread-safe handle for every pattern and transport.

mod attach;
pub(crate) mod authorities;
pub(crate) mod base;
pub(crate) mod closing;
pub(crate) mod closure;
pub(crate) mod context;
#[cfg_attr(not(feature = "face"), path = "no_face_state.rs")]
pub(crate) mod face_state;
pub(crate) mod flush;
pub(crate) mod inproc;
mod marks;
pub(crate) mod news;
mod observe;
pub(crate) mod orders;
pub(crate) mod pipe_ends;
pub(crate) mod pipes;
pub(crate) mod ready;
mod request;
mod settle;
pub(crate) mod transfer;
mod waits;

use std::sync::Arc;
use std::time::Duration;

use zeroxide_patterns::{Pattern, Refusal, RoutingId};
use zeroxide_transports::{Endpoint, EndpointText};
use zeroxide_zmtp::{Message, SocketType};

use crate::error::{Error, GroupError, Op, Result, SendError};
use crate::options::{Live, Opt, Options, Values, opt};
use crate::poller::Ready;
use crate::socket::closing::Closing;
use crate::socket::context::ContextHandle;
use base::SocketBase;
use transfer::WaitLimit;

/// A socket of any of ZeroMQ's types.
///
/// It is a handle: clones share one socket, and every method may be called from any thread. When the last clone is
/// dropped the socket closes; [`Socket::close`] closes it for all clones at once and ends their blocked calls.
///
/// ```
/// use zeroxide::{Context, SocketType};
///
/// let context = Context::new();
/// let rep = context.socket(SocketType::Rep)?;
/// let req = context.socket(SocketType::Req)?;
/// rep.bind("inproc://greeter")?;
/// req.connect("inproc://greeter")?;
///
/// req.send("hello")?;
/// assert_eq!(rep.recv()?[0], "hello");
/// rep.send("world")?;
/// assert_eq!(req.recv()?[0], "world");
/// # Ok::<(), zeroxide::Error>(())
/// ```
#[derive(Clone)]
pub struct Socket {
    pub(crate) handle: Arc<SocketHandle>,
}

/// What the clones of a socket share; its drop closes the socket.
pub(crate) struct SocketHandle {
    base: Arc<SocketBase>,
    /// A socket keeps its context.
    pub(crate) context: Arc<ContextHandle>,
}

impl Drop for SocketHandle {
    fn drop(&mut self) {
        self.base.close();
    }
}

impl Socket {
    pub(crate) fn new(base: Arc<SocketBase>, context: Arc<ContextHandle>) -> Socket {
        Socket { handle: Arc::new(SocketHandle { base, context }) }
    }

    pub(crate) fn base(&self) -> &Arc<SocketBase> {
        &self.handle.base
    }

    /// Returns the type it was made with.
    #[must_use]
    pub fn socket_type(&self) -> SocketType {
        self.base().socket_type
    }

    /// Opens an endpoint to peers: `tcp://host:port`, `ipc://path`, `inproc://name`. Returns the resolved one: the
    /// real port for `:*`, the real path for `ipc://*`. (libzmq `zmq_bind`.)
    ///
    /// # Errors
    /// Returns [`Error::Endpoint`] for a malformed one, [`Error::Bind`] when the system refuses it.
    pub fn bind(&self, endpoint: impl EndpointText) -> Result<Endpoint> {
        let values = self.base().enter(|state| state.values.clone());
        self.base().bind(&endpoint.text(), &values)
    }

    /// Like [`Socket::bind`], with options of this endpoint alone.
    ///
    /// # Errors
    /// Returns the errors of [`Socket::bind`], and [`Error::Option`].
    pub fn bind_with(&self, endpoint: impl EndpointText, options: &Options) -> Result<Endpoint> {
        let values = self.endpoint_values(options)?;
        self.base().bind(&endpoint.text(), &values)
    }

    /// Connects to an endpoint in the background, and again for ever when the connection is lost. It succeeds with
    /// nobody there: ask [`Socket::connect_ready`] or print [`Socket::status`]. (libzmq `zmq_connect`.)
    ///
    /// # Errors
    /// Returns [`Error::Endpoint`] for a malformed one.
    pub fn connect(&self, endpoint: impl EndpointText) -> Result<Endpoint> {
        self.base().connect(&endpoint.text(), &self.connect_values()).map(|(endpoint, _)| endpoint)
    }

    /// Returns the socket's options for one connect, which uses CONNECT_ROUTING_ID up.
    fn connect_values(&self) -> Values {
        self.base().enter(|state| {
            let values = state.values.clone();
            state.values.connect_routing_id = None;
            values
        })
    }

    /// Like [`Socket::connect`], with options of this endpoint alone.
    ///
    /// # Errors
    /// Returns the errors of [`Socket::connect`], and [`Error::Option`].
    pub fn connect_with(&self, endpoint: impl EndpointText, options: &Options) -> Result<Endpoint> {
        let values = self.endpoint_values(options)?;
        self.base().connect(&endpoint.text(), &values).map(|(endpoint, _)| endpoint)
    }

    fn endpoint_values(&self, options: &Options) -> Result<Values> {
        let base = self.base().enter(|state| state.values.clone());
        Ok(options.endpoint_values(self.socket_type(), &base)?)
    }

    /// Closes a bound endpoint and the connections accepted by it. When it returns, the port is free.
    /// (libzmq `zmq_unbind`.)
    ///
    /// # Errors
    /// Returns [`Error::NoSuchEndpoint`].
    pub fn unbind(&self, endpoint: impl EndpointText) -> Result<()> {
        self.base().end_endpoint(&endpoint.text(), true)
    }

    /// Ends a connecting endpoint; what is unsent lingers in the background. (libzmq `zmq_disconnect`.)
    ///
    /// # Errors
    /// Returns [`Error::NoSuchEndpoint`].
    pub fn disconnect(&self, endpoint: impl EndpointText) -> Result<()> {
        self.base().end_endpoint(&endpoint.text(), false)
    }

    /// Ends the connection of one peer of a SERVER or PEER: the one with this number, as [`Message::routing_id`] tells it
    /// (from 1 on). Does not wait. What the peer sent and nobody has received is thrown away; what was sent to it lingers in
    /// the background for LINGER. No DISCONNECT_MSG comes for it. A peer that had connected comes back under another
    /// number; an endpoint that this socket connected to is given up, as by [`Socket::disconnect`].
    ///
    /// ```
    /// use zeroxide::{Context, SocketType};
    ///
    /// let context = Context::new();
    /// let server = context.socket(SocketType::Server)?;
    /// let client = context.socket(SocketType::Client)?;
    /// client.connect(server.bind("tcp://127.0.0.1:*")?)?;
    /// client.send("let me stay")?;
    /// let number = server.recv()?.routing_id();
    /// server.disconnect_peer(number)?;
    /// assert!(server.disconnect_peer(number).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Source: libzmq `zmq_disconnect_peer`.
    ///
    /// # Errors
    /// Returns [`Error::Unroutable`] when no peer has the number (0 is nobody's); [`Error::NotSupported`] on other types;
    /// [`Error::Closed`], [`Error::Terminated`], [`Error::Forked`].
    pub fn disconnect_peer(&self, number: u32) -> Result<()> {
        self.base().enter(|state| {
            state.alive()?;
            state.pattern.disconnect(number, &mut state.pipes).map_err(|refusal| match refusal {
                Refusal::Unroutable(id) => Error::Unroutable { id, known: state.pipes.iter().count() },
                _ => Error::NotSupported { socket: self.socket_type(), op: Op::Number },
            })
        })
    }

    /// Sends a message; waits while every peer that could take it is full or missing, at most for SNDTIMEO.
    ///
    /// # Errors
    /// Returns [`SendError`] with the message itself and why it was not sent.
    #[inline]
    pub fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        self.base().send(message.into(), WaitLimit::Option)
    }

    /// Sends a message if that is possible now.
    ///
    /// # Errors
    /// Returns [`SendError`] with the message itself and why it was not sent.
    #[inline]
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        self.base().send(message.into(), WaitLimit::None)
    }

    /// Sends a message; waits at most for `limit`.
    ///
    /// # Errors
    /// Returns [`SendError`] with the message itself and why it was not sent.
    pub fn send_timeout(&self, message: impl Into<Message>, limit: Duration) -> Result<(), SendError> {
        self.base().send(message.into(), WaitLimit::For(limit))
    }

    /// Receives a message; waits for it, at most for RCVTIMEO.
    ///
    /// # Errors
    /// Returns [`Error::TimedOut`], [`Error::WrongState`], [`Error::NotSupported`], [`Error::Closed`],
    /// [`Error::Terminated`].
    #[inline]
    pub fn recv(&self) -> Result<Message> {
        self.base().recv(WaitLimit::Option)
    }

    /// Receives a message if there is one.
    ///
    /// # Errors
    /// Returns [`Error::WouldBlock`] when there is none, and as [`Socket::recv`].
    #[inline]
    pub fn try_recv(&self) -> Result<Message> {
        self.base().recv(WaitLimit::None)
    }

    /// Receives a message; waits at most for `limit`.
    ///
    /// # Errors
    /// Returns the errors of [`Socket::recv`].
    pub fn recv_timeout(&self, limit: Duration) -> Result<Message> {
        self.base().recv(WaitLimit::For(limit))
    }

    /// Receives a message and copies its first frame into `buffer`; returns the frame's whole length, which may
    /// exceed the buffer's. Further frames are dropped.
    ///
    /// # Errors
    /// Returns the errors of [`Socket::recv`].
    pub fn recv_into(&self, buffer: &mut [u8]) -> Result<usize> {
        let message = self.recv()?;
        let frame = message.first().map_or(&[][..], |frame| frame);
        let copied = frame.len().min(buffer.len());
        buffer[..copied].copy_from_slice(&frame[..copied]);
        Ok(frame.len())
    }

    /// Sends a message to the peer with this routing id (ROUTER, STREAM).
    ///
    /// # Errors
    /// Returns the errors of [`Socket::send`], and [`Error::Unroutable`] when there is no such peer.
    pub fn send_to(&self, to: &RoutingId, message: impl Into<Message>) -> Result<(), SendError> {
        let mut message = message.into();
        if !self.socket_type().addresses() {
            return Err(SendError { error: self.no(Op::Address), message });
        }
        message.push_front(to.to_frame());
        self.send(message).map_err(|mut refused| {
            refused.message.pop_front();
            refused
        })
    }

    /// Receives a message and the routing id of its sender (ROUTER, STREAM).
    ///
    /// # Errors
    /// Returns the errors of [`Socket::recv`].
    pub fn recv_from(&self) -> Result<(RoutingId, Message)> {
        self.addressed(Socket::recv)
    }

    /// Receives a message and the routing id of its sender, if there is one (ROUTER, STREAM).
    ///
    /// # Errors
    /// Returns the errors of [`Socket::try_recv`].
    pub fn try_recv_from(&self) -> Result<(RoutingId, Message)> {
        self.addressed(Socket::try_recv)
    }

    /// Receives a message and the routing id of its sender (ROUTER, STREAM); waits at most for `limit`.
    ///
    /// # Errors
    /// Returns the errors of [`Socket::recv`].
    pub fn recv_from_timeout(&self, limit: Duration) -> Result<(RoutingId, Message)> {
        self.addressed(|socket| socket.recv_timeout(limit))
    }

    /// Returns what `recv` receives, its first frame apart.
    fn addressed(&self, recv: impl FnOnce(&Socket) -> Result<Message>) -> Result<(RoutingId, Message)> {
        if !self.socket_type().addresses() {
            return Err(self.no(Op::Address));
        }
        let mut message = recv(self)?;
        let id = message.pop_front().and_then(|frame| RoutingId::new(frame).ok());
        Ok((id.ok_or_else(|| self.no(Op::Address))?, message))
    }

    fn no(&self, op: Op) -> Error {
        Error::NotSupported { socket: self.socket_type(), op }
    }

    /// Subscribes to every topic that begins with `prefix`; the empty prefix is everything (SUB; XPUB in manual
    /// mode). Subscribing twice takes unsubscribing twice.
    ///
    /// # Errors
    /// Returns [`Error::NotSupported`] on other types.
    pub fn subscribe(&self, prefix: impl AsRef<[u8]>) -> Result<()> {
        self.base().enter_to_send(|state| {
            state.alive()?;
            state.pattern.subscribe(prefix.as_ref(), &mut state.pipes).map_err(|_| self.no(Op::Subscribe))
        })
    }

    /// Takes one subscription back. An unknown one is ignored.
    ///
    /// # Errors
    /// Returns [`Error::NotSupported`] on other types.
    pub fn unsubscribe(&self, prefix: impl AsRef<[u8]>) -> Result<()> {
        self.base().enter_to_send(|state| {
            state.alive()?;
            state.pattern.unsubscribe(prefix.as_ref(), &mut state.pipes).map_err(|_| self.no(Op::Subscribe))
        })
    }

    /// Joins a group: what RADIO sockets send there is received from now on (DISH; RFC 48). The name has at most 255
    /// bytes, none of them zero, and is matched whole. It may be called before and after `connect` and `bind`.
    /// (libzmq `zmq_join`.)
    ///
    /// ```
    /// use std::time::Duration;
    /// use zeroxide::{Context, Message, SocketType};
    ///
    /// let context = Context::new();
    /// let (radio, dish) = (context.socket(SocketType::Radio)?, context.socket(SocketType::Dish)?);
    /// radio.bind("inproc://studio")?;
    /// dish.connect("inproc://studio")?;
    /// dish.join("weather")?;
    /// radio.wait_for_subscribers("weather", 1, Duration::from_secs(5))?;
    ///
    /// radio.send(Message::from("12 degrees").with_group("weather"))?;
    /// let message = dish.recv()?;
    /// assert_eq!((message.group(), &message[0][..]), (&b"weather"[..], &b"12 degrees"[..]));
    /// # Ok::<(), zeroxide::Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::Group`] for a name that cannot be, or that was joined before; [`Error::NotSupported`] on other types.
    pub fn join(&self, group: impl AsRef<[u8]>) -> Result<()> {
        self.base().enter_to_send(|state| {
            state.alive()?;
            state.pattern.join(group.as_ref(), &mut state.pipes).map_err(|refusal| self.not_joined(&refusal))
        })
    }

    /// Leaves a group that was joined. (libzmq `zmq_leave`.)
    ///
    /// # Errors
    /// Returns [`Error::Group`] when it was not; [`Error::NotSupported`] on other types.
    pub fn leave(&self, group: impl AsRef<[u8]>) -> Result<()> {
        self.base().enter_to_send(|state| {
            state.alive()?;
            state.pattern.leave(group.as_ref(), &mut state.pipes).map_err(|refusal| self.not_joined(&refusal))
        })
    }

    fn not_joined(&self, refusal: &Refusal) -> Error {
        Error::Group(match refusal {
            Refusal::InvalidGroup => GroupError::Invalid,
            Refusal::Joined => GroupError::Joined,
            Refusal::NotJoined => GroupError::NotJoined,
            _ => return self.no(Op::Join),
        })
    }

    /// Changes an option of the live socket. Options that are read at bind or connect do not compile here.
    ///
    /// # Errors
    /// Returns [`Error::Option`] when the value is out of range or the option is not for this type.
    pub fn set<T>(&self, option: Opt<T, Live>, value: T) -> Result<()> {
        let socket_type = self.socket_type();
        self.base().enter(|state| {
            state.alive()?;
            option.write_to(&mut state.values, value, socket_type)?;
            state.reconfigure();
            Ok(())
        })
    }

    /// Returns the value of an option.
    ///
    /// # Errors
    /// Returns [`Error::Option`] when it was never set and has no default, or is not for this type.
    pub fn get<T, S>(&self, option: Opt<T, S>) -> Result<T> {
        let base = self.base();
        // Asked before the lock is taken: the answer may need engines to be driven.
        let events = if option.row().name() == opt::EVENTS.row().name() {
            crate::poller::readiness(base, Ready::IN | Ready::OUT)?
        } else {
            Ready::NONE
        };
        base.enter(|state| {
            let mut values = state.values.clone();
            values.events = u32::from(events.is_in()) | (u32::from(events.is_out()) << 1);
            values.topics_count = u32::try_from(state.pattern.topics()).unwrap_or(u32::MAX);
            values.last_endpoint = base.endpoints.last();
            Ok(option.read_from(&values)?)
        })
    }

    /// Closes the socket for all its clones: blocked calls end with [`Error::Closed`]. What is unsent lingers in the
    /// background; wait for the result, or await it, to learn what was lost.
    pub fn close(&self) -> Closing {
        self.base().close();
        Closing::new(vec![Arc::clone(self.base())], None)
    }
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Socket").field("type", &self.socket_type()).field("id", &self.base().id).finish()
    }
}
