//! The connections of one I/O thread: their turns, the end of their handshake, and their own end.
//!
//! The I/O thread drives a connection's engine on an edge, on a timer, and when the engine wants another turn. For output, and
//! for input that waits for room, the thread of the application drives it (`socket/settle`).

use std::io;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use mio::{Interest, Token};
use zeroxide_patterns::Origin;
use zeroxide_transports::Stream;
use zeroxide_transports::pipe::Pipe;
use zeroxide_zmtp::connection::{Connection, Established, Introduction};
use zeroxide_zmtp::{ConnectionError, Message, Peer, ProtocolError};

use super::acceptor::Place;
use super::half_closed::HalfClosed;
use super::notices::{named, notify};
use super::reactor::{Reactor, Timer};
use super::zap::Question;
use crate::clock;
use crate::engine::listening::Registered;
use crate::engine::slot::Slot;
use crate::engine::{Driver, End, Engine};
use crate::error::{Denial, HandshakeCause, HandshakeError};
use crate::events::{DisconnectReason, EventKind};
use crate::options::Values;
use crate::signal::after;
use crate::socket::base::SocketBase;
use crate::socket::news::{Attach, News};
use crate::socket::pipe_ends::make_pipe;
use crate::socket::pipes::{Entry, Link};
use crate::stats::Counters;

/// What a connection belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    Session(u64),
    Listener(u64),
}

/// One connection, as its I/O thread knows it.
pub(crate) struct Connected {
    pub(crate) engine: Arc<Engine>,
    pub(crate) base: Arc<SocketBase>,
    pub(crate) slot: Slot,
    pub(crate) maker: Maker,
    /// Its place among the handshakes of its listener, until its own handshake is over.
    place: Option<Place>,
    /// When the time for its handshake is over.
    deadline: Option<Instant>,
    pub(crate) values: Arc<Values>,
    /// Set when the handshake is over.
    pub(crate) peer: Option<Arc<Peer>>,
    pub(crate) address: String,
    /// The question to the ZAP handler about its peer.
    pub(super) question: Option<Question>,
    /// The name or key that its peer has shown, for the event of a refusal.
    pub(super) claim: Option<Box<str>>,
    /// Why its peer is denied, once that is decided.
    pub(super) denial: Option<Denial>,
    /// Whether it is in `Reactor::turns`.
    waits: bool,
    /// The number of turns it has had during its handshake.
    turns: u32,
}

/// A stream that becomes a connection.
pub(crate) struct Opening {
    pub(crate) id: u64,
    pub(crate) stream: Stream,
    pub(crate) base: Arc<SocketBase>,
    pub(crate) slot: Slot,
    pub(crate) maker: Maker,
    pub(crate) place: Option<Place>,
    pub(crate) values: Arc<Values>,
    pub(crate) address: String,
}

impl Connected {
    /// Returns the notices that its socket receives when it is lost.
    fn loss_notices(&self) -> impl Iterator<Item = Message> {
        let connecting = matches!(self.maker, Maker::Session(_));
        self.values.loss_notices(self.base.socket_type, connecting)
    }

    /// Returns why its handshake has failed.
    pub(super) fn handshake_error(&self, end: &End) -> HandshakeError {
        let cause = match (&self.denial, end.handshake_cause()) {
            (Some(denial), HandshakeCause::Protocol(ProtocolError::Denied { .. })) => {
                HandshakeCause::Denied(denial.clone())
            }
            (_, cause) => cause,
        };
        HandshakeError {
            endpoint: self.engine.remote.as_str().into(),
            socket: self.base.socket_type,
            security: self.values.role(),
            connecting: matches!(self.maker, Maker::Session(_)),
            stage: Some(self.engine.stage()),
            claim: self.claim.clone(),
            cause,
        }
    }
}

