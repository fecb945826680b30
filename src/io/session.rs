//! The session: one connecting endpoint, which outlives its connections (libzmq session_base.cpp).
//!
//! It keeps the I/O end of the pipe while there is no connection, so that messages queue before the peer exists and
//! survive a reconnection. The pipe goes with its connection where it is not the endpoint's
//! ([`Session::outlives_connection`]); the next connection gets another one. Natively no failure ends redialling: a failed attempt waits RECONNECT_IVL plus jitter; a
//! peer that is reached but unfit (wrong type, wrong protocol) is asked again after a doubling wait with jitter, and so
//! is one that has no room or no place for us, but that wait stays short: it may have one soon.
//!
//! RECONNECT_IVL and RECONNECT_STOP may forbid the next attempt. The session then gives up: it keeps its queue while the socket
//! is open, for another `connect` to the endpoint dials again, and ends as soon as the socket closes or disconnects.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use zeroxide_patterns::RoutingId;
use zeroxide_transports::pipe::Pipe;
use zeroxide_transports::{Endpoint, Resolved};
use zeroxide_zmtp::{ConnectionError, ProtocolError, Stage, Traffic};

use super::connections::{Connected, Maker};
use super::reactor::{Reactor, Timer};
use crate::endpoints::EndpointState;
use crate::engine::End;
use crate::engine::slot::Slot;
use crate::error::{DialError, HandshakeError};
use crate::monitor::EventKind;
use crate::options::Values;
use crate::random::Random;
use crate::socket::base::SocketBase;
use crate::socket::news::News;
use crate::socket::orders::Connect;
use crate::socket::pipe_ends::leave_pipe;

/// The longest wait after failures of the peer where RECONNECT_IVL_MAX sets none.
const LONGEST_FAULT_WAIT: Duration = Duration::from_secs(30);

/// The longest wait after [`Setback::TurnedAway`] where RECONNECT_IVL_MAX sets none.
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
    /// The routing id that the last peer announced.
    announced_id: Option<Bytes>,
    /// The user that its pipe belongs to, since the first handshake; empty for nobody in particular.
    pub(crate) user: Option<Box<str>>,
    /// Addresses of the endpoint's name that this attempt has not tried yet.
    pub(crate) addresses: VecDeque<Resolved>,
    /// This attempt waits for the addresses of the endpoint's name.
    pub(crate) looking: bool,
    /// Addresses that came after their attempt was over: the next attempt begins with them.
    pub(crate) late: Option<Vec<Resolved>>,
    pub(crate) backoff: Backoff,
    /// Number of the attempt; timers of earlier ones are void.
    pub(crate) attempt: u32,
    /// The stream or connection it has now.
    pub(crate) connection: Option<u64>,
    /// It was disconnected, or its socket closed: it lives on for what is unsent.
    pub(crate) ending: bool,
    /// It was disconnected.
    disconnected: bool,
    /// The options forbid the next attempt: only another `connect` to the endpoint dials again.
    given_up: bool,
}

impl Session {
    /// Creates a session that has not dialled yet.
    pub(crate) fn new(connect: Connect) -> Session {
        let Connect { id, base, endpoint, values, slot, pipe, given_id } = connect;
        Session {
            id,
            base,
            endpoint,
            values,
            slot,
            pipe,
            given_id,
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

    /// Returns whether the pipe is the endpoint's and waits for its next connection. With IMMEDIATE each connection has its own,
    /// and so it has on the types that send to a connection, not to an endpoint.
    fn outlives_connection(&self) -> bool {
        !self.values.immediate && !self.base.socket_type.has_pipe_per_connection()
    }

    /// Returns whether a peer with this routing id may have what waits for the one before it. A ROUTER addresses peers by their
    /// ids: another id is another peer, unless the application has named the endpoint itself.
    fn succeeds(&mut self, routing_id: &Bytes) -> bool {
        let before = self.announced_id.replace(routing_id.clone());
        let by_id = self.base.socket_type.addresses() && self.given_id.is_none();
        !by_id || before.is_none_or(|before| before == routing_id)
    }

    /// Returns whether something waits to be sent and there is, or may be, somebody to send it to.
    fn has_sendable(&mut self) -> bool {
        !self.given_up && self.has_unsent()
    }

    /// Returns whether something waits to be sent.
    pub(crate) fn has_unsent(&mut self) -> bool {
        self.pipe.as_mut().is_some_and(|pipe| pipe.reader.has_input())
    }
}

/// When to dial again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    turned_away: u32,
    faults: u32,
}

/// How an attempt came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setback {
    /// Nobody was reached, or a peer is lost.
    Lost,
    /// The peer closed before it said anything, as one does that has no room for another handshake, or it has no place for
    /// this socket (a routing id in use, a PAIR that has its peer). It may have one soon.
    TurnedAway,
    /// The peer was reached and found unfit.
    Unfit,
}

