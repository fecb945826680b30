//! Listeners on the reactor: accepting, and waiting a moment when the process has no descriptor left.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Interest, Token};
use zeroxide_transports::Listener;

use super::hub::{Maker, Opening};
use super::reactor::{Reactor, Timer};
use crate::monitor::EventKind;
use crate::options::Values;
use crate::socket::base::SocketBase;
use crate::socket::pipes::Slot;

/// Connections taken in one go, so that a flood of them cannot keep the thread to itself.
const MAX_ACCEPTS: usize = 64;

/// The wait after an accept for which there was no descriptor or memory.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// One bound endpoint.
pub(crate) struct Acceptor {
    listener: Listener,
    pub(super) base: Arc<SocketBase>,
    values: Arc<Values>,
    /// Connections whose handshake is not over.
    pub(super) pending: u32,
    /// A timer will make it accept again; edges are left to it, so that there is never more than one.
    waiting: bool,
}

impl Reactor {
    /// Serves a new listener.
    pub(super) fn listen(
        &mut self,
        id: u64,
        base: Arc<SocketBase>,
        mut listener: Listener,
        values: Arc<Values>,
    ) {
        if self.is_closed(&base) {
            return base.endpoints.remove(id);
        }
        let local = listener.endpoint().to_string();
        match self.poll.registry().register(&mut listener, Token(id as usize), Interest::READABLE) {
            Ok(()) => {
                base.monitors.emit(id, &local, "", EventKind::Listening);
                self.listeners.insert(id, Acceptor { listener, base, values, pending: 0, waiting: false });
                self.accept(id);
            }
            Err(error) => {
                base.endpoints.failed(id, &error);
                base.monitors.emit(id, &local, "", EventKind::BindFailed(error.kind()));
            }
        }
    }

    /// Takes the connections that wait at a listener.
    pub(super) fn accept(&mut self, id: u64) {
        for _ in 0..MAX_ACCEPTS {
            let Some(acceptor) = self.listeners.get_mut(&id).filter(|acceptor| !acceptor.waiting) else {
                return;
            };
            let (base, values) = (Arc::clone(&acceptor.base), Arc::clone(&acceptor.values));
            match acceptor.listener.accept() {
                Ok((stream, accepted)) => {
                    let full = values.max_handshakes > 0 && acceptor.pending >= values.max_handshakes;
                    if full {
                        // Strangers do not keep peers out for longer than HANDSHAKE_IVL.
                        let local = acceptor.listener.endpoint().to_string();
                        base.monitors.emit(
                            id,
                            &local,
                            "",
                            EventKind::AcceptFailed(io::ErrorKind::ResourceBusy),
                        );
                        continue;
                    }
                    acceptor.pending += 1;
                    let connection = self.next_id();
                    let (local, remote) = (stream.local(), stream.remote());
                    base.monitors.emit(connection, &local, &remote, EventKind::Accepted);
                    let address = accepted.address;
                    let (slot, maker) = (Slot::new(), Maker::Listener(id));
                    let opening = Opening { id: connection, stream, base, slot, maker, values, address };
                    if self.open(opening, false).is_err() {
                        self.handshake_over(maker);
                        return self.accept_after(id, ACCEPT_BACKOFF);
                    }
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return,
                    // The peer went away while it waited: the next one may be well.
                    io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::Interrupted => {}
                    kind => {
                        let local = acceptor.listener.endpoint().to_string();
                        base.monitors.emit(id, &local, "", EventKind::AcceptFailed(kind));
                        return self.accept_after(id, ACCEPT_BACKOFF);
                    }
                },
            }
        }
        // No further edge comes for those that still wait.
        self.accept_after(id, Duration::ZERO);
    }

    /// The wait is over.
    pub(super) fn accept_again(&mut self, id: u64) {
        if let Some(acceptor) = self.listeners.get_mut(&id) {
            acceptor.waiting = false;
            self.accept(id);
        }
    }

    /// A connection that a listener accepted has ended its handshake, well or badly.
    pub(super) fn handshake_over(&mut self, maker: Maker) {
        if let Maker::Listener(id) = maker {
            if let Some(acceptor) = self.listeners.get_mut(&id) {
                acceptor.pending = acceptor.pending.saturating_sub(1);
            }
        }
    }

    /// Accepts nothing for a while: without a descriptor an accept fails at once, again and again.
    fn accept_after(&mut self, id: u64, wait: Duration) {
        if let Some(acceptor) = self.listeners.get_mut(&id) {
            acceptor.waiting = true;
            self.arm(Instant::now() + wait, Timer::Accept(id));
        }
    }

    /// Closes a listener, and the connections it accepted once what is unsent has left.
    pub(super) fn unbind(&mut self, id: u64) {
        let Some(mut acceptor) = self.listeners.remove(&id) else { return };
        let _ = self.poll.registry().deregister(&mut acceptor.listener);
        let local = acceptor.listener.endpoint().to_string();
        let base = acceptor.base;
        drop(acceptor.listener);
        base.monitors.emit(id, &local, "", EventKind::ListenerClosed);
        base.endpoints.remove(id);
        self.end_accepted(|connected| connected.maker == Maker::Listener(id));
    }
}
