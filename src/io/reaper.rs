//! Closing: what is unsent lingers without the socket, then everything is let go, in one order.
//!
//! [`Closing`]: the application's side is done (state ended, pipes finished, input thrown away, inproc peers told).
//! The reactor then goes through [`Phase`]s: listeners close at once; connections and sessions stay while they have
//! something to send, at most for LINGER; when the last is gone the socket is forgotten and its closure opens.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use zeroxide_transports::pipe::{Tally, Writer};

use super::command::Control;
use super::hub::{Connected, Maker};
use super::reactor::{LONGEST_READ_OUT, Reactor, Timer};
use crate::context::ContextBase;
use crate::signal::{Latch, after};
use crate::socket::base::SocketBase;
use crate::stats::SocketStats;

/// What became of the messages that were unsent when a socket or a context closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseReport {
    /// Messages handed to the kernel after the close.
    pub written: u64,
    /// Messages dropped because LINGER ended first, or their connection was lost.
    pub dropped: u64,
}

/// The closing of one socket, for those who wait for it.
#[derive(Default)]
pub(crate) struct Closure {
    latch: Latch,
    /// The writers of the pipes that still had something to send, and how they stood at the close.
    writers: Mutex<Vec<(Writer, Tally)>>,
}

impl Closure {
    /// Keeps the writer of a pipe that lingers.
    pub(crate) fn keep(&self, writer: Writer) {
        let before = writer.tally();
        self.writers.lock().unwrap_or_else(PoisonError::into_inner).push((writer, before));
    }

    /// Adds the pipes that the closed socket had to its counters.
    pub(crate) fn count(&self, stats: &mut SocketStats) {
        let goes_on = !self.is_complete();
        let writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        writers.iter().for_each(|(writer, _)| stats.add(writer.tally(), goes_on));
    }

    /// How it stands: what was written and dropped since the close, what is still unsent counting as dropped.
    fn report(&self) -> CloseReport {
        let mut report = CloseReport::default();
        for (writer, before) in self.writers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let now = writer.tally();
            report.written += now.written.saturating_sub(before.written);
            report.dropped += now.queued() + now.lost.saturating_sub(before.lost);
        }
        report
    }

    /// Whether messages wait to be sent.
    pub(crate) fn has_unsent(&self) -> bool {
        let writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        !self.latch.is_open() && writers.iter().any(|(writer, _)| writer.tally().queued() > 0)
    }

    /// Whether everything is let go.
    pub(crate) fn is_complete(&self) -> bool {
        self.latch.is_open()
    }

    /// Everything is let go.
    pub(crate) fn complete(&self) {
        self.latch.open();
    }

    pub(crate) fn wait(&self, deadline: Option<Instant>) -> bool {
        self.latch.wait(deadline)
    }
}

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
    /// The closing of these sockets, and of the context that they are all sockets of.
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
        match self.wait_until(after(limit)) {
            true => Ok(self.report()),
            false => Err(self),
        }
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
        match closed && self.context.as_ref().is_none_or(|context| context.threads.poll(cx.waker())) {
            true => Poll::Ready(self.report()),
            false => Poll::Pending,
        }
    }
}

impl fmt::Debug for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.sockets.iter().filter(|base| !base.closure.is_complete()).count();
        f.debug_struct("Closing").field("sockets", &self.sockets.len()).field("open", &open).finish()
    }
}

/// Where the closing of a socket stands on its reactor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Connections and sessions still have something to send.
    Lingering,
    /// LINGER is over: they end whatever they have.
    Ending,
}

/// A socket that closes.
pub(crate) struct Reaping {
    base: Arc<SocketBase>,
    phase: Phase,
}

impl Reactor {
    /// A socket closed: its listeners go at once, the rest when it has nothing more to send.
    pub(super) fn close(&mut self, base: &Arc<SocketBase>) {
        let id = base.id;
        let listeners = keys(&self.listeners, |acceptor| acceptor.base.id == id);
        for listener in listeners {
            self.unbind(listener);
        }
        for parting in keys(&self.partings, |parting| parting.refused_by == Some(id)) {
            self.parted(parting);
        }
        let linger = base.enter(|state| state.values.linger);
        self.closing.insert(id, Reaping { base: Arc::clone(base), phase: Phase::Lingering });
        match linger {
            Some(linger) if linger.is_zero() => self.lingered(id),
            linger => {
                if let Some(linger) = linger {
                    self.arm_after(linger, Timer::Linger(id));
                }
                self.end_accepted(|connected| connected.base.id == id);
                for session in keys(&self.sessions, |session| session.base.id == id) {
                    self.release_session(session);
                }
                self.reap(id);
            }
        }
    }

