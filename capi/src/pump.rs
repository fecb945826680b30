//! Sends the events of one socket as messages of another socket.
//!
//! A [`Pump`] is a thread that receives events from the library's own monitor, and sends them in libzmq's form. The monitor loses no
//! event below its bound, and no I/O thread waits for it. The thread ends with the socket, or when it is stopped.

use std::collections::HashSet;
use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use zeroxide::face::Thread;
use zeroxide::{
    AuthStatus, Denial, DialError, DisconnectReason, Error, Event, EventKind, HandshakeCause, IoError,
    Message, Monitor, Options, PollWaker, Poller, ProtocolError, Ready, ResolveError, Socket, SocketType,
    face, opt,
};

use crate::boundary::Errno;

const CONNECTED: u64 = 0x1;
const CONNECT_DELAYED: u64 = 0x2;
const CONNECT_RETRIED: u64 = 0x4;
const LISTENING: u64 = 0x8;
const BIND_FAILED: u64 = 0x10;
const ACCEPTED: u64 = 0x20;
const ACCEPT_FAILED: u64 = 0x40;
const CLOSED: u64 = 0x80;
const DISCONNECTED: u64 = 0x200;
const MONITOR_STOPPED: u64 = 0x400;
const HANDSHAKE_FAILED_NO_DETAIL: u64 = 0x800;
const HANDSHAKE_SUCCEEDED: u64 = 0x1000;
const HANDSHAKE_FAILED_PROTOCOL: u64 = 0x2000;
const HANDSHAKE_FAILED_AUTH: u64 = 0x4000;
const PIPES_STATS: u64 = 0x1_0000;
/// The events for which version 1 of the messages has room.
pub(crate) const ALL_V1: u64 = 0xffff;

/// The value of an event for a descriptor that is no longer known here.
const NO_DESCRIPTOR: u64 = u32::MAX as u64;

/// Sends the events of one socket.
pub(crate) struct Pump {
    events: u64,
    monitor: Arc<Monitor>,
    stopped: Arc<AtomicBool>,
    waker: PollWaker,
    thread: Thread,
}

/// The sending side of a [`Pump`], on its thread.
struct Sender {
    monitor: Arc<Monitor>,
    socket: Socket,
    poller: Poller,
    stopped: Arc<AtomicBool>,
    events: u64,
    version: c_int,
    /// The connections that this side has accepted. Their endpoint is the local one.
    accepted: HashSet<u64>,
}

impl Pump {
    pub(crate) fn start(
        socket: &Socket,
        address: &str,
        events: u64,
        version: c_int,
        kind: SocketType,
    ) -> Result<Pump, Errno> {
        let options = Options::with_libzmq_defaults().set(opt::LINGER, Some(Duration::ZERO));
        let (context, monitor) = (socket.context(), Arc::new(socket.monitor()));
        let socket = context.socket_with(kind, &options)?;
        socket.bind(address)?;
        let stopped = Arc::new(AtomicBool::new(false));
        let mut poller = Poller::new();
        poller.add(&socket, 0, Ready::OUT)?;
        let waker = poller.waker();
        let sender = Sender {
            monitor: Arc::clone(&monitor),
            socket,
            poller,
            stopped: Arc::clone(&stopped),
            events,
            version,
            accepted: HashSet::new(),
        };
        let thread = Thread::spawn(&context, "ZMQbg/monitor", move || sender.run());
        let thread = thread.map_err(|error| Errno(error.raw_os_error().unwrap_or(libc::EAGAIN)))?;
        Ok(Pump { events, monitor, stopped, waker, thread })
    }

    /// Returns whether events about the queues of pipes are wanted.
    pub(crate) fn tells_pipes(&self) -> bool {
        self.events & PIPES_STATS != 0
    }

    /// Stops the thread, which first sends the events that it has, as far as the peer receives them. If a pump is only dropped, it
    /// goes on until its socket has ended.
    pub(crate) fn stop(self) {
        self.stopped.store(true, Ordering::SeqCst);
        face::end_monitor(&self.monitor);
        self.waker.wake();
        self.thread.wait();
    }
}

impl Sender {
    fn run(mut self) {
        while let Ok(event) = self.monitor.recv() {
            if matches!(event.kind, EventKind::Closed) || self.pass_on(&event).is_err() {
                break;
            }
        }
        let _ = self.send(MONITOR_STOPPED, &[0], "", "", "");
        self.socket.close().wait_timeout(Duration::ZERO).ok();
    }

    fn pass_on(&mut self, event: &Event) -> Result<(), Error> {
        if matches!(event.kind, EventKind::Disconnected { why: DisconnectReason::Ours, .. }) {
            // libzmq reports only ends that this side has not caused.
            return Ok(());
        }
        if let EventKind::PipeQueues { outbound, inbound } = event.kind {
            let queues = [outbound, inbound];
            return self.send(PIPES_STATS, &queues, "", &event.local, &event.remote);
        }
        if let EventKind::BindFailed(error) = &event.kind {
            return self.pass_on_bind_failure(&event.local, error);
        }
        let Some((number, value)) = numbers(event) else { return Ok(()) };
        if number == ACCEPTED {
            self.accepted.insert(event.connection);
        }
        let bound = self.accepted.contains(&event.connection) || event.remote.is_empty();
        let endpoint = if bound { &event.local } else { &event.remote };
        self.send(number, &[value], endpoint, &event.local, &event.remote)?;
        let failed = matches!(event.kind, EventKind::HandshakeFailed(_));
        if failed {
            // libzmq reports the end of the connection in addition to the reason.
            self.send(DISCONNECTED, &[descriptor(event)], endpoint, &event.local, &event.remote)?;
        }
        if failed || number == DISCONNECTED {
            self.accepted.remove(&event.connection);
        }
        Ok(())
    }

