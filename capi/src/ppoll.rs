//! `zmq_ppoll` sleeps in ppoll(2), the only call that changes the signal mask and sleeps in one step. A signal that is
//! already pending ends the sleep.

use std::ffi::{c_int, c_long, c_void};
use std::time::{Duration, Instant};

use zeroxide::face;

use crate::boundary::{Errno, call};
use crate::poll::{POLLIN, POLLOUT, POLLPRI, held, limit, poll, slice, zmq_pollitem_t};

/// Like `zmq_poll`, but sleeps with `sigmask` as the signal mask. No signal is lost while the mask changes. If `sigmask` is
/// NULL, the mask stays.
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
    let mut poller_fd = face::PollerFd::new()?;
    let mut fds = vec![libc::pollfd { fd: poller_fd.descriptor(), events: libc::POLLIN, revents: 0 }];
    fds.extend(items.iter().filter(|item| item.socket.is_null() && item.events != 0).map(pollfd));
    loop {
        poller_fd.arm(socks.iter().flatten().map(|sock| &sock.socket));
        let count = poll(items, Some(Duration::ZERO))?;
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if count > 0 || left == Some(Duration::ZERO) {
            // A pending signal is reported before the ready items: a busy socket could delay it for ever.
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
    // Both values fit in fields of 32 bits. A wait of more than 68 years is slept in parts.
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
