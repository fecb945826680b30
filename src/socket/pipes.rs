//! The pipe table of one socket: what its pattern moves messages with, under the socket's lock.
//!
//! Nothing here makes a system call or takes another socket's or engine's lock. What has to happen outside the lock
//! (engines to drive, other sockets to tell, messages to free) is collected in an [`Errands`] and run after
//! unlocking.

use std::sync::Arc;

use zeroxide_patterns::{Cause, Credit, PipeId, Pipes};
use zeroxide_transports::pipe::{Pipe, Reader, Writer};
use zeroxide_zmtp::queue::TrafficQueue;
use zeroxide_zmtp::{Frame, Message, Peer, ProtocolError, Traffic};

use super::base::SocketBase;
use super::marks::{JointMarks, Side};
use crate::engine::slot::Slot;
use crate::engine::{Engine, READABLE};
use crate::socket::news::News;
use crate::stats::{Dropped, Drops, is_routed};
use crate::user_code;

/// Connections that a receiver who is about to wait reads himself.
const MAX_PULLED: usize = 4;

/// One end of a pipe as the other end knows it: whom to tell that something changed.
#[derive(Clone)]
pub(crate) struct Owner {
    pub(crate) base: Arc<SocketBase>,
    pub(crate) slot: Slot,
}

/// Why a batch leaves: indices of [`PipeTable::flushes`].
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
    pub(crate) peer: Option<Arc<Peer>>,
    /// The endpoint it belongs to, by number.
    pub(crate) endpoint: u64,
    pub(crate) drops: Drops,
    /// Something is in the open batch and the pipe is on the table's list of dirty ones.
    dirty: bool,
    /// The peer is gone for good; only input is left.
    ended: bool,
    /// It counts among those that left something to be received.
    departed: bool,
    /// It belongs to one connection, which was accepted.
    pub(crate) accepted: bool,
    /// A connection was established on it at least once.
    pub(crate) was_up: bool,
    /// It leads, or led, to a socket of this context.
    pub(crate) inproc: bool,
    /// What is received when that socket has left, behind all that it sent.
    pub(crate) farewell: Option<Message>,
    /// The marks that it has in common with that socket.
    pub(crate) joint: Option<(Arc<JointMarks>, Side)>,
}

impl Entry {
    pub(crate) fn new(pipe: Pipe, link: Link, slot: Slot, endpoint: u64) -> Entry {
        let (peer, drops, inproc) = (None, Drops::default(), matches!(link, Link::Inproc(_)));
        let accepted = false;
        let (dirty, ended, departed, was_up, farewell, joint) = (false, false, false, false, None, None);
        Entry {
            pipe,
            link,
            slot,
            peer,
            endpoint,
            drops,
            dirty,
            ended,
            departed,
            accepted,
            was_up,
            inproc,
            farewell,
            joint,
        }
    }

    /// Returns whether nothing more comes in or goes out but the input that is left.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Returns whether what is still queued will never be written: nobody is at the other end, and nobody comes. Over inproc the
    /// queue itself was the destination.
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

    /// Messages for the peer that this side dropped; what it dropped of the peer's does not count.
    pub(crate) fn dropped(&self) -> u64 {
        Dropped(self.drops).routed()
    }
}

/// Makes the news for a slot.
pub(crate) type NewsOf = fn(Slot) -> News;

/// What is left of a pipe that is gone: messages, engines and sockets may end with it.
#[allow(dead_code)] // mostly only dropped
enum ToFree {
    Reader(Reader),
    Writer(Writer),
    Link(Link),
    /// As a queue: a list of what is in it would take several times its memory.
    Unread(TrafficQueue),
}

/// What is to be freed outside of every lock: payloads of the application, and what may hold some.
#[derive(Default)]
pub(crate) struct Garbage {
    pub(crate) frames: Vec<Frame>,
    traffic: Vec<Traffic>,
    parts: Vec<ToFree>,
}

impl Garbage {
    /// Takes what another one holds.
    pub(crate) fn add(&mut self, other: Garbage) {
        append(&mut self.frames, other.frames);
        append(&mut self.traffic, other.traffic);
        append(&mut self.parts, other.parts);
    }

    /// Frees it.
    pub(crate) fn free(self) {
        if !self.frames.is_empty() {
            user_code::free_each(self.frames.into_iter());
        }
        if !self.traffic.is_empty() {
            user_code::free_each(self.traffic.into_iter());
        }
        for part in self.parts {
            match part {
                ToFree::Unread(queue) => free_unread(queue),
                other => user_code::free(other),
            }
        }
    }
}

