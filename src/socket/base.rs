//! What the handles of a socket, its engines and its I/O thread share: the pattern and the pipes under one lock, the
//! mailbox, the signals, and the tables that other threads may read.
//!
//! Every call does the same: it takes the lock, takes up the news in the mailbox, acts, releases the lock, runs what was
//! collected under the lock, and looks at the mailbox once more ([`SocketBase::enter`], and `settle` beside this file). So
//! the state stays up to date while the application does nothing, and no thread waits for another one.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError, Weak};

use bytes::Bytes;
use zeroxide_patterns::{AnyPattern, Cause, Origin, Pattern, PipeId, Refusal};
use zeroxide_transports::budget::Budget;
use zeroxide_zmtp::{ProtocolError, SocketType};

use super::alarms::Alarms;
use super::lead_rule::LeadRule;
use super::marks::Limits;
use super::pipes::{Entry, FlushCause, Link, Owner, PipeTable};
use super::waits::{Exchange, Waits};
use crate::clock;
use crate::endpoints::{EndpointState, EndpointTable};
use crate::engine::Engine;
use crate::engine::slot::Slot;
use crate::error::Error;
use crate::monitor::Monitors;
use crate::options::Values;
use crate::peers::PeerList;
use crate::signal::Signal;
#[cfg(simulate)]
use crate::signal::simulated;
use crate::socket::closure::Closure;
use crate::socket::context::{ContextBase, ContextHandle};
use crate::socket::face_state::{Parts, ZmqFd};
use crate::socket::flush::{Decision, FlushRule};
use crate::socket::news::{Attach, Mailbox, News};
use crate::socket::orders::IoThread;
use crate::stats::Counters;

/// The shared part of a socket.
pub(crate) struct SocketBase {
    pub(crate) id: u64,
    /// The handle that the application has.
    pub(super) handle: OnceLock<Weak<SocketHandle>>,
    pub(crate) socket_type: SocketType,
    pub(crate) context: Arc<ContextBase>,
    state: Mutex<SocketState>,
    pub(super) mailbox: Mailbox,
    /// What has been received from peers and not been taken.
    pub(crate) budget: Budget,
    /// Set when the socket is closed or its context has ended: nothing can be sent or received any more.
    pub(crate) gone: AtomicBool,
    /// Notified when a message may have arrived.
    pub(crate) input: Signal,
    /// Notified when there may be room to send.
    pub(crate) output: Signal,
    /// When a waiting thread reads the connections itself (`socket/lead`).
    pub(super) lead: LeadRule,
    /// Notified when readiness, peers, subscriptions or endpoints may have changed, or the socket has ended. Pollers wait here.
    pub(crate) watch: Signal,
    pub(crate) peers: PeerList,
    pub(crate) endpoints: EndpointTable,
    pub(crate) monitors: Monitors,
    pub(crate) counters: Arc<Counters>,
    /// The descriptor of ZMQ_FD (C library).
    #[cfg_attr(
        not(all(unix, feature = "face")),
        expect(dead_code, reason = "only the C library has a ZMQ_FD")
    )]
    pub(crate) zmq_fd: ZmqFd,
    /// The calls that wait in `send`.
    pub(crate) sending: Waits,
    /// When its tasks stop waiting.
    pub(crate) alarms: Arc<Alarms>,
    /// Makes the calls of `request` take turns.
    pub(crate) exchange: Exchange,
    /// The progress of its closing.
    pub(crate) closure: Closure,
    /// The number of lost peers with messages that are not received yet.
    pub(crate) departed: AtomicUsize,
}

/// What the clones of a socket share. Its drop closes the socket.
pub(crate) struct SocketHandle {
    pub(super) base: Arc<SocketBase>,
    /// A socket keeps its context open.
    pub(crate) context: Arc<ContextHandle>,
}

impl Drop for SocketHandle {
    fn drop(&mut self) {
        self.base.close();
    }
}

