//! Proxies.

use std::ffi::{c_int, c_void};

use zeroxide::{Proxy, face};

use crate::boundary::{Errno, call};
use crate::sock::Sock;

/// Forwards messages between two sockets until one is closed or its context is terminated. Fails with `EFAULT` for NULL, `ETERM`,
/// `EINTR`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_proxy(frontend: *mut c_void, backend: *mut c_void, capture: *mut c_void) -> c_int {
    zmq_proxy_steerable(frontend, backend, capture, std::ptr::null_mut())
}

/// Does the same as `zmq_proxy`, with a control socket that receives commands. Returns 0 after `TERMINATE`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_proxy_steerable(
    frontend: *mut c_void,
    backend: *mut c_void,
    capture: *mut c_void,
    control: *mut c_void,
) -> c_int {
    call(-1, || {
        if frontend.is_null() || backend.is_null() {
            return Err(Errno(libc::EFAULT));
        }
        let mut proxy = Proxy::new(&Sock::of(frontend)?.socket, &Sock::of(backend)?.socket);
        if !capture.is_null() {
            proxy = proxy.capture(&Sock::of(capture)?.socket);
        }
        if !control.is_null() {
            proxy = proxy.control(&Sock::of(control)?.socket);
        }
        face::run_proxy(proxy)?;
        Ok(0)
    })
}

/// Does the same as `zmq_proxy`, without a capture socket. The type is ignored.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_device(_kind: c_int, frontend: *mut c_void, backend: *mut c_void) -> c_int {
    zmq_proxy(frontend, backend, std::ptr::null_mut())
}
