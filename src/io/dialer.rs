//! Dialling: names to addresses on a helper thread, addresses to streams without blocking; with a SOCKS5 proxy, its
//! address is what is looked up and dialled, and the stream is the peer's when the dialogue with it is over.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use mio::{Interest, Registry, Token};
use zeroxide_transports::resolve::{needs_lookup, resolve};
use zeroxide_transports::socks::{self, Socks};
use zeroxide_transports::{Endpoint, ResolveError, Resolved, SocksError, Stream};

use super::command::Command;
use super::hub::{Maker, Opening};
use super::reactor::{Reactor, ReactorLink, Timer};
use crate::error::DialError;
use crate::monitor::EventKind;
use crate::socket::endpoints::EndpointState;

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

/// A stream that is being connected.
pub(super) struct Dialling {
    session: u64,
    stream: Stream,
    /// The stream stands; with a proxy, that is half of the way.
    reached: bool,
    proxy: Option<Socks>,
}

impl Dialling {
    /// Goes on as far as it can; `true` when the peer's bytes follow.
    fn advance(&mut self, registry: &Registry, token: u64) -> io::Result<bool> {
        if !self.reached {
            self.reached = self.stream.connected()?;
            if !self.reached {
                return Ok(false);
            }
            if self.proxy.is_some() {
                let both = Interest::READABLE | Interest::WRITABLE;
                registry.reregister(&mut self.stream, Token(token as usize), both)?;
            }
        }
        let Some(proxy) = &mut self.proxy else { return Ok(true) };
        match talk(proxy, &mut self.stream) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            talked => talked.map(|()| true),
        }
    }
}

/// The dialogue with a proxy, to its end. Each message of a proxy has an end, so this does not go on for ever.
fn talk(proxy: &mut Socks, stream: &mut Stream) -> io::Result<()> {
    let mut buffer = [0; socks::LONGEST];
    loop {
        while !proxy.output().is_empty() {
            match stream.send(&[IoSlice::new(proxy.output())]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                sent => proxy.sent(sent?),
            }
        }
        if proxy.is_done() {
            return Ok(());
        }
        let missing = proxy.missing().min(buffer.len());
        match stream.read(&mut buffer[..missing]) {
            Ok(0) => return Err(SocksError::Closed.into()),
            Ok(read) => drop(proxy.receive(&buffer[..read])?),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

impl Reactor {
    /// Begins one attempt of a session.
    pub(super) fn dial(&mut self, id: u64) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.addresses = VecDeque::new();
        session.base.endpoints.dialling(id);
        let ipv6 = session.values.ipv6;
        let endpoint = match session.values.first_hop(&session.endpoint) {
            Ok(endpoint) => endpoint,
            Err(error) => {
                let error = io::Error::new(io::ErrorKind::InvalidInput, error);
                return self.attempt_failed(id, error.into());
            }
        };
        if needs_lookup(&endpoint) {
            if let Err(error) = self.resolver.look_up(id, endpoint, ipv6, self.link.clone()) {
                self.attempt_failed(id, error.into());
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
            Err(error) => self.attempt_failed(id, error.into()),
        }
    }

    /// Tries the next addresses of the attempt, until one does not fail at once. A name may have thousands: none of them
    /// deepens the stack.
    pub(super) fn dial_next(&mut self, id: u64) {
        loop {
            let Some(session) = self.sessions.get_mut(&id) else { return };
            let dialled = match session.addresses.pop_front() {
                Some(address) => self.dial_stream(id, &address),
                None => Err(ResolveError::NoAddress.into()),
            };
            let Err(error) = dialled else { return };
            let Some(session) = self.sessions.get_mut(&id) else { return };
            session.connection = None;
            if session.addresses.is_empty() {
                return self.attempt_over(id, error.into());
            }
        }
    }

    /// Dials one address. An error is one of the first step; a later one comes to [`Reactor::attempt_failed`].
    fn dial_stream(&mut self, id: u64, address: &Resolved) -> io::Result<()> {
        let Some(session) = self.sessions.get_mut(&id) else { return Ok(()) };
        let options = session.values.socket_options();
        let token = self.context.next_id();
        let proxy = session.values.socks(&session.endpoint)?;
        let mut stream = zeroxide_transports::dial(address, &options)?;
        self.poll.registry().register(&mut stream, Token(token as usize), Interest::WRITABLE)?;
        session.connection = Some(token);
        session.attempt += 1;
        let text = session.endpoint.to_string();
        session.base.monitors.emit(token, "", &text, EventKind::ConnectDelayed);
        if let Some(limit) = session.values.connect_timeout {
            let timer = Timer::ConnectTimeout(id, session.attempt);
            self.arm_after(limit, timer);
        }
        self.dialling.insert(token, Dialling { session: id, stream, reached: false, proxy });
        self.go_on_dialling(token)
    }

    /// A dialled stream may be connected, or its proxy may have answered.
    pub(super) fn dialled(&mut self, token: u64) {
        let Some(id) = self.dialling.get(&token).map(|dialling| dialling.session) else { return };
        if let Err(error) = self.go_on_dialling(token) {
            self.attempt_failed(id, error.into());
        }
    }

    /// Goes on with a dialled stream as far as it can, until it is a connection.
    fn go_on_dialling(&mut self, token: u64) -> io::Result<()> {
        let Some(dialling) = self.dialling.get_mut(&token) else { return Ok(()) };
        let was_reached = dialling.reached;
        let connected = dialling.advance(self.poll.registry(), token);
        if matches!(connected, Ok(false)) {
            if dialling.reached && !was_reached {
                let id = dialling.session;
                self.limit_dialogue(id);
            }
            return Ok(());
        }
        let Some(Dialling { session: id, mut stream, .. }) = self.dialling.remove(&token) else {
            return Ok(());
        };
        let outcome = connected.and_then(|_| self.start(id, token, &mut stream));
        if let Err(error) = outcome {
            let _ = self.poll.registry().deregister(&mut stream);
            return Err(error);
        }
        let Some(session) = self.sessions.get(&id) else { return Ok(()) };
        let opening = Opening {
            id: token,
            address: stream.peer_address(),
            stream,
            base: Arc::clone(&session.base),
            slot: session.slot.clone(),
            maker: Maker::Session(id),
            place: None,
            values: Arc::clone(&session.values),
        };
        self.open(opening, true)
    }

    /// The proxy is reached; it does not have for ever.
    fn limit_dialogue(&mut self, id: u64) {
        let Some(session) = self.sessions.get(&id) else { return };
        let (limit, timer) = (session.values.dialogue_limit(), Timer::ConnectTimeout(id, session.attempt));
        self.arm_after(limit, timer);
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

    /// A pending connect, or the dialogue with a proxy, took too long.
    pub(super) fn connect_timed_out(&mut self, id: u64, attempt: u32) {
        let Some(session) = self.sessions.get(&id).filter(|session| session.attempt == attempt) else {
            return;
        };
        let Some(token) = session.connection.filter(|token| self.dialling.contains_key(token)) else {
            return;
        };
        self.forget_dialled(token);
        self.attempt_failed(id, DialError::TimedOut);
    }

    /// Closes a stream that is being connected.
    pub(super) fn forget_dialled(&mut self, token: u64) {
        if let Some(mut dialling) = self.dialling.remove(&token) {
            let _ = self.poll.registry().deregister(&mut dialling.stream);
        }
    }
}

#[cfg(test)]
#[path = "dialer_tests.rs"]
mod tests;
