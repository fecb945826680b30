//! The pipe table of one socket: what its pattern moves messages with, under the socket's lock.
//!
//! Nothing here makes a system call or takes the lock of another socket or of an engine. What has to happen without the
//! lock is collected in an [`AfterUnlock`].

use std::sync::Arc;

use zeroxide_patterns::{Cause, Credit, PipeId, Pipes};
use zeroxide_transports::budget::Budget;
use zeroxide_transports::pipe::{Pipe, Writer};
use zeroxide_zmtp::message::INLINE;
use zeroxide_zmtp::{Message, Next, Peer, ProtocolError, Traffic};

use super::after_unlock::{AfterUnlock, ToFree};
use super::base::SocketBase;
use super::marks::{Changes, JointMarks, Side};
use super::past::Past;
use crate::engine::slot::Slot;
use crate::engine::{Engine, READABLE};
use crate::socket::news::News;
use crate::stats::{Dropped, Drops, Received, is_routed};

/// A receiver that is about to wait reads its connections itself if there are at most so many.
const MAX_PULLED: usize = 4;

/// One end of a pipe, as the other end refers to it: the socket to tell that something has changed.
#[derive(Clone)]
pub(crate) struct Owner {
    pub(crate) base: Arc<SocketBase>,
    pub(crate) slot: Slot,
}

/// Why a batch leaves. Each is an index of [`PipeTable::flushes`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum FlushCause {
    Token,
    Quantum,
    Watch,
    Wait,
}

/// What is at the other end of a pipe.
pub(crate) enum Link {
    /// An endpoint that has no connection now.
    Offline,
    /// A connection.
    Engine(Arc<Engine>),
    /// A socket of this context (inproc).
    Inproc(Owner),
}

/// One pipe of the table.
pub(crate) struct Entry {
    pub(crate) pipe: Pipe,
    pub(crate) link: Link,
    pub(crate) slot: Slot,
    /// The peer of its newest connection.
    pub(crate) peer: Option<Arc<Peer>>,
    /// The sender of the messages that are being read. It may belong to an earlier connection than `peer`.
    sender: Option<Arc<Peer>>,
    /// The endpoint it belongs to, by number.
    pub(crate) endpoint: u64,
    /// Messages for the peer that were dropped.
    pub(crate) drops: Drops,
    /// Messages of the peer that the pattern has dropped.
    rejected: u64,
    /// Messages that were received and did not come through the pipe: the DISCONNECT_MSG of inproc.
    noticed: u64,
    /// Something is in the open batch, and the pipe is in `PipeTable::dirty`.
    dirty: bool,
    /// The peer is gone for good. Input may be left.
    ended: bool,
    /// It counts in `PipeTable::departed`.
    departed: bool,
    /// It belongs to an accepted connection.
    pub(crate) accepted: bool,
    /// A connection was established on it at least once.
    pub(crate) was_up: bool,
    /// It leads, or led, to a socket of this context.
    pub(crate) inproc: bool,
    /// Over inproc: the DISCONNECT_MSG to receive after the last message of the other socket.
    pub(crate) disconnect_notice: Option<Message>,
    /// Over inproc: the high-water marks of both sockets.
    pub(crate) joint: Option<(Arc<JointMarks>, Side)>,
}

impl Entry {
    pub(crate) fn new(pipe: Pipe, link: Link, slot: Slot, endpoint: u64) -> Entry {
        let (peer, drops, inproc) = (None, Drops::default(), matches!(link, Link::Inproc(_)));
        let accepted = false;
        let (dirty, ended, departed, was_up, disconnect_notice, joint) =
            (false, false, false, false, None, None);
        Entry {
            pipe,
            link,
            slot,
            peer,
            sender: None,
            endpoint,
            drops,
            rejected: 0,
            noticed: 0,
            dirty,
            ended,
            departed,
            accepted,
            was_up,
            inproc,
            disconnect_notice,
            joint,
        }
    }

