//! Orders: what other threads tell an I/O thread to do. They never contain a message.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender};
use zeroxide_patterns::RoutingId;
use zeroxide_transports::pipe::Pipe;
use zeroxide_transports::{Endpoint, Listener, Resolved, Stream};
use zeroxide_zmtp::mechanism::Decision;

use super::alarms::Alarms;
use super::base::SocketBase;
use super::doorbell::{Doorbell, Presence};
use crate::engine::buffers::Buffers;
use crate::engine::slot::Slot;
use crate::error::Denial;
use crate::options::Values;
use crate::signal::Latch;
use crate::user_code;

/// The decision about a peer, with the reason if it is denied.
pub(crate) type Answer = (Decision, Option<Denial>);

/// Returns the answer that denies a peer for this reason.
pub(crate) fn denied(denial: Denial) -> Answer {
    (Decision::Refuse(denial.status()), Some(denial))
}

/// An order to an I/O thread.
pub(crate) enum Order {
    /// Serve a listener.
    Bind(u64, Arc<SocketBase>, Box<Listener>, Arc<Values>),
    /// Close a listener and the connections accepted by it; then open the receipt.
    Unbind(u64, Receipt),
    /// Dial the endpoint, and dial again when the connection is lost.
    Connect(Box<Connect>),
    /// End a session after LINGER; open the receipt at once.
    Disconnect(u64, Receipt),
    /// Dial at once instead of waiting for the next attempt.
    Redial(u64, Arc<Values>),
    /// The lookup with this number is over.
    Resolved(u64, io::Result<Vec<Resolved>>),
    /// The decision about the peer of a connection.
    Decided(u64, Box<Answer>),
    /// The ZAP handler may have replied about the peer of a connection.
    Replied(u64),
    /// Flush a socket and drive its engines.
    Flush(Arc<SocketBase>),
    /// Look at an engine that an application thread has driven: it has an outcome, or wants to be driven again.
    Engine(u64),
    /// End a connection when all is sent, at most after LINGER.
    Retire(u64),
    /// End a connection whose routing id another peer has taken over, when its peer has closed it or a time limit is over.
    ReadOut(u64),
    /// End an endpoint, because the pattern has closed its pipe.
    Stop(u64),
    /// Wake the tasks of the socket with this number that wait until this moment at most.
    Alarm(Instant, u64, Weak<Alarms>),
    /// Close the listeners of a closed socket, and linger for its unsent messages.
    Close(Arc<SocketBase>),
    /// End the thread as soon as the last socket has closed, because the context has ended.
    Exit,
}

impl Order {
    /// Does what is left to do for an order when the thread has ended, so that no thread waits for ever.
    pub(crate) fn carry_out_late(self) {
        match self {
            Order::Unbind(_, receipt) | Order::Disconnect(_, receipt) => receipt.open(),
            Order::Close(base) => base.forget(),
            // A pipe may hold payloads of the application.
            other => user_code::free(other),
        }
    }
}

/// Lets an application thread wait until an order is carried out.
pub(crate) type Receipt = Arc<Latch>;

/// An endpoint to connect to.
pub(crate) struct Connect {
    pub(crate) id: u64,
    pub(crate) base: Arc<SocketBase>,
    pub(crate) endpoint: Endpoint,
    pub(crate) values: Arc<Values>,
    /// The slot of the endpoint's pipe.
    pub(crate) slot: Slot,
    /// The I/O end of the pipe; `None` if each connection gets its own.
    pub(crate) pipe: Option<Pipe>,
    /// The routing id that CONNECT_ROUTING_ID gives to the peer.
    pub(crate) given_id: Option<RoutingId>,
    /// The connection that the application has handed over. The session dials no other.
    pub(crate) stream: Option<Box<Stream>>,
}

/// A handle of an I/O thread, for sending it orders.
#[derive(Clone)]
pub(crate) struct IoThread(Arc<Shared>);

struct Shared {
    orders: Sender<Order>,
    /// The other end of `orders`, for orders that are sent after the thread has ended.
    late: Receiver<Order>,
    bell: Doorbell,
    /// `None` after the thread has ended, so that its descriptor is closed although handles are left.
    waker: Mutex<Option<mio::Waker>>,
    buffers: Arc<Buffers>,
}

