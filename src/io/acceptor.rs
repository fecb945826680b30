//! Listeners on the reactor: accepting connections, closing those that are too many, and pausing when the process has no
//! descriptor left.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use mio::{Interest, Token};
use zeroxide_transports::{Accepted, Listener, Stream};

use super::connections::{Maker, Opening};
use super::reactor::{Reactor, Timer};
use crate::clock;
use crate::engine::slot::Slot;
use crate::error::{DialError, IoError, is_limit};
use crate::events::{Crowd, EventKind};
use crate::options::Values;
use crate::socket::base::SocketBase;
use crate::stats::Counters;

/// One bound endpoint.
pub(crate) struct Acceptor {
    listener: Listener,
    pub(super) base: Arc<SocketBase>,
    values: Arc<Values>,
    pending: Pending,
    /// Whether it waits for a turn, or for a timer after which it will. An edge changes nothing then.
    waits: bool,
}

impl Acceptor {
    /// Emits the event of a connection that was closed before its handshake.
    fn tell(&self, id: u64, remote: &str, kind: EventKind) {
        let local = self.listener.endpoint().to_string();
        self.base.monitors.emit(id, &local, remote, kind);
    }
}

/// Whether another connection waits at a listener.
enum Next {
    Maybe,
    None,
    /// It cannot be found out before this time is over.
    After(Duration),
}

impl Reactor {
    /// Serves a new listener.
    pub(super) fn listen(
        &mut self,
        id: u64,
        base: Arc<SocketBase>,
        mut listener: Listener,
        values: Arc<Values>,
    ) {
        if self.is_closed(&base) {
            return base.endpoints.remove(id);
        }
        let local = listener.endpoint().to_string();
        match self.poll.registry().register(&mut listener, Token(id as usize), Interest::READABLE) {
            Ok(()) => {
                if values.exposes(listener.endpoint(), base.socket_type) {
                    base.monitors.emit(id, &local, "", EventKind::Exposed);
                }
                let descriptor = Some(listener.raw());
                base.monitors.emit_at(id, descriptor, &local, "", EventKind::Listening);
                self.listeners.insert(
                    id,
                    Acceptor { listener, base, values, pending: Pending::default(), waits: false },
                );
                self.accept_soon(id);
            }
            Err(error) => {
                let cause = IoError::from(error);
                base.endpoints.failed(id, DialError::Io(cause.clone()));
                base.monitors.emit(id, &local, "", EventKind::BindFailed(cause));
            }
        }
    }

    /// Notes that a connection may wait at a listener, which waits for a turn now.
    pub(super) fn accept_soon(&mut self, id: u64) {
        if let Some(acceptor) = self.listeners.get_mut(&id).filter(|acceptor| !acceptor.waits) {
            acceptor.waits = true;
            self.turns.add_listener(id);
        }
    }

    /// Gives a listener a turn, which counts as handshake time: it accepts one connection.
    pub(super) fn accept(&mut self, id: u64) {
        let Some(acceptor) = self.listeners.get_mut(&id) else { return };
        acceptor.waits = false;
        let start = clock::now();
        let next = self.accept_one(id);
        self.charge_handshakes(start);
        match next {
            // No further edge comes for the connections that still wait.
            Next::Maybe => self.accept_soon(id),
            Next::None => {}
            Next::After(wait) => self.accept_after(id, wait),
        }
    }