/// What the socket's lock guards.
pub(crate) struct SocketState {
    pub(crate) socket_type: SocketType,
    pub(crate) pattern: AnyPattern,
    pub(crate) pipes: PipeTable,
    pub(crate) values: Values,
    pub(super) flush: FlushRule,
    /// The I/O thread of this socket, once an endpoint needed one.
    pub(crate) reactor: Option<IoThread>,
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
    /// Messages without a subscriber: at the last commit, and before the first subscription.
    pub(super) unmatched: u64,
    pub(super) before_subscriptions: u64,
    /// Why the socket can no longer be used.
    pub(crate) end: Option<SocketEnd>,
    /// Whether it was closed, even if its context had ended before.
    pub(crate) closed: bool,
    /// The limits that the pipes were last set to.
    marks: Limits,
    /// The messages that are being sent and received part by part (C library).
    pub(crate) parts: Parts,
}

/// Why a socket can no longer be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SocketEnd {
    Closed,
    Terminated,
    /// This is a child of the process that made the socket.
    Forked,
}

impl From<SocketEnd> for Error {
    fn from(end: SocketEnd) -> Error {
        match end {
            SocketEnd::Closed => Error::Closed,
            SocketEnd::Terminated => Error::Terminated,
            SocketEnd::Forked => Error::Forked,
        }
    }
}

impl SocketBase {
    pub(crate) fn new(
        id: u64,
        socket_type: SocketType,
        context: Arc<ContextBase>,
        pattern: AnyPattern,
        values: Values,
    ) -> Arc<SocketBase> {
        let mut state = SocketState {
            socket_type,
            pattern,
            pipes: PipeTable::new(Budget::new(values.rcvhwm_bytes_total)),
            flush: FlushRule::new(),
            reactor: None,
            accepted: 0,
            refused: 0,
            unmatched: 0,
            before_subscriptions: 0,
            end: None,
            closed: false,
            marks: Limits::of(&values),
            values,
            parts: Parts::default(),
        };
        state.pattern.configure(&state.values.pattern_options());
        Arc::new(SocketBase {
            id,
            handle: OnceLock::new(),
            socket_type,
            context,
            budget: state.pipes.budget.clone(),
            state: Mutex::new(state),
            mailbox: Mailbox::default(),
            gone: AtomicBool::new(false),
            input: Signal::default(),
            output: Signal::default(),
            lead: LeadRule::new(clock::now()),
            watch: Signal::default(),
            peers: PeerList::default(),
            endpoints: EndpointTable::default(),
            monitors: Monitors::default(),
            counters: Arc::new(Counters::default()),
            zmq_fd: ZmqFd::default(),
            sending: Waits::default(),
            alarms: Arc::default(),
            exchange: Exchange::default(),
            closure: Closure::default(),
            departed: AtomicUsize::new(0),
        })
    }

    /// Calls `act` under the lock, and runs what it has collected after the lock is released.
    #[inline]
    pub(crate) fn enter<R>(self: &Arc<Self>, act: impl FnOnce(&mut SocketState) -> R) -> R {
        let mut state = self.lock();
        if self.mailbox.is_full() {
            self.take_up_news(&mut state);
        }
        #[cfg(simulate)]
        let mut state = self.hold(state, false);
        let result = act(&mut state);
        #[cfg(simulate)]
        let state = self.hold(state, true);
        self.leave(state);
        result
    }

    /// In a simulation, lets others go on while this call has the lock, so that their news stays in the mailbox. Whoever would wait
    /// for the lock gets it here: it could have come first.
    #[cfg(simulate)]
    fn hold<'a>(&'a self, state: MutexGuard<'a, SocketState>, acted: bool) -> MutexGuard<'a, SocketState> {
        let Some(hold) = simulated::take_hold(acted) else { return state };
        drop(state);
        simulated::hold(self.id, hold);
        self.lock()
    }

    /// Does the same for sending: before the lock is released, the flush rule decides when the new messages leave.
    #[inline]
    pub(crate) fn enter_to_send<R>(self: &Arc<Self>, act: impl FnOnce(&mut SocketState) -> R) -> R {
        self.enter(|state| {
            let alone = state.pipes.dirty_pipes() == 0;
            let result = act(state);
            state.apply_flush_rule(alone);
            result
        })
    }