impl Reactor {
    /// Creates the engine of a connected stream. A stream that is registered already keeps its token.
    ///
    /// # Errors
    /// Returns an error if the poller refuses the stream.
    pub(super) fn open(&mut self, opening: Opening, registered: bool) -> io::Result<()> {
        let Opening { id, mut stream, base, slot, maker, place, values, address } = opening;
        let both = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        if registered {
            registry.reregister(&mut stream, Token(id as usize), both)?
        } else {
            registry.register(&mut stream, Token(id as usize), both)?
        }
        let config = match maker {
            Maker::Listener(_) => values.accepted_config(base.socket_type),
            Maker::Session(_) => values.dialled_config(base.socket_type),
        };
        let config = values.secured(config).map_err(io::Error::other)?;
        let connection = Connection::new(config, clock::now());
        let first_read = values.handshake_buffer as usize;
        let (counters, buffers) = (Arc::clone(&base.counters), Arc::clone(self.link.buffers()));
        let source = Registered { stream, token: Token(id as usize), poll: Arc::downgrade(&self.registry) };
        let engine = Engine::new(id, source, connection, slot.clone(), counters, buffers, first_read);
        let deadline = values.handshake_ivl.and_then(after);
        let (peer, question, claim, denial, waits) = (None, None, None, None, false);
        let connected = Connected {
            engine,
            base,
            slot,
            maker,
            place,
            deadline,
            values,
            peer,
            address,
            question,
            claim,
            denial,
            waits,
            turns: 0,
        };
        self.connections.insert(id, connected);
        // It waits for its turn, behind earlier connections.
        self.give_turn(id);
        Ok(())
    }

    /// Drives one engine, and does what only the I/O thread can do for it.
    pub(super) fn turn(&mut self, id: u64) {
        let Some(connected) = self.connections.get(&id) else { return self.turn_of_half_closed(id) };
        let (engine, base) = (Arc::clone(&connected.engine), Arc::clone(&connected.base));
        if connected.peer.is_some() {
            self.peer_has_turn();
            self.drive(&engine, &base);
        } else if self.defers_handshakes() {
            return self.give_turn(id);
        } else {
            let start = clock::now();
            self.drive(&engine, &base);
            self.charge_handshakes(start);
            if let Some(connected) = self.connections.get_mut(&id) {
                connected.turns = connected.turns.saturating_add(1);
            }
        }
        let outcome = engine.take_outcome();
        if let Some(deadline) = outcome.deadline {
            self.arm(deadline, Timer::Engine(id));
        }
        if outcome.again {
            self.give_turn(id);
        }
        if let Some(shown) = outcome.credentials.filter(|_| outcome.ended.is_none()) {
            self.authorise(id, *shown);
        }
        if let Some(introduction) = outcome.introduction.filter(|_| outcome.ended.is_none()) {
            self.introduced(id, &introduction);
        }
        if let Some(established) = outcome.established {
            // If a connection has ended right after its handshake, before it had a pipe, it never becomes a peer.
            match outcome.ended {
                None => self.established(id, established),
                Some((end, pipe)) => {
                    debug_assert!(pipe.is_none(), "no pipe before the handshake");
                    self.ended(id, end, pipe, None);
                }
            }
        } else if let Some((end, pipe)) = outcome.ended {
            self.ended(id, end, pipe, outcome.cut);
        }
    }

    /// Drives one engine, and gives the effects to its socket.
    fn drive(&mut self, engine: &Engine, base: &Arc<SocketBase>) {
        let effects = engine.drive(Driver::Reactor);
        if effects.again {
            self.give_turn(engine.id);
        }
        base.take_effects(&engine.slot, effects);
    }

    /// Completes the handshake of an accepted connection if there is a place for its peer, and turns the peer away if there is
    /// none. The peer has sent no message yet, so it keeps its queue. No other connection can take the place before
    /// [`Reactor::established`] takes it, because one I/O thread serves all connections of a socket.
    fn introduced(&mut self, id: u64, peer: &Introduction) {
        let fault = self.want_of_place(id, &peer.routing_id, &peer.user_id);
        let Some(connected) = self.connections.get(&id) else { return };
        let welcomed = match fault {
            Some(fault) => {
                connected.engine.turn_away(fault);
                None
            }
            None => connected.engine.welcome(),
        };
        match welcomed {
            Some(established) => self.established(id, established),
            None => self.give_turn(id),
        }
    }

