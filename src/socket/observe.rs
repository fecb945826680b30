//! Observing a socket: its peers, endpoints, counters, status and events, and waiting for peers and subscribers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use zeroxide_patterns::{Pattern, PipeId, RoutingId};
use zeroxide_transports::EndpointText;
use zeroxide_zmtp::Peer;

use super::base::{SocketBase, SocketState};
use super::{Socket, pipes::Entry};
use crate::clock;
use crate::endpoints::{EndpointState, EndpointStatus};
use crate::error::{Attachment, DialError, Error, NotReady, Op, Result, TooFew, Turn, Why};
use crate::monitor::Monitor;
use crate::peers::PeerTable;
use crate::signal::{after, wait_until};
use crate::stats::{Counters, Dropped, IoStats, PipeStats, SocketStats, Status};

impl Socket {
    /// Returns a monitor, which receives the events of this socket from now on. Each monitor receives all events (libzmq
    /// `zmq_socket_monitor`).
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        self.base().monitors.add()
    }

    /// Returns the peers that are connected now, without peers over inproc.
    #[must_use]
    pub fn peers(&self) -> PeerTable {
        self.base().peers.table()
    }

    /// Returns the state of each endpoint.
    #[must_use]
    pub fn endpoints(&self) -> Vec<EndpointStatus> {
        self.base().endpoints.list()
    }

    /// Returns the counters: how many messages were accepted, written, dropped, and why.
    #[must_use]
    pub fn stats(&self) -> SocketStats {
        self.base().stats()
    }

    /// Returns a report for people, which tells why nothing happens.
    #[must_use]
    pub fn status(&self) -> Status {
        self.base().status()
    }

    /// Connects and waits until the handshake is over; returns the peer.
    ///
    /// # Errors
    /// Returns [`Error::Handshake`] if the handshake fails, and [`Error::TimedOut`] with the last failure if no peer was
    /// reached. In both cases dialling goes on in the background; [`Socket::disconnect`] ends it.
    pub fn connect_ready(&self, endpoint: impl EndpointText, limit: Duration) -> Result<Arc<Peer>> {
        let dialled = self.dial(&endpoint.text())?;
        self.base().wait_for(limit, dialled)
    }

    /// Waits until at least `n` peers are connected, inproc included.
    ///
    /// # Errors
    /// Returns [`Error::TimedOut`] with the number of peers and the last failure, if there was one; [`Error::Closed`] or [`Error::Terminated`].
    pub fn wait_for_peers(&self, n: usize, limit: Duration) -> Result<()> {
        self.base().wait_for(limit, Peers { wanted: n, have: 0 })
    }

    /// Waits until at least `n` peers have subscribed to this topic (PUB, XPUB) or joined this group (RADIO). They receive
    /// messages that are sent after that.
    ///
    /// # Errors
    /// Returns [`Error::TimedOut`] as [`Socket::wait_for_peers`] does, [`Error::NotSupported`] on a type that does not publish,
    /// [`Error::Closed`] or [`Error::Terminated`].
    pub fn wait_for_subscribers(&self, topic: impl AsRef<[u8]>, n: usize, limit: Duration) -> Result<()> {
        let subscribers = self.subscribers(topic.as_ref(), n)?;
        self.base().wait_for(limit, subscribers)
    }

    /// Connects to an endpoint, for a wait until it is connected.
    pub(super) fn dial(&self, endpoint: &str) -> Result<Dialled> {
        let (resolved, id) = self.base().connect(endpoint, &self.connect_values())?;
        Ok(Dialled { endpoint: resolved.to_string().into(), id })
    }

    /// Returns what a wait for subscribers waits for.
    pub(super) fn subscribers(&self, topic: &[u8], wanted: usize) -> Result<Subscribers> {
        if !self.socket_type().publishes() {
            return Err(self.no(Op::CountSubscribers));
        }
        Ok(Subscribers { topic: topic.into(), wanted, have: 0 })
    }
}

/// What a thread or a task waits for at a socket's `watch` signal.
pub(super) trait Awaited {
    type Output;

    /// Returns the result, or `None` while it is to wait.
    fn look(&mut self, base: &Arc<SocketBase>) -> Option<Result<Self::Output>>;

