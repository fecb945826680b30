//! What threads tell each other: [`Control`] for a socket, [`Command`] for a reactor. Never a message.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use zeroxide_patterns::Origin;
use zeroxide_transports::Listener;
use zeroxide_zmtp::Peer;

use super::session::Session;
use crate::engine::Engine;
use crate::engine::slot::Slot;
use crate::options::Values;
use crate::security::authorities::Answer;
use crate::signal::Latch;
use crate::socket::base::SocketBase;
use crate::socket::pipes::{Entry, Owner};

/// News for a socket. Each is put in the socket's [`Mailbox`]; whoever gets the socket's lock next takes it up.
pub(crate) enum Control {
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
    news: Mutex<VecDeque<Control>>,
    full: AtomicBool,
}

impl Mailbox {
    pub(crate) fn put(&self, control: Control) {
        let mut news = self.news();
        news.push_back(control);
        self.full.store(true, Ordering::SeqCst);
    }

    /// Whether there is news.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::SeqCst)
    }

    /// Takes the oldest piece of news.
    pub(crate) fn take(&self) -> Option<Control> {
        let mut news = self.news();
        let control = news.pop_front();
        self.full.store(!news.is_empty(), Ordering::SeqCst);
        control
    }

    fn news(&self) -> MutexGuard<'_, VecDeque<Control>> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An order to a reactor.
pub(crate) enum Command {
    /// Serve a listener.
    Bind(u64, Arc<SocketBase>, Box<Listener>, Arc<Values>),
    /// Close a listener and the connections accepted by it; then say so.
    Unbind(u64, Receipt),
    /// Dial, and keep the connection up.
    Connect(Box<Session>),
    /// End a session, lingering as its socket says; then say so.
    Disconnect(u64, Receipt),
    /// Dial at once instead of waiting for the next attempt.
    Redial(u64),
    /// The lookup with this number is over.
    Resolved(u64, std::io::Result<Vec<zeroxide_transports::Resolved>>),
    /// Whether the peer of a connection may come in.
    Decided(u64, Box<Answer>),
    /// The ZAP handler may have replied about the peer of a connection.
    Replied(u64),
    /// Flush a socket and drive its engines.
    Flush(Arc<SocketBase>),
    /// An engine that an application thread drove has something to say, or wants more turns.
    Engine(u64),
    /// End a connection when what is unsent has left, at most after LINGER.
    Retire(u64),
    /// End a connection whose peer was replaced when the peer has closed it, at most after a while.
    ReadOut(u64),
    /// End an endpoint, as its pattern wants.
    Stop(u64),
    /// A socket closed: close its listeners, linger for its unsent messages.
    Close(Arc<SocketBase>),
    /// The context is gone: leave as soon as the last socket has closed.
    Exit,
}

impl Command {
    /// The thread is gone: nobody may go on waiting for the order.
    pub(crate) fn carry_out_late(self) {
        match self {
            Command::Unbind(_, receipt) | Command::Disconnect(_, receipt) => receipt.open(),
            Command::Close(base) => base.forget(),
            _ => {}
        }
    }
}

/// Lets an application thread wait for an order to be carried out.
pub(crate) type Receipt = Arc<Latch>;
