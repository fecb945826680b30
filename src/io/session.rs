//! The session: one connecting endpoint, which outlives its connections (libzmq session_base.cpp).
//!
//! It keeps the I/O end of the pipe while there is no connection, so that messages can wait for the first peer and for the next
//! connection. On types where each connection has a pipe of its own ([`Session::outlives_connection`]), the pipe ends with its
//! connection, and the next connection gets another one.
//!
//! With the native defaults no failure ends redialling. After a failed attempt the session waits for RECONNECT_IVL plus jitter.
//! After a failed handshake (wrong type, wrong protocol) the wait doubles each time, with jitter. If the peer has no place for
//! this socket, the wait also doubles but stays short, because there may be a place soon.
//!
//! RECONNECT_IVL and RECONNECT_STOP may forbid the next attempt. Then the session gives up: it keeps its queue while the socket is
//! open, because another `connect` to the endpoint dials again. It ends when the socket closes or disconnects.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use zeroxide_patterns::RoutingId;
use zeroxide_transports::pipe::Pipe;
use zeroxide_transports::{Endpoint, Resolved, Stream};
use zeroxide_zmtp::{ConnectionError, ProtocolError, Stage, Traffic};

use super::connections::{Connected, Maker};
use super::reactor::{Reactor, Timer};
use crate::endpoints::EndpointState;
use crate::engine::End;
use crate::engine::slot::Slot;
use crate::error::{DialError, HandshakeError};
use crate::events::EventKind;
use crate::options::Values;
use crate::random::Random;
use crate::socket::base::SocketBase;
use crate::socket::news::News;
use crate::socket::orders::Connect;
use crate::socket::pipe_ends::leave_pipe;

/// The longest wait after [`Setback::Unfit`] if RECONNECT_IVL_MAX is not set.
const LONGEST_FAULT_WAIT: Duration = Duration::from_secs(30);

/// The longest wait after [`Setback::TurnedAway`] if RECONNECT_IVL_MAX is not set.
const LONGEST_TURNED_AWAY_WAIT: Duration = Duration::from_secs(1);

/// One connecting endpoint.
pub(crate) struct Session {
    pub(crate) id: u64,
    pub(crate) base: Arc<SocketBase>,
    pub(crate) endpoint: Endpoint,
    pub(crate) values: Arc<Values>,
    pub(crate) slot: Slot,
    /// The I/O end of the pipe while no engine has it; none where the next connection gets its own.
    pub(crate) pipe: Option<Pipe>,
    /// The routing id that CONNECT_ROUTING_ID gave to the peer.
    pub(crate) given_id: Option<RoutingId>,
    /// Whether the application has handed over its connection. Then nothing is dialled, and the session ends with it.
    inherited: bool,
    /// The connection that was handed over, until the session begins.
    stream: Option<Box<Stream>>,
    /// The routing id that the last peer announced.
    announced_id: Option<Bytes>,
    /// The user of the first peer, to whom the pipe belongs; empty if unknown.
    pub(crate) user: Option<Box<str>>,
    /// The addresses that this attempt has not tried yet.
    pub(crate) addresses: VecDeque<Resolved>,
    /// Whether this attempt waits for the lookup of the endpoint's name.
    pub(crate) looking: bool,
    /// Addresses that came after their attempt was over. The next attempt begins with them.
    pub(crate) late: Option<Vec<Resolved>>,
    pub(crate) backoff: Backoff,
    /// The number of the attempt. Timers of earlier attempts are void.
    pub(crate) attempt: u32,
    /// The number of its present stream or connection.
    pub(crate) connection: Option<u64>,
    /// Whether it was disconnected or its socket was closed, so that it lives on only for unsent messages.
    pub(crate) ending: bool,
    /// Whether it was disconnected.
    disconnected: bool,
    /// Whether the options forbid the next attempt, so that only another `connect` to the endpoint dials again.
    given_up: bool,
}

impl Session {
    /// Creates a session that has not dialled yet.
    pub(crate) fn new(connect: Connect) -> Session {
        let Connect { id, base, endpoint, values, slot, pipe, given_id, stream } = connect;
        Session {
            id,
            base,
            endpoint,
            values,
            slot,
            pipe,
            given_id,
            inherited: stream.is_some(),
            stream,
            announced_id: None,
            user: None,
            addresses: VecDeque::new(),
            looking: false,
            late: None,
            backoff: Backoff::default(),
            attempt: 0,
            connection: None,
            ending: false,
            disconnected: false,
            given_up: false,
        }
    }

