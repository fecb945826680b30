//! A question for the ZAP handler, which is a socket that the application has bound in the same context (RFC 27).
//!
//! Each question has a DEALER of its own, as each connection has in libzmq. So each reply belongs to one connection, and the
//! question is withdrawn when its connection ends, whether the handler has read it or not. No thread waits: the reply, or the
//! end of the handler, sends the I/O thread an order.

use std::sync::Arc;
use std::task::{Wake, Waker};

use zeroxide_patterns::AnyPattern;
use zeroxide_zmtp::mechanism::zap::{Reply, Request};
use zeroxide_zmtp::{Message, SocketType};

use crate::endpoints::EndpointState;
use crate::error::Denial;
use crate::options::Values;
use crate::security::Credentials;
use crate::signal::Waiter;
use crate::socket::base::SocketBase;
use crate::socket::context::ContextBase;
use crate::socket::news::News;
use crate::socket::orders::IoThread;
use crate::socket::orders::Order;
use crate::socket::transfer::WaitLimit;

/// The endpoint of the handler.
const ENDPOINT: &str = "inproc://zeromq.zap.01";

/// One question that has no reply yet.
pub(crate) struct Question {
    base: Arc<SocketBase>,
    id: String,
    waker: Waker,
}

impl Question {
    /// Asks the handler about a peer of a socket in `domain`. Returns `None` if there is no handler.
    ///
    /// Call [`Question::look`] after this. Later an [`Order::Replied`] tells when to look again.
    pub(super) fn ask(
        context: &Arc<ContextBase>,
        connection: u64,
        (domain, who): (&[u8], &Credentials),
        reactor: IoThread,
    ) -> Option<Result<Question, Denial>> {
        let id = connection.to_string();
        let request = Request {
            id: &id,
            domain,
            address: &who.address,
            routing_id: &who.routing_id,
            mechanism: who.mechanism,
            proof: &who.proof,
        };
        let message = request.to_message();
        let base = open(context)?;
        let waker = Waker::from(Arc::new(ReplyWaker { reactor, connection }));
        let question = Question { base, id, waker };
        Some(question.send(message).map(|()| question))
    }

    fn send(&self, message: Message) -> Result<(), Denial> {
        self.base.send(message, WaitLimit::None).map_err(|_| Denial::HandlerGone)
    }

    /// Returns the reply, or why there will be none; `None` if there is no reply yet.
    pub(super) fn look(&self) -> Option<Result<Reply, Denial>> {
        self.wait();
        match self.base.recv(WaitLimit::None) {
            Ok(message) => Some(Reply::from_message(&message, &self.id).map_err(Denial::Reply)),
            Err(_) if self.is_joined() => None,
            Err(_) => Some(Err(Denial::HandlerGone)),
        }
    }

    /// Registers for the next change. This comes before every look, so that no change is missed.
    fn wait(&self) {
        if self.base.input.waiting() == 0 {
            self.base.input.register(Waiter::Ours(self.waker.clone()));
        }
    }

    fn is_joined(&self) -> bool {
        let rows = self.base.endpoints.list();
        rows.iter().any(|row| matches!(row.state, EndpointState::Connected { .. }))
    }
}

impl Drop for Question {
    /// Withdraws the question: the handler does not receive it any more, or its reply is dropped.
    fn drop(&mut self) {
        let handler = self.base.enter(|state| state.pipes.iter().find_map(|(_, entry)| entry.far_end()));
        if let Some(handler) = handler {
            handler.base.post(News::Retire(handler.slot));
        }
        self.base.close();
    }
}

/// Creates a DEALER that is connected to the handler. It is not in the context's table of sockets, and ends with its question.
fn open(context: &Arc<ContextBase>) -> Option<Arc<SocketBase>> {
    if !context.has_zap_handler() {
        return None;
    }
    let socket_type = SocketType::ZAP_CLIENT;
    let pattern = AnyPattern::new(socket_type, 0)?;
    let values = Values { linger: Some(std::time::Duration::ZERO), ..Values::native(Some(socket_type)) };
    let base = SocketBase::new(context.next_id(), socket_type, Arc::clone(context), pattern, values.clone());
    let joined = base.connect(ENDPOINT, &values).is_ok()
        && base.endpoints.list().iter().any(|row| row.state != EndpointState::NotBound);
    if !joined {
        base.close();
        return None;
    }
    Some(base)
}

/// Tells the I/O thread that there may be a reply.
struct ReplyWaker {
    reactor: IoThread,
    connection: u64,
}

impl Wake for ReplyWaker {
    fn wake(self: Arc<Self>) {
        self.reactor.send(Order::Replied(self.connection));
    }
}
