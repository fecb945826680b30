//! The engine: one stream, its half of the protocol, and the I/O end of a pipe, behind one lock on which no thread waits.
//!
//! A thread that has something to do for an engine calls [`Engine::drive`]: the I/O thread on an edge or a timer, a sender
//! after a flush, a receiver that has made room. The lock follows the rule of `engine/try_mutex`: no thread waits, and no
//! request is lost.
//!
//! A drive calls neither the socket nor the I/O thread. It returns [`Effects`]: what the socket must learn, and whether the I/O
//! thread must look at the engine. The caller acts on them after the drive. So a drive never runs inside another drive, and
//! what a peer sends cannot deepen the stack. What only the I/O thread can do (attach a pipe after the handshake, end a
//! connection, arm a timer, give another turn) waits in the engine's [`Outcome`].

pub(crate) mod buffers;
mod end;
mod input;
pub(crate) mod listening;
pub(crate) mod slot;
#[cfg(test)]
#[cfg(all(unix, not(loom)))]
mod tests;
mod try_mutex;

use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use zeroxide_transports::Stream;
use zeroxide_transports::pipe::Pipe;
use zeroxide_zmtp::connection::{Connection, Established, Introduction};
use zeroxide_zmtp::encoder::Outbox;
use zeroxide_zmtp::mechanism::{Credentials, Decision};
use zeroxide_zmtp::memory::Headroom;
use zeroxide_zmtp::{ConnectionError, Frame, Message, Peer, ProtocolError, Stage, Traffic};

use self::buffers::{Buffers, Leftover, READ_SIZE};
pub(crate) use self::end::End;
use self::listening::{Listening, Registered};
use self::slot::Slot;
use self::try_mutex::{Entered, TryMutex};
use crate::clock;
use crate::events::EventKind;
use crate::monitor::Monitors;
use crate::stats::Counters;

/// The most slices in one `sendmsg`.
const MAX_SLICES: usize = 64;

/// The most writes in one drive, so that one busy stream cannot occupy a thread.
const MAX_ROUNDS: usize = 16;

/// How often one call drives an engine that other threads want to drive meanwhile. After that the I/O thread drives it.
const ROUNDS: usize = 2;

/// The stream may be readable.
pub(crate) const READABLE: u8 = 1;
/// The stream may be writable.
pub(crate) const WRITABLE: u8 = 2;
/// A deadline may have passed.
const TIMER: u8 = 4;
/// The connection is to end now.
const STOP: u8 = 8;
/// The peer has closed its side, or the stream has failed. Reading finds out which, after the rest of the input.
pub(crate) const HUNG_UP: u8 = 16;
/// The connection is to end now, for `Engine::fault`.
const EXPELLED: u8 = 32;

/// What only the I/O thread can do for an engine.
#[derive(Default)]
pub(crate) struct Outcome {
    /// The handshake waits for a decision about the peer, which has shown these.
    pub(crate) credentials: Option<Box<Credentials>>,
    /// The handshake waits for a place for the peer, which has introduced itself so.
    pub(crate) introduction: Option<Introduction>,
    /// The handshake is over: attach a pipe.
    pub(crate) established: Option<Established>,
    /// The connection is over. This is its pipe, if it had one.
    pub(crate) ended: Option<(End, Option<Pipe>)>,
    /// The bytes of the message that was written in part when the connection ended.
    pub(crate) cut: Option<u64>,
    /// Arm a timer for this moment.
    pub(crate) deadline: Option<Instant>,
    /// There is more to read or write: give the engine another turn.
    pub(crate) again: bool,
}

/// How much one drive reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driver {
    /// One read, because other streams wait for the I/O thread.
    Reactor,
    /// Reads until the pipe is full or the stream is empty, because the caller waits for this input.
    Application,
}

