//! A descriptor for foreign event loops (native counterpart of libzmq's ZMQ_FD).

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;

use super::Socket;
use super::base::SocketBase;
use super::ready::{Ready, readiness};
use super::wake_fd::Armed;
use crate::error::{Error, Result};

/// A descriptor that is readable when a socket may be ready, for an event loop of the application (epoll, mio, glib, libuv).
///
/// Wait until the descriptor is *readable*; never read from it or write to it. Then call [`ReadyFd::ready`], which tells what the
/// socket is ready for. As long as that is something wanted, the descriptor stays readable, so that nothing is forgotten if
/// only one message is received at a time. After it was nothing, the descriptor is readable again at the next change.
///
/// This is libzmq's ZMQ_FD without its trap: that one must be asked again after every send and receive, or the loop hangs.
///
/// The descriptor is closed when this value is dropped. It does not keep the socket open: when the socket is closed the descriptor
/// is readable and `ready` returns [`Ready::CLOSED`].
///
/// ```
/// use zeroxide::{Context, Ready, SocketType};
/// # let context = Context::new();
/// # let (pull, push) = (context.socket(SocketType::Pull)?, context.socket(SocketType::Push)?);
/// # push.connect(pull.bind("inproc://tasks")?)?;
/// # let wait_until_readable = |_: &zeroxide::ReadyFd| push.send("task").unwrap();
/// let fd = pull.ready_fd(Ready::IN)?;
/// assert!(fd.ready()?.is_none());
/// wait_until_readable(&fd);
/// while fd.ready()?.is_in() {
///     assert_eq!(pull.try_recv()?[0], "task");
/// }
/// # Ok::<(), zeroxide::Error>(())
/// ```
pub struct ReadyFd {
    base: Arc<SocketBase>,
    wanted: Ready,
    armed: Armed,
}

impl Socket {
    /// Creates a descriptor that is readable while this socket may be ready for one of the `wanted` events. On unix only.
    ///
    /// # Errors
    /// Returns [`Error::Limit`] if the system gives no descriptor, and [`Error::Closed`], [`Error::Terminated`] or
    /// [`Error::Forked`].
    pub fn ready_fd(&self, wanted: Ready) -> Result<ReadyFd> {
        let base = Arc::clone(self.base());
        base.enter(|state| state.alive())?;
        base.context.check_process()?;
        let fd = ReadyFd { base, wanted, armed: Armed::new().map_err(Error::Limit)? };
        fd.ready()?;
        Ok(fd)
    }
}

impl ReadyFd {
    /// Returns the wanted events that the socket is ready for now, or [`Ready::CLOSED`].
    ///
    /// # Errors
    /// Returns [`Error::Forked`] in a child of the process that made the socket.
    pub fn ready(&self) -> Result<Ready> {
        self.base.context.check_process()?;
        self.armed.arm(&self.base.watch);
        let ready = readiness(&self.base, self.wanted).unwrap_or(Ready::CLOSED);
        if !ready.is_none() {
            self.armed.fd.wake();
        }
        Ok(ready)
    }
}

impl AsFd for ReadyFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.armed.fd.as_fd()
    }
}

impl AsRawFd for ReadyFd {
    fn as_raw_fd(&self) -> RawFd {
        self.armed.fd.descriptor()
    }
}

impl Drop for ReadyFd {
    fn drop(&mut self) {
        self.armed.disarm(&self.base.watch);
    }
}

impl fmt::Debug for ReadyFd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadyFd").field("fd", &self.as_raw_fd()).finish_non_exhaustive()
    }
}
