//! `zmq_poller` (draft): `zmq_poll` with a memory.

use std::ffi::{c_int, c_long, c_short, c_void};
use std::os::fd::RawFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroxide::face::PollerFd;

use crate::boundary::{Errno, call};
use crate::handles::{Held, Lasting, Slots};
use crate::poll::{POLLERR, POLLIN, POLLOUT, POLLPRI, limit, poll_held, zmq_pollitem_t};
use crate::sock::Sock;

static POLLERS: Slots<Mutex<Watched>> = Slots::new();

/// What one poller watches.
#[derive(Default)]
struct Watched {
    items: Vec<Item>,
    /// The descriptor that `zmq_poller_fd` returns; `None` until its first call.
    fd: Option<PollerFd>,
}

impl Watched {
    /// Makes the descriptor unreadable until the next change of a thread-safe socket. Look at them after this.
    fn arm(&mut self) {
        let Some(fd) = &mut self.fd else { return };
        let socks = thread_safe(&self.items);
        fd.arm(socks.iter().map(|sock| &sock.socket));
    }

    /// Makes the descriptor readable, because what is watched has changed.
    fn look_again(&mut self) {
        self.arm();
        if let Some(fd) = &self.fd {
            fd.wake();
        }
    }
}

/// Returns the watched sockets that libzmq calls thread-safe, without those that are closed.
fn thread_safe(items: &[Item]) -> Vec<Held<Sock>> {
    let socks = items.iter().filter_map(|item| item.source.sock().ok()?);
    socks.filter(|sock| sock.socket.socket_type().has_single_frames()).collect()
}

/// What a poller watches.
#[derive(Clone, Copy)]
struct Item {
    source: Source,
    user_data: *mut c_void,
    events: c_short,
}

/// A socket, also after it was closed: the next one with its handle is another. Or a descriptor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Socket(Lasting),
    Fd(RawFd),
}

// SAFETY: the pointers are handles and the application's own; they are only compared and passed on.
unsafe impl Send for Item {}

/// What was found ready.
#[repr(C)]
#[allow(non_camel_case_types, missing_docs)] // C's own names
pub struct zmq_poller_event_t {
    pub socket: *mut c_void,
    pub fd: RawFd,
    pub user_data: *mut c_void,
    pub events: c_short,
}

const NO_EVENT: zmq_poller_event_t = zmq_poller_event_t {
    socket: std::ptr::null_mut(),
    fd: NO_FD,
    user_data: std::ptr::null_mut(),
    events: 0,
};
const NO_FD: RawFd = -1;

fn of(handle: *mut c_void) -> Result<Held<Mutex<Watched>>, Errno> {
    POLLERS.own(handle, libc::EFAULT)
}

fn lock(watched: &Mutex<Watched>) -> MutexGuard<'_, Watched> {
    watched.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check(events: c_short) -> Result<c_short, Errno> {
    match events & !(POLLIN | POLLOUT | POLLERR | POLLPRI) {
        0 => Ok(events),
        _ => Err(Errno(libc::EINVAL)),
    }
}

impl Source {
    fn of_socket(handle: *mut c_void) -> Result<Source, Errno> {
        Sock::of(handle).map(|sock| Source::Socket(sock.lasting()))
    }

    fn of_fd(fd: RawFd) -> Result<Source, Errno> {
        if fd == NO_FD { Err(Errno(libc::EBADF)) } else { Ok(Source::Fd(fd)) }
    }

    /// Returns the socket, if it is one.
    ///
    /// # Errors
    /// Returns the errors of [`Sock::of_lasting`].
    fn sock(self) -> Result<Option<Held<Sock>>, Errno> {
        match self {
            Source::Socket(kept) => Sock::of_lasting(kept).map(Some),
            Source::Fd(_) => Ok(None),
        }
    }

    /// As C names it: a socket and a descriptor, one of which is none.
    fn names(self) -> (*mut c_void, RawFd) {
        match self {
            Source::Socket(kept) => (kept.handle(), NO_FD),
            Source::Fd(fd) => (std::ptr::null_mut(), fd),
        }
    }
}