/// Frees what nobody read of a pipe.
pub(crate) fn free_unread(mut queue: TrafficQueue) {
    user_code::free_each(std::iter::from_fn(move || queue.pop()));
}

/// Adds a list to another, which it becomes if that is empty.
pub(crate) fn append<T>(list: &mut Vec<T>, more: Vec<T>) {
    if list.is_empty() { *list = more } else { list.extend(more) }
}

/// What is to be done once the socket's lock is released.
#[derive(Default)]
pub(crate) struct Errands {
    /// The first engine to drive stands outside the list, so that the common send allocates nothing.
    first: Option<Arc<Engine>>,
    more: Vec<Arc<Engine>>,
    pub(crate) news: Vec<(Owner, NewsOf)>,
    pub(crate) garbage: Garbage,
    /// Connections to end now.
    pub(crate) stops: Vec<Arc<Engine>>,
    /// Connections to end now for a fault of their peer's.
    pub(crate) expelled: Vec<(Arc<Engine>, ProtocolError)>,
    /// Connections to end when their peers have closed, or have had the time for it.
    pub(crate) read_out: Vec<Arc<Engine>>,
    /// Connections to end when what is unsent has left.
    pub(crate) retired: Vec<Arc<Engine>>,
    /// Endpoints whose pipe the pattern closed while nobody was connected.
    pub(crate) ended_endpoints: Vec<u64>,
    pub(crate) wake_input: bool,
    pub(crate) wake_output: bool,
    /// Peers, subscriptions or endpoints changed.
    pub(crate) wake_watchers: bool,
    pub(crate) defer: bool,
    any: bool,
}

impl Errands {
    /// Returns whether there is nothing to do.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        !self.any
    }

    /// Asks for an engine to be driven.
    pub(crate) fn drive(&mut self, engine: &Arc<Engine>) {
        self.any = true;
        match &self.first {
            None => self.first = Some(Arc::clone(engine)),
            Some(first) if Arc::ptr_eq(first, engine) => {}
            Some(_) => self.more.push(Arc::clone(engine)),
        }
    }

    /// Returns the engines to drive.
    pub(crate) fn engines(&mut self) -> impl Iterator<Item = Arc<Engine>> {
        self.first.take().into_iter().chain(std::mem::take(&mut self.more))
    }

    /// Ends a pipe on this side: nothing more will come, and what is unread is thrown away. The other side must be told
    /// of the end, which makes it look whether it slept or not.
    pub(crate) fn let_go(&mut self, pipe: &mut Pipe) {
        pipe.writer.finish();
        let unread = pipe.reader.abandon();
        if !unread.is_empty() {
            self.garbage.parts.push(ToFree::Unread(unread));
        }
        self.any = true;
    }

    fn free_later(&mut self, part: ToFree) {
        self.any = true;
        self.garbage.parts.push(part);
    }

    /// Returns whether running it writes, reads or wakes.
    pub(crate) fn touches_the_system(&self) -> bool {
        self.defer
            || self.first.is_some()
            || !self.stops.is_empty()
            || !self.expelled.is_empty()
            || !self.read_out.is_empty()
            || !self.ended_endpoints.is_empty()
    }

    /// Returns whether an engine is to be driven.
    pub(crate) fn drives(&self) -> bool {
        self.first.is_some()
    }

    pub(crate) fn tell(&mut self, owner: &Owner, news: NewsOf) {
        self.any = true;
        self.news.push((owner.clone(), news));
    }

    /// Sees to it that the other end of a pipe notices a change of it: an engine by a drive, a socket by news.
    pub(crate) fn notify(&mut self, link: &Link, news: NewsOf) {
        match link {
            Link::Engine(engine) => self.drive(engine),
            Link::Inproc(owner) => self.tell(owner, news),
            Link::Offline => {}
        }
    }

    pub(crate) fn mark(&mut self) {
        self.any = true;
    }
}

