//! ZMQ_FD: a descriptor that becomes readable when what a socket can do may have changed.
//!
//! It is an edge: it is signalled by the first change after it was armed, and arming takes the signal back. Whoever asks
//! for ZMQ_EVENTS, or is refused by a send or receive, arms it first and looks then, so no change falls between.

use std::os::fd::RawFd;
use std::sync::{Arc, Mutex};

use super::ready::{Ready, readiness};
use super::wake_fd::{Armed, WakeFd};
use crate::error::{Error, Result};
use crate::socket::base::SocketBase;

impl SocketBase {
    /// The descriptor, made when it is first asked for. It is signalled at once if there is something to do, or an endpoint
    /// was opened before: as libzmq signals each bind and connect, some applications wait for that signal.
    pub(crate) fn event_descriptor(self: &Arc<Self>) -> Result<RawFd> {
        self.enter(|state| state.alive())?;
        self.context.check_process()?;
        if let Some(armed) = self.event_fd.0.get() {
            return Ok(armed.fd.descriptor());
        }
        let made = Armed { fd: WakeFd::new().map_err(Error::Limit)?, ticket: Mutex::default() };
        // Another thread may have been faster: then its descriptor is the socket's.
        let armed = self.event_fd.0.get_or_init(|| made);
        armed.arm(&self.watch);
        let ready = readiness(self, Ready::IN | Ready::OUT)?;
        if !ready.is_none() || self.endpoints.last().is_some() {
            armed.fd.wake();
        }
        Ok(armed.fd.descriptor())
    }

    /// Takes the signal back; `true` when there is a descriptor. Look at the state after this.
    pub(crate) fn rearm_event_fd(&self) -> bool {
        let armed = self.event_fd.0.get();
        armed.inspect(|armed| armed.arm(&self.watch)).is_some()
    }
}
