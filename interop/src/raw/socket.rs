//! Endpoints, connections and their threads: one dials or accepts, and each connection has one that reads and one that
//! writes.
#![expect(clippy::disallowed_types, reason = "a peer for tests, which has threads of its own")]

use std::collections::HashMap;
use std::io::{self, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::rules::{Joined, Options, Refusal, Rules};
use super::{Fault, Kind, Message, Version, greeting};

/// A socket. It is closed when dropped.
pub struct Socket {
    shared: Arc<Shared>,
}

/// What the threads of a socket share.
struct Shared {
    version: Version,
    kind: Kind,
    state: Mutex<State>,
    /// Something in the state has changed.
    changed: Condvar,
}

struct State {
    rules: Rules,
    timing: Timing,
    /// By the name that they were attached by; a number tells one apart from its successor of that name.
    endpoints: HashMap<String, Endpoint>,
    /// The streams of what is connected or greeting, and the endpoint that each belongs to.
    streams: HashMap<u64, (TcpStream, u64)>,
    /// Numbers given to endpoints and connections.
    numbers: u64,
    /// Connections that are writing.
    writing: usize,
    closed: bool,
}

struct Endpoint {
    number: u64,
    /// Where it listens, if it does.
    listens: Option<SocketAddr>,
}

/// What may be set about time.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Between attempts to connect.
    pub reconnect: Duration,
    /// How long a greeting may take; zero for ever.
    pub handshake: Duration,
    /// How long a close waits until everything is written.
    pub linger: Duration,
}

/// Why a socket did not do what it was told.
#[derive(Debug)]
pub enum Failure {
    /// The time was up.
    Again,
    /// The type's rules forbid it.
    Refused(Refusal),
    /// The system refused.
    Io(io::Error),
}

impl Socket {
    /// A socket that speaks this version.
    #[must_use]
    pub fn new(version: Version, kind: Kind) -> Socket {
        let timing = Timing {
            reconnect: Duration::from_millis(100),
            handshake: Duration::from_secs(30),
            linger: Duration::ZERO,
        };
        let state = State {
            rules: Rules::new(version, kind),
            timing,
            endpoints: HashMap::new(),
            streams: HashMap::new(),
            numbers: 0,
            writing: 0,
            closed: false,
        };
        let shared = Shared { version, kind, state: Mutex::new(state), changed: Condvar::new() };
        Socket { shared: Arc::new(shared) }
    }

    /// Changes options; what is connected keeps what it has told.
    pub fn set(&self, change: impl FnOnce(&mut Options, &mut Timing)) {
        let mut state = self.shared.lock();
        let State { rules, timing, .. } = &mut *state;
        change(&mut rules.options, timing);
    }

    /// Listens; `*` stands for any address, and for a free port. Answers the endpoint without stars.
    ///
    /// # Errors
    /// [`Failure::Io`].
    pub fn bind(&self, endpoint: &str) -> Result<String, Failure> {
        let address = address(endpoint)?.replace(":*", ":0").replace("*:", "0.0.0.0:");
        let listener = TcpListener::bind(address)?;
        let listens = listener.local_addr()?;
        let resolved = format!("tcp://{listens}");
        let number = self.shared.lock().attach(&resolved, Some(listens));
        let shared = Arc::clone(&self.shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if !shared.lock().has_endpoint(number) {
                    return;
                }
                let shared = Arc::clone(&shared);
                thread::spawn(move || stream.map(|stream| serve(&shared, stream, number, None)));
            }
        });
        Ok(resolved)
    }

    /// Connects, and connects again whenever the connection ends. A ROUTER calls the peer `name`, if one is given.
    ///
    /// # Errors
    /// [`Failure::Io`] for what is no endpoint.
    pub fn connect(&self, endpoint: &str, name: Option<Vec<u8>>) -> Result<(), Failure> {
        let address = address(endpoint)?.to_owned();
        address.to_socket_addrs()?;
        let number = self.shared.lock().attach(endpoint, None);
        let shared = Arc::clone(&self.shared);
        thread::spawn(move || {
            loop {
                if let Ok(stream) = TcpStream::connect(&address) {
                    serve(&shared, stream, number, name.clone());
                }
                let state = shared.lock();
                let pause = state.timing.reconnect;
                let attached = |state: &mut State| state.has_endpoint(number);
                let waited = shared.changed.wait_timeout_while(state, pause, attached);
                if !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out() {
                    return;
                }
            }
        });
        Ok(())
    }

    /// Ends what [`Socket::bind`] or [`Socket::connect`] began. Connections that were accepted stay.
    ///
    /// # Errors
    /// [`Failure::Io`] when there is no such endpoint.
    pub fn detach(&self, endpoint: &str) -> Result<(), Failure> {
        let mut state = self.shared.lock();
        let Endpoint { number, listens } = state.endpoints.remove(endpoint).ok_or(io::ErrorKind::NotFound)?;
        match listens {
            Some(address) => wake(address),
            None => {
                state.streams.values().filter(|(_, of)| *of == number).for_each(|(stream, _)| shut(stream))
            }
        }
        self.shared.changed.notify_all();
        Ok(())
    }

    /// Sends a message, and waits for room until then.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn send(&self, message: &Message, limit: Duration) -> Result<(), Failure> {
        self.until(limit, |rules| Ok(rules.send(message.clone())?.then_some(())))
    }

    /// Receives a message.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn recv(&self, limit: Duration) -> Result<Message, Failure> {
        self.until(limit, Rules::recv)
    }

    /// Does what the type's rules can do at once, such as subscribing.
    ///
    /// # Errors
    /// [`Failure::Refused`].
    pub fn apply(&self, act: impl FnOnce(&mut Rules) -> Result<(), Refusal>) -> Result<(), Failure> {
        let done = act(&mut self.shared.lock().rules);
        self.shared.changed.notify_all();
        Ok(done?)
    }

    fn until<T>(
        &self,
        limit: Duration,
        mut act: impl FnMut(&mut Rules) -> Result<Option<T>, Refusal>,
    ) -> Result<T, Failure> {
        let end = Instant::now() + limit;
        let mut state = self.shared.lock();
        loop {
            if let Some(done) = act(&mut state.rules)? {
                self.shared.changed.notify_all();
                return Ok(done);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Failure::Again);
            }
            state = self.shared.wait(state, left);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        let end = Instant::now() + state.timing.linger;
        while !(state.rules.is_flushed() && state.writing == 0) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.shared.wait(state, left);
        }
        state.closed = true;
        state.endpoints.drain().filter_map(|(_, endpoint)| endpoint.listens).for_each(wake);
        state.streams.values().for_each(|(stream, _)| shut(stream));
        self.shared.changed.notify_all();
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Io(error)
    }
}

