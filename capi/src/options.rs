//! `zmq_setsockopt` and `zmq_getsockopt`: bytes to and from [`zeroxide::face`].

use std::ffi::{c_int, c_void};
use std::sync::atomic::Ordering;

use zeroxide::face::{self, Raw};

use crate::boundary::{Errno, bytes, call};
use crate::option_value::give;
use crate::sock::Sock;

/// A descriptor that listens, for the next bind: the application's, so it is kept here.
const USE_FD: c_int = 89;

/// Texts that NULL takes back, and for which an empty text is not one (libzmq options.cpp): TCP_ACCEPT_FILTER,
/// PLAIN_USERNAME, PLAIN_PASSWORD, SOCKS_PROXY.
const NOT_EMPTY: [c_int; 4] = [38, 45, 46, 68];

/// Sets an option. `EINVAL` for whatever is wrong with it, `ENOTSOCK`, `ETERM`.
///
/// # Safety
/// `optval` is NULL or points to `optvallen` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_setsockopt(
    socket: *mut c_void,
    option: c_int,
    optval: *const c_void,
    optvallen: usize,
) -> c_int {
    call(-1, || {
        let sock = Sock::of(socket)?;
        // SAFETY: the caller's promise.
        let value = unsafe { bytes(optval.cast(), optvallen) }.map_err(|_| Errno(libc::EINVAL))?;
        if value.is_empty() && !optval.is_null() && NOT_EMPTY.contains(&option) {
            return Err(Errno(libc::EINVAL));
        }
        if option == USE_FD {
            let fd = <[u8; 4]>::try_from(value).map(c_int::from_ne_bytes).unwrap_or(c_int::MIN);
            if fd < -1 {
                return Err(Errno(libc::EINVAL));
            }
            face::alive(&sock.socket)?;
            sock.use_fd.store(fd, Ordering::SeqCst);
            return Ok(0);
        }
        match sock.kept.set(option, value) {
            Some(true) => face::alive(&sock.socket)?,
            Some(false) => return Err(Errno(libc::EINVAL)),
            None => face::set_raw(&sock.socket, option, value)?,
        }
        Ok(0)
    })
}

/// The value of an option. `EINVAL` for whatever is wrong with it, `ENOTSOCK`, `ETERM`.
///
/// # Safety
/// `optval` points to `*optvallen` writable bytes, `optvallen` to a `size_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_getsockopt(
    socket: *mut c_void,
    option: c_int,
    optval: *mut c_void,
    optvallen: *mut usize,
) -> c_int {
    call(-1, || {
        let sock = Sock::of(socket)?;
        let value = match option {
            USE_FD => face::alive(&sock.socket).map(|()| Raw::Int(sock.use_fd.load(Ordering::SeqCst)))?,
            _ => match sock.kept.get(option) {
                Some(value) => face::alive(&sock.socket).map(|()| Raw::Int(value))?,
                None => face::get_raw(&sock.socket, option)?,
            },
        };
        // SAFETY: the caller's promise.
        unsafe { give(&value, takes_more_room(option), optval, optvallen) }
    })
}

/// Whether an `int` option takes a buffer of more than four bytes: RCVMORE, FD, EVENTS, THREAD_SAFE, TOPICS_COUNT
/// (libzmq socket_base.cpp, where the others want exactly four).
fn takes_more_room(option: c_int) -> bool {
    matches!(option, 13 | 14 | 15 | 81 | 116)
}