    /// Returns what has not come in time.
    fn missing(self, base: &SocketBase, after: Duration) -> Why;
}

/// The end of the handshake of an endpoint that was connected.
pub(super) struct Dialled {
    endpoint: Arc<str>,
    id: u64,
}

impl Awaited for Dialled {
    type Output = Arc<Peer>;

    fn look(&mut self, base: &Arc<SocketBase>) -> Option<Result<Arc<Peer>>> {
        base.readiness(self.id)
    }

    fn missing(self, base: &SocketBase, after: Duration) -> Why {
        let row = base.endpoints.get(self.id);
        Why::NotReady(Box::new(NotReady {
            endpoint: self.endpoint,
            after,
            last: row.as_ref().and_then(|row| row.last.clone()),
            attempts: row.map_or(0, |row| row.attempts),
        }))
    }
}

/// A number of connected peers.
pub(super) struct Peers {
    pub(super) wanted: usize,
    pub(super) have: usize,
}

impl Awaited for Peers {
    type Output = ();

    fn look(&mut self, base: &Arc<SocketBase>) -> Option<Result<()>> {
        let up = |state: &SocketState| state.pipes.iter().filter(|(_, entry)| entry.is_up()).count();
        let counted = base.enter(|state| state.alive().map(|()| self.have = up(state)));
        (counted.is_err() || self.have >= self.wanted).then_some(counted)
    }

    fn missing(self, base: &SocketBase, _: Duration) -> Why {
        Why::FewerPeers(base.too_few(self.wanted, self.have))
    }
}

/// A number of subscribers of a topic.
pub(super) struct Subscribers {
    topic: Box<[u8]>,
    wanted: usize,
    have: usize,
}

impl Awaited for Subscribers {
    type Output = ();

    fn look(&mut self, base: &Arc<SocketBase>) -> Option<Result<()>> {
        let subscribed = |state: &mut SocketState| state.pattern.subscribers(&self.topic);
        let counted = base.enter(|state| state.alive().map(|()| self.have = subscribed(state)));
        (counted.is_err() || self.have >= self.wanted).then_some(counted)
    }

    fn missing(self, base: &SocketBase, _: Duration) -> Why {
        Why::FewerSubscribers(base.too_few(self.wanted, self.have))
    }
}

impl SocketBase {
    fn stats(self: &Arc<Self>) -> SocketStats {
        let mut stats = self.enter(|state| state.stats(&self.counters));
        self.closure.count(&mut stats);
        stats
    }

    pub(crate) fn status(self: &Arc<Self>) -> Status {
        let socket = self.socket_type;
        let (senders_waiting, since) = self.sending.look();
        let (last_loss, turned_away) = self.monitors.history.look();
        let stats = self.stats();
        self.enter(|state| {
            let peers = state.pipes.iter().filter(|(_, entry)| entry.is_up()).count();
            let turn = state.pattern.may_send().map(|may| if may { Turn::Send } else { Turn::Recv });
            Status {
                socket,
                name: state.values.routing_id.as_ref().map(RoutingId::to_string).unwrap_or_default(),
                end: state.end.map(|end| Error::from(end).kind()),
                endpoints: self.endpoints.list(),
                peers,
                subscribers: socket.publishes().then_some(peers),
                subscriptions: socket.resubscribes().then(|| state.pattern.topics()),
                topics: state.pattern.first_topics(Status::TOPICS),
                turn,
                last_loss,
                turned_away,
                senders_waiting,
                longest_wait: since.map(|since| since.elapsed()),
                receivers_waiting: self.input.waiting(),
                before_subscriptions: state.before_subscriptions,
                stats,
            }
        })
    }

    /// Returns that fewer peers came than were waited for, with the last failure: that of an endpoint which connects, else the
    /// handshake of a peer that had connected.
    fn too_few(&self, wanted: usize, have: usize) -> Box<TooFew> {
        let last = match self.endpoints.attachment() {
            Attachment::Connecting { last, .. } => last,
            _ => self.monitors.history.last_failure().map(DialError::Handshake),
        };
        Box::new(TooFew { wanted, have, last })
    }

    /// Returns when a wait of at most `limit` ends; that is now on the context's own threads, which must not wait.
    pub(crate) fn deadline(&self, limit: Duration) -> Option<Instant> {
        after(if self.context.is_own_thread() { Duration::ZERO } else { limit })
    }

