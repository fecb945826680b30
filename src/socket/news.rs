//! News: what a socket must be told by other threads and other sockets. Never a message.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use zeroxide_patterns::Origin;
use zeroxide_zmtp::Peer;

use super::pipes::{Entry, Owner};
use crate::engine::Engine;
use crate::engine::slot::Slot;

/// News for a socket. Each is put in the socket's [`Mailbox`]; whoever gets the socket's lock next takes it up.
pub(crate) enum News {
    /// A pipe joins: of an accepted connection, or of the other socket of an inproc pair.
    Attach(Box<Attach>),
    /// A connection finished its handshake on a pipe of this socket.
    Up(Slot, Arc<Engine>, Arc<Peer>),
    /// The inproc name that a pipe of this socket waits for is bound, by this socket.
    Bound(Slot, Owner),
    /// The other socket of an inproc pair took its end and announces its routing id.
    Joined(Slot, Bytes),
    /// The connection of a pipe is lost; the pipe stays.
    Lost(Slot),
    /// The other end of a pipe is gone for good.
    Ended(Slot),
    /// Input arrived on a pipe that had none.
    Readable(Slot),
    /// Credit came back on a pipe that had none.
    Writable(Slot),
    /// A connection of this socket is to end when what is unsent has left: its pipe goes now.
    Retire(Slot),
    /// Something that watchers look at has changed.
    Changed,
    /// The I/O thread wants what is open to be flushed.
    Flush,
}

/// A pipe that joins, with all that its socket must know of it.
pub(crate) struct Attach {
    pub(crate) entry: Entry,
    pub(crate) origin: Origin,
    /// The routing id that the peer announced.
    pub(crate) routing_id: Bytes,
}

/// The news of one socket that nobody has taken up yet. It holds at most a few entries for each of its pipes: a pipe
/// announces input only after its reader found it empty, and credit only after its writer found none.
#[derive(Default)]
pub(crate) struct Mailbox {
    news: Mutex<VecDeque<News>>,
    full: AtomicBool,
}

impl Mailbox {
    pub(crate) fn put(&self, control: News) {
        let mut news = self.news();
        news.push_back(control);
        self.full.store(true, Ordering::SeqCst);
    }

    /// Returns whether there is news.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::SeqCst)
    }

    /// Takes the oldest piece of news.
    pub(crate) fn take(&self) -> Option<News> {
        let mut news = self.news();
        let control = news.pop_front();
        self.full.store(!news.is_empty(), Ordering::SeqCst);
        control
    }

    fn news(&self) -> MutexGuard<'_, VecDeque<News>> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
