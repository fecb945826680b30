//! `zmq_poller` (draft): like `zmq_poll`, but keeps the items between calls.

use std::ffi::{c_int, c_long, c_short, c_void};
use std::os::fd::RawFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroxide::face::PollerFd;

use crate::boundary::{Errno, call};
use crate::handles::{Held, Lasting, Slots};
use crate::poll::{POLLERR, POLLIN, POLLOUT, POLLPRI, limit, poll_held, zmq_pollitem_t};
use crate::sock::Sock;

static POLLERS: Slots<Mutex<Watched>> = Slots::new();

/// The items of one poller, and its descriptor.
#[derive(Default)]
struct Watched {
    items: Vec<Item>,
    /// The descriptor that `zmq_poller_fd` returns; `None` until its first call.
    fd: Option<PollerFd>,
}

impl Watched {
    /// Makes the descriptor unreadable until a watched thread-safe socket changes. Check the sockets after this call,
    /// because a change before it is not reported.
    fn arm(&mut self) {
        let Some(fd) = &mut self.fd else { return };
        let socks = thread_safe(&self.items);
        fd.arm(socks.iter().map(|sock| &sock.socket));
    }

    /// Arms the descriptor for the changed set of sockets, and makes it readable, because one of them may be ready
    /// already.
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

/// One item of a poller.
#[derive(Clone, Copy)]
struct Item {
    source: Source,
    user_data: *mut c_void,
    events: c_short,
}

/// A socket or a descriptor. A socket is equal only to itself, not to a later one that has the handle of a closed one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Socket(Lasting),
    Fd(RawFd),
}

// SAFETY: the pointers are handles and pointers of the application. They are only compared and passed on.
unsafe impl Send for Item {}

/// An item that is ready.
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

    /// Returns the socket, or `None` for a descriptor.
    ///
    /// # Errors
    /// Returns the errors of [`Sock::of_lasting`].
    fn sock(self) -> Result<Option<Held<Sock>>, Errno> {
        match self {
            Source::Socket(kept) => Sock::of_lasting(kept).map(Some),
            Source::Fd(_) => Ok(None),
        }
    }

    /// Returns the `socket` and `fd` fields of C's structures: for a descriptor the first is NULL, for a socket the
    /// second is -1.
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

/// Creates a poller. Returns NULL with `EMFILE` if there are too many.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_new() -> *mut c_void {
    call(std::ptr::null_mut(), || {
        let handle = POLLERS.insert(Mutex::default());
        if handle.is_null() { Err(Errno(libc::EMFILE)) } else { Ok(handle) }
    })
}

/// Frees a poller and sets its pointer to NULL. Fails with `EFAULT`.
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

/// Returns the number of items. Fails with `EFAULT`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_size(poller: *mut c_void) -> c_int {
    call(-1, || {
        let held = of(poller)?;
        let count = lock(&held).items.len();
        Ok(c_int::try_from(count).unwrap_or(c_int::MAX))
    })
}

/// Watches a socket. Fails with `EFAULT`, `ENOTSOCK`, or `EINVAL` if it is watched already or an event is unknown.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_add(
    poller: *mut c_void,
    socket: *mut c_void,
    user_data: *mut c_void,
    events: c_short,
) -> c_int {
    add(poller, Source::of_socket(socket), user_data, events)
}

/// Changes the events that a socket is watched for. Fails with `EFAULT`, `ENOTSOCK`, `EINVAL`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_modify(poller: *mut c_void, socket: *mut c_void, events: c_short) -> c_int {
    modify(poller, Source::of_socket(socket), events)
}

/// Removes a socket. Fails with `EFAULT`, `ENOTSOCK`, `EINVAL`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_remove(poller: *mut c_void, socket: *mut c_void) -> c_int {
    remove(poller, Source::of_socket(socket))
}

/// Watches a descriptor. Fails with `EFAULT`, `EBADF`, `EINVAL`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_add_fd(
    poller: *mut c_void,
    fd: RawFd,
    user_data: *mut c_void,
    events: c_short,
) -> c_int {
    add(poller, Source::of_fd(fd), user_data, events)
}

/// Changes the events that a descriptor is watched for. Fails with `EFAULT`, `EBADF`, `EINVAL`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_modify_fd(poller: *mut c_void, fd: RawFd, events: c_short) -> c_int {
    modify(poller, Source::of_fd(fd), events)
}

/// Removes a descriptor. Fails with `EFAULT`, `EBADF`, `EINVAL`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_remove_fd(poller: *mut c_void, fd: RawFd) -> c_int {
    remove(poller, Source::of_fd(fd))
}

/// Stores in `*fd` a descriptor that becomes readable when a watched thread-safe socket may have become ready since the
/// last [`zmq_poller_wait_all`]. When it is readable, call `zmq_poller_wait_all` with a timeout of 0 until nothing is
/// ready. The descriptor belongs to the poller: do not read or close it. Fails with `EFAULT`, or with `EINVAL` if no
/// thread-safe socket is watched.
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

/// Waits for one event, like [`zmq_poller_wait_all`]. Returns 0, or -1 with `EAGAIN` if `timeout` milliseconds have passed.
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
        // Cleared, so that there is no event after an error.
        // SAFETY: the caller's promise.
        unsafe { event.write(NO_EVENT) };
    }
    // SAFETY: the caller's promise.
    let found = unsafe { zmq_poller_wait_all(poller, event, 1, timeout) };
    found.min(0)
}

/// Waits until an item is ready, and stores at most `n_events` ready items. Returns their number. Fails with `EAGAIN`
/// if `timeout` milliseconds have passed, with `EINVAL` if `n_events` is negative, and with `EINTR`, `ETERM` or
/// `ENOTSOCK`. Fails with `EFAULT` if a pointer is wrong, or if no event is wanted and `timeout` is negative.
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
        // Items that want no events are left out, because `poll_held` reports errors of a descriptor even if nothing is
        // wanted.
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
