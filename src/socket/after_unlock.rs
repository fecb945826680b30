//! What is collected under a socket's lock, and done after it is released: engines to drive, other sockets to tell,
//! connections to end, memory to free.

use std::sync::Arc;

use zeroxide_transports::pipe::{Pipe, Reader, Writer};
use zeroxide_zmtp::queue::TrafficQueue;
use zeroxide_zmtp::{Frame, ProtocolError, Traffic};

use super::news::News;
use super::pipes::{Link, Owner};
use crate::engine::Engine;
use crate::engine::slot::Slot;
use crate::user_code;

/// Makes the news for a slot.
pub(crate) type NewsOf = fn(Slot) -> News;

/// A part of a removed pipe. Its drop may be the last of messages, of an engine or of a socket.
#[allow(dead_code)] // mostly only dropped
pub(super) enum ToFree {
    Reader(Reader),
    Writer(Writer),
    Link(Link),
    /// The queue itself: a list of its messages would take several times the memory.
    Unread(TrafficQueue),
}

/// What is to be freed without any lock: payloads of the application, and what may hold some.
#[derive(Default)]
pub(crate) struct Garbage {
    pub(crate) frames: Vec<Frame>,
    pub(super) traffic: Vec<Traffic>,
    parts: Vec<ToFree>,
}

impl Garbage {
    /// Adds the contents of `other`.
    pub(crate) fn add(&mut self, other: Garbage) {
        append(&mut self.frames, other.frames);
        append(&mut self.traffic, other.traffic);
        append(&mut self.parts, other.parts);
    }

    /// Frees everything.
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

/// Frees the unread messages of a pipe.
pub(crate) fn free_unread(mut queue: TrafficQueue) {
    user_code::free_each(std::iter::from_fn(move || queue.pop()));
}

/// Appends `more` to a list, without copying if the list is empty.
pub(crate) fn append<T>(list: &mut Vec<T>, more: Vec<T>) {
    if list.is_empty() { *list = more } else { list.extend(more) }
}

/// What is to be done after the socket's lock is released.
#[derive(Default)]
pub(crate) struct AfterUnlock {
    /// The first engine to drive. It is not in the list, so that the common send allocates nothing.
    first: Option<Arc<Engine>>,
    more: Vec<Arc<Engine>>,
    pub(crate) news: Vec<(Owner, NewsOf)>,
    pub(crate) garbage: Garbage,
    /// Connections that their I/O thread is to give a turn.
    turns: Vec<Arc<Engine>>,
    /// Connections to end now.
    pub(crate) stops: Vec<Arc<Engine>>,
    /// Connections to end now, for a fault of the peer.
    pub(crate) expelled: Vec<(Arc<Engine>, ProtocolError)>,
    /// Connections to end when the peer has closed, or after a time limit.
    pub(crate) read_out: Vec<Arc<Engine>>,
    /// Connections to end when all is sent.
    pub(crate) retired: Vec<Arc<Engine>>,
    /// Endpoints whose pipe the pattern has closed while there was no connection.
    pub(crate) ended_endpoints: Vec<u64>,
    pub(crate) wake_input: bool,
    pub(crate) wake_output: bool,
    /// What a call may do has changed without news of a pipe: whoever waits looks again.
    pub(super) wake_everybody: bool,
    /// Peers, subscriptions or endpoints changed.
    pub(crate) wake_watchers: bool,
    pub(crate) defer: bool,
    any: bool,
}

impl AfterUnlock {
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

    /// Asks for a turn of an engine by its I/O thread.
    pub(super) fn give_turn(&mut self, engine: &Arc<Engine>) {
        self.any = true;
        self.turns.push(Arc::clone(engine));
    }

    /// Returns the engines that their I/O thread is to drive.
    pub(crate) fn turns(&mut self) -> Vec<Arc<Engine>> {
        std::mem::take(&mut self.turns)
    }

    /// Returns the engines to drive.
    pub(crate) fn engines(&mut self) -> impl Iterator<Item = Arc<Engine>> {
        self.first.take().into_iter().chain(std::mem::take(&mut self.more))
    }

    /// Ends a pipe on this side: writes nothing more, and drops what is unread. The caller must tell the other side, which
    /// then looks at the pipe.
    pub(crate) fn let_go(&mut self, pipe: &mut Pipe) {
        pipe.writer.finish();
        let unread = pipe.reader.abandon();
        if !unread.is_empty() {
            self.garbage.parts.push(ToFree::Unread(unread));
        }
        self.any = true;
    }

    /// Drops these items after the lock is released.
    pub(super) fn drop_later(&mut self, traffic: impl IntoIterator<Item = Traffic>) {
        self.mark();
        self.garbage.traffic.extend(traffic);
    }

    pub(super) fn free_later(&mut self, part: ToFree) {
        self.any = true;
        self.garbage.parts.push(part);
    }

    /// Returns whether it makes system calls on streams or wakes the I/O thread.
    pub(crate) fn touches_the_system(&self) -> bool {
        self.defer
            || self.first.is_some()
            || !self.turns.is_empty()
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

    /// Tells the other end that the pipe has changed: drives an engine, or sends news to a socket.
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

    /// Wakes everybody who waits at the socket.
    pub(crate) fn wake_everybody(&mut self) {
        (self.wake_everybody, self.wake_watchers, self.any) = (true, true, true);
    }
}
