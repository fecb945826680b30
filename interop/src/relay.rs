//! A man in the middle: a TCP relay that records what both sides say, and can stall or cut it.
//!
//! It listens on a port of its own and dials its target anew for each connection it accepts; so it outlives a target
//! that comes and goes. A connection that finds no target is closed at once, as a refused one is, and not counted.
//! It understands nothing of what it carries: [`Record::frames`] does, afterwards.
#![expect(clippy::disallowed_types, reason = "a tool for tests, which has threads of its own")]

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::wire::{self, Seen};

/// A running relay. Everything that it carries is cut when it is dropped.
pub struct Relay {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepter: Option<JoinHandle<()>>,
}

/// A direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From whoever connected to the relay.
    ToTarget,
    /// From the target that the relay dialled.
    FromTarget,
}

impl Way {
    /// Both.
    pub const BOTH: [Way; 2] = [Way::ToTarget, Way::FromTarget];
}

/// Some bytes, as they arrived at the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The number of the connection; the first is 1.
    pub connection: usize,
    /// Which side sent it.
    pub way: Way,
    /// When it arrived, counted from the relay's start.
    pub at: Duration,
    /// What arrived.
    pub bytes: Vec<u8>,
}

/// What was heard so far, in the order of arrival.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Everything, also what a stalled relay heard and holds back.
    pub chunks: Vec<Chunk>,
    /// How many connections reached the target.
    pub connections: usize,
    /// How many of them are open.
    pub open: usize,
}

impl Relay {
    /// Listens on a free port of the loopback interface, for connections to `target`, such as `tcp://127.0.0.1:5555`.
    /// Nothing needs to be there yet.
    ///
    /// # Errors
    /// An endpoint that is not `tcp` with a host and a port, or what the system refuses.
    pub fn to(target: &str) -> io::Result<Relay> {
        let state = State { target: resolve(target)?, ..State::default() };
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared =
            Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), started: Instant::now() });
        let for_thread = Arc::clone(&shared);
        let accepter = thread::spawn(move || accept_all(&listener, &for_thread));
        Ok(Relay { shared, address, accepter: Some(accepter) })
    }

    /// Where to connect instead of the target.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// Dials another target from now on; what is connected stays so.
    ///
    /// # Errors
    /// As [`Relay::to`].
    pub fn retarget(&self, target: &str) -> io::Result<()> {
        let target = resolve(target)?;
        self.shared.state().target = target;
        Ok(())
    }

    /// Stops forwarding one way, without closing anything, as a broken cable would: what arrives is recorded and
    /// held, the end of a stream too. New connections reach the target, and are stalled as well.
    pub fn stall(&self, way: Way) {
        self.shared.state().stalled[way as usize] = true;
    }

    /// Forwards again, first what was held.
    pub fn resume(&self, way: Way) {
        self.shared.state().stalled[way as usize] = false;
        self.shared.changed.notify_all();
    }

    /// Closes what is connected now, both sides; what was held is lost. New connections are carried.
    pub fn cut(&self) {
        self.shared.cut(&mut self.shared.state());
    }

    /// How many connections have reached the target so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.state().record.connections
    }

    /// How many of them are open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.shared.state().record.open
    }

    /// A copy of what was heard so far.
    #[must_use]
    pub fn record(&self) -> Record {
        self.shared.state().record.clone()
    }

    /// Forgets the bytes heard so far, which would otherwise be kept until the end; the count of connections stays.
    /// [`Record::frames`] understands a connection only as long as its beginning is there.
    pub fn forget(&self) {
        self.shared.state().record.chunks.clear();
    }

    /// Waits until the record is as `wanted` says, and tells whether that came true within `limit`. The record is
    /// looked at whenever something is heard or a connection comes or goes.
    pub fn wait(&self, limit: Duration, mut wanted: impl FnMut(&Record) -> bool) -> bool {
        let state = self.shared.state();
        let waited = self.shared.changed.wait_timeout_while(state, limit, |state| !wanted(&state.record));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Waits until the peer that speaks this way has sent a command at least `count` times, on whatever connections,
    /// and tells whether it did so within `limit`. Only NULL leaves commands readable.
    pub fn wait_for_command(&self, way: Way, name: &str, count: usize, limit: Duration) -> bool {
        self.wait(limit, |record| record.commands(way, name) >= count)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        {
            let mut state = self.shared.state();
            state.ended = true;
            self.shared.cut(&mut state);
        }
        // A connection of our own ends the wait for the next.
        if TcpStream::connect(self.address).is_ok() {
            let _ = self.accepter.take().map(JoinHandle::join);
        }
    }
}

impl Record {
    /// All bytes of one way of a connection.
    #[must_use]
    pub fn bytes(&self, connection: usize, way: Way) -> Vec<u8> {
        self.chunks_of(connection, way).flat_map(|chunk| &chunk.bytes).copied().collect()
    }

    /// The whole frames of one way of a ZMTP 3 connection without encryption, and when the last byte of each arrived.
    #[must_use]
    pub fn frames(&self, connection: usize, way: Way) -> Vec<(Duration, Seen)> {
        let bytes = self.bytes(connection, way);
        let mut chunks = self.chunks_of(connection, way);
        let (mut heard, mut at) = (0, Duration::ZERO);
        let timed = wire::frames(&bytes).into_iter().map(|(end, seen)| {
            while heard < end {
                let Some(chunk) = chunks.next() else { break };
                heard += chunk.bytes.len();
                at = chunk.at;
            }
            (at, seen)
        });
        timed.collect()
    }

