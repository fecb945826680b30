//! `zmq_socket_monitor`: the events of a socket as messages of another socket. `pump` sends them.

use std::ffi::{c_char, c_int, c_void};

use zeroxide::{SocketType, face};

use crate::boundary::{Errno, SignalsBlocked, call, text};
use crate::pump::{ALL_V1, Pump};
use crate::sock::Sock;

/// Sends the events of a socket as messages of a PAIR that is bound to `addr`; NULL ends that. Fails with `EINVAL`, `EPROTONOSUPPORT`,
/// `EADDRINUSE`, `ETERM`.
///
/// # Safety
/// `addr` is NULL or a string that ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_socket_monitor(
    socket: *mut c_void,
    addr: *const c_char,
    events: c_int,
) -> c_int {
    let events = u64::from(events as u32);
    // SAFETY: the caller's promise.
    unsafe { zmq_socket_monitor_versioned(socket, addr, events, 1, SocketType::Pair as c_int) }
}

/// Does the same as `zmq_socket_monitor`, with the version of the messages (1 or 2) and the type of the socket (PAIR, PUB, PUSH).
///
/// # Safety
/// `addr` is NULL or a string that ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_socket_monitor_versioned(
    socket: *mut c_void,
    addr: *const c_char,
    events: u64,
    event_version: c_int,
    kind: c_int,
) -> c_int {
    call(-1, || {
        let sock = Sock::of(socket)?;
        face::alive(&sock.socket)?;
        if !(1..=2).contains(&event_version) || (event_version == 1 && events & !ALL_V1 != 0) {
            return Err(Errno(libc::EINVAL));
        }
        let mut pump = sock.monitor();
        if addr.is_null() {
            pump.take().into_iter().for_each(Pump::stop);
            return Ok(0);
        }
        // SAFETY: the caller's promise.
        let address = unsafe { text(addr) }?;
        match address.split_once("://") {
            Some(("inproc", _)) => {}
            Some(_) => return Err(Errno(libc::EPROTONOSUPPORT)),
            None => return Err(Errno(libc::EINVAL)),
        }
        let kind = SocketType::from_number(kind).filter(|kind| may_tell(*kind)).ok_or(Errno(libc::EINVAL))?;
        let _blocked = SignalsBlocked::new();
        // Only one at a time: the one before ends first, so that its address is free.
        pump.take().into_iter().for_each(Pump::stop);
        *pump = Some(Pump::start(&sock.socket, address, events, event_version, kind)?);
        Ok(0)
    })
}

fn may_tell(kind: SocketType) -> bool {
    matches!(kind, SocketType::Pair | SocketType::Pub | SocketType::Push)
}
