//! libzmq in `cargo xtask bench compare`: one socket of one context with default options, by its C interface. The body of a message
//! is shared (`zmq_msg_copy`), as the other libraries share theirs.

use std::ffi::{CString, c_int, c_void};
use std::process::ExitCode;

use benches::libzmq as sys;
use cell::{Kind, Peer, Spec};

fn main() -> ExitCode {
    match cell::specs() {
        Ok(specs) => cell::program::<Libzmq>(&specs),
        Err(code) => code,
    }
}

/// A context, never terminated.
#[derive(Clone)]
struct Context(*mut c_void);

// SAFETY: a context of libzmq is thread-safe.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

/// A socket and the message that it receives into; never closed.
struct Libzmq {
    socket: *mut c_void,
    message: sys::Msg,
}

/// A message that is never sent itself. libzmq counts who shares its content, and so needs it to be mutable.
struct Body(std::cell::UnsafeCell<sys::Msg>);

impl Peer for Libzmq {
    type Context = Context;
    type Body = Body;

    fn context(_: &Spec) -> Context {
        // SAFETY: no arguments.
        let context = unsafe { sys::zmq_ctx_new() };
        assert!(!context.is_null(), "a context");
        Context(context)
    }

    async fn open(context: &Context, spec: &Spec, bound: impl FnOnce(&str)) -> Result<Libzmq, String> {
        let kind = match spec.kind {
            Kind::Push => sys::PUSH,
            Kind::Pull => sys::PULL,
            Kind::Pub => sys::PUB,
            Kind::Sub => sys::SUB,
            Kind::Req => sys::REQ,
            Kind::Rep => sys::REP,
            Kind::Dealer => sys::DEALER,
            Kind::Router => sys::ROUTER,
        };
        // SAFETY: the context is never terminated.
        let socket = unsafe { sys::zmq_socket(context.0, kind) };
        assert!(!socket.is_null(), "a socket");
        let peer = Libzmq { socket, message: empty() };
        if spec.kind == Kind::Sub {
            peer.set(sys::SUBSCRIBE, b"");
        }
        if let Some(keys) = &spec.curve {
            // SAFETY: the string ends with a zero.
            if unsafe { sys::zmq_has(c"curve".as_ptr()) } != 1 {
                return Err("built without libsodium".into());
            }
            if spec.binds() {
                peer.set(sys::CURVE_SERVER, &1_i32.to_ne_bytes());
                peer.set(sys::CURVE_SECRETKEY, keys.server_secret.as_bytes());
            } else {
                peer.set(sys::CURVE_SERVERKEY, keys.server_public.as_bytes());
                peer.set(sys::CURVE_PUBLICKEY, keys.client_public.as_bytes());
                peer.set(sys::CURVE_SECRETKEY, keys.client_secret.as_bytes());
            }
        }
        match &spec.endpoint {
            None => bound(&peer.bind(&spec.bind_endpoint())),
            Some(endpoint) => peer.connect(endpoint),
        }
        Ok(peer)
    }

    fn body(bytes: &[u8]) -> Body {
        let mut message = sys::Msg([0; 64]);
        // SAFETY: the message is memory for one, and its content is as long as `bytes`.
        unsafe {
            assert_eq!(sys::zmq_msg_init_size(&raw mut message, bytes.len()), 0, "memory");
            let data = sys::zmq_msg_data(&raw mut message).cast::<u8>();
            data.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        }
        Body(message.into())
    }

    async fn send(&mut self, body: &Body) {
        let mut copy = empty();
        // SAFETY: both messages are initialised, and the socket is open. A message that was sent is empty.
        let code = unsafe {
            assert_eq!(sys::zmq_msg_copy(&raw mut copy, body.0.get()), 0, "a copy");
            sys::zmq_msg_send(&raw mut copy, self.socket, 0)
        };
        assert!(code >= 0, "a message sent");
    }

    async fn recv<T>(&mut self, look: impl FnOnce(&[u8]) -> T) -> T {
        self.next();
        // SAFETY: the content stays where it is until the message is received into again.
        let body = unsafe {
            let data = sys::zmq_msg_data(&raw mut self.message).cast::<u8>();
            std::slice::from_raw_parts(data, sys::zmq_msg_size(&raw const self.message))
        };
        look(body)
    }

    async fn echo(&mut self) {
        loop {
            self.next();
            // SAFETY: the message is initialised, and the socket is open.
            let (code, more) = unsafe {
                let more = sys::zmq_msg_more(&raw const self.message) != 0;
                let flags = if more { sys::SNDMORE } else { 0 };
                (sys::zmq_msg_send(&raw mut self.message, self.socket, flags), more)
            };
            assert!(code >= 0, "a message sent");
            if !more {
                return;
            }
        }
    }
}

impl Libzmq {
    /// Receives a frame.
    fn next(&mut self) {
        // SAFETY: the socket is open, and the message was initialised with it.
        let code = unsafe { sys::zmq_msg_recv(&raw mut self.message, self.socket, 0) };
        assert!(code >= 0, "a message");
    }

    fn bind(&self, endpoint: &str) -> String {
        let endpoint = CString::new(endpoint).expect("no zero in an endpoint");
        let (mut bound, mut length) = ([0_u8; 256], 256);
        // SAFETY: the socket is open; the string ends with a zero; `length` says how long `bound` is.
        let codes = unsafe {
            let bind = sys::zmq_bind(self.socket, endpoint.as_ptr());
            let at = bound.as_mut_ptr().cast();
            [bind, sys::zmq_getsockopt(self.socket, sys::LAST_ENDPOINT, at, &raw mut length)]
        };
        assert_eq!(codes, [0, 0], "a bound endpoint");
        let bound = bound[..length].split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8(bound.to_vec()).expect("an endpoint in UTF-8")
    }

    fn connect(&self, endpoint: &str) {
        let endpoint = CString::new(endpoint).expect("no zero in an endpoint");
        // SAFETY: the socket is open and the string ends with a zero.
        let code = unsafe { sys::zmq_connect(self.socket, endpoint.as_ptr()) };
        assert_eq!(code, 0, "an endpoint to connect to");
    }

    fn set(&self, option: c_int, value: &[u8]) {
        // SAFETY: the socket is open, and libzmq copies the value before it returns.
        let code = unsafe { sys::zmq_setsockopt(self.socket, option, value.as_ptr().cast(), value.len()) };
        assert_eq!(code, 0, "option {option}");
    }
}

fn empty() -> sys::Msg {
    let mut message = sys::Msg([0; 64]);
    // SAFETY: the message is memory for one.
    unsafe { sys::zmq_msg_init(&raw mut message) };
    message
}
