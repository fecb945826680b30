//! Scripts of C calls, run on any library that has libzmq's functions: what each call returned, as text.
//!
//! A script is bytes, and every byte string is a script. It runs in one thread, over inproc, and never waits. Before and
//! after each call the interpreter asks every socket for its EVENTS, until each has taken in what the others did. So
//! the result depends on nothing but the script and the library.

#![allow(clippy::missing_safety_doc)] // the functions of an `Api` are libzmq's, with its conditions

mod interpreter;

use std::ffi::{c_char, c_int, c_long, c_void};
use std::io::{self, Read, Write};

pub use interpreter::run;

macro_rules! functions {
    ($($field:ident $function:ident($($argument:ty),*) -> $result:ty;)+) => {
        /// The functions of a library.
        #[derive(Clone, Copy)]
        #[allow(missing_docs)] // libzmq's
        pub struct Api {
            $(pub $field: unsafe extern "C" fn($($argument),*) -> $result,)+
        }

        /// Makes an [`Api`] of the functions below a path.
        ///
        /// Their arguments may have the library's own types in place of `c_void`, behind pointers.
        #[macro_export]
        macro_rules! api {
            ($library:ident) => {
                // SAFETY: the signatures are those of zmq.h, but for what pointers point to.
                unsafe {
                    $crate::Api { $($field: std::mem::transmute::<*const (), _>($library::$function as *const ()),)+ }
                }
            };
        }
    };
}

/// `zmq_pollitem_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PollItem {
    socket: *mut c_void,
    fd: c_int,
    events: i16,
    revents: i16,
}

/// `zmq_msg_t`.
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug)]
pub struct Msg([u8; 64]);

functions! {
    errno zmq_errno() -> c_int;
    ctx_new zmq_ctx_new() -> *mut c_void;
    socket zmq_socket(*mut c_void, c_int) -> *mut c_void;
    close zmq_close(*mut c_void) -> c_int;
    bind zmq_bind(*mut c_void, *const c_char) -> c_int;
    connect zmq_connect(*mut c_void, *const c_char) -> c_int;
    unbind zmq_unbind(*mut c_void, *const c_char) -> c_int;
    disconnect zmq_disconnect(*mut c_void, *const c_char) -> c_int;
    setsockopt zmq_setsockopt(*mut c_void, c_int, *const c_void, usize) -> c_int;
    getsockopt zmq_getsockopt(*mut c_void, c_int, *mut c_void, *mut usize) -> c_int;
    send zmq_send(*mut c_void, *const c_void, usize, c_int) -> c_int;
    recv zmq_recv(*mut c_void, *mut c_void, usize, c_int) -> c_int;
    poll zmq_poll(*mut c_void, c_int, c_long) -> c_int;
    msg_init_size zmq_msg_init_size(*mut c_void, usize) -> c_int;
    msg_copy zmq_msg_copy(*mut c_void, *mut c_void) -> c_int;
    msg_move zmq_msg_move(*mut c_void, *mut c_void) -> c_int;
    msg_close zmq_msg_close(*mut c_void) -> c_int;
    msg_data zmq_msg_data(*mut c_void) -> *mut c_void;
    msg_size zmq_msg_size(*const c_void) -> usize;
    msg_more zmq_msg_more(*const c_void) -> c_int;
    msg_get zmq_msg_get(*const c_void, c_int) -> c_int;
    msg_send zmq_msg_send(*mut c_void, *mut c_void, c_int) -> c_int;
    msg_recv zmq_msg_recv(*mut c_void, *mut c_void, c_int) -> c_int;
    z85_encode zmq_z85_encode(*mut c_char, *const u8, usize) -> *mut c_char;
    z85_decode zmq_z85_decode(*mut u8, *const c_char) -> *mut u8;
}

/// Writes a byte string behind its length.
///
/// # Errors
/// Those of the stream.
pub fn write(stream: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(&(bytes.len() as u64).to_le_bytes())?;
    stream.write_all(bytes)?;
    stream.flush()
}

/// Reads what [`write()`] wrote.
///
/// # Errors
/// Those of the stream.
pub fn read(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 8];
    stream.read_exact(&mut length)?;
    let mut bytes = Vec::new();
    stream.take(u64::from_le_bytes(length)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