fn add(poller: *mut c_void, source: Result<Source, Errno>, user_data: *mut c_void, events: c_short) -> c_int {
    call(-1, || {
        let (held, source, events) = (of(poller)?, source?, check(events)?);
        let mut watched = lock(&held);
        if watched.items.iter().any(|item| item.source == source) {
            return Err(Errno(libc::EINVAL));
        }
        watched.items.push(Item { source, user_data, events });
        watched.look_again();
        Ok(0)
    })
}

fn modify(poller: *mut c_void, source: Result<Source, Errno>, events: c_short) -> c_int {
    call(-1, || {
        let (held, source, events) = (of(poller)?, source?, check(events)?);
        let mut watched = lock(&held);
        let item = watched.items.iter_mut().find(|item| item.source == source).ok_or(Errno(libc::EINVAL))?;
        item.events = events;
        watched.look_again();
        Ok(0)
    })
}

fn remove(poller: *mut c_void, source: Result<Source, Errno>) -> c_int {
    call(-1, || {
        let (held, source) = (of(poller)?, source?);
        let mut watched = lock(&held);
        let at = watched.items.iter().position(|item| item.source == source);
        watched.items.remove(at.ok_or(Errno(libc::EINVAL))?);
        watched.look_again();
        Ok(0)
    })
}

/// Returns a new poller. NULL and `EMFILE` when there are too many.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_new() -> *mut c_void {
    call(std::ptr::null_mut(), || {
        let handle = POLLERS.insert(Mutex::default());
        if handle.is_null() { Err(Errno(libc::EMFILE)) } else { Ok(handle) }
    })
}

/// Frees a poller and makes its pointer NULL. `EFAULT`.
///
/// # Safety
/// `poller_p` is NULL or points to a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_poller_destroy(poller_p: *mut *mut c_void) -> c_int {
    call(-1, || {
        // SAFETY: the caller's promise.
        let handle = unsafe { poller_p.as_mut() }.ok_or(Errno(libc::EFAULT))?;
        POLLERS.retire(*handle).ok_or(Errno(libc::EFAULT))?;
        *handle = std::ptr::null_mut();
        Ok(0)
    })
}

/// Returns how many items it watches. `EFAULT`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_size(poller: *mut c_void) -> c_int {
    call(-1, || {
        let held = of(poller)?;
        let count = lock(&held).items.len();
        Ok(c_int::try_from(count).unwrap_or(c_int::MAX))
    })
}

/// Watches a socket. `EFAULT`, `ENOTSOCK`, `EINVAL` for one that is watched and for unknown events.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_add(
    poller: *mut c_void,
    socket: *mut c_void,
    user_data: *mut c_void,
    events: c_short,
) -> c_int {
    add(poller, Source::of_socket(socket), user_data, events)
}

/// Changes what a socket is watched for. `EFAULT`, `ENOTSOCK`, `EINVAL`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_modify(poller: *mut c_void, socket: *mut c_void, events: c_short) -> c_int {
    modify(poller, Source::of_socket(socket), events)
}

/// Watches a socket no longer. `EFAULT`, `ENOTSOCK`, `EINVAL`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_remove(poller: *mut c_void, socket: *mut c_void) -> c_int {
    remove(poller, Source::of_socket(socket))
}

/// Watches a descriptor. `EFAULT`, `EBADF`, `EINVAL`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_add_fd(
    poller: *mut c_void,
    fd: RawFd,
    user_data: *mut c_void,
    events: c_short,
) -> c_int {
    add(poller, Source::of_fd(fd), user_data, events)
}

/// Changes what a descriptor is watched for. `EFAULT`, `EBADF`, `EINVAL`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_modify_fd(poller: *mut c_void, fd: RawFd, events: c_short) -> c_int {
    modify(poller, Source::of_fd(fd), events)
}

/// Watches a descriptor no longer. `EFAULT`, `EBADF`, `EINVAL`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_remove_fd(poller: *mut c_void, fd: RawFd) -> c_int {
    remove(poller, Source::of_fd(fd))
}

