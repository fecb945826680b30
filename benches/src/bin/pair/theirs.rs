//! libzmq through its C interface, as an application uses it: a copy into the message at the sender, one message that
//! is received into again and again at the receiver.

use std::ffi::{CString, c_int, c_void};

use benches::libzmq as sys;

use crate::case::{CLIENT_SECRET, Kind, SERVER_PUBLIC, SERVER_SECRET, Seal};
use crate::library::{Counters, Library};

/// libzmq wants it said, zeroxide reckons it.
const CLIENT_PUBLIC: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";

/// libzmq.
pub(crate) struct Libzmq;

/// A context, never terminated.
#[derive(Clone)]
pub(crate) struct Context(*mut c_void);

// SAFETY: a context of libzmq is thread-safe.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

/// A socket and the message that it receives into; never closed.
pub(crate) struct Socket {
    socket: *mut c_void,
    message: sys::Msg,
}

// SAFETY: a socket may go to another thread, with a fence between, which the hand-over is.
unsafe impl Send for Socket {}

/// Whether this libzmq was built with libsodium.
#[cfg(feature = "curve")]
pub(crate) fn has_curve() -> bool {
    // SAFETY: the string ends with a zero.
    unsafe { sys::zmq_has(c"curve".as_ptr()) == 1 }
}

impl Library for Libzmq {
    type Context = Context;
    type Socket = Socket;

    fn context() -> Context {
        // SAFETY: no arguments.
        let context = unsafe { sys::zmq_ctx_new() };
        assert!(!context.is_null(), "a context");
        Context(context)
    }

    fn socket(context: &Context, kind: Kind, seal: Seal) -> Socket {
        let socket_type = match kind {
            Kind::Push => sys::PUSH,
            Kind::Pull => sys::PULL,
            Kind::Req => sys::REQ,
            Kind::Rep => sys::REP,
            Kind::Pub => sys::XPUB,
            Kind::Sub => sys::SUB,
        };
        let mut message = sys::Msg([0; 64]);
        // SAFETY: the context is never terminated, and the message is memory for one.
        let socket = unsafe {
            sys::zmq_msg_init(&raw mut message);
            sys::zmq_socket(context.0, socket_type)
        };
        assert!(!socket.is_null(), "a socket");
        let socket = Socket { socket, message };
        match kind {
            Kind::Sub => set(&socket, sys::SUBSCRIBE, b""),
            Kind::Pub => {
                set(&socket, sys::XPUB_VERBOSE, &1_i32.to_ne_bytes());
                set(&socket, sys::XPUB_NODROP, &1_i32.to_ne_bytes());
            }
            _ => {}
        }
        match seal {
            Seal::None => {}
            Seal::Server => {
                set(&socket, sys::CURVE_SERVER, &1_i32.to_ne_bytes());
                set(&socket, sys::CURVE_SECRETKEY, SERVER_SECRET.as_bytes());
            }
            Seal::Client => {
                set(&socket, sys::CURVE_SERVERKEY, SERVER_PUBLIC.as_bytes());
                set(&socket, sys::CURVE_PUBLICKEY, CLIENT_PUBLIC.as_bytes());
                set(&socket, sys::CURVE_SECRETKEY, CLIENT_SECRET.as_bytes());
            }
        }
        socket
    }

    fn bind(socket: &Socket, endpoint: &str) -> String {
        let endpoint = CString::new(endpoint).expect("no zero in an endpoint");
        let (mut bound, mut length) = ([0_u8; 256], 256);
        // SAFETY: the socket is open; the string ends with a zero; `length` says how long `bound` is.
        let codes = unsafe {
            let bind = sys::zmq_bind(socket.socket, endpoint.as_ptr());
            let at = bound.as_mut_ptr().cast();
            [bind, sys::zmq_getsockopt(socket.socket, sys::LAST_ENDPOINT, at, &raw mut length)]
        };
        assert_eq!(codes, [0, 0], "a bound endpoint");
        let bound = bound[..length].split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8(bound.to_vec()).expect("an endpoint in UTF-8")
    }

    fn connect(socket: &Socket, endpoint: &str) {
        let endpoint = CString::new(endpoint).expect("no zero in an endpoint");
        // SAFETY: the socket is open and the string ends with a zero.
        let code = unsafe { sys::zmq_connect(socket.socket, endpoint.as_ptr()) };
        assert_eq!(code, 0, "an endpoint to connect to");
    }

    fn wait_for_subscribers(socket: &mut Socket, n: usize) {
        (0..n).for_each(|_| _ = Libzmq::recv(socket));
    }

    #[inline]
    fn send(socket: &Socket, body: &[u8]) {
        // SAFETY: the socket is open, and `body` is copied before the call returns.
        let code = unsafe { sys::zmq_send(socket.socket, body.as_ptr().cast(), body.len(), 0) };
        assert!(code >= 0, "a message sent");
    }

    #[inline]
    fn recv(socket: &mut Socket) -> usize {
        usize::try_from(receive(socket, 0)).expect("a message")
    }

    #[inline]
    fn try_recv(socket: &mut Socket) -> bool {
        receive(socket, sys::DONTWAIT) >= 0
    }

    fn recv_briefly(socket: &mut Socket) -> bool {
        let mut item = sys::PollItem { socket: socket.socket, fd: 0, events: sys::POLLIN, revents: 0 };
        // SAFETY: the pointer is to one item, whose socket is open.
        let ready = unsafe { sys::zmq_poll(&raw mut item, 1, 10) };
        assert!(ready >= 0, "a poll");
        ready > 0 && Libzmq::try_recv(socket)
    }

    #[cfg(all(sodium, feature = "curve"))]
    fn boxes(size: usize) -> [std::time::Duration; 2] {
        crate::boxes::measure::<crate::boxes::Sodium>(size)
    }

    #[cfg(all(not(sodium), feature = "curve"))]
    fn boxes(_: usize) -> [std::time::Duration; 2] {
        [std::time::Duration::ZERO; 2]
    }

    /// It counts nothing.
    fn counters(_: &Socket) -> Counters {
        Counters::default()
    }
}

/// Bytes of the message received, or what is below zero.
#[inline]
fn receive(socket: &mut Socket, flags: c_int) -> c_int {
    // SAFETY: the socket is open, and the message was initialised with it.
    unsafe { sys::zmq_msg_recv(&raw mut socket.message, socket.socket, flags) }
}

fn set(socket: &Socket, option: c_int, value: &[u8]) {
    // SAFETY: the socket is open, and libzmq copies the value before it returns.
    let code = unsafe { sys::zmq_setsockopt(socket.socket, option, value.as_ptr().cast(), value.len()) };
    assert_eq!(code, 0, "option {option}");
}
