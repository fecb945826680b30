//! The sleep of `zmq_ppoll`: in ppoll(2), which alone changes the blocked signals and sleeps in one step. A signal that was
//! pending before ends the sleep, and is not lost between the two.

use std::ffi::{c_int, c_long, c_void};
use std::time::{Duration, Instant};

use zeroxide::face;

use crate::boundary::{Errno, call};
use crate::poll::{POLLIN, POLLOUT, POLLPRI, held, limit, poll, slice, zmq_pollitem_t};

/// As `zmq_poll`, with another set of blocked signals while it sleeps: none is missed between the change and the
/// sleep. NULL changes nothing.
///
/// # Safety
/// As `zmq_poll`; `sigmask` is NULL or points to a set of signals.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_ppoll(
    items: *mut zmq_pollitem_t,
    nitems: c_int,
    timeout: c_long,
    sigmask: *const c_void,
) -> c_int {
    call(-1, || {
        // SAFETY: the caller's promise.
        let (items, mask) = unsafe { (slice(items, nitems)?, sigmask.cast::<libc::sigset_t>().as_ref()) };
        ppoll(items, limit(timeout), mask)
    })
}

/// Polls and fills in what is ready; returns how many items are.
fn ppoll(
    items: &mut [zmq_pollitem_t],
    limit: Option<Duration>,
    mask: Option<&libc::sigset_t>,
) -> Result<c_int, Errno> {
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    let socks = held(items)?;
    let mut bell = face::Bell::new()?;
    let mut fds = vec![libc::pollfd { fd: bell.descriptor(), events: libc::POLLIN, revents: 0 }];
    fds.extend(items.iter().filter(|item| item.socket.is_null() && item.events != 0).map(pollfd));
    loop {
        bell.arm(socks.iter().flatten().map(|sock| &sock.socket));
        let count = poll(items, Some(Duration::ZERO))?;
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if count > 0 || left == Some(Duration::ZERO) {
            // A signal that came before what was found is told first, and not put off for as long as there is work.
            sleep(&mut [], Some(Duration::ZERO), mask)?;
            return Ok(count);
        }
        sleep(&mut fds, left, mask)?;
    }
}

fn pollfd(item: &zmq_pollitem_t) -> libc::pollfd {
    let bits = [(POLLIN, libc::POLLIN), (POLLOUT, libc::POLLOUT), (POLLPRI, libc::POLLPRI)];
    let events =
        bits.into_iter().filter(|(bit, _)| item.events & bit != 0).fold(0, |sum, (_, event)| sum | event);
    libc::pollfd { fd: item.fd, events, revents: 0 }
}

fn sleep(
    fds: &mut [libc::pollfd],
    limit: Option<Duration>,
    mask: Option<&libc::sigset_t>,
) -> Result<(), Errno> {
    // Both fit where the fields have 32 bits; who waits for more than 68 years sleeps again.
    let time = limit.map(|limit| libc::timespec {
        tv_sec: limit.as_secs().min(i32::MAX as u64) as _,
        tv_nsec: limit.subsec_nanos() as _,
    });
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let mask = mask.map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: all three point to what lives in this call or longer, or are NULL where that means none.
    match unsafe { libc::ppoll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, time, mask) } {
        -1 => Err(Errno(errno::errno().0)),
        _ => Ok(()),
    }
}
