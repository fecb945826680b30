//! Zeroxide, as an application uses it.

use std::time::Duration;

use zeroxide::{Context, Options, Socket, SocketType, opt};

use crate::case::Kind;
use crate::library::{Counters, Library, PATIENCE};

/// This project.
pub(crate) struct Zeroxide;

impl Library for Zeroxide {
    type Context = Context;
    type Socket = Socket;

    fn context() -> Context {
        Context::new()
    }

    fn socket(context: &Context, kind: Kind) -> Socket {
        let (socket_type, options) = match kind {
            Kind::Push => (SocketType::Push, Options::new()),
            Kind::Pull => (SocketType::Pull, Options::new()),
            Kind::Req => (SocketType::Req, Options::new()),
            Kind::Rep => (SocketType::Rep, Options::new()),
            Kind::Pub => (SocketType::Pub, Options::new().set(opt::XPUB_NODROP, true)),
            Kind::Sub => (SocketType::Sub, Options::new()),
        };
        let socket = context.socket_with(socket_type, &options).expect("a socket");
        if kind == Kind::Sub {
            socket.subscribe("").expect("a subscription");
        }
        socket
    }

    fn bind(socket: &Socket, endpoint: &str) -> String {
        socket.bind(endpoint).expect("a bound endpoint").to_string()
    }

    fn connect(socket: &Socket, endpoint: &str) {
        socket.connect(endpoint).expect("an endpoint to connect to");
    }

    fn wait_for_subscribers(socket: &mut Socket, n: usize) {
        socket.wait_for_subscribers("", n, PATIENCE).expect("subscribers");
    }

    #[inline]
    fn send(socket: &Socket, body: &[u8]) {
        socket.send(body).expect("a message sent");
    }

    #[inline]
    fn recv(socket: &mut Socket) -> usize {
        socket.recv().expect("a message")[0].len()
    }

    #[inline]
    fn try_recv(socket: &mut Socket) -> bool {
        socket.try_recv().is_ok()
    }

    fn recv_briefly(socket: &mut Socket) -> bool {
        socket.recv_timeout(Duration::from_millis(10)).is_ok()
    }

    fn counters(socket: &Socket) -> Counters {
        let io = socket.stats().io;
        Counters {
            writes: io.writes,
            reads: io.reads,
            wakes: io.wakes,
            deferrals: io.deferrals,
            busy: io.engine_busy,
        }
    }
}
