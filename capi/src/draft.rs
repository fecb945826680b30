//! The draft functions that are not in `poll`, `poller` or `msg`: groups, peers by number, statistics of pipes.

use std::ffi::{CStr, c_char, c_int, c_void};

use zeroxide::{Socket, SocketType, face, opt};

use crate::boundary::{Errno, SignalsBlocked, call, text};
use crate::pump::Pump;
use crate::sock::Sock;
use crate::socket::bracketed;

/// Joins a group on a DISH. Fails with `EINVAL` for a name of more than 255 bytes and for a group joined before; `ENOTSUP` on
/// other types.
///
/// # Safety
/// `group` is NULL or a string that ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_join(socket: *mut c_void, group: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { with_group(socket, group, |socket, group| socket.join(group)) }
}

/// Leaves a group on a DISH. Fails with `EINVAL` for one that was not joined; `ENOTSUP` on other types.
///
/// # Safety
/// As [`zmq_join`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_leave(socket: *mut c_void, group: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { with_group(socket, group, |socket, group| socket.leave(group)) }
}

/// # Safety
/// As [`zmq_join`].
unsafe fn with_group(
    socket: *mut c_void,
    group: *const c_char,
    act: impl FnOnce(&Socket, &[u8]) -> zeroxide::Result<()>,
) -> c_int {
    call(-1, || {
        let sock = Sock::of(socket)?;
        if group.is_null() {
            return Err(Errno(libc::EINVAL));
        }
        // SAFETY: the caller's promise.
        act(&sock.socket, unsafe { CStr::from_ptr(group) }.to_bytes())?;
        Ok(0)
    })
}

/// Connects a PEER. Returns the number of that peer, or 0. Fails with `ENOTSUP` on other types, `EFAULT` with IMMEDIATE.
///
/// # Safety
/// `addr` is NULL or a string that ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_connect_peer(socket: *mut c_void, addr: *const c_char) -> u32 {
    call(0, || {
        let sock = Sock::of(socket)?;
        // SAFETY: the caller's promise.
        let endpoint = unsafe { text(addr) }?;
        if sock.socket.socket_type() != SocketType::Peer {
            return Err(Errno(libc::ENOTSUP));
        }
        if sock.socket.get(opt::IMMEDIATE)? {
            return Err(Errno(libc::EFAULT));
        }
        let _blocked = SignalsBlocked::new();
        Ok(face::connect_peer(&sock.socket, &bracketed(endpoint))?)
    })
}

/// Ends the connection of a peer of a SERVER or PEER. Fails with `EHOSTUNREACH` if there is none, `ENOTSUP` on other types.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_disconnect_peer(socket: *mut c_void, routing_id: u32) -> c_int {
    call(-1, || {
        Sock::of(socket)?.socket.disconnect_peer(routing_id)?;
        Ok(0)
    })
}

/// Sends the monitor one event for each pipe with the number of queued messages. Fails with `EINVAL` if no monitor takes such events,
/// `EAGAIN` if there is no pipe.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_socket_monitor_pipes_stats(socket: *mut c_void) -> c_int {
    call(-1, || {
        let sock = Sock::of(socket)?;
        if !sock.monitor().as_ref().is_some_and(Pump::tells_pipes) {
            return Err(Errno(libc::EINVAL));
        }
        match face::tell_pipes(&sock.socket)? {
            0 => Err(Errno(libc::EAGAIN)),
            _ => Ok(0),
        }
    })
}
