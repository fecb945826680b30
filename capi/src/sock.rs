//! What a socket handle stands for.

use std::ffi::c_void;
use std::sync::atomic::AtomicI32;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroxide::Socket;

use crate::boundary::Errno;
use crate::handles::{Held, Lasting, Slots};
use crate::kept::Kept;
use crate::pump::Pump;

pub(crate) static SOCKETS: Slots<Sock> = Slots::new();

/// What a socket handle stands for.
pub(crate) struct Sock {
    pub(crate) socket: Socket,
    monitor: Mutex<Option<Pump>>,
    /// A descriptor that listens, for the next bind (`ZMQ_USE_FD`); -1 for none.
    pub(crate) use_fd: AtomicI32,
    pub(crate) kept: Kept,
}

impl Sock {
    /// Creates a socket that nothing is kept of yet.
    pub(crate) fn new(socket: Socket) -> Sock {
        let (monitor, use_fd) = (Mutex::new(None), AtomicI32::new(-1));
        Sock { socket, monitor, use_fd, kept: Kept::default() }
    }

    /// Returns the socket of a handle.
    ///
    /// # Errors
    /// `ENOTSOCK`; `ETERM` in a child of fork, whose parent made it.
    #[inline]
    pub(crate) fn of(handle: *mut c_void) -> Result<Held<Sock>, Errno> {
        SOCKETS.own(handle, libc::ENOTSOCK)
    }

    /// Returns the socket of a handle that was kept.
    ///
    /// # Errors
    /// Returns the errors of [`Sock::of`].
    pub(crate) fn of_lasting(kept: Lasting) -> Result<Held<Sock>, Errno> {
        SOCKETS.own_lasting(kept, libc::ENOTSOCK)
    }

    /// Returns what forwards its events.
    pub(crate) fn monitor(&self) -> MutexGuard<'_, Option<Pump>> {
        self.monitor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
