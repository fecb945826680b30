//! Sending and receiving, part by part.

use std::ffi::{c_int, c_void};

use zeroxide::face::{self, Wait};
use zeroxide::{Frame, Message};

use crate::boundary::{Errno, bytes, call};
use crate::msg::{constant, zmq_msg_t};
use crate::sock::Sock;

const DONTWAIT: c_int = 1;
const SNDMORE: c_int = 2;
/// The functions return this number for a length that does not fit in an `int`.
const LONGEST: usize = c_int::MAX as usize;

/// A buffer of `zmq_sendiov` and `zmq_recviov`: the system's `struct iovec`.
#[repr(C)]
#[allow(missing_docs)] // C's own names
pub struct Iovec {
    pub iov_base: *mut c_void,
    pub iov_len: usize,
}

fn wait(flags: c_int) -> Wait {
    if flags & DONTWAIT != 0 { Wait::No } else { Wait::AsSet }
}

fn length(len: usize) -> c_int {
    len.min(LONGEST) as c_int
}

/// Sends a copy of `len` bytes. Returns their number.
///
/// # Safety
/// `buf` points to `len` readable bytes, or `len` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_send(
    socket: *mut c_void,
    buf: *const c_void,
    len: usize,
    flags: c_int,
) -> c_int {
    call(-1, || {
        let sock = Sock::of(socket)?;
        // SAFETY: the caller's promise.
        let frame = Frame::copy_from(unsafe { bytes(buf.cast(), len) }?);
        send(&sock, frame, flags)?;
        Ok(length(len))
    })
}

/// Sends `len` bytes that never change, without a copy. Returns their number.
///
/// # Safety
/// `buf` points to `len` readable bytes that are never freed or changed, or `len` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_send_const(
    socket: *mut c_void,
    buf: *const c_void,
    len: usize,
    flags: c_int,
) -> c_int {
    call(-1, || {
        let sock = Sock::of(socket)?;
        // SAFETY: the caller's promise.
        let frame = Frame::from(unsafe { constant(buf, len) }?);
        send(&sock, frame, flags)?;
        Ok(length(len))
    })
}

fn send(sock: &Sock, frame: Frame, flags: c_int) -> Result<(), Errno> {
    let mut part = Some(Message::from(frame));
    Ok(face::send_part(&sock.socket, &mut part, flags & SNDMORE != 0, wait(flags))?)
}

/// Returns the bytes of a part.
fn body(part: &Message) -> &[u8] {
    part.first().map_or(&[], |frame| frame)
}

/// Receives one part into a buffer of `len` bytes. Returns the length of the part. If that is larger than `len`, the
/// rest of the part is lost.
///
/// # Safety
/// `buf` points to `len` writable bytes, or `len` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_recv(socket: *mut c_void, buf: *mut c_void, len: usize, flags: c_int) -> c_int {
    call(-1, || {
        let sock = Sock::of(socket)?;
        let mut part = Message::new();
        face::recv_part(&sock.socket, &mut part, wait(flags))?;
        let body = body(&part);
        let copied = body.len().min(len);
        if copied > 0 && !buf.is_null() {
            // SAFETY: the caller's promise.
            unsafe { buf.cast::<u8>().copy_from_nonoverlapping(body.as_ptr(), copied) };
        }
        Ok(length(body.len()))
    })
}

/// Sends a message, which is empty after that. Returns its length. On failure the message does not change.
///
/// # Safety
/// `msg` is NULL or points to 64 readable and writable bytes that no other thread uses during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_send(msg: *mut zmq_msg_t, socket: *mut c_void, flags: c_int) -> c_int {
    call(-1, || {
        let sock = Sock::of(socket)?;
        // SAFETY: the caller's promise.
        let message = unsafe { zmq_msg_t::of(msg) }?;
        let len = message.len();
        let mut part = Some(message.take_part());
        match face::send_part(&sock.socket, &mut part, flags & SNDMORE != 0, wait(flags)) {
            Ok(()) => {
                message.clear();
                Ok(length(len))
            }
            Err(error) => {
                message.put_back(part);
                Err(error.into())
            }
        }
    })
}

