//! libzmq through the crate `zmq`, as an application uses it: a copy into the message at the sender, one message that
//! is received into again and again at the receiver.

use crate::case::Kind;
use crate::library::{Counters, Library};

/// libzmq.
pub(crate) struct Libzmq;

/// A socket and the message that it receives into.
pub(crate) struct Socket {
    socket: zmq::Socket,
    message: zmq::Message,
}

impl Library for Libzmq {
    type Context = zmq::Context;
    type Socket = Socket;

    fn context() -> zmq::Context {
        zmq::Context::new()
    }

    fn socket(context: &zmq::Context, kind: Kind) -> Socket {
        let socket_type = match kind {
            Kind::Push => zmq::PUSH,
            Kind::Pull => zmq::PULL,
            Kind::Req => zmq::REQ,
            Kind::Rep => zmq::REP,
            // A PUB that tells who subscribed: the same code sends.
            Kind::Pub => zmq::XPUB,
            Kind::Sub => zmq::SUB,
        };
        let mut socket = context.socket(socket_type).expect("a socket");
        match kind {
            Kind::Sub => socket.set_subscribe(b"").expect("a subscription"),
            Kind::Pub => {
                socket.set_xpub_verbose(true).expect("an option");
                set_nodrop(&mut socket);
            }
            _ => {}
        }
        Socket { socket, message: zmq::Message::new() }
    }

    fn bind(socket: &Socket, endpoint: &str) -> String {
        socket.socket.bind(endpoint).expect("a bound endpoint");
        let bound = socket.socket.get_last_endpoint().expect("an endpoint");
        bound.expect("an endpoint in UTF-8").trim_end_matches('\0').to_owned()
    }

    fn connect(socket: &Socket, endpoint: &str) {
        socket.socket.connect(endpoint).expect("an endpoint to connect to");
    }

    fn wait_for_subscribers(socket: &mut Socket, n: usize) {
        (0..n).for_each(|_| _ = Libzmq::recv(socket));
    }

    #[inline]
    fn send(socket: &Socket, body: &[u8]) {
        socket.socket.send(body, 0).expect("a message sent");
    }

    #[inline]
    fn recv(socket: &mut Socket) -> usize {
        socket.socket.recv(&mut socket.message, 0).expect("a message");
        socket.message.len()
    }

    #[inline]
    fn try_recv(socket: &mut Socket) -> bool {
        socket.socket.recv(&mut socket.message, zmq::DONTWAIT).is_ok()
    }

    fn recv_briefly(socket: &mut Socket) -> bool {
        socket.socket.poll(zmq::POLLIN, 10).expect("a poll") > 0 && Libzmq::try_recv(socket)
    }

    /// It counts nothing.
    fn counters(_: &Socket) -> Counters {
        Counters::default()
    }
}

/// The one option that the crate has no name for.
fn set_nodrop(socket: &mut zmq::Socket) {
    const XPUB_NODROP: i32 = 69;
    let on: i32 = 1;
    // SAFETY: the socket is open, and the option is an int that libzmq copies before it returns.
    let code = unsafe {
        zmq_sys::zmq_setsockopt(socket.as_mut_ptr(), XPUB_NODROP, (&raw const on).cast(), size_of::<i32>())
    };
    assert_eq!(code, 0, "XPUB_NODROP");
}
