//! News: what other threads and other sockets tell a socket. It never contains a message.

use std::sync::Arc;

use bytes::Bytes;
use zeroxide_patterns::Origin;
use zeroxide_zmtp::Peer;

use super::pipes::{Entry, Owner};
use crate::engine::Engine;
use crate::engine::slot::Slot;

/// A piece of news for a socket. It is put in the socket's [`Mailbox`]; the thread that gets the socket's lock next takes it up.
pub(crate) enum News {
    /// A new pipe: of an accepted connection, or from the other socket over inproc.
    Attach(Box<Attach>),
    /// A connection of a pipe of this socket has completed its handshake.
    Up(Slot, Arc<Engine>, Arc<Peer>),
    /// The inproc name that a pipe of this socket waits for is bound by this other socket.
    Bound(Slot, Owner),
    /// The other socket of an inproc pipe has added its end, and announces its routing id.
    Joined(Slot, Bytes),
    /// The connection of a pipe is lost; the pipe stays.
    Lost(Slot),
    /// The other end of a pipe is gone for good.
    Ended(Slot),
    /// Input arrived on a pipe that had none.
    Readable(Slot),
    /// Credit came back on a pipe that had none.
    Writable(Slot),
    /// A connection of this socket ends when all is sent. Its pipe is removed now.
    Retire(Slot),
    /// Something that watchers look at has changed.
    Changed,
    /// The I/O thread wants the open batches to be flushed.
    Flush,
}

/// A new pipe, with all that its socket must know of it.
pub(crate) struct Attach {
    pub(crate) entry: Entry,
    pub(crate) origin: Origin,
    /// The routing id that the peer announced.
    pub(crate) routing_id: Bytes,
}

/// The news of one socket that is not taken up yet. There are at most a few pieces for each pipe: a pipe announces input
/// only after its reader has found it empty, and credit only after its writer has found none.
pub(crate) type Mailbox = super::mailbox::Mailbox<News>;