impl IoThread {
    /// Creates an I/O thread that `waker` wakes, and its end of the queue of orders.
    pub(crate) fn new(waker: mio::Waker) -> (IoThread, Receiver<Order>) {
        // Each flag (deferred socket, engine with an outcome) and each call has at most one order in the queue.
        #[expect(clippy::disallowed_methods, reason = "bounded by the flags and the calls")]
        let (orders, received) = crossbeam_channel::unbounded();
        let shared = Shared {
            orders,
            late: received.clone(),
            bell: Doorbell::default(),
            waker: Mutex::new(Some(waker)),
            buffers: Arc::default(),
        };
        (IoThread(Arc::new(shared)), received)
    }

    /// Says whether the thread is in its poll, or about to be, so that it must be woken to see an order.
    pub(crate) fn set_asleep(&self, asleep: bool) {
        self.0.bell.set_asleep(asleep);
    }

    /// Returns whether the thread is to be woken by the next order: it has not been since it announced its sleep.
    #[cfg(simulate)]
    pub(crate) fn is_asleep(&self) -> bool {
        self.0.bell.is_asleep()
    }

    /// Sends an order, and wakes the thread if it sleeps.
    pub(crate) fn send(&self, command: Order) {
        // It cannot fail: this handle holds the receiving end as well.
        let _ = self.0.orders.send(command);
        match self.0.bell.ring() {
            Presence::Awake => {}
            Presence::Asleep => {
                if let Some(waker) = &*self.waker() {
                    let _ = waker.wake();
                }
            }
            Presence::Left => self.carry_out_late(),
        }
    }

    /// The thread takes no more orders: those that wait, and those that follow, are carried out as far as they can be.
    pub(crate) fn leave(&self) {
        self.0.bell.leave();
        *self.waker() = None;
        self.carry_out_late();
    }

    fn carry_out_late(&self) {
        self.0.late.try_iter().for_each(Order::carry_out_late);
    }

    fn waker(&self) -> MutexGuard<'_, Option<mio::Waker>> {
        self.0.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the read buffers for threads that drive engines.
    pub(crate) fn buffers(&self) -> &Arc<Buffers> {
        &self.0.buffers
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use zeroxide_zmtp::{Frame, Message};

    use super::*;
    use crate::socket::pipe_ends::{make_pipe, tell};
    use crate::{Context, SocketType};

    /// How deep drops of payloads are inside each other, and how deep they were at most.
    static DEPTH: AtomicUsize = AtomicUsize::new(0);
    static DEEPEST: AtomicUsize = AtomicUsize::new(0);

    /// A payload whose drop sends an order with the rest of `chain` to a thread that is gone, and panics.
    struct Payload {
        link: IoThread,
        base: Arc<SocketBase>,
        chain: usize,
    }

    impl AsRef<[u8]> for Payload {
        fn as_ref(&self) -> &[u8] {
            &[0; 1000]
        }
    }

    impl Drop for Payload {
        fn drop(&mut self) {
            let depth = DEPTH.fetch_add(1, Ordering::SeqCst) + 1;
            DEEPEST.fetch_max(depth, Ordering::SeqCst);
            if self.chain > 0 {
                self.link.send(order(&self.link, &self.base, self.chain - 1));
            }
            DEPTH.fetch_sub(1, Ordering::SeqCst);
            panic!("the application's own");
        }
    }

    /// A connect whose pipe holds such a payload.
    fn order(link: &IoThread, base: &Arc<SocketBase>, chain: usize) -> Order {
        let values = Values::native(None);
        let (mut ours, theirs) = make_pipe(base, &values);
        let payload = Payload { link: link.clone(), base: Arc::clone(base), chain };
        tell(&mut ours, [Message::from(Frame::from(Bytes::from_owner(payload)))]);
        Order::Connect(Box::new(Connect {
            id: 1,
            base: Arc::clone(base),
            endpoint: Endpoint::parse_connect("tcp://127.0.0.1:1").expect("an endpoint"),
            values: Arc::new(values),
            slot: Slot::new(),
            pipe: Some(theirs),
            given_id: None,
            stream: None,
        }))
    }

    #[test]
    fn payloads_of_orders_that_come_too_late_are_dropped_as_code_of_the_application_is() {
        let poll = mio::Poll::new().unwrap();
        let waker = mio::Waker::new(poll.registry(), mio::Token(0)).unwrap();
        let (link, _orders) = IoThread::new(waker);
        let context = Context::new();
        let socket = context.socket(SocketType::Push).unwrap();
        link.send(order(&link, socket.base(), 5));
        link.leave();
        link.send(order(&link, socket.base(), 5));
        assert_eq!((DEPTH.load(Ordering::SeqCst), DEEPEST.load(Ordering::SeqCst)), (0, 1));
    }
}