/// What follows from a drive. The caller acts on it without any lock.
#[derive(Default)]
#[must_use]
pub(crate) struct Effects {
    /// There is input in the pipe, which its reader had found empty.
    pub(crate) input: bool,
    /// The pipe has credit again, after its writer had found none.
    pub(crate) credit: bool,
    /// There is something in the [`Outcome`], which the I/O thread must look at.
    pub(crate) outcome: bool,
    /// Another thread still wants a drive. The I/O thread must do it.
    pub(crate) again: bool,
    /// Frames that were sent. They must be freed without any lock, because the memory may belong to the application.
    pub(crate) garbage: Vec<Frame>,
}

/// One connection.
pub(crate) struct Engine {
    pub(crate) id: u64,
    /// The two ends of the stream as endpoints, and its descriptor: for events and for [`Peer`](zeroxide_zmtp::Peer).
    pub(crate) local: String,
    pub(crate) remote: String,
    pub(crate) descriptor: i64,
    /// In which its events are traced.
    #[cfg(feature = "tracing")]
    span: tracing::Span,
    /// The slot of its pipe in the socket's table.
    pub(crate) slot: Slot,
    counters: Arc<Counters>,
    buffers: Arc<Buffers>,
    quantum: usize,
    state: TryMutex<State>,
    outcome: Mutex<Outcome>,
    /// What has happened since the last drive: `READABLE`, `WRITABLE`, `TIMER`, `STOP` and the others.
    edges: AtomicU8,
    /// The fault for `EXPELLED`.
    fault: Mutex<Option<ProtocolError>>,
    /// The kernel has refused output, and no edge has come since.
    blocked: AtomicBool,
    /// `HUNG_UP` has been among the edges.
    hung_up: AtomicBool,
    /// Input waited for room at the end of the last drive.
    unread: AtomicBool,
    /// An application thread reads the stream in the I/O thread's place.
    led: AtomicBool,
}

struct State {
    /// `None` after the I/O thread has taken it.
    stream: Option<Stream>,
    /// The stream's registration in the poll of the I/O thread.
    listening: Listening,
    connection: Connection,
    pipe: Option<Pipe>,
    /// The peer, until the first message that is written to the pipe carries it (`Message::peer`).
    sender: Option<Arc<Peer>>,
    outbox: Outbox,
    /// Input that found no room in the pipe. The stream is not read before it is used up.
    leftover: Option<Leftover>,
    /// The first item of a connection whose pipe is not attached yet.
    early: Option<Traffic>,
    /// The handshake is over, or waits for a place for the peer. What follows is not decoded before there is a pipe.
    holds: bool,
    readable: bool,
    /// `HUNG_UP` has come: no edge will announce the end that comes behind the last bytes.
    hung_up: bool,
    writable: bool,
    quantum: usize,
    /// The number of bytes in one read before the handshake is over. It limits the undecoded input of an unknown peer.
    first_read: usize,
    armed: Option<Instant>,
    /// The peer is denied or has no place. The connection ends when the peer has been told.
    denied: Option<ConnectionError>,
    over: bool,
    /// What was not written yet when the handshake ended.
    unsent: Vec<u8>,
    /// The memory that the peer may make this side allocate.
    headroom: Headroom,
    /// The bytes referenced and the growths that are in the counters already.
    counted: (u64, u64),
    counters: Arc<Counters>,
}

/// What follows from one turn of an engine.
#[derive(Default)]
struct Turn {
    outcome: Outcome,
    /// There is something in `outcome`.
    told: bool,
    input: bool,
    credit: bool,
    garbage: Vec<Frame>,
}

