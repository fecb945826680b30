//! What a socket handle refers to.

use std::ffi::c_void;
use std::sync::atomic::AtomicI32;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroxide::Socket;

use crate::boundary::Errno;
use crate::handles::{Held, Lasting, Slots};
use crate::kept::Kept;
use crate::pump::Pump;

pub(crate) static SOCKETS: Slots<Sock> = Slots::new();

/// What a socket handle refers to.
pub(crate) struct Sock {
    pub(crate) socket: Socket,
    monitor: Mutex<Option<Pump>>,
    /// The listening descriptor for the next bind (`ZMQ_USE_FD`), or -1.
    pub(crate) use_fd: AtomicI32,
    pub(crate) kept: Kept,
}

impl Sock {
    /// Creates the value of a new handle.
    pub(crate) fn new(socket: Socket) -> Sock {
        let (monitor, use_fd) = (Mutex::new(None), AtomicI32::new(-1));
        Sock { socket, monitor, use_fd, kept: Kept::default() }
    }

    /// Returns the socket of a handle.
    ///
    /// # Errors
    /// Returns `ENOTSOCK` if there is none, and `ETERM` in a fork child if the parent has created it.
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

    /// Returns the pump that sends its events, if there is one.
    pub(crate) fn monitor(&self) -> MutexGuard<'_, Option<Pump>> {
        self.monitor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
