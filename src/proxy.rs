//! The proxy: forwards whole messages between two sockets (libzmq `zmq_proxy`, `zmq_proxy_steerable`).
//!
//! Invariant: a received message is sent, counted as dropped, or held, and at most one is held each way. While a side cannot
//! take a message, the proxy reads none from the other side. Only a message for one peer (ROUTER) that is gone or full is
//! dropped, so that it does not stop the others.

mod forward;
mod sockets;
mod stats;
mod steering;
pub(crate) mod task;

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::error::{Error, Result};
use crate::socket::Socket;
use forward::Forwarder;
use sockets::Sockets;
use steering::Steering;

pub use stats::{ProxyCount, ProxySide, ProxyStats};

/// Forwards messages between two sockets, both ways as far as their types allow.
///
/// Usual pairs are ROUTER and DEALER (requests), XSUB and XPUB (publishing; the subscriptions go the other way, as messages), and
/// PULL and PUSH (work). Both sides may be the same socket.
///
/// It receives a message only when the other side can take one. So it waits while the peers of a DEALER, a PUSH or an XPUB with
/// XPUB_NODROP are full. It does not wait for a ROUTER: a message for a peer that is full or gone is dropped and counted.
///
/// The control socket receives commands of one frame: `PAUSE`, `RESUME`, `TERMINATE`, `STATISTICS`. A REP replies with an empty
/// message to each of them, and to any other message, except for `STATISTICS`. The reply to `STATISTICS` is sent by every control
/// socket that can send: eight 64-bit numbers in the machine's byte order, a frame each. They are the frames and the bytes received
/// and the frames and the bytes sent, by the front and then by the back.
///
/// ```
/// use zeroxide::{Context, Proxy, SocketType};
///
/// let context = Context::new();
/// let (front, back) = (context.socket(SocketType::Pull)?, context.socket(SocketType::Push)?);
/// front.bind("inproc://in")?;
/// back.bind("inproc://out")?;
/// let proxy = Proxy::new(&front, &back).spawn()?;
///
/// let (source, sink) = (context.socket(SocketType::Push)?, context.socket(SocketType::Pull)?);
/// source.connect("inproc://in")?;
/// sink.connect("inproc://out")?;
/// source.send("through")?;
/// assert_eq!(sink.recv()?[0], "through");
///
/// let stats = proxy.stop()?;
/// assert_eq!((stats.front.received.messages, stats.back.sent.messages), (1, 1));
/// # Ok::<(), zeroxide::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a proxy does nothing before run() or spawn()"]
pub struct Proxy(Sockets);

impl Proxy {
    /// Creates a proxy between two sockets. It holds a handle of each, so they stay open while it runs.
    pub fn new(front: &Socket, back: &Socket) -> Proxy {
        Proxy(Sockets { front: front.clone(), back: back.clone(), capture: None, control: None })
    }

    /// Sends every received message, from either side, also to this socket (PUB, PUSH, DEALER, PAIR). If it cannot take the message
    /// at once, its copy is dropped and counted; the proxy does not wait for it.
    pub fn capture(mut self, socket: &Socket) -> Proxy {
        self.0.capture = Some(socket.clone());
        self
    }

    /// Receives commands from this socket (REP, PAIR, PULL, SUB).
    pub fn control(mut self, socket: &Socket) -> Proxy {
        self.0.control = Some(socket.clone());
        self
    }

    /// Forwards on this thread until `TERMINATE` comes.
    ///
    /// # Errors
    /// Returns [`Error::Closed`] or [`Error::Terminated`] if one of its sockets is closed or its context is shut down, and
    /// [`Error::NotSupported`] if no message can go either way, the capture socket cannot send, or the control socket cannot
    /// receive. On a context's own thread it returns [`Error::WouldBlock`].
    pub fn run(self) -> Result<ProxyStats> {
        self.run_interruptible(false)
    }

    /// Does the same as [`Proxy::run`]. With `signals` it works as in libzmq: a signal of the system that arrives while it has
    /// nothing to do ends it, and it waits for a full capture socket.
    pub(crate) fn run_interruptible(self, signals: bool) -> Result<ProxyStats> {
        self.0.check()?;
        Forwarder::new(self.0, Arc::default(), signals).run()
    }

    /// Forwards on a thread of its own.
    ///
    /// # Errors
    /// Returns [`Error::NotSupported`] as [`Proxy::run`], or [`Error::Limit`] if the system gives no thread.
    pub fn spawn(self) -> Result<ProxyHandle> {
        self.0.check()?;
        let steering: Arc<Steering> = Arc::default();
        let forwarder = Forwarder::new(self.0, Arc::clone(&steering), false);
        let thread = thread::Builder::new().name("zeroxide/proxy".into());
        let thread = thread.spawn(move || forwarder.run()).map_err(Error::Limit)?;
        Ok(ProxyHandle { steering, thread })
    }
}

/// Controls a proxy that runs on a thread of its own. If it is dropped, the proxy runs until one of its sockets is closed or
/// `TERMINATE` comes.
#[derive(Debug)]
pub struct ProxyHandle {
    steering: Arc<Steering>,
    thread: JoinHandle<Result<ProxyStats>>,
}

impl ProxyHandle {
    /// Stops forwarding until [`ProxyHandle::resume`]. When it returns, the proxy forwards nothing more: messages wait in the queues
    /// of the sockets.
    pub fn pause(&self) {
        self.steering.pause(true);
    }

    /// Goes on forwarding.
    pub fn resume(&self) {
        self.steering.pause(false);
    }

    /// Returns the counts. They are updated after every round of at most 1000 messages each way.
    #[must_use]
    pub fn stats(&self) -> ProxyStats {
        self.steering.stats()
    }

    /// Ends the proxy and returns the final counts. The sockets stay as they are.
    ///
    /// # Errors
    /// Returns the errors of [`Proxy::run`], if the proxy has ended before.
    pub fn stop(self) -> Result<ProxyStats> {
        self.steering.stop();
        self.join()
    }

    /// Waits until `TERMINATE` or the end of one of the sockets ends the proxy.
    ///
    /// # Errors
    /// Returns the errors of [`Proxy::run`].
    pub fn join(self) -> Result<ProxyStats> {
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}