impl Engine {
    pub(crate) fn new(
        id: u64,
        registered: Registered,
        connection: Connection,
        slot: Slot,
        counters: Arc<Counters>,
        buffers: Arc<Buffers>,
        first_read: usize,
    ) -> Arc<Engine> {
        let Registered { stream, token, poll } = registered;
        let quantum = stream.quantum();
        let (local, remote, descriptor) = (stream.local(), stream.remote(), stream.raw());
        Arc::new(Engine {
            id,
            #[cfg(feature = "tracing")]
            span: tracing::debug_span!(target: "zeroxide", parent: None, "connection", id, local, remote),
            local,
            remote,
            descriptor,
            slot,
            counters: Arc::clone(&counters),
            buffers,
            quantum,
            state: TryMutex::new(State {
                stream: Some(stream),
                listening: Listening::new(poll, token),
                connection,
                pipe: None,
                sender: None,
                outbox: Outbox::new(),
                leftover: None,
                early: None,
                holds: false,
                readable: true,
                hung_up: false,
                writable: true,
                quantum,
                first_read: first_read.min(READ_SIZE),
                armed: None,
                denied: None,
                over: false,
                unsent: Vec::new(),
                headroom: Headroom::default(),
                counted: (0, 0),
                counters,
            }),
            outcome: Mutex::default(),
            edges: AtomicU8::new(0),
            fault: Mutex::default(),
            blocked: AtomicBool::new(false),
            hung_up: AtomicBool::new(false),
            unread: AtomicBool::new(false),
            led: AtomicBool::new(false),
        })
    }

    /// Sends an event of this connection to every monitor.
    pub(crate) fn emit(&self, monitors: &Monitors, kind: EventKind) {
        let tell = || monitors.emit_at(self.id, Some(self.descriptor), &self.local, &self.remote, kind);
        #[cfg(feature = "tracing")]
        return self.span.in_scope(tell);
        #[cfg(not(feature = "tracing"))]
        tell()
    }

    /// Returns the size in bytes from which the open batch of its pipe is written at once.
    #[inline]
    pub(crate) fn quantum(&self) -> usize {
        self.quantum
    }