    /// Locks the state, unless another thread holds the lock.
    pub(super) fn try_lock(&self) -> Option<MutexGuard<'_, SocketState>> {
        #[cfg(simulate)]
        if simulated::is_held(self.id) {
            return None;
        }
        match self.state.try_lock() {
            Ok(state) => Some(state),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, SocketState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take_up_news(self: &Arc<Self>, state: &mut SocketState) {
        while let Some(news) = self.mailbox.take() {
            match news {
                News::Attach(attach) => self.take_attach(state, *attach),
                News::Up(slot, engine, peer) => state.up(&slot, engine, peer),
                News::Joined(slot, routing_id) => state.joined(&slot, &routing_id),
                News::Lost(slot) => state.lost(&slot),
                News::Ended(slot) => self.take_end(state, &slot),
                News::Readable(slot) => state.readable(&slot),
                News::Writable(slot) => state.writable(&slot),
                News::Bound(slot, binder) => {
                    if let Some(endpoint) = state.bound(&slot, binder) {
                        self.endpoints.set_state(endpoint, EndpointState::Connected { connection: 0 });
                    }
                }
                News::Retire(slot) => {
                    if let Some(id) = slot.get() {
                        self.retire(state, id);
                    }
                }
                News::Changed => state.changed(),
                News::Flush => state.pipes.flush_all(FlushCause::Watch),
            }
        }
    }

    fn take_attach(self: &Arc<Self>, state: &mut SocketState, attach: Attach) {
        let Attach { entry, origin, routing_id } = attach;
        let slot = entry.slot.clone();
        let answer = entry.far_end();
        if origin.connected {
            state.succeed(&entry);
        }
        let has_name = origin.routing_id.is_some();
        if !has_name && state.is_anothers_name(None, &routing_id, user_of(&entry)) {
            return state.turn_away(entry, Some(ProtocolError::AnothersRoutingId));
        }
        if !has_name {
            state.free_name(&routing_id, user_of(&entry));
        }
        if let Ok(id) = state.attach(entry, &origin) {
            state.pattern.established(id, &routing_id, &mut state.pipes);
            state.pattern.readable(id, &mut state.pipes);
            // Subscriptions, a probe or a welcome message for the new peer may be open, and perhaps no send follows.
            state.pipes.flush_all(FlushCause::Wait);
            state.pipes.after_unlock.wake_input = true;
            if state.pipes.get(id).is_some_and(|entry| entry.inproc && entry.pipe.writer.is_abandoned()) {
                // The other socket has closed before it was met, and could tell nobody. What it had sent can be read.
                return self.take_end(state, &slot);
            }
            if let Some(owner) = answer {
                let routing_id = state.values.routing_id_bytes();
                // Put there at once: no other lock is taken while the lock of a mailbox is held.
                owner.base.mailbox.put(News::Joined(owner.slot.clone(), routing_id));
                state.pipes.after_unlock.tell(&owner, News::Writable);
            }
        }
    }

    fn take_end(&self, state: &mut SocketState, slot: &Slot) {
        let Some(id) = slot.get() else { return };
        if let Some(entry) = state.pipes.get(id).filter(|entry| entry.inproc) {
            self.endpoints.set_state(entry.endpoint, EndpointState::Gone);
        }
        let reads = self.socket_type.receives() || self.socket_type.publishes();
        if state.pipes.end(id, reads) {
            self.detach(state, id, Cause::PeerLost);
        } else {
            state.pattern.readable(id, &mut state.pipes);
            state.pattern.writable(id);
            state.pattern.ended(id, &mut state.pipes);
        }
        self.departed.store(state.pipes.departed(), Ordering::Relaxed);
        state.peers_changed();
    }

    /// Removes a pipe because this side wants it: unsent messages still leave, unread messages are dropped.
    fn retire(&self, state: &mut SocketState, id: PipeId) {
        if let Some(link) = state.pipes.let_go(id) {
            state.pipes.after_unlock.notify(&link, News::Ended);
        }
        self.detach(state, id, Cause::Linger);
    }

    /// Retires the pipes of a connecting endpoint.
    pub(crate) fn retire_endpoint(&self, state: &mut SocketState, endpoint: u64) {
        let ids: Vec<PipeId> =
            state.pipes.iter().filter(|(_, entry)| entry.endpoint == endpoint).map(|(id, _)| id).collect();
        ids.into_iter().for_each(|id| self.retire(state, id));
    }

    pub(super) fn detach_drained(&self, state: &mut SocketState) {
        for id in state.pipes.take_drained() {
            self.detach(state, id, Cause::PeerLost);
        }
    }

    fn detach(&self, state: &mut SocketState, id: PipeId, cause: Cause) {
        if state.pipes.get(id).is_none() {
            return;
        }
        state.pattern.detached(id, &mut state.pipes);
        if let Some(entry) = state.pipes.remove(id) {
            state.pipes.keep_counts(entry, cause);
            self.departed.store(state.pipes.departed(), Ordering::Relaxed);
        }
        state.peers_changed();
    }
}

impl SocketState {
    /// Returns whether something can be received now.
    pub(crate) fn has_in(&mut self) -> bool {
        self.parts.has_in() || self.pattern.has_in(&mut self.pipes)
    }