    /// Sets the only peer that this pipe will have.
    pub(crate) fn set_only_peer(&mut self, peer: Arc<Peer>) {
        self.sender = Some(Arc::clone(&peer));
        self.peer = Some(peer);
    }

    /// Sets the sender of a message that was just read. This is done here because a pattern may keep the message, and
    /// then the pipe is no longer known. The first message of a connection already has its sender (`Engine::attach`).
    #[inline]
    fn note_sender(&mut self, message: &mut Message) {
        match (message.peer(), &self.sender) {
            // Another socket of this process forwards the message. It keeps its original sender.
            (Some(_), _) if self.inproc => {}
            (Some(peer), _) => self.sender = Some(Arc::clone(peer)),
            (None, Some(sender)) => message.set_peer(Some(Arc::clone(sender))),
            (None, None) => {}
        }
    }

    /// Notes that something is in the open batch of the pipe, whose number is `id`.
    #[inline]
    fn note_open(&mut self, id: PipeId, dirty: &mut Vec<PipeId>) {
        if !std::mem::replace(&mut self.dirty, true) {
            dirty.push(id);
        }
    }

    /// Returns whether the peer is gone for good. Input may be left.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Returns whether queued messages will never be written, because there is no peer and none will come. Over inproc a
    /// queued message counts as written.
    pub(crate) fn is_deserted(&self) -> bool {
        !self.inproc && self.pipe.writer.is_abandoned()
    }

    /// Returns the other socket's end, over inproc.
    pub(crate) fn far_end(&self) -> Option<Owner> {
        match &self.link {
            Link::Inproc(owner) => Some(owner.clone()),
            Link::Offline | Link::Engine(_) => None,
        }
    }

    /// Returns the number of dropped messages that were routed to the peer.
    pub(crate) fn dropped(&self) -> u64 {
        Dropped(self.drops).routed()
    }

    /// Returns what came from the peer.
    pub(crate) fn received(&self) -> Received {
        let mut arrivals = self.pipe.reader.arrivals();
        arrivals.messages += self.noticed;
        arrivals.taken += self.noticed;
        if self.inproc {
            arrivals.bytes = 0;
        }
        Received::new(arrivals, self.rejected)
    }
}

/// The pipes of one socket, by [`PipeId`].
#[derive(Default)]
pub(crate) struct PipeTable {
    entries: Vec<Option<Entry>>,
    free: Vec<PipeId>,
    dirty: Vec<PipeId>,
    pub(crate) after_unlock: AfterUnlock,
    /// Pipes without a peer whose input is read. They are detached before the lock is released.
    drained: Vec<PipeId>,
    departed: usize,
    /// Messages that no pipe carried, by cause.
    pub(crate) drops: Drops,
    pub(crate) unmatched: u64,
    /// Requests of peers that are not reported to the application.
    pub(crate) unreported: u64,
    /// The counts of removed pipes.
    pub(crate) past: Past,
    /// Batches flushed, by [`FlushCause`].
    pub(crate) flushes: [u64; 4],
    /// The full pipes have been driven for this very message: what is full now is full indeed.
    pub(crate) driven: bool,
    /// The sender does not wait (C library): a full pipe whose credit was looked at a moment ago is not looked at again.
    pub(crate) hurried: bool,
    /// At least one pipe was not looked at because of `hurried`.
    pub(crate) passed_over: bool,
    /// What connections have brought and nobody has taken.
    pub(crate) budget: Budget,
}

impl PipeTable {
    pub(crate) fn new(budget: Budget) -> PipeTable {
        PipeTable { budget, ..PipeTable::default() }
    }