    /// Returns whether the kernel has refused output, and no edge has come since.
    #[inline]
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }

    /// Notes edges of the stream for the next drive.
    pub(crate) fn edge(&self, edges: u8) {
        if edges & HUNG_UP != 0 {
            self.hung_up.store(true, Ordering::Relaxed);
        }
        self.edges.fetch_or(edges, Ordering::SeqCst);
    }

    /// Sets whether an application thread reads the stream instead of the I/O thread. It takes effect at the next
    /// drive. While it is set, the I/O thread receives no edges of the stream, unless output is blocked.
    pub(crate) fn set_led(&self, led: bool) {
        self.led.store(led, Ordering::SeqCst);
    }

    /// Notes that the timer from [`Outcome::deadline`] has fired.
    pub(crate) fn timer(&self) {
        self.edge(TIMER);
    }

    /// Ends the connection at the next drive, even if messages are unsent.
    pub(crate) fn stop(&self) {
        self.edge(STOP);
    }

    /// Ends the connection at the next drive, because the peer has broken a rule of the socket.
    pub(crate) fn expel(&self, fault: ProtocolError) {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fault);
        self.edge(EXPELLED);
    }

    /// Gives the decision about the peer to the connection; a turn must follow. The I/O thread calls it, before any other thread
    /// knows the engine.
    pub(crate) fn decide(&self, decision: Decision) {
        let mut state = self.state.lock();
        state.denied = state.connection.decide(decision, clock::now()).err();
    }

    /// Completes the handshake, because there is a place for the peer; a turn must follow, which sends READY. Called as
    /// [`Engine::decide`].
    pub(crate) fn welcome(&self) -> Option<Established> {
        let mut state = self.state.lock();
        state.denied = state.connection.welcome(clock::now()).err();
        state.connection.poll_ready()
    }

    /// Refuses the peer, because there is no place for it; a turn must follow. Called as [`Engine::decide`].
    pub(crate) fn turn_away(&self, fault: ProtocolError) {
        let mut state = self.state.lock();
        state.connection.turn_away(fault.clone());
        state.denied = Some(fault.into());
    }

    /// Returns whether the peer has closed its side, or the stream has failed.
    pub(crate) fn is_hung_up(&self) -> bool {
        self.hung_up.load(Ordering::Relaxed)
    }

    /// Returns whether input waits because the socket has no room for it. The end of the connection may be behind it, and may
    /// not have arrived yet.
    pub(crate) fn has_unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed)
    }

    /// Returns how far the handshake has come.
    pub(crate) fn stage(&self) -> Stage {
        self.state.lock().connection.stage()
    }

    /// Gives the engine its pipe, after the handshake. `hello` is sent before the messages in the pipe. `sender` is the
    /// peer, if the pipe also serves other connections: the first message that is written to the pipe carries it, so
    /// that the socket knows where the messages of this peer begin. The I/O thread calls this before any other thread
    /// knows the engine.
    pub(crate) fn attach(&self, mut pipe: Pipe, hello: Option<Message>, sender: Option<Arc<Peer>>) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        if let Some(hello) = hello {
            state.connection.encode(Traffic::Message(hello), &mut state.outbox);
            // It does not count: only messages of the pipe do.
            state.outbox.disown();
        }
        state.sender = sender;
        if let Some(traffic) = state.early.take() {
            input::write(&mut pipe.writer, &mut state.sender, traffic);
        }
        state.pipe = Some(pipe);
    }

    /// Writes and reads as far as possible. If another thread is doing that, it does this, too, and the call returns at once.
    pub(crate) fn drive(&self, by: Driver) -> Effects {
        let mut effects = Effects::default();
        let mut turns = 0;
        let after = |turn| {
            turns = u64::saturating_add(turns, 1);
            self.keep(turn, &mut effects);
        };
        let entered = self.state.enter(ROUNDS, |state| self.turn(state, by), after);
        if turns > 1 {
            Counters::add(&self.counters.engine_again, turns.saturating_sub(1));
        }
        match entered {
            Entered::Done => {}
            Entered::Busy => Counters::add(&self.counters.engine_busy, 1),
            Entered::Wanted => effects.again = true,
        }
        effects
    }

    /// Takes what only the I/O thread can do.
    pub(crate) fn take_outcome(&self) -> Outcome {
        std::mem::take(&mut *self.outcome())
    }

    /// Takes the stream of an engine that is over, and what is unsent if it has ended in its handshake.
    pub(crate) fn take_stream(&self) -> Option<(Stream, Vec<u8>)> {
        let mut state = self.state.lock();
        let unsent = std::mem::take(&mut state.unsent);
        state.stream.take().map(|stream| (stream, unsent))
    }

    fn turn(&self, state: &mut State, by: Driver) -> Turn {
        let mut turn = Turn::default();
        let edges = self.edges.swap(0, Ordering::SeqCst);
        state.readable |= edges & (READABLE | HUNG_UP) != 0;
        state.hung_up |= edges & HUNG_UP != 0;
        state.writable |= edges & WRITABLE != 0;
        let now = clock::now();
        // A timer that was replaced by an earlier deadline must not arm another timer.
        if edges & TIMER != 0 && state.armed.is_some_and(|at| at <= now) {
            state.armed = None;
        }
        if state.over {
            return turn;
        }
        let mut end = (edges & STOP != 0).then_some(End::Stopped);
        let led = self.led.load(Ordering::SeqCst);
        if led {
            end = end.or_else(|| state.listen(led));
            if edges & TIMER != 0 {
                // While a thread leads, no edge reports input. The timer may wait for input that is there already: read
                // first.
                state.readable = true;
                end = end.or_else(|| state.drive_in(by, now, &self.buffers, &mut turn));
            }
        }
        if edges & EXPELLED != 0 {
            let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
            end = end.or(fault.map(|fault| End::Protocol(fault.into())));
        }
        if end.is_none() && edges & TIMER != 0 {
            if state.leaves_input() {
                state.connection.heard(now);
            }
            end = state.connection.handle_timeout(now).err().map(End::Protocol);
        }
        // A raw connection is ready without any input of the peer.
        state.look_for_ready(&mut turn);
        let end = end
            .or_else(|| state.drive_out(&mut turn))
            .or_else(|| state.denied.take().map(End::Protocol))
            .or_else(|| state.drive_in(by, now, &self.buffers, &mut turn))
            .or_else(|| if state.has_answers() { state.drive_out(&mut turn) } else { None })
            .or_else(|| state.listen(led));
        if let Some(end) = end {
            if state.pipe.is_none() && matches!(end, End::Protocol(_)) {
                // The rest of our greeting is sent, because it tells the peer our mechanism.
                let _ = state.drive_out(&mut turn);
            }
            state.finish(end, &mut turn);
        } else if let Some(deadline) = state.next_deadline(now) {
            if state.armed.is_none_or(|armed| deadline < armed) {
                state.armed = Some(deadline);
                turn.outcome.deadline = Some(deadline);
                turn.told = true;
            }
        }
        state.count_copies();
        self.blocked.store(!state.writable, Ordering::Relaxed);
        self.unread.store(state.leaves_input(), Ordering::Relaxed);
        turn.garbage = state.outbox.take_garbage();
        turn
    }

    /// Adds what follows from a turn to the outcome and to the effects.
    fn keep(&self, turn: Turn, effects: &mut Effects) {
        if turn.told {
            let mut outcome = self.outcome();
            outcome.credentials = turn.outcome.credentials.or(outcome.credentials.take());
            outcome.introduction = turn.outcome.introduction.or(outcome.introduction.take());
            outcome.established = turn.outcome.established.or(outcome.established.take());
            outcome.ended = turn.outcome.ended.or(outcome.ended.take());
            outcome.cut = turn.outcome.cut.or(outcome.cut);
            outcome.deadline = turn.outcome.deadline.or(outcome.deadline);
            outcome.again |= turn.outcome.again;
            effects.outcome = true;
        }
        effects.input |= turn.input;
        effects.credit |= turn.credit;
        if effects.garbage.is_empty() {
            effects.garbage = turn.garbage;
        } else {
            effects.garbage.extend(turn.garbage);
        }
    }

    fn outcome(&self) -> MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Adds to the counters what outbox and decoder have counted since the last turn.
    fn count_copies(&mut self) {
        let counted = (self.outbox.referenced(), self.connection.growths());
        let before = std::mem::replace(&mut self.counted, counted);
        if counted != before {
            Counters::add(&self.counters.bytes_referenced, counted.0.wrapping_sub(before.0));
            Counters::add(&self.counters.growths, counted.1.wrapping_sub(before.1));
        }
    }

    /// Registers the stream in the I/O thread's poll, or deregisters it, as `led` and blocked output require.
    fn listen(&mut self, led: bool) -> Option<End> {
        let stream = self.stream.as_mut()?;
        self.listening.choose(stream, led, !self.writable).err().map(|error| End::Lost(error.into()))
    }

    /// Returns whether the protocol has bytes of its own to send.
    fn has_answers(&self) -> bool {
        self.writable && self.connection.has_transmit()
    }

    /// Frames and writes until the pipe is empty or the kernel takes no more.
    fn drive_out(&mut self, turn: &mut Turn) -> Option<End> {
        for _ in 0..MAX_ROUNDS {
            if !self.writable {
                // What is not framed stays in the pipe, from which the socket may take it back.
                self.pipe.iter_mut().for_each(|pipe| pipe.reader.put_back());
                return None;
            }
            if self.outbox.len() < self.quantum {
                self.fill();
            }
            if self.outbox.is_empty() {
                if self.pipe.is_none() {
                    self.outbox.wipe();
                }
                let finished = self.pipe.as_ref().is_some_and(|pipe| pipe.reader.is_finished());
                return finished.then_some(End::Drained);
            }
            self.write(turn);
        }
        turn.outcome.again = true;
        turn.told = true;
        None
    }

    /// Frames up to one quantum, behind what is still to be written.
    fn fill(&mut self) {
        self.connection.poll_transmit(&mut self.outbox);
        if let Some(pipe) = self.pipe.as_mut().filter(|_| self.connection.is_ready()) {
            let (connection, outbox) = (&mut self.connection, &mut self.outbox);
            while outbox.len() < self.quantum && pipe.reader.has_input() {
                if pipe.reader.take_run(|run| connection.encode_run(run, outbox, self.quantum)) > 0 {
                    continue;
                }
                match pipe.reader.take() {
                    Some(traffic) => connection.encode(traffic, outbox),
                    None => break,
                }
            }
        }
    }

    fn write(&mut self, turn: &mut Turn) {
        let Some(stream) = &mut self.stream else { return };
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let count = self.outbox.io_slices(&mut slices, stream.piece(self.outbox.len()));
        let slices = slices.get(..count).unwrap_or(&slices);
        let wanted: usize = slices.iter().map(|slice| slice.len()).sum();
        Counters::add(&self.counters.writes, 1);
        match stream.send(slices) {
            Ok(written) => {
                Counters::add(&self.counters.bytes_written, written as u64);
                let messages = self.outbox.advance(written) as u64;
                turn.credit |= self.pipe.as_mut().is_some_and(|pipe| pipe.reader.ack(messages));
                // On Linux, after a short write the kernel sends an edge when it takes more.
                self.writable = written == wanted || !cfg!(target_os = "linux");
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                self.writable = false;
                // A failed write does not end the connection: what the peer has sent is read first, and the read then
                // finds the end (libzmq stream_engine_base.cpp).
                self.readable |= error.kind() != io::ErrorKind::WouldBlock;
            }
        }
    }

    /// Returns whether input waits because the socket has no room for it. There may be heartbeats in it.
    fn leaves_input(&mut self) -> bool {
        self.leftover.is_some() || self.readable && self.pipe.is_some() && !self.has_room()
    }

    /// Returns when something is due if nothing happens before.
    fn next_deadline(&mut self, now: Instant) -> Option<Instant> {
        let waits = self.leaves_input();
        self.connection.leave_unread(waits, now);
        self.connection.poll_timeout()
    }

    /// Returns whether there is room for the next decoded item.
    fn has_room(&mut self) -> bool {
        match &mut self.pipe {
            Some(pipe) => pipe.writer.has_credit(),
            None => self.early.is_none() && !self.holds,
        }
    }

    fn look_for_ready(&mut self, turn: &mut Turn) {
        if self.pipe.is_some() {
            return;
        }
        if let Some(credentials) = self.connection.poll_credentials() {
            turn.outcome.credentials = Some(Box::new(credentials));
            turn.told = true;
        }
        if let Some(introduction) = self.connection.poll_introduction() {
            self.holds = true;
            turn.outcome.introduction = Some(introduction);
            turn.told = true;
        }
        if let Some(established) = self.connection.poll_ready() {
            self.holds = true;
            turn.outcome.established = Some(established);
            turn.told = true;
        }
    }

    /// Ends the connection: what is framed and not written is lost, and the pipe goes back to the I/O thread.
    fn finish(&mut self, end: End, turn: &mut Turn) {
        self.over = true;
        // The stream may be read until the peer closes it (`io/half_closed`).
        let _ = self.listen(false);
        turn.outcome.cut = self.outbox.cut();
        if let Some(pipe) = &mut self.pipe {
            turn.credit |= pipe.reader.lose(self.outbox.unwritten_messages() as u64);
            pipe.reader.put_back();
            turn.input |= pipe.writer.flush();
        } else if end.is_told() {
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let count = self.outbox.io_slices(&mut slices, READ_SIZE);
            self.unsent = slices.iter().take(count).flat_map(|slice| slice.iter().copied()).collect();
        }
        self.outbox.clear();
        turn.outcome.ended = Some((end, self.pipe.take()));
        turn.told = true;
    }
}
