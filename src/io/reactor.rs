//! The reactor: the state and the loop of one I/O thread. It has one mio `Poll` for listeners, dialled streams and connections,
//! its timers, and the orders from other threads.
//!
//! It does what the application threads do not do: reading streams while no application thread does, handshakes, timers,
//! accepting, dialling again, closing. It sleeps only in its `Poll`, and only when it has nothing to do: in an idle context no
//! thread wakes up.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use mio::{Events, Poll, Token};
use zeroxide_transports::resolve::resolve;

use super::acceptor::Acceptor;
use super::connections::Connected;
use super::dialer::{Dialling, Resolve};
use super::half_closed::{HalfClosed, LAST};
use super::lookups::Lookups;
use super::session::Session;
use super::turns::{Next, Turns};
use super::watch::Watch;
use crate::clock;
use crate::engine::{HUNG_UP, READABLE, WRITABLE};
use crate::random::{ByNumber, Random};
use crate::signal::after;
use crate::socket::alarms::Alarms;
use crate::socket::context::ContextBase;
use crate::socket::orders::{IoThread, Order};

/// The token of the waker. Tokens other than these two are numbers of connections, listeners and dialled streams.
const WAKER: Token = Token(0);

/// The token of the watch's timer.
pub(super) const WATCH: Token = Token(1);

/// The most events taken from one poll (libzmq `max_io_events`).
const MAX_EVENTS: usize = 256;

/// How long a peer is read on after another has taken over its routing id (ROUTER_HANDOVER), until it closes. The time begins
/// anew while the application has not taken what arrived.
pub(super) const LONGEST_READ_OUT: Duration = Duration::from_secs(1);

/// Between two polls, no further turn of a handshake or listener begins once such turns have taken so long. One turn of CURVE
/// alone takes longer, so established peers wait for at most one such turn.
const HANDSHAKE_TIME: Duration = Duration::from_micros(50);
/// While established peers are busy, handshakes and listeners pause after each turn for so many times its length.
const PEERS_SHARE: u32 = 7;
/// A turn counts as at most so long: the system may have suspended the thread meanwhile.
const LONGEST_TURN: Duration = Duration::from_millis(1);

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A deadline of a connection's protocol.
    Engine(u64),
    /// The longest wait for a half-closed stream is over.
    HalfClosed(u64),
    /// The next attempt of a session. It is void if the session's attempt number has changed.
    Dial(u64, u32),
    /// The time limit of a lookup or a connect of a session; void likewise.
    ConnectTimeout(u64, u32),
    /// A lookup may be slow.
    Lookups,
    /// A listener may accept again.
    Accept(u64),
    /// The LINGER of a connection that is to end is over.
    Stop(u64),
    /// The time for a replaced peer to close is over.
    ReadOut(u64),
    /// The end of the context waits no longer for peers to close.
    Leave,
    /// Deferred sockets are to be looked at again.
    Watch,
    /// Tasks of a socket have waited long enough.
    Alarm(u64),
    /// The LINGER of a closed socket is over.
    Linger(u64),
    /// The LINGER of a disconnected session is over.
    SessionLinger(u64),
}

/// What the poll reports of one stream or listener.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Edges {
    /// The number under which it is registered.
    pub(super) token: u64,
    pub(super) readable: bool,
    pub(super) writable: bool,
    /// The peer has closed its direction, or the stream has failed.
    pub(super) hung_up: bool,
}

impl From<&mio::event::Event> for Edges {
    fn from(event: &mio::event::Event) -> Edges {
        Edges {
            token: event.token().0 as u64,
            readable: event.is_readable(),
            writable: event.is_writable() || event.is_write_closed(),
            hung_up: event.is_read_closed() || event.is_error(),
        }
    }
}

