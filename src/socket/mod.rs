//! The socket: one thread-safe handle for every pattern and transport.

pub(crate) mod after_unlock;
pub(crate) mod alarms;
mod attach;
pub(crate) mod authorities;
pub(crate) mod base;
pub(crate) mod closing;
pub(crate) mod closure;
pub(crate) mod context;
mod doorbell;
#[cfg_attr(not(feature = "face"), path = "no_face_state.rs")]
pub(crate) mod face_state;
pub(crate) mod flush;
pub(crate) mod futures;
pub(crate) mod inproc;
pub(crate) mod iter;
pub(crate) mod lead;
mod lead_rule;
mod mailbox;
mod marks;
pub(crate) mod news;
mod observe;
pub(crate) mod orders;
mod past;
pub(crate) mod pipe_ends;
pub(crate) mod pipes;
pub(crate) mod ready;
#[cfg(unix)]
pub(crate) mod ready_fd;
mod request;
mod settle;
pub(crate) mod transfer;
mod waits;
#[cfg(unix)]
pub(crate) mod wake_fd;

use std::sync::Arc;
use std::time::Duration;

use zeroxide_patterns::{Pattern, Refusal, RoutingId};
#[cfg(unix)]
use zeroxide_transports::Listener;
use zeroxide_transports::{Endpoint, EndpointText, OwnedStream};
use zeroxide_zmtp::{Message, SocketType};

use crate::error::{Error, GroupError, Op, Result, SendError};
use crate::options::{Live, Opt, Options, Values, opt};
use crate::poller::Ready;
use crate::socket::closing::Closing;
use crate::socket::context::ContextHandle;
use base::{SocketBase, SocketHandle};
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

impl Socket {
    pub(crate) fn new(base: Arc<SocketBase>, context: Arc<ContextHandle>) -> Socket {
        let handle = Arc::new(SocketHandle { base: Arc::clone(&base), context });
        let _ = base.handle.set(Arc::downgrade(&handle));
        Socket { handle }
    }

    /// Returns another handle of a socket, unless the last one was dropped or the socket is closed.
    pub(crate) fn of(base: &Arc<SocketBase>) -> Option<Socket> {
        let handle = base.handle.get()?.upgrade()?;
        base.enter(|state| !state.closed).then_some(Socket { handle })
    }

    pub(crate) fn base(&self) -> &Arc<SocketBase> {
        &self.handle.base
    }

    /// Returns the type of the socket.
    #[must_use]
    pub fn socket_type(&self) -> SocketType {
        self.base().socket_type
    }

    /// Binds an endpoint, to which peers can connect: `tcp://host:port`, `ipc://path`, `inproc://name`. Returns the resolved
    /// endpoint, with the real port for `:*` and the real path for `ipc://*`. (libzmq `zmq_bind`.)
    ///
    /// # Errors
    /// Returns [`Error::Endpoint`] if the endpoint is malformed, and [`Error::Bind`] if the system refuses it.
    pub fn bind(&self, endpoint: impl EndpointText) -> Result<Endpoint> {
        let values = self.base().enter(|state| state.values.clone());
        self.base().bind(&endpoint.text(), &values)
    }

    /// Like [`Socket::bind`], with options for this endpoint only.
    ///
    /// # Errors
    /// Returns the errors of [`Socket::bind`], and [`Error::Option`].
    pub fn bind_with(&self, endpoint: impl EndpointText, options: &Options) -> Result<Endpoint> {
        let values = self.endpoint_values(options)?;
        self.base().bind(&endpoint.text(), &values)
    }

    /// Connects to an endpoint in the background, and again whenever the connection is lost. It succeeds even if there is no
    /// peer; use [`Socket::connect_ready`] to wait for one, or print [`Socket::status`]. (libzmq `zmq_connect`.)
    ///
    /// # Errors
    /// Returns [`Error::Endpoint`] if the endpoint is malformed.
    pub fn connect(&self, endpoint: impl EndpointText) -> Result<Endpoint> {
        self.base().connect(&endpoint.text(), &self.connect_values()).map(|(endpoint, _)| endpoint)
    }