    /// Returns whether the pipe stays for the next connection. With IMMEDIATE each connection has its own pipe, and on types that
    /// send to a connection instead of an endpoint.
    fn outlives_connection(&self) -> bool {
        !self.inherited && !self.values.immediate && !self.base.socket_type.has_pipe_per_connection()
    }

    /// Returns whether a peer with this routing id may get the messages that wait for the peer before it. On a ROUTER a peer with
    /// another routing id is another peer, unless CONNECT_ROUTING_ID has named the endpoint.
    fn may_inherit_queue(&mut self, routing_id: &Bytes) -> bool {
        let before = self.announced_id.replace(routing_id.clone());
        let by_id = self.base.socket_type.addresses() && self.given_id.is_none();
        !by_id || before.is_none_or(|before| before == routing_id)
    }

    /// Returns whether messages wait to be sent, and the session has not given up.
    fn has_sendable(&mut self) -> bool {
        !self.given_up && self.has_unsent()
    }

    /// Returns whether messages wait to be sent.
    pub(crate) fn has_unsent(&mut self) -> bool {
        self.pipe.as_mut().is_some_and(|pipe| pipe.reader.has_input())
    }
}

/// Computes the waits between attempts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    turned_away: u32,
    faults: u32,
}

/// How an attempt has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setback {
    /// No peer was reached, or a connection was lost after its handshake.
    Lost,
    /// The peer has closed before it sent anything, because it has too many handshakes, or it has no place for this socket (a
    /// routing id in use, a PAIR that has its peer). It may have a place soon.
    TurnedAway,
    /// The handshake has failed for another reason.
    Unfit,
}

impl Backoff {
    /// Returns the wait after one more failure; `None` if the options forbid another attempt (RECONNECT_IVL -1 or 0).
    ///
    /// libzmq capi: IVL plus random(0..IVL) without a maximum, doubling without jitter with one.
    pub(crate) fn next(
        &mut self,
        values: &Values,
        setback: Setback,
        random: &mut Random,
    ) -> Option<Duration> {
        let interval = values.reconnect_ivl.filter(|_| values.redials())?;
        let max = values.reconnect_ivl_max.filter(|max| !max.is_zero());
        let doublings = match setback {
            Setback::Lost => &mut self.failures,
            Setback::TurnedAway => &mut self.turned_away,
            Setback::Unfit => &mut self.faults,
        };
        let doubled = interval.saturating_mul(1 << (*doublings).min(20));
        *doublings = doublings.saturating_add(1);
        Some(match setback {
            Setback::Lost => match max {
                Some(max) => doubled.min(max),
                None => interval + random.below(interval),
            },
            // With jitter, so that clients that were turned away together do not come back together.
            Setback::TurnedAway => {
                let longest = doubled.min(max.unwrap_or(LONGEST_TURNED_AWAY_WAIT.max(interval)));
                longest / 2 + random.below(longest / 2)
            }
            Setback::Unfit => {
                let cap = max.unwrap_or(LONGEST_FAULT_WAIT.max(interval.saturating_mul(2)));
                let longest = doubled.saturating_mul(2).min(cap);
                let shortest = (longest / 2).max(interval.min(longest));
                shortest + random.below(longest - shortest)
            }
        })
    }

    /// Notes that a connection was made.
    pub(crate) fn connected(&mut self) {
        self.failures = 0;
    }

    /// Notes that a handshake has succeeded.
    pub(crate) fn established(&mut self) {
        (self.turned_away, self.faults) = (0, 0);
    }
}

impl Reactor {
    /// Adds a new session and dials, unless it has a connection already.
    pub(super) fn connect(&mut self, mut session: Session) {
        let (id, stream) = (session.id, session.stream.take());
        let late = self.is_closed(&session.base);
        self.sessions.insert(id, session);
        match stream {
            _ if late => self.end_session(id),
            Some(stream) => self.take_over(id, *stream),
            None => self.dial(id),
        }
    }