    /// Returns why the socket has no place for the peer of a connection, or `None` if it has one. A peer that has its routing id
    /// from CONNECT_ROUTING_ID always has a place.
    fn want_of_place(&self, id: u64, routing_id: &[u8], user: &str) -> Option<ProtocolError> {
        let connected = self.connections.get(&id)?;
        if let Maker::Session(session) = connected.maker {
            let session = self.sessions.get(&session)?;
            if session.given_id.is_some() {
                return None;
            }
        }
        let own = connected.slot.get();
        connected.base.enter(|state| state.want_of_place(own, routing_id, user))
    }

    /// Returns why a peer must be refused after its handshake, or `None` if it may stay.
    fn unfit(&mut self, id: u64, established: &Established) -> Option<ProtocolError> {
        if self.is_another(id, &established.user_id) {
            return Some(ProtocolError::AnothersRoutingId);
        }
        let connected = self.connections.get(&id)?;
        // An accepted peer that could not be refused in its handshake (ZMTP below 3.0) waits for its place. In the C library
        // every peer waits.
        if matches!(connected.maker, Maker::Listener(_)) || !connected.values.refuses() {
            return None;
        }
        self.want_of_place(id, &established.routing_id, &established.user_id)
    }

    /// Completes a connection after its handshake: adds the peer, and gives the engine its pipe.
    fn established(&mut self, id: u64, established: Established) {
        if let Some(fault) = self.unfit(id, &established) {
            let Some(connected) = self.connections.get(&id) else { return };
            connected.engine.expel(fault);
            return self.give_turn(id);
        }
        let Some(maker) = self.connections.get(&id).map(|connected| connected.maker) else { return };
        let origin = self.origin(maker);
        let Some(connected) = self.connections.get_mut(&id) else { return };
        let mut peer = Peer::new(id, connected.address.clone(), clock::now());
        peer.socket_type = established.socket_type;
        peer.routing_id = established.routing_id;
        peer.given_id = origin.routing_id.as_ref().map(|id| id.to_frame().into_bytes()).unwrap_or_default();
        peer.properties = established.properties;
        peer.user_id = established.user_id;
        peer.zmtp = established.version;
        peer.descriptor = Some(connected.engine.descriptor);
        let peer = Arc::new(peer);
        connected.peer = Some(Arc::clone(&peer));
        // It no longer waits among the handshakes, so it may be added to the peers.
        connected.waits = false;
        let (base, engine) = (Arc::clone(&connected.base), Arc::clone(&connected.engine));
        let (slot, values) = (connected.slot.clone(), Arc::clone(&connected.values));
        if let Some(place) = connected.place.take() {
            self.handshake_over(place);
        }
        let pipe = self.take_session_pipe(maker, id, &peer.routing_id);
        base.peers.add(Arc::clone(&peer));
        engine.emit(&base.monitors, EventKind::HandshakeSucceeded { peer: Arc::clone(&peer) });
        let (hello, arrival) = (values.hello(base.socket_type), values.arrival_notice(base.socket_type));
        match pipe {
            Some(mut pipe) => {
                notify(&base, &mut pipe, named(arrival, &Some(Arc::clone(&peer))));
                engine.attach(pipe, hello, Some(Arc::clone(&peer)));
                base.post(News::Up(slot, engine, peer));
            }
            None => {
                let (ours, mut theirs) = make_pipe(&base, &values);
                notify(&base, &mut theirs, arrival);
                engine.attach(theirs, hello, None);
                let endpoint = match maker {
                    Maker::Session(endpoint) | Maker::Listener(endpoint) => endpoint,
                };
                let mut entry = Entry::new(ours, Link::Engine(engine), slot, endpoint);
                entry.was_up = true;
                entry.accepted = matches!(maker, Maker::Listener(_));
                let routing_id: Bytes = peer.routing_id.clone();
                entry.set_only_peer(peer);
                base.post(News::Attach(Box::new(Attach { entry, origin, routing_id })));
            }
        }
        self.give_turn(id);
    }