    /// Returns the socket's options for one connect, and clears CONNECT_ROUTING_ID, which is for one connect only.
    fn connect_values(&self) -> Values {
        self.base().enter(|state| {
            let values = state.values.clone();
            state.values.connect_routing_id = None;
            values
        })
    }

    /// Like [`Socket::connect`], with options for this endpoint only.
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

    /// Binds with a socket that listens already: one that a service manager or a parent process has opened, or one
    /// whose port the application must know before anybody else can take it. Peers that have connected before are
    /// served. Returns the endpoint; [`Socket::unbind`] closes the listener. The call sets its close-on-exec flag
    /// (libzmq `ZMQ_USE_FD`). On Unix only.
    ///
    /// ```
    /// use std::net::TcpListener;
    /// use zeroxide::{Context, SocketType};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let context = Context::new();
    /// let (pull, push) = (context.socket(SocketType::Pull)?, context.socket(SocketType::Push)?);
    /// push.connect(format!("tcp://{}", listener.local_addr()?))?;
    /// push.send("early")?;
    /// pull.bind_listener(listener)?;
    /// assert_eq!(pull.recv()?[0], "early");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::Io`] with `InvalidInput` if it is neither a tcp socket nor a named local stream socket (ipc), or does not
    /// listen; and the errors of [`Socket::bind`].
    #[cfg(unix)]
    pub fn bind_listener(&self, listener: impl Into<std::os::fd::OwnedFd>) -> Result<Endpoint> {
        let base = self.base();
        let values = base.enter(|state| state.values.clone());
        let inherited = Listener::inherit(listener.into(), &values.socket_options()).map_err(Error::Io)?;
        let endpoint = inherited.endpoint().to_string();
        base.bind_by(&endpoint, &values, |_| Ok(inherited))
    }

    /// Takes over a connection that is already open: a descriptor that a parent process has left open, a tunnel of ssh
    /// or of a proxy, a stream that another server has accepted, or one end of a socket pair. Both ends then do
    /// ZeroMQ's handshake, as after [`Socket::connect`]. With PLAIN or CURVE one end must be the server; it need not be
    /// the one that accepted.
    ///
    /// The connection is never dialled again. When it ends, monitors receive
    /// [`EventKind::Disconnected`](crate::EventKind::Disconnected) or
    /// [`EventKind::HandshakeFailed`](crate::EventKind::HandshakeFailed), and unsent messages are dropped and counted.
    ///
    /// Returns the endpoint of the other end; [`Socket::disconnect`] with it closes the connection. If neither end of a
    /// local stream has a name, the endpoint is `ipc://`. `stream` is a `TcpStream`, `UnixStream` or `OwnedFd` on Unix,
    /// and a `TcpStream` or `OwnedSocket` on Windows. On Unix the call sets its close-on-exec flag.
    ///
    /// ```
    /// use std::net::{TcpListener, TcpStream};
    /// use zeroxide::{Context, SocketType};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let made = TcpStream::connect(listener.local_addr()?)?;
    /// let (accepted, _) = listener.accept()?;
    ///
    /// let context = Context::new();
    /// let (pull, push) = (context.socket(SocketType::Pull)?, context.socket(SocketType::Push)?);
    /// pull.connect_stream(accepted)?;
    /// push.connect_stream(made)?;
    /// push.send("hello")?;
    /// assert_eq!(pull.recv()?[0], "hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::Io`] with `NotConnected` if the stream is not connected, and with `InvalidInput` if it is
    /// neither a TCP stream nor a local one (ipc); and the errors of [`Socket::connect`].
    pub fn connect_stream(&self, stream: impl Into<OwnedStream>) -> Result<Endpoint> {
        let values = self.base().enter(|state| state.values.clone());
        self.base().take_over(stream.into(), &values)
    }

    /// Closes a bound endpoint and the connections that it has accepted. When it returns, the port is free.
    /// (libzmq `zmq_unbind`.)
    ///
    /// # Errors
    /// Returns [`Error::NoSuchEndpoint`].
    pub fn unbind(&self, endpoint: impl EndpointText) -> Result<()> {
        self.base().end_endpoint(&endpoint.text(), true)
    }