    /// Sends the events of a failed bind. libzmq first reports that the socket of the system is closed, if there was one, without a
    /// scheme (tcp_listener.cpp, ipc_listener.cpp, socket_base.cpp `bind`).
    fn pass_on_bind_failure(&mut self, local: &str, error: &IoError) -> Result<(), Error> {
        let (scheme, address) = local.split_once("://").unwrap_or(("", local));
        let is_of_name = error.get_ref().is_some_and(|source| source.is::<ResolveError>());
        if is_of_name {
            return self.send(BIND_FAILED, &[libc::ENODEV as u64], address, address, "");
        }
        let closed = if scheme == "ipc" { local } else { "" };
        self.send(CLOSED, &[NO_DESCRIPTOR], closed, closed, "")?;
        self.send(BIND_FAILED, &[error.errno() as u64], address, address, "")
    }

    /// Sends one event if it is wanted. Waits for room unless the pump is stopped.
    fn send(
        &mut self,
        number: u64,
        values: &[u64],
        endpoint: &str,
        local: &str,
        remote: &str,
    ) -> Result<(), Error> {
        if self.events & number == 0 {
            return Ok(());
        }
        let mut message = match self.version {
            1 => {
                let mut first = (number as u16).to_ne_bytes().to_vec();
                first.extend((values[0] as u32).to_ne_bytes());
                Message::from([&first[..], endpoint.as_bytes()])
            }
            _ => {
                let values = values.iter().map(|value| value.to_ne_bytes().to_vec());
                let count = (values.len() as u64).to_ne_bytes().to_vec();
                let mut frames = vec![number.to_ne_bytes().to_vec(), count];
                frames.extend(values);
                frames.extend([local.into(), remote.into()]);
                Message::from(frames)
            }
        };
        let mut ready = Vec::new();
        loop {
            match self.socket.try_send(message) {
                Ok(()) => return Ok(()),
                Err(refused) => match refused.error {
                    Error::WouldBlock(_) if !self.stopped.load(Ordering::SeqCst) => message = refused.message,
                    error => return Err(error),
                },
            }
            self.poller.wait(&mut ready, None)?;
        }
    }
}

/// Returns the number and the value of an event in libzmq, or `None` if libzmq does not have it.
fn numbers(event: &Event) -> Option<(u64, u64)> {
    Some(match &event.kind {
        EventKind::Listening => (LISTENING, descriptor(event)),
        EventKind::Accepted => (ACCEPTED, descriptor(event)),
        EventKind::AcceptFailed(error) => (ACCEPT_FAILED, error.errno() as u64),
        EventKind::TurnedAway(_) => (ACCEPT_FAILED, libc::ECONNABORTED as u64),
        EventKind::Filtered(_) => (ACCEPT_FAILED, libc::EACCES as u64),
        // There was no socket of the system yet.
        EventKind::ConnectFailed(DialError::Resolve(_)) => return None,
        EventKind::ListenerClosed | EventKind::ConnectFailed(_) => (CLOSED, descriptor(event)),
        // It is connected or has failed at once.
        EventKind::ConnectDelayed if event.remote.starts_with("ipc:") => return None,
        EventKind::ConnectDelayed => (CONNECT_DELAYED, libc::EINPROGRESS as u64),
        EventKind::Connected => (CONNECTED, descriptor(event)),
        EventKind::ConnectRetried { after, .. } => {
            (CONNECT_RETRIED, u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
        }
        EventKind::HandshakeSucceeded { .. } => (HANDSHAKE_SUCCEEDED, 0),
        EventKind::HandshakeFailed(error) => failure(&error.cause),
        EventKind::Disconnected { .. } => (DISCONNECTED, descriptor(event)),
        // Events of this library only, and events that follow from others.
        _ => return None,
    })
}

fn descriptor(event: &Event) -> u64 {
    event.descriptor.and_then(|number| u64::try_from(number).ok()).unwrap_or(NO_DESCRIPTOR)
}

/// Returns the event and the value for a failed handshake in libzmq.
fn failure(cause: &HandshakeCause) -> (u64, u64) {
    match cause {
        HandshakeCause::Protocol(ProtocolError::Refused { reason }) => {
            match AuthStatus::from_reason(reason) {
                Some(status) => (HANDSHAKE_FAILED_AUTH, status.code().into()),
                None => (HANDSHAKE_FAILED_PROTOCOL, 0x1000_0015),
            }
        }
        HandshakeCause::Denied(denial) => match denial {
            Denial::Said { status, .. } => (HANDSHAKE_FAILED_AUTH, status.code().into()),
            Denial::Reply(violation) => (HANDSHAKE_FAILED_PROTOCOL, violation.code().into()),
            Denial::NobodyToAsk => (HANDSHAKE_FAILED_NO_DETAIL, libc::EFAULT as u64),
            Denial::HandlerGone => (HANDSHAKE_FAILED_NO_DETAIL, libc::EPIPE as u64),
            _ => (HANDSHAKE_FAILED_NO_DETAIL, libc::EPROTO as u64),
        },
        HandshakeCause::Protocol(error) => (HANDSHAKE_FAILED_PROTOCOL, error.code().into()),
        HandshakeCause::TimedOut => (HANDSHAKE_FAILED_NO_DETAIL, libc::ETIMEDOUT as u64),
        HandshakeCause::PeerClosed => (HANDSHAKE_FAILED_NO_DETAIL, libc::EPIPE as u64),
        HandshakeCause::Io(error) => (HANDSHAKE_FAILED_NO_DETAIL, error.errno() as u64),
        _ => (HANDSHAKE_FAILED_NO_DETAIL, libc::EPROTO as u64),
    }
}
