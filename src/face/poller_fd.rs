//! One descriptor for several sockets: `zmq_poller_fd` returns it, and `zmq_ppoll` sleeps on it.
//!
//! It is edge-triggered like ZMQ_FD: arm it, then look at the sockets, so no change is missed.

use std::os::fd::RawFd;
use std::sync::{Arc, Weak};

use crate::Socket;
use crate::error::{Error, Result};
use crate::signal::Ticket;
use crate::socket::base::SocketBase;
use crate::socket::wake_fd::WakeFd;

/// A descriptor that becomes readable when one of several sockets may have become ready since it was armed.
pub struct PollerFd {
    fd: WakeFd,
    /// Its registrations. They keep no socket alive.
    tickets: Vec<(Weak<SocketBase>, Ticket)>,
}

impl PollerFd {
    /// Creates a descriptor that watches no socket.
    ///
    /// # Errors
    /// Returns [`Error::Limit`] if the system gives no descriptor.
    pub fn new() -> Result<PollerFd> {
        Ok(PollerFd { fd: WakeFd::new().map_err(Error::Limit)?, tickets: Vec::new() })
    }

    /// Returns the number of the descriptor, which is open as long as this value lives.
    #[must_use]
    pub fn descriptor(&self) -> RawFd {
        self.fd.descriptor()
    }

    /// Makes the descriptor unreadable until the next change of one of these sockets. It no longer watches other sockets.
    pub fn arm<'a>(&mut self, sockets: impl IntoIterator<Item = &'a Socket>) {
        self.disarm();
        self.fd.clear();
        for socket in sockets {
            let ticket = socket.base().watch.register(self.fd.waiter());
            self.tickets.push((Arc::downgrade(socket.base()), ticket));
        }
    }

    /// Makes the descriptor readable.
    pub fn wake(&self) {
        self.fd.wake();
    }

    fn disarm(&mut self) {
        for (base, ticket) in self.tickets.drain(..) {
            if let Some(base) = base.upgrade() {
                base.watch.cancel(ticket);
            }
        }
    }
}

impl Drop for PollerFd {
    fn drop(&mut self) {
        self.disarm();
    }
}
