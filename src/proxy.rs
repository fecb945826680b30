//! The proxy: whole messages from one socket to another and back (libzmq `zmq_proxy`, `zmq_proxy_steerable`).
//!
//! Invariant: a message that was received is sent, counted as dropped, or held, and at most one is held each way. A
//! side that cannot take a message holds the other back; only what is addressed to one peer that is gone or full is
//! dropped, so that it does not stop the rest.

mod forward;
mod sockets;
mod stats;
mod steering;

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
/// Usual pairs are ROUTER and DEALER (requests), XSUB and XPUB (publishing; the subscriptions go the other way, as
/// messages), and PULL and PUSH (work). Both may be the same socket.
///
/// It reads a message only when the other side can take one: a DEALER, a PUSH or an XPUB with XPUB_NODROP whose peers
/// are full holds it back. A ROUTER never does: what its addressee cannot take, or has left, is dropped and counted.
///
/// The control socket takes messages of one frame: `PAUSE`, `RESUME`, `TERMINATE`, `STATISTICS`. A REP answers each
/// of them, and anything else, with an empty message, but `STATISTICS` with eight 64-bit numbers in the machine's
/// byte order, a frame each, as does every control socket that can send: frames and bytes received and sent by the
/// front, then by the back.
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

    /// Every message received, from either side, is also sent to this socket (PUB, PUSH, DEALER, PAIR). A message that
    /// it cannot take at once is dropped there and counted; the proxy never waits for it.
    pub fn capture(mut self, socket: &Socket) -> Proxy {
        self.0.capture = Some(socket.clone());
        self
    }

    /// Commands come from this socket (REP, PAIR, PULL, SUB).
    pub fn control(mut self, socket: &Socket) -> Proxy {
        self.0.control = Some(socket.clone());
        self
    }

    /// Forwards on this thread until `TERMINATE` comes.
    ///
    /// # Errors
    /// Returns [`Error::Closed`] and [`Error::Terminated`] when one of its sockets is closed or its context shut down;
    /// [`Error::NotSupported`] when neither side can send what the other receives, the capture socket cannot send, or
    /// the control socket cannot receive. On a context's own thread [`Error::WouldBlock`].
    pub fn run(self) -> Result<ProxyStats> {
        self.run_interruptible(false)
    }

    /// [`Proxy::run`]; where it interruptible signals of the system, one that arrives while it has nothing to do ends it, and a
    /// full capture socket holds it back, as libzmq's.
    pub(crate) fn run_interruptible(self, signals: bool) -> Result<ProxyStats> {
        self.0.check()?;
        Forwarder::new(self.0, Arc::default(), signals).run()
    }

    /// Forwards on a thread of its own.
    ///
    /// # Errors
    /// Returns [`Error::NotSupported`] as [`Proxy::run`]; [`Error::Limit`] when the system gives no thread.
    pub fn spawn(self) -> Result<ProxyHandle> {
        self.0.check()?;
        let steering: Arc<Steering> = Arc::default();
        let forwarder = Forwarder::new(self.0, Arc::clone(&steering), false);
        let thread = thread::Builder::new().name("zeroxide/proxy".into());
        let thread = thread.spawn(move || forwarder.run()).map_err(Error::Limit)?;
        Ok(ProxyHandle { steering, thread })
    }
}

/// Steers a proxy that runs on a thread of its own. Dropping it leaves the proxy running until one of its sockets is
/// closed, or `TERMINATE` comes.
#[derive(Debug)]
pub struct ProxyHandle {
    steering: Arc<Steering>,
    thread: JoinHandle<Result<ProxyStats>>,
}

impl ProxyHandle {
    /// Stops forwarding until [`ProxyHandle::resume`]. When it returns, nothing more is forwarded: messages wait in the
    /// queues of their sockets.
    pub fn pause(&self) {
        self.steering.pause(true);
    }

    /// Goes on forwarding.
    pub fn resume(&self) {
        self.steering.pause(false);
    }

    /// Returns the counts so far, each message whole. They are told after every round of at most 1000 messages each way.
    #[must_use]
    pub fn stats(&self) -> ProxyStats {
        self.steering.stats()
    }

    /// Ends the proxy and returns the final counts. The sockets stay as they are.
    ///
    /// # Errors
    /// What ended it before: as [`Proxy::run`].
    pub fn stop(self) -> Result<ProxyStats> {
        self.steering.stop();
        self.join()
    }

    /// Waits until it is ended by `TERMINATE`, or by the end of one of its sockets.
    ///
    /// # Errors
    /// Returns the errors of [`Proxy::run`].
    pub fn join(self) -> Result<ProxyStats> {
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}