    /// Adds a pipe and tells its number to the other end.
    pub(crate) fn insert(&mut self, entry: Entry) -> PipeId {
        let id = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            PipeId(self.entries.len() as u32 - 1)
        });
        if let Some(earlier) = entry.slot.get().and_then(|earlier| self.get_mut(earlier)) {
            // An earlier pipe of this slot has ended and stays until it is read. It gets no more news.
            earlier.slot = Slot::new();
        }
        entry.slot.set(Some(id));
        self.entries[id.0 as usize] = Some(entry);
        id
    }

    /// Removes a pipe. Its number may be used again, so the pattern must have forgotten it.
    pub(crate) fn remove(&mut self, id: PipeId) -> Option<Entry> {
        let entry = self.entries.get_mut(id.0 as usize)?.take()?;
        entry.slot.set(None);
        self.departed -= usize::from(entry.departed);
        self.dirty.retain(|dirty| *dirty != id);
        // The next pipe with this number must not be detached in its place.
        self.drained.retain(|drained| *drained != id);
        self.free.push(id);
        Some(entry)
    }

    /// Empties the table.
    pub(crate) fn take_all(&mut self) -> Vec<Entry> {
        self.dirty.clear();
        self.free.clear();
        self.drained.clear();
        self.departed = 0;
        let entries: Vec<Entry> = self.entries.drain(..).flatten().collect();
        entries.iter().for_each(|entry| entry.slot.set(None));
        entries
    }

    #[inline]
    pub(crate) fn get(&self, id: PipeId) -> Option<&Entry> {
        self.entries.get(id.0 as usize)?.as_ref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: PipeId) -> Option<&mut Entry> {
        self.entries.get_mut(id.0 as usize)?.as_mut()
    }

    /// Returns all pipes with their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PipeId, &Entry)> {
        self.entries.iter().enumerate().filter_map(|(i, e)| e.as_ref().map(|e| (PipeId(i as u32), e)))
    }

    /// Asks for a drive of every connection that reads its stream, if there are few connections. A receiver calls it before
    /// it waits: a read that finds nothing costs less than the two wakes that it may save.
    pub(crate) fn pull_input(&mut self) {
        if self.entries.len() - self.free.len() > MAX_PULLED {
            return;
        }
        for entry in self.entries.iter().flatten() {
            if let Link::Engine(engine) = &entry.link {
                engine.edge(READABLE);
                self.after_unlock.drive(engine);
            }
        }
    }

    /// Returns the engines of all connections, or none if there are more than `most` pipes.
    pub(super) fn few_engines(&self, most: usize) -> Vec<Arc<Engine>> {
        if self.entries.len() - self.free.len() > most {
            return Vec::new();
        }
        let engine = |entry: &Entry| {
            if let Link::Engine(engine) = &entry.link { Some(Arc::clone(engine)) } else { None }
        };
        self.entries.iter().flatten().filter_map(engine).collect()
    }

    /// Changes the limits of the pipes; returns those that may have room now.
    pub(super) fn set_limits(&mut self, changes: &Changes) -> Vec<PipeId> {
        let Changes { send, receive, peer, total } = *changes;
        if changes.is_empty() {
            return Vec::new();
        }
        total.iter().for_each(|total| self.budget.set_limit(*total));
        let ids: Vec<PipeId> = self.iter().map(|(id, _)| id).collect();
        for entry in self.entries.iter_mut().flatten() {
            let hungry = match peer {
                Some(most) => entry.pipe.reader.set_most(most),
                None => total.is_some() && entry.pipe.reader.take_hungry(),
            };
            let wake = match &entry.joint {
                Some((marks, side)) => marks.set(*side, send, receive, &mut entry.pipe),
                None => {
                    send.iter().for_each(|hwm| entry.pipe.writer.set_hwm(*hwm));
                    receive.is_some_and(|hwm| entry.pipe.reader.set_hwm(hwm))
                }
            };
            if wake || hungry {
                self.after_unlock.notify(&entry.link, News::Writable);
            }
        }
        ids
    }

    /// Returns how many pipes have an open batch.
    #[inline]
    pub(crate) fn dirty_pipes(&self) -> usize {
        self.dirty.len()
    }

    /// Flushes every dirty pipe and asks for its engine to be driven.
    pub(crate) fn flush_all(&mut self, cause: FlushCause) {
        self.flushes[cause as usize] += self.dirty.len() as u64;
        while let Some(id) = self.dirty.pop() {
            self.flush(id);
        }
    }

    /// Flushes the dirty pipes that hold a full quantum.
    #[inline]
    pub(crate) fn flush_full(&mut self) {
        let full = |table: &PipeTable, id: &PipeId| {
            table.get(*id).is_some_and(|entry| match &entry.link {
                Link::Engine(engine) => entry.pipe.writer.open_bytes() >= engine.quantum(),
                Link::Offline | Link::Inproc(_) => false,
            })
        };
        for at in (0..self.dirty.len()).rev() {
            if full(self, &self.dirty[at]) {
                self.flushes[FlushCause::Quantum as usize] += 1;
                let id = self.dirty.swap_remove(at);
                self.flush(id);
            }
        }
    }

    fn flush(&mut self, id: PipeId) {
        let Some(entry) = self.entries.get_mut(id.0 as usize).and_then(Option::as_mut) else { return };
        entry.dirty = false;
        let wake = entry.pipe.writer.flush();
        match &entry.link {
            Link::Engine(engine) => self.after_unlock.drive(engine),
            Link::Inproc(owner) if wake => self.after_unlock.tell(owner, News::Readable),
            Link::Inproc(_) | Link::Offline => {}
        }
        Self::collect(&mut self.after_unlock, &mut entry.pipe.writer);
    }

    #[inline]
    pub(super) fn collect(after_unlock: &mut AfterUnlock, writer: &mut Writer) {
        let replaced = writer.take_replaced();
        if !replaced.is_empty() {
            after_unlock.drop_later(replaced);
        }
    }

    /// Notes that the peer of a pipe is gone for good. Returns `true` if nothing is left to read: detach the pipe now.
    pub(crate) fn end(&mut self, id: PipeId, reads: bool) -> bool {
        let Some(entry) = self.get_mut(id) else { return false };
        entry.ended = true;
        let done = !reads || !entry.pipe.reader.has_input() && entry.disconnect_notice.is_none();
        let departs = !done && !std::mem::replace(&mut entry.departed, true);
        self.departed += usize::from(departs);
        self.unlink(id);
        done
    }

    /// Ends a pipe on this side and returns its link. The pipe stays in the table.
    pub(crate) fn let_go(&mut self, id: PipeId) -> Option<Link> {
        let entry = self.entries.get_mut(id.0 as usize)?.as_mut()?;
        self.after_unlock.let_go(&mut entry.pipe);
        let link = std::mem::replace(&mut entry.link, Link::Offline);
        if self.budget.owes_wake() {
            self.read_on();
        }
        Some(link)
    }

    /// There is room in the socket's budget again: connections that were not read for want of it are. By their I/O
    /// thread, which gives each a turn: the first of them would take all the room here.
    #[cold]
    fn read_on(&mut self) {
        for entry in self.entries.iter_mut().flatten() {
            if let Link::Engine(engine) = &entry.link {
                if entry.pipe.reader.take_hungry() {
                    self.after_unlock.give_turn(engine);
                }
            }
        }
        self.after_unlock.mark();
    }

    /// Removes the link of a pipe: there is nothing at its other end any more.
    pub(crate) fn unlink(&mut self, id: PipeId) {
        if let Some(entry) = self.get_mut(id) {
            let link = std::mem::replace(&mut entry.link, Link::Offline);
            self.after_unlock.free_later(ToFree::Link(link));
        }
    }

    /// Returns the number of lost peers with messages that are not received yet.
    pub(crate) fn departed(&self) -> usize {
        self.departed
    }

    /// Takes the pipes that are to be detached.
    pub(crate) fn take_drained(&mut self) -> Vec<PipeId> {
        std::mem::take(&mut self.drained)
    }

    pub(crate) fn has_drained(&self) -> bool {
        !self.drained.is_empty()
    }

    /// Copies a short message into the open batch of a connection's pipe. Returns `false` and changes nothing if the message
    /// is not short, or if the pipe is another one.
    #[inline]
    fn copy_in(&mut self, id: PipeId, message: &Message) -> bool {
        let entry = self.entries.get_mut(id.0 as usize).and_then(Option::as_mut);
        let Some(entry) = entry.filter(|entry| !entry.ended) else { return false };
        let copied = entry.pipe.writer.write_copy(message);
        if copied {
            entry.note_open(id, &mut self.dirty);
        }
        copied
    }

    /// Puts an item into a pipe's open batch.
    fn push(&mut self, id: PipeId, traffic: Traffic) {
        let entry = self.entries.get_mut(id.0 as usize).and_then(Option::as_mut);
        let Some(entry) = entry.filter(|entry| !entry.ended) else {
            if traffic.is_message() {
                self.dropped(None, Cause::PeerLost);
            }
            self.after_unlock.drop_later([traffic]);
            return;
        };
        // Over inproc a message can be received when `send` returns: applications of libzmq rely on it.
        if let Link::Inproc(owner) = &entry.link {
            if entry.pipe.writer.put(traffic) {
                self.after_unlock.tell(owner, News::Readable);
            }
            return Self::collect(&mut self.after_unlock, &mut entry.pipe.writer);
        }
        entry.pipe.writer.write(traffic);
        entry.note_open(id, &mut self.dirty);
    }
}