    /// Ends a connecting endpoint. Unsent messages linger in the background. (libzmq `zmq_disconnect`.)
    ///
    /// # Errors
    /// Returns [`Error::NoSuchEndpoint`].
    pub fn disconnect(&self, endpoint: impl EndpointText) -> Result<()> {
        self.base().end_endpoint(&endpoint.text(), false)
    }

    /// Ends the connection of the peer with this number, which [`Message::routing_id`] returns (SERVER, PEER). Does not wait.
    /// Messages of the peer that are not received yet are dropped. Messages to the peer linger in the background for LINGER. There
    /// is no DISCONNECT_MSG. If the peer has connected to this socket, it comes back with another number. If this socket has
    /// connected to the peer, the endpoint ends as with [`Socket::disconnect`].
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
    /// Returns [`Error::Unroutable`] if no peer has this number, [`Error::NotSupported`] on other types, [`Error::Closed`],
    /// [`Error::Terminated`] or [`Error::Forked`].
    pub fn disconnect_peer(&self, number: u32) -> Result<()> {
        self.base().enter(|state| {
            state.alive()?;
            state.pattern.disconnect(number, &mut state.pipes).map_err(|refusal| match refusal {
                Refusal::Unroutable(id) => Error::Unroutable { id, known: state.pipes.iter().count() },
                _ => Error::NotSupported { socket: self.socket_type(), op: Op::Number },
            })
        })
    }

