//! A descriptor for several sockets: what `zmq_poller_fd` returns, and what `zmq_ppoll` sleeps on.
//!
//! As ZMQ_FD it is an edge: whoever arms it looks at the sockets after that, so no change falls between.

use std::os::fd::RawFd;
use std::sync::{Arc, Weak};

use crate::Socket;
use crate::error::{Error, Result};
use crate::signal::Ticket;
use crate::socket::base::SocketBase;
use crate::socket::wake_fd::WakeFd;

/// A descriptor that becomes readable when what one of several sockets can do may have changed since it was armed.
pub struct Bell {
    fd: WakeFd,
    /// Where it is registered. It keeps no socket alive.
    tickets: Vec<(Weak<SocketBase>, Ticket)>,
}

impl Bell {
    /// A bell that nobody rings yet.
    ///
    /// # Errors
    /// [`Error::Limit`] when the system gives no descriptor.
    pub fn new() -> Result<Bell> {
        Ok(Bell { fd: WakeFd::new().map_err(Error::Limit)?, tickets: Vec::new() })
    }

    /// The descriptor, which lives as long as the bell.
    #[must_use]
    pub fn descriptor(&self) -> RawFd {
        self.fd.descriptor()
    }

    /// Silent until the next change of one of these sockets; others ring it no longer.
    pub fn arm<'a>(&mut self, sockets: impl IntoIterator<Item = &'a Socket>) {
        self.disarm();
        self.fd.silence();
        for socket in sockets {
            let ticket = socket.base().watch.register(self.fd.waiter());
            self.tickets.push((Arc::downgrade(socket.base()), ticket));
        }
    }

    /// Rings.
    pub fn ring(&self) {
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

impl Drop for Bell {
    fn drop(&mut self) {
        self.disarm();
    }
}
