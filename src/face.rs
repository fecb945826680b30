//! What only the C library uses (`cargo xtask floor` checks that): messages part by part, options with libzmq's limits, waits that a
//! signal ends. It is outside semver.
//!
//! Invariant: if the first part of a message is accepted, the whole message is. The first part routes it and reserves room, and the
//! last one commits it. The socket keeps the parts in between, and drops them when it closes.

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
use crate::events::EventKind;
use crate::monitor::Monitor;
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
    /// At most for SNDTIMEO or RCVTIMEO, or until a signal arrives: then [`Error::Interrupted`].
    AsSet,
}

impl Wait {
    /// Returns the end of a wait that begins now; `limit` is that of the option. Returns `Err(())` if there is no wait.
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

/// Sends one part of a message; `more` tells that others follow. A part is a message of one frame, with its group and the number of
/// its peer. It stays in `part` unless it is accepted.
///
/// # Errors
/// Returns the errors of [`Socket::send`], and [`Error::Interrupted`].
#[inline]
pub fn send_part(socket: &Socket, part: &mut Option<Message>, more: bool, wait: Wait) -> Result<()> {
    socket.base().send_part(part, more, wait)
}

/// Receives the next part of a message, or the first part of the next message, into `part`, which is empty. A part is a message of one
/// frame. Returns whether another part of the same message follows.
///
/// # Errors
/// Returns the errors of [`Socket::recv`], and [`Error::Interrupted`].
#[inline]
pub fn recv_part(socket: &Socket, part: &mut Message, wait: Wait) -> Result<bool> {
    socket.base().recv_part(part, wait)
}

/// Makes later pipes of a socket count credit as libzmq does: in lots of half the high-water mark.
pub fn count_credit_in_lots(socket: &Socket) {
    socket.base().enter(|state| state.values.credit_in_lots = true);
}

/// Returns [`Ready::OUT`] if a message to the peer with this routing id can be sent without waiting (`zmq_socket_get_peer_state`).
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

/// Ends an endpoint, bound or connecting (`zmq_unbind` and `zmq_disconnect`, which do the same in libzmq). Ends all connects
/// to it, as in libzmq.
///
/// # Errors
/// Returns [`Error::NoSuchEndpoint`].
pub fn end_endpoint(socket: &Socket, endpoint: &str) -> Result<()> {
    match socket.base().end_endpoint(endpoint, true) {
        Err(Error::NoSuchEndpoint(_)) => {}
        ended => return ended,
    }
    socket.base().end_endpoint(endpoint, false)?;
    while socket.base().end_endpoint(endpoint, false).is_ok() {}
    Ok(())
}

/// Binds with a descriptor that listens already (`ZMQ_USE_FD`). Of the endpoint only the scheme is used.
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

/// Connects a PEER. Returns the number that addresses messages to that peer (`zmq_connect_peer`).
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

/// Checks that a socket can still be used.
///
/// # Errors
/// Returns [`Error::Closed`], [`Error::Terminated`], [`Error::Forked`].
pub fn alive(socket: &Socket) -> Result<()> {
    socket.base().enter(|state| state.alive())
}

/// Runs a proxy like [`Proxy::run`]. A signal ends it while there is nothing to do.
///
/// # Errors
/// Returns the errors of [`Proxy::run`], and [`Error::Interrupted`].
pub fn run_proxy(proxy: Proxy) -> Result<ProxyStats> {
    proxy.run_interruptible(true)
}

/// Closes a socket. In a fork child it does nothing, because the socket belongs to the parent.
pub fn close(socket: &Socket) {
    socket.base().close();
}

/// Ends the context. Waits until its last socket is closed and has lingered, its threads have ended and its descriptors are closed, or
/// a signal arrives (`zmq_ctx_term`). In a fork child it does not wait.
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
    /// Starts a thread, which must end when the sockets that it uses end.
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

/// Sends the monitors one event for each pipe, with the number of waiting messages. Returns the number of pipes
/// (`zmq_socket_monitor_pipes_stats`).
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

/// Ends a monitor. Its `recv` returns the events that it still has, and then [`Error::Closed`].
pub fn end_monitor(monitor: &Monitor) {
    monitor.end();
}
