//! Closing: what is unsent lingers without the socket, then everything is let go, in one order.
//!
//! [`Closing`]: the application's side is done (state ended, pipes finished, input thrown away, inproc peers told).
//! The reactor then goes through [`Phase`]s: listeners close at once; connections and sessions stay while they have
//! something to send, at most for LINGER; when the last is gone the socket is forgotten and its closure opens.

use std::sync::Arc;

use super::connections::{Connected, Maker};
use super::reactor::{LONGEST_READ_OUT, Reactor, Timer};
use crate::random::ByNumber;
use crate::socket::base::SocketBase;
use crate::socket::news::News;

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
        for stream in keys(&self.half_closed, |stream| stream.is_refused_by(id)) {
            self.close_whole(stream);
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
        if self.is_needed(id) { self.drain(id) } else { self.end_session(id) }
    }

    /// Returns whether the socket has closed, as far as this thread is concerned: orders that were on their way come too late.
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
            base.post(News::Retire(slot));
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

    /// Ends a connection whose peer was replaced and has had the time to close it. Input that has arrived is read first,
    /// however long the application takes.
    pub(super) fn end_read_out(&mut self, id: u64) {
        let Some(connected) = self.connections.get(&id) else { return };
        match &connected.engine {
            // The peer has closed. The engine reads that end after the input before it.
            engine if engine.is_hung_up() => {}
            engine if engine.has_unread() => self.arm_after(LONGEST_READ_OUT, Timer::ReadOut(id)),
            _ => self.stop(id),
        }
    }

    /// Forgets socket `id` if it is closing and has no session and no connection left.
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

    /// The context has ended: nothing lingers any longer.
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

/// Returns the keys of the entries that a condition holds for.
fn keys<V>(map: &ByNumber<V>, which: impl Fn(&V) -> bool) -> Vec<u64> {
    map.iter().filter(|(_, value)| which(value)).map(|(id, _)| *id).collect()
}
