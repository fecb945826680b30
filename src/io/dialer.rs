//! Dialling: names to addresses on a helper thread, addresses to streams without blocking.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use mio::{Interest, Token};
use zeroxide_transports::{Endpoint, Resolved, Stream};

use zeroxide_transports::resolve::{needs_lookup, resolve};

use super::command::Command;
use super::hub::{Maker, Opening};
use super::reactor::{Reactor, ReactorLink, Timer};
use crate::monitor::EventKind;
use crate::socket::endpoints::EndpointState;
use crate::socket::pipes::Slot;

/// Lookups at one time; a name server that hangs holds back no more than these.
const MAX_LOOKUPS: usize = 16;

/// Looks names up on threads that live as long as one lookup. The reactor never calls the system's resolver.
#[derive(Clone, Default)]
pub(super) struct Resolver(Arc<AtomicUsize>);

impl Resolver {
    /// Looks the endpoint of session `id` up; the answer comes as [`Command::Resolved`].
    ///
    /// # Errors
    /// When too many lookups are under way, or the system gives no thread.
    fn look_up(&self, id: u64, endpoint: Endpoint, ipv6: bool, link: ReactorLink) -> io::Result<()> {
        if self.0.fetch_add(1, Ordering::SeqCst) >= MAX_LOOKUPS {
            self.0.fetch_sub(1, Ordering::SeqCst);
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "too many names are being looked up"));
        }
        let pending = Arc::clone(&self.0);
        let spawned = thread::Builder::new().name("zmq-resolve".into()).spawn(move || {
            let addresses = resolve(&endpoint, ipv6);
            pending.fetch_sub(1, Ordering::SeqCst);
            link.send(Command::Resolved(id, addresses));
        });
        if spawned.is_err() {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
        spawned.map(drop)
    }
}

impl Reactor {
    /// Begins one attempt of a session.
    pub(super) fn dial(&mut self, id: u64) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.addresses = VecDeque::new();
        session.base.endpoints.dialling(id);
        let (endpoint, ipv6) = (session.endpoint.clone(), session.values.ipv6);
        if needs_lookup(&endpoint) {
            if let Err(error) = self.resolver.look_up(id, endpoint, ipv6, self.link.clone()) {
                self.attempt_failed(id, error);
            }
        } else {
            self.resolved(id, resolve(&endpoint, ipv6));
        }
    }

    /// The addresses of a session's name are known.
    pub(super) fn resolved(&mut self, id: u64, addresses: io::Result<Vec<Resolved>>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.connection.is_some() {
            return;
        }
        match addresses {
            Ok(addresses) => {
                session.addresses = addresses.into();
                self.dial_next(id);
            }
            Err(error) => self.attempt_failed(id, error),
        }
    }

    /// Tries the next address of the attempt.
    pub(super) fn dial_next(&mut self, id: u64) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        match session.addresses.pop_front() {
            Some(address) => self.dial_stream(id, &address),
            None => {
                self.attempt_failed(id, io::Error::new(io::ErrorKind::NotFound, "the name has no address"))
            }
        }
    }

    fn dial_stream(&mut self, id: u64, address: &Resolved) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let options = session.values.socket_options();
        let token = self.context.next_id();
        let dialled = zeroxide_transports::dial(address, &options).and_then(|mut stream| {
            self.poll.registry().register(&mut stream, Token(token as usize), Interest::WRITABLE)?;
            Ok(stream)
        });
        match dialled {
            Ok(stream) => {
                session.connection = Some(token);
                session.attempt += 1;
                let text = session.endpoint.to_string();
                session.base.monitors.emit(token, "", &text, EventKind::ConnectDelayed);
                if let Some(limit) = session.values.connect_timeout {
                    let timer = Timer::ConnectTimeout(id, session.attempt);
                    self.arm_after(limit, timer);
                }
                self.dialling.insert(token, (id, stream));
                self.dialled(token);
            }
            Err(error) => self.attempt_failed(id, error),
        }
    }

    /// A dialled stream may be connected.
    pub(super) fn dialled(&mut self, token: u64) {
        let Some((_, stream)) = self.dialling.get_mut(&token) else { return };
        let connected = stream.connected();
        if matches!(connected, Ok(false)) {
            return;
        }
        let Some((id, mut stream)) = self.dialling.remove(&token) else { return };
        let outcome = connected.and_then(|_| self.start(id, token, &mut stream));
        if let Err(error) = outcome {
            let _ = self.poll.registry().deregister(&mut stream);
            self.attempt_failed(id, error);
            return;
        }
        let Some(session) = self.sessions.get(&id) else { return };
        let opening = Opening {
            id: token,
            address: stream.peer_address(),
            stream,
            base: Arc::clone(&session.base),
            // With IMMEDIATE each connection has its own pipe, and the last one's may still be in the table.
            slot: if session.values.immediate { Slot::new() } else { session.slot.clone() },
            maker: Maker::Session(id),
            place: None,
            values: Arc::clone(&session.values),
        };
        if let Err(error) = self.open(opening, true) {
            self.attempt_failed(id, error);
        }
    }

    fn start(&mut self, id: u64, token: u64, stream: &mut Stream) -> io::Result<()> {
        let gone = || io::Error::new(io::ErrorKind::NotConnected, "the endpoint was disconnected");
        let session = self.sessions.get_mut(&id).ok_or_else(gone)?;
        session.backoff.connected();
        session.base.endpoints.set_state(id, EndpointState::Handshaking);
        let (local, remote) = (stream.local(), stream.remote());
        let descriptor = Some(stream.raw());
        session.base.monitors.emit_at(token, descriptor, &local, &remote, EventKind::Connected);
        Ok(())
    }

    /// A pending connect took too long.
    pub(super) fn connect_timed_out(&mut self, id: u64, attempt: u32) {
        let Some(session) = self.sessions.get(&id).filter(|session| session.attempt == attempt) else {
            return;
        };
        let Some(token) = session.connection.filter(|token| self.dialling.contains_key(token)) else {
            return;
        };
        self.forget_dialled(token);
        self.attempt_failed(id, io::ErrorKind::TimedOut.into());
    }

    /// Closes a stream that is being connected.
    pub(super) fn forget_dialled(&mut self, token: u64) {
        if let Some((_, mut stream)) = self.dialling.remove(&token) {
            let _ = self.poll.registry().deregister(&mut stream);
        }
    }
}