impl Backoff {
    /// Returns the wait after one more failure; `None` when the options forbid another attempt (RECONNECT_IVL -1 or 0).
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
            // Those who were refused or turned away together do not come back together.
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

    /// A connection was made.
    pub(crate) fn connected(&mut self) {
        self.failures = 0;
    }

    /// A handshake succeeded.
    pub(crate) fn established(&mut self) {
        (self.turned_away, self.faults) = (0, 0);
    }
}

impl Reactor {
    /// Takes a new session and dials.
    pub(super) fn connect(&mut self, session: Session) {
        let id = session.id;
        let late = self.is_closed(&session.base);
        self.sessions.insert(id, session);
        if late { self.end_session(id) } else { self.dial(id) }
    }

    /// Returns the session's pipe for a connection whose handshake is over; none if the connection is to have its own.
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
        let is_successor = session.succeeds(routing_id);
        let mut pipe = session.pipe.take()?;
        if is_successor {
            if session.base.socket_type.publishes() {
                // Before anybody hears of the new peer, what the last one had subscribed to is forgotten.
                pipe.writer.write(Traffic::NextConnection);
                pipe.writer.flush();
                session.base.post(News::Readable(session.slot.clone()));
            }
            return Some(pipe);
        }
        leave_pipe(&session.base, &session.slot, pipe);
        None
    }

    /// The connection that had this pipe is over: its session keeps the pipe for the next one, or the pipe ends.
    pub(super) fn give_pipe_back(&mut self, connected: &Connected, pipe: Pipe) {
        let session = match connected.maker {
            Maker::Session(id) => self.sessions.get_mut(&id).filter(|session| session.outlives_connection()),
            Maker::Listener(_) => None,
        };
        match session {
            Some(session) => {
                session.pipe = Some(pipe);
                session.base.post(News::Lost(session.slot.clone()));
            }
            None => leave_pipe(&connected.base, &connected.slot, pipe),
        }
    }

    /// The connection of a session is over: dial again, or end the session.
    pub(super) fn session_lost(&mut self, id: u64, connected: &Connected, end: &End) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.connection = None;
        let finished = matches!(end, End::Drained | End::Stopped);
        // Nobody will come to this pipe any more (libzmq session_base.cpp).
        let fault = match end {
            // What is no ZMTP libzmq takes for ZMTP 1.0, until it closes (zmtp_engine.cpp).
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
        let last = if session.values.redial_after_fault {
            connected.peer.is_some() && !fault && !session.values.redials()
        } else {
            // libzmq ends the endpoint whether the handshake was over or not.
            fault || !session.values.redials()
        };
        if finished || last || (session.ending && !session.has_unsent()) {
            return self.end_session(id);
        }
        let failure = match (&connected.peer, end) {
            // An orderly loss after the handshake says nothing against the peer.
            (Some(_), End::Lost(_)) => None,
            _ => Some(Arc::new(connected.handshake_error(end))),
        };
        let setback = match (&failure, end) {
            (None, _) => Setback::Lost,
            // libzmq knows no other wait (session_base.cpp `reconnect`).
            _ if !session.values.redial_after_fault => Setback::Lost,
            (Some(error), End::Lost(_)) if error.stage == Some(Stage::Greeting) => Setback::TurnedAway,
            // Before its READY the peer refuses us, and may have a place soon. After it this socket refuses the peer. What the
            // peer has sent until then is lost with the connection, so the next attempt comes late.
            (Some(error), _) if error.is_want_of_place() && error.stage < Some(Stage::Ready) => {
                Setback::TurnedAway
            }
            (Some(_), _) => Setback::Unfit,
        };
        let stop = connected.values.reconnect_stop.handshake_failed && connected.peer.is_none();
        self.retry(id, setback, failure, stop);
    }

    /// What was tried last failed before there was a connection: on to the next address, if there is one.
    pub(super) fn attempt_failed(&mut self, id: u64, error: DialError) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.connection = None;
        if session.addresses.is_empty() { self.attempt_over(id, error) } else { self.dial_next(id) }
    }

    /// One attempt failed before there was a connection; `error` is that of its last address.
    pub(super) fn attempt_over(&mut self, id: u64, error: DialError) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let text = session.endpoint.to_string();
        let stops = session.values.reconnect_stop;
        let stop =
            error.is_refused() && (stops.conn_refused || stops.after_disconnect && session.disconnected);
        // A proxy that refuses a password refuses it again.
        let unfit = matches!(error, DialError::Proxy(error) if error.is_of_proxy());
        session.base.endpoints.failed(id, error.clone());
        session.base.monitors.emit(id, "", &text, EventKind::ConnectFailed(error));
        let setback = if unfit && session.values.redial_after_fault { Setback::Unfit } else { Setback::Lost };
        self.retry(id, setback, None, stop);
    }

    /// Arms the timer of the next attempt, or gives up if the options forbid one (`stop`: RECONNECT_STOP); `fault` tells what
    /// was wrong with the peer.
    fn retry(&mut self, id: u64, setback: Setback, fault: Option<Arc<HandshakeError>>, stop: bool) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.ending && !session.has_unsent() {
            return self.end_session(id);
        }
        session.attempt += 1;
        let attempt = session.attempt;
        let wait = session.backoff.next(&session.values, setback, &mut self.random);
        session.base.endpoints.set_state(
            id,
            match fault {
                Some(fault) => EndpointState::Failed(fault),
                None => EndpointState::Waiting,
            },
        );
        session.base.watch.notify_all();
        let Some(wait) = wait.filter(|_| !stop) else { return self.give_up(id, stop) };
        let text = session.endpoint.to_string();
        let kind = EventKind::ConnectRetried { after: wait, attempt };
        session.base.monitors.emit(id, "", &text, kind);
        self.arm_after(wait, Timer::Dial(id, attempt));
    }

    /// Nothing dials again but another `connect`, and that cannot come when the session is ending. What RECONNECT_STOP stops,
    /// libzmq ends at once, and with it what is queued (session_base.cpp `process_conn_failed`).
    fn give_up(&mut self, id: u64, stop: bool) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.ending || stop && !session.values.redial_after_fault {
            return self.end_session(id);
        }
        session.given_up = true;
        session.base.endpoints.change(id, |row| row.given_up = true);
        session.base.watch.notify_all();
    }

    /// The timer of an attempt fired.
    pub(super) fn dial_again(&mut self, id: u64, attempt: u32) {
        if self.sessions.get(&id).is_some_and(|s| s.attempt == attempt && s.connection.is_none()) {
            self.dial(id);
        }
    }

    /// The application connects to the same endpoint once more, perhaps with other options: it is dialled at once.
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

    /// The application disconnects: the session lingers for what is unsent, without the socket.
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

    /// Returns whether an ending session has a peer, which has the pipe and is to drain it, or something to send to the peer
    /// that it looks for. A connection on its way is not waited for if nothing waits for it.
    pub(super) fn is_needed(&mut self, id: u64) -> bool {
        let Some(session) = self.sessions.get_mut(&id) else { return false };
        let connected = session.connection.and_then(|id| self.connections.get(&id));
        connected.is_some_and(|connected| connected.peer.is_some()) || session.has_sendable()
    }

    /// Gives the connection of an ending session a turn, in which it finds out that nothing more will come.
    pub(super) fn drain(&mut self, id: u64) {
        let Some(session) = self.sessions.get(&id) else { return };
        let Some(connection) = session.connection else { return };
        self.turn(connection);
    }

    /// The session ends now, whatever is unsent.
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
