//! Orders: what an I/O thread must do for others. Never a message.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender};
use zeroxide_patterns::RoutingId;
use zeroxide_transports::pipe::Pipe;
use zeroxide_transports::{Endpoint, Listener, Resolved};
use zeroxide_zmtp::mechanism::Decision;

use super::base::SocketBase;
use crate::engine::buffers::Buffers;
use crate::engine::slot::Slot;
use crate::error::Denial;
use crate::options::Values;
use crate::signal::Latch;

/// The answer to a question about a peer, with the reason if it may not come in.
pub(crate) type Answer = (Decision, Option<Denial>);

/// Returns a refusal for a reason.
pub(crate) fn denied(denial: Denial) -> Answer {
    (Decision::Refuse(denial.status()), Some(denial))
}

/// An order to an I/O thread.
pub(crate) enum Order {
    /// Serve a listener.
    Bind(u64, Arc<SocketBase>, Box<Listener>, Arc<Values>),
    /// Close a listener and the connections accepted by it; then say so.
    Unbind(u64, Receipt),
    /// Dial, and keep the connection up.
    Connect(Box<Connect>),
    /// End a session, lingering as its socket says; then say so.
    Disconnect(u64, Receipt),
    /// Dial at once instead of waiting for the next attempt.
    Redial(u64, Arc<Values>),
    /// The lookup with this number is over.
    Resolved(u64, io::Result<Vec<Resolved>>),
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

impl Order {
    /// The thread is gone: nobody may go on waiting for the order.
    pub(crate) fn carry_out_late(self) {
        match self {
            Order::Unbind(_, receipt) | Order::Disconnect(_, receipt) => receipt.open(),
            Order::Close(base) => base.forget(),
            _ => {}
        }
    }
}

/// Lets an application thread wait for an order to be carried out.
pub(crate) type Receipt = Arc<Latch>;

/// An endpoint to connect to.
pub(crate) struct Connect {
    pub(crate) id: u64,
    pub(crate) base: Arc<SocketBase>,
    pub(crate) endpoint: Endpoint,
    pub(crate) values: Arc<Values>,
    /// Of the endpoint's pipe.
    pub(crate) slot: Slot,
    /// The I/O end of the pipe; none where each connection gets its own.
    pub(crate) pipe: Option<Pipe>,
    /// The routing id that CONNECT_ROUTING_ID gave to the peer.
    pub(crate) given_id: Option<RoutingId>,
}

/// An I/O thread, as others know it: who sends it orders.
#[derive(Clone)]
pub(crate) struct IoThread(Arc<Shared>);

struct Shared {
    orders: Sender<Order>,
    /// The other end of `orders`, for what is sent when the thread has left.
    late: Receiver<Order>,
    /// The thread takes no more orders.
    left: AtomicBool,
    /// None when the thread has left: its descriptor goes with the thread, whoever still holds a link.
    waker: Mutex<Option<mio::Waker>>,
    /// The thread is in its poll, or about to be, and must be woken to see an order.
    asleep: AtomicBool,
    buffers: Arc<Buffers>,
}

impl IoThread {
    /// Creates an I/O thread that `waker` wakes, and its end of the queue of orders.
    pub(crate) fn new(waker: mio::Waker) -> (IoThread, Receiver<Order>) {
        // Orders, never messages: one at a time from each flag (deferred socket, engine with an outcome) or call.
        #[expect(clippy::disallowed_methods, reason = "bounded by the flags and the calls")]
        let (orders, received) = crossbeam_channel::unbounded();
        let shared = Shared {
            orders,
            late: received.clone(),
            left: AtomicBool::new(false),
            waker: Mutex::new(Some(waker)),
            asleep: AtomicBool::new(false),
            buffers: Arc::default(),
        };
        (IoThread(Arc::new(shared)), received)
    }

    /// Says whether the thread is in its poll, or about to be, so that it must be woken to see an order.
    pub(crate) fn set_asleep(&self, asleep: bool) {
        self.0.asleep.store(asleep, Ordering::SeqCst);
    }

    /// Returns whether the thread is to be woken by the next order: it has not been since it announced its sleep.
    #[cfg(simulate)]
    pub(crate) fn is_asleep(&self) -> bool {
        self.0.asleep.load(Ordering::SeqCst)
    }

    /// Sends an order, and wakes the thread if it sleeps.
    pub(crate) fn send(&self, command: Order) {
        // The link holds the other end as well, so there is always one.
        let _ = self.0.orders.send(command);
        fence(Ordering::SeqCst);
        if self.0.left.load(Ordering::SeqCst) {
            return self.carry_out_late();
        }
        if self.0.asleep.swap(false, Ordering::SeqCst) {
            if let Some(waker) = &*self.waker() {
                let _ = waker.wake();
            }
        }
    }

    /// The thread takes no more orders: those that wait, and those that follow, are carried out as far as they can be.
    pub(crate) fn leave(&self) {
        self.0.left.store(true, Ordering::SeqCst);
        *self.waker() = None;
        fence(Ordering::SeqCst);
        self.carry_out_late();
    }

    fn carry_out_late(&self) {
        self.0.late.try_iter().for_each(Order::carry_out_late);
    }

    fn waker(&self) -> MutexGuard<'_, Option<mio::Waker>> {
        self.0.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Read buffers for whoever drives an engine.
    pub(crate) fn buffers(&self) -> &Arc<Buffers> {
        &self.0.buffers
    }
}