    fn accept_one(&mut self, id: u64) -> Next {
        let Some(acceptor) = self.listeners.get_mut(&id) else { return Next::None };
        let (stream, accepted) = match acceptor.listener.accept() {
            Ok(accepted) => accepted,
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => return Next::None,
                // The peer has gone while it waited. The next one may be there.
                io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::Interrupted => return Next::Maybe,
                _ => return self.accept_failed(id, error),
            },
        };
        let host = accepted.ip.map(Host::of);
        let values = Arc::clone(&acceptor.values);
        if let Err(filter) = values.filter(&accepted) {
            Counters::add(&acceptor.base.counters.filtered, 1);
            acceptor.tell(id, &accepted.remote, EventKind::Filtered(filter));
            return Next::Maybe;
        }
        let connection = self.context.next_id();
        match acceptor.pending.admit(connection, host, &values) {
            Ok(None) => {}
            Ok(Some(oldest)) => self.make_way(id, oldest),
            Err(crowd) => {
                // A handshake has its place for HANDSHAKE_IVL at most.
                acceptor.tell(id, &accepted.remote, EventKind::TurnedAway(crowd));
                return Next::Maybe;
            }
        }
        let place = Place { listener: id, connection, host };
        let remote = accepted.remote.clone();
        if let Err(error) = self.accepted(place, stream, accepted, &values) {
            if let Some(acceptor) = self.listeners.get(&id) {
                acceptor.tell(id, &remote, EventKind::AcceptFailed(error.into()));
            }
            self.handshake_over(place);
            return Next::After(values.accept_backoff);
        }
        Next::Maybe
    }

    /// Ends the handshake of a crowded host, whose place another host has got.
    fn make_way(&mut self, listener: u64, oldest: u64) {
        let Some(connected) = self.connections.get(&oldest) else { return self.close_whole(oldest) };
        if let Some(acceptor) = self.listeners.get(&listener) {
            let kind = EventKind::TurnedAway(Crowd::OfListener);
            acceptor.tell(oldest, &connected.engine.remote, kind);
        }
        self.stop(oldest);
    }

    /// Handles an accept that failed. Without a descriptor, the oldest half-closed stream is closed first.
    fn accept_failed(&mut self, id: u64, error: io::Error) -> Next {
        if is_limit(&error) && self.close_oldest_half() {
            return Next::Maybe;
        }
        let Some(acceptor) = self.listeners.get(&id) else { return Next::None };
        acceptor.tell(id, "", EventKind::AcceptFailed(error.into()));
        Next::After(acceptor.values.accept_backoff)
    }

    /// Accepts again after a pause.
    pub(super) fn accept_again(&mut self, id: u64) {
        if let Some(acceptor) = self.listeners.get_mut(&id) {
            acceptor.waits = false;
            self.accept_soon(id);
        }
    }

    /// Frees the place of a handshake that has succeeded or failed.
    pub(super) fn handshake_over(&mut self, place: Place) {
        if let Some(acceptor) = self.listeners.get_mut(&place.listener) {
            acceptor.pending.leave(place);
        }
    }

    /// Starts the engine of a stream that was accepted.
    fn accepted(
        &mut self,
        place: Place,
        stream: Stream,
        accepted: Accepted,
        values: &Arc<Values>,
    ) -> io::Result<()> {
        let Some(acceptor) = self.listeners.get(&place.listener) else { return Ok(()) };
        let (base, connection) = (Arc::clone(&acceptor.base), place.connection);
        let (local, descriptor) = (stream.local(), Some(stream.raw()));
        base.monitors.emit_at(connection, descriptor, &local, &accepted.remote, EventKind::Accepted);
        let opening = Opening {
            id: connection,
            stream,
            base,
            slot: Slot::new(),
            maker: Maker::Listener(place.listener),
            place: Some(place),
            values: Arc::clone(values),
            address: accepted.address,
        };
        self.open(opening, false)
    }

    /// Pauses accepting, because without a descriptor every accept would fail at once.
    fn accept_after(&mut self, id: u64, wait: Duration) {
        if let Some(acceptor) = self.listeners.get_mut(&id) {
            acceptor.waits = true;
            self.arm_after(wait, Timer::Accept(id));
        }
    }

    /// Closes a listener. Its connections end when all is sent.
    pub(super) fn unbind(&mut self, id: u64) {
        // Connections that are waiting are accepted first, so that their events come before the end.
        let waiting = self.listeners.get(&id).map_or(0, |acceptor| acceptor.values.backlog);
        for _ in 0..waiting {
            if !matches!(self.accept_one(id), Next::Maybe) {
                break;
            }
        }
        let Some(mut acceptor) = self.listeners.remove(&id) else { return };
        let _ = self.poll.registry().deregister(&mut acceptor.listener);
        let local = acceptor.listener.endpoint().to_string();
        let (base, descriptor) = (acceptor.base, Some(acceptor.listener.raw()));
        drop(acceptor.listener);
        base.monitors.emit_at(id, descriptor, &local, "", EventKind::ListenerClosed);
        base.endpoints.remove(id);
        self.end_accepted(|connected| connected.maker == Maker::Listener(id));
    }
}

/// The place of a connection among the handshakes of its listener, until its handshake is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    listener: u64,
    connection: u64,
    host: Option<Host>,
}

/// A remote host: an IPv4 address, or the first 64 bits of an IPv6 address, because one host may have all addresses of such a
/// network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Host(IpAddr);

impl Host {
    fn of(ip: IpAddr) -> Host {
        Host(match ip.to_canonical() {
            IpAddr::V4(ip) => IpAddr::V4(ip),
            IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) & !u128::from(u64::MAX)).into()),
        })
    }
}

/// The handshakes of one listener.
#[derive(Debug, Default)]
struct Pending {
    total: u32,
    /// Those over tcp by host, oldest first. A host without handshakes has no entry.
    by_host: HashMap<Host, VecDeque<u64>>,
}

impl Pending {
    /// Adds the handshake of a connection, unless there are too many. Where the listener is full and one host has much of it,
    /// another host gets a place all the same; then this returns the oldest handshake of the crowded host, which is to end.
    fn admit(&mut self, connection: u64, host: Option<Host>, values: &Values) -> Result<Option<u64>, Crowd> {
        let full = |limit: u32, pending: usize| limit > 0 && pending >= limit as usize;
        let of_host = host.and_then(|host| self.by_host.get(&host)).map_or(0, VecDeque::len);
        let is_full = full(values.max_handshakes, self.total as usize);
        if host.is_some() && full(values.handshakes_per_host(), of_host) {
            return Err(if is_full { Crowd::OfListener } else { Crowd::OfHost });
        }
        let mut oldest = None;
        if is_full {
            let crowded = self.by_host.values_mut().max_by_key(|connections| connections.len());
            // With one more than the newcomer's host, both would have the same right to the place.
            let crowded =
                crowded.filter(|connections| host.is_some() && connections.len() > of_host.saturating_add(1));
            oldest = Some(crowded.and_then(VecDeque::pop_front).ok_or(Crowd::OfListener)?);
            self.total = self.total.saturating_sub(1);
        }
        if let Some(host) = host {
            self.by_host.entry(host).or_default().push_back(connection);
        }
        self.total = self.total.saturating_add(1);
        Ok(oldest)
    }