    /// Takes the session's pipe for a connection after its handshake. Returns `None` if the connection gets its own pipe.
    pub(super) fn take_session_pipe(
        &mut self,
        maker: Maker,
        connection: u64,
        routing_id: &Bytes,
    ) -> Option<Pipe> {
        let Maker::Session(id) = maker else { return None };
        let session = self.sessions.get_mut(&id)?;
        session.backoff.established();
        session.base.endpoints.set_state(id, EndpointState::Connected { connection });
        let is_successor = session.may_inherit_queue(routing_id);
        let mut pipe = session.pipe.take()?;
        if is_successor {
            if session.base.socket_type.publishes() {
                // The subscriptions of the last peer are removed before the new peer is known.
                pipe.writer.write(Traffic::NextConnection);
                pipe.writer.flush();
                session.base.post(News::Readable(session.slot.clone()));
            }
            return Some(pipe);
        }
        leave_pipe(&session.base, &session.slot, pipe);
        None
    }

    /// Takes back the pipe of a connection that has ended. The session keeps it for the next connection, or it ends.
    pub(super) fn give_pipe_back(&mut self, connected: &Connected, pipe: Pipe) {
        let session = match connected.maker {
            Maker::Session(id) => self.sessions.get_mut(&id).filter(|session| session.outlives_connection()),
            Maker::Listener(_) => None,
        };
        match session {
            Some(session) => {
                session.pipe.insert(pipe).reader.lose_connection();
                session.base.post(News::Lost(session.slot.clone()));
            }
            None => leave_pipe(&connected.base, &connected.slot, pipe),
        }
    }

