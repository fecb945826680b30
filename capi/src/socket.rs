//! Creating and closing sockets, and their endpoints.

use std::borrow::Cow;
use std::ffi::{c_char, c_int, c_void};
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::time::Duration;

use zeroxide::{Error, Options, SocketType, face, opt};

use crate::boundary::{Errno, SignalsBlocked, call, text};
use crate::ctx::Ctx;
use crate::sock::{SOCKETS, Sock};

/// Creates a socket. Fails with `EINVAL` for a type that does not exist, `EFAULT`, `EMFILE`, `ETERM`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_socket(context: *mut c_void, kind: c_int) -> *mut c_void {
    call(std::ptr::null_mut(), || {
        let ctx = Ctx::of(context)?;
        ctx.alive()?;
        let kind = SocketType::from_number(kind).ok_or(Errno(libc::EINVAL))?;
        let (ipv6, blocky) = ctx.socket_defaults();
        let mut options = Options::with_libzmq_defaults().set(opt::IPV6, ipv6);
        if !blocky {
            options = options.set(opt::LINGER, Some(Duration::ZERO));
        }
        let socket = ctx.context()?.socket_with(kind, &options)?;
        face::count_credit_in_lots(&socket);
        let handle = SOCKETS.insert(Sock::new(socket));
        if handle.is_null() { Err(Errno(libc::EMFILE)) } else { Ok(handle) }
    })
}

/// Closes a socket. Unsent messages linger in the background. In a fork child only the handle of a socket of the parent is freed.
/// Fails with `ENOTSOCK`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_close(socket: *mut c_void) -> c_int {
    call(-1, || {
        let sock = SOCKETS.retire(socket).ok_or(Errno(libc::ENOTSOCK))?;
        if !sock.is_inherited() {
            face::close(&sock.socket);
        }
        Ok(0)
    })
}

/// Binds an endpoint.
///
/// # Safety
/// `addr` is NULL or a string that ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_bind(socket: *mut c_void, addr: *const c_char) -> c_int {
    let adopted = Sock::of(socket).map_or(-1, |sock| sock.use_fd.swap(-1, Ordering::SeqCst));
    // SAFETY: the caller's promise.
    unsafe {
        on_endpoint(socket, addr, |sock, endpoint| {
            if adopted < 0 {
                sock.socket.bind(endpoint)?;
                return Ok(());
            }
            // SAFETY: with ZMQ_USE_FD the application has given up the descriptor, and it is taken only once.
            Ok(face::bind_adopted(&sock.socket, endpoint, OwnedFd::from_raw_fd(adopted))?)
        })
    }
}

/// Connects to an endpoint, in the background.
///
/// # Safety
/// `addr` is NULL or a string that ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_connect(socket: *mut c_void, addr: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        on_endpoint(socket, addr, |sock, endpoint| {
            sock.socket.connect(endpoint)?;
            Ok(())
        })
    }
}

/// Ends an endpoint, bound or connecting. Fails with `ENOENT`, `EINVAL`, `EPROTONOSUPPORT`.
///
/// # Safety
/// `addr` is NULL or a string that ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_unbind(socket: *mut c_void, addr: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { on_endpoint(socket, addr, end) }
}

/// Ends an endpoint, bound or connecting. Fails with `ENOENT`, `EINVAL`, `EPROTONOSUPPORT`.
///
/// # Safety
/// `addr` is NULL or a string that ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_disconnect(socket: *mut c_void, addr: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { on_endpoint(socket, addr, end) }
}

/// Ends an endpoint. If there is none, an invalid text has its own error, as in libzmq (socket_base.cpp, parse_uri).
fn end(sock: &Sock, endpoint: &str) -> Result<(), Errno> {
    match face::end_endpoint(&sock.socket, endpoint) {
        Err(Error::NoSuchEndpoint(_)) => Err(Errno(match endpoint.split_once("://") {
            None | Some(("", _) | (_, "")) => libc::EINVAL,
            Some(("tcp" | "ipc" | "inproc", _)) => libc::ENOENT,
            Some(_) => libc::EPROTONOSUPPORT,
        })),
        ended => Ok(ended?),
    }
}

