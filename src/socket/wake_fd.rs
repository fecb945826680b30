//! A descriptor that another thread makes readable, as libzmq's `signaler_t` makes it: an eventfd on Linux, one end of a
//! pair of sockets elsewhere.
//!
//! It is always writable, and each wake is an event of its own: who registers it edge-triggered for both (mio, tokio) is
//! told of every wake as readable and as writable.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Wake, Waker};

use crate::signal::{Signal, Ticket, Waiter};
use ends::Ends;

/// The descriptor of one socket, once somebody has asked for it.
#[derive(Default)]
pub(crate) struct EventFd(pub(super) OnceLock<Armed>);

/// A descriptor, and where it is registered for the next change.
pub(super) struct Armed {
    pub(super) fd: WakeFd,
    pub(super) ticket: Mutex<Option<Ticket>>,
}

impl Armed {
    /// Silent until the next change.
    pub(super) fn arm(&self, changes: &Signal) {
        let mut ticket = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
        self.fd.silence();
        if let Some(ticket) = ticket.take() {
            changes.cancel(ticket);
        }
        *ticket = Some(changes.register(self.fd.waiter()));
    }
}

/// The descriptor, and what wakes it.
pub(crate) struct WakeFd {
    ends: Arc<Ends>,
    waker: Waker,
}

impl WakeFd {
    /// A descriptor that is not readable yet.
    ///
    /// # Errors
    /// When the system gives no descriptor.
    pub(crate) fn new() -> io::Result<WakeFd> {
        let ends = Arc::new(Ends::new()?);
        let waker = Waker::from(Arc::clone(&ends));
        Ok(WakeFd { ends, waker })
    }

    /// The number of the descriptor, which lives as long as this value.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.ends.as_raw_fd()
    }

    /// What makes it readable, as a `Signal` keeps it.
    pub(crate) fn waiter(&self) -> Waiter {
        Waiter::Ours(self.waker.clone())
    }

    /// Makes it readable.
    pub(crate) fn wake(&self) {
        self.ends.write();
    }

    /// Takes back every wake so far.
    pub(crate) fn silence(&self) {
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
    use std::os::fd::{AsRawFd, RawFd};

    use rustix::event::{EventfdFlags, eventfd};

    /// An eventfd: one descriptor to write and to read.
    pub(super) struct Ends(File);

    impl Ends {
        pub(crate) fn new() -> io::Result<Ends> {
            Ok(Ends(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?.into()))
        }

        pub(crate) fn write(&self) {
            // Refused when 2^64 wakes wait: then it is readable anyway.
            let _ = (&self.0).write(&1u64.to_ne_bytes());
        }

        pub(crate) fn read_all(&self) {
            // One read takes the whole count, or finds none.
            let _ = (&self.0).read(&mut [0; 8]);
        }
    }

    impl AsRawFd for Ends {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_raw_fd()
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod ends {
    use std::io::{self, Read, Write};
    use std::os::fd::{AsRawFd, RawFd};
    use std::os::unix::net::UnixStream;

    /// Two sockets: the application gets the one that is read.
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
            // Refused when the buffer is full: then it is readable anyway.
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
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mio::unix::SourceFd;
    use mio::{Events, Interest, Poll, Token};

    use super::*;

    /// Whether the next event, if one is there, says readable and writable.
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
    fn silence_takes_back_every_wake() {
        let fd = WakeFd::new().unwrap();
        (0..200).for_each(|_| fd.wake());
        fd.silence();
        fd.silence();
        let mut poll = Poll::new().unwrap();
        poll.registry().register(&mut SourceFd(&fd.descriptor()), Token(0), Interest::READABLE).unwrap();
        assert_eq!(event(&mut poll), None);
        fd.wake();
        assert_eq!(event(&mut poll).map(|(readable, _)| readable), Some(true));
    }
}
