//! What the C library stands on, and nothing else may use (`cargo xtask floor` checks it): messages part by part,
//! options with libzmq's limits, waits that a signal ends. Outside semver.
//!
//! Invariant: a message whose first part was accepted is accepted entirely. The first part routes it and reserves its
//! place, the last one commits it; what arrives in between belongs to the socket, and is dropped when it closes.

mod options;
mod parts;
#[cfg(unix)]
mod poller_fd;
#[cfg(unix)]
mod zmq_fd;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zeroxide_patterns::{Credit, Pattern, Pipes, RoutingId};

use crate::clock;
use crate::engine::Engine;
use crate::error::{Error, Op, Result};
use crate::monitor::{EventKind, Monitor};
use crate::poller::{PollItem, Ready, poll_interruptible};
use crate::proxy::{Proxy, ProxyStats};
use crate::signal::wait_interruptible;
use crate::socket::pipes::{Entry, Link};
use crate::threads::{Kind, Running};
use crate::{Context, Message, Socket};

pub use options::{
    LockedOptions, change_options, events, number, raw_peer, read_options, receives_more, zmq_fd,
};
#[cfg(unix)]
pub use poller_fd::PollerFd;
pub use zeroxide_zmtp::mechanism::z85;

/// How long a call may wait.
#[derive(Clone, Copy, Debug)]
pub enum Wait {
    /// Not at all.
    No,
    /// As long as SNDTIMEO or RCVTIMEO says, or until a signal arrives: then [`Error::Interrupted`].
    AsSet,
}

impl Wait {
    /// Returns the end of a wait that begins now, of at most `limit` where the option says so; `Err(())`: it does not wait.
    fn deadline(self, limit: impl FnOnce() -> Option<Duration>) -> Result<Option<Instant>, ()> {
        match self {
            Wait::No => Err(()),
            Wait::AsSet => match limit() {
                Some(Duration::ZERO) => Err(()),
                limit => Ok(limit.and_then(|limit| clock::now().checked_add(limit))),
            },
        }
    }
}

/// Sends one part of a message; `more`: others follow. A part is a message of one frame, with its group and the number
/// of its peer; it stays in `part` unless it was accepted.
///
/// # Errors
/// Returns the errors of [`Socket::send`], and [`Error::Interrupted`].
#[inline]
pub fn send_part(socket: &Socket, part: &mut Option<Message>, more: bool, wait: Wait) -> Result<()> {
    socket.base().send_part(part, more, wait)
}

/// Receives the next part of the message under way, or the first of the next message, into `part`, which is empty. A
/// part is a message of one frame. Returns whether another part of the same message follows.
///
/// # Errors
/// Returns the errors of [`Socket::recv`], and [`Error::Interrupted`].
#[inline]
pub fn recv_part(socket: &Socket, part: &mut Option<Message>, wait: Wait) -> Result<bool> {
    socket.base().recv_part(part, wait)
}

/// The pipes that a socket is about to make count credit as libzmq's do: in lots of half the high-water mark.
pub fn count_credit_in_lots(socket: &Socket) {
    socket.base().enter(|state| state.values.credit_in_lots = true);
}

/// Returns what could be sent without waiting to the peer with this routing id (`zmq_socket_get_peer_state`).
///
/// # Errors
/// Returns [`Error::Unroutable`]; [`Error::NotSupported`] on a socket that is no ROUTER.
pub fn peer_state(socket: &Socket, routing_id: &[u8]) -> Result<Ready> {
    let kind = socket.socket_type();
    if !kind.addresses() || kind.is_raw() {
        return Err(Error::NotSupported { socket: kind, op: Op::Address });
    }
    socket.base().enter(|state| {
        state.alive()?;
        let Some(pipe) = state.pattern.find(routing_id) else {
            let id = Box::new(RoutingId::as_written(routing_id));
            return Err(Error::Unroutable { id, known: state.pipes.iter().count() });
        };
        if state.pipes.reserve(pipe) != Credit::Granted {
            return Ok(Ready::NONE);
        }
        state.pipes.release(pipe);
        Ok(Ready::OUT)
    })
}

/// Ends an endpoint, bound or connecting (`zmq_unbind` and `zmq_disconnect`, which are one function).
///
/// # Errors
/// Returns [`Error::NoSuchEndpoint`].
pub fn end_endpoint(socket: &Socket, endpoint: &str) -> Result<()> {
    match socket.base().end_endpoint(endpoint, true) {
        Err(Error::NoSuchEndpoint(_)) => socket.base().end_endpoint(endpoint, false),
        ended => ended,
    }
}

/// Binds with a socket of the system that listens already (`ZMQ_USE_FD`); of the endpoint the scheme counts.
///
/// # Errors
/// Returns the errors of [`Socket::bind`].
#[cfg(unix)]
pub fn bind_adopted(socket: &Socket, endpoint: &str, listening: std::os::fd::OwnedFd) -> Result<()> {
    let base = socket.base();
    let values = base.enter(|state| state.values.clone());
    let adopt =
        |endpoint: &_| zeroxide_transports::Listener::adopt(endpoint, listening, &values.socket_options());
    base.bind_by(endpoint, &values, adopt).map(drop)
}

