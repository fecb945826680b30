//! Reads scripts of C calls from standard input, runs each on libzmq and writes what it returned to standard output.

use std::ffi::{c_char, c_int, c_long, c_void};
use std::io;

mod real {
    use super::{c_char, c_int, c_long, c_void};

    unsafe extern "C" {
        pub(crate) fn zmq_errno() -> c_int;
        pub(crate) fn zmq_ctx_new() -> *mut c_void;
        pub(crate) fn zmq_ctx_term(context: *mut c_void) -> c_int;
        pub(crate) fn zmq_socket(context: *mut c_void, kind: c_int) -> *mut c_void;
        pub(crate) fn zmq_close(socket: *mut c_void) -> c_int;
        pub(crate) fn zmq_bind(socket: *mut c_void, endpoint: *const c_char) -> c_int;
        pub(crate) fn zmq_connect(socket: *mut c_void, endpoint: *const c_char) -> c_int;
        pub(crate) fn zmq_unbind(socket: *mut c_void, endpoint: *const c_char) -> c_int;
        pub(crate) fn zmq_disconnect(socket: *mut c_void, endpoint: *const c_char) -> c_int;
        pub(crate) fn zmq_setsockopt(
            socket: *mut c_void,
            option: c_int,
            value: *const c_void,
            size: usize,
        ) -> c_int;
        pub(crate) fn zmq_getsockopt(
            socket: *mut c_void,
            option: c_int,
            value: *mut c_void,
            size: *mut usize,
        ) -> c_int;
        pub(crate) fn zmq_send(socket: *mut c_void, data: *const c_void, size: usize, flags: c_int) -> c_int;
        pub(crate) fn zmq_recv(socket: *mut c_void, data: *mut c_void, size: usize, flags: c_int) -> c_int;
        pub(crate) fn zmq_poll(items: *mut c_void, count: c_int, timeout: c_long) -> c_int;
        pub(crate) fn zmq_msg_init_size(message: *mut c_void, size: usize) -> c_int;
        pub(crate) fn zmq_msg_copy(to: *mut c_void, from: *mut c_void) -> c_int;
        pub(crate) fn zmq_msg_move(to: *mut c_void, from: *mut c_void) -> c_int;
        pub(crate) fn zmq_msg_close(message: *mut c_void) -> c_int;
        pub(crate) fn zmq_msg_data(message: *mut c_void) -> *mut c_void;
        pub(crate) fn zmq_msg_size(message: *const c_void) -> usize;
        pub(crate) fn zmq_msg_more(message: *const c_void) -> c_int;
        pub(crate) fn zmq_msg_get(message: *const c_void, property: c_int) -> c_int;
        pub(crate) fn zmq_msg_send(message: *mut c_void, socket: *mut c_void, flags: c_int) -> c_int;
        pub(crate) fn zmq_msg_recv(message: *mut c_void, socket: *mut c_void, flags: c_int) -> c_int;
        pub(crate) fn zmq_z85_encode(text: *mut c_char, data: *const u8, size: usize) -> *mut c_char;
        pub(crate) fn zmq_z85_decode(data: *mut u8, text: *const c_char) -> *mut u8;
    }
}

fn main() -> io::Result<()> {
    let api = fuzz_calls::api!(real);
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    while let Ok(script) = fuzz_calls::read(&mut input) {
        // SAFETY: all of libzmq, and its own context, whose sockets are closed at the end. A connect over inproc that
        // nobody was bound for is let go with its context only.
        let text = unsafe {
            let context = real::zmq_ctx_new();
            let text = fuzz_calls::run(&api, context, &script);
            real::zmq_ctx_term(context);
            text
        };
        fuzz_calls::write(&mut output, text.as_bytes())?;
    }
    Ok(())
}
