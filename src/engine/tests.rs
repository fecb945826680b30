//! An engine alone: one end of a socket pair is its stream, the other end is bare bytes, and each test does what the I/O
//! thread and the socket would do with its effects.

use std::io::{Read, Write};
use std::sync::{PoisonError, Weak};
use std::thread;
use std::time::Duration;

use mio::net::UnixStream;
use mio::{Events, Interest, Poll, Registry, Token};
use zeroxide_transports::pipe::{Flow, pipe};
use zeroxide_zmtp::mechanism::Status;
use zeroxide_zmtp::{Config, SocketType, Version};

use super::*;
use crate::events::DisconnectReason;

/// An engine, and the other end of its stream.
struct Alone {
    engine: Arc<Engine>,
    wire: UnixStream,
}

impl Alone {
    fn new(config: Config, first_read: usize) -> Alone {
        let (near, wire) = UnixStream::pair().unwrap();
        Alone { engine: engine(near, Weak::new(), config, first_read), wire }
    }

    /// A DEALER whose handshake is over, and the socket's end of its pipe, with these high-water marks.
    fn open(send: u32, receive: u32) -> (Alone, Pipe) {
        Alone::new(dealer(), READ_SIZE).opened(send, receive)
    }

    fn opened(self, send: u32, receive: u32) -> (Alone, Pipe) {
        let mut alone = self;
        alone.put(&opening("DEALER"));
        assert!(alone.drive().established.is_some());
        let socket = alone.attach(send, receive, None);
        alone.drive();
        alone.got();
        (alone, socket)
    }

    /// Attaches a pipe; returns the socket's end.
    fn attach(&self, send: u32, receive: u32, hello: Option<Message>) -> Pipe {
        let flow = |hwm| Flow { hwm, ..Flow::default() };
        let (socket, theirs) = pipe(flow(send), flow(receive));
        self.engine.attach(theirs, hello, None);
        socket
    }

    /// The peer sends this, and the poller tells of it.
    fn put(&mut self, bytes: &[u8]) {
        self.wire.write_all(bytes).unwrap();
        self.engine.edge(READABLE);
    }

    /// What the peer finds on its end now.
    fn got(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let end = self.wire.read_to_end(&mut bytes).expect_err("the engine's end is open");
        assert_eq!(end.kind(), io::ErrorKind::WouldBlock);
        bytes
    }

    /// Drives, for what the I/O thread has to do.
    fn drive(&self) -> Outcome {
        let effects = self.engine.drive(Driver::Application);
        let outcome = self.engine.take_outcome();
        assert!(effects.outcome || outcome.is_nothing(), "the I/O thread was not asked to look");
        outcome
    }

    /// Drives, for what the socket must learn.
    fn effects(&self) -> Effects {
        self.engine.drive(Driver::Application)
    }

    /// Drives an engine that is to end now.
    fn end(&self) -> (End, Option<Pipe>) {
        self.drive().ended.expect("it ends")
    }

    /// Sends until the kernel takes no more.
    fn block(&self, socket: &mut Pipe) {
        for _ in 0..10_000 {
            send(socket, vec![7; 100_000]);
            self.drive();
            if self.engine.is_blocked() {
                return;
            }
        }
        panic!("the kernel takes a gigabyte");
    }
}

impl Outcome {
    fn is_nothing(&self) -> bool {
        self.credentials.is_none()
            && self.introduction.is_none()
            && self.established.is_none()
            && self.ended.is_none()
            && self.deadline.is_none()
            && !self.again
    }
}

/// An engine that reads `first_read` bytes in one go before its handshake is over.
fn engine(stream: UnixStream, poll: Weak<Registry>, config: Config, first_read: usize) -> Arc<Engine> {
    let connection = Connection::new(config, Instant::now());
    let (slot, counters, buffers) = (Slot::new(), Arc::default(), Arc::default());
    let registered = Registered { stream: Stream::Ipc(stream), token: Token(1), poll };
    Engine::new(1, registered, connection, slot, counters, buffers, first_read)
}

fn dealer() -> Config {
    Config::new(SocketType::Dealer)
}

