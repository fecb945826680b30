//! The end of a socket, on the application's side. What follows on the I/O thread is in `io/reaper`.

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
use crate::monitor::EventKind;
use crate::signal::after;

/// The closing of a socket or of a context: a future, and something to wait for.
///
/// Dropping it changes nothing: the closing goes on in the background.
#[must_use = "closing goes on in the background; wait for it to learn what was lost"]
pub struct Closing {
    sockets: Vec<Arc<SocketBase>>,
    /// The context that ends with its sockets.
    context: Option<Arc<ContextBase>>,
}

impl Closing {
    /// Returns the closing of these sockets, and of the context that they are all sockets of.
    pub(crate) fn new(sockets: Vec<Arc<SocketBase>>, context: Option<Arc<ContextBase>>) -> Closing {
        Closing { sockets, context }
    }

    /// Waits until everything is sent or has lingered long enough, and tells what became of it. When a context has
    /// ended, so have its threads, and its descriptors are closed.
    ///
    /// On a context's own threads it does not wait.
    pub fn wait(self) -> CloseReport {
        self.wait_until(None);
        self.report()
    }

    /// Like [`Closing::wait`], but at most for `limit`; gives itself back when that was too short.
    ///
    /// # Errors
    /// The closing itself, when something was still unsent at the limit, or a thread still busy.
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
    /// Closes the socket, once: nothing can be sent or received any more, what is unsent lingers. Never waits.
    pub(crate) fn close(self: &Arc<Self>) {
        if self.context.is_forked() {
            return;
        }
        let closing = self.enter(|state| {
            if std::mem::replace(&mut state.closed, true) {
                return None;
            }
            // Who is told of the context's end goes on being told so.
            state.end.get_or_insert(SocketEnd::Closed);
            let loaded = state.pipes.loaded_endpoints();
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

    /// The context is shut down: blocked and later calls end with `Terminated`.
    pub(crate) fn terminate(self: &Arc<Self>) {
        self.enter(|state| state.end = state.end.or(Some(SocketEnd::Terminated)));
        self.wake_everybody();
    }

    /// Nothing of the socket is left: those who wait for its closing are told.
    pub(crate) fn forget(&self) {
        self.monitors.emit(0, "", "", EventKind::Closed);
        self.context.forget(self.id);
        self.closure.complete();
    }

    fn wake_everybody(&self) {
        self.gone.store(true, Ordering::SeqCst);
        for signal in [&self.input, &self.output, &self.watch] {
            signal.notify_all();
        }
    }

    /// Every pipe says that nothing more will come; input is thrown away.
    fn let_pipes_go(&self, state: &mut SocketState) {
        for (writer, _) in std::mem::take(&mut state.pipes.past.leaving) {
            self.closure.keep(writer);
        }
        for mut entry in state.pipes.take_all() {
            state.pipes.errands.let_go(&mut entry.pipe);
            state.pipes.errands.notify(&entry.link, News::Ended);
            if let Some(writer) = state.pipes.close_account(entry) {
                self.closure.keep(writer);
            }
        }
    }
}