impl Pipes for PipeTable {
    #[inline]
    fn reserve(&mut self, pipe: PipeId) -> Credit {
        let (driven, hurried) = (self.driven, self.hurried);
        let Some(entry) = self.get_mut(pipe).filter(|entry| !entry.ended) else { return Credit::Gone };
        if entry.pipe.writer.reserve_known() {
            return Credit::Granted;
        }
        if hurried && entry.pipe.writer.looked_lately() {
            self.passed_over = true;
            return Credit::AfterDrive;
        }
        if entry.pipe.writer.reserve() {
            return Credit::Granted;
        }
        match &entry.link {
            Link::Inproc(_) if entry.pipe.writer.is_abandoned() => Credit::Gone,
            Link::Engine(engine) if !driven && !engine.is_blocked() => {
                self.flush_for_credit(pipe);
                Credit::AfterDrive
            }
            _ => Credit::Full,
        }
    }

    fn release(&mut self, pipe: PipeId) {
        if let Some(entry) = self.get_mut(pipe) {
            entry.pipe.writer.release();
        }
    }

    #[inline]
    fn write(&mut self, pipe: PipeId, message: &mut Message) {
        if !self.copy_in(pipe, message) {
            self.push(pipe, Traffic::Message(std::mem::take(message)));
        }
    }