/// What a peer of ZMTP 3.0 sends in a handshake without security.
fn opening(socket_type: &str) -> Vec<u8> {
    let mut greeting = [0; 64];
    (greeting[0], greeting[9], greeting[10]) = (0xFF, 0x7F, 3);
    greeting[12..16].copy_from_slice(b"NULL");
    let length = [socket_type.len() as u8];
    let ready = [b"\x05READY\x0BSocket-Type\0\0\0", &length[..], socket_type.as_bytes()].concat();
    [&greeting[..], &[4, ready.len() as u8], &ready].concat()
}

/// Messages of one frame each, as they travel.
fn framed<const N: usize>(bodies: [&str; N]) -> Vec<u8> {
    bodies.iter().flat_map(|body| [&[0, body.len() as u8], body.as_bytes()].concat()).collect()
}

fn send(socket: &mut Pipe, body: impl Into<Frame>) {
    assert!(socket.writer.reserve(), "no credit");
    socket.writer.write(Traffic::Message(Message::from(body)));
    socket.writer.flush();
}

/// What the socket receives until there is nothing.
fn received(socket: &mut Pipe) -> Vec<String> {
    std::iter::from_fn(|| socket.reader.read()).map(|traffic| text(&traffic)).collect()
}

fn text(traffic: &Traffic) -> String {
    let Traffic::Message(message) = traffic else { panic!("no message: {traffic:?}") };
    String::from_utf8(message[0].to_vec()).unwrap()
}

fn has_ready(bytes: &[u8]) -> bool {
    bytes.windows(5).any(|part| part == b"READY")
}

#[test]
fn the_end_of_the_handshake_asks_for_a_pipe_once() {
    let mut alone = Alone::new(dealer(), READ_SIZE);
    assert!(alone.drive().established.is_none());
    alone.put(&opening("DEALER"));
    let established = alone.drive().established.expect("the handshake is over");
    assert_eq!(established.socket_type, Some(SocketType::Dealer));
    assert!(has_ready(&alone.got()));
    assert!(alone.drive().is_nothing());
}

#[test]
fn what_a_peer_sends_behind_its_handshake_waits_for_the_pipe() {
    let mut alone = Alone::new(dealer(), READ_SIZE);
    alone.put(&[opening("DEALER"), framed(["one", "two"])].concat());
    assert!(alone.drive().established.is_some());
    alone.put(&framed(["three"]));
    assert!(alone.drive().is_nothing());
    let mut socket = alone.attach(0, 0, None);
    alone.drive();
    assert_eq!(received(&mut socket), ["one", "two", "three"]);
}