    fn leave(&mut self, place: Place) {
        if let Some(host) = place.host {
            let Some(connections) = self.by_host.get_mut(&host) else { return };
            // One that had to make way has no place any more.
            let Some(at) = connections.iter().position(|connection| *connection == place.connection) else {
                return;
            };
            connections.remove(at);
            if connections.is_empty() {
                self.by_host.remove(&host);
            }
        }
        self.total = self.total.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(ip: &str) -> Option<Host> {
        Some(Host::of(ip.parse().unwrap()))
    }

    fn limits(all: u32, per_host: Option<u32>) -> Values {
        Values { max_handshakes: all, max_handshakes_per_host: per_host, ..Values::native(None) }
    }

    /// Handshakes whose connections have the numbers 1, 2, 3 …
    #[derive(Default)]
    struct Counted(Pending, u64);

    impl Counted {
        fn admit(&mut self, host: Option<Host>, values: &Values) -> Result<Option<u64>, Crowd> {
            self.1 += 1;
            self.0.admit(self.1, host, values)
        }

        fn leave(&mut self, connection: u64, host: Option<Host>) {
            self.0.leave(Place { listener: 0, connection, host });
        }
    }

    #[test]
    fn one_host_has_an_eighth_of_all_handshakes() {
        assert_eq!(Values::native(None).handshakes_per_host(), 128);
        assert_eq!([limits(7, None), limits(0, None)].map(|values| values.handshakes_per_host()), [1, 0]);
        let (mut pending, values) = (Counted::default(), limits(16, None));
        assert_eq!(pending.admit(host("10.0.0.1"), &values), Ok(None));
        assert_eq!(pending.admit(host("10.0.0.1"), &values), Ok(None));
        assert_eq!(pending.admit(host("::ffff:10.0.0.1"), &values), Err(Crowd::OfHost));
        assert_eq!(pending.admit(host("10.0.0.2"), &values), Ok(None));
        pending.leave(1, host("10.0.0.1"));
        assert_eq!(pending.admit(host("10.0.0.1"), &values), Ok(None));
    }

    #[test]
    fn hosts_that_fill_a_listener_keep_no_other_host_out() {
        let (mut pending, values) = (Counted::default(), limits(6, Some(3)));
        for n in 0..6 {
            assert_eq!(pending.admit(host(["10.0.0.1", "10.0.0.2"][n / 3]), &values), Ok(None));
        }
        let oldest = pending.admit(host("10.0.0.3"), &values).unwrap().unwrap();
        assert!([1, 4].contains(&oldest), "the oldest of one of them makes way: {oldest}");
        let second = pending.admit(host("10.0.0.4"), &values).unwrap().unwrap();
        assert_eq!(oldest + second, 5, "then the oldest of the other, which has more");
        assert_eq!(pending.0.total, 6);
        pending.leave(oldest, host(if oldest == 1 { "10.0.0.1" } else { "10.0.0.2" }));
        assert_eq!(pending.0.total, 6, "it had no place any more");
        // All have two or one: nobody has much more than another.
        assert_eq!(pending.admit(host("10.0.0.3"), &values), Err(Crowd::OfListener));
        assert_eq!(
            pending.admit(None, &values),
            Err(Crowd::OfListener),
            "a peer without a host displaces nobody"
        );
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_host() {
        let (mut pending, values) = (Counted::default(), limits(0, Some(1)));
        assert_eq!(pending.admit(host("2001:db8:0:1::1"), &values), Ok(None));
        assert_eq!(pending.admit(host("2001:db8:0:1:ffff::2"), &values), Err(Crowd::OfHost));
        assert_eq!(pending.admit(host("2001:db8:0:2::1"), &values), Ok(None));
    }

    #[test]
    fn peers_without_an_address_count_among_all_alone() {
        let (mut pending, values) = (Counted::default(), limits(2, Some(1)));
        assert_eq!(pending.admit(None, &values), Ok(None));
        assert_eq!(pending.admit(None, &values), Ok(None));
        assert_eq!(pending.admit(host("10.0.0.1"), &values), Err(Crowd::OfListener));
        pending.leave(1, None);
        assert_eq!(pending.admit(host("10.0.0.1"), &values), Ok(None));
    }

    #[test]
    fn hosts_that_left_are_forgotten() {
        let (mut pending, values) = (Counted::default(), limits(0, Some(1)));
        for n in 0..1000_u32 {
            let host = Some(Host::of(IpAddr::V4(n.into())));
            assert_eq!(pending.admit(host, &values), Ok(None));
            pending.leave(u64::from(n) + 1, host);
        }
        assert_eq!((pending.0.total, pending.0.by_host.len()), (0, 0));
    }
}