    /// Returns whether the new peer of a session is another user than the first one, on types that address their peers
    /// (`options/names`).
    fn is_another(&mut self, id: u64, user: &str) -> bool {
        let Some(connected) = self.connections.get(&id).filter(|c| c.base.socket_type.addresses()) else {
            return false;
        };
        let Maker::Session(session) = connected.maker else { return false };
        let Some(session) = self.sessions.get_mut(&session) else { return false };
        let may = session.values.may_take_pipe(session.user.as_deref(), user);
        if may {
            session.user = Some(user.into());
        }
        !may
    }

    /// Notes that a connection or a half-closed stream waits for a turn, unless it does already.
    pub(super) fn give_turn(&mut self, id: u64) {
        if let Some(connected) = self.connections.get_mut(&id) {
            if !std::mem::replace(&mut connected.waits, true) {
                match connected.peer {
                    Some(_) => self.turns.add_peer(id),
                    None => self.turns.add_handshake(id, connected.turns),
                }
            }
        } else if let Some(stream) = self.half_closed.get_mut(&id) {
            if !std::mem::replace(&mut stream.waits, true) {
                if stream.is_refused() { self.turns.add_refused(id) } else { self.turns.add_peer(id) }
            }
        }
    }

    /// Notes that it no longer waits for a turn.
    pub(super) fn leaves_queue(&mut self, id: u64) {
        if let Some(connected) = self.connections.get_mut(&id) {
            connected.waits = false;
        } else if let Some(stream) = self.half_closed.get_mut(&id) {
            stream.waits = false;
        }
    }

    fn origin(&self, maker: Maker) -> Origin {
        match maker {
            Maker::Listener(_) => Origin::default(),
            Maker::Session(id) => Origin {
                connected: true,
                routing_id: self.sessions.get(&id).and_then(|s| s.given_id.clone()),
            },
        }
    }

    /// Removes a connection that has ended.
    fn ended(&mut self, id: u64, end: End, pipe: Option<Pipe>, cut: Option<u64>) {
        let Some(mut connected) = self.connections.remove(&id) else { return };
        connected.question = None;
        if let Some(mut pipe) = pipe {
            let told = end.reason() != DisconnectReason::Ours
                && notify(&connected.base, &mut pipe, named(connected.loss_notices(), &connected.peer));
            if told {
                connected.base.post(News::Readable(connected.slot.clone()));
            }
            // In this order, so that the socket knows of the loss before the peer is removed from the list.
            self.give_pipe_back(&connected, pipe);
        }
        if connected.peer.is_some() {
            connected.base.peers.remove(id);
        }
        let place = connected.place.take();
        match connected.engine.take_stream() {
            Some((stream, unsent)) if connected.peer.is_none() && end.is_told() => {
                let stream = HalfClosed::refused(stream, unsent, connected.base.id, place);
                self.half_close(id, stream, connected.deadline);
            }
            Some((stream, _)) if matches!(end, End::Drained) && stream.is_reset_by_close() => {
                self.half_close(id, HalfClosed::in_order(stream), None);
            }
            stream => {
                if let Some((mut stream, _)) = stream {
                    let _ = self.poll.registry().deregister(&mut stream);
                }
                place.into_iter().for_each(|place| self.handshake_over(place));
            }
        }
        self.report_end(&connected, &end, cut);
        if let Maker::Session(session) = connected.maker {
            self.session_lost(session, &connected, &end);
        }
        connected.base.post(News::Changed);
        self.reap(connected.base.id);
    }

    fn report_end(&self, connected: &Connected, end: &End, cut: Option<u64>) {
        let base = &connected.base;
        if let End::Protocol(ConnectionError::Protocol(fault)) = end {
            let counters = &base.counters;
            Counters::add(
                &counters.out_of_memory,
                u64::from(matches!(fault, ProtocolError::OutOfMemory { .. })),
            );
            Counters::add(&counters.too_large, u64::from(fault.is_of_size()));
        }
        let kind = match (&connected.peer, end) {
            (Some(peer), end) => EventKind::Disconnected { peer: Arc::clone(peer), why: end.reason(), cut },
            (None, End::Stopped | End::Drained) => return,
            (None, end) => EventKind::HandshakeFailed(Arc::new(connected.handshake_error(end))),
        };
        connected.engine.emit(&base.monitors, kind);
    }
}