/// The state of an I/O thread. Each file of this folder has the methods for one part of it.
pub(crate) struct Reactor {
    pub(super) link: IoThread,
    pub(super) context: Arc<ContextBase>,
    pub(super) poll: Poll,
    /// The registry of `poll`, to which engines hold weak references.
    pub(super) registry: Arc<mio::Registry>,
    orders: Receiver<Order>,
    timers: BinaryHeap<Reverse<(Instant, Timer)>>,
    pub(super) listeners: ByNumber<Acceptor>,
    pub(super) sessions: ByNumber<Session>,
    /// Streams that are being connected.
    pub(super) dialling: ByNumber<Dialling>,
    pub(super) connections: ByNumber<Connected>,
    /// Streams that are shut down on this side and whose peers have not closed yet.
    pub(super) half_closed: ByNumber<HalfClosed>,
    /// Those of them with an orderly end, oldest first. Some may be closed already.
    pub(super) half_closed_in_order: VecDeque<u64>,
    /// Connections that want another turn without waiting for an edge.
    pub(super) turns: Turns,
    /// The time of the turns of handshakes and listeners since the last poll.
    handshake_time: Duration,
    /// Whether an established peer had a turn since the last poll.
    peers_busy: bool,
    /// While established peers are busy, no handshake and no listener has a turn before this moment.
    handshakes_again: Instant,
    /// Sockets that are closing.
    pub(super) closing: ByNumber<super::reaper::Reaping>,
    /// Sockets whose open batches this thread flushes.
    pub(super) watch: Watch,
    /// Sockets whose tasks wait for a limited time.
    pub(super) alarms: ByNumber<Weak<Alarms>>,
    /// The lookups of names.
    pub(super) lookups: Lookups,
    pub(super) resolve: Resolve,
    pub(super) random: Random,
    pub(super) leaving: bool,
}

/// Starts an I/O thread called `name`.
///
/// # Errors
/// Returns an error if the system gives no descriptor or no thread.
pub(crate) fn start(name: &str, context: &Arc<ContextBase>, random: Random) -> io::Result<IoThread> {
    let reactor = Reactor::new(Arc::clone(context), random)?;
    let link = reactor.link.clone();
    #[cfg(simulate)]
    super::simulated::add(name, reactor);
    #[cfg(not(simulate))]
    context.threads.spawn(name, crate::threads::Kind::Io, move |_| reactor.run())?;
    Ok(link)
}

impl Reactor {
    pub(super) fn new(context: Arc<ContextBase>, random: Random) -> io::Result<Reactor> {
        let poll = Poll::new()?;
        let (link, orders) = IoThread::new(mio::Waker::new(poll.registry(), WAKER)?);
        Ok(Reactor {
            link,
            context,
            random,
            registry: Arc::new(poll.registry().try_clone()?),
            poll,
            orders,
            timers: BinaryHeap::new(),
            listeners: ByNumber::default(),
            sessions: ByNumber::default(),
            dialling: ByNumber::default(),
            connections: ByNumber::default(),
            half_closed: ByNumber::default(),
            half_closed_in_order: VecDeque::new(),
            turns: Turns::default(),
            handshake_time: Duration::ZERO,
            peers_busy: false,
            handshakes_again: clock::now(),
            closing: ByNumber::default(),
            watch: Watch::default(),
            alarms: ByNumber::default(),
            lookups: Lookups::default(),
            resolve: Arc::new(resolve),
            leaving: false,
        })
    }

