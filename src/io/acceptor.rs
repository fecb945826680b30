//! Listeners on the reactor: accepting connections, closing those that are too many, and pausing when the process has no
//! descriptor left.

use std::collections::HashMap;
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
use crate::monitor::{Crowd, EventKind};
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
        if let Err(crowd) = acceptor.pending.admit(host, &values) {
            // A handshake has its place for HANDSHAKE_IVL at most.
            acceptor.tell(id, &accepted.remote, EventKind::TurnedAway(crowd));
            return Next::Maybe;
        }
        let place = Place { listener: id, host };
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
            acceptor.pending.leave(place.host);
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
        let (base, connection) = (Arc::clone(&acceptor.base), self.next_id());
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
    /// Their number by host, over tcp. A host without handshakes has no entry.
    by_host: HashMap<Host, u32>,
}

impl Pending {
    /// Adds a handshake, unless there are too many.
    fn admit(&mut self, host: Option<Host>, values: &Values) -> Result<(), Crowd> {
        let full = |limit: u32, pending: u32| limit > 0 && pending >= limit;
        if full(values.max_handshakes, self.total) {
            return Err(Crowd::OfListener);
        }
        if let Some(host) = host {
            if full(values.handshakes_per_host(), self.by_host.get(&host).copied().unwrap_or_default()) {
                return Err(Crowd::OfHost);
            }
            *self.by_host.entry(host).or_default() += 1;
        }
        self.total += 1;
        Ok(())
    }

    fn leave(&mut self, host: Option<Host>) {
        self.total = self.total.saturating_sub(1);
        let Some(host) = host else { return };
        if let Some(pending) = self.by_host.get_mut(&host) {
            *pending = pending.saturating_sub(1);
            if *pending == 0 {
                self.by_host.remove(&host);
            }
        }
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

    #[test]
    fn one_host_has_an_eighth_of_all_handshakes() {
        assert_eq!(Values::native(None).handshakes_per_host(), 128);
        assert_eq!([limits(7, None), limits(0, None)].map(|values| values.handshakes_per_host()), [1, 0]);
        let (mut pending, values) = (Pending::default(), limits(16, None));
        assert_eq!(pending.admit(host("10.0.0.1"), &values), Ok(()));
        assert_eq!(pending.admit(host("10.0.0.1"), &values), Ok(()));
        assert_eq!(pending.admit(host("::ffff:10.0.0.1"), &values), Err(Crowd::OfHost));
        assert_eq!(pending.admit(host("10.0.0.2"), &values), Ok(()));
        pending.leave(host("10.0.0.1"));
        assert_eq!(pending.admit(host("10.0.0.1"), &values), Ok(()));
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_host() {
        let (mut pending, values) = (Pending::default(), limits(0, Some(1)));
        assert_eq!(pending.admit(host("2001:db8:0:1::1"), &values), Ok(()));
        assert_eq!(pending.admit(host("2001:db8:0:1:ffff::2"), &values), Err(Crowd::OfHost));
        assert_eq!(pending.admit(host("2001:db8:0:2::1"), &values), Ok(()));
    }

    #[test]
    fn peers_without_an_address_count_among_all_alone() {
        let (mut pending, values) = (Pending::default(), limits(2, Some(1)));
        assert_eq!(pending.admit(None, &values), Ok(()));
        assert_eq!(pending.admit(None, &values), Ok(()));
        assert_eq!(pending.admit(host("10.0.0.1"), &values), Err(Crowd::OfListener));
    }

    #[test]
    fn hosts_that_left_are_forgotten() {
        let (mut pending, values) = (Pending::default(), limits(0, Some(1)));
        for n in 0..1000_u32 {
            let host = Some(Host::of(IpAddr::V4(n.into())));
            assert_eq!(pending.admit(host, &values), Ok(()));
            pending.leave(host);
        }
        assert_eq!((pending.total, pending.by_host.len()), (0, 0));
    }
}