    /// Returns whether something could be sent now.
    pub(crate) fn has_out(&mut self) -> bool {
        !self.parts.must_receive_rest(self.socket_type) && self.pattern.has_out(&mut self.pipes)
    }

    /// Returns an error if the socket is closed, its context has ended, or this is a fork child.
    pub(crate) fn alive(&self) -> Result<(), Error> {
        self.end.map_or(Ok(()), |end| Err(end.into()))
    }

    /// Adds a pipe to the table and to the pattern.
    pub(crate) fn attach(&mut self, entry: Entry, origin: &Origin) -> Result<PipeId, Refusal> {
        if self.end.is_some() {
            self.turn_away(entry, None);
            return Err(Refusal::NoPeer);
        }
        let id = self.pipes.insert(entry);
        if let Err(refusal) = self.pattern.attached(id, origin, &mut self.pipes) {
            if let Some(entry) = self.pipes.remove(id) {
                self.turn_away(entry, None);
            }
            return Err(refusal);
        }
        // Also where nobody is connected yet: it can be queued for who will be.
        self.pipes.after_unlock.wake_output = true;
        self.changed();
        Ok(id)
    }

    /// Frees the routing ids of the earlier connections of an endpoint, on types where each connection has a pipe of its own.
    /// Their pipes stay until they are read. The new connection must be of the same user (`options/names`). Without a routing
    /// id it would be ended, and the endpoint with it.
    fn succeed(&mut self, newcomer: &Entry) {
        let user = user_of(newcomer);
        let earlier = self.pipes.iter().filter(|(_, entry)| {
            entry.endpoint == newcomer.endpoint
                && entry.is_ended()
                && self.values.may_take_name(user_of(entry), user)
        });
        for pipe in earlier.map(|(id, _)| id).collect::<Vec<_>>() {
            self.pattern.succeeded(pipe, &mut self.pipes);
        }
    }

    /// Frees the routing id of a peer that is gone, if the new peer is of the same user (`options/names`): its replies can
    /// have no other routing id. For other users a peer that is gone keeps its routing id until its messages are read. If others wait for
    /// the routing id, the new peer comes after them.
    fn free_name(&mut self, routing_id: &[u8], user: &str) {
        let Some(holder) = self.pattern.find(routing_id) else { return };
        if self.pattern.occupants(routing_id).iter().any(|pipe| *pipe != holder) {
            return;
        }
        let entry = self.pipes.get(holder).filter(|entry| entry.is_ended());
        if entry.is_some_and(|entry| self.values.may_take_name(user_of(entry), user)) {
            self.pattern.succeeded(holder, &mut self.pipes);
        }
    }