/// # Safety
/// `addr` is NULL or a string that ends with NUL.
unsafe fn on_endpoint(
    socket: *mut c_void,
    addr: *const c_char,
    act: impl FnOnce(&Sock, &str) -> Result<(), Errno>,
) -> c_int {
    call(-1, || {
        let sock = Sock::of(socket)?;
        face::alive(&sock.socket)?;
        // SAFETY: the caller's promise.
        let endpoint = unsafe { text(addr) }?;
        let _blocked = SignalsBlocked::new();
        act(&sock, &bracketed(endpoint))?;
        Ok(0)
    })
}

/// Adds brackets to an IPv6 address: in libzmq the host is everything before the last colon, so `tcp://::1:5555` needs no brackets
/// (ip_resolver.cpp). The Rust API requires them.
pub(crate) fn bracketed(endpoint: &str) -> Cow<'_, str> {
    let Some(address) = endpoint.strip_prefix("tcp://") else { return endpoint.into() };
    let target = address.rfind(';').map_or(0, |semicolon| semicolon + 1);
    let (source, target) = address.split_at(target);
    match target.rsplit_once(':') {
        Some((host, port)) if is_ipv6(host) => format!("tcp://{source}[{host}]:{port}").into(),
        _ => endpoint.into(),
    }
}

fn is_ipv6(host: &str) -> bool {
    let address = host.split_once('%').map_or(host, |(address, _)| address);
    address.parse::<std::net::Ipv6Addr>().is_ok()
}

/// Returns what a ROUTER could send to the peer with this routing id without waiting: `ZMQ_POLLOUT` or 0. Fails with `EHOSTUNREACH`,
/// `ENOTSUP` on other types.
///
/// # Safety
/// `routing_id` points to `routing_id_size` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_socket_get_peer_state(
    socket: *mut c_void,
    routing_id: *const c_void,
    routing_id_size: usize,
) -> c_int {
    call(-1, || {
        let sock = Sock::of(socket)?;
        // SAFETY: the caller's promise.
        let id = unsafe { crate::boundary::bytes(routing_id.cast(), routing_id_size) }?;
        Ok(crate::poll::events(face::peer_state(&sock.socket, id)?).into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_needs_no_brackets_in_c() {
        for (text, meant) in [
            ("tcp://::1:5555", "tcp://[::1]:5555"),
            ("tcp://fe80::1%eth0:5555", "tcp://[fe80::1%eth0]:5555"),
            ("tcp://[::2]:0;::1:5555", "tcp://[::2]:0;[::1]:5555"),
            ("tcp://[::1]:5555", "tcp://[::1]:5555"),
            ("tcp://127.0.0.1:5555", "tcp://127.0.0.1:5555"),
            ("tcp://::1", "tcp://::1"),
            ("tcp://", "tcp://"),
            ("inproc://::1:5555", "inproc://::1:5555"),
        ] {
            assert_eq!(bracketed(text), meant);
        }
    }

    #[test]
    fn one_disconnect_ends_all_connects_to_an_endpoint() {
        let context = crate::zmq_ctx_new();
        let (bound, dialling) = (zmq_socket(context, 7), zmq_socket(context, 8));
        let endpoint = c"inproc://twice".as_ptr();
        // SAFETY: the endpoint is a string.
        unsafe {
            assert_eq!(zmq_bind(bound, endpoint), 0);
            assert_eq!((zmq_connect(dialling, endpoint), zmq_connect(dialling, endpoint)), (0, 0));
            assert_eq!(zmq_disconnect(dialling, endpoint), 0);
            assert_eq!((zmq_disconnect(dialling, endpoint), crate::zmq_errno()), (-1, libc::ENOENT));
        }
        assert_eq!((zmq_close(dialling), zmq_close(bound)), (0, 0));
        assert_eq!(crate::zmq_ctx_term(context), 0);
    }
}
