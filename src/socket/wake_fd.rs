//! A descriptor that another thread makes readable, as libzmq's `signaler_t` makes it: an eventfd on Linux, one end of a
//! pair of sockets elsewhere.
//!
//! It is always writable, and each wake is a new event. If it is registered edge-triggered for both (mio, tokio), each wake
//! is reported as readable and as writable.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

use crate::signal::{Signal, Ticket, Waiter};
use ends::Ends;

/// A descriptor that the next change makes readable.
pub(crate) struct Armed {
    pub(crate) fd: WakeFd,
    ticket: Mutex<Option<Ticket>>,
}

impl Armed {
    /// Creates a descriptor that no change makes readable yet.
    ///
    /// # Errors
    /// Returns the system's error if there are too many descriptors.
    pub(crate) fn new() -> io::Result<Armed> {
        Ok(Armed { fd: WakeFd::new()?, ticket: Mutex::default() })
    }

    /// Makes the descriptor unreadable until the next change.
    pub(crate) fn arm(&self, changes: &Signal) {
        let mut ticket = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
        self.fd.clear();
        if let Some(ticket) = ticket.take() {
            changes.cancel(ticket);
        }
        *ticket = Some(changes.register(self.fd.waiter()));
    }

    /// No change makes the descriptor readable any more.
    pub(crate) fn disarm(&self, changes: &Signal) {
        let ticket = self.ticket.lock().unwrap_or_else(PoisonError::into_inner).take();
        if ticket.is_some_and(|ticket| changes.cancel(ticket)) {
            changes.notify_one();
        }
    }
}

/// A descriptor and its waker.
pub(crate) struct WakeFd {
    ends: Arc<Ends>,
    waker: Waker,
}

impl WakeFd {
    /// Creates a descriptor that is not readable yet.
    ///
    /// # Errors
    /// Returns the system's error if there are too many descriptors.
    pub(crate) fn new() -> io::Result<WakeFd> {
        let ends = Arc::new(Ends::new()?);
        let waker = Waker::from(Arc::clone(&ends));
        Ok(WakeFd { ends, waker })
    }

    /// Returns the number of the descriptor, which is open as long as this value lives.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.ends.as_raw_fd()
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.ends.as_fd()
    }

    /// Returns a waiter for a `Signal`: a notification makes the descriptor readable.
    pub(crate) fn waiter(&self) -> Waiter {
        Waiter::Ours(self.waker.clone())
    }

    /// Makes the descriptor readable.
    pub(crate) fn wake(&self) {
        self.ends.write();
    }

    /// Makes the descriptor unreadable: takes back every wake so far.
    pub(crate) fn clear(&self) {
        self.ends.read_all();
    }
}

impl Wake for Ends {
    fn wake(self: Arc<Self>) {
        self.write();
    }
}

#[cfg(target_os = "linux")]
mod ends {
    use std::fs::File;
    use std::io::{self, Read, Write};
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

    use rustix::event::{EventfdFlags, eventfd};

    /// An eventfd: one descriptor to write and to read.
    pub(super) struct Ends(File);

    impl Ends {
        pub(crate) fn new() -> io::Result<Ends> {
            Ok(Ends(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?.into()))
        }

        pub(crate) fn write(&self) {
            // It fails only if the counter is full. Then the descriptor is readable anyway.
            let _ = (&self.0).write(&1u64.to_ne_bytes());
        }

        pub(crate) fn read_all(&self) {
            // One read resets the counter.
            let _ = (&self.0).read(&mut [0; 8]);
        }
    }

    impl AsRawFd for Ends {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_raw_fd()
        }
    }

    impl AsFd for Ends {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod ends {
    use std::io::{self, Read, Write};
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
    use std::os::unix::net::UnixStream;

    /// A pair of sockets. The application gets the end that is read.
    pub(super) struct Ends {
        read: UnixStream,
        write: UnixStream,
    }

    impl Ends {
        pub(crate) fn new() -> io::Result<Ends> {
            let (read, write) = UnixStream::pair()?;
            read.set_nonblocking(true)?;
            write.set_nonblocking(true)?;
            Ok(Ends { read, write })
        }

        pub(crate) fn write(&self) {
            // It fails only if the buffer is full. Then the descriptor is readable anyway.
            let _ = (&self.write).write(&[0]);
        }

        pub(crate) fn read_all(&self) {
            while matches!((&self.read).read(&mut [0; 64]), Ok(64)) {}
        }
    }

    impl AsRawFd for Ends {
        fn as_raw_fd(&self) -> RawFd {
            self.read.as_raw_fd()
        }
    }

    impl AsFd for Ends {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.read.as_fd()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mio::unix::SourceFd;
    use mio::{Events, Interest, Poll, Token};

    use super::*;

    /// Returns whether the next event, if there is one, reports readable and writable.
    fn event(poll: &mut Poll) -> Option<(bool, bool)> {
        let mut events = Events::with_capacity(1);
        #[expect(clippy::disallowed_methods, reason = "does not wait")]
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        events.iter().next().map(|event| (event.is_readable(), event.is_writable()))
    }

    #[test]
    fn each_wake_is_an_edge_that_is_readable_and_writable() {
        let (fd, mut poll) = (WakeFd::new().unwrap(), Poll::new().unwrap());
        let both = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut SourceFd(&fd.descriptor()), Token(0), both).unwrap();
        assert_eq!(event(&mut poll), Some((false, true)));
        assert_eq!(event(&mut poll), None);
        for _ in 0..2 {
            fd.wake();
            assert_eq!(event(&mut poll), Some((true, true)));
            assert_eq!(event(&mut poll), None);
        }
    }

    #[test]
    fn clear_takes_back_every_wake() {
        let fd = WakeFd::new().unwrap();
        (0..200).for_each(|_| fd.wake());
        fd.clear();
        fd.clear();
        let mut poll = Poll::new().unwrap();
        poll.registry().register(&mut SourceFd(&fd.descriptor()), Token(0), Interest::READABLE).unwrap();
        assert_eq!(event(&mut poll), None);
        fd.wake();
        assert_eq!(event(&mut poll).map(|(readable, _)| readable), Some(true));
    }
}
