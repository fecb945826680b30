//! Draft functions of 4.3.5 whose feature does not exist here yet: they say so with `ENOTSUP`, as `zmq_has("draft")`
//! does with 0.

use std::ffi::{c_char, c_int, c_long, c_void};

use crate::boundary::{Errno, call};
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

/// There is no PEER yet: 0 and `ENOTSUP`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_connect_peer(socket: *mut c_void, _addr: *const c_char) -> u32 {
    not_yet(socket);
    0
}

/// There is neither SERVER nor PEER yet: `ENOTSUP`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_disconnect_peer(socket: *mut c_void, _routing_id: u32) -> c_int {
    not_yet(socket)
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