    #[inline]
    fn write_copy(&mut self, pipe: PipeId, message: &Message) {
        // A larger body is shared by the queues of all its receivers.
        if message.size() > INLINE || !self.copy_in(pipe, message) {
            self.push(pipe, Traffic::Message(message.clone()));
        }
    }

    fn signal(&mut self, pipe: PipeId, traffic: Traffic) {
        self.push(pipe, traffic);
    }

    #[inline]
    fn read_into(&mut self, pipe: PipeId, into: &mut Message) -> Next {
        let entry = self.entries.get_mut(pipe.0 as usize).and_then(Option::as_mut);
        let Some(entry) = entry else { return Next::Nothing };
        let mut next = entry.pipe.reader.read_into(into);
        let mut wakes_all = false;
        if entry.pipe.reader.owes_wake() {
            self.after_unlock.notify(&entry.link, News::Writable);
            wakes_all = entry.pipe.reader.owes_wake_to_all();
        }
        if matches!(next, Next::Nothing) && entry.ended {
            next = Next::of(entry.disconnect_notice.take().map(Traffic::Message), into);
            entry.noticed += u64::from(matches!(next, Next::Message));
        }
        match next {
            Next::Message => entry.note_sender(into),
            Next::Nothing if entry.ended => self.drained.push(pipe),
            _ => {}
        }
        if wakes_all {
            self.read_on();
        }
        next
    }

