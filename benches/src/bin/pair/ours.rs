//! Zeroxide, as an application uses it.

use std::time::Duration;

#[cfg(feature = "curve")]
use zeroxide::{AccessList, Security};
use zeroxide::{Context, Options, Socket, SocketType, opt};

#[cfg(feature = "curve")]
use crate::boxes;
use crate::case::{Kind, Seal};
use crate::library::{Counters, Library, PATIENCE};

/// This project.
pub(crate) struct Zeroxide;

impl Library for Zeroxide {
    type Context = Context;
    type Socket = Socket;

    fn context() -> Context {
        Context::new()
    }

    fn socket(context: &Context, kind: Kind, seal: Seal) -> Socket {
        let (socket_type, options) = match kind {
            Kind::Push => (SocketType::Push, Options::new()),
            Kind::Pull => (SocketType::Pull, Options::new()),
            Kind::Req => (SocketType::Req, Options::new()),
            Kind::Rep => (SocketType::Rep, Options::new()),
            Kind::Pub => (SocketType::Pub, Options::new().set(opt::XPUB_NODROP, true)),
            Kind::Sub => (SocketType::Sub, Options::new()),
        };
        let options = sealed(context, options, seal);
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

    #[cfg(feature = "curve")]
    fn boxes(size: usize) -> [Duration; 2] {
        boxes::measure::<boxes::Ours>(size)
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

#[cfg(not(feature = "curve"))]
fn sealed(_: &Context, options: Options, _: Seal) -> Options {
    options
}

/// `options` with keys. Whoever knows the server's key may come in, as with a libzmq that has no ZAP handler.
#[cfg(feature = "curve")]
fn sealed(context: &Context, options: Options, seal: Seal) -> Options {
    use crate::case::{CLIENT_SECRET, SERVER_PUBLIC, SERVER_SECRET};
    match seal {
        Seal::None => options,
        Seal::Server => {
            let everybody = AccessList::new().allow_any_curve_key();
            context.authenticator("", everybody).expect("one server in a process");
            options.security(Security::CurveServer(SERVER_SECRET.parse().expect("a key")))
        }
        Seal::Client => {
            let (server, me) = (SERVER_PUBLIC.parse().expect("a key"), CLIENT_SECRET.parse().expect("a key"));
            options.security(Security::CurveClient { server, me })
        }
    }
}