#[test]
fn a_fault_behind_the_handshake_is_that_of_a_known_peer() {
    let mut alone = Alone::new(dealer(), READ_SIZE);
    let too_long = [2, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
    alone.put(&[&opening("DEALER")[..], &too_long].concat());
    let outcome = alone.drive();
    assert!(outcome.established.is_some() && outcome.ended.is_none());
    let _socket = alone.attach(0, 0, None);
    let (end, pipe) = alone.end();
    assert!(matches!(end, End::Protocol(_)), "{end:?}");
    assert!(pipe.is_some());
}

/// A subscriber of ZMTP 1.0 cannot tell what it wants: with its greeting it subscribes to everything.
#[test]
fn what_a_peer_says_by_its_handshake_waits_for_the_pipe() {
    let publisher = Config { min_version: Version::V1_0, ..Config::new(SocketType::XPub) };
    let mut alone = Alone::new(publisher, READ_SIZE);
    alone.put(&[1, 0]);
    assert!(alone.drive().established.is_some());
    let mut socket = alone.attach(0, 0, None);
    alone.drive();
    assert_eq!(socket.reader.read(), Some(Traffic::Subscribe(Frame::new())));
    assert_eq!(socket.reader.read(), None);
}

#[test]
fn a_hello_goes_ahead_of_the_pipe_and_counts_for_none_of_its_messages() {
    let mut alone = Alone::new(dealer(), READ_SIZE);
    alone.put(&opening("DEALER"));
    assert!(alone.drive().established.is_some());
    alone.got();
    let mut socket = alone.attach(0, 0, Some("hello".into()));
    send(&mut socket, "message");
    alone.drive();
    assert_eq!(alone.got(), framed(["hello", "message"]));
    assert_eq!(socket.writer.tally().written, 1);
}

#[test]
fn an_introduced_peer_waits_for_our_ready_and_what_it_sends_for_the_pipe() {
    let router = Config { selects: true, ..Config::new(SocketType::Router) };
    let mut alone = Alone::new(router, READ_SIZE);
    alone.put(&[opening("DEALER"), framed(["early"])].concat());
    let outcome = alone.drive();
    assert!(outcome.introduction.is_some() && outcome.established.is_none());
    assert!(!has_ready(&alone.got()));
    assert!(alone.drive().is_nothing(), "asked twice");
    assert!(alone.engine.welcome().is_some());
    let mut socket = alone.attach(0, 0, None);
    alone.drive();
    assert!(has_ready(&alone.got()));
    assert_eq!(received(&mut socket), ["early"]);
}

#[test]
fn a_peer_without_a_place_gets_no_ready_and_ends_for_the_fault() {
    let router = Config { selects: true, ..Config::new(SocketType::Router) };
    let mut alone = Alone::new(router, READ_SIZE);
    alone.put(&opening("DEALER"));
    assert!(alone.drive().introduction.is_some());
    alone.engine.turn_away(ProtocolError::RoutingIdInUse);
    let (end, pipe) = alone.end();
    assert!(
        matches!(end, End::Protocol(ConnectionError::Protocol(ProtocolError::RoutingIdInUse))),
        "{end:?}"
    );
    assert!(pipe.is_none());
    assert!(!has_ready(&alone.got()));
}

#[test]
fn a_refused_peer_is_told_before_its_connection_ends() {
    let mut alone = Alone::new(Config { authorise: true, ..dealer() }, READ_SIZE);
    alone.put(&opening("DEALER"));
    let outcome = alone.drive();
    assert!(outcome.credentials.is_some() && outcome.established.is_none());
    alone.engine.decide(Decision::Refuse(Status::AuthenticationFailure));
    let (end, _) = alone.end();
    assert!(end.is_told(), "{end:?}");
    assert!(alone.got().ends_with(b"\x05ERROR\x03400"));
}

#[test]
fn a_peer_of_another_kind_still_gets_our_ready() {
    let mut alone = Alone::new(dealer(), READ_SIZE);
    alone.put(&opening("PUB"));
    let (end, _) = alone.end();
    assert!(
        matches!(end, End::Protocol(ConnectionError::Protocol(ProtocolError::SocketTypeMismatch { .. }))),
        "{end:?}"
    );
    assert!(has_ready(&alone.got()));
}

#[test]
fn input_is_an_effect_only_for_a_reader_that_found_nothing() {
    let (mut alone, mut socket) = Alone::open(0, 0);
    for (body, looks) in [("one", true), ("two", false), ("three", true)] {
        if looks {
            received(&mut socket);
        }
        alone.put(&framed([body]));
        assert_eq!(alone.effects().input, looks, "{body}");
    }
    assert!(!alone.effects().input);
}

#[test]
fn credit_is_an_effect_once_and_only_for_a_writer_that_found_none() {
    let (alone, mut socket) = Alone::open(1, 0);
    send(&mut socket, "nobody waits behind this one");
    assert!(!alone.effects().credit);
    send(&mut socket, "somebody does behind this one");
    assert!(!socket.writer.reserve());
    assert!(alone.effects().credit);
    assert!(!alone.effects().credit);
    assert!(socket.writer.reserve());
}

#[test]
fn a_full_pipe_leaves_input_unread_until_its_reader_makes_room() {
    let (mut alone, mut socket) = Alone::open(0, 2);
    alone.put(&framed(["one", "two", "three", "four", "five"]));
    for two in [["one", "two"], ["three", "four"]] {
        alone.drive();
        alone.drive();
        assert!(alone.engine.has_unread());
        assert_eq!(socket.reader.waiting(), 2);
        assert_eq!(received(&mut socket), two);
        assert!(socket.reader.owes_wake(), "the engine waits for room");
    }
    alone.drive();
    assert!(!alone.engine.has_unread());
    assert_eq!(received(&mut socket), ["five"]);
}

#[test]
fn what_the_kernel_has_no_room_for_can_be_recalled_by_the_socket() {
    let (mut alone, mut socket) = Alone::open(0, 0);
    for body in vec![vec![7; 100_000]; 30].into_iter().chain([b"last".to_vec()]) {
        socket.writer.write(Traffic::Message(body.into()));
    }
    socket.writer.flush();
    alone.drive();
    assert!(alone.engine.is_blocked());
    let recalled = socket.writer.recall(|_| true).expect("nobody has it");
    assert_eq!(recalled[0], b"last"[..]);
    assert!(!alone.got().is_empty());
    alone.engine.edge(WRITABLE);
    alone.drive();
    assert!(!alone.got().is_empty(), "the rest goes on");
}

#[test]
fn a_stopped_engine_gives_its_pipe_back_with_what_is_unsent() {
    let (alone, mut socket) = Alone::open(0, 0);
    alone.block(&mut socket);
    send(&mut socket, "last");
    alone.drive();
    alone.engine.stop();
    let (end, pipe) = alone.end();
    assert!(matches!(end, End::Stopped), "{end:?}");
    let mut pipe = pipe.expect("it had one");
    let unsent: Vec<Traffic> = std::iter::from_fn(|| pipe.reader.take()).collect();
    let tally = socket.writer.tally();
    assert_eq!(unsent.last().map(text).as_deref(), Some("last"));
    assert_eq!(tally.queued(), unsent.len() as u64);
    assert!(tally.lost > 0, "a part of one message is with the kernel");
    alone.engine.stop();
    assert!(alone.drive().is_nothing(), "it ends twice");
    assert!(alone.engine.take_stream().is_some());
}

#[test]
fn an_expelled_peer_ends_for_the_first_fault() {
    let (alone, _socket) = Alone::open(0, 0);
    alone.engine.expel(ProtocolError::AnothersRoutingId);
    alone.engine.expel(ProtocolError::RoutingIdInUse);
    let (end, pipe) = alone.end();
    assert!(
        matches!(end, End::Protocol(ConnectionError::Protocol(ProtocolError::AnothersRoutingId))),
        "{end:?}"
    );
    assert!(pipe.is_some());
}

#[test]
fn an_orderly_end_sends_everything_first() {
    let (mut alone, mut socket) = Alone::open(0, 0);
    (0..30).for_each(|_| send(&mut socket, vec![7; 50_000]));
    socket.writer.finish();
    let mut got = 0;
    let end = loop {
        if let Some((end, _)) = alone.drive().ended {
            break end;
        }
        let read = alone.got().len();
        assert!(read > 0, "it neither writes nor ends");
        got += read;
        alone.engine.edge(WRITABLE);
    };
    assert!(matches!(end, End::Drained), "{end:?}");
    assert_eq!(got + alone.got().len(), 30 * (9 + 50_000));
    assert_eq!(socket.writer.tally().written, 30);
}

#[test]
fn the_peers_end_comes_after_what_it_sent_and_waits_for_room() {
    let (mut alone, mut socket) = Alone::open(0, 1);
    alone.put(&framed(["one", "two"]));
    alone.wire.shutdown(std::net::Shutdown::Write).unwrap();
    alone.engine.edge(READABLE | HUNG_UP);
    assert!(alone.drive().ended.is_none());
    assert_eq!(received(&mut socket), ["one"]);
    assert!(alone.drive().ended.is_none());
    assert_eq!(received(&mut socket), ["two"]);
    let (end, pipe) = alone.end();
    assert!(matches!(end.reason(), DisconnectReason::PeerClosed), "{end:?}");
    assert!(pipe.is_some());
}

/// One byte in one read, so that each handshake takes many.
#[test]
fn who_drives_reads_so_often_and_then_asks_for_another_turn() {
    for (by, most) in [(Driver::Reactor, 1), (Driver::Application, MAX_ROUNDS as u64)] {
        let mut alone = Alone::new(dealer(), 1);
        let opening = opening("DEALER");
        alone.put(&opening);
        let mut turns = 0;
        loop {
            let before = alone.engine.counters.snapshot().reads;
            let effects = alone.engine.drive(by);
            let (reads, outcome) =
                (alone.engine.counters.snapshot().reads - before, alone.engine.take_outcome());
            turns += 1;
            if outcome.established.is_some() {
                break;
            }
            assert!(effects.outcome && outcome.again);
            assert_eq!(reads, most);
        }
        assert_eq!(turns, opening.len().div_ceil(most as usize));
    }
}

#[test]
fn a_deadline_is_asked_for_once_and_ends_the_handshake_when_it_has_passed() {
    let alone =
        Alone::new(Config { handshake_timeout: Some(Duration::from_nanos(1)), ..dealer() }, READ_SIZE);
    let deadline = alone.drive().deadline.expect("the handshake has a limit");
    while Instant::now() < deadline {}
    assert!(alone.drive().is_nothing(), "nobody said that the timer has fired");
    alone.engine.timer();
    let (end, _) = alone.end();
    assert!(matches!(end, End::Protocol(ConnectionError::HandshakeTimeout)), "{end:?}");
}

#[test]
fn a_timer_that_fires_early_starts_no_second_one() {
    let alone =
        Alone::new(Config { handshake_timeout: Some(Duration::from_secs(3600)), ..dealer() }, READ_SIZE);
    assert!(alone.drive().deadline.is_some());
    alone.engine.timer();
    assert!(alone.drive().is_nothing());
}

/// An engine that another thread drives, and that is held inside its turns: a turn that is to expel somebody asks for the
/// fault, which is locked. Each round is one turn of that thread, with what somebody else wants during it.
fn driven_by_another(rounds: usize, engine: &Engine, mut want: impl FnMut()) -> Effects {
    thread::scope(|scope| {
        // What a turn found out is noted between two turns, so the next one begins when this is free.
        let mut outcome = Some(engine.outcome());
        let mut fault = Some(engine.fault.lock().unwrap_or_else(PoisonError::into_inner));
        engine.edge(EXPELLED);
        let other = scope.spawn(|| engine.drive(Driver::Application));
        for round in 0..rounds {
            while engine.edges.load(Ordering::SeqCst) & EXPELLED != 0 {
                assert!(!other.is_finished(), "nobody is inside");
                thread::yield_now();
            }
            want();
            let mine = engine.drive(Driver::Application);
            assert!(!mine.outcome && !mine.input && !mine.again, "two drive at once");
            fault = None;
            if round + 1 < rounds {
                // The turn is over when its state is free.
                drop(engine.state.lock());
                fault = Some(engine.fault.lock().unwrap_or_else(PoisonError::into_inner));
                engine.edge(EXPELLED);
            }
            outcome = None;
        }
        drop((fault, outcome));
        other.join().unwrap()
    })
}

#[test]
fn who_finds_somebody_inside_leaves_it_to_him() {
    let (mut alone, mut socket) = Alone::open(0, 0);
    assert!(received(&mut socket).is_empty());
    let (engine, wire) = (&alone.engine, &mut alone.wire);
    let effects = driven_by_another(1, engine, || {
        wire.write_all(&framed(["wanted"])).unwrap();
        engine.edge(READABLE);
    });
    assert!(effects.input && !effects.again);
    assert_eq!(received(&mut socket), ["wanted"]);
    let counts = engine.counters.snapshot();
    assert_eq!((counts.engine_busy, counts.engine_again), (1, 1));
}

#[test]
fn who_is_inside_gives_up_after_the_rounds_and_says_that_somebody_wants_more() {
    let mut alone = Alone::new(dealer(), READ_SIZE);
    let effects = driven_by_another(ROUNDS, &alone.engine, || ());
    assert!(effects.again);
    alone.put(&opening("DEALER"));
    assert!(alone.drive().established.is_some(), "the next drive enters");
}

#[test]
fn two_engines_carry_messages_of_every_size_both_ways() {
    let (near, far) = UnixStream::pair().unwrap();
    let [one, two] = [near, far].map(|stream| engine(stream, Weak::new(), dealer(), READ_SIZE));
    let turn = |engine: &Engine| {
        engine.edge(READABLE | WRITABLE);
        let _ = engine.drive(Driver::Application);
        engine.take_outcome()
    };
    let mut sockets = [None, None];
    for _ in 0..3 {
        for (engine, socket) in [&one, &two].into_iter().zip(&mut sockets) {
            if turn(engine).established.is_some() {
                let (near, far) = pipe(Flow::default(), Flow::default());
                engine.attach(far, None, None);
                *socket = Some(near);
            }
        }
    }
    let [mut first, mut second] = sockets.map(|socket| socket.expect("the handshake is over"));
    for size in [0, 1, 255, 256, 5_000, 3_000_000] {
        let body = vec![7; size];
        send(&mut first, body.clone());
        send(&mut second, body.clone());
        let sent = Traffic::Message(body.into());
        let mut missing = vec![&mut first, &mut second];
        for _ in 0..1_000 {
            if missing.is_empty() {
                break;
            }
            turn(&one);
            turn(&two);
            missing.retain_mut(|socket| socket.reader.read().is_none_or(|traffic| traffic != sent));
        }
        assert!(missing.is_empty(), "{size}");
    }
}

/// The poll of an I/O thread, and an engine whose stream is in it.
struct Watched {
    poll: Poll,
    _registry: Arc<Registry>,
    alone: Alone,
    socket: Pipe,
}

impl Watched {
    fn open() -> Watched {
        let poll = Poll::new().unwrap();
        let registry = Arc::new(poll.registry().try_clone().unwrap());
        let (mut near, wire) = UnixStream::pair().unwrap();
        registry.register(&mut near, Token(1), Interest::READABLE | Interest::WRITABLE).unwrap();
        let engine = engine(near, Arc::downgrade(&registry), dealer(), READ_SIZE);
        let (alone, socket) = Alone { engine, wire }.opened(0, 0);
        let mut watched = Watched { poll, _registry: registry, alone, socket };
        watched.edges();
        watched
    }

    fn lead(&self, led: bool) {
        self.alone.engine.set_led(led);
        self.alone.drive();
    }

    /// Returns whether the poll reports input, output, and the end of the peer's output.
    fn edges(&mut self) -> (bool, bool, bool) {
        let mut events = Events::with_capacity(8);
        #[expect(clippy::disallowed_methods, reason = "it does not wait")]
        self.poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        events.iter().fold((false, false, false), |(input, output, end), event| {
            (input | event.is_readable(), output | event.is_writable(), end | event.is_read_closed())
        })
    }
}

const NO_EDGE: (bool, bool, bool) = (false, false, false);

#[test]
fn the_io_thread_hears_nothing_while_another_leads_and_all_of_it_afterwards() {
    let mut watched = Watched::open();
    watched.lead(true);
    watched.alone.wire.write_all(&framed(["while led"])).unwrap();
    assert_eq!(watched.edges(), NO_EDGE);
    watched.alone.engine.edge(READABLE);
    watched.alone.drive();
    assert_eq!(received(&mut watched.socket), ["while led"]);
    watched.alone.wire.write_all(&framed(["left over"])).unwrap();
    watched.lead(false);
    assert!(received(&mut watched.socket).is_empty());
    assert_eq!(watched.edges(), (true, false, false), "no edge for output, which is not blocked");
}

#[test]
fn the_end_of_a_peer_during_a_lead_is_reported_after_it() {
    let mut watched = Watched::open();
    watched.lead(true);
    watched.alone.wire.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(watched.edges(), NO_EDGE);
    watched.lead(false);
    let (input, _, end) = watched.edges();
    assert!(input && end);
}

#[test]
fn blocked_output_brings_its_edge_although_another_leads() {
    let mut watched = Watched::open();
    watched.lead(true);
    watched.alone.block(&mut watched.socket);
    watched.edges();
    while !watched.alone.got().is_empty() {}
    assert!(watched.edges().1);
}

#[test]
fn a_connection_that_ends_during_a_lead_is_in_the_poll_again() {
    let mut watched = Watched::open();
    watched.lead(true);
    watched.alone.engine.stop();
    watched.alone.end();
    watched.alone.wire.write_all(b"late").unwrap();
    assert!(watched.edges().0);
}
