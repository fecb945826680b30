use std::thread;

use super::*;
use crate::io::session::Session;
use crate::options::Values;
use crate::random::Random;
use crate::socket::pipes::Slot;
use crate::{Context, Socket, SocketType};

/// The session of a connect, on a reactor without a thread.
fn session(socket: &Socket, id: u64, endpoint: &str) -> Session {
    let values = Arc::new(Values::native(None));
    let endpoint = Endpoint::parse_connect(endpoint).unwrap();
    Session::new(id, Arc::clone(socket.base()), endpoint, values, Slot::new(), None, None)
}

/// An address that no socket can be bound for: the dial fails at once.
fn unfit() -> Resolved {
    let (address, source) = ("127.0.0.1:5555".parse().unwrap(), "[::1]:0".parse().ok());
    Resolved::Tcp { address, source }
}

#[test]
fn ten_thousand_addresses_that_fail_at_once_do_not_deepen_the_stack() {
    let small = thread::Builder::new().stack_size(256 * 1024).spawn(|| {
        let cx = Context::new();
        let push = cx.socket(SocketType::Push).unwrap();
        let events = push.monitor();
        let mut reactor = Reactor::new(Arc::clone(&push.base().context), Random::new(1)).unwrap();
        reactor.sessions.insert(7, session(&push, 7, "tcp://many.example:5555"));
        reactor.resolved(7, Ok(vec![unfit(); 10_000]));
        assert!(reactor.sessions[&7].addresses.is_empty(), "each was tried");
        let kinds: Vec<EventKind> =
            std::iter::from_fn(|| events.try_recv().ok()).map(|event| event.kind).collect();
        assert!(
            matches!(kinds[..], [EventKind::ConnectFailed(_), EventKind::ConnectRetried { .. }]),
            "one attempt failed: {kinds:?}"
        );
    });
    small.unwrap().join().unwrap();
}
