//! Closing: unsent messages linger after the socket is closed, and then everything ends.
//!
//! The application's side comes first (`socket/closing`): the socket refuses calls, its pipes are finished, unread messages are
//! dropped, inproc peers are told. Then the I/O thread closes the listeners. Connections and sessions stay while they have
//! messages to send, at most for LINGER ([`Phase`]). When the last one is gone, the socket is forgotten and its closing is
//! complete.

use std::sync::Arc;

use super::connections::{Connected, Maker};
use super::reactor::{LONGEST_READ_OUT, Reactor, Timer};
use crate::random::ByNumber;
use crate::socket::base::SocketBase;
use crate::socket::news::News;

/// The phase of a socket's closing on its I/O thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Connections and sessions may still have messages to send.
    Lingering,
    /// LINGER is over: they end, even if messages are unsent.
    Ending,
}

/// A socket that is closing.
pub(crate) struct Reaping {
    base: Arc<SocketBase>,
    phase: Phase,
}

impl Reactor {
    /// Closes the listeners of a closed socket at once, and the rest when all is sent or LINGER is over.
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

    /// Ends a session of a closed socket as soon as all is sent.
    fn release_session(&mut self, id: u64) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.ending = true;
        if self.is_needed(id) { self.drain(id) } else { self.end_session(id) }
    }

    /// Returns whether this thread has been told that the socket is closed. An order for the socket comes too late then.
    pub(super) fn is_closed(&self, base: &SocketBase) -> bool {
        self.closing.contains_key(&base.id) || base.closure.is_complete()
    }

    /// Ends everything of a socket, because LINGER is over.
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

    /// Ends accepted connections, each when all is sent, at most after LINGER.
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

    /// Ends a connection whose pipe is finished when all is sent, at most after LINGER.
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

    /// Ends a connection whose routing id another peer has taken over, when the time for the old peer to close is over. Input
    /// that has arrived is read first, however long the application takes.
    pub(super) fn end_read_out(&mut self, id: u64) {
        let Some(connected) = self.connections.get(&id) else { return };
        match &connected.engine {
            // The peer has closed. The engine finds that out after it has read the rest.
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

    /// Ends everything that lingers, because the context has ended.
    pub(super) fn end_everything(&mut self) {
        for id in keys(&self.closing, |reaping| reaping.phase == Phase::Lingering) {
            self.lingered(id);
        }
    }
}

impl Drop for Reactor {
    /// Completes what other threads wait for, because this thread ends, perhaps in a panic.
    fn drop(&mut self) {
        for (_, reaping) in self.closing.drain() {
            reaping.base.forget();
        }
        self.link.leave();
    }
}

/// Returns the keys of the entries that fulfil a condition.
fn keys<V>(map: &ByNumber<V>, which: impl Fn(&V) -> bool) -> Vec<u64> {
    map.iter().filter(|(_, value)| which(value)).map(|(id, _)| *id).collect()
}