/// Receives one part into a message, whose old content is freed. Returns its length.
///
/// # Safety
/// `msg` is NULL or points to 64 readable and writable bytes that no other thread uses during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_recv(msg: *mut zmq_msg_t, socket: *mut c_void, flags: c_int) -> c_int {
    call(-1, || {
        let sock = Sock::of(socket)?;
        // SAFETY: the caller's promise.
        let message = unsafe { zmq_msg_t::of(msg) }?;
        message.clear_for_more();
        let mut part = Message::new();
        match face::recv_part(&sock.socket, &mut part, wait(flags)) {
            Ok(more) => {
                message.receive(part, more);
                Ok(length(message.len()))
            }
            Err(error) => {
                message.clear();
                Err(error.into())
            }
        }
    })
}

/// Does the same as `zmq_msg_send`, with the arguments in another order.
///
/// # Safety
/// As [`zmq_msg_send`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_sendmsg(socket: *mut c_void, msg: *mut zmq_msg_t, flags: c_int) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { zmq_msg_send(msg, socket, flags) }
}

/// Does the same as `zmq_msg_recv`, with the arguments in another order.
///
/// # Safety
/// As [`zmq_msg_recv`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_recvmsg(socket: *mut c_void, msg: *mut zmq_msg_t, flags: c_int) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { zmq_msg_recv(msg, socket, flags) }
}

/// Sends `count` buffers. Returns the length of the last one. With `ZMQ_SNDMORE` they are the parts of one message, which ends with the
/// last one. Without it each is a message (libzmq zmq.cpp; no manual page). Fails with `EINVAL` if `count` is 0.
///
/// # Safety
/// `iov` points to `count` buffers, each with `iov_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_sendiov(
    socket: *mut c_void,
    iov: *mut Iovec,
    count: usize,
    flags: c_int,
) -> c_int {
    call(-1, || {
        let sock = Sock::of(socket)?;
        if iov.is_null() || count == 0 {
            return Err(Errno(libc::EINVAL));
        }
        let mut len = 0;
        for n in 0..count {
            // SAFETY: the caller's promise.
            let body = unsafe { bytes((*iov.add(n)).iov_base.cast(), (*iov.add(n)).iov_len) }?;
            let flags = if n + 1 == count { flags & !SNDMORE } else { flags };
            send(&sock, Frame::copy_from(body), flags)?;
            len = body.len();
        }
        Ok(length(len))
    })
}

/// Receives up to `*count` parts of one message. Each is in memory of its own, which the application frees with `free`. Returns their
/// number, and sets `*count` to it, also if the call fails after some parts. Fails with `EINVAL`, `ENOMEM`.
///
/// # Safety
/// `iov` points to `*count` buffers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_recviov(
    socket: *mut c_void,
    iov: *mut Iovec,
    count: *mut usize,
    flags: c_int,
) -> c_int {
    call(-1, || {
        let sock = Sock::of(socket)?;
        // SAFETY: the caller's promise.
        if iov.is_null() || count.is_null() || unsafe { *count } == 0 {
            return Err(Errno(libc::EINVAL));
        }
        // SAFETY: the caller's promise.
        let room = unsafe { count.replace(0) };
        let mut received = 0;
        let mut more = true;
        while more && received < room {
            let mut part = Message::new();
            more = face::recv_part(&sock.socket, &mut part, wait(flags))?;
            let body = body(&part);
            let len = body.len();
            // SAFETY: `malloc` accepts any size. The application frees the memory.
            let memory = unsafe { libc::malloc(len.max(1)) };
            if memory.is_null() {
                return Err(Errno(libc::ENOMEM));
            }
            // SAFETY: `memory` has at least `len` bytes, and `received < room`, so the entry is in the caller's array.
            unsafe {
                memory.cast::<u8>().copy_from_nonoverlapping(body.as_ptr(), len);
                iov.add(received).write(Iovec { iov_base: memory, iov_len: len });
            }
            received += 1;
            // SAFETY: the caller's promise.
            unsafe { *count = received };
        }
        Ok(length(received))
    })
}