    /// How many commands of this name went this way, on all connections.
    #[must_use]
    pub fn commands(&self, way: Way, name: &str) -> usize {
        let frames = (1..=self.connections).flat_map(|connection| self.frames(connection, way));
        frames.filter(|(_, seen)| seen.command() == Some(name.as_bytes())).count()
    }

    fn chunks_of(&self, connection: usize, way: Way) -> impl Iterator<Item = &Chunk> {
        self.chunks.iter().filter(move |chunk| chunk.connection == connection && chunk.way == way)
    }
}

struct Shared {
    state: Mutex<State>,
    /// Something was heard, or a connection came or went, or what was stalled is no more.
    changed: Condvar,
    started: Instant,
}

struct State {
    target: SocketAddr,
    record: Record,
    /// What is connected now.
    lines: Vec<Line>,
    /// By [`Way`].
    stalled: [bool; 2],
    ended: bool,
}

/// A connection that is carried.
struct Line {
    number: usize,
    /// The connection accepted and the one dialled: each is read by the thread of its [`Way`].
    ends: [TcpStream; 2],
    /// The ways that have not come to their end.
    ways: u8,
}

impl Default for State {
    fn default() -> State {
        State {
            target: SocketAddr::from(([127, 0, 0, 1], 0)),
            record: Record::default(),
            lines: Vec::new(),
            stalled: [false; 2],
            ended: false,
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cut(&self, state: &mut State) {
        for line in state.lines.drain(..) {
            for end in &line.ends {
                let _ = end.shutdown(Shutdown::Both);
            }
        }
        state.record.open = 0;
        self.changed.notify_all();
    }

    /// Notes what arrived.
    fn heard(&self, connection: usize, way: Way, bytes: &[u8]) {
        let mut state = self.state();
        let at = self.started.elapsed();
        state.record.chunks.push(Chunk { connection, way, at, bytes: bytes.to_vec() });
        self.changed.notify_all();
    }

    /// Waits while the way is stalled; whether the connection is still carried then.
    fn is_carried(&self, connection: usize, way: Way) -> bool {
        let there = |state: &State| state.lines.iter().any(|line| line.number == connection);
        let state = self.state();
        let held = |state: &mut State| state.stalled[way as usize] && there(state);
        there(&self.changed.wait_while(state, held).unwrap_or_else(PoisonError::into_inner))
    }

    /// One way of a connection has come to its end; the connection is closed when both have.
    fn way_ended(&self, connection: usize) {
        let mut state = self.state();
        state.lines.retain_mut(|line| {
            line.ways -= u8::from(line.number == connection);
            line.ways > 0
        });
        state.record.open = state.lines.len();
        self.changed.notify_all();
    }
}

fn resolve(endpoint: &str) -> io::Result<SocketAddr> {
    let address = endpoint.strip_prefix("tcp://").ok_or(io::ErrorKind::InvalidInput)?;
    address.to_socket_addrs()?.next().ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn accept_all(listener: &TcpListener, shared: &Arc<Shared>) {
    for accepted in listener.incoming() {
        let target = {
            let state = shared.state();
            if state.ended {
                return;
            }
            state.target
        };
        // Whoever finds no target is dropped here, which closes it: as if the target had refused.
        let _ = accepted.and_then(|accepted| carry(accepted, target, shared));
    }
}

/// Connects to the target and starts a thread for each way.
fn carry(accepted: TcpStream, target: SocketAddr, shared: &Arc<Shared>) -> io::Result<()> {
    let dialled = TcpStream::connect(target)?;
    accepted.set_nodelay(true)?;
    dialled.set_nodelay(true)?;
    let streams =
        [(accepted.try_clone()?, dialled.try_clone()?), (dialled.try_clone()?, accepted.try_clone()?)];
    let number = {
        let mut state = shared.state();
        if state.ended {
            return Ok(());
        }
        state.record.connections += 1;
        let number = state.record.connections;
        state.lines.push(Line { number, ends: [accepted, dialled], ways: 2 });
        state.record.open = state.lines.len();
        shared.changed.notify_all();
        number
    };
    for (way, (from, to)) in Way::BOTH.into_iter().zip(streams) {
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            forward(number, way, from, to, &shared);
            shared.way_ended(number);
        });
    }
    Ok(())
}

/// Reads until the end, or until the connection is cut.
fn forward(number: usize, way: Way, mut from: TcpStream, mut to: TcpStream, shared: &Shared) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = from.read(&mut buffer);
        let bytes = &buffer[..*read.as_ref().unwrap_or(&0)];
        if !bytes.is_empty() {
            shared.heard(number, way, bytes);
        }
        if !shared.is_carried(number, way) {
            return;
        }
        let written = match read {
            Ok(0) => {
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
            Ok(_) => to.write_all(bytes),
            Err(error) => Err(error),
        };
        if written.is_err() {
            // One side is gone without a goodbye: the other has nobody to talk to, either way.
            for end in [&from, &to] {
                let _ = end.shutdown(Shutdown::Both);
            }
            return;
        }
    }
}

#[cfg(test)]
#[path = "relay_tests.rs"]
mod tests;
