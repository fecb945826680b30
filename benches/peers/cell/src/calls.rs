//! System calls that move bytes or wait for them, counted in the process.
//!
//! The functions of the C library of these names are replaced by ones that count and then make the same call. What makes system
//! calls without the C library (io_uring, rustix) is not counted, nor are locks (futex). It works without privileges, unlike
//! the kernel's tracepoints, and costs a few nanoseconds a call, unlike ptrace.

/// The calls so far; `None` where they are not counted.
pub(crate) fn count() -> Option<u64> {
    #[cfg(all(target_os = "linux", target_arch = "x86_64", not(sanitized)))]
    return Some(counted::COUNT.load(std::sync::atomic::Ordering::Relaxed));
    #[cfg(not(all(target_os = "linux", target_arch = "x86_64", not(sanitized))))]
    return None;
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", not(sanitized)))]
mod counted {
    use std::ffi::{c_int, c_void};
    use std::sync::atomic::{AtomicU64, Ordering};

    use libc::{epoll_event, iovec, msghdr, nfds_t, pollfd, sockaddr, socklen_t};

    pub(super) static COUNT: AtomicU64 = AtomicU64::new(0);

    /// A function of the C library that counts and makes its system call.
    macro_rules! counted {
        ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty = $number:ident $(, $more:expr)*;)*) => {$(
            // SAFETY: name, arguments and result are those of the C library's function, which does the same system call.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name($($arg: $type),*) -> $result {
                COUNT.fetch_add(1, Ordering::Relaxed);
                // SAFETY: the caller's promise is passed on.
                unsafe { libc::syscall(libc::$number, $($arg),* $(, $more)*) as $result }
            }
        )*};
    }

    counted! {
        read(fd: c_int, to: *mut c_void, length: usize) -> isize = SYS_read;
        write(fd: c_int, from: *const c_void, length: usize) -> isize = SYS_write;
        readv(fd: c_int, to: *const iovec, count: c_int) -> isize = SYS_readv;
        writev(fd: c_int, from: *const iovec, count: c_int) -> isize = SYS_writev;
        recvmsg(fd: c_int, to: *mut msghdr, flags: c_int) -> isize = SYS_recvmsg;
        sendmsg(fd: c_int, from: *const msghdr, flags: c_int) -> isize = SYS_sendmsg;
        recvfrom(fd: c_int, to: *mut c_void, length: usize, flags: c_int, peer: *mut sockaddr, size: *mut socklen_t)
            -> isize = SYS_recvfrom;
        sendto(fd: c_int, from: *const c_void, length: usize, flags: c_int, peer: *const sockaddr, size: socklen_t)
            -> isize = SYS_sendto;
        recv(fd: c_int, to: *mut c_void, length: usize, flags: c_int) -> isize = SYS_recvfrom, 0, 0;
        send(fd: c_int, from: *const c_void, length: usize, flags: c_int) -> isize = SYS_sendto, 0, 0;
        epoll_wait(fd: c_int, events: *mut epoll_event, count: c_int, limit: c_int) -> c_int = SYS_epoll_wait;
        poll(fds: *mut pollfd, count: nfds_t, limit: c_int) -> c_int = SYS_poll;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    #[test]
    #[cfg_attr(
        not(all(target_os = "linux", target_arch = "x86_64", not(sanitized))),
        ignore = "not counted here"
    )]
    fn each_read_and_each_write_counts_once() {
        let (mut one, mut other) = UnixStream::pair().unwrap();
        let before = super::count().unwrap();
        for _ in 0..100 {
            one.write_all(b"to").unwrap();
            other.read_exact(&mut [0; 2]).unwrap();
        }
        // The test harness may print meanwhile.
        let made = super::count().unwrap() - before;
        assert!((200..250).contains(&made), "{made} calls");
    }
}
