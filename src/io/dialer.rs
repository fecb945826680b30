//! Dialling: looking a name up, and connecting to its addresses. Each lookup runs on a thread of its own (`lookups` decides
//! when); connecting does not block. With a SOCKS5 proxy, the proxy is looked up and dialled, and the stream leads to the peer
//! after the dialogue with the proxy.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use mio::{Interest, Registry, Token};
use zeroxide_transports::resolve::{needs_lookup, resolve};
use zeroxide_transports::socks::{self, Socks};
use zeroxide_transports::{Endpoint, ResolveError, Resolved, SocketOptions, SocksError, Stream};

use super::connections::{Maker, Opening};
use super::lookups::Name;
use super::reactor::{Reactor, Timer};
use crate::clock;
use crate::endpoints::EndpointState;
use crate::error::{DialError, is_limit};
use crate::events::EventKind;
use crate::socket::orders::Order;

/// How long an attempt waits for the lookup of its name if CONNECT_TIMEOUT sets no limit.
const LONGEST_LOOKUP: Duration = Duration::from_secs(30);

/// Looks up the addresses of an endpoint; blocks meanwhile.
pub(super) type Resolve = Arc<dyn Fn(&Endpoint, bool) -> io::Result<Vec<Resolved>> + Send + Sync>;

/// A stream that is being connected.
pub(super) struct Dialling {
    session: u64,
    stream: Stream,
    /// Whether the stream is connected: to the peer, or to the proxy.
    reached: bool,
    proxy: Option<Socks>,
}

impl Dialling {
    /// Goes on as far as possible. Returns `true` when the stream leads to the peer.
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

/// Continues the dialogue with a proxy. Each message of a proxy has an end, so this ends.
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
    /// Begins an attempt of a session.
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
        if !needs_lookup(&endpoint) {
            return self.found(id, resolve(&endpoint, ipv6).map_err(DialError::from));
        }
        if let Some(addresses) = session.late.take() {
            return self.found(id, Ok(addresses));
        }
        session.looking = true;
        let (socket, attempt) = (session.base.id, session.attempt);
        let limit = session.values.connect_timeout.unwrap_or(LONGEST_LOOKUP);
        self.arm_after(limit, Timer::ConnectTimeout(id, attempt));
        self.lookups.ask(id, socket, Name { endpoint, ipv6 });
        self.start_lookups();
    }

    /// Starts the threads of the lookups that may run now. The I/O thread itself never calls the system's resolver.
    fn start_lookups(&mut self) {
        let now = clock::now();
        while let Some((number, name)) = self.lookups.next(now) {
            let (resolve, link) = (Arc::clone(&self.resolve), self.link.clone());
            let look_up = move || link.send(Order::Resolved(number, resolve(&name.endpoint, name.ipv6)));
            if let Err(error) = thread::Builder::new().name("zmq-resolve".into()).spawn(look_up) {
                self.lookup_over(number, &Err(DialError::NoThread(error.into())));
            }
        }
        if let Some(at) = self.lookups.deadline(now) {
            self.arm(at, Timer::Lookups);
        }
    }

    /// Takes the result of a lookup.
    pub(super) fn resolved(&mut self, number: u64, addresses: io::Result<Vec<Resolved>>) {
        self.lookup_over(number, &addresses.map_err(DialError::from));
        self.start_lookups();
    }

    /// Looks whether a lookup has become slow, so that another one may start.
    pub(super) fn look_for_slow_lookups(&mut self) {
        self.lookups.look_again();
        self.start_lookups();
    }

    fn lookup_over(&mut self, number: u64, addresses: &Result<Vec<Resolved>, DialError>) {
        for id in self.lookups.finished(number) {
            let Some(session) = self.sessions.get_mut(&id) else { continue };
            if std::mem::take(&mut session.looking) {
                self.found(id, addresses.clone());
            } else {
                // The attempt did not wait so long. The next attempt uses the addresses.
                session.late = addresses.clone().ok();
            }
        }
    }

    /// Continues an attempt with the addresses of its name.
    fn found(&mut self, id: u64, addresses: Result<Vec<Resolved>, DialError>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        match addresses {
            Ok(addresses) => {
                session.addresses = addresses.into();
                self.dial_next(id);
            }
            Err(error) => self.attempt_failed(id, error),
        }
    }

    /// Dials the next addresses of the attempt until one does not fail at once. It is a loop, because a name may have thousands
    /// of addresses.
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

    /// Dials one address. Returns an error that occurs at once; a later one comes to [`Reactor::attempt_failed`].
    fn dial_stream(&mut self, id: u64, address: &Resolved) -> io::Result<()> {
        let Some(session) = self.sessions.get_mut(&id) else { return Ok(()) };
        let options = session.values.socket_options();
        let token = self.context.next_id();
        let proxy = session.values.socks(&session.endpoint)?;
        let mut stream = self.dial_with_a_descriptor(address, &options)?;
        let Some(session) = self.sessions.get_mut(&id) else { return Ok(()) };
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

    /// Begins to dial. Without a descriptor, half-closed streams are closed first, the oldest first.
    fn dial_with_a_descriptor(&mut self, address: &Resolved, options: &SocketOptions) -> io::Result<Stream> {
        loop {
            match zeroxide_transports::dial(address, options) {
                Err(error) if is_limit(&error) && self.close_oldest_half() => {}
                dialled => return dialled,
            }
        }
    }

    /// Handles an edge of a dialled stream: it may be connected, or its proxy may have replied.
    pub(super) fn dialled(&mut self, token: u64) {
        let Some(id) = self.dialling.get(&token).map(|dialling| dialling.session) else { return };
        if let Err(error) = self.go_on_dialling(token) {
            self.attempt_failed(id, error.into());
        }
    }

    /// Continues with a dialled stream as far as possible, until it becomes a connection.
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
        match connected.and_then(|_| self.start(id, token, &mut stream)) {
            Ok(()) => self.open_dialled(id, token, stream, true),
            Err(error) => {
                let _ = self.poll.registry().deregister(&mut stream);
                Err(error)
            }
        }
    }

    fn open_dialled(&mut self, id: u64, token: u64, stream: Stream, registered: bool) -> io::Result<()> {
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
        self.open(opening, registered)
    }

    /// Begins a session with a connection that the application has handed over.
    pub(super) fn take_over(&mut self, id: u64, mut stream: Stream) {
        let token = self.context.next_id();
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.connection = Some(token);
        let started = self.start(id, token, &mut stream);
        if let Err(error) = started.and_then(|()| self.open_dialled(id, token, stream, false)) {
            let Some(session) = self.sessions.get(&id) else { return };
            let text = session.endpoint.to_string();
            session.base.monitors.emit(id, "", &text, EventKind::ConnectFailed(error.into()));
            self.end_session(id);
        }
    }

    /// Sets the time limit for the dialogue with a proxy that is reached.
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

    /// Ends an attempt whose lookup, connect or dialogue with a proxy has taken too long.
    pub(super) fn connect_timed_out(&mut self, id: u64, attempt: u32) {
        let Some(session) = self.sessions.get_mut(&id).filter(|session| session.attempt == attempt) else {
            return;
        };
        if std::mem::take(&mut session.looking) {
            // The lookup goes on, or goes on waiting, for the next attempt.
            return self.attempt_failed(id, DialError::LookupTimedOut);
        }
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
