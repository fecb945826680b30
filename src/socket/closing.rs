//! The closing of a socket on the application's side. The part of the I/O thread is in `io/reaper`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use super::base::{SocketBase, SocketEnd, SocketState};
use super::closure::CloseReport;
use super::context::ContextBase;
use super::news::News;
use super::orders::Order;
use crate::events::EventKind;
use crate::signal::after;

/// The closing of a socket or of a context. It is a future, and has methods that wait.
///
/// If it is dropped, the closing goes on in the background.
#[must_use = "closing goes on in the background; wait for it to learn what was lost"]
pub struct Closing {
    sockets: Vec<Arc<SocketBase>>,
    /// The context, if it ends with its sockets.
    context: Option<Arc<ContextBase>>,
}

impl Closing {
    /// Creates the closing of these sockets, and of the context if they are all of its sockets.
    pub(crate) fn new(sockets: Vec<Arc<SocketBase>>, context: Option<Arc<ContextBase>>) -> Closing {
        Closing { sockets, context }
    }

    /// Waits until all messages are sent or LINGER is over. Returns how many were written and dropped. At the end of a context,
    /// its threads have ended and its descriptors are closed.
    ///
    /// On the context's own threads it does not wait.
    pub fn wait(self) -> CloseReport {
        self.wait_until(None);
        self.report()
    }

    /// Like [`Closing::wait`], but waits at most for `limit`.
    ///
    /// # Errors
    /// Returns the closing itself if it is not complete at the limit.
    pub fn wait_timeout(self, limit: Duration) -> Result<CloseReport, Closing> {
        if self.wait_until(after(limit)) { Ok(self.report()) } else { Err(self) }
    }

    fn wait_until(&self, deadline: Option<Instant>) -> bool {
        let closed = |base: &Arc<SocketBase>| base.context.is_own_thread() || base.closure.wait(deadline);
        self.sockets.iter().all(closed)
            && self.context.as_ref().is_none_or(|context| context.threads.wait(deadline))
    }

    fn report(&self) -> CloseReport {
        self.sockets.iter().map(|base| base.closure.report()).fold(CloseReport::default(), |sum, one| {
            CloseReport { written: sum.written + one.written, dropped: sum.dropped + one.dropped }
        })
    }
}

impl Future for Closing {
    type Output = CloseReport;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<CloseReport> {
        let closed = self.sockets.iter().all(|base| base.closure.latch.poll(cx.waker()));
        if closed && self.context.as_ref().is_none_or(|context| context.threads.poll(cx.waker())) {
            Poll::Ready(self.report())
        } else {
            Poll::Pending
        }
    }
}

impl fmt::Debug for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.sockets.iter().filter(|base| !base.closure.is_complete()).count();
        f.debug_struct("Closing").field("sockets", &self.sockets.len()).field("open", &open).finish()
    }
}

impl SocketBase {
    /// Closes the socket: nothing can be sent or received any more, and unsent messages linger. Does not wait. A second call
    /// does nothing.
    pub(crate) fn close(self: &Arc<Self>) {
        if self.context.is_forked() {
            return;
        }
        let closing = self.enter(|state| {
            if std::mem::replace(&mut state.closed, true) {
                return None;
            }
            // If the context had ended before, errors go on saying so.
            state.end.get_or_insert(SocketEnd::Closed);
            let loaded = state.pipes.endpoints_with_unsent();
            self.let_pipes_go(state);
            Some((state.reactor.clone(), loaded))
        });
        let Some((reactor, loaded)) = closing else { return };
        self.wake_everybody();
        self.free_names();
        self.give_up_names(&loaded);
        match reactor {
            Some(reactor) => reactor.send(Order::Close(Arc::clone(self))),
            None => self.forget(),
        }
    }

    /// Ends blocked and later calls with `Terminated`, because the context is shut down.
    pub(crate) fn terminate(self: &Arc<Self>) {
        self.enter(|state| state.end = state.end.or(Some(SocketEnd::Terminated)));
        self.wake_everybody();
    }

    /// Completes the closing: nothing of the socket is left.
    pub(crate) fn forget(&self) {
        self.monitors.emit(0, "", "", EventKind::Closed);
        self.context.forget(self.id);
        self.closure.complete();
    }

    fn wake_everybody(&self) {
        self.gone.store(true, Ordering::SeqCst);
        for signal in [&self.input, &self.output, &self.watch, self.exchange.free()] {
            signal.notify_all();
        }
    }

    /// Ends every pipe on this side, and drops unread messages.
    fn let_pipes_go(&self, state: &mut SocketState) {
        for (writer, _) in std::mem::take(&mut state.pipes.past.leaving) {
            self.closure.keep(writer);
        }
        for mut entry in state.pipes.take_all() {
            state.pipes.after_unlock.let_go(&mut entry.pipe);
            state.pipes.after_unlock.notify(&entry.link, News::Ended);
            if let Some(writer) = state.pipes.take_lingering_writer(entry) {
                self.closure.keep(writer);
            }
        }
    }
}