    /// Returns why there is no place for a peer with this routing id, or `None` if there is one: the routing id is another
    /// user's, or another peer has the place or waits for it. `own` is the pipe that the peer has already. A peer that is gone
    /// does not count: its place is free when its last message is received, and one new peer may wait for that.
    pub(crate) fn want_of_place(
        &self,
        own: Option<PipeId>,
        routing_id: &[u8],
        user: &str,
    ) -> Option<ProtocolError> {
        if self.is_anothers_name(own, routing_id, user) {
            return Some(ProtocolError::AnothersRoutingId);
        }
        let is_there = |pipe| self.pipes.get(pipe).is_some_and(|entry| !entry.is_ended());
        let occupants = self.pattern.occupants(routing_id);
        let has_one_before = occupants.into_iter().take_while(|pipe| Some(*pipe) != own).any(is_there);
        has_one_before.then(|| {
            if self.socket_type.addresses() {
                ProtocolError::RoutingIdInUse
            } else {
                ProtocolError::HasItsPeer
            }
        })
    }

    /// Returns whether a peer would take over the routing id of another user (`options/names`).
    fn is_anothers_name(&self, own: Option<PipeId>, routing_id: &[u8], user: &str) -> bool {
        let holder = self.pattern.displaced_by(routing_id).filter(|holder| Some(*holder) != own);
        let holder = holder.and_then(|holder| self.pipes.get(holder));
        holder.is_some_and(|holder| !self.values.may_take_name(user_of(holder), user))
    }

    /// Ends a pipe that this socket does not take. With a `fault` its connection ends for that reason.
    fn turn_away(&mut self, mut entry: Entry, fault: Option<ProtocolError>) {
        self.pipes.after_unlock.let_go(&mut entry.pipe);
        match &entry.link {
            Link::Engine(engine) => match fault {
                Some(fault) => self.pipes.after_unlock.expelled.push((Arc::clone(engine), fault)),
                None => self.pipes.after_unlock.stops.push(Arc::clone(engine)),
            },
            Link::Inproc(owner) => self.pipes.after_unlock.tell(owner, News::Ended),
            Link::Offline => {}
        }
        self.pipes.discard_pipe(entry);
    }

    fn up(&mut self, slot: &Slot, engine: Arc<Engine>, peer: Arc<zeroxide_zmtp::Peer>) {
        // The slot is empty if the pipe was removed while the connection was made. Its session lingers for the unsent rest.
        let Some(id) = slot.get() else { return };
        let routing_id = peer.routing_id.clone();
        let has_name = self.pattern.routing_id(id).is_some();
        let expelled = !has_name && self.is_anothers_name(Some(id), &routing_id, &peer.user_id);
        if !has_name {
            self.free_name(&routing_id, &peer.user_id);
        }
        if let Some(entry) = self.pipes.get_mut(id) {
            entry.pipe.writer.flush();
            entry.link = Link::Engine(Arc::clone(&engine));
            entry.peer = Some(peer);
            entry.was_up = true;
        }
        if expelled {
            // The pipe stays without a routing id, and no message goes either way.
            self.pipes.after_unlock.expelled.push((engine, ProtocolError::AnothersRoutingId));
            return self.pipes.after_unlock.mark();
        }
        self.pattern.established(id, &routing_id, &mut self.pipes);
        self.pattern.readable(id, &mut self.pipes);
        self.pipes.flush_all(FlushCause::Wait);
        self.pipes.after_unlock.drive(&engine);
        self.pipes.after_unlock.wake_output = true;
        self.peers_changed();
    }

    fn joined(&mut self, slot: &Slot, routing_id: &Bytes) {
        let Some(id) = slot.get() else { return };
        if let Some(entry) = self.pipes.get_mut(id) {
            entry.was_up = true;
        }
        self.free_name(routing_id, "");
        self.pattern.established(id, routing_id, &mut self.pipes);
        // What the other socket wrote as it joined woke no reader, because none had looked before.
        self.pattern.readable(id, &mut self.pipes);
        self.pipes.after_unlock.wake_output = true;
        self.peers_changed();
    }