    /// A session of a closed socket stays only for what is unsent.
    fn release_session(&mut self, id: u64) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.ending = true;
        match self.is_needed(id) {
            true => self.drain(id),
            false => self.end_session(id),
        }
    }

    /// Whether the socket has closed, as far as this thread is concerned: orders that were on their way come too late.
    pub(super) fn is_closed(&self, base: &SocketBase) -> bool {
        self.closing.contains_key(&base.id) || base.closure.is_complete()
    }

    /// LINGER is over.
    pub(super) fn lingered(&mut self, id: u64) {
        let Some(reaping) = self.closing.get_mut(&id) else { return };
        reaping.phase = Phase::Ending;
        for session in keys(&self.sessions, |session| session.base.id == id) {
            self.end_session(session);
        }
        for connection in keys(&self.connections, |connected| connected.base.id == id) {
            self.stop(connection);
        }
        self.reap(id);
    }

    /// Ends accepted connections in order: each when what is unsent has left, at most after LINGER.
    pub(super) fn end_accepted(&mut self, which: impl Fn(&Connected) -> bool) {
        let accepted = |c: &Connected| matches!(c.maker, Maker::Listener(_)) && which(c);
        for id in keys(&self.connections, accepted) {
            let Some(connected) = self.connections.get(&id) else { continue };
            let (base, slot) = (Arc::clone(&connected.base), connected.slot.clone());
            if connected.peer.is_none() {
                self.stop(id);
                continue;
            }
            base.post(Control::Retire(slot));
            self.let_drain(id);
        }
    }

    /// Ends a connection whose pipe gets nothing more: when what is unsent has left, at most after LINGER.
    pub(super) fn let_drain(&mut self, id: u64) {
        let Some(connected) = self.connections.get(&id) else { return };
        if let Some(linger) = connected.values.linger {
            self.arm_after(linger, Timer::Stop(id));
        }
        self.turn(id);
    }

    /// Ends a connection now.
    pub(super) fn stop(&mut self, id: u64) {
        if let Some(connected) = self.connections.get(&id) {
            connected.engine.stop();
            self.turn(id);
        }
    }

    /// Ends a connection whose peer was replaced and has had the time to close it. What has come is read first: the
    /// application may take longer.
    pub(super) fn end_read_out(&mut self, id: u64) {
        let Some(connected) = self.connections.get(&id) else { return };
        match &connected.engine {
            // Its end is there, and is read when the application has taken what is before it.
            engine if engine.is_hung_up() => {}
            engine if engine.has_unread() => self.arm_after(LONGEST_READ_OUT, Timer::ReadOut(id)),
            _ => self.stop(id),
        }
    }

    /// Something of socket `id` is gone: if it was the last of a closing socket, forget the socket.
    pub(super) fn reap(&mut self, id: u64) {
        let Some(reaping) = self.closing.get(&id) else { return };
        let held = self.sessions.values().any(|session| session.base.id == id)
            || self.connections.values().any(|connected| connected.base.id == id);
        if held {
            return;
        }
        let base = Arc::clone(&reaping.base);
        self.closing.remove(&id);
        base.forget();
    }

    /// The context is gone: nothing lingers any longer.
    pub(super) fn end_everything(&mut self) {
        for id in keys(&self.closing, |reaping| reaping.phase == Phase::Lingering) {
            self.lingered(id);
        }
    }
}

impl Drop for Reactor {
    /// The thread ends, in order or not: nobody may go on waiting for what it will not do.
    fn drop(&mut self) {
        for (_, reaping) in self.closing.drain() {
            reaping.base.forget();
        }
        self.link.leave();
    }
}

/// The keys of the entries that a condition holds for.
fn keys<V>(map: &HashMap<u64, V>, which: impl Fn(&V) -> bool) -> Vec<u64> {
    map.iter().filter(|(_, value)| which(value)).map(|(id, _)| *id).collect()
}
