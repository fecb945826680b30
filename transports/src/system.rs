//! What tcp and local sockets have in common: descriptors, buffers, and the meaning of some system errors.

use std::io;
#[cfg(not(unix))]
use std::io::ErrorKind;

use socket2::SockRef;

use crate::options::SocketOptions;

/// Returns a socket's descriptor or handle as a number.
#[cfg(unix)]
pub(crate) fn raw(socket: &impl std::os::fd::AsRawFd) -> i64 {
    socket.as_raw_fd().into()
}

/// Returns a socket's descriptor or handle as a number.
#[cfg(windows)]
pub(crate) fn raw(socket: &impl std::os::windows::io::AsRawSocket) -> i64 {
    i64::try_from(socket.as_raw_socket()).unwrap_or(-1)
}

/// Returns whether a non-blocking connect was started and is not complete.
#[cfg(unix)]
pub(crate) fn in_progress(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
}

#[cfg(not(unix))]
pub(crate) fn in_progress(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock
}

#[cfg(unix)]
pub(crate) fn is_family_unsupported(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

#[cfg(not(unix))]
pub(crate) fn is_family_unsupported(error: &io::Error) -> bool {
    const WSAEAFNOSUPPORT: i32 = 10047;
    error.raw_os_error() == Some(WSAEAFNOSUPPORT)
}

/// Sets the sizes of the kernel's buffers (SNDBUF, RCVBUF).
pub(crate) fn apply_buffers(socket: &SockRef<'_>, options: &SocketOptions) -> io::Result<()> {
    if let Some(size) = options.sndbuf {
        socket.set_send_buffer_size(size as usize)?;
    }
    if let Some(size) = options.rcvbuf {
        socket.set_recv_buffer_size(size as usize)?;
    }
    Ok(())
}