    /// Sends a message. Waits at most for SNDTIMEO while there is no peer, or all peers are at their high-water mark.
    ///
    /// # Errors
    /// Returns [`SendError`] with the message itself and why it was not sent: [`Error::TimedOut`] after SNDTIMEO, and
    /// [`Error::WouldBlock`] if SNDTIMEO is 0.
    #[inline]
    pub fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        self.base().send(message.into(), WaitLimit::Option)
    }

    /// Sends a message if that is possible without waiting.
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
    /// Returns [`SendError`] with the message itself and why it was not sent: [`Error::TimedOut`] when the time is over, also
    /// with a limit of zero.
    pub fn send_timeout(&self, message: impl Into<Message>, limit: Duration) -> Result<(), SendError> {
        self.base().send(message.into(), WaitLimit::For(limit))
    }

    /// Receives a message. Waits for one at most for RCVTIMEO.
    ///
    /// # Errors
    /// Returns [`Error::TimedOut`] after RCVTIMEO, [`Error::WouldBlock`] if RCVTIMEO is 0, [`Error::WrongState`], [`Error::NotSupported`], [`Error::Closed`],
    /// [`Error::Terminated`].
    #[inline]
    pub fn recv(&self) -> Result<Message> {
        self.base().recv(WaitLimit::Option)
    }

    /// Receives a message if there is one now.
    ///
    /// # Errors
    /// Returns [`Error::WouldBlock`] if there is none, and the errors of [`Socket::recv`].
    #[inline]
    pub fn try_recv(&self) -> Result<Message> {
        self.base().recv(WaitLimit::None)
    }

    /// Receives a message; waits at most for `limit`.
    ///
    /// # Errors
    /// Returns [`Error::TimedOut`] when the time is over, also with a limit of zero; and the other errors of [`Socket::recv`].
    pub fn recv_timeout(&self, limit: Duration) -> Result<Message> {
        self.base().recv(WaitLimit::For(limit))
    }

    /// Receives a message and copies its first frame into `buffer`, as far as there is room. Returns the length of the frame, which
    /// may be larger than the buffer. Further frames are dropped.
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
    /// Returns the errors of [`Socket::send`], and [`Error::Unroutable`] if there is no such peer.
    pub fn send_to(&self, to: &RoutingId, message: impl Into<Message>) -> Result<(), SendError> {
        self.send_addressed(to, message.into(), WaitLimit::Option)
    }

    /// Sends a message to the peer with this routing id (ROUTER, STREAM), if that is possible without waiting.
    ///
    /// # Errors
    /// Returns the errors of [`Socket::try_send`], and [`Error::Unroutable`] if there is no such peer.
    pub fn try_send_to(&self, to: &RoutingId, message: impl Into<Message>) -> Result<(), SendError> {
        self.send_addressed(to, message.into(), WaitLimit::None)
    }

    /// Sends a message to the peer with this routing id (ROUTER, STREAM); waits at most for `limit`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use zeroxide::{Context, SocketType};
    ///
    /// let context = Context::new();
    /// let (router, dealer) = (context.socket(SocketType::Router)?, context.socket(SocketType::Dealer)?);
    /// dealer.connect(router.bind("inproc://desk")?)?;
    /// dealer.send("a question")?;
    /// let (peer, _) = router.recv_from()?;
    /// router.send_to_timeout(&peer, "an answer", Duration::from_secs(1))?;
    /// assert_eq!(dealer.recv()?[0], "an answer");
    /// # Ok::<(), zeroxide::Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns the errors of [`Socket::send_timeout`], and [`Error::Unroutable`] if there is no such peer.
    pub fn send_to_timeout(
        &self,
        to: &RoutingId,
        message: impl Into<Message>,
        limit: Duration,
    ) -> Result<(), SendError> {
        self.send_addressed(to, message.into(), WaitLimit::For(limit))
    }

    fn send_addressed(&self, to: &RoutingId, mut message: Message, wait: WaitLimit) -> Result<(), SendError> {
        if !self.socket_type().addresses() {
            return Err(SendError { error: self.no(Op::Address), message });
        }
        message.push_front(to.to_frame());
        self.base().send(message, wait).map_err(|mut refused| {
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

    /// Receives a message with `recv`, and splits the routing id off.
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

    /// Subscribes to every topic that begins with `prefix`; an empty prefix subscribes to all (SUB; XPUB in manual mode). After two
    /// subscriptions to the same prefix, two calls of [`Socket::unsubscribe`] are needed.
    ///
    /// # Errors
    /// Returns [`Error::NotSupported`] on other types.
    pub fn subscribe(&self, prefix: impl AsRef<[u8]>) -> Result<()> {
        self.base().enter_to_send(|state| {
            state.alive()?;
            state.pattern.subscribe(prefix.as_ref(), &mut state.pipes).map_err(|_| self.no(Op::Subscribe))
        })
    }

    /// Removes one subscription. An unknown prefix is ignored.
    ///
    /// One message that a poll has found before is still received, as with libzmq.
    ///
    /// # Errors
    /// Returns [`Error::NotSupported`] on other types.
    pub fn unsubscribe(&self, prefix: impl AsRef<[u8]>) -> Result<()> {
        self.base().enter_to_send(|state| {
            state.alive()?;
            state.pattern.unsubscribe(prefix.as_ref(), &mut state.pipes).map_err(|_| self.no(Op::Subscribe))
        })
    }

    /// Joins a group: messages that RADIO sockets send to it are received from now on (DISH; RFC 48). The name has at most 255
    /// bytes, none of them zero, and must be the same on both sides. It may be called before and after `connect` and `bind`.
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
    /// Returns [`Error::Group`] if the name is invalid or the group was joined before, and [`Error::NotSupported`] on other types.
    pub fn join(&self, group: impl AsRef<[u8]>) -> Result<()> {
        self.base().enter_to_send(|state| {
            state.alive()?;
            state.pattern.join(group.as_ref(), &mut state.pipes).map_err(|refusal| self.not_joined(&refusal))
        })
    }

    /// Leaves a group that was joined. (libzmq `zmq_leave`.)
    ///
    /// One message that a poll has found before is still received, as with libzmq.
    ///
    /// # Errors
    /// Returns [`Error::Group`] if it was not joined, and [`Error::NotSupported`] on other types.
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

    /// Changes an option of the socket in use. An option that is read at bind or connect does not compile here.
    ///
    /// # Errors
    /// Returns [`Error::Option`] if the value is out of range or the option is not for this type.
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
    /// Returns [`Error::Option`] if the option was never set and has no default, or is not for this type.
    pub fn get<T, S>(&self, option: Opt<T, S>) -> Result<T> {
        let base = self.base();
        // Found out before the lock is taken, because engines may have to be driven for it.
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

    /// Closes the socket for all its clones. Blocked calls end with [`Error::Closed`]. Unsent messages linger in the background; wait
    /// for the result, or await it, to learn what was lost.
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