    #[cfg_attr(all(simulate, not(test)), expect(dead_code))]
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(MAX_EVENTS);
        while !self.is_done() {
            let timeout = self.timeout();
            #[expect(clippy::disallowed_methods, reason = "the one place where an I/O thread waits")]
            match self.poll.poll(&mut events, timeout) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The descriptor of the poll is broken, so the thread can do nothing any more and ends.
                Err(_) => break,
            }
            self.round(events.iter().map(Edges::from));
        }
    }

    /// Does what follows a poll: edges, orders, timers, turns.
    pub(super) fn round(&mut self, reported: impl Iterator<Item = Edges>) {
        self.link.set_asleep(false);
        self.begin_round();
        for edges in reported {
            self.edges(&edges);
        }
        self.obey();
        self.fire_timers();
        self.give_turns();
    }

    pub(super) fn is_done(&self) -> bool {
        self.leaving
            && self.connections.is_empty()
            && self.sessions.is_empty()
            && self.closing.is_empty()
            && self.half_closed.is_empty()
    }

    /// Returns how long to sleep. Announces the sleep first, and looks for orders after that, so that none is missed.
    pub(super) fn timeout(&self) -> Option<Duration> {
        if self.turns.is_empty() {
            self.link.set_asleep(true);
            if self.orders.is_empty() {
                return self.timers.peek().map(|Reverse((at, _))| at.saturating_duration_since(clock::now()));
            }
            self.link.set_asleep(false);
        }
        Some(Duration::ZERO)
    }

    fn edges(&mut self, edges: &Edges) {
        let id = edges.token;
        if id == WATCH.0 as u64 {
            self.look_again();
        } else if let Some(connected) = self.connections.get(&id) {
            connected.engine.edge(
                (u8::from(edges.readable) * READABLE)
                    | (u8::from(edges.hung_up) * HUNG_UP)
                    | (u8::from(edges.writable) * WRITABLE),
            );
            // Handshakes have their turns after the events of all established peers.
            match connected.peer {
                Some(_) => self.turn(id),
                None => self.give_turn(id),
            }
        } else if self.dialling.contains_key(&id) {
            self.dialled(id);
        } else if self.listeners.contains_key(&id) {
            // Events of peers from the same poll come first.
            self.accept_soon(id);
        } else {
            self.give_turn(id);
        }
    }

    fn obey(&mut self) {
        // Only the orders that are queued now: carrying them out may add more, and timers must get their turn.
        for _ in 0..self.orders.len() {
            let Ok(command) = self.orders.try_recv() else { return };
            match command {
                Order::Bind(id, base, listener, values) => self.listen(id, base, *listener, values),
                Order::Unbind(id, receipt) => {
                    self.unbind(id);
                    receipt.open();
                }
                Order::Connect(endpoint) => self.connect(Session::new(*endpoint)),
                Order::Disconnect(id, receipt) => {
                    self.disconnect(id);
                    receipt.open();
                }
                Order::Redial(id, values) => self.redial(id, values),
                Order::Resolved(number, addresses) => self.resolved(number, addresses),
                Order::Decided(id, answer) => self.decided(id, *answer),
                Order::Replied(id) => self.replied(id),
                Order::Flush(base) => self.watch_over(base),
                Order::Engine(id) => self.turn(id),
                Order::Retire(id) => self.let_drain(id),
                Order::Alarm(at, socket, alarms) => self.wake_tasks_at(at, socket, alarms),
                Order::ReadOut(id) => self.arm_after(LONGEST_READ_OUT, Timer::ReadOut(id)),
                Order::Stop(id) => self.disconnect(id),
                Order::Close(base) => self.close(&base),
                Order::Exit => {
                    if !std::mem::replace(&mut self.leaving, true) {
                        self.arm_after(LAST, Timer::Leave);
                    }
                    self.end_everything();
                }
            }
        }
    }

    /// Wakes the tasks of a socket at a moment.
    fn wake_tasks_at(&mut self, at: Instant, socket: u64, alarms: Weak<Alarms>) {
        self.alarms.insert(socket, alarms);
        self.arm(at, Timer::Alarm(socket));
    }

    /// Wakes the tasks of a socket whose time has come.
    fn wake_tasks(&mut self, socket: u64) {
        let alarms = self.alarms.get(&socket).and_then(Weak::upgrade);
        if let Some(next) = alarms.as_ref().and_then(|alarms| alarms.ring(clock::now())) {
            self.arm(next, Timer::Alarm(socket));
        }
        if alarms.is_none_or(|alarms| !alarms.is_armed()) {
            self.alarms.remove(&socket);
        }
    }

    /// Arms a timer. No timer is removed: its owner ignores one that is no longer needed.
    pub(super) fn arm(&mut self, at: Instant, timer: Timer) {
        self.timers.push(Reverse((at, timer)));
    }

    /// Arms a timer after a wait. It never fires if its time is beyond the range of the clock.
    pub(super) fn arm_after(&mut self, wait: Duration, timer: Timer) {
        if let Some(at) = after(wait) {
            self.arm(at, timer);
        }
    }

    fn fire_timers(&mut self) {
        if self.timers.is_empty() {
            return;
        }
        let now = clock::now();
        while self.timers.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            let Some(Reverse((_, timer))) = self.timers.pop() else { return };
            match timer {
                Timer::Engine(id) => {
                    if let Some(connected) = self.connections.get(&id) {
                        connected.engine.timer();
                        self.turn(id);
                    }
                }
                Timer::HalfClosed(id) => self.close_whole(id),
                Timer::Dial(id, attempt) => self.dial_again(id, attempt),
                Timer::ConnectTimeout(id, attempt) => self.connect_timed_out(id, attempt),
                Timer::Lookups => self.look_for_slow_lookups(),
                Timer::Accept(id) => self.accept_again(id),
                Timer::Stop(id) => self.stop(id),
                Timer::ReadOut(id) => self.end_read_out(id),
                Timer::Leave => self.half_closed.clear(),
                Timer::Watch => self.look_again(),
                Timer::Alarm(id) => self.wake_tasks(id),
                Timer::Linger(id) => self.lingered(id),
                Timer::SessionLinger(id) => self.end_session(id),
            }
        }
    }

    /// Starts a new round: resets what is counted between two polls.
    fn begin_round(&mut self) {
        (self.handshake_time, self.peers_busy) = (Duration::ZERO, false);
    }

    /// Returns whether handshakes and listeners must wait until after the next poll.
    pub(super) fn defers_handshakes(&self) -> bool {
        self.handshake_time >= HANDSHAKE_TIME || (self.peers_busy && clock::now() < self.handshakes_again)
    }

    /// Notes that an established peer has a turn.
    pub(super) fn peer_has_turn(&mut self) {
        self.peers_busy = true;
    }

    /// Counts the time since `since` as spent on handshakes: a turn, an accept, a refusal, or an accept that found nothing.
    pub(super) fn charge_handshakes(&mut self, since: Instant) {
        let now = clock::now();
        let took = now.saturating_duration_since(since).min(LONGEST_TURN);
        self.handshake_time += took;
        self.handshakes_again = now + took * PEERS_SHARE;
    }

    /// Gives a turn to each peer that waits for one, then to handshakes and listeners while there is time.
    fn give_turns(&mut self) {
        for id in self.turns.take_peers() {
            self.leaves_queue(id);
            self.turn(id);
        }
        while !self.defers_handshakes() {
            match self.turns.next_handshake() {
                Some(Next::Handshake(id)) => {
                    self.leaves_queue(id);
                    self.turn(id);
                }
                Some(Next::Listener(id)) => self.accept(id),
                None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use zeroxide_transports::{Endpoint, Listener};

    use super::super::connections::Maker;
    use super::*;
    use crate::options::Values;
    use crate::{Context, Socket, SocketType};

    const LISTENER: u64 = 7;

    /// A reactor without a thread that listens, and where.
    fn listening(pull: &Socket) -> (Reactor, String) {
        let mut reactor = Reactor::new(Arc::clone(&pull.base().context), Random::new(1)).unwrap();
        let address = listen(&mut reactor, pull, LISTENER);
        (reactor, address)
    }

    fn listen(reactor: &mut Reactor, pull: &Socket, id: u64) -> String {
        let base = pull.base();
        let values = Arc::new(Values::native(None));
        let endpoint = Endpoint::parse_bind("tcp://127.0.0.1:*").unwrap();
        let listener = Listener::bind(&endpoint, &values.socket_options()).unwrap();
        let address = listener.endpoint().to_string().trim_start_matches("tcp://").to_owned();
        reactor.listen(id, Arc::clone(base), listener, values);
        reactor.begin_round();
        address
    }

    /// A look at the listener, in which nobody else has a turn; returns how many are accepted by now.
    fn accept(reactor: &mut Reactor) -> usize {
        reactor.accept_soon(LISTENER);
        reactor.give_turns();
        reactor.connections.len()
    }

    #[test]
    fn accepting_counts_as_handshake_time_and_waits_for_busy_peers() {
        let cx = Context::new();
        let pull = cx.socket(SocketType::Pull).unwrap();
        let (mut reactor, address) = listening(&pull);
        let _connecting = TcpStream::connect(address).unwrap();
        reactor.peer_has_turn();
        reactor.handshakes_again = Instant::now() + Duration::from_secs(3600);
        assert_eq!(accept(&mut reactor), 0, "not even the first");
        let now = Instant::now();
        reactor.handshakes_again = now;
        let deadline = now + Duration::from_secs(60);
        while accept(&mut reactor) == 0 {
            assert!(Instant::now() < deadline);
            reactor.handshake_time = Duration::ZERO;
        }
        assert!(reactor.handshakes_again > now && !reactor.handshake_time.is_zero(), "it was charged");
    }

    #[test]
    fn a_crowd_at_one_listener_keeps_nobody_out_of_another() {
        let cx = Context::new();
        let pull = cx.socket(SocketType::Pull).unwrap();
        let (mut reactor, crowded) = listening(&pull);
        let quiet = listen(&mut reactor, &pull, LISTENER + 1);
        let _crowd = [(); 40].map(|()| TcpStream::connect(&crowded).unwrap());
        let _one = TcpStream::connect(quiet).unwrap();
        let by = |reactor: &Reactor, listener| {
            let maker = Maker::Listener(listener);
            reactor.connections.values().filter(|connected| connected.maker == maker).count()
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while by(&reactor, LISTENER + 1) == 0 {
            assert!(by(&reactor, LISTENER) < 20, "the crowd is let in, and the other waits");
            assert!(Instant::now() < deadline);
            [LISTENER, LISTENER + 1].into_iter().for_each(|id| reactor.accept_soon(id));
            reactor.begin_round();
            reactor.give_turns();
        }
    }
}