impl From<io::ErrorKind> for Failure {
    fn from(kind: io::ErrorKind) -> Failure {
        Failure::Io(kind.into())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Failure::Refused(refusal)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, limit: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, limit).unwrap_or_else(PoisonError::into_inner).0
    }
}

impl State {
    fn attach(&mut self, name: &str, listens: Option<SocketAddr>) -> u64 {
        self.numbers += 1;
        self.endpoints.insert(name.to_owned(), Endpoint { number: self.numbers, listens });
        self.numbers
    }

    fn has_endpoint(&self, number: u64) -> bool {
        self.endpoints.values().any(|endpoint| endpoint.number == number)
    }
}

/// A connection from its greeting to its end.
fn serve(shared: &Arc<Shared>, stream: TcpStream, endpoint: u64, name: Option<Vec<u8>>) {
    // A dial to a port of one's own system may meet itself.
    if stream.local_addr().ok() == stream.peer_addr().ok() {
        return;
    }
    let number = {
        let mut state = shared.lock();
        state.numbers += 1;
        let number = state.numbers;
        let Ok(kept) = stream.try_clone() else { return };
        if state.closed || !state.has_endpoint(endpoint) {
            return;
        }
        state.streams.insert(number, (kept, endpoint));
        number
    };
    if let Err(Fault::Breach(rule)) = converse(shared, &stream, number, name) {
        eprintln!("connection {number}: the peer broke a rule: {rule}");
    }
    let mut state = shared.lock();
    state.rules.leave(number);
    state.streams.remove(&number);
    shut(&stream);
    shared.changed.notify_all();
}

/// Greets, and reads until the end.
fn converse(
    shared: &Arc<Shared>,
    stream: &TcpStream,
    number: u64,
    name: Option<Vec<u8>>,
) -> Result<(), Fault> {
    let (limit, identity) = {
        let state = shared.lock();
        (state.timing.handshake, state.rules.options.routing_id.clone())
    };
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(limit).filter(|limit| !limit.is_zero()))?;
    let mut from = BufReader::with_capacity(64 << 10, stream.try_clone()?);
    let mut to = stream.try_clone()?;
    let identity = greeting::greet(shared.version, shared.kind, &identity, &mut from, &mut to)?;
    stream.set_read_timeout(None)?;
    {
        let mut state = shared.lock();
        match state.rules.join(number, name, identity) {
            Joined::InsteadOf(old) => state.streams.get(&old).into_iter().for_each(|(old, _)| shut(old)),
            Joined::New => {}
            Joined::Unwanted => return Ok(()),
        }
        shared.changed.notify_all();
    }
    let for_writer = Arc::clone(shared);
    thread::spawn(move || write_all(&for_writer, &mut to, number));
    let framing = greeting::framing(shared.version);
    loop {
        let message = framing.read_message(&mut from)?;
        let full = |state: &mut State| !state.closed && state.rules.is_full() && state.rules.is_there(number);
        let waited = shared.changed.wait_while(shared.lock(), full);
        waited.unwrap_or_else(PoisonError::into_inner).rules.deliver(number, message);
        shared.changed.notify_all();
    }
}

/// Writes what the rules have for a connection until it is gone.
fn write_all(shared: &Shared, to: &mut TcpStream, number: u64) {
    let mut state = shared.lock();
    while state.rules.is_there(number) {
        let bytes = state.rules.take_outbox(number);
        if bytes.is_empty() {
            state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        state.writing += 1;
        drop(state);
        shared.changed.notify_all();
        let written = to.write_all(&bytes);
        state = shared.lock();
        state.writing -= 1;
        shared.changed.notify_all();
        if written.is_err() {
            // The reading thread sees the end and tidies up.
            shut(to);
            return;
        }
    }
}

fn address(endpoint: &str) -> Result<&str, Failure> {
    Ok(endpoint.strip_prefix("tcp://").ok_or(io::ErrorKind::Unsupported)?)
}

/// Ends the wait of a listener's thread.
fn wake(address: SocketAddr) {
    let _ = TcpStream::connect_timeout(&address, Duration::from_secs(1));
}

fn shut(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Both);
}

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