/// The pipes of one socket, by [`PipeId`].
#[derive(Default)]
pub(crate) struct PipeTable {
    entries: Vec<Option<Entry>>,
    free: Vec<PipeId>,
    dirty: Vec<PipeId>,
    pub(crate) errands: Errands,
    /// Pipes whose last input was read after their peer had gone: to be detached when the pattern is done.
    drained: Vec<PipeId>,
    departed: usize,
    /// Messages that no pipe carried, by cause.
    pub(crate) drops: Drops,
    pub(crate) unmatched: u64,
    /// Requests of peers that the application is not told of.
    pub(crate) unreported: u64,
    /// What pipes that are gone had counted.
    pub(crate) past: Past,
    /// Batches flushed, by [`FlushCause`].
    pub(crate) flushes: [u64; 4],
    /// The full pipes have been driven for this very message: what is full now is full indeed.
    pub(crate) driven: bool,
    /// The sender does not wait (C library): a full pipe whose credit was looked at a moment ago is not looked at again.
    pub(crate) hurried: bool,
    /// At least one pipe was not looked at because of `hurried`.
    pub(crate) passed_over: bool,
}

/// Sums over the pipes that a socket had.
#[derive(Debug, Default)]
pub(crate) struct Past {
    pub(crate) routed: u64,
    pub(crate) written: u64,
    /// Pipes without a socket that may still write, with the cause that what they do not write is dropped for; none
    /// over inproc, where it is written already.
    pub(crate) leaving: Vec<(Writer, Option<Cause>)>,
}