    /// Dials again after the connection of a session has ended, or ends the session.
    pub(super) fn session_lost(&mut self, id: u64, connected: &Connected, end: &End) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.connection = None;
        let finished = matches!(end, End::Drained | End::Stopped);
        // Whether the peer has broken the protocol (libzmq session_base.cpp).
        let fault = match end {
            // libzmq takes for ZMTP 1.0 what is no ZMTP (zmtp_engine.cpp), so these are no faults there.
            End::Protocol(ConnectionError::Protocol(error)) => {
                !error.is_want_of_place()
                    && !matches!(
                        error,
                        ProtocolError::NotZmtp { .. }
                            | ProtocolError::MalformedIdentity { .. }
                            | ProtocolError::EmptyFrameV1
                    )
            }
            _ => false,
        };
        let last = if session.inherited {
            true
        } else if session.values.redial_after_fault {
            connected.peer.is_some() && !fault && !session.values.redials()
        } else {
            // libzmq ends the endpoint whether the handshake was over or not.
            fault || !session.values.redials()
        };
        if finished || last || (session.ending && !session.has_unsent()) {
            return self.end_session(id);
        }
        let failure = match (&connected.peer, end) {
            // A loss after the handshake is no failure of the peer.
            (Some(_), End::Lost(_)) => None,
            _ => Some(Arc::new(connected.handshake_error(end))),
        };
        let setback = match (&failure, end) {
            (None, _) => Setback::Lost,
            // libzmq has no other wait (session_base.cpp `reconnect`).
            _ if !session.values.redial_after_fault => Setback::Lost,
            (Some(error), End::Lost(_)) if error.stage == Some(Stage::Greeting) => Setback::TurnedAway,
            // Before its READY the peer has refused this socket, and may have a place soon. After it this socket has refused
            // the peer. What the peer has sent until then is lost with the connection, so the next attempt comes late.
            (Some(error), _) if error.is_want_of_place() && error.stage < Some(Stage::Ready) => {
                Setback::TurnedAway
            }
            (Some(_), _) => Setback::Unfit,
        };
        let stop = connected.values.reconnect_stop.handshake_failed && connected.peer.is_none();
        self.retry(id, setback, failure, stop);
    }

    /// Tries the next address after one has failed, or ends the attempt.
    pub(super) fn attempt_failed(&mut self, id: u64, error: DialError) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.connection = None;
        if session.addresses.is_empty() { self.attempt_over(id, error) } else { self.dial_next(id) }
    }

    /// Ends an attempt without a connection; `error` is that of the last address.
    pub(super) fn attempt_over(&mut self, id: u64, error: DialError) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let text = session.endpoint.to_string();
        let stops = session.values.reconnect_stop;
        let stop =
            error.is_refused() && (stops.conn_refused || stops.after_disconnect && session.disconnected);
        // A proxy that has refused a password will refuse it again.
        let unfit = matches!(error, DialError::Proxy(error) if error.is_of_proxy());
        session.base.endpoints.failed(id, error.clone());
        session.base.monitors.emit(id, "", &text, EventKind::ConnectFailed(error));
        let setback = if unfit && session.values.redial_after_fault { Setback::Unfit } else { Setback::Lost };
        self.retry(id, setback, None, stop);
    }

    /// Arms the timer of the next attempt, or gives up if RECONNECT_IVL or RECONNECT_STOP (`stop`) forbids one. `fault` is the
    /// error of the handshake.
    fn retry(&mut self, id: u64, setback: Setback, fault: Option<Arc<HandshakeError>>, stop: bool) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.ending && !session.has_unsent() {
            return self.end_session(id);
        }
        session.attempt += 1;
        let attempt = session.attempt;
        let wait = session.backoff.next(&session.values, setback, &mut self.random);
        let wait = wait.filter(|_| !stop);
        // What RECONNECT_STOP stops, libzmq ends at once, and with it what is queued (session_base.cpp
        // `process_conn_failed`). Nothing dials again but another `connect`, which cannot come to a session that is ending.
        let ends = wait.is_none() && (session.ending || stop && !session.values.redial_after_fault);
        session.given_up = wait.is_none();
        session.base.endpoints.waits(id, fault, session.given_up && !ends);
        session.base.watch.notify_all();
        if ends {
            return self.end_session(id);
        }
        let Some(wait) = wait else { return };
        let text = session.endpoint.to_string();
        let kind = EventKind::ConnectRetried { after: wait, attempt };
        session.base.monitors.emit(id, "", &text, kind);
        self.arm_after(wait, Timer::Dial(id, attempt));
    }

    /// Dials when the timer of an attempt has fired.
    pub(super) fn dial_again(&mut self, id: u64, attempt: u32) {
        if self.sessions.get(&id).is_some_and(|s| s.attempt == attempt && s.connection.is_none()) {
            self.dial(id);
        }
    }

    /// Dials at once, because the application connects to the same endpoint once more, perhaps with other options.
    pub(super) fn redial(&mut self, id: u64, values: Arc<Values>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.connection.is_none() {
            session.values = values;
            session.attempt += 1;
            session.backoff = Backoff::default();
            session.given_up = false;
            self.dial(id);
        }
    }

    /// Disconnects a session, which lingers for its unsent messages.
    pub(super) fn disconnect(&mut self, id: u64) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        (session.ending, session.disconnected) = (true, true);
        let linger = session.base.enter(|state| state.values.linger);
        let needed = self.is_needed(id);
        match linger {
            Some(linger) if linger.is_zero() || !needed => return self.end_session(id),
            Some(linger) => self.arm_after(linger, Timer::SessionLinger(id)),
            None if !needed => return self.end_session(id),
            None => {}
        }
        self.drain(id);
    }

    /// Returns whether an ending session is still needed: it has a peer, which sends the rest of the pipe, or it has unsent
    /// messages. An unfinished connection without messages is not needed.
    pub(super) fn is_needed(&mut self, id: u64) -> bool {
        let Some(session) = self.sessions.get_mut(&id) else { return false };
        let connected = session.connection.and_then(|id| self.connections.get(&id));
        connected.is_some_and(|connected| connected.peer.is_some()) || session.has_sendable()
    }

    /// Gives the connection of an ending session a turn, in which it sees that nothing more will be sent.
    pub(super) fn drain(&mut self, id: u64) {
        let Some(session) = self.sessions.get(&id) else { return };
        let Some(connection) = session.connection else { return };
        self.turn(connection);
    }

    /// Ends a session now, even if messages are unsent.
    pub(super) fn end_session(&mut self, id: u64) {
        let Some(mut session) = self.sessions.remove(&id) else { return };
        self.lookups.forget(id, session.base.id);
        session.base.endpoints.remove(id);
        if let Some(connection) = session.connection.take() {
            self.forget_dialled(connection);
            if let Some(connected) = self.connections.get(&connection) {
                connected.engine.stop();
                self.turn(connection);
            }
        }
        if let Some(pipe) = session.pipe.take() {
            leave_pipe(&session.base, &session.slot, pipe);
        }
        session.base.post(News::Changed);
        self.reap(session.base.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(interval: u64, max: u64) -> Values {
        let mut values = Values::native(None);
        values.reconnect_ivl = Some(Duration::from_millis(interval));
        values.reconnect_ivl_max = Some(Duration::from_millis(max));
        values
    }

    #[test]
    fn without_a_maximum_each_wait_is_the_interval_plus_jitter_below_it() {
        let (mut backoff, mut random) = (Backoff::default(), Random::new(1));
        for _ in 0..1000 {
            let wait = backoff.next(&values(100, 0), Setback::Lost, &mut random).unwrap().as_millis();
            assert!((100..200).contains(&wait), "{wait}");
        }
    }

    #[test]
    fn with_a_maximum_the_wait_doubles_up_to_it() {
        let (mut backoff, mut random) = (Backoff::default(), Random::new(1));
        let mut wait = || backoff.next(&values(100, 500), Setback::Lost, &mut random).unwrap().as_millis();
        assert_eq!([wait(), wait(), wait(), wait()], [100, 200, 400, 500]);
    }

    #[test]
    fn after_a_fault_of_the_peer_the_wait_with_its_jitter_doubles_up_to_thirty_seconds_or_the_maximum() {
        for (max, cap) in [(0, 30_000), (5_000, 5_000)] {
            for seed in 0..100 {
                let (mut backoff, mut random) = (Backoff::default(), Random::new(seed));
                for n in 0..40 {
                    let wait = backoff.next(&values(100, max), Setback::Unfit, &mut random).unwrap();
                    let longest = (200 << n.min(20)).min(cap);
                    assert!((longest / 2..longest).contains(&wait.as_millis()), "{n}: {wait:?}");
                }
            }
        }
    }

    #[test]
    fn those_who_found_a_server_unfit_together_do_not_come_back_together() {
        let mut moments: Vec<Duration> = (0..1000)
            .map(|seed| {
                let (mut backoff, mut random) = (Backoff::default(), Random::new(seed));
                (0..10).map(|_| backoff.next(&values(100, 0), Setback::Unfit, &mut random).unwrap()).sum()
            })
            .collect();
        moments.sort();
        // A thousand clients, at their eleventh attempt: no tenth of a second sees more than one in twenty of them.
        let crowd = moments.windows(50).filter(|w| w[49] - w[0] < Duration::from_millis(100)).count();
        assert_eq!(crowd, 0);
    }

    #[test]
    fn a_wait_after_a_fault_is_never_below_the_interval_nor_above_the_maximum() {
        let (mut backoff, mut random) = (Backoff::default(), Random::new(1));
        for _ in 0..100 {
            let wait = backoff.next(&values(60_000, 0), Setback::Unfit, &mut random).unwrap().as_secs();
            assert!((60..120).contains(&wait), "{wait}");
        }
        let wait = Backoff::default().next(&values(100, 70), Setback::Unfit, &mut random).unwrap();
        assert_eq!(wait.as_millis(), 70);
    }

    #[test]
    fn who_was_turned_away_at_the_door_waits_a_second_at_most_and_not_as_long_as_others() {
        let (mut backoff, mut random) = (Backoff::default(), Random::new(1));
        let mut wait =
            || backoff.next(&values(100, 0), Setback::TurnedAway, &mut random).unwrap().as_millis();
        for longest in [100, 200, 400, 800, 1000, 1000, 1000] {
            let waits = wait();
            assert!((longest / 2..longest).contains(&waits), "{waits} of {longest}");
        }
    }

    #[test]
    fn no_interval_means_no_second_attempt() {
        let mut off = values(0, 0);
        assert_eq!(Backoff::default().next(&off, Setback::Lost, &mut Random::new(1)), None);
        off.reconnect_ivl = None;
        assert_eq!(Backoff::default().next(&off, Setback::Lost, &mut Random::new(1)), None);
    }
}