    /// Returns the peer of the connecting endpoint `id`, or the error of its handshake; `None` while there is neither.
    fn readiness(self: &Arc<Self>, id: u64) -> Option<Result<Arc<Peer>>> {
        if let Err(error) = self.enter(|state| state.alive()) {
            return Some(Err(error));
        }
        let row = self.endpoints.get(id)?;
        match row.state {
            EndpointState::Connected { connection: 0 } => {
                Some(Ok(Arc::new(Peer::new(0, "inproc".to_owned(), clock::now()))))
            }
            EndpointState::Connected { connection } => self.peers.get(connection).map(Ok),
            EndpointState::Failed(error) => Some(Err(Error::Handshake(error))),
            _ => None,
        }
    }

    fn wait_for<A: Awaited>(self: &Arc<Self>, limit: Duration, mut awaited: A) -> Result<A::Output> {
        let found = wait_until(&[&self.watch], self.deadline(limit), || awaited.look(self));
        found.unwrap_or_else(|| Err(Error::TimedOut(awaited.missing(self, limit))))
    }
}

impl SocketState {
    fn stats(&mut self, counters: &Counters) -> SocketStats {
        self.pipes.add_ended_counts();
        let [flushes_by_token, flushes_by_quantum, flushes_by_watch, flushes_by_wait] = self.pipes.flushes;
        let held = self.pattern.held();
        let stats_of = |(id, entry): (PipeId, &Entry)| {
            let mut stats = entry.stats();
            held.iter().filter(|pipe| **pipe == id).for_each(|_| stats.received.hold());
            stats
        };
        let pipes: Vec<PipeStats> = self.pipes.iter().map(stats_of).collect();
        let mut stats = SocketStats {
            accepted: self.accepted,
            refused: self.refused,
            unmatched: self.pipes.unmatched,
            routed: self.pipes.past.routed,
            written: self.pipes.past.written,
            dropped: Dropped(self.pipes.drops),
            received: self.pipes.past.received,
            io: IoStats {
                flushes_by_token,
                flushes_by_quantum,
                flushes_by_watch,
                flushes_by_wait,
                reports_dropped: self.pipes.unreported,
                ..counters.snapshot()
            },
            ..SocketStats::default()
        };
        for (writer, _) in &self.pipes.past.leaving {
            let tally = writer.tally();
            stats.add(tally, true);
        }
        for pipe in &pipes {
            stats.routed += pipe.routed;
            stats.written += pipe.written;
            stats.queued += pipe.queued;
            stats.waiting_bytes += pipe.waiting_bytes;
            stats.dropped.add(pipe.dropped);
            stats.received.add(&pipe.received);
        }
        // What the pattern holds of pipes that are gone.
        held.iter().filter(|pipe| self.pipes.get(**pipe).is_none()).for_each(|_| stats.received.hold());
        if self.closed {
            stats.received.end();
        }
        stats.pipes = pipes;
        stats
    }
}

impl Entry {
    /// Returns whether a peer is at the other end now.
    pub(crate) fn is_up(&self) -> bool {
        !matches!(self.link, super::pipes::Link::Offline)
    }

    fn stats(&self) -> PipeStats {
        // In this order, so that the tally contains what the other end did before it went away.
        let is_deserted = self.is_deserted();
        let tally = self.pipe.writer.tally();
        let mut drops = self.drops;
        let routed = tally.routed + self.dropped();
        drops[zeroxide_patterns::Cause::PeerLost as usize] += tally.lost;
        drops[zeroxide_patterns::Cause::Conflated as usize] += tally.conflated;
        let (mut written, mut queued) = (tally.written, tally.queued());
        if self.inproc {
            written += std::mem::take(&mut queued);
        }
        if is_deserted {
            drops[zeroxide_patterns::Cause::PeerLost as usize] += std::mem::take(&mut queued);
        }
        let (received, waiting_bytes) = (self.received(), self.pipe.reader.waiting_bytes());
        let (peer, dropped) = (self.peer.clone(), Dropped(drops));
        PipeStats { peer, routed, written, queued, dropped, received, waiting_bytes }
    }
}
