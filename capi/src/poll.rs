//! `zmq_poll`, and `zmq_ppoll` (draft).

use std::ffi::{c_int, c_long, c_short, c_void};
use std::os::fd::RawFd;
use std::time::Duration;

use zeroxide::{PollItem, Ready, face};

use crate::boundary::{Errno, call};
use crate::handles::Held;
use crate::sock::Sock;

pub(crate) const POLLIN: c_short = 1;
pub(crate) const POLLOUT: c_short = 2;
pub(crate) const POLLERR: c_short = 4;
pub(crate) const POLLPRI: c_short = 8;

/// One item of `zmq_poll`: a socket, or a descriptor if `socket` is NULL.
#[repr(C)]
#[allow(non_camel_case_types, missing_docs)] // C's own names
pub struct zmq_pollitem_t {
    pub socket: *mut c_void,
    pub fd: RawFd,
    pub events: c_short,
    pub revents: c_short,
}

/// Waits until an item is ready, at most for `timeout` milliseconds, or without a limit if that is negative. Returns the number of
/// ready items. Fails with `EINVAL`, `EFAULT`, `ENOTSOCK`, `ETERM`, `EINTR`.
///
/// # Safety
/// `items` points to `nitems` items.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_poll(items: *mut zmq_pollitem_t, nitems: c_int, timeout: c_long) -> c_int {
    call(-1, || {
        // SAFETY: the caller's promise.
        poll(unsafe { slice(items, nitems) }?, limit(timeout))
    })
}

/// Fails with `ENOTSUP`, because the system has no such call.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_ppoll(
    _items: *mut zmq_pollitem_t,
    _nitems: c_int,
    _timeout: c_long,
    _sigmask: *const c_void,
) -> c_int {
    call(-1, || Err(Errno(libc::ENOTSUP)))
}

/// # Safety
/// `items` points to `nitems` items.
pub(crate) unsafe fn slice<'a>(
    items: *mut zmq_pollitem_t,
    nitems: c_int,
) -> Result<&'a mut [zmq_pollitem_t], Errno> {
    match usize::try_from(nitems) {
        Err(_) => Err(Errno(libc::EINVAL)),
        Ok(0) => Ok(&mut []),
        Ok(_) if items.is_null() => Err(Errno(libc::EFAULT)),
        // SAFETY: the caller's promise.
        Ok(count) => Ok(unsafe { std::slice::from_raw_parts_mut(items, count) }),
    }
}

/// Returns the time limit for a number of milliseconds; `None` if it is negative.
pub(crate) fn limit(millis: c_long) -> Option<Duration> {
    u64::try_from(millis).ok().map(Duration::from_millis)
}

/// Returns the wanted events of an item.
pub(crate) fn wanted(events: c_short) -> Ready {
    let bits =
        [(POLLIN, Ready::IN), (POLLOUT, Ready::OUT), (POLLERR, Ready::ERROR), (POLLPRI, Ready::PRIORITY)];
    bits.into_iter().filter(|(bit, _)| events & bit != 0).fold(Ready::NONE, |sum, (_, ready)| sum | ready)
}

/// Returns events in the form of C.
pub(crate) fn events(ready: Ready) -> c_short {
    let bits =
        [(Ready::IN, POLLIN), (Ready::OUT, POLLOUT), (Ready::ERROR, POLLERR), (Ready::PRIORITY, POLLPRI)];
    bits.into_iter().filter(|(bit, _)| ready.contains(*bit)).fold(0, |sum, (_, event)| sum | event)
}

/// Returns the sockets among the items.
pub(crate) fn held(items: &[zmq_pollitem_t]) -> Result<Vec<Option<Held<Sock>>>, Errno> {
    let held = |item: &zmq_pollitem_t| {
        if item.socket.is_null() { Ok(None) } else { Sock::of(item.socket).map(Some) }
    };
    items.iter().map(held).collect()
}

/// Polls and sets the ready events. Returns the number of ready items.
pub(crate) fn poll(items: &mut [zmq_pollitem_t], limit: Option<Duration>) -> Result<c_int, Errno> {
    let socks = held(items)?;
    poll_held(items, &socks, limit)
}

/// Does the same as [`poll`], with the sockets of the items.
pub(crate) fn poll_held(
    items: &mut [zmq_pollitem_t],
    socks: &[Option<Held<Sock>>],
    limit: Option<Duration>,
) -> Result<c_int, Errno> {
    // Cleared before the wait, so that after an interrupted call no item is ready.
    items.iter_mut().for_each(|item| item.revents = 0);
    let mut looks: Vec<PollItem<'_>> = Vec::with_capacity(items.len());
    let mut places = Vec::with_capacity(items.len());
    for (place, (item, sock)) in items.iter().zip(socks).enumerate() {
        match sock {
            Some(sock) => looks.push(PollItem::new(&sock.socket, wanted(item.events))),
            // As in poll(2), an item with a negative descriptor is ignored.
            None if item.fd < 0 => continue,
            // As in poll(2), errors are always reported.
            None => looks.push(PollItem::fd(&item.fd, wanted(item.events) | Ready::ERROR)),
        }
        places.push(place);
    }
    face::poll(&mut looks, limit)?;
    let found: Vec<Ready> = looks.iter().map(PollItem::ready).collect();
    drop(looks);
    let mut count = 0;
    for (place, ready) in places.into_iter().zip(found) {
        if let (true, Some(sock)) = (ready.is_closed(), &socks[place]) {
            face::alive(&sock.socket)?;
        }
        items[place].revents = events(ready);
        count += c_int::from(items[place].revents != 0);
    }
    Ok(count)
}