    fn lost(&mut self, slot: &Slot) {
        let Some(id) = slot.get() else { return };
        self.pipes.unlink(id);
        if let Some(entry) = self.pipes.get_mut(id) {
            // The pattern sends them anew to the next connection, and by then some may not be wanted any more.
            let unsent = entry.pipe.writer.take_controls();
            self.pipes.after_unlock.drop_later(unsent);
        }
        self.pattern.lost(id, &mut self.pipes);
        self.peers_changed();
    }

    fn readable(&mut self, slot: &Slot) {
        let Some(id) = slot.get() else { return };
        self.pattern.readable(id, &mut self.pipes);
        self.pipes.after_unlock.wake_input = true;
        // A publisher that waits for room at a peer does not any more when that has unsubscribed (XPUB_NODROP).
        self.pipes.after_unlock.wake_output |= self.socket_type.publishes();
        self.pipes.after_unlock.mark();
    }

    fn writable(&mut self, slot: &Slot) {
        let Some(id) = slot.get() else { return };
        self.pattern.writable(id);
        self.pipes.after_unlock.wake_output = true;
        self.pipes.after_unlock.mark();
    }

    /// Notes that a peer came or went. A pattern may have something to receive then: XPUB the end of subscriptions, STREAM
    /// the begin or the end of a connection.
    fn peers_changed(&mut self) {
        // A sender that waits for room at a peer that is gone must find out that there will be none.
        self.pipes.after_unlock.wake_output = true;
        self.pipes.after_unlock.wake_input = true;
        self.changed();
    }

    /// Wakes the calls that wait for peers, subscriptions or endpoints.
    pub(crate) fn changed(&mut self) {
        self.pipes.after_unlock.wake_watchers = true;
        self.pipes.after_unlock.mark();
    }

    /// Applies changed options that take effect on a live socket.
    pub(crate) fn reconfigure(&mut self) {
        self.pattern.configure(&self.values.pattern_options());
        // An option may let a call go on that waits (REQ_RELAXED, ROUTER_MANDATORY, XPUB_NODROP, INVERT_MATCHING).
        self.pipes.after_unlock.wake_everybody();
        let marks = Limits::of(&self.values);
        let before = std::mem::replace(&mut self.marks, marks);
        // An endpoint may have limits of its own, so only a limit that has changed is set.
        for pipe in self.pipes.set_limits(&marks.changed(before)) {
            self.pattern.writable(pipe);
        }
    }

    /// Flushes all open batches.
    pub(crate) fn flush_now(&mut self) {
        self.pipes.flush_all(FlushCause::Wait);
    }

    #[inline]
    fn apply_flush_rule(&mut self, alone: bool) {
        let dirty = self.pipes.dirty_pipes();
        if dirty == 0 {
            return;
        }
        if self.reactor.is_none() {
            // There is no I/O thread that could flush later, and no pipe leads to an engine.
            return self.pipes.flush_all(FlushCause::Wait);
        }
        match self.flush.decide(dirty, alone, clock::now) {
            Decision::Now => self.pipes.flush_all(FlushCause::Token),
            Decision::Leave => self.pipes.flush_full(),
            Decision::Defer => {
                self.pipes.flush_full();
                self.pipes.after_unlock.defer = true;
                self.pipes.after_unlock.mark();
            }
        }
    }
}

/// Returns the end of a pipe, as the other end refers to it.
pub(crate) fn owner(base: &Arc<SocketBase>, slot: &Slot) -> Owner {
    Owner { base: Arc::clone(base), slot: slot.clone() }
}

/// Returns the user at the other end of a pipe. It is empty if the user is unknown, and over inproc.
fn user_of(entry: &Entry) -> &str {
    entry.peer.as_ref().map_or("", |peer| &peer.user_id)
}

#[cfg(test)]
#[path = "base_tests.rs"]
mod tests;