impl PipeTable {
    /// Adds a pipe and tells its number to the other end.
    pub(crate) fn insert(&mut self, entry: Entry) -> PipeId {
        let id = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            PipeId(self.entries.len() as u32 - 1)
        });
        if let Some(earlier) = entry.slot.get().and_then(|earlier| self.get_mut(earlier)) {
            // It ended before, and stays for what is unread: no news will come for it.
            earlier.slot = Slot::new();
        }
        entry.slot.set(Some(id));
        self.entries[id.0 as usize] = Some(entry);
        id
    }

    /// Takes a pipe out; its number is free again after the pattern has forgotten it.
    pub(crate) fn remove(&mut self, id: PipeId) -> Option<Entry> {
        let entry = self.entries.get_mut(id.0 as usize)?.take()?;
        entry.slot.set(None);
        self.departed -= usize::from(entry.departed);
        self.dirty.retain(|dirty| *dirty != id);
        // It may have ended and been closed in one go: whoever has the number next is not to be detached for it.
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

    /// Asks for every connection to be read, if they are few: who is about to wait for input looks himself whether some
    /// has come, which costs a failing read and saves two wakes.
    pub(crate) fn pull_input(&mut self) {
        if self.entries.len() - self.free.len() > MAX_PULLED {
            return;
        }
        for entry in self.entries.iter().flatten() {
            if let Link::Engine(engine) = &entry.link {
                engine.edge(READABLE);
                self.errands.drive(engine);
            }
        }
    }

    /// Changes the high-water marks of the pipes; returns those that may have room now.
    pub(crate) fn set_marks(&mut self, send: Option<u32>, receive: Option<u32>) -> Vec<PipeId> {
        if send.is_none() && receive.is_none() {
            return Vec::new();
        }
        let ids: Vec<PipeId> = self.iter().map(|(id, _)| id).collect();
        for entry in self.entries.iter_mut().flatten() {
            let wake = match &entry.joint {
                Some((marks, side)) => marks.set(*side, send, receive, &mut entry.pipe),
                None => {
                    send.iter().for_each(|hwm| entry.pipe.writer.set_hwm(*hwm));
                    receive.is_some_and(|hwm| entry.pipe.reader.set_hwm(hwm))
                }
            };
            if wake {
                self.errands.notify(&entry.link, News::Writable);
            }
        }
        self.errands.wake_output = true;
        self.errands.mark();
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
            Link::Engine(engine) => self.errands.drive(engine),
            Link::Inproc(owner) if wake => self.errands.tell(owner, News::Readable),
            Link::Inproc(_) | Link::Offline => {}
        }
        Self::collect(&mut self.errands, &mut entry.pipe.writer);
    }

    #[inline]
    fn collect(errands: &mut Errands, writer: &mut Writer) {
        let replaced = writer.take_replaced();
        if !replaced.is_empty() {
            errands.mark();
            errands.garbage.traffic.extend(replaced);
        }
    }

    /// The peer of a pipe is gone for good. `true`: nothing is left to read, detach it now.
    pub(crate) fn end(&mut self, id: PipeId, reads: bool) -> bool {
        let Some(entry) = self.get_mut(id) else { return false };
        entry.ended = true;
        let done = !reads || !entry.pipe.reader.has_input() && entry.farewell.is_none();
        let departs = !done && !std::mem::replace(&mut entry.departed, true);
        self.departed += usize::from(departs);
        self.unlink(id);
        done
    }

    /// This side is done with a pipe, which stays in the table; returns what it led to.
    pub(crate) fn let_go(&mut self, id: PipeId) -> Option<Link> {
        let entry = self.entries.get_mut(id.0 as usize)?.as_mut()?;
        self.errands.let_go(&mut entry.pipe);
        Some(std::mem::replace(&mut entry.link, Link::Offline))
    }

    /// Nothing is at the other end of a pipe any more.
    pub(crate) fn unlink(&mut self, id: PipeId) {
        if let Some(entry) = self.get_mut(id) {
            let link = std::mem::replace(&mut entry.link, Link::Offline);
            self.errands.free_later(ToFree::Link(link));
        }
    }

    /// Returns how many peers are gone and left something to be received.
    pub(crate) fn departed(&self) -> usize {
        self.departed
    }

    /// Returns the pipes that are to be detached since this was last asked.
    pub(crate) fn take_drained(&mut self) -> Vec<PipeId> {
        std::mem::take(&mut self.drained)
    }

    pub(crate) fn has_drained(&self) -> bool {
        !self.drained.is_empty()
    }

    /// A message enters a pipe's open batch.
    fn push(&mut self, id: PipeId, traffic: Traffic) {
        let entry = self.entries.get_mut(id.0 as usize).and_then(Option::as_mut);
        let Some(entry) = entry.filter(|entry| !entry.ended) else {
            if traffic.is_message() {
                self.dropped(None, Cause::PeerLost);
            }
            self.errands.mark();
            self.errands.garbage.traffic.push(traffic);
            return;
        };
        // Every commit over inproc is visible before `send` returns: libzmq's users count on it.
        if let Link::Inproc(owner) = &entry.link {
            if entry.pipe.writer.put(traffic) {
                self.errands.tell(owner, News::Readable);
            }
            return Self::collect(&mut self.errands, &mut entry.pipe.writer);
        }
        entry.pipe.writer.write(traffic);
        if !entry.dirty {
            entry.dirty = true;
            self.dirty.push(id);
        }
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
    fn write(&mut self, pipe: PipeId, message: Message) {
        self.push(pipe, Traffic::Message(message));
    }

    fn signal(&mut self, pipe: PipeId, traffic: Traffic) {
        self.push(pipe, traffic);
    }

    #[inline]
    fn read(&mut self, pipe: PipeId) -> Option<Traffic> {
        let entry = self.entries.get_mut(pipe.0 as usize)?.as_mut()?;
        let mut traffic = entry.pipe.reader.read();
        if entry.pipe.reader.owes_wake() {
            self.errands.notify(&entry.link, News::Writable);
        }
        if traffic.is_none() && entry.ended {
            traffic = entry.farewell.take().map(Traffic::Message);
        }
        match (&mut traffic, &entry.peer) {
            // Signed here, where it is sure whose pipe this is: a pattern may hold the message for a while.
            (Some(Traffic::Message(message)), Some(peer)) => message.set_peer(Some(Arc::clone(peer))),
            (None, _) if entry.ended => self.drained.push(pipe),
            _ => {}
        }
        traffic
    }

    fn recall(&mut self, pipe: PipeId, wanted: impl Fn(&Message) -> bool) -> Option<Message> {
        // Over inproc the queue itself is the destination.
        let entry = self.get_mut(pipe).filter(|entry| !entry.inproc)?;
        let recalled = entry.pipe.writer.recall(wanted)?;
        self.errands.wake_output = true;
        self.errands.mark();
        Some(recalled)
    }

    fn dropped(&mut self, pipe: Option<PipeId>, cause: Cause) {
        let entry = pipe.and_then(|id| self.entries.get_mut(id.0 as usize)).and_then(Option::as_mut);
        let drops = match entry {
            Some(entry) => &mut entry.drops,
            None => {
                // It had been routed to a peer that is gone.
                self.past.routed += u64::from(is_routed(cause));
                &mut self.drops
            }
        };
        drops[cause as usize] += 1;
    }

    fn unmatched(&mut self) {
        self.unmatched += 1;
    }

    fn unreported(&mut self, count: u64) {
        self.unreported += count;
    }

    fn discard(&mut self, message: Message) {
        self.errands.mark();
        self.errands.garbage.traffic.push(Traffic::Message(message));
    }

    fn expel(&mut self, pipe: PipeId, fault: ProtocolError) -> bool {
        let Some(entry) = self.get(pipe).filter(|entry| !entry.inproc) else { return false };
        if let Link::Engine(engine) = &entry.link {
            let expelled = (Arc::clone(engine), fault);
            self.errands.expelled.push(expelled);
            self.errands.mark();
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
        self.errands.read_out.push(engine);
        self.errands.mark();
        true
    }

    fn close(&mut self, pipe: PipeId) {
        let Some(entry) = self.get_mut(pipe) else { return };
        let (endpoint, ended) = (entry.endpoint, std::mem::replace(&mut entry.ended, true));
        entry.farewell = None;
        match self.let_go(pipe) {
            Some(Link::Engine(engine)) => self.errands.retired.push(engine),
            Some(Link::Inproc(owner)) => self.errands.tell(&owner, News::Ended),
            Some(Link::Offline) if !ended => self.errands.ended_endpoints.push(endpoint),
            Some(Link::Offline) | None => {}
        }
        self.drained.push(pipe);
    }
}

impl PipeTable {
    /// A pipe is gone from the table: its counts stay with the socket. `cause` tells what it means when the other
    /// end goes away with messages unread.
    pub(crate) fn settle_accounts(&mut self, entry: Entry, cause: Cause) {
        self.keep_drops(&entry);
        let cause = (!entry.inproc).then_some(cause);
        let writer = self.dismantle(entry);
        self.past.leaving.push((writer, cause));
        self.fold_accounts();
    }

    /// The socket closes: like [`PipeTable::settle_accounts`], but gives a writer back whose messages linger.
    pub(crate) fn close_account(&mut self, entry: Entry) -> Option<Writer> {
        if entry.inproc || entry.is_deserted() {
            self.settle_accounts(entry, Cause::PeerLost);
            return None;
        }
        self.keep_drops(&entry);
        Some(self.dismantle(entry))
    }

    /// Returns the endpoints whose pipes hold something unsent.
    pub(crate) fn loaded_endpoints(&self) -> Vec<u64> {
        let is_loaded = |entry: &&Entry| !entry.is_deserted() && entry.pipe.writer.tally().queued() > 0;
        let loaded = self.entries.iter().flatten().filter(is_loaded);
        loaded.map(|entry| entry.endpoint).collect()
    }

    /// A pipe that never joined goes.
    pub(crate) fn discard_pipe(&mut self, entry: Entry) {
        let writer = self.dismantle(entry);
        self.errands.free_later(ToFree::Writer(writer));
    }

    /// Takes a pipe's writer; the rest is buried.
    fn dismantle(&mut self, entry: Entry) -> Writer {
        let Pipe { mut writer, reader } = entry.pipe;
        Self::collect(&mut self.errands, &mut writer);
        self.errands.free_later(ToFree::Reader(reader));
        self.errands.free_later(ToFree::Link(entry.link));
        writer
    }

    fn keep_drops(&mut self, entry: &Entry) {
        for (sum, drops) in self.drops.iter_mut().zip(entry.drops) {
            *sum += drops;
        }
        self.past.routed += entry.dropped();
    }

    /// Adds the counts of those pipes that nothing happens to any more to the sums.
    pub(crate) fn fold_accounts(&mut self) {
        let Past { routed, written, leaving } = &mut self.past;
        let drops = &mut self.drops;
        let (stay, done) = std::mem::take(leaving).into_iter().partition(|(writer, cause)| {
            // In this order: what its reader did before it went away is then in the tally.
            let abandoned = writer.is_abandoned();
            let tally = writer.tally();
            if cause.is_some() && tally.queued() > 0 && !abandoned {
                return true;
            }
            *routed += tally.routed;
            *written += tally.written;
            drops[Cause::PeerLost as usize] += tally.lost;
            drops[Cause::Conflated as usize] += tally.conflated;
            match cause {
                Some(cause) => drops[*cause as usize] += tally.queued(),
                // Over inproc the queue itself was the destination.
                None => *written += tally.queued(),
            }
            false
        });
        *leaving = stay;
        let done: Vec<(Writer, Option<Cause>)> = done;
        done.into_iter().for_each(|(writer, _)| self.errands.free_later(ToFree::Writer(writer)));
    }

    /// A pipe is full while its engine could write: make its batch visible and have the engine driven.
    #[cold]
    fn flush_for_credit(&mut self, pipe: PipeId) {
        self.dirty.retain(|dirty| *dirty != pipe);
        self.flush(pipe);
    }
}

#[cfg(test)]
#[path = "pipes_tests.rs"]
mod tests;