    fn recall(&mut self, pipe: PipeId, wanted: impl Fn(&Message) -> bool) -> Option<Message> {
        // Over inproc a queued message counts as delivered.
        let entry = self.get_mut(pipe).filter(|entry| !entry.inproc)?;
        let recalled = entry.pipe.writer.recall(wanted)?;
        self.after_unlock.wake_output = true;
        self.after_unlock.mark();
        Some(recalled)
    }

    fn dropped(&mut self, pipe: Option<PipeId>, cause: Cause) {
        let entry = pipe.and_then(|id| self.entries.get_mut(id.0 as usize)).and_then(Option::as_mut);
        let drops = match entry {
            Some(entry) => &mut entry.drops,
            None => {
                // It was routed to a peer that is gone.
                self.past.routed += u64::from(is_routed(cause));
                &mut self.drops
            }
        };
        drops[cause as usize] += 1;
    }

    fn reject(&mut self, pipe: PipeId, message: Message) {
        match self.get_mut(pipe) {
            Some(entry) => entry.rejected += 1,
            // Its pipe is gone, and has counted it as delivered.
            None => {
                let received = &mut self.past.received;
                received.delivered = received.delivered.saturating_sub(1);
                received.dropped.0[Cause::Unwanted as usize] += 1;
            }
        }
        self.discard(message);
    }

    fn unmatched(&mut self) {
        self.unmatched += 1;
    }

    fn unreported(&mut self, count: u64) {
        self.unreported += count;
    }

    fn changed(&mut self) {
        self.after_unlock.wake_everybody();
    }

    fn discard(&mut self, message: Message) {
        self.after_unlock.drop_later([Traffic::Message(message)]);
    }

    fn expel(&mut self, pipe: PipeId, fault: ProtocolError) -> bool {
        let Some(entry) = self.get(pipe).filter(|entry| !entry.inproc) else { return false };
        if let Link::Engine(engine) = &entry.link {
            let expelled = (Arc::clone(engine), fault);
            self.after_unlock.expelled.push(expelled);
            self.after_unlock.mark();
        }
        true
    }

    fn has_closed(&self, pipe: PipeId) -> bool {
        self.get(pipe).is_some_and(|entry| {
            entry.ended || matches!(&entry.link, Link::Engine(engine) if engine.is_hung_up())
        })
    }

    fn end_when_read(&mut self, pipe: PipeId) -> bool {
        let accepted = self.get(pipe).filter(|entry| entry.accepted);
        let Some(Link::Engine(engine)) = accepted.map(|entry| &entry.link) else { return false };
        let engine = Arc::clone(engine);
        self.after_unlock.read_out.push(engine);
        self.after_unlock.mark();
        true
    }

    fn close(&mut self, pipe: PipeId) {
        let Some(entry) = self.get_mut(pipe) else { return };
        let (endpoint, ended) = (entry.endpoint, std::mem::replace(&mut entry.ended, true));
        entry.disconnect_notice = None;
        match self.let_go(pipe) {
            Some(Link::Engine(engine)) => self.after_unlock.retired.push(engine),
            Some(Link::Inproc(owner)) => self.after_unlock.tell(&owner, News::Ended),
            Some(Link::Offline) if !ended => self.after_unlock.ended_endpoints.push(endpoint),
            Some(Link::Offline) | None => {}
        }
        self.drained.push(pipe);
    }
}

impl PipeTable {
    /// Flushes a full pipe and asks for a drive of its engine, which can write.
    #[cold]
    fn flush_for_credit(&mut self, pipe: PipeId) {
        self.dirty.retain(|dirty| *dirty != pipe);
        self.flush(pipe);
    }
}

#[cfg(test)]
#[path = "pipes_tests.rs"]
mod tests;