/// Connects a PEER and returns the number that its messages to that peer carry (`zmq_connect_peer`).
///
/// # Errors
/// Returns the errors of [`Socket::connect`]; [`Error::NotSupported`] on other types and with IMMEDIATE, where there is no pipe yet.
pub fn connect_peer(socket: &Socket, endpoint: &str) -> Result<u32> {
    let base = socket.base();
    let values = base.enter(|state| state.alive().map(|()| state.values.clone()))?;
    let (_, id) = base.connect(endpoint, &values)?;
    base.enter(|state| {
        let pipe = state.pipes.iter().find(|(_, entry)| entry.endpoint == id).map(|(pipe, _)| pipe);
        match pipe.map_or(0, |pipe| state.pattern.number(pipe)) {
            0 => Err(Error::NotSupported { socket: socket.socket_type(), op: Op::Number }),
            number => Ok(number),
        }
    })
}

/// Waits until an item is ready, `limit` has passed, or a signal arrives (`zmq_poll`).
///
/// # Errors
/// Returns the errors of [`crate::poll`], and [`Error::Interrupted`].
pub fn poll(items: &mut [PollItem<'_>], limit: Option<Duration>) -> Result<usize> {
    poll_interruptible(items, limit, true)
}

/// Why a socket is of no more use.
///
/// # Errors
/// Returns [`Error::Closed`], [`Error::Terminated`], [`Error::Forked`].
pub fn alive(socket: &Socket) -> Result<()> {
    socket.base().enter(|state| state.alive())
}

/// [`Proxy::run`], which a signal ends while there is nothing to do.
///
/// # Errors
/// Returns the errors of [`Proxy::run`], and [`Error::Interrupted`].
pub fn run_proxy(proxy: Proxy) -> Result<ProxyStats> {
    proxy.run_interruptible(true)
}

/// Closes a socket. In a fork child nothing happens: the socket is the parent's.
pub fn close(socket: &Socket) {
    socket.base().close();
}

/// Ends the context and waits until its last socket was closed and has lingered, and its threads have ended and its
/// descriptors are closed, or a signal arrives: then call again (`zmq_ctx_term`).
///
/// # Errors
/// Returns [`Error::Interrupted`].
pub fn term_after_closes(context: &Context) -> Result<()> {
    context.shutdown();
    let base = context.base();
    if base.is_forked() || base.is_own_thread() {
        return Ok(());
    }
    let is_empty = || (!base.has_sockets()).then_some(());
    wait_interruptible(Some(&base.parkers), &[&base.emptied], None, is_empty).unwrap_or(Ok(()))?;
    base.leave_if_done();
    base.threads.wait(None);
    base.parkers.close();
    Ok(())
}

/// A thread that belongs to a context: [`term_after_closes`] waits for its end.
pub struct Thread(Arc<Running>);

impl Thread {
    /// Starts a thread, which ends when the sockets that it uses do.
    ///
    /// # Errors
    /// Returns an error if the system gives no thread.
    pub fn spawn(context: &Context, name: &str, code: impl FnOnce() + Send + 'static) -> io::Result<Thread> {
        context.base().threads.spawn(name, Kind::Other, |_| code()).map(Thread)
    }

    /// Waits until the thread has ended.
    pub fn wait(self) {
        self.0.done.wait(None);
        self.0.join();
    }
}

/// How much waits in one pipe.
struct Queues {
    /// Messages that count against SNDHWM, as in libzmq; over inproc also those that the other socket has not received.
    outbound: u64,
    /// Messages that this socket has not received.
    inbound: u64,
    endpoint: u64,
    /// The connection, if there is one.
    engine: Option<Arc<Engine>>,
}

/// Tells the monitors how much waits in each pipe; returns how many pipes there are (`zmq_socket_monitor_pipes_stats`).
///
/// # Errors
/// Returns [`Error::Closed`], [`Error::Terminated`].
pub fn tell_pipes(socket: &Socket) -> Result<usize> {
    let base = socket.base();
    let queues = |entry: &Entry| Queues {
        outbound: entry.pipe.writer.uncredited(),
        inbound: entry.pipe.reader.waiting() as u64,
        endpoint: entry.endpoint,
        engine: match &entry.link {
            Link::Engine(engine) => Some(Arc::clone(engine)),
            Link::Offline | Link::Inproc(_) => None,
        },
    };
    let pipes: Vec<Queues> = base.enter(|state| {
        state.alive().map(|()| state.pipes.iter().map(|(_, entry)| queues(entry)).collect())
    })?;
    for queues in &pipes {
        let kind = EventKind::PipeQueues { outbound: queues.outbound, inbound: queues.inbound };
        match (&queues.engine, base.endpoints.get(queues.endpoint)) {
            (Some(engine), _) => engine.emit(&base.monitors, kind),
            (None, Some(row)) if row.bound => base.monitors.emit(0, &row.endpoint.to_string(), "", kind),
            (None, Some(row)) => base.monitors.emit(0, "", &row.endpoint.to_string(), kind),
            (None, None) => base.monitors.emit(0, "", "", kind),
        }
    }
    Ok(pipes.len())
}

/// Ends a monitor: its `recv` gives what it still has, then [`Error::Closed`].
pub fn end_monitor(monitor: &Monitor) {
    monitor.end();
}
