//! ZMQ_FD: a descriptor that becomes readable when the socket may have become ready.
//!
//! It is edge-triggered. Arming it makes it unreadable, and the next change makes it readable. ZMQ_EVENTS, and a send or
//! receive that is refused, arm it first and look at the socket after that, so no change is missed.

use std::os::fd::RawFd;
use std::sync::Arc;

use crate::Ready;
use crate::error::{Error, Result};
use crate::socket::base::SocketBase;
use crate::socket::ready::readiness;
use crate::socket::wake_fd::Armed;

impl SocketBase {
    /// Returns the descriptor, and creates it at the first call. Then it is readable at once if the socket is ready or has
    /// an endpoint: libzmq signals each bind and connect, and some applications wait for that.
    pub(super) fn zmq_fd(self: &Arc<Self>) -> Result<RawFd> {
        self.enter(|state| state.alive())?;
        self.context.check_process()?;
        if let Some(armed) = self.zmq_fd.0.get() {
            return Ok(armed.fd.descriptor());
        }
        let made = Armed::new().map_err(Error::Limit)?;
        // If another thread has created one meanwhile, that one stays.
        let armed = self.zmq_fd.0.get_or_init(|| made);
        armed.arm(&self.watch);
        let ready = readiness(self, Ready::IN | Ready::OUT)?;
        if !ready.is_none() || self.endpoints.last().is_some() {
            armed.fd.wake();
        }
        Ok(armed.fd.descriptor())
    }

    /// Arms the descriptor. Returns whether there is one. Look at the socket after this.
    pub(super) fn rearm_zmq_fd(&self) -> bool {
        let armed = self.zmq_fd.0.get();
        armed.inspect(|armed| armed.arm(&self.watch)).is_some()
    }
}
