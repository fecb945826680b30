//! Draft functions of 4.3.5 whose feature does not exist here yet: they say so with `ENOTSUP`, as `zmq_has("draft")`
//! does with 0.

use std::ffi::{c_char, c_int, c_long, c_void};

use zeroxide::{SocketType, face, opt};

use crate::boundary::{Errno, SignalsBlocked, call, text};
use crate::monitor::Pump;
use crate::poll::zmq_pollitem_t;
use crate::socket::Sock;

fn not_yet(socket: *mut c_void) -> c_int {
    call(-1, || {
        Sock::of(socket)?;
        Err(Errno(libc::ENOTSUP))
    })
}

/// There is no DISH yet: `ENOTSUP`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_join(socket: *mut c_void, _group: *const c_char) -> c_int {
    not_yet(socket)
}

/// There is no DISH yet: `ENOTSUP`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_leave(socket: *mut c_void, _group: *const c_char) -> c_int {
    not_yet(socket)
}

/// Connects a PEER; answers the number of that peer, or 0. `ENOTSUP` on other types, `EFAULT` with IMMEDIATE.
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
        Ok(face::connect_peer(&sock.socket, endpoint)?)
    })
}

/// Ends the connection of a peer of a SERVER or PEER. `EHOSTUNREACH` when there is none, `ENOTSUP` on other types.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_disconnect_peer(socket: *mut c_void, routing_id: u32) -> c_int {
    call(-1, || {
        Sock::of(socket)?.socket.disconnect_peer(routing_id)?;
        Ok(0)
    })
}

/// Not there yet: `ENOTSUP`; `EINVAL` when no monitor would be told.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_socket_monitor_pipes_stats(socket: *mut c_void) -> c_int {
    call(-1, || {
        let told = Sock::of(socket)?.monitor().as_ref().is_some_and(Pump::tells_pipes);
        Err(Errno(if told { libc::ENOTSUP } else { libc::EINVAL }))
    })
}

/// Not there yet: `ENOTSUP`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_ppoll(
    _items: *mut zmq_pollitem_t,
    _nitems: c_int,
    _timeout: c_long,
    _sigmask: *const c_void,
) -> c_int {
    call(-1, || Err(Errno(libc::ENOTSUP)))
}