/// Returns a descriptor that becomes readable when what a watched thread-safe socket can do may have changed since the last
/// [`zmq_poller_wait_all`]: wait with no timeout then, until there is nothing more. It is the poller's, and is never read
/// or closed. `EFAULT`; `EINVAL` while no thread-safe socket is watched.
///
/// # Safety
/// `fd` is NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_poller_fd(poller: *mut c_void, fd: *mut RawFd) -> c_int {
    call(-1, || {
        let held = of(poller)?;
        // SAFETY: the caller's promise.
        let place = unsafe { fd.as_mut() }.ok_or(Errno(libc::EFAULT))?;
        let mut watched = lock(&held);
        if thread_safe(&watched.items).is_empty() {
            return Err(Errno(libc::EINVAL));
        }
        if watched.fd.is_none() {
            watched.fd = Some(PollerFd::new()?);
            watched.look_again();
        }
        *place = watched.fd.as_ref().map_or(NO_FD, PollerFd::descriptor);
        Ok(0)
    })
}

/// Waits for one event: 0, or -1 and `EAGAIN` when `timeout` milliseconds have passed. As [`zmq_poller_wait_all`].
///
/// # Safety
/// `event` is NULL or points to room for one event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_poller_wait(
    poller: *mut c_void,
    event: *mut zmq_poller_event_t,
    timeout: c_long,
) -> c_int {
    if !event.is_null() {
        // Whatever goes wrong: no event.
        // SAFETY: the caller's promise.
        unsafe { event.write(NO_EVENT) };
    }
    // SAFETY: the caller's promise.
    let found = unsafe { zmq_poller_wait_all(poller, event, 1, timeout) };
    found.min(0)
}

/// Waits until something is ready, and tells at most `n_events` of it; answers how many. `EAGAIN` when `timeout`
/// milliseconds have passed; `EFAULT` also when nothing is watched and the time is unlimited; `EINTR`, `ETERM`,
/// `ENOTSOCK`.
///
/// # Safety
/// `events` is NULL or points to room for `n_events` events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_poller_wait_all(
    poller: *mut c_void,
    events: *mut zmq_poller_event_t,
    n_events: c_int,
    timeout: c_long,
) -> c_int {
    call(-1, || {
        let held = of(poller)?;
        if events.is_null() {
            return Err(Errno(libc::EFAULT));
        }
        let room = usize::try_from(n_events).map_err(|_| Errno(libc::EINVAL))?;
        for n in 0..room {
            // SAFETY: the caller's promise.
            unsafe { events.add(n).write(NO_EVENT) };
        }
        let items = {
            let mut watched = lock(&held);
            watched.arm();
            watched.items.clone()
        };
        // What is watched for nothing is not looked at; a descriptor would tell of what is wrong with it.
        let items: Vec<Item> = items.into_iter().filter(|item| item.events != 0).collect();
        if timeout < 0 && items.is_empty() {
            return Err(Errno(libc::EFAULT));
        }
        let mut looks: Vec<zmq_pollitem_t> = items
            .iter()
            .map(|item| {
                let (socket, fd) = item.source.names();
                zmq_pollitem_t { socket, fd, events: item.events, revents: 0 }
            })
            .collect();
        let socks = items.iter().map(|item| item.source.sock()).collect::<Result<Vec<_>, _>>()?;
        poll_held(&mut looks, &socks, limit(timeout))?;
        let ready = items.iter().zip(&looks).filter(|(_, look)| look.revents != 0);
        let mut count = 0;
        for (item, look) in ready.take(room) {
            let (socket, fd) = item.source.names();
            let event = zmq_poller_event_t { socket, fd, user_data: item.user_data, events: look.revents };
            // SAFETY: the caller's promise.
            unsafe { events.add(count).write(event) };
            count += 1;
        }
        if count == 0 { Err(Errno(libc::EAGAIN)) } else { Ok(count as c_int) }
    })
}
