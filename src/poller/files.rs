//! The file descriptors that a poller watches.
//!
//! mio is edge-triggered. A descriptor is registered again before each look, so that the system reports it again if it is ready.
//! At each look a descriptor is what its number refers to at that time, as in poll(2).
#![cfg_attr(not(unix), allow(dead_code))] // there `add_fd` refuses

use std::io;
use std::time::Instant;

use mio::Token;

use super::Ready;
use crate::signal::{FdParker, Sleeper, Waiter};

#[cfg(unix)]
pub(super) use std::os::fd::RawFd as Fd;
#[cfg(not(unix))]
pub(super) type Fd = i32;

/// The descriptors of one poller, and the poll in which its thread sleeps because of them.
pub(super) struct Files {
    parker: FdParker,
    files: Vec<File>,
}

struct File {
    fd: Fd,
    wanted: Ready,
    registered: bool,
    found: Ready,
}

impl Files {
    /// Creates a set without descriptors.
    ///
    /// # Errors
    /// Returns an error if the system gives no descriptor for the poll.
    pub(super) fn new() -> io::Result<Files> {
        Ok(Files { parker: FdParker::new()?, files: Vec::new() })
    }

    /// Watches a descriptor for these events only; with none, removes it.
    pub(super) fn watch(&mut self, fd: Fd, wanted: Ready) {
        match self.files.iter().position(|file| file.fd == fd) {
            Some(at) if wanted.is_none() => {
                let file = self.files.swap_remove(at);
                disarm(&self.parker, &file);
            }
            Some(at) => self.files[at].wanted = wanted,
            None if wanted.is_none() => {}
            None => self.files.push(File { fd, wanted, registered: false, found: Ready::NONE }),
        }
    }

    /// Watches a descriptor for these events, too.
    pub(super) fn watch_also(&mut self, fd: Fd, wanted: Ready) {
        let before = self.files.iter().find(|file| file.fd == fd).map_or(Ready::NONE, |file| file.wanted);
        self.watch(fd, before | wanted);
    }

    /// Looks at all descriptors. One that becomes ready after this ends the next sleep.
    ///
    /// # Errors
    /// Returns an error if the poll is broken.
    pub(super) fn look(&mut self) -> io::Result<()> {
        for (token, file) in self.files.iter_mut().enumerate() {
            file.arm(&self.parker, Token(token));
        }
        for event in self.parker.look(self.files.len())? {
            if let Some(file) = self.files.get_mut(event.token().0) {
                file.found |= found(event);
            }
        }
        Ok(())
    }

    /// Returns whether a signal of the system has ended a sleep since the last call.
    pub(super) fn take_interrupted(&mut self) -> bool {
        self.parker.take_interrupted()
    }

    /// Returns the wanted events of a descriptor that the last look has found, and errors in any case.
    pub(super) fn found(&self, fd: Fd, wanted: Ready) -> Ready {
        let file = self.files.iter().find(|file| file.fd == fd);
        file.filter(|_| !wanted.is_none()).map_or(Ready::NONE, |file| file.found & (wanted | Ready::ERROR))
    }
}

impl Sleeper for Files {
    fn waiter(&self) -> Waiter {
        self.parker.waiter()
    }

    fn sleep(&mut self, deadline: Option<Instant>) -> bool {
        self.parker.sleep(deadline)
    }
}

fn found(event: &mio::event::Event) -> Ready {
    let mut ready = Ready::NONE;
    if event.is_readable() || event.is_read_closed() {
        ready |= Ready::IN;
    }
    if event.is_writable() {
        ready |= Ready::OUT;
    }
    // poll(2) reports POLLERR or POLLHUP here, and libzmq ZMQ_POLLERR.
    if event.is_error() || (event.is_read_closed() && event.is_write_closed()) {
        ready |= Ready::ERROR;
    }
    if event.is_priority() {
        ready |= Ready::PRIORITY;
    }
    ready
}

#[cfg(unix)]
impl File {
    /// Registers it again, so that the poll reports what it is ready for now.
    fn arm(&mut self, parker: &FdParker, token: Token) {
        self.found = Ready::NONE;
        match self.register(parker.registry(), token) {
            Ok(()) => self.registered = true,
            Err(error) => {
                self.registered = false;
                // EPERM: epoll does not take regular files and directories. They never block.
                let always = error.kind() == io::ErrorKind::PermissionDenied;
                self.found = if always { Ready::IN | Ready::OUT } else { Ready::ERROR };
            }
        }
    }

    fn register(&self, registry: &mio::Registry, token: Token) -> io::Result<()> {
        use mio::unix::SourceFd;
        let Some(interest) = interest(self.wanted) else { return Ok(()) };
        if self.registered {
            // Only epoll is known to report readiness again when a registration is changed.
            let again = if cfg!(any(target_os = "linux", target_os = "android")) {
                registry.reregister(&mut SourceFd(&self.fd), token, interest)
            } else {
                registry.deregister(&mut SourceFd(&self.fd))
            };
            match again {
                Ok(()) if cfg!(any(target_os = "linux", target_os = "android")) => return Ok(()),
                Ok(()) => {}
                // The descriptor was closed. Another one may have its number.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        registry.register(&mut SourceFd(&self.fd), token, interest)
    }
}

/// Returns the interest for the wanted events. A wait for errors alone must not be woken by input. epoll reports errors with any
/// interest, so it gets the rarest one, urgent input. On other systems errors are reported only with input or output.
#[cfg(unix)]
fn interest(wanted: Ready) -> Option<mio::Interest> {
    use mio::Interest;
    let wants = [
        (wanted.is_in(), Interest::READABLE),
        (wanted.is_out(), Interest::WRITABLE),
        #[cfg(any(target_os = "linux", target_os = "android"))]
        (wanted.is_priority() || wanted == Ready::ERROR, Interest::PRIORITY),
    ];
    let wants = wants.into_iter().filter(|(wanted, _)| *wanted).map(|(_, interest)| interest);
    wants.reduce(|sum, interest| sum | interest)
}

#[cfg(unix)]
fn disarm(parker: &FdParker, file: &File) {
    if file.registered {
        // A closed descriptor has left the poll by itself.
        let _ = parker.registry().deregister(&mut mio::unix::SourceFd(&file.fd));
    }
}

#[cfg(not(unix))]
impl File {
    fn arm(&mut self, _parker: &FdParker, _token: Token) {}
}

#[cfg(not(unix))]
fn disarm(_parker: &FdParker, _file: &File) {}
