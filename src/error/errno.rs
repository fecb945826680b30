//! The `errno` numbers: the system's where it has one, libzmq's own for the rest (`zmq.h`).

use std::io;

/// libzmq's own numbers start here (`ZMQ_HAUSNUMERO`).
const HAUSNUMERO: i32 = 156_384_712;
/// Not this socket's turn.
pub(super) const EFSM: i32 = HAUSNUMERO + 51;
/// The context is terminated.
pub(super) const ETERM: i32 = HAUSNUMERO + 53;
/// No I/O thread.
pub(super) const EMTHREAD: i32 = HAUSNUMERO + 54;

/// Returns the system's number: Linux, the BSDs and macOS, Windows (`errno.h` of its C library, not Winsock's numbers).
const fn system(linux: i32, bsd: i32, windows: i32) -> i32 {
    if cfg!(windows) {
        windows
    } else if cfg!(any(target_os = "linux", target_os = "android")) {
        linux
    } else {
        bsd
    }
}

pub(super) const ENOENT: i32 = 2;
pub(super) const EINTR: i32 = 4;
const EIO: i32 = 5;
pub(super) const ENOMEM: i32 = 12;
pub(super) const EACCES: i32 = 13;
pub(super) const ENODEV: i32 = 19;
pub(super) const EINVAL: i32 = 22;
pub(super) const EMFILE: i32 = 24;
pub(super) const EPIPE: i32 = 32;
pub(super) const EAGAIN: i32 = system(11, 35, 11);
pub(super) const ENAMETOOLONG: i32 = system(36, 63, 38);
pub(super) const EPROTO: i32 = system(71, if cfg!(target_vendor = "apple") { 100 } else { 92 }, 134);
pub(super) const ENOTSOCK: i32 = system(88, 38, 128);
pub(super) const EPROTONOSUPPORT: i32 = system(93, 43, 135);
pub(super) const ENOTSUP: i32 = system(95, 45, 129);
pub(super) const EADDRINUSE: i32 = system(98, 48, 100);
pub(super) const EADDRNOTAVAIL: i32 = system(99, 49, 101);
pub(super) const ENETUNREACH: i32 = system(101, 51, 118);
pub(super) const ECONNABORTED: i32 = system(103, 53, 106);
pub(super) const ECONNRESET: i32 = system(104, 54, 108);
pub(super) const ENOTCONN: i32 = system(107, 57, 126);
pub(super) const ETIMEDOUT: i32 = system(110, 60, 138);
pub(super) const ECONNREFUSED: i32 = system(111, 61, 107);
pub(super) const EHOSTUNREACH: i32 = system(113, 65, 110);

/// Returns the system's number of an I/O error. Winsock's own numbers are not those of `errno.h`.
pub(super) fn of_io(error: &io::Error) -> i32 {
    match error.raw_os_error() {
        Some(number) if !cfg!(windows) => number,
        _ => of_kind(error.kind()),
    }
}

fn of_kind(kind: io::ErrorKind) -> i32 {
    match kind {
        io::ErrorKind::NotFound => ENOENT,
        io::ErrorKind::PermissionDenied => EACCES,
        io::ErrorKind::AddrInUse | io::ErrorKind::AlreadyExists => EADDRINUSE,
        io::ErrorKind::AddrNotAvailable => EADDRNOTAVAIL,
        io::ErrorKind::ConnectionRefused => ECONNREFUSED,
        io::ErrorKind::ConnectionReset => ECONNRESET,
        io::ErrorKind::ConnectionAborted => ECONNABORTED,
        io::ErrorKind::NotConnected => ENOTCONN,
        io::ErrorKind::HostUnreachable => EHOSTUNREACH,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => ENETUNREACH,
        io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => EPIPE,
        io::ErrorKind::TimedOut => ETIMEDOUT,
        io::ErrorKind::WouldBlock => EAGAIN,
        io::ErrorKind::Interrupted => EINTR,
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => EINVAL,
        io::ErrorKind::OutOfMemory => ENOMEM,
        io::ErrorKind::Unsupported => EPROTONOSUPPORT,
        _ => EIO,
    }
}
